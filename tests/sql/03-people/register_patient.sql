-- People register themselves with an account; reception registers people without one.
begin;
select no_plan();

-- ### a visitor
select tests.be_anonymous();
create temporary table made on commit drop as
select *
from hospital.register_patient(
  '  Ann ', ' Able ', '1980-02-29', 'female', ' Ann@Example.Test ', 'a long password',
  '+1 617 555 0100', '1 Main Street, Boston', 'America/New_York'
);
select results_eq(
  'select given_name, family_name, date_of_birth, sex, time_zone from made',
  $$ values ('Ann', 'Able', date '1980-02-29', 'female', 'America/New_York') $$,
  'A visitor registers himself, without the spaces around his name.'
);
select matches(mrn, '^MR[0-9]{8}$', 'He gets a record number.') from made;
select is(
  (hospital.log_in('ann@example.test', 'a long password')).role, 'patient',
  'He can log in at once, as a patient.'
);
select tests.clear_authentication();
select results_eq(
  $$ select kind, value, is_preferred from hospital.contact_points order by kind $$,
  $$ values ('email', 'ann@example.test', true), ('phone', '+1 617 555 0100', true),
    ('postal', '1 Main Street, Boston', true) $$,
  'How to reach him is kept.'
);

create function pg_temp.register(changed text) returns text
language plpgsql
as $$
declare
  given jsonb := '{"given_name": "A", "family_name": "B", "date_of_birth": "1990-01-01", "sex": "male",
    "email": "x@example.test", "password": "a long password"}'::jsonb || changed::jsonb;
begin
  return tests.constraint_of(
    format(
      'select hospital.register_patient(%L, %L, %L, %L, %L, %L, %L, %L, %L)',
      given ->> 'given_name', given ->> 'family_name', given ->> 'date_of_birth', given ->> 'sex',
      given ->> 'email', given ->> 'password', given ->> 'phone', given ->> 'address',
      given ->> 'time_zone'
    )
  );
end;
$$;
select tests.be_anonymous();
select is(
  pg_temp.register('{"password": null}'),
  'UNAUT', 'A visitor cannot register without a password.'
);
select is(
  pg_temp.register('{"email": null}'),
  'UNAUT', 'A visitor cannot register without an address.'
);
select is(pg_temp.register('{"password": "short"}'), 'WEAKP', 'Not with a short password.');
select is(pg_temp.register('{"password": ""}'), 'WEAKP', 'Not with an empty password.');
select is(
  pg_temp.register('{"email": "ANN@example.test"}'), 'accounts_email_key',
  'Not with an address that has an account, in whatever case.'
);
select is(
  pg_temp.register('{"email": "nonsense"}'),
  'contact_points_email_plausible', 'Not with an address that is none.'
);
select is(
  pg_temp.register('{"given_name": " "}'),
  'patients_name_not_blank', 'Not with a blank name.'
);
select is(pg_temp.register('{"family_name": null}'), '23502', 'Not without a name.');
select is(
  pg_temp.register(jsonb_build_object('given_name', repeat('x', 101))::text), 'patients_name_not_blank',
  'Not with a name of 101 letters.'
);
select is(
  pg_temp.register(jsonb_build_object('given_name', repeat('x', 10000000))::text), 'patients_name_not_blank',
  'Not with a name of ten million letters.'
);
select is(
  pg_temp.register('{"sex": "robot"}'),
  'patients_sex_fkey', 'Not with a sex that is not listed.'
);
select is(
  pg_temp.register('{"time_zone": "Mars/Olympus"}'),
  'patients_time_zone_fkey', 'Not with an unknown zone.'
);
select is(
  pg_temp.register('{"date_of_birth": "1869-12-31"}'),
  'patients_date_of_birth_plausible', 'Not born before 1870.'
);
select is(
  pg_temp.register(jsonb_build_object('date_of_birth', current_date + 3)::text),
  'patients_date_of_birth_plausible', 'Not born in the future.'
);
select is(
  pg_temp.register('{"date_of_birth": "infinity"}'),
  'patients_date_of_birth_plausible', 'Not born at the end of time.'
);
select is(
  pg_temp.register('{"date_of_birth": "-infinity"}'),
  'patients_date_of_birth_plausible', 'Not born before all time.'
);
select is(
  pg_temp.register('{"phone": "call me"}'),
  'contact_points_phone_plausible', 'Not with a telephone number that is none.'
);
select is(
  pg_temp.register('{"address": ""}'),
  'contact_points_value_not_blank', 'Not with a blank address.'
);
select is(
  pg_temp.register(format('{"email": "%s@example.test"}', repeat('x', 260))), 'accounts_email_plausible',
  'Not with an endless address.'
);
select is(
  pg_temp.register(jsonb_build_object('date_of_birth', current_date)::text), 'accepted',
  'The newborn are welcome.'
);
select tests.clear_authentication();
select is(
  count(*),
  2::bigint, 'No refused registration left a patient behind.'
) from hospital.patients;

-- ### reception
select tests.authenticate_as_role('reception');
select lives_ok(
  $$ select hospital.register_patient('No', 'Account', '1950-05-05', 'male') $$,
  'Reception registers people without an account.'
);
select is(count(*), 1::bigint, 'And finds them.') from hospital.search_patients('No Account');
-- ### the others
select tests.clear_authentication();
select is(
  array(
    select r.rolname
    from pg_catalog.pg_roles as r
    where r.rolname like 'hospital\_%'
      and has_function_privilege(
        r.oid,
        'hospital.register_patient(text, text, date, text, text, text, text, text, text)', 'execute'
      )
    order by 1
  ),
  array['hospital_administrator', 'hospital_anonymous', 'hospital_owner', 'hospital_reception']::name[],
  'Nobody else registers patients.'
);
select tests.authenticate_as_role('administrator');
select lives_ok(
  $$ select hospital.register_patient('Also', 'Without', '1950-05-05', 'male') $$,
  'An administrator registers people too.'
);
select * from finish();
rollback;
