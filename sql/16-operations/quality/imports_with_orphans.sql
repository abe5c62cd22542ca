create or replace view ops.quality_imports_with_orphans
with (security_invoker = true) as
select
  r.id as row_key,
  exists (
    select
    from staging.import_rejects as j
    where j.run_id = r.id
      and j.reason like 'unknown\_%'
  ) as is_wrong
from staging.import_runs as r
where r.loaded_at > now() - interval '30 days';
call ops.define_quality_check(
  'imports_with_orphans', 'warning', 'staging.import_runs',
  'Imports of the last thirty days of which lines were refused since what they refer to is not there.',
  'Import the missing files first, then these again: staging.import_rejects has the lines.'
);
