import type { Client } from 'pg';
import { signToken } from '../../../tools/api/identity.ts';
import { KEYS } from './api.ts';

/** The password of every account the tests make. */
export const PASSWORD = 'correct horse battery';

export interface Person {
  /** The key of the patient or doctor. */
  id: string;
  accountId: string;
  email: string;
}

/** A small hospital that never closes, so that no test depends on the hour. */
export interface Hospital {
  departmentId: string;
  roomId: string;
  /** A consultation: 30 minutes, no buffers. */
  typeId: string;
  doctors: Person[];
  patients: Person[];
}

/** Furnishes an empty database with one department, doctors on duty day and night, and patients. */
export async function furnish(owner: Client, size: { doctors: number; patients: number }): Promise<Hospital> {
  const hash = await value(owner, 'select hospital_private.hash_password($1)', [PASSWORD]);
  const facilityId = await value(
    owner,
    `insert into hospital.facilities (name, time_zone) values ('Test Hospital', 'UTC') returning id`,
  );
  const departmentId = await value(
    owner,
    `insert into hospital.departments (facility_id, name) values ($1, 'Cardiology') returning id`,
    [facilityId],
  );
  const roomId = await value(
    owner,
    `insert into hospital.rooms (department_id, name) values ($1, 'Room 1') returning id`,
    [departmentId],
  );
  const typeId = await value(owner, `select id from hospital.appointment_types where code = 'consultation'`);

  const doctors: Person[] = [];
  for (let n = 1; n <= size.doctors; n += 1) {
    const staffId = await value(
      owner,
      `insert into hospital.staff_members (given_name, family_name, job, department_id, hired_on)
       values ('Doctor', $1, 'doctor', $2, '2020-01-01') returning id`,
      [`Number ${n}`, departmentId],
    );
    const id = await value(
      owner,
      `insert into hospital.doctors (staff_member_id, specialization, licence, practising_since, approved_at)
       values ($1, 'Cardiology', $2, '2010-01-01', now()) returning id`,
      [staffId, `LIC-${n}`],
    );
    await owner.query(
      `insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time)
       select $1, day, '00:00', '00:00' from generate_series(1, 7) as day`,
      [id],
    );
    doctors.push({
      id,
      ...(await account(owner, `doctor${n}@test.example`, 'doctor', hash, 'staff_member_id', staffId)),
    });
  }

  const patients: Person[] = [];
  for (let n = 1; n <= size.patients; n += 1) {
    const id = await value(
      owner,
      `insert into hospital.patients (given_name, family_name, date_of_birth, sex)
       values ('Patient', $1, '1980-01-01', 'female') returning id`,
      [`Number ${n}`],
    );
    patients.push({
      id,
      ...(await account(owner, `patient${n}@test.example`, 'patient', hash, 'patient_id', id)),
    });
  }
  return { departmentId, roomId, typeId, doctors, patients };
}

/** An account of staff who are nobody's doctor, such as reception or an administrator. */
export async function addStaff(
  owner: Client,
  hospital: Hospital,
  role: string,
  job: string,
): Promise<Person> {
  const hash = await value(owner, 'select hospital_private.hash_password($1)', [PASSWORD]);
  const id = await value(
    owner,
    `insert into hospital.staff_members (given_name, family_name, job, department_id, hired_on)
     values ('Member', $1, $2, $3, '2020-01-01') returning id`,
    [role, job, hospital.departmentId],
  );
  return { id, ...(await account(owner, `${role}@test.example`, role, hash, 'staff_member_id', id)) };
}

/** Starts a session without a password and signs its token, for tests that are not about logging in. */
export async function tokenFor(owner: Client, person: Person, role: string): Promise<string> {
  const { rows } = await owner.query('select * from hospital_private.start_session($1, $2)', [
    person.accountId,
    role,
  ]);
  const { session_id, session_secret, expires_at } = rows[0];
  return signToken(KEYS, {
    sessionId: session_id,
    sessionSecret: session_secret,
    role,
    expiresAt: expires_at,
  });
}

/** An instant that many hours from the next full hour, so that no test depends on today. */
export function hoursAhead(hours: number): string {
  const hour = 3_600_000;
  return new Date(Math.ceil(Date.now() / hour) * hour + hours * hour).toISOString();
}

/** The first column of the first row. */
export async function value(owner: Client, sql: string, values: unknown[] = []): Promise<string> {
  const { rows } = await owner.query({ text: sql, values, rowMode: 'array' });
  return rows[0]?.[0];
}

async function account(
  owner: Client,
  email: string,
  role: string,
  hash: string,
  link: 'patient_id' | 'staff_member_id',
  linked: string,
): Promise<{ accountId: string; email: string }> {
  const accountId = await value(
    owner,
    `insert into hospital_private.accounts (email, password_hash, ${link}) values ($1, $2, $3) returning id`,
    [email, hash, linked],
  );
  await owner.query('insert into hospital_private.account_roles (account_id, role) values ($1, $2)', [
    accountId,
    role,
  ]);
  return { accountId, email };
}
