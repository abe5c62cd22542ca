import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { projectFolder } from '../../tools/settings.ts';
import { cloneDatabase, type TestDatabase } from './database.ts';

/** A hospital with appointments ahead, for tests of the worker. */
export interface WorkerHospital {
  database: TestDatabase;
  owner: Client;
  /** The database, as hospital_worker. */
  url: string;
  /** Books a patient of the given name and zone with a doctor who always works; returns the appointment. */
  book(hoursAhead: number, patient?: { familyName?: string; timeZone?: string }): Promise<string>;
  /** The first column of the answer. */
  column(sql: string, values?: unknown[]): Promise<unknown[]>;
  /** Everything in the queue, which only hospital_worker can see. */
  queue(): Promise<{ locked_by: string | null; last_error: string | null }[]>;
  close(): Promise<void>;
}

/** Clones a database with one department and one doctor, and as many appointments in the hours to come. */
export async function openHospital(appointments: number, timeZone = 'America/New_York'): Promise<WorkerHospital> {
  const database = await cloneDatabase();
  const owner = new Client({ connectionString: database.url('hospital_owner') });
  await owner.connect();
  const column = async (sql: string, values: unknown[] = []): Promise<unknown[]> =>
    (await owner.query({ text: sql, values, rowMode: 'array' })).rows.map((row: unknown[]) => row[0]);
  const [doctor] = await column(
    `with
     facility as (
       insert into hospital.facilities (name, time_zone) values ('Harbor Hospital', $1) returning id
     ),
     department as (
       insert into hospital.departments (facility_id, name) select id, 'Cardiology' from facility returning id
     ),
     member as (
       insert into hospital.staff_members (given_name, family_name, job, department_id, hired_on)
       select 'Ada', 'Stone', 'doctor', id, '2020-01-01' from department returning id
     )
     insert into hospital.doctors (staff_member_id, specialization, licence, practising_since, approved_at)
     select id, 'Cardiology', 'LIC-1', '2010-01-01', now() from member returning id`,
    [timeZone],
  );
  await owner.query(
    `insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time)
     select $1, day, '00:00', '00:00' from generate_series(1, 7) as day`,
    [doctor],
  );
  const book: WorkerHospital['book'] = async (hoursAhead, { familyName = 'Patient', timeZone: zone } = {}) => {
    const [id] = await column(
      `with patient as (
         insert into hospital.patients (given_name, family_name, date_of_birth, sex, time_zone)
         values ('Test', $2, '1980-01-01', 'female', $3) returning id
       )
       insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at)
       select patient.id, $1, kind.id, date_trunc('minute', now()) + $4 * interval '1 hour'
       from patient, hospital.appointment_types as kind
       where kind.code = 'consultation'
       returning id`,
      [doctor, familyName, zone, hoursAhead],
    );
    return id as string;
  };
  // Not within the hour: that is notice too short for a consultation.
  for (let hour = 1; hour <= appointments; hour += 1) await book(hour + 1);
  return {
    database,
    owner,
    url: database.url('hospital_worker'),
    book,
    column,
    queue: async () => {
      const worker = new Client({ connectionString: database.url('hospital_worker') });
      await worker.connect();
      try {
        return (await worker.query('select locked_by, last_error from graphile_worker.jobs')).rows;
      } finally {
        await worker.end();
      }
    },
    close: async () => {
      await owner.end();
      await database.drop();
    },
  };
}

/** Waits, for as long as it takes, until the answer to `question` is yes. */
export async function until(question: () => Promise<boolean>): Promise<void> {
  while (!(await question())) await sleep(50);
}

/** Keeps the worker from writing messages until the function returned is called. */
export async function blockMessages({ database }: WorkerHospital): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: database.url('hospital_owner') });
  await client.connect();
  await client.query('begin; lock table hospital.notifications in share mode');
  return () => client.end();
}

/** Keeps the worker, after writing reminders and before the commit, from recording it, until called. */
export async function blockSuccess({ database, owner }: WorkerHospital): Promise<() => Promise<void>> {
  await owner.query(
    `create function ops.wait_for_test() returns trigger language plpgsql
     as 'begin perform pg_advisory_xact_lock(4711); return new; end';
     create trigger wait_for_test before update on ops.job_runs
     for each row when (new.outcome = 'succeeded' and new.job = 'send_reminders') execute function ops.wait_for_test()`,
  );
  const client = new Client({ connectionString: database.url('hospital_owner') });
  await client.connect();
  await client.query('select pg_advisory_lock(4711)');
  return () => client.end();
}

/** How many of the worker's connections wait for a lock. */
export async function waitingWorkers({ column }: WorkerHospital): Promise<number> {
  const [count] = await column(
    `select count(*)::integer
     from pg_locks as lock
     join pg_stat_activity as activity using (pid)
     where not lock.granted and activity.usename = 'hospital_worker' and activity.datname = current_database()`,
  );
  return count as number;
}

/** Whether no worker is connected. */
export async function isDeserted({ column }: WorkerHospital): Promise<boolean> {
  const [count] = await column(
    `select count(*)::integer
     from pg_stat_activity
     where usename = 'hospital_worker' and datname = current_database()`,
  );
  return count === 0;
}

/** A process of the command line, with what it has said so far. */
export interface Spoken {
  child: ChildProcess;
  said(): string;
  /** The exit code, or the signal that ended it. */
  ended: Promise<number | string | null>;
}

/** Runs `infirmary work …` in a process of its own. */
export function spawnWork(url: string, ...options: string[]): Spoken {
  const env: NodeJS.ProcessEnv = { ...process.env, WORKER_URL: url };
  delete env.DATABASE_URL;
  delete env.NODE_TEST_CONTEXT;
  const child = spawn(process.execPath, [path.join('tools', 'cli.ts'), 'work', ...options], {
    cwd: projectFolder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const ended = new Promise<number | string | null>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  return { child, said: () => text, ended };
}
