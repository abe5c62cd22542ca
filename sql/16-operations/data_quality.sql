-- A check is a view ops.quality_<name> of (row_key, is_wrong), one row for each row that is looked at, so that
-- who mends asks the same view which rows they are. Here is said what it is for; the alert of a check that
-- became worse is one of ops.alerts.
create or replace procedure ops.define_quality_check(
  name text,
  severity text,
  of_table regclass,
  question text,
  remedy text
)
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  view_name constant text := 'quality_' || define_quality_check.name;
begin
  execute format('comment on view ops.%I is %L', view_name, define_quality_check.question);
  execute format('comment on column ops.%I.row_key is ''The key of the row.''', view_name);
  execute format('comment on column ops.%I.is_wrong is ''Whether it is found.''', view_name);
  insert into ops.data_quality_checks as c (name, severity, of_table, question, remedy)
  values (
    define_quality_check.name,
    define_quality_check.severity,
    audit.name_of(define_quality_check.of_table),
    define_quality_check.question,
    define_quality_check.remedy
  )
  on conflict on constraint data_quality_checks_pkey do update
  set severity = excluded.severity,
    of_table = excluded.of_table,
    question = excluded.question,
    remedy = excluded.remedy;
  insert into ops.alert_kinds as k (code, description)
  values (view_name, define_quality_check.question || ' ' || define_quality_check.remedy)
  on conflict (code) do update
  set description = excluded.description;
end;
$$;
comment on procedure ops.define_quality_check(text, text, regclass, text, text) is
  'Says what the view ops.quality_<name> is for, and lets the nightly job ask it.';

-- What is found is told in numbers and keys. Of everything that was acknowledged, as much is forgotten as was mended.
create or replace function ops.check_data_quality()
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  known ops.data_quality_checks;
  result ops.data_quality_results;
  written bigint := 0::bigint;
begin
  for known in
    select *
    from ops.data_quality_checks as c
    order by c.name
    for update
  loop
    execute format(
      $query$
        select
          count(*),
          count(*) filter (where q.is_wrong),
          array(
            select s.row_key
            from ops.%1$I as s
            where s.is_wrong
            order by s.row_key desc
            limit 10
          )
        from ops.%1$I as q
      $query$,
      'quality_' || known.name
    )
    into result.looked_at, result.found, result.sample_keys;
    insert into ops.data_quality_results (check_name, looked_at, found, sample_keys)
    values (known.name, result.looked_at, result.found, result.sample_keys);
    update ops.data_quality_checks as c
    set acknowledged_found = result.found
    where c.name = known.name
      and c.acknowledged_found > result.found;
    perform ops.keep_quality_alert(known.name);
    written := written + 1;
  end loop;
  return written;
end;
$$;
comment on function ops.check_data_quality() is
  'Job: asks every check of the record, keeps what it found and raises or closes its alert; returns how many there are. Lends the worker the owner''s right to read the record and to write what was found.';

create or replace function ops.keep_quality_alert(check_name text)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with
  found as (
    select
      'quality_' || c.name as kind,
      c.severity <> 'notice' and r.found > c.acknowledged_found as is_worse
    from ops.data_quality_checks as c
    cross join lateral (
      select s.found
      from ops.data_quality_results as s
      where s.check_name = c.name
      order by s.measured_at desc
      limit 1
    ) as r
    where c.name = keep_quality_alert.check_name
  ),
  closed as (
    update ops.alerts as a
    set closed_at = greatest(now(), a.raised_at)
    from found as f
    where a.kind = f.kind
      and a.closed_at is null
      and not f.is_worse
  )
  insert into ops.alerts (kind)
  select f.kind
  from found as f
  where f.is_worse
  on conflict (kind) where closed_at is null do nothing;
$$;
comment on function ops.keep_quality_alert(text) is
  'Raises the alert of a check that found more than is acknowledged, or closes it.';

create or replace function ops.data_quality()
returns setof analytics.data_quality_row
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    c.name,
    c.severity,
    c.of_table,
    c.question,
    c.remedy,
    r.measured_at,
    r.looked_at,
    r.found,
    (100.0 * r.found / nullif(r.looked_at, 0))::double precision,
    r.found_before,
    c.acknowledged_found,
    c.acknowledged_at,
    coalesce(r.found > c.acknowledged_found, false),
    r.sample_keys
  from ops.data_quality_checks as c
  left join lateral (
    select
      s.*,
      lead(s.found) over (order by s.measured_at desc) as found_before
    from ops.data_quality_results as s
    where s.check_name = c.name
    order by s.measured_at desc
    limit 1
  ) as r
    on true;
$$;
comment on function ops.data_quality() is
  'Every check of the record with what it last found.';
