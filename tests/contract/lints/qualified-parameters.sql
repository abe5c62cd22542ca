-- A parameter is written function_name.parameter. Bare, it silently means a column of the same name:
-- `where patient_id = patient_id` is true for every patient. Refused are a parameter that the body
-- never names in full, and a bare parameter name in a comparison. A whole row as a parameter (a computed
-- column's) may be named like an alias, as patient.id, where no alias has its name.
/* broken by
create function hospital.probe(patient_id bigint) returns bigint language sql stable
as 'select patients.id from hospital.patients where id = patient_id and probe.patient_id > 0';
mended by
create or replace function hospital.probe(patient_id bigint) returns bigint language sql stable
as 'select patients.id from hospital.patients where id = probe.patient_id';
*/
with
bodies as (
  select
    function.oid,
    function.proname,
    function.proargnames,
    function.proargmodes,
    coalesce(function.proallargtypes, function.proargtypes::oid[]) as types,
    -- Comments and texts may say what they like.
    regexp_replace(
      regexp_replace(regexp_replace(function.prosrc, '--.*$', '', 'gn'), '/\*.*?\*/', '', 'g'),
      '''([^'']|'''')*''', '''''', 'g'
    ) as body
  from pg_proc as function
  join pg_namespace as namespace
    on namespace.oid = function.pronamespace
  join pg_language as language
    on language.oid = function.prolang
  where namespace.nspname in (
      'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'ops', 'staging'
    )
    and language.lanname in ('sql', 'plpgsql')
    and not exists (
      select from pg_depend where objid = function.oid and classid = 'pg_proc'::regclass and deptype = 'e'
    )
),

parameters as (
  select
    bodies.*,
    parameter.name,
    parameter.position,
    (select typtype = 'c' from pg_type where pg_type.oid = bodies.types[parameter.position]) as is_row
  from bodies
  cross join unnest(bodies.proargnames) with ordinality as parameter (name, position)
  where parameter.name <> ''
    and coalesce(bodies.proargmodes[parameter.position], 'i') in ('i', 'b')
),

findings as (
  select
    oid,
    name,
    body !~ format('(\m%s\.%s\M|\$%s\M)', proname, name, position)
      and not (is_row and body ~ format('\m%s\.\w', name) and body !~ format('\mas\s+%s\M', name))
      as is_unnamed,
    body ~* format('(=|<>|<|>|@>|&&|\mlike|\min)\s*%s\M(?!\s*[.(])', name)
      and body !~* format('=>\s*%s\M', name)
      or body ~* format(
        concat(
          '\m(where|and|or|on|when|if|elsif|not|having)\s+\(?\s*%s',
          '\s*(=(?!>)|<|>|@>|&&|\mis\M|\min\M|\mlike|\mbetween)'
        ),
        name
      )
      as is_compared_bare
  from parameters
)

select
  oid::regprocedure::text as subject,
  case when is_compared_bare
    then format('compares the bare parameter %s', name)
    else format('never names its parameter %s in full', name)
  end as problem
from findings
where is_unnamed or is_compared_bare
