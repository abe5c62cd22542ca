-- What the job verify_audit_chain found when it last looked.
select
  format(
    'The audit does not hold, found at %s.',
    date_trunc('second', r.ended_started_at)
  ) as problem,
  'infirmary audit verify names the first bad link; docs/audit.md says what to do' as remedy
from ops.last_job_runs() as r
where r.job = 'verify_audit_chain'
  and r.ended_error_code = 'VERIF'
