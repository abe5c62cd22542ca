create or replace function hospital_private.report_treatments(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns table (
  day date,
  department text,
  doctor text,
  record_number text,
  treatment text,
  outcome text,
  cost numeric
)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_report_period(
    report_treatments.from_date, report_treatments.until_date
  );
  perform hospital_private.require_open_chart();
  return query
  select
    told.local_start::date,
    d.name,
    m.given_name || ' ' || m.family_name,
    p.mrn,
    t.type,
    c.name,
    t.cost
  from hospital.treatments as t
  join hospital.visits as v
    on v.id = t.visit_id
  left join hospital.outcome_codes as c
    on c.code = t.outcome
  left join hospital.patients as p
    on p.id = t.patient_id
  left join hospital.doctors as o
    on o.id = v.doctor_id
  left join hospital.staff_members as m
    on m.id = o.staff_member_id
  left join hospital.departments as d
    on d.id = m.department_id
  cross join lateral (
    select t.started_at at time zone hospital_private.doctor_time_zone(v.doctor_id) as local_start
  ) as told
  where t.voided_at is null
    and v.voided_at is null
    and told.local_start >= report_treatments.from_date
    and told.local_start < report_treatments.until_date
    and (
      report_treatments.department_id is null
      or m.department_id = report_treatments.department_id
    )
  order by
    t.started_at,
    t.id;
end;
$$;
comment on function hospital_private.report_treatments(date, date, bigint) is
  'The treatments begun on these local days: of the charts open now, or of the patient who asks and whom he acts for. The department is the doctor''s, cost in US dollars. Raises PERIO, NOPEN.';

create or replace function hospital_private.report_treatments_figures(
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
  types as (
    select
      r.treatment,
      count(*)::numeric as treatments,
      coalesce(sum(r.cost), 0) as cost
    from hospital_private.report_treatments(
      report_treatments_figures.from_date,
      report_treatments_figures.until_date,
      report_treatments_figures.department_id
    ) as r
    group by r.treatment
  )
  select
    f.chart,
    'bars',
    t.treatment,
    f.figure
  from types as t
  cross join lateral (
    values
      ('Treatments by type', t.treatments),
      ('Cost by type of treatment, US dollars', t.cost)
  ) as f (chart, figure)
  order by
    f.chart desc,
    f.figure desc,
    t.treatment;
$$;
comment on function hospital_private.report_treatments_figures(date, date, bigint) is
  'What is drawn of the report of treatments: how many of each type, and their cost. Raises PERIO, NOPEN.';
