-- A patient reads who looked, and nobody reads it of anybody else.
begin;
select no_plan();

create temporary table who on commit drop as
select d.ward, tests.doctor(d.ward, 'doc@example.test') as doc, tests.patient('ann@example.test') as ann, tests.patient('bob@example.test') as bob,
  tests.staff('nurse', d.ward, 'nurse@example.test') as nurse, tests.doctor(null, 'far@example.test') as far
from (select tests.department() as ward) as d;
select tests.visit(tests.appointment(doc, ann)), tests.appointment(doc, bob, tests.next_working_instant(doc, '15:00')) from who;
grant select on who to public;

select tests.authenticate_as('ann@example.test');
select is_empty('select from hospital.who_viewed_my_chart()', 'At first nobody has looked.');
select tests.authenticate_as('doc@example.test');
select hospital.open_chart(ann), hospital.open_chart(bob) from who;
select tests.authenticate_as('nurse@example.test');
select hospital.open_chart(ann, 'care_coordination') from who;
select tests.clear_authentication();
create temporary table plate on commit drop as select p.mrn, p.date_of_birth from hospital.patients as p where p.id = (select ann from who);
grant select on plate to public;
select tests.authenticate_as('far@example.test');
select hospital.break_glass('Found unconscious', 'patient_unable', mrn => mrn, date_of_birth => date_of_birth) from plate;

select tests.clear_authentication();
create temporary table expected on commit drop as
select x.role, x.purpose, x.tag, x.category, concat_ws(' ', m.given_name, m.family_name) as name, m.id as member, d.name as department
from who
cross join lateral (values
  (1, (select staff_member_id from hospital.doctors where id = far), 'doctor', 'emergency', 'break_glass', 'patient_unable'),
  (2, nurse, 'nurse', 'care_coordination', 'roster', null),
  (3, (select staff_member_id from hospital.doctors where id = doc), 'doctor', 'treatment', 'roster', null)
) as x (place, member, role, purpose, tag, category)
join hospital.staff_members as m on m.id = x.member
join hospital.departments as d on d.id = m.department_id
order by x.place;
grant select on expected to public;
select tests.authenticate_as('ann@example.test');
select results_eq(
  'select viewer_role, purpose, tag, break_glass_category, viewer_name, staff_member_id, department_name from hospital.who_viewed_my_chart()',
  'select * from expected',
  'She reads who, from where, as what, why and on what ground, the latest first.'
);
select ok(
  bool_and(viewed_at <= clock_timestamp() and open_until between clock_timestamp() and viewed_at + interval '16 minutes' and sessions = 1),
  'While the sessions live, the chart could be read as long as they may.'
)
from hospital.who_viewed_my_chart();

-- A session that ends ends the look, and so does an emergency.
select tests.clear_authentication();
update hospital_private.sessions set revoked_at = clock_timestamp(), revoked_reason = 'logged_out' where role = 'nurse';
create temporary table ended on commit drop as select max(revoked_at) as nurse, null::timestamptz as far from hospital_private.sessions;
select tests.authenticate_as('far@example.test');
select hospital.end_break_glass(id) from hospital.break_glass_grants;
select tests.clear_authentication();
update ended set far = (select ended_at from hospital.break_glass_grants);
grant select on ended to public;
select tests.authenticate_as('ann@example.test');
select is(v.open_until, e.nurse, 'Who logged out reads no longer.') from hospital.who_viewed_my_chart() as v, ended as e where v.viewer_role = 'nurse';
select is(v.open_until, e.far, 'Whose emergency has ended, neither.') from hospital.who_viewed_my_chart() as v, ended as e where v.tag = 'break_glass';

select tests.authenticate_as('bob@example.test');
select is(array_agg(v.viewer_role || ' ' || v.purpose), array['doctor treatment'], 'Bob reads of his own chart alone.') from hospital.who_viewed_my_chart() as v;
create function pg_temp.may(role text) returns text
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  perform tests.authenticate_as_role($1);
  return tests.would_be('select * from hospital.who_viewed_my_chart()');
end;
$$;
select is(pg_temp.may(r), '42501', format('%s reads of nobody who looked.', initcap(r)))
from unnest(array['doctor', 'nurse', 'reception', 'pharmacist', 'laboratory', 'billing', 'administrator', 'analyst']) as r;
select tests.clear_authentication();
select * from finish();
rollback;
