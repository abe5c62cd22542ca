-- Question: Whose consultations last longer than those of the colleagues in the same specialty?
-- Technique: A window frame that excludes the current row.
-- Notice: A mean that contains oneself flatters everybody towards it. exclude current row leaves
--   oneself out of the frame, and the weights keep a doctor with three visits from counting as one
--   with three hundred. A specialty with one doctor has no colleagues, and nullif says so with
--   null.
with pace as (
  select
    v.doctor_id,
    count(*) as visits,
    sum(extract(epoch from v.ended_at - v.started_at) / 60) as minutes
  from hospital.visits as v
  where v.voided_at is null
    and v.ended_at is not null
  group by v.doctor_id
)
select
  d.specialization,
  concat_ws(' ', m.given_name, m.family_name) as doctor,
  p.visits,
  round(p.minutes / p.visits, 1) as own_minutes,
  round(sum(p.minutes) over colleagues / nullif(sum(p.visits) over colleagues, 0), 1)
    as colleagues_minutes,
  round(
    p.minutes / p.visits
      - sum(p.minutes) over colleagues / nullif(sum(p.visits) over colleagues, 0),
    1
  ) as difference
from pace as p
join hospital.doctors as d
  on d.id = p.doctor_id
join hospital.staff_members as m
  on m.id = d.staff_member_id
window colleagues as (
  partition by d.specialization
  rows between unbounded preceding and unbounded following
  exclude current row
)
order by
  difference desc nulls last,
  d.id;
