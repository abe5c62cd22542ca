--! Previous: sha1:12e06021a1a4df39b7a2783c1c5bcefec828e543
--! Hash: sha1:a214b5c46d7d7aba8ddba2868d8ebeb123ad053f
--! Message: warehouse

--! split: 010-warehouse.sql
-- The warehouse: a star of dimensions and facts, copied from the record by the loader and by nothing else.
-- Nobody is granted anything here: what may be asked is asked through the functions in analytics. It
-- holds no name or number of a patient, and of words only the symptoms that notes name.

create table warehouse.dim_date (
  date_key    date     primary key,
  year        integer  not null generated always as (extract(year from date_key)) stored,
  quarter     smallint not null generated always as (extract(quarter from date_key)) stored,
  month       smallint not null generated always as (extract(month from date_key)) stored,
  month_start date     not null generated always as
                (date_key - (extract(day from date_key)::integer - 1)) stored,
  iso_year    integer  not null generated always as (extract(isoyear from date_key)) stored,
  iso_week    smallint not null generated always as (extract(week from date_key)) stored,
  day         smallint not null generated always as (extract(day from date_key)) stored,
  weekday     smallint not null generated always as (extract(isodow from date_key)) stored,
  is_weekend  boolean  not null generated always as (extract(isodow from date_key) > 5) stored,
  constraint dim_date_finite check (isfinite(date_key))
);
create index dim_date_month_start_idx on warehouse.dim_date (month_start);
comment on table warehouse.dim_date is 'The local days on which anything in the facts happened, and all from 1900 to 2100.';
comment on column warehouse.dim_date.date_key is 'The day itself, which is its own key.';
comment on column warehouse.dim_date.year is 'The calendar year.';
comment on column warehouse.dim_date.quarter is 'The quarter of the year, 1 to 4.';
comment on column warehouse.dim_date.month is 'The month of the year, 1 to 12.';
comment on column warehouse.dim_date.month_start is 'The first day of the month, by which months are compared.';
comment on column warehouse.dim_date.iso_year is 'The year the ISO 8601 week belongs to.';
comment on column warehouse.dim_date.iso_week is 'The ISO 8601 week, 1 to 53.';
comment on column warehouse.dim_date.day is 'The day of the month.';
comment on column warehouse.dim_date.weekday is 'The day of the week, 1 for Monday to 7 for Sunday.';
comment on column warehouse.dim_date.is_weekend is 'Whether it is a Saturday or a Sunday.';
insert into warehouse.dim_date (date_key)
select d::date
from generate_series(timestamp '1900-01-01', timestamp '2100-12-31', interval '1 day') as d;

create table warehouse.dim_time_of_day (
  minute_key  smallint primary key,
  hour        smallint not null generated always as (minute_key / 60) stored,
  minute      smallint not null generated always as (minute_key % 60) stored,
  part_of_day text     not null generated always as (
                case
                  when minute_key < 360 then 'night'
                  when minute_key < 720 then 'morning'
                  when minute_key < 1080 then 'afternoon'
                  else 'evening'
                end
              ) stored,
  constraint dim_time_of_day_within_a_day check (minute_key between 0 and 1439)
);
comment on table warehouse.dim_time_of_day is 'The minutes of a day on a facility''s wall clock.';
comment on column warehouse.dim_time_of_day.minute_key is 'Minutes since midnight, 0 to 1439.';
comment on column warehouse.dim_time_of_day.hour is 'The hour, 0 to 23.';
comment on column warehouse.dim_time_of_day.minute is 'The minute of the hour.';
comment on column warehouse.dim_time_of_day.part_of_day is 'The quarter of the day: night before 6, morning before 12, afternoon before 18, evening.';
insert into warehouse.dim_time_of_day (minute_key)
select m
from generate_series(0, 1439) as m;

-- The versions of what changes slowly are written by triggers at the moment of the change. So they are
-- exact whenever the loader comes, and loading everything anew finds the same versions.
create table warehouse.department_versions (
  id            bigint      generated always as identity primary key,
  department_id bigint      not null,
  recorded_at   timestamptz not null,
  name          text        not null,
  facility_id   bigint      not null,
  parent_id     bigint,
  is_active     boolean     not null
);
create index department_versions_department_id_id_idx
  on warehouse.department_versions (department_id, id);
comment on table warehouse.department_versions is 'What each department was called and where it stood, a row for every change, written by a trigger.';
comment on column warehouse.department_versions.id is 'The key of the version, in the order of the changes of one department.';
comment on column warehouse.department_versions.department_id is 'The department.';
comment on column warehouse.department_versions.recorded_at is 'When the change was made.';
comment on column warehouse.department_versions.name is 'Its name from then on.';
comment on column warehouse.department_versions.facility_id is 'Its facility from then on.';
comment on column warehouse.department_versions.parent_id is 'The department above it from then on, or null.';
comment on column warehouse.department_versions.is_active is 'Whether it receives patients from then on.';

create table warehouse.doctor_versions (
  id             bigint      generated always as identity primary key,
  doctor_id      bigint      not null,
  recorded_at    timestamptz not null,
  name           text        not null,
  specialization text        not null,
  department_id  bigint      not null,
  is_active      boolean     not null
);
create index doctor_versions_doctor_id_id_idx on warehouse.doctor_versions (doctor_id, id);
comment on table warehouse.doctor_versions is 'Who each doctor was, in which department and specialty, a row for every change, written by a trigger.';
comment on column warehouse.doctor_versions.id is 'The key of the version, in the order of the changes of one doctor.';
comment on column warehouse.doctor_versions.doctor_id is 'The doctor.';
comment on column warehouse.doctor_versions.recorded_at is 'When the change was made.';
comment on column warehouse.doctor_versions.name is 'Given and family name from then on.';
comment on column warehouse.doctor_versions.specialization is 'The specialty practised from then on.';
comment on column warehouse.doctor_versions.department_id is 'The department worked in from then on.';
comment on column warehouse.doctor_versions.is_active is 'Whether the doctor could be booked from then on.';

create table warehouse.patient_versions (
  id          bigint      generated always as identity primary key,
  patient_id  bigint      not null,
  recorded_at timestamptz not null,
  sex         text        not null,
  is_active   boolean     not null
);
create index patient_versions_patient_id_id_idx on warehouse.patient_versions (patient_id, id);
comment on table warehouse.patient_versions is 'What of a patient is counted by and may change, a row for every change, written by a trigger.';
comment on column warehouse.patient_versions.id is 'The key of the version, in the order of the changes of one patient.';
comment on column warehouse.patient_versions.patient_id is 'The record of the patient.';
comment on column warehouse.patient_versions.recorded_at is 'When the change was made.';
comment on column warehouse.patient_versions.sex is 'Administrative sex from then on.';
comment on column warehouse.patient_versions.is_active is 'Whether the record was open from then on: neither deactivated nor of somebody who died.';

-- What is there already. From here on the triggers write.
insert into warehouse.department_versions
  (department_id, recorded_at, name, facility_id, parent_id, is_active)
select
  d.id,
  clock_timestamp(),
  d.name,
  d.facility_id,
  d.parent_id,
  d.is_active
from hospital.departments as d
order by d.id;
insert into warehouse.doctor_versions
  (doctor_id, recorded_at, name, specialization, department_id, is_active)
select
  d.id,
  clock_timestamp(),
  concat_ws(' ', s.given_name, s.family_name),
  d.specialization,
  s.department_id,
  d.is_active
from hospital.doctors as d
join hospital.staff_members as s
  on s.id = d.staff_member_id
order by d.id;
insert into warehouse.patient_versions (patient_id, recorded_at, sex, is_active)
select
  p.id,
  clock_timestamp(),
  p.sex,
  p.deactivated_at is null and p.deceased_on is null
from hospital.patients as p
order by p.id;

create table warehouse.dim_department (
  department_key bigint    primary key,
  department_id  bigint    not null,
  valid          tstzrange not null,
  is_current     boolean   not null generated always as (upper_inf(valid)) stored,
  name           text      not null,
  facility_id    bigint    not null,
  parent_id      bigint,
  is_active      boolean   not null,
  constraint dim_department_one_version_at_a_time
    exclude using gist (department_id with =, valid with &&) deferrable initially deferred
);
comment on table warehouse.dim_department is 'Departments as they were (type 2): a fact points at the version in force when it happened.';
comment on column warehouse.dim_department.department_key is 'The key of the version.';
comment on column warehouse.dim_department.department_id is 'The department, the same in all its versions.';
comment on column warehouse.dim_department.valid is 'When the version was in force; the first reaches back for ever, the current one has no end.';
comment on column warehouse.dim_department.is_current is 'Whether the version is in force now.';
comment on column warehouse.dim_department.name is 'Its name.';
comment on column warehouse.dim_department.facility_id is 'Its facility.';
comment on column warehouse.dim_department.parent_id is 'The department above it, or null.';
comment on column warehouse.dim_department.is_active is 'Whether it received patients.';

create table warehouse.dim_doctor (
  doctor_key       bigint    primary key,
  doctor_id        bigint    not null,
  valid            tstzrange not null,
  is_current       boolean   not null generated always as (upper_inf(valid)) stored,
  name             text      not null,
  specialization   text      not null,
  department_id    bigint    not null,
  is_active        boolean   not null,
  practising_since date      not null,
  constraint dim_doctor_one_version_at_a_time
    exclude using gist (doctor_id with =, valid with &&) deferrable initially deferred
);
comment on table warehouse.dim_doctor is 'Doctors as they were (type 2): a fact points at the version in force when it happened.';
comment on column warehouse.dim_doctor.doctor_key is 'The key of the version.';
comment on column warehouse.dim_doctor.doctor_id is 'The doctor, the same in all versions.';
comment on column warehouse.dim_doctor.valid is 'When the version was in force; the first reaches back for ever, the current one has no end.';
comment on column warehouse.dim_doctor.is_current is 'Whether the version is in force now.';
comment on column warehouse.dim_doctor.name is 'Given and family name.';
comment on column warehouse.dim_doctor.specialization is 'The specialty practised.';
comment on column warehouse.dim_doctor.department_id is 'The department worked in.';
comment on column warehouse.dim_doctor.is_active is 'Whether the doctor could be booked.';
comment on column warehouse.dim_doctor.practising_since is 'The first day of practice, corrected in all versions at once.';

create table warehouse.dim_patient (
  patient_key bigint    primary key,
  patient_id  bigint    not null,
  person_id   bigint    not null,
  valid       tstzrange not null,
  is_current  boolean   not null generated always as (upper_inf(valid)) stored,
  sex         text      not null,
  birth_year  smallint  not null,
  is_active   boolean   not null,
  constraint dim_patient_one_version_at_a_time
    exclude using gist (patient_id with =, valid with &&) deferrable initially deferred
);
create index dim_patient_person_id_idx on warehouse.dim_patient (person_id);
comment on table warehouse.dim_patient is 'Patients as they were (type 2), without names or numbers: a fact points at the version in force when it happened.';
comment on column warehouse.dim_patient.patient_key is 'The key of the version.';
comment on column warehouse.dim_patient.patient_id is 'The record of the patient, the same in all its versions.';
comment on column warehouse.dim_patient.person_id is 'The record that stands for the person, by which people are counted; a merge changes it in all versions at once.';
comment on column warehouse.dim_patient.valid is 'When the version was in force; the first reaches back for ever, the current one has no end.';
comment on column warehouse.dim_patient.is_current is 'Whether the version is in force now.';
comment on column warehouse.dim_patient.sex is 'Administrative sex.';
comment on column warehouse.dim_patient.birth_year is 'The year of birth, corrected in all versions at once.';
comment on column warehouse.dim_patient.is_active is 'Whether the record was open.';

create table warehouse.dim_appointment_type (
  appointment_type_key bigint        primary key,
  code                 text          not null,
  name                 text          not null,
  price                numeric(12,2) not null,
  constraint dim_appointment_type_code_key unique (code) deferrable initially deferred
);
comment on table warehouse.dim_appointment_type is 'The kinds of appointment as they are now.';
comment on column warehouse.dim_appointment_type.appointment_type_key is 'The key of the type, as in the record.';
comment on column warehouse.dim_appointment_type.code is 'The code of the type.';
comment on column warehouse.dim_appointment_type.name is 'The name shown to people.';
comment on column warehouse.dim_appointment_type.price is 'The price of the appointment in US dollars.';

create table warehouse.dim_diagnosis (
  diagnosis_key bigint primary key,
  system        text   not null,
  code          text   not null,
  description   text   not null,
  category      text   not null generated always as
                  (case when system = 'icd10cm' then left(code, 3) else code end) stored,
  constraint dim_diagnosis_system_code_key unique (system, code) deferrable initially deferred
);
comment on table warehouse.dim_diagnosis is 'The diagnoses that were made at least once.';
comment on column warehouse.dim_diagnosis.diagnosis_key is 'The key of the code, as in the record.';
comment on column warehouse.dim_diagnosis.system is 'The code system: icd10cm or snomed.';
comment on column warehouse.dim_diagnosis.code is 'The code, ICD-10-CM with its dot.';
comment on column warehouse.dim_diagnosis.description is 'What the code means.';
comment on column warehouse.dim_diagnosis.category is 'The first three characters of an ICD-10-CM code, or the whole code of another system.';

create table warehouse.dim_medication (
  medication_key bigint primary key,
  code           text   not null,
  name           text   not null,
  constraint dim_medication_code_key unique (code) deferrable initially deferred
);
comment on table warehouse.dim_medication is 'The medicines that were prescribed at least once.';
comment on column warehouse.dim_medication.medication_key is 'The key of the medicine, as in the record.';
comment on column warehouse.dim_medication.code is 'The RxNorm concept identifier.';
comment on column warehouse.dim_medication.name is 'Name, strength and form.';

create table warehouse.fact_appointments (
  appointment_id       bigint      primary key,
  patient_key          bigint      not null references warehouse.dim_patient (patient_key),
  doctor_key           bigint      not null references warehouse.dim_doctor (doctor_key),
  department_key       bigint      not null references warehouse.dim_department (department_key),
  appointment_type_key bigint      not null
                         references warehouse.dim_appointment_type (appointment_type_key),
  booked_on            date        not null references warehouse.dim_date (date_key),
  starts_on            date        not null references warehouse.dim_date (date_key),
  start_minute         smallint    not null references warehouse.dim_time_of_day (minute_key),
  status               text        not null,
  cancellation_reason  text,
  booked_at            timestamptz not null,
  starts_at            timestamptz not null,
  arrived_at           timestamptz,
  seen_at              timestamptz,
  done_at              timestamptz,
  cancelled_at         timestamptz,
  planned_minutes      integer     not null,
  occupied_minutes     integer     not null,
  lead_days            integer     not null,
  wait_minutes         integer
);
create index fact_appointments_patient_key_idx on warehouse.fact_appointments (patient_key);
create index fact_appointments_doctor_key_idx on warehouse.fact_appointments (doctor_key);
create index fact_appointments_department_key_idx on warehouse.fact_appointments (department_key);
create index fact_appointments_appointment_type_key_idx
  on warehouse.fact_appointments (appointment_type_key);
create index fact_appointments_booked_on_idx on warehouse.fact_appointments (booked_on);
create index fact_appointments_starts_on_idx on warehouse.fact_appointments (starts_on);
create index fact_appointments_start_minute_idx on warehouse.fact_appointments (start_minute);
comment on table warehouse.fact_appointments is 'One row per appointment that was booked (accumulating): it fills in as the patient arrives, is seen, leaves or cancels; holds that were never confirmed are none.';
comment on column warehouse.fact_appointments.appointment_id is 'The appointment.';
comment on column warehouse.fact_appointments.patient_key is 'The patient as of the start.';
comment on column warehouse.fact_appointments.doctor_key is 'The doctor as of the start.';
comment on column warehouse.fact_appointments.department_key is 'The department it takes place in, as of the start.';
comment on column warehouse.fact_appointments.appointment_type_key is 'The kind of appointment.';
comment on column warehouse.fact_appointments.booked_on is 'The local day of booking.';
comment on column warehouse.fact_appointments.starts_on is 'The local day of the start.';
comment on column warehouse.fact_appointments.start_minute is 'The local time of the start, in minutes since midnight.';
comment on column warehouse.fact_appointments.status is 'Its status: scheduled, checked_in, in_progress, completed, cancelled or no_show.';
comment on column warehouse.fact_appointments.cancellation_reason is 'The coded reason of a cancellation, or null.';
comment on column warehouse.fact_appointments.booked_at is 'When it was booked.';
comment on column warehouse.fact_appointments.starts_at is 'When it starts.';
comment on column warehouse.fact_appointments.arrived_at is 'When the patient was checked in, or null.';
comment on column warehouse.fact_appointments.seen_at is 'When the consultation began, or null.';
comment on column warehouse.fact_appointments.done_at is 'When it was completed, or null.';
comment on column warehouse.fact_appointments.cancelled_at is 'When it was called off, or null.';
comment on column warehouse.fact_appointments.planned_minutes is 'How long it was to last, in minutes.';
comment on column warehouse.fact_appointments.occupied_minutes is 'How long it kept the doctor, buffers included, in minutes.';
comment on column warehouse.fact_appointments.lead_days is 'Local days from booking to start.';
comment on column warehouse.fact_appointments.wait_minutes is 'Whole minutes from arrival, or from the planned start if the patient came early, to being seen; null while unknown.';

create table warehouse.fact_visits (
  visit_id         bigint      primary key,
  appointment_id   bigint      not null,
  patient_key      bigint      not null references warehouse.dim_patient (patient_key),
  doctor_key       bigint      not null references warehouse.dim_doctor (doctor_key),
  department_key   bigint      not null references warehouse.dim_department (department_key),
  visited_on       date        not null references warehouse.dim_date (date_key),
  start_minute     smallint    not null references warehouse.dim_time_of_day (minute_key),
  started_at       timestamptz not null,
  duration_minutes integer,
  age_years        integer     not null
);
create index fact_visits_appointment_id_idx on warehouse.fact_visits (appointment_id);
create index fact_visits_patient_key_idx on warehouse.fact_visits (patient_key);
create index fact_visits_doctor_key_idx on warehouse.fact_visits (doctor_key);
create index fact_visits_department_key_idx on warehouse.fact_visits (department_key);
create index fact_visits_visited_on_idx on warehouse.fact_visits (visited_on);
create index fact_visits_start_minute_idx on warehouse.fact_visits (start_minute);
comment on table warehouse.fact_visits is 'One row per visit that was not entered in error.';
comment on column warehouse.fact_visits.visit_id is 'The visit.';
comment on column warehouse.fact_visits.appointment_id is 'Its appointment.';
comment on column warehouse.fact_visits.patient_key is 'The patient as of the visit.';
comment on column warehouse.fact_visits.doctor_key is 'The doctor as of the visit.';
comment on column warehouse.fact_visits.department_key is 'The appointment''s department as of the visit.';
comment on column warehouse.fact_visits.visited_on is 'The local day it began.';
comment on column warehouse.fact_visits.start_minute is 'The local time it began, in minutes since midnight.';
comment on column warehouse.fact_visits.started_at is 'When it began.';
comment on column warehouse.fact_visits.duration_minutes is 'How long it lasted in whole minutes, or null while it lasts.';
comment on column warehouse.fact_visits.age_years is 'The patient''s age on that day in completed years.';

create table warehouse.fact_diagnoses (
  visit_diagnosis_id bigint   primary key,
  visit_id           bigint   not null,
  patient_key        bigint   not null references warehouse.dim_patient (patient_key),
  doctor_key         bigint   not null references warehouse.dim_doctor (doctor_key),
  department_key     bigint   not null references warehouse.dim_department (department_key),
  diagnosis_key      bigint   not null references warehouse.dim_diagnosis (diagnosis_key),
  diagnosed_on       date     not null references warehouse.dim_date (date_key),
  rank               smallint not null,
  age_years          integer  not null
);
create index fact_diagnoses_visit_id_idx on warehouse.fact_diagnoses (visit_id);
create index fact_diagnoses_patient_key_idx on warehouse.fact_diagnoses (patient_key);
create index fact_diagnoses_doctor_key_idx on warehouse.fact_diagnoses (doctor_key);
create index fact_diagnoses_department_key_idx on warehouse.fact_diagnoses (department_key);
create index fact_diagnoses_diagnosis_key_idx on warehouse.fact_diagnoses (diagnosis_key);
create index fact_diagnoses_diagnosed_on_idx on warehouse.fact_diagnoses (diagnosed_on);
comment on table warehouse.fact_diagnoses is 'One row per coded diagnosis of a visit, neither of them entered in error.';
comment on column warehouse.fact_diagnoses.visit_diagnosis_id is 'The diagnosis in the record.';
comment on column warehouse.fact_diagnoses.visit_id is 'The visit at which it was made.';
comment on column warehouse.fact_diagnoses.patient_key is 'The patient as of the visit.';
comment on column warehouse.fact_diagnoses.doctor_key is 'The doctor as of the visit.';
comment on column warehouse.fact_diagnoses.department_key is 'The department as of the visit.';
comment on column warehouse.fact_diagnoses.diagnosis_key is 'The code.';
comment on column warehouse.fact_diagnoses.diagnosed_on is 'The local day of the visit.';
comment on column warehouse.fact_diagnoses.rank is 'The place among the visit''s diagnoses, 1 for the principal one.';
comment on column warehouse.fact_diagnoses.age_years is 'The patient''s age on that day in completed years.';

create table warehouse.fact_conditions (
  patient_condition_id bigint primary key,
  patient_key          bigint not null references warehouse.dim_patient (patient_key),
  diagnosis_key        bigint not null references warehouse.dim_diagnosis (diagnosis_key),
  onset_on             date   not null references warehouse.dim_date (date_key),
  abated_on            date   references warehouse.dim_date (date_key)
);
create index fact_conditions_patient_key_idx on warehouse.fact_conditions (patient_key);
create index fact_conditions_diagnosis_key_idx on warehouse.fact_conditions (diagnosis_key);
create index fact_conditions_onset_on_idx on warehouse.fact_conditions (onset_on);
create index fact_conditions_abated_on_idx on warehouse.fact_conditions (abated_on);
comment on table warehouse.fact_conditions is 'One row per entry in a patient''s medical history that was not made in error.';
comment on column warehouse.fact_conditions.patient_condition_id is 'The entry in the record.';
comment on column warehouse.fact_conditions.patient_key is 'The patient as of noon of the day it began.';
comment on column warehouse.fact_conditions.diagnosis_key is 'The code.';
comment on column warehouse.fact_conditions.onset_on is 'The local day it began.';
comment on column warehouse.fact_conditions.abated_on is 'The local day it ended, or null while it lasts.';

create table warehouse.fact_prescriptions (
  prescription_id bigint  primary key,
  visit_id        bigint  not null,
  patient_key     bigint  not null references warehouse.dim_patient (patient_key),
  doctor_key      bigint  not null references warehouse.dim_doctor (doctor_key),
  department_key  bigint  not null references warehouse.dim_department (department_key),
  medication_key  bigint  not null references warehouse.dim_medication (medication_key),
  starts_on       date    not null references warehouse.dim_date (date_key),
  stopped_on      date    references warehouse.dim_date (date_key),
  duration_days   integer
);
create index fact_prescriptions_visit_id_idx on warehouse.fact_prescriptions (visit_id);
create index fact_prescriptions_patient_key_idx on warehouse.fact_prescriptions (patient_key);
create index fact_prescriptions_doctor_key_idx on warehouse.fact_prescriptions (doctor_key);
create index fact_prescriptions_department_key_idx
  on warehouse.fact_prescriptions (department_key);
create index fact_prescriptions_medication_key_idx
  on warehouse.fact_prescriptions (medication_key);
create index fact_prescriptions_starts_on_idx on warehouse.fact_prescriptions (starts_on);
create index fact_prescriptions_stopped_on_idx on warehouse.fact_prescriptions (stopped_on);
comment on table warehouse.fact_prescriptions is 'One row per prescription made at a visit that was not entered in error.';
comment on column warehouse.fact_prescriptions.prescription_id is 'The prescription.';
comment on column warehouse.fact_prescriptions.visit_id is 'The visit at which it was made.';
comment on column warehouse.fact_prescriptions.patient_key is 'The patient as of the visit.';
comment on column warehouse.fact_prescriptions.doctor_key is 'The doctor who prescribed, as of the visit.';
comment on column warehouse.fact_prescriptions.department_key is 'The department as of the visit.';
comment on column warehouse.fact_prescriptions.medication_key is 'The medicine.';
comment on column warehouse.fact_prescriptions.starts_on is 'The first local day of taking it.';
comment on column warehouse.fact_prescriptions.stopped_on is 'The local day it was stopped early, or null.';
comment on column warehouse.fact_prescriptions.duration_days is 'For how many days it was prescribed, or null for as long as needed.';

create table warehouse.fact_treatments (
  treatment_id     bigint        primary key,
  visit_id         bigint        not null,
  patient_key      bigint        not null references warehouse.dim_patient (patient_key),
  doctor_key       bigint        not null references warehouse.dim_doctor (doctor_key),
  department_key   bigint        not null references warehouse.dim_department (department_key),
  treatment_type   text          not null,
  treated_on       date          not null references warehouse.dim_date (date_key),
  duration_minutes integer,
  cost             numeric(12,2) not null,
  outcome          text
);
create index fact_treatments_visit_id_idx on warehouse.fact_treatments (visit_id);
create index fact_treatments_patient_key_idx on warehouse.fact_treatments (patient_key);
create index fact_treatments_doctor_key_idx on warehouse.fact_treatments (doctor_key);
create index fact_treatments_department_key_idx on warehouse.fact_treatments (department_key);
create index fact_treatments_treated_on_idx on warehouse.fact_treatments (treated_on);
comment on table warehouse.fact_treatments is 'One row per treatment of a visit, neither of them entered in error.';
comment on column warehouse.fact_treatments.treatment_id is 'The treatment.';
comment on column warehouse.fact_treatments.visit_id is 'The visit at which it was begun.';
comment on column warehouse.fact_treatments.patient_key is 'The patient as of the visit.';
comment on column warehouse.fact_treatments.doctor_key is 'The visit''s doctor as of the visit.';
comment on column warehouse.fact_treatments.department_key is 'The department as of the visit.';
comment on column warehouse.fact_treatments.treatment_type is 'The treatment, by name.';
comment on column warehouse.fact_treatments.treated_on is 'The local day it began.';
comment on column warehouse.fact_treatments.duration_minutes is 'How long it took in whole minutes, or null while it lasts.';
comment on column warehouse.fact_treatments.cost is 'What it cost, in US dollars.';
comment on column warehouse.fact_treatments.outcome is 'How it turned out, or null while unknown.';

-- What is loaded from what. A change of a row of the source table touches the rows of the loaded table that
-- its extract view finds: each file of sql/13-warehouse/load says so of one table.
create table warehouse.load_sources (
  loaded_table  text not null,
  source_table  text not null,
  source_column text not null,
  found_by      text not null,
  primary key (loaded_table, source_table, source_column)
);
comment on table warehouse.load_sources is 'Which rows of a dimension or fact a changed row of a source touches: those whose extract shows in one column what the source shows, or showed, in another.';
comment on column warehouse.load_sources.loaded_table is 'The dimension or fact, without its schema.';
comment on column warehouse.load_sources.source_table is 'The table of the record, or the dimension of the warehouse, with its schema.';
comment on column warehouse.load_sources.source_column is 'The column of the source: its key, or the key of a row it belongs to; of a dimension, the column that is the same in all versions.';
comment on column warehouse.load_sources.found_by is 'The column of the extract view that holds the same.';

create type warehouse.changed_rows as (
  source_table  text,
  source_column text,
  keys          bigint[]
);
comment on type warehouse.changed_rows is 'What changed in a source, told by one of its columns.';
comment on column warehouse.changed_rows.source_table is 'The source, with its schema.';
comment on column warehouse.changed_rows.source_column is 'The column.';
comment on column warehouse.changed_rows.keys is 'What the changed rows show in it, and what they showed before.';

create type warehouse.difference as (
  table_name text,
  key        bigint,
  problem    text
);
comment on type warehouse.difference is 'A row of the warehouse that is not what loading everything anew would make of it.';
comment on column warehouse.difference.table_name is 'The dimension or fact, without its schema.';
comment on column warehouse.difference.key is 'The key of the row.';
comment on column warehouse.difference.problem is 'What is wrong with it.';

-- How far the warehouse has come. The audit's entries are the log of changes it reads; their transaction
-- numbers mean something only in the cluster that gave them. A snapshot says exactly which transactions
-- had ended: so a transaction that stays open for an hour makes nobody read that hour again every minute.
create table warehouse.load_state (
  is_only             boolean     primary key default true,
  cluster             bigint      not null,
  snapshot            pg_snapshot not null,
  next_transaction_id xid8        not null generated always as (pg_snapshot_xmin(snapshot)) stored,
  loaded_by           xid8        not null,
  retired_months      bigint      not null,
  definitions         bytea       not null,
  data_as_of          timestamptz not null,
  loaded_in_full_at   timestamptz not null,
  constraint load_state_one_row check (is_only)
);
comment on table warehouse.load_state is 'How far the warehouse has been loaded: one row, written in the transaction that wrote the facts; none before the first load.';
comment on column warehouse.load_state.is_only is 'Always true, so that there is one row at most.';
comment on column warehouse.load_state.cluster is 'The system identifier, as the audit''s newest era has it, of the cluster whose transaction numbers these are; in another one everything is loaded anew.';
comment on column warehouse.load_state.snapshot is 'What the load saw: the transactions that had ended by then have been loaded.';
comment on column warehouse.load_state.next_transaction_id is 'The first transaction whose changes may not have been loaded yet.';
comment on column warehouse.load_state.loaded_by is 'The transaction of the load, whose own later changes are not loaded yet.';
comment on column warehouse.load_state.retired_months is 'How many months of the audit had been retired: when there are more, changes may have gone with them.';
comment on column warehouse.load_state.definitions is 'The SHA-256 of the views that say what is loaded: when they change, everything is loaded anew.';
comment on column warehouse.load_state.data_as_of is 'Everything committed before this instant is in the facts.';
comment on column warehouse.load_state.loaded_in_full_at is 'When everything was last loaded anew.';

create table warehouse.table_states (
  table_name    text        primary key,
  changed_as_of timestamptz not null
);
comment on table warehouse.table_states is 'As of when each dimension and fact last changed, by which the views built on it know whether to refresh.';
comment on column warehouse.table_states.table_name is 'The table, without its schema.';
comment on column warehouse.table_states.changed_as_of is 'The data_as_of of the last load that changed a row of it.';

--! split: 030-answers.sql
-- How fresh the materialized views of the warehouse are, and what is said when they are not.

create table warehouse.view_states (
  view_name    text        primary key,
  filled_from  text,
  refreshed_at timestamptz,
  data_as_of   timestamptz,
  constraint view_states_filled_from_something check ((filled_from is null) = (refreshed_at is null))
);
comment on table warehouse.view_states is 'How fresh each materialized view is, written in the transaction that refreshed it.';
comment on column warehouse.view_states.view_name is 'The view, without its schema.';
comment on column warehouse.view_states.filled_from is 'What it was last filled from: each input and as of when that had last changed; null before the first time.';
comment on column warehouse.view_states.refreshed_at is 'When it was last filled, or null.';
comment on column warehouse.view_states.data_as_of is 'Everything committed before this instant is in it; it advances also when nothing had changed. Null before the first load.';

create table warehouse.view_settings (
  is_the_row  boolean  primary key default true,
  stale_after interval not null default '5 minutes',
  constraint view_settings_one_row check (is_the_row),
  constraint view_settings_stale_after_plausible
    check (stale_after >= interval '10 seconds' and stale_after <= interval '7 days')
);
comment on table warehouse.view_settings is 'The one row of numbers by which answers count as stale.';
comment on column warehouse.view_settings.is_the_row is 'Always true, so that there is one row.';
comment on column warehouse.view_settings.stale_after is 'How old the data of an answer may be before it counts as stale.';
insert into warehouse.view_settings default values;

create table ops.alert_kinds (
  code        text primary key,
  description text not null
);
comment on table ops.alert_kinds is 'What the operators are alerted to.';
comment on column ops.alert_kinds.code is 'The code of the kind.';
comment on column ops.alert_kinds.description is 'What it means, and what to do.';
insert into ops.alert_kinds (code, description)
values
  ('stale_answers', 'The answers of analytics are older than allowed: see whether a worker runs, and how its last runs of load_warehouse and refresh_views ended.');

create table ops.alerts (
  id        bigint      generated always as identity primary key,
  kind      text        not null references ops.alert_kinds (code),
  raised_at timestamptz not null default now(),
  closed_at timestamptz,
  constraint alerts_closed_after_raised check (closed_at >= raised_at)
);
-- An incident is one row, however often it is looked at.
create unique index alerts_one_open on ops.alerts (kind) where closed_at is null;
create index alerts_kind_idx on ops.alerts (kind);
comment on table ops.alerts is 'Incidents: one row from when something was found wrong until it was found right again.';
comment on column ops.alerts.id is 'The key of the alert.';
comment on column ops.alerts.kind is 'What is wrong.';
comment on column ops.alerts.raised_at is 'When it was found.';
comment on column ops.alerts.closed_at is 'When it was found right again, or null while it lasts.';

-- What the API is answered.
create type analytics.view_freshness_row as (
  view_name           text,
  data_as_of          timestamptz,
  refreshed_at        timestamptz,
  is_stale            boolean,
  last_run_started_at timestamptz,
  last_run_outcome    text
);
comment on type analytics.view_freshness_row is 'How fresh one of the views behind the answers is.';
comment on column analytics.view_freshness_row.view_name is 'The view.';
comment on column analytics.view_freshness_row.data_as_of is 'Everything recorded before this instant is in it, or null before the first load.';
comment on column analytics.view_freshness_row.refreshed_at is 'When it was last filled anew, or null; it is not while nothing changes.';
comment on column analytics.view_freshness_row.is_stale is 'Whether its data is older than allowed at the moment of asking, whoever does or does not keep watch.';
comment on column analytics.view_freshness_row.last_run_started_at is 'When the views were last set about to be refreshed, or null.';
comment on column analytics.view_freshness_row.last_run_outcome is 'How that went: running, succeeded, failed or abandoned.';

create type analytics.alerts_row as (
  kind        text,
  description text,
  raised_at   timestamptz,
  closed_at   timestamptz
);
comment on type analytics.alerts_row is 'An incident that an administrator is alerted to.';
comment on column analytics.alerts_row.kind is 'The code of what is wrong.';
comment on column analytics.alerts_row.description is 'What it means, and what to do.';
comment on column analytics.alerts_row.raised_at is 'When it was found.';
comment on column analytics.alerts_row.closed_at is 'When it was found right again, or null while it lasts.';

create type analytics.refresh_request as (
  queued_at           timestamptz,
  data_as_of          timestamptz,
  last_run_started_at timestamptz,
  last_run_outcome    text
);
comment on type analytics.refresh_request is 'A refresh that was asked for: it is done when view_freshness answers a data_as_of after queued_at.';
comment on column analytics.refresh_request.queued_at is 'When it was asked for.';
comment on column analytics.refresh_request.data_as_of is 'How old the oldest view is until then, or null before the first load.';
comment on column analytics.refresh_request.last_run_started_at is 'When the views were last set about to be refreshed, or null.';
comment on column analytics.refresh_request.last_run_outcome is 'How that went: running, succeeded, failed or abandoned.';

-- Who asks for an answer, and what that decides.
create type warehouse.reader as (
  sees_all      boolean,
  doctor_id     bigint,
  department_id bigint,
  smallest_cell integer
);
comment on type warehouse.reader is 'Who asks for an answer.';
comment on column warehouse.reader.sees_all is 'Whether everything is answered, as to an administrator.';
comment on column warehouse.reader.doctor_id is 'The doctor who asks, or null.';
comment on column warehouse.reader.department_id is 'The department of the doctor who asks, or null.';
comment on column warehouse.reader.smallest_cell is 'How many persons a number is about at least, where the reader is not entitled to know who they are.';

-- The answers about the running of the hospital.
create type analytics.top_doctors_row as (
  doctor_id      bigint,
  doctor_name    text,
  specialization text,
  visits         bigint,
  data_as_of     timestamptz
);
comment on type analytics.top_doctors_row is 'How many visits a doctor had.';
comment on column analytics.top_doctors_row.doctor_id is 'The doctor.';
comment on column analytics.top_doctors_row.doctor_name is 'The doctor''s name as it is now.';
comment on column analytics.top_doctors_row.specialization is 'The specialty practised now.';
comment on column analytics.top_doctors_row.visits is 'How many visits that were not entered in error began in the period.';
comment on column analytics.top_doctors_row.data_as_of is 'Everything recorded before this instant is counted.';

create type analytics.department_load_row as (
  department_id     bigint,
  department_name   text,
  appointments      bigint,
  completed         bigint,
  cancelled         bigint,
  no_shows          bigint,
  planned_minutes   bigint,
  worked_minutes    bigint,
  suppressed_months integer,
  data_as_of        timestamptz
);
comment on type analytics.department_load_row is 'What a department was booked for and what became of it.';
comment on column analytics.department_load_row.department_id is 'The department.';
comment on column analytics.department_load_row.department_name is 'Its name as it is now.';
comment on column analytics.department_load_row.appointments is 'How many appointments of the period were booked, whatever became of them.';
comment on column analytics.department_load_row.completed is 'How many were completed.';
comment on column analytics.department_load_row.cancelled is 'How many were called off.';
comment on column analytics.department_load_row.no_shows is 'To how many the patient did not come.';
comment on column analytics.department_load_row.planned_minutes is 'How long those that were not called off were to last.';
comment on column analytics.department_load_row.worked_minutes is 'How long those that were completed kept the doctors, buffers included.';
comment on column analytics.department_load_row.suppressed_months is 'How many months of the period are left out of these numbers: a doctor is told of whole months only, and only of those that speak of enough other patients.';
comment on column analytics.department_load_row.data_as_of is 'Everything recorded before this instant is counted.';

create type analytics.monthly_visits_row as (
  month      date,
  visits     bigint,
  data_as_of timestamptz
);
comment on type analytics.monthly_visits_row is 'How many visits there were in a month, or in those of its days that are in the period.';
comment on column analytics.monthly_visits_row.month is 'The first day of the month.';
comment on column analytics.monthly_visits_row.visits is 'How many visits that were not entered in error began in it.';
comment on column analytics.monthly_visits_row.data_as_of is 'Everything recorded before this instant is counted.';

create type analytics.doctor_workload_row as (
  doctor_id       bigint,
  doctor_name     text,
  appointments    bigint,
  completed       bigint,
  cancelled       bigint,
  no_shows        bigint,
  planned_minutes bigint,
  worked_minutes  bigint,
  data_as_of      timestamptz
);
comment on type analytics.doctor_workload_row is 'What a doctor was booked for and what became of it.';
comment on column analytics.doctor_workload_row.doctor_id is 'The doctor.';
comment on column analytics.doctor_workload_row.doctor_name is 'The doctor''s name as it is now.';
comment on column analytics.doctor_workload_row.appointments is 'How many appointments of the period were booked, whatever became of them.';
comment on column analytics.doctor_workload_row.completed is 'How many were completed.';
comment on column analytics.doctor_workload_row.cancelled is 'How many were called off.';
comment on column analytics.doctor_workload_row.no_shows is 'To how many the patient did not come.';
comment on column analytics.doctor_workload_row.planned_minutes is 'How long those that were not called off were to last.';
comment on column analytics.doctor_workload_row.worked_minutes is 'How long those that were completed kept the doctor, buffers included.';
comment on column analytics.doctor_workload_row.data_as_of is 'Everything recorded before this instant is counted.';

create type analytics.revenue_row as (
  month               date,
  appointments        bigint,
  appointment_revenue numeric(14,2),
  treatments          bigint,
  treatment_revenue   numeric(14,2),
  revenue             numeric(14,2),
  data_as_of          timestamptz
);
comment on type analytics.revenue_row is 'What was charged in a month, or in those of its days that are in the period, in US dollars.';
comment on column analytics.revenue_row.month is 'The first day of the month.';
comment on column analytics.revenue_row.appointments is 'How many appointments were completed.';
comment on column analytics.revenue_row.appointment_revenue is 'The prices of their types as they are now.';
comment on column analytics.revenue_row.treatments is 'How many treatments were begun at visits that were not entered in error.';
comment on column analytics.revenue_row.treatment_revenue is 'What they cost.';
comment on column analytics.revenue_row.revenue is 'Both together, until there are invoices.';
comment on column analytics.revenue_row.data_as_of is 'Everything recorded before this instant is counted.';

create type warehouse.department_count as (
  department_id     bigint,
  appointments      bigint,
  completed         bigint,
  cancelled         bigint,
  no_shows          bigint,
  planned_minutes   bigint,
  worked_minutes    bigint,
  days              bigint,
  suppressed_months integer
);
comment on type warehouse.department_count is 'What is counted of one department, as far as the reader is told.';
comment on column warehouse.department_count.department_id is 'The department.';
comment on column warehouse.department_count.appointments is 'How many were booked, whatever became of them.';
comment on column warehouse.department_count.completed is 'How many were completed.';
comment on column warehouse.department_count.cancelled is 'How many were called off.';
comment on column warehouse.department_count.no_shows is 'To how many the patient did not come.';
comment on column warehouse.department_count.planned_minutes is 'How long those that were not called off were to last.';
comment on column warehouse.department_count.worked_minutes is 'How long those that were completed kept the doctors, buffers included.';
comment on column warehouse.department_count.days is 'On how many days something was completed.';
comment on column warehouse.department_count.suppressed_months is 'How many months of the period are left out.';

create type analytics.department_efficiency_row as (
  department_id     bigint,
  department_name   text,
  wait_p50_minutes  integer,
  wait_p90_minutes  integer,
  utilisation       double precision,
  no_show_rate      double precision,
  cancellation_rate double precision,
  completed_per_day double precision,
  suppressed_months integer,
  data_as_of        timestamptz
);
comment on type analytics.department_efficiency_row is 'How well a department runs.';
comment on column analytics.department_efficiency_row.department_id is 'The department.';
comment on column analytics.department_efficiency_row.department_name is 'Its name as it is now.';
comment on column analytics.department_efficiency_row.wait_p50_minutes is 'Half of the patients waited no longer than this, from arrival, or from the planned start if they came early, to being seen.';
comment on column analytics.department_efficiency_row.wait_p90_minutes is 'Nine of ten waited no longer than this.';
comment on column analytics.department_efficiency_row.utilisation is 'The time that completed appointments kept its doctors, by the time its doctors were on duty.';
comment on column analytics.department_efficiency_row.no_show_rate is 'To which part of the appointments that could have been kept the patient did not come.';
comment on column analytics.department_efficiency_row.cancellation_rate is 'Which part of what was booked was called off.';
comment on column analytics.department_efficiency_row.completed_per_day is 'How many appointments were completed on a day on which any was.';
comment on column analytics.department_efficiency_row.suppressed_months is 'How many months of the period are left out of these numbers: a doctor is told of whole months only, and only of those that speak of enough other patients.';
comment on column analytics.department_efficiency_row.data_as_of is 'Everything recorded before this instant is counted.';

--! split: 040-comorbidities.sql
-- The Charlson comorbidity index as data. Which ICD-10 codes mean which comorbidity:
--   Quan H, Sundararajan V, Halfon P, et al. Coding algorithms for defining comorbidities in ICD-9-CM and
--   ICD-10 administrative data. Med Care 2005;43(11):1130-9, table 1.
-- What each weighs, the original weights:
--   Charlson ME, Pompei P, Ales KL, MacKenzie CR. A new method of classifying prognostic comorbidity in
--   longitudinal studies. J Chronic Dis 1987;40(5):373-83.
create table warehouse.dim_comorbidity (
  code             text     primary key,
  name             text     not null,
  weight           smallint not null,
  superseded_by    text     references warehouse.dim_comorbidity (code),
  counts_when_over boolean  not null,
  constraint dim_comorbidity_weight_positive check (weight > 0),
  constraint dim_comorbidity_superseded_by_another check (superseded_by <> code)
);
create index dim_comorbidity_superseded_by_idx on warehouse.dim_comorbidity (superseded_by);
comment on table warehouse.dim_comorbidity is 'The seventeen illnesses of the Charlson index.';
comment on column warehouse.dim_comorbidity.code is 'The code of the comorbidity.';
comment on column warehouse.dim_comorbidity.name is 'Its name, as Quan et al. give it.';
comment on column warehouse.dim_comorbidity.weight is 'What it adds to the index (Charlson et al. 1987).';
comment on column warehouse.dim_comorbidity.superseded_by is 'The graver form, beside which this one does not count, or null.';
comment on column warehouse.dim_comorbidity.counts_when_over is 'Whether having had it counts, too: Charlson asks for a history of infarction, stroke and ulcer, and for the presence of the others.';
insert into warehouse.dim_comorbidity (code, name, weight, superseded_by, counts_when_over)
values
  ('diabetes_complicated', 'Diabetes with chronic complication', 2, null, false),
  ('liver_severe', 'Moderate or severe liver disease', 3, null, false),
  ('metastatic_tumor', 'Metastatic solid tumor', 6, null, false),
  ('myocardial_infarction', 'Myocardial infarction', 1, null, true),
  ('heart_failure', 'Congestive heart failure', 1, null, false),
  ('peripheral_vascular', 'Peripheral vascular disease', 1, null, false),
  ('cerebrovascular', 'Cerebrovascular disease', 1, null, true),
  ('dementia', 'Dementia', 1, null, false),
  ('pulmonary', 'Chronic pulmonary disease', 1, null, false),
  ('rheumatic', 'Rheumatic disease', 1, null, false),
  ('peptic_ulcer', 'Peptic ulcer disease', 1, null, true),
  ('liver_mild', 'Mild liver disease', 1, 'liver_severe', false),
  ('diabetes', 'Diabetes without chronic complication', 1, 'diabetes_complicated', false),
  ('plegia', 'Hemiplegia or paraplegia', 2, null, false),
  ('renal', 'Renal disease', 2, null, false),
  ('malignancy', 'Any malignancy, without skin', 2, 'metastatic_tumor', false),
  ('hiv', 'AIDS/HIV', 6, null, false);

create table warehouse.dim_comorbidity_code (
  prefix      text primary key,
  comorbidity text not null references warehouse.dim_comorbidity (code),
  -- Short or long, so that a code is looked up by its first three and its first five characters.
  constraint dim_comorbidity_code_prefix_well_formed check (prefix ~ '^[A-Z][0-9]{2}(\.[0-9])?$')
);
create index dim_comorbidity_code_comorbidity_idx
  on warehouse.dim_comorbidity_code (comorbidity);
comment on table warehouse.dim_comorbidity_code is 'The ICD-10 codes that mean a comorbidity (Quan et al. 2005).';
comment on column warehouse.dim_comorbidity_code.prefix is 'A category or subcategory; every code that begins with it is meant, and it belongs to one comorbidity.';
comment on column warehouse.dim_comorbidity_code.comorbidity is 'The comorbidity.';
insert into warehouse.dim_comorbidity_code (prefix, comorbidity)
select
  p.prefix,
  l.comorbidity
from (values
  ('myocardial_infarction', 'I21 I22 I25.2'),
  ('heart_failure', 'I09.9 I11.0 I13.0 I13.2 I25.5 I42.0 I42.5 I42.6 I42.7 I42.8 I42.9'),
  ('heart_failure', 'I43 I50 P29.0'),
  ('peripheral_vascular', 'I70 I71 I73.1 I73.8 I73.9 I77.1 I79.0 I79.2 K55.1 K55.8 K55.9'),
  ('peripheral_vascular', 'Z95.8 Z95.9'),
  ('cerebrovascular', 'G45 G46 H34.0 I60 I61 I62 I63 I64 I65 I66 I67 I68 I69'),
  ('dementia', 'F00 F01 F02 F03 F05.1 G30 G31.1'),
  ('pulmonary', 'I27.8 I27.9 J40 J41 J42 J43 J44 J45 J46 J47 J60 J61 J62 J63 J64 J65 J66 J67'),
  ('pulmonary', 'J68.4 J70.1 J70.3'),
  ('rheumatic', 'M05 M06 M31.5 M32 M33 M34 M35.1 M35.3 M36.0'),
  ('peptic_ulcer', 'K25 K26 K27 K28'),
  ('liver_mild', 'B18 K70.0 K70.1 K70.2 K70.3 K70.9 K71.3 K71.4 K71.5 K71.7 K73 K74'),
  ('liver_mild', 'K76.0 K76.2 K76.3 K76.4 K76.8 K76.9 Z94.4'),
  ('diabetes', 'E10.0 E10.1 E10.6 E10.8 E10.9 E11.0 E11.1 E11.6 E11.8 E11.9'),
  ('diabetes', 'E12.0 E12.1 E12.6 E12.8 E12.9 E13.0 E13.1 E13.6 E13.8 E13.9'),
  ('diabetes', 'E14.0 E14.1 E14.6 E14.8 E14.9'),
  ('diabetes_complicated', 'E10.2 E10.3 E10.4 E10.5 E10.7 E11.2 E11.3 E11.4 E11.5 E11.7'),
  ('diabetes_complicated', 'E12.2 E12.3 E12.4 E12.5 E12.7 E13.2 E13.3 E13.4 E13.5 E13.7'),
  ('diabetes_complicated', 'E14.2 E14.3 E14.4 E14.5 E14.7'),
  ('plegia', 'G04.1 G11.4 G80.1 G80.2 G81 G82 G83.0 G83.1 G83.2 G83.3 G83.4 G83.9'),
  ('renal', 'I12.0 I13.1 N03.2 N03.3 N03.4 N03.5 N03.6 N03.7'),
  ('renal', 'N05.2 N05.3 N05.4 N05.5 N05.6 N05.7 N18 N19 N25.0 Z49.0 Z49.1 Z49.2 Z94.0 Z99.2'),
  ('malignancy', 'C00 C01 C02 C03 C04 C05 C06 C07 C08 C09 C10 C11 C12 C13 C14 C15 C16 C17 C18 C19'),
  ('malignancy', 'C20 C21 C22 C23 C24 C25 C26 C30 C31 C32 C33 C34 C37 C38 C39 C40 C41 C43 C45 C46'),
  ('malignancy', 'C47 C48 C49 C50 C51 C52 C53 C54 C55 C56 C57 C58 C60 C61 C62 C63 C64 C65 C66 C67'),
  ('malignancy', 'C68 C69 C70 C71 C72 C73 C74 C75 C76 C81 C82 C83 C84 C85 C88 C90 C91 C92 C93 C94'),
  ('malignancy', 'C95 C96 C97'),
  ('liver_severe', 'I85.0 I85.9 I86.4 I98.2 K70.4 K71.1 K72.1 K72.9 K76.5 K76.6 K76.7'),
  ('metastatic_tumor', 'C77 C78 C79 C80'),
  ('hiv', 'B20 B21 B22 B24')
) as l (comorbidity, prefixes)
cross join lateral regexp_split_to_table(l.prefixes, ' ') as p (prefix);

create type analytics.charlson_index_row as (
  patient_id         bigint,
  as_of              date,
  score              integer,
  age_years          integer,
  age_adjusted_score integer,
  comorbidities      text[]
);
comment on type analytics.charlson_index_row is 'The Charlson comorbidity index of a patient on a day.';
comment on column analytics.charlson_index_row.patient_id is 'The patient.';
comment on column analytics.charlson_index_row.as_of is 'The day it is of.';
comment on column analytics.charlson_index_row.score is 'The sum of the weights (Charlson et al. 1987) of the comorbidities, a milder form beside its graver one left out.';
comment on column analytics.charlson_index_row.age_years is 'The age on that day in completed years.';
comment on column analytics.charlson_index_row.age_adjusted_score is 'The score and a point for each decade from 50 on, four at most (Charlson et al. 1994).';
comment on column analytics.charlson_index_row.comorbidities is 'The comorbidities that count, by name, the heaviest first.';

create type analytics.comorbidity_row as (
  department_id   bigint,
  department_name text,
  charlson_score  text,
  patients        bigint,
  data_as_of      timestamptz
);
comment on type analytics.comorbidity_row is 'How many patients of a department carry how much.';
comment on column analytics.comorbidity_row.department_id is 'The department.';
comment on column analytics.comorbidity_row.department_name is 'Its name.';
comment on column analytics.comorbidity_row.charlson_score is 'The Charlson comorbidity index, without age: 0, 1-2, 3-4 or 5+.';
comment on column analytics.comorbidity_row.patients is 'The patients ever seen there who have it now, or null where they are fewer than may be told.';
comment on column analytics.comorbidity_row.data_as_of is 'Everything recorded before this instant is in it.';

--! split: 041-insight.sql
create type analytics.year_visits as (
  year   integer,
  visits bigint
);
comment on type analytics.year_visits is 'How often a patient came in a year.';
comment on column analytics.year_visits.year is 'The calendar year.';
comment on column analytics.year_visits.visits is 'The visits in it.';

create type analytics.category_diagnoses as (
  category    text,
  description text,
  first_on    date,
  last_on     date,
  visits      bigint,
  is_lasting  boolean
);
comment on type analytics.category_diagnoses is 'What a patient was diagnosed with, in one category.';
comment on column analytics.category_diagnoses.category is 'The first three characters of an ICD-10-CM code, or the whole code of another system.';
comment on column analytics.category_diagnoses.description is 'What the latest code in it means.';
comment on column analytics.category_diagnoses.first_on is 'The first day it was diagnosed or is said to have begun.';
comment on column analytics.category_diagnoses.last_on is 'The last such day.';
comment on column analytics.category_diagnoses.visits is 'At how many visits it was diagnosed.';
comment on column analytics.category_diagnoses.is_lasting is 'Whether the medical history holds it and no end of it.';

create type analytics.medicine_in_use as (
  medication text,
  dosage     text,
  since      date,
  until      date
);
comment on type analytics.medicine_in_use is 'A medicine the patient should be taking today.';
comment on column analytics.medicine_in_use.medication is 'Name, strength and form.';
comment on column analytics.medicine_in_use.dosage is 'How much and how often.';
comment on column analytics.medicine_in_use.since is 'The first day of taking it.';
comment on column analytics.medicine_in_use.until is 'The last day of taking it, or null for as long as needed.';

create type analytics.patient_insight_row as (
  patient_id      bigint,
  visits          bigint,
  first_visit_on  date,
  last_visit_on   date,
  visits_by_year  analytics.year_visits[],
  kept            bigint,
  missed          bigint,
  no_show_rate    numeric,
  diagnoses       analytics.category_diagnoses[],
  medicines       analytics.medicine_in_use[],
  treatments      bigint,
  treatments_cost numeric(12,2),
  charlson_score  integer,
  data_as_of      timestamptz
);
comment on type analytics.patient_insight_row is 'A patient at a glance, of all records of the person, by the clocks of his time zone.';
comment on column analytics.patient_insight_row.patient_id is 'The patient who was asked for.';
comment on column analytics.patient_insight_row.visits is 'All visits.';
comment on column analytics.patient_insight_row.first_visit_on is 'The day of the first, or null.';
comment on column analytics.patient_insight_row.last_visit_on is 'The day of the last, or null.';
comment on column analytics.patient_insight_row.visits_by_year is 'The visits of each year in which there were any, the latest first.';
comment on column analytics.patient_insight_row.kept is 'Completed appointments among those the reader may see, which of a doctor are his own.';
comment on column analytics.patient_insight_row.missed is 'Missed appointments among the same.';
comment on column analytics.patient_insight_row.no_show_rate is 'The share of missed ones in both, from 0 to 1, or null without any.';
comment on column analytics.patient_insight_row.diagnoses is 'Diagnoses and medical history by category, the latest first.';
comment on column analytics.patient_insight_row.medicines is 'The medicines in use today.';
comment on column analytics.patient_insight_row.treatments is 'All treatments.';
comment on column analytics.patient_insight_row.treatments_cost is 'What they cost together, in US dollars.';
comment on column analytics.patient_insight_row.charlson_score is 'The Charlson comorbidity index today, without the points for age.';
comment on column analytics.patient_insight_row.data_as_of is 'The moment of asking: it is read from the record itself.';

--! split: 042-symptoms.sql
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

--! split: 043-forecast.sql
create type analytics.visit_forecast_row as (
  day             date,
  department_id   bigint,
  department_name text,
  doctor_id       bigint,
  expected_visits numeric,
  fewest          bigint,
  most            bigint,
  mean_error      numeric,
  naive_error     numeric,
  relative_error  numeric,
  history_days    integer,
  remark          text,
  data_as_of      timestamptz
);
comment on type analytics.visit_forecast_row is 'How many visits are to be expected on a day, and how wrong that was of late.';
comment on column analytics.visit_forecast_row.day is 'The day, by the clocks of the department''s facility.';
comment on column analytics.visit_forecast_row.department_id is 'The department.';
comment on column analytics.visit_forecast_row.department_name is 'Its name.';
comment on column analytics.visit_forecast_row.doctor_id is 'The doctor whose visits are forecast, or null for all of the department.';
comment on column analytics.visit_forecast_row.expected_visits is 'The average of the same weekday in the last eight weeks, or null while history is too short.';
comment on column analytics.visit_forecast_row.fewest is 'The fewest visits in those eight days.';
comment on column analytics.visit_forecast_row.most is 'The most visits in those eight days.';
comment on column analytics.visit_forecast_row.mean_error is 'By how many visits a day the same forecast, made four weeks ago, has been wrong on average since.';
comment on column analytics.visit_forecast_row.naive_error is 'The same for who had said that the last week would repeat itself.';
comment on column analytics.visit_forecast_row.relative_error is 'The errors of those four weeks together as a share of their visits, or null if there were none.';
comment on column analytics.visit_forecast_row.history_days is 'From how many days before it the forecast and its error are, 84 once there are so many.';
comment on column analytics.visit_forecast_row.remark is 'What speaks against believing it, or null.';
comment on column analytics.visit_forecast_row.data_as_of is 'Everything recorded before this instant has been counted; the forecast is of the days from then on.';

--! split: 044-clinical-answers.sql
create type warehouse.clinical_cell as (
  item          text,
  month         date,
  department_id bigint,
  doctor_id     bigint,
  visits        bigint
);
comment on type warehouse.clinical_cell is 'A symptom or treatment of a month, of which the reader may be told.';
comment on column warehouse.clinical_cell.item is 'The symptom or treatment.';
comment on column warehouse.clinical_cell.month is 'The first day of the month.';
comment on column warehouse.clinical_cell.department_id is 'The department, or 0 for all.';
comment on column warehouse.clinical_cell.doctor_id is 'The doctor, or 0 for all.';
comment on column warehouse.clinical_cell.visits is 'The visits at which it was noted or begun.';

create type analytics.symptom_frequency_row as (
  symptom    text,
  visits     bigint,
  data_as_of timestamptz
);
comment on type analytics.symptom_frequency_row is 'How often a symptom was noted.';
comment on column analytics.symptom_frequency_row.symptom is 'The symptom, in lower case.';
comment on column analytics.symptom_frequency_row.visits is 'At how many visits it was noted, without the months in which it was of few.';
comment on column analytics.symptom_frequency_row.data_as_of is 'Everything recorded before this instant is in it.';

create type analytics.treatment_outcomes_row as (
  treatment_type     text,
  treatments         bigint,
  assessed_share     numeric,
  resolved_share     numeric,
  improved_share     numeric,
  unchanged_share    numeric,
  worsened_share     numeric,
  complication_share numeric,
  total_cost         numeric(14,2),
  average_cost       numeric(12,2),
  average_minutes    numeric,
  data_as_of         timestamptz
);
comment on type analytics.treatment_outcomes_row is 'How the treatments of a type turned out, and what they took.';
comment on column analytics.treatment_outcomes_row.treatment_type is 'The treatment.';
comment on column analytics.treatment_outcomes_row.treatments is 'How many were begun, here and below without the months in which it was of few.';
comment on column analytics.treatment_outcomes_row.assessed_share is 'Of how many of them the outcome is known, from 0 to 1.';
comment on column analytics.treatment_outcomes_row.resolved_share is 'The share of the assessed that resolved the trouble, or null when none was assessed.';
comment on column analytics.treatment_outcomes_row.improved_share is 'The share of the assessed that improved it.';
comment on column analytics.treatment_outcomes_row.unchanged_share is 'The share of the assessed that changed nothing.';
comment on column analytics.treatment_outcomes_row.worsened_share is 'The share of the assessed after which it was worse.';
comment on column analytics.treatment_outcomes_row.complication_share is 'The share of the assessed that led to a complication.';
comment on column analytics.treatment_outcomes_row.total_cost is 'What they cost together, in US dollars.';
comment on column analytics.treatment_outcomes_row.average_cost is 'What one cost on average.';
comment on column analytics.treatment_outcomes_row.average_minutes is 'How long one took on average, where the end is known.';
comment on column analytics.treatment_outcomes_row.data_as_of is 'Everything recorded before this instant is in it.';

--! split: 050-delivery.sql
-- Messages leave the house: what failed on the way is kept apart from the message, which stays as it was written.

create table ops.delivery_failures (
  notification_id bigint      primary key references hospital.notifications (id) on delete cascade,
  attempts        integer     not null,
  last_code       text        not null,
  last_failed_at  timestamptz not null,
  -- Null is: not any more.
  next_attempt_at timestamptz,
  constraint delivery_failures_counted check (attempts > 0),
  -- What a mail server says may quote the address, so only codes are kept.
  constraint delivery_failures_code_is_a_code check (last_code ~ '^[A-Za-z0-9_]{1,40}$')
);
comment on table ops.delivery_failures is 'Messages that a mail server did not take, and when each is tried again.';
comment on column ops.delivery_failures.notification_id is 'The message.';
comment on column ops.delivery_failures.attempts is 'How often it was tried.';
comment on column ops.delivery_failures.last_code is 'The reply code of the server, such as 550, or the name of the error of the connection.';
comment on column ops.delivery_failures.last_failed_at is 'When it failed last.';
comment on column ops.delivery_failures.next_attempt_at is 'When it is tried again, or null when it was given up.';

create type ops.outgoing_message as (
  id         bigint,
  message_id uuid,
  address    text,
  subject    text,
  body       text,
  created_at timestamptz
);
comment on type ops.outgoing_message is 'A message with the address it goes to.';
comment on column ops.outgoing_message.id is 'The key of the message inside this database.';
comment on column ops.outgoing_message.message_id is 'The stable identifier by which a receiver recognises a repeated delivery.';
comment on column ops.outgoing_message.address is 'The e-mail address of the patient.';
comment on column ops.outgoing_message.subject is 'The subject line.';
comment on column ops.outgoing_message.body is 'The text.';
comment on column ops.outgoing_message.created_at is 'When the message was written.';

--! split: 051-reports.sql
-- Reports: what may be drawn from one, and the finished files of past months.

create type hospital_private.report_figure as (
  chart  text,
  style  text,
  label  text,
  figure numeric
);
comment on type hospital_private.report_figure is 'One bar or point of a chart that goes with a report.';
comment on column hospital_private.report_figure.chart is 'The title of the chart.';
comment on column hospital_private.report_figure.style is 'How it is drawn: bars or line.';
comment on column hospital_private.report_figure.label is 'What the bar or point stands for.';
comment on column hospital_private.report_figure.figure is 'How much.';

create type hospital_private.report_heading as (
  hospital   text,
  department text,
  asked_by   text,
  time_zone  text,
  as_of      timestamptz
);
comment on type hospital_private.report_heading is 'What stands on the first page of a report besides its name and period.';
comment on column hospital_private.report_heading.hospital is 'The name of the facility, or of all of them.';
comment on column hospital_private.report_heading.department is 'The department asked for, or null.';
comment on column hospital_private.report_heading.asked_by is 'Who asked, and in which role.';
comment on column hospital_private.report_heading.time_zone is 'The zone whose clock tells when.';
comment on column hospital_private.report_heading.as_of is 'The moment of the snapshot that the report shows.';

create table ops.reports (
  report     text        not null,
  month      date        not null,
  format     text        not null,
  content    bytea       not null,
  data_as_of timestamptz not null,
  made_at    timestamptz not null default clock_timestamp(),
  constraint reports_pkey primary key (report, month, format),
  constraint reports_month_is_a_month check (isfinite(month) and extract(day from month) = 1),
  constraint reports_format_known check (format in ('csv', 'pdf')),
  constraint reports_name_is_plain check (report ~ '^[a-z]{1,40}$'),
  constraint reports_content_bounded check (octet_length(content) between 1 and 5000000)
);
comment on table ops.reports is 'The finished reports of past months, made once and kept for thirteen months; they hold totals and no patients.';
comment on column ops.reports.report is 'What it reports on.';
comment on column ops.reports.month is 'The first day of the month.';
comment on column ops.reports.format is 'The kind of file: csv or pdf.';
comment on column ops.reports.content is 'The file.';
comment on column ops.reports.data_as_of is 'The moment of the snapshot that it shows; what is corrected later is not in it.';
comment on column ops.reports.made_at is 'When it was made.';

create type hospital_private.kept_report as (
  report     text,
  month      date,
  format     text,
  bytes      bigint,
  data_as_of timestamptz
);
comment on type hospital_private.kept_report is 'A finished report that can be fetched.';
comment on column hospital_private.kept_report.report is 'What it reports on.';
comment on column hospital_private.kept_report.month is 'The first day of the month.';
comment on column hospital_private.kept_report.format is 'The kind of file: csv or pdf.';
comment on column hospital_private.kept_report.bytes is 'The size of the file.';
comment on column hospital_private.kept_report.data_as_of is 'The moment of the snapshot that it shows.';

--! split: 060-change-consumers.sql
-- Who hears of changes, and how far each has come. The events themselves are the entries of the audit.

create type ops.change_position as (
  transaction_id xid8,
  sequence       bigint
);
comment on type ops.change_position is 'A place in the order of changes; compared part by part, and meaningful only to the consumer it was given to.';
comment on column ops.change_position.transaction_id is 'The transaction that made the change.';
comment on column ops.change_position.sequence is 'The number of the change within the audit.';

create type ops.change_event as (
  stream      uuid,
  position    ops.change_position,
  sequence    bigint,
  table_name  text,
  operation   text,
  row_key     text,
  recorded_at timestamptz
);
comment on type ops.change_event is 'That a row changed: which one, never what it says. Who may read it reads it by its key.';
comment on column ops.change_event.stream is 'The delivery this event belongs to; under another stream everything known from the one before has to be read anew.';
comment on column ops.change_event.position is 'What to acknowledge once this event and those before it are done with.';
comment on column ops.change_event.sequence is 'Among the changes of one row their order: an event with a lower one than the last seen of its row is old news.';
comment on column ops.change_event.table_name is 'The table, with its schema.';
comment on column ops.change_event.operation is 'What was done: insert, update, delete, or truncate of the whole table.';
comment on column ops.change_event.row_key is 'The primary key of the row as text, its parts separated by a blank; null for a truncate.';
comment on column ops.change_event.recorded_at is 'When the transaction that made the change began.';

create table ops.change_consumers (
  name            text                primary key,
  reader          text                not null default 'hospital_worker',
  tables          text[]              not null,
  stream          uuid                not null default gen_random_uuid(),
  incarnation     text                not null,
  position        ops.change_position not null,
  read_to         ops.change_position not null,
  created_at      timestamptz         not null default now(),
  last_read_at    timestamptz,
  acknowledged_at timestamptz,
  constraint change_consumers_name_plain check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint change_consumers_of_some_table check (cardinality(tables) > 0),
  constraint change_consumers_acknowledge_what_was_read check (position <= read_to)
);
comment on table ops.change_consumers is 'Other services that hear of changes, each with its own position: what it has acknowledged is not told again.';
comment on column ops.change_consumers.name is 'What the consumer is called.';
comment on column ops.change_consumers.reader is 'The database role that reads for it; no other can, or acknowledge what it has not had.';
comment on column ops.change_consumers.tables is 'The tables whose changes it wants, with their schema.';
comment on column ops.change_consumers.stream is 'Made anew when the consumer is registered or reset, and told with every event.';
comment on column ops.change_consumers.incarnation is 'The cluster, timeline and database whose transaction numbers the position is made of.';
comment on column ops.change_consumers.position is 'Everything up to here is acknowledged.';
comment on column ops.change_consumers.read_to is 'How far it has read: nothing beyond can be acknowledged.';
comment on column ops.change_consumers.created_at is 'When it was registered.';
comment on column ops.change_consumers.last_read_at is 'When it last asked for events, or null.';
comment on column ops.change_consumers.acknowledged_at is 'When it last acknowledged any, or null.';

create type ops.consumer_lag as (
  consumer      text,
  reader        text,
  waiting       bigint,
  waiting_since timestamptz,
  last_read_at  timestamptz,
  is_lost       boolean
);
comment on type ops.consumer_lag is 'How far a consumer of changes is behind.';
comment on column ops.consumer_lag.consumer is 'The consumer.';
comment on column ops.consumer_lag.reader is 'The database role that reads for it.';
comment on column ops.consumer_lag.waiting is 'How many events it has not acknowledged, counted up to 100,000.';
comment on column ops.consumer_lag.waiting_since is 'When the transaction of the first of them began, or null.';
comment on column ops.consumer_lag.last_read_at is 'When it last asked for events, or null.';
comment on column ops.consumer_lag.is_lost is 'Whether its position means nothing any more, so that it must be reset.';

--! split: 061-publication.sql
-- What a second server may subscribe to; which tables is said in sql/13-warehouse/publication.sql.
create publication warehouse_sources;
comment on publication warehouse_sources is 'What the warehouse is made of, without names, numbers and texts: for a server of its own.';

--! split: 070-sealing-keys.sql
-- Keys are made and unwrapped for a statement, and no longer for each row.
-- source removed: sql/12-audit/person_key.sql
drop function audit.person_key(bigint, boolean);
drop function audit.seal_identity(bigint, jsonb);
comment on column audit.entries.sealed_identity is 'What the old row said that identifies the patient, encrypted with the patient''s own key; null where an update left it as it was.';

--! split: 080-backups.sql
-- What backups and drills there were, for whoever watches the database. The repository knows it too, and alone
-- when the database is gone: these tables are a copy, and nothing restores by them.

create table ops.backups (
  name           text        primary key,
  started_at     timestamptz not null,
  finished_at    timestamptz not null,
  server_version text        not null,
  timeline       integer     not null,
  start_lsn      pg_lsn      not null,
  end_lsn        pg_lsn      not null,
  bytes          bigint      not null,
  stored_bytes   bigint      not null,
  is_encrypted   boolean     not null,
  verified_at    timestamptz ,
  problems       integer     ,
  removed_at     timestamptz ,
  constraint backups_in_order check (started_at <= finished_at and start_lsn <= end_lsn),
  constraint backups_verified_counts_problems check ((verified_at is null) = (problems is null))
);
create index backups_finished_at_idx on ops.backups (finished_at);
comment on table ops.backups is 'Every backup that was made of this cluster, as its repository says; a restored database knows those made before its own.';
comment on column ops.backups.name is 'The name of the backup in the repository, the moment it began.';
comment on column ops.backups.started_at is 'When the backup began.';
comment on column ops.backups.finished_at is 'When the backup was whole.';
comment on column ops.backups.server_version is 'The version of PostgreSQL that was copied.';
comment on column ops.backups.timeline is 'The timeline of the log the backup is on.';
comment on column ops.backups.start_lsn is 'The place in the log from which recovery must replay.';
comment on column ops.backups.end_lsn is 'The place in the log at which the backup is consistent.';
comment on column ops.backups.bytes is 'How large its content is.';
comment on column ops.backups.stored_bytes is 'How large it is in the repository.';
comment on column ops.backups.is_encrypted is 'Whether a key is needed to read it.';
comment on column ops.backups.verified_at is 'When it was last read to its last byte, or null.';
comment on column ops.backups.problems is 'How many things were not as written then, or null.';
comment on column ops.backups.removed_at is 'When it was removed because newer ones had taken its place, or null.';

create table ops.backup_drills (
  id              bigint      generated always as identity primary key,
  backup          text        not null,
  started_at      timestamptz not null,
  finished_at     timestamptz not null,
  restore_seconds numeric     not null,
  recovery_point  timestamptz,
  passed          boolean     not null,
  checks          jsonb       not null,
  constraint backup_drills_in_order check (started_at <= finished_at),
  constraint backup_drills_checks_are_a_list check (jsonb_typeof(checks) = 'array')
);
create index backup_drills_finished_at_idx on ops.backup_drills (finished_at);
comment on table ops.backup_drills is 'Every drill: a backup restored into a scratch cluster, checked and timed.';
comment on column ops.backup_drills.id is 'The key of the drill.';
comment on column ops.backup_drills.backup is 'The name of the backup that was restored.';
comment on column ops.backup_drills.started_at is 'When the drill began.';
comment on column ops.backup_drills.finished_at is 'When its last check ended.';
comment on column ops.backup_drills.restore_seconds is 'How long it took from nothing to a server that takes writes.';
comment on column ops.backup_drills.recovery_point is 'The last commit that was restored, or null where none was replayed.';
comment on column ops.backup_drills.passed is 'Whether every check held.';
comment on column ops.backup_drills.checks is 'The checks: each with its name, whether it held, what was found and how long it took.';

--! split: 5000-prologue.sql
-- The living files below may call one another in any order: bodies are checked when they run.
set local check_function_bodies = off;

--! split: 5001-01-foundation-job_runs.sql
-- source: sql/01-foundation/job_runs.sql
-- A run is opened in a transaction of its own and closed in the one that did the work. If the
-- worker dies between them the work is rolled back and the run stays open, which the next run sees.
create or replace function ops.start_job_run(job text)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  run_id bigint;
begin
  perform pg_advisory_xact_lock(hashtext('ops.job_runs'), hashtext(start_job_run.job));
  update ops.job_runs as r
  set outcome = 'abandoned'
  where r.job = start_job_run.job
    and r.outcome = 'running'
    -- Whoever still works on the job holds this lock, see finish_job_run.
    and pg_try_advisory_xact_lock(hashtext('ops.job_run'), r.id::integer);
  insert into ops.job_runs (job)
  values (start_job_run.job)
  returning id
  into run_id;
  return run_id;
end;
$$;
comment on function ops.start_job_run(text) is
  'Records that a job begins, marks runs that died as abandoned, and returns the key of the run. Lends the worker the owner''s right to write job runs.';

-- Before the transaction that does the work: a snapshot taken while another worker is still marking the
-- run as abandoned could not finish it.
create or replace function ops.enter_job_run(run_id bigint)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_lock(hashtext('ops.job_run'), enter_job_run.run_id::integer);
$$;
comment on function ops.enter_job_run(bigint) is
  'Marks the connection as the one that does the work of a run, so that nobody takes the run for dead until it leaves it or is gone.';

create or replace function ops.leave_job_run(run_id bigint)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_unlock(hashtext('ops.job_run'), leave_job_run.run_id::integer);
$$;
comment on function ops.leave_job_run(bigint) is
  'Marks the connection as one that works on the run no more.';

create or replace function ops.finish_job_run(run_id bigint, affected_rows bigint)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  update ops.job_runs as r
  set outcome = 'succeeded',
    finished_at = clock_timestamp(),
    affected_rows = finish_job_run.affected_rows
  where r.id = finish_job_run.run_id;
$$;
comment on function ops.finish_job_run(bigint, bigint) is
  'Records that a run succeeded, inside the transaction that did its work. Lends the worker the owner''s right to write job runs.';

create or replace function ops.fail_job_run(run_id bigint, error_code text)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  update ops.job_runs as r
  set outcome = 'failed',
    finished_at = clock_timestamp(),
    error_code = fail_job_run.error_code
  where r.id = fail_job_run.run_id
    and r.outcome in ('running', 'abandoned');
$$;
comment on function ops.fail_job_run(bigint, text) is
  'Records that a run failed, with a code and never a text that could carry a patient''s data. Lends the worker the owner''s right to write job runs.';

--! split: 5002-02-identity-current_ids.sql
-- source: sql/02-identity/current_ids.sql
-- Who the live session is. Each answers null without a session, and null equals nothing, so a
-- policy built on them denies by default.
-- Each is one query of plpgsql, which keeps its plan for as long as the connection lives.
create or replace function hospital_private.current_account_id()
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select s.account_id from hospital_private.live_session as s);
end;
$$;
comment on function hospital_private.current_account_id() is
  'The account of the live session, or null; lends the owner''s right to read sessions.';

create or replace function hospital_private.current_patient_id()
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select p.person_id
    from hospital_private.live_session as s
    join hospital.patients as p
      on p.id = s.patient_id
    where s.role = 'patient'
  );
end;
$$;
comment on function hospital_private.current_patient_id() is
  'The patient of a live session in the role patient, by the record that goes on where several were merged, or null; lends the owner''s right to read accounts.';

create or replace function hospital_private.current_staff_member_id()
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select s.staff_member_id
    from hospital_private.live_session as s
    where s.role <> 'patient'
  );
end;
$$;
comment on function hospital_private.current_staff_member_id() is
  'The member of staff of a live session in any role but patient, or null; lends the owner''s right to read accounts.';

create or replace function hospital_private.current_doctor_id()
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select s.doctor_id from hospital_private.live_session as s);
end;
$$;
comment on function hospital_private.current_doctor_id() is
  'The active doctor of a live session in the role doctor, or null; lends the owner''s right to read accounts.';

create or replace function hospital_private.current_department_id()
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select m.department_id
    from hospital_private.live_session as s
    join hospital.staff_members as m
      on m.id = s.staff_member_id
    where s.role <> 'patient'
  );
end;
$$;
comment on function hospital_private.current_department_id() is
  'The department of the member of staff of a live session, or null; lends the owner''s right to read accounts.';

--! split: 5003-02-identity-current_session.sql
-- source: sql/02-identity/current_session.sql
create or replace function hospital_private.current_session()
returns hospital_private.sessions
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select s.session from hospital_private.live_session as s);
end;
$$;
comment on function hospital_private.current_session() is
  'The live session of this request in its own role, or null; lends the owner''s right to read sessions, because no other role may.';

--! split: 5004-02-identity-live_session.sql
-- source: sql/02-identity/live_session.sql
-- The root of all row security. A request carries a session's id and secret; the row counts only
-- when both fit, so setting the id alone to somebody else's gets nothing, and ending the session
-- ends every right at once. It counts in its own role alone: a nurse's session opens no policy of
-- the doctors, whatever database role the connection has taken.
-- A view and no function, so that a helper that asks here does so in its own one query: every
-- statement under row security pays for each query and each call.
create or replace view hospital_private.live_session
with (security_invoker = true)
as
select
  s.id,
  s.account_id,
  s.role,
  a.patient_id,
  a.staff_member_id,
  d.id as doctor_id,
  s as session
from hospital_private.sessions as s
join hospital_private.accounts as a
  on a.id = s.account_id
  and a.disabled_at is null
left join hospital.doctors as d
  on d.staff_member_id = a.staff_member_id
  and d.is_active
  and s.role = 'doctor'
-- A malformed id must be nobody's and not an error.
where s.id = case
    when current_setting('infirmary.session_id', true)
        ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
      then current_setting('infirmary.session_id', true)::uuid
  end
  and s.secret_hash
    = sha256(convert_to(current_setting('infirmary.session_secret', true), 'UTF8'))
  and s.revoked_at is null
  and s.access_expires_at > statement_timestamp()
  -- Also inside a definer function this is the role that was set for the request.
  and current_setting('role') = 'hospital_' || s.role
  -- Whoever is no longer a doctor here has no open chart left either.
  and (s.role <> 'doctor' or d.id is not null);
comment on view hospital_private.live_session is
  'The live session of this request in its own role: one row, or none. Nobody is granted it; the helpers of the policies lend the owner''s right to read it.';
comment on column hospital_private.live_session.id is 'The session.';
comment on column hospital_private.live_session.account_id is 'The account that logged in.';
comment on column hospital_private.live_session.role is 'The role of the session.';
comment on column hospital_private.live_session.patient_id is 'The patient the account belongs to, or null.';
comment on column hospital_private.live_session.staff_member_id is 'The member of staff the account belongs to, or null.';
comment on column hospital_private.live_session.doctor_id is 'The active doctor of a session in the role doctor, or null.';
comment on column hospital_private.live_session.session is 'The whole row of the session.';

--! split: 5005-02-identity-session_has_role.sql
-- source: sql/02-identity/session_has_role.sql
-- Asked by every policy of every role, inside (select …) so that it runs once per statement.
create or replace function hospital_private.session_has_role(role text)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select
    from hospital_private.live_session as s
    where s.role = session_has_role.role
      or (
        session_has_role.role = 'staff'
        and s.role in ('nurse', 'reception', 'pharmacist', 'laboratory')
      )
  );
end;
$$;
comment on function hospital_private.session_has_role(text) is
  'Whether this request has a live session in the given role (staff stands for nurse, reception, pharmacist and laboratory); lends the owner''s right to read sessions.';

--! split: 5006-03-people-computed_columns.sql
-- source: sql/03-people/computed_columns.sql
-- What is derived is not stored: names as shown, ages, years of practice.
create or replace function hospital.patients_full_name(patient hospital.patients)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select patient.given_name || ' ' || patient.family_name;
$$;
comment on function hospital.patients_full_name(hospital.patients) is
  'The given and the family name.';

create or replace function hospital.patients_age(patient hospital.patients)
returns integer
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select extract(
    year from age(
      coalesce(
        patient.deceased_on,
        (now() at time zone coalesce(patient.time_zone, 'UTC'))::date
      ),
      patient.date_of_birth
    )
  )::integer;
$$;
comment on function hospital.patients_age(hospital.patients) is
  'The age in completed years, today or at death.';

create or replace function hospital.staff_members_full_name(staff_member hospital.staff_members)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select staff_member.given_name || ' ' || staff_member.family_name;
$$;
comment on function hospital.staff_members_full_name(hospital.staff_members) is
  'The given and the family name.';

-- Called once per row of a list, where the policies of staff_members would ask for the session anew
-- each time and a join of every name would be hidden in every query. The row may be forged by a SQL
-- user, so only its key is believed.
create or replace function hospital.doctors_full_name(doctor hospital.doctors)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select m.given_name || ' ' || m.family_name
    from hospital_private.live_session as s
    join hospital.doctors as d
      on d.id = doctor.id
      and (d.is_active or s.role <> 'patient')
    join hospital.staff_members as m
      on m.id = d.staff_member_id
  );
end;
$$;
comment on function hospital.doctors_full_name(hospital.doctors) is
  'The given and the family name, for anybody with a session, to patients of bookable doctors only. Lends the owner''s right to read staff, for names of doctors.';

create or replace function hospital.doctors_experience_years(doctor hospital.doctors)
returns integer
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select extract(
    year from age((now() at time zone 'UTC')::date, doctor.practising_since)
  )::integer;
$$;
comment on function hospital.doctors_experience_years(hospital.doctors) is
  'The completed years of practice.';

create or replace function hospital.departments_doctors(department hospital.departments)
returns setof hospital.doctors
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select d.*
  from hospital.doctors as d
  join hospital.staff_members as m
    on m.id = d.staff_member_id
  where m.department_id = department.id
    and d.is_active
  order by
    m.family_name,
    m.given_name,
    d.id;
$$;
comment on function hospital.departments_doctors(hospital.departments) is
  'The doctors of the department who can be booked.';

--! split: 5007-03-people-same_person_ids.sql
-- source: sql/03-people/same_person_ids.sql
-- The one place where a key becomes all keys of the person. Whoever decides by keys who may see whom asks here
-- last, so that what is seen of one record is seen of all.
create or replace function hospital_private.same_person_ids(patient_ids bigint[])
returns setof bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- A record that goes on is its own person: it is read from the index alone, and few others are looked for.
  return query
  select q.person_id
  from hospital.patients as q
  where q.id = any (same_person_ids.patient_ids)
  union all
  select p.id
  from hospital.patients as q
  join hospital.patients as p
    on p.person_id = q.person_id
    and p.merged_into_id is not null
  where q.id = any (same_person_ids.patient_ids);
end;
$$;
comment on function hospital_private.same_person_ids(bigint[]) is
  'The keys of all records of the persons whose records are named, these included. Only functions call it: which records are one person''s is nobody''s business. Lends the owner''s right to read that.';

create or replace function hospital.patients_records(patient hospital.patients)
returns setof hospital.patients
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select p.*
  from hospital.patients as p
  where p.person_id = patient.person_id
  order by
    (p.merged_into_id is not null),
    p.id;
$$;
comment on function hospital.patients_records(hospital.patients) is
  'All records of the person that the caller may see, the one that goes on first.';

--! split: 5008-04-scheduling-deliver_notifications.sql
-- source: sql/04-scheduling/deliver_notifications.sql
-- The outbox is emptied one message a transaction: claim, hand over, mark. A worker that dies between
-- handing over and marking leaves the message unmarked, so that it goes out again under the same
-- identifier: at least once, never not at all.
--
-- What a message says may cease to be so at any moment, and who changes an appointment must not wait for a mail
-- server. So a claim is an advisory lock, no lock of the row, and the worker asks once more when the
-- server is ready to take the text.
--
-- The reason is asked for when the appointment's row is locked, perhaps in a version that is newer than the
-- statement's snapshot. So it is looked for in a snapshot of its own, which has the move that made that version.
create or replace function hospital_private.reminder_reason(appointment_id bigint, starts_at timestamptz)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return concat_ws(
    ':',
    'reminder',
    reminder_reason.appointment_id,
    extract(epoch from reminder_reason.starts_at)::bigint,
    (
      select max(m.id)
      from hospital.appointment_moves as m
      where m.appointment_id = reminder_reason.appointment_id
        and (m.from_starts_at, m.from_doctor_id) <> (m.to_starts_at, m.to_doctor_id)
    )
  );
end;
$$;
comment on function hospital_private.reminder_reason(bigint, timestamptz) is
  'Why there is one reminder of an appointment at a time: the appointment, the time, and the move that brought it there.';

create or replace function hospital_private.is_still_so(notification hospital.notifications)
returns boolean
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select notification.sent_at is null
    and notification.withdrawn_at is null
    and exists (
      select
      from hospital.patients as p
      where p.id = notification.patient_id
        and p.deceased_on is null
        and p.erased_at is null
    )
    and case
      when notification.reason like 'reminder:%' then exists (
        select
        from hospital.appointments as a
        where a.id = notification.appointment_id
          and a.status = 'scheduled'
          and a.starts_at > clock_timestamp()
          and notification.reason = hospital_private.reminder_reason(a.id, a.starts_at)
      )
      when notification.reason like 'offer:%' then exists (
        select
        from hospital.appointments as a
        where a.id = notification.appointment_id
          and a.status = 'held'
          and a.expires_at > clock_timestamp()
      )
      else true
    end;
$$;
comment on function hospital_private.is_still_so(hospital.notifications) is
  'Whether a message waits to be sent and what it says is true: reminders before the appointment as it stands, offers while they last, nothing to who has died or was erased.';

create or replace function hospital_private.mail_address(patient_id bigint)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select c.value
  from hospital.patients as p
  join hospital.patients as r
    on r.person_id = p.person_id
  join hospital.contact_points as c
    on c.patient_id = r.id
  where p.id = mail_address.patient_id
    and c.kind = 'email'
  order by
    -- Of merged records the one that goes on knows best.
    r.id = p.person_id desc,
    c.is_preferred desc,
    c.id desc
  limit 1;
$$;
comment on function hospital_private.mail_address(bigint) is
  'Where mail reaches a patient: the preferred e-mail address on any of his records, or null.';

create or replace function ops.claim_notification()
returns ops.outgoing_message
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  candidate bigint;
  message ops.outgoing_message;
begin
  for candidate in
    select n.id
    from hospital.notifications as n
    left join ops.delivery_failures as f
      on f.notification_id = n.id
    where n.sent_at is null
      and n.withdrawn_at is null
      and (f.notification_id is null or f.next_attempt_at <= clock_timestamp())
    order by n.id
  loop
    continue when not pg_try_advisory_xact_lock(
      hashtextextended('infirmary.notification:' || candidate, 0)
    );
    -- Look again: another worker may have sent it before it let go.
    select
      n.id,
      n.message_id,
      hospital_private.mail_address(n.patient_id),
      n.subject,
      n.body,
      n.created_at
    into message
    from hospital.notifications as n
    left join ops.delivery_failures as f
      on f.notification_id = n.id
    where n.id = candidate
      and (f.notification_id is null or f.next_attempt_at <= clock_timestamp())
      and hospital_private.is_still_so(n);
    if message.address is not null then
      return message;
    elsif message.id is not null then
      perform ops.note_delivery_failure(candidate, 'NO_ADDRESS', false);
    end if;
  end loop;
  return null;
end;
$$;
comment on function ops.claim_notification() is
  'The next message to be sent, which until the transaction ends no other worker gets, or null; one without an address is put off. Lends the worker the owner''s right to read messages and addresses, one at a time.';

create or replace function ops.is_still_to_be_sent(notification_id bigint)
returns boolean
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select
    from hospital.notifications as n
    where n.id = is_still_to_be_sent.notification_id
      and hospital_private.is_still_so(n)
  );
$$;
comment on function ops.is_still_to_be_sent(bigint) is
  'Whether a message is still true, asked when the mail server is ready to take it. Lends the worker the owner''s right to read messages for this one answer.';

create or replace function ops.mark_notification_sent(notification_id bigint)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  delete from ops.delivery_failures as f
  where f.notification_id = mark_notification_sent.notification_id;
  -- Withdrawn while the server was taking it is withdrawn too late.
  update hospital.notifications as n
  set sent_at = clock_timestamp(),
    withdrawn_at = null
  where n.id = mark_notification_sent.notification_id
    and n.sent_at is null;
$$;
comment on function ops.mark_notification_sent(bigint) is
  'Records that a mail server has taken a message. Lends the worker the owner''s right to write that one column.';

create or replace function ops.note_delivery_failure(
  notification_id bigint,
  code text,
  is_permanent boolean
)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into ops.delivery_failures as f
    (notification_id, attempts, last_code, last_failed_at, next_attempt_at)
  values (
    note_delivery_failure.notification_id,
    1,
    note_delivery_failure.code,
    clock_timestamp(),
    clock_timestamp() + interval '1 minute'
  )
  on conflict on constraint delivery_failures_pkey do update
    set attempts = f.attempts + 1,
      last_code = excluded.last_code,
      last_failed_at = excluded.last_failed_at,
      -- A server that is down is waited for as long as the message is true; one that says no eight times means it.
      next_attempt_at = case
        when not note_delivery_failure.is_permanent or f.attempts < 7
          then clock_timestamp() + least(
            interval '1 minute' * power(2, least(f.attempts, 4)),
            interval '15 minutes'
          )
      end;
$$;
comment on function ops.note_delivery_failure(bigint, text, boolean) is
  'Records that a mail server did not take a message, and when it is tried again: after a minute, two, four, and so on up to a quarter of an hour. Lends the worker the owner''s right to write failures.';

create or replace function ops.withdraw_untrue_notifications()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  withdrawn as (
    update hospital.notifications as n
    set withdrawn_at = now()
    where n.sent_at is null
      and n.withdrawn_at is null
      and not hospital_private.is_still_so(n)
    returning 1
  )
  select count(*)
  from withdrawn;
$$;
comment on function ops.withdraw_untrue_notifications() is
  'Withdraws messages that time has overtaken, such as reminders of what is past, and returns how many. Lends the worker the owner''s right to withdraw messages.';

-- Somebody who wonders why no mail comes looks here.
create or replace view ops.message_queue
with (security_invoker = true)
as
select
  case
    when f.attempts is not null and f.next_attempt_at is null then 'given up'
    when hospital_private.mail_address(n.patient_id) is null then 'without an address'
    when f.attempts is not null then 'to be tried again'
    else 'waiting'
  end as state,
  count(*) as messages,
  min(n.created_at) as oldest,
  min(f.next_attempt_at) as next_attempt_at
from hospital.notifications as n
left join ops.delivery_failures as f
  on f.notification_id = n.id
where hospital_private.is_still_so(n)
group by 1;
comment on view ops.message_queue is 'What waits to be sent, by why it waits; empty when everything that is true was sent.';
comment on column ops.message_queue.state is 'Waiting, to be tried again, without an address, or given up.';
comment on column ops.message_queue.messages is 'How many messages.';
comment on column ops.message_queue.oldest is 'When the oldest of them was written.';
comment on column ops.message_queue.next_attempt_at is 'When the first of them is tried again, or null.';

--! split: 5009-04-scheduling-guard_appointment.sql
-- source: sql/04-scheduling/guard_appointment.sql
-- Time to come is promised only where it can be kept, on every path: API, SQL as any role, SQL as
-- the owner, load and replay. History is recorded as it happened.
create or replace function hospital_private.guard_appointment()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  refusal text;
  daily_limit integer;
  time_zone text;
  worked tstzmultirange;
  place bigint;
  -- Not the transaction's time: what a long load began with as time to come has passed when it is written.
  moment constant timestamptz := clock_timestamp();
begin
  -- Beside other bookings, apart from changes of the hours: what is read below stays true until this
  -- transaction ends. Where a day has a limit, whoever counts is alone.
  perform hospital_private.enter_calendar(
    new.doctor_id * 4,
    alone => exists (
      select
      from hospital.doctors as d
      cross join hospital.appointment_types as t
      where d.id = new.doctor_id
        and t.id = new.appointment_type_id
        and num_nonnulls(d.daily_limit, t.daily_limit) > 0
    )
  );
  -- An older snapshot reads the past, so there the doctor's row is asked too.
  if current_setting('transaction_isolation') <> 'read committed' then
    perform
    from hospital.doctors as d
    where d.id = new.doctor_id
    for share;
  end if;

  perform
  from hospital.patients as p
  where p.id = new.patient_id
  for key share;
  select case
      when not d.is_active then 'This doctor cannot be booked.'
      when p.deactivated_at is not null or p.deceased_on is not null
        or p.merged_into_id is not null then 'This patient''s record is closed.'
      when not t.is_bookable then 'This type of appointment cannot be booked.'
    end,
    d.daily_limit,
    f.time_zone
  into refusal, daily_limit, time_zone
  from hospital.doctors as d
  join hospital.staff_members as m
    on m.id = d.staff_member_id
  join hospital.departments as o
    on o.id = m.department_id
  join hospital.facilities as f
    on f.id = o.facility_id
  cross join hospital.patients as p
  cross join hospital.appointment_types as t
  where d.id = new.doctor_id
    and p.id = new.patient_id
    and t.id = new.appointment_type_id;
  if refusal is not null then
    raise exception using
      errcode = 'NOTBK',
      message = refusal;
  end if;

  select
    coalesce(range_agg(tstzrange(s.starts_at, s.ends_at)), '{}'),
    max(s.room_id) filter (where s.starts_at <= new.starts_at and s.ends_at > new.starts_at)
  into worked, place
  from hospital_private.working_shifts(array[new.doctor_id], new.busy) as s;
  -- What has passed is not written anew by anybody who is logged in; tools load history.
  if new.starts_at < moment then
    if (
        (tg_op = 'INSERT' and new.status in ('held', 'scheduled'))
        or (tg_op = 'UPDATE' and new.starts_at <> old.starts_at)
      )
      and hospital_private.current_account_id() is not null
    then
      raise exception using
        errcode = 'PASTT',
        message = 'That time has passed.';
    end if;
  end if;

  -- The room follows from the hours, where they name one, unless another was named.
  if new.room_id is null
    or (
      tg_op = 'UPDATE'
      and new.room_id = old.room_id
      and (new.doctor_id <> old.doctor_id or new.starts_at <> old.starts_at)
    )
  then
    new.room_id := case
      when tg_op = 'UPDATE' and new.doctor_id <> old.doctor_id then place
      else coalesce(place, new.room_id)
    end;
  end if;

  if exists (
    select
    from hospital.appointment_overrides as o
    where o.id = new.override_id
      and o.span @> new.busy
  ) then
    return new;
  end if;
  if not worked @> new.busy
    or hospital_private.is_second_pass(new.starts_at, time_zone)
  then
    raise exception using
      errcode = 'OUTWH',
      message = 'The doctor does not work at that time.',
      hint = 'Ask freeSlots for times that can be booked.';
  end if;
  -- A longer or shorter appointment is no new promise.
  if new.starts_at > moment
    and (
      tg_op = 'INSERT'
      or old.status not in ('held', 'scheduled', 'checked_in', 'in_progress')
      or (new.starts_at, new.doctor_id, new.patient_id, new.appointment_type_id)
        is distinct from (old.starts_at, old.doctor_id, old.patient_id, old.appointment_type_id)
    )
  then
    perform hospital_private.check_booking_rules(new, time_zone, daily_limit);
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_appointment() is
  'Trigger: an appointment becomes or stays active only with a bookable doctor, patient and type, within working time, and when promised within notice, horizon and daily limits; an override that covers it lifts all but the first. Raises NOTBK, PASTT, OUTWH, NOTIC, TOFAR, LIMIT, NHOLD, RETRY. Lends the owner''s right to read schedules and calendars.';

create or replace trigger _300_guard_insert
  before insert on hospital.appointments
  for each row
  when (new.status in ('held', 'scheduled', 'checked_in', 'in_progress'))
  execute function hospital_private.guard_appointment();

-- Moving through the states of a day asks nothing again: only place, time and coming back do.
create or replace trigger _300_guard_update
  before update on hospital.appointments
  for each row
  when (
    new.status in ('held', 'scheduled', 'checked_in', 'in_progress')
    and (
      old.status not in ('held', 'scheduled', 'checked_in', 'in_progress')
      or new.doctor_id <> old.doctor_id
      or new.patient_id <> old.patient_id
      or new.appointment_type_id <> old.appointment_type_id
      or new.busy <> old.busy
      or new.override_id is distinct from old.override_id
    )
  )
  execute function hospital_private.guard_appointment();

--! split: 5010-04-scheduling-lock_calendars.sql
-- source: sql/04-scheduling/lock_calendars.sql
-- Two inserts that conflict under an exclusion constraint at the same instant deadlock by design.
-- Whoever books therefore takes the calendars he touches first, in ascending order. Only the first
-- call of a transaction waits; a later one, whose keys may lie below those already held, tries and
-- gives up. So whoever waits holds nothing out of order, and no circle of waiting can close.
create or replace function hospital_private.lock_in_order(locks bigint[])
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  calls integer := coalesce(
    nullif(current_setting('infirmary.lock_calls', true), '')::integer, 0
  );
  held text[] := string_to_array(current_setting('infirmary.locked_calendars', true), ' ');
  key bigint;
begin
  for key in
    select distinct l.key
    from unnest(lock_in_order.locks) as l (key)
    where l.key is not null
    order by l.key
  loop
    -- What is held already is had at once; merely to try would fail on older servers when others wait.
    if calls = 0 or key::text = any (held) then
      perform pg_advisory_xact_lock(key);
    elsif not pg_try_advisory_xact_lock(key) then
      raise exception using
        errcode = 'RETRY',
        message = 'Somebody else is changing the same calendar. Try again.';
    end if;
    held := array_append(held, key::text);
  end loop;
  -- Local, so that a savepoint that takes the locks back takes this back too.
  perform
    set_config('infirmary.lock_calls', (calls + 1)::text, true),
    set_config('infirmary.locked_calendars', coalesce(array_to_string(held, ' '), ''), true);
  -- A writer past the functions takes no such locks and may wait for us while we wait for his row. So
  -- we wait half a second at most: less than the server takes to look for a deadlock and choose a victim.
  if current_setting('lock_timeout')::interval not between '1 ms' and '500 ms' then
    perform set_config('lock_timeout', '500ms', true);
  end if;
end;
$$;
comment on function hospital_private.lock_in_order(bigint[]) is
  'Takes advisory locks until the transaction ends, in ascending order, waiting only when they are its first; nulls are passed over; the transaction then waits half a second at most for any other lock. Raises RETRY when a later one is held by somebody else.';

-- A writer past the functions may hold rows already, so he waits half a second at most: less than the
-- server takes to call it a deadlock and choose a victim, who would be the other.
create or replace function hospital_private.enter_calendar(key bigint, alone boolean)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  is_held boolean := enter_calendar.key::text = any (
    string_to_array(current_setting('infirmary.locked_calendars', true), ' ')
  );
begin
  if is_held then
    -- By a function of ours: it is had at once, whoever waits.
    perform pg_advisory_xact_lock_shared(enter_calendar.key);
    return;
  end if;
  for attempt in 1..50 loop
    if enter_calendar.alone then
      if pg_try_advisory_xact_lock(enter_calendar.key) is not false then
        return;
      end if;
    elsif pg_try_advisory_xact_lock_shared(enter_calendar.key) is not false then
      return;
    end if;
    perform pg_sleep(0.01);
  end loop;
  raise exception using
    errcode = 'RETRY',
    message = 'Somebody else is changing the same calendar. Try again.';
end;
$$;
comment on function hospital_private.enter_calendar(bigint, boolean) is
  'Takes the advisory lock of a calendar until the transaction ends, shared with other bookings or alone; a null key is none. Raises RETRY after half a second.';

-- The last two bits of a key say whose calendar it is.
create or replace function hospital_private.lock_calendars(
  doctor_ids bigint[],
  patient_ids bigint[],
  room_ids bigint[] default '{}',
  staff_member_ids bigint[] default '{}',
  request_key text default null,
  appointment_ids bigint[] default '{}'
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.lock_in_order(
    array(select d.id * 4 from unnest(lock_calendars.doctor_ids) as d (id))
      || array(select p.id * 4 + 1 from unnest(lock_calendars.patient_ids) as p (id))
      || array(select r.id * 4 + 2 from unnest(lock_calendars.room_ids) as r (id))
      || array(select s.id * 4 + 3 from unnest(lock_calendars.staff_member_ids) as s (id))
      -- All who take part, whoever asks: a lock that depends on what the caller may see would not hold.
      || array(
        select s.staff_member_id * 4 + 3
        from hospital.appointment_staff as s
        where s.appointment_id = any (lock_calendars.appointment_ids)
      )
      || hospital_private.request_lock(lock_calendars.request_key)
  );
end;
$$;
comment on function hospital_private.lock_calendars(
  bigint[], bigint[], bigint[], bigint[], text, bigint[]
) is
  'Locks the calendars of doctors, patients, rooms and members of staff, of the staff of appointments, and the caller''s request of that key, until the transaction ends; nulls are passed over. Raises RETRY. Lends the owner''s right to see who takes part in an appointment, and tells nobody.';

-- Look, lock, look again: what was read before the lock may have moved meanwhile.
create or replace function hospital_private.lock_appointment(
  appointment_id bigint,
  doctor_id bigint default null,
  room_id bigint default null,
  request_key text default null
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  before hospital.appointments;
  appointment hospital.appointments;
begin
  select a.*
  into before
  from hospital.appointments as a
  where a.id = lock_appointment.appointment_id;
  perform hospital_private.found_appointment(before);
  loop
    perform hospital_private.lock_calendars(
      array[before.doctor_id, lock_appointment.doctor_id],
      array[before.patient_id],
      array[before.room_id, lock_appointment.room_id],
      request_key => lock_appointment.request_key,
      appointment_ids => array[before.id]
    );
    select a.*
    into appointment
    from hospital.appointments as a
    where a.id = before.id;
    perform hospital_private.found_appointment(appointment);
    exit when (appointment.doctor_id, appointment.patient_id, appointment.room_id)
      is not distinct from (before.doctor_id, before.patient_id, before.room_id);
    before := appointment;
  end loop;
  return appointment;
end;
$$;
comment on function hospital_private.lock_appointment(bigint, bigint, bigint, text) is
  'Locks the calendars an appointment is in, and those of a doctor and a room it is to go to, and returns it as it then stands. Raises NTFND when the caller sees none, RETRY.';

--! split: 5011-04-scheduling-roster_patient_ids.sql
-- source: sql/04-scheduling/roster_patient_ids.sql
-- Whose patients they are. A time that is only held, perhaps for somebody who has not asked for it, and
-- one that was called off make nobody a patient of anybody. Each is called once per statement, as
-- = any (array(select …)).

create or replace function hospital_private.patients_of_doctor(doctor_id bigint)
returns setof bigint
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select a.patient_id
  from hospital.appointments as a
  where a.doctor_id = patients_of_doctor.doctor_id
    and a.status not in ('held', 'cancelled', 'lapsed')
  union
  select v.patient_id
  from hospital.visits as v
  where v.doctor_id = patients_of_doctor.doctor_id
    and v.voided_at is null;
end;
$$;
comment on function hospital_private.patients_of_doctor(bigint) is
  'The records with which a doctor has an appointment or a visit.';

-- A doctor books these alone: through anybody else on the roster, which is for a day or for an emergency,
-- he would take him onto it for good.
create or replace function hospital_private.doctor_patient_ids()
returns setof bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  me constant bigint := hospital_private.current_doctor_id();
begin
  return query
  select hospital_private.same_person_ids(
    array(select hospital_private.patients_of_doctor(me))
  );
end;
$$;
comment on function hospital_private.doctor_patient_ids() is
  'The keys of all records of the patients with an appointment or a visit with the doctor of the live session. Lends the owner''s right to read appointments for this one question.';

create or replace function hospital_private.is_on_duty(doctor_id bigint)
returns boolean
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  moment constant timestamptz := clock_timestamp();
begin
  return exists (
    select
    from hospital_private.working_shifts(
      array[is_on_duty.doctor_id],
      tstzrange(moment, moment, '[]')
    )
  );
end;
$$;
comment on function hospital_private.is_on_duty(bigint) is
  'Whether the doctor works at this moment, by the hours in the calendar.';

-- Narrow on purpose: a department's patients are hundreds of thousands over the years, and who has duty
-- needs those who are here today.
create or replace function hospital_private.department_day(department_id bigint)
returns setof hospital.appointments
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select a.*
  from hospital.departments as d
  join hospital.facilities as f
    on f.id = d.facility_id
  cross join lateral (
    select date_trunc('day', clock_timestamp() at time zone f.time_zone) as midnight
  ) as today
  join hospital.appointments as a
    on a.department_id = d.id
    and a.starts_at >= today.midnight at time zone f.time_zone
    and a.starts_at < (today.midnight + interval '1 day') at time zone f.time_zone
    and a.status not in ('held', 'cancelled', 'lapsed', 'in_progress')
  where d.id = department_day.department_id
  union all
  select a.*
  from hospital.appointments as a
  where a.department_id = department_day.department_id
    and a.status = 'in_progress';
end;
$$;
comment on function hospital_private.department_day(bigint) is
  'The appointments of the department on this local day, and those in progress.';

create or replace function hospital_private.patients_treated_by(viewer hospital_private.viewer)
returns setof bigint
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if viewer.role = 'doctor' then
    return query
    select hospital_private.patients_of_doctor(viewer.doctor_id);
    if hospital_private.is_on_duty(viewer.doctor_id) then
      return query
      select a.patient_id
      from hospital_private.department_day(viewer.department_id) as a;
    end if;
  elsif viewer.role = 'nurse' then
    return query
    select distinct a.patient_id
    from hospital.appointments as a
    where a.department_id = viewer.department_id
      and a.starts_at
        > clock_timestamp() - (select r.nurse_roster from hospital_private.privacy_rules as r)
      and a.status not in ('held', 'cancelled', 'lapsed');
  end if;
end;
$$;
comment on function hospital_private.patients_treated_by(hospital_private.viewer) is
  'The records of which a doctor or nurse treats somebody: a doctor''s own and, on duty, the department''s of the day; a nurse''s department''s of late and to come.';

create or replace function hospital_private.treated_patient_ids()
returns setof bigint
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  viewer hospital_private.viewer := hospital_private.current_viewer();
begin
  return query
  select hospital_private.same_person_ids(
    array(select hospital_private.patients_treated_by(viewer))
  );
end;
$$;
comment on function hospital_private.treated_patient_ids() is
  'The keys of all records of the patients whom the live session''s doctor or nurse treats.';

create or replace function hospital_private.roster_patient_ids()
returns setof bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  viewer hospital_private.viewer := hospital_private.current_viewer();
  -- Not the statement's time: one statement of a client may be many of ours, and long.
  moment constant timestamptz := clock_timestamp();
begin
  if viewer.role in ('doctor', 'nurse') then
    return query
    select hospital_private.same_person_ids(
      array(
        select hospital_private.patients_treated_by(viewer)
        union all
        select g.patient_id
        from hospital.break_glass_grants as g
        where g.account_id = viewer.account_id
          and g.in_force @> moment
        union all
        select c.patient_id
        from hospital.consents as c
        join hospital.consent_scopes as s
          on s.code = c.scope
          and s.decision = 'permit'
        where c.staff_member_id = viewer.staff_member_id
          and c.in_force @> moment
      )
    );
  end if;
end;
$$;
comment on function hospital_private.roster_patient_ids() is
  'The keys of the patients on the roster of the live session: those it treats, and whom an emergency access or the patient''s permission adds for its time. Lends the owner''s right to read grants and consents for this one question.';

--! split: 5012-04-scheduling-send_reminders.sql
-- source: sql/04-scheduling/send_reminders.sql
-- Writes reminders into the outbox. The unique reason makes the job safe to run twice, at once, or
-- again after it was killed; a moved appointment has another reason and is reminded of anew, also
-- when it came back to a time that was told before.
create or replace function ops.send_reminders()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  -- Locked, so that nobody cancels between the look and the message. Who is just being changed comes
  -- next time; in order, so that two workers do not wait for each other.
  standing as materialized (
    select
      a.id,
      a.patient_id,
      a.doctor_id,
      a.department_id,
      a.appointment_type_id,
      a.starts_at
    from hospital.appointments as a
    where a.status = 'scheduled'
      and a.starts_at > now()
      and a.starts_at <= now() + interval '24 hours'
    order by a.id
    for key share skip locked
  ),
  upcoming as (
    select
      a.id,
      a.patient_id,
      hospital_private.reminder_reason(a.id, a.starts_at) as reason,
      hospital_private.told_time(a.starts_at, f.time_zone, p.time_zone, t.is_remote) as told,
      d.name as department_name,
      f.name as facility_name
    from standing as a
    join hospital.patients as p
      on p.id = a.patient_id
    join hospital.appointment_types as t
      on t.id = a.appointment_type_id
    join hospital.departments as d
      on d.id = a.department_id
    join hospital.facilities as f
      on f.id = d.facility_id
    where p.deceased_on is null
  ),
  written as (
    insert into hospital.notifications as n (reason, patient_id, appointment_id, subject, body)
    select
      u.reason,
      u.patient_id,
      u.id,
      'Your appointment',
      format(
        'You have an appointment on %s, %s, %s.',
        u.told,
        u.department_name,
        u.facility_name
      )
    from upcoming as u
    order by u.id
    -- One that was called off and then stands after all is reminded of after all.
    on conflict on constraint notifications_one_per_reason do update
      set withdrawn_at = null,
        body = excluded.body
      where n.withdrawn_at is not null
    returning n.id
  )
  select count(*)
  from written;
$$;
comment on function ops.send_reminders() is
  'Writes one reminder for every scheduled appointment of the next 24 hours, by the facility''s clock and the patient''s, and returns how many were new. Lends the worker the owner''s right to read appointments and write messages.';

--! split: 5013-05-clinical-open_record.sql
-- source: sql/05-clinical/open_record.sql
-- What a function tells of one patient as a whole, it tells those who may read the chart row by row. A chart
-- that is not open and a patient who is not there are both nobody, as in every query.
create or replace function hospital_private.open_record(patient_id bigint)
returns hospital.patients
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  patient hospital.patients;
  is_open boolean;
begin
  -- A role has the right to one of the two, and is asked for it only where it needs it.
  if hospital_private.session_has_role('patient') then
    is_open := open_record.patient_id in (select hospital_private.own_patient_ids());
  else
    is_open := open_record.patient_id in (select hospital_private.open_charts());
  end if;
  select p.*
  into patient
  from hospital.patients as p
  where p.id = open_record.patient_id
    and is_open;
  return patient;
end;
$$;
comment on function hospital_private.open_record(bigint) is
  'The patient, for himself, a proxy, and a doctor or nurse whose session has the chart open; null to everybody else.';

--! split: 5014-05-clinical-sensitive_access.sql
-- source: sql/05-clinical/sensitive_access.sql
create or replace function hospital.grant_sensitive_access(
  patient_id bigint,
  staff_member_id bigint,
  sensitivity text,
  reason text,
  ends_at timestamptz
)
returns hospital.sensitivity_grants
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  access hospital.sensitivity_grants;
begin
  if coalesce(grant_sensitive_access.ends_at <= now(), true) then
    raise exception using
      errcode = 'PASTT',
      message = 'A grant ends at a time to come.';
  end if;
  insert into hospital.sensitivity_grants
    (patient_id, staff_member_id, sensitivity, granted, reason, granted_by)
  values (
    grant_sensitive_access.patient_id,
    grant_sensitive_access.staff_member_id,
    grant_sensitive_access.sensitivity,
    tstzrange(now(), grant_sensitive_access.ends_at),
    grant_sensitive_access.reason,
    hospital_private.current_staff_member_id()
  )
  returning *
  into access;
  return access;
exception
  -- Whom the policies do not let grant it hears the same as of nobody: else he learned whose notes are whose.
  when insufficient_privilege or foreign_key_violation then
    raise exception using
      errcode = 'NTFND',
      message = 'There are no such notes of yours, or no such colleague.';
end;
$$;
comment on function hospital.grant_sensitive_access(bigint, bigint, text, text, timestamptz) is
  'Lets a colleague read a patient''s notes of one sensitivity from now until then; for doctors who signed such a note, and administrators. Raises PASTT, NTFND.';

create or replace function hospital.end_sensitive_access(grant_id bigint)
returns hospital.sensitivity_grants
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  access hospital.sensitivity_grants;
begin
  update hospital.sensitivity_grants as g
  set ended_at = clock_timestamp()
  where g.id = end_sensitive_access.grant_id
    and g.in_force @> clock_timestamp()
  returning g.*
  into access;
  -- What has ended stays as it ended.
  if access.id is null then
    select g.*
    into access
    from hospital.sensitivity_grants as g
    where g.id = end_sensitive_access.grant_id
      and g.granted_by = hospital_private.current_staff_member_id();
  end if;
  if access.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such grant of yours.';
  end if;
  return access;
end;
$$;
comment on function hospital.end_sensitive_access(bigint) is
  'Ends a grant of one''s own at once. Raises NTFND.';

-- Who could read what is part of the record: a grant may end sooner, once, and is otherwise not rewritten.
create or replace function hospital_private.guard_sensitivity_grant()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  free constant text[] := array['ended_at', 'in_force', 'updated_at'];
begin
  -- An erasure, which is the owner's, empties it all the same.
  if current_user = 'hospital_owner' then
    if hospital_private.is_being_erased(old.patient_id) then
      return new;
    end if;
  end if;
  if to_jsonb(new) - free is distinct from to_jsonb(old) - free or old.ended_at is not null then
    raise exception using
      errcode = 'TRNSN',
      message = 'A grant ends sooner, once, and changes in nothing else.';
  end if;
  -- When it ended is not for the writer to say.
  if new.ended_at is not null then
    new.ended_at := clock_timestamp();
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_sensitivity_grant() is
  'Trigger: keeps a grant as it was given, and stamps its end. Raises TRNSN.';

create or replace trigger _300_guard
  before update on hospital.sensitivity_grants
  for each row execute function hospital_private.guard_sensitivity_grant();

--! split: 5015-11-privacy-current_viewer.sql
-- source: sql/11-privacy/current_viewer.sql
-- What decides about charts needs session, account, person and department together: one query,
-- whose plan plpgsql keeps.
create or replace function hospital_private.current_viewer()
returns hospital_private.viewer
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  viewer hospital_private.viewer;
begin
  select
    s.id,
    s.account_id,
    s.role,
    m.id,
    s.doctor_id,
    m.department_id
  into viewer
  from hospital_private.live_session as s
  join hospital.staff_members as m
    on m.id = s.staff_member_id
  where s.role <> 'patient';
  return viewer;
end;
$$;
comment on function hospital_private.current_viewer() is
  'The member of staff behind the live session, or null; lends the owner''s right to read sessions and accounts.';

--! split: 5016-11-privacy-own_patient_ids.sql
-- source: sql/11-privacy/own_patient_ids.sql
-- Whose rows a patient has before him. The policies of patients ask here once per statement, as
-- = any (array(select …)), so a grant counts from the moment it is written and no longer than it lasts.
create or replace function hospital_private.current_patient_ids()
returns setof bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select p.id
  from hospital_private.live_session as s
  join hospital.patients as mine
    on mine.id = s.patient_id
  join hospital.patients as p
    on p.person_id = mine.person_id
  where s.role = 'patient';
end;
$$;
comment on function hospital_private.current_patient_ids() is
  'The keys of all records of the patient who is logged in. Lends the owner''s right to read which are one person''s.';

-- The grants of the caller's own records and no others: nobody acts through somebody else's.
create or replace function hospital_private.own_patient_ids(to_book boolean default false)
returns setof bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with
  mine as materialized (
    select p.id
    from hospital_private.live_session as s
    join hospital.patients as me
      on me.id = s.patient_id
    join hospital.patients as p
      on p.person_id = me.person_id
    where s.role = 'patient'
  )

  select m.id
  from mine as m

  union all
  select p.id
  from mine as m
  join hospital.patient_proxies as x
    on x.proxy_id = m.id
  join hospital.proxy_scopes as s
    on s.code = x.scope
  join hospital.patients as ward
    on ward.id = x.patient_id
  join hospital.patients as p
    on p.person_id = ward.person_id
  where x.revoked_at is null
    and (s.may_book or not own_patient_ids.to_book)
    and hospital_private.is_live_proxy(x);
end;
$$;
comment on function hospital_private.own_patient_ids(boolean) is
  'The keys of all records the patient who is logged in reads, or those whose appointments he keeps: his own, and of those for whom he is a live proxy. Lends the owner''s right to read grants.';

--! split: 5017-11-privacy-smallest_cell.sql
-- source: sql/11-privacy/smallest_cell.sql
create or replace function hospital_private.smallest_cell()
returns integer
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select m.smallest_cell
  from hospital_private.masking_settings as m;
$$;
comment on function hospital_private.smallest_cell() is
  'Of how many persons a number is at least, where it is told to somebody who may not know who they are.';

--! split: 5018-11-privacy-what_is_personal.sql
-- source: sql/11-privacy/what_is_personal.sql
-- What every column of every table says about a person. Erasures, their certificates and the guards
-- below follow these lists, and a lint names what is missing: a column is classified here or nowhere.
-- Like a policies file it begins from nothing, so that a line deleted here is gone. A guard that refuses
-- every change to a table listed here asks is_being_erased before it does.
delete from hospital_private.column_classes;
delete from hospital_private.person_tables;

insert into hospital_private.column_classes (relation, column_name, class)
select
  l.relation,
  c.name,
  l.class
from (values
  -- People.
  ('hospital.patients', 'identity', 'mrn given_name family_name'),
  ('hospital.patients', 'coarsened', 'date_of_birth deceased_on time_zone'),
  ('hospital.patients', 'free_text', 'deactivation_reason'),
  ('hospital.patients', 'clinical', 'sex'),
  ('hospital.patients', 'technical', 'id public_uuid merged_into_id deactivated_at created_at updated_at erased_at person_id'),
  ('hospital.patient_merges', 'free_text', 'reason'),
  ('hospital.patient_merges', 'technical', 'id duplicate_id survivor_id merged_at merged_by unmerged_at unmerged_by'),
  ('hospital.patient_proxies', 'free_text', 'evidence'),
  ('hospital.patient_proxies', 'technical', 'id patient_id proxy_id relationship is_guardian scope granted granted_by revoked_at revoked_by'),
  ('hospital.contact_points', 'identity', 'value'),
  ('hospital.contact_points', 'technical', 'id patient_id staff_member_id kind is_preferred created_at updated_at'),
  ('hospital.patient_identifiers', 'identity', 'value'),
  ('hospital.patient_identifiers', 'technical', 'id patient_id system created_at updated_at'),
  ('hospital.staff_members', 'staff', 'id public_uuid given_name family_name job department_id manager_id hired_on left_on created_at updated_at'),
  ('hospital.doctors', 'staff', 'id staff_member_id job specialization licence practising_since approved_at deactivated_at is_active created_at updated_at daily_limit'),

  -- Accounts.
  ('hospital_private.accounts', 'identity', 'email'),
  ('hospital_private.accounts', 'secret', 'password_hash'),
  ('hospital_private.accounts', 'technical', 'id patient_id staff_member_id failed_attempts locked_until disabled_at created_at updated_at'),
  ('hospital_private.account_roles', 'technical', 'account_id role granted_by granted_at'),
  ('hospital_private.sessions', 'identity', 'client_address'),
  ('hospital_private.sessions', 'secret', 'secret_hash'),
  ('hospital_private.sessions', 'technical', 'id account_id role access_expires_at expires_at revoked_at revoked_reason created_at'),
  ('hospital_private.refresh_tokens', 'secret', 'token_hash'),
  ('hospital_private.refresh_tokens', 'technical', 'session_id issued_at used_at'),
  ('hospital_private.idempotency_keys', 'free_text', 'key'),
  ('hospital_private.idempotency_keys', 'secret', 'payload_hash'),
  ('hospital_private.idempotency_keys', 'technical', 'account_id operation result_id created_at'),

  -- The calendar.
  ('hospital.appointments', 'free_text', 'reason'),
  ('hospital.appointments', 'clinical', 'doctor_id department_id room_id appointment_type_id starts_at ends_at busy status cancelled_at cancellation_reason no_show_reason'),
  ('hospital.appointments', 'technical', 'id public_uuid patient_id buffer_before_minutes buffer_after_minutes expires_at created_at updated_at override_id series_id waitlist_entry_id'),
  ('hospital.appointment_moves', 'clinical', 'from_doctor_id to_doctor_id from_room_id to_room_id from_starts_at to_starts_at from_ends_at to_ends_at'),
  ('hospital.appointment_moves', 'technical', 'id appointment_id patient_id moved_at moved_by'),
  ('hospital.appointment_overrides', 'clinical', 'doctor_id span reason'),
  ('hospital.appointment_overrides', 'technical', 'id patient_id granted_by granted_at'),
  ('hospital.appointment_series', 'clinical', 'doctor_id appointment_type_id first_date local_time every_weeks occurrences skipped_dates'),
  ('hospital.appointment_series', 'technical', 'id patient_id created_at'),
  ('hospital.appointment_staff', 'clinical', 'staff_member_id job busy status'),
  ('hospital.appointment_staff', 'technical', 'appointment_id patient_id assigned_at'),
  ('hospital.appointment_status_history', 'clinical', 'from_status to_status reason'),
  ('hospital.appointment_status_history', 'technical', 'id appointment_id changed_at changed_by'),
  ('hospital.waitlist_entries', 'clinical', 'appointment_type_id department_id doctor_id starts_from starts_before priority status'),
  ('hospital.waitlist_entries', 'technical', 'id patient_id joined_at updated_at'),
  ('hospital.notifications', 'free_text', 'subject body'),
  ('hospital.notifications', 'technical', 'id reason message_id patient_id appointment_id created_at sent_at withdrawn_at'),
  ('hospital.doctor_extra_sessions', 'staff', 'id doctor_id starts_at ends_at room_id created_at updated_at'),
  ('hospital.doctor_schedules', 'staff', 'id doctor_id weekday start_time end_time effective room_id created_at updated_at'),
  ('hospital.doctor_time_off', 'staff', 'id doctor_id starts_at ends_at reason created_at updated_at'),

  -- The record.
  ('hospital.visits', 'free_text', 'diagnosis notes amendment_reason void_reason'),
  ('hospital.visits', 'clinical', 'doctor_id started_at ended_at'),
  ('hospital.visits', 'technical', 'id record_uuid appointment_id patient_id version voided_at created_at updated_at'),
  ('hospital.visit_versions', 'free_text', 'diagnosis notes amendment_reason'),
  ('hospital.visit_versions', 'technical', 'visit_id version patient_id replaced_at replaced_by'),
  ('hospital.visit_diagnoses', 'free_text', 'void_reason'),
  ('hospital.visit_diagnoses', 'clinical', 'diagnosis_code_id rank'),
  ('hospital.visit_diagnoses', 'technical', 'id visit_id patient_id voided_at created_at updated_at'),
  ('hospital.patient_conditions', 'free_text', 'void_reason'),
  ('hospital.patient_conditions', 'clinical', 'diagnosis_code_id onset_on abated_on'),
  ('hospital.patient_conditions', 'technical', 'id patient_id visit_id voided_at created_at updated_at'),
  ('hospital.prescriptions', 'free_text', 'dosage instructions stop_reason'),
  ('hospital.prescriptions', 'clinical', 'medication_id prescribed_by start_date duration_days end_date stopped_at'),
  ('hospital.prescriptions', 'technical', 'id visit_id patient_id created_at updated_at'),
  ('hospital.treatments', 'free_text', 'notes void_reason'),
  ('hospital.treatments', 'clinical', 'type cost started_at ended_at outcome'),
  ('hospital.treatments', 'technical', 'id visit_id patient_id voided_at created_at updated_at'),
  ('hospital.clinical_notes', 'free_text', 'body void_reason'),
  ('hospital.clinical_notes', 'secret', 'content_hash'),
  ('hospital.clinical_notes', 'clinical', 'note_type author_id sensitivity signed_at'),
  ('hospital.clinical_notes', 'technical', 'id note_uuid record_uuid patient_id addendum_to_id version voided_at created_at updated_at'),
  ('hospital.clinical_note_versions', 'free_text', 'body'),
  ('hospital.clinical_note_versions', 'technical', 'note_id version patient_id sensitivity replaced_at replaced_by'),
  ('hospital.sensitivity_grants', 'free_text', 'reason'),
  ('hospital.sensitivity_grants', 'technical', 'id patient_id staff_member_id sensitivity granted ended_at in_force granted_by created_at updated_at'),

  -- Privacy and its proof.
  ('hospital.break_glass_grants', 'free_text', 'reason review_remark'),
  ('hospital.break_glass_grants', 'technical', 'id account_id staff_member_id role patient_id category granted ended_at in_force review_due_at bars_next reviewed_at reviewed_by outcome'),
  ('audit.break_glass_misses', 'staff', 'id account_id session_id client_address missed_at'),
  ('hospital.consents', 'free_text', 'evidence'),
  ('hospital.consents', 'technical', 'id public_uuid patient_id scope staff_member_id department_id actor granted withdrawn_at in_force recorded_at recorded_by recorded_as withdrawn_by'),
  ('audit.chart_openings', 'technical', 'session_id access_id patient_id role opened_at'),
  ('hospital_private.login_failures', 'evidence', 'client_network'),
  ('hospital_private.login_failures', 'technical', 'id failed_at'),
  ('hospital_private.live_events', 'technical', 'id channels payload'),
  ('hospital_private.masking_subjects', 'secret', 'secret shift_days'),
  ('hospital_private.masking_subjects', 'technical', 'release_id patient_id'),
  ('hospital.legal_holds', 'free_text', 'matter reason release_reason'),
  ('hospital.legal_holds', 'technical', 'id patient_id held placed_by placed_at released_by released_at'),
  ('hospital.erasures', 'technical', 'id subject record_uuids reason is_complete erased_by erased_at reapplied_at'),
  ('hospital.erasure_lines', 'none', 'erasure_id relation data_class outcome column_names row_count explanation'),
  ('audit.entries', 'sealed', 'sealed_identity new_row_digest'),
  ('audit.entries', 'clinical', 'old_image'),
  ('audit.entries', 'evidence', 'client_address'),
  ('audit.entries', 'technical', 'sequence transaction_id recorded_at era table_name operation row_key patient_id account_id session_id role database_user request_id purpose'),
  ('audit.person_keys', 'sealed', 'wrapped_key digest_salt'),
  ('audit.person_keys', 'technical', 'patient_id created_at shredded_at shredded_after'),
  ('audit.seals', 'none', 'block era month sequences entry_hashes last_transaction_id last_sequence previous_hash hash sealed_at'),
  ('audit.eras', 'none', 'era cluster began_at'),
  ('audit.retired_months', 'none', 'month entries retired_at retired_by'),
  ('audit.access_tags', 'none', 'code name'),
  ('audit.enrolments', 'none', 'table_name columns enrolled_at'),
  ('audit.identity_columns', 'none', 'table_name column_name'),
  ('audit.unaudited_columns', 'none', 'table_name column_name reason'),
  ('audit.unaudited_tables', 'none', 'table_name reason'),
  ('audit.key_fingerprints', 'none', 'id fingerprint recorded_at'),
  ('audit.audit_openings', 'staff', 'id account_id session_id reason opened_at'),
  ('audit.chart_accesses', 'evidence', 'client_address'),
  ('audit.chart_accesses', 'technical', 'id patient_id account_id session_id role purpose opened_at department_id tag break_glass_grant_id consent_id request_id covers'),

  -- Where files from outside land.
  ('staging.import_keys', 'secret', 'content'),
  ('staging.import_keys', 'technical', 'target ordinal entry patient_condition_id prescription_id treatment_id'),
  ('staging.import_rejects', 'identity', 'record'),
  ('staging.import_rejects', 'technical', 'run_id file line reason field'),
  ('staging.import_remarks', 'technical', 'run_id file line reason'),
  ('staging.import_runs', 'none', 'id source directory loaded_at'),
  ('staging.import_files', 'none', 'run_id file is_present read loaded already_there rejected'),
  ('staging.synthea_patients', 'identity', 'id birthdate deathdate ssn drivers passport first middle last gender address city state zip'),
  ('staging.synthea_patients', 'free_text', 'defective_text'),
  ('staging.synthea_patients', 'technical', 'line defect'),
  ('staging.synthea_encounters', 'identity', 'patient'),
  ('staging.synthea_encounters', 'free_text', 'defective_text id start stop organization provider description reasondescription'),
  ('staging.synthea_encounters', 'technical', 'line defect'),
  ('staging.synthea_conditions', 'identity', 'patient'),
  ('staging.synthea_conditions', 'free_text', 'defective_text start stop encounter system code description'),
  ('staging.synthea_conditions', 'technical', 'line defect'),
  ('staging.synthea_medications', 'identity', 'patient'),
  ('staging.synthea_medications', 'free_text', 'defective_text start stop encounter code description'),
  ('staging.synthea_medications', 'technical', 'line defect'),
  ('staging.synthea_procedures', 'identity', 'patient'),
  ('staging.synthea_procedures', 'free_text', 'defective_text start stop encounter system code description base_cost'),
  ('staging.synthea_procedures', 'technical', 'line defect'),
  ('staging.synthea_organizations', 'none', 'line defect defective_text id name address city state zip phone'),
  ('staging.synthea_providers', 'staff', 'line defect defective_text id organization name speciality'),

  -- The warehouse: nothing in it names a patient, unless a symptom was typed that does.
  ('warehouse.dim_patient', 'clinical', 'sex birth_year is_active'),
  ('warehouse.dim_patient', 'technical', 'patient_key patient_id person_id valid is_current'),
  ('warehouse.patient_versions', 'clinical', 'sex is_active'),
  ('warehouse.patient_versions', 'technical', 'id patient_id recorded_at'),
  ('warehouse.dim_doctor', 'staff', 'doctor_key doctor_id valid is_current name specialization department_id is_active practising_since'),
  ('warehouse.doctor_versions', 'staff', 'id doctor_id recorded_at name specialization department_id is_active'),
  ('warehouse.dim_department', 'none', 'department_key department_id valid is_current name facility_id parent_id is_active'),
  ('warehouse.department_versions', 'none', 'id department_id recorded_at name facility_id parent_id is_active'),
  ('warehouse.dim_date', 'none', 'date_key year quarter month month_start iso_year iso_week day weekday is_weekend'),
  ('warehouse.dim_time_of_day', 'none', 'minute_key hour minute part_of_day'),
  ('warehouse.dim_appointment_type', 'none', 'appointment_type_key code name price'),
  ('warehouse.dim_diagnosis', 'none', 'diagnosis_key system code description category'),
  ('warehouse.dim_comorbidity', 'none', 'code name weight superseded_by counts_when_over'),
  ('warehouse.dim_comorbidity_code', 'none', 'prefix comorbidity'),
  ('warehouse.dim_medication', 'none', 'medication_key code name'),
  ('warehouse.fact_appointments', 'clinical', 'doctor_key department_key appointment_type_key booked_on starts_on start_minute status cancellation_reason booked_at starts_at arrived_at seen_at done_at cancelled_at planned_minutes occupied_minutes lead_days wait_minutes'),
  ('warehouse.fact_appointments', 'technical', 'appointment_id patient_key'),
  ('warehouse.fact_visits', 'clinical', 'doctor_key department_key visited_on start_minute started_at duration_minutes age_years'),
  ('warehouse.fact_visits', 'technical', 'visit_id appointment_id patient_key'),
  ('warehouse.fact_diagnoses', 'clinical', 'doctor_key department_key diagnosis_key diagnosed_on rank age_years'),
  ('warehouse.fact_diagnoses', 'technical', 'visit_diagnosis_id visit_id patient_key'),
  ('warehouse.fact_conditions', 'clinical', 'diagnosis_key onset_on abated_on'),
  ('warehouse.fact_conditions', 'technical', 'patient_condition_id patient_key'),
  ('warehouse.fact_prescriptions', 'clinical', 'doctor_key department_key medication_key starts_on stopped_on duration_days'),
  ('warehouse.fact_prescriptions', 'technical', 'prescription_id visit_id patient_key'),
  ('warehouse.fact_treatments', 'clinical', 'doctor_key department_key treatment_type treated_on duration_minutes cost outcome'),
  ('warehouse.fact_treatments', 'technical', 'treatment_id visit_id patient_key'),
  ('warehouse.fact_symptoms', 'free_text', 'symptoms'),
  ('warehouse.fact_symptoms', 'clinical', 'doctor_key department_key noted_on'),
  ('warehouse.fact_symptoms', 'technical', 'clinical_note_id visit_id patient_key'),
  ('warehouse.load_sources', 'none', 'loaded_table source_table source_column found_by'),
  ('warehouse.load_state', 'none', 'is_only cluster snapshot next_transaction_id loaded_by retired_months definitions data_as_of loaded_in_full_at'),
  ('warehouse.table_states', 'none', 'table_name changed_as_of'),
  ('warehouse.view_states', 'none', 'view_name filled_from refreshed_at data_as_of'),
  ('warehouse.view_settings', 'none', 'is_the_row stale_after'),
  ('ops.alert_kinds', 'none', 'code description'),
  ('ops.alerts', 'none', 'id kind raised_at closed_at'),

  -- The house and its code lists.
  ('hospital.facilities', 'none', 'id public_uuid name time_zone address phone created_at updated_at'),
  ('hospital.departments', 'none', 'id facility_id parent_id name location is_active created_at updated_at'),
  ('hospital.rooms', 'none', 'id department_id name is_active created_at updated_at'),
  ('hospital.appointment_types', 'none', 'id code name duration_minutes buffer_before_minutes buffer_after_minutes price is_bookable created_at updated_at notice_minutes horizon_days daily_limit hold_minutes offer_minutes is_remote'),
  ('hospital.appointment_statuses', 'none', 'code name is_active sort_order'),
  ('hospital.appointment_status_transitions', 'none', 'from_status to_status description earliest_minutes_before_start'),
  ('hospital.cancellation_reasons', 'none', 'code name party'),
  ('hospital.no_show_reasons', 'none', 'code name party'),
  ('hospital.override_reasons', 'none', 'code name party'),
  ('hospital.time_off_reasons', 'none', 'code name'),
  ('hospital.waitlist_statuses', 'none', 'code name is_open'),
  ('hospital.chart_purposes', 'none', 'code name'),
  ('hospital.contact_kinds', 'none', 'code name'),
  ('hospital.identifier_systems', 'none', 'code name'),
  ('hospital.sexes', 'none', 'code name'),
  ('hospital.jobs', 'none', 'code name'),
  ('hospital.specialties', 'none', 'name description'),
  ('hospital.time_zones', 'none', 'name'),
  ('hospital.diagnosis_codes', 'none', 'id system code description'),
  ('hospital.medications', 'none', 'id code name is_active'),
  ('hospital.treatment_types', 'none', 'name code'),
  ('hospital.outcome_codes', 'none', 'code name sort_order'),
  ('hospital.retention_rules', 'none', 'code name kept_for due_after minors_until_age is_separable legal_hint updated_at'),
  ('hospital.erasure_reasons', 'none', 'code name'),
  ('hospital.break_glass_reasons', 'none', 'code name'),
  ('hospital.break_glass_outcomes', 'none', 'code name'),
  ('hospital.consent_scopes', 'none', 'code name decision actor purpose'),
  ('hospital.proxy_relationships', 'none', 'code name is_guardian'),
  ('hospital.proxy_scopes', 'none', 'code name may_book'),
  ('hospital.sensitivities', 'none', 'code name security_label'),
  ('hospital.note_types', 'none', 'code name default_sensitivity'),
  ('hospital.note_sections', 'none', 'note_type key title value_type is_required sort_order'),
  ('hospital_private.privacy_rules', 'none', 'is_only_row chart_window nurse_roster break_glass_lasts break_glass_review_within break_glass_waits_for_review break_glass_misses'),
  ('hospital_private.masking_settings', 'none', 'is_the_row smallest_cell closing_days'),
  ('hospital_private.masking_releases', 'none', 'id purpose until smallest_cell started_at retired_at'),
  ('hospital_private.masking_categories', 'none', 'release_id kind category'),
  ('masked.publications', 'none', 'report period_start period_end smallest_cell published_at'),
  ('masked.published_appointments', 'none', 'month department status appointments'),
  ('masked.published_diagnoses', 'none', 'year chapter sex age_band diagnoses'),
  ('masked.diagnosis_chapters', 'none', 'name first_category last_category'),
  ('hospital_private.roles', 'none', 'name database_role description'),
  ('hospital_private.data_classes', 'none', 'code is_erased explanation'),
  ('hospital_private.column_classes', 'none', 'relation column_name class replacement'),
  ('hospital_private.person_tables', 'none', 'relation rows_of is_deleted retention_rule last_contact'),
  ('ops.backups', 'none', 'name started_at finished_at server_version timeline start_lsn end_lsn bytes stored_bytes is_encrypted verified_at problems removed_at'),
  ('ops.backup_drills', 'none', 'id backup started_at finished_at restore_seconds recovery_point passed checks'),
  ('ops.delivery_failures', 'technical', 'notification_id attempts last_code last_failed_at next_attempt_at'),
  ('ops.reports', 'none', 'report month format content data_as_of made_at'),
  ('ops.job_runs', 'none', 'id job started_at finished_at outcome affected_rows error_code'),
  ('ops.change_consumers', 'none', 'name reader tables stream incarnation position read_to created_at last_read_at acknowledged_at'),
  ('staging.import_reasons', 'none', 'code is_reject description'),
  ('staging.state_time_zones', 'none', 'code name time_zone')
) as l (relation, class, columns)
cross join lateral regexp_split_to_table(l.columns, ' ') as c (name);

-- What an erasure puts in place of a value, where the word [erased] will not do.
update hospital_private.column_classes as c
set replacement = r.expression
from (values
  -- Numbers come from a sequence that never goes back, so the number that is taken away is nobody's again.
  ('hospital.patients', 'mrn', $$'MR' || lpad(nextval('hospital_private.medical_record_numbers')::text, 8, '0')$$),
  ('hospital.patients', 'date_of_birth', $$date_trunc('year', t.date_of_birth)::date$$),
  ('hospital.patients', 'deceased_on', $$date_trunc('year', t.deceased_on)::date$$),
  ('hospital.patients', 'time_zone', 'null'),
  ('hospital_private.accounts', 'email', $$'erased-' || t.id || '@erased.invalid'$$),
  ('hospital_private.accounts', 'password_hash', $$'$2a$10$' || repeat('.', 53)$$),
  ('hospital_private.sessions', 'client_address', 'null'),
  ('hospital_private.sessions', 'secret_hash', 'extensions.gen_random_bytes(32)'),
  -- An erasure of words is an amendment, and an amendment has a reason.
  ('hospital.visits', 'amendment_reason', $$'[erased]'$$),
  -- Two holds at one time are never for one matter.
  ('hospital.legal_holds', 'matter', $$'[erased] ' || t.id$$),
  ('hospital.clinical_notes', 'body', $$'{}'$$),
  ('hospital.clinical_notes', 'content_hash', $$case when t.content_hash is not null then repeat('0', 64) end$$),
  ('hospital.clinical_note_versions', 'body', $$'{}'$$),
  ('staging.import_rejects', 'record', $$'{}'$$)
) as r (relation, column_name, expression)
where c.relation = r.relation
  and c.column_name = r.column_name;

-- Where the rows of a person are. A row of a file is his when one of its values is his alone.
insert into hospital_private.person_tables
  (relation, retention_rule, last_contact, is_deleted, rows_of)
select
  l.relation,
  l.retention_rule,
  l.last_contact,
  l.is_deleted,
  coalesce(l.rows_of, 't.patient_id = any ($1)')
from (values
  ('hospital.patients', 'identity', 't.created_at', false, 't.id = any ($1)'),
  ('hospital.contact_points', 'identity', null, true, null),
  ('hospital.patient_identifiers', 'identity', null, true, null),
  ('hospital.legal_holds', 'identity', null, false, null),
  ('hospital.patient_merges', 'identity', null, false, 't.duplicate_id = any ($1) or t.survivor_id = any ($1)'),
  ('hospital.patient_proxies', 'identity', null, false, null),
  ('hospital_private.masking_subjects', 'identity', null, true, null),
  ('hospital.break_glass_grants', 'clinical_record', null, false, null),
  ('hospital.consents', 'clinical_record', null, false, null),
  ('hospital.sensitivity_grants', 'clinical_record', null, false, null),
  ('hospital.clinical_notes', 'clinical_record', 't.created_at', false, null),
  ('hospital.clinical_note_versions', 'clinical_record', null, false, null),
  ('hospital_private.accounts', 'identity', null, false, null),
  ('hospital_private.account_roles', null, null, false, 't.account_id in (select a.id from hospital_private.accounts as a where a.patient_id = any ($1))'),
  ('hospital_private.sessions', 'identity', null, false, 't.account_id in (select a.id from hospital_private.accounts as a where a.patient_id = any ($1))'),
  ('hospital_private.refresh_tokens', 'identity', null, true, 't.session_id in (select s.id from hospital_private.sessions as s join hospital_private.accounts as a on a.id = s.account_id where a.patient_id = any ($1))'),
  ('hospital_private.idempotency_keys', 'identity', null, true, 't.account_id in (select a.id from hospital_private.accounts as a where a.patient_id = any ($1))'),
  -- What is still to come is no contact yet: an erasure calls it off.
  ('hospital.appointments', 'appointments', 'case when t.starts_at <= now() then t.starts_at end', false, null),
  ('hospital.appointment_moves', null, null, false, null),
  ('hospital.appointment_overrides', null, null, false, null),
  ('hospital.appointment_series', null, null, false, null),
  ('hospital.appointment_staff', null, null, false, null),
  ('hospital.appointment_status_history', null, null, false, 't.appointment_id in (select a.id from hospital.appointments as a where a.patient_id = any ($1))'),
  ('hospital.waitlist_entries', null, null, false, null),
  ('hospital.notifications', 'messages', 't.created_at', false, null),
  ('hospital.visits', 'clinical_record', 't.started_at', false, null),
  ('hospital.visit_versions', 'clinical_record', null, false, null),
  ('hospital.visit_diagnoses', 'clinical_record', null, false, null),
  ('hospital.patient_conditions', 'clinical_record', 'greatest(t.onset_on, t.abated_on)', false, null),
  ('hospital.prescriptions', 'clinical_record', 'least(t.start_date, t.created_at)', false, null),
  ('hospital.treatments', 'clinical_record', 't.started_at', false, null),
  ('hospital.erasures', null, null, false, 't.record_uuids && array(select p.public_uuid from hospital.patients as p where p.id = any ($1))'),
  ('audit.chart_accesses', null, null, false, null),
  ('audit.chart_openings', null, null, false, null),
  ('audit.entries', null, null, false, null),
  ('audit.person_keys', null, null, false, null),
  ('warehouse.dim_patient', null, null, false, null),
  ('warehouse.patient_versions', null, null, false, null),
  ('warehouse.fact_symptoms', 'clinical_record', null, true, 't.patient_key in (select d.patient_key from warehouse.dim_patient as d where d.patient_id = any ($1))'),
  ('staging.import_keys', 'identity', null, true, $$t.target = 'patients' and t.entry in (select sha256(convert_to(v, 'UTF8')) from unnest($2) as v)$$),
  ('staging.import_rejects', 'imports', null, false, 'exists (select from jsonb_each_text(t.record) as f join unnest($2) as v on position(v in f.value) > 0)'),
  ('staging.synthea_patients', 'imports', null, true, 't.id = any ($2) or exists (select from unnest($2) as v where position(v in t.defective_text) > 0)'),
  ('staging.synthea_encounters', 'imports', null, true, 't.patient = any ($2) or exists (select from unnest($2) as v where position(v in t.defective_text) > 0)'),
  ('staging.synthea_conditions', 'imports', null, true, 't.patient = any ($2) or exists (select from unnest($2) as v where position(v in t.defective_text) > 0)'),
  ('staging.synthea_medications', 'imports', null, true, 't.patient = any ($2) or exists (select from unnest($2) as v where position(v in t.defective_text) > 0)'),
  ('staging.synthea_procedures', 'imports', null, true, 't.patient = any ($2) or exists (select from unnest($2) as v where position(v in t.defective_text) > 0)')
) as l (relation, retention_rule, last_contact, is_deleted, rows_of);

-- What the audit keeps of these columns, it seals with the person's own key.
insert into audit.identity_columns (table_name, column_name)
select
  c.relation,
  c.column_name
from hospital_private.personal_columns as c
where c.is_erased
  and c.class <> 'secret'
  and c.patient_column is not null
on conflict do nothing;

call hospital_private.guard_person_tables();

--! split: 5019-12-audit-audit_entries.sql
-- source: sql/12-audit/audit_entries.sql
-- An entry holds the row as it was. What it became is what the next entry of the row says it was, or the
-- row as it is: so an image is stored once, and compared when somebody reads.
create or replace function hospital.audit_entries(
  patient_id bigint default null,
  table_name text default null,
  row_key text default null,
  account_id bigint default null,
  recorded_from timestamptz default null,
  recorded_before timestamptz default null,
  older_than bigint default null
)
returns setof hospital.audit_entry
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    e.sequence,
    e.recorded_at,
    e.table_name,
    e.operation,
    e.row_key,
    e.patient_id,
    e.account_id,
    e.role,
    e.database_user,
    host(e.client_address),
    e.request_id,
    e.purpose,
    audit.changes_of(e)
  from audit.entries as e
  where (select hospital_private.audit_is_open())
    and (audit_entries.patient_id is null or e.patient_id = audit_entries.patient_id)
    and (audit_entries.table_name is null or e.table_name = audit_entries.table_name)
    and (audit_entries.row_key is null or e.row_key = audit_entries.row_key)
    and (audit_entries.account_id is null or e.account_id = audit_entries.account_id)
    and (audit_entries.recorded_from is null or e.recorded_at >= audit_entries.recorded_from)
    and (audit_entries.recorded_before is null or e.recorded_at < audit_entries.recorded_before)
    and (audit_entries.older_than is null or e.sequence < audit_entries.older_than)
  order by e.sequence desc
  limit 200;
$$;
comment on function hospital.audit_entries(bigint, text, text, bigint, timestamptz, timestamptz, bigint) is
  'The newest 200 changes on record that fit, with the columns changed; older ones by older_than. Nothing unless the auditor''s session has called open_audit. Lends the owner''s right to read the audit.';

create or replace function audit.changes_of(entry audit.entries)
returns hospital.audit_change[]
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  before jsonb := entry.old_image
    || coalesce(audit.open_identity(entry.patient_id, entry.sealed_identity), '{}');
  after jsonb := audit.image_after(entry);
  keeps_identity constant boolean := entry.operation = 'update' and entry.sealed_identity is null;
begin
  if entry.operation in ('baseline', 'truncate') then
    return '{}'::hospital.audit_change[];
  end if;
  return array(
    select row(
      k.name,
      case when i.column_name is null then before ->> k.name end,
      case when i.column_name is null then after ->> k.name end,
      i.column_name is not null
    )::hospital.audit_change
    from (
      select jsonb_object_keys(coalesce(before, '{}') || coalesce(after, '{}'))
    ) as k (name)
    left join audit.identity_columns as i
      on i.table_name = entry.table_name
      and i.column_name = k.name
      and entry.patient_id is not null
    where before ->> k.name is distinct from after ->> k.name
      and not (i.column_name is not null and keeps_identity)
    order by k.name
  );
end;
$$;
comment on function audit.changes_of(audit.entries) is
  'The columns that differ between the row as it was and as it became; of those that identify a patient only the names.';

-- What the row became is what its next entry says it was. What identifies the patient is sealed by the
-- change that ends it, which may be a later one, and stands in the row until then.
create or replace function audit.image_after(entry audit.entries)
returns jsonb
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  next audit.entries;
  ending audit.entries;
begin
  if entry.operation = 'delete' then
    return null;
  end if;
  select n.*
  into next
  from audit.entries as n
  where n.table_name = entry.table_name
    and n.row_key = entry.row_key
    and n.sequence > entry.sequence
    and n.old_image is not null
  order by n.sequence
  limit 1;
  if next.sequence is null then
    return audit.live_image(entry.table_name, entry.row_key);
  end if;
  select n.*
  into ending
  from audit.entries as n
  where n.table_name = entry.table_name
    and n.row_key = entry.row_key
    and n.sequence >= next.sequence
    and (n.sealed_identity is not null or n.operation = 'delete')
  order by n.sequence
  limit 1;
  return next.old_image || coalesce(
    case
      when ending.sequence is not null
        then audit.open_identity(ending.patient_id, ending.sealed_identity)
      else (
        select jsonb_object_agg(i.column_name, live.image -> i.column_name)
        from audit.live_image(entry.table_name, entry.row_key) as live (image)
        join audit.identity_columns as i
          on i.table_name = entry.table_name
        where next.patient_id is not null
      )
    end,
    '{}'
  );
end;
$$;
comment on function audit.image_after(audit.entries) is
  'The row as a change left it, with what identifies the patient as far as the key still exists; null where it was deleted.';

create or replace function audit.live_image(table_name text, row_key text)
returns jsonb
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  relation regclass := to_regclass(live_image.table_name);
  key text;
  image jsonb;
begin
  if relation is null then
    return null;
  end if;
  -- Part by part and with the column's type, so that the primary key's index is used.
  select string_agg(
    format(
      'n.%I = %s::%s',
      a.attname,
      case cardinality(c.conkey)
        when 1 then '$1'
        else format($part$split_part($1, ' ', %s)$part$, k.position)
      end,
      format_type(a.atttypid, a.atttypmod)
    ),
    ' and '
  )
  into key
  from pg_catalog.pg_constraint as c
  cross join lateral unnest(c.conkey) with ordinality as k (attnum, position)
  join pg_catalog.pg_attribute as a
    on a.attrelid = c.conrelid
    and a.attnum = k.attnum
  where c.conrelid = relation
    and c.contype = 'p';
  execute format(
    'select to_jsonb(n) - %L::text[] from %s as n where %s',
    array(
      select u.column_name
      from audit.unaudited_columns as u
      where u.table_name = live_image.table_name
    ),
    relation,
    key
  )
  into image
  using live_image.row_key;
  return image;
end;
$$;
comment on function audit.live_image(text, text) is
  'A row as it is now, without secrets, by table and primary key; null where there is none.';

--! split: 5020-12-audit-change_events.sql
-- source: sql/12-audit/change_events.sql
-- The outbox is the audit itself: written in the transaction of every change, so nothing can be
-- announced that did not happen, nor happen unannounced, and no booking pays for a second log.
-- Transactions commit in another order than they begin, so a reader that remembers the highest number
-- seen loses what commits later under a lower one. Below the snapshot's horizon all transactions have
-- ended, and nothing can come any more. There the order is that of the transactions' numbers, which is
-- not that in which they committed: two changes of one row are in the order of sequence, since the second
-- waited for the lock of the first, and a consumer ignores what is older than what it knows of a row.
create or replace view ops.change_events
with (security_invoker = true)
as
select
  e.transaction_id,
  e.sequence,
  e.table_name,
  e.operation,
  e.row_key,
  e.recorded_at
from audit.entries as e
where e.era = (select max(a.era) from audit.eras as a)
  and e.transaction_id < (select pg_snapshot_xmin(pg_current_snapshot()))
  -- A baseline is no change; and outside of hospital are accounts and the audit's own affairs.
  and e.operation <> 'baseline'
  -- Not starts_with, which would find them by table, through an index in another order than they are read.
  and left(e.table_name, 9) = 'hospital.';
comment on view ops.change_events is 'The changes of hospital''s tables that no running transaction can still slip in between, to be read in the order of transaction_id and sequence; keys only.';
comment on column ops.change_events.transaction_id is 'The transaction that made the change.';
comment on column ops.change_events.sequence is 'The number of the change; among the changes of one row it is their order.';
comment on column ops.change_events.table_name is 'The table, with its schema.';
comment on column ops.change_events.operation is 'What was done: insert, update, delete or truncate.';
comment on column ops.change_events.row_key is 'The primary key of the row as text; null for a truncate.';
comment on column ops.change_events.recorded_at is 'When the transaction that made the change began.';

-- Transaction numbers begin anew in another cluster and in another database, and go back when a server
-- is recovered to a moment or a standby is promoted that lacked the last of them: what was told of them
-- may then never have happened, and their numbers are given again.
create or replace function ops.incarnation()
returns text
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select format(
    '%s/%s/%s',
    c.system_identifier,
    left(pg_walfile_name(pg_current_wal_insert_lsn()), 8),
    d.oid
  )
  from pg_catalog.pg_control_system() as c
  join pg_catalog.pg_database as d
    on d.datname = current_database();
$$;
comment on function ops.incarnation() is
  'The cluster, the timeline and the database: while it stays the same, transaction numbers only grow.';

create or replace function ops.change_horizon()
returns ops.change_position
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select
    from audit.eras as e
    join pg_catalog.pg_control_system() as c
      on c.system_identifier = e.cluster
    where e.era = (select max(latest.era) from audit.eras as latest)
  ) then
    raise exception using
      errcode = 'RESYN',
      message = 'The audit has not begun its era in this cluster yet.',
      hint = 'The worker begins it when it seals; or select audit.seal_entries() as the owner.';
  end if;
  return row(pg_snapshot_xmin(pg_current_snapshot()), 0)::ops.change_position;
end;
$$;
comment on function ops.change_horizon() is
  'The position before which no event can come any more. Raises RESYN in a restored cluster until the audit has begun an era there.';

create or replace function ops.events_were_retired("position" ops.change_position)
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select
    from audit.retired_months as r
    join audit.seals as s
      on s.month = r.month
    where s.era = (select max(e.era) from audit.eras as e)
      and row(s.last_transaction_id, s.last_sequence)::ops.change_position
        > events_were_retired.position
  );
$$;
comment on function ops.events_were_retired(ops.change_position) is
  'Whether a month was retired that may have held events after a position.';

--! split: 5021-12-audit-consumer_lags.sql
-- source: sql/12-audit/consumer_lags.sql
create or replace function ops.consumer_lags()
returns setof ops.consumer_lag
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    c.name,
    c.reader,
    w.events,
    w.since,
    c.last_read_at,
    c.incarnation <> ops.incarnation()
      or ops.events_were_retired(c.position)
  from ops.change_consumers as c
  cross join lateral (
    select
      count(*) as events,
      min(e.recorded_at) as since
    from (
      select e.recorded_at
      from ops.change_events as e
      where (e.transaction_id, e.sequence)
          > ((c.position).transaction_id, (c.position).sequence)
        and c.tables @> array[e.table_name]
      limit 100000
    ) as e
  ) as w
  order by c.name;
$$;
comment on function ops.consumer_lags() is
  'How far each consumer of changes is behind, and whether it is lost. Lends the worker the owner''s right to read who they are and to count.';

--! split: 5022-12-audit-digest_expressions.sql
-- source: sql/12-audit/digest_expressions.sql
-- The expressions of which recording and verifying are made, so that both say the same of a row.

create or replace function audit.key_expression(relation regclass, alias text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(
    format('%s.%I::text', key_expression.alias, a.attname),
    $glue$ || ' ' || $glue$
    order by k.position
  )
  from pg_catalog.pg_constraint as c
  cross join lateral unnest(c.conkey) with ordinality as k (attnum, position)
  join pg_catalog.pg_attribute as a
    on a.attrelid = c.conrelid
    and a.attnum = k.attnum
  where c.conrelid = key_expression.relation
    and c.contype = 'p';
$$;
comment on function audit.key_expression(regclass, text) is
  'SQL for the primary key of a row as text.';

-- The binary form of values depends on no setting of the session. A phone number could be found again
-- by trying all of them against a plain digest, so digests of rows with identity carry the person's salt.
create or replace function audit.digest_expression(relation regclass, alias text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select format(
    'sha256(%srecord_send(row(%s)))',
    case
      when exists (
        select
        from audit.identity_columns as i
        where i.table_name = audit.name_of(digest_expression.relation)
      )
        then format(
          'coalesce((select k.digest_salt from audit.person_keys as k '
            'where k.patient_id = %s.%I), '''') || ',
          digest_expression.alias,
          audit.patient_column(digest_expression.relation)
        )
      else ''
    end,
    (
      select string_agg(
        format('%s.%I', digest_expression.alias, c.name),
        ', '
        order by c.position
      )
      from unnest(audit.audited_columns(digest_expression.relation))
        with ordinality as c (name, position)
    )
  );
$$;
comment on function audit.digest_expression(regclass, text) is
  'SQL for the SHA-256 of the recorded columns of a row, salted where the row identifies a patient.';

create or replace function audit.image_expression(relation regclass, alias text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select format('to_jsonb(%s)', image_expression.alias)
    || coalesce(
      (
        select format(' - %L::text[]', array_agg(u.column_name order by u.column_name))
        from audit.unaudited_columns as u
        where u.table_name = audit.name_of(image_expression.relation)
        having count(*) > 0
      ),
      ''
    )
    || coalesce(
      (
        select format(
          ' - case when %s.%I is null then %L else %L end::text[]',
          image_expression.alias,
          audit.patient_column(image_expression.relation),
          '{}',
          array_agg(i.column_name order by i.column_name)
        )
        from audit.identity_columns as i
        where i.table_name = audit.name_of(image_expression.relation)
        having count(*) > 0
      ),
      ''
    );
$$;
comment on function audit.image_expression(regclass, text) is
  'SQL for the image of a row in clear: without secrets, and without identity where the row is a patient''s.';

create or replace function audit.identity_expression(relation regclass, alias text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select format(
    'jsonb_build_object(%s)',
    string_agg(
      format('%L, %s.%I', i.column_name, identity_expression.alias, i.column_name),
      ', '
      order by i.column_name
    )
  )
  from audit.identity_columns as i
  where i.table_name = audit.name_of(identity_expression.relation)
  having count(*) > 0;
$$;
comment on function audit.identity_expression(regclass, text) is
  'SQL for what identifies the patient in a row, to be sealed; null where the table has nothing that does.';

-- An update that leaves it as it was need not seal it once more: readers find it with a later change, or
-- in the row.
create or replace function audit.identity_changed_expression(relation regclass)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  -- Whose it was counts too: it is sealed with that person's key. Of a row that went it is null.
  select format(
    '(o.%1$I, %2$s) is distinct from (n.%1$I, %3$s)',
    audit.patient_column(identity_changed_expression.relation),
    string_agg(format('o.%I', i.column_name), ', ' order by i.column_name),
    string_agg(format('n.%I', i.column_name), ', ' order by i.column_name)
  )
  from audit.identity_columns as i
  where i.table_name = audit.name_of(identity_changed_expression.relation)
  having count(*) > 0;
$$;
comment on function audit.identity_changed_expression(regclass) is
  'SQL that tells whether a row o became another n in what identifies the patient, or in whose it is; null where the table has nothing that identifies anybody.';

--! split: 5023-12-audit-open_identity.sql
-- source: sql/12-audit/open_identity.sql
create or replace function audit.open_identity(patient_id bigint, sealed bytea)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  key bytea := (
    select k.key
    from audit.person_keys_of(array[open_identity.patient_id], false) as k
  );
begin
  if key is null or substr(open_identity.sealed, 1, 8) <> substr(sha256(key), 1, 8) then
    return null;
  end if;
  return convert_from(
    extensions.decrypt_iv(
      substr(open_identity.sealed, 25),
      key,
      substr(open_identity.sealed, 9, 16),
      'aes-cbc/pad:pkcs'
    ),
    'UTF8'
  )::jsonb;
end;
$$;
comment on function audit.open_identity(bigint, bytea) is
  'What seal_identity sealed; null for ever once the person''s key was shredded. Raises KEYNO, KEYOT.';

--! split: 5024-12-audit-person_keys_of.sql
-- source: sql/12-audit/person_keys_of.sql
-- A statement seals many rows of few persons: their keys are made and unwrapped once for all of it.
-- Two writers may need a person's first key at once: the second waits for the row and uses it. All go by
-- the order of the persons, so that no two wait for each other.
create or replace function audit.person_keys_of(patient_ids bigint[], may_create boolean)
returns table (patient_id bigint, key bytea)
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
-- Planning takes longer than running, and one plan suits one person and ten thousand.
set plan_cache_mode = force_generic_plan
as $$
declare
  wrapping_key bytea;
begin
  if person_keys_of.patient_ids = '{}' then
    return;
  end if;
  if person_keys_of.may_create
    and cardinality(person_keys_of.patient_ids) > (
      select count(*)
      from audit.person_keys as k
      where k.patient_id = any (person_keys_of.patient_ids)
        and k.wrapped_key is not null
    )
  then
    wrapping_key := audit.key_encryption_key();
    insert into audit.person_keys as k (patient_id, wrapped_key)
    select
      p.id,
      p.initial
        || extensions.encrypt_iv(
          extensions.gen_random_bytes(32),
          wrapping_key,
          p.initial,
          'aes-cbc/pad:pkcs'
        )
    from (
      select
        missing.id,
        extensions.gen_random_bytes(16) as initial
      from (
        select unnest(person_keys_of.patient_ids)
        except
        select k.patient_id
        from audit.person_keys as k
        where k.patient_id = any (person_keys_of.patient_ids)
          and (k.wrapped_key is not null or k.shredded_at is not null)
      ) as missing (id)
      order by missing.id
    ) as p
    on conflict on constraint person_keys_pkey do update
      set wrapped_key = coalesce(k.wrapped_key, excluded.wrapped_key)
      where k.shredded_at is null;
  end if;

  for person_keys_of.patient_id, person_keys_of.key in
    select
      k.patient_id,
      k.wrapped_key
    from audit.person_keys as k
    where k.patient_id = any (person_keys_of.patient_ids)
      and k.wrapped_key is not null
  loop
    wrapping_key := coalesce(wrapping_key, audit.key_encryption_key());
    person_keys_of.key := extensions.decrypt_iv(
      substr(person_keys_of.key, 17),
      wrapping_key,
      substr(person_keys_of.key, 1, 16),
      'aes-cbc/pad:pkcs'
    );
    return next;
  end loop;
end;
$$;
comment on function audit.person_keys_of(bigint[], boolean) is
  'The keys of persons, made now where allowed; none of whom there is none, or none any more. Raises KEYNO, KEYOT.';

--! split: 5025-12-audit-read_change_events.sql
-- source: sql/12-audit/read_change_events.sql
-- Locked by whoever reads or acknowledges for it, so that two processes of one consumer take turns.
create or replace function ops.own_consumer(consumer text)
returns ops.change_consumers
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  own ops.change_consumers;
begin
  -- An older snapshot could not see that a month was retired, and would find its events silently gone.
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception using
      errcode = 'ISOLN',
      message = 'Changes are read and acknowledged under READ COMMITTED only.';
  end if;
  select c.*
  into own
  from ops.change_consumers as c
  where c.name = own_consumer.consumer
    -- Inside a definer function too this is who is connected; a dropped role is nobody.
    and pg_has_role(session_user, to_regrole(quote_ident(c.reader)), 'member')
  for no key update;
  if own.name is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such consumer of changes that you read for.',
      hint = 'infirmary changes list shows all, and which role reads for each.';
  end if;
  if own.incarnation <> ops.incarnation() then
    raise exception using
      errcode = 'RESYN',
      message = 'The consumer must resynchronise: the database was restored or failed over, and what was told may not have happened.',
      hint = 'Reset it (infirmary changes reset), and let it copy what it needs again.';
  end if;
  return own;
end;
$$;
comment on function ops.own_consumer(text) is
  'The consumer, locked, if the connected role reads for it and its position still means something. Raises NTFND, RESYN, ISOLN.';

create or replace function ops.read_change_events(consumer text, max_events integer default 100)
returns setof ops.change_event
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- Along the primary key from the position on, whatever is estimated: sorting looks at all that waits.
set enable_sort = off
as $$
declare
  own ops.change_consumers := ops.own_consumer(read_change_events.consumer);
  horizon ops.change_position := ops.change_horizon();
  found_one ops.change_event;
  last_told ops.change_position := own.position;
begin
  -- A month is retired before this or waits until we have read it.
  lock table audit.entries in access share mode;
  if ops.events_were_retired(own.position) then
    raise exception using
      errcode = 'RESYN',
      message = 'The consumer must resynchronise: a month of changes it has not acknowledged was retired.',
      hint = 'Reset it (infirmary changes reset), and let it copy what it needs again.';
  end if;
  for found_one in
    select
      own.stream,
      row(e.transaction_id, e.sequence)::ops.change_position,
      e.sequence,
      e.table_name,
      e.operation,
      e.row_key,
      e.recorded_at
    from ops.change_events as e
    where (e.transaction_id, e.sequence)
        > ((own.position).transaction_id, (own.position).sequence)
      and own.tables @> array[e.table_name]
    order by
      e.transaction_id,
      e.sequence
    limit least(greatest(coalesce(read_change_events.max_events, 100), 1), 10000)
  loop
    last_told := found_one.position;
    return next found_one;
  end loop;
  -- With nothing for it up to the horizon there is nothing to acknowledge, nor to look through again.
  if last_told = own.position and horizon > own.position then
    last_told := horizon;
    own.position := horizon;
  end if;
  update ops.change_consumers as c
  set position = own.position,
    read_to = greatest(c.read_to, last_told),
    last_read_at = clock_timestamp()
  where c.name = own.name;
end;
$$;
comment on function ops.read_change_events(text, integer) is
  'The next events of a consumer, in order, at most as many as said; the same again until they are acknowledged. Raises NTFND, RESYN, ISOLN. Lends the reader the owner''s right to read the audit''s keys.';

create or replace function ops.acknowledge_change_events(
  consumer text,
  "position" ops.change_position
)
returns ops.change_position
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  own ops.change_consumers := ops.own_consumer(acknowledge_change_events.consumer);
begin
  if acknowledge_change_events.position is null
    or acknowledge_change_events.position > own.read_to
  then
    raise exception using
      errcode = 'NREAD',
      message = 'What has not been read cannot be acknowledged.',
      hint = 'Acknowledge the position of an event that ops.read_change_events returned.';
  end if;
  -- Never backwards: of two processes the slower one repeats what is acknowledged already.
  if acknowledge_change_events.position > own.position then
    update ops.change_consumers as c
    set position = acknowledge_change_events.position,
      acknowledged_at = clock_timestamp()
    where c.name = own.name;
    return acknowledge_change_events.position;
  end if;
  return own.position;
end;
$$;
comment on function ops.acknowledge_change_events(text, ops.change_position) is
  'Says that a consumer is done with all events up to a position it has read, and returns where it stands. Raises NTFND, NREAD, RESYN, ISOLN. Lends the reader the owner''s right to move the position.';

--! split: 5026-12-audit-recorder_body.sql
-- source: sql/12-audit/recorder_body.sql
-- One trigger function per table, written here from the catalogue: its statements are static, so that
-- plpgsql keeps their plans. Read one with \sf audit.record_hospital_visits.
create or replace function audit.recorder_body(relation regclass)
returns text
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  patient_column text := audit.patient_column(recorder_body.relation);
  old_patient text := coalesce('o.' || quote_ident(patient_column), 'null::bigint');
  new_patient text := coalesce('n.' || quote_ident(patient_column), 'null::bigint');
  purpose text := case
    when patient_column is null then 'null'
    else 'case when actor.session_id is not null then audit.purpose_of(actor.session_id, %s) end'
  end;
  identity text := audit.identity_expression(recorder_body.relation, 'o');
  changed text := audit.identity_changed_expression(recorder_body.relation);
  -- Once for a statement, not for each row.
  keys constant text := $keys$with keys as materialized (
      select k.patient_id, k.key
      from audit.person_keys_of(
        array(select distinct %1$s from old_rows as o%2$s where %1$s is not null%3$s), true
      ) as k
    )
    $keys$;
  joined constant text := format('
    left join keys as k
      on k.patient_id = %s', old_patient);
  first_key text;
  same_row text;
begin
  select
    min(format('%I', a.attname)) filter (where k.position = 1),
    string_agg(format('n.%1$I = o.%1$I', a.attname), ' and ' order by k.position)
  into first_key, same_row
  from pg_catalog.pg_constraint as c
  cross join lateral unnest(c.conkey) with ordinality as k (attnum, position)
  join pg_catalog.pg_attribute as a
    on a.attrelid = c.conrelid
    and a.attnum = k.attnum
  where c.conrelid = recorder_body.relation
    and c.contype = 'p';
  return format(
    $body$
declare
  actor audit.actor := audit.current_actor();
begin
  if tg_op = 'INSERT' then
    insert into audit.entries
      (table_name, operation, row_key, patient_id, new_row_digest,
        account_id, session_id, role, client_address, request_id, purpose)
    select %1$L, 'insert', %2$s, %3$s, %4$s,
      actor.account_id, actor.session_id, actor.role, actor.client_address, actor.request_id, %5$s
    from new_rows as n;
  elsif tg_op = 'UPDATE' then
    -- A row whose key was changed is a row gone and a row come.
    %13$sinsert into audit.entries
      (table_name, operation, row_key, patient_id, old_image, sealed_identity, new_row_digest,
        account_id, session_id, role, client_address, request_id, purpose)
    select %1$L,
      case
        when o.%6$s is null then 'insert'
        when n.%6$s is null then 'delete'
        else 'update'
      end,
      coalesce(%2$s, %7$s),
      coalesce(%3$s, %8$s),
      %9$s,
      %10$s,
      case when n.%6$s is not null then %4$s end,
      actor.account_id, actor.session_id, actor.role, actor.client_address, actor.request_id, %5$s
    from old_rows as o
    full join new_rows as n
      on %11$s%14$s;
  elsif tg_op = 'DELETE' then
    %15$sinsert into audit.entries
      (table_name, operation, row_key, patient_id, old_image, sealed_identity,
        account_id, session_id, role, client_address, request_id, purpose)
    select %1$L, 'delete', %7$s, %8$s, %9$s, %16$s,
      actor.account_id, actor.session_id, actor.role, actor.client_address, actor.request_id, %12$s
    from old_rows as o%14$s;
  else
    insert into audit.entries
      (table_name, operation, account_id, session_id, role, client_address, request_id)
    values (%1$L, 'truncate',
      actor.account_id, actor.session_id, actor.role, actor.client_address, actor.request_id);
  end if;
  return null;
end;
$body$,
    audit.name_of(recorder_body.relation),
    audit.key_expression(recorder_body.relation, 'n'),
    new_patient,
    audit.digest_expression(recorder_body.relation, 'n'),
    format(purpose, new_patient),
    first_key,
    audit.key_expression(recorder_body.relation, 'o'),
    old_patient,
    audit.image_expression(recorder_body.relation, 'o'),
    coalesce(
      'case when ' || changed || ' then audit.seal_identity(k.key, ' || identity || ') end',
      'null'
    ),
    same_row,
    format(purpose, old_patient),
    case
      when identity is not null
        then format(
          keys,
          old_patient,
          format(' left join new_rows as n on %s', same_row),
          format(' and %s', changed)
        )
    end,
    case when identity is not null then joined end,
    case when identity is not null then format(keys, old_patient, '', '') end,
    coalesce('audit.seal_identity(k.key, ' || identity || ')', 'null')
  );
end;
$$;
comment on function audit.recorder_body(regclass) is
  'The body of the trigger function that records the changes of a table, written from its columns.';

create or replace function audit.recorder_name(relation regclass)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select 'record_' || replace(replace(audit.name_of(recorder_name.relation), '.', '_'), '"', '');
$$;
comment on function audit.recorder_name(regclass) is
  'The name of the function that records the changes of a table.';

create or replace function audit.purpose_of(session_id uuid, patient_id bigint)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select c.purpose
  from audit.chart_accesses as c
  where c.session_id = purpose_of.session_id
    and c.patient_id = purpose_of.patient_id
  order by c.opened_at desc
  limit 1;
$$;
comment on function audit.purpose_of(uuid, bigint) is
  'The purpose for which a session last opened a patient''s chart, or null.';

--! split: 5027-12-audit-register_consumer.sql
-- source: sql/12-audit/register_consumer.sql
-- Whoever registers first and copies what it needs afterwards misses nothing: all that is before the
-- position has been committed, so the copy holds it, and what comes after is told, some of it twice.
create or replace function ops.register_consumer(
  name text,
  tables text[],
  reader text default 'hospital_worker'
)
returns ops.change_consumers
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  start ops.change_position := ops.change_horizon();
  consumer ops.change_consumers;
begin
  if exists (
    select
    from unnest(register_consumer.tables) as wanted (table_name)
    where not exists (
      select
      from audit.enrolments as e
      where e.table_name = wanted.table_name
        and starts_with(e.table_name, 'hospital.')
    )
  ) or to_regrole(register_consumer.reader) is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such table of the hospital on record, or no such role.',
      hint = 'Name tables with their schema, such as hospital.appointments.';
  end if;
  insert into ops.change_consumers (name, reader, tables, incarnation, position, read_to)
  values (
    register_consumer.name,
    register_consumer.reader,
    register_consumer.tables,
    ops.incarnation(),
    start,
    start
  )
  returning *
  into consumer;
  return consumer;
end;
$$;
comment on function ops.register_consumer(text, text[], text) is
  'Registers a consumer of changes to the given tables, from now on; it then takes its own copy of them. Raises NTFND, RESYN.';

create or replace function ops.reset_consumer(name text)
returns ops.change_consumers
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  start ops.change_position := ops.change_horizon();
  consumer ops.change_consumers;
begin
  update ops.change_consumers as c
  set stream = gen_random_uuid(),
    incarnation = ops.incarnation(),
    position = start,
    read_to = start
  where c.name = reset_consumer.name
  returning c.*
  into consumer;
  if consumer.name is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such consumer of changes.';
  end if;
  return consumer;
end;
$$;
comment on function ops.reset_consumer(text) is
  'Lets a consumer begin anew from now, under a new stream, after which it takes its own copy again. Raises NTFND, RESYN.';

--! split: 5028-12-audit-seal_identity.sql
-- source: sql/12-audit/seal_identity.sql
-- Sealed bytes name their key by the first eight bytes of its digest, so that what another key sealed
-- is known as such and never decrypted to rubbish.
create or replace function audit.seal_identity(key bytea, content jsonb)
returns bytea
language plpgsql
volatile
strict
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  initial constant bytea := extensions.gen_random_bytes(16);
begin
  return substr(sha256(seal_identity.key), 1, 8)
    || initial
    || extensions.encrypt_iv(
      convert_to(seal_identity.content::text, 'UTF8'),
      seal_identity.key,
      initial,
      'aes-cbc/pad:pkcs'
    );
end;
$$;
comment on function audit.seal_identity(bytea, jsonb) is
  'Encrypts what identifies a person with the person''s own key and a random initialisation vector; null for a person whose key was shredded.';

--! split: 5029-13-warehouse-check_freshness.sql
-- source: sql/13-warehouse/check_freshness.sql
-- Whether an answer is stale is asked of the clock whenever somebody asks, so a dead worker hides nothing.
create or replace function warehouse.is_stale(data_as_of timestamptz)
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(is_stale.data_as_of < statement_timestamp() - w.stale_after, true)
  from warehouse.view_settings as w;
$$;
comment on function warehouse.is_stale(timestamptz) is
  'Whether data of that age is older than allowed now; what was never loaded is.';

create or replace function ops.check_freshness()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  found as (
    select bool_or(warehouse.is_stale(s.data_as_of)) as is_stale
    from warehouse.view_states as s
  ),
  raised as (
    insert into ops.alerts (kind)
    select 'stale_answers'
    from found as f
    where f.is_stale
    on conflict (kind) where closed_at is null do nothing
    returning 1
  ),
  closed as (
    update ops.alerts as a
    set closed_at = greatest(now(), a.raised_at)
    from found as f
    where a.kind = 'stale_answers'
      and a.closed_at is null
      and f.is_stale = false
    returning 1
  )
  select (select count(*) from raised) + (select count(*) from closed);
$$;
comment on function ops.check_freshness() is
  'Job: raises one alert when an answer has become stale and closes it when all are fresh again; returns how many it wrote. Lends the worker the owner''s right to write alerts.';

--! split: 5030-13-warehouse-clinical_views.sql
-- source: sql/13-warehouse/clinical_views.sql
-- What the answers about patients' illnesses are read from: whole months, of the hospital (department and
-- doctor 0), of each department (doctor 0) and of each doctor. Who runs the hospital sees its calendar with
-- names, so a treatment that one patient of a day had would be his; and a day that is hidden would be the
-- difference of two longer periods. So each cell of a month is told or not by itself, and sums are made of
-- told cells alone.
-- squawk-ignore-file require-concurrent-index-creation
drop materialized view if exists
  warehouse.mv_comorbidity,
  warehouse.mv_treatment_outcomes,
  warehouse.mv_clinical_cells;

-- A department is told where those departments that are too small have enough patients together, or
-- the hospital's number less the others' would be theirs; and a doctor likewise in his department. What is
-- typed may be a name: words that few patients of the hospital share do not leave the fact. It says by which
-- rule it was filled, since a new one holds before the next refresh.
create materialized view warehouse.mv_clinical_cells as
with
events as (
  select
    e.kind,
    e.item,
    t.month_start as month,
    d.department_id,
    o.doctor_id,
    p.person_id,
    e.visit_id
  from (
    select
      'symptom' as kind,
      s.symptom as item,
      f.noted_on as happened_on,
      f.department_key,
      f.doctor_key,
      f.patient_key,
      f.visit_id
    from warehouse.fact_symptoms as f
    cross join lateral unnest(f.symptoms) as s (symptom)
    union all
    select
      'treatment',
      f.treatment_type,
      f.treated_on,
      f.department_key,
      f.doctor_key,
      f.patient_key,
      f.visit_id
    from warehouse.fact_treatments as f
  ) as e
  join warehouse.dim_date as t
    on t.date_key = e.happened_on
  join warehouse.dim_department as d
    on d.department_key = e.department_key
  join warehouse.dim_doctor as o
    on o.doctor_key = e.doctor_key
  join warehouse.dim_patient as p
    on p.patient_key = e.patient_key
),
-- Windows do not count distinct patients, but the first event of each.
firsts as (
  select
    e.*,
    row_number() over (
      partition by e.kind, e.item, e.month, e.department_id, e.person_id
    ) = 1 as is_first_in_department,
    row_number() over (
      partition by e.kind, e.item, e.month, e.department_id, e.doctor_id, e.person_id
    ) = 1 as is_first_with_doctor
  from events as e
),
counted as (
  select
    f.*,
    count(*) filter (where f.is_first_in_department) over (
      partition by f.kind, f.item, f.month, f.department_id
    ) < (select hospital_private.smallest_cell()) as is_of_small_department,
    count(*) filter (where f.is_first_with_doctor) over (
      partition by f.kind, f.item, f.month, f.department_id, f.doctor_id
    ) < (select hospital_private.smallest_cell()) as is_of_small_doctor
  from firsts as f
),
cells as (
  select
    c.kind,
    c.item,
    c.month,
    coalesce(c.department_id, 0) as department_id,
    coalesce(c.doctor_id, 0) as doctor_id,
    count(distinct c.visit_id) as visits,
    count(distinct c.person_id) as patients,
    count(distinct c.doctor_id) as doctors,
    count(distinct c.person_id) filter (where c.is_of_small_department) as of_small_departments,
    count(distinct c.person_id) filter (where c.is_of_small_doctor) as of_small_doctors
  from counted as c
  group by
    c.kind,
    c.item,
    c.month,
    rollup (c.department_id, c.doctor_id)
),
wholes as (
  select
    c.*,
    (select hospital_private.smallest_cell()) as smallest_cell,
    max(c.patients) over of_hospital as patients_of_hospital,
    max(c.of_small_departments) filter (where c.department_id = 0) over of_hospital
      as rest_of_hospital,
    max(c.of_small_doctors) filter (where c.doctor_id = 0) over of_department
      as rest_of_department
  from cells as c
  window
    of_hospital as (partition by c.kind, c.item, c.month),
    of_department as (partition by c.kind, c.item, c.month, c.department_id)
)
select
  w.kind,
  w.item,
  w.month,
  w.department_id,
  w.doctor_id,
  w.visits,
  w.patients,
  w.doctors,
  w.patients >= w.smallest_cell
    and (w.department_id = 0 or w.rest_of_hospital not between 1 and w.smallest_cell - 1)
    and (w.doctor_id = 0 or w.rest_of_department not between 1 and w.smallest_cell - 1)
    as is_told,
  w.smallest_cell
from wholes as w
where w.patients_of_hospital >= w.smallest_cell;
create unique index mv_clinical_cells_key
  on warehouse.mv_clinical_cells (kind, doctor_id, department_id, month, item);
comment on materialized view warehouse.mv_clinical_cells is 'Symptoms and treatments by month, with their patients and whether they may be told to who treats none of these.';
comment on column warehouse.mv_clinical_cells.kind is 'What the item is: symptom or treatment.';
comment on column warehouse.mv_clinical_cells.item is 'The symptom or the treatment; none that fewer patients of the hospital had in the month.';
comment on column warehouse.mv_clinical_cells.month is 'The first day of the month.';
comment on column warehouse.mv_clinical_cells.department_id is 'The department, or 0 for all.';
comment on column warehouse.mv_clinical_cells.doctor_id is 'The doctor, or 0 for all.';
comment on column warehouse.mv_clinical_cells.visits is 'The visits at which it was noted or begun.';
comment on column warehouse.mv_clinical_cells.patients is 'The patients who had it.';
comment on column warehouse.mv_clinical_cells.doctors is 'The doctors at whose visits that was.';
comment on column warehouse.mv_clinical_cells.is_told is 'Whether the cell may be told to an administrator, alone and beside the others that are.';
comment on column warehouse.mv_clinical_cells.smallest_cell is 'The rule by which that was decided.';

create materialized view warehouse.mv_treatment_outcomes as
select
  t.month_start as month,
  f.treatment_type,
  coalesce(d.department_id, 0) as department_id,
  coalesce(o.doctor_id, 0) as doctor_id,
  count(*) as treatments,
  count(*) filter (where f.outcome = 'resolved') as resolved,
  count(*) filter (where f.outcome = 'improved') as improved,
  count(*) filter (where f.outcome = 'unchanged') as unchanged,
  count(*) filter (where f.outcome = 'worsened') as worsened,
  count(*) filter (where f.outcome = 'complication') as complications,
  count(*) filter (where f.outcome <> 'not_assessed') as assessed,
  sum(f.cost)::numeric(14,2) as cost,
  count(f.duration_minutes) as timed,
  coalesce(sum(f.duration_minutes), 0)::bigint as minutes
from warehouse.fact_treatments as f
join warehouse.dim_date as t
  on t.date_key = f.treated_on
join warehouse.dim_department as d
  on d.department_key = f.department_key
join warehouse.dim_doctor as o
  on o.doctor_key = f.doctor_key
group by
  t.month_start,
  f.treatment_type,
  rollup (d.department_id, o.doctor_id);
create unique index mv_treatment_outcomes_key
  on warehouse.mv_treatment_outcomes (doctor_id, department_id, month, treatment_type);
comment on materialized view warehouse.mv_treatment_outcomes is 'Treatments and how they turned out, by month.';
comment on column warehouse.mv_treatment_outcomes.month is 'The first day of the month in which they began.';
comment on column warehouse.mv_treatment_outcomes.treatment_type is 'The treatment.';
comment on column warehouse.mv_treatment_outcomes.department_id is 'The department, or 0 for all.';
comment on column warehouse.mv_treatment_outcomes.doctor_id is 'The doctor, or 0 for all.';
comment on column warehouse.mv_treatment_outcomes.treatments is 'How many there were.';
comment on column warehouse.mv_treatment_outcomes.resolved is 'How many resolved the trouble.';
comment on column warehouse.mv_treatment_outcomes.improved is 'How many improved it.';
comment on column warehouse.mv_treatment_outcomes.unchanged is 'How many changed nothing.';
comment on column warehouse.mv_treatment_outcomes.worsened is 'After how many it was worse.';
comment on column warehouse.mv_treatment_outcomes.complications is 'How many led to a complication.';
comment on column warehouse.mv_treatment_outcomes.assessed is 'Of how many any of these is known.';
comment on column warehouse.mv_treatment_outcomes.cost is 'What they cost together, in US dollars.';
comment on column warehouse.mv_treatment_outcomes.timed is 'Of how many the end is known.';
comment on column warehouse.mv_treatment_outcomes.minutes is 'How long those took together.';

-- The same rules as hospital_private.comorbidities_of and analytics.charlson_index, for everybody at once.
create materialized view warehouse.mv_comorbidity as
with
ends as (
  select
    p.person_id,
    f.diagnosis_key,
    max(f.abated_on) as abated_on
  from warehouse.fact_conditions as f
  join warehouse.dim_patient as p
    on p.patient_key = f.patient_key
  group by
    p.person_id,
    f.diagnosis_key
),
entries as (
  select
    p.person_id,
    f.diagnosis_key,
    f.abated_on is not null as is_over
  from warehouse.fact_conditions as f
  join warehouse.dim_patient as p
    on p.patient_key = f.patient_key
  union all
  select
    p.person_id,
    f.diagnosis_key,
    coalesce(e.abated_on >= f.diagnosed_on, false)
  from warehouse.fact_diagnoses as f
  join warehouse.dim_patient as p
    on p.patient_key = f.patient_key
  left join ends as e
    on e.person_id = p.person_id
    and e.diagnosis_key = f.diagnosis_key
),
found as (
  select distinct
    e.person_id,
    c.code,
    c.weight,
    c.superseded_by
  from entries as e
  join warehouse.dim_diagnosis as d
    on d.diagnosis_key = e.diagnosis_key
    and d.system = 'icd10cm'
  join warehouse.dim_comorbidity_code as x
    on x.prefix in (left(d.code, 3), left(d.code, 5))
  join warehouse.dim_comorbidity as c
    on c.code = x.comorbidity
  where c.counts_when_over
    or not e.is_over
),
scores as (
  select
    f.person_id,
    sum(f.weight) as score
  from found as f
  left join found as graver
    on graver.person_id = f.person_id
    and graver.code = f.superseded_by
  where graver.code is null
  group by f.person_id
),
seen as (
  select distinct
    d.department_id,
    p.person_id
  from warehouse.fact_visits as f
  join warehouse.dim_department as d
    on d.department_key = f.department_key
  join warehouse.dim_patient as p
    on p.patient_key = f.patient_key
)
select
  s.department_id,
  coalesce(c.score, 0)::integer as score,
  count(*) as patients
from seen as s
left join scores as c
  on c.person_id = s.person_id
group by
  s.department_id,
  coalesce(c.score, 0);
create unique index mv_comorbidity_key on warehouse.mv_comorbidity (department_id, score);
comment on materialized view warehouse.mv_comorbidity is 'The Charlson comorbidity index of the patients each department has seen.';
comment on column warehouse.mv_comorbidity.department_id is 'The department.';
comment on column warehouse.mv_comorbidity.score is 'The index, without age, by all that is on record.';
comment on column warehouse.mv_comorbidity.patients is 'How many of its patients have it.';

--! split: 5031-13-warehouse-counted.sql
-- source: sql/13-warehouse/counted.sql
-- Facts with the names of what they point at, one row each, and what each adds to a sum: the views that are
-- kept are made from these, and so are the days that no month covers.
create or replace view warehouse.counted_appointments with (security_invoker = true) as
select
  f.starts_on as day,
  d.month_start as month,
  p.department_id,
  o.doctor_id,
  f.patient_key,
  f.wait_minutes,
  1 as appointments,
  (f.status = 'completed')::integer as completed,
  (f.status = 'cancelled')::integer as cancelled,
  (f.status = 'no_show')::integer as no_shows,
  case when f.status = 'cancelled' then 0 else f.planned_minutes end as planned_minutes,
  case when f.status = 'completed' then f.occupied_minutes else 0 end as worked_minutes
from warehouse.fact_appointments as f
join warehouse.dim_date as d
  on d.date_key = f.starts_on
join warehouse.dim_department as p
  on p.department_key = f.department_key
join warehouse.dim_doctor as o
  on o.doctor_key = f.doctor_key;
comment on view warehouse.counted_appointments is 'What each appointment adds to the sums.';
comment on column warehouse.counted_appointments.day is 'The local day of the start.';
comment on column warehouse.counted_appointments.month is 'The first day of its month.';
comment on column warehouse.counted_appointments.department_id is 'The department in which it takes place.';
comment on column warehouse.counted_appointments.doctor_id is 'The doctor.';
comment on column warehouse.counted_appointments.patient_key is 'The patient as of the start.';
comment on column warehouse.counted_appointments.wait_minutes is 'How long the patient waited, or null while unknown.';
comment on column warehouse.counted_appointments.appointments is 'Always 1.';
comment on column warehouse.counted_appointments.completed is '1 if it was completed.';
comment on column warehouse.counted_appointments.cancelled is '1 if it was called off.';
comment on column warehouse.counted_appointments.no_shows is '1 if the patient did not come.';
comment on column warehouse.counted_appointments.planned_minutes is 'How long it was to last, unless it was called off.';
comment on column warehouse.counted_appointments.worked_minutes is 'How long it kept the doctor, buffers included, if it was completed.';

create or replace view warehouse.counted_visits with (security_invoker = true) as
select
  f.visited_on as day,
  d.month_start as month,
  p.department_id,
  o.doctor_id
from warehouse.fact_visits as f
join warehouse.dim_date as d
  on d.date_key = f.visited_on
join warehouse.dim_department as p
  on p.department_key = f.department_key
join warehouse.dim_doctor as o
  on o.doctor_key = f.doctor_key;
comment on view warehouse.counted_visits is 'The visits that are counted.';
comment on column warehouse.counted_visits.day is 'The local day on which it began.';
comment on column warehouse.counted_visits.month is 'The first day of its month.';
comment on column warehouse.counted_visits.department_id is 'The department in which it took place.';
comment on column warehouse.counted_visits.doctor_id is 'The doctor.';

create or replace view warehouse.charges with (security_invoker = true) as
with
charges as (
  select
    f.starts_on as day,
    f.department_key,
    f.doctor_key,
    1 as appointments,
    t.price as appointment_revenue,
    0 as treatments,
    0::numeric(12,2) as treatment_revenue
  from warehouse.fact_appointments as f
  join warehouse.dim_appointment_type as t
    on t.appointment_type_key = f.appointment_type_key
  where f.status = 'completed'
  union all
  select
    f.treated_on,
    f.department_key,
    f.doctor_key,
    0,
    0::numeric(12,2),
    1,
    f.cost
  from warehouse.fact_treatments as f
)
select
  c.day,
  d.month_start as month,
  p.department_id,
  o.doctor_id,
  c.appointments,
  c.appointment_revenue,
  c.treatments,
  c.treatment_revenue
from charges as c
join warehouse.dim_date as d
  on d.date_key = c.day
join warehouse.dim_department as p
  on p.department_key = c.department_key
join warehouse.dim_doctor as o
  on o.doctor_key = c.doctor_key;
comment on view warehouse.charges is 'What was charged: the price of each completed appointment, and the cost of each treatment.';
comment on column warehouse.charges.day is 'The local day of the appointment or treatment.';
comment on column warehouse.charges.month is 'The first day of its month.';
comment on column warehouse.charges.department_id is 'The department in which it was earned.';
comment on column warehouse.charges.doctor_id is 'The doctor who earned it.';
comment on column warehouse.charges.appointments is '1 for an appointment.';
comment on column warehouse.charges.appointment_revenue is 'The price of its type, in US dollars.';
comment on column warehouse.charges.treatments is '1 for a treatment.';
comment on column warehouse.charges.treatment_revenue is 'What it cost, in US dollars.';

--! split: 5032-13-warehouse-current_reader.sql
-- source: sql/13-warehouse/current_reader.sql
-- Every answer asks here first. It runs as the owner, who may read everything, so that what it then leaves
-- out is all that keeps a doctor from his colleagues' numbers.
create or replace function warehouse.current_reader(variadic roles text[])
returns warehouse.reader
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  session hospital_private.sessions := hospital_private.current_session();
  reader warehouse.reader;
begin
  if session.id is null then
    raise exception using
      errcode = 'UNAUT',
      message = 'Log in first.';
  end if;
  if session.role <> all (current_reader.roles) then
    raise exception using
      errcode = 'PRMSN',
      message = 'Your role may not do this.';
  end if;
  reader.sees_all := session.role <> 'doctor';
  if not reader.sees_all then
    select
      d.id,
      s.department_id,
      m.smallest_cell
    into
      reader.doctor_id,
      reader.department_id,
      reader.smallest_cell
    from hospital_private.accounts as a
    join hospital.staff_members as s
      on s.id = a.staff_member_id
    join hospital.doctors as d
      on d.staff_member_id = s.id
    cross join hospital_private.masking_settings as m
    where a.id = session.account_id;
  end if;
  return reader;
end;
$$;
comment on function warehouse.current_reader(text[]) is
  'Who asks, if the live session has one of the roles: a doctor sees his own and his department, the others everything. Raises UNAUT or PRMSN.';

--! split: 5033-13-warehouse-department_counts.sql
-- source: sql/13-warehouse/department_counts.sql
-- What is counted of departments, for whoever asks: an administrator everything, a doctor his own part of
-- it exactly, and of the department what does not give away a colleague or a patient.
--
-- Taking his own from his department's numbers, a doctor has those of the others: of two colleagues or more
-- they are nobody's, and of enough patients nobody is recognised. Only whole months are told, each always or
-- never: so the difference of any two answers is a sum of months that could have been asked for.
create or replace function warehouse.department_counts(
  reader warehouse.reader,
  from_date date,
  until_date date,
  department_id bigint,
  doctor_id bigint
)
returns setof warehouse.department_count
language plpgsql
stable
security invoker
rows 20
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
  if department_counts.reader.sees_all or department_counts.doctor_id is not null then
    return query
    with
    pieces as materialized (
      select *
      from warehouse.pieces(department_counts.from_date, department_counts.until_date)
    ),
    counted as (
      select
        m.department_id,
        m.appointments,
        m.completed,
        m.cancelled,
        m.no_shows,
        m.planned_minutes,
        m.worked_minutes,
        m.days
      from pieces as p
      join warehouse.mv_department_load as m
        on m.grain = p.grain
        and m.first_day >= p.first_day
        and m.first_day < p.end_day
      where department_counts.doctor_id is null
      union all
      select
        m.department_id,
        m.appointments,
        m.completed,
        m.cancelled,
        m.no_shows,
        m.planned_minutes,
        m.worked_minutes,
        m.days
      from pieces as p
      join warehouse.mv_doctor_workload as m
        on m.grain = p.grain
        and m.first_day >= p.first_day
        and m.first_day < p.end_day
      where m.doctor_id = department_counts.doctor_id
        -- Nobody is doctor 0, by which the view means all of the department.
        and m.doctor_id <> 0
      union all
      select
        c.department_id,
        sum(c.appointments),
        sum(c.completed),
        sum(c.cancelled),
        sum(c.no_shows),
        sum(c.planned_minutes),
        sum(c.worked_minutes),
        count(distinct c.day) filter (where c.completed > 0)
      from pieces as p
      cross join lateral (
        select *
        from warehouse.counted_appointments as f
        where f.day >= p.first_day
          and f.day < p.end_day
        -- A fence: the days are found by their index, whatever else is asked.
        offset 0
      ) as c
      where p.grain = 'day'
        and (department_counts.doctor_id is null or c.doctor_id = department_counts.doctor_id)
      group by c.department_id
    )
    select
      c.department_id,
      sum(c.appointments)::bigint,
      sum(c.completed)::bigint,
      sum(c.cancelled)::bigint,
      sum(c.no_shows)::bigint,
      sum(c.planned_minutes)::bigint,
      sum(c.worked_minutes)::bigint,
      sum(c.days)::bigint,
      0
    from counted as c
    where (
        department_counts.reader.sees_all
        or department_counts.doctor_id = department_counts.reader.doctor_id
      )
      and (
        department_counts.department_id is null
        or c.department_id = department_counts.department_id
      )
    group by c.department_id;
  elsif department_counts.department_id <> department_counts.reader.department_id then
    return;
  else
    return query
    select
      t.department_id,
      sum(m.appointments)::bigint,
      sum(m.completed)::bigint,
      sum(m.cancelled)::bigint,
      sum(m.no_shows)::bigint,
      sum(m.planned_minutes)::bigint,
      sum(m.worked_minutes)::bigint,
      sum(m.days)::bigint,
      (count(*) filter (where not t.is_told))::integer
    from warehouse.department_months(
      department_counts.reader, department_counts.from_date, department_counts.until_date
    ) as t
    left join warehouse.mv_department_load as m
      on m.grain = 'month'
      and m.first_day = t.month
      and m.department_id = t.department_id
      and t.is_told
    group by t.department_id;
  end if;
end;
$$;
comment on function warehouse.department_counts(warehouse.reader, date, date, bigint, bigint) is
  'The appointments of departments in a period, of all or of one, by all doctors or by one, as far as the reader is told.';

create or replace function warehouse.department_months(
  reader warehouse.reader,
  from_date date,
  until_date date
)
returns table (department_id bigint, month date, is_told boolean)
language plpgsql
stable
security invoker
rows 40
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
  return query
  select
    m.department_id,
    m.month,
    p.grain <> 'day'
      and m.other_doctors >= 2
      and m.other_patients >= department_months.reader.smallest_cell
  from warehouse.pieces(department_months.from_date, department_months.until_date) as p
  join warehouse.mv_department_months as m
    on m.month >= case p.grain
      when 'day' then date_trunc('month', p.first_day::timestamp)
      else p.first_day
    end
    and m.month < p.end_day
  where m.doctor_id = department_months.reader.doctor_id
    and m.department_id = department_months.reader.department_id;
end;
$$;
comment on function warehouse.department_months(warehouse.reader, date, date) is
  'The months with days in the period in which anything was booked in the doctor''s department, and whether he is told its numbers.';

--! split: 5034-13-warehouse-duty_hours.sql
-- source: sql/13-warehouse/duty_hours.sql
-- What the catalogue cannot tell of a view that asks this function stands in warehouse.view_inputs: it
-- reads the calendar, through the one definition of when doctors work, up to the end of the day (UTC) of
-- the newest load. A dump is restored with row security off, which would refuse to fill the view.
create or replace function warehouse.duty_hours()
returns table (doctor_id bigint, worked_on date, starts_at timestamptz, minutes bigint)
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
set row_security = on
as $$
  select
    w.doctor_id,
    (w.starts_at at time zone f.time_zone)::date,
    w.starts_at,
    (extract(epoch from w.ends_at - w.starts_at) / 60)::bigint
  from warehouse.load_state as l
  cross join (
    select min(a.starts_at) as first
    from warehouse.fact_appointments as a
  ) as since
  cross join lateral hospital_private.working_shifts(
    array(select d.id from hospital.doctors as d),
    tstzrange(
      since.first,
      greatest(since.first, date_trunc('day', l.data_as_of, 'UTC') + interval '1 day')
    )
  ) as w
  join hospital.doctors as d
    on d.id = w.doctor_id
  join hospital.staff_members as s
    on s.id = d.staff_member_id
  join hospital.departments as p
    on p.id = s.department_id
  join hospital.facilities as f
    on f.id = p.facility_id;
$$;
comment on function warehouse.duty_hours() is
  'The stretches that doctors who are active now were on duty from the first appointment on, by the local day on which they began.';

--! split: 5035-13-warehouse-extract-appointment_type.sql
-- source: sql/13-warehouse/extract/appointment_type.sql
create or replace view warehouse.extract_appointment_type
with (security_invoker = true) as
select
  t.id as appointment_type_key,
  t.code,
  t.name,
  t.price
from hospital.appointment_types as t;
comment on view warehouse.extract_appointment_type is 'The kinds of appointment.';
comment on column warehouse.extract_appointment_type.appointment_type_key is 'The key of the type.';
comment on column warehouse.extract_appointment_type.code is 'The code of the type.';
comment on column warehouse.extract_appointment_type.name is 'The name shown to people.';
comment on column warehouse.extract_appointment_type.price is 'The price in US dollars.';

--! split: 5036-13-warehouse-extract-appointments.sql
-- source: sql/13-warehouse/extract/appointments.sql
-- The history says when the patient arrived, was seen and left; only what came after the appointment
-- was last scheduled counts, since a mistaken check-in is taken back to there. Its first row says how the
-- appointment was entered and not what happened: of one entered as completed, an imported encounter, the
-- visit says when it was, and it counts as booked when it began. A hold nobody confirmed was no booking.
create or replace view warehouse.extract_appointments
with (security_invoker = true) as
select
  a.id as appointment_id,
  a.patient_id,
  a.doctor_id,
  a.department_id,
  a.appointment_type_id,
  a.starts_at as happened_at,
  a.ends_at,
  a.busy,
  a.status,
  a.cancellation_reason,
  least(
    case when h.was_held then coalesce(h.confirmed_at, a.created_at) else a.created_at end,
    a.starts_at
  ) as booked_at,
  case when h.arrived_at > h.scheduled_at then h.arrived_at end as arrived_at,
  coalesce(case when h.seen_at > h.scheduled_at then h.seen_at end, v.started_at) as seen_at,
  case when a.status = 'completed' then coalesce(h.done_at, v.ended_at) end as done_at,
  a.cancelled_at,
  not (
    a.status in ('held', 'lapsed')
    or h.was_held and h.confirmed_at is null
  ) as is_counted
from hospital.appointments as a
left join hospital.visits as v
  on v.appointment_id = a.id
  and v.voided_at is null
cross join lateral (
  select
    coalesce(bool_or(s.to_status = 'held'), false) as was_held,
    min(s.changed_at) filter (where s.to_status = 'scheduled') as confirmed_at,
    coalesce(
      max(s.changed_at) filter (where s.to_status = 'scheduled'), '-infinity'
    ) as scheduled_at,
    max(s.changed_at) filter (
      where s.to_status = 'checked_in' and s.from_status is not null
    ) as arrived_at,
    max(s.changed_at) filter (
      where s.to_status = 'in_progress' and s.from_status is not null
    ) as seen_at,
    max(s.changed_at) filter (
      where s.to_status = 'completed' and s.from_status is not null
    ) as done_at
  from hospital.appointment_status_history as s
  where s.appointment_id = a.id
) as h;
comment on view warehouse.extract_appointments is 'All appointments, and what their history says of them.';
comment on column warehouse.extract_appointments.appointment_id is 'The appointment.';
comment on column warehouse.extract_appointments.patient_id is 'The patient.';
comment on column warehouse.extract_appointments.doctor_id is 'The doctor.';
comment on column warehouse.extract_appointments.department_id is 'The department it takes place in.';
comment on column warehouse.extract_appointments.appointment_type_id is 'The kind of appointment.';
comment on column warehouse.extract_appointments.happened_at is 'When it starts: as of then patient, doctor and department are told.';
comment on column warehouse.extract_appointments.ends_at is 'When it ends.';
comment on column warehouse.extract_appointments.busy is 'The time it keeps the doctor, buffers included.';
comment on column warehouse.extract_appointments.status is 'Its status.';
comment on column warehouse.extract_appointments.cancellation_reason is 'The coded reason of a cancellation, or null.';
comment on column warehouse.extract_appointments.booked_at is 'When it was booked or its hold confirmed; its start, when it was entered later than that.';
comment on column warehouse.extract_appointments.arrived_at is 'When the patient was checked in, or null.';
comment on column warehouse.extract_appointments.seen_at is 'When the consultation began, or null.';
comment on column warehouse.extract_appointments.done_at is 'When it was completed, or null.';
comment on column warehouse.extract_appointments.cancelled_at is 'When it was called off, or null.';
comment on column warehouse.extract_appointments.is_counted is 'Whether it was booked: no hold that lapsed, was given back or still waits.';

--! split: 5037-13-warehouse-extract-conditions.sql
-- source: sql/13-warehouse/extract/conditions.sql
-- A history is told in days of nobody's clock, so the patient is told as of noon, UTC: the same day almost
-- everywhere.
create or replace view warehouse.extract_conditions
with (security_invoker = true) as
select
  c.id as patient_condition_id,
  c.patient_id,
  (c.onset_on + time '12:00') at time zone 'UTC' as happened_at,
  c.diagnosis_code_id,
  c.onset_on,
  c.abated_on,
  c.voided_at is null as is_counted
from hospital.patient_conditions as c;
comment on view warehouse.extract_conditions is 'All entries in medical histories.';
comment on column warehouse.extract_conditions.patient_condition_id is 'The entry.';
comment on column warehouse.extract_conditions.patient_id is 'The patient.';
comment on column warehouse.extract_conditions.happened_at is 'Noon of the day it began.';
comment on column warehouse.extract_conditions.diagnosis_code_id is 'The code.';
comment on column warehouse.extract_conditions.onset_on is 'The day it began.';
comment on column warehouse.extract_conditions.abated_on is 'The day it ended, or null.';
comment on column warehouse.extract_conditions.is_counted is 'Whether it was not made in error.';

--! split: 5038-13-warehouse-extract-department.sql
-- source: sql/13-warehouse/extract/department.sql
create or replace view warehouse.extract_department
with (security_invoker = true) as
select
  v.id as department_key,
  v.department_id,
  v.recorded_at,
  v.name,
  v.facility_id,
  v.parent_id,
  v.is_active
from warehouse.department_versions as v
join hospital.departments as d
  on d.id = v.department_id;
comment on view warehouse.extract_department is 'The versions of the departments there are.';
comment on column warehouse.extract_department.department_key is 'The key of the version.';
comment on column warehouse.extract_department.department_id is 'The department.';
comment on column warehouse.extract_department.recorded_at is 'When the version was made.';
comment on column warehouse.extract_department.name is 'Its name.';
comment on column warehouse.extract_department.facility_id is 'Its facility.';
comment on column warehouse.extract_department.parent_id is 'The department above it, or null.';
comment on column warehouse.extract_department.is_active is 'Whether it receives patients.';

--! split: 5039-13-warehouse-extract-diagnoses.sql
-- source: sql/13-warehouse/extract/diagnoses.sql
create or replace view warehouse.extract_diagnoses
with (security_invoker = true) as
select
  d.id as visit_diagnosis_id,
  d.visit_id,
  v.appointment_id,
  v.patient_id,
  v.doctor_id,
  a.department_id,
  v.started_at as happened_at,
  d.diagnosis_code_id,
  d.rank,
  v.voided_at is null and d.voided_at is null as is_counted
from hospital.visit_diagnoses as d
join hospital.visits as v
  on v.id = d.visit_id
join hospital.appointments as a
  on a.id = v.appointment_id;
comment on view warehouse.extract_diagnoses is 'All coded diagnoses, each with its visit.';
comment on column warehouse.extract_diagnoses.visit_diagnosis_id is 'The diagnosis.';
comment on column warehouse.extract_diagnoses.visit_id is 'Its visit.';
comment on column warehouse.extract_diagnoses.appointment_id is 'The appointment of the visit.';
comment on column warehouse.extract_diagnoses.patient_id is 'The patient.';
comment on column warehouse.extract_diagnoses.doctor_id is 'The doctor of the visit.';
comment on column warehouse.extract_diagnoses.department_id is 'The department of the appointment.';
comment on column warehouse.extract_diagnoses.happened_at is 'When the visit began.';
comment on column warehouse.extract_diagnoses.diagnosis_code_id is 'The code.';
comment on column warehouse.extract_diagnoses.rank is 'The place among the diagnoses of the visit.';
comment on column warehouse.extract_diagnoses.is_counted is 'Whether neither it nor the visit was entered in error.';

--! split: 5040-13-warehouse-extract-diagnosis.sql
-- source: sql/13-warehouse/extract/diagnosis.sql
-- Of the tens of thousands of codes those that somebody used, also in error.
create or replace view warehouse.extract_diagnosis
with (security_invoker = true) as
select
  c.id as diagnosis_key,
  c.system,
  c.code,
  c.description
from hospital.diagnosis_codes as c
where exists (
    select
    from hospital.visit_diagnoses as d
    where d.diagnosis_code_id = c.id
  )
  or exists (
    select
    from hospital.patient_conditions as h
    where h.diagnosis_code_id = c.id
  );
comment on view warehouse.extract_diagnosis is 'The diagnosis codes that stand in the record.';
comment on column warehouse.extract_diagnosis.diagnosis_key is 'The key of the code.';
comment on column warehouse.extract_diagnosis.system is 'The code system.';
comment on column warehouse.extract_diagnosis.code is 'The code.';
comment on column warehouse.extract_diagnosis.description is 'What the code means.';

--! split: 5041-13-warehouse-extract-doctor.sql
-- source: sql/13-warehouse/extract/doctor.sql
create or replace view warehouse.extract_doctor
with (security_invoker = true) as
select
  v.id as doctor_key,
  v.doctor_id,
  d.staff_member_id,
  v.recorded_at,
  v.name,
  v.specialization,
  v.department_id,
  v.is_active,
  d.practising_since
from warehouse.doctor_versions as v
join hospital.doctors as d
  on d.id = v.doctor_id;
comment on view warehouse.extract_doctor is 'The versions of the doctors there are, with what is corrected rather than changed as it is now.';
comment on column warehouse.extract_doctor.doctor_key is 'The key of the version.';
comment on column warehouse.extract_doctor.doctor_id is 'The doctor.';
comment on column warehouse.extract_doctor.staff_member_id is 'The member of staff the doctor is.';
comment on column warehouse.extract_doctor.recorded_at is 'When the version was made.';
comment on column warehouse.extract_doctor.name is 'Given and family name.';
comment on column warehouse.extract_doctor.specialization is 'The specialty practised.';
comment on column warehouse.extract_doctor.department_id is 'The department worked in.';
comment on column warehouse.extract_doctor.is_active is 'Whether the doctor can be booked.';
comment on column warehouse.extract_doctor.practising_since is 'The day from which the doctor has practised.';

--! split: 5042-13-warehouse-extract-medication.sql
-- source: sql/13-warehouse/extract/medication.sql
create or replace view warehouse.extract_medication
with (security_invoker = true) as
select
  m.id as medication_key,
  m.code,
  m.name
from hospital.medications as m
where exists (
  select
  from hospital.prescriptions as p
  where p.medication_id = m.id
);
comment on view warehouse.extract_medication is 'The medicines that stand in a prescription.';
comment on column warehouse.extract_medication.medication_key is 'The key of the medicine.';
comment on column warehouse.extract_medication.code is 'The RxNorm concept identifier.';
comment on column warehouse.extract_medication.name is 'Name, strength and form.';

--! split: 5043-13-warehouse-extract-patient.sql
-- source: sql/13-warehouse/extract/patient.sql
create or replace view warehouse.extract_patient
with (security_invoker = true) as
select
  v.id as patient_key,
  v.patient_id,
  p.person_id,
  v.recorded_at,
  v.sex,
  p.date_of_birth,
  v.is_active
from warehouse.patient_versions as v
join hospital.patients as p
  on p.id = v.patient_id;
comment on view warehouse.extract_patient is 'The versions of the patients there are, with the person and the day of birth as they are now.';
comment on column warehouse.extract_patient.patient_key is 'The key of the version.';
comment on column warehouse.extract_patient.patient_id is 'The record of the patient.';
comment on column warehouse.extract_patient.person_id is 'The record that stands for the person.';
comment on column warehouse.extract_patient.recorded_at is 'When the version was made.';
comment on column warehouse.extract_patient.sex is 'Administrative sex.';
comment on column warehouse.extract_patient.date_of_birth is 'The day of birth.';
comment on column warehouse.extract_patient.is_active is 'Whether the record is open.';

--! split: 5044-13-warehouse-extract-prescriptions.sql
-- source: sql/13-warehouse/extract/prescriptions.sql
create or replace view warehouse.extract_prescriptions
with (security_invoker = true) as
select
  p.id as prescription_id,
  p.visit_id,
  v.appointment_id,
  v.patient_id,
  p.prescribed_by as doctor_id,
  a.department_id,
  v.started_at as happened_at,
  p.medication_id,
  p.start_date,
  p.stopped_at,
  p.duration_days,
  v.voided_at is null as is_counted
from hospital.prescriptions as p
join hospital.visits as v
  on v.id = p.visit_id
join hospital.appointments as a
  on a.id = v.appointment_id;
comment on view warehouse.extract_prescriptions is 'All prescriptions, each with its visit.';
comment on column warehouse.extract_prescriptions.prescription_id is 'The prescription.';
comment on column warehouse.extract_prescriptions.visit_id is 'Its visit.';
comment on column warehouse.extract_prescriptions.appointment_id is 'The appointment of the visit.';
comment on column warehouse.extract_prescriptions.patient_id is 'The patient.';
comment on column warehouse.extract_prescriptions.doctor_id is 'The doctor who prescribed.';
comment on column warehouse.extract_prescriptions.department_id is 'The department of the appointment.';
comment on column warehouse.extract_prescriptions.happened_at is 'When the visit began.';
comment on column warehouse.extract_prescriptions.medication_id is 'The medicine.';
comment on column warehouse.extract_prescriptions.start_date is 'The first day of taking it.';
comment on column warehouse.extract_prescriptions.stopped_at is 'When it was stopped early, or null.';
comment on column warehouse.extract_prescriptions.duration_days is 'For how many days it was prescribed, or null.';
comment on column warehouse.extract_prescriptions.is_counted is 'Whether the visit was not entered in error.';

--! split: 5045-13-warehouse-extract-symptoms.sql
-- source: sql/13-warehouse/extract/symptoms.sql
create or replace view warehouse.extract_symptoms
with (security_invoker = true) as
select
  n.id as clinical_note_id,
  v.id as visit_id,
  v.appointment_id,
  v.patient_id,
  v.doctor_id,
  a.department_id,
  v.started_at as happened_at,
  n.body -> 'symptoms' as symptoms,
  v.voided_at is null
    and n.signed_at is not null
    and n.voided_at is null
    and n.sensitivity = 'normal' as is_counted
from hospital.clinical_notes as n
join hospital.visits as v
  on v.record_uuid = n.record_uuid
join hospital.appointments as a
  on a.id = v.appointment_id;
comment on view warehouse.extract_symptoms is 'All notes, each with its visit.';
comment on column warehouse.extract_symptoms.clinical_note_id is 'The note.';
comment on column warehouse.extract_symptoms.visit_id is 'Its visit.';
comment on column warehouse.extract_symptoms.appointment_id is 'The appointment of the visit.';
comment on column warehouse.extract_symptoms.patient_id is 'The patient.';
comment on column warehouse.extract_symptoms.doctor_id is 'The doctor of the visit.';
comment on column warehouse.extract_symptoms.department_id is 'The department of the appointment.';
comment on column warehouse.extract_symptoms.happened_at is 'When the visit began.';
comment on column warehouse.extract_symptoms.symptoms is 'The list of symptoms as it was typed, or null.';
comment on column warehouse.extract_symptoms.is_counted is 'Whether the note is signed and of normal sensitivity, and neither it nor the visit was entered in error.';

--! split: 5046-13-warehouse-extract-treatments.sql
-- source: sql/13-warehouse/extract/treatments.sql
create or replace view warehouse.extract_treatments
with (security_invoker = true) as
select
  t.id as treatment_id,
  t.visit_id,
  v.appointment_id,
  v.patient_id,
  v.doctor_id,
  a.department_id,
  v.started_at as happened_at,
  t.type as treatment_type,
  t.started_at,
  t.ended_at,
  t.cost,
  t.outcome,
  v.voided_at is null and t.voided_at is null as is_counted
from hospital.treatments as t
join hospital.visits as v
  on v.id = t.visit_id
join hospital.appointments as a
  on a.id = v.appointment_id;
comment on view warehouse.extract_treatments is 'All treatments, each with its visit.';
comment on column warehouse.extract_treatments.treatment_id is 'The treatment.';
comment on column warehouse.extract_treatments.visit_id is 'Its visit.';
comment on column warehouse.extract_treatments.appointment_id is 'The appointment of the visit.';
comment on column warehouse.extract_treatments.patient_id is 'The patient.';
comment on column warehouse.extract_treatments.doctor_id is 'The doctor of the visit.';
comment on column warehouse.extract_treatments.department_id is 'The department of the appointment.';
comment on column warehouse.extract_treatments.happened_at is 'When the visit began.';
comment on column warehouse.extract_treatments.treatment_type is 'The treatment, by name.';
comment on column warehouse.extract_treatments.started_at is 'When it began.';
comment on column warehouse.extract_treatments.ended_at is 'When it ended, or null.';
comment on column warehouse.extract_treatments.cost is 'What it cost, in US dollars.';
comment on column warehouse.extract_treatments.outcome is 'How it turned out, or null.';
comment on column warehouse.extract_treatments.is_counted is 'Whether neither it nor the visit was entered in error.';

--! split: 5047-13-warehouse-extract-visits.sql
-- source: sql/13-warehouse/extract/visits.sql
create or replace view warehouse.extract_visits
with (security_invoker = true) as
select
  v.id as visit_id,
  v.appointment_id,
  v.patient_id,
  v.doctor_id,
  a.department_id,
  v.started_at as happened_at,
  v.ended_at,
  v.voided_at is null as is_counted
from hospital.visits as v
join hospital.appointments as a
  on a.id = v.appointment_id;
comment on view warehouse.extract_visits is 'All visits, each with the department of its appointment.';
comment on column warehouse.extract_visits.visit_id is 'The visit.';
comment on column warehouse.extract_visits.appointment_id is 'Its appointment.';
comment on column warehouse.extract_visits.patient_id is 'The patient.';
comment on column warehouse.extract_visits.doctor_id is 'The doctor.';
comment on column warehouse.extract_visits.department_id is 'The department of the appointment.';
comment on column warehouse.extract_visits.happened_at is 'When it began: as of then patient, doctor and department are told.';
comment on column warehouse.extract_visits.ended_at is 'When it ended, or null.';
comment on column warehouse.extract_visits.is_counted is 'Whether it was not entered in error.';

--! split: 5048-13-warehouse-keep_department_versions.sql
-- source: sql/13-warehouse/keep_department_versions.sql
-- Whoever keys a fact of last year by what a department is today rewrites last year. So every change is
-- written down as it is made: only then is its moment known, however late the loader comes. The row's
-- own lock makes the changes of one department follow one another, and their versions too.
create or replace function warehouse.keep_department_versions(ids bigint[])
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into warehouse.department_versions
    (department_id, recorded_at, name, facility_id, parent_id, is_active)
  select
    d.id,
    greatest(clock_timestamp(), newest.recorded_at + interval '1 microsecond'),
    d.name,
    d.facility_id,
    d.parent_id,
    d.is_active
  from unnest(keep_department_versions.ids) as i (id)
  join hospital.departments as d
    on d.id = i.id
  left join lateral (
    select v.*
    from warehouse.department_versions as v
    where v.department_id = d.id
    order by v.id desc
    limit 1
  ) as newest
    on true
  where (newest.name, newest.facility_id, newest.parent_id, newest.is_active)
    is distinct from (d.name, d.facility_id, d.parent_id, d.is_active)
  order by d.id;
end;
$$;
comment on function warehouse.keep_department_versions(bigint[]) is
  'Writes a version of each of these departments that is not what its newest version says; later by the clock than that, also when the clock was set back.';

create or replace function warehouse.keep_changed_departments()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform warehouse.keep_department_versions(array(select n.id from new_rows as n));
  return null;
end;
$$;
comment on function warehouse.keep_changed_departments() is
  'Trigger: writes the versions of departments. Lends the owner''s right to write the warehouse, which nobody else has.';

create or replace trigger _720_versions_insert
  after insert on hospital.departments
  referencing new table as new_rows
  for each statement execute function warehouse.keep_changed_departments();
create or replace trigger _720_versions_update
  after update on hospital.departments
  referencing new table as new_rows
  for each statement execute function warehouse.keep_changed_departments();

--! split: 5049-13-warehouse-keep_doctor_versions.sql
-- source: sql/13-warehouse/keep_doctor_versions.sql
-- A doctor is made of two rows, which two transactions may change at once: each would then write a
-- version without the other's change. So each locks the other row before it reads: the later one waits
-- and sees the change, or is told to try again where its snapshot cannot see it.
create or replace function warehouse.keep_doctor_versions(ids bigint[])
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into warehouse.doctor_versions
    (doctor_id, recorded_at, name, specialization, department_id, is_active)
  select
    d.id,
    greatest(clock_timestamp(), newest.recorded_at + interval '1 microsecond'),
    full_name.text,
    d.specialization,
    s.department_id,
    d.is_active
  from unnest(keep_doctor_versions.ids) as i (id)
  join hospital.doctors as d
    on d.id = i.id
  join hospital.staff_members as s
    on s.id = d.staff_member_id
  cross join lateral (select concat_ws(' ', s.given_name, s.family_name) as text) as full_name
  left join lateral (
    select v.*
    from warehouse.doctor_versions as v
    where v.doctor_id = d.id
    order by v.id desc
    limit 1
  ) as newest
    on true
  where (newest.name, newest.specialization, newest.department_id, newest.is_active)
    is distinct from (full_name.text, d.specialization, s.department_id, d.is_active)
  order by d.id;
end;
$$;
comment on function warehouse.keep_doctor_versions(bigint[]) is
  'Writes a version of each of these doctors who is not what the newest version says.';

create or replace function warehouse.keep_changed_doctors()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform
  from hospital.staff_members as s
  join new_rows as n
    on n.staff_member_id = s.id
  order by s.id
  for share of s;
  perform warehouse.keep_doctor_versions(array(select n.id from new_rows as n));
  return null;
end;
$$;
comment on function warehouse.keep_changed_doctors() is
  'Trigger: writes the versions of doctors. Lends the owner''s right to write the warehouse, which nobody else has.';

create or replace function warehouse.keep_changed_staff_members()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform
  from hospital.doctors as d
  join new_rows as n
    on n.id = d.staff_member_id
  order by d.id
  for share of d;
  perform warehouse.keep_doctor_versions(
    array(
      select d.id
      from hospital.doctors as d
      join new_rows as n
        on n.id = d.staff_member_id
    )
  );
  return null;
end;
$$;
comment on function warehouse.keep_changed_staff_members() is
  'Trigger: writes the versions of doctors among the staff. Lends the owner''s right to write the warehouse, which nobody else has.';

create or replace trigger _720_versions_insert
  after insert on hospital.doctors
  referencing new table as new_rows
  for each statement execute function warehouse.keep_changed_doctors();
create or replace trigger _720_versions_update
  after update on hospital.doctors
  referencing new table as new_rows
  for each statement execute function warehouse.keep_changed_doctors();
create or replace trigger _720_versions_update
  after update on hospital.staff_members
  referencing new table as new_rows
  for each statement execute function warehouse.keep_changed_staff_members();

--! split: 5050-13-warehouse-keep_patient_versions.sql
-- source: sql/13-warehouse/keep_patient_versions.sql
-- As of departments. What is not here is corrected rather than changed (the year of birth), or is a
-- link (the person after a merge), and holds for all versions at once.
create or replace function warehouse.keep_patient_versions(ids bigint[])
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into warehouse.patient_versions (patient_id, recorded_at, sex, is_active)
  select
    p.id,
    greatest(clock_timestamp(), newest.recorded_at + interval '1 microsecond'),
    p.sex,
    is_open.yes
  from unnest(keep_patient_versions.ids) as i (id)
  join hospital.patients as p
    on p.id = i.id
  cross join lateral (
    select p.deactivated_at is null and p.deceased_on is null as yes
  ) as is_open
  left join lateral (
    select v.*
    from warehouse.patient_versions as v
    where v.patient_id = p.id
    order by v.id desc
    limit 1
  ) as newest
    on true
  where (newest.sex, newest.is_active) is distinct from (p.sex, is_open.yes)
  order by p.id;
end;
$$;
comment on function warehouse.keep_patient_versions(bigint[]) is
  'Writes a version of each of these patients who is not what the newest version says.';

create or replace function warehouse.keep_changed_patients()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform warehouse.keep_patient_versions(array(select n.id from new_rows as n));
  return null;
end;
$$;
comment on function warehouse.keep_changed_patients() is
  'Trigger: writes the versions of patients. Lends the owner''s right to write the warehouse, which nobody else has.';

create or replace trigger _720_versions_insert
  after insert on hospital.patients
  referencing new table as new_rows
  for each statement execute function warehouse.keep_changed_patients();
create or replace trigger _720_versions_update
  after update on hospital.patients
  referencing new table as new_rows
  for each statement execute function warehouse.keep_changed_patients();

--! split: 5051-13-warehouse-load-appointment_type.sql
-- source: sql/13-warehouse/load/appointment_type.sql
delete from warehouse.load_sources as s where s.loaded_table = 'dim_appointment_type';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('dim_appointment_type', 'hospital.appointment_types', 'id', 'appointment_type_key');

--! split: 5052-13-warehouse-load-appointments.sql
-- source: sql/13-warehouse/load/appointments.sql
delete from warehouse.load_sources as s where s.loaded_table = 'fact_appointments';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('fact_appointments', 'hospital.appointments', 'id', 'appointment_id'),
  ('fact_appointments', 'hospital.appointment_status_history', 'appointment_id', 'appointment_id'),
  ('fact_appointments', 'hospital.visits', 'appointment_id', 'appointment_id'),
  ('fact_appointments', 'hospital.patients', 'id', 'patient_id'),
  ('fact_appointments', 'warehouse.dim_doctor', 'doctor_id', 'doctor_id'),
  ('fact_appointments', 'warehouse.dim_department', 'department_id', 'department_id');

--! split: 5053-13-warehouse-load-conditions.sql
-- source: sql/13-warehouse/load/conditions.sql
delete from warehouse.load_sources as s where s.loaded_table = 'fact_conditions';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('fact_conditions', 'hospital.patient_conditions', 'id', 'patient_condition_id'),
  ('fact_conditions', 'hospital.patients', 'id', 'patient_id');

--! split: 5054-13-warehouse-load-department.sql
-- source: sql/13-warehouse/load/department.sql
-- One changed version changes the end of the one before it.
delete from warehouse.load_sources as s where s.loaded_table = 'dim_department';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('dim_department', 'hospital.departments', 'id', 'department_id');

--! split: 5055-13-warehouse-load-diagnoses.sql
-- source: sql/13-warehouse/load/diagnoses.sql
delete from warehouse.load_sources as s where s.loaded_table = 'fact_diagnoses';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('fact_diagnoses', 'hospital.visit_diagnoses', 'id', 'visit_diagnosis_id'),
  ('fact_diagnoses', 'hospital.visits', 'id', 'visit_id'),
  ('fact_diagnoses', 'hospital.appointments', 'id', 'appointment_id'),
  ('fact_diagnoses', 'hospital.patients', 'id', 'patient_id'),
  ('fact_diagnoses', 'warehouse.dim_doctor', 'doctor_id', 'doctor_id'),
  ('fact_diagnoses', 'warehouse.dim_department', 'department_id', 'department_id');

--! split: 5056-13-warehouse-load-diagnosis.sql
-- source: sql/13-warehouse/load/diagnosis.sql
-- The list of codes is not in the audit: of what is here every row is compared with it, and new rows come
-- with the first entry that uses them.
delete from warehouse.load_sources as s where s.loaded_table = 'dim_diagnosis';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('dim_diagnosis', 'hospital.diagnosis_codes', 'id', 'diagnosis_key'),
  ('dim_diagnosis', 'hospital.visit_diagnoses', 'diagnosis_code_id', 'diagnosis_key'),
  ('dim_diagnosis', 'hospital.patient_conditions', 'diagnosis_code_id', 'diagnosis_key');

--! split: 5057-13-warehouse-load-doctor.sql
-- source: sql/13-warehouse/load/doctor.sql
delete from warehouse.load_sources as s where s.loaded_table = 'dim_doctor';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('dim_doctor', 'hospital.doctors', 'id', 'doctor_id'),
  ('dim_doctor', 'hospital.staff_members', 'id', 'staff_member_id');

--! split: 5058-13-warehouse-load-medication.sql
-- source: sql/13-warehouse/load/medication.sql
-- As of diagnoses.
delete from warehouse.load_sources as s where s.loaded_table = 'dim_medication';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('dim_medication', 'hospital.medications', 'id', 'medication_key'),
  ('dim_medication', 'hospital.prescriptions', 'medication_id', 'medication_key');

--! split: 5059-13-warehouse-load-patient.sql
-- source: sql/13-warehouse/load/patient.sql
delete from warehouse.load_sources as s where s.loaded_table = 'dim_patient';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('dim_patient', 'hospital.patients', 'id', 'patient_id');

--! split: 5060-13-warehouse-load-prescriptions.sql
-- source: sql/13-warehouse/load/prescriptions.sql
delete from warehouse.load_sources as s where s.loaded_table = 'fact_prescriptions';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('fact_prescriptions', 'hospital.prescriptions', 'id', 'prescription_id'),
  ('fact_prescriptions', 'hospital.visits', 'id', 'visit_id'),
  ('fact_prescriptions', 'hospital.appointments', 'id', 'appointment_id'),
  ('fact_prescriptions', 'hospital.patients', 'id', 'patient_id'),
  ('fact_prescriptions', 'warehouse.dim_doctor', 'doctor_id', 'doctor_id'),
  ('fact_prescriptions', 'warehouse.dim_department', 'department_id', 'department_id');

--! split: 5061-13-warehouse-load-symptoms.sql
-- source: sql/13-warehouse/load/symptoms.sql
delete from warehouse.load_sources as s where s.loaded_table = 'fact_symptoms';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('fact_symptoms', 'hospital.clinical_notes', 'id', 'clinical_note_id'),
  ('fact_symptoms', 'hospital.visits', 'id', 'visit_id'),
  ('fact_symptoms', 'hospital.appointments', 'id', 'appointment_id'),
  ('fact_symptoms', 'hospital.patients', 'id', 'patient_id'),
  ('fact_symptoms', 'warehouse.dim_doctor', 'doctor_id', 'doctor_id'),
  ('fact_symptoms', 'warehouse.dim_department', 'department_id', 'department_id');

--! split: 5062-13-warehouse-load-treatments.sql
-- source: sql/13-warehouse/load/treatments.sql
delete from warehouse.load_sources as s where s.loaded_table = 'fact_treatments';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('fact_treatments', 'hospital.treatments', 'id', 'treatment_id'),
  ('fact_treatments', 'hospital.visits', 'id', 'visit_id'),
  ('fact_treatments', 'hospital.appointments', 'id', 'appointment_id'),
  ('fact_treatments', 'hospital.patients', 'id', 'patient_id'),
  ('fact_treatments', 'warehouse.dim_doctor', 'doctor_id', 'doctor_id'),
  ('fact_treatments', 'warehouse.dim_department', 'department_id', 'department_id');

--! split: 5063-13-warehouse-load-visits.sql
-- source: sql/13-warehouse/load/visits.sql
delete from warehouse.load_sources as s where s.loaded_table = 'fact_visits';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('fact_visits', 'hospital.visits', 'id', 'visit_id'),
  ('fact_visits', 'hospital.appointments', 'id', 'appointment_id'),
  ('fact_visits', 'hospital.patients', 'id', 'patient_id'),
  ('fact_visits', 'warehouse.dim_doctor', 'doctor_id', 'doctor_id'),
  ('fact_visits', 'warehouse.dim_department', 'department_id', 'department_id');

--! split: 5064-13-warehouse-load_table.sql
-- source: sql/13-warehouse/load_table.sql
-- The transform view is the definition of the table. A load makes the table equal to it, wholly or for
-- the keys that were touched, and writes only what differs: readers see the old rows until the commit.
create or replace function warehouse.remove_rows(table_name text, keys bigint[])
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  removed bigint;
begin
  execute format(
    'delete from warehouse.%1$I as o where ($1 is null or o.%2$I = any ($1)) '
      'and not exists (select from %3$s as t where t.%2$I = o.%2$I '
      'and ($1 is null or t.%2$I = any ($1)))',
    remove_rows.table_name,
    warehouse.key_column(remove_rows.table_name),
    warehouse.layer(remove_rows.table_name, 'transform')
  )
  using remove_rows.keys;
  get diagnostics removed = row_count;
  return removed;
end;
$$;
comment on function warehouse.remove_rows(text, bigint[]) is
  'Deletes the rows of a dimension that are no more, of those with these keys or of all; returns how many.';

-- Rows of a dimension that are no more stay until the facts that point at them are gone. Days outside those
-- that are always there come with the first fact of such a day, in one statement with it: its foreign keys
-- are checked when the statement ends.
create or replace function warehouse.put_rows(
  table_name text,
  keys bigint[],
  out written bigint,
  out added bigint[]
)
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  key text := warehouse.key_column(put_rows.table_name);
begin
  execute format(
    $statement$
    with fresh as materialized (
      select %2$s
      from %3$s as t
      where $1 is null or t.%4$I = any ($1)
    ),
    gone as (
      delete from warehouse.%1$I as o
      where %9$s
        and ($1 is null or o.%4$I = any ($1))
        and not exists (select from fresh as t where t.%4$I = o.%4$I)
      returning o.%4$I
    ),
    days as (
      insert into warehouse.dim_date (date_key)
      select distinct d.day
      from fresh as t
      cross join lateral (values %5$s) as d (day)
      where d.day not between '1900-01-01' and '2100-12-31'
      on conflict do nothing
    ),
    written as (
      insert into warehouse.%1$I as o (%6$s)
      select %2$s
      from fresh as t
      where not exists (
        select
        from warehouse.%1$I as s
        where s.%4$I = t.%4$I
          and row(%7$s) is not distinct from row(%2$s)
      )
      on conflict (%4$I) do update
        set (%6$s) = row(%8$s)
      returning o.%4$I as key, o.xmax = '0' as is_new
    )
    select
      count(*) + (select count(*) from gone),
      array_agg(w.key) filter (where w.is_new and $1 is not null)
    from written as w
    $statement$,
    put_rows.table_name,
    warehouse.loaded_columns(put_rows.table_name, 't'),
    warehouse.layer(put_rows.table_name, 'transform'),
    key,
    coalesce(warehouse.day_columns(put_rows.table_name, 't'), '(null::date)'),
    replace(warehouse.loaded_columns(put_rows.table_name, '-'), '-.', ''),
    warehouse.loaded_columns(put_rows.table_name, 's'),
    warehouse.loaded_columns(put_rows.table_name, 'excluded'),
    (put_rows.table_name ~ '^fact_')::text
  )
  into put_rows.written, put_rows.added
  using put_rows.keys;
end;
$$;
comment on function warehouse.put_rows(text, bigint[]) is
  'Writes the rows of a loaded table that are new or differ, and deletes those of a fact that are no more, of those with these keys or of all; returns how many, and of given keys those that are new.';

--! split: 5065-13-warehouse-load_warehouse.sql
-- source: sql/13-warehouse/load_warehouse.sql
-- Reasons to believe neither the position nor the log. The last two are changes that touch so much that
-- loading everything is the plain way to do them.
create or replace function warehouse.reason_to_load_in_full(state warehouse.load_state)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when reason_to_load_in_full.state.data_as_of = '-infinity' then 'nothing has been loaded yet'
    when not exists (
      select
      from pg_catalog.pg_control_system() as c
      join (
        select e.cluster
        from audit.eras as e
        order by e.era desc
        limit 1
      ) as newest
        on newest.cluster = c.system_identifier
      where c.system_identifier = reason_to_load_in_full.state.cluster
    ) then 'the position is of another cluster'
    when reason_to_load_in_full.state.retired_months
      <> (select count(*) from audit.retired_months) then 'a month of the audit was retired'
    when reason_to_load_in_full.state.definitions <> warehouse.definitions()
      then 'what is loaded is defined anew'
    when exists (
      select
      from warehouse.new_entries(reason_to_load_in_full.state) as e
      where e.operation = 'truncate'
        and e.table_name in (select s.source_table from warehouse.load_sources as s)
    ) then 'a table was emptied'
    when exists (
      select
      from warehouse.new_entries(reason_to_load_in_full.state) as e
      join hospital.facilities as f
        on f.id = e.row_key::bigint
      where e.table_name = 'hospital.facilities'
        and e.operation = 'update'
        and e.old_image ->> 'time_zone' <> f.time_zone
    ) then 'a facility''s clocks were changed'
  end;
$$;
comment on function warehouse.reason_to_load_in_full(warehouse.load_state) is
  'Why the changes since the last load are not enough, or null where they are.';

-- A trigger that was off, or a load past all triggers, left no version. A full load makes up for it.
create or replace function warehouse.keep_all_versions()
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform warehouse.keep_department_versions(array(select d.id from hospital.departments as d));
  perform warehouse.keep_doctor_versions(array(select d.id from hospital.doctors as d));
  perform warehouse.keep_patient_versions(array(select p.id from hospital.patients as p));
end;
$$;
comment on function warehouse.keep_all_versions() is
  'Writes the versions that no trigger has written.';

-- Facts go before the dimension rows they point at, and come after them.
create or replace function warehouse.load_tables(changes warehouse.changed_rows[])
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  in_full boolean := load_tables.changes is null;
  is_first boolean := in_full and not exists (select from warehouse.table_states);
  tables text[] := warehouse.loaded_tables();
  loaded_table text;
  keys bigint[];
  put record;
  written bigint;
  total bigint := 0::bigint;
begin
  if in_full then
    perform warehouse.keep_all_versions();
  end if;
  foreach loaded_table in array tables loop
    if not in_full then
      keys := warehouse.touched_keys(loaded_table, load_tables.changes);
      continue when cardinality(keys) = 0;
    end if;
    if is_first and loaded_table ~ '^fact_' then
      written := warehouse.fill_table(loaded_table);
    else
      put := warehouse.put_rows(loaded_table, keys);
      written := put.written;
      load_tables.changes := load_tables.changes
        || row('warehouse.' || loaded_table, 'id', put.added)::warehouse.changed_rows;
    end if;
    total := total + warehouse.note_loaded(loaded_table, written);
    if in_full then
      execute format('analyze warehouse.%I', loaded_table);
    end if;
  end loop;
  foreach loaded_table in array tables loop
    continue when loaded_table ~ '^fact_';
    if not in_full then
      keys := warehouse.touched_keys(loaded_table, load_tables.changes);
    end if;
    total := total
      + warehouse.note_loaded(loaded_table, warehouse.remove_rows(loaded_table, keys));
  end loop;
  return total;
end;
$$;
comment on function warehouse.load_tables(warehouse.changed_rows[]) is
  'Makes every dimension and fact what its transform view says, for the rows that the changes touch, or where they are null for all; returns how many rows that wrote or deleted.';

create or replace function warehouse.note_loaded(table_name text, written bigint)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if note_loaded.written > 0 then
    raise notice '%: % rows', note_loaded.table_name, note_loaded.written;
    insert into warehouse.table_states (table_name, changed_as_of)
    values (note_loaded.table_name, now())
    on conflict on constraint table_states_pkey do update
      set changed_as_of = excluded.changed_as_of;
  end if;
  return note_loaded.written;
end;
$$;
comment on function warehouse.note_loaded(text, bigint) is
  'Tells and notes that rows of a table were written, if any were; returns how many.';

-- One load at a time. A snapshot may be older than the load that just gave the lock back: its position is
-- stale, which shows when the row of the position is written or locked, before anything else is; and what
-- there was to do has been done.
create or replace function warehouse.load(in_full boolean default false)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  state warehouse.load_state;
  reason text;
  total bigint;
begin
  if not pg_try_advisory_xact_lock(hashtext('warehouse.load')) then
    return 0::bigint;
  end if;
  begin
    insert into warehouse.load_state
      (cluster, snapshot, loaded_by, retired_months, definitions, data_as_of, loaded_in_full_at)
    values (0, '1:1:', '3', 0, '', '-infinity', '-infinity')
    on conflict do nothing;
    select s.*
    into state
    from warehouse.load_state as s
    for update;
  exception
    when serialization_failure then
      return 0::bigint;
  end;
  reason := case
    when load.in_full then 'as told'
    else warehouse.reason_to_load_in_full(state)
  end;
  if reason is not null then
    raise notice 'Loading everything: %', reason;
    state.loaded_in_full_at := now();
  end if;
  total := warehouse.load_tables(
    case when reason is null then warehouse.changes(state) end
  );
  update warehouse.load_state as s
  set cluster = (select e.cluster from audit.eras as e order by e.era desc limit 1),
    snapshot = pg_current_snapshot(),
    loaded_by = pg_current_xact_id(),
    retired_months = (select count(*) from audit.retired_months),
    definitions = warehouse.definitions(),
    data_as_of = now(),
    loaded_in_full_at = state.loaded_in_full_at;
  return total;
end;
$$;
comment on function warehouse.load(boolean) is
  'Brings the warehouse up to what its transaction sees, or loads it anew, and notes how far it has come; returns how many rows that wrote or deleted, 0 when somebody else is loading.';

create or replace function ops.load_warehouse(in_full boolean default false)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- A position is right for one snapshot; read committed would take another for every statement.
  if current_setting('transaction_isolation') not in ('repeatable read', 'serializable') then
    raise exception using
      errcode = 'invalid_transaction_state',
      message = 'The warehouse is loaded in one snapshot.',
      hint = 'Begin with: begin isolation level repeatable read';
  end if;
  return warehouse.load(load_warehouse.in_full);
end;
$$;
comment on function ops.load_warehouse(boolean) is
  'Job: loads the warehouse within one snapshot and returns how many rows that wrote or deleted. Raises 25000 under read committed. Lends the worker the owner''s right to read the record and to write the warehouse.';

--! split: 5066-13-warehouse-names.sql
-- source: sql/13-warehouse/names.sql
-- The loader knows tables by the catalogue and by their names, so that a new one is its own three files
-- and nothing else: dim_x and fact_x are loaded from transform_x, which is made from extract_x.
create or replace function warehouse.layer(table_name text, layer text)
returns text
language sql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select format(
    'warehouse.%I',
    regexp_replace(layer.table_name, '^(dim|fact)', layer.layer)
  );
$$;
comment on function warehouse.layer(text, text) is
  'The view of a loaded table in a layer, extract or transform.';

create or replace function warehouse.key_column(table_name text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select a.attname::text
  from pg_catalog.pg_constraint as c
  join pg_catalog.pg_attribute as a
    on a.attrelid = c.conrelid
    and a.attnum = c.conkey[1]
  where c.conrelid = format('warehouse.%I', key_column.table_name)::regclass
    and c.contype = 'p';
$$;
comment on function warehouse.key_column(text) is
  'The column that is the primary key of a loaded table.';

create or replace function warehouse.loaded_columns(table_name text, alias text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(
    format('%s.%I', loaded_columns.alias, a.attname),
    ', '
    order by a.attnum
  )
  from pg_catalog.pg_attribute as a
  where a.attrelid = format('warehouse.%I', loaded_columns.table_name)::regclass
    and a.attnum > 0
    and not a.attisdropped
    and a.attgenerated = '';
$$;
comment on function warehouse.loaded_columns(text, text) is
  'SQL for the columns of a loaded table, in order, but for those it works out itself.';

create or replace function warehouse.day_columns(table_name text, alias text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(
    format('(%s.%I)', day_columns.alias, a.attname),
    ', '
    order by a.attnum
  )
  from pg_catalog.pg_constraint as c
  join pg_catalog.pg_attribute as a
    on a.attrelid = c.conrelid
    and a.attnum = c.conkey[1]
  where c.conrelid = format('warehouse.%I', day_columns.table_name)::regclass
    and c.confrelid = 'warehouse.dim_date'::regclass;
$$;
comment on function warehouse.day_columns(text, text) is
  'SQL for the columns of a loaded table that refer to days, each in parentheses; null where none does.';

-- Dimensions come first: facts point at them.
create or replace function warehouse.loaded_tables()
returns text[]
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select s.loaded_table
    from warehouse.load_sources as s
    group by s.loaded_table
    order by s.loaded_table
  );
$$;
comment on function warehouse.loaded_tables() is
  'The dimensions and facts that are loaded, in the order in which they are.';

create or replace function warehouse.definitions()
returns bytea
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select sha256(
    convert_to(
      string_agg(
        format(
          '%s %s %s %s',
          t.name,
          warehouse.loaded_columns(t.name, 't'),
          pg_get_viewdef(warehouse.layer(t.name, 'extract')::regclass),
          pg_get_viewdef(warehouse.layer(t.name, 'transform')::regclass)
        ),
        e'\n'
        order by t.name
      ),
      'UTF8'
    )
  )
  from unnest(warehouse.loaded_tables()) as t (name);
$$;
comment on function warehouse.definitions() is
  'The SHA-256 of what says what is loaded: a definition that changed is a reason to load everything anew.';

--! split: 5067-13-warehouse-new_entries.sql
-- source: sql/13-warehouse/new_entries.sql
-- The log of changes is the audit. Transactions end in another order than they begin, so neither a time
-- nor a number says what has been read: the snapshot of the last load does, exactly. The statement is
-- planned with its numbers: not knowing them, the planner would read the whole audit for the last minute.
create or replace function warehouse.new_entries(state warehouse.load_state)
returns table (table_name text, operation text, row_key text, old_image jsonb)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute $query$
    select
      e.table_name,
      e.operation,
      e.row_key,
      e.old_image
    from audit.entries as e
    where e.transaction_id >= $1
      and (not pg_visible_in_snapshot(e.transaction_id, $2) or e.transaction_id = $3)
      and e.era = (select max(r.era) from audit.eras as r)
    $query$
    using
      new_entries.state.next_transaction_id,
      new_entries.state.snapshot,
      new_entries.state.loaded_by;
end;
$$;
comment on function warehouse.new_entries(warehouse.load_state) is
  'The changes on record that no load has seen, and the rows as they were, without what identifies a patient.';

--! split: 5068-13-warehouse-operational_views.sql
-- source: sql/13-warehouse/operational_views.sql
-- What the answers about the running of the hospital are read from: the sums of each month and of all days
-- (warehouse.pieces). One may be made from another, so they are dropped and made together; they are filled
-- as they are made, so that no reader finds one that cannot be read. Sums of each day would be as many rows
-- as a third of the facts, and comparing them the dearest part of every refresh.
-- squawk-ignore-file require-concurrent-index-creation
drop materialized view if exists
  warehouse.mv_top_doctors,
  warehouse.mv_doctor_workload,
  warehouse.mv_department_load,
  warehouse.mv_department_months,
  warehouse.mv_department_efficiency,
  warehouse.mv_duty_hours,
  warehouse.mv_monthly_visits,
  warehouse.mv_revenue;

create materialized view warehouse.mv_top_doctors as
select
  case when grouping(v.month) = 0 then 'month' else 'all' end as grain,
  coalesce(v.month, '-infinity') as first_day,
  v.department_id,
  v.doctor_id,
  count(*) as visits
from warehouse.counted_visits as v
group by
  v.department_id,
  v.doctor_id,
  rollup (v.month);
create unique index mv_top_doctors_key
  on warehouse.mv_top_doctors (grain, first_day, department_id, doctor_id);
create index mv_top_doctors_doctor_id_idx
  on warehouse.mv_top_doctors (doctor_id, grain, first_day);
comment on materialized view warehouse.mv_top_doctors is 'Visits by doctor and department, of each month and of all days.';
comment on column warehouse.mv_top_doctors.grain is 'What the row is about: a month, or all days.';
comment on column warehouse.mv_top_doctors.first_day is 'The first of the month, or -infinity for all days.';
comment on column warehouse.mv_top_doctors.department_id is 'The department in which the visits took place.';
comment on column warehouse.mv_top_doctors.doctor_id is 'The doctor.';
comment on column warehouse.mv_top_doctors.visits is 'How many visits there were.';

create materialized view warehouse.mv_monthly_visits as
select
  m.first_day as month,
  coalesce(m.department_id, 0) as department_id,
  sum(m.visits)::bigint as visits
from warehouse.mv_top_doctors as m
where m.grain = 'month'
group by
  m.first_day,
  rollup (m.department_id);
create unique index mv_monthly_visits_key on warehouse.mv_monthly_visits (department_id, month);
comment on materialized view warehouse.mv_monthly_visits is 'Visits by month, of each department and of all.';
comment on column warehouse.mv_monthly_visits.month is 'The first day of the month.';
comment on column warehouse.mv_monthly_visits.department_id is 'The department, or 0 for all.';
comment on column warehouse.mv_monthly_visits.visits is 'How many visits there were.';

create materialized view warehouse.mv_doctor_workload as
with
by_day as (
  select
    c.day,
    c.month,
    c.department_id,
    c.doctor_id,
    sum(c.appointments) as appointments,
    sum(c.completed) as completed,
    sum(c.cancelled) as cancelled,
    sum(c.no_shows) as no_shows,
    sum(c.planned_minutes) as planned_minutes,
    sum(c.worked_minutes) as worked_minutes
  from warehouse.counted_appointments as c
  group by
    c.day,
    c.month,
    c.department_id,
    c.doctor_id
)
select
  case when grouping(c.month) = 0 then 'month' else 'all' end as grain,
  coalesce(c.month, '-infinity') as first_day,
  c.department_id,
  coalesce(c.doctor_id, 0) as doctor_id,
  sum(c.appointments)::bigint as appointments,
  sum(c.completed)::bigint as completed,
  sum(c.cancelled)::bigint as cancelled,
  sum(c.no_shows)::bigint as no_shows,
  sum(c.planned_minutes)::bigint as planned_minutes,
  sum(c.worked_minutes)::bigint as worked_minutes,
  count(distinct c.day) filter (where c.completed > 0) as days
from by_day as c
group by
  c.department_id,
  rollup (c.month),
  rollup (c.doctor_id);
create unique index mv_doctor_workload_key
  on warehouse.mv_doctor_workload (grain, first_day, department_id, doctor_id);
create index mv_doctor_workload_doctor_id_idx
  on warehouse.mv_doctor_workload (doctor_id, grain, first_day);
comment on materialized view warehouse.mv_doctor_workload is 'Appointments by doctor and department, and by department, of each month and of all days.';
comment on column warehouse.mv_doctor_workload.grain is 'What the row is about: a month, or all days.';
comment on column warehouse.mv_doctor_workload.first_day is 'The first of the month, or -infinity for all days.';
comment on column warehouse.mv_doctor_workload.department_id is 'The department in which the appointments take place.';
comment on column warehouse.mv_doctor_workload.doctor_id is 'The doctor, or 0 for all of the department.';
comment on column warehouse.mv_doctor_workload.appointments is 'How many were booked, whatever became of them.';
comment on column warehouse.mv_doctor_workload.completed is 'How many were completed.';
comment on column warehouse.mv_doctor_workload.cancelled is 'How many were called off.';
comment on column warehouse.mv_doctor_workload.no_shows is 'To how many the patient did not come.';
comment on column warehouse.mv_doctor_workload.planned_minutes is 'How long those that were not called off were to last.';
comment on column warehouse.mv_doctor_workload.worked_minutes is 'How long those that were completed kept the doctor, buffers included.';
comment on column warehouse.mv_doctor_workload.days is 'On how many days something was completed.';

-- Apart from the doctors, so that a question about departments reads a row for each.
create materialized view warehouse.mv_department_load as
select
  w.grain,
  w.first_day,
  w.department_id,
  w.appointments,
  w.completed,
  w.cancelled,
  w.no_shows,
  w.planned_minutes,
  w.worked_minutes,
  w.days
from warehouse.mv_doctor_workload as w
where w.doctor_id = 0;
create unique index mv_department_load_key
  on warehouse.mv_department_load (grain, first_day, department_id);
comment on materialized view warehouse.mv_department_load is 'Appointments by department, of each month and of all days.';
comment on column warehouse.mv_department_load.grain is 'What the row is about: a month, or all days.';
comment on column warehouse.mv_department_load.first_day is 'The first of the month, or -infinity for all days.';
comment on column warehouse.mv_department_load.department_id is 'The department in which the appointments take place.';
comment on column warehouse.mv_department_load.appointments is 'How many were booked, whatever became of them.';
comment on column warehouse.mv_department_load.completed is 'How many were completed.';
comment on column warehouse.mv_department_load.cancelled is 'How many were called off.';
comment on column warehouse.mv_department_load.no_shows is 'To how many the patient did not come.';
comment on column warehouse.mv_department_load.planned_minutes is 'How long those that were not called off were to last.';
comment on column warehouse.mv_department_load.worked_minutes is 'How long those that were completed kept the doctors, buffers included.';
comment on column warehouse.mv_department_load.days is 'On how many days something was completed.';

-- A doctor who knows his own numbers learns those of the others by taking his from the department's. What
-- this tells about decides whether he is given them.
create materialized view warehouse.mv_department_months as
with
met as (
  select distinct
    c.month,
    c.department_id,
    c.doctor_id,
    n.person_id
  from warehouse.counted_appointments as c
  join warehouse.dim_patient as n
    on n.patient_key = c.patient_key
),
months as (
  select
    m.month,
    m.department_id,
    count(distinct m.person_id) as patients,
    count(distinct m.doctor_id) as doctors
  from met as m
  group by
    m.month,
    m.department_id
),
own as (
  select
    m.month,
    m.department_id,
    m.doctor_id,
    count(*) as patients
  from met as m
  group by
    m.month,
    m.department_id,
    m.doctor_id
)
select
  m.month,
  m.department_id,
  r.doctor_id,
  m.patients - coalesce(o.patients, 0) as other_patients,
  m.doctors - case when o.doctor_id is null then 0 else 1 end as other_doctors
from months as m
join warehouse.dim_doctor as r
  on r.department_id = m.department_id
  and r.is_current
left join own as o
  on o.month = m.month
  and o.department_id = m.department_id
  and o.doctor_id = r.doctor_id;
create unique index mv_department_months_key
  on warehouse.mv_department_months (doctor_id, department_id, month);
comment on materialized view warehouse.mv_department_months is 'Of whom a department''s numbers of a month speak besides each of its doctors and his patients.';
comment on column warehouse.mv_department_months.month is 'The first day of the month.';
comment on column warehouse.mv_department_months.department_id is 'The department.';
comment on column warehouse.mv_department_months.doctor_id is 'A doctor who works there now.';
comment on column warehouse.mv_department_months.other_patients is 'How many patients had appointments there that month, and none with him.';
comment on column warehouse.mv_department_months.other_doctors is 'How many other doctors they were with.';

-- Percentiles do not add up, counts of each length of wait do: from them a percentile is exact.
create materialized view warehouse.mv_department_efficiency as
select
  case when grouping(c.month) = 0 then 'month' else 'all' end as grain,
  coalesce(c.month, '-infinity') as first_day,
  c.department_id,
  c.wait_minutes,
  count(*) as patients
from warehouse.counted_appointments as c
where c.wait_minutes is not null
group by
  c.department_id,
  c.wait_minutes,
  rollup (c.month);
create unique index mv_department_efficiency_key
  on warehouse.mv_department_efficiency (grain, first_day, department_id, wait_minutes);
comment on materialized view warehouse.mv_department_efficiency is 'How long patients waited by department, as counts of each length, of each month and of all days.';
comment on column warehouse.mv_department_efficiency.grain is 'What the row is about: a month, or all days.';
comment on column warehouse.mv_department_efficiency.first_day is 'The first of the month, or -infinity for all days.';
comment on column warehouse.mv_department_efficiency.department_id is 'The department in which they waited.';
comment on column warehouse.mv_department_efficiency.wait_minutes is 'A length of wait, in whole minutes.';
comment on column warehouse.mv_department_efficiency.patients is 'How many appointments began after such a wait.';

create materialized view warehouse.mv_duty_hours as
select
  case
    when grouping(w.worked_on) = 0 then 'day'
    when grouping(d.month_start) = 0 then 'month'
    else 'all'
  end as grain,
  coalesce(w.worked_on, d.month_start, '-infinity') as first_day,
  o.department_id,
  coalesce(o.doctor_id, 0) as doctor_id,
  sum(w.minutes)::bigint as minutes
from warehouse.duty_hours() as w
join warehouse.dim_date as d
  on d.date_key = w.worked_on
join warehouse.dim_doctor as o
  on o.doctor_id = w.doctor_id
  and o.valid @> w.starts_at
group by
  grouping sets ((w.worked_on), (d.month_start), ()),
  grouping sets ((o.department_id, o.doctor_id), (o.department_id));
create unique index mv_duty_hours_key
  on warehouse.mv_duty_hours (doctor_id, department_id, grain, first_day);
comment on materialized view warehouse.mv_duty_hours is 'How long doctors were on duty by department, each and together, of each day, of each month and of all days.';
comment on column warehouse.mv_duty_hours.grain is 'What the row is about: a day, a month, or all days.';
comment on column warehouse.mv_duty_hours.first_day is 'The day, the first of the month, or -infinity for all days.';
comment on column warehouse.mv_duty_hours.department_id is 'The department in which the doctor worked then.';
comment on column warehouse.mv_duty_hours.doctor_id is 'The doctor, or 0 for all of the department.';
comment on column warehouse.mv_duty_hours.minutes is 'How many minutes they were on duty.';

create materialized view warehouse.mv_revenue as
select
  c.month,
  coalesce(c.department_id, 0) as department_id,
  coalesce(c.doctor_id, 0) as doctor_id,
  sum(c.appointments)::bigint as appointments,
  sum(c.appointment_revenue)::numeric(14,2) as appointment_revenue,
  sum(c.treatments)::bigint as treatments,
  sum(c.treatment_revenue)::numeric(14,2) as treatment_revenue
from warehouse.charges as c
group by
  c.month,
  cube (c.department_id, c.doctor_id);
create unique index mv_revenue_key
  on warehouse.mv_revenue (department_id, doctor_id, month);
comment on materialized view warehouse.mv_revenue is 'What was charged in each month by department and doctor, by each of them, and in all.';
comment on column warehouse.mv_revenue.month is 'The first day of the month.';
comment on column warehouse.mv_revenue.department_id is 'The department in which it was earned, or 0 for all.';
comment on column warehouse.mv_revenue.doctor_id is 'The doctor who earned it, or 0 for all.';
comment on column warehouse.mv_revenue.appointments is 'How many appointments were completed.';
comment on column warehouse.mv_revenue.appointment_revenue is 'The prices of their types, in US dollars.';
comment on column warehouse.mv_revenue.treatments is 'How many treatments were given.';
comment on column warehouse.mv_revenue.treatment_revenue is 'What they cost, in US dollars.';

--! split: 5069-13-warehouse-pieces.sql
-- source: sql/13-warehouse/pieces.sql
-- The views hold sums of all days (from -infinity) and of each month. A question about any days is the sum of
-- whole months and of the facts of the days that are left over at both ends: so it is exact for any days, and
-- reads few rows when it is about months or about everything.
create or replace function warehouse.pieces(from_date date, until_date date)
returns table (grain text, first_day date, end_day date)
language plpgsql
immutable
security invoker
rows 3
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Within what a timestamp can hold, and beyond any appointment.
  since constant date := greatest(pieces.from_date, date '0001-01-01');
  until constant date := least(pieces.until_date, date '9999-01-01');
  first_month constant date :=
    date_trunc('month', since::timestamp + interval '1 month' - interval '1 day')::date;
  end_month constant date := greatest(date_trunc('month', until::timestamp)::date, first_month);
begin
  if pieces.from_date is null and pieces.until_date is null then
    return query values ('all', '-infinity'::date, 'infinity'::date);
  elsif end_month > first_month then
    return query
    select *
    from (
      values
        ('day', since, first_month),
        ('month', first_month, end_month),
        ('day', end_month, until)
    ) as p (grain, first_day, end_day)
    where p.first_day < p.end_day;
  elsif since < until then
    return query values ('day', since, until);
  end if;
end;
$$;
comment on function warehouse.pieces(date, date) is
  'The stretches of all days, whole months and single days that a period is made of, from its first day and before its end.';

--! split: 5070-13-warehouse-publication.sql
-- source: sql/13-warehouse/publication.sql
-- The one list of what leaves for another server: the tables that the extracts read, and of each the
-- columns they read. Names, numbers and texts of patients are not among them, so notes are not, whose
-- words the extract of symptoms reads. A generated column is
-- computed over there. Each list holds the primary key: without it no row of the table could be updated.
alter publication warehouse_sources set table
  hospital.facilities (id, name, time_zone),
  hospital.departments (id, facility_id, parent_id, name, is_active),
  hospital.doctors (id, staff_member_id, practising_since),
  hospital.patients (id, date_of_birth, merged_into_id),
  hospital.appointment_types (id, code, name, price),
  hospital.appointments (
    id, patient_id, doctor_id, department_id, appointment_type_id, starts_at, ends_at, busy, status,
    cancelled_at, cancellation_reason, created_at
  ),
  hospital.appointment_status_history (id, appointment_id, from_status, to_status, changed_at),
  hospital.visits (id, appointment_id, patient_id, doctor_id, started_at, ended_at, voided_at),
  hospital.visit_diagnoses (id, visit_id, diagnosis_code_id, rank, voided_at),
  hospital.diagnosis_codes (id, system, code, description),
  hospital.patient_conditions (id, patient_id, diagnosis_code_id, onset_on, abated_on, voided_at),
  hospital.prescriptions (
    id, visit_id, medication_id, prescribed_by, start_date, duration_days, stopped_at
  ),
  hospital.medications (id, code, name),
  hospital.treatments (id, visit_id, type, started_at, ended_at, cost, outcome, voided_at),
  warehouse.department_versions,
  warehouse.doctor_versions,
  warehouse.patient_versions;

--! split: 5071-13-warehouse-refresh_views.sql
-- source: sql/13-warehouse/refresh_views.sql
-- In one transaction under REPEATABLE READ, which the worker begins, so that every view is of one instant
-- and none is ahead of another. What is killed has advanced nothing.
create or replace function warehouse.refresh_views()
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
-- Sums of every fact there is.
set work_mem = '64MB'
as $$
declare
  loaded_as_of timestamptz := (select l.data_as_of from warehouse.load_state as l);
  refreshed bigint := 0::bigint;
  next record;
  inputs text;
begin
  insert into warehouse.view_states (view_name)
  select c.relname
  from pg_class as c
  where c.relnamespace = 'warehouse'::regnamespace
    and c.relkind = 'm'
  on conflict do nothing;
  delete from warehouse.view_states as s
  where not exists (
    select
    from pg_class as c
    where c.relnamespace = 'warehouse'::regnamespace
      and c.relkind = 'm'
      and c.relname = s.view_name
  );
  -- Who comes second waits here. If the first one has changed anything the second fails (40001) and
  -- is tried again: by its snapshot the views would be what they were before.
  perform
  from warehouse.view_states as s
  order by s.view_name
  for update;
  if loaded_as_of is null then
    return 0::bigint;
  end if;

  -- Inputs before what is made from them.
  for next in
    with recursive
    ranked as (
      select
        s.view_name,
        0 as rank
      from warehouse.view_states as s
      union all
      select
        i.view_name,
        r.rank + 1
      from ranked as r
      join warehouse.view_inputs as i
        on i.input_name = r.view_name
    )
    select
      s.view_name,
      s.filled_from,
      s.refreshed_at is not null and c.relispopulated as is_filled
    from warehouse.view_states as s
    join pg_class as c
      on c.relnamespace = 'warehouse'::regnamespace
      and c.relname = s.view_name
    join ranked as r
      on r.view_name = s.view_name
    group by
      s.view_name,
      c.oid
    order by
      max(r.rank),
      s.view_name
  loop
    select
      coalesce(
        string_agg(
          concat_ws(' ', i.input_name, i.state), ', ' order by i.input_name
        ),
        ''
      )
    into inputs
    from warehouse.view_inputs as i
    where i.view_name = next.view_name;
    continue when inputs is not distinct from next.filled_from;
    if next.is_filled then
      execute format('refresh materialized view concurrently warehouse.%I', next.view_name);
    else
      execute format('refresh materialized view warehouse.%I', next.view_name);
      execute format('analyze warehouse.%I', next.view_name);
    end if;
    update warehouse.view_states as s
    set filled_from = inputs,
      refreshed_at = clock_timestamp()
    where s.view_name = next.view_name;
    refreshed := refreshed + 1;
  end loop;

  update warehouse.view_states as s
  set data_as_of = loaded_as_of;
  return refreshed;
end;
$$;
comment on function warehouse.refresh_views() is
  'Refreshes the materialized views of which an input has changed, advances data_as_of of all, and returns how many were refreshed.';

create or replace function ops.refresh_views()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select warehouse.refresh_views();
$$;
comment on function ops.refresh_views() is
  'Job: refreshes the views behind the answers and returns how many it refreshed. Lends the worker the owner''s right to refresh them.';

--! split: 5072-13-warehouse-strip_table.sql
-- source: sql/13-warehouse/strip_table.sql
-- The first load fills empty tables. Foreign keys checked and indexes kept row by row would take most of
-- its time; checked and built at its end, in the same transaction, they hold as well. The locks this takes
-- keep nobody from anything: there is nothing to read yet. It is only done then: a table that others point at
-- cannot be altered while changes of its rows are still to be checked.
create or replace function warehouse.strip_table(table_name text)
returns text[]
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  relation regclass := format('warehouse.%I', strip_table.table_name)::regclass;
  part record;
  restoring text[] := '{}'::text[];
begin
  for part in
    select
      format('drop index %s', i.indexrelid::regclass) as taking_off,
      pg_get_indexdef(i.indexrelid) as putting_back,
      1 as turn
    from pg_catalog.pg_index as i
    where i.indrelid = relation
      and not i.indisunique

    union all
    select
      format('alter table %s drop constraint %I', relation, c.conname),
      format(
        'alter table %s add constraint %I %s', relation, c.conname, pg_get_constraintdef(c.oid)
      ),
      2
    from pg_catalog.pg_constraint as c
    where c.conrelid = relation
      and c.contype = 'f'
    order by
      turn,
      putting_back
  loop
    execute part.taking_off;
    restoring := restoring || part.putting_back;
  end loop;
  return restoring;
end;
$$;
comment on function warehouse.strip_table(text) is
  'Takes the foreign keys and all indexes but that of the primary key off a loaded table; returns the statements that put them back.';

create or replace function warehouse.fill_table(table_name text)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  restoring text[] := warehouse.strip_table(fill_table.table_name);
  written bigint := (select p.written from warehouse.put_rows(fill_table.table_name, null) as p);
  statement text;
begin
  foreach statement in array restoring loop
    execute statement;
  end loop;
  return written;
end;
$$;
comment on function warehouse.fill_table(text) is
  'Writes all rows of a loaded table that is empty; returns how many.';

--! split: 5073-13-warehouse-told_cells.sql
-- source: sql/13-warehouse/told_cells.sql
-- Nothing says what was left out: that a treatment was given to somebody is all there is to tell of him.
-- Who knows his own numbers takes them from his department's, so a doctor is told of it where enough
-- patients of two colleagues or more remain (as in department_counts).
create or replace function warehouse.told_cells(
  reader warehouse.reader,
  kind text,
  from_date date,
  until_date date,
  department_id bigint,
  doctor_id bigint
)
returns setof warehouse.clinical_cell
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    c.item,
    c.month,
    c.department_id,
    c.doctor_id,
    c.visits
  from warehouse.mv_clinical_cells as c
  left join warehouse.mv_clinical_cells as own
    on own.kind = c.kind
    and own.item = c.item
    and own.month = c.month
    and own.department_id = c.department_id
    and own.doctor_id = (told_cells.reader).doctor_id
  where c.kind = told_cells.kind
    -- A rule that has become stricter holds before the view is filled again.
    and c.smallest_cell >= (select hospital_private.smallest_cell())
    and (told_cells.from_date is null or c.month >= told_cells.from_date)
    and (told_cells.until_date is null or c.month < told_cells.until_date)
    and c.doctor_id = coalesce(told_cells.doctor_id, 0)
    and case
      when (told_cells.reader).sees_all then c.is_told
        and case
          when told_cells.department_id is not null then c.department_id = told_cells.department_id
          else (c.department_id = 0) = (told_cells.doctor_id is null)
        end
      else c.doctor_id = 0
        and c.department_id = (told_cells.reader).department_id
        and c.department_id
          = coalesce(told_cells.department_id, (told_cells.reader).department_id)
        and c.patients - coalesce(own.patients, 0) >= c.smallest_cell
        and c.doctors - coalesce(own.doctors, 0) >= 2
    end;
$$;
comment on function warehouse.told_cells(warehouse.reader, text, date, date, bigint, bigint) is
  'The symptoms or treatments of months that begin from from_date and before until_date of which the reader may be told: an administrator of the hospital, a department or a doctor, a doctor of his department.';

--! split: 5074-13-warehouse-touched_keys.sql
-- source: sql/13-warehouse/touched_keys.sql
-- What is asked once of the log: the keys of the changed rows of every source, and what they showed
-- before in the other columns by which something is found.
create or replace function warehouse.changes(state warehouse.load_state)
returns warehouse.changed_rows[]
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with wanted as (
    select distinct
      s.source_table,
      c.source_column
    from warehouse.load_sources as s
    cross join lateral (values ('id'), (s.source_column)) as c (source_column)
  ),

  changed as (
    select
      w.source_table,
      w.source_column,
      array_agg(distinct v.key::bigint) as keys
    from warehouse.new_entries(changes.state) as e
    join wanted as w
      on w.source_table = e.table_name
    cross join lateral (
      select case w.source_column
        when 'id' then e.row_key
        else e.old_image ->> w.source_column
      end
    ) as v (key)
    where v.key is not null
    group by
      w.source_table,
      w.source_column
  )

  select array(
    select row(c.source_table, c.source_column, c.keys)::warehouse.changed_rows
    from changed as c
  );
$$;
comment on function warehouse.changes(warehouse.load_state) is
  'What has changed in the record since the last load, source by source.';

create or replace function warehouse.shown_values(
  source_table text,
  source_column text,
  row_keys bigint[],
  old_values bigint[]
)
returns bigint[]
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  shown bigint[];
begin
  if shown_values.source_column = 'id' then
    return shown_values.row_keys;
  end if;
  execute format(
    'select array(select s.%1$I from %2$s as s where s.id = any ($1) and s.%1$I is not null '
      'union select unnest($2))',
    shown_values.source_column,
    shown_values.source_table
  )
  into shown
  using shown_values.row_keys, shown_values.old_values;
  return shown;
end;
$$;
comment on function warehouse.shown_values(text, text, bigint[], bigint[]) is
  'What the rows with these keys show in a column, together with what they showed before.';

-- What is gone from the record is found where it was loaded, if the column was.
create or replace function warehouse.keys_found_by(loaded_table text, found_by text, shown bigint[])
returns bigint[]
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  key text := warehouse.key_column(keys_found_by.loaded_table);
  places text[] := array[warehouse.layer(keys_found_by.loaded_table, 'extract')];
  found bigint[];
begin
  if keys_found_by.found_by = key then
    return keys_found_by.shown;
  end if;
  if exists (
    select
    from pg_catalog.pg_attribute as a
    where a.attrelid = format('warehouse.%I', keys_found_by.loaded_table)::regclass
      and a.attname = keys_found_by.found_by
  ) then
    places := places || format('warehouse.%I', keys_found_by.loaded_table);
  end if;
  execute (
    select format(
      'select array(%s)',
      string_agg(
        format('select t.%I from %s as t where t.%I = any ($1)', key, p.place, keys_found_by.found_by),
        ' union '
      )
    )
    from unnest(places) as p (place)
  )
  into found
  using keys_found_by.shown;
  return found;
end;
$$;
comment on function warehouse.keys_found_by(text, text, bigint[]) is
  'The keys of the rows of a dimension or fact that show one of these values in a column, or showed it when they were loaded.';

create or replace function warehouse.keys_since_versions(
  loaded_table text,
  dimension text,
  source_column text,
  found_by text,
  versions bigint[]
)
returns bigint[]
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  found bigint[];
begin
  execute format(
    'select array(select e.%1$I from %2$s as v join %3$s as e on e.%4$I = v.%5$I '
      'and (lower_inf(v.valid) or e.happened_at >= lower(v.valid)) where v.%6$I = any ($1))',
    warehouse.key_column(keys_since_versions.loaded_table),
    keys_since_versions.dimension,
    warehouse.layer(keys_since_versions.loaded_table, 'extract'),
    keys_since_versions.found_by,
    keys_since_versions.source_column,
    warehouse.key_column(split_part(keys_since_versions.dimension, '.', 2))
  )
  into found
  using keys_since_versions.versions;
  return found;
end;
$$;
comment on function warehouse.keys_since_versions(text, text, text, text, bigint[]) is
  'The keys of the facts that happened since one of these versions of what they hang on began.';

create or replace function warehouse.touched_keys(
  loaded_table text,
  changes warehouse.changed_rows[]
)
returns bigint[]
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  source record;
  touched bigint[] := '{}'::bigint[];
begin
  for source in
    select
      s.*,
      u.table_name is not null as is_unaudited,
      rows.keys as row_keys,
      before.keys as old_values
    from warehouse.load_sources as s
    left join audit.unaudited_tables as u
      on u.table_name = s.source_table
    left join unnest(touched_keys.changes) as rows
      on rows.source_table = s.source_table
      and rows.source_column = 'id'
    left join unnest(touched_keys.changes) as before
      on before.source_table = s.source_table
      and before.source_column = s.source_column
    where s.loaded_table = touched_keys.loaded_table
      and (u.table_name is not null or cardinality(rows.keys) > 0)
  loop
    touched := touched || case
      -- Nobody says what changed there, so every row that came from there is compared.
      when source.is_unaudited then warehouse.all_keys(source.loaded_table)
      when source.source_table ~ '^warehouse\.' then warehouse.keys_since_versions(
        source.loaded_table,
        source.source_table,
        source.source_column,
        source.found_by,
        source.row_keys
      )
      else warehouse.keys_found_by(
        source.loaded_table,
        source.found_by,
        warehouse.shown_values(
          source.source_table,
          source.source_column,
          source.row_keys,
          source.old_values
        )
      )
    end;
  end loop;
  return array(select distinct unnest(touched));
end;
$$;
comment on function warehouse.touched_keys(text, warehouse.changed_rows[]) is
  'The keys of the rows of a dimension or fact that the changes may have touched, also of those that are gone.';

create or replace function warehouse.all_keys(loaded_table text)
returns bigint[]
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  found bigint[];
begin
  execute format(
    'select array(select t.%I from warehouse.%I as t)',
    warehouse.key_column(all_keys.loaded_table),
    all_keys.loaded_table
  )
  into found;
  return found;
end;
$$;
comment on function warehouse.all_keys(text) is
  'The keys of all rows of a loaded table.';

--! split: 5075-13-warehouse-transform-appointment_type.sql
-- source: sql/13-warehouse/transform/appointment_type.sql
create or replace view warehouse.transform_appointment_type
with (security_invoker = true) as
select
  e.appointment_type_key,
  e.code,
  e.name,
  e.price
from warehouse.extract_appointment_type as e;
comment on view warehouse.transform_appointment_type is 'The rows of dim_appointment_type.';
comment on column warehouse.transform_appointment_type.appointment_type_key is 'The key of the type.';
comment on column warehouse.transform_appointment_type.code is 'The code of the type.';
comment on column warehouse.transform_appointment_type.name is 'The name shown to people.';
comment on column warehouse.transform_appointment_type.price is 'The price in US dollars.';

--! split: 5076-13-warehouse-transform-appointments.sql
-- source: sql/13-warehouse/transform/appointments.sql
-- Days and times of day are those of the clock on the wall of the facility. How many versions are in force
-- at one moment is beyond the planner's statistics, which expect next to none, and it would try each row
-- with each; of what stands in coalesce it expects half.
create or replace view warehouse.transform_appointments
with (security_invoker = true) as
select
  e.appointment_id,
  p.patient_key,
  d.doctor_key,
  o.department_key,
  e.appointment_type_id as appointment_type_key,
  local.booked_at::date as booked_on,
  local.starts_at::date as starts_on,
  (extract(hour from local.starts_at) * 60 + extract(minute from local.starts_at))::smallint
    as start_minute,
  e.status,
  e.cancellation_reason,
  e.booked_at,
  e.happened_at as starts_at,
  e.arrived_at,
  e.seen_at,
  e.done_at,
  e.cancelled_at,
  least(floor(extract(epoch from e.ends_at - e.happened_at) / 60), 2147483647)::integer
    as planned_minutes,
  least(floor(extract(epoch from upper(e.busy) - lower(e.busy)) / 60), 2147483647)::integer
    as occupied_minutes,
  local.starts_at::date - local.booked_at::date as lead_days,
  case
    when num_nulls(e.arrived_at, e.seen_at) = 0 then
      floor(
        greatest(0, extract(epoch from e.seen_at - greatest(e.arrived_at, e.happened_at))) / 60
      )::integer
  end as wait_minutes
from warehouse.extract_appointments as e
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
cross join lateral (
  select
    e.booked_at at time zone f.time_zone as booked_at,
    e.happened_at at time zone f.time_zone as starts_at
) as local
where e.is_counted;
comment on view warehouse.transform_appointments is 'The rows of fact_appointments.';
comment on column warehouse.transform_appointments.appointment_id is 'The appointment.';
comment on column warehouse.transform_appointments.patient_key is 'The patient as of the start.';
comment on column warehouse.transform_appointments.doctor_key is 'The doctor as of the start.';
comment on column warehouse.transform_appointments.department_key is 'The department as of the start.';
comment on column warehouse.transform_appointments.appointment_type_key is 'The kind of appointment.';
comment on column warehouse.transform_appointments.booked_on is 'The local day of booking.';
comment on column warehouse.transform_appointments.starts_on is 'The local day of the start.';
comment on column warehouse.transform_appointments.start_minute is 'The local time of the start, in minutes since midnight.';
comment on column warehouse.transform_appointments.status is 'Its status.';
comment on column warehouse.transform_appointments.cancellation_reason is 'The coded reason of a cancellation, or null.';
comment on column warehouse.transform_appointments.booked_at is 'When it was booked.';
comment on column warehouse.transform_appointments.starts_at is 'When it starts.';
comment on column warehouse.transform_appointments.arrived_at is 'When the patient was checked in, or null.';
comment on column warehouse.transform_appointments.seen_at is 'When the consultation began, or null.';
comment on column warehouse.transform_appointments.done_at is 'When it was completed, or null.';
comment on column warehouse.transform_appointments.cancelled_at is 'When it was called off, or null.';
comment on column warehouse.transform_appointments.planned_minutes is 'How long it was to last.';
comment on column warehouse.transform_appointments.occupied_minutes is 'How long it kept the doctor, buffers included.';
comment on column warehouse.transform_appointments.lead_days is 'Local days from booking to start.';
comment on column warehouse.transform_appointments.wait_minutes is 'Whole minutes from arrival, or from the planned start if the patient came early, to being seen; null without an arrival on record.';

--! split: 5077-13-warehouse-transform-conditions.sql
-- source: sql/13-warehouse/transform/conditions.sql
create or replace view warehouse.transform_conditions
with (security_invoker = true) as
select
  e.patient_condition_id,
  p.patient_key,
  e.diagnosis_code_id as diagnosis_key,
  e.onset_on,
  e.abated_on
from warehouse.extract_conditions as e
join warehouse.dim_patient as p
  on p.patient_id = e.patient_id
  and coalesce(p.valid @> e.happened_at, false)
where e.is_counted;
comment on view warehouse.transform_conditions is 'The rows of fact_conditions.';
comment on column warehouse.transform_conditions.patient_condition_id is 'The entry.';
comment on column warehouse.transform_conditions.patient_key is 'The patient as of the day it began.';
comment on column warehouse.transform_conditions.diagnosis_key is 'The code.';
comment on column warehouse.transform_conditions.onset_on is 'The day it began.';
comment on column warehouse.transform_conditions.abated_on is 'The day it ended, or null.';

--! split: 5078-13-warehouse-transform-department.sql
-- source: sql/13-warehouse/transform/department.sql
create or replace view warehouse.transform_department
with (security_invoker = true) as
select
  e.department_key,
  e.department_id,
  tstzrange(
    case when earlier.is_there then e.recorded_at end,
    later.recorded_at
  ) as valid,
  e.name,
  e.facility_id,
  e.parent_id,
  e.is_active
from warehouse.extract_department as e
cross join lateral (
  select exists (
    select
    from warehouse.department_versions as v
    where v.department_id = e.department_id
      and v.id < e.department_key
  ) as is_there
) as earlier
left join lateral (
  select v.recorded_at
  from warehouse.department_versions as v
  where v.department_id = e.department_id
    and v.id > e.department_key
  order by v.id
  limit 1
) as later
  on true;
comment on view warehouse.transform_department is 'The rows of dim_department.';
comment on column warehouse.transform_department.department_key is 'The key of the version.';
comment on column warehouse.transform_department.department_id is 'The department.';
comment on column warehouse.transform_department.valid is 'When the version is in force: the first from ever, the newest without end.';
comment on column warehouse.transform_department.name is 'Its name.';
comment on column warehouse.transform_department.facility_id is 'Its facility.';
comment on column warehouse.transform_department.parent_id is 'The department above it, or null.';
comment on column warehouse.transform_department.is_active is 'Whether it receives patients.';

--! split: 5079-13-warehouse-transform-diagnoses.sql
-- source: sql/13-warehouse/transform/diagnoses.sql
create or replace view warehouse.transform_diagnoses
with (security_invoker = true) as
select
  e.visit_diagnosis_id,
  e.visit_id,
  p.patient_key,
  d.doctor_key,
  o.department_key,
  e.diagnosis_code_id as diagnosis_key,
  local.day as diagnosed_on,
  e.rank,
  extract(year from age(local.day, person.date_of_birth))::integer as age_years
from warehouse.extract_diagnoses as e
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
join hospital.patients as person
  on person.id = e.patient_id
cross join lateral (
  select (e.happened_at at time zone f.time_zone)::date as day
) as local
where e.is_counted;
comment on view warehouse.transform_diagnoses is 'The rows of fact_diagnoses.';
comment on column warehouse.transform_diagnoses.visit_diagnosis_id is 'The diagnosis.';
comment on column warehouse.transform_diagnoses.visit_id is 'Its visit.';
comment on column warehouse.transform_diagnoses.patient_key is 'The patient as of the visit.';
comment on column warehouse.transform_diagnoses.doctor_key is 'The doctor as of the visit.';
comment on column warehouse.transform_diagnoses.department_key is 'The department as of the visit.';
comment on column warehouse.transform_diagnoses.diagnosis_key is 'The code.';
comment on column warehouse.transform_diagnoses.diagnosed_on is 'The local day of the visit.';
comment on column warehouse.transform_diagnoses.rank is 'The place among the diagnoses of the visit.';
comment on column warehouse.transform_diagnoses.age_years is 'Age on that day in completed years.';

--! split: 5080-13-warehouse-transform-diagnosis.sql
-- source: sql/13-warehouse/transform/diagnosis.sql
create or replace view warehouse.transform_diagnosis
with (security_invoker = true) as
select
  e.diagnosis_key,
  e.system,
  e.code,
  e.description
from warehouse.extract_diagnosis as e;
comment on view warehouse.transform_diagnosis is 'The rows of dim_diagnosis.';
comment on column warehouse.transform_diagnosis.diagnosis_key is 'The key of the code.';
comment on column warehouse.transform_diagnosis.system is 'The code system.';
comment on column warehouse.transform_diagnosis.code is 'The code.';
comment on column warehouse.transform_diagnosis.description is 'What the code means.';

--! split: 5081-13-warehouse-transform-doctor.sql
-- source: sql/13-warehouse/transform/doctor.sql
create or replace view warehouse.transform_doctor
with (security_invoker = true) as
select
  e.doctor_key,
  e.doctor_id,
  tstzrange(
    case when earlier.is_there then e.recorded_at end,
    later.recorded_at
  ) as valid,
  e.name,
  e.specialization,
  e.department_id,
  e.is_active,
  e.practising_since
from warehouse.extract_doctor as e
cross join lateral (
  select exists (
    select
    from warehouse.doctor_versions as v
    where v.doctor_id = e.doctor_id
      and v.id < e.doctor_key
  ) as is_there
) as earlier
left join lateral (
  select v.recorded_at
  from warehouse.doctor_versions as v
  where v.doctor_id = e.doctor_id
    and v.id > e.doctor_key
  order by v.id
  limit 1
) as later
  on true;
comment on view warehouse.transform_doctor is 'The rows of dim_doctor.';
comment on column warehouse.transform_doctor.doctor_key is 'The key of the version.';
comment on column warehouse.transform_doctor.doctor_id is 'The doctor.';
comment on column warehouse.transform_doctor.valid is 'When the version is in force: the first from ever, the newest without end.';
comment on column warehouse.transform_doctor.name is 'Given and family name.';
comment on column warehouse.transform_doctor.specialization is 'The specialty practised.';
comment on column warehouse.transform_doctor.department_id is 'The department worked in.';
comment on column warehouse.transform_doctor.is_active is 'Whether the doctor can be booked.';
comment on column warehouse.transform_doctor.practising_since is 'The day from which the doctor has practised.';

--! split: 5082-13-warehouse-transform-medication.sql
-- source: sql/13-warehouse/transform/medication.sql
create or replace view warehouse.transform_medication
with (security_invoker = true) as
select
  e.medication_key,
  e.code,
  e.name
from warehouse.extract_medication as e;
comment on view warehouse.transform_medication is 'The rows of dim_medication.';
comment on column warehouse.transform_medication.medication_key is 'The key of the medicine.';
comment on column warehouse.transform_medication.code is 'The RxNorm concept identifier.';
comment on column warehouse.transform_medication.name is 'Name, strength and form.';

--! split: 5083-13-warehouse-transform-patient.sql
-- source: sql/13-warehouse/transform/patient.sql
create or replace view warehouse.transform_patient
with (security_invoker = true) as
select
  e.patient_key,
  e.patient_id,
  e.person_id,
  tstzrange(
    case when earlier.is_there then e.recorded_at end,
    later.recorded_at
  ) as valid,
  e.sex,
  extract(year from e.date_of_birth)::smallint as birth_year,
  e.is_active
from warehouse.extract_patient as e
cross join lateral (
  select exists (
    select
    from warehouse.patient_versions as v
    where v.patient_id = e.patient_id
      and v.id < e.patient_key
  ) as is_there
) as earlier
left join lateral (
  select v.recorded_at
  from warehouse.patient_versions as v
  where v.patient_id = e.patient_id
    and v.id > e.patient_key
  order by v.id
  limit 1
) as later
  on true;
comment on view warehouse.transform_patient is 'The rows of dim_patient.';
comment on column warehouse.transform_patient.patient_key is 'The key of the version.';
comment on column warehouse.transform_patient.patient_id is 'The record of the patient.';
comment on column warehouse.transform_patient.person_id is 'The record that stands for the person.';
comment on column warehouse.transform_patient.valid is 'When the version is in force: the first from ever, the newest without end.';
comment on column warehouse.transform_patient.sex is 'Administrative sex.';
comment on column warehouse.transform_patient.birth_year is 'The year of birth.';
comment on column warehouse.transform_patient.is_active is 'Whether the record is open.';

--! split: 5084-13-warehouse-transform-prescriptions.sql
-- source: sql/13-warehouse/transform/prescriptions.sql
create or replace view warehouse.transform_prescriptions
with (security_invoker = true) as
select
  e.prescription_id,
  e.visit_id,
  p.patient_key,
  d.doctor_key,
  o.department_key,
  e.medication_id as medication_key,
  e.start_date as starts_on,
  (e.stopped_at at time zone f.time_zone)::date as stopped_on,
  e.duration_days
from warehouse.extract_prescriptions as e
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
where e.is_counted;
comment on view warehouse.transform_prescriptions is 'The rows of fact_prescriptions.';
comment on column warehouse.transform_prescriptions.prescription_id is 'The prescription.';
comment on column warehouse.transform_prescriptions.visit_id is 'Its visit.';
comment on column warehouse.transform_prescriptions.patient_key is 'The patient as of the visit.';
comment on column warehouse.transform_prescriptions.doctor_key is 'The doctor who prescribed, as of the visit.';
comment on column warehouse.transform_prescriptions.department_key is 'The department as of the visit.';
comment on column warehouse.transform_prescriptions.medication_key is 'The medicine.';
comment on column warehouse.transform_prescriptions.starts_on is 'The first day of taking it.';
comment on column warehouse.transform_prescriptions.stopped_on is 'The local day it was stopped early, or null.';
comment on column warehouse.transform_prescriptions.duration_days is 'For how many days it was prescribed, or null.';

--! split: 5085-13-warehouse-transform-symptoms.sql
-- source: sql/13-warehouse/transform/symptoms.sql
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

--! split: 5086-13-warehouse-transform-treatments.sql
-- source: sql/13-warehouse/transform/treatments.sql
create or replace view warehouse.transform_treatments
with (security_invoker = true) as
select
  e.treatment_id,
  e.visit_id,
  p.patient_key,
  d.doctor_key,
  o.department_key,
  e.treatment_type,
  (e.started_at at time zone f.time_zone)::date as treated_on,
  least(floor(extract(epoch from e.ended_at - e.started_at) / 60), 2147483647)::integer
    as duration_minutes,
  e.cost,
  e.outcome
from warehouse.extract_treatments as e
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
where e.is_counted;
comment on view warehouse.transform_treatments is 'The rows of fact_treatments.';
comment on column warehouse.transform_treatments.treatment_id is 'The treatment.';
comment on column warehouse.transform_treatments.visit_id is 'Its visit.';
comment on column warehouse.transform_treatments.patient_key is 'The patient as of the visit.';
comment on column warehouse.transform_treatments.doctor_key is 'The doctor as of the visit.';
comment on column warehouse.transform_treatments.department_key is 'The department as of the visit.';
comment on column warehouse.transform_treatments.treatment_type is 'The treatment, by name.';
comment on column warehouse.transform_treatments.treated_on is 'The local day it began.';
comment on column warehouse.transform_treatments.duration_minutes is 'How long it took in whole minutes, or null.';
comment on column warehouse.transform_treatments.cost is 'What it cost, in US dollars.';
comment on column warehouse.transform_treatments.outcome is 'How it turned out, or null.';

--! split: 5087-13-warehouse-transform-visits.sql
-- source: sql/13-warehouse/transform/visits.sql
create or replace view warehouse.transform_visits
with (security_invoker = true) as
select
  e.visit_id,
  e.appointment_id,
  p.patient_key,
  d.doctor_key,
  o.department_key,
  local.started_at::date as visited_on,
  (extract(hour from local.started_at) * 60 + extract(minute from local.started_at))::smallint
    as start_minute,
  e.happened_at as started_at,
  least(floor(extract(epoch from e.ended_at - e.happened_at) / 60), 2147483647)::integer
    as duration_minutes,
  extract(year from age(local.started_at::date, person.date_of_birth))::integer as age_years
from warehouse.extract_visits as e
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
join hospital.patients as person
  on person.id = e.patient_id
cross join lateral (
  select e.happened_at at time zone f.time_zone as started_at
) as local
where e.is_counted;
comment on view warehouse.transform_visits is 'The rows of fact_visits.';
comment on column warehouse.transform_visits.visit_id is 'The visit.';
comment on column warehouse.transform_visits.appointment_id is 'Its appointment.';
comment on column warehouse.transform_visits.patient_key is 'The patient as of the visit.';
comment on column warehouse.transform_visits.doctor_key is 'The doctor as of the visit.';
comment on column warehouse.transform_visits.department_key is 'The department as of the visit.';
comment on column warehouse.transform_visits.visited_on is 'The local day it began.';
comment on column warehouse.transform_visits.start_minute is 'The local time it began, in minutes since midnight.';
comment on column warehouse.transform_visits.started_at is 'When it began.';
comment on column warehouse.transform_visits.duration_minutes is 'How long it lasted in whole minutes, or null.';
comment on column warehouse.transform_visits.age_years is 'Age on that day in completed years.';

--! split: 5088-13-warehouse-verify_warehouse.sql
-- source: sql/13-warehouse/verify_warehouse.sql
-- The proof that loading what changed makes what loading everything would make: in one transaction and
-- one snapshot first the one, then the other beside it, row by row by their hashes.
create or replace function warehouse.verify_table(table_name text)
returns setof warehouse.difference
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute format(
    $query$
    select
      %1$L,
      coalesce(loaded.key, fresh.key)::bigint,
      case
        when loaded.key is null then 'is missing'
        when fresh.key is null then 'should not be there'
        else 'is not what it should be'
      end
    from (
      select
        t.%2$I as key,
        sha256(record_send(row(%3$s))) as hash
      from warehouse.%1$I as t
    ) as loaded
    full join (
      select
        t.%2$I as key,
        sha256(record_send(row(%3$s))) as hash
      from %4$s as t
    ) as fresh
      on fresh.key = loaded.key
    where fresh.hash is distinct from loaded.hash
    order by coalesce(loaded.key, fresh.key)
    $query$,
    verify_table.table_name,
    warehouse.key_column(verify_table.table_name),
    warehouse.loaded_columns(verify_table.table_name, 't'),
    warehouse.layer(verify_table.table_name, 'transform')
  );
end;
$$;
comment on function warehouse.verify_table(text) is
  'The rows of a loaded table that are not what its transform view says, by key.';

create or replace function warehouse.verify()
returns setof warehouse.difference
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  loaded_table text;
begin
  perform warehouse.load();
  if not exists (
    select
    from warehouse.load_state as s
    where s.loaded_by = pg_current_xact_id()
  ) then
    raise exception using
      errcode = 'lock_not_available',
      message = 'Somebody else is loading the warehouse.',
      hint = 'Try again when the load is done.';
  end if;
  -- A full load would begin with the versions that no trigger has written.
  perform warehouse.keep_all_versions();
  foreach loaded_table in array warehouse.loaded_tables() loop
    raise notice 'Verifying %', loaded_table;
    return query select * from warehouse.verify_table(loaded_table);
  end loop;
end;
$$;
comment on function warehouse.verify() is
  'Loads what changed and returns the rows that a full load in the same snapshot would make otherwise; for a transaction that is rolled back. Raises 55P03 when somebody else is loading.';

--! split: 5089-13-warehouse-view_inputs.sql
-- source: sql/13-warehouse/view_inputs.sql
-- What each materialized view reads, from the catalogue itself: a list beside the views would one day
-- leave something out, and the view would stay as it was. Views in
-- between are looked through.
create or replace view warehouse.view_inputs with (security_invoker = true) as
with recursive
reading as (
  select distinct
    rule.ev_class as reader,
    depend.refobjid as input
  from pg_catalog.pg_depend as depend
  join pg_catalog.pg_rewrite as rule
    on rule.oid = depend.objid
  where depend.classid = 'pg_catalog.pg_rewrite'::regclass
    and depend.refclassid = 'pg_catalog.pg_class'::regclass
    and depend.refobjid <> rule.ev_class
),
inputs as (
  select
    r.reader,
    r.input
  from reading as r
  join pg_catalog.pg_class as c
    on c.oid = r.reader
    and c.relkind = 'm'
    and c.relnamespace = 'warehouse'::regnamespace
  union
  select
    i.reader,
    r.input
  from inputs as i
  join pg_catalog.pg_class as c
    on c.oid = i.input
    and c.relkind = 'v'
  join reading as r
    on r.reader = i.input
)
select
  reader.relname::text collate "default" as view_name,
  input.relname::text collate "default" as input_name,
  extract(epoch from coalesce(t.changed_as_of, s.refreshed_at))::text as state
from inputs as i
join pg_catalog.pg_class as reader
  on reader.oid = i.reader
join pg_catalog.pg_class as input
  on input.oid = i.input
  and input.relkind <> 'v'
left join warehouse.table_states as t
  on t.table_name = input.relname::text
left join warehouse.view_states as s
  on s.view_name = input.relname::text

-- What a function reads the catalogue does not know. Every change of these tables leaves an entry.
union all
select
  'mv_duty_hours',
  calendar.table_name,
  (select count(*) from audit.entries as e where e.table_name = calendar.table_name)::text
from unnest(array[
  'hospital.doctor_schedules', 'hospital.doctor_time_off', 'hospital.doctor_extra_sessions',
  'hospital.doctors', 'hospital.staff_members', 'hospital.departments', 'hospital.facilities'
]) as calendar (table_name)
union all
select
  'mv_duty_hours',
  'day of load_state',
  (l.data_as_of at time zone 'UTC')::date::text
from warehouse.load_state as l
union all
select
  'mv_clinical_cells',
  'smallest_cell',
  hospital_private.smallest_cell()::text;
comment on view warehouse.view_inputs is 'The tables and materialized views that each materialized view of the warehouse is made from.';
comment on column warehouse.view_inputs.view_name is 'The materialized view, without its schema.';
comment on column warehouse.view_inputs.input_name is 'What it reads, without its schema.';
comment on column warehouse.view_inputs.state is 'What is another whenever that has changed, or null if it never has.';

--! split: 5090-14-analytics-charlson_index.sql
-- source: sql/14-analytics/charlson_index.sql
-- The code list is nobody's secret, and of a person this knows only the codes it is given: who may see
-- those has been decided before.
create or replace function hospital_private.comorbidities_of(
  present_codes text[],
  former_codes text[] default '{}'
)
returns setof warehouse.dim_comorbidity
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  with found as (
    select c.*
    from warehouse.dim_comorbidity as c
    where exists (
      select
      from warehouse.dim_comorbidity_code as x
      join (
        select p.code, false as is_over
        from unnest(comorbidities_of.present_codes) as p (code)
        union all
        select f.code, true
        from unnest(comorbidities_of.former_codes) as f (code)
      ) as given
        on x.prefix in (left(given.code, 3), left(given.code, 5))
      where x.comorbidity = c.code
        and (c.counts_when_over or not given.is_over)
    )
  )
  select f.*
  from found as f
  where not exists (
    select
    from found as graver
    where graver.code = f.superseded_by
  )
  order by
    f.weight desc,
    f.code;
$$;
comment on function hospital_private.comorbidities_of(text[], text[]) is
  'The comorbidities of the Charlson index that a person with these ICD-10-CM codes, dots included, has, milder forms beside graver ones left out; former codes are of what is over. Lends the owner''s right to read the code list.';

-- Under the caller's own policies, so that it can tell nobody of a row he may not read. What was coded at a
-- visit has no end; it is over when the medical history says of the same code that it ended afterwards.
create or replace function analytics.charlson_index(patient_id bigint, as_of date default null)
returns analytics.charlson_index_row
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  patient constant hospital.patients := hospital_private.open_record(charlson_index.patient_id);
  zone constant text := coalesce(patient.time_zone, 'UTC');
  day constant date := coalesce(charlson_index.as_of, (now() at time zone zone)::date);
  age constant integer := extract(year from age(day, patient.date_of_birth))::integer;
  answer analytics.charlson_index_row;
begin
  if patient.id is null then
    return null;
  end if;
  with
  record_ids as (
    select p.id
    from hospital.patients as p
    where p.person_id = patient.person_id
  ),
  history as (
    select
      c.diagnosis_code_id,
      case when c.abated_on < day then c.abated_on end as ended_on
    from hospital.patient_conditions as c
    where c.patient_id in (select r.id from record_ids as r)
      and c.voided_at is null
      and c.onset_on <= day
  ),
  entries as (
    select
      h.diagnosis_code_id,
      h.ended_on is not null as is_over
    from history as h
    union all
    select
      d.diagnosis_code_id,
      exists (
        select
        from history as h
        where h.diagnosis_code_id = d.diagnosis_code_id
          and h.ended_on >= (v.started_at at time zone zone)::date
      )
    from hospital.visit_diagnoses as d
    join hospital.visits as v
      on v.id = d.visit_id
    where d.patient_id in (select r.id from record_ids as r)
      and d.voided_at is null
      and v.voided_at is null
      and v.started_at < (day + 1)::timestamp at time zone zone
  ),
  codes as (
    select
      c.code,
      bool_and(e.is_over) as is_over
    from entries as e
    join hospital.diagnosis_codes as c
      on c.id = e.diagnosis_code_id
    where c.system = 'icd10cm'
    group by c.code
  )
  select
    patient.id,
    day,
    coalesce(sum(m.weight), 0)::integer,
    age,
    coalesce(sum(m.weight), 0)::integer + least(greatest(age / 10 - 4, 0), 4),
    coalesce(array_agg(m.name order by m.weight desc, m.code), '{}')
  into answer
  from hospital_private.comorbidities_of(
    array(select c.code from codes as c where not c.is_over),
    array(select c.code from codes as c where c.is_over)
  ) as m;
  return answer;
end;
$$;
comment on function analytics.charlson_index(bigint, date) is
  'The Charlson comorbidity index of a patient on a day, today unless told otherwise, from all ICD-10-CM codes on record by then; for the patient and whoever has the chart open, null to everybody else.';

--! split: 5091-14-analytics-comorbidity.sql
-- source: sql/14-analytics/comorbidity.sql
-- Neither totals nor periods, so that nothing can be subtracted from anything: a number is told or it is not.
create or replace function analytics.comorbidity(department_id bigint default null)
returns setof analytics.comorbidity_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  smallest_cell constant integer := hospital_private.smallest_cell();
begin
  perform warehouse.current_reader('administrator');
  return query
  select
    d.department_id,
    d.name,
    b.band,
    case when sum(m.patients) >= smallest_cell then sum(m.patients)::bigint end,
    s.data_as_of
  from warehouse.mv_comorbidity as m
  cross join lateral (
    select case
      when m.score = 0 then '0'
      when m.score <= 2 then '1-2'
      when m.score <= 4 then '3-4'
      else '5+'
    end as band
  ) as b
  join warehouse.dim_department as d
    on d.department_id = m.department_id
    and d.is_current
  join warehouse.view_states as s
    on s.view_name = 'mv_comorbidity'
  where comorbidity.department_id is null
    or d.department_id = comorbidity.department_id
  group by
    d.department_id,
    d.name,
    b.band,
    s.data_as_of
  order by
    d.name,
    d.department_id,
    b.band;
end;
$$;
comment on function analytics.comorbidity(bigint) is
  'How much illness the patients of each department carry, by the Charlson comorbidity index in four groups, small ones suppressed; for administrators. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';

--! split: 5092-14-analytics-department_efficiency.sql
-- source: sql/14-analytics/department_efficiency.sql
-- Which departments, and of them which months, is decided by department_counts and department_months; the
-- rest follows them.
create or replace function analytics.department_efficiency(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.department_efficiency_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Planning takes longer than running, and one plan suits every question.
set plan_cache_mode = force_generic_plan
as $$
declare
  reader constant warehouse.reader := warehouse.current_reader('administrator', 'doctor');
  is_exact constant boolean := reader.sees_all or department_efficiency.doctor_id is not null;
begin
  return query
  with
  counted as materialized (
    select c.*
    from warehouse.department_counts(
      reader,
      department_efficiency.from_date,
      department_efficiency.until_date,
      department_efficiency.department_id,
      department_efficiency.doctor_id
    ) as c
  ),
  pieces as materialized (
    select
      p.grain,
      p.first_day,
      p.end_day
    from warehouse.pieces(department_efficiency.from_date, department_efficiency.until_date) as p
    where is_exact
    union all
    select
      'month',
      m.month,
      m.month + 1
    from warehouse.department_months(
      reader, department_efficiency.from_date, department_efficiency.until_date
    ) as m
    where not is_exact
      and m.is_told
  ),
  waits as (
    select
      m.department_id,
      m.wait_minutes,
      m.patients
    from pieces as p
    join warehouse.mv_department_efficiency as m
      on m.grain = p.grain
      and m.first_day >= p.first_day
      and m.first_day < p.end_day
    where department_efficiency.doctor_id is null
    union all
    select
      a.department_id,
      a.wait_minutes,
      1
    from pieces as p
    cross join lateral (
      select *
      from warehouse.counted_appointments as f
      where f.day >= p.first_day
        and f.day < p.end_day
      -- A fence: the days are found by their index, whatever else is asked.
      offset 0
    ) as a
    where department_efficiency.doctor_id is null
      and p.grain = 'day'
      and a.wait_minutes is not null
    union all
    select
      a.department_id,
      a.wait_minutes,
      1
    from pieces as p
    join warehouse.counted_appointments as a
      on a.day >= p.first_day
      and a.day < p.end_day
    where a.doctor_id = department_efficiency.doctor_id
      and a.wait_minutes is not null
  ),
  -- How many waited so long or less, and how many in all.
  ranked as (
    select
      w.department_id,
      w.wait_minutes,
      sum(sum(w.patients)) over (partition by w.department_id order by w.wait_minutes) as so_far,
      sum(sum(w.patients)) over (partition by w.department_id) as in_all
    from waits as w
    group by
      w.department_id,
      w.wait_minutes
  ),
  percentiles as (
    select
      r.department_id,
      min(r.wait_minutes) filter (where r.so_far >= 0.5 * r.in_all) as p50,
      min(r.wait_minutes) filter (where r.so_far >= 0.9 * r.in_all) as p90
    from ranked as r
    group by r.department_id
  ),
  hours as (
    select
      m.department_id,
      sum(m.minutes) as minutes
    from pieces as p
    join warehouse.mv_duty_hours as m
      on m.grain = p.grain
      and m.first_day >= p.first_day
      and m.first_day < p.end_day
    where m.doctor_id = coalesce(department_efficiency.doctor_id, 0)
    group by m.department_id
  )
  select
    d.department_id,
    d.name,
    w.p50,
    w.p90,
    (c.worked_minutes / nullif(h.minutes, 0))::double precision,
    c.no_shows / nullif(c.completed + c.no_shows, 0)::double precision,
    c.cancelled / nullif(c.appointments, 0)::double precision,
    c.completed / nullif(c.days, 0)::double precision,
    c.suppressed_months,
    s.data_as_of
  from counted as c
  join warehouse.dim_department as d
    on d.department_id = c.department_id
    and d.is_current
  left join percentiles as w
    on w.department_id = c.department_id
  left join hours as h
    on h.department_id = c.department_id
  join warehouse.view_states as s
    on s.view_name = 'mv_department_efficiency'
  order by d.department_id;
end;
$$;
comment on function analytics.department_efficiency(date, date, bigint, bigint) is
  'How well departments ran from from_date and before until_date: waiting, use of the doctors'' time, no-shows, cancellations and throughput; to an administrator all, to a doctor his own part exactly and his department where it gives nobody away. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';

--! split: 5093-14-analytics-department_load.sql
-- source: sql/14-analytics/department_load.sql
create or replace function analytics.department_load(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.department_load_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Planning takes longer than running, and one plan suits every question.
set plan_cache_mode = force_generic_plan
as $$
declare
  reader constant warehouse.reader := warehouse.current_reader('administrator', 'doctor');
begin
  return query
  select
    d.department_id,
    d.name,
    c.appointments,
    c.completed,
    c.cancelled,
    c.no_shows,
    c.planned_minutes,
    c.worked_minutes,
    c.suppressed_months,
    s.data_as_of
  from warehouse.department_counts(
    reader,
    department_load.from_date,
    department_load.until_date,
    department_load.department_id,
    department_load.doctor_id
  ) as c
  join warehouse.dim_department as d
    on d.department_id = c.department_id
    and d.is_current
  join warehouse.view_states as s
    on s.view_name = 'mv_department_load'
  order by
    c.appointments desc nulls last,
    d.department_id;
end;
$$;
comment on function analytics.department_load(date, date, bigint, bigint) is
  'What departments were booked for from from_date and before until_date, and what became of it, the most first: to an administrator all, to a doctor his own part exactly and his department where it gives nobody away. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';

--! split: 5094-14-analytics-doctor_workload.sql
-- source: sql/14-analytics/doctor_workload.sql
-- An administrator compares doctors; a doctor is given his own line.
create or replace function analytics.doctor_workload(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.doctor_workload_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Planning takes longer than running, and one plan suits every question.
set plan_cache_mode = force_generic_plan
as $$
declare
  reader constant warehouse.reader := warehouse.current_reader('administrator', 'doctor');
begin
  return query
  with
  pieces as materialized (
    select *
    from warehouse.pieces(doctor_workload.from_date, doctor_workload.until_date)
  )
  select
    o.doctor_id,
    o.name,
    t.appointments,
    t.completed,
    t.cancelled,
    t.no_shows,
    t.planned_minutes,
    t.worked_minutes,
    s.data_as_of
  from (
    select
      c.doctor_id,
      sum(c.appointments)::bigint as appointments,
      sum(c.completed)::bigint as completed,
      sum(c.cancelled)::bigint as cancelled,
      sum(c.no_shows)::bigint as no_shows,
      sum(c.planned_minutes)::bigint as planned_minutes,
      sum(c.worked_minutes)::bigint as worked_minutes
    from (
      select
        m.department_id,
        m.doctor_id,
        m.appointments,
        m.completed,
        m.cancelled,
        m.no_shows,
        m.planned_minutes,
        m.worked_minutes
      from pieces as p
      join warehouse.mv_doctor_workload as m
        on m.grain = p.grain
        and m.first_day >= p.first_day
        and m.first_day < p.end_day
        and m.doctor_id <> 0
      union all
      select
        c.department_id,
        c.doctor_id,
        c.appointments,
        c.completed,
        c.cancelled,
        c.no_shows,
        c.planned_minutes,
        c.worked_minutes
      from pieces as p
      cross join lateral (
        select *
        from warehouse.counted_appointments as f
        where f.day >= p.first_day
          and f.day < p.end_day
        -- A fence: the days are found by their index, whatever else is asked.
        offset 0
      ) as c
      where p.grain = 'day'
    ) as c
    where (reader.sees_all or c.doctor_id = reader.doctor_id)
      and (doctor_workload.department_id is null or c.department_id = doctor_workload.department_id)
      and (doctor_workload.doctor_id is null or c.doctor_id = doctor_workload.doctor_id)
    group by c.doctor_id
  ) as t
  join warehouse.dim_doctor as o
    on o.doctor_id = t.doctor_id
    and o.is_current
  join warehouse.view_states as s
    on s.view_name = 'mv_doctor_workload'
  order by
    t.appointments desc,
    t.doctor_id;
end;
$$;
comment on function analytics.doctor_workload(date, date, bigint, bigint) is
  'What doctors were booked for from from_date and before until_date, and what became of it, the most first: to an administrator all, to a doctor his own line. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';

--! split: 5095-14-analytics-monthly_visits.sql
-- source: sql/14-analytics/monthly_visits.sql
-- Months that are whole are read as such: of a department or all from one view, of one doctor from the view
-- by doctor.
create or replace function analytics.monthly_visits(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.monthly_visits_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Planning takes longer than running, and one plan suits every question.
set plan_cache_mode = force_generic_plan
as $$
declare
  reader constant warehouse.reader := warehouse.current_reader('administrator', 'doctor');
  is_of_one_doctor constant boolean := monthly_visits.doctor_id is not null or not reader.sees_all;
begin
  -- By 0 the view means all departments.
  if monthly_visits.department_id = 0 then
    return;
  end if;
  return query
  with
  pieces as materialized (
    select
      case p.grain when 'all' then 'month' else p.grain end as grain,
      p.first_day,
      p.end_day
    from warehouse.pieces(monthly_visits.from_date, monthly_visits.until_date) as p
  ),
  counted as (
    select
      m.month,
      m.visits
    from pieces as p
    join warehouse.mv_monthly_visits as m
      on m.month >= p.first_day
      and m.month < p.end_day
    where not is_of_one_doctor
      and p.grain = 'month'
      and m.department_id = coalesce(monthly_visits.department_id, 0)
    union all
    select
      m.first_day,
      m.visits
    from pieces as p
    join warehouse.mv_top_doctors as m
      on m.grain = p.grain
      and m.first_day >= p.first_day
      and m.first_day < p.end_day
    where is_of_one_doctor
      and (reader.sees_all or m.doctor_id = reader.doctor_id)
      and (monthly_visits.department_id is null or m.department_id = monthly_visits.department_id)
      and (monthly_visits.doctor_id is null or m.doctor_id = monthly_visits.doctor_id)
    union all
    select
      v.month,
      1
    from pieces as p
    cross join lateral (
      select *
      from warehouse.counted_visits as f
      where f.day >= p.first_day
        and f.day < p.end_day
      -- A fence: the days are found by their index, whatever else is asked.
      offset 0
    ) as v
    where p.grain = 'day'
      and (reader.sees_all or v.doctor_id = reader.doctor_id)
      and (monthly_visits.department_id is null or v.department_id = monthly_visits.department_id)
      and (monthly_visits.doctor_id is null or v.doctor_id = monthly_visits.doctor_id)
  )
  select
    c.month,
    sum(c.visits)::bigint,
    s.data_as_of
  from counted as c
  join warehouse.view_states as s
    on s.view_name = 'mv_monthly_visits'
  group by
    c.month,
    s.data_as_of
  order by c.month;
end;
$$;
comment on function analytics.monthly_visits(date, date, bigint, bigint) is
  'Visits of each month from from_date and before until_date: to an administrator all, to a doctor his own. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';

--! split: 5096-14-analytics-patient_insight.sql
-- source: sql/14-analytics/patient_insight.sql
-- From the record itself and under the caller's own policies. From the warehouse it would have to be a
-- definer's function that asks by itself who may see what; here each row is one that he could read
-- anyway, and a rule that changes tomorrow holds here, too. One patient's rows are few.
create or replace function analytics.patient_insight(patient_id bigint)
returns analytics.patient_insight_row
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  patient constant hospital.patients := hospital_private.open_record(patient_insight.patient_id);
  record_ids constant bigint[] := array(
    select p.id
    from hospital.patients as p
    where p.person_id = patient.person_id
  );
  zone constant text := coalesce(patient.time_zone, 'UTC');
  answer analytics.patient_insight_row;
begin
  if patient.id is null then
    return null;
  end if;
  answer.patient_id := patient.id;
  answer.data_as_of := now();

  select
    coalesce(sum(y.visits), 0)::bigint,
    min(y.first_on),
    max(y.last_on),
    coalesce(
      array_agg(row(y.year, y.visits)::analytics.year_visits order by y.year desc),
      '{}'
    )
  into
    answer.visits,
    answer.first_visit_on,
    answer.last_visit_on,
    answer.visits_by_year
  from (
    select
      extract(year from v.started_at at time zone zone)::integer as year,
      count(*) as visits,
      min(v.started_at at time zone zone)::date as first_on,
      max(v.started_at at time zone zone)::date as last_on
    from hospital.visits as v
    where v.patient_id = any (record_ids)
      and v.voided_at is null
    group by 1
  ) as y;

  select
    count(*) filter (where a.status = 'completed'),
    count(*) filter (where a.status = 'no_show'),
    round(avg(case a.status when 'no_show' then 1 else 0 end), 4)
  into
    answer.kept,
    answer.missed,
    answer.no_show_rate
  from hospital.appointments as a
  where a.patient_id = any (record_ids)
    and a.status in ('completed', 'no_show');

  answer.diagnoses := array(
    select
      row(
        d.category,
        (array_agg(d.description order by d.day desc, d.code))[1],
        min(d.day),
        max(d.day),
        count(distinct d.visit_id),
        bool_or(d.is_lasting)
      )::analytics.category_diagnoses
    from (
      select
        case c.system when 'icd10cm' then left(c.code, 3) else c.code end as category,
        c.code,
        c.description,
        e.*
      from (
        select
          d.diagnosis_code_id,
          (v.started_at at time zone zone)::date as day,
          v.id as visit_id,
          false as is_lasting
        from hospital.visit_diagnoses as d
        join hospital.visits as v
          on v.id = d.visit_id
        where d.patient_id = any (record_ids)
          and d.voided_at is null
          and v.voided_at is null
        union all
        select
          c.diagnosis_code_id,
          c.onset_on,
          null,
          c.abated_on is null
        from hospital.patient_conditions as c
        where c.patient_id = any (record_ids)
          and c.voided_at is null
      ) as e
      join hospital.diagnosis_codes as c
        on c.id = e.diagnosis_code_id
    ) as d
    group by d.category
    order by
      max(d.day) desc,
      d.category
  );

  answer.medicines := array(
    select row(m.name, p.dosage, p.start_date, p.end_date)::analytics.medicine_in_use
    from hospital.patients_medications_in_use(patient) as p
    join hospital.medications as m
      on m.id = p.medication_id
    order by
      m.name,
      p.id
  );

  select
    count(*),
    coalesce(sum(t.cost), 0)
  into
    answer.treatments,
    answer.treatments_cost
  from hospital.treatments as t
  join hospital.visits as v
    on v.id = t.visit_id
  where t.patient_id = any (record_ids)
    and t.voided_at is null
    and v.voided_at is null;

  answer.charlson_score := (analytics.charlson_index(patient.id)).score;
  return answer;
end;
$$;
comment on function analytics.patient_insight(bigint) is
  'A patient at a glance: visits, missed appointments, diagnoses, medicines, cost of treatments and comorbidity; for the patient and whoever has the chart open, null to everybody else.';

--! split: 5097-14-analytics-refresh_views.sql
-- source: sql/14-analytics/refresh_views.sql
-- The queue is hospital_worker's, so its installation (tools/worker/install.ts) leaves a function there
-- that the owner may call, and that queues these two jobs and nothing else.
create or replace function analytics.refresh_views()
returns analytics.refresh_request
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  answer analytics.refresh_request;
begin
  perform hospital_private.require_role('administrator');
  if not exists (
    select
    from pg_proc as p
    join pg_namespace as n
      on n.oid = p.pronamespace
    where n.nspname = 'graphile_worker'
      and p.proname = 'queue_refresh'
  ) then
    raise exception using
      errcode = 'NQUEU',
      message = 'The job queue is not installed.',
      hint = 'An operator installs it with `infirmary migrate`.';
  end if;
  execute 'select graphile_worker.queue_refresh()';
  select
    clock_timestamp(),
    (select min(s.data_as_of) from warehouse.view_states as s),
    r.started_at,
    r.outcome
  into answer
  from (values (1)) as one
  left join warehouse.last_refresh_run() as r
    on true;
  return answer;
end;
$$;
comment on function analytics.refresh_views() is
  'Queues the load of the warehouse and the refresh of its views, for administrators; asked again while it waits, it is queued once. Lends the owner''s right to queue the two jobs. Raises UNAUT, PRMSN or NQUEU.';

--! split: 5098-14-analytics-revenue.sql
-- source: sql/14-analytics/revenue.sql
-- The view holds the sums that are asked for: of a department or all (0), of a doctor or all (0).
create or replace function analytics.revenue(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.revenue_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Planning takes longer than running, and one plan suits every question.
set plan_cache_mode = force_generic_plan
as $$
declare
  reader constant warehouse.reader :=
    warehouse.current_reader('administrator', 'billing', 'doctor');
begin
  -- By 0 the view means all departments or doctors.
  if 0 in (revenue.department_id, revenue.doctor_id) or revenue.doctor_id <> reader.doctor_id then
    return;
  end if;
  return query
  with
  pieces as materialized (
    select *
    from warehouse.pieces(revenue.from_date, revenue.until_date)
  ),
  charged as (
    select
      m.month,
      m.appointments,
      m.appointment_revenue,
      m.treatments,
      m.treatment_revenue
    from pieces as p
    join warehouse.mv_revenue as m
      on m.month >= p.first_day
      and m.month < p.end_day
    where p.grain <> 'day'
      and m.department_id = coalesce(revenue.department_id, 0)
      and m.doctor_id = coalesce(reader.doctor_id, revenue.doctor_id, 0)
    union all
    select
      c.month,
      c.appointments,
      c.appointment_revenue,
      c.treatments,
      c.treatment_revenue
    from pieces as p
    cross join lateral (
      select *
      from warehouse.charges as f
      where f.day >= p.first_day
        and f.day < p.end_day
      -- A fence: the days are found by their index, whatever else is asked.
      offset 0
    ) as c
    where p.grain = 'day'
      and (reader.sees_all or c.doctor_id = reader.doctor_id)
      and (revenue.department_id is null or c.department_id = revenue.department_id)
      and (revenue.doctor_id is null or c.doctor_id = revenue.doctor_id)
  )
  select
    c.month,
    sum(c.appointments)::bigint,
    sum(c.appointment_revenue)::numeric(14,2),
    sum(c.treatments)::bigint,
    sum(c.treatment_revenue)::numeric(14,2),
    sum(c.appointment_revenue + c.treatment_revenue)::numeric(14,2),
    s.data_as_of
  from charged as c
  join warehouse.view_states as s
    on s.view_name = 'mv_revenue'
  group by
    c.month,
    s.data_as_of
  order by c.month;
end;
$$;
comment on function analytics.revenue(date, date, bigint, bigint) is
  'What was charged in each month from from_date and before until_date: to an administrator and to billing all, to a doctor what he earned. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';

--! split: 5099-14-analytics-symptom_frequency.sql
-- source: sql/14-analytics/symptom_frequency.sql
-- Of his own patients a doctor has read everything. To everybody else a symptom is told where many had it:
-- it was typed, and what one alone has may be his name.
create or replace function analytics.symptom_frequency(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.symptom_frequency_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  reader constant warehouse.reader := warehouse.current_reader('administrator', 'doctor');
begin
  return query
  select
    t.symptom,
    sum(t.visits)::bigint,
    s.data_as_of
  from (
    select
      c.item as symptom,
      c.visits
    from warehouse.told_cells(
      reader,
      'symptom',
      symptom_frequency.from_date,
      symptom_frequency.until_date,
      symptom_frequency.department_id,
      symptom_frequency.doctor_id
    ) as c
    union all
    select
      o.symptom,
      count(distinct f.visit_id)
    from warehouse.dim_doctor as d
    join warehouse.fact_symptoms as f
      on f.doctor_key = d.doctor_key
    join warehouse.dim_date as t
      on t.date_key = f.noted_on
    join warehouse.dim_department as p
      on p.department_key = f.department_key
    cross join lateral unnest(f.symptoms) as o (symptom)
    where d.doctor_id = reader.doctor_id
      and symptom_frequency.doctor_id = reader.doctor_id
      and (
        symptom_frequency.from_date is null or t.month_start >= symptom_frequency.from_date
      )
      and (
        symptom_frequency.until_date is null or t.month_start < symptom_frequency.until_date
      )
      and (
        symptom_frequency.department_id is null
        or p.department_id = symptom_frequency.department_id
      )
    group by o.symptom
  ) as t
  join warehouse.view_states as s
    on s.view_name = 'mv_clinical_cells'
  group by
    t.symptom,
    s.data_as_of
  order by
    sum(t.visits) desc,
    t.symptom;
end;
$$;
comment on function analytics.symptom_frequency(date, date, bigint, bigint) is
  'Symptoms named in signed notes of normal sensitivity, by the visits at which they were noted in months that begin from from_date and before until_date, the most frequent first: to an administrator and to a doctor of his department where enough patients had them, to a doctor of himself all. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';

--! split: 5100-14-analytics-top_doctors.sql
-- source: sql/14-analytics/top_doctors.sql
-- An administrator compares doctors; a doctor is given his own line.
create or replace function analytics.top_doctors(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.top_doctors_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Planning takes longer than running, and one plan suits every question.
set plan_cache_mode = force_generic_plan
as $$
declare
  reader constant warehouse.reader := warehouse.current_reader('administrator', 'doctor');
begin
  return query
  with
  pieces as materialized (
    select *
    from warehouse.pieces(top_doctors.from_date, top_doctors.until_date)
  )
  select
    o.doctor_id,
    o.name,
    o.specialization,
    t.visits,
    s.data_as_of
  from (
    select
      c.doctor_id,
      sum(c.visits)::bigint as visits
    from (
      select
        m.department_id,
        m.doctor_id,
        m.visits
      from pieces as p
      join warehouse.mv_top_doctors as m
        on m.grain = p.grain
        and m.first_day >= p.first_day
        and m.first_day < p.end_day
      union all
      select
        v.department_id,
        v.doctor_id,
        1
      from pieces as p
      cross join lateral (
        select *
        from warehouse.counted_visits as f
        where f.day >= p.first_day
          and f.day < p.end_day
        -- A fence: the days are found by their index, whatever else is asked.
        offset 0
      ) as v
      where p.grain = 'day'
    ) as c
    where (reader.sees_all or c.doctor_id = reader.doctor_id)
      and (top_doctors.department_id is null or c.department_id = top_doctors.department_id)
      and (top_doctors.doctor_id is null or c.doctor_id = top_doctors.doctor_id)
    group by c.doctor_id
  ) as t
  join warehouse.dim_doctor as o
    on o.doctor_id = t.doctor_id
    and o.is_current
  join warehouse.view_states as s
    on s.view_name = 'mv_top_doctors'
  order by
    t.visits desc,
    t.doctor_id;
end;
$$;
comment on function analytics.top_doctors(date, date, bigint, bigint) is
  'Doctors by their visits from from_date and before until_date, the most first: to an administrator all, to a doctor his own line. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';

--! split: 5101-14-analytics-treatment_outcomes.sql
-- source: sql/14-analytics/treatment_outcomes.sql
create or replace function analytics.treatment_outcomes(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.treatment_outcomes_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  reader constant warehouse.reader := warehouse.current_reader('administrator', 'doctor');
begin
  return query
  select
    t.treatment_type,
    t.treatments,
    round(t.assessed / t.treatments, 4),
    round(t.resolved / nullif(t.assessed, 0), 4),
    round(t.improved / nullif(t.assessed, 0), 4),
    round(t.unchanged / nullif(t.assessed, 0), 4),
    round(t.worsened / nullif(t.assessed, 0), 4),
    round(t.complications / nullif(t.assessed, 0), 4),
    t.cost::numeric(14,2),
    (t.cost / t.treatments)::numeric(12,2),
    round(t.minutes / nullif(t.timed, 0), 1),
    s.data_as_of
  from (
    select
      m.treatment_type,
      sum(m.treatments)::bigint as treatments,
      sum(m.assessed) as assessed,
      sum(m.resolved) as resolved,
      sum(m.improved) as improved,
      sum(m.unchanged) as unchanged,
      sum(m.worsened) as worsened,
      sum(m.complications) as complications,
      sum(m.cost) as cost,
      sum(m.minutes) as minutes,
      sum(m.timed) as timed
    from (
      select
        c.item as treatment_type,
        c.month,
        c.department_id,
        c.doctor_id
      from warehouse.told_cells(
        reader,
        'treatment',
        treatment_outcomes.from_date,
        treatment_outcomes.until_date,
        treatment_outcomes.department_id,
        treatment_outcomes.doctor_id
      ) as c
      union all
      select
        o.treatment_type,
        o.month,
        o.department_id,
        o.doctor_id
      from warehouse.mv_treatment_outcomes as o
      where o.doctor_id = reader.doctor_id
        and treatment_outcomes.doctor_id = reader.doctor_id
        and (treatment_outcomes.from_date is null or o.month >= treatment_outcomes.from_date)
        and (treatment_outcomes.until_date is null or o.month < treatment_outcomes.until_date)
        and (
          treatment_outcomes.department_id is null
          or o.department_id = treatment_outcomes.department_id
        )
    ) as told
    join warehouse.mv_treatment_outcomes as m
      using (treatment_type, month, department_id, doctor_id)
    group by m.treatment_type
  ) as t
  join warehouse.view_states as s
    on s.view_name = 'mv_treatment_outcomes'
  order by
    t.treatments desc,
    t.treatment_type;
end;
$$;
comment on function analytics.treatment_outcomes(date, date, bigint, bigint) is
  'Treatments begun in months that begin from from_date and before until_date, with their outcomes, cost and duration, the most frequent first: to an administrator and to a doctor of his department where enough patients had them, to a doctor of himself all. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';

--! split: 5102-14-analytics-view_freshness.sql
-- source: sql/14-analytics/view_freshness.sql
create or replace function warehouse.last_refresh_run()
returns ops.job_runs
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select r.*
  from ops.job_runs as r
  where r.job = 'refresh_views'
  order by
    r.started_at desc,
    r.id desc
  limit 1;
$$;
comment on function warehouse.last_refresh_run() is 'The newest run of the job refresh_views.';

create or replace function analytics.view_freshness()
returns setof analytics.view_freshness_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_role('administrator', 'doctor', 'billing');
  return query
  select
    s.view_name,
    s.data_as_of,
    s.refreshed_at,
    warehouse.is_stale(s.data_as_of),
    r.started_at,
    r.outcome
  from warehouse.view_states as s
  left join warehouse.last_refresh_run() as r
    on true
  order by s.view_name;
end;
$$;
comment on function analytics.view_freshness() is
  'How fresh the views behind the answers are and how the last refresh went, for whoever may ask for answers. Lends the owner''s right to read when they were refreshed. Raises UNAUT or PRMSN.';

create or replace function analytics.alerts()
returns setof analytics.alerts_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_role('administrator');
  return query
  select
    a.kind,
    k.description,
    a.raised_at,
    a.closed_at
  from ops.alerts as a
  join ops.alert_kinds as k
    on k.code = a.kind
  order by a.id desc;
end;
$$;
comment on function analytics.alerts() is
  'The incidents on record, newest first, for administrators. Lends the owner''s right to read them. Raises UNAUT or PRMSN.';

--! split: 5103-14-analytics-visit_forecast.sql
-- source: sql/14-analytics/visit_forecast.sql
-- Plain on purpose: visits follow the week, so a day is expected to be the average of the same weekday in
-- the last eight weeks. Whoever reads the number can reckon it again, and it comes with its error: the
-- same rule is put four weeks back, where what came of it is known, beside the rule that the last week
-- repeats itself. "Now" is when the data are of and no clock, so the same data give the same forecast.
create or replace function analytics.visit_forecast(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.visit_forecast_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  averaged_days constant integer := 56;
  held_out_days constant integer := 28;
  reader constant warehouse.reader := warehouse.current_reader('administrator', 'doctor');
  known_until constant timestamptz := (
    select s.data_as_of
    from warehouse.view_states as s
    where s.view_name = 'mv_top_doctors'
  );
  -- A day more than is looked back, since clocks differ; and whole months, which the view knows.
  looked_back_to constant date := date_trunc(
    'month',
    (known_until at time zone 'UTC')::date - averaged_days - held_out_days - interval '1 day'
  )::date;
begin
  return query
  with
  counted as materialized (
    select
      v.department_id as department,
      v.day,
      count(*) as visits
    from warehouse.counted_visits as v
    where v.day >= looked_back_to
      and (visit_forecast.department_id is null or v.department_id = visit_forecast.department_id)
      and (visit_forecast.doctor_id is null or v.doctor_id = visit_forecast.doctor_id)
    group by
      v.department_id,
      v.day
  ),
  begun as (
    select
      m.department_id as department,
      min(m.first_day) as first_month
    from warehouse.mv_top_doctors as m
    where m.grain = 'month'
      and (visit_forecast.doctor_id is null or m.doctor_id = visit_forecast.doctor_id)
    group by m.department_id
  ),
  scopes as (
    select
      d.id as department,
      d.name,
      visit_forecast.doctor_id as doctor,
      day.today,
      case
        when b.first_month < looked_back_to then averaged_days + held_out_days
        else least(
          coalesce(day.today - (select min(c.day) from counted as c where c.department = d.id), 0),
          averaged_days + held_out_days
        )
      end as history_days
    from hospital.departments as d
    join hospital.facilities as f
      on f.id = d.facility_id
    cross join lateral (select (known_until at time zone f.time_zone)::date as today) as day
    left join begun as b
      on b.department = d.id
    where (b.department is not null or visit_forecast.doctor_id is null and d.is_active)
      and (visit_forecast.department_id is null or d.id = visit_forecast.department_id)
      and (
        reader.sees_all
        or visit_forecast.doctor_id = reader.doctor_id
        or visit_forecast.doctor_id is null
          and d.id = reader.department_id
          -- The numbers behind it are those of these months, so who is told them is told it.
          and not exists (
            select
            from warehouse.department_months(
              reader,
              looked_back_to,
              (date_trunc('month', day.today::timestamp) + interval '1 month')::date
            ) as t
            where not t.is_told
          )
      )
  ),
  days as (
    select
      s.department,
      extract(isodow from g.day) as weekday,
      s.today - g.day::date as age,
      coalesce(c.visits, 0) as visits
    from scopes as s
    cross join generate_series(
      (s.today - averaged_days - held_out_days)::timestamp,
      (s.today - 1)::timestamp,
      interval '1 day'
    ) as g (day)
    left join counted as c
      on c.department = s.department
      and c.day = g.day::date
  ),
  weekdays as (
    select
      d.department,
      d.weekday,
      avg(d.visits) filter (where d.age <= averaged_days) as expected,
      min(d.visits) filter (where d.age <= averaged_days) as fewest,
      max(d.visits) filter (where d.age <= averaged_days) as most,
      avg(d.visits) filter (where d.age > held_out_days) as expected_then,
      max(d.visits) filter (
        where d.age > held_out_days and d.age <= held_out_days + 7
      ) as week_before
    from days as d
    group by
      d.department,
      d.weekday
  ),
  errors as (
    select
      d.department,
      avg(abs(d.visits - w.expected_then)) as mean_error,
      avg(abs(d.visits - w.week_before)) as naive_error,
      sum(abs(d.visits - w.expected_then)) / nullif(sum(d.visits), 0) as relative_error
    from days as d
    join weekdays as w
      on w.department = d.department
      and w.weekday = d.weekday
    where d.age <= held_out_days
    group by d.department
  )
  select
    g.day::date,
    s.department,
    s.name,
    s.doctor,
    case when h.is_long_enough then round(w.expected, 1) end,
    case when h.is_long_enough then w.fewest end,
    case when h.is_long_enough then w.most end,
    case when h.is_long_enough then round(e.mean_error, 1) end,
    case when h.is_long_enough then round(e.naive_error, 1) end,
    case when h.is_long_enough then round(e.relative_error, 3) end,
    s.history_days,
    case
      when not h.is_long_enough
        then format(
          'Too little history: %s days, of %s that are needed.',
          s.history_days,
          averaged_days + held_out_days
        )
      when e.relative_error >= 1 then 'Too few visits: the errors are as large as they are.'
      when e.mean_error > e.naive_error then 'Of late the week before was the better forecast.'
    end,
    known_until
  from scopes as s
  cross join lateral (
    select s.history_days >= averaged_days + held_out_days as is_long_enough
  ) as h
  -- Beyond a quarter of a year nothing here knows better than today.
  cross join generate_series(
    greatest(visit_forecast.from_date, s.today)::timestamp,
    least(visit_forecast.until_date - 1, s.today + case
      when visit_forecast.until_date is null then held_out_days - 1
      else 91
    end)::timestamp,
    interval '1 day'
  ) as g (day)
  join weekdays as w
    on w.department = s.department
    and w.weekday = extract(isodow from g.day)
  join errors as e
    on e.department = s.department
  order by
    s.name,
    s.department,
    g.day;
end;
$$;
comment on function analytics.visit_forecast(date, date, bigint, bigint) is
  'How many visits a department, or a doctor in it, may expect on each day, four weeks from now on unless told otherwise and a quarter of a year at most, with the error of the method: for administrators, and for doctors of themselves and, where it gives nobody away, of their department. Lends the owner''s right to count visits. Raises UNAUT or PRMSN.';

--! split: 5104-15-reports-kept_reports.sql
-- source: sql/15-reports/kept_reports.sql
create or replace function hospital_private.kept_reports()
returns setof hospital_private.kept_report
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_role('administrator');
  return query
  select
    k.report,
    k.month,
    k.format,
    octet_length(k.content)::bigint,
    k.data_as_of
  from ops.reports as k
  order by
    k.month desc,
    k.report,
    k.format;
end;
$$;
comment on function hospital_private.kept_reports() is
  'The finished reports of past months, the newest first, for administrators. Raises UNAUT, PRMSN. Lends the owner''s right to read them.';

create or replace function hospital_private.kept_report_content(report text, month date, format text)
returns bytea
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  found_content bytea;
begin
  perform hospital_private.require_role('administrator');
  select k.content
  into found_content
  from ops.reports as k
  where k.report = kept_report_content.report
    and k.month = kept_report_content.month
    and k.format = kept_report_content.format;
  if found_content is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such report.';
  end if;
  return found_content;
end;
$$;
comment on function hospital_private.kept_report_content(text, date, text) is
  'The file of one finished report, for administrators. Raises UNAUT, PRMSN, NTFND. Lends the owner''s right to read it.';

--! split: 5105-15-reports-monthly_reports.sql
-- source: sql/15-reports/monthly_reports.sql
-- Once a month is over by every clock of the house it is reported on once: totals, no patients. The
-- worker is handed the totals and hands back the files.
create or replace function ops.reports_due()
returns table (report text, month date)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  today as (
    select min((now() at time zone f.time_zone)::date) as local
    from hospital.facilities as f
  )
  select
    r.report,
    m::date
  from today as t
  -- A worker that slept for a quarter makes up for it.
  cross join generate_series(
    date_trunc('month', t.local::timestamp) - interval '3 months',
    date_trunc('month', t.local::timestamp) - interval '1 month',
    interval '1 month'
  ) as m
  cross join (
    values ('appointments'), ('billing')
  ) as r (report)
  where not exists (
      select
      from ops.reports as k
      where k.report = r.report
        and k.month = m::date
    )
    -- Before a hospital opened there was nothing to report.
    and exists (
      select
      from hospital.appointments as a
      where a.starts_at < (m + interval '1 month') at time zone 'UTC'
    )
  order by
    m,
    r.report;
$$;
comment on function ops.reports_due() is
  'The months of the last three that are over and not reported on yet, the oldest first. Lends the worker the owner''s right to know since when there are appointments.';

create or replace function ops.monthly_appointments(month date)
returns table (
  facility text,
  department text,
  appointments bigint,
  completed bigint,
  cancelled bigint,
  no_shows bigint,
  hours numeric
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    f.name,
    d.name,
    count(*),
    count(*) filter (where a.status = 'completed'),
    count(*) filter (where a.status = 'cancelled'),
    count(*) filter (where a.status = 'no_show'),
    round(
      coalesce(
        sum(extract(epoch from a.ends_at - a.starts_at) / 3600) filter (where a.status = 'completed'),
        0
      ),
      1
    )
  from hospital.appointments as a
  join hospital.departments as d
    on d.id = a.department_id
  join hospital.facilities as f
    on f.id = d.facility_id
  where a.starts_at >= (monthly_appointments.month - 1)::timestamp at time zone 'UTC'
    and a.starts_at
      < (monthly_appointments.month + interval '1 month') at time zone 'UTC' + interval '1 day'
    and date_trunc('month', a.starts_at at time zone f.time_zone) = monthly_appointments.month
    and a.status not in ('held', 'lapsed')
  group by
    f.id,
    f.name,
    d.id,
    d.name
  order by
    f.name,
    f.id,
    d.name,
    d.id;
$$;
comment on function ops.monthly_appointments(date) is
  'The appointments of a month by department, in local time; hours are those of completed ones. Lends the worker the owner''s right to count appointments.';

create or replace function ops.monthly_billing(month date)
returns table (
  facility text,
  department text,
  appointments bigint,
  prices numeric,
  treatments numeric,
  total numeric
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    f.name,
    d.name,
    count(*),
    coalesce(sum(t.price), 0),
    coalesce(sum(c.amount), 0),
    coalesce(sum(t.price), 0) + coalesce(sum(c.amount), 0)
  from hospital.appointments as a
  join hospital.departments as d
    on d.id = a.department_id
  join hospital.facilities as f
    on f.id = d.facility_id
  join hospital.appointment_types as t
    on t.id = a.appointment_type_id
  left join lateral (
    select sum(x.cost) as amount
    from hospital.visits as v
    join hospital.treatments as x
      on x.visit_id = v.id
    where v.appointment_id = a.id
      and v.voided_at is null
      and x.voided_at is null
  ) as c
    on true
  where a.status = 'completed'
    and a.starts_at >= (monthly_billing.month - 1)::timestamp at time zone 'UTC'
    and a.starts_at
      < (monthly_billing.month + interval '1 month') at time zone 'UTC' + interval '1 day'
    and date_trunc('month', a.starts_at at time zone f.time_zone) = monthly_billing.month
  group by
    f.id,
    f.name,
    d.id,
    d.name
  order by
    f.name,
    f.id,
    d.name,
    d.id;
$$;
comment on function ops.monthly_billing(date) is
  'What the completed appointments of a month cost by department, in US dollars. Lends the worker the owner''s right to add up prices and costs.';

create or replace function ops.monthly_appointments_figures(month date)
returns setof hospital_private.report_figure
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    'Appointments by department',
    'bars',
    m.department,
    sum(m.appointments)
  from ops.monthly_appointments(monthly_appointments_figures.month) as m
  group by m.department
  order by
    sum(m.appointments) desc,
    m.department;
$$;
comment on function ops.monthly_appointments_figures(date) is
  'What is drawn of a month''s report of appointments.';

create or replace function ops.monthly_billing_figures(month date)
returns setof hospital_private.report_figure
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    'Charges by department, US dollars',
    'bars',
    m.department,
    sum(m.total)
  from ops.monthly_billing(monthly_billing_figures.month) as m
  group by m.department
  order by
    sum(m.total) desc,
    m.department;
$$;
comment on function ops.monthly_billing_figures(date) is 'What is drawn of a month''s report of billing.';

create or replace function ops.monthly_heading()
returns hospital_private.report_heading
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    hospital_private.house_name(array_agg(f.name order by f.id)),
    null::text,
    'the administrators',
    case when count(distinct f.time_zone) = 1 then max(f.time_zone) else 'UTC' end,
    now()
  from hospital.facilities as f;
$$;
comment on function ops.monthly_heading() is
  'What stands on the first page of a month''s report. Lends the worker the owner''s right to read the names of the house.';

create or replace function ops.keep_report(report text, month date, format text, content bytea)
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  delete from ops.reports as k
  where k.month < date_trunc('month', now() at time zone 'UTC') - interval '13 months';
  with
  kept as (
    insert into ops.reports (report, month, format, content, data_as_of)
    values (
      keep_report.report, keep_report.month, keep_report.format, keep_report.content, now()
    )
    on conflict on constraint reports_pkey do nothing
    returning 1
  )
  select count(*)
  from kept;
$$;
comment on function ops.keep_report(text, date, text, bytea) is
  'Keeps a finished report unless there is one of that month, lets go of those older than thirteen months, and returns how many were kept. Lends the worker the owner''s right to keep reports.';

--! split: 5106-15-reports-report_accesses.sql
-- source: sql/15-reports/report_accesses.sql
-- For the auditor, who sees keys and no names, by the clock of UTC: the accesses of a house with several
-- clocks are in one order. Nothing without a reason on record.
create or replace function hospital_private.report_accesses(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns table (
  day date,
  "time" text,
  account_id bigint,
  role text,
  patient_id bigint,
  purpose text
)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_report_period(
    report_accesses.from_date, report_accesses.until_date
  );
  if report_accesses.department_id is not null then
    raise exception using
      errcode = 'PERIO',
      message = 'The accesses of one department are not told apart.';
  end if;
  if not hospital_private.audit_is_open() then
    raise exception using
      errcode = 'NOPEN',
      message = 'The audit is not open.',
      hint = 'Open the audit first and say why: openAudit.';
  end if;
  return query
  select
    (c.opened_at at time zone 'UTC')::date,
    to_char(c.opened_at at time zone 'UTC', 'HH24:MI:SS'),
    c.account_id,
    c.role,
    c.patient_id,
    c.purpose
  from hospital.audited_chart_accesses(
    opened_from => report_accesses.from_date::timestamp at time zone 'UTC',
    opened_before => report_accesses.until_date::timestamp at time zone 'UTC'
  ) as c
  order by
    c.opened_at,
    c.account_id,
    c.patient_id;
end;
$$;
comment on function hospital_private.report_accesses(date, date, bigint) is
  'Who opened which chart on these days of UTC, in order, for an auditor who has opened the audit. Raises PERIO, also for a department, and NOPEN.';

create or replace function hospital_private.report_accesses_figures(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns setof hospital_private.report_figure
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with
  accesses as materialized (
    select r.*
    from hospital_private.report_accesses(
      report_accesses_figures.from_date,
      report_accesses_figures.until_date,
      report_accesses_figures.department_id
    ) as r
  ),
  figures (chart, style, label, figure, place) as (
    select
      'Charts opened by ' || s.unit,
      'line',
      to_char(s.begins, s.picture),
      count(a.day),
      s.place
    from hospital_private.report_steps(
      report_accesses_figures.from_date, report_accesses_figures.until_date
    ) as s
    left join accesses as a
      on a.day >= s.begins
      and a.day < s.ends
    group by
      s.unit,
      s.begins,
      s.picture,
      s.place
    union all
    select
      'Charts opened by purpose',
      'bars',
      a.purpose,
      count(*),
      rank() over (order by count(*) desc, a.purpose)
    from accesses as a
    group by a.purpose
    union all
    select
      'Charts opened by role',
      'bars',
      a.role,
      count(*),
      rank() over (order by count(*) desc, a.role)
    from accesses as a
    group by a.role
  )
  select
    f.chart,
    f.style,
    f.label,
    f.figure
  from figures as f
  order by
    f.style desc,
    f.chart desc,
    f.place;
$$;
comment on function hospital_private.report_accesses_figures(date, date, bigint) is
  'What is drawn of the report of accesses: by day or month, by role and by purpose. Raises PERIO, NOPEN.';

--! split: 5107-15-reports-report_appointments.sql
-- source: sql/15-reports/report_appointments.sql
-- The rows are those the reader may see anywhere else: his own policies decide, and nothing is added here.
create or replace function hospital_private.report_appointments(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns table (
  day date,
  "time" text,
  facility text,
  department text,
  doctor text,
  record_number text,
  type text,
  minutes integer,
  status text,
  cancellation_reason text
)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_report_period(
    report_appointments.from_date, report_appointments.until_date
  );
  return query
  select
    told.local_start::date,
    to_char(told.local_start, 'HH24:MI'),
    f.name,
    d.name,
    m.given_name || ' ' || m.family_name,
    p.mrn,
    t.name,
    (extract(epoch from a.ends_at - a.starts_at) / 60)::integer,
    s.name,
    r.name
  from hospital.appointments as a
  join hospital.departments as d
    on d.id = a.department_id
  join hospital.facilities as f
    on f.id = d.facility_id
  join hospital.appointment_types as t
    on t.id = a.appointment_type_id
  join hospital.appointment_statuses as s
    on s.code = a.status
  -- Whom the reader may not see has no name here, and no number.
  left join hospital.doctors as o
    on o.id = a.doctor_id
  left join hospital.staff_members as m
    on m.id = o.staff_member_id
  left join hospital.patients as p
    on p.id = a.patient_id
  left join hospital.cancellation_reasons as r
    on r.code = a.cancellation_reason
  cross join lateral (
    select a.starts_at at time zone f.time_zone as local_start
  ) as told
  -- A day more on either side, for the index: no clock is further from UTC.
  where a.starts_at >= (report_appointments.from_date - 1)::timestamp at time zone 'UTC'
    and a.starts_at < (report_appointments.until_date + 1)::timestamp at time zone 'UTC'
    and told.local_start >= report_appointments.from_date
    and told.local_start < report_appointments.until_date
    and a.status not in ('held', 'lapsed')
    and (
      report_appointments.department_id is null
      or a.department_id = report_appointments.department_id
    )
  order by
    a.starts_at,
    a.id;
end;
$$;
comment on function hospital_private.report_appointments(date, date, bigint) is
  'The appointments of these local days that the reader may see, in order; holds are none. Raises PERIO.';

create or replace function hospital_private.report_appointments_figures(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns setof hospital_private.report_figure
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with
  appointments as materialized (
    select r.*
    from hospital_private.report_appointments(
      report_appointments_figures.from_date,
      report_appointments_figures.until_date,
      report_appointments_figures.department_id
    ) as r
  ),
  figures (chart, style, label, figure, place) as (
    select
      'Appointments by ' || s.unit,
      'line',
      to_char(s.begins, s.picture),
      count(a.day),
      s.place
    from hospital_private.report_steps(
      report_appointments_figures.from_date, report_appointments_figures.until_date
    ) as s
    left join appointments as a
      on a.day >= s.begins
      and a.day < s.ends
    group by
      s.unit,
      s.begins,
      s.picture,
      s.place
    union all
    select
      'Appointments by status',
      'bars',
      a.status,
      count(*),
      rank() over (order by count(*) desc, a.status)
    from appointments as a
    group by a.status
    union all
    select
      'Appointments by department',
      'bars',
      a.department,
      count(*),
      rank() over (order by count(*) desc, a.department)
    from appointments as a
    group by a.department
  )
  select
    f.chart,
    f.style,
    f.label,
    f.figure
  from figures as f
  order by
    f.style desc,
    f.chart desc,
    f.place;
$$;
comment on function hospital_private.report_appointments_figures(date, date, bigint) is
  'What is drawn of the report of appointments: by day or month, by status and by department. Raises PERIO.';

--! split: 5108-15-reports-report_billing.sql
-- source: sql/15-reports/report_billing.sql
-- What was charged, until there are invoices: the price of the type of each completed appointment and the
-- cost of the treatments at its visit. What was done to a patient is clinical, and no matter of money; what
-- it cost is. So the treatments of an appointment are one sum.
create or replace function hospital_private.treatment_charges(from_date date, until_date date)
returns table (appointment_id bigint, amount numeric)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    v.appointment_id,
    sum(t.cost)
  from hospital.appointments as a
  join hospital.visits as v
    on v.appointment_id = a.id
    and v.voided_at is null
  join hospital.treatments as t
    on t.visit_id = v.id
    and t.voided_at is null
  where (
      (select hospital_private.session_has_role('billing'))
      or (select hospital_private.session_has_role('administrator'))
    )
    and a.status = 'completed'
    and a.starts_at >= (treatment_charges.from_date - 1)::timestamp at time zone 'UTC'
    and a.starts_at < (treatment_charges.until_date + 1)::timestamp at time zone 'UTC'
  group by v.appointment_id;
$$;
comment on function hospital_private.treatment_charges(date, date) is
  'The cost of the treatments of each completed appointment of these days and the day on either side; nothing but for billing and administrators. Lends the owner''s right to read treatments for these sums.';

create or replace function hospital_private.report_billing(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns table (
  day date,
  facility text,
  department text,
  doctor text,
  record_number text,
  type text,
  price numeric,
  treatments numeric,
  total numeric
)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_report_period(
    report_billing.from_date, report_billing.until_date
  );
  return query
  select
    told.local_start::date,
    f.name,
    d.name,
    m.given_name || ' ' || m.family_name,
    p.mrn,
    t.name,
    coalesce(t.price, 0),
    coalesce(c.amount, 0),
    coalesce(t.price, 0) + coalesce(c.amount, 0)
  from hospital.appointments as a
  join hospital.departments as d
    on d.id = a.department_id
  join hospital.facilities as f
    on f.id = d.facility_id
  join hospital.appointment_types as t
    on t.id = a.appointment_type_id
  left join hospital_private.treatment_charges(
    report_billing.from_date, report_billing.until_date
  ) as c
    on c.appointment_id = a.id
  left join hospital.doctors as o
    on o.id = a.doctor_id
  left join hospital.staff_members as m
    on m.id = o.staff_member_id
  left join hospital.patients as p
    on p.id = a.patient_id
  cross join lateral (
    select a.starts_at at time zone f.time_zone as local_start
  ) as told
  where a.status = 'completed'
    and a.starts_at >= (report_billing.from_date - 1)::timestamp at time zone 'UTC'
    and a.starts_at < (report_billing.until_date + 1)::timestamp at time zone 'UTC'
    and told.local_start >= report_billing.from_date
    and told.local_start < report_billing.until_date
    and (
      report_billing.department_id is null
      or a.department_id = report_billing.department_id
    )
  order by
    a.starts_at,
    a.id;
end;
$$;
comment on function hospital_private.report_billing(date, date, bigint) is
  'What the completed appointments of these local days cost, in US dollars: the price of their type and the cost of their treatments. Raises PERIO.';

create or replace function hospital_private.report_billing_figures(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns setof hospital_private.report_figure
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with
  charges as materialized (
    select r.*
    from hospital_private.report_billing(
      report_billing_figures.from_date,
      report_billing_figures.until_date,
      report_billing_figures.department_id
    ) as r
  ),
  figures (chart, style, label, figure, place) as (
    select
      format('Charges by %s, US dollars', s.unit),
      'line',
      to_char(s.begins, s.picture),
      coalesce(sum(c.total), 0),
      s.place
    from hospital_private.report_steps(
      report_billing_figures.from_date, report_billing_figures.until_date
    ) as s
    left join charges as c
      on c.day >= s.begins
      and c.day < s.ends
    group by
      s.unit,
      s.begins,
      s.picture,
      s.place
    union all
    select
      'Charges by department, US dollars',
      'bars',
      c.department,
      sum(c.total),
      rank() over (order by sum(c.total) desc, c.department)
    from charges as c
    group by c.department
  )
  select
    f.chart,
    f.style,
    f.label,
    f.figure
  from figures as f
  order by
    f.style desc,
    f.place;
$$;
comment on function hospital_private.report_billing_figures(date, date, bigint) is
  'What is drawn of the report of billing: charges by day or month and by department. Raises PERIO.';

--! split: 5109-15-reports-report_diagnoses.sql
-- source: sql/15-reports/report_diagnoses.sql
-- Row by row, a clinical report is of the charts that are open: what was not opened on record is not
-- printed either. An empty report would look as if there were nothing, so without an open chart there is
-- none. Numbers over many patients are asked of analytics, where small cells are kept back.
create or replace function hospital_private.require_open_chart()
returns void
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- One's own record is always open. Nested, since a patient may not even ask which charts are.
  if hospital_private.session_has_role('patient') then
    return;
  end if;
  if not exists (select from hospital_private.open_charts()) then
    raise exception using
      errcode = 'NOPEN',
      message = 'No chart is open, and this report is of those that are.',
      hint = 'Open a chart first: openChart.';
  end if;
end;
$$;
comment on function hospital_private.require_open_chart() is
  'Raises NOPEN unless a patient asks or a chart is open in the live session.';

create or replace function hospital_private.report_diagnoses(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns table (
  day date,
  department text,
  doctor text,
  record_number text,
  code text,
  diagnosis text,
  rank integer
)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_report_period(
    report_diagnoses.from_date, report_diagnoses.until_date
  );
  perform hospital_private.require_open_chart();
  return query
  select
    told.local_start::date,
    d.name,
    m.given_name || ' ' || m.family_name,
    p.mrn,
    c.code,
    c.description,
    g.rank::integer
  from hospital.visit_diagnoses as g
  join hospital.visits as v
    on v.id = g.visit_id
  join hospital.diagnosis_codes as c
    on c.id = g.diagnosis_code_id
  left join hospital.patients as p
    on p.id = g.patient_id
  left join hospital.doctors as o
    on o.id = v.doctor_id
  left join hospital.staff_members as m
    on m.id = o.staff_member_id
  left join hospital.departments as d
    on d.id = m.department_id
  cross join lateral (
    select v.started_at at time zone hospital_private.doctor_time_zone(v.doctor_id) as local_start
  ) as told
  where g.voided_at is null
    and v.voided_at is null
    and told.local_start >= report_diagnoses.from_date
    and told.local_start < report_diagnoses.until_date
    and (
      report_diagnoses.department_id is null
      or m.department_id = report_diagnoses.department_id
    )
  order by
    v.started_at,
    v.id,
    g.rank;
end;
$$;
comment on function hospital_private.report_diagnoses(date, date, bigint) is
  'The coded diagnoses of visits that began on these local days: of the charts open now, or of the patient who asks and whom he acts for. The department is the doctor''s. Raises PERIO, NOPEN.';

create or replace function hospital_private.report_diagnoses_figures(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns setof hospital_private.report_figure
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    'Diagnoses by code',
    'bars',
    r.code || ' ' || r.diagnosis,
    count(*)::numeric
  from hospital_private.report_diagnoses(
    report_diagnoses_figures.from_date,
    report_diagnoses_figures.until_date,
    report_diagnoses_figures.department_id
  ) as r
  group by
    r.code,
    r.diagnosis
  order by
    count(*) desc,
    r.code;
$$;
comment on function hospital_private.report_diagnoses_figures(date, date, bigint) is
  'What is drawn of the report of diagnoses: by code, the most frequent first. Raises PERIO, NOPEN.';

--! split: 5110-15-reports-report_heading.sql
-- source: sql/15-reports/report_heading.sql
-- A report leaves the house as a file: whoever finds it must see whose it is and from when. A patient is named
-- in none but his own; elsewhere his record number stands, which means nothing outside.
create or replace function hospital_private.require_report_period(from_date date, until_date date)
returns void
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(
    isfinite(require_report_period.from_date)
      and isfinite(require_report_period.until_date)
      and require_report_period.until_date - require_report_period.from_date between 1 and 366,
    false
  ) then
    return;
  end if;
  raise exception using
    errcode = 'PERIO',
    message = 'A report covers one day to 366, the last not before the first.';
end;
$$;
comment on function hospital_private.require_report_period(date, date) is
  'Raises PERIO unless the days from the first and before the second are 1 to 366.';

create or replace function hospital_private.house_name(facilities text[])
returns text
language sql
immutable
strict
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when cardinality(house_name.facilities) <= 3 then array_to_string(house_name.facilities, ', ')
    else format(
      '%s and %s other facilities',
      house_name.facilities[1],
      cardinality(house_name.facilities) - 1
    )
  end;
$$;
comment on function hospital_private.house_name(text[]) is
  'The names of a house''s facilities as they stand on a page: up to three, or the first and how many others; null where there are none.';

create or replace function hospital_private.report_heading(department_id bigint default null)
returns hospital_private.report_heading
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  heading hospital_private.report_heading;
begin
  perform hospital_private.require_role(
    'patient', 'doctor', 'nurse', 'reception', 'billing', 'administrator', 'auditor'
  );
  select
    hospital_private.house_name(array_agg(f.name order by f.id)),
    max(d.name),
    case when count(distinct f.time_zone) = 1 then max(f.time_zone) else 'UTC' end,
    now()
  into
    heading.hospital,
    heading.department,
    heading.time_zone,
    heading.as_of
  from hospital.facilities as f
  left join hospital.departments as d
    on d.facility_id = f.id
    and d.id = report_heading.department_id
  where report_heading.department_id is null
    or d.id is not null;
  select format('%s, %s', coalesce(names.full_name, a.email), s.role)
  into heading.asked_by
  from hospital_private.current_session() as s
  join hospital_private.accounts as a
    on a.id = s.account_id
  left join hospital.staff_members as m
    on m.id = a.staff_member_id
  left join hospital.patients as p
    on p.id = a.patient_id
  cross join lateral (
    select case s.role
      when 'patient' then p.given_name || ' ' || p.family_name
      else m.given_name || ' ' || m.family_name
    end as full_name
  ) as names;
  if heading.hospital is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such department.';
  end if;
  return heading;
end;
$$;
comment on function hospital_private.report_heading(bigint) is
  'The house, the department asked for, who asks, and the moment. Raises UNAUT, PRMSN, NTFND. Lends the owner''s right to read the caller''s own account and the names of the house.';

--! split: 5111-15-reports-report_steps.sql
-- source: sql/15-reports/report_steps.sql
-- Days that had nothing are part of a line: a gap would read as if nobody had counted.
create or replace function hospital_private.report_steps(from_date date, until_date date)
returns table (unit text, begins date, ends date, picture text, place bigint)
language sql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    c.unit,
    greatest(s::date, report_steps.from_date),
    (s + c.step)::date,
    c.picture,
    row_number() over (order by s)
  from (
    select
      case when span.is_long then 'month' else 'day' end as unit,
      case when span.is_long then interval '1 month' else interval '1 day' end as step,
      case when span.is_long then 'Mon YYYY' else 'FMDD Mon' end as picture
    from (
      select report_steps.until_date - report_steps.from_date > 62 as is_long
    ) as span
  ) as c
  cross join generate_series(
    date_trunc(c.unit, report_steps.from_date::timestamp),
    report_steps.until_date::timestamp - interval '1 day',
    c.step
  ) as s;
$$;
comment on function hospital_private.report_steps(date, date) is
  'The days of a period, or its months when it is longer than two, each with how it is written.';

--! split: 5112-15-reports-report_treatments.sql
-- source: sql/15-reports/report_treatments.sql
create or replace function hospital_private.report_treatments(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns table (
  day date,
  department text,
  doctor text,
  record_number text,
  treatment text,
  outcome text,
  cost numeric
)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_report_period(
    report_treatments.from_date, report_treatments.until_date
  );
  perform hospital_private.require_open_chart();
  return query
  select
    told.local_start::date,
    d.name,
    m.given_name || ' ' || m.family_name,
    p.mrn,
    t.type,
    c.name,
    t.cost
  from hospital.treatments as t
  join hospital.visits as v
    on v.id = t.visit_id
  left join hospital.outcome_codes as c
    on c.code = t.outcome
  left join hospital.patients as p
    on p.id = t.patient_id
  left join hospital.doctors as o
    on o.id = v.doctor_id
  left join hospital.staff_members as m
    on m.id = o.staff_member_id
  left join hospital.departments as d
    on d.id = m.department_id
  cross join lateral (
    select t.started_at at time zone hospital_private.doctor_time_zone(v.doctor_id) as local_start
  ) as told
  where t.voided_at is null
    and v.voided_at is null
    and told.local_start >= report_treatments.from_date
    and told.local_start < report_treatments.until_date
    and (
      report_treatments.department_id is null
      or m.department_id = report_treatments.department_id
    )
  order by
    t.started_at,
    t.id;
end;
$$;
comment on function hospital_private.report_treatments(date, date, bigint) is
  'The treatments begun on these local days: of the charts open now, or of the patient who asks and whom he acts for. The department is the doctor''s, cost in US dollars. Raises PERIO, NOPEN.';

create or replace function hospital_private.report_treatments_figures(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns setof hospital_private.report_figure
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with
  types as (
    select
      r.treatment,
      count(*)::numeric as treatments,
      coalesce(sum(r.cost), 0) as cost
    from hospital_private.report_treatments(
      report_treatments_figures.from_date,
      report_treatments_figures.until_date,
      report_treatments_figures.department_id
    ) as r
    group by r.treatment
  )
  select
    f.chart,
    'bars',
    t.treatment,
    f.figure
  from types as t
  cross join lateral (
    values
      ('Treatments by type', t.treatments),
      ('Cost by type of treatment, US dollars', t.cost)
  ) as f (chart, figure)
  order by
    f.chart desc,
    f.figure desc,
    t.treatment;
$$;
comment on function hospital_private.report_treatments_figures(date, date, bigint) is
  'What is drawn of the report of treatments: how many of each type, and their cost. Raises PERIO, NOPEN.';

--! split: 5113-16-operations-record_backup.sql
-- source: sql/16-operations/record_backup.sql
-- The commands that work on backups log in as hospital_backup, which reads everything and writes nothing but this.
create or replace function ops.record_backup(backup jsonb)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into ops.backups (
    name, started_at, finished_at, server_version, timeline, start_lsn, end_lsn, bytes, stored_bytes, is_encrypted
  )
  select
    b.name,
    b.started_at,
    b.finished_at,
    b.server_version,
    b.timeline,
    b.start_lsn,
    b.end_lsn,
    b.bytes,
    b.stored_bytes,
    b.is_encrypted
  from jsonb_populate_record(null::ops.backups, record_backup.backup) as b
  on conflict (name) do nothing;
$$;
comment on function ops.record_backup(jsonb) is
  'Records a backup that is whole in its repository. Lends hospital_backup the owner''s right to write the list of backups.';

create or replace function ops.record_backup_verified(name text, problems integer)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  update ops.backups as b
  set verified_at = clock_timestamp(),
    problems = record_backup_verified.problems
  where b.name = record_backup_verified.name;
$$;
comment on function ops.record_backup_verified(text, integer) is
  'Records that a backup was read to its last byte, and how much of it was not as written. Lends hospital_backup the owner''s right to write the list of backups.';

create or replace function ops.record_backup_removed(name text)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  update ops.backups as b
  set removed_at = clock_timestamp()
  where b.name = record_backup_removed.name
    and b.removed_at is null;
$$;
comment on function ops.record_backup_removed(text) is
  'Records that a backup is no longer in its repository. Lends hospital_backup the owner''s right to write the list of backups.';

create or replace function ops.record_backup_drill(drill jsonb)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into ops.backup_drills (backup, started_at, finished_at, restore_seconds, recovery_point, passed, checks)
  select
    d.backup,
    d.started_at,
    d.finished_at,
    d.restore_seconds,
    d.recovery_point,
    d.passed,
    d.checks
  from jsonb_populate_record(null::ops.backup_drills, record_backup_drill.drill) as d;
$$;
comment on function ops.record_backup_drill(jsonb) is
  'Records a drill and what it found. Lends hospital_backup the owner''s right to write the list of drills.';

--! split: 5114-policies-owner.sql
-- source: policies/owner.sql
-- hospital_owner owns every object and is no superuser. Row security is forced on all tables, for the
-- owner too: without these policies migrations would change no row, definer functions would see
-- nothing and materialized views would stay empty, all without an error.
call hospital_private.reset_access('hospital_owner');

create policy owner_all_rows on hospital.time_zones to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.facilities to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.departments to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.rooms to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.specialties to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.jobs to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.staff_members to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.doctors to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.sexes to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.patients to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.contact_kinds to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.contact_points to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.identifier_systems to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.patient_identifiers to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.chart_purposes to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.doctor_schedules to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.time_off_reasons to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.doctor_time_off to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.doctor_extra_sessions to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_types to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_statuses to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_status_transitions to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.cancellation_reasons to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointments to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_series to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_overrides to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_moves to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.no_show_reasons to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.override_reasons to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_status_history to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.diagnosis_codes to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.medications to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.treatment_types to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.outcome_codes to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.visits to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.visit_versions to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.visit_diagnoses to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.patient_conditions to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.prescriptions to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.treatments to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.notifications to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.waitlist_statuses to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.waitlist_entries to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_staff to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.break_glass_reasons to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.break_glass_outcomes to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.break_glass_grants to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.consent_scopes to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.consents to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.sensitivities to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.note_types to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.note_sections to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.clinical_notes to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.clinical_note_versions to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.sensitivity_grants to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.patient_merges to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.proxy_relationships to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.proxy_scopes to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.patient_proxies to hospital_owner using (true) with check (true);

create policy owner_all_rows on masked.publications to hospital_owner using (true) with check (true);
create policy owner_all_rows on masked.published_appointments to hospital_owner using (true) with check (true);
create policy owner_all_rows on masked.published_diagnoses to hospital_owner using (true) with check (true);
create policy owner_all_rows on masked.diagnosis_chapters to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.legal_holds to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.retention_rules to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.erasure_reasons to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.erasures to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.erasure_lines to hospital_owner using (true) with check (true);

-- Now that the owner sees every row: the partitions for the months to come, and every table enrolled in the
-- audit, with the rows it holds already.
select audit.maintain_partitions();
call audit.enrol_tables();

--! split: 5115-policies-administrator.sql
-- source: policies/administrator.sql
-- hospital_administrator runs the hospital: people, approvals, roles and the calendar. It reads no
-- clinical row; whoever runs a hospital need not read its charts.
call hospital_private.reset_access('hospital_administrator');
grant usage on schema hospital, analytics, hospital_private to hospital_administrator;

grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account,
  hospital_private.session_has_role,
  hospital_private.current_account_id,
  hospital_private.current_staff_member_id
to hospital_administrator;

call hospital_private.allow_reading(
  'hospital_administrator', 'administrator',
  'hospital.time_zones', 'hospital.facilities', 'hospital.departments', 'hospital.rooms',
  'hospital.specialties', 'hospital.jobs', 'hospital.staff_members', 'hospital.doctors',
  'hospital.sexes', 'hospital.contact_kinds', 'hospital.contact_points',
  'hospital.identifier_systems', 'hospital.chart_purposes', 'hospital.patients',
  'hospital.doctor_schedules', 'hospital.time_off_reasons', 'hospital.doctor_time_off',
  'hospital.doctor_extra_sessions',
  'hospital.appointment_types', 'hospital.appointment_statuses',
  'hospital.appointment_status_transitions', 'hospital.cancellation_reasons',
  'hospital.no_show_reasons', 'hospital.override_reasons', 'hospital.appointment_overrides',
  'hospital.appointment_moves', 'hospital.appointment_series', 'hospital.appointment_staff',
  'hospital.waitlist_statuses', 'hospital.waitlist_entries',
  'hospital.appointments', 'hospital.appointment_status_history', 'hospital.diagnosis_codes',
  'hospital.medications', 'hospital.treatment_types', 'hospital.outcome_codes',
  'hospital.notifications',
  'hospital.proxy_relationships', 'hospital.proxy_scopes', 'hospital.patient_proxies',
  'hospital.patient_merges'
);

-- People.
create policy administrator_update_all on hospital.patients
  for update to hospital_administrator
  using ((select hospital_private.session_has_role('administrator')))
  with check ((select hospital_private.session_has_role('administrator')));
grant
  update (
    given_name, family_name, date_of_birth, sex, time_zone, deactivated_at, deactivation_reason
  )
on hospital.patients to hospital_administrator;
create policy administrator_update_all on hospital.doctors
  for update to hospital_administrator
  using ((select hospital_private.session_has_role('administrator')))
  with check ((select hospital_private.session_has_role('administrator')));
grant update (specialization, deactivated_at) on hospital.doctors to hospital_administrator;
create policy administrator_update_all on hospital.staff_members
  for update to hospital_administrator
  using ((select hospital_private.session_has_role('administrator')))
  with check ((select hospital_private.session_has_role('administrator')));
grant update (department_id) on hospital.staff_members to hospital_administrator;
create policy administrator_insert_all on hospital.contact_points
  for insert to hospital_administrator
  with check ((select hospital_private.session_has_role('administrator')));
create policy administrator_update_all on hospital.contact_points
  for update to hospital_administrator
  using ((select hospital_private.session_has_role('administrator')))
  with check ((select hospital_private.session_has_role('administrator')));
grant insert (patient_id, staff_member_id, kind, value), update (value)
  on hospital.contact_points to hospital_administrator;

-- The calendar.
create policy administrator_insert_all on hospital.doctor_time_off
  for insert to hospital_administrator
  with check ((select hospital_private.session_has_role('administrator')));
create policy administrator_delete_all on hospital.doctor_time_off
  for delete to hospital_administrator
  using ((select hospital_private.session_has_role('administrator')));
grant insert (doctor_id, starts_at, ends_at, reason), delete
  on hospital.doctor_time_off to hospital_administrator;
create policy administrator_insert_all on hospital.doctor_schedules
  for insert to hospital_administrator
  with check ((select hospital_private.session_has_role('administrator')));
create policy administrator_update_all on hospital.doctor_schedules
  for update to hospital_administrator
  using ((select hospital_private.session_has_role('administrator')))
  with check ((select hospital_private.session_has_role('administrator')));
create policy administrator_delete_all on hospital.doctor_schedules
  for delete to hospital_administrator
  using ((select hospital_private.session_has_role('administrator')));
grant
  insert (doctor_id, weekday, start_time, end_time, effective, room_id),
  update (effective),
  delete
on hospital.doctor_schedules to hospital_administrator;
create policy administrator_insert_all on hospital.doctor_extra_sessions
  for insert to hospital_administrator
  with check ((select hospital_private.session_has_role('administrator')));
create policy administrator_delete_all on hospital.doctor_extra_sessions
  for delete to hospital_administrator
  using ((select hospital_private.session_has_role('administrator')));
grant insert (doctor_id, starts_at, ends_at, room_id), delete
  on hospital.doctor_extra_sessions to hospital_administrator;
create policy administrator_insert_scheduled on hospital.appointments
  for insert to hospital_administrator
  with check (
    (select hospital_private.session_has_role('administrator'))
    and status in ('held', 'scheduled')
  );
create policy administrator_update_all on hospital.appointments
  for update to hospital_administrator
  using ((select hospital_private.session_has_role('administrator')))
  with check ((select hospital_private.session_has_role('administrator')));
grant
  insert (
    patient_id, doctor_id, room_id, appointment_type_id, starts_at, status, reason, override_id,
    series_id
  ),
  update (
    starts_at, ends_at, doctor_id, room_id, status, cancellation_reason, no_show_reason, reason,
    override_id
  )
on hospital.appointments to hospital_administrator;
create policy administrator_insert_all on hospital.appointment_overrides
  for insert to hospital_administrator
  with check ((select hospital_private.session_has_role('administrator')));
grant insert (doctor_id, patient_id, span, reason)
  on hospital.appointment_overrides to hospital_administrator;
-- What was skipped is said while a series is booked, and never changed afterwards.
create policy administrator_insert_all on hospital.appointment_series
  for insert to hospital_administrator
  with check ((select hospital_private.session_has_role('administrator')));
create policy administrator_update_just_made on hospital.appointment_series
  for update to hospital_administrator
  using (
    (select hospital_private.session_has_role('administrator'))
    and created_at = now()
  )
  with check ((select hospital_private.session_has_role('administrator')));
grant
  insert (
    patient_id, doctor_id, appointment_type_id, first_date, local_time, every_weeks, occurrences
  ),
  update (skipped_dates)
on hospital.appointment_series to hospital_administrator;
create policy administrator_insert_all on hospital.appointment_staff
  for insert to hospital_administrator
  with check ((select hospital_private.session_has_role('administrator')));
create policy administrator_delete_all on hospital.appointment_staff
  for delete to hospital_administrator
  using ((select hospital_private.session_has_role('administrator')));
grant insert (appointment_id, staff_member_id), delete
  on hospital.appointment_staff to hospital_administrator;
create policy administrator_insert_all on hospital.waitlist_entries
  for insert to hospital_administrator
  with check ((select hospital_private.session_has_role('administrator')) and status = 'waiting');
create policy administrator_update_all on hospital.waitlist_entries
  for update to hospital_administrator
  using ((select hospital_private.session_has_role('administrator')) and status = 'waiting')
  with check (
    (select hospital_private.session_has_role('administrator'))
    and status in ('waiting', 'withdrawn')
  );
grant
  insert (
    patient_id, appointment_type_id, department_id, doctor_id, starts_from, starts_before
  ),
  update (starts_from, starts_before, priority, status)
on hospital.waitlist_entries to hospital_administrator;

-- Emergencies are reviewed by somebody else than who used them; consents are read.
call hospital_private.allow_reading(
  'hospital_administrator', 'administrator',
  'hospital.break_glass_reasons', 'hospital.break_glass_outcomes', 'hospital.break_glass_grants',
  'hospital.consent_scopes', 'hospital.consents'
);
create policy administrator_update_others on hospital.break_glass_grants
  for update to hospital_administrator
  using (
    (select hospital_private.session_has_role('administrator'))
    and account_id <> (select hospital_private.current_account_id())
  )
  with check ((select hospital_private.session_has_role('administrator')));
grant update (outcome, review_remark) on hospital.break_glass_grants to hospital_administrator;
grant execute on function
  hospital.review_break_glass,
  hospital.break_glass_reviews_due,
  hospital_private.found_break_glass
to hospital_administrator;

-- Who may read sensitive notes besides their authors, without reading them: what one granted oneself, since
-- a colleague's grant would tell that there is such a note.
call hospital_private.allow_reading('hospital_administrator', 'administrator', 'hospital.sensitivities');
create policy administrator_select_own on hospital.sensitivity_grants
  for select to hospital_administrator
  using (granted_by = (select hospital_private.current_staff_member_id()));
create policy administrator_insert_own on hospital.sensitivity_grants
  for insert to hospital_administrator
  with check (
    granted_by = (select hospital_private.current_staff_member_id())
    and lower(granted) = now()
  );
create policy administrator_update_own on hospital.sensitivity_grants
  for update to hospital_administrator
  using (granted_by = (select hospital_private.current_staff_member_id()))
  with check (granted_by = (select hospital_private.current_staff_member_id()));
grant
  select,
  insert (patient_id, staff_member_id, sensitivity, granted, reason, granted_by),
  update (ended_at)
on hospital.sensitivity_grants to hospital_administrator;
grant execute on function
  hospital.grant_sensitive_access,
  hospital.end_sensitive_access
to hospital_administrator;

grant execute on function
  hospital.approve_doctor,
  hospital.grant_account_role,
  hospital.register_staff_member,
  hospital.register_patient,
  hospital.register_patient_and_book,
  hospital.update_patient,
  hospital.deactivate_patient,
  hospital.update_doctor,
  hospital.search_doctors,
  hospital.search_patients,
  hospital.merge_patients,
  hospital.unmerge_patients,
  hospital.grant_proxy,
  hospital.revoke_proxy,
  hospital.patient_proxies_proxy_name,
  hospital.patient_proxies_ends_at,
  hospital.patient_proxies_is_live,
  hospital.patients_records,
  hospital.free_slots,
  hospital.next_free_slot,
  hospital.hold_slot,
  hospital.confirm_hold,
  hospital.book_appointment,
  hospital.reschedule_appointment,
  hospital.extend_appointment,
  hospital.override_appointment,
  hospital.join_waitlist,
  hospital.leave_waitlist,
  hospital.accept_offer,
  hospital.refuse_offer,
  hospital.assign_appointment_staff,
  hospital.unassign_appointment_staff,
  hospital.update_appointment,
  hospital.cancel_appointment,
  hospital.book_series,
  hospital.cancel_series,
  hospital.check_in,
  hospital.mark_no_show,
  hospital.set_doctor_schedule,
  hospital.add_time_off,
  hospital.remove_time_off,
  hospital.add_extra_session,
  hospital.remove_extra_session,
  hospital.calendar_change_appointments,
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.staff_members_full_name,
  hospital.doctors_full_name,
  hospital.doctors_experience_years,
  hospital.departments_doctors,
  hospital_private.matching_patient_ids,
  hospital_private.booking_conflict,
  hospital_private.raise_conflict,
  hospital_private.lock_in_order,
  hospital_private.lock_calendars,
  hospital_private.lock_appointment,
  hospital_private.request_lock,
  hospital_private.recall_request,
  hospital_private.remember_request,
  hospital_private.begin_request,
  hospital_private.place_appointment,
  hospital_private.grant_override,
  hospital_private.waitlist_entry,
  hospital_private.live_offer_id,
  hospital_private.scheduled_room_id,
  hospital_private.lock_doctor,
  hospital_private.appointments_in_the_way,
  hospital_private.require_way_free,
  hospital_private.appointment,
  hospital_private.found_appointment,
  hospital_private.doctor_time_zone,
  hospital_private.series_occurrences,
  hospital_private.series,
  hospital_private.write_contact,
  hospital_private.escape_like
to hospital_administrator;

-- Privacy: who is held, who was erased, and for how long records are kept.
call hospital_private.allow_reading(
  'hospital_administrator', 'administrator',
  'hospital.legal_holds', 'hospital.retention_rules', 'hospital.erasure_reasons',
  'hospital.erasures', 'hospital.erasure_lines'
);
grant execute on function
  hospital.place_legal_hold,
  hospital.release_legal_hold,
  hospital.erase_patient,
  hospital.retention_due
to hospital_administrator;

-- The answers, about everything.
grant execute on function
  analytics.top_doctors,
  analytics.department_load,
  analytics.monthly_visits,
  analytics.doctor_workload,
  analytics.revenue,
  analytics.department_efficiency,
  analytics.view_freshness,
  analytics.alerts,
  analytics.comorbidity,
  analytics.symptom_frequency,
  analytics.treatment_outcomes,
  analytics.visit_forecast,
  analytics.refresh_views
to hospital_administrator;

-- Reports, of what is seen above.
grant execute on function
  hospital_private.require_report_period,
  hospital_private.report_heading,
  hospital_private.report_steps,
  hospital_private.report_appointments,
  hospital_private.report_appointments_figures,
  hospital_private.treatment_charges,
  hospital_private.report_billing,
  hospital_private.report_billing_figures,
  hospital_private.kept_reports,
  hospital_private.kept_report_content
to hospital_administrator;

--! split: 5116-policies-auditor.sql
-- source: policies/auditor.sql
-- hospital_auditor reads the audit and nothing else, and only once its session has said why.
call hospital_private.reset_access('hospital_auditor');
grant usage on schema hospital, analytics, hospital_private to hospital_auditor;

grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account,
  hospital.open_audit,
  hospital.audit_entries,
  hospital.audited_chart_accesses
to hospital_auditor;

-- Reports, of what is seen above.
grant execute on function
  hospital_private.require_report_period,
  hospital_private.report_heading,
  hospital_private.report_steps,
  hospital_private.audit_is_open,
  hospital_private.report_accesses,
  hospital_private.report_accesses_figures
to hospital_auditor;

--! split: 5117-policies-backup.sql
-- source: policies/backup.sql
-- hospital_backup copies the whole cluster: its attributes and its membership of pg_read_all_data, which
-- `infirmary roles apply` gives, let it read every row. It writes only what it did.
call hospital_private.reset_access('hospital_backup');
grant usage on schema ops to hospital_backup;

grant execute on function
  ops.record_backup,
  ops.record_backup_verified,
  ops.record_backup_removed,
  ops.record_backup_drill
to hospital_backup;

--! split: 5118-policies-billing.sql
-- source: policies/billing.sql
-- hospital_billing sees whom to bill and for which appointments, and nothing clinical.
call hospital_private.reset_access('hospital_billing');
grant usage on schema hospital, analytics, hospital_private to hospital_billing;

grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account,
  hospital_private.session_has_role
to hospital_billing;

call hospital_private.allow_reading(
  'hospital_billing', 'billing',
  'hospital.facilities', 'hospital.departments', 'hospital.specialties', 'hospital.staff_members',
  'hospital.doctors', 'hospital.sexes', 'hospital.contact_kinds', 'hospital.appointment_types',
  'hospital.appointment_statuses', 'hospital.cancellation_reasons'
);
create policy billing_select_all on hospital.patients
  for select to hospital_billing
  using ((select hospital_private.session_has_role('billing')) and erased_at is null);
grant select on hospital.patients to hospital_billing;
-- Bills are posted to patients; staff are not billed.
create policy billing_select_patients on hospital.contact_points
  for select to hospital_billing
  using ((select hospital_private.session_has_role('billing')) and patient_id is not null);
grant select on hospital.contact_points to hospital_billing;
create policy billing_select_all on hospital.appointments
  for select to hospital_billing
  using ((select hospital_private.session_has_role('billing')));
-- All but the reason: what a patient says he comes for is no matter of money.
grant
  select (
    id, public_uuid, patient_id, doctor_id, department_id, room_id, appointment_type_id, starts_at,
    ends_at, buffer_before_minutes, buffer_after_minutes, busy, status, expires_at, cancelled_at,
    cancellation_reason, created_at, updated_at, no_show_reason, override_id, series_id,
    waitlist_entry_id
  )
on hospital.appointments to hospital_billing;

grant execute on function
  hospital.patients_records,
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.staff_members_full_name,
  hospital.doctors_full_name,
  hospital.departments_doctors
to hospital_billing;

-- The answers about money.
grant execute on function analytics.revenue, analytics.view_freshness to hospital_billing;

-- Reports, of what is seen above.
grant execute on function
  hospital_private.require_report_period,
  hospital_private.report_heading,
  hospital_private.report_steps,
  hospital_private.report_appointments,
  hospital_private.report_appointments_figures,
  hospital_private.treatment_charges,
  hospital_private.report_billing,
  hospital_private.report_billing_figures
to hospital_billing;

--! split: 5119-policies-doctor.sql
-- source: policies/doctor.sql
-- hospital_doctor sees the directory, the own calendar and the names on the own roster; clinical
-- rows only of patients whose chart this session has opened.
call hospital_private.reset_access('hospital_doctor');
grant usage on schema hospital, analytics, hospital_private to hospital_doctor;

-- The session.
grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account,
  hospital_private.session_has_role,
  hospital_private.current_doctor_id,
  hospital_private.current_staff_member_id,
  hospital_private.current_account_id,
  hospital_private.doctor_patient_ids,
  hospital_private.roster_patient_ids,
  hospital_private.open_charts
to hospital_doctor;

-- The directory and the vocabularies.
call hospital_private.allow_reading(
  'hospital_doctor', 'doctor',
  'hospital.facilities', 'hospital.departments', 'hospital.rooms', 'hospital.specialties',
  'hospital.jobs', 'hospital.staff_members', 'hospital.doctors', 'hospital.sexes',
  'hospital.contact_kinds', 'hospital.chart_purposes', 'hospital.doctor_schedules',
  'hospital.doctor_extra_sessions', 'hospital.time_off_reasons', 'hospital.appointment_types',
  'hospital.appointment_statuses', 'hospital.appointment_status_transitions',
  'hospital.cancellation_reasons',
  'hospital.no_show_reasons', 'hospital.override_reasons', 'hospital.waitlist_statuses',
  'hospital.diagnosis_codes', 'hospital.medications', 'hospital.treatment_types',
  'hospital.outcome_codes'
);
create policy doctor_select_own on hospital.doctor_time_off
  for select to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()));
create policy doctor_insert_own on hospital.doctor_time_off
  for insert to hospital_doctor
  with check (doctor_id = (select hospital_private.current_doctor_id()));
create policy doctor_delete_own on hospital.doctor_time_off
  for delete to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()));
grant select, insert (doctor_id, starts_at, ends_at, reason), delete
  on hospital.doctor_time_off to hospital_doctor;
create policy doctor_insert_own on hospital.doctor_schedules
  for insert to hospital_doctor
  with check (doctor_id = (select hospital_private.current_doctor_id()));
create policy doctor_update_own on hospital.doctor_schedules
  for update to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()))
  with check (doctor_id = (select hospital_private.current_doctor_id()));
create policy doctor_delete_own on hospital.doctor_schedules
  for delete to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()));
grant
  insert (doctor_id, weekday, start_time, end_time, effective, room_id),
  update (effective),
  delete
on hospital.doctor_schedules to hospital_doctor;
create policy doctor_insert_own on hospital.doctor_extra_sessions
  for insert to hospital_doctor
  with check (doctor_id = (select hospital_private.current_doctor_id()));
create policy doctor_delete_own on hospital.doctor_extra_sessions
  for delete to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()));
grant insert (doctor_id, starts_at, ends_at, room_id), delete
  on hospital.doctor_extra_sessions to hospital_doctor;

-- The roster: names, and how to reach those whose chart is open or oneself.
create policy doctor_select_roster on hospital.patients
  for select to hospital_doctor
  using (id = any (array(select hospital_private.roster_patient_ids())) and erased_at is null);
grant select on hospital.patients to hospital_doctor;
create policy doctor_select_open_charts_and_own on hospital.contact_points
  for select to hospital_doctor
  using (
    patient_id = any (array(select hospital_private.open_charts()))
    or staff_member_id = (select hospital_private.current_staff_member_id())
  );
create policy doctor_insert_own on hospital.contact_points
  for insert to hospital_doctor
  with check (staff_member_id = (select hospital_private.current_staff_member_id()));
create policy doctor_update_own on hospital.contact_points
  for update to hospital_doctor
  using (staff_member_id = (select hospital_private.current_staff_member_id()))
  with check (staff_member_id = (select hospital_private.current_staff_member_id()));
grant select, insert (patient_id, staff_member_id, kind, value), update (value)
  on hospital.contact_points to hospital_doctor;

-- The own calendar.
create policy doctor_select_own on hospital.appointments
  for select to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()));
create policy doctor_insert_own_patients on hospital.appointments
  for insert to hospital_doctor
  with check (
    doctor_id = (select hospital_private.current_doctor_id())
    and patient_id = any (array(select hospital_private.doctor_patient_ids()))
    and status in ('held', 'scheduled')
  );
-- What was called off is not taken back by the doctor: it would put the patient onto his roster.
create policy doctor_update_own on hospital.appointments
  for update to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()) and status <> 'cancelled')
  with check (doctor_id = (select hospital_private.current_doctor_id()));
grant
  select,
  insert (
    patient_id, doctor_id, room_id, appointment_type_id, starts_at, status, reason, override_id,
    series_id
  ),
  update (
    starts_at, ends_at, doctor_id, room_id, status, cancellation_reason, no_show_reason, reason,
    override_id
  )
on hospital.appointments to hospital_doctor;
create policy doctor_select_own on hospital.appointment_overrides
  for select to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()));
create policy doctor_insert_own_patients on hospital.appointment_overrides
  for insert to hospital_doctor
  with check (
    doctor_id = (select hospital_private.current_doctor_id())
    and patient_id = any (array(select hospital_private.doctor_patient_ids()))
  );
grant select, insert (doctor_id, patient_id, span, reason)
  on hospital.appointment_overrides to hospital_doctor;
create policy doctor_select_own on hospital.appointment_staff
  for select to hospital_doctor
  using (
    exists (
      select
      from hospital.appointments as a
      where a.id = appointment_staff.appointment_id
        and a.doctor_id = (select hospital_private.current_doctor_id())
    )
  );
create policy doctor_insert_own on hospital.appointment_staff
  for insert to hospital_doctor
  with check (
    exists (
      select
      from hospital.appointments as a
      where a.id = appointment_staff.appointment_id
        and a.doctor_id = (select hospital_private.current_doctor_id())
    )
  );
create policy doctor_delete_own on hospital.appointment_staff
  for delete to hospital_doctor
  using (
    exists (
      select
      from hospital.appointments as a
      where a.id = appointment_staff.appointment_id
        and a.doctor_id = (select hospital_private.current_doctor_id())
    )
  );
grant select, insert (appointment_id, staff_member_id), delete
  on hospital.appointment_staff to hospital_doctor;
create policy doctor_select_own on hospital.appointment_moves
  for select to hospital_doctor
  using (
    appointment_id = any (
      array(
        select a.id
        from hospital.appointments as a
        where a.doctor_id = (select hospital_private.current_doctor_id())
      )
    )
  );
grant select on hospital.appointment_moves to hospital_doctor;
-- What was skipped is said while a series is booked, and never changed afterwards.
create policy doctor_select_own on hospital.appointment_series
  for select to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()));
create policy doctor_insert_own_patients on hospital.appointment_series
  for insert to hospital_doctor
  with check (
    doctor_id = (select hospital_private.current_doctor_id())
    and patient_id = any (array(select hospital_private.doctor_patient_ids()))
  );
create policy doctor_update_just_made on hospital.appointment_series
  for update to hospital_doctor
  using (
    doctor_id = (select hospital_private.current_doctor_id())
    and created_at = now()
  )
  with check (doctor_id = (select hospital_private.current_doctor_id()));
grant
  select,
  insert (
    patient_id, doctor_id, appointment_type_id, first_date, local_time, every_weeks, occurrences
  ),
  update (skipped_dates)
on hospital.appointment_series to hospital_doctor;
create policy doctor_select_own on hospital.appointment_status_history
  for select to hospital_doctor
  using (
    appointment_id = any (
      array(
        select a.id
        from hospital.appointments as a
        where a.doctor_id = (select hospital_private.current_doctor_id())
      )
    )
  );
grant select on hospital.appointment_status_history to hospital_doctor;

-- Visits: read in open charts, written for own appointments, amended and voided by who wrote them.
create policy doctor_select_open_charts on hospital.visits
  for select to hospital_doctor
  using (patient_id = any (array(select hospital_private.open_charts())));
create policy doctor_insert_own_appointments on hospital.visits
  for insert to hospital_doctor
  with check (
    doctor_id = (select hospital_private.current_doctor_id())
    and patient_id = any (array(select hospital_private.open_charts()))
    and appointment_id in (
      select a.id
      from hospital.appointments as a
      where a.doctor_id = (select hospital_private.current_doctor_id())
    )
  );
create policy doctor_update_own on hospital.visits
  for update to hospital_doctor
  using (
    doctor_id = (select hospital_private.current_doctor_id())
    and patient_id = any (array(select hospital_private.open_charts()))
    -- What was voided or stopped stays so, here and below.
    and voided_at is null
  )
  with check (doctor_id = (select hospital_private.current_doctor_id()));
grant
  select,
  insert (appointment_id, patient_id, doctor_id, started_at, diagnosis, notes),
  update (diagnosis, notes, amendment_reason, ended_at, voided_at, void_reason)
on hospital.visits to hospital_doctor;
create policy doctor_select_open_charts on hospital.visit_versions
  for select to hospital_doctor
  using (patient_id = any (array(select hospital_private.open_charts())));
grant select on hospital.visit_versions to hospital_doctor;

-- What hangs off a visit: written at visits of the doctor's own that stand.
create policy doctor_select_open_charts on hospital.visit_diagnoses
  for select to hospital_doctor
  using (patient_id = any (array(select hospital_private.open_charts())));
create policy doctor_insert_own_visits on hospital.visit_diagnoses
  for insert to hospital_doctor
  with check (
    visit_id in (
      select v.id
      from hospital.visits as v
      where v.doctor_id = (select hospital_private.current_doctor_id())
        and v.voided_at is null
    )
  );
grant select, insert (visit_id, patient_id, diagnosis_code_id, rank)
  on hospital.visit_diagnoses to hospital_doctor;

create policy doctor_select_open_charts on hospital.prescriptions
  for select to hospital_doctor
  using (patient_id = any (array(select hospital_private.open_charts())));
create policy doctor_insert_own_visits on hospital.prescriptions
  for insert to hospital_doctor
  with check (
    prescribed_by = (select hospital_private.current_doctor_id())
    and visit_id in (
      select v.id
      from hospital.visits as v
      where v.doctor_id = (select hospital_private.current_doctor_id())
        and v.voided_at is null
    )
  );
-- Any doctor who has the chart open may stop a medicine: waiting for the prescriber can harm.
create policy doctor_update_open_charts on hospital.prescriptions
  for update to hospital_doctor
  using (patient_id = any (array(select hospital_private.open_charts())) and stopped_at is null)
  with check (patient_id = any (array(select hospital_private.open_charts())));
grant
  select,
  insert (
    visit_id, patient_id, medication_id, prescribed_by, dosage, instructions, start_date, duration_days
  ),
  update (stopped_at, stop_reason)
on hospital.prescriptions to hospital_doctor;

create policy doctor_select_open_charts on hospital.treatments
  for select to hospital_doctor
  using (patient_id = any (array(select hospital_private.open_charts())));
create policy doctor_insert_own_visits on hospital.treatments
  for insert to hospital_doctor
  with check (
    visit_id in (
      select v.id
      from hospital.visits as v
      where v.doctor_id = (select hospital_private.current_doctor_id())
        and v.voided_at is null
    )
  );
create policy doctor_update_own_visits on hospital.treatments
  for update to hospital_doctor
  using (
    visit_id in (
      select v.id
      from hospital.visits as v
      where v.doctor_id = (select hospital_private.current_doctor_id())
    )
    and voided_at is null
  )
  with check (patient_id = any (array(select hospital_private.open_charts())));
grant
  select,
  insert (visit_id, patient_id, type, cost, notes, started_at, ended_at, outcome),
  update (ended_at, outcome, voided_at, void_reason)
on hospital.treatments to hospital_doctor;

create policy doctor_select_open_charts on hospital.patient_conditions
  for select to hospital_doctor
  using (patient_id = any (array(select hospital_private.open_charts())));
create policy doctor_insert_open_charts on hospital.patient_conditions
  for insert to hospital_doctor
  with check (patient_id = any (array(select hospital_private.open_charts())));
grant select, insert (patient_id, diagnosis_code_id, visit_id, onset_on, abated_on)
  on hospital.patient_conditions to hospital_doctor;

-- Emergencies: one's own, asked for by the function alone, ended by oneself.
call hospital_private.allow_reading('hospital_doctor', 'doctor', 'hospital.break_glass_reasons');
create policy doctor_select_own on hospital.break_glass_grants
  for select to hospital_doctor
  using (account_id = (select hospital_private.current_account_id()));
create policy doctor_update_own on hospital.break_glass_grants
  for update to hospital_doctor
  using (account_id = (select hospital_private.current_account_id()))
  with check (account_id = (select hospital_private.current_account_id()));
grant select, update (ended_at) on hospital.break_glass_grants to hospital_doctor;
grant execute on function
  hospital.break_glass,
  hospital.end_break_glass,
  hospital_private.found_break_glass
to hospital_doctor;

-- Notes: one's own as drafts, everybody's once signed, sensitive ones by grant. Who signed a sensitive
-- note may let a colleague read that patient's of its kind.
call hospital_private.allow_reading(
  'hospital_doctor', 'doctor',
  'hospital.sensitivities', 'hospital.note_types', 'hospital.note_sections'
);
create policy doctor_select_open_charts on hospital.clinical_notes
  for select to hospital_doctor
  using (
    patient_id = any (array(select hospital_private.open_charts()))
    and (
      author_id = (select hospital_private.current_staff_member_id())
      or (
        signed_at is not null
        and (
          sensitivity = 'normal'
          or row(patient_id, sensitivity)::hospital_private.patient_sensitivity
            = any (array(select hospital_private.open_sensitivities()))
        )
      )
    )
  );
create policy doctor_insert_open_charts on hospital.clinical_notes
  for insert to hospital_doctor
  with check (
    author_id = (select hospital_private.current_staff_member_id())
    and patient_id = any (array(select hospital_private.open_charts()))
    and record_uuid in (
      select v.record_uuid
      from hospital.visits as v
      where v.voided_at is null
    )
  );
create policy doctor_update_own on hospital.clinical_notes
  for update to hospital_doctor
  using (
    author_id = (select hospital_private.current_staff_member_id())
    and patient_id = any (array(select hospital_private.open_charts()))
    and voided_at is null
  )
  with check (author_id = (select hospital_private.current_staff_member_id()));
grant
  select,
  insert (record_uuid, patient_id, note_type, author_id, sensitivity, addendum_to_id, body),
  update (sensitivity, body, signed_at, voided_at, void_reason)
on hospital.clinical_notes to hospital_doctor;
create policy doctor_select_own on hospital.clinical_note_versions
  for select to hospital_doctor
  using (
    note_id in (
      select n.id
      from hospital.clinical_notes as n
      where n.author_id = (select hospital_private.current_staff_member_id())
    )
  );
grant select on hospital.clinical_note_versions to hospital_doctor;
create policy doctor_select_own on hospital.sensitivity_grants
  for select to hospital_doctor
  using (
    staff_member_id = (select hospital_private.current_staff_member_id())
    or granted_by = (select hospital_private.current_staff_member_id())
  );
create policy doctor_insert_signed_by_him on hospital.sensitivity_grants
  for insert to hospital_doctor
  with check (
    granted_by = (select hospital_private.current_staff_member_id())
    and lower(granted) = now()
    and (patient_id, sensitivity) in (
      select
        n.patient_id,
        n.sensitivity
      from hospital.clinical_notes as n
      where n.author_id = (select hospital_private.current_staff_member_id())
        and n.signed_at is not null
        and n.voided_at is null
        -- Else whoever was let in would add a word and let in the next.
        and n.addendum_to_id is null
    )
  );
create policy doctor_update_own on hospital.sensitivity_grants
  for update to hospital_doctor
  using (granted_by = (select hospital_private.current_staff_member_id()))
  with check (granted_by = (select hospital_private.current_staff_member_id()));
grant
  select,
  insert (patient_id, staff_member_id, sensitivity, granted, reason, granted_by),
  update (ended_at)
on hospital.sensitivity_grants to hospital_doctor;
grant execute on function
  hospital.write_note,
  hospital.edit_note,
  hospital.sign_note,
  hospital.void_note,
  hospital.search_notes,
  hospital.clinical_notes_is_intact,
  hospital.grant_sensitive_access,
  hospital.end_sensitive_access,
  hospital_private.open_sensitivities,
  hospital_private.note_hash,
  hospital_private.found_note
to hospital_doctor;

-- A patient whose chart is open, at a glance.
grant execute on function
  analytics.patient_insight,
  analytics.charlson_index,
  hospital_private.comorbidities_of,
  hospital_private.open_record
to hospital_doctor;

-- The answers about illnesses and about what is to come, of oneself and one's department.
grant execute on function
  analytics.symptom_frequency,
  analytics.treatment_outcomes,
  analytics.visit_forecast
to hospital_doctor;

-- What a doctor can do.
grant execute on function
  hospital.free_slots,
  hospital.next_free_slot,
  hospital.search_doctors,
  hospital.search_patients,
  hospital.department_today,
  hospital.hold_slot,
  hospital.confirm_hold,
  hospital.book_appointment,
  hospital.reschedule_appointment,
  hospital.extend_appointment,
  hospital.override_appointment,
  hospital.assign_appointment_staff,
  hospital.unassign_appointment_staff,
  hospital.update_appointment,
  hospital.cancel_appointment,
  hospital.book_series,
  hospital.cancel_series,
  hospital.mark_no_show,
  hospital.set_doctor_schedule,
  hospital.add_time_off,
  hospital.remove_time_off,
  hospital.add_extra_session,
  hospital.remove_extra_session,
  hospital.calendar_change_appointments,
  hospital.update_doctor,
  hospital.open_chart,
  hospital.record_visit,
  hospital.amend_visit,
  hospital.complete_visit,
  hospital.void_visit,
  hospital.add_prescription,
  hospital.stop_prescription,
  hospital.add_treatment,
  hospital.void_treatment,
  hospital.record_condition,
  hospital.patients_records,
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.patients_medications_in_use,
  hospital.staff_members_full_name,
  hospital.doctors_full_name,
  hospital.doctors_experience_years,
  hospital.departments_doctors,
  hospital.visits_treatment_cost,
  hospital_private.matching_patient_ids,
  hospital_private.booking_conflict,
  hospital_private.raise_conflict,
  hospital_private.lock_in_order,
  hospital_private.lock_calendars,
  hospital_private.lock_appointment,
  hospital_private.request_lock,
  hospital_private.recall_request,
  hospital_private.remember_request,
  hospital_private.begin_request,
  hospital_private.place_appointment,
  hospital_private.grant_override,
  hospital_private.scheduled_room_id,
  hospital_private.lock_doctor,
  hospital_private.appointments_in_the_way,
  hospital_private.require_way_free,
  hospital_private.appointment,
  hospital_private.found_appointment,
  hospital_private.doctor_time_zone,
  hospital_private.series_occurrences,
  hospital_private.series,
  hospital_private.found_visit,
  hospital_private.write_contact,
  hospital_private.escape_like
to hospital_doctor;

-- The answers, about oneself and one's department.
grant execute on function
  analytics.top_doctors,
  analytics.department_load,
  analytics.monthly_visits,
  analytics.doctor_workload,
  analytics.revenue,
  analytics.department_efficiency,
  analytics.view_freshness
to hospital_doctor;

-- Reports, of what is seen above.
grant execute on function
  hospital_private.require_report_period,
  hospital_private.report_heading,
  hospital_private.report_steps,
  hospital_private.report_appointments,
  hospital_private.report_appointments_figures,
  hospital_private.require_open_chart,
  hospital_private.report_diagnoses,
  hospital_private.report_diagnoses_figures,
  hospital_private.report_treatments,
  hospital_private.report_treatments_figures
to hospital_doctor;

--! split: 5120-policies-nurse.sql
-- source: policies/nurse.sql
-- hospital_nurse cares for the patients of the own department: their names and appointments, and the
-- clinical rows of charts this session has opened.
call hospital_private.reset_access('hospital_nurse');

grant execute on function
  hospital_private.roster_patient_ids,
  hospital_private.open_charts
to hospital_nurse;

create policy nurse_select_roster on hospital.patients
  for select to hospital_nurse
  using (id = any (array(select hospital_private.roster_patient_ids())) and erased_at is null);
grant select on hospital.patients to hospital_nurse;
create policy nurse_select_open_charts on hospital.contact_points
  for select to hospital_nurse
  using (patient_id = any (array(select hospital_private.open_charts())));
grant select on hospital.contact_points to hospital_nurse;

-- The department's day.
create policy nurse_select_own_department on hospital.appointments
  for select to hospital_nurse
  using (
    department_id = (select hospital_private.current_department_id())
    and (select hospital_private.session_has_role('nurse'))
  );
-- What was called off is not taken back here: it would put the patient onto the roster.
create policy nurse_update_own_department on hospital.appointments
  for update to hospital_nurse
  using (
    department_id = (select hospital_private.current_department_id())
    and (select hospital_private.session_has_role('nurse'))
    and status <> 'cancelled'
  )
  with check (department_id = (select hospital_private.current_department_id()));
grant select, update (status, no_show_reason) on hospital.appointments to hospital_nurse;

-- Who takes part in it.
create policy nurse_select_own_department on hospital.appointment_staff
  for select to hospital_nurse
  using (
    exists (
      select
      from hospital.appointments as a
      where a.id = appointment_staff.appointment_id
        and a.department_id = (select hospital_private.current_department_id())
    )
    and (select hospital_private.session_has_role('nurse'))
  );
create policy nurse_insert_own_department on hospital.appointment_staff
  for insert to hospital_nurse
  with check (
    exists (
      select
      from hospital.appointments as a
      where a.id = appointment_staff.appointment_id
        and a.department_id = (select hospital_private.current_department_id())
    )
    and (select hospital_private.session_has_role('nurse'))
  );
create policy nurse_delete_own_department on hospital.appointment_staff
  for delete to hospital_nurse
  using (
    exists (
      select
      from hospital.appointments as a
      where a.id = appointment_staff.appointment_id
        and a.department_id = (select hospital_private.current_department_id())
    )
    and (select hospital_private.session_has_role('nurse'))
  );
grant select, insert (appointment_id, staff_member_id), delete
  on hospital.appointment_staff to hospital_nurse;

-- Open charts, to read.
create policy nurse_select_open_charts on hospital.visits
  for select to hospital_nurse
  using (patient_id = any (array(select hospital_private.open_charts())));
grant select on hospital.visits to hospital_nurse;
create policy nurse_select_open_charts on hospital.visit_diagnoses
  for select to hospital_nurse
  using (patient_id = any (array(select hospital_private.open_charts())));
grant select on hospital.visit_diagnoses to hospital_nurse;
create policy nurse_select_open_charts on hospital.patient_conditions
  for select to hospital_nurse
  using (patient_id = any (array(select hospital_private.open_charts())));
grant select on hospital.patient_conditions to hospital_nurse;
create policy nurse_select_open_charts on hospital.prescriptions
  for select to hospital_nurse
  using (patient_id = any (array(select hospital_private.open_charts())));
grant select on hospital.prescriptions to hospital_nurse;
create policy nurse_select_open_charts on hospital.treatments
  for select to hospital_nurse
  using (patient_id = any (array(select hospital_private.open_charts())));
grant select on hospital.treatments to hospital_nurse;

-- Emergencies: one's own, asked for by the function alone, ended by oneself.
call hospital_private.allow_reading('hospital_nurse', 'nurse', 'hospital.break_glass_reasons');
create policy nurse_select_own on hospital.break_glass_grants
  for select to hospital_nurse
  using (account_id = (select hospital_private.current_account_id()));
create policy nurse_update_own on hospital.break_glass_grants
  for update to hospital_nurse
  using (account_id = (select hospital_private.current_account_id()))
  with check (account_id = (select hospital_private.current_account_id()));
grant select, update (ended_at) on hospital.break_glass_grants to hospital_nurse;
grant execute on function
  hospital.break_glass,
  hospital.end_break_glass,
  hospital_private.found_break_glass
to hospital_nurse;

-- Notes: one's own as drafts, everybody's once signed, sensitive ones by grant.
call hospital_private.allow_reading(
  'hospital_nurse', 'nurse',
  'hospital.sensitivities', 'hospital.note_types', 'hospital.note_sections'
);
create policy nurse_select_open_charts on hospital.clinical_notes
  for select to hospital_nurse
  using (
    patient_id = any (array(select hospital_private.open_charts()))
    and (
      author_id = (select hospital_private.current_staff_member_id())
      or (
        signed_at is not null
        and (
          sensitivity = 'normal'
          or row(patient_id, sensitivity)::hospital_private.patient_sensitivity
            = any (array(select hospital_private.open_sensitivities()))
        )
      )
    )
  );
create policy nurse_insert_open_charts on hospital.clinical_notes
  for insert to hospital_nurse
  with check (
    author_id = (select hospital_private.current_staff_member_id())
    and patient_id = any (array(select hospital_private.open_charts()))
    and record_uuid in (
      select v.record_uuid
      from hospital.visits as v
      where v.voided_at is null
    )
  );
create policy nurse_update_own on hospital.clinical_notes
  for update to hospital_nurse
  using (
    author_id = (select hospital_private.current_staff_member_id())
    and patient_id = any (array(select hospital_private.open_charts()))
    and voided_at is null
  )
  with check (author_id = (select hospital_private.current_staff_member_id()));
grant
  select,
  insert (record_uuid, patient_id, note_type, author_id, sensitivity, addendum_to_id, body),
  update (sensitivity, body, signed_at, voided_at, void_reason)
on hospital.clinical_notes to hospital_nurse;
create policy nurse_select_own on hospital.clinical_note_versions
  for select to hospital_nurse
  using (
    note_id in (
      select n.id
      from hospital.clinical_notes as n
      where n.author_id = (select hospital_private.current_staff_member_id())
    )
  );
grant select on hospital.clinical_note_versions to hospital_nurse;
create policy nurse_select_own on hospital.sensitivity_grants
  for select to hospital_nurse
  using (staff_member_id = (select hospital_private.current_staff_member_id()));
grant select on hospital.sensitivity_grants to hospital_nurse;
grant execute on function
  hospital.write_note,
  hospital.edit_note,
  hospital.sign_note,
  hospital.void_note,
  hospital.search_notes,
  hospital.clinical_notes_is_intact,
  hospital_private.open_sensitivities,
  hospital_private.note_hash,
  hospital_private.found_visit,
  hospital_private.found_note
to hospital_nurse;

grant execute on function
  hospital.open_chart,
  hospital.check_in,
  hospital.assign_appointment_staff,
  hospital.unassign_appointment_staff,
  hospital.mark_no_show,
  hospital.search_patients,
  hospital.patients_medications_in_use,
  hospital.visits_treatment_cost,
  hospital_private.matching_patient_ids,
  hospital_private.lock_in_order,
  hospital_private.lock_calendars,
  hospital_private.lock_appointment,
  hospital_private.request_lock,
  hospital_private.appointment,
  hospital_private.found_appointment
to hospital_nurse;

-- A patient whose chart is open, at a glance.
grant execute on function
  analytics.patient_insight,
  analytics.charlson_index,
  hospital_private.comorbidities_of,
  hospital_private.open_record
to hospital_nurse;

-- Reports, of what is seen above.
grant execute on function
  hospital_private.require_report_period,
  hospital_private.report_heading,
  hospital_private.report_steps,
  hospital_private.report_appointments,
  hospital_private.report_appointments_figures,
  hospital_private.require_open_chart,
  hospital_private.report_diagnoses,
  hospital_private.report_diagnoses_figures,
  hospital_private.report_treatments,
  hospital_private.report_treatments_figures,
  hospital_private.doctor_time_zone
to hospital_nurse;

--! split: 5121-policies-patient.sql
-- source: policies/patient.sql
-- hospital_patient sees the own record and those one is a proxy for, the calendar's free times and the
-- directory of doctors.
call hospital_private.reset_access('hospital_patient');
grant usage on schema hospital, analytics, hospital_private to hospital_patient;

-- The session.
grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account,
  hospital_private.session_has_role,
  hospital_private.current_patient_id,
  hospital_private.current_patient_ids,
  hospital_private.own_patient_ids
to hospital_patient;

-- The directory and the vocabularies.
call hospital_private.allow_reading(
  'hospital_patient', 'patient',
  'hospital.facilities', 'hospital.departments', 'hospital.rooms', 'hospital.specialties',
  'hospital.sexes', 'hospital.contact_kinds', 'hospital.identifier_systems',
  'hospital.appointment_types', 'hospital.appointment_statuses', 'hospital.cancellation_reasons',
  'hospital.no_show_reasons', 'hospital.override_reasons', 'hospital.waitlist_statuses',
  'hospital.proxy_relationships', 'hospital.proxy_scopes',
  'hospital.diagnosis_codes', 'hospital.medications', 'hospital.treatment_types',
  'hospital.outcome_codes'
);
create policy patient_select_bookable on hospital.doctors
  for select to hospital_patient
  using ((select hospital_private.session_has_role('patient')) and is_active);
grant select on hospital.doctors to hospital_patient;
-- Of the staff, the doctors just seen: whoever waits for approval has only given himself a name.
create policy patient_select_doctors on hospital.staff_members
  for select to hospital_patient
  using (
    (select hospital_private.session_has_role('patient'))
    and id = any (array(select d.staff_member_id from hospital.doctors as d))
  );
grant select on hospital.staff_members to hospital_patient;

-- Oneself, and to read those one is a proxy for. Name, birth and sex are changed by reception, against a
-- document. What a proxy leaves to the patient: how to be reached, and the numbers other systems gave.
create policy patient_select_own on hospital.patients
  for select to hospital_patient
  using (id = any (array(select hospital_private.own_patient_ids())) and erased_at is null);
create policy patient_update_own on hospital.patients
  for update to hospital_patient
  using (id = (select hospital_private.current_patient_id()))
  with check (id = (select hospital_private.current_patient_id()));
grant select, update (time_zone) on hospital.patients to hospital_patient;
create policy patient_select_own on hospital.contact_points
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.own_patient_ids())));
create policy patient_insert_own on hospital.contact_points
  for insert to hospital_patient
  with check (patient_id = (select hospital_private.current_patient_id()));
create policy patient_update_own on hospital.contact_points
  for update to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()))
  with check (patient_id = (select hospital_private.current_patient_id()));
grant select, insert (patient_id, staff_member_id, kind, value), update (value)
  on hospital.contact_points to hospital_patient;
create policy patient_select_own on hospital.patient_identifiers
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.current_patient_ids())));
grant select on hospital.patient_identifiers to hospital_patient;

-- Proxies: who acts for oneself, and whom one acts for.
create policy patient_select_own on hospital.patient_proxies
  for select to hospital_patient
  using (
    patient_id = any (array(select hospital_private.current_patient_ids()))
    or proxy_id = any (array(select hospital_private.current_patient_ids()))
  );
grant select on hospital.patient_proxies to hospital_patient;

-- Appointments: hold, book, move, change the reason, cancel. End and room are not the patient's to
-- choose, nor is setting a rule aside.
create policy patient_select_own on hospital.appointments
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.own_patient_ids())));
create policy patient_insert_own on hospital.appointments
  for insert to hospital_patient
  with check (
    patient_id = any (array(select hospital_private.own_patient_ids(to_book => true)))
    and status in ('held', 'scheduled')
    and starts_at > clock_timestamp()
    and override_id is null
  );
-- What has begun, was missed, finished or called off is no longer the patient's to change: nobody
-- cancels afterwards what he missed, or takes back what the hospital cancelled.
create policy patient_update_own on hospital.appointments
  for update to hospital_patient
  using (
    patient_id = any (array(select hospital_private.own_patient_ids(to_book => true)))
    and status in ('held', 'scheduled')
    and starts_at > clock_timestamp()
  )
  with check (
    patient_id = any (array(select hospital_private.own_patient_ids(to_book => true)))
    and status in ('held', 'scheduled', 'cancelled')
    and starts_at > clock_timestamp()
    and (
      cancellation_reason is null
      or cancellation_reason in (
        select r.code
        from hospital.cancellation_reasons as r
        where r.party = 'patient'
      )
    )
  );
grant
  select,
  insert (
    patient_id, doctor_id, appointment_type_id, starts_at, status, reason, override_id, series_id
  ),
  update (starts_at, doctor_id, status, cancellation_reason, reason)
on hospital.appointments to hospital_patient;
create policy patient_select_own on hospital.appointment_overrides
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.own_patient_ids())));
grant select on hospital.appointment_overrides to hospital_patient;
create policy patient_select_own on hospital.appointment_moves
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.own_patient_ids())));
grant select on hospital.appointment_moves to hospital_patient;
-- What was skipped is said while a series is booked, and never changed afterwards.
create policy patient_select_own on hospital.appointment_series
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.own_patient_ids())));
create policy patient_insert_own on hospital.appointment_series
  for insert to hospital_patient
  with check (patient_id = any (array(select hospital_private.own_patient_ids(to_book => true))));
create policy patient_update_just_made on hospital.appointment_series
  for update to hospital_patient
  using (
    patient_id = any (array(select hospital_private.own_patient_ids(to_book => true)))
    and created_at = now()
  )
  with check (patient_id = any (array(select hospital_private.own_patient_ids(to_book => true))));
grant
  select,
  insert (
    patient_id, doctor_id, appointment_type_id, first_date, local_time, every_weeks, occurrences
  ),
  update (skipped_dates)
on hospital.appointment_series to hospital_patient;
create policy patient_select_own on hospital.appointment_staff
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.own_patient_ids())));
grant select on hospital.appointment_staff to hospital_patient;
create policy patient_select_own on hospital.appointment_status_history
  for select to hospital_patient
  using (
    appointment_id = any (
      array(
        select a.id
        from hospital.appointments as a
        where a.patient_id = any (array(select hospital_private.own_patient_ids()))
      )
    )
  );
grant select on hospital.appointment_status_history to hospital_patient;
-- The waitlist: who comes first is not the patient's to say, and a place given up is not taken back.
create policy patient_select_own on hospital.waitlist_entries
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.own_patient_ids())));
create policy patient_insert_own on hospital.waitlist_entries
  for insert to hospital_patient
  with check (
    patient_id = any (array(select hospital_private.own_patient_ids(to_book => true)))
    and status = 'waiting'
  );
create policy patient_update_own on hospital.waitlist_entries
  for update to hospital_patient
  using (
    patient_id = any (array(select hospital_private.own_patient_ids(to_book => true)))
    and status = 'waiting'
  )
  with check (
    patient_id = any (array(select hospital_private.own_patient_ids(to_book => true)))
    and status in ('waiting', 'withdrawn')
  );
grant
  select,
  insert (
    patient_id, appointment_type_id, department_id, doctor_id, starts_from, starts_before
  ),
  update (starts_from, starts_before, status)
on hospital.waitlist_entries to hospital_patient;
create policy patient_select_own on hospital.notifications
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.own_patient_ids())));
grant select on hospital.notifications to hospital_patient;

-- The record, to read.
create policy patient_select_own on hospital.visits
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.own_patient_ids())));
grant select on hospital.visits to hospital_patient;
create policy patient_select_own on hospital.visit_versions
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.own_patient_ids())));
grant select on hospital.visit_versions to hospital_patient;
create policy patient_select_own on hospital.visit_diagnoses
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.own_patient_ids())));
grant select on hospital.visit_diagnoses to hospital_patient;
create policy patient_select_own on hospital.patient_conditions
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.own_patient_ids())));
grant select on hospital.patient_conditions to hospital_patient;
create policy patient_select_own on hospital.prescriptions
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.own_patient_ids())));
grant select on hospital.prescriptions to hospital_patient;
create policy patient_select_own on hospital.treatments
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.own_patient_ids())));
grant select on hospital.treatments to hospital_patient;

-- Consents, and who looked.
call hospital_private.allow_reading('hospital_patient', 'patient', 'hospital.consent_scopes');
create policy patient_select_own on hospital.consents
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.current_patient_ids())));
create policy patient_insert_own on hospital.consents
  for insert to hospital_patient
  with check (
    patient_id = (select hospital_private.current_patient_id())
    -- Who works here and whom he does not see he hears of as little as of nobody.
    and (
      staff_member_id is null
      or staff_member_id in (select m.id from hospital.staff_members as m)
    )
  );
create policy patient_update_own on hospital.consents
  for update to hospital_patient
  using (patient_id = any (array(select hospital_private.current_patient_ids())))
  with check (patient_id = any (array(select hospital_private.current_patient_ids())));
grant
  select,
  insert (patient_id, scope, staff_member_id, department_id, granted, evidence),
  update (withdrawn_at)
on hospital.consents to hospital_patient;
grant execute on function
  hospital.record_consent,
  hospital.withdraw_consent,
  hospital.who_viewed_my_chart
to hospital_patient;

-- Notes once they are signed, sensitive ones too, and who else may read those.
call hospital_private.allow_reading(
  'hospital_patient', 'patient',
  'hospital.sensitivities', 'hospital.note_types', 'hospital.note_sections'
);
-- Who acts for a patient reads what is sensitive as little as a colleague does.
create policy patient_select_own on hospital.clinical_notes
  for select to hospital_patient
  using (
    patient_id = any (array(select hospital_private.own_patient_ids()))
    and signed_at is not null
    and (
      sensitivity = 'normal'
      or patient_id = any (array(select hospital_private.current_patient_ids()))
    )
  );
grant select on hospital.clinical_notes to hospital_patient;
create policy patient_select_own on hospital.sensitivity_grants
  for select to hospital_patient
  using (patient_id = any (array(select hospital_private.current_patient_ids())));
grant select on hospital.sensitivity_grants to hospital_patient;
grant execute on function
  hospital.search_notes,
  hospital.clinical_notes_is_intact,
  hospital_private.note_hash
to hospital_patient;

-- What a patient can do.
grant execute on function
  hospital.free_slots,
  hospital.next_free_slot,
  hospital.search_doctors,
  hospital.hold_slot,
  hospital.confirm_hold,
  hospital.book_appointment,
  hospital.reschedule_appointment,
  hospital.join_waitlist,
  hospital.leave_waitlist,
  hospital.accept_offer,
  hospital.refuse_offer,
  hospital.update_appointment,
  hospital.cancel_appointment,
  hospital.book_series,
  hospital.cancel_series,
  hospital.update_patient,
  hospital.grant_proxy,
  hospital.revoke_proxy,
  hospital.patient_proxies_proxy_name,
  hospital.patient_proxies_ends_at,
  hospital.patient_proxies_is_live,
  hospital.patients_records,
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.patients_medications_in_use,
  hospital.staff_members_full_name,
  hospital.doctors_full_name,
  hospital.doctors_experience_years,
  hospital.departments_doctors,
  hospital.visits_treatment_cost,
  hospital_private.booking_conflict,
  hospital_private.raise_conflict,
  hospital_private.lock_in_order,
  hospital_private.lock_calendars,
  hospital_private.lock_appointment,
  hospital_private.request_lock,
  hospital_private.recall_request,
  hospital_private.remember_request,
  hospital_private.begin_request,
  hospital_private.place_appointment,
  hospital_private.grant_override,
  hospital_private.waitlist_entry,
  hospital_private.live_offer_id,
  hospital_private.scheduled_room_id,
  hospital_private.appointment,
  hospital_private.found_appointment,
  hospital_private.doctor_time_zone,
  hospital_private.series_occurrences,
  hospital_private.series,
  hospital_private.write_contact,
  hospital_private.escape_like
to hospital_patient;

-- The own record at a glance.
grant execute on function
  analytics.patient_insight,
  analytics.charlson_index,
  hospital_private.comorbidities_of,
  hospital_private.open_record
to hospital_patient;

-- Reports, of what is seen above.
grant execute on function
  hospital_private.require_report_period,
  hospital_private.report_heading,
  hospital_private.report_steps,
  hospital_private.report_appointments,
  hospital_private.report_appointments_figures,
  hospital_private.require_open_chart,
  hospital_private.report_diagnoses,
  hospital_private.report_diagnoses_figures,
  hospital_private.report_treatments,
  hospital_private.report_treatments_figures
to hospital_patient;

--! split: 5122-policies-reception.sql
-- source: policies/reception.sql
-- hospital_reception registers people and keeps the calendar of everybody; it reads no clinical row.
call hospital_private.reset_access('hospital_reception');

-- Everybody who comes to the door.
create policy reception_select_all on hospital.patients
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')) and erased_at is null);
create policy reception_update_all on hospital.patients
  for update to hospital_reception
  using ((select hospital_private.session_has_role('reception')) and erased_at is null)
  with check ((select hospital_private.session_has_role('reception')));
grant
  select,
  update (
    given_name, family_name, date_of_birth, sex, time_zone, deactivated_at, deactivation_reason
  )
on hospital.patients to hospital_reception;
create policy reception_select_patients on hospital.contact_points
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')) and patient_id is not null);
create policy reception_insert_patients on hospital.contact_points
  for insert to hospital_reception
  with check ((select hospital_private.session_has_role('reception')) and patient_id is not null);
create policy reception_update_patients on hospital.contact_points
  for update to hospital_reception
  using ((select hospital_private.session_has_role('reception')) and patient_id is not null)
  with check ((select hospital_private.session_has_role('reception')) and patient_id is not null);
grant select, insert (patient_id, staff_member_id, kind, value), update (value)
  on hospital.contact_points to hospital_reception;
create policy reception_select_all on hospital.patient_identifiers
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
create policy reception_insert_all on hospital.patient_identifiers
  for insert to hospital_reception
  with check ((select hospital_private.session_has_role('reception')));
grant select, insert (patient_id, system, value) on hospital.patient_identifiers to hospital_reception;

-- The calendar.
create policy reception_select_all on hospital.doctor_time_off
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
grant select on hospital.doctor_time_off to hospital_reception;
create policy reception_insert_all on hospital.doctor_time_off
  for insert to hospital_reception
  with check ((select hospital_private.session_has_role('reception')));
create policy reception_delete_all on hospital.doctor_time_off
  for delete to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
grant insert (doctor_id, starts_at, ends_at, reason), delete
  on hospital.doctor_time_off to hospital_reception;
create policy reception_insert_all on hospital.doctor_schedules
  for insert to hospital_reception
  with check ((select hospital_private.session_has_role('reception')));
create policy reception_update_all on hospital.doctor_schedules
  for update to hospital_reception
  using ((select hospital_private.session_has_role('reception')))
  with check ((select hospital_private.session_has_role('reception')));
create policy reception_delete_all on hospital.doctor_schedules
  for delete to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
grant
  insert (doctor_id, weekday, start_time, end_time, effective, room_id),
  update (effective),
  delete
on hospital.doctor_schedules to hospital_reception;
create policy reception_insert_all on hospital.doctor_extra_sessions
  for insert to hospital_reception
  with check ((select hospital_private.session_has_role('reception')));
create policy reception_delete_all on hospital.doctor_extra_sessions
  for delete to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
grant insert (doctor_id, starts_at, ends_at, room_id), delete
  on hospital.doctor_extra_sessions to hospital_reception;
create policy reception_select_all on hospital.appointments
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
create policy reception_insert_scheduled on hospital.appointments
  for insert to hospital_reception
  with check (
    (select hospital_private.session_has_role('reception'))
    and status in ('held', 'scheduled')
    and override_id is null
  );
create policy reception_update_all on hospital.appointments
  for update to hospital_reception
  using ((select hospital_private.session_has_role('reception')))
  with check ((select hospital_private.session_has_role('reception')));
grant
  select,
  insert (
    patient_id, doctor_id, room_id, appointment_type_id, starts_at, status, reason, override_id,
    series_id
  ),
  update (
    starts_at, ends_at, doctor_id, room_id, status, cancellation_reason, no_show_reason, reason
  )
on hospital.appointments to hospital_reception;
create policy reception_select_all on hospital.appointment_overrides
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
grant select on hospital.appointment_overrides to hospital_reception;
-- What was skipped is said while a series is booked, and never changed afterwards.
create policy reception_select_all on hospital.appointment_series
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
create policy reception_insert_all on hospital.appointment_series
  for insert to hospital_reception
  with check ((select hospital_private.session_has_role('reception')));
create policy reception_update_just_made on hospital.appointment_series
  for update to hospital_reception
  using (
    (select hospital_private.session_has_role('reception'))
    and created_at = now()
  )
  with check ((select hospital_private.session_has_role('reception')));
grant
  select,
  insert (
    patient_id, doctor_id, appointment_type_id, first_date, local_time, every_weeks, occurrences
  ),
  update (skipped_dates)
on hospital.appointment_series to hospital_reception;
create policy reception_select_all on hospital.appointment_moves
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
grant select on hospital.appointment_moves to hospital_reception;
create policy reception_select_all on hospital.appointment_staff
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
create policy reception_select_all on hospital.waitlist_entries
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
create policy reception_insert_all on hospital.appointment_staff
  for insert to hospital_reception
  with check ((select hospital_private.session_has_role('reception')));
create policy reception_delete_all on hospital.appointment_staff
  for delete to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
grant select, insert (appointment_id, staff_member_id), delete
  on hospital.appointment_staff to hospital_reception;
create policy reception_insert_all on hospital.waitlist_entries
  for insert to hospital_reception
  with check ((select hospital_private.session_has_role('reception')) and status = 'waiting');
create policy reception_update_all on hospital.waitlist_entries
  for update to hospital_reception
  using ((select hospital_private.session_has_role('reception')) and status = 'waiting')
  with check (
    (select hospital_private.session_has_role('reception'))
    and status in ('waiting', 'withdrawn')
  );
grant
  select,
  insert (
    patient_id, appointment_type_id, department_id, doctor_id, starts_from, starts_before
  ),
  update (starts_from, starts_before, priority, status)
on hospital.waitlist_entries to hospital_reception;
create policy reception_select_all on hospital.appointment_status_history
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
grant select on hospital.appointment_status_history to hospital_reception;
create policy reception_select_all on hospital.notifications
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
grant select on hospital.notifications to hospital_reception;

-- Consents that patients sign at the desk.
call hospital_private.allow_reading('hospital_reception', 'reception', 'hospital.consent_scopes');
create policy reception_select_all on hospital.consents
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
create policy reception_insert_all on hospital.consents
  for insert to hospital_reception
  with check ((select hospital_private.session_has_role('reception')));
create policy reception_update_all on hospital.consents
  for update to hospital_reception
  using ((select hospital_private.session_has_role('reception')))
  with check ((select hospital_private.session_has_role('reception')));
grant
  select,
  insert (patient_id, scope, staff_member_id, department_id, granted, evidence),
  update (withdrawn_at)
on hospital.consents to hospital_reception;
grant execute on function
  hospital.record_consent,
  hospital.withdraw_consent
to hospital_reception;

-- Who acts for whom, and which records are one person's.
create policy reception_select_all on hospital.patient_proxies
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
grant select on hospital.patient_proxies to hospital_reception;
create policy reception_select_all on hospital.patient_merges
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
grant select on hospital.patient_merges to hospital_reception;
call hospital_private.allow_reading(
  'hospital_reception', 'reception', 'hospital.proxy_relationships', 'hospital.proxy_scopes'
);

grant execute on function
  hospital.register_patient,
  hospital.register_patient_and_book,
  hospital.update_patient,
  hospital.deactivate_patient,
  hospital.search_patients,
  hospital.grant_proxy,
  hospital.revoke_proxy,
  hospital.patient_proxies_proxy_name,
  hospital.patient_proxies_ends_at,
  hospital.patient_proxies_is_live,
  hospital.hold_slot,
  hospital.confirm_hold,
  hospital.book_appointment,
  hospital.reschedule_appointment,
  hospital.extend_appointment,
  hospital.join_waitlist,
  hospital.leave_waitlist,
  hospital.accept_offer,
  hospital.refuse_offer,
  hospital.assign_appointment_staff,
  hospital.unassign_appointment_staff,
  hospital.update_appointment,
  hospital.cancel_appointment,
  hospital.book_series,
  hospital.cancel_series,
  hospital.check_in,
  hospital.mark_no_show,
  hospital.set_doctor_schedule,
  hospital.add_time_off,
  hospital.remove_time_off,
  hospital.add_extra_session,
  hospital.remove_extra_session,
  hospital.calendar_change_appointments,
  hospital_private.matching_patient_ids,
  hospital_private.booking_conflict,
  hospital_private.raise_conflict,
  hospital_private.lock_in_order,
  hospital_private.lock_calendars,
  hospital_private.lock_appointment,
  hospital_private.request_lock,
  hospital_private.recall_request,
  hospital_private.remember_request,
  hospital_private.begin_request,
  hospital_private.place_appointment,
  hospital_private.grant_override,
  hospital_private.waitlist_entry,
  hospital_private.live_offer_id,
  hospital_private.scheduled_room_id,
  hospital_private.lock_doctor,
  hospital_private.appointments_in_the_way,
  hospital_private.require_way_free,
  hospital_private.appointment,
  hospital_private.found_appointment,
  hospital_private.doctor_time_zone,
  hospital_private.series_occurrences,
  hospital_private.series,
  hospital_private.write_contact
to hospital_reception;

-- Reports, of what is seen above.
grant execute on function
  hospital_private.require_report_period,
  hospital_private.report_heading,
  hospital_private.report_steps,
  hospital_private.report_appointments,
  hospital_private.report_appointments_figures
to hospital_reception;

--! split: 5123-policies-worker.sql
-- source: policies/worker.sql
-- hospital_worker runs the background jobs: it may call their functions and nothing more.
call hospital_private.reset_access('hospital_worker');
grant usage on schema ops to hospital_worker;

grant execute on function
  ops.start_job_run,
  ops.enter_job_run,
  ops.leave_job_run,
  ops.finish_job_run,
  ops.fail_job_run,
  ops.send_reminders,
  ops.expire_holds,
  ops.offer_waitlist,
  ops.publish_aggregates,
  ops.maintain_partitions,
  ops.seal_audit,
  ops.verify_audit_chain,
  ops.load_warehouse,
  ops.refresh_views,
  ops.check_freshness
to hospital_worker;

-- Changes for other services, of the consumers that it reads for.
grant execute on function
  ops.read_change_events,
  ops.acknowledge_change_events,
  ops.consumer_lags
to hospital_worker;

-- The post: one message at a time, and what became of it.
grant execute on function
  ops.claim_notification,
  ops.is_still_to_be_sent,
  ops.mark_notification_sent,
  ops.note_delivery_failure,
  ops.withdraw_untrue_notifications
to hospital_worker;

-- Reports of past months: totals in, files out.
grant execute on function
  ops.reports_due,
  ops.monthly_heading,
  ops.monthly_appointments,
  ops.monthly_appointments_figures,
  ops.monthly_billing,
  ops.monthly_billing_figures,
  ops.keep_report
to hospital_worker;
