-- Reading a chart without leaving a trace is not forbidden but impossible.
begin;
select no_plan();

create temporary table who on commit drop as
select d.ward, tests.doctor(d.ward, 'doc@example.test') as doc, tests.doctor(null, 'other@example.test') as other,
  tests.patient('ann@example.test') as ann, tests.patient('bob@example.test') as bob, tests.staff('nurse', d.ward, 'nurse@example.test') as nurse
from (select tests.department() as ward) as d;
alter table who add a bigint, add va bigint, add vb bigint;
update who set a = tests.appointment(doc, ann), va = null;
update who set va = tests.visit(a), vb = tests.visit(tests.appointment(other, bob));
select tests.prescription(va) from who;
grant select on who to public;
create function pg_temp.try(statement text) returns text
language sql
as $$ select tests.constraint_of($1); $$;

-- ### the doctor
select tests.authenticate_as('doc@example.test');
select is_empty(
  'select from hospital.visits',
  'A doctor reads no visit before he opens a chart, not even his own.'
);
select isnt_empty('select from hospital.appointments', 'His calendar he reads.');
select is(
  (hospital.open_chart(ann)).id,
  ann, 'He opens the chart of a patient on his roster.'
) from who;
select results_eq(
  'select id from hospital.visits',
  'select va from who', 'Now he reads her visits.'
);
select results_eq(
  'select patient_id from hospital.prescriptions',
  'select ann from who', 'And her prescriptions.'
);
select is(
  pg_temp.try(format('select hospital.open_chart(%s)', ann)),
  'accepted', 'Opening it twice is no error.'
) from who;
select is(
  pg_temp.try(format('select hospital.open_chart(%s)', bob)),
  'NTFND', 'A patient who is not on his roster is not found.'
) from who;
select is(
  pg_temp.try('select hospital.open_chart(-1)'),
  'NTFND', 'Nor one who does not exist, with the same answer.'
);
select is(pg_temp.try('select hospital.open_chart(null)'), 'NTFND', 'Nor nobody.');
select is(
  pg_temp.try(format('select hospital.open_chart(%s, ''curiosity'')', ann)),
  'chart_accesses_purpose_fkey', 'He says for what purpose, by a code.'
) from who;
select isnt(
  pg_temp.try(format('select hospital.open_chart(%s, null)', ann)),
  'accepted', 'And not without one.'
) from who;
select is(
  pg_temp.try(format('select hospital.open_chart(%s, ''quality'')', ann)),
  'accepted', 'Another purpose is another entry.'
) from who;
select throws_ok('select * from audit.chart_accesses', '42501', null, 'He cannot read the log');
select throws_ok('delete from audit.chart_accesses', '42501', null, 'nor clean it.');
select tests.clear_authentication();
select results_eq(
  'select c.patient_id, a.email, c.role, c.purpose from audit.chart_accesses as c join hospital_private.accounts as a on a.id = c.account_id order by c.id',
  $$ select ann, 'doc@example.test', 'doctor', p from who, unnest(array['treatment', 'quality']) as p $$,
  'The log says who, whose, as what and why.'
);

-- ### the same doctor in another session
select tests.authenticate_as('doc@example.test');
select is_empty('select from hospital.visits', 'A new session has no chart open.');
-- ### a nurse
select tests.clear_authentication();
select tests.authenticate_as('nurse@example.test');
select is_empty('select from hospital.visits', 'A nurse reads no visit before she opens a chart.');
select is(
  (hospital.open_chart(ann, 'care_coordination')).id,
  ann, 'She opens one of her department.'
) from who;
select is(
  pg_temp.try(format('select hospital.open_chart(%s)', bob)),
  'NTFND', 'Not of another.'
) from who;
select isnt_empty('select from hospital.visits', 'She reads the visits.');
-- Her session in the doctors' database role opens none of their policies.
select set_config('role', 'hospital_doctor', true);
select is_empty('select from hospital.visits', 'In the database role of doctors she reads nothing');
select is(
  pg_temp.try($$update hospital.prescriptions set stopped_at = now(), stop_reason = 'x'$$),
  'accepted', 'and stops'
);
select set_config('role', 'hospital_nurse', true);
select results_eq(
  'select stopped_at from hospital.prescriptions',
  'values (null::timestamptz)', 'no prescription.'
);

-- ### the others
create function pg_temp.may(role text) returns text
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  perform tests.authenticate_as_role($1);
  return (select pg_temp.try(format('select hospital.open_chart(%s)', ann)) from who);
end;
$$;
select is(pg_temp.may(r), '42501', format('%s opens no chart.', initcap(r)))
from unnest(array['patient', 'reception', 'pharmacist', 'laboratory', 'billing', 'administrator', 'analyst', 'auditor']) as r;
select tests.be_anonymous();
select is(
  pg_temp.try(format('select hospital.open_chart(%s)', ann)),
  '42501', 'A visitor opens no chart.'
) from who;

-- The roster is made of appointments that were not called off.
select tests.clear_authentication();
update hospital.appointments set status = 'completed' where id = (select a from who);
select tests.authenticate_as('doc@example.test');
select isnt_empty('select from hospital.patients', 'Whom he has seen stays on the roster.');
select tests.clear_authentication();
create temporary table third on commit drop as select tests.patient() as id;
grant select on third to public;
select tests.appointment(doc, t.id, tests.next_working_instant(doc, '15:00'), status => 'cancelled') from who, third as t;
select tests.authenticate_as('doc@example.test');
select is(
  pg_temp.try(format('select hospital.open_chart(%s)', id)),
  'NTFND', 'Who called off does not come onto it.'
) from third;

-- A doctor who is dismissed loses the charts he has open.
select hospital.open_chart(ann) from who;
select isnt_empty('select from hospital.visits', 'While he is active he reads');
create temporary table kept on commit drop as select current_setting('infirmary.session_id') as id, current_setting('infirmary.session_secret') as secret;
grant select on kept to public;
select tests.clear_authentication();
update hospital.doctors set deactivated_at = now() where id = (select doc from who);
select set_config('infirmary.session_id', id, true), set_config('infirmary.session_secret', secret, true), set_config('role', 'hospital_doctor', true) from kept;
select is_empty('select from hospital.visits', 'and afterwards no more.');
select tests.clear_authentication();
select * from finish();
rollback;
