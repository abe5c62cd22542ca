-- What the catalogue cannot tell of a view that asks this function stands in warehouse.view_inputs: it
-- reads the calendar, through the one definition of when doctors work, up to the end of the day (UTC) of
-- the newest load. A dump is restored with row security off, which would refuse to fill the view.
create or replace function warehouse.duty_hours()
returns table (doctor_id bigint, worked_on date, starts_at timestamptz, minutes bigint)
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
set row_security = on
as $$
  select
    w.doctor_id,
    (w.starts_at at time zone f.time_zone)::date,
    w.starts_at,
    (extract(epoch from w.ends_at - w.starts_at) / 60)::bigint
  from warehouse.load_state as l
  cross join (
    select min(a.starts_at) as first
    from warehouse.fact_appointments as a
  ) as since
  cross join lateral hospital_private.working_shifts(
    array(select d.id from hospital.doctors as d),
    tstzrange(
      since.first,
      greatest(since.first, date_trunc('day', l.data_as_of, 'UTC') + interval '1 day')
    )
  ) as w
  join hospital.doctors as d
    on d.id = w.doctor_id
  join hospital.staff_members as s
    on s.id = d.staff_member_id
  join hospital.departments as p
    on p.id = s.department_id
  join hospital.facilities as f
    on f.id = p.facility_id;
$$;
comment on function warehouse.duty_hours() is
  'The stretches that doctors who are active now were on duty from the first appointment on, by the local day on which they began.';
