import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { ACCOUNT_ROLES, verifyToken } from '../../../tools/api/identity.ts';
import { type Answer, KEYS, send, type TestApi } from './api.ts';
import { addStaff, furnish, tokenFor, type Hospital, type Person } from './hospital.ts';

const WHO = '{ claimsLeft currentAccount { email role } }';

/** An id that a client may give a request, made from a name. */
export const idOf = (name: string): string => createHash('md5').update(name).digest('hex');

/** What a request finds on its connection, and ways to end badly, chosen by the name of the request. */
const PROBES = `
  create function hospital.claims_left() returns text
  language sql stable set search_path = pg_catalog, pg_temp
  as $$ select concat_ws('|', current_user, current_setting('infirmary.session_id'), current_setting('infirmary.session_secret'),
    current_setting('infirmary.client_address'), current_setting('infirmary.request_id'), current_setting('application_name'),
    current_setting('statement_timeout')) $$;
  grant execute on function hospital.claims_left to hospital_anonymous, ${ACCOUNT_ROLES.map((role) => `hospital_${role}`).join(', ')};
  create or replace function hospital.patients_age(patient hospital.patients) returns integer
  language plpgsql stable set search_path = pg_catalog, pg_temp
  as $$ begin
    case current_setting('infirmary.request_id')
      when md5('dividing') then return 1 / 0;
      when md5('raising') then raise exception 'no';
      when md5('sleeping') then perform pg_sleep(30);
      when md5('settling') then
        perform set_config('infirmary.session_id', current_setting('infirmary.session_id'), false),
          set_config('infirmary.session_secret', current_setting('infirmary.session_secret'), false),
          set_config('application_name', current_setting('application_name'), false),
          set_config('role', current_setting('role'), false);
      else null;
    end case;
    return 1;
  end $$`;

export interface Member extends Person {
  role: string;
  token: string;
}

/** A hospital with people of every role, patients first, and the probes; an API started later offers them. */
export async function gather({ owner }: Pick<TestApi, 'owner'>): Promise<{ hospital: Hospital; people: Member[] }> {
  const hospital = await furnish(owner, { doctors: 5, patients: 30 });
  await owner.query(PROBES);
  const members: [Person, string][] = [
    ...hospital.patients.map((person): [Person, string] => [person, 'patient']),
    ...hospital.doctors.map((person): [Person, string] => [person, 'doctor']),
  ];
  const jobs: Record<string, string> = { reception: 'receptionist', laboratory: 'laboratory_technician', billing: 'billing_clerk' };
  for (const role of ACCOUNT_ROLES.slice(2)) members.push([await addStaff(owner, hospital, role, jobs[role] ?? role), role]);
  const people: Member[] = [];
  for (const [person, role] of members) people.push({ ...person, role, token: await tokenFor(owner, person, role) });
  return { hospital, people };
}

/** Asks as somebody, or as nobody, and checks that everything on the connection is this request's own. */
export async function askAs(url: string, member: Member | undefined, name: string): Promise<void> {
  const id = idOf(name);
  const { data, errors } = await send(url, { query: WHO }, member?.token, { 'x-request-id': id });
  assert.deepEqual(errors, []);
  const grant = member && verifyToken(KEYS, member.token);
  assert.equal(
    data.claimsLeft,
    [`hospital_${member?.role ?? 'anonymous'}`, grant?.sessionId ?? '', grant?.sessionSecret ?? '', '127.0.0.1', id, `infirmary-api ${id}`, '10s'].join('|'),
  );
  assert.deepEqual(data.currentAccount, member ? { email: member.email, role: member.role } : null);
}

/** Asks as somebody for a request that ends as its kind says. */
export async function disturb(url: string, member: Member, kind: string, signal?: AbortSignal): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    signal,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${member.token}`, 'x-request-id': idOf(kind) },
    body: JSON.stringify({ query: '{ patients(first: 1) { nodes { age } } }' }),
  });
  return { status: response.status, ...((await response.json()) as object) } as Answer;
}
