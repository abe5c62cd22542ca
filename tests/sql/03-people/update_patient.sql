-- Patients change how they are reached; who they are is changed by reception, against a document.
begin;
select no_plan();

create temporary table who on commit drop as
select tests.patient('ann@example.test') as ann, tests.patient('bob@example.test') as bob;
grant select on who to public;

-- ### Ann
select tests.authenticate_as('ann@example.test');
select is(
  (hospital.update_patient(ann, phone => '+1 617 555 0106', time_zone => 'America/Chicago')).time_zone,
  'America/Chicago', 'A patient changes her zone and telephone number.'
) from who;
select is(value, '+1 617 555 0106', 'They are kept.') from hospital.contact_points;
select lives_ok(
  format('select hospital.update_patient(%s, phone => ''+1 617 555 0107'', email => ''Ann2@Example.test'', address => ''2 Main Street'')', ann),
  'A second time too.'
) from who;
select is(count(*), 3::bigint, 'There is one contact of each kind.') from hospital.contact_points;
select throws_ok(
  format('select hospital.update_patient(%s, given_name => ''Anne'')', ann),
  '42501', null, 'Not her name.'
) from who;
select throws_ok(
  format('select hospital.update_patient(%s, date_of_birth => ''1990-01-01'')', ann),
  '42501', null, 'Not her birth.'
) from who;
select throws_ok(
  format('select hospital.update_patient(%s, sex => ''male'')', ann),
  '42501', null, 'Not her sex.'
) from who;
select throws_ok(
  format('select hospital.update_patient(%s, time_zone => ''UTC'')', bob),
  'NTFND', null, 'Not Bob''s zone.'
) from who;
select throws_ok(
  format('select hospital.update_patient(%s, phone => ''+1 617 555 0108'')', bob),
  'NTFND', null, 'Not Bob''s telephone number.'
) from who;
select throws_ok('select hospital.update_patient(null)', 'NTFND', null, 'Not nobody''s.');
select throws_ok(
  format('select hospital_private.write_contact(%s, null, ''phone'', ''+1 617 555 0109'')', bob),
  '42501', null, 'Not by the helper behind it either.'
) from who;
select throws_ok(
  format('select hospital.deactivate_patient(%s, ''x'')', ann),
  '42501', null, 'She does not close her own record.'
) from who;

-- ### reception
select tests.clear_authentication();
select tests.authenticate_as_role('reception');
select results_eq(
  format('select given_name, family_name, sex from hospital.update_patient(%s, given_name => '' Robert '', sex => ''male'')', bob),
  format('select ''Robert'', family_name, ''male'' from hospital.patients where id = %s', bob),
  'Reception changes what is given and leaves the rest.'
) from who;
select throws_ok(
  format('select hospital.update_patient(%s, given_name => '' '')', bob),
  '23514', null, 'But not to a blank name.'
) from who;
select throws_ok(
  'select hospital.update_patient(-1, sex => ''male'')',
  'NTFND', null, 'An unknown patient is not found.'
);
select isnt(
  (hospital.deactivate_patient(ann, 'Moved away')).deactivated_at,
  null, 'Reception closes a record.'
) from who;
select throws_ok(
  format('select hospital.deactivate_patient(%s, null)', bob),
  '23514', null, 'Not without a reason.'
) from who;
select throws_ok(
  'select hospital.deactivate_patient(-1, ''x'')',
  'NTFND', null, 'Not an unknown one.'
);

-- ### the others
select tests.clear_authentication();
select tests.authenticate_as_role('doctor');
select throws_ok(
  format('select hospital.update_patient(%s)', ann),
  '42501', null, 'A doctor may not.'
) from who;
select tests.clear_authentication();
select tests.authenticate_as_role('nurse');
select throws_ok(
  format('select hospital.update_patient(%s)', ann),
  '42501', null, 'A nurse may not.'
) from who;
select tests.clear_authentication();
select tests.authenticate_as_role('billing');
select throws_ok(
  format('select hospital.deactivate_patient(%s, ''x'')', ann),
  '42501', null, 'Billing closes no record.'
) from who;
select * from finish();
rollback;
