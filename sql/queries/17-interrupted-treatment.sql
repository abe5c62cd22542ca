-- Question: Who takes a medicine for months, but with interruptions, and how many days of it were
--   missing?
-- Technique: Gaps and islands by multiranges: range_agg, range_merge and their difference.
-- Notice: range_agg joins courses that overlap or touch into islands, and what the whole stretch
--   has beyond them are the gaps: three operators where windows take three levels of queries.
--   Courses of less than a month are of another kind, and one that was stopped ends on that day.
--   The share of days covered is what pharmacists call the medication possession ratio; below 80 %
--   counts as too little.
with course as (
  select
    p.patient_id,
    p.medication_id,
    daterange(
      p.start_date,
      least(p.end_date, (p.stopped_at at time zone 'UTC')::date),
      '[]'
    ) as days
  from hospital.prescriptions as p
  join hospital.visits as v
    on v.id = p.visit_id
    and v.voided_at is null
  where p.duration_days >= 30
    and (p.stopped_at is null or (p.stopped_at at time zone 'UTC')::date >= p.start_date)
),
taken as (
  select
    c.patient_id,
    c.medication_id,
    count(*) as courses,
    range_agg(c.days) as covered,
    range_merge(range_agg(c.days)) as whole
  from course as c
  group by c.patient_id, c.medication_id
),
measured as (
  select
    t.*,
    upper(t.whole) - lower(t.whole) as days,
    (
      select sum(upper(gap.days) - lower(gap.days))
      from unnest(datemultirange(t.whole) - t.covered) as gap (days)
    ) as missing
  from taken as t
)
select
  p.mrn,
  m.name as medication,
  x.courses,
  lower(x.whole) as first_day,
  upper(x.whole) - 1 as last_day,
  x.missing as days_missing,
  round(100.0 * (x.days - x.missing) / x.days, 1) as percent_covered
from measured as x
join hospital.patients as p
  on p.id = x.patient_id
join hospital.medications as m
  on m.id = x.medication_id
where x.days >= 90
  and x.missing > 0
order by
  percent_covered,
  p.mrn,
  m.name;
