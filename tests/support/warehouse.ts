import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { LoginRole } from '../../tools/cluster/server.ts';
import type { Random } from '../property/random.ts';
import { cloneDatabase, type TestDatabase } from './database.ts';

/** A small hospital whose past and future are changed at random while it is loaded. */
export interface BusyHospital {
  database: TestDatabase;
  owner: Client;
  /** Another connection, closed with the hospital. */
  connect(role: LoginRole): Promise<Client>;
  /** What a verification finds, after the load it begins with. */
  differences(): Promise<string[]>;
  close(): Promise<void>;
}

export async function openBusyHospital(): Promise<BusyHospital> {
  const database = await cloneDatabase();
  const clients: Client[] = [];
  const connect = async (role: LoginRole): Promise<Client> => {
    const client = new Client({ connectionString: database.url(role) });
    clients.push(client);
    await client.connect();
    return client;
  };
  const owner = await connect('hospital_owner');
  await owner.query(`
    insert into hospital.facilities (name, time_zone) values ('East', 'America/New_York'), ('West', 'Europe/Paris');
    insert into hospital.departments (facility_id, name)
    select f.id, f.name || ' ' || n from hospital.facilities as f cross join generate_series(1, 2) as n;
    insert into hospital.staff_members (given_name, family_name, job, department_id, hired_on)
    select 'Ada', 'Stone ' || d.id, 'doctor', d.id, '2020-01-01' from hospital.departments as d;
    insert into hospital.doctors (staff_member_id, specialization, licence, practising_since, approved_at)
    select s.id, 'Cardiology', 'L-' || s.id, '2010-01-01', now() from hospital.staff_members as s;
    insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time)
    select d.id, day, '00:00', '00:00' from hospital.doctors as d cross join generate_series(1, 7) as day;
    insert into hospital.patients (given_name, family_name, date_of_birth, sex)
    select 'Pat', 'Number ' || n, date '1950-02-28' + 500 * n, 'female' from generate_series(1, 12) as n;
    insert into hospital.diagnosis_codes (system, code, description)
    select 'icd10cm', 'I' || n, 'Condition ' || n from generate_series(10, 19) as n;
    insert into hospital.medications (code, name) select n::text, 'Medicine ' || n from generate_series(1, 9) as n;
    insert into hospital.treatment_types (name) values ('Probe') on conflict do nothing`);
  return {
    database,
    owner,
    connect,
    differences: () => differencesOf(owner),
    close: async () => {
      await Promise.all(clients.map((client) => client.end()));
      await database.drop();
    },
  };
}

async function differencesOf(client: Client): Promise<string[]> {
  for (;;) {
    await client.query('begin isolation level repeatable read');
    try {
      const { rows } = await client.query<{ difference: string }>(
        `select concat_ws(' ', table_name, key, problem) as difference from warehouse.verify()`,
      );
      return rows.map(({ difference }) => difference);
    } catch (error) {
      // Somebody is loading.
      if ((error as { code?: string }).code !== '55P03') throw error;
    } finally {
      await client.query('rollback');
    }
    await sleep(20);
  }
}

/** One random change of the record, as SQL. */
function changeOf(random: Random): string {
  const some = (table: string): string =>
    `(select id from hospital.${table} order by id offset floor(${random.whole(0, 999) / 1000} * (select count(*) from hospital.${table})) limit 1)`;
  const past = `timestamptz '2023-01-01' + ${random.whole(0, 700 * 24 * 60)} * interval '1 minute'`;
  const future = `date_trunc('day', now()) + ${random.whole(2 * 24 * 12, 60 * 24 * 12)} * interval '5 minutes'`;
  const type = `(select id from hospital.appointment_types where code = 'consultation')`;
  const attended = `
    with a as (
      insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, ends_at, status)
      select ${some('patients')}, ${some('doctors')}, ${type}, at, at + interval '20 minutes', 'completed'
      from (select ${past} as at) as t
      returning *
    )
    insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at)
    select id, patient_id, doctor_id, starts_at from a`;
  const ofVisit = (table: string, columns: string, values: string): string =>
    `insert into hospital.${table} (visit_id, patient_id, ${columns})
     select v.id, v.patient_id, ${values} from hospital.visits as v where v.id = ${some('visits')}`;
  return random.pick([
    attended,
    attended,
    attended,
    `insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at)
     select ${some('patients')}, ${some('doctors')}, ${type}, ${future}`,
    `update hospital.appointments set starts_at = starts_at + interval '1 day', ends_at = ends_at + interval '1 day'
     where id = ${some('appointments')}`,
    `update hospital.appointments set status = 'cancelled', cancelled_at = now(), cancellation_reason = 'patient_request'
     where id = ${some('appointments')} and status = 'scheduled'`,
    `update hospital.visits set ended_at = started_at + ${random.whole(1, 90)} * interval '1 minute' where id = ${some('visits')}`,
    `update hospital.visits set started_at = ${past}, ended_at = null, notes = 'x', amendment_reason = 'Wrong day'
     where id = ${some('visits')}`,
    `update hospital.visits set voided_at = now(), void_reason = 'Mistake' where id = ${some('visits')} and voided_at is null`,
    ofVisit('visit_diagnoses', 'diagnosis_code_id, rank', `${some('diagnosis_codes')}, ${random.whole(1, 9)}`),
    ofVisit('treatments', 'type, cost, started_at', `'Probe', ${random.whole(1, 500)}, v.started_at`),
    ofVisit('prescriptions', 'medication_id, prescribed_by, dosage, start_date', `${some('medications')}, v.doctor_id, 'One', '2024-01-01'`),
    `insert into hospital.patient_conditions (patient_id, diagnosis_code_id, onset_on)
     select ${some('patients')}, ${some('diagnosis_codes')}, (${past})::date`,
    `delete from hospital.treatments where id = ${some('treatments')}`,
    `delete from hospital.visit_diagnoses where id = ${some('visit_diagnoses')}`,
    `delete from hospital.patient_conditions where id = ${some('patient_conditions')}`,
    `update hospital.departments set name = 'Ward ' || ${random.whole(0, 1e9)} where id = ${some('departments')}`,
    `update hospital.doctors set specialization = '${random.pick(['Neurology', 'Oncology', 'Cardiology'])}' where id = ${some('doctors')}`,
    `update hospital.staff_members set family_name = 'Name ${random.whole(0, 1e9)}' where id = ${some('staff_members')}`,
    `update hospital.patients set sex = '${random.pick(['female', 'male', 'other'])}' where id = ${some('patients')}`,
    `update hospital.patients set date_of_birth = date '1940-01-01' + ${random.whole(0, 20000)} where id = ${some('patients')}`,
    `update hospital.diagnosis_codes set description = 'Text ${random.whole(0, 1e9)}' where id = ${some('diagnosis_codes')}`,
    `update hospital.appointment_types set price = ${random.whole(1, 900)} where code = 'consultation'`,
  ]);
}

/**
 * A session that changes things: transactions of some changes each, that stay open for a while and are
 * sometimes rolled back; one that meets a rule of the hospital is too.
 * @returns how many were committed
 */
export async function work(database: TestDatabase, random: Random, transactions: number): Promise<number> {
  const client = new Client({ connectionString: database.url('hospital_owner') });
  await client.connect();
  let committed = 0;
  try {
    for (let count = 0; count < transactions; count += 1) {
      const changes = Array.from({ length: random.whole(1, 4) }, () => changeOf(random));
      const pauses = changes.map(() => random.whole(0, 25));
      const isWanted = !random.chance(0.1);
      try {
        await client.query('begin');
        for (const [index, change] of changes.entries()) {
          await client.query(change);
          await sleep(pauses[index]);
        }
        await client.query(isWanted ? 'commit' : 'rollback');
        if (isWanted) committed += 1;
      } catch {
        await client.query('rollback');
      }
    }
  } finally {
    await client.end();
  }
  return committed;
}
