-- In an emergency one chart opens, for a time and a reason; the patient hears of it and somebody else
-- looks at it after.
begin;
select no_plan();

create temporary table who on commit drop as
select d.ward, tests.doctor(d.ward, 'doc@example.test') as doc, tests.doctor(null, 'far@example.test') as far, tests.patient('ann@example.test') as ann,
  tests.patient('bob@example.test') as bob, tests.staff('nurse', null, 'nurse@example.test') as nurse,
  tests.staff('administrator', null, 'admin@example.test') as admin, null::text as mrn, null::date as born
from (select tests.department() as ward) as d;
select tests.visit(tests.appointment(doc, ann)), tests.visit(tests.appointment(doc, bob, tests.next_working_instant(doc, '15:00'))) from who;
update who set mrn = p.mrn, born = p.date_of_birth from hospital.patients as p where p.id = ann;
grant select on who to public;

-- ### it is no search
update hospital_private.privacy_rules set break_glass_misses = 8;
select tests.authenticate_as('far@example.test');
select is(
  array(
    select (hospital.break_glass('x', 'other', guess.patient_id, guess.mrn, guess.born)).id
    from who
    cross join lateral (values
      (null, mrn, born + 1), (null, 'MR99999999', born), (null, mrn, null), (null, null, born), (ann, null, null),
      (-1, null, null), (-1, mrn, born), (null, '%', '-infinity')
    ) as guess (patient_id, mrn, born)
  ),
  array_fill(null::bigint, array[8]),
  'A wrong guess, half a guess and the key of a patient one does not see are answered like one for nobody.'
);
select is(tests.would_be(format('select hospital.break_glass(%s, mrn => %s, date_of_birth => born) from who', why, number)), code, 'And whatever else is wrong is said before a patient is looked up, who is there or not.')
from (values ('''''', 'MISSA'), ('null', 'MISSA'), ('repeat(''x'', 1001)', 'MISSA'), ('''x'', ''whim''', 'UNKWN'), ('''x'', null', 'UNKWN'), ('''x''', 'NGUES')) as w (why, code),
  unnest(array['mrn', '''MR99999999''']) as number;
select is_empty('select from hospital.break_glass_grants', 'Nothing was granted.');
select tests.clear_authentication();
select results_eq(
  'select count(*), count(distinct session_id), min(client_address) from audit.break_glass_misses',
  $$ values (8::bigint, 1::bigint, '192.0.2.7'::inet) $$,
  'Who guessed, and how often, is on record, and too often is refused even when right.'
);
select tests.be_owner();
select is(tests.would_be(statement), 'KEPTT', 'Nor does the owner clean that: ' || statement)
from unnest(array['delete from audit.break_glass_misses', 'update audit.break_glass_misses set missed_at = ''2020-01-01''', 'truncate audit.break_glass_misses']) as statement;
select tests.clear_authentication();
update hospital_private.privacy_rules set break_glass_misses = 9;
select tests.authenticate_as('far@example.test');

-- ### visible the moment it is granted
select is_empty('select from hospital.patients', 'Before it he sees not even her name.');
select is((hospital.break_glass('Found unconscious', 'patient_unable', mrn => lower(mrn), date_of_birth => born)).patient_id, ann, 'With both from her wristband he breaks the glass.') from who;
select results_eq('select patient_id from hospital.visits', 'select ann from who', 'Her chart is open at once, and no other.');
select results_eq('select id from hospital.patients', 'select ann from who', 'So is her name.');
select results_eq(
  $$ select role, category, reason, upper(granted) - lower(granted), review_due_at - lower(granted), reviewed_at from hospital.break_glass_grants $$,
  $$ values ('doctor', 'patient_unable', 'Found unconscious', interval '4 hours', interval '72 hours', null::timestamptz) $$,
  'It says why, for how long, and by when it is reviewed.'
);
select is((hospital.break_glass('Again', mrn => mrn, date_of_birth => born)).reason, 'Found unconscious', 'Asked for again while it runs, it is the same one.') from who;
select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) select ann, far, tests.type_id(), tests.next_working_instant(far, '15:00') from who$$),
  '42501', 'He does not take her onto his roster for good by booking her.'
);
select is(tests.would_be('select hospital.open_chart(bob) from who'), 'NTFND', 'It opens nobody else.');
select tests.clear_authentication();
select results_eq(
  'select patient_id, purpose, tag, break_glass_grant_id is not null from audit.chart_accesses',
  $$ select ann, 'emergency', 'break_glass', true from who $$,
  'The look carries its tag.'
);
select results_eq(
  $$ select patient_id, body from hospital.notifications where reason like 'break_glass:%' $$,
  $$ select ann, 'Your record was opened in an emergency. Log in to see by whom, when and why.' from who $$,
  'She is told, once, and the letter says nothing more.'
);
create temporary table g on commit drop as select id from hospital.break_glass_grants;
grant select on g to public;

-- ### another session, another account
select tests.authenticate_as('far@example.test');
select is_empty('select from hospital.visits', 'In another session of his it is not open');
select lives_ok('select hospital.open_chart(ann) from who', 'until he opens it there, whatever the purpose he says:');
select tests.clear_authentication();
select results_eq('select purpose, tag, count(*) over () from audit.chart_accesses', $$ values ('emergency', 'break_glass', 1::bigint) $$, 'it is the same look, in an emergency.');
select tests.authenticate_as('nurse@example.test');
select is(tests.would_be('select hospital.open_chart(ann) from who'), 'NTFND', 'For anybody else it opens nothing.');
select is_empty('select from hospital.break_glass_grants', 'Nor is it told to others.');
select is(tests.would_be('select hospital.end_break_glass(id) from g'), 'NTFND', 'Who has not asked for it does not end it.');
select lives_ok('select hospital.break_glass(''Fell'', mrn => mrn, date_of_birth => born) from who', 'A nurse may ask, too.');
select isnt_empty('select from hospital.visits', 'and then reads.');

-- ### it ends early
select tests.authenticate_as('far@example.test');
select hospital.open_chart(ann) from who;
select is((hospital.end_break_glass(id)).id, id, 'He ends it before its time.') from g;
select is_empty('select from hospital.visits', 'The chart is closed that moment,');
select is_empty('select from hospital.patients', 'and the name gone.');
select is(tests.would_be('select hospital.open_chart(ann) from who'), 'NTFND', 'It does not open again.');
select is((hospital.end_break_glass(id)).id, id, 'Ending it twice is no error.') from g;
select lives_ok('select hospital.break_glass(''Again unconscious'', mrn => mrn, date_of_birth => born) from who', 'He may ask again,');
select tests.clear_authentication();
select is(count(*), 2::bigint, 'which is another look with its own tag.') from audit.chart_accesses where tag = 'break_glass' and account_id = (select account_id from hospital.break_glass_grants where id = (select id from g));

-- ### the review
select tests.authenticate_as('far@example.test');
select is(tests.would_be('select hospital.review_break_glass(id, ''justified'') from g'), '42501', 'Who used it does not review it.');
select tests.authenticate_as('admin@example.test');
select is(array_agg(d.reason), array['Found unconscious', 'Fell', 'Again unconscious'], 'An administrator has them listed, the most urgent first.') from hospital.break_glass_reviews_due() as d;
select is(tests.would_be('select hospital.review_break_glass(id, ''perhaps'') from g'), 'break_glass_grants_outcome_fkey', 'The finding is a code.');
select is(tests.would_be('select hospital.review_break_glass(id, null) from g'), 'MISSA', 'And never missing.');
select is((hospital.review_break_glass(id, 'justified', 'Saw the ambulance sheet')).outcome, 'justified', 'He reviews it.') from g;
select ok(reviewed_at <= clock_timestamp() and reviewed_at >= lower(granted), 'The time is the clock''s.') from hospital.break_glass_grants where id = (select id from g);
select is(array_agg(d.reason), array['Fell', 'Again unconscious'], 'It is due no longer.') from hospital.break_glass_reviews_due() as d;
select is(tests.would_be('select hospital.review_break_glass(id, ''not_justified'') from g'), 'NTFND', 'Nor is it reviewed twice.');
select is(tests.would_be('update hospital.break_glass_grants set ended_at = null'), '42501', 'He changes nothing else.');

-- Nobody reviews his own, whatever roles he holds.
select tests.clear_authentication();
insert into hospital_private.account_roles (account_id, role) select id, 'administrator' from hospital_private.accounts where email = 'nurse@example.test';
select tests.authenticate_as('nurse@example.test', 'administrator');
select is(tests.would_be('select hospital.review_break_glass(id, ''justified'') from hospital.break_glass_grants where reason = ''Fell'''), 'NTFND', 'Who is administrator, too, does not review his own,');
select is(array_agg(d.reason), array['Again unconscious'], 'and is not asked to.') from hospital.break_glass_reviews_due() as d;

-- ### a second use that waits
select tests.clear_authentication();
update hospital_private.privacy_rules set break_glass_waits_for_review = true;
select tests.authenticate_as('nurse@example.test', 'nurse');
select is(tests.would_be('select hospital.break_glass(''x'', mrn => p.mrn, date_of_birth => p.date_of_birth) from who, lateral (select ''MR1''::text, born) as p (mrn, date_of_birth)'), 'RVIEW', 'Where so configured, the next one waits for the review, before anybody is looked up.');
select tests.be_owner();
select is(
  tests.would_be($$insert into hospital.break_glass_grants (account_id, staff_member_id, role, patient_id, category, reason, granted, review_due_at) select account_id, staff_member_id, role, (select bob from who), category, reason, tstzrange(now(), now() + '1 hour'), now() from hospital.break_glass_grants where reason = 'Fell'$$),
  'RVIEW', 'For the owner''s hand as well.'
);
select tests.authenticate_as('admin@example.test');
select hospital.review_break_glass(id, 'justified') from hospital.break_glass_reviews_due();
select tests.authenticate_as('nurse@example.test', 'nurse');
select lives_ok('select hospital.end_break_glass(id) from hospital.break_glass_grants', 'Once it is reviewed');
select lives_ok('select hospital.break_glass(''Fell again'', mrn => mrn, date_of_birth => born) from who', 'the next is granted.');

-- ### the owner's bare SQL
select tests.be_owner();
select is(tests.would_be(format('update hospital.break_glass_grants set %s where id = (select id from g)', change)), 'KEPTT', 'Kept from the owner: ' || change)
from unnest(array[
  $$reason = 'A better one'$$, $$granted = tstzrange(lower(granted), upper(granted) + interval '1 day')$$, 'patient_id = (select bob from who)',
  'ended_at = null', 'reviewed_at = null, reviewed_by = null, outcome = null, review_remark = null', $$outcome = 'not_justified'$$, 'review_due_at = now() + interval ''1 year'''
]) as change;
select is(tests.would_be('delete from hospital.break_glass_grants'), 'KEPTT', 'Nor are they deleted.');
select is(
  tests.would_be($$update hospital.break_glass_grants set outcome = 'justified', reviewed_by = account_id where reviewed_at is null$$),
  'break_glass_grants_never_reviewed_by_oneself', 'Nor does the owner review in the name of who used it.'
);
select is(
  tests.would_be($$update hospital.break_glass_grants set ended_at = ended_at - interval '1 minute' where id = (select id from g)$$),
  'KEPTT', 'Nor say that it ended earlier.'
);
select is(
  tests.would_be($$insert into audit.chart_accesses (patient_id, account_id, session_id, role, purpose, opened_at, tag, break_glass_grant_id, covers) select (select bob from who), account_id, gen_random_uuid(), role, 'emergency', x, 'break_glass', id, tstzrange(x, x + '1 hour') from hospital.break_glass_grants, clock_timestamp() as x limit 1$$),
  'chart_accesses_by_the_accounts_emergency', 'A grant for one patient never opens another''s chart.'
);
select is(
  tests.would_be($$insert into audit.chart_accesses (patient_id, account_id, session_id, role, purpose, opened_at, tag, covers) select (select bob from who), account_id, gen_random_uuid(), role, 'emergency', x, 'roster', tstzrange(x, x + '1 hour') from hospital.break_glass_grants, clock_timestamp() as x limit 1$$),
  'chart_accesses_emergency_has_purpose', 'Nor is there an emergency without a grant.'
);
select tests.clear_authentication();

-- ### the others
create function pg_temp.may(role text) returns text
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  perform tests.authenticate_as_role($1);
  return tests.would_be('select hospital.break_glass(''x'', mrn => mrn, date_of_birth => born) from who');
end;
$$;
select is(pg_temp.may(r), '42501', format('%s breaks no glass.', initcap(r)))
from unnest(array['patient', 'reception', 'pharmacist', 'laboratory', 'billing', 'administrator', 'analyst', 'auditor']) as r;
select tests.clear_authentication();
select * from finish();
rollback;
