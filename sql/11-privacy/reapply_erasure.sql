-- After a restore: the journal of erasures lies outside the backups, so it knows whom they bring back.
create or replace function hospital_private.reapply_erasure(
  record_uuids uuid[],
  reason text,
  is_complete boolean,
  erased_at timestamptz
)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  record record;
  outcome text := 'absent';
begin
  for record in
    select
      p.id,
      p.public_uuid,
      p.erased_at
    from hospital.patients as p
    where p.public_uuid = any (reapply_erasure.record_uuids)
    order by p.id
  loop
    if record.erased_at is not null
      or not reapply_erasure.is_complete
      and exists (
        select
        from hospital.erasures as e
        where e.erased_at = reapply_erasure.erased_at
          and record.public_uuid = any (e.record_uuids)
      )
    then
      outcome := case outcome when 'absent' then 'already' else outcome end;
      continue;
    end if;
    -- It was erased then, so no hold stood then: those from before had been released since the backup.
    update hospital.legal_holds as h
    set held = tstzrange(lower(h.held), least(upper(h.held), reapply_erasure.erased_at)),
      released_at = reapply_erasure.erased_at,
      release_reason = 'Released before the erasure that the journal knows of.'
    where h.patient_id = any (hospital_private.records_of_person(record.id))
      and h.released_at is null
      and lower(h.held) < reapply_erasure.erased_at;
    perform hospital_private.erase_person(
      record.id,
      reapply_erasure.reason,
      not reapply_erasure.is_complete,
      null,
      reapply_erasure.erased_at
    );
    outcome := 'erased';
  end loop;
  return outcome;
end;
$$;
comment on function hospital_private.reapply_erasure(uuid[], text, boolean, timestamptz) is
  'Erases again, in a database that a backup brought back, a person whom the journal says was erased; tells whether he was erased now, had been already, or is absent. Holds begun before it are ended as of then. Raises LEGHD for a later one, and what erase_person raises.';
