create or replace function audit.verify_recorders()
returns setof audit.finding
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with wanted (relation, name) as (
    select
      t.relation,
      '_900_audit_' || e.event
    from audit.audited_tables() as t (relation)
    cross join unnest(array['insert', 'update', 'delete', 'truncate']) as e (event)

    union all
    select
      k.relation::regclass,
      '_300_append_only'
    from unnest(
      array[
        'audit.seals', 'audit.eras', 'audit.retired_months',
        'audit.chart_accesses', 'audit.audit_openings', 'audit.archive_events',
        'audit.key_fingerprints'
      ]
    ) as k (relation)

    union all
    select
      p.relid,
      '_300_append_only'
    from pg_catalog.pg_partition_tree('audit.entries') as p
  )

  select
    format('trigger %s on %s', w.name, audit.name_of(w.relation)),
    case
      when t.oid is null then 'is missing'
      else 'is switched off'
    end
  from wanted as w
  left join pg_catalog.pg_trigger as t
    on t.tgrelid = w.relation
    and t.tgname = w.name
  where coalesce(t.tgenabled, 'D') not in ('O', 'A')

  union all
  select
    format('function audit.%I', audit.recorder_name(r.relation)),
    'does not record what it should: call audit.enrol_tables()'
  from audit.audited_tables() as r (relation)
  where not exists (
    select
    from pg_catalog.pg_proc as f
    join pg_catalog.pg_trigger as t
      on t.tgfoid = f.oid
    where t.tgrelid = r.relation
      and t.tgname = '_900_audit_update'
      and f.prosrc = audit.recorder_body(r.relation)
  );
$$;
comment on function audit.verify_recorders() is
  'Triggers that are missing or switched off, and recorders that were rewritten.';
