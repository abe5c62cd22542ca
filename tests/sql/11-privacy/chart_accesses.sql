-- A look is told once for each account, patient, purpose and window, and stays as it was written.
begin;
select no_plan();

create temporary table who on commit drop as
select d.ward, tests.doctor(d.ward, 'doc@example.test') as doc, tests.patient('ann@example.test') as ann
from (select tests.department() as ward) as d;
select tests.visit(tests.appointment(doc, ann)) from who;
grant select on who to public;

select tests.authenticate_as('doc@example.test');
select hospital.open_chart(ann) from who;
select hospital.open_chart(ann) from who;
select tests.clear_authentication();
select results_eq(
  $$ select patient_id, role, purpose, tag, client_address, request_id, department_id, lower(covers) = opened_at, upper(covers) - lower(covers)
     from audit.chart_accesses $$,
  $$ select ann, 'doctor', 'treatment', 'roster', '192.0.2.7'::inet, 'test', ward, true, interval '4 hours' from who $$,
  'Opened twice in one session it is one look, with whose, as what, why, on what ground, whence and for how long.'
);

-- ### a second session of the same account
select tests.authenticate_as('doc@example.test');
select is_empty('select from hospital.visits', 'What one session has opened is closed in another of the same account,');
select hospital.open_chart(ann) from who;
select isnt_empty('select from hospital.visits', 'until that opens it too:');
select tests.clear_authentication();
select is(count(*), 1::bigint, 'still one look,') from audit.chart_accesses;
select is(count(*), 2::bigint, 'in two sessions.') from audit.chart_openings;

-- ### another purpose, another window
select tests.authenticate_as('doc@example.test');
select hospital.open_chart(ann, 'quality') from who;
select tests.clear_authentication();
select is(count(*), 2::bigint, 'Another purpose is another look.') from audit.chart_accesses;

update hospital_private.privacy_rules set chart_window = '1 microsecond';
create temporary table kept on commit drop as select * from tests.new_session('doc@example.test', 'doctor');
grant select on kept to public;
insert into audit.chart_accesses (patient_id, account_id, session_id, role, purpose, opened_at, tag, covers)
select ann, a.id, k.session_id, 'doctor', 'care_coordination', x, 'roster', tstzrange(x, x + '4 hours')
from who, kept as k, hospital_private.accounts as a, (select clock_timestamp() - interval '5 hours' as x) as past
where a.email = 'doc@example.test';
insert into audit.chart_openings (session_id, access_id, patient_id, role)
select session_id, max(id), patient_id, 'doctor' from audit.chart_accesses where purpose = 'care_coordination' group by session_id, patient_id;
select tests.claim(row(k.*)::hospital.login_result) from kept as k;
select is_empty('select from hospital.visits', 'When the window is over the chart is closed in the session that opened it.');
select lives_ok('select hospital.open_chart(ann, ''care_coordination'') from who', 'It can be opened again,');
select tests.clear_authentication();
select is(count(*), 2::bigint, 'which is another look.') from audit.chart_accesses where purpose = 'care_coordination';
select tests.authenticate_as('doc@example.test');
select is(
  tests.would_be('select hospital.open_chart(ann, ''emergency'') from who'),
  'NTFND', 'An emergency is not declared, it is asked for.'
);

-- ### attacks
-- The keys of a session are not its secret.
select set_config('infirmary.session_id', session_id::text, true), set_config('infirmary.session_secret', 'guess', true) from kept;
select is_empty('select from hospital.visits', 'With the key of a session that has it open and no secret there is nothing.');
select is(tests.would_be('select hospital.open_chart(ann) from who'), 'UNAUT', 'Nor does that open it.');
select is(
  tests.would_be('insert into audit.chart_openings select current_setting(''infirmary.session_id'')::uuid, 1, ann, ''doctor'' from who'),
  '42501', 'Nobody opens a chart past the function.'
);
select is(tests.would_be('select hospital_private.record_chart_access(null)'), '42501', 'Nor by the function behind it.');
select is(tests.would_be('select hospital_private.chart_ground(1, null, ''treatment'')'), '42501', 'Nor finds a ground.');
select tests.be_owner();
select is(tests.would_be('update audit.chart_accesses set purpose = ''payment'''), 'PERMA', 'The owner does not mend the log,');
select is(tests.would_be('delete from audit.chart_accesses'), 'PERMA', 'does not take from it,');
select is(tests.would_be('truncate audit.chart_accesses cascade'), 'KEPTT', 'does not empty it,');
select is(tests.would_be('update audit.chart_openings set opened_at = now()'), 'KEPTT', 'nor which sessions,');
select is(tests.would_be('delete from audit.chart_openings'), 'KEPTT', 'nor by deleting,');
select is(tests.would_be('truncate audit.chart_openings'), 'KEPTT', 'nor by emptying.');
select is(
  tests.would_be('insert into audit.chart_accesses (patient_id, account_id, session_id, role, purpose, opened_at, tag, covers) select patient_id, account_id, session_id, role, purpose, opened_at, tag, covers from audit.chart_accesses limit 1'),
  'chart_accesses_one_per_window', 'He does not write a look twice either.'
);
select tests.clear_authentication();
select * from finish();
rollback;
