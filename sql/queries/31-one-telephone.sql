-- Question: Which telephone numbers are shared by patients of different family names?
-- Technique: A materialized common table expression as a fence.
-- Notice: A common table expression that is read once is folded into the query around it; one that
--   is read twice is computed once. materialized says so whatever the planner would do, and so
--   keeps the dear regular expression from running for every pair; not materialized would do the
--   opposite, which pays where a condition outside can reach an index inside. --explain shows the
--   scan of it.
with number as materialized (
  select
    c.patient_id,
    right(regexp_replace(c.value, '[^0-9]', '', 'g'), 10) as digits
  from hospital.contact_points as c
  where c.kind = 'phone'
    and c.patient_id is not null
),
shared as (
  select n.digits
  from number as n
  join hospital.patients as p
    on p.id = n.patient_id
  group by n.digits
  having count(distinct p.family_name) > 1
)
select
  n.digits as telephone,
  count(distinct p.person_id) as people,
  count(distinct p.family_name) as family_names,
  string_agg(
    concat_ws(' ', p.given_name, p.family_name), ', '
    order by p.family_name, p.given_name, p.id
  ) as patients
from shared as s
join number as n
  on n.digits = s.digits
join hospital.patients as p
  on p.id = n.patient_id
group by n.digits
order by
  people desc,
  n.digits;
