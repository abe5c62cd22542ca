import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { seed, small } from '../../tools/seed/index.ts';
import { startApi, type TestApi } from './support/api.ts';
import { tokenFor } from './support/hospital.ts';

/** What a month must have, so that it counts, for those who did not treat these patients. */
const smallestCell = 3;

/** What the record says, one row for each visit and symptom, or for each treatment. */
const events = {
  symptom: `
    select distinct lower(btrim(regexp_replace(s.words, '\\s+', ' ', 'g'))) as item, v.started_at as at, v.id as event,
      null::numeric as cost, null::text as outcome, v.patient_id, v.appointment_id, v.doctor_id
    from hospital.clinical_notes as n
    join hospital.visits as v on v.record_uuid = n.record_uuid and v.voided_at is null
    cross join lateral jsonb_array_elements_text(n.body -> 'symptoms') as s (words)
    where n.signed_at is not null and n.voided_at is null and n.sensitivity = 'normal'`,
  treatment: `
    select t.type as item, t.started_at as at, t.id as event, t.cost, t.outcome, v.patient_id, v.appointment_id, v.doctor_id
    from hospital.treatments as t
    join hospital.visits as v on v.id = t.visit_id and v.voided_at is null
    where t.voided_at is null`,
};

/** Events by item, from whole months that are of enough persons. */
const plainly = (kind: keyof typeof events, where: string, persons: number): string => `
  select item, sum(n)::text as n, sum(cost)::text as cost, (sum(resolved) / nullif(sum(assessed), 0))::float as resolved
  from (
    select e.item, date_trunc('month', e.at at time zone f.time_zone) as month, count(*) as n, sum(e.cost) as cost,
      count(*) filter (where e.outcome = 'resolved') as resolved,
      count(*) filter (where e.outcome <> 'not_assessed') as assessed
    from (${events[kind]}) as e
    join hospital.patients as p on p.id = e.patient_id
    join hospital.appointments as a on a.id = e.appointment_id
    join hospital.departments as d on d.id = a.department_id
    join hospital.facilities as f on f.id = d.facility_id
    where ${where}
    group by 1, 2
    having count(distinct p.person_id) >= ${persons}
  ) as m
  group by item
  order by sum(n) desc, item collate "C"`;

describe('the clinical answers of a seeded hospital', () => {
  let api: TestApi;
  let administrator: string;
  let doctor: string;
  let doctorId: string;

  before(async () => {
    api = await startApi();
    await seed(api.database.url('hospital_owner'), small);
    await api.owner.query('update hospital_private.masking_settings set smallest_cell = $1', [smallestCell]);
    await api.owner.query('begin isolation level repeatable read');
    await api.owner.query('select ops.load_warehouse()');
    await api.owner.query('select ops.refresh_views()');
    await api.owner.query('commit');
    [administrator, doctor] = await Promise.all([login('administrator'), login('doctor')]);
    const { rows } = await api.owner.query(
      `select d.id from hospital.doctors as d join hospital_private.accounts as a on a.staff_member_id = d.staff_member_id
       where a.email = 'doctor@infirmary.example'`,
    );
    doctorId = rows[0].id;
  });

  async function login(role: string): Promise<string> {
    const { rows } = await api.owner.query('select id from hospital_private.accounts where email = $1', [
      `${role}@infirmary.example`,
    ]);
    return tokenFor(api.owner, { id: '', accountId: rows[0].id, email: '' }, role);
  }

  async function plain(kind: keyof typeof events, where: string, persons: number): Promise<any[]> {
    const { rows } = await api.owner.query(plainly(kind, where, persons));
    assert.ok(rows.length > 0, 'there is nothing to compare');
    return rows;
  }

  const answered = async (name: string, variables: object, token: string): Promise<any[]> =>
    (await api.call(name, { first: 200, ...variables }, token))[name].nodes;

  for (const [who, persons] of [['administrator', smallestCell], ['doctor', 1]] as const) {
    const token = (): string => (who === 'doctor' ? doctor : administrator);
    const variables = (): object => (who === 'doctor' ? { doctorId } : {});
    const where = (): string => (who === 'doctor' ? `e.doctor_id = ${doctorId}` : 'true');

    test(`symptomFrequency tells the ${who} what the notes say`, async () => {
      assert.deepEqual(
        (await answered('symptomFrequency', variables(), token())).map(({ symptom, visits }) => [symptom, visits]),
        (await plain('symptom', where(), persons)).map(({ item, n }) => [item, n]),
      );
    });

    test(`treatmentOutcomes tells the ${who} what the record says`, async () => {
      const found = await answered('treatmentOutcomes', variables(), token());
      const expected = await plain('treatment', where(), persons);
      assert.deepEqual(
        found.map(({ treatmentType, treatments, totalCost }) => [treatmentType, treatments, totalCost]),
        expected.map(({ item, n, cost }) => [item, n, cost]),
      );
      for (const [n, { resolvedShare }] of found.entries()) {
        const { resolved } = expected[n];
        assert.ok(
          resolved === null ? resolvedShare === null : Math.abs(Number(resolvedShare) - resolved) < 0.0001,
          `${resolvedShare} is not ${resolved}`,
        );
      }
    });
  }

  test('a department is no more than the hospital, and a doctor asks of no colleague', async () => {
    const { rows } = await api.owner.query(
      'select department_id as id from hospital.appointments group by 1 order by count(*) desc, 1 limit 12',
    );
    const departments = await Promise.all(
      rows.map(({ id }) => answered('treatmentOutcomes', { departmentId: id }, administrator)),
    );
    const of = (nodes: any[]): Map<string, number> =>
      new Map(nodes.map(({ treatmentType, treatments }) => [treatmentType, Number(treatments)]));
    const whole = of(await answered('treatmentOutcomes', {}, administrator));
    const parts = new Map<string, number>();
    for (const department of departments) {
      for (const [type, count] of of(department)) parts.set(type, (parts.get(type) ?? 0) + count);
    }
    assert.ok(parts.size > 0);
    for (const [type, count] of parts) assert.ok(count <= (whole.get(type) ?? 0), type);
    const { rows: colleagues } = await api.owner.query(
      'select id from hospital.doctors where is_active and id <> $1 order by id limit 5',
      [doctorId],
    );
    for (const { id } of colleagues) {
      for (const name of ['treatmentOutcomes', 'symptomFrequency', 'visitForecast']) {
        assert.deepEqual(await answered(name, { doctorId: id }, doctor), []);
      }
    }
  });

  test('comorbidity tells the administrator the index of every patient, added up', async () => {
    const found: any[] = [];
    for (let offset = 0; found.length === offset; offset += 200) {
      found.push(...(await answered('comorbidity', { offset }, administrator)));
    }
    const { rows: expected } = await api.owner.query(
      `with entries as (
         select p.person_id, c.diagnosis_code_id as code_id, c.abated_on is not null as is_over
         from hospital.patient_conditions as c join hospital.patients as p on p.id = c.patient_id
         where c.voided_at is null
         union all
         select p.person_id, g.diagnosis_code_id, exists (
           select from hospital.patient_conditions as c join hospital.patients as q on q.id = c.patient_id
           where q.person_id = p.person_id and c.diagnosis_code_id = g.diagnosis_code_id and c.voided_at is null
             and c.abated_on >= v.started_at::date
         )
         from hospital.visit_diagnoses as g
         join hospital.visits as v on v.id = g.visit_id and v.voided_at is null
         join hospital.patients as p on p.id = g.patient_id
         where g.voided_at is null
       ),
       codes as (
         select e.person_id, c.code, bool_and(e.is_over) as is_over
         from entries as e join hospital.diagnosis_codes as c on c.id = e.code_id and c.system = 'icd10cm'
         group by 1, 2
       ),
       scores as (
         select p.person_id, (
           select coalesce(sum(m.weight), 0)
           from hospital_private.comorbidities_of(
             array(select c.code from codes as c where c.person_id = p.person_id and not c.is_over),
             array(select c.code from codes as c where c.person_id = p.person_id and c.is_over)
           ) as m
         ) as score
         from (select distinct person_id from hospital.patients) as p
       )
       select seen.id, case when score = 0 then '0' when score <= 2 then '1-2' when score <= 4 then '3-4' else '5+' end as band,
         case when count(*) >= $1 then count(*)::text end as patients
       from (
         select distinct a.department_id as id, p.person_id
         from hospital.visits as v
         join hospital.appointments as a on a.id = v.appointment_id
         join hospital.patients as p on p.id = v.patient_id
         where v.voided_at is null
       ) as seen
       join scores using (person_id)
       group by 1, 2
       order by 1, 2`,
      [smallestCell],
    );
    const line = (...values: unknown[]): string => values.join(' ');
    assert.deepEqual(
      found.map((row) => line(row.departmentId, row.charlsonScore, row.patients)).sort(),
      expected.map((row) => line(row.id, row.band, row.patients)).sort(),
    );
    for (const score of ['0', '1-2', '3-4']) assert.ok(found.some((row) => row.charlsonScore === score), score);
    assert.ok(found.some(({ patients }) => patients === null) && found.some(({ patients }) => Number(patients) > 9));
    await assert.rejects(answered('comorbidity', {}, doctor), /FORBIDDEN/);
  });

  test('visitForecast expects of each weekday what it was in eight weeks', async () => {
    const { rows } = await api.owner.query(
      `select a.department_id as id
       from hospital.visits as v join hospital.appointments as a on a.id = v.appointment_id
       group by 1 order by count(*) desc, 1 limit 1`,
    );
    const found = await answered('visitForecast', { departmentId: rows[0].id }, administrator);
    assert.equal(found.length, 28);
    const { rows: expected } = await api.owner.query(
      `select round(count(v.id) / 8.0, 1)::text as visits
       from hospital.departments as d
       join hospital.facilities as f on f.id = d.facility_id
       cross join generate_series(0, 27) as ahead
       cross join lateral (
         select (s.data_as_of at time zone f.time_zone)::date as day
         from warehouse.view_states as s where s.view_name = 'mv_top_doctors'
       ) as today
       cross join generate_series(1, 8) as weeks
       left join (
         hospital.visits as v join hospital.appointments as a on a.id = v.appointment_id and v.voided_at is null
       ) on a.department_id = d.id
         and (v.started_at at time zone f.time_zone)::date = today.day + ahead % 7 - weeks * 7
       where d.id = $1
       group by ahead
       order by ahead`,
      [rows[0].id],
    );
    assert.deepEqual(found.map(({ expectedVisits }) => expectedVisits), expected.map(({ visits }) => visits));
    assert.ok(found.some(({ expectedVisits }) => Number(expectedVisits) > 0));
    assert.ok(found.every(({ meanError, dataAsOf }) => meanError !== null && dataAsOf === found[0].dataAsOf));
  });
});
