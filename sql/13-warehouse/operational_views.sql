-- What the answers about the running of the hospital are read from: the sums of each month and of all days
-- (warehouse.pieces). One may be made from another, so they are dropped and made together; they are filled
-- as they are made, so that no reader finds one that cannot be read. Sums of each day would be as many rows
-- as a third of the facts, and comparing them the dearest part of every refresh.
-- squawk-ignore-file require-concurrent-index-creation
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
select
  case when grouping(v.month) = 0 then 'month' else 'all' end as grain,
  coalesce(v.month, '-infinity') as first_day,
  v.department_id,
  v.doctor_id,
  count(*) as visits
from warehouse.counted_visits as v
group by
  v.department_id,
  v.doctor_id,
  rollup (v.month);
create unique index mv_top_doctors_key
  on warehouse.mv_top_doctors (grain, first_day, department_id, doctor_id);
create index mv_top_doctors_doctor_id_idx
  on warehouse.mv_top_doctors (doctor_id, grain, first_day);
comment on materialized view warehouse.mv_top_doctors is 'Visits by doctor and department, of each month and of all days.';
comment on column warehouse.mv_top_doctors.grain is 'What the row is about: a month, or all days.';
comment on column warehouse.mv_top_doctors.first_day is 'The first of the month, or -infinity for all days.';
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
    c.day,
    c.month,
    c.department_id,
    c.doctor_id,
    sum(c.appointments) as appointments,
    sum(c.completed) as completed,
    sum(c.cancelled) as cancelled,
    sum(c.no_shows) as no_shows,
    sum(c.planned_minutes) as planned_minutes,
    sum(c.worked_minutes) as worked_minutes
  from warehouse.counted_appointments as c
  group by
    c.day,
    c.month,
    c.department_id,
    c.doctor_id
)
select
  case when grouping(c.month) = 0 then 'month' else 'all' end as grain,
  coalesce(c.month, '-infinity') as first_day,
  c.department_id,
  coalesce(c.doctor_id, 0) as doctor_id,
  sum(c.appointments)::bigint as appointments,
  sum(c.completed)::bigint as completed,
  sum(c.cancelled)::bigint as cancelled,
  sum(c.no_shows)::bigint as no_shows,
  sum(c.planned_minutes)::bigint as planned_minutes,
  sum(c.worked_minutes)::bigint as worked_minutes,
  count(distinct c.day) filter (where c.completed > 0) as days
from by_day as c
group by
  c.department_id,
  rollup (c.month),
  rollup (c.doctor_id);
create unique index mv_doctor_workload_key
  on warehouse.mv_doctor_workload (grain, first_day, department_id, doctor_id);
create index mv_doctor_workload_doctor_id_idx
  on warehouse.mv_doctor_workload (doctor_id, grain, first_day);
comment on materialized view warehouse.mv_doctor_workload is 'Appointments by doctor and department, and by department, of each month and of all days.';
comment on column warehouse.mv_doctor_workload.grain is 'What the row is about: a month, or all days.';
comment on column warehouse.mv_doctor_workload.first_day is 'The first of the month, or -infinity for all days.';
comment on column warehouse.mv_doctor_workload.department_id is 'The department in which the appointments take place.';
comment on column warehouse.mv_doctor_workload.doctor_id is 'The doctor, or 0 for all of the department.';
comment on column warehouse.mv_doctor_workload.appointments is 'How many were booked, whatever became of them.';
comment on column warehouse.mv_doctor_workload.completed is 'How many were completed.';
comment on column warehouse.mv_doctor_workload.cancelled is 'How many were called off.';
comment on column warehouse.mv_doctor_workload.no_shows is 'To how many the patient did not come.';
comment on column warehouse.mv_doctor_workload.planned_minutes is 'How long those that were not called off were to last.';
comment on column warehouse.mv_doctor_workload.worked_minutes is 'How long those that were completed kept the doctor, buffers included.';
comment on column warehouse.mv_doctor_workload.days is 'On how many days something was completed.';

-- Apart from the doctors, so that a question about departments reads a row for each.
create materialized view warehouse.mv_department_load as
select
  w.grain,
  w.first_day,
  w.department_id,
  w.appointments,
  w.completed,
  w.cancelled,
  w.no_shows,
  w.planned_minutes,
  w.worked_minutes,
  w.days
from warehouse.mv_doctor_workload as w
where w.doctor_id = 0;
create unique index mv_department_load_key
  on warehouse.mv_department_load (grain, first_day, department_id);
comment on materialized view warehouse.mv_department_load is 'Appointments by department, of each month and of all days.';
comment on column warehouse.mv_department_load.grain is 'What the row is about: a month, or all days.';
comment on column warehouse.mv_department_load.first_day is 'The first of the month, or -infinity for all days.';
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
    c.month,
    c.department_id,
    c.doctor_id,
    n.person_id
  from warehouse.counted_appointments as c
  join warehouse.dim_patient as n
    on n.patient_key = c.patient_key
),
months as (
  select
    m.month,
    m.department_id,
    count(distinct m.person_id) as patients,
    count(distinct m.doctor_id) as doctors
  from met as m
  group by
    m.month,
    m.department_id
),
own as (
  select
    m.month,
    m.department_id,
    m.doctor_id,
    count(*) as patients
  from met as m
  group by
    m.month,
    m.department_id,
    m.doctor_id
)
select
  m.month,
  m.department_id,
  r.doctor_id,
  m.patients - coalesce(o.patients, 0) as other_patients,
  m.doctors - case when o.doctor_id is null then 0 else 1 end as other_doctors
from months as m
join warehouse.dim_doctor as r
  on r.department_id = m.department_id
  and r.is_current
left join own as o
  on o.month = m.month
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
  case when grouping(c.month) = 0 then 'month' else 'all' end as grain,
  coalesce(c.month, '-infinity') as first_day,
  c.department_id,
  c.wait_minutes,
  count(*) as patients
from warehouse.counted_appointments as c
where c.wait_minutes is not null
group by
  c.department_id,
  c.wait_minutes,
  rollup (c.month);
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
select
  c.month,
  coalesce(c.department_id, 0) as department_id,
  coalesce(c.doctor_id, 0) as doctor_id,
  sum(c.appointments)::bigint as appointments,
  sum(c.appointment_revenue)::numeric(14,2) as appointment_revenue,
  sum(c.treatments)::bigint as treatments,
  sum(c.treatment_revenue)::numeric(14,2) as treatment_revenue
from warehouse.charges as c
group by
  c.month,
  cube (c.department_id, c.doctor_id);
create unique index mv_revenue_key
  on warehouse.mv_revenue (department_id, doctor_id, month);
comment on materialized view warehouse.mv_revenue is 'What was charged in each month by department and doctor, by each of them, and in all.';
comment on column warehouse.mv_revenue.month is 'The first day of the month.';
comment on column warehouse.mv_revenue.department_id is 'The department in which it was earned, or 0 for all.';
comment on column warehouse.mv_revenue.doctor_id is 'The doctor who earned it, or 0 for all.';
comment on column warehouse.mv_revenue.appointments is 'How many appointments were completed.';
comment on column warehouse.mv_revenue.appointment_revenue is 'The prices of their types, in US dollars.';
comment on column warehouse.mv_revenue.treatments is 'How many treatments were given.';
comment on column warehouse.mv_revenue.treatment_revenue is 'What they cost, in US dollars.';
