-- Question: How late do consultations begin, and how many patients wait how long?
-- Technique: A histogram by width_bucket, with the empty buckets and a bar.
-- Notice: width_bucket puts what lies below the first bound into bucket 0 and what lies beyond the
--   last into one more than asked for: those two are kept, since the longest waits are the point.
--   The series of bucket numbers keeps the empty ones in the picture. Bars scale with the fullest.
with late as (
  select extract(epoch from v.started_at - a.starts_at) / 60 as minutes
  from hospital.visits as v
  join hospital.appointments as a
    on a.id = v.appointment_id
  where v.voided_at is null
),
counted as (
  select
    width_bucket(l.minutes, 0, 60, 12) as bucket,
    count(*) as visits
  from late as l
  group by bucket
)
select
  case b.bucket
    when 0 then 'before its time'
    when 13 then '60 and more'
    else format('%s to %s', (b.bucket - 1) * 5, b.bucket * 5)
  end as minutes_late,
  coalesce(c.visits, 0) as visits,
  round(100.0 * coalesce(c.visits, 0) / sum(c.visits) over (), 1) as percent,
  round(100.0 * sum(c.visits) over (order by b.bucket) / sum(c.visits) over (), 1)
    as percent_so_far,
  repeat('#', round(40.0 * coalesce(c.visits, 0) / max(c.visits) over ())::integer) as bar
from generate_series(0, 13) as b (bucket)
left join counted as c
  on c.bucket = b.bucket
order by b.bucket;
