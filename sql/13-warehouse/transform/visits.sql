create or replace view warehouse.transform_visits
with (security_invoker = true) as
select
  e.visit_id,
  e.appointment_id,
  p.patient_key,
  d.doctor_key,
  o.department_key,
  local.started_at::date as visited_on,
  (extract(hour from local.started_at) * 60 + extract(minute from local.started_at))::smallint
    as start_minute,
  e.happened_at as started_at,
  least(floor(extract(epoch from e.ended_at - e.happened_at) / 60), 2147483647)::integer
    as duration_minutes,
  extract(year from age(local.started_at::date, person.date_of_birth))::integer as age_years
from warehouse.extract_visits as e
join warehouse.dim_patient as p
  on p.patient_id = e.patient_id
  and coalesce(p.valid @> e.happened_at, false)
join warehouse.dim_doctor as d
  on d.doctor_id = e.doctor_id
  and coalesce(d.valid @> e.happened_at, false)
join warehouse.dim_department as o
  on o.department_id = e.department_id
  and coalesce(o.valid @> e.happened_at, false)
join hospital.facilities as f
  on f.id = o.facility_id
join hospital.patients as person
  on person.id = e.patient_id
cross join lateral (
  select e.happened_at at time zone f.time_zone as started_at
) as local
where e.is_counted;
comment on view warehouse.transform_visits is 'The rows of fact_visits.';
comment on column warehouse.transform_visits.visit_id is 'The visit.';
comment on column warehouse.transform_visits.appointment_id is 'Its appointment.';
comment on column warehouse.transform_visits.patient_key is 'The patient as of the visit.';
comment on column warehouse.transform_visits.doctor_key is 'The doctor as of the visit.';
comment on column warehouse.transform_visits.department_key is 'The department as of the visit.';
comment on column warehouse.transform_visits.visited_on is 'The local day it began.';
comment on column warehouse.transform_visits.start_minute is 'The local time it began, in minutes since midnight.';
comment on column warehouse.transform_visits.started_at is 'When it began.';
comment on column warehouse.transform_visits.duration_minutes is 'How long it lasted in whole minutes, or null.';
comment on column warehouse.transform_visits.age_years is 'Age on that day in completed years.';
