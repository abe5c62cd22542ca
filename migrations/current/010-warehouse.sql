-- The warehouse: a star of dimensions and facts, copied from the record by the loader and by nothing else.
-- Nobody is granted anything here: what may be asked is asked through the functions in analytics. It
-- holds no name, number or word of a patient.

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
