-- What the job verify_audit_chain found when it last looked.
select
  format('The audit does not hold, found at %s.', date_trunc('second', last.started_at)) as problem,
  'infirmary audit verify names the first bad link; docs/audit.md says what to do' as remedy
from (
  select
    r.started_at,
    r.error_code
  from ops.job_runs as r
  where r.job = 'verify_audit_chain'
    and r.outcome in ('succeeded', 'failed')
  order by
    r.started_at desc,
    r.id desc
  limit 1
) as last
where last.error_code = 'VERIF'
