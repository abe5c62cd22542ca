create or replace function hospital_private.booking_conflict(
  doctor_id bigint,
  patient_id bigint,
  room_id bigint,
  busy tstzrange
)
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select case
      when a.doctor_id = booking_conflict.doctor_id then 'doctor'
      when a.patient_id = booking_conflict.patient_id then 'patient'
      else 'room'
    end as party
  from hospital.appointments as a
  where a.busy && booking_conflict.busy
    and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
    and (
      a.doctor_id = booking_conflict.doctor_id
      or (
        a.patient_id = booking_conflict.patient_id
        -- A patient may ask about himself, so nobody learns another's calendar by trying times.
        and (
          a.patient_id = (select hospital_private.current_patient_id())
          or (select hospital_private.current_staff_member_id()) is not null
        )
      )
      or a.room_id = booking_conflict.room_id
    )
  order by party
  limit 1;
$$;
comment on function hospital_private.booking_conflict(bigint, bigint, bigint, tstzrange) is
  'Which of doctor, patient and room is taken in a span, or null. Lends the owner''s right to see that appointments exist, not what they are.';
