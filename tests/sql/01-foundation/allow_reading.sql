-- One line of a policies file lets a role read whole tables while it has a live session.
begin;
select no_plan();

set local role hospital_owner;
call hospital_private.reset_access('hospital_auditor');
grant usage on schema hospital, hospital_private to hospital_auditor;
grant execute on function hospital_private.session_has_role to hospital_auditor;
call hospital_private.allow_reading(
  'hospital_auditor', 'auditor', 'hospital.sexes', 'hospital.specialties'
);
reset role;
select policy_roles_are(
  'hospital', 'sexes', 'auditor_select_all', array['hospital_auditor'],
  'The policy is for that role alone.'
);
select policy_cmd_is('hospital', 'sexes', 'auditor_select_all'::name, 'SELECT', 'It is for reading alone.');
select ok(
  has_table_privilege('hospital_auditor', 'hospital.specialties', 'select')
    and not has_table_privilege('hospital_auditor', 'hospital.specialties', 'insert, update, delete'),
  'The grant is for reading alone.'
);

select tests.authenticate_as_role('auditor');
select is(count(*), 4::bigint, 'With a live session all rows are read.') from hospital.sexes;
select set_config('infirmary.session_secret', 'wrong', true);
select is(count(*), 0::bigint, 'With a wrong secret none is.') from hospital.sexes;
select tests.clear_authentication();
select * from finish();
rollback;
