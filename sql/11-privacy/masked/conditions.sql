create or replace view masked.conditions
with (security_barrier = true) as
select
  encode(
    substr(sha256(p.secret || 'condition'::bytea || int8send(o.id)), 1, 12), 'hex'
  ) as condition,
  p.person,
  t.system,
  coalesce(c.category, 'rare') as category,
  case when o.onset_on >= p.dates_from then o.onset_on + p.shift_days end as onset_on,
  case
    when o.abated_on >= p.dates_from and o.abated_on < p.until then o.abated_on + p.shift_days
  end as abated_on
from hospital.patient_conditions as o
join hospital_private.deidentified_people as p
  on p.patient_id = o.patient_id
join hospital_private.diagnosis_categories as t
  on t.diagnosis_code_id = o.diagnosis_code_id
left join hospital_private.masking_categories as c
  on c.release_id = p.release_id
  and c.kind = 'diagnosis'
  and c.category = t.category
where o.voided_at is null
  and o.onset_on < p.until
  and o.updated_at <= p.started_at
order by condition;
comment on view masked.conditions is 'The lasting conditions of the persons of the release, de-identified.';
comment on column masked.conditions.condition is 'The pseudonym of the condition.';
comment on column masked.conditions.person is 'The pseudonym of the person.';
comment on column masked.conditions.system is 'The coding system.';
comment on column masked.conditions.category is 'The first three characters of an ICD-10-CM code, the whole of another, or rare.';
comment on column masked.conditions.onset_on is 'The moved date on which it began, or null where that would tell an age over 89.';
comment on column masked.conditions.abated_on is 'The moved date on which it ended, or null.';
