create or replace function hospital.sign_note(note_id bigint)
returns hospital.clinical_notes
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  note hospital.clinical_notes;
begin
  update hospital.clinical_notes as n
  set signed_at = now()
  where n.id = sign_note.note_id
    and n.signed_at is null
  returning n.*
  into note;
  -- Signing twice is no error and keeps the first moment.
  if note.id is null then
    select n.*
    into note
    from hospital.clinical_notes as n
    where n.id = sign_note.note_id
      and n.signed_at is not null
      and n.author_id = hospital_private.current_staff_member_id();
  end if;
  return hospital_private.found_note(note);
end;
$$;
comment on function hospital.sign_note(bigint) is
  'Signs a draft of one''s own, after which it never changes and whoever has the chart open may read it. Raises NTFND, NOTES.';

create or replace function hospital.void_note(note_id bigint, reason text)
returns hospital.clinical_notes
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  note hospital.clinical_notes;
begin
  update hospital.clinical_notes as n
  set voided_at = now(),
    void_reason = void_note.reason
  where n.id = void_note.note_id
    and n.voided_at is null
  returning n.*
  into note;
  -- Voiding twice is no error and keeps the first reason.
  if note.id is null then
    select n.*
    into note
    from hospital.clinical_notes as n
    where n.id = void_note.note_id
      and n.voided_at is not null
      and n.author_id = hospital_private.current_staff_member_id();
  end if;
  return hospital_private.found_note(note);
end;
$$;
comment on function hospital.void_note(bigint, text) is
  'Declares a note of one''s own entered in error, with a reason; nothing is deleted. Raises NTFND.';
