-- An administrator compares doctors; a doctor is given his own line.
create or replace function analytics.doctor_workload(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.doctor_workload_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Planning takes longer than running, and one plan suits every question.
set plan_cache_mode = force_generic_plan
as $$
declare
  reader constant warehouse.reader := warehouse.current_reader('administrator', 'doctor');
begin
  return query
  with
  pieces as materialized (
    select *
    from warehouse.pieces(doctor_workload.from_date, doctor_workload.until_date)
  )
  select
    o.doctor_id,
    o.name,
    t.appointments,
    t.completed,
    t.cancelled,
    t.no_shows,
    t.planned_minutes,
    t.worked_minutes,
    s.data_as_of
  from (
    select
      c.doctor_id,
      sum(c.appointments)::bigint as appointments,
      sum(c.completed)::bigint as completed,
      sum(c.cancelled)::bigint as cancelled,
      sum(c.no_shows)::bigint as no_shows,
      sum(c.planned_minutes)::bigint as planned_minutes,
      sum(c.worked_minutes)::bigint as worked_minutes
    from (
      select
        m.department_id,
        m.doctor_id,
        m.appointments,
        m.completed,
        m.cancelled,
        m.no_shows,
        m.planned_minutes,
        m.worked_minutes
      from pieces as p
      join warehouse.mv_doctor_workload as m
        on m.grain = p.grain
        and m.first_day >= p.first_day
        and m.first_day < p.end_day
        and m.doctor_id <> 0
      union all
      select
        c.department_id,
        c.doctor_id,
        c.appointments,
        c.completed,
        c.cancelled,
        c.no_shows,
        c.planned_minutes,
        c.worked_minutes
      from pieces as p
      cross join lateral (
        select *
        from warehouse.counted_appointments as f
        where f.day >= p.first_day
          and f.day < p.end_day
        -- A fence: the days are found by their index, whatever else is asked.
        offset 0
      ) as c
      where p.grain = 'day'
    ) as c
    where (reader.sees_all or c.doctor_id = reader.doctor_id)
      and (doctor_workload.department_id is null or c.department_id = doctor_workload.department_id)
      and (doctor_workload.doctor_id is null or c.doctor_id = doctor_workload.doctor_id)
    group by c.doctor_id
  ) as t
  join warehouse.dim_doctor as o
    on o.doctor_id = t.doctor_id
    and o.is_current
  join warehouse.view_states as s
    on s.view_name = 'mv_doctor_workload'
  order by
    t.appointments desc,
    t.doctor_id;
end;
$$;
comment on function analytics.doctor_workload(date, date, bigint, bigint) is
  'What doctors were booked for from from_date and before until_date, and what became of it, the most first: to an administrator all, to a doctor his own line. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';
