create or replace view ops.quality_imports_with_the_implausible
with (security_invoker = true) as
select
  r.id as row_key,
  exists (
    select
    from staging.import_rejects as j
    where j.run_id = r.id
      and j.reason in ('stop_before_start', 'implausible_birth', 'bad_date', 'bad_number')
  ) as is_wrong
from staging.import_runs as r
where r.loaded_at > now() - interval '30 days';
call ops.define_quality_check(
  'imports_with_the_implausible', 'warning', 'staging.import_runs',
  'Imports of the last thirty days of which lines were refused as implausible, such as a medication that ends before it begins.',
  'Correct them where they come from, then import them again: staging.import_rejects has the lines.'
);
