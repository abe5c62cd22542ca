-- Once a month is over by every clock of the house it is reported on once: totals, no patients. The
-- worker is handed the totals and hands back the files.
create or replace function ops.reports_due()
returns table (report text, month date)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  today as (
    select min((now() at time zone f.time_zone)::date) as local
    from hospital.facilities as f
  )
  select
    r.report,
    m::date
  from today as t
  -- A worker that slept for a quarter makes up for it.
  cross join generate_series(
    date_trunc('month', t.local::timestamp) - interval '3 months',
    date_trunc('month', t.local::timestamp) - interval '1 month',
    interval '1 month'
  ) as m
  cross join (
    values ('appointments'), ('billing')
  ) as r (report)
  where not exists (
      select
      from ops.reports as k
      where k.report = r.report
        and k.month = m::date
    )
    -- Before a hospital opened there was nothing to report.
    and exists (
      select
      from hospital.appointments as a
      where a.starts_at < (m + interval '1 month') at time zone 'UTC'
    )
  order by
    m,
    r.report;
$$;
comment on function ops.reports_due() is
  'The months of the last three that are over and not reported on yet, the oldest first. Lends the worker the owner''s right to know since when there are appointments.';

create or replace function ops.monthly_appointments(month date)
returns table (
  facility text,
  department text,
  appointments bigint,
  completed bigint,
  cancelled bigint,
  no_shows bigint,
  hours numeric
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    f.name,
    d.name,
    count(*),
    count(*) filter (where a.status = 'completed'),
    count(*) filter (where a.status = 'cancelled'),
    count(*) filter (where a.status = 'no_show'),
    round(
      coalesce(
        sum(extract(epoch from a.ends_at - a.starts_at) / 3600) filter (where a.status = 'completed'),
        0
      ),
      1
    )
  from hospital.appointments as a
  join hospital.departments as d
    on d.id = a.department_id
  join hospital.facilities as f
    on f.id = d.facility_id
  where a.starts_at >= (monthly_appointments.month - 1)::timestamp at time zone 'UTC'
    and a.starts_at
      < (monthly_appointments.month + interval '1 month') at time zone 'UTC' + interval '1 day'
    and date_trunc('month', a.starts_at at time zone f.time_zone) = monthly_appointments.month
    and a.status not in ('held', 'lapsed')
  group by
    f.id,
    f.name,
    d.id,
    d.name
  order by
    f.name,
    f.id,
    d.name,
    d.id;
$$;
comment on function ops.monthly_appointments(date) is
  'The appointments of a month by department, in local time; hours are those of completed ones. Lends the worker the owner''s right to count appointments.';

create or replace function ops.monthly_billing(month date)
returns table (
  facility text,
  department text,
  appointments bigint,
  prices numeric,
  treatments numeric,
  total numeric
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    f.name,
    d.name,
    count(*),
    coalesce(sum(t.price), 0),
    coalesce(sum(c.amount), 0),
    coalesce(sum(t.price), 0) + coalesce(sum(c.amount), 0)
  from hospital.appointments as a
  join hospital.departments as d
    on d.id = a.department_id
  join hospital.facilities as f
    on f.id = d.facility_id
  join hospital.appointment_types as t
    on t.id = a.appointment_type_id
  left join lateral (
    select sum(x.cost) as amount
    from hospital.visits as v
    join hospital.treatments as x
      on x.visit_id = v.id
    where v.appointment_id = a.id
      and v.voided_at is null
      and x.voided_at is null
  ) as c
    on true
  where a.status = 'completed'
    and a.starts_at >= (monthly_billing.month - 1)::timestamp at time zone 'UTC'
    and a.starts_at
      < (monthly_billing.month + interval '1 month') at time zone 'UTC' + interval '1 day'
    and date_trunc('month', a.starts_at at time zone f.time_zone) = monthly_billing.month
  group by
    f.id,
    f.name,
    d.id,
    d.name
  order by
    f.name,
    f.id,
    d.name,
    d.id;
$$;
comment on function ops.monthly_billing(date) is
  'What the completed appointments of a month cost by department, in US dollars. Lends the worker the owner''s right to add up prices and costs.';

create or replace function ops.monthly_appointments_figures(month date)
returns setof hospital_private.report_figure
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    'Appointments by department',
    'bars',
    m.department,
    sum(m.appointments)
  from ops.monthly_appointments(monthly_appointments_figures.month) as m
  group by m.department
  order by
    sum(m.appointments) desc,
    m.department;
$$;
comment on function ops.monthly_appointments_figures(date) is
  'What is drawn of a month''s report of appointments.';

create or replace function ops.monthly_billing_figures(month date)
returns setof hospital_private.report_figure
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    'Charges by department, US dollars',
    'bars',
    m.department,
    sum(m.total)
  from ops.monthly_billing(monthly_billing_figures.month) as m
  group by m.department
  order by
    sum(m.total) desc,
    m.department;
$$;
comment on function ops.monthly_billing_figures(date) is 'What is drawn of a month''s report of billing.';

create or replace function ops.monthly_heading()
returns hospital_private.report_heading
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    hospital_private.house_name(array_agg(f.name order by f.id)),
    null::text,
    'the administrators',
    case when count(distinct f.time_zone) = 1 then max(f.time_zone) else 'UTC' end,
    now()
  from hospital.facilities as f;
$$;
comment on function ops.monthly_heading() is
  'What stands on the first page of a month''s report. Lends the worker the owner''s right to read the names of the house.';

create or replace function ops.keep_report(report text, month date, format text, content bytea)
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  delete from ops.reports as k
  where k.month < date_trunc('month', now() at time zone 'UTC') - interval '13 months';
  with
  kept as (
    insert into ops.reports (report, month, format, content, data_as_of)
    values (
      keep_report.report, keep_report.month, keep_report.format, keep_report.content, now()
    )
    on conflict on constraint reports_pkey do nothing
    returning 1
  )
  select count(*)
  from kept;
$$;
comment on function ops.keep_report(text, date, text, bytea) is
  'Keeps a finished report unless there is one of that month, lets go of those older than thirteen months, and returns how many were kept. Lends the worker the owner''s right to keep reports.';
