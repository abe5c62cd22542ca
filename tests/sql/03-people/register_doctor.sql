-- A doctor registers himself and then waits: until an administrator approves he is a name on a list.
begin;
select no_plan();

select tests.department();
create temporary table place on commit drop as select id from hospital.departments;
grant select on place to public;

-- ### a visitor
select tests.be_anonymous();
create temporary table doctor on commit drop as
select d.*
from place as p
cross join lateral hospital.register_doctor(
  'Dana', 'Doe', 'Dana@Example.Test', 'a long password', p.id, 'Cardiology', ' L-1 ', '2010-06-01',
  '+1 617 555 0101'
) as d;
grant select on doctor to public;
select results_eq(
  'select licence, specialization, is_active, approved_at from doctor',
  $$ values ('L-1', 'Cardiology', false, null::timestamptz) $$,
  'A visitor registers as a doctor, who is not active.'
);
select is(
  (hospital.log_in('dana@example.test', 'a long password')).outcome, 'refused',
  'He cannot log in.'
);
select is(
  (hospital.log_in('dana@example.test', 'a long password', 'doctor')).outcome, 'refused',
  'Neither by asking for the role.'
);
create function pg_temp.register(changed text) returns text
language plpgsql
as $$
declare
  given jsonb := '{"email": "x@example.test", "password": "a long password", "specialization": "Cardiology",
    "licence": "L-2", "since": "2010-06-01"}'::jsonb || jsonb_build_object('place', (select id from place))
    || changed::jsonb;
begin
  return tests.constraint_of(
    format(
      'select hospital.register_doctor(%L, %L, %L, %L, %L, %L, %L, %L)',
      'Dan', 'Doe', given ->> 'email', given ->> 'password', given ->> 'place',
      given ->> 'specialization', given ->> 'licence', given ->> 'since'
    )
  );
end;
$$;
select is(pg_temp.register('{"licence": "L-1"}'), 'doctors_licence_key', 'A licence is used once.');
select is(
  pg_temp.register('{"licence": " "}'),
  'doctors_licence_not_blank', 'A licence is not blank.'
);
select is(
  pg_temp.register('{"email": "dana@example.test"}'),
  'accounts_email_key', 'An address is used once.'
);
select is(pg_temp.register('{"email": null}'), '23502', 'There is an address.');
select is(pg_temp.register('{"password": null}'), 'WEAKP', 'There is a password.');
select is(pg_temp.register('{"place": null}'), 'NTFND', 'There is a department.');
select is(pg_temp.register('{"place": -1}'), 'NTFND', 'The department exists.');
select is(
  pg_temp.register('{"specialization": "Astrology"}'),
  'doctors_specialization_fkey', 'The specialty exists.'
);
select is(
  pg_temp.register(jsonb_build_object('since', current_date + 3)::text),
  'doctors_practising_since_plausible', 'Nobody has practised since the day after tomorrow.'
);
select is(
  pg_temp.register('{"since": "-infinity"}'),
  'doctors_practising_since_plausible', 'Nor for ever.'
);
select is(pg_temp.register('{}'), 'accepted', 'With everything in order it works.');

-- ### a patient
select tests.authenticate_as_role('patient');
select is(
  count(*),
  0::bigint, 'A patient does not see who waits for approval.'
) from hospital.doctors;
select is(count(*), 0::bigint, 'Not even the names.') from hospital.staff_members;
select is(count(*), 0::bigint, 'Nor finds them.') from hospital.search_doctors('Doe');
select is(count(*), 0::bigint, 'Nor is offered their time.')
from doctor as d
cross join lateral hospital.free_slots(d.id);
select is(
  (tests.failure(format(
    'select hospital.book_appointment((hospital.current_account()).patient_id, %s, tests.type_id(), now() + interval ''1 day'')',
    d.id
  ))).code, 'NTFND', 'Nor can book them.'
) from doctor as d;
select is(
  (tests.failure(format('select hospital.approve_doctor(%s)', d.id))).code, '42501',
  'Nor may approve them.'
) from doctor as d;

-- ### reception
select tests.clear_authentication();
select tests.patient('ann@example.test');
select tests.authenticate_as_role('reception');
select is(
  (tests.failure(format(
    'select hospital.book_appointment(%s, %s, tests.type_id(), now() + interval ''1 day'')', p.id, d.id
  ))).code, 'NOTBK', 'Reception cannot book a doctor who is not approved.'
) from doctor as d cross join hospital.patients as p where p.family_name like 'Patient%' limit 1;

-- ### an administrator
select tests.clear_authentication();
select tests.authenticate_as_role('administrator');
select throws_ok(
  'select hospital.approve_doctor(-1)',
  'NTFND', null, 'There must be such a doctor.'
);
select throws_ok('select hospital.approve_doctor(null)', 'NTFND', null, 'Nobody is no doctor.');
select is(
  (hospital.approve_doctor(d.id)).is_active,
  true, 'An administrator approves.'
) from doctor as d;
select is(
  (hospital.log_in('dana@example.test', 'a long password')).role, 'doctor', 'Now the doctor can log in.'
);
select lives_ok(format('select hospital.approve_doctor(%s)', d.id), 'Approving twice is no error.')
from doctor as d;
select is(
  (hospital.update_doctor(d.id, is_active => false)).is_active, false,
  'An administrator takes a doctor out of the calendar.'
) from doctor as d;
select is(
  (hospital.approve_doctor(d.id)).is_active,
  true, 'And approves him again.'
) from doctor as d;
select * from finish();
rollback;
