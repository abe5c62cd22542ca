-- A view runs with the rights of who reads it. Without security_invoker it runs as its owner, and shows
-- everybody's rows to anybody. The views of masked are the exception: they exist to show an analyst
-- what he could not read himself, so they must be barriers instead. Three views of hospital_private are
-- what those are made of, and run as their owner with them; nobody is granted any.
/* broken by
create view hospital.probe as select 1 as one;
mended by
alter view hospital.probe set (security_invoker = true);
*/
select
  view.oid::regclass::text as subject,
  case namespace.nspname
    when 'masked' then 'is no security_barrier'
    else 'is no security_invoker'
  end as problem
from pg_class as view
join pg_namespace as namespace
  on namespace.oid = view.relnamespace
where view.relkind = 'v'
  and namespace.nspname !~ '^pg_'
  and namespace.nspname not in ('information_schema', 'extensions', 'graphile_worker', 'tap', 'tests')
  and view.oid::regclass::text not in (
    'hospital_private.consenting_patients',
    'hospital_private.deidentified_people',
    'hospital_private.diagnosis_categories'
  )
  and not coalesce(
    view.reloptions && case namespace.nspname
      when 'masked' then array['security_barrier=true', 'security_barrier=on', 'security_barrier=1']
      else array['security_invoker=true', 'security_invoker=on', 'security_invoker=1']
    end,
    false
  )
