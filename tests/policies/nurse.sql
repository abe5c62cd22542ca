-- What hospital_nurse may not do, by attempts; what the role may do is in tests/contract/access-matrix.txt.
begin;
select no_plan();
select tests.world();

select tests.authenticate_as('nurse@example.test');
select hospital.open_chart(tests.id_of('ann'));

select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) select tests.id_of('ann'), tests.id_of('dora'), tests.type_id(), tests.next_working_instant(tests.id_of('dora'), '15:00')$$),
  '42501', 'She books nothing.'
);
select is(
  tests.would_be($$update hospital.prescriptions set stopped_at = now(), stop_reason = 'x'$$),
  '42501', 'She stops no prescription.'
);
select is(
  tests.would_be($$update hospital.appointments set reason = 'x'$$),
  '42501', 'She changes no reason.'
);

select tests.clear_authentication();
select * from finish();
rollback;
