-- What hospital_reception may not do, by attempts; what the role may do is in tests/contract/access-matrix.txt.
begin;
select no_plan();
select tests.world();

select tests.authenticate_as('reception@example.test');
select is(
  tests.would_be($$update hospital.appointments set patient_id = patient_id$$),
  '42501', 'Reception gives no appointment to another patient.'
);
select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status) select tests.id_of('ann'), tests.id_of('dora'), tests.type_id(), tests.next_working_instant(tests.id_of('dora'), '15:00'), 'completed'$$),
  '42501', 'It invents no history.'
);
select is_empty(
  $$ select from hospital.contact_points where staff_member_id is not null $$,
  'It does not see how to reach staff.'
);
select is(
  tests.would_be($$insert into hospital.contact_points (staff_member_id, kind, value) select min(id), 'email', 'a@example.test' from hospital.staff_members$$),
  '42501', 'Nor changes it.'
);
select is(
  tests.would_be($$update hospital.patients set merged_into_id = null$$),
  '42501', 'It merges nobody.'
);

select tests.clear_authentication();
select * from finish();
rollback;
