-- How the newest run of each job that has ended went.
select
  format('The last run of the job %s %s at %s%s.',
    last.job,
    case last.outcome when 'failed' then 'failed' else 'died' end,
    date_trunc('second', last.started_at),
    coalesce(' with ' || last.error_code, '')
  ) as problem,
  'infirmary work --once, and see what it says; select * from ops.job_runs has every run' as remedy
from (
  select distinct on (r.job)
    r.job,
    r.outcome,
    r.started_at,
    r.error_code
  from ops.job_runs as r
  where r.outcome <> 'running'
  order by
    r.job,
    r.started_at desc,
    r.id desc
) as last
where last.outcome <> 'succeeded'
