-- Freed time is offered to who waits for it, and the offer is a hold: while it lasts nobody else can
-- have the time, when it runs out anybody can, and nothing has to run for either. Nothing here waits:
-- who is busy being booked elsewhere is passed over, and an offer that a rule forbids is no reason for
-- the cancellation that led here to fail.
create or replace function hospital_private.offer_freed_time(doctor_id bigint, freed tstzrange)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  span constant tstzrange := offer_freed_time.freed
    * tstzrange(clock_timestamp(), clock_timestamp() + interval '60 days');
  made integer := 0;
  asked bigint[] := '{}'::bigint[];
  exhausted bigint[] := '{}'::bigint[];
  entry hospital.waitlist_entries;
  slot timestamptz;
begin
  -- An older snapshot does not see what others have offered meanwhile. The job makes up for it.
  if isempty(span)
    or current_setting('transaction_isolation') <> 'read committed'
    or hospital_private.offers_left() <= 0
  then
    return 0;
  end if;
  -- From here on locks are only tried (lock_in_order).
  if coalesce(current_setting('infirmary.lock_calls', true), '') in ('', '0') then
    perform set_config('infirmary.lock_calls', '1', true);
  end if;

  -- Priority, then who came first. Who was asked about any of that time, or has given it back himself, is
  -- not asked again, whichever wish it was for, and nobody is asked about two times at once.
  for entry in
    select e.*
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    join hospital.waitlist_entries as e
      on e.doctor_id = d.id
      or (e.doctor_id is null and e.department_id = m.department_id)
    join hospital.appointment_types as t
      on t.id = e.appointment_type_id
      and t.is_bookable
    join hospital.patients as p
      on p.id = e.patient_id
      and p.deactivated_at is null
      and p.deceased_on is null
      and p.merged_into_id is null
    where d.id = offer_freed_time.doctor_id
      and d.is_active
      and e.status = 'waiting'
      and e.starts_before > lower(span)
      and e.starts_from < upper(span)
      and not exists (
        select
        from hospital.appointments as o
        where o.patient_id = e.patient_id
          and (
            (
              o.doctor_id = d.id
              and o.busy && span
              and (o.waitlist_entry_id is not null or o.status = 'cancelled')
            )
            or (
              o.waitlist_entry_id is not null
              and o.status = 'held'
              and o.expires_at > clock_timestamp()
            )
          )
      )
    order by
      e.priority desc,
      e.joined_at,
      e.id
  loop
    exit when hospital_private.offers_left() <= 0;
    continue when entry.patient_id = any (asked)
      or entry.appointment_type_id = any (exhausted);
    begin
      select s.starts_at
      into slot
      from hospital_private.fitting_slot(entry, offer_freed_time.doctor_id, span) as s;
      if not found then
        exhausted := exhausted || entry.appointment_type_id;
      elsif slot is not null then
        perform hospital_private.make_offer(entry.id, offer_freed_time.doctor_id, slot);
        made := made + 1;
        asked := asked || entry.patient_id;
      end if;
    exception
      -- What making an offer can be refused with: a rule, a calendar in use, a time just taken.
      when sqlstate 'NOTBK' or sqlstate 'OUTWH' or sqlstate 'NOTIC' or sqlstate 'TOFAR'
        or sqlstate 'LIMIT' or sqlstate 'RETRY' or sqlstate 'SLOTT'
        or lock_not_available
      then
        null;
    end;
  end loop;
  return made;
end;
$$;
comment on function hospital_private.offer_freed_time(bigint, tstzrange) is
  'Offers time of a doctor''s that has become free to those who wait for it, in their order, each patient once and one time at a time, and returns how many it was offered to; a transaction makes 25 offers at most and the job goes on. Nobody but triggers and jobs calls it. Lends the owner''s right to hold a time for somebody else, for those on the waitlist alone.';

-- The locks of every offer are kept until the transaction ends, and there is room for so many only.
create or replace function hospital_private.offers_left()
returns integer
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(nullif(current_setting('infirmary.offers_left', true), '')::integer, 25);
end;
$$;
comment on function hospital_private.offers_left() is
  'How many more times this transaction may offer to those on the waitlist.';

-- The free times are the finder's, so that what is offered can be booked.
create or replace function hospital_private.fitting_slot(
  entry hospital.waitlist_entries,
  doctor_id bigint,
  span tstzrange
)
returns table (starts_at timestamptz)
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  slot as (
    select
      s.starts_at,
      b.busy
    from hospital.appointment_types as t
    cross join lateral hospital.free_slots(
      doctor_id => fitting_slot.doctor_id,
      appointment_type_id => t.id,
      starts_from => lower(fitting_slot.span)
        - make_interval(mins => t.duration_minutes + t.buffer_after_minutes),
      starts_before => upper(fitting_slot.span) + make_interval(mins => t.buffer_before_minutes)
    ) as s
    cross join lateral (
      select tstzrange(
        s.starts_at - make_interval(mins => t.buffer_before_minutes),
        s.ends_at + make_interval(mins => t.buffer_after_minutes)
      ) as busy
    ) as b
    where t.id = (fitting_slot.entry).appointment_type_id
      and b.busy && fitting_slot.span
  ),
  fitting as (
    select
      s.starts_at,
      s.busy
    from slot as s
    where s.starts_at >= (fitting_slot.entry).starts_from
      and s.starts_at < (fitting_slot.entry).starts_before
      and not exists (
        select
        from hospital.appointments as a
        where a.patient_id = (fitting_slot.entry).patient_id
          and a.busy && s.busy
          and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
          and (a.status <> 'held' or a.expires_at > clock_timestamp())
      )
    -- The one that leaves the least of the freed time over, the earliest of those.
    order by
      upper(s.busy * fitting_slot.span) - lower(s.busy * fitting_slot.span) desc,
      s.starts_at
    limit 1
  )
  select (select f.starts_at from fitting as f)
  where exists (select from slot as s);
$$;
comment on function hospital_private.fitting_slot(hospital.waitlist_entries, bigint, tstzrange) is
  'Which free start of a doctor''s that touches a span suits an entry on the waitlist best: no row when there is none for its type, null when none suits this patient. Lends the owner''s right to read calendars.';

create or replace function hospital_private.make_offer(
  entry_id bigint,
  doctor_id bigint,
  starts_at timestamptz
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  entry hospital.waitlist_entries;
  offered bigint;
begin
  -- Who is just asked about another time, or leaving, is passed over.
  select e.*
  into entry
  from hospital.waitlist_entries as e
  where e.id = make_offer.entry_id
    and e.status = 'waiting'
  for update skip locked;
  if entry.id is null then
    raise exception using
      errcode = 'SLOTT',
      message = 'That time is already taken.';
  end if;
  perform hospital_private.lock_calendars(
    array[make_offer.doctor_id],
    array[entry.patient_id],
    array[hospital_private.scheduled_room_id(make_offer.doctor_id, make_offer.starts_at)]
  );
  -- Asked again now that nobody else can: a refusal may just have been said.
  if exists (
    select
    from hospital.appointments as o
    join hospital.appointment_types as t
      on t.id = entry.appointment_type_id
    where o.patient_id = entry.patient_id
      and (o.waitlist_entry_id is not null or o.status = 'cancelled')
      and o.doctor_id = make_offer.doctor_id
      and o.busy && tstzrange(
        make_offer.starts_at - make_interval(mins => t.buffer_before_minutes),
        make_offer.starts_at + make_interval(mins => t.duration_minutes + t.buffer_after_minutes)
      )
  ) then
    raise exception using
      errcode = 'SLOTT',
      message = 'That time is already taken.';
  end if;
  -- Of the patient's offers only the last can stand. When it has not run out, nothing is offered.
  update hospital.appointments as a
  set status = 'lapsed'
  where a.id = any (
    array(
      select o.id
      from hospital.appointments as o
      where o.patient_id = entry.patient_id
        and o.waitlist_entry_id is not null
        and o.status = 'held'
        and o.expires_at <= clock_timestamp()
      for update nowait
    )
  );
  insert into hospital.appointments
    (patient_id, doctor_id, appointment_type_id, starts_at, status, waitlist_entry_id)
  values (
    entry.patient_id,
    make_offer.doctor_id,
    entry.appointment_type_id,
    make_offer.starts_at,
    'held',
    entry.id
  )
  on conflict do nothing
  returning id
  into offered;
  if offered is null then
    raise exception using
      errcode = 'SLOTT',
      message = 'That time is already taken.';
  end if;
  -- Local, so that what takes the offer back takes this back too.
  perform set_config(
    'infirmary.offers_left', (hospital_private.offers_left() - 1)::text, true
  );

  insert into hospital.notifications (reason, patient_id, appointment_id, subject, body)
  select
    'offer:' || a.id,
    a.patient_id,
    a.id,
    'A time has become free',
    format(
      'You can have an appointment on %s, %s, %s. It is kept for you until %s.',
      hospital_private.told_time(a.starts_at, f.time_zone, p.time_zone, t.is_remote),
      d.name,
      f.name,
      hospital_private.told_time(a.expires_at, f.time_zone, p.time_zone, true)
    )
  from hospital.appointments as a
  join hospital.patients as p
    on p.id = a.patient_id
  join hospital.appointment_types as t
    on t.id = a.appointment_type_id
  join hospital.departments as d
    on d.id = a.department_id
  join hospital.facilities as f
    on f.id = d.facility_id
  where a.id = offered;
end;
$$;
comment on function hospital_private.make_offer(bigint, bigint, timestamptz) is
  'Holds a time of a doctor''s for who is on the waitlist and writes the message that tells it. Raises RETRY, SLOTT, and what the guard of appointments raises. Lends the owner''s right to hold a time for somebody else, for those on the waitlist alone.';
