-- Question: Which doctors saw patients on the most days without a day's rest?
-- Technique: Gaps and islands: a date less its row number.
-- Notice: Along consecutive days the date and the row number grow together, so their difference
--   stays the same and names the island; at each gap it jumps. It needs distinct days: two visits
--   on one day would break a streak in two. fetch first with ties keeps all who share the last
--   place, where limit would drop one of them by chance.
with day as (
  select distinct
    v.doctor_id,
    (v.started_at at time zone f.time_zone)::date as day
  from hospital.visits as v
  join hospital.appointments as a
    on a.id = v.appointment_id
  join hospital.departments as d
    on d.id = a.department_id
  join hospital.facilities as f
    on f.id = d.facility_id
  where v.voided_at is null
),
numbered as (
  select
    y.doctor_id,
    y.day,
    y.day - row_number() over (partition by y.doctor_id order by y.day)::integer as island
  from day as y
),
longest as (
  select
    n.doctor_id,
    min(n.day) as first_day,
    max(n.day) as last_day,
    count(*) as days
  from numbered as n
  group by n.doctor_id, n.island
  order by days desc
  fetch first 15 rows with ties
)
select
  concat_ws(' ', m.given_name, m.family_name) as doctor,
  d.specialization,
  l.first_day,
  l.last_day,
  l.days
from longest as l
join hospital.doctors as d
  on d.id = l.doctor_id
join hospital.staff_members as m
  on m.id = d.staff_member_id
order by
  l.days desc,
  l.first_day,
  d.id;
