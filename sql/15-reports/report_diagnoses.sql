-- Row by row, a clinical report is of the charts that are open: what was not opened on record is not
-- printed either. An empty report would look as if there were nothing, so without an open chart there is
-- none. Numbers over many patients are asked of analytics, where small cells are kept back.
create or replace function hospital_private.require_open_chart()
returns void
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- One's own record is always open. Nested, since a patient may not even ask which charts are.
  if hospital_private.session_has_role('patient') then
    return;
  end if;
  if not exists (select from hospital_private.open_charts()) then
    raise exception using
      errcode = 'NOPEN',
      message = 'No chart is open, and this report is of those that are.',
      hint = 'Open a chart first: openChart.';
  end if;
end;
$$;
comment on function hospital_private.require_open_chart() is
  'Raises NOPEN unless a patient asks or a chart is open in the live session.';

create or replace function hospital_private.report_diagnoses(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns table (
  day date,
  department text,
  doctor text,
  record_number text,
  code text,
  diagnosis text,
  rank integer
)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_report_period(
    report_diagnoses.from_date, report_diagnoses.until_date
  );
  perform hospital_private.require_open_chart();
  return query
  select
    told.local_start::date,
    d.name,
    m.given_name || ' ' || m.family_name,
    p.mrn,
    c.code,
    c.description,
    g.rank::integer
  from hospital.visit_diagnoses as g
  join hospital.visits as v
    on v.id = g.visit_id
  join hospital.diagnosis_codes as c
    on c.id = g.diagnosis_code_id
  left join hospital.patients as p
    on p.id = g.patient_id
  left join hospital.doctors as o
    on o.id = v.doctor_id
  left join hospital.staff_members as m
    on m.id = o.staff_member_id
  left join hospital.departments as d
    on d.id = m.department_id
  cross join lateral (
    select v.started_at at time zone hospital_private.doctor_time_zone(v.doctor_id) as local_start
  ) as told
  where g.voided_at is null
    and v.voided_at is null
    and told.local_start >= report_diagnoses.from_date
    and told.local_start < report_diagnoses.until_date
    and (
      report_diagnoses.department_id is null
      or m.department_id = report_diagnoses.department_id
    )
  order by
    v.started_at,
    v.id,
    g.rank;
end;
$$;
comment on function hospital_private.report_diagnoses(date, date, bigint) is
  'The coded diagnoses of visits that began on these local days: of the charts open now, or of the patient who asks and whom he acts for. The department is the doctor''s. Raises PERIO, NOPEN.';

create or replace function hospital_private.report_diagnoses_figures(
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
  select
    'Diagnoses by code',
    'bars',
    r.code || ' ' || r.diagnosis,
    count(*)::numeric
  from hospital_private.report_diagnoses(
    report_diagnoses_figures.from_date,
    report_diagnoses_figures.until_date,
    report_diagnoses_figures.department_id
  ) as r
  group by
    r.code,
    r.diagnosis
  order by
    count(*) desc,
    r.code;
$$;
comment on function hospital_private.report_diagnoses_figures(date, date, bigint) is
  'What is drawn of the report of diagnoses: by code, the most frequent first. Raises PERIO, NOPEN.';
