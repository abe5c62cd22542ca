-- The history says when the patient arrived, was seen and left; only what came after the appointment
-- was last scheduled counts, since a mistaken check-in is taken back to there. Its first row says how the
-- appointment was entered and not what happened: of one entered as completed, an imported encounter, the
-- visit says when it was, and it counts as booked when it began. A hold nobody confirmed was no booking.
create or replace view warehouse.extract_appointments
with (security_invoker = true) as
select
  a.id as appointment_id,
  a.patient_id,
  a.doctor_id,
  a.department_id,
  a.appointment_type_id,
  a.starts_at as happened_at,
  a.ends_at,
  a.busy,
  a.status,
  a.cancellation_reason,
  least(
    case when h.was_held then coalesce(h.confirmed_at, a.created_at) else a.created_at end,
    a.starts_at
  ) as booked_at,
  case when h.arrived_at > h.scheduled_at then h.arrived_at end as arrived_at,
  coalesce(case when h.seen_at > h.scheduled_at then h.seen_at end, v.started_at) as seen_at,
  case when a.status = 'completed' then coalesce(h.done_at, v.ended_at) end as done_at,
  a.cancelled_at,
  not (
    a.status in ('held', 'lapsed')
    or h.was_held and h.confirmed_at is null
  ) as is_counted
from hospital.appointments as a
left join hospital.visits as v
  on v.appointment_id = a.id
  and v.voided_at is null
cross join lateral (
  select
    coalesce(bool_or(s.to_status = 'held'), false) as was_held,
    min(s.changed_at) filter (where s.to_status = 'scheduled') as confirmed_at,
    coalesce(
      max(s.changed_at) filter (where s.to_status = 'scheduled'), '-infinity'
    ) as scheduled_at,
    max(s.changed_at) filter (
      where s.to_status = 'checked_in' and s.from_status is not null
    ) as arrived_at,
    max(s.changed_at) filter (
      where s.to_status = 'in_progress' and s.from_status is not null
    ) as seen_at,
    max(s.changed_at) filter (
      where s.to_status = 'completed' and s.from_status is not null
    ) as done_at
  from hospital.appointment_status_history as s
  where s.appointment_id = a.id
) as h;
comment on view warehouse.extract_appointments is 'All appointments, and what their history says of them.';
comment on column warehouse.extract_appointments.appointment_id is 'The appointment.';
comment on column warehouse.extract_appointments.patient_id is 'The patient.';
comment on column warehouse.extract_appointments.doctor_id is 'The doctor.';
comment on column warehouse.extract_appointments.department_id is 'The department it takes place in.';
comment on column warehouse.extract_appointments.appointment_type_id is 'The kind of appointment.';
comment on column warehouse.extract_appointments.happened_at is 'When it starts: as of then patient, doctor and department are told.';
comment on column warehouse.extract_appointments.ends_at is 'When it ends.';
comment on column warehouse.extract_appointments.busy is 'The time it keeps the doctor, buffers included.';
comment on column warehouse.extract_appointments.status is 'Its status.';
comment on column warehouse.extract_appointments.cancellation_reason is 'The coded reason of a cancellation, or null.';
comment on column warehouse.extract_appointments.booked_at is 'When it was booked or its hold confirmed; its start, when it was entered later than that.';
comment on column warehouse.extract_appointments.arrived_at is 'When the patient was checked in, or null.';
comment on column warehouse.extract_appointments.seen_at is 'When the consultation began, or null.';
comment on column warehouse.extract_appointments.done_at is 'When it was completed, or null.';
comment on column warehouse.extract_appointments.cancelled_at is 'When it was called off, or null.';
comment on column warehouse.extract_appointments.is_counted is 'Whether it was booked: no hold that lapsed, was given back or still waits.';
