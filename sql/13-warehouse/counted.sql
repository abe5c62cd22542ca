-- Facts with the names of what they point at, one row each, and what each adds to a sum: the views that are
-- kept are made from these, and so are the days that no month covers.
create or replace view warehouse.counted_appointments with (security_invoker = true) as
select
  f.starts_on as day,
  d.month_start as month,
  p.department_id,
  o.doctor_id,
  f.patient_key,
  f.wait_minutes,
  1 as appointments,
  (f.status = 'completed')::integer as completed,
  (f.status = 'cancelled')::integer as cancelled,
  (f.status = 'no_show')::integer as no_shows,
  case when f.status = 'cancelled' then 0 else f.planned_minutes end as planned_minutes,
  case when f.status = 'completed' then f.occupied_minutes else 0 end as worked_minutes
from warehouse.fact_appointments as f
join warehouse.dim_date as d
  on d.date_key = f.starts_on
join warehouse.dim_department as p
  on p.department_key = f.department_key
join warehouse.dim_doctor as o
  on o.doctor_key = f.doctor_key;
comment on view warehouse.counted_appointments is 'What each appointment adds to the sums.';
comment on column warehouse.counted_appointments.day is 'The local day of the start.';
comment on column warehouse.counted_appointments.month is 'The first day of its month.';
comment on column warehouse.counted_appointments.department_id is 'The department in which it takes place.';
comment on column warehouse.counted_appointments.doctor_id is 'The doctor.';
comment on column warehouse.counted_appointments.patient_key is 'The patient as of the start.';
comment on column warehouse.counted_appointments.wait_minutes is 'How long the patient waited, or null while unknown.';
comment on column warehouse.counted_appointments.appointments is 'Always 1.';
comment on column warehouse.counted_appointments.completed is '1 if it was completed.';
comment on column warehouse.counted_appointments.cancelled is '1 if it was called off.';
comment on column warehouse.counted_appointments.no_shows is '1 if the patient did not come.';
comment on column warehouse.counted_appointments.planned_minutes is 'How long it was to last, unless it was called off.';
comment on column warehouse.counted_appointments.worked_minutes is 'How long it kept the doctor, buffers included, if it was completed.';

create or replace view warehouse.counted_visits with (security_invoker = true) as
select
  f.visited_on as day,
  d.month_start as month,
  p.department_id,
  o.doctor_id
from warehouse.fact_visits as f
join warehouse.dim_date as d
  on d.date_key = f.visited_on
join warehouse.dim_department as p
  on p.department_key = f.department_key
join warehouse.dim_doctor as o
  on o.doctor_key = f.doctor_key;
comment on view warehouse.counted_visits is 'The visits that are counted.';
comment on column warehouse.counted_visits.day is 'The local day on which it began.';
comment on column warehouse.counted_visits.month is 'The first day of its month.';
comment on column warehouse.counted_visits.department_id is 'The department in which it took place.';
comment on column warehouse.counted_visits.doctor_id is 'The doctor.';

create or replace view warehouse.charges with (security_invoker = true) as
with
charges as (
  select
    f.starts_on as day,
    f.department_key,
    f.doctor_key,
    1 as appointments,
    t.price as appointment_revenue,
    0 as treatments,
    0::numeric(12,2) as treatment_revenue
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
    0::numeric(12,2),
    1,
    f.cost
  from warehouse.fact_treatments as f
)
select
  c.day,
  d.month_start as month,
  p.department_id,
  o.doctor_id,
  c.appointments,
  c.appointment_revenue,
  c.treatments,
  c.treatment_revenue
from charges as c
join warehouse.dim_date as d
  on d.date_key = c.day
join warehouse.dim_department as p
  on p.department_key = c.department_key
join warehouse.dim_doctor as o
  on o.doctor_key = c.doctor_key;
comment on view warehouse.charges is 'What was charged: the price of each completed appointment, and the cost of each treatment.';
comment on column warehouse.charges.day is 'The local day of the appointment or treatment.';
comment on column warehouse.charges.month is 'The first day of its month.';
comment on column warehouse.charges.department_id is 'The department in which it was earned.';
comment on column warehouse.charges.doctor_id is 'The doctor who earned it.';
comment on column warehouse.charges.appointments is '1 for an appointment.';
comment on column warehouse.charges.appointment_revenue is 'The price of its type, in US dollars.';
comment on column warehouse.charges.treatments is '1 for a treatment.';
comment on column warehouse.charges.treatment_revenue is 'What it cost, in US dollars.';
