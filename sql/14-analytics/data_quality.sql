create or replace function analytics.data_quality()
returns setof analytics.data_quality_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_role('administrator');
  return query
  select q.*
  from ops.data_quality() as q
  order by
    q.is_worse desc,
    array_position(array['critical', 'warning', 'notice'], q.severity),
    q.percent desc nulls last,
    q.check_name;
end;
$$;
comment on function analytics.data_quality() is
  'What the checks of the record last found, for administrators: what became worse first. Lends the owner''s right to read it. Raises UNAUT or PRMSN.';

create or replace function analytics.data_quality_trend(
  from_date date default null,
  until_date date default null,
  check_name text default null
)
returns setof analytics.data_quality_trend_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_role('administrator');
  return query
  select
    r.check_name,
    r.measured_at,
    r.looked_at,
    r.found
  from ops.data_quality_results as r
  where (
      data_quality_trend.from_date is null
      or r.measured_at >= data_quality_trend.from_date::timestamp at time zone 'UTC'
    )
    and (
      data_quality_trend.until_date is null
      or r.measured_at < data_quality_trend.until_date::timestamp at time zone 'UTC'
    )
    and (data_quality_trend.check_name is null or r.check_name = data_quality_trend.check_name)
  order by
    r.measured_at desc,
    r.check_name;
end;
$$;
comment on function analytics.data_quality_trend(date, date, text) is
  'What the checks of the record found from from_date and before until_date (days of UTC), newest first, for administrators. Lends the owner''s right to read it. Raises UNAUT or PRMSN.';

-- The alert is closed in the same transaction, and comes back with the next row that is found.
create or replace function analytics.acknowledge_data_quality(check_name text)
returns analytics.data_quality_row
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  answer analytics.data_quality_row;
begin
  perform hospital_private.require_role('administrator');
  update ops.data_quality_checks as c
  set acknowledged_found = r.found,
    acknowledged_at = now(),
    acknowledged_by = hospital_private.current_account_id()
  from (
    select s.found
    from ops.data_quality_results as s
    where s.check_name = acknowledge_data_quality.check_name
    order by s.measured_at desc
    limit 1
  ) as r
  where c.name = acknowledge_data_quality.check_name;
  if not found then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such check, or it was never made.',
      hint = 'Ask dataQuality for them.';
  end if;
  perform ops.keep_quality_alert(acknowledge_data_quality.check_name);
  select q.*
  into answer
  from ops.data_quality() as q
  where q.check_name = acknowledge_data_quality.check_name;
  return answer;
end;
$$;
comment on function analytics.acknowledge_data_quality(text) is
  'Says that an administrator knows what a check last found: its alert is closed until more is found. Lends the owner''s right to write it. Raises UNAUT, PRMSN or NTFND.';
