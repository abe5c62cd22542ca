import type pg from 'pg';
import { patients } from './curated/read.ts';

/** What somebody types in to log in. */
export interface Login {
  email: string;
  password: string;
}

export type AccountRole =
  | 'patient'
  | 'doctor'
  | 'nurse'
  | 'reception'
  | 'pharmacist'
  | 'laboratory'
  | 'billing'
  | 'administrator'
  | 'analyst'
  | 'auditor';

/** Demonstration data only: the password is public, so these accounts are never made in production. */
const password = 'demonstration-only';

/** Whom the logins belong to: the first patient of curated/patients.csv, and people of curated/staff.csv. */
export const demonstrationPeople: Record<Exclude<AccountRole, 'patient'>, string> = {
  doctor: 'Priya Raman',
  nurse: 'Maureen Doyle',
  reception: 'Kathleen Regan',
  pharmacist: 'Robert Callahan',
  laboratory: 'Oluwaseun Bello',
  billing: 'Denise Baptiste',
  administrator: 'Catherine Donnelly',
  analyst: 'Mei-Ling Tan',
  auditor: 'Gregory Lindqvist',
};

/** The demonstration login of every account role. */
export function demonstrationLogins(): Record<AccountRole, Login> {
  const roles: AccountRole[] = [
    'patient',
    ...(Object.keys(demonstrationPeople) as (keyof typeof demonstrationPeople)[]),
  ];
  const logins = roles.map((role): [AccountRole, Login] => [
    role,
    { email: `${role}@infirmary.example`, password },
  ]);
  return Object.fromEntries(logins) as Record<AccountRole, Login>;
}

/** Creates the accounts of the demonstration logins in a database that has just been seeded. */
export async function createLogins(client: pg.Client): Promise<void> {
  const [patient] = patients;
  const people = Object.entries({
    patient: `${patient?.given_name} ${patient?.family_name}`,
    ...demonstrationPeople,
  });
  await client.query(
    `with
     wanted as (
       select w.role, w.name, w.email
       from unnest($1::text[], $2::text[], $3::text[]) as w (role, name, email)
     ),
     hashed as materialized (
       select hospital_private.hash_password($4) as hash
     ),
     created as (
       insert into hospital_private.accounts (email, password_hash, patient_id, staff_member_id)
       select
         w.email,
         h.hash,
         case when w.role = 'patient' then (
           select min(p.id) from hospital.patients as p where p.given_name || ' ' || p.family_name = w.name
         ) end,
         case when w.role <> 'patient' then (
           select min(m.id) from hospital.staff_members as m where m.given_name || ' ' || m.family_name = w.name
         ) end
       from wanted as w
       cross join hashed as h
       returning id, email
     )
     insert into hospital_private.account_roles (account_id, role)
     select c.id, w.role
     from created as c
     join wanted as w
       on w.email = c.email`,
    [
      people.map(([role]) => role),
      people.map(([, name]) => name),
      people.map(([role]) => demonstrationLogins()[role as AccountRole].email),
      password,
    ],
  );
}
