import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { run } from '../../tools/commands/queries.ts';
import { withClient } from '../../tools/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { assertOrder, compareText, dateOf, dayNumber, groupBy, type Hospital, openHospital, type Row, sum, type Visit, weekdayOf } from './hospital.ts';

async function loadWarehouse(database: TestDatabase): Promise<void> {
  await withClient(database.url('hospital_owner'), async (client) => {
    await client.query('begin isolation level repeatable read');
    await client.query('select ops.load_warehouse()');
    await client.query('commit');
  });
}

/*
 * The answers come from the star; what they are compared with is computed from the record itself. So a load that
 * lost a row, or gave it a wrong day, fails here too.
 */
describe('what is asked of the warehouse', { concurrency: 1 }, () => {
  let hospital: Hospital;
  let visits: Visit[];
  let appointments: Appointment[];
  const checked = new Set<string>();

  before(async () => {
    hospital = await openHospital(loadWarehouse);
    visits = hospital.visits;
    appointments = await hospital.rows<Appointment>(
      `select a.id, a.department_id as "departmentId", p.person_id as "personId", a.status, t.code, t.name as type,
         t.price::float8 as price, extract(epoch from a.starts_at)::float8 * 1000 as "startsAt",
         (a.starts_at at time zone f.time_zone)::date as day, (a.created_at at time zone f.time_zone)::date as "bookedOn"
       from hospital.appointments as a
       join hospital.appointment_types as t on t.id = a.appointment_type_id
       join hospital.patients as p on p.id = a.patient_id
       join hospital.departments as d on d.id = a.department_id
       join hospital.facilities as f on f.id = d.facility_id
       order by a.starts_at, a.id`,
    );
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
  const near = (found: unknown, expected: number, within: number, what = ''): void =>
    assert.ok(found !== null && Math.abs(Number(found) - expected) <= within, `${what}: ${found} for ${expected}`);
  const quarterOf = (date: string): number => Number(date.slice(0, 4)) * 4 + Math.floor((Number(date.slice(5, 7)) - 1) / 3) + 1;

  check('revenue-of-the-year', 'adds up prices and costs month by month', async (answer) => {
    const notInError = new Set(visits.map(({ id }) => id));
    const treatments = (
      await hospital.rows<{ visit: string; month: string; cost: number }>(
        `select t.visit_id as visit, to_char(t.started_at at time zone f.time_zone, 'YYYY-MM') as month, t.cost::float8 as cost
         from hospital.treatments as t join hospital.visits as v on v.id = t.visit_id
         join hospital.appointments as a on a.id = v.appointment_id join hospital.departments as d on d.id = a.department_id
         join hospital.facilities as f on f.id = d.facility_id where t.voided_at is null`,
      )
    ).filter(({ visit }) => notInError.has(visit));
    const completed = appointments.filter(({ status }) => status === 'completed');
    const months = [...new Set([...completed.map((a) => a.day.slice(0, 7)), ...treatments.map(({ month }) => month)])].sort();
    const revenue = months.map((month) => {
      const ofTreatments = sum(treatments.filter((t) => t.month === month).map(({ cost }) => cost));
      return [ofTreatments + sum(completed.filter((a) => a.day.startsWith(month)).map(({ price }) => price)), ofTreatments] as const;
    });
    assert.deepEqual(answer.map(({ month }) => month), months);
    for (const [n, row] of answer.entries()) {
      const month = months[n]!;
      near(row.revenue, revenue[n]![0], 0.006, month);
      near(row.of_treatments ?? 0, revenue[n]![1], 0.006, month);
      const inYear = (until: number): number => sum(revenue.filter((_, m) => m <= until && months[m]!.slice(0, 4) === month.slice(0, 4)).map(([all]) => all));
      near(row.year_so_far, inYear(n), 0.006, month);
      near(row.percent_of_year, (100 * revenue[n]![0]) / inYear(Infinity), 0.051, month);
      const window = revenue.slice(Math.max(0, n - 2), n + 1);
      near(row.mean_of_three_months, sum(window.map(([all]) => all)) / window.length, 0.006, month);
    }
  });

  check('revenue-at-every-level', 'adds up at every level to the level above', async (answer) => {
    const names = new Map((await hospital.rows<{ id: string; name: string }>('select id, name from hospital.departments')).map((d) => [d.id, d.name]));
    const completed = appointments.filter(({ status }) => status === 'completed');
    const total = (list: Appointment[]): string => `${list.length} ${sum(list.map(({ price }) => price)).toFixed(2)}`;
    const found = (row: Row): string => `${row.appointments} ${Number(row.revenue).toFixed(2)}`;
    const expected = [...groupBy(completed, ({ departmentId }) => departmentId)].flatMap(([id, list]) => [
      `1 all kinds ${total(list)}`,
      ...[...groupBy(list, ({ type }) => type)].map(([type, part]) => `0 ${type} ${total(part)}`),
    ].map((line) => `${names.get(id)} ${line}`));
    const last = answer.at(-1)!;
    assert.deepEqual([last.department, last.appointment_type, Number(last.level), found(last)], ['all departments', null, 3, total(completed)]);
    // A department that was renamed after its appointments is called here what it was called then.
    const called = answer.slice(0, -1).map((row) => `${row.department === 'Cardiology' ? names.get('13') : row.department} ${row.level} ${row.appointment_type} ${found(row)}`);
    assert.deepEqual(called.map(fixName).sort(), expected.map(fixName).sort());
    // Each department's total stands above its kinds.
    assertOrder(answer.filter(({ level }) => level === 1), ['-revenue']);
    let rest = 0;
    for (const [n, row] of answer.slice(0, -1).entries()) {
      if (Number(row.level) === 0 && Number(answer[n - 1]!.level) === 0) assert.ok(Number(row.revenue) <= Number(answer[n - 1]!.revenue));
      if (Number(row.level) === 1) {
        assert.equal(rest, 0);
        rest = Number(row.appointments);
      } else rest -= Number(row.appointments);
    }
    assert.equal(rest, 0);
  });
  const fixName = (line: string): string => line.replace(/^(Cardiology|Heart and vessels) /, 'The heart ');

  check('who-comes-when', 'counts each visit once in each of the four groupings', async (answer) => {
    const people = new Map(
      (await hospital.rows<{ id: string; sex: string; date_of_birth: string }>('select id, sex, date_of_birth from hospital.patients')).map((p) => [p.id, p]),
    );
    const rows = visits.map(({ patientId, local }) => {
      const { sex, date_of_birth: born } = people.get(patientId)!;
      const age = Number(local.day.slice(0, 4)) - Number(born.slice(0, 4)) - (local.day.slice(5) < born.slice(5) ? 1 : 0);
      return {
        sex,
        age: age < 18 ? '00-17' : age < 40 ? '18-39' : age < 65 ? '40-64' : '65+',
        part: ['night', 'morning', 'afternoon', 'evening'][Math.floor(local.hour / 6)]!,
      };
    });
    const seen = new Set<string>();
    for (const row of answer) {
      const own = rows.filter(({ sex, age }) => (row.sex === 'all' || row.sex === sex) && (row.age === 'all' || row.age === age));
      assert.equal(Number(row.visits), own.length, `${row.sex} ${row.age}`);
      for (const part of ['night', 'morning', 'afternoon', 'evening']) {
        assert.equal(Number(row[part]), own.filter((each) => each.part === part).length, `${row.sex} ${row.age} ${part}`);
      }
      seen.add(`${row.sex} ${row.age}`);
    }
    const expected = new Set(rows.flatMap(({ sex, age }) => [`${sex} ${age}`, `${sex} all`, `all ${age}`, 'all all']));
    assert.deepEqual(seen, expected);
    assert.equal(answer.length, expected.size);
  });

  check('unusual-days', 'compares each day with the twelve before it of the same weekday', (answer) => {
    const counts = groupBy(visits, ({ local }) => local.day);
    const days = [...counts.keys()].sort();
    const [first, last] = [dayNumber(days[0]!), dayNumber(days.at(-1)!)];
    const count = (number: number): number => counts.get(dateOf(number))?.length ?? 0;
    const expected: unknown[][] = [];
    for (let number = first; number <= last; number++) {
      const before: number[] = [];
      for (let weeks = 1; weeks <= 12 && number - 7 * weeks >= first; weeks++) before.push(count(number - 7 * weeks));
      if (before.length < 8) continue;
      const mean = sum(before) / before.length;
      const deviation = Math.sqrt(sum(before.map((each) => (each - mean) ** 2)) / (before.length - 1));
      if (Math.abs(count(number) - mean) > 2 * deviation + 1e-9) expected.push([dateOf(number), count(number), deviation === 0 ? null : (count(number) - mean) / deviation]);
    }
    const order = (a: unknown[], b: unknown[]): number => compareText(String(a[0]), String(b[0]));
    const found = answer.map((row) => [row.day, Number(row.visits), row.deviations_away]).sort(order);
    assert.deepEqual(found.map((row) => row.slice(0, 2)), expected.map((row) => row.slice(0, 2)));
    for (const [n, [date, , away]] of expected.entries()) {
      if (away === null) assert.equal(found[n]![2], null);
      else near(found[n]![2], Number(away), 0.051, String(date));
    }
    const distances = answer.map((row) => (row.deviations_away === null ? Infinity : Math.abs(Number(row.deviations_away))));
    assert.deepEqual(distances, [...distances].sort((a, b) => b - a));
    assert.ok(answer.every(({ day: date, weekday }) => ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][weekdayOf(String(date)) - 1] === weekday));
  });

  check('cohort-retention', 'finds in each later quarter the people it first saw', (answer) => {
    const quarters = [...groupBy(visits, ({ personId }) => personId).values()].map((list) => new Set(list.map(({ local }) => quarterOf(local.day))));
    const cohorts = groupBy(quarters, (each) => String(Math.min(...each)));
    const expected = [...cohorts].sort(([a], [b]) => Number(a) - Number(b)).map(([first, people]) => {
      const after = [0, 1, 2, 3, 4].map((n) => String(people.filter((each) => each.has(Number(first) + n)).length));
      return [`${Math.floor((Number(first) - 1) / 4)} Q${((Number(first) - 1) % 4) + 1}`, ...after];
    });
    assert.deepEqual(answer.map((r) => [r.first_seen_in, r.people, r.after_1, r.after_2, r.after_3, r.after_4]), expected);
    for (const row of answer) near(row.percent_a_year_later, (100 * Number(row.after_4)) / Number(row.people), 0.051);
  });

  check('few-need-much', 'deals the people into tenths, the neediest first', (answer) => {
    const people = [...groupBy(visits, ({ personId }) => personId)]
      .map(([id, list]) => ({ id: Number(id), visits: list.length }))
      .sort((a, b) => b.visits - a.visits || a.id - b.id);
    const [size, more] = [Math.floor(people.length / 10), people.length % 10];
    let [from, soFar] = [0, 0];
    assert.equal(answer.length, 10);
    for (const [n, row] of answer.entries()) {
      const own = people.slice(from, (from += size + (n < more ? 1 : 0))).map((person) => person.visits);
      soFar += sum(own);
      assert.deepEqual([row.tenth, row.people, row.fewest, row.most, row.visits].map(Number), [n + 1, own.length, Math.min(...own), Math.max(...own), sum(own)]);
      near(row.percent_of_visits, (100 * sum(own)) / visits.length, 0.051);
      near(row.percent_up_to_here, (100 * soFar) / visits.length, 0.051);
    }
    assert.equal(soFar, visits.length);
  });

  /** Appointments that were kept or missed. */
  const due = (): (Appointment & { missed: number; lead: number })[] =>
    appointments
      .filter(({ status }) => status === 'completed' || status === 'no_show')
      .map((a) => ({ ...a, missed: Number(a.status === 'no_show'), lead: dayNumber(a.day) - dayNumber(a.bookedOn) }));

  check('booked-long-ago', 'has the share of each week, and the line of least squares through all', (answer) => {
    const all = due();
    const groups = groupBy(all, ({ lead }) => String(Math.min(Math.trunc(lead / 7), 8)));
    const weeks = [...groups.keys()].map(Number).sort((a, b) => a - b);
    const label = (week: number): string => (week === 8 ? '8 weeks or more' : `${week} to ${week + 1} weeks`);
    assert.deepEqual(answer.map((r) => r.booked_before), [...weeks.map(label), 'all']);
    for (const [n, row] of answer.entries()) {
      const own = n === weeks.length ? all : groups.get(String(weeks[n]))!;
      assert.equal(Number(row.appointments), own.length);
      near(row.percent_missed, (100 * sum(own.map(({ missed }) => missed))) / own.length, 0.051);
      if (n < weeks.length) assert.equal(row.correlation ?? row.percent_more_per_day, null);
    }
    const mean = (of: (a: { missed: number; lead: number }) => number): number => sum(all.map(of)) / all.length;
    const [x, y] = [mean((a) => a.lead), mean((a) => a.missed)];
    const spread = mean((a) => (a.lead - x) * (a.missed - y));
    near(answer.at(-1)!.percent_more_per_day, (100 * spread) / mean((a) => (a.lead - x) ** 2), 0.00051, 'slope');
    near(answer.at(-1)!.correlation, spread / Math.sqrt(mean((a) => (a.lead - x) ** 2) * mean((a) => (a.missed - y) ** 2)), 0.00051, 'correlation');
  });

  check('missed-before', 'knows of each appointment only what was known on its day', (answer) => {
    const history = new Map<string, { earlier: number; missed: number }>();
    const groups = [0, 1, 2, 3].map(() => ({ appointments: 0, missed: 0 }));
    for (const { personId, missed } of due()) {
      const known = history.get(personId) ?? { earlier: 0, missed: 0 };
      const group = groups[known.earlier === 0 ? 0 : Math.min(known.missed, 2) + 1]!;
      group.appointments++;
      group.missed += missed;
      history.set(personId, { earlier: known.earlier + 1, missed: known.missed + missed });
    }
    assert.deepEqual(
      answer.map((row) => [row.history, Number(row.appointments), Number(row.missed)]),
      ['first appointment', 'never missed one', 'missed one', 'missed two or more'].map((name, n) => [name, groups[n]!.appointments, groups[n]!.missed]),
    );
    const rate = sum(groups.map(({ missed }) => missed)) / sum(groups.map((group) => group.appointments));
    for (const [n, row] of answer.entries()) {
      near(row.percent_missed, (100 * groups[n]!.missed) / groups[n]!.appointments, 0.051);
      near(row.times_the_average, groups[n]!.missed / groups[n]!.appointments / rate, 0.0051);
    }
  });

  check('back-within-thirty-days', 'looks after every visit for the next one of its kind', async (answer) => {
    const last = Math.max(...visits.map(({ local }) => dayNumber(local.day)));
    const coded = visits.filter(({ category }) => category !== null);
    const byPerson = groupBy(coded, ({ personId, category }) => `${personId}/${category}`);
    const lastCoded = Math.max(...coded.map(({ local }) => dayNumber(local.day)));
    assert.equal(lastCoded, last);
    const judged = coded.filter(({ local }) => dayNumber(local.day) <= last - 30);
    const expected = [...groupBy(judged, ({ category }) => category!)].filter(([, list]) => list.length >= 20).map(([category, list]) => {
      const returned = list.filter((visit) =>
        byPerson.get(`${visit.personId}/${category}`)!.some((next) => {
          const after = dayNumber(next.local.day) - dayNumber(visit.local.day);
          return after >= 1 && after <= 30 && next.type !== 'follow_up';
        }),
      ).length;
      return [category, list.length, returned];
    });
    const order = (a: unknown[], b: unknown[]): number => compareText(String(a[0]), String(b[0]));
    assert.deepEqual(answer.map((r) => [r.category, Number(r.visits), Number(r.followed_by_a_return)]).sort(order), expected.sort(order));
    const codes = await hospital.rows<{ category: string; description: string }>(
      `select left(c.code, 3) as category, c.description from hospital.diagnosis_codes as c
       where c.system = 'icd10cm' and c.id in (select d.diagnosis_code_id from hospital.visit_diagnoses as d)`,
    );
    const descriptions = groupBy(codes, ({ category }) => category);
    for (const row of answer) {
      near(row.percent, (100 * Number(row.followed_by_a_return)) / Number(row.visits), 0.051);
      assert.ok(descriptions.get(String(row.category))!.every(({ description }) => description >= String(row.such_as)));
    }
    assert.ok(answer.some((row) => Number(row.followed_by_a_return) > 0));
  }, ['-percent', 'category']);

  check('as-it-was-called-then', 'keeps the name of the day beside the name of today', async (answer) => {
    const names = new Map((await hospital.rows<{ id: string; name: string }>('select id, name from hospital.departments')).map((d) => [d.id, d.name]));
    const expected = [...groupBy(visits, ({ departmentId }) => departmentId)].map(([id, list]) => {
      const now = names.get(id)!;
      const days = list.map(({ local }) => local.day).sort();
      return [now === 'Heart and vessels' ? 'Cardiology' : now, now, list.length, days[0], days.at(-1)];
    });
    const order = (a: unknown[], b: unknown[]): number => compareText(JSON.stringify(a), JSON.stringify(b));
    assert.deepEqual(answer.map((r) => [r.name_then, r.name_now, Number(r.visits), r.first_day, r.last_day]).sort(order), expected.sort(order));
    const renamed = answer.filter(({ was_renamed }) => was_renamed);
    assert.equal(renamed.length, 1);
    assert.equal(renamed[0]!.version_from, null);
    assert.notEqual(renamed[0]!.version_until, null);
    assert.equal(answer[0], renamed[0]);
  }, ['-was_renamed', '-visits']);

  check('against-last-year', 'sets each month beside the one twelve months before it', (answer) => {
    const counts = groupBy(visits, ({ local }) => local.day.slice(0, 7));
    const months = [...counts.keys()].sort();
    assert.deepEqual(answer.map(({ month }) => month), months);
    for (const [n, row] of answer.entries()) {
      const [month, own] = [months[n]!, counts.get(months[n]!)!.length];
      const before = counts.get(`${Number(month.slice(0, 4)) - 1}${month.slice(4)}`)?.length ?? null;
      assert.equal(Number(row.visits), own);
      assert.equal(row.a_year_before === null ? null : Number(row.a_year_before), before, month);
      if (before === null) assert.equal(row.percent_change, null);
      else near(row.percent_change, (100 * own) / before - 100, 0.051, month);
      assert.equal(row.is_unfinished, n === months.length - 1, month);
    }
    assert.ok(answer.filter(({ a_year_before }) => a_year_before !== null).length >= 12);
  });

  check('diagnoses-that-meet', 'counts the people who have both, and what chance would give', async (answer) => {
    const notInError = new Map(visits.map(({ id, personId }) => [id, personId]));
    const has = new Map<string, Set<string>>();
    const people = new Set<string>();
    for (const { visit, category } of await hospital.rows<{ visit: string; category: string }>(
      `select d.visit_id as visit, left(c.code, 3) as category from hospital.visit_diagnoses as d
       join hospital.diagnosis_codes as c on c.id = d.diagnosis_code_id
       where d.voided_at is null and c.system = 'icd10cm' and left(c.code, 1) <> 'Z'`,
    )) {
      const person = notInError.get(visit);
      if (!person) continue;
      people.add(person);
      has.set(category, (has.get(category) ?? new Set()).add(person));
    }
    const expected = new Map<string, number[]>();
    for (const [one, a] of has) {
      for (const [other, b] of has) {
        const both = [...a].filter((person) => b.has(person)).length;
        if (one < other && both >= 5) expected.set(`${one} ${other}`, [both, a.size, b.size, (both * people.size) / (a.size * b.size)]);
      }
    }
    assert.deepEqual(answer.map((r) => `${r.one} ${r.other}`).sort(), [...expected.keys()].sort());
    for (const row of answer) {
      const [both, one, other, lift] = expected.get(`${row.one} ${row.other}`)! as [number, number, number, number];
      assert.deepEqual([row.people_with_both, row.people_with_one, row.people_with_other].map(Number), [both, one, other]);
      near(row.lift, lift, 0.0051);
    }
  }, ['-lift', 'one', 'other']);

  check('which-treatments-help', 'ranks by what is sure, within bounds that hold the share found', async (answer) => {
    const notInError = new Set(visits.map(({ id }) => id));
    const treatments = (
      await hospital.rows<{ visit_id: string; type: string; outcome: string | null; cost: number }>(
        'select visit_id, type, outcome, cost::float8 as cost from hospital.treatments where voided_at is null',
      )
    ).filter(({ visit_id, outcome }) => notInError.has(visit_id) && outcome !== null && outcome !== 'not_assessed');
    const expected = groupBy(treatments, ({ type }) => type);
    assert.deepEqual(answer.map((r) => String(r.treatment_type)).sort(), [...expected.keys()].sort());
    const bounds: number[] = [];
    for (const row of answer) {
      const list = expected.get(String(row.treatment_type))!;
      const better = list.filter(({ outcome }) => outcome === 'improved' || outcome === 'resolved').length;
      assert.deepEqual([row.assessed, row.better].map(Number), [list.length, better]);
      // The bounds are those shares from which the share found lies 1.96 standard errors away.
      const share = better / list.length;
      for (const [column, from, to] of [['surely_more_than', 0, share], ['surely_less_than', share, 1]] as const) {
        let [low, high] = [from, to];
        for (let n = 0; n < 60; n++) {
          const middle = (low + high) / 2;
          const isOutside = Math.abs(share - middle) > 1.96 * Math.sqrt((middle * (1 - middle)) / list.length);
          if (isOutside === (column === 'surely_more_than')) low = middle;
          else high = middle;
        }
        near(row[column], 100 * low, 0.051, `${row.treatment_type} ${column}`);
      }
      near(row.percent_better, 100 * share, 0.051);
      if (better > 0) near(row.cost_per_patient_better, sum(list.map(({ cost }) => cost)) / better, 0.0051);
      bounds.push(Number(row.surely_more_than));
    }
    assert.deepEqual(bounds, [...bounds].sort((a, b) => b - a));
  });

  test('every question to the warehouse has its answer checked', () => {
    const asked = hospital.catalogue.filter(({ source }) => source === 'warehouse').map(({ name }) => name);
    assert.deepEqual([...checked].sort(), asked.sort());
  });

  test('the answers are the same however often they are asked', async () => {
    for (const query of hospital.catalogue.filter(({ source }) => source === 'warehouse')) {
      const url = hospital.database.url('hospital_owner');
      assert.deepEqual(await run(url, query), await run(url, query), query.name);
    }
  });
});

interface Appointment {
  id: string;
  departmentId: string;
  personId: string;
  status: string;
  code: string;
  type: string;
  price: number;
  startsAt: number;
  day: string;
  bookedOn: string;
}
