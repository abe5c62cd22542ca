-- A patient denies or permits; what he says decides at once, and only an emergency goes past it.
begin;
select no_plan();

create temporary table who on commit drop as
select d.ward, tests.doctor(d.ward, 'doc@example.test') as doc, tests.doctor(d.ward, 'second@example.test') as second, tests.doctor(null, 'far@example.test') as far,
  tests.patient('ann@example.test') as ann, tests.patient('bob@example.test') as bob, tests.staff('nurse', d.ward, 'nurse@example.test') as nurse,
  tests.staff('reception', null, 'desk@example.test') as desk
from (select tests.department() as ward) as d;
alter table who add doc_member bigint, add far_member bigint;
update who set doc_member = (select staff_member_id from hospital.doctors where id = doc), far_member = (select staff_member_id from hospital.doctors where id = far);
select tests.visit(tests.appointment(doc, ann)), tests.visit(tests.appointment(doc, bob, tests.next_working_instant(doc, '15:00'))),
  tests.appointment(second, ann, tests.next_working_instant(second, '13:00')) from who;
grant select on who to public;
create temporary table written on commit drop as select v.id from hospital.visits as v where v.patient_id = (select ann from who);
create temporary table booked on commit drop as select tests.appointment(doc, ann, tests.next_working_instant(doc, '16:00')) as id from who;
grant select on written, booked to public;
create temporary table open_sessions (name text, session hospital.login_result);
grant all on open_sessions to public;
insert into open_sessions select name, tests.new_session(name || '@example.test') from unnest(array['doc', 'second', 'nurse', 'far']) as name;
create function pg_temp.be(name text) returns void language plpgsql as $$
begin
  perform tests.clear_authentication();
  perform tests.claim(o.session) from open_sessions as o where o.name = $1;
end;
$$;

-- ### this person may not
select pg_temp.be('doc');
select hospital.open_chart(ann) from who;
select hospital.open_chart(bob) from who;
select is(count(*), 2::bigint, 'The doctor has two charts open.') from hospital.visits;
select tests.authenticate_as('ann@example.test');
select is((hospital.record_consent(ann, 'not_this_person', doc_member)).recorded_as, 'patient', 'Ann denies him hers.') from who;
select pg_temp.be('doc');
select results_eq('select patient_id from hospital.visits', 'select bob from who', 'It is closed that moment, and the other not.');
select is(tests.would_be('select hospital.open_chart(ann) from who'), 'RSTRC', 'It does not open again, and he hears why.');
select is(count(*), 2::bigint, 'Her name and appointment he still sees.') from hospital.patients;
select is(
  tests.would_be(format('select hospital.amend_visit(%s, ''x'', ''y'')', v.id)), 'NTFND', 'And her record he does not write either.'
) from (select min(id) as id from written) as v;
select is(tests.would_be('select hospital.record_visit(id) from booked'), 'RSTRC', 'Nor begins a visit with her without being told.');
select pg_temp.be('second');
select is(tests.would_be('select hospital.open_chart(ann) from who'), 'accepted', 'It is not meant for others.');

-- An emergency goes past it and says so.
select pg_temp.be('doc');
select is((hospital.break_glass('Collapsed', patient_id => ann)).patient_id, ann, 'In an emergency he names her by the key he sees.') from who;
select is(count(*), 2::bigint, 'Her chart is open again.') from hospital.visits;
select hospital.end_break_glass(id) from hospital.break_glass_grants;
select is(count(*), 1::bigint, 'And closed when it ends.') from hospital.visits;
select tests.authenticate_as('ann@example.test');
select is(array_agg(v.tag), array['break_glass_over_restriction', 'roster'], 'She reads that it went past what she said.') from hospital.who_viewed_my_chart() as v;
create temporary table c on commit drop as select id from hospital.consents;
grant select on c to public;

-- ### withdrawing
select tests.authenticate_as('bob@example.test');
select is(tests.would_be('select hospital.withdraw_consent(id) from c'), 'NTFND', 'Another patient withdraws nothing of hers.');
select is(tests.would_be('select hospital.record_consent(ann, ''no_research'') from who'), 'NTFND', 'Nor says anything for her.');
select is(
  tests.would_be($$insert into hospital.consents (patient_id, scope, granted) select ann, 'no_research', tstzrange(now(), null) from who$$),
  '42501', 'Not past the function either.'
);
select tests.authenticate_as('ann@example.test');
select ok((hospital.withdraw_consent(id)).withdrawn_at <= clock_timestamp(), 'She withdraws it.') from c;
select is((hospital.withdraw_consent(id)).id, id, 'Twice is no error.') from c;
select pg_temp.be('doc');
select is(tests.would_be('select hospital.open_chart(ann) from who'), 'accepted', 'He opens it again.');

-- ### this department may not
select tests.authenticate_as('ann@example.test');
select hospital.record_consent(ann, 'not_this_department', department_id => ward) from who;
select is(tests.constraint_of('select hospital.record_consent(ann, ''not_this_department'', department_id => ward) from who'), 'consents_never_twice_at_once', 'Said twice it is refused.');
create function pg_temp.refused(name text) returns text language plpgsql as $$
begin
  perform pg_temp.be($1);
  return tests.would_be('select hospital.open_chart(ann) from who');
end;
$$;
select is(pg_temp.refused(name), 'RSTRC', format('The %s of the department does not open it.', name)) from unnest(array['doc', 'second', 'nurse']) as name;
select tests.authenticate_as('ann@example.test');
select hospital.withdraw_consent(id) from hospital.consents where scope = 'not_this_department';

-- What is part of a department is meant with it, and not the other way round.
select tests.clear_authentication();
create temporary table house on commit drop as select tests.department(d.facility_id) as whole, tests.department(d.facility_id) as part
from who join hospital.departments as d on d.id = who.ward;
grant select on house to public;
update hospital.departments set parent_id = whole from house where id = (select ward from who);
update hospital.departments set parent_id = (select ward from who) from house where id = part;
select tests.authenticate_as('ann@example.test');
select hospital.record_consent(ann, 'not_this_department', department_id => part) from who, house;
select is(pg_temp.refused('second'), 'accepted', 'A part of the department is not the department,');
select tests.authenticate_as('ann@example.test');
select hospital.record_consent(ann, 'not_this_department', department_id => whole) from who, house;
select is(pg_temp.refused('second'), 'RSTRC', 'the whole it is part of is meant with it.');
select tests.authenticate_as('ann@example.test');
select hospital.withdraw_consent(id) from hospital.consents where scope = 'not_this_department' and withdrawn_at is null;

-- ### not for this purpose
select hospital.record_consent(ann, 'no_quality_review') from who;
select hospital.record_consent(ann, 'no_research') from who;
select pg_temp.be('second');
select is(tests.would_be(format('select hospital.open_chart(ann, %L) from who', purpose)), code, format('For %s: %s.', purpose, code))
from (values ('quality', 'RSTRC'), ('research', 'RSTRC'), ('treatment', 'accepted')) as x (purpose, code);
select tests.clear_authentication();
select results_eq(
  $$ select c.id from who, hospital_private.consenting_patients as c where c.id in (ann, bob) $$,
  $$ select bob from who $$,
  'Who withdrew from research is left out.'
);

-- ### a second opinion
select pg_temp.be('far');
select is(tests.would_be('select hospital.open_chart(ann) from who'), 'NTFND', 'A doctor elsewhere does not know her');
select tests.authenticate_as('ann@example.test');
select hospital.record_consent(ann, 'second_opinion', far_member, ends_at => now() + interval '14 days') from who;
select pg_temp.be('far');
select results_eq('select id from hospital.patients', 'select ann from who', 'until she permits it: he sees her name,');
select is((hospital.open_chart(ann)).id, ann, 'opens her chart') from who;
select results_eq('select patient_id from hospital.visits', 'select ann from who', 'and reads it.');
select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) select ann, far, tests.type_id(), tests.next_working_instant(far, '15:00') from who$$),
  '42501', 'He does not take her onto his roster for good.'
);
select tests.authenticate_as('ann@example.test');
select is(v.tag, 'permission', 'She reads that it was by her leave.') from hospital.who_viewed_my_chart() as v limit 1;
select hospital.withdraw_consent(id) from hospital.consents where scope = 'second_opinion';
select pg_temp.be('far');
select is_empty('select from hospital.visits', 'Withdrawn, it is closed that moment.');
select is_empty('select from hospital.patients', 'And the name is gone.');

-- ### at the desk
select tests.authenticate_as('desk@example.test');
select is(tests.would_be('select hospital.record_consent(bob, ''no_research'') from who'), 'consents_recorded_for_the_patient_with_evidence', 'Reception records with evidence only,');
select is((hospital.record_consent(bob, 'no_research', evidence => 'Form 12, signed today')).recorded_as, 'reception', 'and it stands who recorded it.') from who;
select isnt((hospital.withdraw_consent(id)).withdrawn_at, null, 'It withdraws, too.') from hospital.consents where evidence like 'Form%';
select is(tests.constraint_of('select ' || call), code, why)
from (values
  ('hospital.record_consent(-1, ''no_research'', evidence => ''x'')', 'NTFND', 'Nobody''s consent is not found.'),
  ('hospital.record_consent(ann, ''everything'', evidence => ''x'') from who', 'UNKWN', 'The scope is a code.'),
  ('hospital.record_consent(ann, ''not_this_person'', evidence => ''x'') from who', 'consents_scope_names_its_actor', 'It names whom it is about,'),
  ('hospital.record_consent(ann, ''not_this_person'', department_id => ward, evidence => ''x'') from who', 'consents_scope_names_its_actor', 'of the right kind,'),
  ('hospital.record_consent(ann, ''no_research'', doc_member, evidence => ''x'') from who', 'consents_scope_names_its_actor', 'or nobody,'),
  ('hospital.record_consent(ann, ''not_this_person'', doc_member, ward, evidence => ''x'') from who', 'consents_name_one_actor', 'and one at most.'),
  ('hospital.record_consent(ann, ''second_opinion'', far_member, ends_at => now() - interval ''1 day'', evidence => ''x'') from who', 'PASTT', 'It does not end in the past,'),
  ('hospital.record_consent(ann, ''second_opinion'', far_member, starts_at => now() + interval ''2 days'', ends_at => now() + interval ''1 day'', evidence => ''x'') from who', 'PASTT', 'nor before it begins.')
) as x (call, code, why);

-- ### attacks
create function pg_temp.may(role text) returns text
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  perform tests.authenticate_as_role($1);
  return tests.would_be('select from hospital.consents') || ' ' || tests.would_be('select hospital.record_consent(ann, ''no_research'', evidence => ''x'') from who');
end;
$$;
select is(pg_temp.may(r), '42501 42501', format('What patients deny, %s neither reads nor says.', r))
from unnest(array['doctor', 'nurse', 'pharmacist', 'laboratory', 'billing', 'analyst', 'auditor']) as r;
select is(pg_temp.may('administrator'), 'accepted 42501', 'An administrator reads it.');
select tests.be_owner();
select is(tests.would_be('update hospital.consents set ' || change), 'KEPTT', 'Kept from the owner: ' || change)
from unnest(array[
  'granted = tstzrange(lower(granted), clock_timestamp())', $$scope = 'no_research'$$, 'patient_id = (select bob from who)', 'withdrawn_at = null', $$evidence = 'Another form'$$, 'recorded_by = null, recorded_as = null'
]) as change;
select is(tests.would_be('delete from hospital.consents'), 'KEPTT', 'Nor are they deleted.');
select tests.clear_authentication();
select * from finish();
rollback;
