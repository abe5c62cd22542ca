create or replace view masked.treatments
with (security_barrier = true) as
select
  encode(
    substr(sha256(p.secret || 'treatment'::bytea || int8send(t.id)), 1, 12), 'hex'
  ) as treatment,
  encode(substr(sha256(p.secret || 'visit'::bytea || int8send(t.visit_id)), 1, 12), 'hex') as visit,
  p.person,
  coalesce(c.category, 'rare') as type,
  case when l.day >= p.dates_from then l.day + p.shift_days end as day,
  round(t.cost, -1) as cost,
  t.outcome
from hospital.treatments as t
join hospital_private.deidentified_people as p
  on p.patient_id = t.patient_id
join hospital.visits as v
  on v.id = t.visit_id
  and v.voided_at is null
join hospital.appointments as a
  on a.id = v.appointment_id
join hospital.departments as d
  on d.id = a.department_id
join hospital.facilities as f
  on f.id = d.facility_id
cross join lateral (select (t.started_at at time zone f.time_zone)::date as day) as l
left join hospital_private.masking_categories as c
  on c.release_id = p.release_id
  and c.kind = 'treatment'
  and c.category = t.type
where t.voided_at is null
  and l.day < p.until
  and t.updated_at <= p.started_at
order by treatment;
comment on view masked.treatments is 'The treatments of visits, de-identified.';
comment on column masked.treatments.treatment is 'The pseudonym of the treatment.';
comment on column masked.treatments.visit is 'The pseudonym of the visit.';
comment on column masked.treatments.person is 'The pseudonym of the person.';
comment on column masked.treatments.type is 'The type of treatment, or rare.';
comment on column masked.treatments.day is 'The moved date, by the clocks of the facility.';
comment on column masked.treatments.cost is 'The cost in US dollars, to ten.';
comment on column masked.treatments.outcome is 'The coded outcome, or null.';
