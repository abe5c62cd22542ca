-- Months that are whole are read as such: of a department or all from one view, of one doctor from the view
-- by doctor.
create or replace function analytics.monthly_visits(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.monthly_visits_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Planning takes longer than running, and one plan suits every question.
set plan_cache_mode = force_generic_plan
as $$
declare
  reader constant warehouse.reader := warehouse.current_reader('administrator', 'doctor');
  is_of_one_doctor constant boolean := monthly_visits.doctor_id is not null or not reader.sees_all;
begin
  -- By 0 the view means all departments.
  if monthly_visits.department_id = 0 then
    return;
  end if;
  return query
  with
  pieces as materialized (
    select
      case p.grain when 'all' then 'month' else p.grain end as grain,
      p.first_day,
      p.end_day
    from warehouse.pieces(monthly_visits.from_date, monthly_visits.until_date) as p
  ),
  counted as (
    select
      m.month,
      m.visits
    from pieces as p
    join warehouse.mv_monthly_visits as m
      on m.month >= p.first_day
      and m.month < p.end_day
    where not is_of_one_doctor
      and p.grain = 'month'
      and m.department_id = coalesce(monthly_visits.department_id, 0)
    union all
    select
      m.first_day,
      m.visits
    from pieces as p
    join warehouse.mv_top_doctors as m
      on m.grain = p.grain
      and m.first_day >= p.first_day
      and m.first_day < p.end_day
    where is_of_one_doctor
      and (reader.sees_all or m.doctor_id = reader.doctor_id)
      and (monthly_visits.department_id is null or m.department_id = monthly_visits.department_id)
      and (monthly_visits.doctor_id is null or m.doctor_id = monthly_visits.doctor_id)
    union all
    select
      v.month,
      1
    from pieces as p
    cross join lateral (
      select *
      from warehouse.counted_visits as f
      where f.day >= p.first_day
        and f.day < p.end_day
      -- A fence: the days are found by their index, whatever else is asked.
      offset 0
    ) as v
    where p.grain = 'day'
      and (reader.sees_all or v.doctor_id = reader.doctor_id)
      and (monthly_visits.department_id is null or v.department_id = monthly_visits.department_id)
      and (monthly_visits.doctor_id is null or v.doctor_id = monthly_visits.doctor_id)
  )
  select
    c.month,
    sum(c.visits)::bigint,
    s.data_as_of
  from counted as c
  join warehouse.view_states as s
    on s.view_name = 'mv_monthly_visits'
  group by
    c.month,
    s.data_as_of
  order by c.month;
end;
$$;
comment on function analytics.monthly_visits(date, date, bigint, bigint) is
  'Visits of each month from from_date and before until_date: to an administrator all, to a doctor his own. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';
