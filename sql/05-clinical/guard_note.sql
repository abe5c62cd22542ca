-- What a note may say is its type's to say, on every path. A draft may be incomplete and not
-- malformed; what is signed is complete.
create or replace function hospital_private.guard_note()
returns trigger
language plpgsql
volatile
-- An addendum is to a note that its writer sees: whoever may not know of a note is told that there is none.
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  is_foreign boolean;
  is_mistyped boolean;
  is_incomplete boolean;
begin
  -- An erasure, which is the owner's, empties it all the same.
  if tg_op = 'UPDATE' and current_user = 'hospital_owner' then
    if hospital_private.is_being_erased(old.patient_id) then
      return new;
    end if;
  end if;
  select
    bool_or(s.key is null),
    bool_or(
      jsonb_typeof(given.value) <> s.value_type
      or (
        s.value_type = 'array'
        and jsonb_path_exists(
          given.value,
          'strict $[*] ? (@.type() <> "string")',
          silent => true
        )
      )
    ),
    bool_or(
      s.is_required
      and coalesce(btrim(given.value #>> '{}', E' \t\r\n') in ('', '[]'), true)
    )
  into is_foreign, is_mistyped, is_incomplete
  -- What is no object has no sections, and is refused by a constraint.
  from jsonb_each(case jsonb_typeof(new.body) when 'object' then new.body end) as given (key, value)
  full join (
    select
      n.key,
      n.value_type,
      n.is_required
    from hospital.note_sections as n
    where n.note_type = new.note_type
  ) as s
    on s.key = given.key;
  if is_foreign then
    raise exception using
      errcode = 'NOTES',
      message = 'The note has a section that its type does not have.';
  elsif is_mistyped then
    raise exception using
      errcode = 'NOTES',
      message = 'A section of the note is not of the type it should be.';
  elsif is_incomplete and new.signed_at is not null then
    raise exception using
      errcode = 'NOTES',
      message = 'A section that the note needs is empty.';
  end if;

  if new.addendum_to_id is not null
    and (tg_op = 'INSERT' or new.addendum_to_id is distinct from old.addendum_to_id)
    and not exists (
      select
      from hospital.clinical_notes as n
      where n.id = new.addendum_to_id
        and n.signed_at is not null
        and n.voided_at is null
        and n.addendum_to_id is null
    )
  then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such signed note in a chart you have open.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_note() is
  'Trigger: refuses sections that the type of note does not have, a signed note without those it needs, and an addendum to anything but a signed note. Raises NOTES, NTFND.';

create or replace trigger _300_guard
  -- Not on a void: an old note may have sections that its type no longer has.
  before insert or update of note_type, addendum_to_id, body, signed_at on hospital.clinical_notes
  for each row execute function hospital_private.guard_note();
