-- Two records turn out to be one person's. Nothing of either is rewritten: the duplicate is closed and points
-- at the other, and readers see both as one. A record that has nothing to come can never meet the other's
-- appointments, so the duplicate's are called off or booked anew first; its guard sees to that on every path.
create or replace function hospital.merge_patients(
  duplicate_id bigint,
  survivor_id bigint,
  reason text
)
returns hospital.patients
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  survivor hospital.patients;
begin
  perform hospital_private.require_role('administrator');
  if merge_patients.reason is null then
    raise exception using
      errcode = 'MISSA',
      message = 'Say why the two are one person.';
  end if;
  perform hospital_private.lock_calendars(
    '{}', array[merge_patients.duplicate_id, merge_patients.survivor_id]
  );
  select s.*
  into survivor
  from hospital.patients as s
  cross join hospital.patients as d
  where s.id = merge_patients.survivor_id
    and d.id = merge_patients.duplicate_id;
  if survivor.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient.';
  end if;
  if exists (
    select
    from hospital.patients as p
    where p.merged_into_id = merge_patients.duplicate_id
      or (
        p.id in (merge_patients.duplicate_id, merge_patients.survivor_id)
        and p.merged_into_id is not null
      )
  ) then
    raise exception using
      errcode = 'MERGD',
      message = 'One of the two is part of another merge.',
      hint = 'Undo that first, or merge into the record that goes on.';
  end if;
  if exists (
    select
    from hospital.waitlist_entries as w
    where w.patient_id = merge_patients.duplicate_id
      and w.status = 'waiting'
  ) then
    raise exception using
      errcode = 'INWAY',
      message = 'The duplicate is on the waitlist.',
      hint = 'Leave the waitlist for it first, and join for the record that goes on.';
  end if;
  update hospital.patients as p
  set merged_into_id = merge_patients.survivor_id
  where p.id = merge_patients.duplicate_id;
  update hospital.patient_merges as m
  set reason = btrim(merge_patients.reason)
  where m.duplicate_id = merge_patients.duplicate_id
    and m.unmerged_at is null;
  return survivor;
end;
$$;
comment on function hospital.merge_patients(bigint, bigint, text) is
  'Closes a duplicate record of a person, links it to the one that goes on and returns that one; for administrators. Raises UNAUT, PRMSN, MISSA, NTFND, MERGD, RETRY, and INWAY while the duplicate has appointments to come or waits for some. Lends the owner''s right to write the link.';

create or replace function hospital.unmerge_patients(duplicate_id bigint)
returns hospital.patients
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  separate hospital.patients;
begin
  perform hospital_private.require_role('administrator');
  update hospital.patients as p
  set merged_into_id = null
  where p.id = unmerge_patients.duplicate_id
    and p.merged_into_id is not null
  returning p.*
  into separate;
  if separate.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such duplicate.';
  end if;
  return separate;
end;
$$;
comment on function hospital.unmerge_patients(bigint) is
  'Undoes the merge of a duplicate, which is a record of its own again, and returns it; who has a chart of either open logs in anew. For administrators. Raises UNAUT, PRMSN, NTFND. Lends the owner''s right to write the link.';

-- Who linked what and when is kept on every path; the function adds why.
create or replace function hospital_private.record_merge()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update hospital.patient_merges as m
  set unmerged_at = clock_timestamp(),
    unmerged_by = hospital_private.current_account_id()
  where m.duplicate_id = new.id
    and m.unmerged_at is null;
  if new.merged_into_id is not null then
    insert into hospital.patient_merges (duplicate_id, survivor_id, merged_by)
    values (new.id, new.merged_into_id, hospital_private.current_account_id());
  end if;
  return null;
end;
$$;
comment on function hospital_private.record_merge() is
  'Trigger: keeps the history of merges. Lends the owner''s right to write it, which nobody else has.';

create or replace trigger _700_record_merge_insert
  after insert on hospital.patients
  for each row
  when (new.merged_into_id is not null)
  execute function hospital_private.record_merge();
create or replace trigger _700_record_merge_update
  after update on hospital.patients
  for each row
  when (new.merged_into_id is distinct from old.merged_into_id)
  execute function hospital_private.record_merge();

-- While two are held for one, who treats the one may open the other's chart. That must not outlive the
-- mistake, so whoever has a chart of theirs open logs in anew. Opening a chart holds the record for key
-- share: what is being opened is waited for here, and what is opened later asks after the link is gone.
create or replace function hospital_private.close_separated_charts()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform
  from hospital.patients as p
  where p.id = old.merged_into_id
  for update;
  update hospital_private.sessions as s
  set revoked_at = clock_timestamp(),
    revoked_reason = 'revoked'
  where s.revoked_at is null
    and s.id in (
      select o.session_id
      from audit.chart_openings as o
      where o.patient_id in (old.id, old.merged_into_id)
    );
  return null;
end;
$$;
comment on function hospital_private.close_separated_charts() is
  'Trigger: ends the sessions that have opened a chart of two records that are one person''s no more. Lends the owner''s right to end sessions.';

create or replace trigger _710_close_separated_charts
  after update on hospital.patients
  for each row
  when (old.merged_into_id is not null and new.merged_into_id is distinct from old.merged_into_id)
  execute function hospital_private.close_separated_charts();
