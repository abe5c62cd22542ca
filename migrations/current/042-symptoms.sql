-- What a patient complains of, beside the words about it: a list can be counted.
insert into hospital.note_sections (note_type, key, title, value_type, is_required, sort_order) values
  ('progress_note', 'symptoms', 'Symptoms', 'array', false, 5),
  ('history_and_physical', 'symptoms', 'Symptoms', 'array', false, 7),
  ('consultation_note', 'symptoms', 'Symptoms', 'array', false, 4);

create table warehouse.fact_symptoms (
  clinical_note_id bigint primary key,
  visit_id         bigint not null,
  patient_key      bigint not null references warehouse.dim_patient (patient_key),
  doctor_key       bigint not null references warehouse.dim_doctor (doctor_key),
  department_key   bigint not null references warehouse.dim_department (department_key),
  noted_on         date   not null references warehouse.dim_date (date_key),
  symptoms         text[] not null,
  constraint fact_symptoms_at_least_one check (cardinality(symptoms) > 0)
);
create index fact_symptoms_visit_id_idx on warehouse.fact_symptoms (visit_id);
create index fact_symptoms_patient_key_idx on warehouse.fact_symptoms (patient_key);
create index fact_symptoms_doctor_key_idx on warehouse.fact_symptoms (doctor_key);
create index fact_symptoms_department_key_idx on warehouse.fact_symptoms (department_key);
create index fact_symptoms_noted_on_idx on warehouse.fact_symptoms (noted_on);
comment on table warehouse.fact_symptoms is 'One row per signed note of normal sensitivity that names symptoms, neither it nor its visit entered in error.';
comment on column warehouse.fact_symptoms.clinical_note_id is 'The note.';
comment on column warehouse.fact_symptoms.visit_id is 'Its visit.';
comment on column warehouse.fact_symptoms.patient_key is 'The patient as of the visit.';
comment on column warehouse.fact_symptoms.doctor_key is 'The visit''s doctor as of the visit.';
comment on column warehouse.fact_symptoms.department_key is 'The department as of the visit.';
comment on column warehouse.fact_symptoms.noted_on is 'The local day the visit began.';
comment on column warehouse.fact_symptoms.symptoms is 'What was typed, each once, in lower case and with single spaces. Nothing keeps a name out of it, so it is told only of many.';
