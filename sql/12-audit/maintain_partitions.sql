-- Months are made ahead. If nobody does it for long, entries go into the default partition and stay
-- there: a write never waits for a partition.
create or replace function audit.maintain_partitions()
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  month timestamp;
  partition text;
  made bigint := 0::bigint;
begin
  perform pg_advisory_xact_lock(hashtext('audit.maintain_partitions'));
  for month in
    select generate_series(m.this, m.this + interval '3 months', interval '1 month')
    from (select date_trunc('month', now() at time zone 'UTC')) as m (this)
  loop
    partition := 'entries_' || to_char(month, 'YYYY_MM');
    continue when to_regclass('audit.' || partition) is not null
      or exists (
        select
        from audit.entries_default as d
        where d.recorded_at >= month at time zone 'UTC'
          and d.recorded_at < (month + interval '1 month') at time zone 'UTC'
      );
    -- Attached and not created in place: that would hold up every writer.
    execute format(
      'create table audit.%I (like audit.entries including defaults including constraints) '
        -- Frozen by the first vacuum that comes by, since nothing in it changes any more.
        'with (autovacuum_freeze_min_age = 0, autovacuum_vacuum_insert_scale_factor = 0.05)',
      partition
    );
    execute format(
      'alter table audit.entries attach partition audit.%I for values from (%L) to (%L)',
      partition,
      month at time zone 'UTC',
      (month + interval '1 month') at time zone 'UTC'
    );
    execute format(
      'create trigger _300_no_truncate before truncate on audit.%I '
        'for each statement execute function audit.keep_append_only()',
      partition
    );
    made := made + 1;
  end loop;
  return made;
end;
$$;
comment on function audit.maintain_partitions() is
  'Makes the audit''s partitions for this month and the three to come, and returns how many were missing.';

create or replace function ops.maintain_partitions()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select audit.maintain_partitions();
$$;
comment on function ops.maintain_partitions() is
  'Job: makes partitions ahead of time and returns how many it made. Lends the worker the owner''s right to create them.';
