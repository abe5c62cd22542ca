-- Writes reminders into the outbox. The unique reason makes the job safe to run twice, at once, or
-- again after it was killed; a moved appointment has another reason and is reminded of anew, also
-- when it came back to a time that was told before.
create or replace function ops.send_reminders()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  -- Locked, so that nobody cancels between the look and the message. Who is just being changed comes
  -- next time; in order, so that two workers do not wait for each other.
  standing as materialized (
    select
      a.id,
      a.patient_id,
      a.doctor_id,
      a.department_id,
      a.appointment_type_id,
      a.starts_at
    from hospital.appointments as a
    where a.status = 'scheduled'
      and a.starts_at > now()
      and a.starts_at <= now() + interval '24 hours'
    order by a.id
    for key share skip locked
  ),
  upcoming as (
    select
      a.id,
      a.patient_id,
      hospital_private.reminder_reason(a.id, a.starts_at) as reason,
      hospital_private.told_time(a.starts_at, f.time_zone, p.time_zone, t.is_remote) as told,
      d.name as department_name,
      f.name as facility_name
    from standing as a
    join hospital.patients as p
      on p.id = a.patient_id
    join hospital.appointment_types as t
      on t.id = a.appointment_type_id
    join hospital.departments as d
      on d.id = a.department_id
    join hospital.facilities as f
      on f.id = d.facility_id
    where p.deceased_on is null
  ),
  written as (
    insert into hospital.notifications as n (reason, patient_id, appointment_id, subject, body)
    select
      u.reason,
      u.patient_id,
      u.id,
      'Your appointment',
      format(
        'You have an appointment on %s, %s, %s.',
        u.told,
        u.department_name,
        u.facility_name
      )
    from upcoming as u
    order by u.id
    -- One that was called off and then stands after all is reminded of after all.
    on conflict on constraint notifications_one_per_reason do update
      set withdrawn_at = null,
        body = excluded.body
      where n.withdrawn_at is not null
    returning n.id
  )
  select count(*)
  from written;
$$;
comment on function ops.send_reminders() is
  'Writes one reminder for every scheduled appointment of the next 24 hours, by the facility''s clock and the patient''s, and returns how many were new. Lends the worker the owner''s right to read appointments and write messages.';
