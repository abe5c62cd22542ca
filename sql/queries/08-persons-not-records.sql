-- Question: How many people does each department look after, when some of them have two records?
-- Technique: count(distinct …) on the right key, beside the counts that look right and are not.
-- Notice: A merge rewrites nothing: the duplicate's record keeps its visits and points at the one
--   that goes on, and person_id is the key of both. Counting visits counts attendances, counting
--   patient_id counts folders; only person_id counts people. The last column says where it matters.
select
  d.name as department,
  f.name as facility,
  count(*) as visits,
  count(distinct p.id) as records,
  count(distinct p.person_id) as people,
  count(distinct p.id) - count(distinct p.person_id) as counted_twice
from hospital.visits as v
join hospital.patients as p
  on p.id = v.patient_id
join hospital.appointments as a
  on a.id = v.appointment_id
join hospital.departments as d
  on d.id = a.department_id
join hospital.facilities as f
  on f.id = d.facility_id
where v.voided_at is null
group by d.id, f.id
order by
  counted_twice desc,
  people desc,
  d.id;
