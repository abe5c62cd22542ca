-- Question: When was each patient last seen, by whom and for what?
-- Technique: distinct on: the first row of each group in a given order.
-- Notice: The order by must begin with what distinct on names, and decides which row stays; the id
--   at its end makes the answer the same every time. With an index on (patient_id, started_at) only
--   the few visits of each patient are left to sort. The list is sorted by name outside, where the
--   order means something to people.
select
  p.mrn,
  concat_ws(' ', p.given_name, p.family_name) as patient,
  v.started_at as last_seen_at,
  concat_ws(' ', m.given_name, m.family_name) as doctor,
  v.diagnosis
from (
  select distinct on (v.patient_id)
    v.patient_id,
    v.doctor_id,
    v.started_at,
    v.diagnosis
  from hospital.visits as v
  where v.voided_at is null
  order by
    v.patient_id,
    v.started_at desc,
    v.id desc
) as v
join hospital.patients as p
  on p.id = v.patient_id
join hospital.doctors as d
  on d.id = v.doctor_id
join hospital.staff_members as m
  on m.id = d.staff_member_id
order by
  p.family_name,
  p.given_name,
  p.mrn;
