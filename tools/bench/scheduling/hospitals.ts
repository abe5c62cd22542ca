import { readSecrets } from '../../cluster/secrets.ts';
import { withClient } from '../../database.ts';
import type { BenchDatabase } from '../database.ts';
import { anAdministrator, frequentPatient, startSession } from '../people.ts';
import { baselines } from './baselines.ts';

/** How many doctors are asked for at once. */
const doctorsAsked = 200;

/** Two copies of one hospital, with the same time to come and a short and a long past. */
export interface Hospitals {
  small: Hospital;
  large: Hospital;
}

export interface Hospital {
  /** The name of its database. */
  database: string;
  appointments: number;
  /** The department of all doctors who are asked for, and how many these are. */
  departmentId: string;
  doctors: number;
}

/**
 * Makes both copies for as long as `work` takes. The larger one is the smaller with completed appointments of
 * the thirty years before, which nothing to come depends on.
 */
export async function withHospitals<T>(
  database: BenchDatabase,
  sizes: { small: number; large: number },
  work: (hospitals: Hospitals) => Promise<T>,
): Promise<T> {
  const names = { small: 'bench_scheduling_small', large: 'bench_scheduling_large' };
  const template = await database.build(sizes.small);
  try {
    await copy(database, template, names.small);
    const { departmentId, doctors } = await gather(database, names.small);
    await copy(database, names.small, names.large);
    await growPast(database, names.large, sizes.large - sizes.small);
    const hospital = { departmentId, doctors };
    return await work({
      small: { ...hospital, database: names.small, appointments: sizes.small },
      large: { ...hospital, database: names.large, appointments: sizes.large },
    });
  } finally {
    await asAdministrator(database, `drop database if exists ${names.small} with (force)`);
    await asAdministrator(database, `drop database if exists ${names.large} with (force)`);
  }
}

async function copy(database: BenchDatabase, template: string, name: string): Promise<void> {
  await asAdministrator(database, `drop database if exists ${name} with (force)`);
  await asAdministrator(database, `create database ${name} owner hospital_owner template ${template}`);
  await asAdministrator(database, `grant connect on database ${name} to hospital_authenticator`);
}

function asAdministrator(database: BenchDatabase, sql: string): Promise<unknown> {
  return withClient(database.url('postgres'), (client) => client.query(sql));
}

/** Brings the doctors into one department, so that one call asks for all of them, and adds the baselines. */
async function gather(database: BenchDatabase, name: string): Promise<{ departmentId: string; doctors: number }> {
  return withClient(database.url('hospital_owner', name), async (owner) => {
    const { rows } = await owner.query<{ id: string }>(
      `insert into hospital.departments (facility_id, name)
       select min(f.id), 'Bench'
       from hospital.facilities as f
       returning id`,
    );
    const departmentId = rows[0]!.id;
    const { rowCount } = await owner.query(
      `update hospital.staff_members as m
       set department_id = $1
       from (
         select d.staff_member_id
         from hospital.doctors as d
         where d.is_active
         order by d.id
         limit ${doctorsAsked}
       ) as d
       where m.id = d.staff_member_id`,
      [departmentId],
    );
    await owner.query(baselines);
    return { departmentId, doctors: rowCount ?? 0 };
  });
}

/** Completed appointments before those that were seeded, spread over the same doctors and patients. */
async function growPast(database: BenchDatabase, name: string, count: number): Promise<void> {
  await withClient(database.url('postgres', name), async (client) => {
    // Straight into the table: what is derived is given, and nobody need be told of the past.
    await client.query('set session_replication_role = replica');
    await client.query(
      `insert into hospital.appointments (
         patient_id, doctor_id, department_id, room_id, appointment_type_id, starts_at, ends_at, busy, status
       )
       select
         p.id,
         d.doctor_id,
         d.department_id,
         d.room_id,
         t.id,
         at.starts_at,
         at.starts_at + interval '15 minutes',
         tstzrange(at.starts_at, at.starts_at + interval '15 minutes'),
         'completed'
       from generate_series(0, $1::integer - 1) as n
       cross join lateral (
         select timestamptz '1990-01-01 14:00Z' + (n % 10000) * interval '1 day' + (n / 10000 % 32) * interval '15 minutes'
       ) as at (starts_at)
       join (
         select row_number() over (order by id) - 1 as place, id, count(*) over () as count
         from hospital.patients
       ) as p
         on p.place = n * 7919::bigint % p.count
       join (
         select
           row_number() over (order by d.id) - 1 as place,
           d.id as doctor_id,
           m.department_id,
           (select min(s.room_id) from hospital.doctor_schedules as s where s.doctor_id = d.id) as room_id,
           count(*) over () as count
         from hospital.doctors as d
         join hospital.staff_members as m
           on m.id = d.staff_member_id
         where d.is_active
       ) as d
         on d.place = n % d.count
       join hospital.appointment_types as t
         on t.code = 'follow_up'`,
      [count],
    );
    await client.query('vacuum (analyze) hospital.appointments');
    await client.query('checkpoint');
  });
}

/** The claims of a fresh session, which has access for 15 minutes, of somebody in the role; the owner needs none. */
export async function claimsOf(
  database: BenchDatabase,
  hospital: Hospital,
  role: string,
): Promise<Record<string, string>> {
  if (role === 'hospital_owner') return {};
  const { jwtKeys } = readSecrets(database.settings);
  return withClient(database.url('hospital_owner', hospital.database), async (owner) => {
    const person = role === 'hospital_patient' ? await frequentPatient(owner) : await anAdministrator(owner);
    return (await startSession(owner, person, jwtKeys)).claims;
  });
}
