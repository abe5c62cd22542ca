import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Client } from 'pg';
import { startWorker } from '../../tools/worker/runner.ts';
import { codes, startApi, type TestApi } from './support/api.ts';
import { addStaff, furnish, tokenFor, type Hospital } from './support/hospital.ts';
import { until } from '../support/worker.ts';

const ANSWERS = [
  'topDoctors',
  'departmentLoad',
  'monthlyVisits',
  'doctorWorkload',
  'departmentEfficiency',
  'revenue',
] as const;

describe('the answers, through the API', () => {
  let api: TestApi;
  let hospital: Hospital;
  const tokens: Record<string, string> = {};

  /** Who came to which doctor, and when: three doctors, fifteen patients, two months. */
  const rows = Array.from({ length: 90 }, (_, n) => ({
    doctor: n % 3,
    patient: n % 15,
    day: `2024-0${(n % 2) + 1}-${String((n % 27) + 1).padStart(2, '0')}`,
    status: n % 5 === 0 ? 'cancelled' : 'completed',
  }));

  /** Loads what is committed, as the worker would. */
  const load = async (): Promise<void> => {
    await api.owner.query('begin isolation level repeatable read');
    await api.owner.query('select ops.load_warehouse(); select ops.refresh_views()');
    await api.owner.query('commit');
  };

  const nodes = async (name: string, variables: object, token: string): Promise<any[]> =>
    (await api.call(name, variables, tokens[token]))[name].nodes;

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 3, patients: 15 });
    for (const [role, job] of [['administrator', 'administrator'], ['billing', 'billing_clerk'], ['reception', 'receptionist'], ['analyst', 'analyst']] as const) {
      tokens[role] = await tokenFor(api.owner, await addStaff(api.owner, hospital, role, job), role);
    }
    tokens.doctor = await tokenFor(api.owner, hospital.doctors[0]!, 'doctor');
    tokens.patient = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
    for (const { doctor, patient, day, status } of rows) {
      await api.owner.query(
        `with appointment as (
           insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status, cancellation_reason)
           values ($1, $2, $3, $4::date + time '10:00' at time zone 'UTC', $5, case when $5 = 'cancelled' then 'patient_request' end)
           returning id, patient_id, doctor_id, starts_at, status
         )
         insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at)
         select id, patient_id, doctor_id, starts_at from appointment where status = 'completed'`,
        [hospital.patients[patient]!.id, hospital.doctors[doctor]!.id, hospital.typeId, day, status],
      );
    }
    await load();
  });

  const visits = (doctor?: number, month = ''): string =>
    String(rows.filter((row) => row.status === 'completed' && (doctor ?? row.doctor) === row.doctor && row.day.startsWith(month)).length);

  test('an administrator compares doctors and months', async () => {
    const doctors = await nodes('topDoctors', {}, 'administrator');
    assert.deepEqual(
      doctors.map(({ doctorId, visits: count }) => [doctorId, count]),
      hospital.doctors.map(({ id }, n) => [id, visits(n)]).sort((a, b) => Number(b[1]) - Number(a[1])),
    );
    const months = await nodes('monthlyVisits', { fromDate: '2024-02-01' }, 'administrator');
    assert.deepEqual(months.map(({ month, visits: count }) => [month, count]), [['2024-02-01', visits(undefined, '2024-02')]]);
    const [load] = await nodes('departmentLoad', { departmentId: hospital.departmentId }, 'administrator');
    assert.deepEqual([load.appointments, load.completed, load.cancelled], ['90', visits(), String(90 - Number(visits()))]);
    const [efficiency] = await nodes('departmentEfficiency', {}, 'administrator');
    assert.equal(efficiency.cancellationRate, 0.2);
    // They are on duty day and night.
    assert.ok(efficiency.utilisation > 0 && efficiency.utilisation < 1);
  });

  test('a doctor is told of himself, and of his department as much as gives nobody away', async () => {
    const own = await nodes('topDoctors', {}, 'doctor');
    assert.deepEqual(own.map(({ doctorId, visits: count }) => [doctorId, count]), [[hospital.doctors[0]!.id, visits(0)]]);
    assert.deepEqual(await nodes('doctorWorkload', { doctorId: hospital.doctors[1]!.id }, 'doctor'), []);
    // Each of the others has five patients a month: ten are too few by the setting, eleven.
    const [hidden] = await nodes('departmentLoad', {}, 'doctor');
    assert.deepEqual([hidden.appointments, hidden.suppressedMonths], [null, 2]);
    await api.owner.query('update hospital_private.masking_settings set smallest_cell = 10');
    const [shown] = await nodes('departmentLoad', {}, 'doctor');
    assert.deepEqual([shown.appointments, shown.suppressedMonths], ['90', 0]);
    await api.owner.query('update hospital_private.masking_settings set smallest_cell = default');
  });

  test('billing is told the revenue', async () => {
    const [january, february] = await nodes('revenue', {}, 'billing');
    assert.equal(january.revenue, (Number(visits(undefined, '2024-01')) * 180).toFixed(2));
    assert.equal(february.revenue, (Number(visits(undefined, '2024-02')) * 180).toFixed(2));
    assert.deepEqual(await nodes('revenue', {}, 'administrator'), [january, february]);
  });

  test('nobody else is told anything', async () => {
    for (const name of ANSWERS) {
      const query = `{ ${name}(first: 5) { nodes { dataAsOf } } }`;
      for (const role of ['patient', 'reception', 'analyst', ...(name === 'revenue' ? [] : ['billing'])]) {
        assert.deepEqual(codes(await api.graphql(query, {}, tokens[role])), ['FORBIDDEN'], `${name} for ${role}`);
      }
      assert.deepEqual(codes(await api.graphql(query)), ['FORBIDDEN'], name);
    }
    for (const role of ['doctor', 'billing', 'reception']) {
      const answer = await api.graphql('mutation { refreshViews(input: {}) { refreshRequest { queuedAt } } }', {}, tokens[role]);
      assert.deepEqual(codes(answer), ['FORBIDDEN']);
      assert.deepEqual(codes(await api.graphql('{ alerts(first: 1) { nodes { kind } } }', {}, tokens[role])), ['FORBIDDEN']);
    }
  });

  test('every answer says as of when, and is stale by the clock while no worker runs', async () => {
    const [view] = await nodes('viewFreshness', {}, 'administrator');
    assert.equal(view.isStale, false);
    for (const name of ANSWERS) {
      const answers = await nodes(name, {}, 'administrator');
      assert.ok(answers.length > 0, name);
      assert.deepEqual([...new Set(answers.map(({ dataAsOf }) => dataAsOf))], [view.dataAsOf], name);
    }
    await api.owner.query(`update warehouse.view_states set data_as_of = data_as_of - interval '10 minutes'`);
    const freshness = await nodes('viewFreshness', {}, 'doctor');
    assert.deepEqual(new Set(freshness.map(({ isStale }) => isStale)), new Set([true]));
  });

  test('an administrator has them refreshed by the worker, and the alert is closed', async () => {
    await api.owner.query('select ops.check_freshness()');
    const alerts = await nodes('alerts', {}, 'administrator');
    assert.deepEqual(alerts.map(({ kind, closedAt }) => [kind, closedAt]), [['stale_answers', null]]);

    // Not at the start of the worker, when it does everything: asked for, while it runs.
    const worker = await startWorker(api.database.url('hospital_worker'));
    try {
      const isIdle = async (): Promise<boolean> => {
        const { rows: open } = await api.owner.query(
          `select from ops.job_runs where job = 'refresh_views' and outcome = 'succeeded'`,
        );
        return open.length > 0;
      };
      await until(isIdle);
      await api.owner.query(
        `update hospital.appointments set status = 'cancelled', cancellation_reason = 'patient_request'
         where id = (select min(id) from hospital.appointments where status = 'scheduled')`,
      );
      const { refreshViews } = await api.call('refreshViews', { input: {} }, tokens.administrator);
      const { queuedAt } = refreshViews.refreshRequest;
      await until(async () =>
        (await nodes('viewFreshness', {}, 'administrator')).every(({ dataAsOf }) => dataAsOf > queuedAt),
      );
      const [view] = await nodes('viewFreshness', {}, 'administrator');
      assert.deepEqual([view.isStale, view.lastRunStartedAt > queuedAt], [false, true]);
    } finally {
      await worker.stop();
    }
    await api.owner.query('select ops.check_freshness()');
    const closed = (await nodes('alerts', {}, 'administrator')).find(({ kind }) => kind === 'stale_answers');
    assert.ok(closed.closedAt >= closed.raisedAt);
  });

  test('without a queue the request is refused with a code', async () => {
    const worker = new Client({ connectionString: api.database.url('hospital_worker') });
    await worker.connect();
    await worker.query('drop function graphile_worker.queue_refresh()');
    await worker.end();
    const answer = await api.graphql('mutation { refreshViews(input: {}) { refreshRequest { queuedAt } } }', {}, tokens.administrator);
    assert.deepEqual(codes(answer), ['JOB_QUEUE_MISSING']);
  });
});
