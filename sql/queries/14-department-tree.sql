-- Question: How many visits did each department have, itself and together with all beneath it?
-- Technique: A recursive query that descends a tree, with a search clause for its order.
-- Notice: search depth first writes the path of sort keys into a column, so one order by prints the
--   tree as it is drawn. The path of keys answers another question: whose subtree is this? What
--   stands below is whoever has my key in his path, I among them, so the totals need no second
--   recursion, and the leaves' totals are their own.
with recursive tree as (
  select
    d.id,
    d.facility_id,
    d.name,
    0 as level,
    array[d.id] as path
  from hospital.departments as d
  where d.parent_id is null
  union all
  select
    d.id,
    d.facility_id,
    d.name,
    t.level + 1,
    t.path || d.id
  from tree as t
  join hospital.departments as d
    on d.parent_id = t.id
)
search depth first by facility_id, name set position,
own as (
  select
    a.department_id,
    count(*) as visits
  from hospital.visits as v
  join hospital.appointments as a
    on a.id = v.appointment_id
  where v.voided_at is null
  group by a.department_id
)
select
  f.name as facility,
  repeat('. ', t.level) || t.name as department,
  coalesce(o.visits, 0) as own_visits,
  b.visits as visits_with_all_beneath
from tree as t
join hospital.facilities as f
  on f.id = t.facility_id
left join own as o
  on o.department_id = t.id
cross join lateral (
  select coalesce(sum(below.visits), 0) as visits
  from tree as s
  join own as below
    on below.department_id = s.id
  where t.id = any (s.path)
) as b
order by t.position;
