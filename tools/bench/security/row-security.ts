import type { Client } from 'pg';
import { readSecrets } from '../../cluster/secrets.ts';
import { ask, withClient } from '../../database.ts';
import { accessContender, type AccessContender, type Lookup } from '../access.ts';
import { Void } from '../comparison.ts';
import { busiestDoctor, frequentPatient, startSession } from '../people.ts';
import type { Bench } from '../suite.ts';

/** The least of the ratio without / with: a question may be 1.15 times dearer under row security. */
const AIM = 0.87;

/**
 * What row security costs: a doctor's and a patient's questions, word by word the same, asked by themselves and by the
 * owner, whose one policy is `true` and is planned away. The rows must be the same and be reached by the same index.
 */
export async function compareRowSecurity(bench: Bench): Promise<void> {
  const { database } = bench;
  await withClient(database.url('hospital_owner'), async (owner) => {
    await withClient(database.url('postgres'), async (client) => {
      const questions = await chooseQuestions(owner, client, bench);
      for (const question of questions) await compare(bench, client, question);
    });
  });
}

async function chooseQuestions(owner: Client, client: Client, { database }: Bench): Promise<Lookup[]> {
  const { jwtKeys } = readSecrets(database.settings);
  const [doctor, patient] = [await busiestDoctor(owner), await frequentPatient(owner)];
  const asDoctor = { role: 'hospital_doctor', claims: (await startSession(owner, doctor, jwtKeys)).claims };
  const asPatient = { role: 'hospital_patient', claims: (await startSession(owner, patient, jwtKeys)).claims };
  const seen = await patientOf(owner, doctor.id!);
  await openChart(client, asDoctor, seen);
  const calendar = 'select * from hospital.appointments where doctor_id = $1::bigint order by starts_at desc, id desc';
  return [
    { title: "A doctor's newest 50 appointments", table: 'appointments', sql: `${calendar} limit 50`, value: doctor.id!, ...asDoctor },
    { title: "A doctor's whole calendar", table: 'appointments', sql: calendar, value: doctor.id!, ...asDoctor },
    {
      title: "A patient's name, for the doctor",
      table: 'patients',
      sql: 'select * from hospital.patients where id = $1::bigint',
      value: seen,
      ...asDoctor,
    },
    {
      title: 'The visits in an open chart, for the doctor',
      table: 'visits',
      sql: 'select * from hospital.visits where patient_id = $1::bigint order by started_at desc, id desc',
      value: seen,
      ...asDoctor,
    },
    {
      title: "A patient's own appointments",
      table: 'appointments',
      sql: 'select * from hospital.appointments where patient_id = $1::bigint order by starts_at desc, id desc',
      value: patient.id!,
      ...asPatient,
    },
    {
      title: "A patient's own visits with their prescriptions",
      table: 'prescriptions',
      sql: `select v.*, p.* from hospital.visits as v
            join hospital.prescriptions as p on p.visit_id = v.id and p.patient_id = v.patient_id
            where v.patient_id = $1::bigint order by v.id, p.id`,
      value: patient.id!,
      ...asPatient,
    },
  ];
}

async function compare(bench: Bench, client: Client, question: Lookup): Promise<void> {
  const secured = accessContender(client, question, 'with row security', [], 'index');
  const open = accessContender(client, { ...question, role: 'hospital_owner', claims: {} }, 'without', [], 'index');
  const contenders = [expecting(open, false), expecting(secured, true)];
  await bench.measure({
    title: `${question.title}, as ${question.role}`,
    figures: [
      { key: 'execution', title: 'execution', clock: 'server', unit: 'ms' },
      { key: 'client', title: 'planned, executed and received', clock: 'client', unit: 'ms' },
    ],
    contenders,
    differsIn: 'role',
    ratios: ['execution', 'client'].map((figure) => ({ figure, of: open.name, to: secured.name, aim: AIM })),
    // Most are over in less than a millisecond, and vary as much.
    rounds: bench.rounds * 5,
    warmUp: 5,
    notes: async () => {
      if (indexesOf(open) !== indexesOf(secured)) throw new Void(`The plans differ: ${open.seen()} against ${secured.seen()}`);
      return [open, secured].map(({ name, seen }) => `${name}: ${seen()}`);
    },
    explain: async () => [...(await open.plan()), ...(await secured.plan())],
  });
}

/** The indexes by which a plan reaches its rows, plain or by a bitmap. */
function indexesOf(contender: AccessContender): string {
  return [...contender.seen().matchAll(/using (\w+)/g)].map(([, index]) => index).join(', ');
}

/** Policies show in a plan as what they ask for, and only there. */
function expecting(contender: AccessContender, policies: boolean): AccessContender {
  return {
    ...contender,
    conditions: async () => {
      const conditions = await contender.conditions();
      const asks = (await contender.plan()).some((line) => /InitPlan/.test(line));
      if (asks !== policies) throw new Void(`${contender.name}, but the plan asks ${asks ? 'who is there' : 'nobody'}`);
      return conditions;
    },
  };
}

/** The patient with the most visits to a doctor. */
async function patientOf(owner: Client, doctorId: string): Promise<string> {
  const { rows } = await ask(
    owner,
    `select v.patient_id from hospital.visits as v where v.doctor_id = $1::bigint
     group by v.patient_id order by count(*) desc, v.patient_id limit 1`,
    [doctorId],
  );
  return String(rows[0]?.[0]);
}

/** Opens a chart as the API would, and keeps it open. */
async function openChart(client: Client, { role, claims }: Pick<Lookup, 'role' | 'claims'>, patientId: string): Promise<void> {
  await client.query('begin');
  await client.query('select set_config(key, value, true) from json_each_text($1)', [JSON.stringify({ ...claims, role })]);
  await client.query(`select hospital.open_chart($1, 'treatment')`, [patientId]);
  await client.query('commit');
}
