-- The tables behind identity refuse what must not be, and no role but the owner reads them.
begin;
select no_plan();

select tests.patient('ann@example.test');
select tests.new_session('ann@example.test');

select is(tests.constraint_of($$update hospital_private.accounts set email = 'Ann@example.test'$$),
  'accounts_email_lower_case', 'An address is stored in lower case.');
select is(tests.constraint_of($$update hospital_private.accounts set email = 'ann'$$),
  'accounts_email_plausible', 'An address looks like one.');
select is(tests.constraint_of($$update hospital_private.accounts set email = 'ann@example.test' || chr(10)$$),
  'accounts_email_plausible', 'An address carries no line break into a mail header.');
select is(tests.constraint_of($$select tests.account('ann@example.test', 'patient')$$),
  'accounts_email_key', 'An address has one account.');
select is(tests.constraint_of(
    $$select tests.account('x@example.test', null, a.patient_id) from hospital_private.accounts as a$$),
  'accounts_patient_id_key', 'A patient has one account.');
select is(tests.constraint_of($$update hospital_private.accounts set failed_attempts = -1$$),
  'accounts_failed_attempts_not_negative', 'Failures are not negative.');
select is(tests.constraint_of($$update hospital_private.sessions set secret_hash = 'short'$$),
  'sessions_secret_is_hashed', 'A session keeps a hash.');
select is(tests.constraint_of(
    $$update hospital_private.sessions set access_expires_at = expires_at + interval '1 second'$$),
  'sessions_access_ends_first', 'Access ends with the session at the latest.');
select is(tests.constraint_of($$update hospital_private.sessions set revoked_at = now()$$),
  'sessions_revocation_has_reason', 'A revocation has a reason.');
select is(tests.constraint_of(
    $$update hospital_private.sessions set revoked_at = now(), revoked_reason = 'because'$$),
  'sessions_revoked_reason_known', 'The reason is one of those known.');
select is(tests.constraint_of($$update hospital_private.sessions set role = 'doctor'$$),
  'sessions_role_is_held', 'A session has a role its account holds.');
select is(tests.constraint_of($$update hospital_private.refresh_tokens set token_hash = 'short'$$),
  'refresh_tokens_are_hashed', 'A refresh token is kept as a hash.');
select is(tests.constraint_of(
    $$insert into hospital_private.roles values ('boss', 'hospital_owner', 'Everything.')$$),
  'roles_database_role_follows_name', 'An account role cannot stand for another database role.');

-- No persona reaches these schemas' tables at all; who watches the server reads what these views say of it.
select is(
  array(
    select r.rolname || ' ' || c.oid::regclass
    from pg_catalog.pg_class as c
    join pg_catalog.pg_roles as r
      on r.rolname like 'hospital\_%'
      and r.rolname not in ('hospital_owner', 'hospital_backup')
    where c.relnamespace in (
        'hospital_private'::regnamespace, 'audit'::regnamespace, 'ops'::regnamespace,
        'staging'::regnamespace, 'warehouse'::regnamespace
      )
      and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
      and case c.relkind
        when 'S' then has_sequence_privilege(r.oid, c.oid, 'usage, select, update')
        else has_table_privilege(r.oid, c.oid, 'select, insert, update, delete, truncate')
          or has_any_column_privilege(r.oid, c.oid, 'select, insert, update')
      end
    order by c.relname
  ),
  array['hospital_monitor ops.index_use', 'hospital_monitor ops.statement_statistics', 'hospital_monitor ops.table_health'],
  'No role but the owner has any right to a table or sequence outside the exposed schemas, but hospital_monitor to three views.'
);
select * from finish();
rollback;
