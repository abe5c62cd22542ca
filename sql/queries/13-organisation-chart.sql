-- Question: Who leads whom, how many people stand below each, and does anybody lead himself?
-- Technique: A recursive query that climbs from everybody to the top, with a cycle clause.
-- Notice: Climbing gives all pairs of a person and a superior, so that "how many below me" and "my
--   way to the top" are aggregates of the same rows. A circle of managers would climb for ever: the
--   cycle clause stops at the second meeting and says so. union without all would not stop it,
--   since the distance makes every row a new one. Ordering by the way from the top lists everybody
--   beneath his superior.
with recursive chain as (
  select
    s.id as member_id,
    s.id as superior_id,
    s.manager_id,
    0 as distance
  from hospital.staff_members as s
  where s.left_on is null
  union all
  select
    c.member_id,
    m.id,
    m.manager_id,
    c.distance + 1
  from chain as c
  join hospital.staff_members as m
    on m.id = c.manager_id
)
cycle superior_id set is_circular using trail,
way as (
  select
    c.member_id,
    max(c.distance) as level,
    array_agg(concat_ws(' ', m.family_name, m.given_name, m.id) order by c.distance desc) as path,
    bool_or(c.is_circular) as is_circular
  from chain as c
  join hospital.staff_members as m
    on m.id = c.superior_id
  group by c.member_id
),
led as (
  select
    c.superior_id,
    count(*) filter (where c.distance = 1) as direct,
    count(*) as all_below
  from chain as c
  where c.distance > 0
    and not c.is_circular
  group by c.superior_id
)
select
  repeat('. ', w.level) || concat_ws(' ', m.given_name, m.family_name) as leader,
  j.name as job,
  d.name as department,
  l.direct,
  l.all_below,
  w.is_circular
from led as l
join way as w
  on w.member_id = l.superior_id
join hospital.staff_members as m
  on m.id = l.superior_id
join hospital.jobs as j
  on j.code = m.job
join hospital.departments as d
  on d.id = m.department_id
order by w.path;
