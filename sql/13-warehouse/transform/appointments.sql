-- Days and times of day are those of the clock on the wall of the facility. How many versions are in force
-- at one moment is beyond the planner's statistics, which expect next to none, and it would try each row
-- with each; of what stands in coalesce it expects half.
create or replace view warehouse.transform_appointments
with (security_invoker = true) as
select
  e.appointment_id,
  p.patient_key,
  d.doctor_key,
  o.department_key,
  e.appointment_type_id as appointment_type_key,
  local.booked_at::date as booked_on,
  local.starts_at::date as starts_on,
  (extract(hour from local.starts_at) * 60 + extract(minute from local.starts_at))::smallint
    as start_minute,
  e.status,
  e.cancellation_reason,
  e.booked_at,
  e.happened_at as starts_at,
  e.arrived_at,
  e.seen_at,
  e.done_at,
  e.cancelled_at,
  least(floor(extract(epoch from e.ends_at - e.happened_at) / 60), 2147483647)::integer
    as planned_minutes,
  least(floor(extract(epoch from upper(e.busy) - lower(e.busy)) / 60), 2147483647)::integer
    as occupied_minutes,
  local.starts_at::date - local.booked_at::date as lead_days,
  case
    when num_nulls(e.arrived_at, e.seen_at) = 0 then
      floor(
        greatest(0, extract(epoch from e.seen_at - greatest(e.arrived_at, e.happened_at))) / 60
      )::integer
  end as wait_minutes
from warehouse.extract_appointments as e
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
cross join lateral (
  select
    e.booked_at at time zone f.time_zone as booked_at,
    e.happened_at at time zone f.time_zone as starts_at
) as local
where e.is_counted;
comment on view warehouse.transform_appointments is 'The rows of fact_appointments.';
comment on column warehouse.transform_appointments.appointment_id is 'The appointment.';
comment on column warehouse.transform_appointments.patient_key is 'The patient as of the start.';
comment on column warehouse.transform_appointments.doctor_key is 'The doctor as of the start.';
comment on column warehouse.transform_appointments.department_key is 'The department as of the start.';
comment on column warehouse.transform_appointments.appointment_type_key is 'The kind of appointment.';
comment on column warehouse.transform_appointments.booked_on is 'The local day of booking.';
comment on column warehouse.transform_appointments.starts_on is 'The local day of the start.';
comment on column warehouse.transform_appointments.start_minute is 'The local time of the start, in minutes since midnight.';
comment on column warehouse.transform_appointments.status is 'Its status.';
comment on column warehouse.transform_appointments.cancellation_reason is 'The coded reason of a cancellation, or null.';
comment on column warehouse.transform_appointments.booked_at is 'When it was booked.';
comment on column warehouse.transform_appointments.starts_at is 'When it starts.';
comment on column warehouse.transform_appointments.arrived_at is 'When the patient was checked in, or null.';
comment on column warehouse.transform_appointments.seen_at is 'When the consultation began, or null.';
comment on column warehouse.transform_appointments.done_at is 'When it was completed, or null.';
comment on column warehouse.transform_appointments.cancelled_at is 'When it was called off, or null.';
comment on column warehouse.transform_appointments.planned_minutes is 'How long it was to last.';
comment on column warehouse.transform_appointments.occupied_minutes is 'How long it kept the doctor, buffers included.';
comment on column warehouse.transform_appointments.lead_days is 'Local days from booking to start.';
comment on column warehouse.transform_appointments.wait_minutes is 'Whole minutes from arrival, or from the planned start if the patient came early, to being seen; null without an arrival on record.';
