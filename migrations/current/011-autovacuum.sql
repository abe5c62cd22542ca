-- When vacuum comes, for the tables that the defaults (a fifth of the rows changed) do not fit. All other tables keep
-- the defaults: docs/monitoring.md says which were measured and why. No vacuum is ever switched off.

-- Indexed by status and time, so a change of status is never HOT and leaves an entry in every index; calendars and
-- free slots read them all. And whatever is planned lies in the newest days, which statistics of last month do not know.
alter table hospital.appointments set (
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_insert_scale_factor = 0.05,
  autovacuum_analyze_scale_factor = 0.02
);

-- The policies ask it in every request, and a refresh changes it each quarter of an hour. Nearly all of that is HOT as it
-- is, since neither column is in an index: a fillfactor was measured and refused (docs/monitoring.md).
alter table hospital_private.sessions set (autovacuum_vacuum_scale_factor = 0.05);

-- Every row is written, read and deleted within a tenth of a second, and each pass of the relay steps over the dead ones.
-- By a number and not by a share, since the share of an empty table is nothing; and at full speed, since it is small.
alter table hospital_private.live_events set (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_insert_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = 10000,
  autovacuum_vacuum_cost_delay = 0
);

-- Rows of a day, deleted by the hour or by the next ones: a fifth of a day's rows is too many dead ones among those read.
alter table hospital_private.login_failures set (autovacuum_vacuum_scale_factor = 0.05);
alter table hospital_private.idempotency_keys set (autovacuum_vacuum_scale_factor = 0.05);

-- Two versions of each run, and every start of a job looks for the newest: outcome is in the predicate of an index,
-- so room on the page would not make the update HOT.
alter table ops.job_runs set (autovacuum_vacuum_scale_factor = 0.05);

-- Written once and never changed. Whatever a vacuum visits it freezes at once, so that no page is ever visited again,
-- and the vacuum against wraparound, which nothing stops, finds nothing to do.
alter table audit.chart_accesses set (
  autovacuum_freeze_min_age = 0,
  autovacuum_vacuum_insert_scale_factor = 0.05
);
alter table audit.seals set (
  autovacuum_freeze_min_age = 0,
  autovacuum_vacuum_insert_scale_factor = 0.05
);

-- A partitioned table has no storage of its own; partitions to come get theirs from audit.maintain_partitions.
do $$
declare
  partition regclass;
begin
  for partition in
    select i.inhrelid
    from pg_catalog.pg_inherits as i
    where i.inhparent = 'audit.entries'::regclass
  loop
    execute format(
      'alter table %s set (autovacuum_freeze_min_age = 0, autovacuum_vacuum_insert_scale_factor = 0.05)',
      partition
    );
  end loop;
end;
$$;
