import { claimsOf } from '../api/claims.ts';
import type { LoginRole } from '../cluster/secrets.ts';
import { ask, withClient } from '../database.ts';
import { personFor } from '../personas.ts';

/** What a persona reads: how many rows of each table of schema hospital, of those he may ask for. */
export type Seen = Record<string, number>;

/** What row security answered. */
export interface Answers {
  patient: Seen;
  doctor: Seen;
  /** The role of a patient without a session. */
  nobody: Seen;
  /** How many appointments the patient has, and the doctor, by a role that row security does not bind. */
  appointments: { patient: number; doctor: number };
}

/** The patient and the doctor with the most appointments; one who acts for others would see theirs too. */
const choices = {
  patient: `
    select a.patient_id as id, a.patient_id as linked
    from hospital.appointments as a
    where not exists (select from hospital.patient_proxies as p where p.proxy_id = a.patient_id)
    group by a.patient_id
    order by count(*) desc, a.patient_id
    limit 1`,
  doctor: `
    select d.id, d.staff_member_id as linked
    from hospital.appointments as a
    join hospital.doctors as d
      on d.id = a.doctor_id
      and d.is_active
    group by d.id
    order by count(*) desc, d.id
    limit 1`,
};

/**
 * Asks a hospital as two people whom it knows, and as nobody: each is given a session, and asks through the API's
 * own login and role.
 * @throws Failure when the hospital has no appointment
 */
export async function askAsPersonas(url: (role: LoginRole) => string): Promise<Answers> {
  const { patient, doctor } = await withClient(url('hospital_owner'), async (owner) => {
    const begin = async (role: 'patient' | 'doctor') => {
      const person = await personFor(owner, role, role === 'patient' ? 'patient_id' : 'staff_member_id', choices[role]);
      const { rows } = await ask(owner, 'select session_id, session_secret from hospital_private.start_session($1, $2)', [
        person.accountId,
        role,
      ]);
      const [sessionId, sessionSecret] = rows[0] as [string, string];
      return { id: person.id, grant: { sessionId, sessionSecret, role } };
    };
    return { patient: await begin('patient'), doctor: await begin('doctor') };
  });
  const counted = await withClient(url('hospital_backup'), (client) =>
    ask(
      client,
      `select
         count(*) filter (where patient_id = $1)::integer,
         count(*) filter (where doctor_id = $2)::integer
       from hospital.appointments`,
      [patient.id, doctor.id],
    ),
  );
  const [ofPatient, ofDoctor] = counted.rows[0] as [number, number];
  const authenticator = url('hospital_authenticator');
  return {
    patient: await see(authenticator, patient.grant),
    doctor: await see(authenticator, doctor.grant),
    nobody: await see(authenticator, { sessionId: '', sessionSecret: '', role: 'patient' }),
    appointments: { patient: ofPatient, doctor: ofDoctor },
  };
}

async function see(authenticator: string, grant: Parameters<typeof claimsOf>[0]): Promise<Seen> {
  return withClient(authenticator, async (client) => {
    const claims = { ...claimsOf(grant, { id: 'drill', address: '' }), statement_timeout: '0' };
    await ask(client, 'select set_config(name, value, false) from json_each_text($1) as claim (name, value)', [claims]);
    const tables = await ask(
      client,
      `select c.oid::regclass::text
       from pg_class as c
       where c.relkind in ('r', 'p')
         and c.relnamespace = 'hospital'::regnamespace
         and not c.relispartition
         and has_table_privilege(c.oid, 'select')
       order by 1`,
    );
    const seen: Seen = {};
    for (const [table] of tables.rows) {
      seen[String(table)] = Number((await ask(client, `select count(*) from ${table}`)).rows[0]?.[0]);
    }
    return seen;
  });
}
