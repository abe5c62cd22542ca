-- What a body may be, on every path: as its author through the function, and as the owner by SQL.
begin;
select no_plan();

create temporary table who on commit drop as
select tests.doctor(null, 'doc@example.test') as doc, tests.patient() as ann;
alter table who add v bigint;
update who set v = tests.visit(tests.appointment(doc, ann));
grant select on who to public;
create function pg_temp.write(note_type text, body text) returns text
language sql
as $$
  select tests.would_be(format('select hospital.write_note(%s, %L, %L)', v, $1, $2)) from who;
$$;
create function pg_temp.load(note_type text, body text, is_signed boolean default false) returns text
language sql
as $$
  select tests.would_be(format(
    'insert into hospital.clinical_notes (record_uuid, patient_id, note_type, author_id, body, signed_at)
      select v.record_uuid, v.patient_id, %L, d.staff_member_id, %L, %L::timestamptz
      from hospital.visits as v join hospital.doctors as d on d.id = v.doctor_id',
    $1, $2, case when $3 then now() end
  ));
$$;
create temporary table bodies (note_type text, body text, expected text, title text) on commit drop;
grant select on bodies to public;
insert into bodies values
  ('procedure_note', '{}', 'accepted', 'an empty draft'),
  ('procedure_note', '{"procedure": "Biopsy", "consent_obtained": true, "findings": "None", "blood_loss_ml": 12.5, "complications": ["Pain", ""]}', 'accepted', 'every type that there is'),
  ('procedure_note', '{"procedure": "Biopsy", "procedure": "Second thought"}', 'accepted', 'a key twice, of which the last counts'),
  ('procedure_note', '{"procedure": "Grüße, \u4f60\u597d, \ud83d\ude00"}', 'accepted', 'any letters'),
  ('procedure_note', '{"procedure": 1}', 'NOTES', 'a number for a text'),
  ('procedure_note', '{"procedure": null}', 'NOTES', 'null for a text'),
  ('procedure_note', '{"procedure": {"text": "x"}}', 'NOTES', 'an object for a text'),
  ('procedure_note', '{"procedure": ["x"]}', 'NOTES', 'a list for a text'),
  ('procedure_note', '{"consent_obtained": "true"}', 'NOTES', 'a text for a truth'),
  ('procedure_note', '{"blood_loss_ml": "12"}', 'NOTES', 'a text for a number'),
  ('procedure_note', '{"complications": "Pain"}', 'NOTES', 'a text for a list'),
  ('procedure_note', '{"complications": ["Pain", 1]}', 'NOTES', 'a number in a list of texts'),
  ('procedure_note', '{"complications": [["Pain"]]}', 'NOTES', 'a list in a list'),
  ('procedure_note', '{"complications": [null]}', 'NOTES', 'nothing in a list'),
  ('procedure_note', '{"Procedure": "Biopsy"}', 'NOTES', 'a section written otherwise'),
  ('procedure_note', '{"": "Biopsy"}', 'NOTES', 'a section without a name'),
  ('procedure_note', '{"__proto__": {"procedure": "x"}}', 'NOTES', 'a section that is none'),
  ('progress_note', '{"procedure": "Biopsy"}', 'NOTES', 'a section of another type'),
  ('progress_note', '[]', 'clinical_notes_body_bounded', 'a list'),
  ('progress_note', '"Biopsy"', 'clinical_notes_body_bounded', 'a text'),
  ('progress_note', 'null', 'clinical_notes_body_bounded', 'null'),
  ('progress_note', '1', 'clinical_notes_body_bounded', 'a number'),
  ('progress_note', '', '22P02', 'nothing'),
  ('progress_note', '{"plan": "x"', '22P02', 'half a body'),
  ('progress_note', '{"plan": "\u0000"}', '22P05', 'a null byte'),
  ('progress_note', '{"plan": "\ud800"}', '22P02', 'half a letter'),
  ('progress_note', '{"plan": ' || repeat('[', 1000) || repeat(']', 1000) || '}', 'NOTES', 'a thousand lists in each other'),
  ('progress_note', repeat('[', 1000000), '54001', 'a million lists in each other'),
  ('progress_note', '{"plan": "' || repeat('x', 65000) || '"}', 'accepted', 'a long text'),
  ('progress_note', '{"plan": "' || repeat('x', 65536) || '"}', 'clinical_notes_body_bounded', 'a longer one'),
  ('progress_note', '{"plan": "' || repeat('ü', 33000) || '"}', 'clinical_notes_body_bounded', 'one that is longer in bytes than in letters'),
  ('progress_note', '{"plan": "' || repeat('x', 1000000) || '"}', 'clinical_notes_body_bounded', 'a megabyte'),
  ('procedure_note', '{"blood_loss_ml": 1e131000}', 'clinical_notes_body_bounded', 'a short number that is long written out');

select is(pg_temp.load(note_type, body), expected, 'For the owner: ' || title) from bodies;
select is(
  pg_temp.load('procedure_note', body, true),
  expected, 'Signed: ' || title
) from (
  values
    ('{"procedure": "Biopsy", "consent_obtained": false, "findings": "None"}', 'accepted', 'what it needs'),
    ('{"procedure": "Biopsy", "consent_obtained": false}', 'NOTES', 'a section is missing'),
    (E'{"procedure": "Biopsy", "consent_obtained": false, "findings": " \\n\\t "}', 'NOTES', 'one is blank')
) as given (body, expected, title);
select is(
  pg_temp.load('consultation_note', '{"question": "?", "findings": "x", "recommendations": []}', true),
  'NOTES', 'Signed: a list is empty'
);

select tests.authenticate_as('doc@example.test');
select hospital.open_chart(ann) from who;
select is(pg_temp.write(note_type, body), expected, 'For a doctor: ' || title) from bodies;
select is(
  tests.would_be(format('select hospital.write_note(%s, ''progress_note'', null)', v)),
  '23502', 'For a doctor: no body at all'
) from who;
select tests.clear_authentication();

-- The sections themselves.
select is(
  tests.constraint_of($$insert into hospital.note_sections (note_type, key, title, value_type, sort_order) values ('progress_note', 'x', 'X', 'object', 9)$$),
  'note_sections_value_type_known', 'A section is of a type that can be checked.'
);
select is(
  tests.constraint_of($$insert into hospital.note_sections (note_type, key, title, sort_order) values ('progress_note', 'Plan B', 'X', 9)$$),
  'note_sections_key_well_formed', 'Its key is a plain word.'
);
select is(
  tests.constraint_of($$insert into hospital.note_sections (note_type, key, title, sort_order) values ('progress_note', 'x', 'X', 1)$$),
  'note_sections_sort_order_key', 'It has a place of its own.'
);
select * from finish();
rollback;
