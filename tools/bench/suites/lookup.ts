import type { Client } from 'pg';
import { readSecrets } from '../../cluster/secrets.ts';
import { ask, withClient } from '../../database.ts';
import { accessContender, dropsOf, type Lookup } from '../access.ts';
import { anAdministrator, busiestDoctor, frequentPatient, startSession } from '../people.ts';
import type { Bench, Suite } from '../suite.ts';

export const lookup: Suite = {
  name: 'lookup',
  about:
    'Indexed lookups, and the same with all indexes but the primary key dropped in a transaction that is rolled back.',
  async run(bench) {
    const { database } = bench;
    await withClient(database.url('hospital_owner'), async (owner) => {
      const lookups = await chooseLookups(owner, bench);
      await withClient(database.url('postgres'), async (client) => {
        for (const one of lookups) {
          await compare(bench, client, { ...one, role: 'hospital_owner', claims: {} });
          await compare(bench, client, one);
        }
      });
    });
  },
};

async function chooseLookups(owner: Client, { database }: Bench): Promise<Lookup[]> {
  const { jwtKeys } = readSecrets(database.settings);
  const [doctor, patient] = [await busiestDoctor(owner), await frequentPatient(owner)];
  const claimsOf = async (person: typeof doctor): Promise<Record<string, string>> =>
    (await startSession(owner, person, jwtKeys)).claims;
  const asPatient = { role: 'hospital_patient', claims: await claimsOf(patient) };
  const middle = 'select percentile_disc(0.5) within group (order by starts_at)::date::timestamptz::text from hospital.appointments';
  const visit = `select visit_id from hospital.prescriptions where patient_id = $1 order by visit_id desc limit 1`;
  return [
    {
      title: "A doctor's appointments",
      table: 'appointments',
      sql: 'select * from hospital.appointments where doctor_id = $1::bigint order by starts_at desc, id desc limit 50',
      value: doctor.id!,
      role: 'hospital_doctor',
      claims: await claimsOf(doctor),
      aim: 100,
    },
    {
      title: "A patient's history",
      table: 'visits',
      sql: 'select * from hospital.visits where patient_id = $1::bigint order by started_at desc, id desc',
      value: patient.id!,
      ...asPatient,
      aim: 100,
    },
    {
      title: 'The appointments of a day',
      table: 'appointments',
      sql: `select * from hospital.appointments
            where starts_at >= $1::timestamptz and starts_at < $1::timestamptz + interval '1 day' order by starts_at, id`,
      value: await valueOf(owner, middle),
      role: 'hospital_administrator',
      claims: await claimsOf(await anAdministrator(owner)),
    },
    {
      title: 'The prescriptions of a visit',
      table: 'prescriptions',
      sql: 'select * from hospital.prescriptions where visit_id = $1::bigint order by id',
      value: await valueOf(owner, visit, [patient.id!]),
      ...asPatient,
      aim: 100,
    },
  ];
}

async function compare(bench: Bench, client: Client, lookup: Lookup): Promise<void> {
  const drops = await dropsOf(client, lookup.table);
  const withIndex = accessContender(client, lookup, 'with index', [], 'index');
  const without = accessContender(client, lookup, 'without index', drops, 'sequential');
  await bench.measure({
    title: `${lookup.title}, as ${lookup.role}`,
    figures: [
      { key: 'execution', title: 'execution', clock: 'server', unit: 'ms' },
      { key: 'client', title: 'planned, executed and received', clock: 'client', unit: 'ms' },
    ],
    contenders: [without, withIndex],
    ratios: [
      { figure: 'execution', of: without.name, to: withIndex.name, ...(lookup.aim && { aim: lookup.aim }) },
      { figure: 'client', of: without.name, to: withIndex.name },
    ],
    rounds: bench.rounds,
    warmUp: 2,
    notes: async () => [
      `without index: ${drops.length} indexes of ${lookup.table} dropped, and rolled back`,
      ...[without, withIndex].map(({ name, seen }) => `${name}: ${seen()}`),
    ],
    explain: async () => [...(await without.plan()), ...(await withIndex.plan())],
  });
}

async function valueOf(client: Client, sql: string, values: string[] = []): Promise<string> {
  const { rows } = await ask(client, sql, values);
  return String(rows[0]?.[0]);
}
