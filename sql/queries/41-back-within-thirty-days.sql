-- Question: After which diagnoses do people come back within thirty days for the same, unplanned?
-- Technique: A window that looks ahead: a range frame over the days that follow.
-- Notice: The frame is measured in days and not in rows: from the next day to the thirtieth after,
--   however many visits that is. Visits of the last thirty days cannot have been followed yet: with
--   them every rate would be too low, and lowest in the newest month. They are left out after the
--   window and not before it, for they may still be somebody's return. Planned follow-up is what
--   the type of the appointment says.
with seen as (
  select
    v.visited_on,
    p.person_id,
    g.category,
    t.code = 'follow_up' as is_planned
  from warehouse.fact_visits as v
  join warehouse.dim_patient as p
    on p.patient_key = v.patient_key
  join warehouse.fact_diagnoses as d
    on d.visit_id = v.visit_id
    and d.rank = 1
  join warehouse.dim_diagnosis as g
    on g.diagnosis_key = d.diagnosis_key
  join warehouse.fact_appointments as a
    on a.appointment_id = v.appointment_id
  join warehouse.dim_appointment_type as t
    on t.appointment_type_key = a.appointment_type_key
),
followed as (
  select
    s.category,
    s.visited_on,
    max(s.visited_on) over () as last_day,
    coalesce(bool_or(not s.is_planned) over following, false) as by_a_return
  from seen as s
  window following as (
    partition by s.person_id, s.category
    order by s.visited_on
    range between interval '1 day' following and interval '30 days' following
  )
)
select
  f.category,
  (
    select min(g.description)
    from warehouse.dim_diagnosis as g
    where g.category = f.category
  ) as such_as,
  count(*) as visits,
  count(*) filter (where f.by_a_return) as followed_by_a_return,
  round(100.0 * count(*) filter (where f.by_a_return) / count(*), 1) as percent
from followed as f
where f.visited_on <= f.last_day - 30
group by f.category
having count(*) >= 20
order by
  percent desc,
  f.category;
