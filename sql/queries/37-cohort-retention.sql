-- Question: Of the people first seen in a quarter, how many came again in the quarters after it?
-- Technique: Cohorts: the first visit as a window, the distance as a number, the rest a pivot.
-- Notice: min over a partition writes the first quarter beside every visit without a join of the
--   table with itself. Years times four plus quarters makes distances that subtraction understands.
--   People are counted by person, so that a merged duplicate is no new patient. Young cohorts have
--   zeros where the future is: a row is only comparable as far as it is old.
with attended as (
  select
    p.person_id,
    d.year * 4 + d.quarter as quarter,
    min(d.year * 4 + d.quarter) over (partition by p.person_id) as first_quarter
  from warehouse.fact_visits as v
  join warehouse.dim_patient as p
    on p.patient_key = v.patient_key
  join warehouse.dim_date as d
    on d.date_key = v.visited_on
),
came as (
  select distinct
    a.person_id,
    a.first_quarter,
    a.quarter - a.first_quarter as after
  from attended as a
)
select
  format('%s Q%s', (c.first_quarter - 1) / 4, (c.first_quarter - 1) % 4 + 1) as first_seen_in,
  count(*) filter (where c.after = 0) as people,
  count(*) filter (where c.after = 1) as after_1,
  count(*) filter (where c.after = 2) as after_2,
  count(*) filter (where c.after = 3) as after_3,
  count(*) filter (where c.after = 4) as after_4,
  round(
    100.0 * count(*) filter (where c.after = 4) / count(*) filter (where c.after = 0), 1
  ) as percent_a_year_later
from came as c
group by c.first_quarter
order by c.first_quarter;
