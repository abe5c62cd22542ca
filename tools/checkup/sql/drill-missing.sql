-- A backup that was never restored is a hope.
select
  case
    when last.started_at is null then 'No backup has ever been restored for a test.'
    when not last.passed then format(
      'The last drill failed, at %s.',
      date_trunc('second', last.started_at)
    )
    else format('The last drill was at %s.', date_trunc('second', last.started_at))
  end as problem,
  'infirmary backup drill' as remedy
from (values (1)) as one
left join ops.last_drill() as last
  on true
where last.started_at is null
  or not last.passed
  or last.started_at < clock_timestamp() - interval '35 days'
