-- A sensitive note needs a grant besides the open chart, and who has none learns not even that it is there.
begin;
select no_plan();

create temporary table who on commit drop as
select d.ward, tests.doctor(d.ward, 'author@example.test') as author, tests.doctor(d.ward, 'friend@example.test') as friend,
  tests.patient('ann@example.test') as ann, tests.patient('bob@example.test') as bob,
  tests.staff('nurse', d.ward, 'nurse@example.test') as nurse,
  tests.staff('administrator', d.ward, 'admin@example.test') as admin,
  tests.staff('reception', d.ward, 'reception@example.test') as reception,
  tests.staff('billing', d.ward, 'billing@example.test') as billing,
  tests.staff('analyst', d.ward, 'analyst@example.test') as analyst,
  tests.staff('auditor', d.ward, 'auditor@example.test') as auditor
from (select tests.department() as ward) as d;
alter table who add va bigint, add vb bigint, add plain bigint, add hiv bigint, add mind bigint, add draft bigint, add of_bob bigint;
update who set va = tests.visit(tests.appointment(author, ann, tests.next_working_instant(author, '10:00'))),
  vb = tests.visit(tests.appointment(author, bob, tests.next_working_instant(author, '11:00')));
select tests.appointment(friend, ann, tests.next_working_instant(friend, '12:00')),
  tests.appointment(friend, bob, tests.next_working_instant(friend, '13:00')) from who;
update who set plain = tests.note(va), hiv = tests.note(va, sensitivity => 'hiv'), mind = tests.note(va, sensitivity => 'mental_health'),
  draft = tests.note(va, sensitivity => 'hiv', is_signed => false), of_bob = tests.note(vb, sensitivity => 'hiv');
grant select on who to public;
create function pg_temp.staff(doctor_id bigint) returns bigint
language sql
security definer
as $$ select d.staff_member_id from hospital.doctors as d where d.id = $1; $$;
create function pg_temp.try(statement text) returns text
language sql
as $$
  select tests.would_be(replace(replace(replace(replace(replace(replace(replace(replace($1, ':va', va::text), ':hiv', hiv::text), ':mind', mind::text), ':ann', ann::text), ':bob', bob::text), ':nurse', nurse::text), ':friend', pg_temp.staff(friend)::text), ':author', pg_temp.staff(author)::text))
  from who;
$$;
create function pg_temp.grant_to(staff_member_id bigint, patient_id bigint, sensitivity text, granted tstzrange) returns bigint
language sql
security definer
as $$
  insert into hospital.sensitivity_grants (patient_id, staff_member_id, sensitivity, granted, reason, granted_by)
  select $2, $1, $3, $4, 'Treats her too', pg_temp.staff(author) from who
  returning id;
$$;
-- All ways in which the record speaks of notes.
create function pg_temp.seen() returns text
language sql
as $$
  select concat_ws(
    ' ',
    (select count(*) from hospital.clinical_notes),
    (select count(*) from hospital.visits as v join hospital.clinical_notes as n using (record_uuid)),
    (select count(*) from who cross join lateral hospital.search_notes(ann, 'headache') as n),
    (select count(*) from hospital.clinical_notes as n where n.id in (select unnest(array[hiv, mind, draft]) from who)),
    (select count(*) from hospital.clinical_notes as n where n.body @> '{"subjective": "Headache"}'),
    (select max(n.id) = (select plain from who) from hospital.clinical_notes as n),
    (select count(*) from hospital.clinical_note_versions)
  );
$$;

-- ### the author
select tests.authenticate_as('author@example.test');
select is_empty('select from hospital.clinical_notes', 'The author too opens the chart first.');
select hospital.open_chart(ann) from who;
select set_eq(
  'select id from hospital.clinical_notes',
  'select unnest(array[plain, hiv, mind, draft]) from who', 'Then he sees all that he wrote of her, without a grant.'
);

-- ### a colleague without a grant
select tests.clear_authentication();
select tests.authenticate_as('friend@example.test');
select hospital.open_chart(ann), hospital.open_chart(bob) from who;
select is(pg_temp.seen(), '1 1 1 0 1 t 0', 'A colleague sees what is normal, and of the rest no count, no word and no key.');
select is(
  tests.failure(format(statement, hidden)),
  tests.failure(format(statement, missing)), 'A hidden note is answered as one that does not exist: ' || statement
) from (
  select unnest(array[hiv, mind, draft]) as hidden, 9999999 as missing from who
) as keys
cross join unnest(array[
  'select hospital.sign_note(%s)',
  'select hospital.void_note(%s, ''x'')',
  'select hospital.edit_note(%s, ''{}'')'
]) as statement;
select is(
  tests.failure(format(statement, va, hidden)),
  tests.failure(format(statement, va, missing)), 'Nor can anything be added to it: ' || statement
) from (
  select va, unnest(array[hiv, mind, draft]) as hidden, 9999999 as missing from who
) as keys
cross join unnest(array[
  'select hospital.write_note(%s, ''addendum'', ''{"text": "x"}'', addendum_to_id => %s)',
  'select hospital.write_note(%s, ''addendum'', ''{"text": "x"}'', ''hiv'', %s)',
  'select hospital.write_note(%s, ''addendum'', ''{"text": "x"}'', ''mental_health'', %s)',
  'insert into hospital.clinical_notes (record_uuid, patient_id, note_type, author_id, sensitivity, body, addendum_to_id)
    select v.record_uuid, v.patient_id, ''addendum'', hospital_private.current_staff_member_id(), ''hiv'', ''{"text": "x"}'', %2$s
    from hospital.visits as v where v.id = %1$s'
]) as statement;
select is(
  pg_temp.try('update hospital.clinical_notes set void_reason = (1 / (id - :hiv))::text where sensitivity = ''hiv'''),
  'accepted', 'Nothing is computed for a row that is not seen.'
);
select is(
  pg_temp.try('select from hospital.clinical_notes where id = :hiv and 1 / (id - :hiv) = 1'),
  'accepted', 'Nor asked of it.'
);
select is(
  pg_temp.try('select hospital.grant_sensitive_access(:ann, :nurse, ''hiv'', ''x'', now() + interval ''1 hour'')'),
  'NTFND', 'He grants nothing, having signed no such note.'
);
select is(
  pg_temp.try($$
    do $do$
    begin
      perform hospital.write_note(:va, 'nursing_note', '{"observation": "x"}', 'hiv');
      perform hospital.grant_sensitive_access(:ann, :nurse, 'hiv', 'x', now() + interval '1 hour');
    end
    $do$
  $$),
  'NTFND', 'Nor by beginning one.'
);
select is_empty('select from hospital.sensitivity_grants', 'There is no grant to see.');

-- ### with a grant: one patient, one kind, one span
select pg_temp.grant_to(pg_temp.staff(friend), ann, 'hiv', tstzrange(now() - interval '1 hour', now() + interval '1 hour')) from who;
select set_eq(
  'select id from hospital.clinical_notes',
  'select unnest(array[plain, hiv]) from who', 'A grant opens that kind of note of that patient, at once; no draft, no other kind, nobody else''s.'
);
select is(
  pg_temp.try($$
    do $do$
    begin
      assert (hospital.write_note(:va, 'addendum', '{"text": "x"}', addendum_to_id => :hiv)).sensitivity = 'hiv';
    end
    $do$
  $$),
  'accepted', 'He adds to it, and what he adds is as sensitive.'
);
select is(
  pg_temp.try($$select hospital.edit_note((hospital.write_note(:va, 'addendum', '{"text": "x"}', addendum_to_id => :hiv)).id, '{"text": "y"}', 'normal')$$),
  'clinical_notes_addendum_shares_record_and_sensitivity', 'And stays so.'
);
select is(
  pg_temp.try('select hospital.grant_sensitive_access(:ann, :nurse, ''hiv'', ''x'', now() + interval ''1 hour'')'),
  'NTFND', 'Whoever reads by a grant does not pass it on.'
);
select is(
  pg_temp.try($$
    do $do$
    begin
      perform hospital.sign_note((hospital.write_note(:va, 'addendum', '{"text": "x"}', addendum_to_id => :hiv)).id);
      perform hospital.grant_sensitive_access(:ann, :nurse, 'hiv', 'x', now() + interval '1 hour');
    end
    $do$
  $$),
  'NTFND', 'Nor by adding to the note.'
);
select is(
  pg_temp.try('update hospital.sensitivity_grants set granted = tstzrange(lower(granted), upper(granted) + interval ''1 day'')'),
  '42501', 'Nor makes it longer.'
);
select is(
  pg_temp.try('select hospital.end_sensitive_access(max(g.id)) from hospital.sensitivity_grants as g'),
  'NTFND', 'Nor does he end it.'
);
select tests.clear_authentication();
update hospital.sensitivity_grants set ended_at = clock_timestamp();
select tests.authenticate_as('friend@example.test');
select hospital.open_chart(ann), hospital.open_chart(bob) from who;
select is(pg_temp.seen(), '1 1 1 0 1 t 0', 'When the grant ends the note is gone, and no job ran.');
select pg_temp.grant_to(pg_temp.staff(friend), ann, 'mental_health', tstzrange(now() + interval '1 hour', now() + interval '2 hours')) from who;
select is(pg_temp.seen(), '1 1 1 0 1 t 0', 'A grant that is to come opens nothing yet.');

-- ### a nurse
select tests.clear_authentication();
select tests.authenticate_as('nurse@example.test');
select pg_temp.grant_to(nurse, ann, 'mental_health', tstzrange(now(), now() + interval '1 hour')) from who;
select is_empty('select from hospital.clinical_notes', 'A grant does not open a chart.');
select is_empty(
  $$ select from hospital.search_notes((select ann from who), 'headache') $$,
  'Nor does a search.'
);
select hospital.open_chart(ann) from who;
select set_eq(
  'select id from hospital.clinical_notes',
  'select unnest(array[plain, mind]) from who', 'With the chart open it opens the notes.'
);
select is(count(*), 1::bigint, 'She sees what was granted to her, and no colleague''s.') from hospital.sensitivity_grants;
select is(
  pg_temp.try('select hospital.grant_sensitive_access(:ann, :friend, ''mental_health'', ''x'', now() + interval ''1 hour'')'),
  '42501', 'A nurse grants nothing.'
);

-- ### the patient, and others
select tests.clear_authentication();
select tests.authenticate_as('ann@example.test');
select set_eq(
  'select id from hospital.clinical_notes',
  'select unnest(array[plain, hiv, mind]) from who', 'The patient sees her own, sensitive or not, and no drafts.'
);
select is(count(*), 3::bigint, 'She sees who may read them besides.') from hospital.sensitivity_grants;
select tests.clear_authentication();
select tests.authenticate_as('bob@example.test');
select set_eq('select id from hospital.clinical_notes', 'select of_bob from who', 'Another patient sees his.');
select is_empty('select from hospital.sensitivity_grants', 'And none of her grants.');
create function pg_temp.denied(email text) returns setof text
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  perform tests.authenticate_as($1);
  return query
  select tests.would_be('select from hospital.' || t)
  from unnest(array['clinical_notes', 'clinical_note_versions']) as t;
end;
$$;
select results_eq(
  format('select pg_temp.denied(%L)', role || '@example.test'),
  $$ values ('42501'), ('42501') $$, 'No note is for ' || role
) from unnest(array['admin', 'reception', 'billing', 'analyst', 'auditor']) as role;

-- ### granting: the author
select tests.clear_authentication();
select tests.authenticate_as('author@example.test');
select is(
  pg_temp.try('select hospital.grant_sensitive_access(:ann, :friend, ''hiv'', ''x'', now() + interval ''1 hour'')'),
  'NTFND', 'Who grants has the chart open.'
);
select hospital.open_chart(ann) from who;
select is(
  (hospital.grant_sensitive_access(ann, pg_temp.staff(friend), 'hiv', 'Treats her too', now() + interval '1 day')).granted_by,
  pg_temp.staff(author), 'Who signed a sensitive note grants such of that patient.'
) from who;
select is(
  pg_temp.try('select hospital.grant_sensitive_access(:ann, :friend, ' || rest || ')'), expected, title
) from (
  values
    ('''substance_use'', ''x'', now() + interval ''1 day''', 'NTFND', 'Of a kind he wrote none of he grants nothing.'),
    ('''normal'', ''x'', now() + interval ''1 day''', 'sensitivity_grants_only_where_needed', 'What is normal needs no grant.'),
    ('''hiv'', '' '', now() + interval ''1 day''', 'sensitivity_grants_reason_not_blank', 'A grant has a reason.'),
    ('''hiv'', null, now() + interval ''1 day''', '23502', 'Some reason.'),
    ('''hiv'', ''x'', now()', 'PASTT', 'It ends in the future.'),
    ('''hiv'', ''x'', null', 'PASTT', 'It ends.'),
    ('''hiv'', ''x'', ''infinity''', 'sensitivity_grants_span_bounded', 'Before the end of days.'),
    ('''hiv'', ''x'', now() + interval ''367 days''', 'sensitivity_grants_span_bounded', 'Within a year and a day.')
) as given (rest, expected, title);
select is(
  pg_temp.try('select hospital.grant_sensitive_access(:bob, :friend, ''hiv'', ''x'', now() + interval ''1 day'')'),
  'NTFND', 'Nor of a patient whose chart is not open.'
);
select is(
  pg_temp.try('select hospital.grant_sensitive_access(:ann, :author, ''hiv'', ''x'', now() + interval ''1 day'')'),
  'sensitivity_grants_never_to_oneself', 'Nor to himself.'
);
select is(
  pg_temp.try('insert into hospital.sensitivity_grants (patient_id, staff_member_id, sensitivity, granted, reason, granted_by) values (:ann, :friend, ''hiv'', ' || granted || ', ''x'', ' || granted_by || ')'),
  expected, title
) from (
  values
    ('tstzrange(now(), now() + interval ''1 day'')', ':author', 'accepted', 'By SQL he grants the same,'),
    ('tstzrange(now() - interval ''1 day'', now() + interval ''1 day'')', ':author', '42501', 'nothing that was already,'),
    ('tstzrange(now(), now() + interval ''1 day'', ''[]'')', ':author', 'sensitivity_grants_span_bounded', 'no span whose end belongs to it,'),
    ('tstzrange(now(), null)', ':author', 'sensitivity_grants_span_bounded', 'none without an end,'),
    ('''empty''', ':author', '42501', 'none without any time,'),
    ('tstzrange(now(), now() + interval ''1 day'')', ':nurse', '42501', 'and nothing in another''s name.')
) as given (granted, granted_by, expected, title);
select is(
  pg_temp.try('update hospital.sensitivity_grants set granted = granted'),
  '42501', 'What was granted is not rewritten.'
);
select is(
  pg_temp.try('do $do$ begin update hospital.sensitivity_grants set ended_at = ''2020-01-01'' where in_force @> clock_timestamp(); assert (select bool_and(ended_at >= now()) from hospital.sensitivity_grants where ended_at is not null); end $do$'),
  'accepted', 'Nor when it ended.'
);
select is(
  pg_temp.try('update hospital.sensitivity_grants set staff_member_id = :nurse'),
  '42501', 'Nor passed to another.'
);
select is(pg_temp.try('delete from hospital.sensitivity_grants'), '42501', 'Nor deleted.');
select hospital.end_sensitive_access(pg_temp.grant_to(nurse, ann, 'hiv', tstzrange(now() - interval '1 hour', now() + interval '1 hour'))) from who;
select results_eq(
  'select upper(g.granted), upper(g.in_force) = g.ended_at from hospital.sensitivity_grants as g order by g.id desc limit 1',
  $$ values (now() + interval '1 hour', true) $$,
  'He ends it, and what was granted stays on record.'
);
select is(pg_temp.try('select hospital.end_sensitive_access(max(g.id)) from hospital.sensitivity_grants as g'), 'accepted', 'Ending it twice is no error.');
select is(
  pg_temp.try('update hospital.sensitivity_grants set ended_at = null where ended_at is not null'),
  'TRNSN', 'What has ended does not begin again.'
);
select is(pg_temp.try('select hospital.end_sensitive_access(-1)'), 'NTFND', 'None is ended that is not there.');
select tests.clear_authentication();
select tests.authenticate_as('nurse@example.test');
select hospital.open_chart(ann) from who;
select is_empty(
  'select from hospital.clinical_notes as n, who where n.id = hiv',
  'What was granted ends when its granter ends it.'
);

-- ### granting: the administrator, who reads nothing of it
select tests.clear_authentication();
select tests.authenticate_as('admin@example.test');
select is_empty('select from hospital.sensitivity_grants', 'A colleague''s grants would tell an administrator that there is something.');
select lives_ok(
  format('select hospital.grant_sensitive_access(%s, %s, ''mental_health'', ''Asked by both'', now() + interval ''1 day'')', ann, pg_temp.staff(friend)),
  'He grants for any patient.'
) from who;
select is(
  pg_temp.try('select hospital.grant_sensitive_access(:ann, ' || admin || ', ''hiv'', ''x'', now() + interval ''1 day'')'),
  'sensitivity_grants_never_to_oneself', 'And not to himself.'
) from who;
select tests.clear_authentication();
select tests.authenticate_as('friend@example.test');
select hospital.open_chart(ann) from who;
select isnt_empty('select from hospital.clinical_notes as n, who where n.id = mind', 'And it opens.');

-- ### the owner
select tests.be_owner();
select is(
  pg_temp.try('update hospital.sensitivity_grants set ' || change),
  'TRNSN', 'The owner does not rewrite who could read what: ' || change
) from unnest(array[
  'staff_member_id = :nurse where staff_member_id <> :nurse',
  'sensitivity = ''domestic_violence''',
  'reason = ''Another''',
  'granted = tstzrange(lower(granted) - interval ''1 day'', upper(granted))',
  'granted = tstzrange(lower(granted), upper(granted) + interval ''1 day'')',
  'ended_at = null where ended_at is not null',
  'ended_at = now() where ended_at is not null'
]) as change;
select is(
  hospital_private.open_sensitivities()::text,
  null, 'Without a session nothing is open.'
);
select tests.clear_authentication();
select * from finish();
rollback;
