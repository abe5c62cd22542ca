create or replace view masked.appointments
with (security_barrier = true) as
select
  encode(
    substr(sha256(p.secret || 'appointment'::bytea || int8send(a.id)), 1, 12), 'hex'
  ) as appointment,
  p.person,
  case when l.day >= p.dates_from then l.day + p.shift_days end as day,
  (extract(epoch from a.ends_at - a.starts_at) / 60)::integer as minutes,
  coalesce(k.category, 'rare') as type,
  coalesce(c.category, 'rare') as specialization,
  a.status,
  a.cancellation_reason,
  a.no_show_reason
from hospital.appointments as a
join hospital_private.deidentified_people as p
  on p.patient_id = a.patient_id
join hospital.departments as d
  on d.id = a.department_id
join hospital.facilities as f
  on f.id = d.facility_id
cross join lateral (select (a.starts_at at time zone f.time_zone)::date as day) as l
join hospital.appointment_types as t
  on t.id = a.appointment_type_id
join hospital.doctors as o
  on o.id = a.doctor_id
left join hospital_private.masking_categories as k
  on k.release_id = p.release_id
  and k.kind = 'type'
  and k.category = t.name
left join hospital_private.masking_categories as c
  on c.release_id = p.release_id
  and c.kind = 'specialization'
  and c.category = o.specialization
where l.day < p.until
  and a.updated_at <= p.started_at
order by appointment;
comment on view masked.appointments is 'The appointments of the persons of the release, de-identified.';
comment on column masked.appointments.appointment is 'The pseudonym of the appointment.';
comment on column masked.appointments.person is 'The pseudonym of the person.';
comment on column masked.appointments.day is 'The moved date, by the clocks of the facility.';
comment on column masked.appointments.minutes is 'How many minutes were planned.';
comment on column masked.appointments.type is 'The type of appointment, or rare.';
comment on column masked.appointments.specialization is 'The doctor''s specialty, or rare.';
comment on column masked.appointments.status is 'The status.';
comment on column masked.appointments.cancellation_reason is 'Why it was cancelled, or null.';
comment on column masked.appointments.no_show_reason is 'Why it was missed, or null.';
