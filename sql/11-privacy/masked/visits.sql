create or replace view masked.visits
with (security_barrier = true) as
select
  encode(substr(sha256(p.secret || 'visit'::bytea || int8send(v.id)), 1, 12), 'hex') as visit,
  encode(
    substr(sha256(p.secret || 'appointment'::bytea || int8send(v.appointment_id)), 1, 12), 'hex'
  ) as appointment,
  p.person,
  case when l.day >= p.dates_from then l.day + p.shift_days end as day,
  (5 * round(extract(epoch from v.ended_at - v.started_at) / 300))::integer as minutes
from hospital.visits as v
join hospital_private.deidentified_people as p
  on p.patient_id = v.patient_id
join hospital.appointments as a
  on a.id = v.appointment_id
join hospital.departments as d
  on d.id = a.department_id
join hospital.facilities as f
  on f.id = d.facility_id
cross join lateral (select (v.started_at at time zone f.time_zone)::date as day) as l
where v.voided_at is null
  and l.day < p.until
  and v.updated_at <= p.started_at
order by visit;
comment on view masked.visits is 'The visits of the persons of the release, de-identified.';
comment on column masked.visits.visit is 'The pseudonym of the visit.';
comment on column masked.visits.appointment is 'The pseudonym of its appointment.';
comment on column masked.visits.person is 'The pseudonym of the person.';
comment on column masked.visits.day is 'The moved date, by the clocks of the facility.';
comment on column masked.visits.minutes is 'How long it took, to five minutes, or null.';
