import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

describe('hospital_worker', () => {
  let database: TestDatabase;
  let worker: Client;

  before(async () => {
    database = await cloneDatabase();
    worker = new Client({ connectionString: database.url('hospital_worker') });
    await worker.connect();
  });
  after(async () => {
    await worker.end();
    await database.drop();
  });

  const refused = (sql: string): Promise<void> => assert.rejects(worker.query(sql), { code: '42501' }, sql);

  test('may not read or write patients, messages, accounts or its own runs', async () => {
    await refused('select from hospital.patients');
    await refused(`insert into hospital.patients (given_name) values ('x')`);
    await refused('select from hospital.notifications');
    await refused('delete from hospital.notifications');
    await refused('select from hospital_private.accounts');
    await refused('select from ops.job_runs');
    await refused(`update ops.job_runs set outcome = 'succeeded'`);
  });

  test('has no right on any table but those of its queue', async () => {
    const { rows } = await worker.query(
      `select c.oid::regclass::text as name
       from pg_class as c
       join pg_namespace as n on n.oid = c.relnamespace
       where n.nspname not in ('pg_catalog', 'information_schema', 'graphile_worker', 'tap', 'tests')
         and n.nspname !~ '^pg_'
         and c.relkind in ('r', 'p', 'v', 'm', 'f')
         and (
           has_table_privilege(c.oid, 'select, insert, update, delete, truncate, references, trigger')
           or has_any_column_privilege(c.oid, 'select, insert, update, references')
         )`,
    );
    assert.deepEqual(rows, []);
  });

  test('may execute the functions of its jobs and those that tell changes, and no other', async () => {
    const { rows } = await worker.query({
      text: `select p.oid::regproc::text
             from pg_proc as p
             join pg_namespace as n on n.oid = p.pronamespace
             where n.nspname in
                 ('hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops')
               and has_schema_privilege(n.oid, 'usage')
               and has_function_privilege(p.oid, 'execute')
             order by 1`,
      rowMode: 'array',
    });
    assert.deepEqual(rows.flat(), [
      'ops.acknowledge_change_events',
      'ops.check_backups',
      'ops.check_data_quality',
      'ops.check_freshness',
      'ops.claim_notification',
      'ops.consumer_lags',
      'ops.enter_job_run',
      'ops.expire_holds',
      'ops.fail_job_run',
      'ops.finish_job_run',
      'ops.is_still_to_be_sent',
      'ops.keep_report',
      'ops.leave_job_run',
      'ops.load_warehouse',
      'ops.maintain_partitions',
      'ops.mark_notification_sent',
      'ops.monthly_appointments',
      'ops.monthly_appointments_figures',
      'ops.monthly_billing',
      'ops.monthly_billing_figures',
      'ops.monthly_heading',
      'ops.note_delivery_failure',
      'ops.offer_waitlist',
      'ops.publish_aggregates',
      'ops.read_change_events',
      'ops.refresh_views',
      'ops.reports_due',
      'ops.seal_audit',
      'ops.send_reminders',
      'ops.start_job_run',
      'ops.tidy_records',
      'ops.verify_audit_chain',
      'ops.withdraw_untrue_notifications',
    ]);
  });

  test('may become nobody else and create nothing outside its schema', async () => {
    const { rows } = await worker.query(
      `select rolname from pg_roles where rolname <> current_user and pg_has_role(oid, 'member')`,
    );
    assert.deepEqual(rows, []);
    await refused('create schema own');
    await refused('create table public.own (id integer)');
  });
});
