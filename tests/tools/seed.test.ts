import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { work } from '../../tools/commands/seed.ts';
import { ask, withClient } from '../../tools/database.ts';
import { Failure, UsageError } from '../../tools/failure.ts';
import { fits } from '../../tools/seed/clinic.ts';
import { freshCodes } from '../../tools/seed/codes.ts';
import { diagnoses, medications, treatmentTypes } from '../../tools/seed/curated/read.ts';
import { scenarios } from '../../tools/seed/curated/scenarios/index.ts';
import { generate } from '../../tools/seed/generate.ts';
import { seed, small, writeCsv } from '../../tools/seed/index.ts';
import { demonstrationLogins } from '../../tools/seed/logins.ts';
import { clienteleOf } from '../../tools/seed/panels.ts';
import { sizesOf } from '../../tools/seed/sizes.ts';
import { tableNames, tables } from '../../tools/seed/tables.ts';
import { readSettings } from '../../tools/settings.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

// A day in the week in which clocks change, so that the coming weeks have both times.
const options = { ...small, asOf: '2026-10-29' };

function digestOf(randomSeed: number, asOf: string): string {
  const hash = createHash('sha256');
  for (const batch of generate(sizesOf({ ...small, randomSeed, asOf }), freshCodes())) {
    hash.update(JSON.stringify([...batch.rows]));
  }
  return hash.digest('hex');
}

test('the same seed, sizes and day make the same rows, and others make others', () => {
  const digest = digestOf(1, '2026-03-09');
  assert.equal(digestOf(1, '2026-03-09'), digest);
  assert.notEqual(digestOf(2, '2026-03-09'), digest);
  assert.notEqual(digestOf(1, '2026-03-10'), digest);
});

test('every scenario uses curated codes, and every patient of every doctor fits one', () => {
  const known = {
    diagnoses: new Set(diagnoses.map(({ code }) => code)),
    medications: new Set(medications.map(({ code }) => code)),
    treatments: new Set(treatmentTypes.map(({ name }) => name)),
  };
  for (const { reason, codes, prescriptions, treatments } of scenarios) {
    for (const code of codes) assert.ok(known.diagnoses.has(code), `${reason}: ${code}`);
    for (const { code } of prescriptions.flat()) assert.ok(known.medications.has(code), `${reason}: ${code}`);
    for (const { type } of treatments) assert.ok(known.treatments.has(type), `${reason}: ${type}`);
  }
  for (const specialty of new Set(scenarios.flatMap(({ specialties }) => specialties))) {
    const { youngest, oldest, sex } = clienteleOf(specialty);
    for (let age = youngest; age <= oldest; age++) {
      for (const each of sex ? [sex] : ['female', 'male', 'other', 'unknown']) {
        assert.ok(
          scenarios.some((scenario) => fits(scenario, specialty, age, each)),
          `${specialty} ${age} ${each}`,
        );
      }
    }
  }
});

test('sizes below the smallest hospital are raised to it, and impossible ones are refused', () => {
  const sizes = sizesOf({ patients: 1, doctors: 1, appointments: 1 });
  assert.deepEqual({ ...small, ...sizes }, sizes);
  assert.throws(() => sizesOf({ doctors: 110, appointments: 1_000_000 }), /110 doctors cannot see/);
  assert.throws(() => sizesOf({ patients: 300, appointments: 50_000 }), /--patients|believable/);
  assert.throws(() => sizesOf({ asOf: '2026-02-31x' }), UsageError);
  assert.throws(() => sizesOf({ patients: 1.5 }), UsageError);
});

test('in production there are no demonstration logins', async () => {
  const settings = { ...readSettings({}), environment: 'production' as const };
  await assert.rejects(work(settings, { logins: true }), /In production there are no demonstration logins/);
});

test('CSV files have a heading and one line for every row', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'infirmary-csv-'));
  try {
    const { rows } = await writeCsv(folder, options);
    assert.deepEqual(
      readdirSync(folder).sort(),
      [...tableNames, 'diagnosis_codes', 'medications', 'treatment_types']
        .map((name) => `${name}.csv`)
        .sort(),
    );
    for (const name of tableNames) {
      const lines = readFileSync(path.join(folder, `${name}.csv`), 'utf8')
        .trimEnd()
        .split('\n');
      assert.equal(lines[0], tables[name].columns.join(','));
      assert.equal(lines.length - 1, rows[name], name);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('a seeded hospital', () => {
  let database: TestDatabase;
  const query = async (sql: string): Promise<unknown[][]> =>
    (await withClient(database.url('hospital_owner'), (client) => ask(client, sql))).rows;
  const number = async (sql: string): Promise<number> => Number((await query(sql))[0]?.[0]);

  before(async () => {
    database = await cloneDatabase();
    await seed(database.url('hospital_owner'), options);
  });

  test('has at least 100 rows in every table that is no code list', async () => {
    for (const name of tableNames) {
      assert.ok((await number(`select count(*) from hospital.${name}`)) >= 100, name);
    }
  });

  test('has exactly as many patients, doctors and appointments as asked for', async () => {
    for (const name of ['patients', 'doctors', 'appointments'] as const) {
      assert.equal(await number(`select count(*) from hospital.${name}`), small[name]);
    }
  });

  test('holds nobody and no room twice at once, in the past either', async () => {
    for (const key of ['doctor_id', 'patient_id', 'room_id']) {
      const overlaps = await number(
        `select count(*)
         from (
           select busy, lag(busy) over (partition by ${key} order by lower(busy)) as previous
           from hospital.appointments
           where status not in ('cancelled') and ${key} is not null
         ) as a
         where a.busy && a.previous`,
      );
      assert.equal(overlaps, 0, key);
    }
  });

  test('keeps every appointment within the doctor’s hours and outside absences, on the wall clock', async () => {
    const outside = await query(
      `select a.id, a.starts_at
       from hospital.appointments as a
       cross join lateral (
         select lower(a.busy) at time zone 'America/New_York', upper(a.busy) at time zone 'America/New_York'
       ) as local (starts, ends)
       where not exists (
           select
           from hospital.doctor_schedules as s
           cross join generate_series(0, 1) as days_ago
           cross join lateral (select local.starts::date - days_ago) as shift (day)
           where s.doctor_id = a.doctor_id
             and s.weekday = extract(isodow from shift.day)
             and s.effective @> shift.day
             and local.starts >= shift.day + s.start_time
             and local.ends <= shift.day + s.end_time
               + case when s.end_time <= s.start_time then interval '1 day' else interval '0' end
         )
         and not exists (
           select
           from hospital.doctor_extra_sessions as e
           where e.doctor_id = a.doctor_id
             and tstzrange(e.starts_at, e.ends_at) @> a.busy
         )
         or exists (
           select
           from hospital.doctor_time_off as o
           where o.doctor_id = a.doctor_id
             and o.starts_at < upper(a.busy)
             and o.ends_at > lower(a.busy)
         )`,
    );
    assert.deepEqual(outside, []);
  });

  test('leaves every doctor a third of each coming day', async () => {
    const fullest = await query(
      `select max(taken), count(*)
       from (
         select
           sum(extract(epoch from upper(a.busy) - lower(a.busy))) / 60 / (
             select sum(mod(extract(epoch from s.end_time - s.start_time) / 60 + 1440, 1440))
             from hospital.doctor_schedules as s
             where s.doctor_id = a.doctor_id
               and s.weekday = extract(isodow from min(a.starts_at at time zone 'America/New_York' - interval '6 hours'))
               and s.effective @> date '2026-10-29'
           ) as taken
         from hospital.appointments as a
         where a.status = 'scheduled'
         group by a.doctor_id, (a.starts_at at time zone 'America/New_York' - interval '6 hours')::date
       ) as days`,
    );
    const [[taken, days]] = fullest as [[string, string]];
    assert.ok(Number(days) > 20);
    assert.ok(Number(taken) <= 0.67, taken);
  });

  test('has appointments that were kept, cancelled and missed before its day, and only coming ones after', async () => {
    const rows = await query(
      `select status, starts_at < timestamptz '2026-10-29 04:00Z', count(*)
       from hospital.appointments
       group by 1, 2`,
    );
    const found = new Map(rows.map(([status, isPast, count]) => [`${status} ${isPast}`, Number(count)]));
    assert.equal(found.get('scheduled true'), undefined);
    assert.equal(found.get('completed false'), undefined);
    for (const key of ['completed true', 'cancelled true', 'no_show true', 'scheduled false']) {
      assert.ok((found.get(key) ?? 0) > 20, key);
    }
  });

  test('tells what became of each appointment without a gap, in order, up to the status it has', async () => {
    const wrong = await query(
      `select a.id
       from hospital.appointments as a
       left join lateral (
         select
           array_agg(h.to_status order by h.id) as entered,
           array_agg(h.from_status order by h.id) as left_behind,
           array_agg(h.changed_at order by h.id) = array_agg(h.changed_at order by h.changed_at, h.id) as is_in_order,
           max(h.changed_at) as last
         from hospital.appointment_status_history as h
         where h.appointment_id = a.id
       ) as h
         on true
       where h.entered[cardinality(h.entered)] is distinct from a.status
         or h.left_behind is distinct from (array[null::text] || h.entered)[:cardinality(h.entered)]
         or not h.is_in_order
         or h.last > timestamptz '2026-10-29 04:00Z' + interval '1 hour'`,
    );
    assert.deepEqual(wrong, []);
    const [[waits, some]] = (await query(
      `select count(*), count(*) filter (where e.seen_at > greatest(e.arrived_at, e.happened_at))
       from warehouse.extract_appointments as e
       where e.arrived_at is not null`,
    )) as [[string, string]];
    assert.ok(Number(waits) > 100 && Number(some) > 20, `${waits} ${some}`);
  });

  test('has series that keep their time on the clock, and miss only the days they say', async () => {
    const wrong = await query(
      `select s.id
       from hospital.appointment_series as s
       cross join generate_series(0, s.occurrences - 1) as place
       cross join lateral (select s.first_date + place * 7 * s.every_weeks) as planned (day)
       left join hospital.appointments as a
         on a.series_id = s.id
         and a.starts_at = (planned.day + s.local_time) at time zone 'America/New_York'
       where (a.id is null) <> (planned.day = any (s.skipped_dates))`,
    );
    assert.deepEqual(wrong, []);
    assert.ok((await number('select sum(cardinality(skipped_dates)) from hospital.appointment_series')) > 0);
  });

  test('has nurses who are in one place at a time, overrides that cover, and moves that end where it is', async () => {
    const wrong = await query(
      `select 'nurse', s.staff_member_id
       from (
         select staff_member_id, busy, lag(busy) over (partition by staff_member_id order by busy) as previous
         from hospital.appointment_staff
         where status <> 'cancelled'
       ) as s
       where s.busy && s.previous
       union all
       select 'override', a.id
       from hospital.appointments as a
       join hospital.appointment_overrides as o
         on o.id = a.override_id
       where not o.span @> a.busy
       union all
       select 'move', m.id
       from hospital.appointment_moves as m
       join hospital.appointments as a
         on a.id = m.appointment_id
       where (m.to_starts_at, m.to_ends_at, m.to_doctor_id) <> (a.starts_at, a.ends_at, a.doctor_id)
         or m.moved_at < a.created_at
         or m.moved_at > a.starts_at`,
    );
    assert.deepEqual(wrong, []);
  });

  test('has notes as they are written: mostly signed, some sensitive, edited, added to or still drafts', async () => {
    const found = await query(
      `select
         count(*) filter (where n.signed_at is null) as drafts,
         count(*) filter (where n.sensitivity <> 'normal') as sensitive,
         count(*) filter (where n.addendum_to_id is not null) as addenda,
         count(*) filter (where n.version = 2) as edited,
         count(*) filter (where jsonb_array_length(n.body -> 'symptoms') > 1) as with_symptoms
       from hospital.clinical_notes as n`,
    );
    for (const count of found[0]!) assert.ok(Number(count) > 0, String(found[0]));
    const wrong = await query(
      `select 'hash', n.id
       from hospital.clinical_notes as n
       where not hospital.clinical_notes_is_intact(n)
       union all
       select 'author', n.id
       from hospital.clinical_notes as n
       join hospital.visits as v
         on v.record_uuid = n.record_uuid
       join hospital.doctors as d
         on d.id = v.doctor_id
       where d.staff_member_id <> n.author_id
         or n.created_at < v.started_at
       union all
       select 'version', n.id
       from hospital.clinical_notes as n
       where n.version - 1 <> (select count(*) from hospital.clinical_note_versions as o where o.note_id = n.id)
       union all
       select 'grant', g.id
       from hospital.sensitivity_grants as g
       where not exists (
         select
         from hospital.clinical_notes as n
         where (n.patient_id, n.sensitivity, n.author_id) = (g.patient_id, g.sensitivity, g.granted_by)
           and n.signed_at <= lower(g.granted)
       )`,
    );
    assert.deepEqual(wrong, []);
  });

  test('leaves the rules of booking as they were', async () => {
    assert.deepEqual(
      await query(
        'select distinct notice_minutes, horizon_days from hospital.appointment_types order by notice_minutes',
      ),
      [0, 15, 60, 1440].map((notice) => [notice, 365]),
    );
  });

  test('gives women and men, children and the old, what belongs to them', async () => {
    assert.equal(
      await number(
        `select count(*)
         from hospital.visits as v
         join hospital.patients as p
           on p.id = v.patient_id
         join hospital.visit_diagnoses as d
           on d.visit_id = v.id
         join hospital.diagnosis_codes as c
           on c.id = d.diagnosis_code_id
         where (c.code like 'Z34%' and (p.sex <> 'female' or age(v.started_at, p.date_of_birth) > interval '45 years'))
           or (c.code like 'N40%' and p.sex <> 'male')
           or (c.code like 'Z00.12%' and age(v.started_at, p.date_of_birth) > interval '18 years 1 day')`,
      ),
      0,
    );
  });

  test('has a login for every role, and a patient and a doctor who know each other', async () => {
    for (const [role, { email, password }] of Object.entries(demonstrationLogins())) {
      const held = await number(
        `select count(*)
         from hospital_private.accounts as a
         join hospital_private.account_roles as r
           on r.account_id = a.id
         where a.email = '${email}'
           and r.role = '${role}'
           and a.password_hash = extensions.crypt('${password}', a.password_hash)
           and num_nonnulls(a.patient_id, a.staff_member_id) = 1`,
      );
      assert.equal(held, 1, role);
    }
    const meetings = await query(
      `select a.status, count(p.id), count(t.id)
       from hospital_private.accounts as patient
       join hospital_private.accounts as staff
         on staff.email = 'doctor@infirmary.example'
       join hospital.doctors as d
         on d.staff_member_id = staff.staff_member_id
       join hospital.appointments as a
         on a.patient_id = patient.patient_id
         and a.doctor_id = d.id
       left join hospital.visits as v
         on v.appointment_id = a.id
       left join hospital.prescriptions as p
         on p.visit_id = v.id
       left join hospital.treatments as t
         on t.visit_id = v.id
       where patient.email = 'patient@infirmary.example'
       group by 1`,
    );
    const found = new Map(meetings.map(([status, ...counts]) => [status, counts.map(Number)]));
    assert.ok(found.get('scheduled'));
    assert.ok(found.get('completed')?.every((count) => count >= 5));
  });

  test('is refused when it has data, and nothing changes', async () => {
    const before = await number('select count(*) from hospital.appointments');
    await assert.rejects(
      seed(database.url('hospital_owner'), options),
      (error: Failure) => /has data already/.test(error.message) && /--erase/.test(error.remedy ?? ''),
    );
    assert.equal(await number('select count(*) from hospital.appointments'), before);
  });

  test('is byte for byte the same after erasing and seeding again, and its numbers go on', async () => {
    const digest = async (): Promise<unknown[][]> => {
      // What the database fills in are keys, which are the same, and the moment of an override.
      const parts = tableNames.map((name) => {
        const text = `(to_jsonb(t) - 'granted_at')::text`;
        return `(select md5(string_agg(${text}, E'\\n' order by ${text})) from hospital.${name} as t)`;
      });
      return query(`select ${parts.join(', ')}`);
    };
    const first = await digest();
    assert.ok((await number('select ops.publish_aggregates()')) > 0);
    await seed(database.url('hospital_owner'), { ...options, erase: true });
    assert.deepEqual(await digest(), first);
    // Otherwise the numbers of a hospital that is gone would stand for ever.
    assert.equal(await number('select count(*) from masked.publications'), 0);
    const mrn = await query(
      `insert into hospital.patients (given_name, family_name, date_of_birth, sex)
       values ('New', 'Patient', '1990-01-01', 'unknown')
       returning id, mrn`,
    );
    assert.deepEqual(mrn, [['301', 'MR00000301']]);
  });
});
