-- What hospital_patient may not do, by attempts; what the role may do is in tests/contract/access-matrix.txt.
begin;
select no_plan();
select tests.world();

select tests.authenticate_as('ann@example.test');
-- Other people's rows are not there, whatever is tried with them.
create function pg_temp.changed(change text) returns bigint
language plpgsql
as $$
declare
  affected bigint;
begin
  execute $1;
  get diagnostics affected = row_count;
  return affected;
end;
$$;
select is(
  pg_temp.changed($$update hospital.patients set time_zone = 'UTC'$$),
  1::bigint, 'An update of all patients changes one.'
);
select is(
  pg_temp.changed($$update hospital.contact_points set value = '+1 617 555 0111'$$),
  1::bigint, 'An update of all contacts changes hers.'
);
select is(
  tests.would_be($$insert into hospital.contact_points (patient_id, kind, value) values (tests.id_of('bob'), 'email', 'a@example.test')$$),
  '42501', 'She adds no contact to Bob.'
);
select is(
  tests.would_be($$insert into hospital.contact_points (staff_member_id, kind, value) select staff_member_id, 'email', 'a@example.test' from hospital.doctors$$),
  '42501', 'Nor to a doctor.'
);
select is(
  tests.would_be($$insert into hospital.contact_points (patient_id, staff_member_id, kind, value) select tests.id_of('ann'), staff_member_id, 'email', 'a@example.test' from hospital.doctors$$),
  'contact_points_of_exactly_one_person', 'Nor to herself and a doctor.'
);
select is(
  tests.would_be($$update hospital.contact_points set patient_id = tests.id_of('bob')$$),
  '42501', 'She gives hers to nobody.'
);
select is(
  tests.would_be($$insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at) select id, patient_id, doctor_id, now() from hospital.appointments$$),
  '42501', 'She records no visit.'
);
select is(
  tests.would_be($$select * from hospital.patients for update$$),
  'accepted', 'She locks what is hers.'
);
-- Functions of the house that she may call tell her nothing of others.
select is(
  hospital_private.booking_conflict(null, tests.id_of('bob'), null, '(,)'),
  null, 'Whether Bob is busy is not told.'
);
select is(
  hospital_private.booking_conflict(null, tests.id_of('ann'), null, '(,)'),
  'patient', 'Whether she is, is.'
);
select is(hospital.patients_age(null), null, 'Nobody has no age.');
select is_empty(
  $$ select from hospital.patients_medications_in_use(jsonb_populate_record(null::hospital.patients, jsonb_build_object('id', tests.id_of('bob')))) $$,
  'A made-up row of Bob yields none of his medicines.'
);
select is(
  hospital.visits_treatment_cost(jsonb_populate_record(null::hospital.visits, jsonb_build_object('id', v.id + 1))),
  0::numeric, 'Nor what his visit cost.'
) from hospital.visits as v;
select is(hospital.doctors_full_name(jsonb_populate_record(null::hospital.doctors, jsonb_build_object('staff_member_id', m.id))), null, 'Nor a nurse''s name.')
from (select max(staff_member_id) + 1 as id from hospital.doctors) as m;
-- An operator or function that leaks runs after the policy.
create function pg_temp.spy(name text) returns boolean
language plpgsql cost 0.0000001
as $$ begin if $1 = 'Baker' then raise exception 'leaked'; end if; return true; end $$;
select lives_ok(
  $$ select * from hospital.patients where pg_temp.spy(family_name) $$,
  'A cheap function in a WHERE sees no row that is not hers.'
);

select tests.clear_authentication();
select * from finish();
rollback;
