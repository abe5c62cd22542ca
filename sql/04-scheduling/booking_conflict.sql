-- What the exclusion constraints will say, asked before anything is locked: a refusal costs a look,
-- and its code is the clear one. A hold that has run out is in nobody's way.
create or replace function hospital_private.booking_conflict(
  doctor_id bigint,
  patient_id bigint,
  room_id bigint,
  busy tstzrange,
  ignored_id bigint default null
)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  ignored bigint;
begin
  if booking_conflict.ignored_id is not null
    and hospital_private.may_ask_about(booking_conflict.patient_id)
  then
    select a.id
    into ignored
    from hospital.appointments as a
    where a.id = booking_conflict.ignored_id
      and a.patient_id = booking_conflict.patient_id;
  end if;
  if exists (
    select
    from hospital.appointments as a
    where a.doctor_id = booking_conflict.doctor_id
      and a.busy && booking_conflict.busy
      and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
      and (a.status <> 'held' or a.expires_at > clock_timestamp())
      and a.id is distinct from ignored
  ) then
    return 'doctor';
  end if;
  if exists (
      select
      from hospital.appointments as a
      where a.patient_id = booking_conflict.patient_id
        and a.busy && booking_conflict.busy
        and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
        and (a.status <> 'held' or a.expires_at > clock_timestamp())
        and a.id is distinct from ignored
    )
    and hospital_private.may_ask_about(booking_conflict.patient_id)
  then
    return 'patient';
  end if;
  if exists (
    select
    from hospital.appointments as a
    where a.room_id = booking_conflict.room_id
      and a.busy && booking_conflict.busy
      and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
      and (a.status <> 'held' or a.expires_at > clock_timestamp())
      and a.id is distinct from ignored
  ) then
    return 'room';
  end if;
  return null;
end;
$$;
comment on function hospital_private.booking_conflict(bigint, bigint, bigint, tstzrange, bigint) is
  'Which of doctor, patient and room is taken in a span by another appointment than the ignored one, or null; of the patient it speaks to those who may know. Lends the owner''s right to see that appointments exist, not what they are.';

-- Whose calendar the caller may ask about, so that nobody learns another's by trying times: the patient
-- his own and whom he may book for, those who keep the calendar anybody's, a doctor his own patients'.
create or replace function hospital_private.may_ask_about(patient_id bigint)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(
      may_ask_about.patient_id in (select hospital_private.own_patient_ids(to_book => true)),
      false
    )
    or hospital_private.session_has_role('reception')
    or hospital_private.session_has_role('administrator')
    or exists (
      select
      from hospital.appointments as a
      where a.patient_id in (
          select hospital_private.same_person_ids(array[may_ask_about.patient_id])
        )
        and a.doctor_id = hospital_private.current_doctor_id()
        and a.status not in ('held', 'cancelled', 'lapsed')
    );
end;
$$;
comment on function hospital_private.may_ask_about(bigint) is
  'Whether the live session may be told when a patient is busy. Lends the owner''s right to read appointments for this one question.';

create or replace function hospital_private.raise_conflict(party text)
returns void
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = case raise_conflict.party
      when 'patient' then 'PATBU'
      when 'room' then 'ROOMT'
      else 'SLOTT'
    end,
    message = case raise_conflict.party
      when 'patient' then 'The patient has another appointment at that time.'
      when 'room' then 'The room is taken at that time.'
      else 'That time is already taken.'
    end,
    hint = 'Ask freeSlots for times that can be booked.';
end;
$$;
comment on function hospital_private.raise_conflict(text) is
  'Raises SLOTT, PATBU or ROOMT as doctor, patient or room is taken.';
