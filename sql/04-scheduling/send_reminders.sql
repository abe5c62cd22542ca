-- Writes reminders into the outbox. The unique reason makes the job safe to run twice, at once, or
-- again after it was killed; a moved appointment has another reason and is reminded of anew.
create or replace function ops.send_reminders()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  upcoming as (
    select
      a.id,
      a.patient_id,
      a.starts_at,
      a.starts_at at time zone coalesce(p.time_zone, f.time_zone) as local_start,
      d.name as department_name,
      f.name as facility_name
    from hospital.appointments as a
    join hospital.patients as p
      on p.id = a.patient_id
    join hospital.departments as d
      on d.id = a.department_id
    join hospital.facilities as f
      on f.id = d.facility_id
    where a.status = 'scheduled'
      and p.deceased_on is null
      and a.starts_at > now()
      and a.starts_at <= now() + interval '24 hours'
  ),
  written as (
    insert into hospital.notifications (reason, patient_id, appointment_id, subject, body)
    select
      format('reminder:%s:%s', u.id, extract(epoch from u.starts_at)::bigint),
      u.patient_id,
      u.id,
      'Your appointment',
      format(
        'You have an appointment on %s at %s, %s, %s.',
        to_char(u.local_start, 'FMDay, FMDD FMMonth YYYY'),
        to_char(u.local_start, 'HH24:MI'),
        u.department_name,
        u.facility_name
      )
    from upcoming as u
    on conflict on constraint notifications_one_per_reason do nothing
    returning id
  )
  select count(*)
  from written;
$$;
comment on function ops.send_reminders() is
  'Writes one reminder for every scheduled appointment of the next 24 hours, in the patient''s time, and returns how many were new. Lends the worker the owner''s right to read appointments and write messages.';
