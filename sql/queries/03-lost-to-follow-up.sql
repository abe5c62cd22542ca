-- Question: Which patients with a lasting condition were not seen in the last half year and have
--   nothing booked?
-- Technique: Anti-joins: not exists, twice.
-- Notice: not exists stops at the first row found and is not upset by nulls; not in with a null in
--   its list would answer nothing at all, without an error. "The last half year" ends with the last
--   visit on record and not with the clock of the server, so that the answer belongs to the data.
with asked as (
  select max(v.started_at) - interval '6 months' as since
  from hospital.visits as v
)
select
  p.mrn,
  concat_ws(' ', p.given_name, p.family_name) as patient,
  string_agg(c.description, ', ' order by pc.onset_on, c.description) as lasting_conditions
from hospital.patients as p
join hospital.patient_conditions as pc
  on pc.patient_id = p.id
  and pc.abated_on is null
  and pc.voided_at is null
join hospital.diagnosis_codes as c
  on c.id = pc.diagnosis_code_id
cross join asked as q
where p.deceased_on is null
  and p.deactivated_at is null
  and not exists (
    select
    from hospital.visits as v
    where v.patient_id = p.id
      and v.voided_at is null
      and v.started_at >= q.since
  )
  and not exists (
    select
    from hospital.appointments as a
    join hospital.appointment_statuses as s
      on s.code = a.status
    where a.patient_id = p.id
      and s.is_active
  )
group by p.id
order by
  p.family_name,
  p.given_name,
  p.mrn;
