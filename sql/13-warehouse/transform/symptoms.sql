-- The same word twice in a note is one symptom, and what is longer than eighty letters is a sentence.
create or replace view warehouse.transform_symptoms
with (security_invoker = true) as
select
  e.clinical_note_id,
  e.visit_id,
  p.patient_key,
  d.doctor_key,
  o.department_key,
  (e.happened_at at time zone f.time_zone)::date as noted_on,
  s.symptoms
from warehouse.extract_symptoms as e
cross join lateral (
  select array_agg(distinct w.symptom order by w.symptom) as symptoms
  from jsonb_array_elements_text(e.symptoms) as typed (words)
  cross join lateral lower(btrim(regexp_replace(typed.words, '\s+', ' ', 'g'))) as w (symptom)
  where char_length(w.symptom) between 1 and 80
) as s
join warehouse.dim_patient as p
  on p.patient_id = e.patient_id
  and coalesce(p.valid @> e.happened_at, false)
join warehouse.dim_doctor as d
  on d.doctor_id = e.doctor_id
  and coalesce(d.valid @> e.happened_at, false)
join warehouse.dim_department as o
  on o.department_id = e.department_id
  and coalesce(o.valid @> e.happened_at, false)
join hospital.facilities as f
  on f.id = o.facility_id
where e.is_counted
  and s.symptoms is not null;
comment on view warehouse.transform_symptoms is 'The rows of fact_symptoms.';
comment on column warehouse.transform_symptoms.clinical_note_id is 'The note.';
comment on column warehouse.transform_symptoms.visit_id is 'Its visit.';
comment on column warehouse.transform_symptoms.patient_key is 'The patient as of the visit.';
comment on column warehouse.transform_symptoms.doctor_key is 'The doctor as of the visit.';
comment on column warehouse.transform_symptoms.department_key is 'The department as of the visit.';
comment on column warehouse.transform_symptoms.noted_on is 'The local day of the visit.';
comment on column warehouse.transform_symptoms.symptoms is 'The symptoms, each once, in lower case and with single spaces.';
