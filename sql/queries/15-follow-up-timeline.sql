-- Question: Of the patient most often seen for one illness, which visits belong together: what was
--   followed up, how often and after how long?
-- Technique: A recursive query that walks from each visit to the next, by a lateral join.
-- Notice: An episode begins with a visit that no earlier one of the same diagnosis precedes within
--   ninety days, and each step looks for the next within ninety days of the last: an interval that
--   moves along, which no join over fixed periods finds. Comparing (started_at, id) as a row breaks
--   ties, without which two visits at one moment would follow each other for ever.
with recursive patient as (
  select p.person_id
  from hospital.visits as v
  join hospital.patients as p
    on p.id = v.patient_id
  join hospital.visit_diagnoses as d
    on d.visit_id = v.id
    and d.rank = 1
    and d.voided_at is null
  join hospital.diagnosis_codes as c
    on c.id = d.diagnosis_code_id
  where v.voided_at is null
  group by p.person_id, left(c.code, 3)
  order by
    count(*) desc,
    p.person_id
  limit 1
),
visited as materialized (
  select
    v.id,
    v.started_at,
    v.doctor_id,
    v.diagnosis,
    left(c.code, 3) as category
  from patient as w
  join hospital.patients as p
    on p.person_id = w.person_id
  join hospital.visits as v
    on v.patient_id = p.id
    and v.voided_at is null
  join hospital.visit_diagnoses as d
    on d.visit_id = v.id
    and d.rank = 1
    and d.voided_at is null
  join hospital.diagnosis_codes as c
    on c.id = d.diagnosis_code_id
),
timeline as (
  select
    v.id as first_visit_id,
    1 as step,
    null::interval as after,
    v.*
  from visited as v
  where not exists (
    select
    from visited as e
    where e.category = v.category
      and (e.started_at, e.id) < (v.started_at, v.id)
      and e.started_at >= v.started_at - interval '90 days'
  )
  union all
  select
    t.first_visit_id,
    t.step + 1,
    n.started_at - t.started_at,
    n.*
  from timeline as t
  cross join lateral (
    select v.*
    from visited as v
    where v.category = t.category
      and (v.started_at, v.id) > (t.started_at, t.id)
      and v.started_at <= t.started_at + interval '90 days'
    order by
      v.started_at,
      v.id
    limit 1
  ) as n
)
select
  dense_rank() over (order by b.started_at, b.id) as episode,
  t.step,
  count(*) over episode as visits,
  t.started_at,
  extract(day from t.after) as days_after,
  t.category,
  t.diagnosis,
  concat_ws(' ', m.given_name, m.family_name) as doctor
from timeline as t
join visited as b
  on b.id = t.first_visit_id
join hospital.doctors as d
  on d.id = t.doctor_id
join hospital.staff_members as m
  on m.id = d.staff_member_id
window episode as (partition by t.first_visit_id)
order by
  episode,
  t.step;
