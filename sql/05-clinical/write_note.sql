create or replace function hospital.write_note(
  visit_id bigint,
  note_type text,
  body jsonb,
  sensitivity text default null,
  addendum_to_id bigint default null
)
returns hospital.clinical_notes
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  visit hospital.visits;
  kind hospital.note_types;
  note hospital.clinical_notes;
begin
  select v.*
  into visit
  from hospital.visits as v
  where v.id = write_note.visit_id
    and v.voided_at is null;
  perform hospital_private.found_visit(visit);
  select t.*
  into kind
  from hospital.note_types as t
  where t.code = write_note.note_type;
  if kind.code is null then
    raise exception using
      errcode = 'UNKWN',
      message = 'There is no such type of note.';
  end if;
  insert into hospital.clinical_notes
    (record_uuid, patient_id, note_type, author_id, sensitivity, addendum_to_id, body)
  values (
    visit.record_uuid,
    visit.patient_id,
    kind.code,
    hospital_private.current_staff_member_id(),
    coalesce(
      write_note.sensitivity,
      (
        select n.sensitivity
        from hospital.clinical_notes as n
        where n.id = write_note.addendum_to_id
      ),
      kind.default_sensitivity
    ),
    write_note.addendum_to_id,
    write_note.body
  )
  returning *
  into note;
  return note;
end;
$$;
comment on function hospital.write_note(bigint, text, jsonb, text, bigint) is
  'Begins a note at a visit, as a draft that only its author sees; an addendum names the signed note it adds to. Raises NTFND, UNKWN, NOTES.';

create or replace function hospital.edit_note(
  note_id bigint,
  body jsonb,
  sensitivity text default null
)
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
  set body = edit_note.body,
    sensitivity = coalesce(edit_note.sensitivity, n.sensitivity)
  where n.id = edit_note.note_id
  returning n.*
  into note;
  return hospital_private.found_note(note);
end;
$$;
comment on function hospital.edit_note(bigint, jsonb, text) is
  'Replaces what a draft of one''s own says; the version before is kept. Raises NTFND, NOTES, SIGND.';
