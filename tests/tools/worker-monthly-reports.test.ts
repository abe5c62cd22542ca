import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openPool } from '../../tools/worker/pool.ts';
import { runJob } from '../../tools/worker/run-job.ts';
import { makeMonthlyReports } from '../../tools/worker/tasks/make_monthly_reports.ts';
import { tokenFor } from '../api/support/hospital.ts';
import { startApi } from '../api/support/api.ts';
import { openHospital, type WorkerHospital } from '../support/worker.ts';

/** Completed appointments in the middle of past months: so many months ago, each. */
async function addPast(hospital: WorkerHospital, ...monthsAgo: number[]): Promise<void> {
  for (const months of monthsAgo) {
    const id = await hospital.book(3);
    await hospital.owner.query(
      `with kind as (insert into hospital.treatment_types (name) values ('Electrocardiogram') on conflict do nothing)
       insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status)
       select patient_id, doctor_id, appointment_type_id, date_trunc('month', now()) - $2 * interval '1 month' + interval '14 days', 'completed'
       from hospital.appointments where id = $1`,
      [id, months],
    );
    await hospital.owner.query(`delete from hospital.appointment_status_history where appointment_id = $1`, [id]).catch(() => {});
    await hospital.owner.query(`update hospital.appointments set status = 'cancelled', cancellation_reason = 'doctor_ill' where id = $1`, [id]);
  }
}

const month = (months: number): string => `to_char(date_trunc('month', now()) - ${months} * interval '1 month', 'YYYY-MM')`;

describe('the reports of past months', { concurrency: 2 }, () => {
  test('are made once for each month that is over, also of those that were missed, and by two workers at once', async (t) => {
    const hospital = await openHospital(0);
    const pool = openPool(hospital.url);
    t.after(async () => {
      await pool.end();
      await hospital.close();
    });
    await addPast(hospital, 3, 1);
    const kept = `select report || ' ' || to_char(month, 'YYYY-MM') || ' ' || format from ops.reports order by month, report, format`;
    await Promise.all([runJob(pool, makeMonthlyReports), runJob(pool, makeMonthlyReports)]);
    const expected = await hospital.column(
      `select r || ' ' || m || ' ' || f
       from unnest(array[${month(3)}, ${month(2)}, ${month(1)}]) as m, unnest(array['appointments', 'billing']) as r, unnest(array['csv', 'pdf']) as f
       order by m, r, f`,
    );
    assert.deepEqual(await hospital.column(kept), expected);
    const made = await hospital.column('select max(made_at) from ops.reports');
    await runJob(pool, makeMonthlyReports);
    assert.deepEqual(await hospital.column('select max(made_at) from ops.reports'), made);
    assert.deepEqual(
      (await hospital.column(`select affected_rows from ops.job_runs where job = 'make_monthly_reports' order by affected_rows`)).map(Number),
      [0, 0, 12],
    );
    // One that was lost is made again, alone.
    await hospital.owner.query(`delete from ops.reports where report = 'billing' and month = date_trunc('month', now()) - interval '2 months'`);
    await runJob(pool, makeMonthlyReports);
    assert.deepEqual(await hospital.column(kept), expected);
  });

  test('add up what was, by department and type, and name no patient', async (t) => {
    const hospital = await openHospital(0);
    const pool = openPool(hospital.url);
    t.after(async () => {
      await pool.end();
      await hospital.close();
    });
    await addPast(hospital, 1);
    await hospital.owner.query(
      `with visit as (
         insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at, ended_at)
         select id, patient_id, doctor_id, starts_at, ends_at from hospital.appointments where status = 'completed' returning *
       )
       insert into hospital.treatments (visit_id, patient_id, type, cost, started_at)
       select id, patient_id, 'Electrocardiogram', 12.34, started_at from visit`,
    );
    await runJob(pool, makeMonthlyReports);
    const [price] = await hospital.column(`select price from hospital.appointment_types where code = 'consultation'`);
    const [csv] = await hospital.column(`select convert_from(content, 'UTF8') from ops.reports where report = 'billing' and format = 'csv'`);
    assert.equal(
      csv,
      `facility,department,appointments,prices,treatments,total\r\nHarbor Hospital,Cardiology,1,${price},12.34,${(Number(price) + 12.34).toFixed(2)}\r\n`,
    );
    const [calendar] = await hospital.column(`select convert_from(content, 'UTF8') from ops.reports where report = 'appointments' and format = 'csv'`);
    assert.match(String(calendar), /\r\nHarbor Hospital,Cardiology,1,1,0,0,0\.5\r\n$/);
    const [pdf] = await hospital.column(`select content from ops.reports where report = 'billing' and format = 'pdf'`);
    assert.equal((pdf as Buffer).subarray(0, 5).toString(), '%PDF-');
    // A later correction changes no report that was made.
    await hospital.owner.query(`update hospital.treatments set voided_at = now(), void_reason = 'Wrong'`);
    await runJob(pool, makeMonthlyReports);
    assert.deepEqual(await hospital.column(`select convert_from(content, 'UTF8') from ops.reports where report = 'billing' and format = 'csv'`), [csv]);
  });

  test('are kept for thirteen months', async (t) => {
    const hospital = await openHospital(0);
    const pool = openPool(hospital.url);
    t.after(async () => {
      await pool.end();
      await hospital.close();
    });
    await hospital.owner.query(
      `insert into ops.reports (report, month, format, content, data_as_of)
       select 'billing', (date_trunc('month', now() at time zone 'UTC') - m * interval '1 month')::date, 'csv', 'x', now()
       from unnest(array[13, 14]) as m`,
    );
    await addPast(hospital, 1);
    await runJob(pool, makeMonthlyReports);
    assert.deepEqual(await hospital.column(`select count(*)::integer from ops.reports where month < now() - interval '12 months'`), [1]);
  });

  test('are fetched by administrators and by nobody else', async (t) => {
    const api = await startApi();
    const hospital = { ...api, database: api.database };
    const pool = openPool(api.database.url('hospital_worker'));
    t.after(() => pool.end());
    await hospital.owner.query(
      `insert into ops.reports (report, month, format, content, data_as_of) values ('billing', '2025-10-01', 'csv', 'a,b', '2025-11-01Z')`,
    );
    const tokens: Record<string, string> = {};
    for (const role of ['administrator', 'billing', 'auditor', 'reception']) {
      const { rows } = await hospital.owner.query(
        `with facility as (insert into hospital.facilities (name, time_zone) values ('F ' || $1, 'UTC') returning id),
         department as (insert into hospital.departments (facility_id, name) select id, 'D' from facility returning id),
         member as (
           insert into hospital.staff_members (given_name, family_name, job, department_id, hired_on)
           select 'A', 'B', 'administrator', id, '2020-01-01' from department returning id
         ),
         account as (
           insert into hospital_private.accounts (email, password_hash, staff_member_id)
           select $1 || '@x.example', hospital_private.hash_password('a long password'), id from member returning id
         )
         insert into hospital_private.account_roles (account_id, role) select id, $1 from account returning account_id`,
        [role],
      );
      tokens[role] = await tokenFor(hospital.owner, { id: '', email: '', accountId: rows[0].account_id }, role);
    }
    const get = async (file: string, role?: string): Promise<[number, string]> => {
      const headers: Record<string, string> = role ? { authorization: `Bearer ${tokens[role]}` } : {};
      const answer = await fetch(new URL(`/reports/monthly${file}`, api.url), { headers });
      return [answer.status, await answer.text()];
    };
    const [status, list] = await get('', 'administrator');
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(list).reports, [
      { report: 'billing', month: '2025-10', format: 'csv', bytes: '3', dataAsOf: '2025-11-01T00:00:00.000Z', path: '/reports/monthly/billing-2025-10.csv' },
    ]);
    assert.deepEqual(await get('/billing-2025-10.csv', 'administrator'), [200, 'a,b']);
    assert.equal((await get('/billing-2025-10.pdf', 'administrator'))[0], 404);
    assert.equal((await get('/billing-2025-13.csv', 'administrator'))[0], 400);
    for (const role of ['billing', 'auditor', 'reception']) {
      assert.equal((await get('', role))[0], 403, role);
      assert.equal((await get('/billing-2025-10.csv', role))[0], 403, role);
    }
    assert.equal((await get('/billing-2025-10.csv'))[0], 401);
  });
});
