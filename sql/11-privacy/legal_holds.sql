-- A hold that has not ended counts, one that begins tomorrow too: what is erased today cannot be
-- produced then.
create or replace function hospital_private.is_held(patient_ids bigint[])
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select
    from hospital.legal_holds as h
    where h.patient_id = any (is_held.patient_ids)
      and (upper_inf(h.held) or upper(h.held) > clock_timestamp())
  );
$$;
comment on function hospital_private.is_held(bigint[]) is
  'Whether a legal hold on one of these records has not ended. Lends the owner''s right to read holds.';

create or replace function hospital_private.refuse_held(patient_ids bigint[])
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if hospital_private.is_held(refuse_held.patient_ids) then
    raise exception using
      errcode = 'LEGHD',
      message = 'A legal hold is on this record.',
      hint = 'Nothing of it is erased until all holds are released.';
  end if;
end;
$$;
comment on function hospital_private.refuse_held(bigint[]) is
  'Raises LEGHD while a legal hold on one of these records has not ended. Lends the owner''s right to read holds.';

create or replace function hospital.place_legal_hold(
  patient_id bigint,
  matter text,
  reason text,
  held_until timestamptz default null
)
returns hospital.legal_holds
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  hold hospital.legal_holds;
begin
  perform hospital_private.require_role('administrator');
  if place_legal_hold.held_until <= clock_timestamp() then
    raise exception using
      errcode = 'PASTT',
      message = 'That time has passed.';
  end if;
  -- The foreign key waits for an erasure under way, and so the hold comes before it or is refused.
  insert into hospital.legal_holds (patient_id, matter, reason, held, placed_by)
  select
    p.id,
    btrim(place_legal_hold.matter),
    btrim(place_legal_hold.reason),
    tstzrange(clock_timestamp(), place_legal_hold.held_until),
    hospital_private.current_account_id()
  from hospital.patients as p
  where p.id = place_legal_hold.patient_id
  returning *
  into hold;
  if hold.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient.';
  end if;
  return hold;
end;
$$;
comment on function hospital.place_legal_hold(bigint, text, text, timestamptz) is
  'Forbids from now on, until the time given or until it is released, to erase anything of a patient. For administrators. Raises UNAUT, PRMSN, NTFND, PASTT, XERAS, and a conflict when the matter has a hold already. Lends the owner''s right to write holds, so that each names who placed it.';

create or replace function hospital.release_legal_hold(legal_hold_id bigint, reason text)
returns hospital.legal_holds
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  hold hospital.legal_holds;
begin
  perform hospital_private.require_role('administrator');
  -- Released twice, the first counts.
  update hospital.legal_holds as h
  set held = tstzrange(lower(h.held), least(upper(h.held), clock_timestamp())),
    released_by = hospital_private.current_account_id(),
    released_at = clock_timestamp(),
    release_reason = btrim(release_legal_hold.reason)
  where h.id = release_legal_hold.legal_hold_id
    and h.released_at is null;
  select h.*
  into hold
  from hospital.legal_holds as h
  where h.id = release_legal_hold.legal_hold_id;
  if hold.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such legal hold.';
  end if;
  return hold;
end;
$$;
comment on function hospital.release_legal_hold(bigint, text) is
  'Ends a legal hold, with a reason. For administrators. Raises UNAUT, PRMSN, NTFND. Lends the owner''s right to write holds, so that each names who released it.';
