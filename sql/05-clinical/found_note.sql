create or replace function hospital_private.found_note(note hospital.clinical_notes)
returns hospital.clinical_notes
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if note.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such note in a chart you have open.',
      hint = 'Open the patient''s chart with openChart first.';
  end if;
  return note;
end;
$$;
comment on function hospital_private.found_note(hospital.clinical_notes) is
  'Returns the note, or raises NTFND when none was found.';
