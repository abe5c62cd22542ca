create schema plpgsql_check;
create extension plpgsql_check with schema plpgsql_check;

-- As the owner, with the search path the functions are called with.
set search_path = '';

select
  function.oid::regprocedure::text as subject,
  finding.lineno as line,
  finding.level,
  finding.sqlstate,
  finding.message
from pg_proc as function
join pg_namespace as namespace
  on namespace.oid = function.pronamespace
join pg_language as language
  on language.oid = function.prolang
-- Each table that uses a trigger function, with all the transition tables it is given there.
left join (
  select
    t.tgfoid,
    t.tgrelid,
    max(t.tgoldtable) as tgoldtable,
    max(t.tgnewtable) as tgnewtable
  from pg_trigger as t
  group by
    t.tgfoid,
    t.tgrelid
) as trigger
  on trigger.tgfoid = function.oid
cross join plpgsql_check.plpgsql_check_function_tb(
  function.oid,
  coalesce(trigger.tgrelid, 0),
  oldtable => trigger.tgoldtable,
  newtable => trigger.tgnewtable,
  fatal_errors => false,
  other_warnings => true,
  extra_warnings => true,
  performance_warnings => true,
  security_warnings => true
) as finding
where language.lanname = 'plpgsql'
  and namespace.nspname in (
    'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
  )
  -- Accepted: every name in the statements that it executes is quoted, with %I or by regprocedure.
  and not (
    function.oid = any (
      array[
        'hospital_private.reset_access', 'hospital_private.guard_person_tables',
        'hospital_private.erase_rows', 'hospital_private.refuse_remains', 'audit.enrol_tables',
        'audit.live_image'
      ]::regproc[]::oid[]
    )
    and finding.level = 'security'
  )
  -- Accepted: so do these, whose statements are made of the classes of columns that migrations alone write.
  and not (
    function.oid = any (
      array['hospital_private.retention_of', 'hospital.retention_due']::regproc[]::oid[]
    )
    and finding.level = 'security'
  )
  -- Accepted: so does the loader, which goes by the tables and columns of the warehouse that the catalogue names.
  and not (
    function.oid = any (
      array[
        'warehouse.keys_found_by', 'warehouse.keys_since_versions', 'warehouse.put_rows',
        'warehouse.remove_rows', 'warehouse.shown_values', 'warehouse.strip_table',
        'warehouse.verify_table'
      ]::regproc[]::oid[]
    )
    and (finding.level = 'security' or finding.message like '%should be STABLE')
  )
  -- Accepted: it is volatile to look in a snapshot of its own.
  and function.oid <> 'hospital_private.reminder_reason'::regproc
  -- Accepted: it makes a table by a statement of its own, which the checker does not read.
  and not (function.oid = 'audit.make_retired_table'::regproc and finding.message like '%should be STABLE')
  -- Accepted: a function of the queue's, which is not there before its installation.
  and not (
    function.oid = any (array['analytics.refresh_views', 'ops.hospital_figures']::regproc[]::oid[])
    and finding.message like 'immutable expression%'
  )
  -- Accepted: one guard for tables with and without a key of their own: the branch is chosen by the table.
  and not (function.oid = 'hospital_private.guard_person'::regproc and finding.sqlstate = '42703')
  -- Accepted: a function that only raises or returns its argument could be immutable, but then a constant
  -- argument would make it raise while the statement is planned.
  and not (function.proname ~ '^(found|require)_' and finding.message like '%should be IMMUTABLE')
  -- A trigger function that no table uses yet cannot be checked.
  and (function.prorettype <> 'trigger'::regtype or trigger.tgrelid is not null)
order by 1, 2
