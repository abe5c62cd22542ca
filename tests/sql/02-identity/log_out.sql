-- Logging out ends the session, at once and no other.
begin;
select no_plan();

select tests.patient('ann@example.test');
select tests.new_session('ann@example.test');
select tests.authenticate_as('ann@example.test');
select is((hospital.log_out()).email, 'ann@example.test', 'Logging out says whose session it was.');
select is((hospital.current_account()).email, null, 'In the next statement she is nobody.');
select is(count(*), 0::bigint, 'And reads nothing.') from hospital.facilities;
select is((hospital.log_out()).email, null, 'Logging out twice is no error.');
select tests.clear_authentication();
select results_eq(
  'select revoked_reason, count(*) from hospital_private.sessions group by 1 order by 1',
  $$ values ('logged_out', 1::bigint), (null, 1) $$,
  'Her other session lives on.'
);
select tests.be_anonymous();
select is((hospital.log_out()).email, null, 'A visitor has nothing to log out of.');
select * from finish();
rollback;
