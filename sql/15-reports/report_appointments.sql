-- The rows are those the reader may see anywhere else: his own policies decide, and nothing is added here.
create or replace function hospital_private.report_appointments(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns table (
  day date,
  "time" text,
  facility text,
  department text,
  doctor text,
  record_number text,
  type text,
  minutes integer,
  status text,
  cancellation_reason text
)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_report_period(
    report_appointments.from_date, report_appointments.until_date
  );
  return query
  select
    told.local_start::date,
    to_char(told.local_start, 'HH24:MI'),
    f.name,
    d.name,
    m.given_name || ' ' || m.family_name,
    p.mrn,
    t.name,
    (extract(epoch from a.ends_at - a.starts_at) / 60)::integer,
    s.name,
    r.name
  from hospital.appointments as a
  join hospital.departments as d
    on d.id = a.department_id
  join hospital.facilities as f
    on f.id = d.facility_id
  join hospital.appointment_types as t
    on t.id = a.appointment_type_id
  join hospital.appointment_statuses as s
    on s.code = a.status
  -- Whom the reader may not see has no name here, and no number.
  left join hospital.doctors as o
    on o.id = a.doctor_id
  left join hospital.staff_members as m
    on m.id = o.staff_member_id
  left join hospital.patients as p
    on p.id = a.patient_id
  left join hospital.cancellation_reasons as r
    on r.code = a.cancellation_reason
  cross join lateral (
    select a.starts_at at time zone f.time_zone as local_start
  ) as told
  -- A day more on either side, for the index: no clock is further from UTC.
  where a.starts_at >= (report_appointments.from_date - 1)::timestamp at time zone 'UTC'
    and a.starts_at < (report_appointments.until_date + 1)::timestamp at time zone 'UTC'
    and told.local_start >= report_appointments.from_date
    and told.local_start < report_appointments.until_date
    and a.status not in ('held', 'lapsed')
    and (
      report_appointments.department_id is null
      or a.department_id = report_appointments.department_id
    )
  order by
    a.starts_at,
    a.id;
end;
$$;
comment on function hospital_private.report_appointments(date, date, bigint) is
  'The appointments of these local days that the reader may see, in order; holds are none. Raises PERIO.';

create or replace function hospital_private.report_appointments_figures(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns setof hospital_private.report_figure
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with
  appointments as materialized (
    select r.*
    from hospital_private.report_appointments(
      report_appointments_figures.from_date,
      report_appointments_figures.until_date,
      report_appointments_figures.department_id
    ) as r
  ),
  figures (chart, style, label, figure, place) as (
    select
      'Appointments by ' || s.unit,
      'line',
      to_char(s.begins, s.picture),
      count(a.day),
      s.place
    from hospital_private.report_steps(
      report_appointments_figures.from_date, report_appointments_figures.until_date
    ) as s
    left join appointments as a
      on a.day >= s.begins
      and a.day < s.ends
    group by
      s.unit,
      s.begins,
      s.picture,
      s.place
    union all
    select
      'Appointments by status',
      'bars',
      a.status,
      count(*),
      rank() over (order by count(*) desc, a.status)
    from appointments as a
    group by a.status
    union all
    select
      'Appointments by department',
      'bars',
      a.department,
      count(*),
      rank() over (order by count(*) desc, a.department)
    from appointments as a
    group by a.department
  )
  select
    f.chart,
    f.style,
    f.label,
    f.figure
  from figures as f
  order by
    f.style desc,
    f.chart desc,
    f.place;
$$;
comment on function hospital_private.report_appointments_figures(date, date, bigint) is
  'What is drawn of the report of appointments: by day or month, by status and by department. Raises PERIO.';
