-- Question: How many visits did each department have under the name it bore at the time, and what
--   is it called now?
-- Technique: A slowly changing dimension: the version of then joined with the version of now.
-- Notice: A fact points at the version that was in force when it happened: reports of last year
--   keep saying what they said. department_id is the thread through the versions, and is_current
--   picks the last. Grouping by name would mix two departments of one name; by department_id alone
--   it would forget that there were two names. Nothing is looked up by date, for the loader has
--   done that.
select
  o.name as name_then,
  n.name as name_now,
  o.name is distinct from n.name as was_renamed,
  lower(o.valid) as version_from,
  upper(o.valid) as version_until,
  count(*) as visits,
  min(v.visited_on) as first_day,
  max(v.visited_on) as last_day
from warehouse.fact_visits as v
join warehouse.dim_department as o
  on o.department_key = v.department_key
join warehouse.dim_department as n
  on n.department_id = o.department_id
  and n.is_current
group by o.department_key, n.department_key
order by
  was_renamed desc,
  visits desc,
  o.department_key;
