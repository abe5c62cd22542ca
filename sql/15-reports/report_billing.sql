-- What was charged, until there are invoices: the price of the type of each completed appointment and the
-- cost of the treatments at its visit. What was done to a patient is clinical, and no matter of money; what
-- it cost is. So the treatments of an appointment are one sum.
create or replace function hospital_private.treatment_charges(from_date date, until_date date)
returns table (appointment_id bigint, amount numeric)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    v.appointment_id,
    sum(t.cost)
  from hospital.appointments as a
  join hospital.visits as v
    on v.appointment_id = a.id
    and v.voided_at is null
  join hospital.treatments as t
    on t.visit_id = v.id
    and t.voided_at is null
  where (
      (select hospital_private.session_has_role('billing'))
      or (select hospital_private.session_has_role('administrator'))
    )
    and a.status = 'completed'
    and a.starts_at >= (treatment_charges.from_date - 1)::timestamp at time zone 'UTC'
    and a.starts_at < (treatment_charges.until_date + 1)::timestamp at time zone 'UTC'
  group by v.appointment_id;
$$;
comment on function hospital_private.treatment_charges(date, date) is
  'The cost of the treatments of each completed appointment of these days and the day on either side; nothing but for billing and administrators. Lends the owner''s right to read treatments for these sums.';

create or replace function hospital_private.report_billing(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns table (
  day date,
  facility text,
  department text,
  doctor text,
  record_number text,
  type text,
  price numeric,
  treatments numeric,
  total numeric
)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_report_period(
    report_billing.from_date, report_billing.until_date
  );
  return query
  select
    told.local_start::date,
    f.name,
    d.name,
    m.given_name || ' ' || m.family_name,
    p.mrn,
    t.name,
    coalesce(t.price, 0),
    coalesce(c.amount, 0),
    coalesce(t.price, 0) + coalesce(c.amount, 0)
  from hospital.appointments as a
  join hospital.departments as d
    on d.id = a.department_id
  join hospital.facilities as f
    on f.id = d.facility_id
  join hospital.appointment_types as t
    on t.id = a.appointment_type_id
  left join hospital_private.treatment_charges(
    report_billing.from_date, report_billing.until_date
  ) as c
    on c.appointment_id = a.id
  left join hospital.doctors as o
    on o.id = a.doctor_id
  left join hospital.staff_members as m
    on m.id = o.staff_member_id
  left join hospital.patients as p
    on p.id = a.patient_id
  cross join lateral (
    select a.starts_at at time zone f.time_zone as local_start
  ) as told
  where a.status = 'completed'
    and a.starts_at >= (report_billing.from_date - 1)::timestamp at time zone 'UTC'
    and a.starts_at < (report_billing.until_date + 1)::timestamp at time zone 'UTC'
    and told.local_start >= report_billing.from_date
    and told.local_start < report_billing.until_date
    and (
      report_billing.department_id is null
      or a.department_id = report_billing.department_id
    )
  order by
    a.starts_at,
    a.id;
end;
$$;
comment on function hospital_private.report_billing(date, date, bigint) is
  'What the completed appointments of these local days cost, in US dollars: the price of their type and the cost of their treatments. Raises PERIO.';

create or replace function hospital_private.report_billing_figures(
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
  charges as materialized (
    select r.*
    from hospital_private.report_billing(
      report_billing_figures.from_date,
      report_billing_figures.until_date,
      report_billing_figures.department_id
    ) as r
  ),
  figures (chart, style, label, figure, place) as (
    select
      format('Charges by %s, US dollars', s.unit),
      'line',
      to_char(s.begins, s.picture),
      coalesce(sum(c.total), 0),
      s.place
    from hospital_private.report_steps(
      report_billing_figures.from_date, report_billing_figures.until_date
    ) as s
    left join charges as c
      on c.day >= s.begins
      and c.day < s.ends
    group by
      s.unit,
      s.begins,
      s.picture,
      s.place
    union all
    select
      'Charges by department, US dollars',
      'bars',
      c.department,
      sum(c.total),
      rank() over (order by sum(c.total) desc, c.department)
    from charges as c
    group by c.department
  )
  select
    f.chart,
    f.style,
    f.label,
    f.figure
  from figures as f
  order by
    f.style desc,
    f.place;
$$;
comment on function hospital_private.report_billing_figures(date, date, bigint) is
  'What is drawn of the report of billing: charges by day or month and by department. Raises PERIO.';
