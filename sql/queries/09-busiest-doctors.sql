-- Question: Who saw most patients in each department, and who are the runners-up?
-- Technique: Window functions over aggregates: rank, dense_rank and a share of the total.
-- Notice: Windows are computed after group by, so they may look at count(*) of each group; where
--   cannot look at them, hence the outer query. After a tie rank leaves a gap and dense_rank none:
--   the three best by rank may be four doctors, but are never three of four whom chance has picked.
select
  r.department,
  r.place,
  r.dense_place,
  r.doctor,
  r.visits,
  r.percent_of_department
from (
  select
    d.id as department_id,
    d.name as department,
    v.doctor_id,
    concat_ws(' ', m.given_name, m.family_name) as doctor,
    count(*) as visits,
    rank() over busiest_first as place,
    dense_rank() over busiest_first as dense_place,
    round(100.0 * count(*) / sum(count(*)) over (partition by d.id), 1) as percent_of_department
  from hospital.visits as v
  join hospital.doctors as c
    on c.id = v.doctor_id
  join hospital.staff_members as m
    on m.id = c.staff_member_id
  join hospital.departments as d
    on d.id = m.department_id
  where v.voided_at is null
  group by d.id, v.doctor_id, m.id
  window busiest_first as (partition by d.id order by count(*) desc)
) as r
where r.place <= 3
order by
  r.department,
  r.department_id,
  r.place,
  r.doctor_id;
