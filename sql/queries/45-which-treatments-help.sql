-- Question: After which treatments are most patients better, as far as so few can tell?
-- Technique: A ranking by the lower bound of a confidence interval, with intermediate values named
--   by lateral joins.
-- Notice: Three of three is a hundred per cent and proves little. Wilson's interval says between
--   which shares the truth lies with 95 % certainty, and its lower bound ranks forty of fifty above
--   three of three. Each lateral gives a name to a number that the next one uses, as a spreadsheet
--   would. Outcomes that were not assessed are not counted as failures.
select
  t.treatment_type,
  t.assessed,
  t.better,
  round(100 * share.p, 1) as percent_better,
  round((100 * (w.middle - w.reach))::numeric, 1) as surely_more_than,
  round((100 * (w.middle + w.reach))::numeric, 1) as surely_less_than,
  round(t.cost / nullif(t.better, 0), 2) as cost_per_patient_better
from (
  select
    f.treatment_type,
    count(*) as assessed,
    count(*) filter (where f.outcome in ('improved', 'resolved')) as better,
    sum(f.cost) as cost
  from warehouse.fact_treatments as f
  where f.outcome <> 'not_assessed'
  group by f.treatment_type
) as t
cross join lateral (
  select 1.0 * t.better / t.assessed as p
) as share
cross join lateral (
  select
    1.96 ^ 2 as z2,
    t.assessed as n
) as given
cross join lateral (
  select
    (share.p + given.z2 / (2 * given.n)) / (1 + given.z2 / given.n) as middle,
    sqrt(given.z2 * (share.p * (1 - share.p) / given.n + given.z2 / (4 * given.n ^ 2)))
      / (1 + given.z2 / given.n) as reach
) as w
order by
  w.middle - w.reach desc,
  t.treatment_type;
