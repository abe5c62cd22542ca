-- Which tables are vacuumed otherwise than the server would.
begin;
select no_plan();
create function pg_temp.settings(relation regclass) returns text[]
language sql
as $$
  select c.reloptions from pg_catalog.pg_class as c where c.oid = settings.relation;
$$;
select is(
  array(
    select i.inhrelid::regclass::text
    from pg_catalog.pg_inherits as i
    where i.inhparent = 'audit.entries'::regclass
      and not pg_temp.settings(i.inhrelid) @> array['autovacuum_freeze_min_age=0', 'autovacuum_vacuum_insert_scale_factor=0.05']
  ),
  '{}', 'Every partition of the audit is frozen as soon as a vacuum comes by.'
);
select ok(
  (select count(*) > 1 from pg_catalog.pg_inherits as i where i.inhparent = 'audit.entries'::regclass),
  'There are some.'
);
-- One that is missing is made the same way.
do $$
declare
  last regclass := (
    select max(i.inhrelid::regclass::text)::regclass
    from pg_catalog.pg_inherits as i
    where i.inhparent = 'audit.entries'::regclass
      and i.inhrelid <> 'audit.entries_default'::regclass
  );
begin
  execute format('alter table audit.entries detach partition %s', last);
  execute format('drop table %s', last);
end;
$$;
select is(audit.maintain_partitions(), 1::bigint, 'A month that is missing is made,');
select is(
  (
    select count(*)
    from pg_catalog.pg_inherits as i
    where i.inhparent = 'audit.entries'::regclass
      and not pg_temp.settings(i.inhrelid) @> array['autovacuum_freeze_min_age=0']
  ),
  0::bigint, 'and is frozen like the others.'
);
select is(
  array(
    select c.oid::regclass::text
    from pg_catalog.pg_class as c
    where c.reloptions::text ~ 'autovacuum_enabled=(false|off|0)'
  ),
  '{}', 'No vacuum is switched off anywhere.'
);
select is(
  array(
    select t.name
    from unnest(array[
      'hospital.appointments', 'hospital_private.sessions', 'hospital_private.live_events',
      'hospital_private.login_failures', 'hospital_private.idempotency_keys', 'ops.job_runs',
      'audit.chart_accesses', 'audit.seals'
    ]) as t (name)
    where pg_temp.settings(t.name::regclass)::text !~ 'autovacuum_'
  ),
  '{}', 'Tables that are written all the time have settings of their own.'
);
select * from finish();
rollback;
