import type { Client } from 'pg';
import { Failure } from './failure.ts';

/** Somebody whom the hospital knows, to ask it as. */
export interface Person {
  /** The key of the doctor or patient; undefined for an administrator. */
  id?: string;
  role: 'doctor' | 'patient' | 'administrator';
  accountId: string;
}

/** The person whom a query chooses, with an account in that role. */
export async function personFor(
  owner: Client,
  role: Person['role'],
  link: 'patient_id' | 'staff_member_id',
  choice: string,
): Promise<Person> {
  const { rows } = await owner.query<{ id: string | null; linked: string }>(choice);
  const found = rows[0];
  if (!found) throw new Failure(`The data hold no ${role}.`, 'Seed more: --size 1000');
  const accountId = await accountFor(owner, link, found.linked);
  await owner.query(
    `insert into hospital_private.account_roles (account_id, role) values ($1, $2) on conflict do nothing`,
    [accountId, role],
  );
  return { role, accountId, ...(found.id !== null && { id: found.id }) };
}

/** Most seeded people never log in, so an account is made for this one, with a password nobody has. */
async function accountFor(owner: Client, link: string, linked: string): Promise<string> {
  const known = await owner.query(`select id from hospital_private.accounts where ${link} = $1`, [linked]);
  if (known.rows[0]) return known.rows[0].id;
  const made = await owner.query(
    `insert into hospital_private.accounts (email, password_hash, ${link})
     values ($1, hospital_private.hash_password(gen_random_uuid()::text), $2)
     returning id`,
    [`persona.${link}.${linked}@example.test`, linked],
  );
  return made.rows[0].id;
}
