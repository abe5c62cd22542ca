-- Question: Who was given the same medicine twice at once, and by whom?
-- Technique: A self join on overlapping ranges.
-- Notice: && asks whether two ranges share a day, * says which days those are. Comparing the keys
--   with < yields each pair once and no row with itself. The records of one person are looked at
--   together: what two folders hide from each other is just what such a check is for. What is
--   prescribed without an end is for when it is needed, and no course.
with course as (
  select
    p.id,
    q.person_id,
    p.medication_id,
    p.prescribed_by,
    daterange(p.start_date, p.end_date, '[]') as days
  from hospital.prescriptions as p
  join hospital.patients as q
    on q.id = p.patient_id
  join hospital.visits as v
    on v.id = p.visit_id
    and v.voided_at is null
  where p.stopped_at is null
    and p.end_date is not null
)
select
  p.mrn,
  m.name as medication,
  lower(a.days * b.days) as from_day,
  upper(a.days * b.days) - 1 as until_day,
  upper(a.days * b.days) - lower(a.days * b.days) as days_at_once,
  a.prescribed_by = b.prescribed_by as by_the_same_doctor
from course as a
join course as b
  on b.person_id = a.person_id
  and b.medication_id = a.medication_id
  and b.id > a.id
  and b.days && a.days
join hospital.patients as p
  on p.id = a.person_id
join hospital.medications as m
  on m.id = a.medication_id
order by
  days_at_once desc,
  p.mrn,
  a.id,
  b.id;
