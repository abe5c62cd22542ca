import type { Client } from 'pg';
import { identify, signToken, type JwtKey } from '../api/identity.ts';
import { type Person, personFor } from '../personas.ts';

export type { Person } from '../personas.ts';

/** A real session of a person. */
export interface Session {
  /** The access token, as logging in would give it. */
  token: string;
  /** The settings that the token stands for in a transaction. */
  claims: Record<string, string>;
}

/** The doctor with the most appointments. */
export function busiestDoctor(owner: Client): Promise<Person> {
  return personFor(owner, 'doctor', 'staff_member_id', `
    select
      d.id,
      d.staff_member_id as linked
    from hospital.appointments as a
    join hospital.doctors as d
      on d.id = a.doctor_id
      and d.is_active
    group by
      d.id
    order by
      count(*) desc,
      d.id
    limit 1`);
}

/** The patient with the most visits. */
export function frequentPatient(owner: Client): Promise<Person> {
  return personFor(owner, 'patient', 'patient_id', `
    select
      v.patient_id as id,
      v.patient_id as linked
    from hospital.visits as v
    group by
      v.patient_id
    order by
      count(*) desc,
      v.patient_id
    limit 1`);
}

/** A member of staff who may read the whole calendar. */
export function anAdministrator(owner: Client): Promise<Person> {
  return personFor(owner, 'administrator', 'staff_member_id', `
    select
      null as id,
      m.id as linked
    from hospital.staff_members as m
    where not exists (select from hospital.doctors as d where d.staff_member_id = m.id)
    order by
      m.id
    limit 1`);
}

/** Starts a session, which gives access for 15 minutes. */
export async function startSession(owner: Client, person: Person, keys: readonly JwtKey[]): Promise<Session> {
  const { rows } = await owner.query(
    `select
      s.session_id,
      s.session_secret,
      extract(epoch from s.expires_at)::float8 as expires
    from hospital_private.start_session($1, $2) as s`,
    [person.accountId, person.role],
  );
  const { session_id: sessionId, session_secret: sessionSecret, expires } = rows[0];
  const token = signToken(keys, { sessionId, sessionSecret, role: person.role, expiresAt: new Date(expires * 1000) });
  return { token, claims: identify(keys, token, { id: '', address: '' }).claims };
}
