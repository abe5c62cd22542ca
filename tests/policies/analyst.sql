-- What hospital_analyst may do, table by table; what is not listed is denied.
begin;
select no_plan();
select tests.world();
-- Something that was over before the release: Ann's and Bob's records, as of long ago.
update hospital.appointments
set starts_at = '2024-05-06 14:00Z', ends_at = '2024-05-06 14:30Z', status = 'completed';
update hospital.visits set started_at = '2024-05-06 14:00Z', ended_at = '2024-05-06 14:20Z';
update hospital.treatments set started_at = '2024-05-06 14:10Z';
select hospital_private.start_masking_release('analyst');
select ops.publish_aggregates();

create function pg_temp.masked_rows() returns table (relation text, rows bigint)
language plpgsql
as $$
begin
  for relation in
    select c.oid::regclass::text
    from pg_catalog.pg_class as c
    where c.relnamespace = 'masked'::regnamespace
      and c.relkind in ('r', 'v')
    order by c.relname collate "C"
  loop
    begin
      execute format('select count(*) from %s', relation) into rows;
    exception
      when insufficient_privilege then
        rows := null;
    end;
    return next;
  end loop;
end;
$$;

-- ### analyst
select tests.authenticate_as('analyst@example.test');
select is_empty(
  $$ select * from tests.sees() where rows <> 'denied' $$,
  'An analyst reads no table of the hospital, not even a list of codes.'
);
select is_empty('select * from tests.may_write()', 'An analyst writes nothing.');
select results_eq(
  'select * from tests.may_execute()',
  $$ values
    ('analytics.published_appointments'), ('analytics.published_diagnoses'), ('analytics.published_visits'),
    ('hospital.current_account'), ('hospital.log_in'), ('hospital.log_out'), ('hospital.refresh_session'),
    ('hospital_private.admits_analyst'), ('hospital_private.session_has_role')
  $$,
  'An analyst calls what reads published numbers, and what keeps his session.'
);
select results_eq(
  'select r.relation, r.rows::integer from pg_temp.masked_rows() as r',
  $$ values
    ('masked.appointments', 2), ('masked.conditions', 2), ('masked.diagnoses', 2),
    ('masked.diagnosis_chapters', 22), ('masked.patients', 2), ('masked.prescriptions', 2),
    ('masked.publications', 2), ('masked.published_appointments', 6), ('masked.published_diagnoses', 4),
    ('masked.release', 1), ('masked.treatments', 2), ('masked.visits', 2)
  $$,
  'An analyst reads the schema masked.'
);
select is_empty(
  $$
  select c.oid::regclass
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n
    on n.oid = c.relnamespace
  where n.nspname in (
      'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
    )
    and c.relkind in ('r', 'p', 'v', 'm')
    and (
      n.nspname <> 'masked' and (
        has_table_privilege(c.oid, 'select') or has_any_column_privilege(c.oid, 'select')
      )
      or has_table_privilege(c.oid, 'insert, update, delete, truncate, references, trigger')
      or has_any_column_privilege(c.oid, 'insert, update, references')
    )
  $$,
  'In no schema does an analyst hold another right.'
);
select is_empty(
  $$ select * from pg_catalog.pg_stats where schemaname not in ('pg_catalog', 'information_schema') and schemaname !~ '^(pg_|tap|tests)'
    and (schemaname, tablename) not in (select 'masked', c.relname from pg_catalog.pg_class as c where c.relnamespace = 'masked'::regnamespace) $$,
  'The statistics of a table that an analyst cannot read are not his either.'
);
select is(
  tests.would_be('create temporary table t (c text)'), '42501',
  'An analyst makes no table in which to lay a trap.'
) where not has_database_privilege(current_database(), 'temporary');
select is(
  tests.would_be('create function masked.leak(text) returns boolean language sql as ''select true'''), '42501',
  'Nor a function with which to look behind a view.'
);
select tests.clear_authentication();

-- Statistics are there to be looked at.
analyze hospital.patients;
analyze hospital_private.masking_subjects;
select tests.authenticate_as('analyst@example.test');
select is_empty(
  $$ select * from pg_catalog.pg_stats where schemaname in ('hospital', 'hospital_private') $$,
  'Not after somebody has gathered them, either.'
);
select tests.clear_authentication();

-- ### By SQL, as docs/masking.md says
select set_config('role', 'hospital_analyst', true);
select
  set_config('infirmary.session_id', l.session_id::text, true),
  set_config('infirmary.session_secret', l.session_secret, true)
from hospital.log_in('analyst@example.test', tests.password()) as l;
select is(count(*), 2::bigint, 'Whoever logs in by SQL reads what his role reads.') from masked.visits;
select tests.clear_authentication();

-- ### Without a live session, and as anybody else
select set_config('role', 'hospital_analyst', true);
select is_empty(
  'select * from pg_temp.masked_rows() where rows <> 0',
  'The database role alone reads nothing of the schema masked.'
);
select tests.clear_authentication();
select tests.authenticate_as('analyst@example.test');
select tests.be_owner();
update hospital_private.sessions set revoked_at = now(), revoked_reason = 'revoked';
select set_config('role', 'hospital_analyst', true);
select is_empty(
  'select * from pg_temp.masked_rows() where rows <> 0',
  'A revoked session reads nothing of it.'
);
select tests.clear_authentication();
select is(
  array(
    select r.rolname::text
    from pg_catalog.pg_roles as r
    where r.rolname like 'hospital\_%'
      and (
        has_schema_privilege(r.rolname, 'masked', 'usage')
        or has_function_privilege(r.rolname, 'analytics.published_visits(date, date, text)', 'execute')
        or exists (
          select
          from pg_catalog.pg_class as c
          where c.relnamespace = 'masked'::regnamespace
            and has_table_privilege(r.rolname, c.oid, 'select')
        )
      )
      -- hospital_backup reads everything, to copy it.
      and not r.rolname = any ('{hospital_owner, hospital_backup}')
    order by 1
  ),
  '{hospital_analyst}', 'Nobody else is granted anything of it.'
);
select is(
  array(
    select c.oid::regclass::text
    from pg_catalog.pg_class as c
    cross join pg_catalog.pg_roles as r
    where c.oid in (
        'hospital_private.consenting_patients'::regclass, 'hospital_private.deidentified_people'::regclass,
        'hospital_private.diagnosis_categories'::regclass, 'hospital_private.masking_subjects'::regclass
      )
      and r.rolname like 'hospital\_%'
      and not r.rolname = any ('{hospital_owner, hospital_backup}')
      and (has_table_privilege(r.rolname, c.oid, 'select') or has_any_column_privilege(r.rolname, c.oid, 'select'))
  ),
  '{}', 'What masked views are made of is nobody''s.'
);
select * from finish();
rollback;
