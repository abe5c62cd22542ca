-- Read by `infirmary serve` for /metrics, every few seconds at most. Instants and not ages: a number that was kept
-- for some seconds is still true. What has never been is 0, so that a rule on its age speaks up.
create or replace function ops.hospital_figures()
returns setof ops.figure
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Nothing is told of single runs but of the newest: what it cost to read must not grow with the years.
  return query
  with recursive
  jobs (name) as (
    (
      select r.job
      from ops.job_runs as r
      order by r.job
      limit 1
    )
    union all
    select (
      select r.job
      from ops.job_runs as r
      where r.job > j.name
      order by r.job
      limit 1
    )
    from jobs as j
    where j.name is not null
  ),

  states as (
    select
      j.name,
      succeeded.finished_at as succeeded_at,
      (
        select count(*)
        from (
          select r.outcome
          from ops.job_runs as r
          where r.job = j.name
            and r.started_at > coalesce(succeeded.started_at, '-infinity')
          order by r.started_at desc
          limit 1000
        ) as r
        where r.outcome in ('failed', 'abandoned')
      ) as failures
    from jobs as j
    left join lateral (
      select
        r.started_at,
        r.finished_at
      from ops.job_runs as r
      where r.job = j.name
        and r.outcome = 'succeeded'
      order by r.started_at desc
      limit 1
    ) as succeeded
      on true
    where j.name is not null
  )

  select
    f.name,
    s.name,
    f.value::double precision
  from states as s
  cross join lateral (
    values
      ('job_last_success_timestamp_seconds', coalesce(extract(epoch from s.succeeded_at), 0)),
      ('job_failures_in_a_row', s.failures)
  ) as f (name, value);

  return query
  select
    f.name,
    null::text,
    coalesce(extract(epoch from f.at), 0)::double precision
  from (
    values
      (
        'backup_last_timestamp_seconds',
        (
          select max(b.finished_at)
          from ops.backups as b
          where b.removed_at is null
        )
      ),
      (
        'backup_last_verified_timestamp_seconds',
        (
          select max(b.verified_at)
          from ops.backups as b
          where b.removed_at is null
            and b.problems = 0
        )
      ),
      (
        'backup_drill_last_passed_timestamp_seconds',
        (
          select max(d.finished_at)
          from ops.backup_drills as d
          where d.passed
        )
      ),
      -- The oldest of the answers: one that is behind is what somebody reads.
      (
        'warehouse_data_as_of_timestamp_seconds',
        (
          select case when bool_and(s.data_as_of is not null) then min(s.data_as_of) end
          from warehouse.view_states as s
        )
      ),
      (
        'audit_last_sealed_timestamp_seconds',
        (
          select s.sealed_at
          from audit.seals as s
          order by s.block desc
          limit 1
        )
      ),
      -- Nothing to seal is no delay, however long ago the last seal is.
      (
        'audit_unsealed_since_timestamp_seconds',
        (
          select e.recorded_at
          from audit.entries as e
          where e.era = (select max(r.era) from audit.eras as r)
            and (e.transaction_id, e.sequence) > (
              select
                s.last_transaction_id,
                s.last_sequence
              from (
                select
                  s.block,
                  s.last_transaction_id,
                  s.last_sequence
                from audit.seals as s
                where s.era = (select max(r.era) from audit.eras as r)
                union all
                -- Before the first seal everything waits.
                values (0::bigint, '0'::xid8, 0::bigint)
              ) as s
              order by s.block desc
              limit 1
            )
          order by e.transaction_id, e.sequence
          limit 1
        )
      )
  ) as f (name, at);

  return query
  select
    'backup_last_drill_passed',
    null::text,
    d.passed::integer::double precision
  from ops.backup_drills as d
  order by d.finished_at desc
  limit 1;

  -- A run that failed for another reason has found out nothing.
  return query
  select
    'audit_chain_holds',
    null::text,
    (r.outcome = 'succeeded')::integer::double precision
  from ops.job_runs as r
  where r.job = 'verify_audit_chain'
    and (r.outcome = 'succeeded' or r.error_code = 'VERIF')
  order by r.started_at desc
  limit 1;

  return query
  select
    'alerts_open',
    k.code,
    count(a.id)::double precision
  from ops.alert_kinds as k
  left join ops.alerts as a
    on a.kind = k.code
    and a.closed_at is null
  group by k.code;

  -- The queue belongs to the worker, who installs it after the migrations.
  if to_regprocedure('graphile_worker.queue_figures()') is not null then
    return query execute 'select f.name, f.label, f.value from graphile_worker.queue_figures() as f';
  end if;
end;
$$;
comment on function ops.hospital_figures() is
  'Figures about jobs, backups, the warehouse and the audit. Lends hospital_monitor the owner''s right to read when they last succeeded.';
