-- Question: Which three medicines are prescribed most for each of the ten commonest diagnoses?
-- Technique: A lateral join: the top n of each group.
-- Notice: lateral is a loop that the planner sees: for each row on the left the subquery runs with
--   that row's values, and its limit counts anew. Only principal diagnoses count (rank 1), since a
--   visit's prescriptions do not say which diagnosis they are for. left join … on true would keep a
--   diagnosis that no medicine is given for; cross join drops it.
with common as (
  select
    d.diagnosis_code_id,
    count(*) as visits
  from hospital.visit_diagnoses as d
  join hospital.visits as v
    on v.id = d.visit_id
    and v.voided_at is null
  where d.rank = 1
    and d.voided_at is null
  group by d.diagnosis_code_id
  order by
    visits desc,
    d.diagnosis_code_id
  limit 10
)
select
  c.code,
  c.description,
  n.visits,
  m.name as medication,
  top.prescriptions
from common as n
join hospital.diagnosis_codes as c
  on c.id = n.diagnosis_code_id
left join lateral (
  select
    p.medication_id,
    count(*) as prescriptions
  from hospital.visit_diagnoses as d
  join hospital.visits as v
    on v.id = d.visit_id
    and v.voided_at is null
  join hospital.prescriptions as p
    on p.visit_id = v.id
  where d.diagnosis_code_id = n.diagnosis_code_id
    and d.rank = 1
    and d.voided_at is null
  group by p.medication_id
  order by
    prescriptions desc,
    p.medication_id
  limit 3
) as top
  on true
left join hospital.medications as m
  on m.id = top.medication_id
order by
  n.visits desc,
  c.code,
  top.prescriptions desc,
  m.name;
