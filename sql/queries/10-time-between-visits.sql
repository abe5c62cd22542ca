-- Question: After how many days do patients come back, by what they were seen for?
-- Technique: lag over each patient's visits, and percentiles of what it finds.
-- Notice: lag reads the row before in the window, so a patient's first visit has none and drops
--   out. The mean of such intervals is drawn up by the few who come back after years: the median
--   says what is usual, and mode what is agreed on. Ordered-set aggregates name their order within
--   the group.
with visited as (
  select
    v.id,
    v.started_at - lag(v.started_at) over (
      partition by p.person_id
      order by v.started_at, v.id
    ) as since_last
  from hospital.visits as v
  join hospital.patients as p
    on p.id = v.patient_id
  where v.voided_at is null
),
returned as (
  select
    v.id,
    extract(epoch from v.since_last) / 86400 as days
  from visited as v
  where v.since_last is not null
)
select
  c.code,
  c.description,
  count(*) as returns,
  round(avg(r.days), 1) as mean_days,
  round(percentile_cont(0.5) within group (order by r.days)::numeric, 1) as median_days,
  mode() within group (order by round(r.days)) as commonest_days
from returned as r
join hospital.visit_diagnoses as d
  on d.visit_id = r.id
  and d.rank = 1
  and d.voided_at is null
join hospital.diagnosis_codes as c
  on c.id = d.diagnosis_code_id
group by c.id
having count(*) >= 10
order by
  median_days,
  c.code;
