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
left join pg_trigger as trigger
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
  and not (function.oid = 'hospital_private.reset_access'::regproc and finding.level = 'security')
  -- Accepted: a function that only raises or returns its argument could be immutable, but then a constant
  -- argument would make it raise while the statement is planned.
  and not (function.proname like 'found\_%' and finding.message like '%should be IMMUTABLE')
  -- A trigger function that no table uses yet cannot be checked.
  and (function.prorettype <> 'trigger'::regtype or trigger.oid is not null)
order by 1, 2
