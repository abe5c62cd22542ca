-- Question: Which patients with diabetes had every examination that they should have in a year, and
--   what are the others still missing?
-- Technique: Relational division: the set of those who match all of a list.
-- Notice: The list is a row per duty, so adding a duty is adding a row. The cross join makes what
--   ought to be, the left join finds what is, and the difference falls out of a filter: "all of
--   them" is "none is missing". bool_and says the same as not exists within not exists, legibly.
with due (treatment) as (
  values
    ('Hemoglobin A1c test'),
    ('Foot examination'),
    ('Lipid panel'),
    ('Blood pressure check')
),
asked as (
  select max(t.started_at) - interval '1 year' as since
  from hospital.treatments as t
),
diabetic as (
  select distinct pc.patient_id
  from hospital.patient_conditions as pc
  join hospital.diagnosis_codes as c
    on c.id = pc.diagnosis_code_id
  where c.system = 'icd10cm'
    and c.code like 'E11%'
    and pc.abated_on is null
    and pc.voided_at is null
),
done as (
  select distinct
    t.patient_id,
    t.type
  from hospital.treatments as t
  join hospital.visits as v
    on v.id = t.visit_id
    and v.voided_at is null
  cross join asked as q
  where t.voided_at is null
    and t.started_at >= q.since
)
select
  p.mrn,
  count(done.type) as done,
  count(*) as due,
  bool_and(done.type is not null) as is_complete,
  string_agg(due.treatment, ', ' order by due.treatment) filter (where done.type is null) as missing
from diabetic as b
join hospital.patients as p
  on p.id = b.patient_id
cross join due
left join done
  on done.patient_id = b.patient_id
  and done.type = due.treatment
group by p.id
order by
  done desc,
  p.mrn;
