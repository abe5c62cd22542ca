import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { Client } from 'pg';
import { startRelease, work } from '../../tools/commands/sandbox.ts';
import { ask, withClient } from '../../tools/database.ts';
import { exportSandbox, type Manifest } from '../../tools/sandbox/export.ts';
import type { Settings } from '../../tools/settings.ts';
import { cloneDatabase } from '../support/database.ts';
import { testSettings } from '../support/server.ts';

type Row = Record<string, string>;

/** Everything that points at somebody, by what it is; what is part of a published code list is no secret. */
const secrets: Record<string, string> = {
  name: `
    select n.name
    from (
      select given_name from hospital.patients union select family_name from hospital.patients
      union select given_name from hospital.staff_members union select family_name from hospital.staff_members
    ) as n (name)`,
  number: `select mrn from hospital.patients union select value from hospital.patient_identifiers`,
  uuid: `
    select public_uuid from hospital.patients union select public_uuid from hospital.appointments
    union select record_uuid from hospital.visits union select public_uuid from hospital.staff_members
    union select public_uuid from hospital.facilities`,
  contact: `
    select value from hospital.contact_points union select email from hospital_private.accounts
    union select address from hospital.facilities where address is not null`,
  licence: `select licence from hospital.doctors`,
  'free text': `
    select diagnosis from hospital.visits where diagnosis is not null
    union select notes from hospital.visits where notes is not null
    union select reason from hospital.appointments where reason is not null
    union select instructions from hospital.prescriptions where instructions is not null
    union select notes from hospital.treatments where notes is not null`,
};

/** Who is in no release: who was merged into another, and who denies it. */
const left = `(
  select p.id from hospital.patients as p
  where p.merged_into_id is not null
    or exists (
      select from hospital.consents as c
      join hospital.patients as r on r.id = c.patient_id
      where r.person_id = p.person_id and c.scope = 'no_research' and c.in_force @> now()
    )
)`;

/** Dates of a person's events, with those of one and the same event in one row. */
const events = `
  select v.patient_id as person, count(*)::integer as count,
    array_agg((v.started_at at time zone f.time_zone)::date - first.day order by v.started_at)::text as intervals
  from hospital.visits as v
  join hospital.appointments as a on a.id = v.appointment_id
  join hospital.departments as d on d.id = a.department_id
  join hospital.facilities as f on f.id = d.facility_id
  join lateral (
    select min((w.started_at at time zone f.time_zone)::date) as day from hospital.visits as w
    where w.patient_id = v.patient_id and w.voided_at is null
  ) as first on true
  where v.patient_id not in ${left}
    and v.voided_at is null and (v.started_at at time zone f.time_zone)::date < $1
  group by v.patient_id`;

describe('infirmary sandbox export', { concurrency: 1 }, () => {
  const folders: string[] = [];
  const newFolder = (): string => {
    const folder = mkdtempSync(path.join(tmpdir(), 'infirmary-sandbox-'));
    folders.push(folder);
    return folder;
  };
  let settings: Settings;
  let url: string;
  let folder: string;
  let manifest: Manifest;

  before(async () => {
    const database = await cloneDatabase({ seeded: true });
    settings = { ...testSettings(), database: database.name };
    url = database.url('hospital_owner');
    // Three who are older than 89, and one who was merged into another.
    await withClient(url, async (client) => {
      await client.query(
        `update hospital.patients set date_of_birth = current_date - interval '93 years' where id <= 3;
         update hospital.patients set merged_into_id = 1
         where id = (
           select min(p.id) from hospital.patients as p
           where p.id > 3
             and not exists (
               select from hospital.appointments as a
               where a.patient_id = p.id and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
             )
         )`,
      );
    });
    folder = newFolder();
    manifest = await work(settings, folder, false);
  });
  after(() => folders.forEach((each) => rmSync(each, { recursive: true, force: true })));

  const rowsOf = (view: string, where = folder): Row[] =>
    parse(readFileSync(path.join(where, `${view}.csv`)), { columns: true }) as Row[];
  const bytes = (): string =>
    readdirSync(folder).map((file) => readFileSync(path.join(folder, file), 'utf8')).join('\n');
  const column = async (sql: string, values: unknown[] = []): Promise<string[]> =>
    withClient(url, async (client) => (await ask(client, sql, values)).rows.map((row) => String(row[0])));

  for (const [what, sql] of Object.entries(secrets)) {
    test(`writes no ${what} of anybody`, async () => {
      const published = (
        await column(
          `select name from hospital.medications union select name from hospital.treatment_types
           union select name from hospital.appointment_types union select name from hospital.specialties`,
        )
      ).join('\n');
      const values = (await column(sql)).filter((value) => !published.includes(value));
      assert.ok(values.length > 0, 'there is something to look for');
      const text = bytes();
      assert.deepEqual(values.filter((value) => text.includes(value)), []);
    });
  }

  test('writes no time of day, and no date of birth in any form', async () => {
    const text = bytes();
    assert.doesNotMatch(text, /\d\d:\d\d/);
    // Before anybody was treated here a date in the files could only be that of a birth.
    const births = await column(
      `select date_of_birth from hospital.patients
       where date_of_birth < (select min(onset_on) - 366 from hospital.patient_conditions)
         and date_of_birth < (select min(starts_at)::date - 366 from hospital.appointments)`,
    );
    assert.ok(births.length > 200, 'there is something to look for');
    assert.deepEqual(births.filter((birth) => text.includes(birth)), []);
  });

  test('tells no age over 89', async () => {
    const oldest = Number(manifest.until.slice(0, 4)) - 90;
    const years = rowsOf('patients').map(({ birth_year: year }) => Number(year));
    assert.equal(Math.min(...years), oldest);
    assert.ok(years.filter((year) => year === oldest).length >= 3);
  });

  test('keeps how many there are of everything, and the days between', async () => {
    const { until } = manifest;
    const local = `(%s at time zone f.time_zone)::date < $1`;
    const places = `
      join hospital.appointments as a on a.id = v.appointment_id
      join hospital.departments as d on d.id = a.department_id
      join hospital.facilities as f on f.id = d.facility_id`;
    const ofVisits = (table: string, at = 'v.started_at'): string =>
      `select count(*) from hospital.${table} as t join hospital.visits as v on v.id = t.visit_id ${places}
       where t.patient_id not in ${left} and v.voided_at is null and ${local.replace('%s', at)}`;
    const expected: Record<string, string> = {
      patients: `select count(*) from hospital.patients where id not in ${left} and $1::date is not null`,
      appointments: `
        select count(*) from hospital.appointments as a
        join hospital.departments as d on d.id = a.department_id
        join hospital.facilities as f on f.id = d.facility_id
        where a.patient_id not in ${left} and ${local.replace('%s', 'a.starts_at')}`,
      visits: `
        select count(*) from hospital.visits as v ${places}
        where v.patient_id not in ${left} and v.voided_at is null and ${local.replace('%s', 'v.started_at')}`,
      diagnoses: `${ofVisits('visit_diagnoses')} and t.voided_at is null`,
      conditions: `
        select count(*) from hospital.patient_conditions
        where patient_id not in ${left} and voided_at is null and onset_on < $1`,
      prescriptions: ofVisits('prescriptions'),
      treatments: `${ofVisits('treatments', 't.started_at')} and t.voided_at is null`,
    };
    for (const [view, sql] of Object.entries(expected)) {
      const count = Number((await column(sql, [until]))[0]);
      assert.ok(count > 0);
      assert.equal(rowsOf(view).length, count, view);
    }

    const { rows } = await withClient(url, (client) => ask(client, events, [until]));
    const original = rows.map(([, count, intervals]) => `${count} ${intervals}`);
    const days = new Map<string, number[]>();
    for (const { person, day } of rowsOf('visits')) {
      days.set(person!, [...(days.get(person!) ?? []), Date.parse(day!) / 86_400_000]);
    }
    const masked = [...days.values()].map((all) => {
      const sorted = all.sort((a, b) => a - b);
      return `${sorted.length} {${sorted.map((day) => day - sorted[0]!).join(',')}}`;
    });
    assert.deepEqual(masked.sort(), original.sort());
  });

  test('fits together: whatever refers to a row finds it', () => {
    const keys = (view: string, key: string): Set<string> => new Set(rowsOf(view).map((row) => row[key]!));
    const [people, visits, appointments] = [
      keys('patients', 'person'),
      keys('visits', 'visit'),
      keys('appointments', 'appointment'),
    ];
    for (const view of ['appointments', 'visits', 'conditions', 'diagnoses', 'prescriptions', 'treatments']) {
      for (const row of rowsOf(view)) {
        assert.ok(people.has(row.person!), view);
        if ('visit' in row) assert.ok(visits.has(row.visit!), view);
        if (view === 'visits') assert.ok(appointments.has(row.appointment!), view);
      }
    }
  });

  test('says in its manifest what it holds', () => {
    assert.deepEqual(JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')), manifest);
    assert.deepEqual(
      readdirSync(folder).sort(),
      [...manifest.files.map(({ name }) => name), 'manifest.json'].sort(),
    );
    for (const { name, rows, bytes: size, sha256 } of manifest.files) {
      const content = readFileSync(path.join(folder, name));
      assert.equal(content.length, size);
      assert.equal(createHash('sha256').update(content).digest('hex'), sha256);
      assert.equal(rowsOf(name.replace('.csv', '')).length, rows);
    }
  });

  test('shares no pseudonym with another export, and keeps no secret', async () => {
    const other = newFolder();
    const again = await exportSandbox(url, other);
    assert.notEqual(again.release, manifest.release);
    const pseudonyms = (where: string): string[] =>
      ['patients', 'visits', 'appointments'].flatMap((view) => rowsOf(view, where).map((row) => Object.values(row)[0]!));
    const first = new Set(pseudonyms(folder));
    assert.deepEqual(pseudonyms(other).filter((pseudonym) => first.has(pseudonym)), []);
    assert.deepEqual(
      await column(
        `select count(*) from hospital_private.masking_subjects as s
         join hospital_private.masking_releases as r on r.id = s.release_id where r.purpose = 'sandbox'`,
      ),
      ['0'],
      'no secret of an export is kept',
    );
  });

  test('leaves the analysts with the release they had, also while it runs', async () => {
    const release = await startRelease(settings);
    const owner = new Client({ connectionString: url });
    await owner.connect();
    try {
      await owner.query(`begin; select hospital_private.start_masking_release('sandbox')`);
      assert.deepEqual(await column('select release from masked.release'), [release]);
    } finally {
      await owner.end();
    }
    await exportSandbox(url, newFolder());
    assert.deepEqual(await column('select release from masked.release'), [release]);
  });

  test('takes its turn when another export runs', async () => {
    const [one, two] = await Promise.all([exportSandbox(url, newFolder()), exportSandbox(url, newFolder())]);
    assert.notEqual(one.release, two.release);
    assert.deepEqual(one.files.map(({ rows }) => rows), two.files.map(({ rows }) => rows));
  });

  test('refuses a folder that holds anything, and erases nothing but an export', async () => {
    await assert.rejects(exportSandbox(url, folder), /holds an export already/);
    const foreign = newFolder();
    writeFileSync(path.join(foreign, 'thesis.txt'), 'years of work');
    for (const erase of [false, true]) {
      await assert.rejects(exportSandbox(url, foreign, { erase }), /holds thesis\.txt, which no export wrote/);
    }
    assert.deepEqual(readdirSync(foreign), ['thesis.txt']);
    await assert.rejects(exportSandbox(url, path.join(foreign, 'thesis.txt')), /is no folder/);
    manifest = await exportSandbox(url, folder, { erase: true });
    assert.equal(rowsOf('patients').length, manifest.files[0]!.rows);
  });

  test('leaves no half of an export behind, and no release', async () => {
    const before = await column('select count(*) from hospital_private.masking_releases');
    const half = newFolder();
    const broken = new Error('The disk is full.');
    const showProgress = (): never => {
      throw broken;
    };
    await assert.rejects(exportSandbox(url, half, { showProgress }), broken);
    await withClient(url, (client) => client.query('alter table hospital.treatments rename to gone'));
    try {
      await assert.rejects(exportSandbox(url, half));
    } finally {
      await withClient(url, (client) => client.query('alter table hospital.gone rename to treatments'));
    }
    assert.deepEqual(readdirSync(half), []);
    assert.deepEqual(await column('select count(*) from hospital_private.masking_releases'), before);
  });
});
