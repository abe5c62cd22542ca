create or replace view masked.prescriptions
with (security_barrier = true) as
select
  encode(
    substr(sha256(p.secret || 'prescription'::bytea || int8send(r.id)), 1, 12), 'hex'
  ) as prescription,
  encode(substr(sha256(p.secret || 'visit'::bytea || int8send(r.visit_id)), 1, 12), 'hex') as visit,
  p.person,
  coalesce(c.category, 'rare') as medication,
  case when r.start_date >= p.dates_from then r.start_date + p.shift_days end as start_date,
  r.duration_days
from hospital.prescriptions as r
join hospital_private.deidentified_people as p
  on p.patient_id = r.patient_id
join hospital.visits as v
  on v.id = r.visit_id
  and v.voided_at is null
join hospital.appointments as a
  on a.id = v.appointment_id
join hospital.departments as d
  on d.id = a.department_id
join hospital.facilities as f
  on f.id = d.facility_id
cross join lateral (select (v.started_at at time zone f.time_zone)::date as day) as l
join hospital.medications as m
  on m.id = r.medication_id
left join hospital_private.masking_categories as c
  on c.release_id = p.release_id
  and c.kind = 'medication'
  and c.category = m.name
where l.day < p.until
  and r.updated_at <= p.started_at
order by prescription;
comment on view masked.prescriptions is 'The prescriptions of visits, de-identified.';
comment on column masked.prescriptions.prescription is 'The pseudonym of the prescription.';
comment on column masked.prescriptions.visit is 'The pseudonym of the visit.';
comment on column masked.prescriptions.person is 'The pseudonym of the person.';
comment on column masked.prescriptions.medication is 'The medication, or rare.';
comment on column masked.prescriptions.start_date is 'The moved date of the first day.';
comment on column masked.prescriptions.duration_days is 'For how many days it was written, or null.';
