-- Question: Of everything booked in each department, how much was kept, cancelled or missed?
-- Technique: A pivot by aggregates with a filter clause.
-- Notice: One pass over the table fills every column, where a join per status would read it once
--   for each. count(*) counts what nobody thought of too, so a new status shows as a row that does
--   not add up. nullif turns a division by zero into an unknown rate instead of an error.
select
  d.name as department,
  f.name as facility,
  count(*) as booked,
  count(*) filter (where a.status = 'completed') as completed,
  count(*) filter (where a.status = 'cancelled') as cancelled,
  count(*) filter (where a.status = 'no_show') as missed,
  count(*) filter (where s.is_active) as still_to_come,
  round(
    100.0 * count(*) filter (where a.status = 'no_show')
      / nullif(count(*) filter (where a.status in ('completed', 'no_show')), 0),
    1
  ) as missed_percent
from hospital.appointments as a
join hospital.appointment_statuses as s
  on s.code = a.status
join hospital.departments as d
  on d.id = a.department_id
join hospital.facilities as f
  on f.id = d.facility_id
where a.status <> 'lapsed'
group by d.id, f.id
order by
  booked desc,
  d.id;
