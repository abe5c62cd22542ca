-- The life of a note: a draft of its author's, signed for ever, added to, voided.
begin;
select no_plan();

create temporary table who on commit drop as
select d.ward, tests.doctor(d.ward, 'doc@example.test') as doc, tests.doctor(d.ward, 'other@example.test') as other,
  tests.patient('ann@example.test') as ann, tests.patient('bob@example.test') as bob,
  tests.staff('nurse', d.ward, 'nurse@example.test') as nurse
from (select tests.department() as ward) as d;
alter table who add va bigint, add vb bigint, add v2 bigint, add note bigint, add draft bigint, add addendum bigint;
update who set va = tests.visit(tests.appointment(doc, ann, tests.next_working_instant(doc, '10:00')));
update who set v2 = tests.visit(tests.appointment(other, ann, tests.next_working_instant(other, '11:00')));
update who set vb = tests.visit(tests.appointment(doc, bob, tests.next_working_instant(doc, '12:00')));
grant select, update on who to public;
create function pg_temp.fill(statement text) returns text
language sql
as $$
  select replace(replace(replace(replace(replace(replace(replace($1, ':va', va::text), ':vb', vb::text), ':v2', v2::text), ':note', coalesce(note, 0)::text), ':draft', coalesce(draft, 0)::text), ':bob', bob::text), ':addendum', coalesce(addendum, 0)::text)
  from who;
$$;
create function pg_temp.try(statement text) returns text
language sql
as $$ select tests.would_be(pg_temp.fill($1)); $$;
create function pg_temp.soap() returns jsonb
language sql
as $$ select '{"subjective": "Headache since Monday", "objective": "BP 150/95", "assessment": "Hypertension", "plan": "Less salt"}'::jsonb; $$;

-- ### the author
select tests.authenticate_as('doc@example.test');
select is(
  pg_temp.try($$select hospital.write_note(:va, 'progress_note', '{}')$$),
  'NTFND', 'No note is written in a chart that is not open.'
);
select hospital.open_chart(ann) from who;
update who set draft = (hospital.write_note(va, 'progress_note', '{"plan": "Less salt"}')).id;
select results_eq(
  'select patient_id, note_type, sensitivity, version, signed_at, content_hash from hospital.clinical_notes',
  $$ select ann, 'progress_note', 'normal', 1, null::timestamptz, null::text from who $$,
  'A draft may be incomplete.'
);
select is(
  pg_temp.try('select hospital.sign_note(:draft)'),
  'NOTES', 'It is not signed before it has every section it needs.'
);
select is(
  (hospital.edit_note(draft, pg_temp.soap())).version,
  2, 'Its author edits it,'
) from who;
select is(
  (hospital.edit_note(draft, pg_temp.soap())).version,
  2, 'the same again being no new version,'
) from who;
select results_eq(
  'select note_id, version, sensitivity, body, replaced_by is not null from hospital.clinical_note_versions',
  $$ select draft, 1, 'normal', '{"plan": "Less salt"}'::jsonb, true from who $$,
  'and what it said before is kept.'
);
select is(
  pg_temp.try('select hospital.write_note(:va, ''addendum'', ''{"text": "x"}'', addendum_to_id => :draft)'),
  'NTFND', 'Nothing is added to a draft.'
);
update who set note = (hospital.sign_note(draft)).id;
select results_eq(
  'select id, signed_at, length(content_hash), hospital.clinical_notes_is_intact(n) from hospital.clinical_notes as n',
  'select draft, now(), 64, true from who', 'The author signs, and what he signed has a hash.'
);
select is(
  (hospital.sign_note(note)).signed_at,
  now(), 'Signing twice is no error.'
) from who;
select is(
  pg_temp.try('select hospital.sign_note(-1)'),
  'NTFND', 'Nothing is signed that is not there.'
);
select is(
  pg_temp.try('select hospital.edit_note(:note, pg_temp.soap() || ''{"plan": "x"}'')'),
  'SIGND', 'A signed note is not edited.'
);
select is(
  pg_temp.try('select hospital.edit_note(:note, pg_temp.soap(), ''hiv'')'),
  'SIGND', 'Nor labelled otherwise.'
);
select is(
  pg_temp.try('update hospital.clinical_notes set signed_at = null'),
  'SIGND', 'Nor made a draft again by SQL.'
);
select is(
  pg_temp.try('update hospital.clinical_notes set signed_at = ''2020-01-01'''),
  'SIGND', 'Nor signed at another time.'
);
select is(
  pg_temp.try('update hospital.clinical_notes set content_hash = ''x'''),
  '42501', 'The hash is not the writer''s to say.'
);
select is(
  pg_temp.try('update hospital.clinical_notes set author_id = author_id'),
  '42501', 'Nor is the author.'
);
select is(pg_temp.try('delete from hospital.clinical_notes'), '42501', 'No note is deleted.');
select is(
  pg_temp.try('delete from hospital.clinical_note_versions'),
  '42501', 'Nor a version.'
);

-- Addenda.
select is(
  (hospital.write_note(va, 'addendum', '{"text": "The laboratory called"}', addendum_to_id => note)).addendum_to_id,
  note, 'Later words are an addendum.'
) from who;
update who set addendum = (select (hospital.sign_note(n.id)).id from hospital.clinical_notes as n where n.addendum_to_id is not null);
select is(
  pg_temp.try('select hospital.write_note(:va, ''addendum'', ''{"text": "x"}'')'),
  'clinical_notes_addendum_is_of_a_note', 'An addendum is to something.'
);
select is(
  pg_temp.try('select hospital.write_note(:va, ''progress_note'', pg_temp.soap(), addendum_to_id => :note)'),
  'clinical_notes_addendum_is_of_a_note', 'What adds to a note is an addendum.'
);
select is(
  pg_temp.try('select hospital.write_note(:va, ''addendum'', ''{"text": "x"}'', addendum_to_id => :addendum)'),
  'NTFND', 'It is to the note and not to an addendum.'
);
select is(
  pg_temp.try('select hospital.write_note(:v2, ''addendum'', ''{"text": "x"}'', addendum_to_id => :note)'),
  'clinical_notes_addendum_shares_record_and_sensitivity', 'Of the same record.'
);
select is(
  pg_temp.try('select hospital.write_note(:va, ''addendum'', ''{"text": "x"}'', ''hiv'', :note)'),
  'clinical_notes_addendum_shares_record_and_sensitivity', 'And as sensitive as it.'
);

-- Whose, and of whom.
select is(
  pg_temp.try('select hospital.write_note(:vb, ''progress_note'', pg_temp.soap())'),
  'NTFND', 'Bob''s chart is not open.'
);
select is(
  pg_temp.try('insert into hospital.clinical_notes (record_uuid, patient_id, note_type, author_id, body) select n.record_uuid, :bob, n.note_type, n.author_id, n.body from hospital.clinical_notes as n'),
  '42501', 'His record is not written to by SQL either.'
);
select is(
  pg_temp.try('insert into hospital.clinical_notes (record_uuid, patient_id, note_type, author_id, body) select n.record_uuid, n.patient_id, ''progress_note'', (select d.staff_member_id from hospital.doctors as d, who where d.id = other), ''{}'' from hospital.clinical_notes as n'),
  '42501', 'Nobody writes in a colleague''s name.'
);
select is(
  pg_temp.try('insert into hospital.clinical_notes (record_uuid, patient_id, note_type, author_id, body, signed_at) select n.record_uuid, n.patient_id, n.note_type, n.author_id, n.body, ''2020-01-01'' from hospital.clinical_notes as n'),
  '42501', 'Or signs by writing.'
);
select is(
  pg_temp.try('select hospital.write_note(:va, ''horoscope'', ''{}'')'),
  'UNKWN', 'A note is of a type that is listed.'
);
select is(
  pg_temp.try('select hospital.write_note(:va, ''progress_note'', ''{}'', ''secret'')'),
  'clinical_notes_sensitivity_fkey', 'And of a sensitivity that is.'
);
select is(
  (hospital.write_note(va, 'psychotherapy_note', '{}')).sensitivity,
  'mental_health', 'A type of note has a sensitivity of its own.'
) from who;

-- Search.
select results_eq(
  $$ select n.id from who as w cross join lateral hospital.search_notes(w.ann, 'headaches') as n $$,
  'select note from who', 'Notes are found by their words, in any form.'
);
select results_eq(
  $$ select n.id from who as w cross join lateral hospital.search_notes(w.ann, '"laboratory called"') as n $$,
  'select addendum from who', 'Addenda too.'
);
select is_empty(
  $$ select from who as w cross join lateral hospital.search_notes(w.ann, 'headache -monday') as n $$,
  'Without what one does not want.'
);
select is_empty(
  $$ select from who as w cross join lateral hospital.search_notes(w.ann, 'subjective') as n $$,
  'By their words and not by their sections.'
);
select is_empty(
  $$ select from who as w
    cross join unnest(array['', ' ', '!!!', '((', ':*', '''', null]) as odd
    cross join lateral hospital.search_notes(w.ann, odd) as n $$,
  'Odd searches find nothing.'
);

-- ### a colleague, a nurse, the patient
select tests.clear_authentication();
select tests.authenticate_as('other@example.test');
select is_empty('select from hospital.clinical_notes', 'A colleague reads nothing before the chart is open.');
select hospital.open_chart(ann) from who;
select set_eq(
  'select id from hospital.clinical_notes',
  'select unnest(array[note, addendum]) from who', 'Then he reads what is signed, and no draft.'
);
select is_empty('select from hospital.clinical_note_versions', 'Nor how it came about.');
select is(pg_temp.try('select hospital.edit_note(:note, ''{}'')'), 'NTFND', 'He does not edit it.');
select is(pg_temp.try('select hospital.sign_note(:note)'), 'NTFND', 'Nor sign it.');
select is(pg_temp.try('select hospital.void_note(:note, ''x'')'), 'NTFND', 'Nor void it.');
select lives_ok(
  pg_temp.fill('select hospital.write_note(:va, ''addendum'', ''{"text": "Seen"}'', addendum_to_id => :note)'),
  'He adds to it.'
);
select tests.clear_authentication();
select tests.authenticate_as('nurse@example.test');
select hospital.open_chart(ann) from who;
select set_eq(
  'select id from hospital.clinical_notes',
  'select unnest(array[note, addendum]) from who', 'A nurse reads what is signed.'
);
select is(
  (hospital.sign_note((hospital.write_note(va, 'nursing_note', '{"observation": "Sleeps", "pain_score": 2}')).id)).author_id,
  nurse, 'And writes notes.'
) from who;
select tests.clear_authentication();
select tests.authenticate_as('ann@example.test');
select is(count(*), 3::bigint, 'The patient reads what is signed, and no draft.') from hospital.clinical_notes;
select results_eq(
  $$ select n.id from who as w cross join lateral hospital.search_notes(w.ann, 'laboratory') as n $$,
  'select addendum from who', 'And finds it.'
);
select is(
  pg_temp.try('select hospital.write_note(:va, ''progress_note'', ''{}'')'),
  '42501', 'She writes none.'
);
select tests.clear_authentication();
select tests.authenticate_as('bob@example.test');
select is_empty('select from hospital.clinical_notes', 'Another patient reads none of hers.');

-- ### the owner, by bare SQL
select tests.be_owner();
select is(
  pg_temp.try(change),
  'SIGND', 'The owner does not change what is signed: ' || change
) from unnest(array[
  'update hospital.clinical_notes set body = body || ''{"plan": "More salt"}'' where id = :note',
  'update hospital.clinical_notes set sensitivity = ''hiv'' where id = :note',
  'update hospital.clinical_notes set signed_at = signed_at + interval ''1 second'' where id = :note',
  'update hospital.clinical_notes set signed_at = null, content_hash = null where id = :note',
  'update hospital.clinical_notes set content_hash = repeat(''a'', 64) where id = :note',
  'update hospital.clinical_notes set author_id = (select nurse from who) where id = :note',
  'update hospital.clinical_notes set note_uuid = gen_random_uuid() where id = :note',
  'update hospital.clinical_notes set version = 7 where id = :note',
  'update hospital.clinical_notes set created_at = ''2020-01-01'' where id = :note',
  'delete from hospital.clinical_notes where id = :note',
  'delete from hospital.clinical_notes where signed_at is null',
  'merge into hospital.clinical_notes as n using who on n.id = :note when matched then delete',
  'insert into hospital.clinical_notes (id, record_uuid, patient_id, note_type, author_id, body) overriding system value select n.id, n.record_uuid, n.patient_id, n.note_type, n.author_id, n.body from hospital.clinical_notes as n where n.id = :note on conflict (id) do update set body = pg_temp.soap() || ''{"plan": "More salt"}'''
]) as change;
select is(
  pg_temp.try('update hospital.clinical_notes set patient_id = :bob where signed_at is null'),
  'clinical_notes_belong_to_the_visits_patient', 'A note is the patient''s whose record it is in.'
);
select is(
  pg_temp.try('insert into hospital.clinical_notes (record_uuid, patient_id, note_type, author_id, body) select v.record_uuid, :bob, ''nursing_note'', nurse, ''{}'' from hospital.visits as v, who where v.id = va'),
  'clinical_notes_belong_to_the_visits_patient', 'It cannot be attached to another''s.'
);
select is(
  pg_temp.try('insert into hospital.clinical_notes (record_uuid, patient_id, note_type, author_id, body, addendum_to_id) select v.record_uuid, v.patient_id, ''addendum'', nurse, ''{"text": "x"}'', :note from hospital.visits as v, who where v.id = vb'),
  'clinical_notes_addendum_shares_record_and_sensitivity', 'Nor an addendum to another''s note.'
);
select is(
  pg_temp.try('insert into hospital.clinical_notes (record_uuid, patient_id, note_type, author_id, body, signed_at, created_at) select v.record_uuid, v.patient_id, ''nursing_note'', nurse, ''{}'', now(), now() from hospital.visits as v, who where v.id = va'),
  'NOTES', 'What is loaded as signed is complete.'
);
select is(
  pg_temp.try('update hospital.visits set record_uuid = gen_random_uuid() where id = :va'),
  'clinical_notes_belong_to_the_visits_patient', 'The record keeps its identifier.'
);
insert into hospital.clinical_notes
  (record_uuid, patient_id, note_type, author_id, body, created_at, signed_at, content_hash)
select
  v.record_uuid, v.patient_id, 'nursing_note', nurse, '{"observation": "Calm"}', '2020-01-01', '2020-01-02', repeat('a', 64)
from hospital.visits as v, who where v.id = va;
select results_eq(
  $$ select signed_at, hospital.clinical_notes_is_intact(n) from hospital.clinical_notes as n where created_at < '2021-01-01' $$,
  $$ values (timestamptz '2020-01-02', true) $$,
  'A note that was signed elsewhere keeps its time, and its hash is computed and not believed.'
);
set local time zone 'Asia/Kathmandu';
select is(
  bool_and(hospital.clinical_notes_is_intact(n)),
  true, 'No connection''s time zone changes a hash.'
) from hospital.clinical_notes as n where signed_at is not null;
alter table hospital.clinical_notes disable trigger user;
update hospital.clinical_notes set body = body || '{"plan": "More salt"}' where id = (select note from who);
alter table hospital.clinical_notes enable trigger user;
select results_eq(
  'select id from hospital.clinical_notes as n where not hospital.clinical_notes_is_intact(n)',
  'select note from who', 'Whoever switches the triggers off to change a note is found out by its hash.'
);

-- ### voiding
select tests.clear_authentication();
select tests.authenticate_as('doc@example.test');
select hospital.open_chart(ann) from who;
select is(
  pg_temp.try('select hospital.void_note(:addendum, '' '')'),
  'clinical_notes_void_has_reason', 'A note is voided for a reason.'
);
select is((hospital.void_note(addendum, 'Wrong patient')).void_reason, 'Wrong patient', 'Its author voids it.') from who;
select is((hospital.void_note(addendum, 'Other')).void_reason, 'Wrong patient', 'The first reason stays.') from who;
select is(
  body,
  '{"text": "The laboratory called"}', 'And so do its words.'
) from hospital.clinical_notes, who where id = addendum;
select is_empty(
  $$ select from who as w cross join lateral hospital.search_notes(w.ann, 'laboratory') as n $$,
  'It is found no more.'
);
select is(pg_temp.try('select hospital.sign_note(:addendum)'), 'accepted', 'Signing again changes nothing,');
select is(
  pg_temp.try('select hospital.edit_note(:addendum, ''{"text": "x"}'')'),
  'NTFND', 'nor is it edited.'
);
select lives_ok(
  'select hospital.void_note(n.id, ''Begun by mistake'') from hospital.clinical_notes as n where n.signed_at is null',
  'Drafts are voided too.'
);
select tests.be_owner();
select is(
  pg_temp.try('update hospital.clinical_notes set voided_at = null, void_reason = null where id = :addendum'),
  'SIGND', 'What was voided does not come back, for the owner neither.'
);
select is(
  pg_temp.try('update hospital.clinical_notes set void_reason = ''x'' where id = :addendum'),
  'SIGND', 'Nor gets another reason.'
);
select is(
  pg_temp.try('update hospital.clinical_notes set body = ''{"plan": "x"}'' where signed_at is null and voided_at is not null'),
  'SIGND', 'A voided draft stays as it was.'
);
select is(
  pg_temp.try('update hospital.clinical_notes set voided_at = now() where id = :note'),
  'clinical_notes_void_has_reason', 'Nothing is voided without a reason.'
);
delete from hospital.note_sections as s where s.note_type = 'nursing_note' and s.key = 'pain_score';
select is(
  pg_temp.try('update hospital.clinical_notes set voided_at = now(), void_reason = ''x'' where note_type = ''nursing_note'' and body ? ''pain_score'''),
  'accepted', 'A note whose type has changed since can still be voided.'
);
select tests.clear_authentication();
select * from finish();
rollback;
