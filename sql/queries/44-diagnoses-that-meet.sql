-- Question: Which illnesses are found in the same people more often than chance would have it?
-- Technique: A self join into pairs, and the lift of each pair.
-- Notice: < between the two categories yields each pair once. Common illnesses meet often by chance
--   alone, so the count says little: lift is how many times more often they meet than if they knew
--   nothing of each other, and 1 means chance. Pairs of few people are left out, because their lift
--   leaps, and because a small cell may be somebody.
with has as (
  select distinct
    p.person_id,
    g.category
  from warehouse.fact_diagnoses as d
  join warehouse.dim_patient as p
    on p.patient_key = d.patient_key
  join warehouse.dim_diagnosis as g
    on g.diagnosis_key = d.diagnosis_key
  where g.system = 'icd10cm'
    and g.category not like 'Z%'
),
everybody as (
  select count(distinct h.person_id) as people
  from has as h
),
single as (
  select
    h.category,
    count(*) as people
  from has as h
  group by h.category
)
select
  a.category as one,
  b.category as other,
  count(*) as people_with_both,
  x.people as people_with_one,
  y.people as people_with_other,
  round(1.0 * count(*) * e.people / (x.people * y.people), 2) as lift
from has as a
join has as b
  on b.person_id = a.person_id
  and b.category > a.category
join single as x
  on x.category = a.category
join single as y
  on y.category = b.category
cross join everybody as e
group by a.category, b.category, x.people, y.people, e.people
having count(*) >= 5
order by
  lift desc,
  one,
  other;
