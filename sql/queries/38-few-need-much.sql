-- Question: How much of all care goes to the tenth of the patients who need the most?
-- Technique: ntile, and a cumulative share.
-- Notice: ntile deals people out into ten groups of equal size, whatever their values: two with as
--   many visits may fall on either side of a border, so the key at the end of the order decides,
--   the same way every time. The sum over groups up to the current one makes the curve that
--   economists draw of incomes. It counts only those who came.
with person as (
  select
    p.person_id,
    count(*) as visits
  from warehouse.fact_visits as v
  join warehouse.dim_patient as p
    on p.patient_key = v.patient_key
  group by p.person_id
),
placed as (
  select
    p.visits,
    ntile(10) over (order by p.visits desc, p.person_id) as tenth
  from person as p
)
select
  p.tenth,
  count(*) as people,
  min(p.visits) as fewest,
  max(p.visits) as most,
  sum(p.visits) as visits,
  round(100.0 * sum(p.visits) / sum(sum(p.visits)) over (), 1) as percent_of_visits,
  round(
    100.0 * sum(sum(p.visits)) over (order by p.tenth) / sum(sum(p.visits)) over (), 1
  ) as percent_up_to_here
from placed as p
group by p.tenth
order by p.tenth;
