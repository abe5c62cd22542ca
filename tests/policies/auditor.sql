-- What hospital_auditor may do, table by table; what is not listed is denied.
begin;
select no_plan();
select tests.world();

-- ### auditor
select tests.authenticate_as('auditor@example.test');
select is_empty('select * from hospital.audit_entries()', 'Nor the audit, before saying why.');
select is_empty('select * from hospital.audited_chart_accesses()', 'Nor who opened charts.');
select lives_ok($$ select hospital.open_audit('Yearly review of changes.') $$, 'It is opened with a reason.');
select isnt_empty('select * from hospital.audit_entries()', 'Then it can be read.');
select is(
  (select count(*) from hospital.audit_entries() as e where e.changes::text ~ 'Able|Baker|617 555 0100|999-00-'),
  0::bigint, 'Without what identifies a patient.'
);
select throws_ok('select * from audit.entries', '42501', null, 'Only through the functions.');
select set_config('infirmary.session_secret', 'guessed', true);
select is_empty('select * from hospital.audit_entries()', 'Whoever has lost the session has lost the audit.');
select tests.authenticate_as('administrator@example.test');
select throws_ok('select * from hospital.audit_entries()', '42501', null, 'An administrator reads no images.');
select tests.clear_authentication();
select * from finish();
rollback;
