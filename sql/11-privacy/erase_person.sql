-- Erasing takes away who a person was and keeps what was done: nothing clinical is deleted. What is
-- identity is said by what_is_personal.sql; how it is taken away follows from that, table by table.

-- Whoever writes about the person waits for the rows locked here, and is waited for. An import reads a
-- whole file before it knows of whom, so it is not begun beside an erasure.
create or replace function hospital_private.lock_person(patient_id bigint)
returns bigint[]
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  patient_ids bigint[] := hospital_private.records_of_person(lock_person.patient_id);
  found_ids bigint[];
begin
  if not pg_try_advisory_xact_lock_shared(hashtextextended('infirmary import', 0)) then
    raise exception using
      errcode = 'RETRY',
      message = 'Files are being imported. Try again when that is done.';
  end if;
  perform hospital_private.lock_calendars(
    array(
      select a.doctor_id
      from hospital.appointments as a
      where a.patient_id = any (patient_ids)
        and a.status in ('held', 'scheduled', 'checked_in')
    ),
    patient_ids
  );
  -- Look, lock, look again: a merge may have come between.
  loop
    perform
    from hospital.patients as p
    where p.id = any (patient_ids)
    order by p.id
    for update;
    found_ids := hospital_private.records_of_person(lock_person.patient_id);
    exit when found_ids = patient_ids;
    patient_ids := found_ids;
  end loop;
  return patient_ids;
end;
$$;
comment on function hospital_private.lock_person(bigint) is
  'Locks all records of a person and their calendars until the transaction ends and returns their keys. Raises RETRY.';

create or replace function hospital_private.certificate_of(patient_ids bigint[])
returns hospital.erasures
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select e.*
  from hospital.erasures as e
  where e.is_complete
    and e.record_uuids @> array(
      select p.public_uuid
      from hospital.patients as p
      where p.id = any (certificate_of.patient_ids)
    )
    and not exists (
      select
      from hospital.patients as p
      where p.id = any (certificate_of.patient_ids)
        and p.erased_at is null
    )
  order by e.id
  limit 1;
$$;
comment on function hospital_private.certificate_of(bigint[]) is
  'The first certificate of a person all of whose records were erased, or null.';

create or replace function hospital_private.close_for_good(patient_ids bigint[])
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select
    from hospital_private.accounts as a
    where a.patient_id = any (close_for_good.patient_ids)
      and a.staff_member_id is not null
  ) then
    raise exception using
      errcode = 'WORKS',
      message = 'This patient works here and logs in with the same account.',
      hint = 'Give the colleague an account of his own first.';
  end if;
  perform hospital_private.call_off_what_is_to_come(p.id, 'record_erased')
  from unnest(close_for_good.patient_ids) as p (id);
  update hospital.patients as p
  set deactivated_at = now(),
    deactivation_reason = '[erased]'
  where p.id = any (close_for_good.patient_ids)
    and p.deactivated_at is null;
  -- The account before its sessions, as a log-in takes them.
  update hospital_private.accounts as a
  set disabled_at = coalesce(a.disabled_at, now())
  where a.patient_id = any (close_for_good.patient_ids);
  update hospital_private.sessions as s
  set revoked_at = now(),
    revoked_reason = 'revoked'
  from hospital_private.accounts as a
  where a.id = s.account_id
    and a.patient_id = any (close_for_good.patient_ids)
    and s.revoked_at is null;
end;
$$;
comment on function hospital_private.close_for_good(bigint[]) is
  'Calls off what is to come, closes the records and ends account and sessions of a person who is about to be erased. Raises WORKS, INWAY, RETRY.';

-- It waits half a second for a row at most: whoever writes about the patient may hold one and wait for
-- the patient's own, and the erasure is who can come again.
create or replace function hospital_private.erase_person(
  patient_id bigint,
  reason text,
  only_what_is_due boolean,
  erased_by bigint,
  first_erased_at timestamptz default null
)
returns hospital.erasures
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
set lock_timeout = '500ms'
as $$
declare
  patient_ids bigint[];
  personal_values text[];
  longest record;
  until_when text;
  today date := (now() at time zone 'UTC')::date;
  is_complete boolean;
  target record;
  erasure hospital.erasures;
begin
  -- An older snapshot would not see what was written since.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using
      errcode = 'ISOLN',
      message = 'A person is erased under READ COMMITTED only.';
  end if;
  if exists (
    select
    from hospital_private.personal_columns as c
    where c.class is null
  ) then
    raise exception using
      errcode = 'UNCLA',
      message = 'A column is not classified, so no certificate would be true.',
      hint = 'Its class belongs into sql/11-privacy/what_is_personal.sql.';
  end if;

  patient_ids := hospital_private.lock_person(erase_person.patient_id);
  erasure := hospital_private.certificate_of(patient_ids);
  if erasure.id is not null then
    return erasure;
  end if;
  perform hospital_private.refuse_held(patient_ids);

  select
    r.name,
    r.kept_until
  into longest
  from hospital_private.retention_of(patient_ids) as r
  order by r.kept_until desc nulls last
  limit 1;
  is_complete := case
    when erase_person.first_erased_at is not null then not erase_person.only_what_is_due
    else coalesce(longest.kept_until <= today, true)
  end;
  if not is_complete and not erase_person.only_what_is_due then
    -- A kind of record and a day tell an administrator nothing he may not know.
    until_when := format('The %s must be kept until %s.', longest.name, longest.kept_until);
    raise exception using
      errcode = 'RETEN',
      message = 'The record must be kept for now.',
      hint = until_when;
  end if;

  personal_values := hospital_private.values_of_person(patient_ids);
  if is_complete then
    perform hospital_private.close_for_good(patient_ids);
  end if;
  insert into hospital.erasures
    (subject, record_uuids, reason, is_complete, erased_by, erased_at, reapplied_at)
  select
    (array_agg(p.public_uuid) filter (where p.id = erase_person.patient_id))[1],
    array_agg(p.public_uuid order by p.id),
    erase_person.reason,
    is_complete,
    erase_person.erased_by,
    coalesce(erase_person.first_erased_at, now()),
    case when erase_person.first_erased_at is not null then now() end
  from hospital.patients as p
  where p.id = any (patient_ids)
  returning *
  into erasure;

  -- Versions after the visits that leave them behind, patients last.
  for target in
    select
      t.relation,
      is_complete or r.is_separable and coalesce(r.kept_until <= today, true) as is_due
    from hospital_private.person_tables as t
    left join hospital_private.retention_of(patient_ids) as r
      on r.rule = t.retention_rule
    order by
      t.relation = 'hospital.patients',
      t.relation collate "C" desc
  loop
    perform hospital_private.erase_rows(
      erasure.id,
      target.relation,
      coalesce(target.is_due, false),
      is_complete,
      patient_ids,
      personal_values
    );
  end loop;
  perform hospital_private.list_other_tables(erasure.id);

  if is_complete then
    update hospital.patients as p
    set erased_at = erasure.erased_at
    where p.id = any (patient_ids);
    -- The audit has kept what it was all along, sealed; without the keys nobody opens it again.
    perform audit.shred_person(p.id)
    from unnest(patient_ids) as p (id);
    perform hospital_private.refuse_remains(patient_ids, personal_values);
  end if;
  return erasure;
end;
$$;
comment on function hospital_private.erase_person(bigint, text, boolean, bigint, timestamptz) is
  'Erases the person one of whose records is given, or of him only what need not be kept, and returns the certificate; erasing twice changes nothing. Given when he was erased first, retention is not asked again. Raises ISOLN, UNCLA, LEGHD, RETEN, WORKS, INWAY, RETRY.';
