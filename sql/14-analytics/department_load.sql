create or replace function analytics.department_load(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.department_load_row
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
  select
    d.department_id,
    d.name,
    c.appointments,
    c.completed,
    c.cancelled,
    c.no_shows,
    c.planned_minutes,
    c.worked_minutes,
    c.suppressed_months,
    s.data_as_of
  from warehouse.department_counts(
    reader,
    department_load.from_date,
    department_load.until_date,
    department_load.department_id,
    department_load.doctor_id
  ) as c
  join warehouse.dim_department as d
    on d.department_id = c.department_id
    and d.is_current
  join warehouse.view_states as s
    on s.view_name = 'mv_department_load'
  order by
    c.appointments desc nulls last,
    d.department_id;
end;
$$;
comment on function analytics.department_load(date, date, bigint, bigint) is
  'What departments were booked for from from_date and before until_date, and what became of it, the most first: to an administrator all, to a doctor his own part exactly and his department where it gives nobody away. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';
