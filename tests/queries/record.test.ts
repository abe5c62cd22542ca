import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { run } from '../../tools/commands/queries.ts';
import { ask, withClient } from '../../tools/database.ts';
import { findQuery } from '../../tools/queries/catalogue.ts';
import {
  assertOrder, compareText, dateOf, dayNumber, groupBy, type Hospital, instantOf, minutesOf, openHospital, percentile, type Row, sum, type Visit, weekdayOf,
} from './hospital.ts';

const day = 86_400_000;

/** What stands under a key of a document, as ->> shows it. */
function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? `[${value.map((each) => JSON.stringify(each)).join(', ')}]` : value;
}

interface Patient {
  mrn: string;
  person_id: string;
  given_name: string;
  family_name: string;
  date_of_birth: string;
  sex: string;
}

describe('what is asked of the record', { concurrency: 1 }, () => {
  let hospital: Hospital;
  let visits: Visit[];
  const checked = new Set<string>();

  before(async () => {
    hospital = await openHospital();
    visits = hospital.visits;
  });

  /** Asks a query, which must answer something, and checks the answer and the order it comes in. */
  function check(name: string, sentence: string, look: (answer: Row[]) => Promise<void> | void, order: string[] = []): void {
    checked.add(name);
    test(`${name}: ${sentence}`, async () => {
      const answer = await hospital.answer(name);
      assert.ok(answer.length > 0, 'It answers nothing.');
      await look(answer);
      assertOrder(answer, order);
    });
  }

  /** The rows of a table, or of a select, by their key. */
  async function byKey<Kind = Row>(sql: string): Promise<Map<string, Kind>> {
    const rows = await hospital.rows<Kind & { id: string }>(sql);
    return new Map(rows.map((row) => [row.id, row]));
  }
  const doctors = (): Promise<Map<string, { name: string; specialization: string; department: string }>> =>
    byKey(`select d.id, m.given_name || ' ' || m.family_name as name, d.specialization, m.department_id as department
      from hospital.doctors as d join hospital.staff_members as m on m.id = d.staff_member_id`);
  const departments = (): Promise<Map<string, { name: string; facility: string; parent: string | null; facilityId: string }>> =>
    byKey(`select d.id, d.name, f.name as facility, d.parent_id as parent, f.id as "facilityId"
      from hospital.departments as d join hospital.facilities as f on f.id = d.facility_id`);
  const notInError = (): Set<string> => new Set(visits.map(({ id }) => id));
  const patients = (): Promise<Map<string, Patient & { deceased_on: string | null; deactivated_at: string | null }>> =>
    byKey('select p.* from hospital.patients as p');

  check('status-by-department', 'equals a count of every appointment by hand', async (answer) => {
    const places = await departments();
    const appointments = await hospital.rows<{ department_id: string; status: string }>(
      'select department_id, status from hospital.appointments',
    );
    const expected = [...groupBy(appointments, (a) => a.department_id)].map(([id, booked]) => {
      const of = (...wanted: string[]): number => booked.filter(({ status }) => wanted.includes(status)).length;
      const { name, facility } = places.get(id)!;
      const [completed, missed] = [of('completed'), of('no_show')];
      return {
        department: name,
        facility,
        booked: String(booked.length),
        completed: String(completed),
        cancelled: String(of('cancelled')),
        missed: String(missed),
        still_to_come: String(of('held', 'scheduled', 'checked_in', 'in_progress')),
        missed_percent: completed + missed === 0 ? null : ((100 * missed) / (completed + missed)).toFixed(1),
      };
    });
    const sorted = (rows: Row[]): Row[] =>
      rows.sort((a, b) => compareText(`${a.facility}/${a.department}`, `${b.facility}/${b.department}`));
    const rounded = ({ missed_percent, ...row }: Row): Row => ({ ...row, missed_percent: missed_percent === null ? null : Math.round(Number(missed_percent)) });
    const columns = ['completed', 'cancelled', 'missed', 'still_to_come'];
    for (const row of answer) assert.equal(sum(columns.map((column) => Number(row[column]))), Number(row.booked));
    assert.deepEqual(sorted(answer.map(rounded)), sorted(expected.map(rounded)));
  }, ['-booked']);

  check('last-visit', 'has each patient once, with the newest of the visits', async (answer) => {
    const [people, staff] = [await patients(), await doctors()];
    const newest = new Map<string, Visit>();
    // They come in the order of time.
    for (const visit of visits) newest.set(visit.patientId, visit);
    const expected = [...newest.values()]
      .map((visit) => ({ visit, patient: people.get(visit.patientId)! }))
      .sort(
        (a, b) =>
          compareText(a.patient.family_name, b.patient.family_name) ||
          compareText(a.patient.given_name, b.patient.given_name) ||
          compareText(a.patient.mrn, b.patient.mrn),
      )
      .map(({ visit, patient }) => [patient.mrn, visit.startedAt, staff.get(visit.doctorId)!.name, visit.diagnosis]);
    assert.deepEqual(
      answer.map((row) => [row.mrn, instantOf(row.last_seen_at), row.doctor, row.diagnosis]),
      expected,
    );
  });

  check('lost-to-follow-up', 'names those with a lasting condition whom nobody has seen or expects', async (answer) => {
    const since = new Date(Math.max(...(await hospital.rows<{ at: string }>('select started_at as at from hospital.visits')).map(({ at }) => instantOf(at))));
    since.setUTCMonth(since.getUTCMonth() - 6);
    const conditions = await hospital.rows<{ patient_id: string; abated_on: string | null; voided_at: string | null }>(
      'select patient_id, abated_on, voided_at from hospital.patient_conditions',
    );
    const ill = new Set(conditions.filter((c) => !c.abated_on && !c.voided_at).map((c) => c.patient_id));
    const expecting = new Set(
      (await hospital.rows<{ patient_id: string; status: string }>('select patient_id, status from hospital.appointments'))
        .filter(({ status }) => ['held', 'scheduled', 'checked_in', 'in_progress'].includes(status))
        .map(({ patient_id }) => patient_id),
    );
    const seen = new Set(visits.filter(({ startedAt }) => startedAt >= since.getTime()).map(({ patientId }) => patientId));
    const expected = [...(await patients())]
      .filter(([id, p]) => ill.has(id) && !seen.has(id) && !expecting.has(id) && !p.deceased_on && !p.deactivated_at)
      .map(([, p]) => p.mrn);
    assert.deepEqual(answer.map(({ mrn }) => mrn).sort(), expected.sort());
    assert.ok([...(await patients())].some(([id, p]) => p.deactivated_at && ill.has(id) && !seen.has(id)), 'No record was closed.');
    for (const { lasting_conditions } of answer) assert.ok(String(lasting_conditions).length > 3);
  });

  check('complete-diabetes-care', 'counts for each what was done within the year and names the rest', async (answer) => {
    const due = ['Blood pressure check', 'Foot examination', 'Hemoglobin A1c test', 'Lipid panel'];
    const treatments = await hospital.rows<{ visit_id: string; patient_id: string; type: string; started_at: string; voided_at: string | null }>(
      'select visit_id, patient_id, type, started_at, voided_at from hospital.treatments',
    );
    const since = new Date(Math.max(...treatments.map(({ started_at }) => instantOf(started_at))));
    since.setUTCFullYear(since.getUTCFullYear() - 1);
    const diabetic = new Set(
      (
        await hospital.rows<{ patient_id: string }>(
          `select c.patient_id from hospital.patient_conditions as c, hospital.diagnosis_codes as k
           where k.id = c.diagnosis_code_id and k.code ~ '^E11' and c.abated_on is null and c.voided_at is null`,
        )
      ).map(({ patient_id }) => patient_id),
    );
    const [people, right] = [await patients(), notInError()];
    const expected = [...diabetic].map((id) => {
      const done = new Set(
        treatments
          .filter((t) => t.patient_id === id && right.has(t.visit_id) && !t.voided_at && instantOf(t.started_at) >= since.getTime())
          .map(({ type }) => type),
      );
      const missing = due.filter((type) => !done.has(type));
      return [people.get(id)!.mrn, 4 - missing.length, missing.length === 0, missing.join(', ') || null];
    });
    const order = (a: unknown[], b: unknown[]): number => compareText(String(a[0]), String(b[0]));
    assert.deepEqual(answer.map((r) => [r.mrn, Number(r.done), r.is_complete, r.missing]).sort(order), expected.sort(order));
    assert.ok(new Set(answer.map(({ done }) => done)).size > 1);
  }, ['-done', 'mrn']);

  check('top-medications-of-a-diagnosis', 'has ten diagnoses with their three commonest medicines', async (answer) => {
    const written = groupBy(
      await hospital.rows<{ visit_id: string; medication_id: string }>('select visit_id, medication_id from hospital.prescriptions'),
      ({ visit_id }) => visit_id,
    );
    const principal = visits.filter(({ codeId }) => codeId !== null);
    const names = await byKey<{ name: string }>('select id, name from hospital.medications');
    const expected = [...groupBy(principal, ({ codeId }) => codeId!).values()]
      .sort((a, b) => b.length - a.length || Number(a[0]!.codeId) - Number(b[0]!.codeId))
      .slice(0, 10)
      .flatMap((group) => {
        const counts = groupBy(
          group.flatMap(({ id }) => written.get(id) ?? []),
          ({ medication_id }) => medication_id,
        );
        const top = [...counts]
          .map(([id, list]) => ({ id, count: list.length }))
          .sort((a, b) => b.count - a.count || Number(a.id) - Number(b.id))
          .slice(0, 3);
        const head = [group[0]!.code, String(group.length)];
        return top.length === 0 ? [[...head, null, null]] : top.map(({ id, count }) => [...head, names.get(id)!.name, String(count)]);
      });
    const order = (a: unknown[], b: unknown[]): number => compareText(a.join('|'), b.join('|'));
    assert.deepEqual(
      answer.map((row) => [row.code, row.visits, row.medication, row.prescriptions]).sort(order),
      expected.sort(order),
    );
    assert.equal(new Set(answer.map(({ code }) => code)).size, 10);
  }, ['-visits', 'code', '-prescriptions', 'medication']);

  check('next-page-of-patients', 'is the third twenty of the whole list', async (answer) => {
    const list = [...(await patients()).entries()].sort(
      ([one, a], [other, b]) =>
        compareText(a.family_name, b.family_name) || compareText(a.given_name, b.given_name) || Number(one) - Number(other),
    );
    assert.deepEqual(
      answer.map(({ mrn }) => mrn),
      list.slice(40, 60).map(([, { mrn }]) => mrn),
    );
  });

  check('visits-on-every-day', 'has every day up to the last, and all visits of them', (answer) => {
    const counts = groupBy(visits, ({ local }) => local.day);
    const last = [...counts.keys()].sort().at(-1)!;
    const first = `${last.slice(0, 5)}${String(Math.floor((Number(last.slice(5, 7)) - 1) / 3) * 3 + 1).padStart(2, '0')}-01`;
    const expected = Array.from({ length: dayNumber(last) - dayNumber(first) + 1 }, (_, place) => {
      const date = dateOf(dayNumber(first) + place);
      const count = counts.get(date)?.length ?? 0;
      return { day: date, weekday: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][weekdayOf(date) - 1], visits: String(count), is_empty: count === 0 };
    });
    assert.deepEqual(answer, expected);
    assert.ok(answer.some(({ is_empty }) => is_empty));
  });

  check('persons-not-records', 'counts visits, records and people, who are fewer where some were merged', async (answer) => {
    const places = await departments();
    const expected = [...groupBy(visits, ({ departmentId }) => departmentId)].map(([id, list]) => {
      const records = new Set(list.map(({ patientId }) => patientId)).size;
      const people = new Set(list.map(({ personId }) => personId)).size;
      return [places.get(id)!.facility, places.get(id)!.name, list.length, records, people, records - people];
    });
    const order = (a: unknown[], b: unknown[]): number => compareText(`${a[0]}/${a[1]}`, `${b[0]}/${b[1]}`);
    assert.deepEqual(
      answer.map((r) => [r.facility, r.department, ...[r.visits, r.records, r.people, r.counted_twice].map(Number)]).sort(order),
      expected.sort(order),
    );
    assert.ok(new Set(visits.map((v) => v.patientId)).size > new Set(visits.map((v) => v.personId)).size, 'Nobody was merged.');
  }, ['-counted_twice', '-people']);

  check('busiest-doctors', 'ranks by counting who has more', async (answer) => {
    const [staff, places] = [await doctors(), await departments()];
    const counts = [...groupBy(visits, ({ doctorId }) => doctorId)].map(([id, list]) => ({ ...staff.get(id)!, visits: list.length }));
    const expected = [...groupBy(counts, ({ department }) => department)].flatMap(([id, group]) =>
      group
        .map((own) => {
          const more = group.filter((other) => other.visits > own.visits);
          return [
            places.get(id)!.name, more.length + 1, new Set(more.map((other) => other.visits)).size + 1, own.name, own.visits,
            Math.round((1000 * own.visits) / sum(group.map((each) => each.visits))) / 10,
          ];
        })
        .filter(([, place]) => Number(place) <= 3),
    );
    const order = (a: unknown[], b: unknown[]): number => compareText(JSON.stringify(a), JSON.stringify(b));
    assert.deepEqual(
      answer.map((r) => [r.department, Number(r.place), Number(r.dense_place), r.doctor, Number(r.visits), Number(r.percent_of_department)]).sort(order),
      expected.sort(order),
    );
  }, ['department']);

  check('time-between-visits', 'has the means and medians of the days between', (answer) => {
    const returns: { code: string; days: number }[] = [];
    for (const list of groupBy(visits, ({ personId }) => personId).values()) {
      for (let n = 1; n < list.length; n++) {
        const { code, startedAt } = list[n]!;
        if (code) returns.push({ code, days: (startedAt - list[n - 1]!.startedAt) / day });
      }
    }
    const expected = new Map([...groupBy(returns, ({ code }) => code)].filter(([, list]) => list.length >= 10));
    assert.deepEqual(answer.map(({ code }) => code).sort(), [...expected.keys()].sort());
    for (const row of answer) {
      const days = expected.get(String(row.code))!.map((each) => each.days);
      assert.equal(Number(row.returns), days.length);
      assert.ok(Math.abs(Number(row.mean_days) - sum(days) / days.length) < 0.06, String(row.code));
      assert.ok(Math.abs(Number(row.median_days) - percentile(days, 0.5)) < 0.06, String(row.code));
      const rounded = groupBy(days, (each) => String(Math.round(each)));
      const most = Math.max(...[...rounded.values()].map((list) => list.length));
      assert.equal(rounded.get(String(Number(row.commonest_days)))?.length, most, String(row.code));
    }
    const medians = answer.map(({ median_days }) => Number(median_days));
    assert.deepEqual(medians, [...medians].sort((a, b) => a - b));
  }, ['median_days', 'code']);

  check('against-the-colleagues', 'leaves each doctor out of the mean of the others', async (answer) => {
    const staff = await doctors();
    const finished = visits.filter(({ endedAt }) => endedAt !== null);
    const minutes = (list: Visit[]): number => sum(list.map((v) => (v.endedAt! - v.startedAt) / 60_000));
    const expected = [...groupBy(finished, ({ doctorId }) => doctorId)].map(([id, own]) => {
      const { specialization, name } = staff.get(id)!;
      const others = finished.filter((v) => v.doctorId !== id && staff.get(v.doctorId)!.specialization === specialization);
      const mean = minutes(own) / own.length;
      const theirs = others.length === 0 ? null : minutes(others) / others.length;
      return [specialization, name, own.length, mean, theirs, theirs === null ? null : mean - theirs] as const;
    });
    const order = (a: readonly unknown[], b: readonly unknown[]): number => compareText(`${a[0]}/${a[1]}/${a[2]}`, `${b[0]}/${b[1]}/${b[2]}`);
    const found = answer
      .map((r) => [r.specialization, r.doctor, Number(r.visits), r.own_minutes, r.colleagues_minutes, r.difference] as const)
      .sort(order);
    assert.equal(found.length, expected.length);
    for (const [n, row] of expected.sort(order).entries()) {
      assert.deepEqual(found[n]!.slice(0, 3), row.slice(0, 3));
      for (const column of [3, 4, 5] as const) {
        if (row[column] === null) assert.equal(found[n]![column], null);
        else assert.ok(Math.abs(Number(found[n]![column]) - row[column]) < 0.06, `${row[1]}: ${found[n]![column]} for ${row[column]}`);
      }
    }
    assert.ok(answer.some(({ colleagues_minutes }) => colleagues_minutes === null));
  }, ['-difference']);

  check('first-and-last-blood-pressure', 'takes the first and the last reading of each, in time', async (answer) => {
    const people = await patients();
    const records = new Set(visits.map(({ recordUuid }) => recordUuid));
    const notes = await hospital.rows<Row & { body: Record<string, string> }>('select * from hospital.clinical_notes order by created_at, id');
    const hypertensive = new Set(
      (
        await hospital.rows<{ patient_id: string }>(
          `select d.patient_id from hospital.visit_diagnoses as d, hospital.diagnosis_codes as c
           where c.id = d.diagnosis_code_id and c.code = 'I10' and d.voided_at is null
             and not exists (select from hospital.visits as v where v.id = d.visit_id and v.voided_at is not null)`,
        )
      ).map(({ patient_id }) => people.get(patient_id)!.person_id),
    );
    const readings = notes
      .filter((n) => n.note_type === 'progress_note' && n.signed_at && !n.voided_at && records.has(String(n.record_uuid)))
      .flatMap((n) => {
        const found = /BP (\d+)\/(\d+)/.exec(n.body.objective ?? '');
        return found ? [{ person: people.get(String(n.patient_id))!.person_id, systolic: Number(found[1]), diastolic: Number(found[2]) }] : [];
      });
    const expected = [...groupBy(readings, ({ person }) => person)]
      .filter(([person, list]) => list.length > 1 && hypertensive.has(person))
      .map(([person, list]) => {
        const [first, last] = [list[0]!, list.at(-1)!];
        return [people.get(person)!.mrn, list.length, `${first.systolic}/${first.diastolic}`, `${last.systolic}/${last.diastolic}`, last.systolic - first.systolic];
      });
    const order = (a: unknown[], b: unknown[]): number => compareText(String(a[0]), String(b[0]));
    assert.deepEqual(
      answer.map((r) => [r.mrn, Number(r.readings), r.first_reading, r.last_reading, Number(r.systolic_change)]).sort(order),
      expected.sort(order),
    );
  }, ['systolic_change', 'mrn']);

  /** The organisation as a walk from the top shows it. */
  async function chart(): Promise<unknown[][]> {
    const staff = await hospital.rows<Row & { id: string; manager_id: string | null }>(
      `select m.*, j.name as job_name, d.name as department from hospital.staff_members as m
       join hospital.jobs as j on j.code = m.job join hospital.departments as d on d.id = m.department_id where m.left_on is null`,
    );
    const below = groupBy(staff, ({ manager_id }) => String(manager_id));
    const key = (m: Row): string => `${m.family_name} ${m.given_name} ${m.id}`;
    const count = (id: string): number => sum((below.get(id) ?? []).map((m) => 1 + count(m.id)));
    const walk = (id: string, level: number): unknown[][] =>
      (below.get(id) ?? [])
        .sort((a, b) => compareText(key(a), key(b)))
        .flatMap((m) => {
          const direct = below.get(m.id)?.length ?? 0;
          if (direct === 0) return [];
          const own = ['. '.repeat(level) + `${m.given_name} ${m.family_name}`, m.job_name, m.department, direct, count(m.id), false];
          return [own, ...walk(m.id, level + 1)];
        });
    return walk('null', 0);
  }
  const drawn = (rows: Row[]): unknown[][] =>
    rows.map((r) => [r.leader, r.job, r.department, Number(r.direct), Number(r.all_below), r.is_circular]);

  check('organisation-chart', 'lists everybody beneath his superior, as a walk from the top does', async (answer) => {
    assert.deepEqual(drawn(answer), await chart());
    assert.ok(answer.some(({ leader }) => String(leader).startsWith('. . . ')));
  });

  test('organisation-chart: a circle of managers is told and not followed for ever', async () => {
    const owner = hospital.database.url('hospital_owner');
    const ring = `select m.id from hospital.staff_members as m where not exists (
      select from hospital.staff_members as s where s.manager_id = m.id) and m.job = 'nurse' order by m.id limit 2`;
    const [one, other] = (await hospital.rows<{ id: string; manager_id: string }>(
      `select m.id, m.manager_id from hospital.staff_members as m where m.id in (${ring}) order by m.id`,
    )) as [{ id: string; manager_id: string }, { id: string; manager_id: string }];
    const lead = (id: string, manager: string): Promise<unknown> =>
      withClient(owner, (client) => ask(client, 'update hospital.staff_members set manager_id = $2 where id = $1', [id, manager]));
    await lead(one.id, other.id);
    await lead(other.id, one.id);
    try {
      const circular = (await hospital.answer('organisation-chart')).filter(({ is_circular }) => is_circular);
      assert.equal(circular.length, 2);
      for (const row of circular) assert.deepEqual([row.direct, row.all_below], ['1', '1']);
    } finally {
      await lead(one.id, one.manager_id);
      await lead(other.id, other.manager_id);
    }
  });

  check('department-tree', 'is the tree as one walks it, with the visits of all beneath added up', async (answer) => {
    const places = await departments();
    const own = groupBy(visits, ({ departmentId }) => departmentId);
    const below = groupBy(places, ([, { parent, facilityId }]) => parent ?? `facility ${facilityId}`);
    const total = (id: string): number => (own.get(id)?.length ?? 0) + sum((below.get(id) ?? []).map(([each]) => total(each)));
    const walk = (of: string, level: number): unknown[][] =>
      (below.get(of) ?? [])
        .sort(([, a], [, b]) => compareText(a.name, b.name))
        .flatMap(([id, { facility, name }]) => [
          [facility, '. '.repeat(level) + name, own.get(id)?.length ?? 0, total(id)],
          ...walk(id, level + 1),
        ]);
    const facilities = [...new Set([...places.values()].map(({ facilityId }) => Number(facilityId)))].sort((a, b) => a - b);
    assert.deepEqual(
      answer.map((r) => [r.facility, r.department, Number(r.own_visits), Number(r.visits_with_all_beneath)]),
      facilities.flatMap((id) => walk(`facility ${id}`, 0)),
    );
    assert.ok(answer.some((r) => r.own_visits === '0' && r.visits_with_all_beneath !== '0'));
  });

  check('follow-up-timeline', 'has the episodes that one finds turning the pages', async (answer) => {
    const staff = await doctors();
    const coded = visits.filter(({ category }) => category !== null);
    const [[often]] = [...groupBy(coded, ({ personId, category }) => `${personId}/${category}`)].sort(
      ([a, x], [b, y]) => y.length - x.length || Number(a.split('/')[0]) - Number(b.split('/')[0]),
    ) as [[string, Visit[]]];
    const own = coded.filter(({ personId }) => personId === often.split('/')[0]);
    // In time: a visit joins the open episode of its category, or begins another.
    const episodes: Visit[][] = [];
    const open = new Map<string, Visit[]>();
    for (const visit of own) {
      const current = open.get(visit.category!);
      if (current && visit.startedAt - current.at(-1)!.startedAt <= 90 * day) current.push(visit);
      else {
        episodes.push([visit]);
        open.set(visit.category!, episodes.at(-1)!);
      }
    }
    const expected = episodes.flatMap((list, number) =>
      list.map((visit, place) => [
        number + 1, place + 1, list.length, visit.startedAt, visit.category, visit.diagnosis, staff.get(visit.doctorId)!.name,
        place === 0 ? null : Math.floor((visit.startedAt - list[place - 1]!.startedAt) / day),
      ]),
    );
    assert.deepEqual(
      answer.map((r) => [
        Number(r.episode), Number(r.step), Number(r.visits), instantOf(r.started_at), r.category, r.diagnosis, r.doctor,
        r.days_after === null ? null : Number(r.days_after),
      ]),
      expected,
    );
    assert.ok(answer.some(({ step }) => Number(step) >= 3), 'Nothing was followed up twice.');
  });

  check('working-streaks', 'has the longest runs of days that a loop over them finds', async (answer) => {
    const staff = await doctors();
    const runs: [string, string, string, number][] = [];
    for (const [id, list] of groupBy(visits, ({ doctorId }) => doctorId)) {
      const days = [...new Set(list.map(({ local }) => dayNumber(local.day)))].sort((a, b) => a - b);
      let first = days[0]!;
      for (const [n, each] of days.entries()) {
        if (days[n + 1] === each + 1) continue;
        runs.push([staff.get(id)!.name, dateOf(first), dateOf(each), each - first + 1]);
        first = days[n + 1]!;
      }
    }
    const least = runs.map(([, , , length]) => length).sort((a, b) => b - a)[14]!;
    const order = (a: unknown[], b: unknown[]): number => compareText(JSON.stringify(a), JSON.stringify(b));
    assert.deepEqual(
      answer.map((r) => [r.doctor, r.first_day, r.last_day, Number(r.days)]).sort(order),
      runs.filter(([, , , length]) => length >= least).sort(order),
    );
    assert.ok(least > 1 && answer.length >= 15);
  }, ['-days', 'first_day']);

  check('interrupted-treatment', 'finds the days that no course covers, day by day', async (answer) => {
    const people = await patients();
    const names = await byKey<{ name: string }>('select id, name from hospital.medications');
    const right = notInError();
    const courses = (await hospital.rows('select * from hospital.prescriptions where duration_days >= 30')).flatMap((p) => {
      if (!right.has(String(p.visit_id))) return [];
      const stop = p.stopped_at === null ? Infinity : dayNumber(String(p.stopped_at).slice(0, 10));
      return [{ key: `${p.patient_id}/${p.medication_id}`, first: dayNumber(String(p.start_date)), last: Math.min(dayNumber(String(p.end_date)), stop) }];
    });
    const expected = [...groupBy(courses.filter(({ first, last }) => last >= first), ({ key }) => key)].flatMap(([key, list]) => {
      const covered = new Set<number>();
      for (const { first, last } of list) for (let each = first; each <= last; each++) covered.add(each);
      const [first, last] = [Math.min(...covered), Math.max(...covered)];
      const days = last - first + 1;
      const [patient, medication] = key.split('/') as [string, string];
      if (days < 90 || covered.size === days) return [];
      return [[people.get(patient)!.mrn, names.get(medication)!.name, list.length, dateOf(first), dateOf(last), days - covered.size, ((100 * covered.size) / days).toFixed(1)]];
    });
    const order = (a: unknown[], b: unknown[]): number => compareText(`${a[0]}/${a[1]}`, `${b[0]}/${b[1]}`);
    const found = answer.map((r) => [r.mrn, r.medication, Number(r.courses), r.first_day, r.last_day, Number(r.days_missing), r.percent_covered]);
    assert.deepEqual(found.map((row) => row.slice(0, 6)).sort(order), expected.map((row) => row.slice(0, 6)).sort(order));
    const shares = answer.map(({ percent_covered }) => Number(percent_covered));
    assert.deepEqual(shares, [...shares].sort((a, b) => a - b));
    assert.ok(Math.abs(sum(shares) - sum(expected.map((row) => Number(row[6])))) < 0.1 * shares.length);
  }, ['percent_covered', 'mrn', 'medication']);

  check('prescribed-twice', 'finds every pair of courses that share a day', async (answer) => {
    const people = await patients();
    const names = await byKey<{ name: string }>('select id, name from hospital.medications');
    const right = notInError();
    const courses = (
      await hospital.rows('select * from hospital.prescriptions where stopped_at is null and end_date is not null order by id')
    ).filter(({ visit_id }) => right.has(String(visit_id)));
    const expected: unknown[][] = [];
    for (const list of groupBy(courses, (c) => `${people.get(String(c.patient_id))!.person_id}/${c.medication_id}`).values()) {
      for (const [n, a] of list.entries()) {
        for (const b of list.slice(n + 1)) {
          const first = [a.start_date, b.start_date].map(String).sort().at(-1)!;
          const last = [a.end_date, b.end_date].map(String).sort()[0]!;
          if (first > last) continue;
          const person = people.get(people.get(String(a.patient_id))!.person_id)!;
          expected.push([
            person.mrn, names.get(String(a.medication_id))!.name, first, last, dayNumber(last) - dayNumber(first) + 1, a.prescribed_by === b.prescribed_by,
          ]);
        }
      }
    }
    const order = (a: unknown[], b: unknown[]): number => compareText(JSON.stringify(a), JSON.stringify(b));
    assert.deepEqual(
      answer.map((r) => [r.mrn, r.medication, r.from_day, r.until_day, Number(r.days_at_once), r.by_the_same_doctor]).sort(order),
      expected.sort(order),
    );
  }, ['-days_at_once', 'mrn']);

  type Stretch = { doctor: string; starts: number; ends: number };

  /** When each doctor works, as the one definition of it says, asked doctor by doctor. */
  async function shifts(from: number, until: number): Promise<Map<string, Stretch[]>> {
    const [start, end] = [from, until].map((at) => new Date(at).toISOString());
    const found = await hospital.rows<Stretch>(
      `select d.id as doctor, extract(epoch from s.starts_at)::float8 * 1000 as starts, extract(epoch from s.ends_at)::float8 * 1000 as ends
       from hospital.doctors as d
       cross join lateral hospital_private.working_shifts(array[d.id], tstzrange('${start}', '${end}')) as s`,
    );
    return groupBy(found, ({ doctor }) => doctor);
  }
  interface Span { doctor_id: string; status: string; starts: number; ends: number }
  const spans = (): Promise<Span[]> =>
    hospital.rows(`select doctor_id, status, extract(epoch from lower(busy))::float8 * 1000 as starts,
      extract(epoch from upper(busy))::float8 * 1000 as ends from hospital.appointments order by lower(busy), upper(busy)`);
  const newest = async (): Promise<number> =>
    Math.max(...(await hospital.rows<{ at: string }>('select started_at as at from hospital.visits')).map(({ at }) => instantOf(at)));
  const threeMonthsBefore = (at: number): number => {
    const date = new Date(at);
    return date.setUTCMonth(date.getUTCMonth() - 3);
  };

  check('idle-gaps', 'adds up what lies between the patients of a shift', async (answer) => {
    const until = await newest();
    const from = threeMonthsBefore(until);
    const kept = groupBy((await spans()).filter(({ status }) => status === 'completed'), ({ doctor_id }) => doctor_id);
    const [staff, worked] = [await doctors(), await shifts(from, until + 1)];
    const expected: [string, number, number, number, number][] = [];
    for (const [id, { name }] of staff) {
      for (const shift of worked.get(id) ?? []) {
        const inside = (kept.get(id) ?? []).filter(({ starts, ends }) => starts >= shift.starts && ends <= shift.ends);
        const gaps: number[] = [];
        let free = Infinity;
        for (const { starts, ends } of inside) {
          if (starts - free >= 15 * 60_000) gaps.push((starts - free) / 60_000);
          free = free === Infinity ? ends : Math.max(free, ends);
        }
        if (gaps.length > 0) expected.push([name, shift.starts, gaps.length, Math.max(...gaps), sum(gaps)]);
      }
    }
    const longest = expected.map(([, , , , all]) => all).sort((a, b) => b - a).slice(0, 25);
    const found = answer.map((r) => [r.doctor, instantOf(r.shift_began_at), Number(r.gaps), minutesOf(r.longest_gap), minutesOf(r.idle_in_all)]);
    assert.deepEqual(found.map((row) => row[4]), longest);
    const known = new Set(expected.map((row) => JSON.stringify(row)));
    for (const row of found) assert.ok(known.has(JSON.stringify(row)), JSON.stringify(row));
  });

  check('most-at-once', 'finds the moment with most consultations, trying each', async (answer) => {
    const places = await departments();
    const zones = new Map((await hospital.rows<{ name: string; time_zone: string }>('select name, time_zone from hospital.facilities')).map((f) => [f.name, f.time_zone]));
    const expected = [...groupBy(visits.filter((v) => v.endedAt! > v.startedAt), (v) => places.get(v.departmentId)!.facility)].map(([facility, list]) => {
      let [most, at] = [0, 0];
      for (const { startedAt: moment } of list) {
        const there = list.filter((v) => v.startedAt <= moment && v.endedAt! > moment).length;
        if (there > most) [most, at] = [there, moment];
      }
      const local = new Intl.DateTimeFormat('sv-SE', { timeZone: zones.get(facility)!, dateStyle: 'short', timeStyle: 'medium' }).format(at);
      return [facility, most, local];
    });
    const order = (a: unknown[], b: unknown[]): number => compareText(String(a[0]), String(b[0]));
    assert.deepEqual(answer.map((r) => [r.facility, Number(r.most_at_once), r.first_at]).sort(order), expected.sort(order));
    assert.ok(answer.some(({ most_at_once }) => Number(most_at_once) >= 2));
  });

  check('free-next-week', 'agrees with the free time that the booking rules know, doctor by doctor', async (answer) => {
    const from = new Date(await newest()).toISOString();
    const until = new Date(Date.parse(from) + 7 * day).toISOString();
    const expected = await hospital.rows<Row>(
      `select m.given_name || ' ' || m.family_name as doctor, lower(f.span) at time zone 'America/New_York' as free_from,
         upper(f.span) at time zone 'America/New_York' as free_until
       from hospital.doctors as d
       join hospital.staff_members as m on m.id = d.staff_member_id
       cross join unnest(hospital_private.available_time(d.id, tstzrange('${from}', '${until}'))) as f (span)
       where upper(f.span) - lower(f.span) >= interval '1 hour'`,
    );
    const order = (a: Row, b: Row): number => compareText(JSON.stringify(a), JSON.stringify(b));
    assert.deepEqual(
      answer.map(({ doctor, free_from, free_until }) => ({ doctor, free_from, free_until })).sort(order),
      expected.sort(order),
    );
    for (const { free_from, free_until, duration } of answer) {
      // Over the change of the clocks the wall shows an hour less or more than has passed.
      const shown = (Date.parse(`${free_until}Z`) - Date.parse(`${free_from}Z`)) / 60_000;
      assert.ok(Math.abs(shown - minutesOf(duration)) <= 60);
    }
  }, ['specialization']);

  check('utilisation', 'counts the minutes worked and the minutes with patients one by one', async (answer) => {
    const until = await newest();
    const from = threeMonthsBefore(until);
    const completed = groupBy((await spans()).filter(({ status }) => status === 'completed'), ({ doctor_id }) => doctor_id);
    const [staff, hours] = [await doctors(), await shifts(from, until)];
    const found = new Map<string, { doctors: number; worked: number; used: number; outside: number }>();
    for (const [id, { specialization }] of staff) {
      const minutesIn = (list: { starts: number; ends: number }[]): Set<number> => {
        const minutes = new Set<number>();
        for (const { starts, ends } of list)
          for (let at = Math.max(starts, from); at < Math.min(ends, until); at += 60_000) minutes.add(at);
        return minutes;
      };
      const worked = minutesIn(hours.get(id) ?? []);
      if (worked.size === 0) continue;
      const busy = minutesIn(completed.get(id) ?? []);
      const total = found.get(specialization) ?? { doctors: 0, worked: 0, used: 0, outside: 0 };
      const used = [...busy].filter((at) => worked.has(at)).length;
      found.set(specialization, {
        doctors: total.doctors + 1,
        worked: total.worked + worked.size,
        used: total.used + used,
        outside: total.outside + busy.size - used,
      });
    }
    assert.equal(answer.length, found.size);
    for (const row of answer) {
      const expected = found.get(String(row.specialization))!;
      assert.equal(Number(row.doctors), expected.doctors);
      assert.ok(Math.abs(Number(row.hours_worked) - expected.worked / 60) <= 0.5, JSON.stringify([row, expected]));
      assert.ok(Math.abs(Number(row.hours_with_patients) - expected.used / 60) <= 0.051, JSON.stringify([row, expected]));
      assert.ok(Math.abs(Number(row.hours_outside) - expected.outside / 60) <= 0.051, JSON.stringify([row, expected]));
      assert.ok(Math.abs(Number(row.percent_used) - (100 * expected.used) / expected.worked) <= 0.051);
    }
  }, ['-percent_used', 'specialization']);

  check('late-starts', 'puts every visit into one of fourteen buckets', (answer) => {
    const late = visits.map(({ startedAt, plannedAt }) => (startedAt - plannedAt) / 60_000);
    const counts = answer.map((_, bucket) =>
      late.filter((minutes) =>
        bucket === 0 ? minutes < 0 : bucket === 13 ? minutes >= 60 : minutes >= (bucket - 1) * 5 && minutes < bucket * 5,
      ).length,
    );
    assert.equal(answer.length, 14);
    assert.deepEqual(answer.map((row) => Number(row.visits)), counts);
    let soFar = 0;
    for (const [n, row] of answer.entries()) {
      soFar += counts[n]!;
      assert.equal(row.minutes_late, n === 0 ? 'before its time' : n === 13 ? '60 and more' : `${(n - 1) * 5} to ${n * 5}`);
      assert.ok(Math.abs(Number(row.percent) - (100 * counts[n]!) / late.length) < 0.06);
      assert.ok(Math.abs(Number(row.percent_so_far ?? 0) - (100 * soFar) / late.length) < 0.06);
      assert.equal(String(row.bar).length, Math.round((40 * counts[n]!) / Math.max(...counts)));
    }
  });

  check('standards-of-punctuality', 'compares each kind with the minutes and the share it should keep', async (answer) => {
    const names = await byKey<{ name: string; code: string }>('select id, name, code from hospital.appointment_types');
    const standards = { consultation: [15, 90], new_patient: [15, 90], follow_up: [10, 80], physical: [20, 95], procedure: [20, 95], telehealth: [5, 95] };
    const asked = answer.map((row) => [[...names.values()].find(({ name }) => name === row.appointment_type)!.code, [row.within_minutes, row.percent_due]]);
    assert.deepEqual(Object.fromEntries(asked), standards);
    for (const row of answer) {
      const { code } = [...names.values()].find(({ name }) => name === row.appointment_type)!;
      const late = visits.filter(({ type }) => type === code).map(({ startedAt, plannedAt }) => (startedAt - plannedAt) / 60_000);
      const kept = (100 * late.filter((minutes) => minutes <= Number(row.within_minutes)).length) / late.length;
      assert.equal(Number(row.visits), late.length);
      assert.ok(Math.abs(Number(row.percent_kept) - kept) < 0.06);
      assert.equal(row.is_kept, Number(row.percent_kept) >= Number(row.percent_due));
      for (const [column, share] of [['median_minutes', 0.5], ['ninetieth_percentile', 0.9], ['ninety_ninth_percentile', 0.99]] as const) {
        assert.ok(Math.abs(Number(row[column]) - percentile(late, share)) < 0.06, `${code} ${column}`);
      }
    }
    assert.deepEqual(new Set(answer.map(({ is_kept }) => is_kept)), new Set([true, false]));
  });

  check('heat-map', 'has each visit at the hour that the clock on the wall showed, wherever one asks from', async (answer) => {
    const names = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
    const expected = Array.from({ length: 24 }, (_, hour) => {
      const then = visits.filter(({ local }) => local.hour === hour);
      const cells = names.map((name, place) => [name, String(then.filter(({ local }) => weekdayOf(local.day) === place + 1).length)]);
      return { hour: `${String(hour).padStart(2, '0')}:00`, ...Object.fromEntries(cells), visits: String(then.length) };
    });
    assert.deepEqual(answer, expected);
    // Both sides of a change of the clocks are in the data, so that an offset would show.
    assert.ok(new Set(visits.map((v) => (((v.local.hour * 60 + v.local.minute) * 60_000 - (v.startedAt % day)) / 3_600_000 + 48) % 24)).size === 2);
    for (const zone of ['Asia/Kolkata', 'America/Los_Angeles']) {
      const asked = await withClient(hospital.database.url('hospital_owner'), async (client) => {
        await client.query(`set time zone '${zone}'`);
        return ask(client, findQuery(hospital.catalogue, 'heat-map').statement);
      });
      assert.deepEqual(asked.rows, expected.map((row) => [row.hour, ...names.map((name) => (row as Row)[name]), row.visits]));
    }
  });

  check('search-the-notes', 'finds the texts that say so, and none that only deny it', async (answer) => {
    const people = await patients();
    const visitOf = new Map(visits.map((visit) => [visit.recordUuid, visit]));
    const notes = await hospital.rows<Row & { body: Record<string, string> }>(
      `select * from hospital.clinical_notes where voided_at is null and sensitivity = 'normal' and note_type = 'progress_note'`,
    );
    const written = [
      ...visits.map((visit) => ({ visit, text: `${visit.diagnosis ?? ''}. ${visit.notes ?? ''}` })),
      ...notes.flatMap((n) => {
        const visit = visitOf.get(String(n.record_uuid));
        return visit ? [{ visit, text: ['subjective', 'objective', 'assessment', 'plan'].filter((key) => key in n.body).map((key) => textOf(n.body[key])).join('. ') }] : [];
      }),
    ];
    const matching = written.filter(({ text }) => /chest pains?\b|short of breath/i.test(text) && !/headaches?\b/i.test(text));
    // How well each text matches is for the database to say; which texts match, and which come first, is for us.
    const ranked = await hospital.rows<{ place: number; rank: number }>(
      `select x.place::integer, ts_rank(to_tsvector('english', x.text),
         websearch_to_tsquery('english', '"chest pain" or "short of breath"') && websearch_to_tsquery('english', '-headache'))::float8 as rank
       from jsonb_array_elements_text($texts$${JSON.stringify(matching.map(({ text }) => text))}$texts$) with ordinality as x (text, place)`,
    );
    const first = ranked
      .map(({ place, rank }) => ({ ...matching[place - 1]!, rank }))
      .sort((a, b) => b.rank - a.rank || Number(b.visit.id) - Number(a.visit.id) || compareText(a.text, b.text))
      .slice(0, 10);
    assert.deepEqual(
      answer.map(({ mrn, started_at }) => [mrn, instantOf(started_at)]),
      first.map(({ visit }) => [people.get(visit.patientId)!.mrn, visit.startedAt]),
    );
    const textsOf = groupBy(matching, ({ visit }) => `${people.get(visit.patientId)!.mrn} ${visit.startedAt}`);
    for (const row of answer) {
      const texts = textsOf.get(`${row.mrn} ${instantOf(row.started_at)}`) ?? [];
      const fragments = String(row.excerpt).replaceAll(/[«»]/g, '').split(' ... ');
      assert.ok(texts.some(({ text }) => fragments.every((fragment) => text.includes(fragment))), String(row.excerpt));
      assert.match(String(row.excerpt), /«(chest|short)»/i);
      assert.doesNotMatch(String(row.excerpt), /headache/i);
    }
    const ranks = answer.map(({ rank }) => Number(rank));
    assert.deepEqual(ranks, [...ranks].sort((a, b) => b - a));
    assert.ok(written.some(({ text }) => /headache, chest pain/i.test(text)), 'Nobody denies anything.');
  });

  check('perhaps-one-person', 'finds the pairs that comparing everybody with everybody finds', async (answer) => {
    const trigrams = (name: string): Set<string> => {
      const found = new Set<string>();
      for (const word of name.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean)) {
        const padded = `  ${word} `;
        for (let n = 0; n + 3 <= padded.length; n++) found.add(padded.slice(n, n + 3));
      }
      return found;
    };
    const people = [...(await patients())].map(([id, p]) => ({ ...p, id: Number(id), born: String(p.date_of_birth).split('-'), parts: trigrams(`${p.given_name} ${p.family_name}`) }));
    const expected = new Map<string, number>();
    for (const a of people) {
      for (const b of people) {
        if (b.id <= a.id || a.sex !== b.sex || a.person_id === b.person_id) continue;
        if (a.born.filter((part, n) => part === b.born[n]).length < 2) continue;
        const shared = [...a.parts].filter((part) => b.parts.has(part)).length;
        const similarity = shared / (a.parts.size + b.parts.size - shared);
        if (similarity >= 0.5) expected.set(`${a.mrn} ${b.mrn}`, similarity);
      }
    }
    assert.deepEqual(answer.map((r) => `${r.mrn} ${r.other_mrn}`).sort(), [...expected.keys()].sort());
    for (const row of answer) assert.ok(Math.abs(Number(row.similarity) - expected.get(`${row.mrn} ${row.other_mrn}`)!) < 0.006);
    const parts = ({ date_of_birth: a, other_date_of_birth: b }: Row): number => String(a).split('-').filter((part, n) => part === String(b).split('-')[n]).length;
    assertOrder(answer.map((row) => ({ ...row, parts: parts(row), similarity: expected.get(`${row.mrn} ${row.other_mrn}`) })), ['-parts', '-similarity', 'mrn', 'other_mrn']);
    assert.ok(answer.filter(({ similarity }) => Number(similarity) > 0.7).length >= 3, 'Those registered twice are not found.');
  });

  check('who-looked-at-charts', 'counts the looks of each account, and the people looked at', async (answer) => {
    const looks = await hospital.rows<Row>(
      `select a.email, c.role, p.person_id, c.break_glass_grant_id as grant, c.opened_at as at from audit.chart_accesses as c
       join hospital_private.accounts as a on a.id = c.account_id join hospital.patients as p on p.id = c.patient_id`,
    );
    const expected = [...groupBy(looks, (l) => `${l.email}/${l.role}`)].map(([key, list]) => [
      ...key.split('/'), list.length, new Set(list.map((l) => l.person_id)).size, list.filter((l) => l.grant !== null).length,
      list.map((l) => String(l.at)).sort()[0], list.map((l) => String(l.at)).sort().at(-1),
    ]);
    const order = (a: unknown[], b: unknown[]): number => compareText(String(a[0]), String(b[0]));
    assert.deepEqual(
      answer.map((r) => [r.account, r.role, Number(r.looks), Number(r.people), Number(r.in_emergencies), r.first_at, r.last_at]).sort(order),
      expected.sort(order),
    );
    for (const row of answer) {
      const peers = expected.filter(([, role]) => role === row.role).map(([, , , people]) => Number(people));
      assert.equal(Number(row.usual_in_role), percentile(peers, 0.5));
      const fewer = peers.filter((people) => people < Number(row.people)).length;
      assert.ok(Math.abs(Number(row.share_of_role_below) - (peers.length === 1 ? 0 : fewer / (peers.length - 1))) < 0.006);
    }
    assert.ok(answer.some(({ looks, people }) => Number(looks) > Number(people)));
    assert.ok(answer.length >= 3 && answer.some(({ in_emergencies }) => Number(in_emergencies) > 0), 'Too little has happened.');
  }, ['-people', '-looks', 'account']);

  check('which-sections-are-rewritten', 'compares each version of a note with the next', async (answer) => {
    type Version = { note: string; type: string; version: number; body: Record<string, string | string[]> };
    const versions = await hospital.rows<Version>(
      `select note_id as note, n.note_type as type, o.version, o.body from hospital.clinical_note_versions as o
       join hospital.clinical_notes as n on n.id = o.note_id
       union all select id, note_type, version, body from hospital.clinical_notes`,
    );
    const changes: { key: string; was: string | undefined; became: string | undefined }[] = [];
    for (const list of groupBy(versions, ({ note }) => note).values()) {
      list.sort((a, b) => a.version - b.version);
      for (const [n, before] of list.slice(0, -1).entries()) {
        const after = list[n + 1]!.body;
        for (const section of new Set([...Object.keys(before.body), ...Object.keys(after)])) {
          const [was, became] = [textOf(before.body[section]), textOf(after[section])];
          if (was !== became) changes.push({ key: `${before.type}/${section}`, was, became });
        }
      }
    }
    const expected = [...groupBy(changes, ({ key }) => key)].map(([key, list]) => [
      key, list.length, list.filter(({ was }) => was === undefined).length, list.filter(({ became }) => became === undefined).length,
    ]);
    const order = (a: unknown[], b: unknown[]): number => compareText(String(a[0]), String(b[0]));
    assert.deepEqual(
      answer.map((r) => [`${r.note_type}/${r.section}`, ...[r.times_rewritten, r.times_added, r.times_taken_out].map(Number)]).sort(order),
      expected.sort(order),
    );
    for (const row of answer) {
      const list = changes.filter(({ key }) => key === `${row.note_type}/${row.section}`);
      const growth = sum(list.map(({ was, became }) => [...(became ?? '')].length - [...(was ?? '')].length)) / list.length;
      assert.ok(Math.abs(Number(row.mean_growth) - growth) < 0.06);
    }
  }, ['-times_rewritten', 'note_type', 'section']);

  check('commonest-complaints', 'counts what stands under that heading in every note', async (answer) => {
    const people = await patients();
    const records = new Set(visits.map(({ recordUuid }) => recordUuid));
    const notes = await hospital.rows<Row & { body: { subjective?: string | string[] } }>('select * from hospital.clinical_notes');
    const complaints = notes
      .filter((n) => records.has(String(n.record_uuid)) && n.voided_at === null && n.sensitivity === 'normal')
      .flatMap((n) => [n.body.subjective ?? []].flat().map((words) => ({
        words: words.replace(/[. ]+$/, '').toLowerCase(),
        person: people.get(String(n.patient_id))!.person_id,
      })));
    const expected = [...groupBy(complaints, ({ words }) => words)].map(([words, list]) => {
      const each = [...groupBy(list, ({ person }) => person).values()];
      return [words, list.length, each.length, each.filter(({ length }) => length > 1).length];
    });
    const order = (a: unknown[], b: unknown[]): number => compareText(String(a[0]), String(b[0]));
    assert.deepEqual(
      answer.map((r) => [r.complaint, ...[r.notes, r.people, r.people_with_it_again].map(Number)]).sort(order),
      expected.sort(order),
    );
    for (const row of answer) assert.ok(Math.abs(Number(row.percent_of_notes) - (100 * Number(row.notes)) / complaints.length) < 0.06);
    assert.ok(answer.some(({ complaint }) => complaint === 'ringing in one ear'), 'No note has a list.');
  }, ['-notes', 'complaint']);

  check('one-telephone', 'groups the last ten digits of every number', async (answer) => {
    const people = await patients();
    const numbers = (await hospital.rows<Row>(`select patient_id, value from hospital.contact_points where kind = 'phone' and patient_id is not null`)).map(
      ({ patient_id, value }) => ({ patient: people.get(String(patient_id))!, digits: String(value).replaceAll(/\D/g, '').slice(-10) }),
    );
    const expected = [...groupBy(numbers, ({ digits }) => digits)].flatMap(([digits, list]) => {
      const names = new Set(list.map(({ patient }) => patient.family_name)).size;
      return names > 1 ? [[digits, new Set(list.map(({ patient }) => patient.person_id)).size, names]] : [];
    });
    const order = (a: unknown[], b: unknown[]): number => compareText(String(a[0]), String(b[0]));
    assert.deepEqual(answer.map((r) => [r.telephone, Number(r.people), Number(r.family_names)]).sort(order), expected.sort(order));
    for (const row of answer) assert.ok(String(row.patients).split(', ').length >= Number(row.people));
  }, ['-people', 'telephone']);

  check('data-quality', 'has a row for each check, and counts what was made wrong', async (answer) => {
    const counts = new Map(answer.map((row) => [row.check_name, [Number(row.found), Number(row.looked_at)]]));
    assert.deepEqual(counts.get('visit without a coded diagnosis'), [visits.filter(({ codeId }) => codeId === null).length - (await withOther()), visits.length]);
    const wrong = await hospital.rows<{ name: string; found: string; of: string }>(`
      select 'patient without telephone and e-mail' as name,
        (select count(*) from hospital.patients as p left join hospital.contact_points as c on c.patient_id = p.id and c.kind <> 'postal'
         where c.id is null and p.deceased_on is null and p.merged_into_id is null) as found,
        (select count(*) from hospital.patients where deceased_on is null and merged_into_id is null) as of
      union all select 'treatment without an outcome',
        (select count(*) from hospital.treatments where outcome is null and voided_at is null),
        (select count(*) from hospital.treatments where voided_at is null)
      union all select 'active doctor without hours',
        (select count(*) from hospital.doctors where is_active and id not in (select doctor_id from hospital.doctor_schedules)),
        (select count(*) from hospital.doctors where is_active)
      union all select 'note unsigned a week later',
        (select count(*) from hospital.clinical_notes where signed_at is null and voided_at is null
           and created_at < (select max(started_at) from hospital.visits) - interval '168 hours'),
        (select count(*) from hospital.clinical_notes where voided_at is null)
      union all select 'visit after the patient''s death',
        (select count(*) from hospital.visits as v join hospital.patients as p on p.id = v.patient_id
         where v.voided_at is null and date(v.started_at at time zone 'UTC') - p.deceased_on > 1),
        (select count(*) from hospital.visits where voided_at is null)
      union all select 'patient in two places at once',
        (select count(distinct a.id) from hospital.appointments as a join hospital.appointments as b
           on b.patient_id = a.patient_id and b.id > a.id and b.status = 'completed' and lower(b.busy) < upper(a.busy) and lower(a.busy) < upper(b.busy)
         where a.status = 'completed'),
        (select count(*) from hospital.appointments where status = 'completed')`);
    assert.equal(answer.length, wrong.length + 1);
    for (const { name, found, of } of wrong) {
      assert.deepEqual(counts.get(name), [Number(found), Number(of)], name);
      assert.ok(Number(found) > 0, `Nothing of this kind was made wrong: ${name}`);
    }
    assert.ok(counts.get('visit without a coded diagnosis')![0]! > 0);
  }, ['-percent', 'check_name']);
  /** Visits whose principal diagnosis was mistyped but that have a second. */
  async function withOther(): Promise<number> {
    const others = new Set(
      (await hospital.rows<{ v: string }>('select visit_id as v from hospital.visit_diagnoses where rank > 1 and voided_at is null')).map(({ v }) => v),
    );
    return visits.filter(({ id, codeId }) => codeId === null && others.has(id)).length;
  }

  test('every question to the record has its answer checked', () => {
    const asked = hospital.catalogue.filter(({ source }) => source === 'record').map(({ name }) => name);
    assert.deepEqual([...checked].sort(), asked.sort());
  });

  test('the answers are the same however often and from whichever time zone they are asked', async () => {
    const url = hospital.database.url('hospital_owner');
    for (const query of hospital.catalogue.filter(({ source }) => source === 'record')) {
      assert.deepEqual(await run(`${url}?options=-cTimeZone%3DAsia/Kolkata`, query), await run(url, query), query.name);
    }
  });
});
