-- A wish for an earlier time. Whoever asks for the same again keeps his place in the queue.
create or replace function hospital.join_waitlist(
  patient_id bigint,
  appointment_type_id bigint,
  department_id bigint default null,
  doctor_id bigint default null,
  starts_from timestamptz default null,
  starts_before timestamptz default null,
  priority integer default null,
  idempotency_key text default null
)
returns hospital.waitlist_entries
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  payload text := jsonb_build_array(
    join_waitlist.patient_id,
    join_waitlist.appointment_type_id,
    join_waitlist.department_id,
    join_waitlist.doctor_id,
    extract(epoch from join_waitlist.starts_from),
    extract(epoch from join_waitlist.starts_before),
    join_waitlist.priority
  )::text;
  known bigint := hospital_private.begin_request(
    join_waitlist.idempotency_key,
    'join_waitlist',
    payload,
    '{}',
    array[join_waitlist.patient_id],
    '{}'
  );
  entry hospital.waitlist_entries;
begin
  if known is not null then
    return hospital_private.waitlist_entry(known);
  end if;
  if num_nonnulls(join_waitlist.department_id, join_waitlist.doctor_id) = 0 then
    raise exception using
      errcode = 'MISSA',
      message = 'Name a doctor or a department.';
  end if;
  if not exists (
      select
      from hospital.patients as p
      where p.id = join_waitlist.patient_id
    )
    or not exists (
      select
      from hospital.appointment_types as t
      where t.id = join_waitlist.appointment_type_id
    )
    or (
      join_waitlist.department_id is not null
      and not exists (
        select
        from hospital.departments as o
        where o.id = join_waitlist.department_id
      )
    )
    or (
      join_waitlist.doctor_id is not null
      and not exists (
        select
        from hospital.doctors as d
        where d.id = join_waitlist.doctor_id
      )
    )
  then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient, doctor, department or appointment type.';
  end if;
  if join_waitlist.starts_before <= clock_timestamp() then
    raise exception using
      errcode = 'PASTT',
      message = 'That time has passed.';
  end if;

  -- Waited for here, so that the guard below need not give up.
  perform hospital_private.lock_calendars('{}', array[join_waitlist.patient_id]);
  insert into hospital.waitlist_entries as e
    (patient_id, appointment_type_id, department_id, doctor_id, starts_from, starts_before)
  values (
    join_waitlist.patient_id,
    join_waitlist.appointment_type_id,
    join_waitlist.department_id,
    join_waitlist.doctor_id,
    coalesce(join_waitlist.starts_from, now()),
    coalesce(
      join_waitlist.starts_before,
      greatest(join_waitlist.starts_from, now()) + interval '60 days'
    )
  )
  on conflict (patient_id, appointment_type_id, department_id, doctor_id)
    where status = 'waiting'
  do update
    set starts_from = coalesce(join_waitlist.starts_from, e.starts_from),
      starts_before = coalesce(
        join_waitlist.starts_before,
        greatest(e.starts_before, excluded.starts_before)
      )
  returning e.*
  into entry;
  -- Who may not say who comes first has no right to the column, so it is named only where it is meant.
  if join_waitlist.priority is not null then
    update hospital.waitlist_entries as e
    set priority = join_waitlist.priority
    where e.id = entry.id
    returning e.*
    into entry;
  end if;
  perform hospital_private.remember_request(
    join_waitlist.idempotency_key, 'join_waitlist', payload, entry.id
  );
  return entry;
end;
$$;
comment on function hospital.join_waitlist(
  bigint, bigint, bigint, bigint, timestamptz, timestamptz, integer, text
) is
  'Puts a patient on the waitlist for a type of appointment with a doctor, or with any doctor of a department, within a span of starts (by default the next 60 days); time that becomes free is offered to the highest priority first, which staff may set, then in the order of joining. Who waits for the same already keeps his place; a patient waits for five things at most. Raises MISSA, NTFND, also for a doctor of another department than the one named, PASTT, NOTBK, WISHN, UNAUT, IDKEY, RETRY.';

create or replace function hospital.leave_waitlist(entry_id bigint)
returns hospital.waitlist_entries
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  entry hospital.waitlist_entries := hospital_private.waitlist_entry(leave_waitlist.entry_id);
  offer_id bigint := hospital_private.live_offer_id(entry.id);
begin
  -- Nothing is offered to a patient whose calendar somebody else has locked.
  if offer_id is null then
    perform hospital_private.lock_calendars('{}', array[entry.patient_id]);
    offer_id := hospital_private.live_offer_id(entry.id);
  end if;
  if offer_id is not null then
    perform hospital.refuse_offer(offer_id);
  end if;
  update hospital.waitlist_entries as e
  set status = 'withdrawn'
  where e.id = entry.id
    and e.status = 'waiting'
  returning e.*
  into entry;
  if entry.id is null then
    entry := hospital_private.waitlist_entry(leave_waitlist.entry_id);
  end if;
  if entry.status <> 'withdrawn' then
    raise exception using
      errcode = 'TRNSN',
      message = 'This wish has been fulfilled already.';
  end if;
  return entry;
end;
$$;
comment on function hospital.leave_waitlist(bigint) is
  'Takes a patient off the waitlist; a time that is just offered is refused with it. Raises NTFND, RETRY, TRNSN when the wish was fulfilled.';

create or replace function hospital_private.waitlist_entry(entry_id bigint)
returns hospital.waitlist_entries
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  entry hospital.waitlist_entries;
begin
  select e.*
  into entry
  from hospital.waitlist_entries as e
  where e.id = waitlist_entry.entry_id;
  if entry.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such entry on the waitlist.';
  end if;
  return entry;
end;
$$;
comment on function hospital_private.waitlist_entry(bigint) is
  'The entry on the waitlist as it is now, when the caller may see it. Raises NTFND.';

create or replace function hospital_private.live_offer_id(entry_id bigint)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select a.id
    from hospital.appointments as a
    where a.waitlist_entry_id = live_offer_id.entry_id
      and a.status = 'held'
      and a.expires_at > clock_timestamp()
  );
end;
$$;
comment on function hospital_private.live_offer_id(bigint) is
  'The time that is just offered to an entry on the waitlist, or null. Volatile, so that it sees what was committed a moment ago.';
