import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Client } from 'pg';
import { runJob } from '../../tools/worker/run-job.ts';
import { openPool } from '../../tools/worker/pool.ts';
import { checkDataQuality } from '../../tools/worker/tasks/check_data_quality.ts';
import { codes, startApi, type TestApi } from './support/api.ts';
import { addStaff, furnish, tokenFor, type Hospital } from './support/hospital.ts';

describe('data quality, through the API', { concurrency: 1 }, () => {
  let api: TestApi;
  let hospital: Hospital;
  let administrator: string;
  const check = 'patients_without_contact';

  /** Runs the job as the worker does. */
  const measure = async (): Promise<void> => {
    const pool = openPool(api.database.url('hospital_worker'));
    await runJob(pool, checkDataQuality).finally(() => pool.end());
  };
  const ask = async (name: string, variables: object = {}): Promise<any> =>
    (await api.call(name, variables, administrator))[name];
  const found = async (): Promise<any> => (await ask('dataQuality')).nodes.find((row: any) => row.checkName === check);
  const isAlerted = async (): Promise<boolean> =>
    (await ask('alerts')).nodes.some((alert: any) => alert.kind === `quality_${check}` && alert.closedAt === null);

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 1, patients: 3 });
    administrator = await tokenFor(api.owner, await addStaff(api.owner, hospital, 'administrator', 'administrator'), 'administrator');
    await api.owner.query('delete from hospital.contact_points where patient_id is not null');
  });

  test('an administrator sees every check before it was ever made, and after', async () => {
    const before = await found();
    assert.deepEqual([before.measuredAt, before.found, before.isWorse], [null, null, false]);
    await measure();
    const { nodes } = await ask('dataQuality');
    const { rows } = await api.owner.query('select name from ops.data_quality_checks order by 1');
    assert.deepEqual(nodes.map((row: any) => row.checkName).sort(), rows.map(({ name }) => name));
    assert.equal(nodes[0].checkName, check, 'what became worse comes first');
    const { found: count, percent, isWorse, sampleKeys, ofTable } = nodes[0];
    assert.deepEqual([count, percent, isWorse, ofTable], ['3', 100, true, 'hospital.patients']);
    assert.deepEqual([...sampleKeys].sort(), hospital.patients.map(({ id }) => id).sort());
  });

  test('what he acknowledges is quiet until it becomes worse', async () => {
    assert.equal(await isAlerted(), true);
    const { dataQualityRow } = await ask('acknowledgeDataQuality', { input: { checkName: check } });
    assert.deepEqual([dataQualityRow.acknowledgedFound, dataQualityRow.isWorse], ['3', false]);
    assert.equal(await isAlerted(), false);
    await measure();
    assert.equal(await isAlerted(), false);
    await api.owner.query(
      `insert into hospital.patients (given_name, family_name, date_of_birth, sex) values ('New', 'Comer', '1990-01-01', 'female')`,
    );
    await measure();
    assert.equal(await isAlerted(), true);
    const { nodes } = await ask('dataQualityTrend', { checkName: check });
    assert.deepEqual(nodes.map((row: any) => row.found), ['4', '3', '3']);
    assert.deepEqual((await ask('dataQualityTrend', { checkName: check, untilDate: '2020-01-01' })).nodes, []);
  });

  test('a check that is not there is not found', async () => {
    const answer = await api.graphql('mutation { acknowledgeDataQuality(input: {checkName: "nonsense"}) { dataQualityRow { found } } }', {}, administrator);
    assert.deepEqual(codes(answer), ['NOT_FOUND']);
  });

  test('nobody else is told', async () => {
    const others = {
      patient: await tokenFor(api.owner, hospital.patients[0]!, 'patient'),
      doctor: await tokenFor(api.owner, hospital.doctors[0]!, 'doctor'),
      reception: await tokenFor(api.owner, await addStaff(api.owner, hospital, 'reception', 'receptionist'), 'reception'),
      analyst: await tokenFor(api.owner, await addStaff(api.owner, hospital, 'analyst', 'analyst'), 'analyst'),
    };
    for (const [role, token] of Object.entries(others)) {
      for (const query of [
        '{ dataQuality(first: 1) { nodes { checkName } } }',
        '{ dataQualityTrend(first: 1) { nodes { checkName } } }',
        `mutation { acknowledgeDataQuality(input: {checkName: "${check}"}) { dataQualityRow { found } } }`,
      ]) {
        assert.deepEqual(codes(await api.graphql(query, {}, token)), ['FORBIDDEN'], role);
      }
    }
  });

  test('two workers at once leave two results and one alert', async () => {
    await Promise.all([measure(), measure()]);
    const { rows } = await api.owner.query(
      `select count(*)::integer as open from ops.alerts where kind = 'quality_${check}' and closed_at is null`,
    );
    assert.deepEqual(rows, [{ open: 1 }]);
    const client = new Client({ connectionString: api.database.url('hospital_worker') });
    await client.connect();
    await assert.rejects(client.query('select from ops.data_quality_results'), { code: '42501' }).finally(() => client.end());
  });
});
