-- What is tidied away after ninety days, and what stays for ever.
begin;
select no_plan();
select tests.world();

insert into ops.job_runs (job, started_at, finished_at, outcome, affected_rows, error_code)
values
  ('probe', now() - interval '200 days', now() - interval '200 days', 'succeeded', 1, null),
  ('probe', now() - interval '100 days', now() - interval '100 days', 'failed', null, 'P0001'),
  ('probe', now() - interval '95 days', null, 'running', null, null),
  ('probe', now() - interval '89 days', now() - interval '89 days', 'succeeded', 1, null),
  ('given up', now() - interval '300 days', now() - interval '300 days', 'failed', null, 'P0001'),
  ('given up', now() - interval '200 days', now() - interval '200 days', 'succeeded', 1, null),
  ('given up', now() - interval '199 days', now() - interval '199 days', 'failed', null, 'P0001');

create function pg_temp.session(email text, ended interval) returns uuid
language sql
as $$
  insert into hospital_private.sessions (account_id, role, secret_hash, created_at, access_expires_at, expires_at)
  select a.id, r.role, decode(repeat('00', 32), 'hex'), now() - session.ended - interval '12 hours', now() - session.ended, now() - session.ended
  from hospital_private.accounts as a
  join hospital_private.account_roles as r
    on r.account_id = a.id
  where a.email = session.email
  limit 1
  returning id;
$$;
select tests.authenticate_as('dora@example.test', 'doctor');
select hospital.open_chart(tests.id_of('ann'));
select set_config('tests.looked', current_setting('infirmary.session_id'), true);
select tests.clear_authentication();
create temporary table kept as
select
  pg_temp.session('ann@example.test', interval '91 days') as old,
  pg_temp.session('ann@example.test', interval '89 days') as recent,
  current_setting('tests.looked')::uuid as looked;
update hospital_private.sessions as s
set access_expires_at = now() - interval '91 days',
  expires_at = now() - interval '91 days'
where s.id = current_setting('tests.looked')::uuid;
insert into hospital_private.refresh_tokens (token_hash, session_id)
select decode(repeat('11', 32), 'hex'), k.old
from kept as k;
select is((select count(*) from audit.chart_openings as o join kept as k on k.looked = o.session_id), 1::bigint, 'A session took part in a look at a chart.');

insert into staging.import_runs (source, directory, loaded_at)
values ('synthea', 'old', now() - interval '91 days'), ('synthea', 'recent', now() - interval '89 days');
insert into staging.import_rejects (run_id, file, line, reason, record)
select r.id, 'patients', 2, 'bad_uuid', '{}'
from staging.import_runs as r
where r.directory in ('old', 'recent');
insert into staging.import_files (run_id, file, is_present, read, loaded, already_there, rejected)
select r.id, 'patients', true, 1, 0, 0, 1
from staging.import_runs as r
where r.directory in ('old', 'recent');

set local role hospital_worker;
select is(ops.tidy_records(), 5::bigint, 'Three runs, a session and a line of an import are tidied away.');
select is(ops.tidy_records(), 0::bigint, 'A second time there is nothing to do.');
select throws_ok('delete from ops.job_runs', '42501', null, 'The worker deletes nothing else.');
reset role;

select is(
  array(select r.outcome from ops.job_runs as r where r.job = 'probe' order by r.started_at),
  '{running,succeeded}', 'Of a job that runs the recent ones stay, and what has not ended,'
);
select is(
  array(select r.outcome from ops.job_runs as r where r.job = 'given up' order by r.started_at),
  '{succeeded,failed}', 'of one that runs no more its last success, and what came after.'
);
select is(
  array(
    select case s.id when k.recent then 'recent' when k.looked then 'looked' else 'old' end
    from hospital_private.sessions as s
    join kept as k
      on s.id in (k.old, k.recent, k.looked)
    order by 1
  ),
  '{looked,recent}', 'Sessions stay that ended lately, and those that saw a chart: they tell a patient until when.'
);
select is(
  (select count(*) from hospital_private.refresh_tokens as t join kept as k on k.old = t.session_id), 0::bigint,
  'Their refresh tokens go along.'
);
select is(
  (select e.operation from audit.entries as e join kept as k on e.row_key = k.old::text where e.table_name = 'hospital_private.sessions' order by e.sequence desc limit 1),
  'delete', 'That a session was deleted is on record.'
);
select is(
  array(select r.directory from staging.import_rejects as j join staging.import_runs as r on r.id = j.run_id),
  '{recent}', 'Refused lines of an old import go,'
);
select is(
  (select count(*) from staging.import_files as f join staging.import_runs as r on r.id = f.run_id where r.directory = 'old'), 1::bigint,
  'and how many they were stays.'
);
select * from finish();
rollback;
