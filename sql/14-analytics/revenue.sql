-- The view holds the sums that are asked for: of a department or all (0), of a doctor or all (0).
create or replace function analytics.revenue(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.revenue_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Planning takes longer than running, and one plan suits every question.
set plan_cache_mode = force_generic_plan
as $$
declare
  reader constant warehouse.reader :=
    warehouse.current_reader('administrator', 'billing', 'doctor');
begin
  -- By 0 the view means all departments or doctors.
  if 0 in (revenue.department_id, revenue.doctor_id) or revenue.doctor_id <> reader.doctor_id then
    return;
  end if;
  return query
  with
  pieces as materialized (
    select *
    from warehouse.pieces(revenue.from_date, revenue.until_date)
  ),
  charged as (
    select
      m.month,
      m.appointments,
      m.appointment_revenue,
      m.treatments,
      m.treatment_revenue
    from pieces as p
    join warehouse.mv_revenue as m
      on m.month >= p.first_day
      and m.month < p.end_day
    where p.grain <> 'day'
      and m.department_id = coalesce(revenue.department_id, 0)
      and m.doctor_id = coalesce(reader.doctor_id, revenue.doctor_id, 0)
    union all
    select
      c.month,
      c.appointments,
      c.appointment_revenue,
      c.treatments,
      c.treatment_revenue
    from pieces as p
    cross join lateral (
      select *
      from warehouse.charges as f
      where f.day >= p.first_day
        and f.day < p.end_day
      -- A fence: the days are found by their index, whatever else is asked.
      offset 0
    ) as c
    where p.grain = 'day'
      and (reader.sees_all or c.doctor_id = reader.doctor_id)
      and (revenue.department_id is null or c.department_id = revenue.department_id)
      and (revenue.doctor_id is null or c.doctor_id = revenue.doctor_id)
  )
  select
    c.month,
    sum(c.appointments)::bigint,
    sum(c.appointment_revenue)::numeric(14,2),
    sum(c.treatments)::bigint,
    sum(c.treatment_revenue)::numeric(14,2),
    sum(c.appointment_revenue + c.treatment_revenue)::numeric(14,2),
    s.data_as_of
  from charged as c
  join warehouse.view_states as s
    on s.view_name = 'mv_revenue'
  group by
    c.month,
    s.data_as_of
  order by c.month;
end;
$$;
comment on function analytics.revenue(date, date, bigint, bigint) is
  'What was charged in each month from from_date and before until_date: to an administrator and to billing all, to a doctor what he earned. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';
