-- What was signed, as one text: identifiers, kind, label and moment beside the words, so that none of
-- them can be exchanged without the hash showing it. jsonb writes its keys in an order of its own.
create or replace function hospital_private.note_hash(note hospital.clinical_notes)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select encode(
    sha256(
      convert_to(
        jsonb_build_array(
          note.note_uuid,
          note.record_uuid,
          note.patient_id,
          note.note_type,
          note.author_id,
          note.sensitivity,
          note.addendum_to_id,
          note.body,
          -- As a number, which no connection's time zone changes.
          extract(epoch from note.signed_at)
        )::text,
        'UTF8'
      )
    ),
    'hex'
  );
$$;
comment on function hospital_private.note_hash(hospital.clinical_notes) is
  'The SHA-256 of what is signed of a note, in hexadecimal.';

create or replace function hospital.clinical_notes_is_intact(note hospital.clinical_notes)
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select note.content_hash = hospital_private.note_hash(note);
$$;
comment on function hospital.clinical_notes_is_intact(hospital.clinical_notes) is
  'Whether a signed note is what its author signed, by its hash, or null for a draft.';

-- When it was signed is not for the writer to say; a note that was signed elsewhere is loaded as it is.
create or replace function hospital_private.seal_note()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' then
    new.signed_at := now();
  end if;
  new.content_hash := hospital_private.note_hash(new);
  return new;
end;
$$;
comment on function hospital_private.seal_note() is
  'Trigger: stamps a note that is being signed with the time of the transaction and the hash of what is signed.';

create or replace trigger _210_seal
  before insert on hospital.clinical_notes
  for each row
  when (new.signed_at is not null)
  execute function hospital_private.seal_note();

create or replace trigger _210_seal_draft
  before update on hospital.clinical_notes
  for each row
  when (old.signed_at is null and new.signed_at is not null)
  execute function hospital_private.seal_note();
