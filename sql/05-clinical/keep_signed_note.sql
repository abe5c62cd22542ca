-- Others act on what was signed, so it stays as it was for everybody, the owner included. All that may
-- still be said of it is that it was an error, once.
create or replace function hospital_private.keep_signed_note()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  free text[] := array['updated_at'];
begin
  -- An erasure, which is the owner's, empties it all the same.
  if tg_op = 'UPDATE' and current_user = 'hospital_owner' then
    if hospital_private.is_being_erased(old.patient_id) then
      return new;
    end if;
  end if;
  if old.voided_at is null then
    free := free || array['voided_at', 'void_reason'];
  end if;
  if tg_op = 'DELETE' or to_jsonb(new) - free is distinct from to_jsonb(old) - free then
    raise exception using
      errcode = 'SIGND',
      message = 'What was signed or voided stays as it is.',
      hint = 'Add to a signed note with an addendum.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.keep_signed_note() is
  'Trigger: refuses to delete any note, and to change one that was signed or voided in anything but that it is voided. Raises SIGND.';

create or replace trigger _310_keep_signed
  before update on hospital.clinical_notes
  for each row
  when (old.signed_at is not null or old.voided_at is not null)
  execute function hospital_private.keep_signed_note();

create or replace trigger _310_keep
  before delete on hospital.clinical_notes
  for each row execute function hospital_private.keep_signed_note();
