-- What the answers about the running of the hospital are read from. Each view holds its sums by day, by
-- month and of all days (warehouse.pieces). One may be made from another, so they are dropped and made
-- together; they are filled as they are made, so that no reader finds one that cannot be read.
drop materialized view if exists
  warehouse.mv_top_doctors,
  warehouse.mv_doctor_workload,
  warehouse.mv_department_load,
  warehouse.mv_department_months,
  warehouse.mv_department_efficiency,
  warehouse.mv_duty_hours,
  warehouse.mv_monthly_visits,
  warehouse.mv_revenue;

create materialized view warehouse.mv_top_doctors as
with
by_day as (
  select
    f.visited_on,
    d.month_start,
    p.department_id,
    o.doctor_id,
    count(*) as visits
  from warehouse.fact_visits as f
  join warehouse.dim_date as d
    on d.date_key = f.visited_on
  join warehouse.dim_department as p
    on p.department_key = f.department_key
  join warehouse.dim_doctor as o
    on o.doctor_key = f.doctor_key
  group by
    f.visited_on,
    d.month_start,
    p.department_id,
    o.doctor_id
)
select
  case
    when grouping(v.visited_on) = 0 then 'day'
    when grouping(v.month_start) = 0 then 'month'
    else 'all'
  end as grain,
  coalesce(v.visited_on, v.month_start, '-infinity') as first_day,
  v.department_id,
  v.doctor_id,
  sum(v.visits)::bigint as visits
from by_day as v
group by
  v.department_id,
  v.doctor_id,
  grouping sets ((v.visited_on), (v.month_start), ());
create unique index mv_top_doctors_key
  on warehouse.mv_top_doctors (grain, first_day, department_id, doctor_id);
create index mv_top_doctors_doctor_id_idx
  on warehouse.mv_top_doctors (doctor_id, grain, first_day);
comment on materialized view warehouse.mv_top_doctors is 'Visits by doctor and department, of each day, of each month and of all days.';
comment on column warehouse.mv_top_doctors.grain is 'What the row is about: a day, a month, or all days.';
comment on column warehouse.mv_top_doctors.first_day is 'The day, the first of the month, or -infinity for all days.';
comment on column warehouse.mv_top_doctors.department_id is 'The department in which the visits took place.';
comment on column warehouse.mv_top_doctors.doctor_id is 'The doctor.';
comment on column warehouse.mv_top_doctors.visits is 'How many visits there were.';

create materialized view warehouse.mv_monthly_visits as
select
  m.first_day as month,
  coalesce(m.department_id, 0) as department_id,
  sum(m.visits)::bigint as visits
from warehouse.mv_top_doctors as m
where m.grain = 'month'
group by
  m.first_day,
  rollup (m.department_id);
create unique index mv_monthly_visits_key on warehouse.mv_monthly_visits (department_id, month);
comment on materialized view warehouse.mv_monthly_visits is 'Visits by month, of each department and of all.';
comment on column warehouse.mv_monthly_visits.month is 'The first day of the month.';
comment on column warehouse.mv_monthly_visits.department_id is 'The department, or 0 for all.';
comment on column warehouse.mv_monthly_visits.visits is 'How many visits there were.';

create materialized view warehouse.mv_doctor_workload as
with
by_day as (
  select
    f.starts_on,
    d.month_start,
    p.department_id,
    o.doctor_id,
    count(*) as appointments,
    count(*) filter (where f.status = 'completed') as completed,
    count(*) filter (where f.status = 'cancelled') as cancelled,
    count(*) filter (where f.status = 'no_show') as no_shows,
    sum(f.planned_minutes) filter (where f.status <> 'cancelled') as planned_minutes,
    sum(f.occupied_minutes) filter (where f.status = 'completed') as worked_minutes
  from warehouse.fact_appointments as f
  join warehouse.dim_date as d
    on d.date_key = f.starts_on
  join warehouse.dim_department as p
    on p.department_key = f.department_key
  join warehouse.dim_doctor as o
    on o.doctor_key = f.doctor_key
  group by
    f.starts_on,
    d.month_start,
    p.department_id,
    o.doctor_id
)
select
  case
    when grouping(a.starts_on) = 0 then 'day'
    when grouping(a.month_start) = 0 then 'month'
    else 'all'
  end as grain,
  coalesce(a.starts_on, a.month_start, '-infinity') as first_day,
  a.department_id,
  a.doctor_id,
  sum(a.appointments)::bigint as appointments,
  sum(a.completed)::bigint as completed,
  sum(a.cancelled)::bigint as cancelled,
  sum(a.no_shows)::bigint as no_shows,
  coalesce(sum(a.planned_minutes), 0)::bigint as planned_minutes,
  coalesce(sum(a.worked_minutes), 0)::bigint as worked_minutes,
  count(*) filter (where a.completed > 0) as days
from by_day as a
group by
  a.department_id,
  a.doctor_id,
  grouping sets ((a.starts_on), (a.month_start), ());
create unique index mv_doctor_workload_key
  on warehouse.mv_doctor_workload (grain, first_day, department_id, doctor_id);
create index mv_doctor_workload_doctor_id_idx
  on warehouse.mv_doctor_workload (doctor_id, grain, first_day);
comment on materialized view warehouse.mv_doctor_workload is 'Appointments by doctor and department, of each day, of each month and of all days.';
comment on column warehouse.mv_doctor_workload.grain is 'What the row is about: a day, a month, or all days.';
comment on column warehouse.mv_doctor_workload.first_day is 'The day, the first of the month, or -infinity for all days.';
comment on column warehouse.mv_doctor_workload.department_id is 'The department in which the appointments take place.';
comment on column warehouse.mv_doctor_workload.doctor_id is 'The doctor.';
comment on column warehouse.mv_doctor_workload.appointments is 'How many were booked, whatever became of them.';
comment on column warehouse.mv_doctor_workload.completed is 'How many were completed.';
comment on column warehouse.mv_doctor_workload.cancelled is 'How many were called off.';
comment on column warehouse.mv_doctor_workload.no_shows is 'To how many the patient did not come.';
comment on column warehouse.mv_doctor_workload.planned_minutes is 'How long those that were not called off were to last.';
comment on column warehouse.mv_doctor_workload.worked_minutes is 'How long those that were completed kept the doctor, buffers included.';
comment on column warehouse.mv_doctor_workload.days is 'On how many days something was completed.';

create materialized view warehouse.mv_department_load as
with
by_day as (
  select
    w.first_day as starts_on,
    d.month_start,
    w.department_id,
    sum(w.appointments) as appointments,
    sum(w.completed) as completed,
    sum(w.cancelled) as cancelled,
    sum(w.no_shows) as no_shows,
    sum(w.planned_minutes) as planned_minutes,
    sum(w.worked_minutes) as worked_minutes
  from warehouse.mv_doctor_workload as w
  join warehouse.dim_date as d
    on d.date_key = w.first_day
  where w.grain = 'day'
  group by
    w.first_day,
    d.month_start,
    w.department_id
)
select
  case
    when grouping(a.starts_on) = 0 then 'day'
    when grouping(a.month_start) = 0 then 'month'
    else 'all'
  end as grain,
  coalesce(a.starts_on, a.month_start, '-infinity') as first_day,
  a.department_id,
  sum(a.appointments)::bigint as appointments,
  sum(a.completed)::bigint as completed,
  sum(a.cancelled)::bigint as cancelled,
  sum(a.no_shows)::bigint as no_shows,
  sum(a.planned_minutes)::bigint as planned_minutes,
  sum(a.worked_minutes)::bigint as worked_minutes,
  count(*) filter (where a.completed > 0) as days
from by_day as a
group by
  a.department_id,
  grouping sets ((a.starts_on), (a.month_start), ());
create unique index mv_department_load_key
  on warehouse.mv_department_load (grain, first_day, department_id);
comment on materialized view warehouse.mv_department_load is 'Appointments by department, of each day, of each month and of all days.';
comment on column warehouse.mv_department_load.grain is 'What the row is about: a day, a month, or all days.';
comment on column warehouse.mv_department_load.first_day is 'The day, the first of the month, or -infinity for all days.';
comment on column warehouse.mv_department_load.department_id is 'The department in which the appointments take place.';
comment on column warehouse.mv_department_load.appointments is 'How many were booked, whatever became of them.';
comment on column warehouse.mv_department_load.completed is 'How many were completed.';
comment on column warehouse.mv_department_load.cancelled is 'How many were called off.';
comment on column warehouse.mv_department_load.no_shows is 'To how many the patient did not come.';
comment on column warehouse.mv_department_load.planned_minutes is 'How long those that were not called off were to last.';
comment on column warehouse.mv_department_load.worked_minutes is 'How long those that were completed kept the doctors, buffers included.';
comment on column warehouse.mv_department_load.days is 'On how many days something was completed.';

-- A doctor who knows his own numbers learns those of the others by taking his from the department's. What
-- this tells about decides whether he is given them.
create materialized view warehouse.mv_department_months as
with
met as (
  select distinct
    d.month_start,
    p.department_id,
    o.doctor_id,
    n.person_id
  from warehouse.fact_appointments as f
  join warehouse.dim_date as d
    on d.date_key = f.starts_on
  join warehouse.dim_department as p
    on p.department_key = f.department_key
  join warehouse.dim_doctor as o
    on o.doctor_key = f.doctor_key
  join warehouse.dim_patient as n
    on n.patient_key = f.patient_key
),
months as (
  select
    m.month_start,
    m.department_id,
    count(distinct m.person_id) as patients,
    count(distinct m.doctor_id) as doctors
  from met as m
  group by
    m.month_start,
    m.department_id
),
own as (
  select
    m.month_start,
    m.department_id,
    m.doctor_id,
    count(*) as patients
  from met as m
  group by
    m.month_start,
    m.department_id,
    m.doctor_id
)
select
  m.month_start as month,
  m.department_id,
  r.doctor_id,
  m.patients - coalesce(o.patients, 0) as other_patients,
  m.doctors - case when o.doctor_id is null then 0 else 1 end as other_doctors
from months as m
join warehouse.dim_doctor as r
  on r.department_id = m.department_id
  and r.is_current
left join own as o
  on o.month_start = m.month_start
  and o.department_id = m.department_id
  and o.doctor_id = r.doctor_id;
create unique index mv_department_months_key
  on warehouse.mv_department_months (doctor_id, department_id, month);
comment on materialized view warehouse.mv_department_months is 'Of whom a department''s numbers of a month speak besides each of its doctors and his patients.';
comment on column warehouse.mv_department_months.month is 'The first day of the month.';
comment on column warehouse.mv_department_months.department_id is 'The department.';
comment on column warehouse.mv_department_months.doctor_id is 'A doctor who works there now.';
comment on column warehouse.mv_department_months.other_patients is 'How many patients had appointments there that month, and none with him.';
comment on column warehouse.mv_department_months.other_doctors is 'How many other doctors they were with.';

-- Percentiles do not add up, counts of each length of wait do: from them a percentile is exact.
create materialized view warehouse.mv_department_efficiency as
select
  case when grouping(d.month_start) = 0 then 'month' else 'all' end as grain,
  coalesce(d.month_start, '-infinity') as first_day,
  p.department_id,
  f.wait_minutes,
  count(*) as patients
from warehouse.fact_appointments as f
join warehouse.dim_date as d
  on d.date_key = f.starts_on
join warehouse.dim_department as p
  on p.department_key = f.department_key
where f.wait_minutes is not null
group by
  p.department_id,
  f.wait_minutes,
  rollup (d.month_start);
create unique index mv_department_efficiency_key
  on warehouse.mv_department_efficiency (grain, first_day, department_id, wait_minutes);
comment on materialized view warehouse.mv_department_efficiency is 'How long patients waited by department, as counts of each length, of each month and of all days.';
comment on column warehouse.mv_department_efficiency.grain is 'What the row is about: a month, or all days.';
comment on column warehouse.mv_department_efficiency.first_day is 'The first of the month, or -infinity for all days.';
comment on column warehouse.mv_department_efficiency.department_id is 'The department in which they waited.';
comment on column warehouse.mv_department_efficiency.wait_minutes is 'A length of wait, in whole minutes.';
comment on column warehouse.mv_department_efficiency.patients is 'How many appointments began after such a wait.';

create materialized view warehouse.mv_duty_hours as
select
  case
    when grouping(w.worked_on) = 0 then 'day'
    when grouping(d.month_start) = 0 then 'month'
    else 'all'
  end as grain,
  coalesce(w.worked_on, d.month_start, '-infinity') as first_day,
  o.department_id,
  coalesce(o.doctor_id, 0) as doctor_id,
  sum(w.minutes)::bigint as minutes
from warehouse.duty_hours() as w
join warehouse.dim_date as d
  on d.date_key = w.worked_on
join warehouse.dim_doctor as o
  on o.doctor_id = w.doctor_id
  and o.valid @> w.starts_at
group by
  grouping sets ((w.worked_on), (d.month_start), ()),
  grouping sets ((o.department_id, o.doctor_id), (o.department_id));
create unique index mv_duty_hours_key
  on warehouse.mv_duty_hours (doctor_id, department_id, grain, first_day);
comment on materialized view warehouse.mv_duty_hours is 'How long doctors were on duty by department, each and together, of each day, of each month and of all days.';
comment on column warehouse.mv_duty_hours.grain is 'What the row is about: a day, a month, or all days.';
comment on column warehouse.mv_duty_hours.first_day is 'The day, the first of the month, or -infinity for all days.';
comment on column warehouse.mv_duty_hours.department_id is 'The department in which the doctor worked then.';
comment on column warehouse.mv_duty_hours.doctor_id is 'The doctor, or 0 for all of the department.';
comment on column warehouse.mv_duty_hours.minutes is 'How many minutes they were on duty.';

create materialized view warehouse.mv_revenue as
with
charged as (
  select
    f.starts_on as charged_on,
    f.department_key,
    f.doctor_key,
    1 as appointments,
    t.price as appointment_revenue,
    0 as treatments,
    0.00 as treatment_revenue
  from warehouse.fact_appointments as f
  join warehouse.dim_appointment_type as t
    on t.appointment_type_key = f.appointment_type_key
  where f.status = 'completed'
  union all
  select
    f.treated_on,
    f.department_key,
    f.doctor_key,
    0,
    0.00,
    1,
    f.cost
  from warehouse.fact_treatments as f
),
by_day as (
  select
    c.charged_on,
    d.month_start,
    p.department_id,
    o.doctor_id,
    sum(c.appointments) as appointments,
    sum(c.appointment_revenue) as appointment_revenue,
    sum(c.treatments) as treatments,
    sum(c.treatment_revenue) as treatment_revenue
  from charged as c
  join warehouse.dim_date as d
    on d.date_key = c.charged_on
  join warehouse.dim_department as p
    on p.department_key = c.department_key
  join warehouse.dim_doctor as o
    on o.doctor_key = c.doctor_key
  group by
    c.charged_on,
    d.month_start,
    p.department_id,
    o.doctor_id
)
select
  case when grouping(c.charged_on) = 0 then 'day' else 'month' end as grain,
  coalesce(c.charged_on, c.month_start) as first_day,
  coalesce(c.department_id, 0) as department_id,
  coalesce(c.doctor_id, 0) as doctor_id,
  sum(c.appointments)::bigint as appointments,
  sum(c.appointment_revenue)::numeric(14,2) as appointment_revenue,
  sum(c.treatments)::bigint as treatments,
  sum(c.treatment_revenue)::numeric(14,2) as treatment_revenue
from by_day as c
group by
  grouping sets ((c.charged_on), (c.month_start)),
  grouping sets ((c.department_id, c.doctor_id), (c.department_id), (c.doctor_id), ());
create unique index mv_revenue_key
  on warehouse.mv_revenue (department_id, doctor_id, grain, first_day);
comment on materialized view warehouse.mv_revenue is 'What was charged by department and doctor, by each, and in all, of each day and of each month.';
comment on column warehouse.mv_revenue.grain is 'What the row is about: a day or a month.';
comment on column warehouse.mv_revenue.first_day is 'The day, or the first of the month.';
comment on column warehouse.mv_revenue.department_id is 'The department in which it was earned, or 0 for all.';
comment on column warehouse.mv_revenue.doctor_id is 'The doctor who earned it, or 0 for all.';
comment on column warehouse.mv_revenue.appointments is 'How many appointments were completed.';
comment on column warehouse.mv_revenue.appointment_revenue is 'The prices of their types, in US dollars.';
comment on column warehouse.mv_revenue.treatments is 'How many treatments were given.';
comment on column warehouse.mv_revenue.treatment_revenue is 'What they cost, in US dollars.';
