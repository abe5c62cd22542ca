-- How the newest run of each job that has ended went.
select
  format(
    'The last run of the job %s %s at %s%s.',
    r.job,
    case r.ended_outcome when 'failed' then 'failed' else 'died' end,
    date_trunc('second', r.ended_started_at),
    coalesce(' with ' || r.ended_error_code, '')
  ) as problem,
  'infirmary work --once, and see what it says; ops.job_runs has every run' as remedy
from ops.last_job_runs() as r
where r.ended_outcome <> 'succeeded'
