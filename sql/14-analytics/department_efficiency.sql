-- Which departments, and of them which months, is decided by department_counts and department_months; the
-- rest follows them.
create or replace function analytics.department_efficiency(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.department_efficiency_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Planning takes longer than running, and one plan suits every question.
set plan_cache_mode = force_generic_plan
as $$
declare
  reader constant warehouse.reader := warehouse.current_reader('administrator', 'doctor');
  is_exact constant boolean := reader.sees_all or department_efficiency.doctor_id is not null;
begin
  return query
  with
  counted as materialized (
    select c.*
    from warehouse.department_counts(
      reader,
      department_efficiency.from_date,
      department_efficiency.until_date,
      department_efficiency.department_id,
      department_efficiency.doctor_id
    ) as c
  ),
  pieces as materialized (
    select
      p.grain,
      p.first_day,
      p.end_day
    from warehouse.pieces(department_efficiency.from_date, department_efficiency.until_date) as p
    where is_exact
    union all
    select
      'month',
      m.month,
      m.month + 1
    from warehouse.department_months(
      reader, department_efficiency.from_date, department_efficiency.until_date
    ) as m
    where not is_exact
      and m.is_told
  ),
  waits as (
    select
      m.department_id,
      m.wait_minutes,
      m.patients
    from pieces as p
    join warehouse.mv_department_efficiency as m
      on m.grain = p.grain
      and m.first_day >= p.first_day
      and m.first_day < p.end_day
    where department_efficiency.doctor_id is null
    union all
    select
      a.department_id,
      a.wait_minutes,
      1
    from pieces as p
    cross join lateral (
      select *
      from warehouse.counted_appointments as f
      where f.day >= p.first_day
        and f.day < p.end_day
      -- A fence: the days are found by their index, whatever else is asked.
      offset 0
    ) as a
    where department_efficiency.doctor_id is null
      and p.grain = 'day'
      and a.wait_minutes is not null
    union all
    select
      a.department_id,
      a.wait_minutes,
      1
    from pieces as p
    join warehouse.counted_appointments as a
      on a.day >= p.first_day
      and a.day < p.end_day
    where a.doctor_id = department_efficiency.doctor_id
      and a.wait_minutes is not null
  ),
  -- How many waited so long or less, and how many in all.
  ranked as (
    select
      w.department_id,
      w.wait_minutes,
      sum(sum(w.patients)) over (partition by w.department_id order by w.wait_minutes) as so_far,
      sum(sum(w.patients)) over (partition by w.department_id) as in_all
    from waits as w
    group by
      w.department_id,
      w.wait_minutes
  ),
  percentiles as (
    select
      r.department_id,
      min(r.wait_minutes) filter (where r.so_far >= 0.5 * r.in_all) as p50,
      min(r.wait_minutes) filter (where r.so_far >= 0.9 * r.in_all) as p90
    from ranked as r
    group by r.department_id
  ),
  hours as (
    select
      m.department_id,
      sum(m.minutes) as minutes
    from pieces as p
    join warehouse.mv_duty_hours as m
      on m.grain = p.grain
      and m.first_day >= p.first_day
      and m.first_day < p.end_day
    where m.doctor_id = coalesce(department_efficiency.doctor_id, 0)
    group by m.department_id
  )
  select
    d.department_id,
    d.name,
    w.p50,
    w.p90,
    (c.worked_minutes / nullif(h.minutes, 0))::double precision,
    c.no_shows / nullif(c.completed + c.no_shows, 0)::double precision,
    c.cancelled / nullif(c.appointments, 0)::double precision,
    c.completed / nullif(c.days, 0)::double precision,
    c.suppressed_months,
    s.data_as_of
  from counted as c
  join warehouse.dim_department as d
    on d.department_id = c.department_id
    and d.is_current
  left join percentiles as w
    on w.department_id = c.department_id
  left join hours as h
    on h.department_id = c.department_id
  join warehouse.view_states as s
    on s.view_name = 'mv_department_efficiency'
  order by d.department_id;
end;
$$;
comment on function analytics.department_efficiency(date, date, bigint, bigint) is
  'How well departments ran from from_date and before until_date: waiting, use of the doctors'' time, no-shows, cancellations and throughput; to an administrator all, to a doctor his own part exactly and his department where it gives nobody away. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';
