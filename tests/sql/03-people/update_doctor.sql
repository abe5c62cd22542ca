-- Doctors change how they are reached; what they are is for administrators.
begin;
select no_plan();

create temporary table who on commit drop as
select
  tests.doctor(null, 'one@example.test') as one,
  tests.doctor(null, 'two@example.test') as two,
  tests.department() as elsewhere;
grant select on who to public;

-- ### a doctor
select tests.authenticate_as('one@example.test');
select lives_ok(
  format('select hospital.update_doctor(%s, phone => ''+1 617 555 0102'', email => ''New@Example.Test'')', one),
  'A doctor changes his own telephone number and address.'
) from who;
select is(
  array(select value from hospital.contact_points order by kind),
  array['new@example.test', '+1 617 555 0102'], 'They are kept.'
);
select lives_ok(
  format('select hospital.update_doctor(%s, phone => ''+1 617 555 0103'')', one), 'A second time too.'
) from who;
select is(count(*), 1::bigint, 'There is still one telephone number.')
from hospital.contact_points
where kind = 'phone';
select throws_ok(format('select hospital.update_doctor(%s, phone => ''+1 617 555 0104'')', two), '42501',
  null, 'Not another doctor''s.') from who;
select throws_ok(format('select hospital.update_doctor(%s, specialization => ''Neurology'')', one), '42501',
  null, 'Not his own specialty.') from who;
select throws_ok(format('select hospital.update_doctor(%s, department_id => %s)', one, elsewhere), '42501',
  null, 'Not his own department.') from who;
select throws_ok(format('select hospital.update_doctor(%s, is_active => true)', one), '42501',
  null, 'Not whether he can be booked.') from who;
select throws_ok(
  'select hospital.update_doctor(-1)',
  'NTFND', null, 'An unknown doctor is not found.'
);

-- ### an administrator
select tests.clear_authentication();
select tests.authenticate_as_role('administrator');
select is(
  (hospital.update_doctor(two, 'Neurology', elsewhere, '+1 617 555 0105')).specialization, 'Neurology',
  'An administrator changes them all.'
) from who;
select is(m.department_id, w.elsewhere, 'Also the department.')
from who as w
join hospital.doctors as d
  on d.id = w.two
join hospital.staff_members as m
  on m.id = d.staff_member_id;
select throws_ok(format('select hospital.update_doctor(%s, specialization => ''Astrology'')', two), '23503',
  null, 'But not to a specialty that does not exist.') from who;
select is(
  (hospital.update_doctor(two)).specialization,
  'Neurology', 'What is not given stays.'
) from who;

-- Whoever is booked stays where the hours are.
select tests.clear_authentication();
create temporary table made on commit drop as
select tests.appointment(one) as id, tests.department(tests.facility('Asia/Tokyo')) as tokyo from who;
grant select on made to public;
select tests.authenticate_as_role('administrator');
select throws_ok(format('select hospital.update_doctor(%s, is_active => false)', one), 'INWAY',
  'Appointments are in the way.', 'A doctor who is booked does not leave.') from who;
select throws_ok(format('select hospital.update_doctor(%s, department_id => %s)', one, tokyo), 'INWAY',
  'Appointments are in the way.', 'Nor goes where the clocks are others.') from who, made;
select is(
  (hospital.update_doctor(one, department_id => elsewhere)).is_active, true, 'Where they are the same, he does.'
) from who;
select is(
  (hospital.update_doctor(two, is_active => false)).is_active, false, 'Who is not booked leaves.'
) from who;
select is((hospital.update_doctor(two, is_active => true)).is_active, true, 'And comes back.') from who;

-- ### the others
select tests.clear_authentication();
select tests.authenticate_as_role('patient');
select throws_ok(
  format('select hospital.update_doctor(%s)', one),
  '42501', null, 'A patient may not.'
) from who;
select tests.clear_authentication();
select tests.authenticate_as_role('reception');
select throws_ok(
  format('select hospital.update_doctor(%s)', one),
  '42501', null, 'Reception may not.'
) from who;
select * from finish();
rollback;
