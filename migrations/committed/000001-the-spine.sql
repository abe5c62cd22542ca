--! Previous: -
--! Hash: sha1:e69d762f52212efabb36013ed921e6ec929f985b
--! Message: the-spine

--! split: 010-foundation.sql
-- The house: schemas, trusted extensions, and the rule that nothing is open to PUBLIC.
-- Runs as hospital_owner, who owns the database and is no superuser.

create schema hospital;
create schema analytics;
create schema hospital_private;
create schema audit;
create schema warehouse;
create schema masked;
create schema staging;
create schema extensions;
create schema ops;

comment on schema hospital is 'The hospital''s tables and the functions of its API.';
comment on schema analytics is 'Functions that answer questions about the hospital, filtered by who asks.';
comment on schema hospital_private is 'Accounts, sessions and helper functions that no client may reach.';
comment on schema audit is 'Who looked at and who changed what.';
comment on schema warehouse is 'The star schema and the materialized views that feed analytics.';
comment on schema masked is 'De-identified views and published aggregates for the analyst role.';
comment on schema staging is 'Where bulk loads and imports land before they are checked.';
comment on schema extensions is 'Extensions, always called by their qualified names.';
comment on schema ops is 'What operators watch: job runs, backups, freshness and data quality.';

revoke all on schema public from public;

-- A temporary type is found before a built-in one unless pg_temp is named last in the search path.
-- Definer functions name it so; here nobody but the owner may make temporary objects at all.
do $$
begin
  execute format('revoke temporary on database %I from public', current_database());
end;
$$;

-- A function is callable by nobody until a policies file says by whom.
alter default privileges revoke execute on functions from public;

create extension if not exists btree_gist with schema extensions;
create extension if not exists pgcrypto with schema extensions;
create extension if not exists pg_trgm with schema extensions;
grant usage on schema extensions to public;

--! split: 020-facility.sql
-- The building: places, departments as a tree, rooms, and the vocabulary of specialties and jobs.

-- A facility's zone turns its local rules into instants; a misspelt zone must be impossible.
create table hospital.time_zones (
  name text primary key
);
comment on table hospital.time_zones is 'The IANA time zones known to this server, so that a zone is a foreign key and never a typing error.';
comment on column hospital.time_zones.name is 'The IANA name of the zone, such as America/New_York.';

insert into hospital.time_zones (name)
select z.name
from pg_catalog.pg_timezone_names as z
where z.name ~ '^(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)/'
  or z.name = 'UTC';

create table hospital.facilities (
  id          bigint      generated always as identity primary key,
  public_uuid uuid        not null default gen_random_uuid(),
  name        text        not null,
  time_zone   text        not null references hospital.time_zones (name),
  address     text,
  phone       text,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  constraint facilities_public_uuid_key unique (public_uuid),
  constraint facilities_name_not_blank check (btrim(name) <> '' and char_length(name) <= 200),
  constraint facilities_phone_plausible check (phone ~ '^\+?[0-9 ().x/-]{5,30}$')
);
create index facilities_name_idx on hospital.facilities (name);
create index facilities_time_zone_idx on hospital.facilities (time_zone);
comment on table hospital.facilities is 'The places where care is given; each has one time zone, in which all its local rules are read.';
comment on column hospital.facilities.id is 'The key of the facility inside this database.';
comment on column hospital.facilities.public_uuid is 'The identifier of the facility towards other systems.';
comment on column hospital.facilities.name is 'The name of the facility, up to 200 characters.';
comment on column hospital.facilities.time_zone is 'The IANA zone in which the facility''s wall clocks run.';
comment on column hospital.facilities.address is 'The postal address of the facility in one line.';
comment on column hospital.facilities.phone is 'The telephone number of the facility''s switchboard.';
comment on column hospital.facilities.created_at is 'When this row was written.';
comment on column hospital.facilities.updated_at is 'When this row last changed.';

create table hospital.departments (
  id          bigint      generated always as identity primary key,
  facility_id bigint      not null references hospital.facilities (id),
  parent_id   bigint,
  name        text        not null,
  location    text,
  is_active   boolean     not null default true,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  constraint departments_id_facility_id_key unique (id, facility_id),
  constraint departments_name_unique_in_facility unique (facility_id, name),
  constraint departments_parent_in_same_facility
    foreign key (parent_id, facility_id) references hospital.departments (id, facility_id),
  constraint departments_not_own_parent check (parent_id <> id),
  constraint departments_name_not_blank check (btrim(name) <> '' and char_length(name) <= 120)
);
create index departments_parent_id_facility_id_idx on hospital.departments (parent_id, facility_id);
create index departments_name_idx on hospital.departments (name);
comment on table hospital.departments is 'The departments of a facility, as a tree by parent_id.';
comment on column hospital.departments.id is 'The key of the department inside this database.';
comment on column hospital.departments.facility_id is 'The facility the department belongs to.';
comment on column hospital.departments.parent_id is 'The department above this one in the same facility, or null at the top.';
comment on column hospital.departments.name is 'The name of the department, unique within its facility.';
comment on column hospital.departments.location is 'Where in the building the department is found.';
comment on column hospital.departments.is_active is 'Whether the department still receives patients.';
comment on column hospital.departments.created_at is 'When this row was written.';
comment on column hospital.departments.updated_at is 'When this row last changed.';

create table hospital.rooms (
  id            bigint      generated always as identity primary key,
  department_id bigint      not null references hospital.departments (id),
  name          text        not null,
  is_active     boolean     not null default true,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  constraint rooms_name_unique_in_department unique (department_id, name),
  constraint rooms_name_not_blank check (btrim(name) <> '' and char_length(name) <= 60)
);
comment on table hospital.rooms is 'The rooms in which patients are seen; a room holds one appointment at a time.';
comment on column hospital.rooms.id is 'The key of the room inside this database.';
comment on column hospital.rooms.department_id is 'The department the room belongs to.';
comment on column hospital.rooms.name is 'The name on the door, unique within the department.';
comment on column hospital.rooms.is_active is 'Whether the room is in use.';
comment on column hospital.rooms.created_at is 'When this row was written.';
comment on column hospital.rooms.updated_at is 'When this row last changed.';

create table hospital.specialties (
  name        text primary key,
  description text not null,
  constraint specialties_name_not_blank check (btrim(name) <> '' and char_length(name) <= 120)
);
comment on table hospital.specialties is 'The medical specialties a doctor may practise, by name.';
comment on column hospital.specialties.name is 'The name of the specialty, such as Cardiology.';
comment on column hospital.specialties.description is 'What the specialty treats, in words a patient understands.';

create table hospital.jobs (
  code text primary key,
  name text not null,
  constraint jobs_name_key unique (name)
);
comment on table hospital.jobs is 'The jobs a member of staff may hold.';
comment on column hospital.jobs.code is 'The code of the job, such as nurse.';
comment on column hospital.jobs.name is 'The name of the job as people say it.';

insert into hospital.jobs (code, name) values
  ('doctor', 'Doctor'),
  ('nurse', 'Nurse'),
  ('receptionist', 'Receptionist'),
  ('pharmacist', 'Pharmacist'),
  ('laboratory_technician', 'Laboratory technician'),
  ('billing_clerk', 'Billing clerk'),
  ('administrator', 'Administrator'),
  ('analyst', 'Analyst'),
  ('auditor', 'Auditor');

insert into hospital.specialties (name, description) values
  ('General practice', 'First contact, prevention and long-term care for people of every age.'),
  ('Internal medicine', 'Illnesses of adults, and people who have several at once.'),
  ('Family medicine', 'Care for whole families over many years.'),
  ('Pediatrics', 'Health and illness of infants, children and adolescents.'),
  ('Cardiology', 'The heart and the blood vessels.'),
  ('Dermatology', 'Skin, hair and nails.'),
  ('Emergency medicine', 'Sudden illness and injury that cannot wait.'),
  ('Endocrinology', 'Hormones, diabetes and metabolism.'),
  ('Gastroenterology', 'Stomach, bowel, liver and pancreas.'),
  ('General surgery', 'Operations on the abdomen, the breast and soft tissue.'),
  ('Geriatrics', 'Health in old age.'),
  ('Hematology', 'Blood and its diseases.'),
  ('Infectious disease', 'Infections that are severe, rare or hard to treat.'),
  ('Nephrology', 'Kidneys, dialysis and high blood pressure.'),
  ('Neurology', 'Brain, spinal cord and nerves.'),
  ('Obstetrics and gynecology', 'Pregnancy, birth and women''s health.'),
  ('Oncology', 'Cancer and its treatment.'),
  ('Ophthalmology', 'Eyes and sight.'),
  ('Orthopedics', 'Bones, joints, ligaments and tendons.'),
  ('Otolaryngology', 'Ear, nose and throat.'),
  ('Physical therapy', 'Movement, strength and recovery after injury.'),
  ('Psychiatry', 'Mental illness and its treatment.'),
  ('Pulmonology', 'Lungs and breathing.'),
  ('Radiology', 'Images of the inside of the body.'),
  ('Rheumatology', 'Inflamed joints and autoimmune disease.'),
  ('Urology', 'Urinary tract and male reproductive health.');

alter table hospital.time_zones enable row level security;
alter table hospital.time_zones force row level security;
alter table hospital.facilities enable row level security;
alter table hospital.facilities force row level security;
alter table hospital.departments enable row level security;
alter table hospital.departments force row level security;
alter table hospital.rooms enable row level security;
alter table hospital.rooms force row level security;
alter table hospital.specialties enable row level security;
alter table hospital.specialties force row level security;
alter table hospital.jobs enable row level security;
alter table hospital.jobs force row level security;

--! split: 030-people.sql
-- The people: staff, doctors, patients, and in tables of their own what only some may read of them.

create table hospital.staff_members (
  id            bigint      generated always as identity primary key,
  public_uuid   uuid        not null default gen_random_uuid(),
  given_name    text        not null,
  family_name   text        not null,
  job           text        not null references hospital.jobs (code),
  department_id bigint      not null references hospital.departments (id),
  manager_id    bigint      references hospital.staff_members (id),
  hired_on      date        not null,
  left_on       date,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  constraint staff_members_public_uuid_key unique (public_uuid),
  constraint staff_members_id_job_key unique (id, job),
  constraint staff_members_not_own_manager check (manager_id <> id),
  constraint staff_members_left_after_hired check (left_on >= hired_on),
  constraint staff_members_name_not_blank
    check (btrim(given_name) <> '' and btrim(family_name) <> ''
      and char_length(given_name) <= 100 and char_length(family_name) <= 100)
);
create index staff_members_job_idx on hospital.staff_members (job);
create index staff_members_department_id_idx on hospital.staff_members (department_id);
create index staff_members_manager_id_idx on hospital.staff_members (manager_id);
create index staff_members_family_name_given_name_idx
  on hospital.staff_members (family_name, given_name);
comment on table hospital.staff_members is 'Everybody who works here, with job, department and manager.';
comment on column hospital.staff_members.id is 'The key of the member of staff inside this database.';
comment on column hospital.staff_members.public_uuid is 'The identifier of the member of staff towards other systems.';
comment on column hospital.staff_members.given_name is 'The given name, up to 100 characters.';
comment on column hospital.staff_members.family_name is 'The family name, up to 100 characters.';
comment on column hospital.staff_members.job is 'The job held, from the list of jobs.';
comment on column hospital.staff_members.department_id is 'The department worked in.';
comment on column hospital.staff_members.manager_id is 'The member of staff reported to, or null at the top.';
comment on column hospital.staff_members.hired_on is 'The first day of work.';
comment on column hospital.staff_members.left_on is 'The last day of work, or null while employed.';
comment on column hospital.staff_members.created_at is 'When this row was written.';
comment on column hospital.staff_members.updated_at is 'When this row last changed.';

-- A doctor is a staff member who can be booked. The job travels along in the foreign key, so a
-- receptionist cannot become bookable by a slip of the keyboard.
create table hospital.doctors (
  id               bigint      generated always as identity primary key,
  staff_member_id  bigint      not null,
  job              text        not null default 'doctor',
  specialization   text        not null references hospital.specialties (name),
  licence          text        not null,
  practising_since date        not null,
  approved_at      timestamptz,
  deactivated_at   timestamptz,
  is_active        boolean     generated always as
                                 (approved_at is not null and deactivated_at is null) stored,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  constraint doctors_staff_member_id_key unique (staff_member_id),
  constraint doctors_licence_key unique (licence),
  constraint doctors_is_staff_with_job_doctor
    foreign key (staff_member_id, job) references hospital.staff_members (id, job),
  constraint doctors_job_is_doctor check (job = 'doctor'),
  constraint doctors_licence_not_blank check (btrim(licence) <> '' and char_length(licence) <= 40),
  constraint doctors_practising_since_plausible
    check (practising_since >= date '1930-01-01'
      and practising_since <= (created_at at time zone 'UTC')::date + 1),
  constraint doctors_deactivated_after_approved check (deactivated_at >= approved_at)
);
create index doctors_specialization_idx on hospital.doctors (specialization);
create index doctors_is_active_idx on hospital.doctors (is_active);
comment on table hospital.doctors is 'The members of staff whom patients can book; a doctor who registered is inactive until an administrator approves.';
comment on column hospital.doctors.id is 'The key of the doctor inside this database.';
comment on column hospital.doctors.staff_member_id is 'The member of staff this doctor is.';
comment on column hospital.doctors.job is 'Always doctor: it travels in the foreign key so that only staff with that job can be booked.';
comment on column hospital.doctors.specialization is 'The specialty practised, by name.';
comment on column hospital.doctors.licence is 'The number of the licence to practise, unique.';
comment on column hospital.doctors.practising_since is 'The first day of practice, from which years of experience are counted.';
comment on column hospital.doctors.approved_at is 'When an administrator approved the doctor, or null while waiting.';
comment on column hospital.doctors.deactivated_at is 'When the doctor stopped being bookable, or null.';
comment on column hospital.doctors.is_active is 'Whether the doctor can be booked: approved and not deactivated.';
comment on column hospital.doctors.created_at is 'When this row was written.';
comment on column hospital.doctors.updated_at is 'When this row last changed.';

create table hospital.sexes (
  code text primary key,
  name text not null
);
comment on table hospital.sexes is 'Administrative sex, the value set of HL7 FHIR.';
comment on column hospital.sexes.code is 'The FHIR code.';
comment on column hospital.sexes.name is 'The word shown to people.';
insert into hospital.sexes (code, name) values
  ('female', 'Female'),
  ('male', 'Male'),
  ('other', 'Other'),
  ('unknown', 'Unknown');

create sequence hospital_private.medical_record_numbers;

create table hospital.patients (
  id                  bigint      generated always as identity primary key,
  public_uuid         uuid        not null default gen_random_uuid(),
  mrn                 text        not null
    default 'MR' || lpad(nextval('hospital_private.medical_record_numbers')::text, 8, '0'),
  given_name          text        not null,
  family_name         text        not null,
  date_of_birth       date        not null,
  sex                 text        not null references hospital.sexes (code),
  deceased_on         date,
  time_zone           text        references hospital.time_zones (name),
  merged_into_id      bigint      references hospital.patients (id),
  deactivated_at      timestamptz,
  deactivation_reason text,
  created_at          timestamptz not null default now(),
  updated_at          timestamptz not null default now(),
  constraint patients_public_uuid_key unique (public_uuid),
  constraint patients_mrn_key unique (mrn),
  constraint patients_mrn_well_formed check (mrn ~ '^MR[0-9]{8,}$'),
  constraint patients_name_not_blank
    check (btrim(given_name) <> '' and btrim(family_name) <> ''
      and char_length(given_name) <= 100 and char_length(family_name) <= 100),
  -- Written against created_at and not today: a check on today's date would refuse a restore.
  constraint patients_date_of_birth_plausible
    check (date_of_birth >= date '1870-01-01'
      and date_of_birth <= (created_at at time zone 'UTC')::date + 1),
  constraint patients_died_after_birth check (deceased_on >= date_of_birth),
  constraint patients_not_merged_into_self check (merged_into_id <> id),
  constraint patients_deactivation_has_reason
    check ((deactivated_at is null) = (nullif(btrim(deactivation_reason), '') is null))
);
create index patients_family_name_given_name_idx on hospital.patients (family_name, given_name);
create index patients_date_of_birth_idx on hospital.patients (date_of_birth);
create index patients_sex_idx on hospital.patients (sex);
create index patients_time_zone_idx on hospital.patients (time_zone);
create index patients_merged_into_id_idx on hospital.patients (merged_into_id);
-- Serves search_patients, which looks for parts of names.
create index patients_name_trigram_idx on hospital.patients
  using gin ((given_name || ' ' || family_name) extensions.gin_trgm_ops);
comment on table hospital.patients is 'The people treated here; age is never stored, only the date of birth.';
comment on column hospital.patients.id is 'The key of the patient inside this database.';
comment on column hospital.patients.public_uuid is 'The identifier of the patient towards other systems.';
comment on column hospital.patients.mrn is 'The medical record number printed on everything, unique and never reused.';
comment on column hospital.patients.given_name is 'The given name, up to 100 characters.';
comment on column hospital.patients.family_name is 'The family name, up to 100 characters.';
comment on column hospital.patients.date_of_birth is 'The date of birth, from which age is derived.';
comment on column hospital.patients.sex is 'Administrative sex, from the list of sexes.';
comment on column hospital.patients.deceased_on is 'The date of death, or null.';
comment on column hospital.patients.time_zone is 'The zone in which the patient wants to read times, or null for the facility''s.';
comment on column hospital.patients.merged_into_id is 'The patient this duplicate was merged into, or null; readers follow the link.';
comment on column hospital.patients.deactivated_at is 'When the record was closed to new appointments, or null.';
comment on column hospital.patients.deactivation_reason is 'Why the record was closed, or null while it is open.';
comment on column hospital.patients.created_at is 'When this row was written.';
comment on column hospital.patients.updated_at is 'When this row last changed.';

create table hospital.contact_kinds (
  code text primary key,
  name text not null
);
comment on table hospital.contact_kinds is 'The ways a person can be reached.';
comment on column hospital.contact_kinds.code is 'The code of the way, such as phone.';
comment on column hospital.contact_kinds.name is 'The word shown to people.';
insert into hospital.contact_kinds (code, name) values
  ('phone', 'Telephone'),
  ('email', 'Electronic mail'),
  ('postal', 'Postal address');

-- Contact data is a table of its own because the API cannot hide single columns: who may read a
-- person is not always who may telephone him.
create table hospital.contact_points (
  id              bigint      generated always as identity primary key,
  patient_id      bigint      references hospital.patients (id),
  staff_member_id bigint      references hospital.staff_members (id),
  kind            text        not null references hospital.contact_kinds (code),
  value           text        not null,
  is_preferred    boolean     not null default true,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  constraint contact_points_of_exactly_one_person
    check (num_nonnulls(patient_id, staff_member_id) = 1),
  constraint contact_points_value_not_blank check (btrim(value) <> '' and char_length(value) <= 300),
  constraint contact_points_phone_plausible
    check (kind <> 'phone' or value ~ '^\+?[0-9 ().x/-]{5,30}$'),
  constraint contact_points_email_plausible
    check (kind <> 'email' or value ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$')
);
create unique index contact_points_one_preferred_of_patient
  on hospital.contact_points (patient_id, kind)
  where is_preferred and patient_id is not null;
create unique index contact_points_one_preferred_of_staff
  on hospital.contact_points (staff_member_id, kind)
  where is_preferred and staff_member_id is not null;
create index contact_points_patient_id_idx on hospital.contact_points (patient_id);
create index contact_points_staff_member_id_idx on hospital.contact_points (staff_member_id);
create index contact_points_kind_idx on hospital.contact_points (kind);
comment on table hospital.contact_points is 'Telephone numbers, mail addresses and postal addresses of patients and staff, for those who need them.';
comment on column hospital.contact_points.id is 'The key of the contact point inside this database.';
comment on column hospital.contact_points.patient_id is 'The patient reached, or null where it is a member of staff.';
comment on column hospital.contact_points.staff_member_id is 'The member of staff reached, or null where it is a patient.';
comment on column hospital.contact_points.kind is 'The way of reaching the person, from the list of contact kinds.';
comment on column hospital.contact_points.value is 'The number or address itself, up to 300 characters.';
comment on column hospital.contact_points.is_preferred is 'Whether this is the one to use first of its kind; at most one is.';
comment on column hospital.contact_points.created_at is 'When this row was written.';
comment on column hospital.contact_points.updated_at is 'When this row last changed.';

create table hospital.identifier_systems (
  code text primary key,
  name text not null
);
comment on table hospital.identifier_systems is 'The outside systems that number people.';
comment on column hospital.identifier_systems.code is 'The code of the system, such as ssn.';
comment on column hospital.identifier_systems.name is 'The name of the system.';
insert into hospital.identifier_systems (code, name) values
  ('ssn', 'Social security number'),
  ('drivers_license', 'Driver''s licence'),
  ('passport', 'Passport');

create table hospital.patient_identifiers (
  id         bigint      generated always as identity primary key,
  patient_id bigint      not null references hospital.patients (id),
  system     text        not null references hospital.identifier_systems (code),
  value      text        not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- Not unique over patients: real registers give one number to two people, and refusing the
  -- second would lose a patient.
  constraint patient_identifiers_once_per_patient unique (patient_id, system, value),
  constraint patient_identifiers_value_not_blank
    check (btrim(value) <> '' and char_length(value) <= 60)
);
create index patient_identifiers_system_value_idx
  on hospital.patient_identifiers (system, value);
comment on table hospital.patient_identifiers is 'Sensitive numbers other systems gave a patient, kept apart so that few may read them.';
comment on column hospital.patient_identifiers.id is 'The key of the identifier inside this database.';
comment on column hospital.patient_identifiers.patient_id is 'The patient so numbered.';
comment on column hospital.patient_identifiers.system is 'The system that gave the number.';
comment on column hospital.patient_identifiers.value is 'The number itself, up to 60 characters.';
comment on column hospital.patient_identifiers.created_at is 'When this row was written.';
comment on column hospital.patient_identifiers.updated_at is 'When this row last changed.';

alter table hospital.staff_members enable row level security;
alter table hospital.staff_members force row level security;
alter table hospital.doctors enable row level security;
alter table hospital.doctors force row level security;
alter table hospital.sexes enable row level security;
alter table hospital.sexes force row level security;
alter table hospital.patients enable row level security;
alter table hospital.patients force row level security;
alter table hospital.contact_kinds enable row level security;
alter table hospital.contact_kinds force row level security;
alter table hospital.contact_points enable row level security;
alter table hospital.contact_points force row level security;
alter table hospital.identifier_systems enable row level security;
alter table hospital.identifier_systems force row level security;
alter table hospital.patient_identifiers enable row level security;
alter table hospital.patient_identifiers force row level security;

--! split: 040-identity.sql
-- Who may log in, as what, and the sessions on which every row-level policy rests.
-- No role but the owner holds any right here: everything is reached through functions.

create table hospital_private.roles (
  name          text primary key,
  database_role name not null,
  description   text not null,
  constraint roles_database_role_key unique (database_role),
  constraint roles_database_role_follows_name check (database_role = 'hospital_' || name)
);
comment on table hospital_private.roles is 'The roles an account may hold and the database role each one acts as.';
comment on column hospital_private.roles.name is 'The name of the role, such as patient.';
comment on column hospital_private.roles.database_role is 'The database role that a session with this role assumes.';
comment on column hospital_private.roles.description is 'What a person with this role does here.';
insert into hospital_private.roles (name, database_role, description) values
  ('patient', 'hospital_patient', 'Reads the own record and books appointments.'),
  ('doctor', 'hospital_doctor', 'Treats patients of the own roster.'),
  ('nurse', 'hospital_nurse', 'Cares for the patients of a department.'),
  ('reception', 'hospital_reception', 'Registers patients and keeps the calendar.'),
  ('pharmacist', 'hospital_pharmacist', 'Dispenses medicines and keeps the stock.'),
  ('laboratory', 'hospital_laboratory', 'Carries out medical tests and reports results.'),
  ('billing', 'hospital_billing', 'Bills visits and follows payments.'),
  ('administrator', 'hospital_administrator', 'Runs the hospital: staff, approvals and settings.'),
  ('analyst', 'hospital_analyst', 'Studies de-identified data.'),
  ('auditor', 'hospital_auditor', 'Reads the audit and nothing else.');

create table hospital_private.accounts (
  id              bigint      generated always as identity primary key,
  email           text        not null,
  password_hash   text        not null,
  patient_id      bigint      references hospital.patients (id),
  staff_member_id bigint      references hospital.staff_members (id),
  failed_attempts integer     not null default 0,
  locked_until    timestamptz,
  disabled_at     timestamptz,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  constraint accounts_email_key unique (email),
  constraint accounts_patient_id_key unique (patient_id),
  constraint accounts_staff_member_id_key unique (staff_member_id),
  constraint accounts_email_lower_case check (email = lower(email)),
  constraint accounts_email_plausible
    check (email ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$' and char_length(email) <= 254),
  -- Only bcrypt with a cost of 10 or more may ever be stored.
  constraint accounts_password_hashed_well check (password_hash ~ '^\$2[aby]\$1[0-9]\$.{53}$'),
  constraint accounts_failed_attempts_not_negative check (failed_attempts >= 0)
);
comment on table hospital_private.accounts is 'The people who can log in, each linked to the patient or the member of staff he is.';
comment on column hospital_private.accounts.id is 'The key of the account.';
comment on column hospital_private.accounts.email is 'The mail address used to log in, in lower case.';
comment on column hospital_private.accounts.password_hash is 'The bcrypt hash of the password, cost 10 or more.';
comment on column hospital_private.accounts.patient_id is 'The patient this account belongs to, or null.';
comment on column hospital_private.accounts.staff_member_id is 'The member of staff this account belongs to, or null.';
comment on column hospital_private.accounts.failed_attempts is 'How many log-ins failed in a row.';
comment on column hospital_private.accounts.locked_until is 'Until when every log-in is refused after too many failures, or null.';
comment on column hospital_private.accounts.disabled_at is 'When the account was closed, or null.';
comment on column hospital_private.accounts.created_at is 'When this row was written.';
comment on column hospital_private.accounts.updated_at is 'When this row last changed.';

create table hospital_private.account_roles (
  account_id bigint      not null references hospital_private.accounts (id),
  role       text        not null references hospital_private.roles (name),
  granted_by bigint      references hospital_private.accounts (id),
  granted_at timestamptz not null default now(),
  primary key (account_id, role)
);
create index account_roles_role_idx on hospital_private.account_roles (role);
create index account_roles_granted_by_idx on hospital_private.account_roles (granted_by);
comment on table hospital_private.account_roles is 'Which roles each account holds; a log-in chooses one of them for the session.';
comment on column hospital_private.account_roles.account_id is 'The account that holds the role.';
comment on column hospital_private.account_roles.role is 'The role held.';
comment on column hospital_private.account_roles.granted_by is 'The account that granted it, or null where registration or the command line did.';
comment on column hospital_private.account_roles.granted_at is 'When the role was granted.';

create table hospital_private.sessions (
  id                uuid        primary key default gen_random_uuid(),
  account_id        bigint      not null,
  role              text        not null,
  secret_hash       bytea       not null,
  access_expires_at timestamptz not null,
  expires_at        timestamptz not null,
  revoked_at        timestamptz,
  revoked_reason    text,
  client_address    inet,
  created_at        timestamptz not null default now(),
  -- Taking a role away from an account ends its sessions with that role.
  constraint sessions_role_is_held
    foreign key (account_id, role) references hospital_private.account_roles (account_id, role)
    on delete cascade,
  constraint sessions_secret_is_hashed check (octet_length(secret_hash) = 32),
  constraint sessions_access_ends_first check (access_expires_at <= expires_at),
  constraint sessions_revocation_has_reason
    check ((revoked_at is null) = (revoked_reason is null)),
  constraint sessions_revoked_reason_known
    check (revoked_reason in ('logged_out', 'refresh_reused', 'revoked'))
);
create index sessions_account_id_role_idx on hospital_private.sessions (account_id, role);
create index sessions_expires_at_idx on hospital_private.sessions (expires_at);
comment on table hospital_private.sessions is 'One row per log-in; only the hash of its secret is kept, so reading this table lets nobody in.';
comment on column hospital_private.sessions.id is 'The public half of the session''s identity.';
comment on column hospital_private.sessions.account_id is 'The account that logged in.';
comment on column hospital_private.sessions.role is 'The one role chosen for this session.';
comment on column hospital_private.sessions.secret_hash is 'The SHA-256 of the secret half of the session''s identity.';
comment on column hospital_private.sessions.access_expires_at is 'When the present access token ends; a refresh moves it.';
comment on column hospital_private.sessions.expires_at is 'When the session ends for good, refreshed or not.';
comment on column hospital_private.sessions.revoked_at is 'When the session was ended early, or null.';
comment on column hospital_private.sessions.revoked_reason is 'Why the session was ended early: logged_out, refresh_reused or revoked.';
comment on column hospital_private.sessions.client_address is 'The network address the log-in came from.';
comment on column hospital_private.sessions.created_at is 'When the log-in happened.';

create table hospital_private.refresh_tokens (
  token_hash bytea       primary key,
  session_id uuid        not null references hospital_private.sessions (id) on delete cascade,
  issued_at  timestamptz not null default now(),
  used_at    timestamptz,
  constraint refresh_tokens_are_hashed check (octet_length(token_hash) = 32)
);
create index refresh_tokens_session_id_idx on hospital_private.refresh_tokens (session_id);
comment on table hospital_private.refresh_tokens is 'Every refresh token of a session; a used one that comes back betrays a thief and ends the session.';
comment on column hospital_private.refresh_tokens.token_hash is 'The SHA-256 of the token.';
comment on column hospital_private.refresh_tokens.session_id is 'The session it refreshes.';
comment on column hospital_private.refresh_tokens.issued_at is 'When the token was handed out.';
comment on column hospital_private.refresh_tokens.used_at is 'When the token was exchanged for the next, or null.';

create table hospital.chart_purposes (
  code text primary key,
  name text not null
);
comment on table hospital.chart_purposes is 'The purposes for which a chart may be opened.';
comment on column hospital.chart_purposes.code is 'The code of the purpose, such as treatment.';
comment on column hospital.chart_purposes.name is 'The purpose in words.';
insert into hospital.chart_purposes (code, name) values
  ('treatment', 'Treating the patient'),
  ('care_coordination', 'Coordinating care'),
  ('payment', 'Billing and payment'),
  ('quality', 'Quality and safety review'),
  ('patient_request', 'At the patient''s own request');
alter table hospital.chart_purposes enable row level security;
alter table hospital.chart_purposes force row level security;

create table audit.chart_accesses (
  id         bigint      generated always as identity primary key,
  patient_id bigint      not null references hospital.patients (id),
  account_id bigint      not null references hospital_private.accounts (id),
  session_id uuid        not null,
  role       text        not null,
  purpose    text        not null references hospital.chart_purposes (code),
  opened_at  timestamptz not null default now(),
  constraint chart_accesses_one_per_session_and_purpose unique (session_id, patient_id, purpose)
);
create index chart_accesses_patient_id_opened_at_idx on audit.chart_accesses (patient_id, opened_at);
create index chart_accesses_account_id_idx on audit.chart_accesses (account_id);
create index chart_accesses_purpose_idx on audit.chart_accesses (purpose);
comment on table audit.chart_accesses is 'Every chart that a session opened: clinical rows are readable only through such a row, so reading is recorded by construction.';
comment on column audit.chart_accesses.id is 'The key of the access.';
comment on column audit.chart_accesses.patient_id is 'The patient whose chart was opened.';
comment on column audit.chart_accesses.account_id is 'The account that opened it.';
comment on column audit.chart_accesses.session_id is 'The session that opened it.';
comment on column audit.chart_accesses.role is 'The role the session acted in.';
comment on column audit.chart_accesses.purpose is 'The purpose that was declared.';
comment on column audit.chart_accesses.opened_at is 'When the chart was opened.';

-- What the API hands out after a log-in or a refresh. The secret is turned into a signed token by
-- the API and never leaves it in clear.
create type hospital.login_result as (
  outcome        text,
  session_id     uuid,
  session_secret text,
  refresh_token  text,
  role           text,
  expires_at     timestamptz
);
comment on type hospital.login_result is 'The outcome of a log-in or refresh; a refusal is a value and no error, so that the count of failures is kept.';
comment on column hospital.login_result.outcome is 'Either granted or refused.';
comment on column hospital.login_result.session_id is 'The session, or null when refused.';
comment on column hospital.login_result.session_secret is 'The secret of the session, for the API alone, or null when refused.';
comment on column hospital.login_result.refresh_token is 'The token that buys the next access token, once, or null when refused.';
comment on column hospital.login_result.role is 'The role of the session, or null when refused.';
comment on column hospital.login_result.expires_at is 'When access ends unless it is refreshed, or null when refused.';

create type hospital.account as (
  email           text,
  role            text,
  roles           text[],
  patient_id      bigint,
  staff_member_id bigint,
  doctor_id       bigint,
  department_id   bigint,
  expires_at      timestamptz
);
comment on type hospital.account is 'Who is logged in.';
comment on column hospital.account.email is 'The mail address of the account.';
comment on column hospital.account.role is 'The role this session acts in.';
comment on column hospital.account.roles is 'All roles the account holds.';
comment on column hospital.account.patient_id is 'The patient the account belongs to, or null.';
comment on column hospital.account.staff_member_id is 'The member of staff the account belongs to, or null.';
comment on column hospital.account.doctor_id is 'The doctor the account belongs to, or null.';
comment on column hospital.account.department_id is 'The department the member of staff works in, or null.';
comment on column hospital.account.expires_at is 'When access ends unless it is refreshed.';

create type hospital.account_role_grant as (
  email      text,
  role       text,
  granted_at timestamptz
);
comment on type hospital.account_role_grant is 'A role that an account holds.';
comment on column hospital.account_role_grant.email is 'The mail address of the account.';
comment on column hospital.account_role_grant.role is 'The role held.';
comment on column hospital.account_role_grant.granted_at is 'When the role was first granted.';

--! split: 050-scheduling.sql
-- Time: weekly rules in local wall-clock time, time off, and appointments that cannot collide.

create table hospital.doctor_schedules (
  id         bigint      generated always as identity primary key,
  doctor_id  bigint      not null references hospital.doctors (id),
  weekday    smallint    not null,
  start_time time        not null,
  end_time   time        not null,
  effective  daterange   not null default daterange(null, null),
  room_id    bigint      references hospital.rooms (id),
  -- Minutes of the local day; a shift that ends at or before it starts runs over midnight.
  minutes    int4range   generated always as (
    int4range(
      (extract(hour from start_time) * 60 + extract(minute from start_time))::integer,
      (extract(hour from end_time) * 60 + extract(minute from end_time))::integer
        + case when end_time <= start_time then 1440 else 0 end
    )
  ) stored,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint doctor_schedules_weekday_is_iso check (weekday between 1 and 7),
  constraint doctor_schedules_whole_minutes
    check (extract(second from start_time) = 0 and extract(second from end_time) = 0),
  constraint doctor_schedules_effective_not_empty check (not isempty(effective)),
  constraint doctor_schedules_never_overlap
    exclude using gist (doctor_id with =, weekday with =, minutes with &&, effective with &&)
);
create index doctor_schedules_doctor_id_idx on hospital.doctor_schedules (doctor_id);
create index doctor_schedules_room_id_idx on hospital.doctor_schedules (room_id);
comment on table hospital.doctor_schedules is 'The weekly working hours of a doctor in the wall-clock time of his facility.';
comment on column hospital.doctor_schedules.id is 'The key of the rule inside this database.';
comment on column hospital.doctor_schedules.doctor_id is 'The doctor who works these hours.';
comment on column hospital.doctor_schedules.weekday is 'The ISO weekday on which the shift starts, 1 for Monday to 7 for Sunday.';
comment on column hospital.doctor_schedules.start_time is 'The local time at which the shift starts, in whole minutes.';
comment on column hospital.doctor_schedules.end_time is 'The local time at which the shift ends, on the next day when not later than the start.';
comment on column hospital.doctor_schedules.effective is 'The local dates on which the rule is in force, end excluded.';
comment on column hospital.doctor_schedules.room_id is 'The room used during these hours, or null.';
comment on column hospital.doctor_schedules.minutes is 'The shift in minutes since local midnight, derived, beyond 1440 after midnight.';
comment on column hospital.doctor_schedules.created_at is 'When this row was written.';
comment on column hospital.doctor_schedules.updated_at is 'When this row last changed.';

create table hospital.time_off_reasons (
  code text primary key,
  name text not null
);
comment on table hospital.time_off_reasons is 'Why a doctor is away.';
comment on column hospital.time_off_reasons.code is 'The code of the reason.';
comment on column hospital.time_off_reasons.name is 'The reason in words.';
insert into hospital.time_off_reasons (code, name) values
  ('vacation', 'Vacation'),
  ('illness', 'Illness'),
  ('training', 'Training'),
  ('conference', 'Conference'),
  ('other', 'Other');

create table hospital.doctor_time_off (
  id         bigint      generated always as identity primary key,
  doctor_id  bigint      not null references hospital.doctors (id),
  starts_at  timestamptz not null,
  ends_at    timestamptz not null,
  reason     text        not null references hospital.time_off_reasons (code),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint doctor_time_off_ends_after_start check (ends_at > starts_at),
  constraint doctor_time_off_times_finite check (isfinite(starts_at) and isfinite(ends_at))
);
create index doctor_time_off_doctor_id_span_idx on hospital.doctor_time_off
  using gist (doctor_id, tstzrange(starts_at, ends_at));
create index doctor_time_off_doctor_id_idx on hospital.doctor_time_off (doctor_id, starts_at);
create index doctor_time_off_reason_idx on hospital.doctor_time_off (reason);
comment on table hospital.doctor_time_off is 'Spans in which a doctor is away whatever the weekly hours say.';
comment on column hospital.doctor_time_off.id is 'The key of the absence inside this database.';
comment on column hospital.doctor_time_off.doctor_id is 'The doctor who is away.';
comment on column hospital.doctor_time_off.starts_at is 'The instant the absence starts.';
comment on column hospital.doctor_time_off.ends_at is 'The instant the absence ends.';
comment on column hospital.doctor_time_off.reason is 'Why the doctor is away.';
comment on column hospital.doctor_time_off.created_at is 'When this row was written.';
comment on column hospital.doctor_time_off.updated_at is 'When this row last changed.';

create table hospital.appointment_types (
  id                    bigint        generated always as identity primary key,
  code                  text          not null,
  name                  text          not null,
  duration_minutes      integer       not null,
  buffer_before_minutes integer       not null default 0,
  buffer_after_minutes  integer       not null default 0,
  price                 numeric(12,2) not null,
  is_bookable           boolean       not null default true,
  created_at            timestamptz   not null default now(),
  updated_at            timestamptz   not null default now(),
  constraint appointment_types_code_key unique (code),
  constraint appointment_types_name_key unique (name),
  constraint appointment_types_duration_plausible check (duration_minutes between 5 and 1440),
  constraint appointment_types_buffers_plausible
    check (buffer_before_minutes between 0 and 240 and buffer_after_minutes between 0 and 240),
  constraint appointment_types_price_not_negative check (price between 0 and 9999999999.99)
);
comment on table hospital.appointment_types is 'The kinds of appointment, with how long each takes and costs.';
comment on column hospital.appointment_types.id is 'The key of the type inside this database.';
comment on column hospital.appointment_types.code is 'The code of the type, such as follow_up.';
comment on column hospital.appointment_types.name is 'The name shown to people.';
comment on column hospital.appointment_types.duration_minutes is 'How long the patient is seen, in minutes.';
comment on column hospital.appointment_types.buffer_before_minutes is 'How many minutes before the start are kept free.';
comment on column hospital.appointment_types.buffer_after_minutes is 'How many minutes after the end are kept free.';
comment on column hospital.appointment_types.price is 'The price of the appointment in US dollars.';
comment on column hospital.appointment_types.is_bookable is 'Whether it can be booked; walk-ins and imported encounters have types of their own.';
comment on column hospital.appointment_types.created_at is 'When this row was written.';
comment on column hospital.appointment_types.updated_at is 'When this row last changed.';
insert into hospital.appointment_types
  (code, name, duration_minutes, buffer_before_minutes, buffer_after_minutes, price, is_bookable)
values
  ('consultation', 'Consultation', 30, 0, 0, 180.00, true),
  ('new_patient', 'New patient visit', 60, 0, 0, 320.00, true),
  ('follow_up', 'Follow-up visit', 15, 0, 0, 110.00, true),
  ('physical', 'Annual physical', 45, 0, 0, 250.00, true),
  ('procedure', 'Minor procedure', 60, 10, 20, 540.00, true),
  ('telehealth', 'Telehealth visit', 20, 0, 0, 95.00, true),
  ('walk_in', 'Walk-in', 30, 0, 0, 150.00, false),
  ('imported', 'Imported encounter', 15, 0, 0, 0.00, false);

-- The state machine as data. Which statuses occupy time is repeated in the exclusion constraints
-- below, since a constraint cannot look a table up; a test holds the two together.
create table hospital.appointment_statuses (
  code         text    primary key,
  name         text    not null,
  is_active    boolean not null,
  sort_order   integer not null,
  constraint appointment_statuses_sort_order_key unique (sort_order)
);
comment on table hospital.appointment_statuses is 'The states of an appointment.';
comment on column hospital.appointment_statuses.code is 'The code of the status.';
comment on column hospital.appointment_statuses.name is 'The word shown to people.';
comment on column hospital.appointment_statuses.is_active is 'Whether an appointment in this status occupies doctor, patient and room.';
comment on column hospital.appointment_statuses.sort_order is 'The place of the status in lists.';
insert into hospital.appointment_statuses (code, name, is_active, sort_order) values
  ('held', 'Held', true, 1),
  ('scheduled', 'Scheduled', true, 2),
  ('checked_in', 'Checked in', true, 3),
  ('in_progress', 'In progress', true, 4),
  ('completed', 'Completed', false, 5),
  ('cancelled', 'Cancelled', false, 6),
  ('no_show', 'No-show', false, 7),
  ('lapsed', 'Lapsed hold', false, 8);

create table hospital.appointment_status_transitions (
  from_status text not null references hospital.appointment_statuses (code),
  to_status   text not null references hospital.appointment_statuses (code),
  description text not null,
  primary key (from_status, to_status),
  constraint appointment_status_transitions_go_somewhere check (from_status <> to_status)
);
create index appointment_status_transitions_to_status_idx
  on hospital.appointment_status_transitions (to_status);
comment on table hospital.appointment_status_transitions is 'Every change of status that is allowed; what is not listed here cannot happen on any path.';
comment on column hospital.appointment_status_transitions.from_status is 'The status left.';
comment on column hospital.appointment_status_transitions.to_status is 'The status entered.';
comment on column hospital.appointment_status_transitions.description is 'What happens in the hospital when this change is made.';
insert into hospital.appointment_status_transitions (from_status, to_status, description) values
  ('held', 'scheduled', 'The held time is confirmed.'),
  ('held', 'cancelled', 'The held time is given back.'),
  ('held', 'lapsed', 'The hold ran out.'),
  ('scheduled', 'checked_in', 'The patient has arrived.'),
  ('scheduled', 'in_progress', 'The doctor begins without a check-in.'),
  ('scheduled', 'cancelled', 'Patient or hospital calls the appointment off.'),
  ('scheduled', 'no_show', 'The patient did not come.'),
  ('checked_in', 'in_progress', 'The doctor begins.'),
  ('checked_in', 'scheduled', 'The check-in was a mistake.'),
  ('checked_in', 'cancelled', 'Called off after arrival.'),
  ('checked_in', 'no_show', 'The patient left before being called.'),
  ('in_progress', 'completed', 'The visit is over.'),
  ('cancelled', 'scheduled', 'The cancellation was a mistake.'),
  ('no_show', 'scheduled', 'The patient came after all.');

create table hospital.cancellation_reasons (
  code  text primary key,
  name  text not null,
  party text not null,
  constraint cancellation_reasons_party_known check (party in ('patient', 'provider', 'facility'))
);
comment on table hospital.cancellation_reasons is 'Why appointments are called off, and by whom.';
comment on column hospital.cancellation_reasons.code is 'The code of the reason.';
comment on column hospital.cancellation_reasons.name is 'The reason in words.';
comment on column hospital.cancellation_reasons.party is 'Who called it off: patient, provider or facility.';
insert into hospital.cancellation_reasons (code, name, party) values
  ('patient_request', 'The patient asked', 'patient'),
  ('patient_recovered', 'The patient is well again', 'patient'),
  ('patient_unreachable', 'The patient could not be reached', 'patient'),
  ('doctor_unavailable', 'The doctor is unavailable', 'provider'),
  ('doctor_ill', 'The doctor is ill', 'provider'),
  ('facility_closed', 'The facility is closed', 'facility'),
  ('entered_in_error', 'Entered in error', 'facility');

create table hospital.appointments (
  id                    bigint      generated always as identity primary key,
  public_uuid           uuid        not null default gen_random_uuid(),
  patient_id            bigint      not null references hospital.patients (id),
  doctor_id             bigint      not null references hospital.doctors (id),
  department_id         bigint      not null references hospital.departments (id),
  room_id               bigint      references hospital.rooms (id),
  appointment_type_id   bigint      not null references hospital.appointment_types (id),
  starts_at             timestamptz not null,
  ends_at               timestamptz not null,
  buffer_before_minutes integer     not null default 0,
  buffer_after_minutes  integer     not null default 0,
  busy                  tstzrange   not null,
  status                text        not null default 'scheduled'
                                      references hospital.appointment_statuses (code),
  reason                text,
  expires_at            timestamptz,
  cancelled_at          timestamptz,
  cancellation_reason   text        references hospital.cancellation_reasons (code),
  created_at            timestamptz not null default now(),
  updated_at            timestamptz not null default now(),
  constraint appointments_public_uuid_key unique (public_uuid),
  -- What hangs off an appointment points here, so it can never belong to another patient.
  constraint appointments_id_patient_id_key unique (id, patient_id),
  constraint appointments_end_after_start check (ends_at > starts_at),
  constraint appointments_times_finite check (isfinite(starts_at) and isfinite(ends_at)),
  constraint appointments_buffers_not_negative
    check (buffer_before_minutes >= 0 and buffer_after_minutes >= 0),
  -- An end before the start has no span: the constraint above says so by its name.
  constraint appointments_busy_is_span_and_buffers
    check (
      case
        when ends_at > starts_at then
          lower(busy) = starts_at - make_interval(mins => buffer_before_minutes)
          and upper(busy) = ends_at + make_interval(mins => buffer_after_minutes)
          and lower_inc(busy)
          and not upper_inc(busy)
        else isempty(busy)
      end
    ),
  constraint appointments_hold_has_expiry check ((status = 'held') = (expires_at is not null)),
  constraint appointments_cancelled_has_time
    check ((status = 'cancelled') = (cancelled_at is not null)),
  constraint appointments_cancelled_has_reason
    check ((status = 'cancelled') = (cancellation_reason is not null)),
  constraint appointments_reason_not_too_long check (char_length(reason) <= 1000),
  -- Partial on the active statuses: history is cheap to load, the promise is about time to come.
  constraint appointments_doctor_never_double_booked
    exclude using gist (doctor_id with =, busy with &&)
    where (status in ('held', 'scheduled', 'checked_in', 'in_progress')),
  constraint appointments_patient_never_double_booked
    exclude using gist (patient_id with =, busy with &&)
    where (status in ('held', 'scheduled', 'checked_in', 'in_progress')),
  constraint appointments_room_never_double_booked
    exclude using gist (room_id with =, busy with &&)
    where (status in ('held', 'scheduled', 'checked_in', 'in_progress'))
);
create index appointments_patient_id_starts_at_idx on hospital.appointments (patient_id, starts_at);
create index appointments_doctor_id_starts_at_idx on hospital.appointments (doctor_id, starts_at);
create index appointments_department_id_starts_at_idx
  on hospital.appointments (department_id, starts_at);
create index appointments_starts_at_idx on hospital.appointments (starts_at);
create index appointments_room_id_idx on hospital.appointments (room_id);
create index appointments_appointment_type_id_idx on hospital.appointments (appointment_type_id);
create index appointments_status_starts_at_idx on hospital.appointments (status, starts_at);
create index appointments_cancellation_reason_idx on hospital.appointments (cancellation_reason)
  where cancellation_reason is not null;
comment on table hospital.appointments is 'Planned meetings of a patient with a doctor; while active, neither of them nor the room can be booked twice, on any path.';
comment on column hospital.appointments.id is 'The key of the appointment inside this database.';
comment on column hospital.appointments.public_uuid is 'The identifier of the appointment towards other systems.';
comment on column hospital.appointments.patient_id is 'The patient to be seen.';
comment on column hospital.appointments.doctor_id is 'The doctor who sees the patient.';
comment on column hospital.appointments.department_id is 'The department it takes place in, by default the doctor''s at the time of booking.';
comment on column hospital.appointments.room_id is 'The room it takes place in, or null.';
comment on column hospital.appointments.appointment_type_id is 'The kind of appointment.';
comment on column hospital.appointments.starts_at is 'The instant it starts.';
comment on column hospital.appointments.ends_at is 'The instant it ends.';
comment on column hospital.appointments.buffer_before_minutes is 'Minutes kept free before the start, as the type said when booked.';
comment on column hospital.appointments.buffer_after_minutes is 'Minutes kept free after the end, as the type said when booked.';
comment on column hospital.appointments.busy is 'The span occupied: start to end with the buffers around it, kept by a trigger.';
comment on column hospital.appointments.status is 'The state of the appointment; only listed transitions are possible.';
comment on column hospital.appointments.reason is 'Why the patient comes, in his words, up to 1000 characters.';
comment on column hospital.appointments.expires_at is 'When a hold lapses, set exactly while the status is held.';
comment on column hospital.appointments.cancelled_at is 'When it was called off, set exactly while the status is cancelled.';
comment on column hospital.appointments.cancellation_reason is 'Why it was called off, set exactly while the status is cancelled.';
comment on column hospital.appointments.created_at is 'When this row was written.';
comment on column hospital.appointments.updated_at is 'When this row last changed.';

create table hospital.appointment_status_history (
  id             bigint      generated always as identity primary key,
  appointment_id bigint      not null references hospital.appointments (id),
  from_status    text,
  to_status      text        not null references hospital.appointment_statuses (code),
  changed_at     timestamptz not null default clock_timestamp(),
  changed_by     bigint      references hospital_private.accounts (id),
  -- This foreign key is the state machine: a change that is not listed cannot be recorded, and
  -- what cannot be recorded is rolled back.
  constraint appointment_status_history_transition_allowed
    foreign key (from_status, to_status)
    references hospital.appointment_status_transitions (from_status, to_status)
);
create index appointment_status_history_appointment_id_idx
  on hospital.appointment_status_history (appointment_id, id);
create index appointment_status_history_from_status_to_status_idx
  on hospital.appointment_status_history (from_status, to_status);
create index appointment_status_history_to_status_idx
  on hospital.appointment_status_history (to_status);
create index appointment_status_history_changed_by_idx
  on hospital.appointment_status_history (changed_by)
  where changed_by is not null;
comment on table hospital.appointment_status_history is 'Every status an appointment ever had, without gaps, written by a trigger.';
comment on column hospital.appointment_status_history.id is 'The key of the entry, in the order of the changes.';
comment on column hospital.appointment_status_history.appointment_id is 'The appointment.';
comment on column hospital.appointment_status_history.from_status is 'The status left, or null for the first.';
comment on column hospital.appointment_status_history.to_status is 'The status entered.';
comment on column hospital.appointment_status_history.changed_at is 'When the change was made.';
comment on column hospital.appointment_status_history.changed_by is 'The account that made the change, or null for a tool.';

create type hospital.free_slot as (
  doctor_id           bigint,
  room_id             bigint,
  appointment_type_id bigint,
  starts_at           timestamptz,
  ends_at             timestamptz
);
comment on type hospital.free_slot is 'A time that can be booked as it stands.';
comment on column hospital.free_slot.doctor_id is 'The doctor who is free.';
comment on column hospital.free_slot.room_id is 'The room the doctor uses then, or null.';
comment on column hospital.free_slot.appointment_type_id is 'The kind of appointment that fits.';
comment on column hospital.free_slot.starts_at is 'The instant it would start.';
comment on column hospital.free_slot.ends_at is 'The instant it would end.';

alter table hospital.doctor_schedules enable row level security;
alter table hospital.doctor_schedules force row level security;
alter table hospital.time_off_reasons enable row level security;
alter table hospital.time_off_reasons force row level security;
alter table hospital.doctor_time_off enable row level security;
alter table hospital.doctor_time_off force row level security;
alter table hospital.appointment_types enable row level security;
alter table hospital.appointment_types force row level security;
alter table hospital.appointment_statuses enable row level security;
alter table hospital.appointment_statuses force row level security;
alter table hospital.appointment_status_transitions enable row level security;
alter table hospital.appointment_status_transitions force row level security;
alter table hospital.cancellation_reasons enable row level security;
alter table hospital.cancellation_reasons force row level security;
alter table hospital.appointments enable row level security;
alter table hospital.appointments force row level security;
alter table hospital.appointment_status_history enable row level security;
alter table hospital.appointment_status_history force row level security;

--! split: 060-clinical.sql
-- The record: visits, diagnoses, conditions, prescriptions and treatments. Nothing here is deleted;
-- a mistake is voided with a reason, a correction keeps the version before it.

create table hospital.diagnosis_codes (
  id          bigint generated always as identity primary key,
  system      text   not null,
  code        text   not null,
  description text   not null,
  constraint diagnosis_codes_system_code_key unique (system, code),
  constraint diagnosis_codes_system_known check (system in ('icd10cm', 'snomed')),
  constraint diagnosis_codes_icd10cm_well_formed
    check (system <> 'icd10cm' or code ~ '^[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?$'),
  constraint diagnosis_codes_snomed_well_formed
    check (system <> 'snomed' or code ~ '^[0-9]{6,18}$')
);
create index diagnosis_codes_code_idx on hospital.diagnosis_codes (code);
create index diagnosis_codes_description_trigram_idx on hospital.diagnosis_codes
  using gin (description extensions.gin_trgm_ops);
comment on table hospital.diagnosis_codes is 'The diagnoses that can be recorded, from ICD-10-CM and, for imported records, SNOMED CT.';
comment on column hospital.diagnosis_codes.id is 'The key of the code inside this database.';
comment on column hospital.diagnosis_codes.system is 'The code system: icd10cm or snomed.';
comment on column hospital.diagnosis_codes.code is 'The code as the system writes it, ICD-10-CM with its dot.';
comment on column hospital.diagnosis_codes.description is 'What the code means.';

create table hospital.medications (
  id        bigint  generated always as identity primary key,
  code      text    not null,
  name      text    not null,
  is_active boolean not null default true,
  constraint medications_code_key unique (code),
  constraint medications_code_is_rxnorm check (code ~ '^[0-9]{1,10}$'),
  constraint medications_name_not_blank check (btrim(name) <> '' and char_length(name) <= 300)
);
create index medications_name_idx on hospital.medications (name);
create index medications_name_trigram_idx on hospital.medications
  using gin (name extensions.gin_trgm_ops);
comment on table hospital.medications is 'The medicines that can be prescribed, by RxNorm code.';
comment on column hospital.medications.id is 'The key of the medicine inside this database.';
comment on column hospital.medications.code is 'The RxNorm concept identifier.';
comment on column hospital.medications.name is 'Name, strength and form.';
comment on column hospital.medications.is_active is 'Whether it may still be prescribed.';

create table hospital.treatment_types (
  name text primary key,
  code text,
  constraint treatment_types_code_key unique (code),
  constraint treatment_types_name_not_blank check (btrim(name) <> '' and char_length(name) <= 300),
  constraint treatment_types_code_is_snomed check (code ~ '^[0-9]{6,18}$')
);
comment on table hospital.treatment_types is 'The treatments that can be recorded.';
comment on column hospital.treatment_types.name is 'The name of the treatment.';
comment on column hospital.treatment_types.code is 'The SNOMED CT code of the treatment, or null where it has none.';

create table hospital.outcome_codes (
  code       text    primary key,
  name       text    not null,
  sort_order integer not null,
  constraint outcome_codes_sort_order_key unique (sort_order)
);
comment on table hospital.outcome_codes is 'How a treatment turned out.';
comment on column hospital.outcome_codes.code is 'The code of the outcome.';
comment on column hospital.outcome_codes.name is 'The outcome in words.';
comment on column hospital.outcome_codes.sort_order is 'The place of the outcome in lists, best first.';
insert into hospital.outcome_codes (code, name, sort_order) values
  ('resolved', 'Resolved', 1),
  ('improved', 'Improved', 2),
  ('unchanged', 'Unchanged', 3),
  ('worsened', 'Worsened', 4),
  ('complication', 'Complication', 5),
  ('not_assessed', 'Not assessed', 6);

create table hospital.visits (
  id               bigint      generated always as identity primary key,
  record_uuid      uuid        not null default gen_random_uuid(),
  appointment_id   bigint      not null,
  patient_id       bigint      not null,
  doctor_id        bigint      not null references hospital.doctors (id),
  started_at       timestamptz not null,
  ended_at         timestamptz,
  diagnosis        text,
  notes            text,
  version          integer     not null default 1,
  amendment_reason text,
  voided_at        timestamptz,
  void_reason      text,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  constraint visits_record_uuid_key unique (record_uuid),
  -- Notes and documents point at the record and its patient together.
  constraint visits_record_uuid_patient_id_key unique (record_uuid, patient_id),
  constraint visits_id_patient_id_key unique (id, patient_id),
  constraint visits_one_per_appointment unique (appointment_id),
  constraint visits_belong_to_the_appointments_patient
    foreign key (appointment_id, patient_id) references hospital.appointments (id, patient_id),
  constraint visits_end_not_before_start check (ended_at >= started_at),
  constraint visits_times_finite check (isfinite(started_at) and isfinite(ended_at)),
  constraint visits_amendment_has_reason
    check ((version = 1) = (nullif(btrim(amendment_reason), '') is null)),
  constraint visits_void_has_reason
    check ((voided_at is null) = (nullif(btrim(void_reason), '') is null)),
  constraint visits_texts_not_too_long
    check (char_length(diagnosis) <= 2000 and char_length(notes) <= 20000)
);
create index visits_appointment_id_patient_id_idx on hospital.visits (appointment_id, patient_id);
create index visits_patient_id_started_at_idx on hospital.visits (patient_id, started_at);
create index visits_doctor_id_started_at_idx on hospital.visits (doctor_id, started_at);
create index visits_started_at_idx on hospital.visits (started_at);
comment on table hospital.visits is 'What happened when the patient was seen: one visit per appointment, written during the consultation.';
comment on column hospital.visits.id is 'The key of the visit inside this database.';
comment on column hospital.visits.record_uuid is 'The identifier of the medical record of this encounter towards other systems.';
comment on column hospital.visits.appointment_id is 'The appointment at which the patient was seen.';
comment on column hospital.visits.patient_id is 'The patient, always the appointment''s.';
comment on column hospital.visits.doctor_id is 'The doctor who saw the patient.';
comment on column hospital.visits.started_at is 'The instant the visit began.';
comment on column hospital.visits.ended_at is 'The instant the visit ended, or null while it lasts.';
comment on column hospital.visits.diagnosis is 'The doctor''s assessment in words, up to 2000 characters; coded diagnoses are rows of their own.';
comment on column hospital.visits.notes is 'The doctor''s notes, up to 20000 characters.';
comment on column hospital.visits.version is 'How many versions the text has had; earlier ones are kept.';
comment on column hospital.visits.amendment_reason is 'Why the present version replaced the one before, or null for the first.';
comment on column hospital.visits.voided_at is 'When the visit was declared entered in error, or null.';
comment on column hospital.visits.void_reason is 'Why the visit was declared entered in error, or null.';
comment on column hospital.visits.created_at is 'When this row was written.';
comment on column hospital.visits.updated_at is 'When this row last changed.';

create table hospital.visit_versions (
  visit_id         bigint      not null,
  version          integer     not null,
  patient_id       bigint      not null,
  diagnosis        text,
  notes            text,
  amendment_reason text,
  replaced_at      timestamptz not null default now(),
  replaced_by      bigint      references hospital_private.accounts (id),
  primary key (visit_id, version),
  constraint visit_versions_belong_to_the_visits_patient
    foreign key (visit_id, patient_id) references hospital.visits (id, patient_id)
);
create index visit_versions_visit_id_patient_id_idx
  on hospital.visit_versions (visit_id, patient_id);
create index visit_versions_patient_id_idx on hospital.visit_versions (patient_id);
create index visit_versions_replaced_by_idx on hospital.visit_versions (replaced_by);
comment on table hospital.visit_versions is 'The earlier versions of amended visits, written by a trigger.';
comment on column hospital.visit_versions.visit_id is 'The visit that was amended.';
comment on column hospital.visit_versions.version is 'The number of the version kept here.';
comment on column hospital.visit_versions.patient_id is 'The patient, always the visit''s.';
comment on column hospital.visit_versions.diagnosis is 'The assessment as it read in this version.';
comment on column hospital.visit_versions.notes is 'The notes as they read in this version.';
comment on column hospital.visit_versions.amendment_reason is 'Why this version had replaced the one before it, or null for the first.';
comment on column hospital.visit_versions.replaced_at is 'When the next version replaced this one.';
comment on column hospital.visit_versions.replaced_by is 'The account that amended the visit, or null for a tool.';

create table hospital.visit_diagnoses (
  id                bigint      generated always as identity primary key,
  visit_id          bigint      not null,
  patient_id        bigint      not null,
  diagnosis_code_id bigint      not null references hospital.diagnosis_codes (id),
  rank              smallint    not null,
  voided_at         timestamptz,
  void_reason       text,
  created_at        timestamptz not null default now(),
  updated_at        timestamptz not null default now(),
  constraint visit_diagnoses_belong_to_the_visits_patient
    foreign key (visit_id, patient_id) references hospital.visits (id, patient_id),
  constraint visit_diagnoses_rank_positive check (rank >= 1),
  constraint visit_diagnoses_void_has_reason
    check ((voided_at is null) = (nullif(btrim(void_reason), '') is null))
);
create unique index visit_diagnoses_one_of_each_rank
  on hospital.visit_diagnoses (visit_id, rank)
  where voided_at is null;
create unique index visit_diagnoses_one_of_each_code
  on hospital.visit_diagnoses (visit_id, diagnosis_code_id)
  where voided_at is null;
create index visit_diagnoses_visit_id_patient_id_idx
  on hospital.visit_diagnoses (visit_id, patient_id);
create index visit_diagnoses_patient_id_idx on hospital.visit_diagnoses (patient_id);
create index visit_diagnoses_diagnosis_code_id_idx
  on hospital.visit_diagnoses (diagnosis_code_id);
comment on table hospital.visit_diagnoses is 'The coded diagnoses made at a visit, the principal one first.';
comment on column hospital.visit_diagnoses.id is 'The key of the diagnosis inside this database.';
comment on column hospital.visit_diagnoses.visit_id is 'The visit at which it was made.';
comment on column hospital.visit_diagnoses.patient_id is 'The patient, always the visit''s.';
comment on column hospital.visit_diagnoses.diagnosis_code_id is 'The code of the diagnosis.';
comment on column hospital.visit_diagnoses.rank is 'The place among the visit''s diagnoses, 1 for the principal one.';
comment on column hospital.visit_diagnoses.voided_at is 'When the diagnosis was withdrawn, or null.';
comment on column hospital.visit_diagnoses.void_reason is 'Why the diagnosis was withdrawn, or null.';
comment on column hospital.visit_diagnoses.created_at is 'When this row was written.';
comment on column hospital.visit_diagnoses.updated_at is 'When this row last changed.';

create table hospital.patient_conditions (
  id                bigint      generated always as identity primary key,
  patient_id        bigint      not null references hospital.patients (id),
  diagnosis_code_id bigint      not null references hospital.diagnosis_codes (id),
  visit_id          bigint,
  onset_on          date        not null,
  abated_on         date,
  voided_at         timestamptz,
  void_reason       text,
  created_at        timestamptz not null default now(),
  updated_at        timestamptz not null default now(),
  constraint patient_conditions_visit_is_the_patients
    foreign key (visit_id, patient_id) references hospital.visits (id, patient_id),
  constraint patient_conditions_abated_after_onset check (abated_on >= onset_on),
  constraint patient_conditions_dates_finite check (isfinite(onset_on) and isfinite(abated_on)),
  constraint patient_conditions_void_has_reason
    check ((voided_at is null) = (nullif(btrim(void_reason), '') is null))
);
create unique index patient_conditions_once_from_each_onset
  on hospital.patient_conditions (patient_id, diagnosis_code_id, onset_on)
  where voided_at is null;
create index patient_conditions_patient_id_idx on hospital.patient_conditions (patient_id);
create index patient_conditions_diagnosis_code_id_idx
  on hospital.patient_conditions (diagnosis_code_id);
create index patient_conditions_visit_id_patient_id_idx
  on hospital.patient_conditions (visit_id, patient_id);
comment on table hospital.patient_conditions is 'The medical history of a patient: illnesses and findings with the days they began and ended.';
comment on column hospital.patient_conditions.id is 'The key of the condition inside this database.';
comment on column hospital.patient_conditions.patient_id is 'The patient who has or had it.';
comment on column hospital.patient_conditions.diagnosis_code_id is 'The code of the condition.';
comment on column hospital.patient_conditions.visit_id is 'The visit at which it was recorded, or null.';
comment on column hospital.patient_conditions.onset_on is 'The local day it began.';
comment on column hospital.patient_conditions.abated_on is 'The local day it ended, or null while it lasts.';
comment on column hospital.patient_conditions.voided_at is 'When the entry was withdrawn, or null.';
comment on column hospital.patient_conditions.void_reason is 'Why the entry was withdrawn, or null.';
comment on column hospital.patient_conditions.created_at is 'When this row was written.';
comment on column hospital.patient_conditions.updated_at is 'When this row last changed.';

create table hospital.prescriptions (
  id            bigint      generated always as identity primary key,
  visit_id      bigint      not null,
  patient_id    bigint      not null,
  medication_id bigint      not null references hospital.medications (id),
  prescribed_by bigint      not null references hospital.doctors (id),
  dosage        text        not null,
  instructions  text,
  start_date    date        not null,
  duration_days integer,
  end_date      date        generated always as (start_date + (duration_days - 1)) stored,
  stopped_at    timestamptz,
  stop_reason   text,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  constraint prescriptions_belong_to_the_visits_patient
    foreign key (visit_id, patient_id) references hospital.visits (id, patient_id),
  constraint prescriptions_dosage_not_blank
    check (btrim(dosage) <> '' and char_length(dosage) <= 200),
  constraint prescriptions_instructions_not_too_long check (char_length(instructions) <= 1000),
  constraint prescriptions_start_date_finite check (isfinite(start_date)),
  constraint prescriptions_duration_positive check (duration_days between 1 and 36500),
  constraint prescriptions_stop_has_reason
    check ((stopped_at is null) = (nullif(btrim(stop_reason), '') is null))
);
create index prescriptions_visit_id_patient_id_idx on hospital.prescriptions (visit_id, patient_id);
create index prescriptions_patient_id_start_date_idx
  on hospital.prescriptions (patient_id, start_date);
create index prescriptions_medication_id_idx on hospital.prescriptions (medication_id);
create index prescriptions_prescribed_by_idx on hospital.prescriptions (prescribed_by);
comment on table hospital.prescriptions is 'The medicines prescribed at a visit.';
comment on column hospital.prescriptions.id is 'The key of the prescription inside this database.';
comment on column hospital.prescriptions.visit_id is 'The visit at which it was prescribed.';
comment on column hospital.prescriptions.patient_id is 'The patient, always the visit''s.';
comment on column hospital.prescriptions.medication_id is 'The medicine.';
comment on column hospital.prescriptions.prescribed_by is 'The doctor who prescribed it.';
comment on column hospital.prescriptions.dosage is 'How much to take and when, up to 200 characters.';
comment on column hospital.prescriptions.instructions is 'What else the patient should know, up to 1000 characters.';
comment on column hospital.prescriptions.start_date is 'The first local day of taking it.';
comment on column hospital.prescriptions.duration_days is 'For how many days it is taken, or null for as long as needed.';
comment on column hospital.prescriptions.end_date is 'The last local day of taking it, derived, or null for as long as needed.';
comment on column hospital.prescriptions.stopped_at is 'When it was stopped early, or null.';
comment on column hospital.prescriptions.stop_reason is 'Why it was stopped early, or null.';
comment on column hospital.prescriptions.created_at is 'When this row was written.';
comment on column hospital.prescriptions.updated_at is 'When this row last changed.';

create table hospital.treatments (
  id          bigint        generated always as identity primary key,
  visit_id    bigint        not null,
  patient_id  bigint        not null,
  type        text          not null references hospital.treatment_types (name),
  cost        numeric(12,2) not null,
  notes       text,
  started_at  timestamptz   not null,
  ended_at    timestamptz,
  outcome     text          references hospital.outcome_codes (code),
  voided_at   timestamptz,
  void_reason text,
  created_at  timestamptz   not null default now(),
  updated_at  timestamptz   not null default now(),
  constraint treatments_belong_to_the_visits_patient
    foreign key (visit_id, patient_id) references hospital.visits (id, patient_id),
  -- Written with an upper bound because NaN is above every number and would poison every sum.
  constraint treatments_cost_not_negative check (cost between 0 and 9999999999.99),
  constraint treatments_times_finite check (isfinite(started_at) and isfinite(ended_at)),
  constraint treatments_end_not_before_start check (ended_at >= started_at),
  constraint treatments_notes_not_too_long check (char_length(notes) <= 5000),
  constraint treatments_void_has_reason
    check ((voided_at is null) = (nullif(btrim(void_reason), '') is null))
);
create index treatments_visit_id_patient_id_idx on hospital.treatments (visit_id, patient_id);
create index treatments_patient_id_started_at_idx on hospital.treatments (patient_id, started_at);
create index treatments_type_idx on hospital.treatments (type);
create index treatments_outcome_idx on hospital.treatments (outcome);
comment on table hospital.treatments is 'What was done for the patient at a visit, and what it cost.';
comment on column hospital.treatments.id is 'The key of the treatment inside this database.';
comment on column hospital.treatments.visit_id is 'The visit at which it was done.';
comment on column hospital.treatments.patient_id is 'The patient, always the visit''s.';
comment on column hospital.treatments.type is 'The treatment, by name.';
comment on column hospital.treatments.cost is 'What it cost, in US dollars.';
comment on column hospital.treatments.notes is 'Notes about this treatment, up to 5000 characters.';
comment on column hospital.treatments.started_at is 'The instant it began.';
comment on column hospital.treatments.ended_at is 'The instant it ended, or null.';
comment on column hospital.treatments.outcome is 'How it turned out, or null while unknown.';
comment on column hospital.treatments.voided_at is 'When the entry was withdrawn, or null.';
comment on column hospital.treatments.void_reason is 'Why the entry was withdrawn, or null.';
comment on column hospital.treatments.created_at is 'When this row was written.';
comment on column hospital.treatments.updated_at is 'When this row last changed.';

alter table hospital.diagnosis_codes enable row level security;
alter table hospital.diagnosis_codes force row level security;
alter table hospital.medications enable row level security;
alter table hospital.medications force row level security;
alter table hospital.treatment_types enable row level security;
alter table hospital.treatment_types force row level security;
alter table hospital.outcome_codes enable row level security;
alter table hospital.outcome_codes force row level security;
alter table hospital.visits enable row level security;
alter table hospital.visits force row level security;
alter table hospital.visit_versions enable row level security;
alter table hospital.visit_versions force row level security;
alter table hospital.visit_diagnoses enable row level security;
alter table hospital.visit_diagnoses force row level security;
alter table hospital.patient_conditions enable row level security;
alter table hospital.patient_conditions force row level security;
alter table hospital.prescriptions enable row level security;
alter table hospital.prescriptions force row level security;
alter table hospital.treatments enable row level security;
alter table hospital.treatments force row level security;

--! split: 070-operations.sql
-- Messages that leave the house, and the record of what the background jobs did.

create table hospital.notifications (
  id             bigint      generated always as identity primary key,
  reason         text        not null,
  message_id     uuid        not null default gen_random_uuid(),
  patient_id     bigint      not null references hospital.patients (id),
  appointment_id bigint,
  subject        text        not null,
  body           text        not null,
  created_at     timestamptz not null default now(),
  sent_at        timestamptz,
  -- Exactly one row per reason, however often the job runs or dies.
  constraint notifications_one_per_reason unique (reason),
  constraint notifications_message_id_key unique (message_id),
  constraint notifications_appointment_is_the_patients
    foreign key (appointment_id, patient_id) references hospital.appointments (id, patient_id)
);
create index notifications_patient_id_created_at_idx
  on hospital.notifications (patient_id, created_at);
create index notifications_appointment_id_patient_id_idx
  on hospital.notifications (appointment_id, patient_id);
-- The queue of what is still to be sent.
create index notifications_unsent_idx on hospital.notifications (id) where sent_at is null;
alter table hospital.notifications enable row level security;
alter table hospital.notifications force row level security;
comment on table hospital.notifications is 'The outbox of messages to patients: exactly one row per reason, delivered at least once under a stable message identifier.';
comment on column hospital.notifications.id is 'The key of the message inside this database.';
comment on column hospital.notifications.reason is 'Why the message exists, such as one reminder of one appointment at one time; unique.';
comment on column hospital.notifications.message_id is 'The stable identifier by which a receiver recognises a repeated delivery.';
comment on column hospital.notifications.patient_id is 'The patient addressed.';
comment on column hospital.notifications.appointment_id is 'The appointment it is about, or null.';
comment on column hospital.notifications.subject is 'The subject line, without clinical content.';
comment on column hospital.notifications.body is 'The text, without clinical content.';
comment on column hospital.notifications.created_at is 'When the message was written.';
comment on column hospital.notifications.sent_at is 'When the message was handed to a mail server, or null.';

create table ops.job_runs (
  id            bigint      generated always as identity primary key,
  job           text        not null,
  started_at    timestamptz not null default clock_timestamp(),
  finished_at   timestamptz,
  outcome       text        not null default 'running',
  affected_rows bigint,
  error_code    text,
  constraint job_runs_outcome_known
    check (outcome in ('running', 'succeeded', 'failed', 'abandoned')),
  constraint job_runs_finished_has_time
    check ((outcome in ('succeeded', 'failed')) = (finished_at is not null)),
  constraint job_runs_success_counts_rows
    check ((outcome = 'succeeded') = (affected_rows is not null)),
  constraint job_runs_failure_has_code check ((outcome = 'failed') = (error_code is not null))
);
create index job_runs_job_started_at_idx on ops.job_runs (job, started_at);
-- Every start looks for runs that died, among years of runs that did not.
create index job_runs_running_idx on ops.job_runs (job) where outcome = 'running';
comment on table ops.job_runs is 'Every run of every background job; a run that died is marked abandoned by the next one.';
comment on column ops.job_runs.id is 'The key of the run.';
comment on column ops.job_runs.job is 'The name of the job.';
comment on column ops.job_runs.started_at is 'When the run started.';
comment on column ops.job_runs.finished_at is 'When the run ended in success or failure, or null.';
comment on column ops.job_runs.outcome is 'The state of the run: running, succeeded, failed or abandoned.';
comment on column ops.job_runs.affected_rows is 'How many rows the run wrote, in the same transaction as its success.';
comment on column ops.job_runs.error_code is 'The SQLSTATE or the name of the error of a failed run, never its text.';

--! split: 080-staging.sql
-- Where files from outside land, and what the importers remember: which lines became which rows,
-- which lines were refused and why. Nothing here is exposed, and no role but the owner is granted
-- anything.

-- A line of a file that was imported once is recognised here the next time, since clinical lines
-- have no identifier and equal lines may truly stand for two events. The foreign keys let the
-- memory go when the row goes (`seed --erase`), so that a key can never point at a stranger.
create table staging.import_keys (
  target               text    not null,
  content              bytea   not null,
  ordinal              integer not null,
  entry                bytea   not null,
  patient_condition_id bigint  references hospital.patient_conditions (id) on delete cascade,
  prescription_id      bigint  references hospital.prescriptions (id) on delete cascade,
  treatment_id         bigint  references hospital.treatments (id) on delete cascade,
  primary key (target, content, ordinal),
  constraint import_keys_ordinal_positive check (ordinal >= 1),
  constraint import_keys_conditions_have_row
    check ((target = 'conditions') = (patient_condition_id is not null)),
  constraint import_keys_medications_have_row
    check ((target = 'medications') = (prescription_id is not null)),
  constraint import_keys_procedures_have_row
    check ((target = 'procedures') = (treatment_id is not null))
);
create index import_keys_target_entry_idx on staging.import_keys (target, entry);
create unique index import_keys_one_per_patient_condition
  on staging.import_keys (patient_condition_id)
  where patient_condition_id is not null;
create unique index import_keys_one_per_prescription
  on staging.import_keys (prescription_id)
  where prescription_id is not null;
create unique index import_keys_one_per_treatment
  on staging.import_keys (treatment_id)
  where treatment_id is not null;
comment on table staging.import_keys is 'Which lines of imported files are in the hospital already, one row per line loaded.';
comment on column staging.import_keys.target is 'The file the line came from, without its ending, such as conditions.';
comment on column staging.import_keys.content is 'The SHA-256 of everything in the line that is imported.';
comment on column staging.import_keys.ordinal is 'Which of several lines with equal content this is, counted from 1.';
comment on column staging.import_keys.entry is 'The SHA-256 of what identifies the line: its Id, or patient, encounter, code and start.';
comment on column staging.import_keys.patient_condition_id is 'The condition the line became, or null for another file.';
comment on column staging.import_keys.prescription_id is 'The prescription the line became, or null for another file.';
comment on column staging.import_keys.treatment_id is 'The treatment the line became, or null for another file.';

create table staging.import_runs (
  id         bigint      generated always as identity primary key,
  source     text        not null,
  directory  text        not null,
  loaded_at  timestamptz not null default now(),
  constraint import_runs_source_known check (source in ('synthea'))
);
create index import_runs_loaded_at_idx on staging.import_runs (loaded_at);
comment on table staging.import_runs is 'Every import that was carried out; rehearsals leave no trace.';
comment on column staging.import_runs.id is 'The key of the import.';
comment on column staging.import_runs.source is 'The kind of export that was imported.';
comment on column staging.import_runs.directory is 'The folder the files were read from.';
comment on column staging.import_runs.loaded_at is 'When the import was carried out.';

-- Nothing is lost silently: a summary that does not add up cannot be written, and with it nothing.
create table staging.import_files (
  run_id        bigint  not null references staging.import_runs (id) on delete cascade,
  file          text    not null,
  is_present    boolean not null,
  read          bigint  not null,
  loaded        bigint  not null,
  already_there bigint  not null,
  rejected      bigint  not null,
  primary key (run_id, file),
  constraint import_files_every_line_accounted_for
    check (read = loaded + already_there + rejected),
  constraint import_files_absent_file_has_no_lines check (is_present or read = 0)
);
comment on table staging.import_files is 'What became of the lines of each file of an import.';
comment on column staging.import_files.run_id is 'The import.';
comment on column staging.import_files.file is 'The file without its ending, such as conditions.';
comment on column staging.import_files.is_present is 'Whether the folder held the file.';
comment on column staging.import_files.read is 'How many lines the file held, headings and blank lines apart.';
comment on column staging.import_files.loaded is 'How many lines became rows of the hospital.';
comment on column staging.import_files.already_there is 'How many lines were in the hospital before, or stood in the file before.';
comment on column staging.import_files.rejected is 'How many lines were refused.';

create table staging.import_reasons (
  code        text    primary key,
  is_reject   boolean not null,
  description text    not null
);
comment on table staging.import_reasons is 'Why a line of a file is refused, or accepted with a remark.';
comment on column staging.import_reasons.code is 'The code of the reason.';
comment on column staging.import_reasons.is_reject is 'Whether the line is refused; otherwise it is accepted and remarked upon.';
comment on column staging.import_reasons.description is 'The reason in words.';
insert into staging.import_reasons (code, is_reject, description) values
  ('malformed_csv', true, 'The quotes of the line do not match.'),
  ('wrong_column_count', true, 'The line has more or fewer columns than the heading.'),
  ('wrong_encoding', true, 'The line holds bytes that are not text in UTF-8.'),
  ('missing_value', true, 'A column that is needed is empty.'),
  ('bad_uuid', true, 'An identifier is not a UUID.'),
  ('bad_date', true, 'A date or time is not one, or not between 1800 and 2199.'),
  ('bad_number', true, 'An amount is not a number from 0 to 9,999,999,999.99.'),
  ('bad_code', true, 'A code is not one of its code system.'),
  ('text_too_long', true, 'A text is longer than the hospital keeps.'),
  ('implausible_birth', true, 'The day of birth is before 1870 or in the future.'),
  ('stop_before_start', true, 'The end is before the start.'),
  ('unknown_state', true, 'The state is not known, and so the time zone is not.'),
  ('unknown_organization', true, 'The organization is neither in the files nor in the hospital.'),
  ('unknown_provider', true, 'The provider is neither in the files nor in the hospital.'),
  ('unknown_patient', true, 'The patient is neither in the files nor in the hospital.'),
  ('unknown_encounter', true, 'The encounter is neither in the files nor in the hospital.'),
  ('encounter_of_another_patient', true, 'The encounter is of another patient.'),
  ('repeated_id', true, 'The Id stands in the file before with other content; the first counts.'),
  ('repeated_condition', true, 'The patient has this condition from this day already.'),
  ('changed_since_import', true, 'It was imported with other content; what was imported counts.'),
  ('shared_identifier', false, 'Two patients have the same number.'),
  ('implausible_phone', false, 'The telephone number is not one and was left out.'),
  ('missing_cost', false, 'The cost is not given and was taken to be 0.'),
  ('other_description', false, 'The code is known under another description, which was kept.'),
  ('after_visit', false, 'The procedure began on a later day than its visit ended.');

create table staging.import_rejects (
  run_id bigint not null references staging.import_runs (id) on delete cascade,
  file   text   not null,
  line   bigint not null,
  reason text   not null references staging.import_reasons (code),
  field  text,
  record jsonb  not null,
  primary key (run_id, file, line)
);
create index import_rejects_reason_idx on staging.import_rejects (reason);
comment on table staging.import_rejects is 'The lines an import refused, to be corrected and imported again.';
comment on column staging.import_rejects.run_id is 'The import.';
comment on column staging.import_rejects.file is 'The file without its ending, such as conditions.';
comment on column staging.import_rejects.line is 'The number of the line in the file.';
comment on column staging.import_rejects.reason is 'Why the line was refused.';
comment on column staging.import_rejects.field is 'The column of the file at fault, or null where it is the whole line.';
comment on column staging.import_rejects.record is 'The line as it was read, by column; it may name a patient.';

create table staging.import_remarks (
  run_id bigint not null references staging.import_runs (id) on delete cascade,
  file   text   not null,
  line   bigint not null,
  reason text   not null references staging.import_reasons (code),
  primary key (run_id, file, line, reason)
);
create index import_remarks_reason_idx on staging.import_remarks (reason);
comment on table staging.import_remarks is 'The lines an import accepted although something about them is odd.';
comment on column staging.import_remarks.run_id is 'The import.';
comment on column staging.import_remarks.file is 'The file without its ending, such as patients.';
comment on column staging.import_remarks.line is 'The number of the line in the file.';
comment on column staging.import_remarks.reason is 'What is odd about the line.';

-- Exports name a state but no time zone. Where a state has two, the one of most of its people
-- stands.
create table staging.state_time_zones (
  code      text primary key,
  name      text not null,
  time_zone text not null references hospital.time_zones (name),
  constraint state_time_zones_name_key unique (name),
  constraint state_time_zones_code_well_formed check (code ~ '^[A-Z]{2}$')
);
create index state_time_zones_time_zone_idx on staging.state_time_zones (time_zone);
comment on table staging.state_time_zones is 'The time zone in which most people of each state of the United States live.';
comment on column staging.state_time_zones.code is 'The postal code of the state.';
comment on column staging.state_time_zones.name is 'The name of the state.';
comment on column staging.state_time_zones.time_zone is 'The IANA zone of most of its people.';
insert into staging.state_time_zones (code, name, time_zone) values
  ('AL', 'Alabama', 'America/Chicago'),
  ('AK', 'Alaska', 'America/Anchorage'),
  ('AZ', 'Arizona', 'America/Phoenix'),
  ('AR', 'Arkansas', 'America/Chicago'),
  ('CA', 'California', 'America/Los_Angeles'),
  ('CO', 'Colorado', 'America/Denver'),
  ('CT', 'Connecticut', 'America/New_York'),
  ('DE', 'Delaware', 'America/New_York'),
  ('DC', 'District of Columbia', 'America/New_York'),
  ('FL', 'Florida', 'America/New_York'),
  ('GA', 'Georgia', 'America/New_York'),
  ('GU', 'Guam', 'Pacific/Guam'),
  ('HI', 'Hawaii', 'Pacific/Honolulu'),
  ('ID', 'Idaho', 'America/Boise'),
  ('IL', 'Illinois', 'America/Chicago'),
  ('IN', 'Indiana', 'America/Indiana/Indianapolis'),
  ('IA', 'Iowa', 'America/Chicago'),
  ('KS', 'Kansas', 'America/Chicago'),
  ('KY', 'Kentucky', 'America/New_York'),
  ('LA', 'Louisiana', 'America/Chicago'),
  ('ME', 'Maine', 'America/New_York'),
  ('MD', 'Maryland', 'America/New_York'),
  ('MA', 'Massachusetts', 'America/New_York'),
  ('MI', 'Michigan', 'America/Detroit'),
  ('MN', 'Minnesota', 'America/Chicago'),
  ('MS', 'Mississippi', 'America/Chicago'),
  ('MO', 'Missouri', 'America/Chicago'),
  ('MT', 'Montana', 'America/Denver'),
  ('NE', 'Nebraska', 'America/Chicago'),
  ('NV', 'Nevada', 'America/Los_Angeles'),
  ('NH', 'New Hampshire', 'America/New_York'),
  ('NJ', 'New Jersey', 'America/New_York'),
  ('NM', 'New Mexico', 'America/Denver'),
  ('NY', 'New York', 'America/New_York'),
  ('NC', 'North Carolina', 'America/New_York'),
  ('ND', 'North Dakota', 'America/Chicago'),
  ('OH', 'Ohio', 'America/New_York'),
  ('OK', 'Oklahoma', 'America/Chicago'),
  ('OR', 'Oregon', 'America/Los_Angeles'),
  ('PA', 'Pennsylvania', 'America/New_York'),
  ('PR', 'Puerto Rico', 'America/Puerto_Rico'),
  ('RI', 'Rhode Island', 'America/New_York'),
  ('SC', 'South Carolina', 'America/New_York'),
  ('SD', 'South Dakota', 'America/Chicago'),
  ('TN', 'Tennessee', 'America/Chicago'),
  ('TX', 'Texas', 'America/Chicago'),
  ('UT', 'Utah', 'America/Denver'),
  ('VT', 'Vermont', 'America/New_York'),
  ('VA', 'Virginia', 'America/New_York'),
  ('VI', 'Virgin Islands', 'America/St_Thomas'),
  ('WA', 'Washington', 'America/Los_Angeles'),
  ('WV', 'West Virginia', 'America/New_York'),
  ('WI', 'Wisconsin', 'America/Chicago'),
  ('WY', 'Wyoming', 'America/Denver');

--! split: 081-staging-synthea.sql
-- The landing tables: nothing but text, because a file may hold anything. Unlogged, because a crash
-- costs no more than reading the file again; emptied after each import, because they hold people.
create unlogged table staging.synthea_organizations (
  line           bigint primary key,
  defect         text,
  defective_text text,
  id             text,
  name           text,
  address        text,
  city           text,
  state          text,
  zip            text,
  phone          text
);
comment on table staging.synthea_organizations is 'The lines of organizations.csv as they were read, one row for one place of care; emptied after every import.';
comment on column staging.synthea_organizations.line is 'The number of the line in the file, the heading being line 1.';
comment on column staging.synthea_organizations.defect is 'Why the line could not be read as a row of this table, or null.';
comment on column staging.synthea_organizations.defective_text is 'The line itself where it could not be read, at most 2000 characters of it.';
comment on column staging.synthea_organizations.id is 'The identifier of the organization.';
comment on column staging.synthea_organizations.name is 'The name of the organization.';
comment on column staging.synthea_organizations.address is 'Its street and number.';
comment on column staging.synthea_organizations.city is 'Its city.';
comment on column staging.synthea_organizations.state is 'Its state, by code or by name.';
comment on column staging.synthea_organizations.zip is 'Its postal code.';
comment on column staging.synthea_organizations.phone is 'Its telephone number.';

create unlogged table staging.synthea_providers (
  line           bigint primary key,
  defect         text,
  defective_text text,
  id             text,
  organization   text,
  name           text,
  speciality     text
);
comment on table staging.synthea_providers is 'The lines of providers.csv as they were read, one row for one clinician; emptied after every import.';
comment on column staging.synthea_providers.line is 'The number of the line in the file, the heading being line 1.';
comment on column staging.synthea_providers.defect is 'Why the line could not be read as a row of this table, or null.';
comment on column staging.synthea_providers.defective_text is 'The line itself where it could not be read, at most 2000 characters of it.';
comment on column staging.synthea_providers.id is 'The identifier of the provider.';
comment on column staging.synthea_providers.organization is 'The identifier of the organization worked for.';
comment on column staging.synthea_providers.name is 'The name, given names first.';
comment on column staging.synthea_providers.speciality is 'The medical specialty.';

create unlogged table staging.synthea_patients (
  line           bigint primary key,
  defect         text,
  defective_text text,
  id             text,
  birthdate      text,
  deathdate      text,
  ssn            text,
  drivers        text,
  passport       text,
  first          text,
  middle         text,
  last           text,
  gender         text,
  address        text,
  city           text,
  state          text,
  zip            text
);
comment on table staging.synthea_patients is 'The lines of patients.csv as they were read, one row for one patient; emptied after every import.';
comment on column staging.synthea_patients.line is 'The number of the line in the file, the heading being line 1.';
comment on column staging.synthea_patients.defect is 'Why the line could not be read as a row of this table, or null.';
comment on column staging.synthea_patients.defective_text is 'The line itself where it could not be read, at most 2000 characters of it.';
comment on column staging.synthea_patients.id is 'The identifier of the patient.';
comment on column staging.synthea_patients.birthdate is 'The local day of birth.';
comment on column staging.synthea_patients.deathdate is 'The local day of death, or null.';
comment on column staging.synthea_patients.ssn is 'The social security number.';
comment on column staging.synthea_patients.drivers is 'The number of the driver''s licence.';
comment on column staging.synthea_patients.passport is 'The number of the passport.';
comment on column staging.synthea_patients.first is 'The first given name.';
comment on column staging.synthea_patients.middle is 'The middle name, in newer layouts.';
comment on column staging.synthea_patients.last is 'The family name.';
comment on column staging.synthea_patients.gender is 'The sex: M or F.';
comment on column staging.synthea_patients.address is 'The street and number of the home.';
comment on column staging.synthea_patients.city is 'The city of the home.';
comment on column staging.synthea_patients.state is 'The state of the home.';
comment on column staging.synthea_patients.zip is 'The postal code of the home.';

create unlogged table staging.synthea_encounters (
  line              bigint primary key,
  defect            text,
  defective_text    text,
  id                text,
  start             text,
  stop              text,
  patient           text,
  organization      text,
  provider          text,
  description       text,
  reasondescription text
);
comment on table staging.synthea_encounters is 'The lines of encounters.csv as they were read, one row for one encounter of a patient with a provider; emptied after every import.';
comment on column staging.synthea_encounters.line is 'The number of the line in the file, the heading being line 1.';
comment on column staging.synthea_encounters.defect is 'Why the line could not be read as a row of this table, or null.';
comment on column staging.synthea_encounters.defective_text is 'The line itself where it could not be read, at most 2000 characters of it.';
comment on column staging.synthea_encounters.id is 'The identifier of the encounter.';
comment on column staging.synthea_encounters.start is 'When it began, in UTC, or a local day.';
comment on column staging.synthea_encounters.stop is 'When it ended, in UTC, or a local day, or null.';
comment on column staging.synthea_encounters.patient is 'The identifier of the patient.';
comment on column staging.synthea_encounters.organization is 'The identifier of the organization where it took place.';
comment on column staging.synthea_encounters.provider is 'The identifier of the provider.';
comment on column staging.synthea_encounters.description is 'What kind of encounter it was.';
comment on column staging.synthea_encounters.reasondescription is 'The diagnosis that was the reason, or null.';

create unlogged table staging.synthea_conditions (
  line           bigint primary key,
  defect         text,
  defective_text text,
  start          text,
  stop           text,
  patient        text,
  encounter      text,
  system         text,
  code           text,
  description    text
);
comment on table staging.synthea_conditions is 'The lines of conditions.csv as they were read, one row for one condition of a patient; emptied after every import.';
comment on column staging.synthea_conditions.line is 'The number of the line in the file, the heading being line 1.';
comment on column staging.synthea_conditions.defect is 'Why the line could not be read as a row of this table, or null.';
comment on column staging.synthea_conditions.defective_text is 'The line itself where it could not be read, at most 2000 characters of it.';
comment on column staging.synthea_conditions.start is 'The local day it began.';
comment on column staging.synthea_conditions.stop is 'The local day it ended, or null.';
comment on column staging.synthea_conditions.patient is 'The identifier of the patient.';
comment on column staging.synthea_conditions.encounter is 'The identifier of the encounter at which it was found.';
comment on column staging.synthea_conditions.system is 'The code system, in newer layouts.';
comment on column staging.synthea_conditions.code is 'The SNOMED CT code.';
comment on column staging.synthea_conditions.description is 'What the code means.';

create unlogged table staging.synthea_medications (
  line           bigint primary key,
  defect         text,
  defective_text text,
  start          text,
  stop           text,
  patient        text,
  encounter      text,
  code           text,
  description    text
);
comment on table staging.synthea_medications is 'The lines of medications.csv as they were read, one row for one medicine prescribed to a patient; emptied after every import.';
comment on column staging.synthea_medications.line is 'The number of the line in the file, the heading being line 1.';
comment on column staging.synthea_medications.defect is 'Why the line could not be read as a row of this table, or null.';
comment on column staging.synthea_medications.defective_text is 'The line itself where it could not be read, at most 2000 characters of it.';
comment on column staging.synthea_medications.start is 'When it was prescribed, in UTC, or a local day.';
comment on column staging.synthea_medications.stop is 'When it ended, in UTC, or a local day, or null.';
comment on column staging.synthea_medications.patient is 'The identifier of the patient.';
comment on column staging.synthea_medications.encounter is 'The identifier of the encounter at which it was prescribed.';
comment on column staging.synthea_medications.code is 'The RxNorm code.';
comment on column staging.synthea_medications.description is 'The name, strength and form of the medicine.';

create unlogged table staging.synthea_procedures (
  line           bigint primary key,
  defect         text,
  defective_text text,
  start          text,
  stop           text,
  patient        text,
  encounter      text,
  system         text,
  code           text,
  description    text,
  base_cost      text
);
comment on table staging.synthea_procedures is 'The lines of procedures.csv as they were read, one row for one procedure done to a patient; emptied after every import.';
comment on column staging.synthea_procedures.line is 'The number of the line in the file, the heading being line 1.';
comment on column staging.synthea_procedures.defect is 'Why the line could not be read as a row of this table, or null.';
comment on column staging.synthea_procedures.defective_text is 'The line itself where it could not be read, at most 2000 characters of it.';
comment on column staging.synthea_procedures.start is 'When it began, in UTC, or a local day; older layouts call it DATE.';
comment on column staging.synthea_procedures.stop is 'When it ended, in UTC, or a local day, or null.';
comment on column staging.synthea_procedures.patient is 'The identifier of the patient.';
comment on column staging.synthea_procedures.encounter is 'The identifier of the encounter at which it was done.';
comment on column staging.synthea_procedures.system is 'The code system, in newer layouts.';
comment on column staging.synthea_procedures.code is 'The SNOMED CT code.';
comment on column staging.synthea_procedures.description is 'What was done.';
comment on column staging.synthea_procedures.base_cost is 'What it cost, in US dollars.';

--! split: 500-prologue.sql
-- The living files below may call one another in any order: bodies are checked when they run.
set local check_function_bodies = off;

--! split: 501-01-foundation-allow_reading.sql
-- source: sql/01-foundation/allow_reading.sql
-- Vocabularies and the directory are read by every role in the same way. Saying it in one line per
-- role keeps the policies files short enough to be read.
create or replace procedure hospital_private.allow_reading(
  role_name name,
  session_role text,
  variadic tables text[]
)
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  target regclass;
begin
  foreach target in array allow_reading.tables::regclass[] loop
    execute format(
      'create policy %I on %s for select to %I '
        'using ((select hospital_private.session_has_role(%L)))',
      allow_reading.session_role || '_select_all',
      target,
      allow_reading.role_name,
      allow_reading.session_role
    );
    execute format('grant select on %s to %I', target, allow_reading.role_name);
  end loop;
end;
$$;
comment on procedure hospital_private.allow_reading(name, text, text[]) is
  'Lets a role read all rows of the named tables while it has a live session: one policy and the grant for each.';

--! split: 502-01-foundation-job_runs.sql
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

create or replace function ops.enter_job_run(run_id bigint)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_xact_lock(hashtext('ops.job_run'), enter_job_run.run_id::integer);
$$;
comment on function ops.enter_job_run(bigint) is
  'Marks the transaction as the one that does the work of a run, so that nobody takes the run for dead while it lasts.';

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

--! split: 503-01-foundation-reset_access.sql
-- source: sql/01-foundation/reset_access.sql
-- Every policies file begins by taking everything away from its role, then states all the role may
-- do. So the file is the whole truth: a right that is deleted from it is gone from the database.
-- The threat is the forgotten grant, which nobody sees because nobody looks for it.
create or replace procedure hospital_private.reset_access(role_name name)
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  statement text;
begin
  for statement in
    select format('drop policy %I on %I.%I', p.polname, n.nspname, c.relname)
    from pg_catalog.pg_policy as p
    join pg_catalog.pg_class as c
      on c.oid = p.polrelid
    join pg_catalog.pg_namespace as n
      on n.oid = c.relnamespace
    where p.polroles = array[reset_access.role_name::regrole::oid]
    union all
    select distinct format('revoke all on %I.%I from %I', n.nspname, c.relname, reset_access.role_name)
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n
      on n.oid = c.relnamespace
    cross join lateral (
      select whole.grantee
      from aclexplode(c.relacl) as whole
      union all
      select of_column.grantee
      from pg_catalog.pg_attribute as a
      cross join lateral aclexplode(a.attacl) as of_column
      where a.attrelid = c.oid
    ) as granted
    where granted.grantee = reset_access.role_name::regrole
      and granted.grantee <> c.relowner
      and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all
    select format('revoke all on routine %s from %I', f.oid::regprocedure, reset_access.role_name)
    from pg_catalog.pg_proc as f
    cross join lateral aclexplode(f.proacl) as granted
    where granted.grantee = reset_access.role_name::regrole
      and granted.grantee <> f.proowner
    union all
    select distinct format('revoke all on schema %I from %I', n.nspname, reset_access.role_name)
    from pg_catalog.pg_namespace as n
    cross join lateral aclexplode(n.nspacl) as granted
    where granted.grantee = reset_access.role_name::regrole
      and granted.grantee <> n.nspowner
  loop
    execute statement;
  end loop;
end;
$$;
comment on procedure hospital_private.reset_access(name) is
  'Drops every policy of a role and revokes every right it holds here, so that its policies file can state them all anew.';

--! split: 504-01-foundation-touch.sql
-- source: sql/01-foundation/touch.sql
-- When a row last changed is not for the writer to say.
create or replace function hospital_private.touch()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;
comment on function hospital_private.touch() is
  'Trigger: stamps updated_at with the time of the transaction.';

-- Triggers fire in the order of their names, so each carries its priority: 100 stamps, 200 derives,
-- 300 guards, 700 history, 800 notifications.
create or replace trigger _100_timestamps
  before update on hospital.facilities
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.departments
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.rooms
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.staff_members
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.doctors
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.patients
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.contact_points
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.patient_identifiers
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital_private.accounts
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.doctor_schedules
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.doctor_time_off
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.appointment_types
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.appointments
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.visits
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.visit_diagnoses
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.patient_conditions
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.prescriptions
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.treatments
  for each row execute function hospital_private.touch();

--! split: 505-02-identity-client_address.sql
-- source: sql/02-identity/client_address.sql
create or replace function hospital_private.client_address()
returns inet
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when current_setting('infirmary.client_address', true) ~ '^[0-9a-f.:]{2,45}$'
      then current_setting('infirmary.client_address', true)::inet
  end;
$$;
comment on function hospital_private.client_address() is
  'The network address the API saw for this request, or null.';

--! split: 506-02-identity-create_administrator.sql
-- source: sql/02-identity/create_administrator.sql
-- The first administrator comes from the command line, as the owner; nobody can become one over
-- the API, and there is no default password.
create or replace function hospital_private.create_administrator(email text, password text)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  new_id bigint;
begin
  insert into hospital_private.accounts (email, password_hash)
  values (
    lower(btrim(create_administrator.email)),
    hospital_private.hash_password(create_administrator.password)
  )
  returning id
  into new_id;
  insert into hospital_private.account_roles (account_id, role)
  values (new_id, 'administrator');
  return new_id;
end;
$$;
comment on function hospital_private.create_administrator(text, text) is
  'Creates an account with the role administrator and returns its key; callable by the owner alone.';

--! split: 507-02-identity-current_account.sql
-- source: sql/02-identity/current_account.sql
create or replace function hospital.current_account()
returns hospital.account
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    a.email,
    s.role,
    array(
      select r.role
      from hospital_private.account_roles as r
      where r.account_id = a.id
      order by r.role
    ),
    a.patient_id,
    a.staff_member_id,
    d.id,
    m.department_id,
    s.access_expires_at
  from hospital_private.current_session() as s
  join hospital_private.accounts as a
    on a.id = s.account_id
  left join hospital.staff_members as m
    on m.id = a.staff_member_id
  left join hospital.doctors as d
    on d.staff_member_id = m.id;
$$;
comment on function hospital.current_account() is
  'Who is logged in and as what, or null. Lends the owner''s right to read the caller''s own account.';

--! split: 508-02-identity-current_ids.sql
-- source: sql/02-identity/current_ids.sql
-- Who the live session is. Each answers null without a session, and null equals nothing, so a
-- policy built on them denies by default.
create or replace function hospital_private.current_account_id()
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select s.account_id
  from hospital_private.current_session() as s;
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
declare
  session hospital_private.sessions := hospital_private.current_session();
begin
  return (
    select a.patient_id
    from hospital_private.accounts as a
    where a.id = session.account_id
      and session.role = 'patient'
  );
end;
$$;
comment on function hospital_private.current_patient_id() is
  'The patient of a live session in the role patient, or null; lends the owner''s right to read accounts.';

create or replace function hospital_private.current_staff_member_id()
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select a.staff_member_id
  from hospital_private.current_session() as s
  join hospital_private.accounts as a
    on a.id = s.account_id
  where s.role <> 'patient';
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
declare
  session hospital_private.sessions := hospital_private.current_session();
begin
  return (
    select d.id
    from hospital_private.accounts as a
    join hospital.doctors as d
      on d.staff_member_id = a.staff_member_id
    where a.id = session.account_id
      and session.role = 'doctor'
      and d.is_active
  );
end;
$$;
comment on function hospital_private.current_doctor_id() is
  'The active doctor of a live session in the role doctor, or null; lends the owner''s right to read accounts.';

create or replace function hospital_private.current_department_id()
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select m.department_id
  from hospital_private.current_session() as s
  join hospital_private.accounts as a
    on a.id = s.account_id
  join hospital.staff_members as m
    on m.id = a.staff_member_id
  where s.role <> 'patient';
$$;
comment on function hospital_private.current_department_id() is
  'The department of the member of staff of a live session, or null; lends the owner''s right to read accounts.';

--! split: 509-02-identity-current_session.sql
-- source: sql/02-identity/current_session.sql
-- The root of all row security. A request carries a session's id and secret; the row counts only
-- when both fit, so setting the id alone to somebody else's gets nothing, and ending the session
-- ends every right at once. It counts in its own role alone: a nurse's session opens no policy of
-- the doctors, whatever database role the connection has taken.
-- Every statement under row security asks here, so the plan is one that plpgsql keeps.
create or replace function hospital_private.current_session()
returns hospital_private.sessions
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  claimed_id text := current_setting('infirmary.session_id', true);
  session hospital_private.sessions;
begin
  -- A malformed id must be nobody's and not an error.
  if claimed_id is null
    or claimed_id !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
  then
    return null;
  end if;
  select s.*
  into session
  from hospital_private.sessions as s
  join hospital_private.accounts as a
    on a.id = s.account_id
    and a.disabled_at is null
  where s.id = claimed_id::uuid
    and s.secret_hash
      = sha256(convert_to(current_setting('infirmary.session_secret', true), 'UTF8'))
    and s.revoked_at is null
    and s.access_expires_at > statement_timestamp()
    -- Also inside a definer function this is the role that was set for the request.
    and current_setting('role') = 'hospital_' || s.role
    -- Whoever is no longer a doctor here has no open chart left either.
    and (
      s.role <> 'doctor'
      or exists (
        select
        from hospital.doctors as d
        where d.staff_member_id = a.staff_member_id
          and d.is_active
      )
    );
  return session;
end;
$$;
comment on function hospital_private.current_session() is
  'The live session of this request in its own role, or null; lends the owner''s right to read sessions, because no other role may.';

--! split: 510-02-identity-grant_account_role.sql
-- source: sql/02-identity/grant_account_role.sql
create or replace function hospital.grant_account_role(email text, role text)
returns hospital.account_role_grant
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  granted hospital.account_role_grant;
begin
  perform hospital_private.require_role('administrator');
  insert into hospital_private.account_roles as r (account_id, role, granted_by)
  select
    a.id,
    k.name,
    hospital_private.current_account_id()
  from hospital_private.accounts as a
  cross join hospital_private.roles as k
  where a.email = lower(btrim(grant_account_role.email))
    and k.name = grant_account_role.role
    -- A role rests on a person: patients on a patient's row, doctors on an
    -- approved doctor's, everybody else's on a member of staff's.
    and case k.name
      when 'patient' then a.patient_id is not null
      when 'doctor' then exists (
        select
        from hospital.doctors as d
        where d.staff_member_id = a.staff_member_id
          and d.is_active
      )
      -- The first administrator is nobody's colleague yet.
      when 'administrator' then a.patient_id is null
      else a.staff_member_id is not null
    end
  on conflict on constraint account_roles_pkey do update
    set granted_by = r.granted_by
  returning
    lower(btrim(grant_account_role.email)),
    r.role,
    r.granted_at
  into granted;
  if granted.role is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such account and role.',
      hint = 'Patients and doctors must exist as such before they get the role.';
  end if;
  return granted;
end;
$$;
comment on function hospital.grant_account_role(text, text) is
  'Gives an account a role; for administrators. Raises NTFND when address or role is unknown. Lends the owner''s right to write account roles.';

--! split: 511-02-identity-hash_password.sql
-- source: sql/02-identity/hash_password.sql
-- bcrypt reads 72 bytes and ignores the rest, so a longer password would be accepted with any
-- ending: it is refused instead.
create or replace function hospital_private.hash_password(password text)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if hash_password.password is null or char_length(hash_password.password) < 10 then
    raise exception using
      errcode = 'WEAKP',
      message = 'The password is too short.',
      hint = 'Use at least 10 characters.';
  end if;
  if octet_length(hash_password.password) > 72 then
    raise exception using
      errcode = 'PWLEN',
      message = 'The password is too long.',
      hint = 'Use at most 72 bytes.';
  end if;
  return extensions.crypt(hash_password.password, extensions.gen_salt('bf', 10));
end;
$$;
comment on function hospital_private.hash_password(text) is
  'The bcrypt hash (cost 10) of a password; raises WEAKP below 10 characters and PWLEN above 72 bytes.';

--! split: 512-02-identity-log_in.sql
-- source: sql/02-identity/log_in.sql
-- A refused log-in returns a value and raises nothing: an error would roll back the count of
-- failures, and the lock after five would never close. The password is hashed before the account is
-- looked at, so the time taken tells nobody which addresses exist or are locked.
create or replace function hospital.log_in(email text, password text, role text default null)
returns hospital.login_result
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  account hospital_private.accounts;
  chosen_role text;
  refused hospital.login_result;
  candidate_hash text;
  password_fits boolean;
begin
  refused.outcome := 'refused';

  select a.*
  into account
  from hospital_private.accounts as a
  where a.email = lower(btrim(log_in.email));

  candidate_hash := coalesce(
    account.password_hash,
    -- The hash of a password nobody has, so that an unknown address costs the same time.
    '$2a$10$yqGmPCDhuBXoQd4OMfTOAuXqTwSYbmWRrTCQG8OVqRp3zMqQBVF3q'
  );
  password_fits := octet_length(log_in.password) <= 72
    and candidate_hash = extensions.crypt(log_in.password, candidate_hash);

  if account.id is null then
    return refused;
  end if;

  -- From here attempts on one account go one by one, so 500 at once are still 500.
  select a.*
  into account
  from hospital_private.accounts as a
  where a.id = account.id
  for update;

  if account.disabled_at is not null or account.locked_until > clock_timestamp() then
    return refused;
  end if;

  if password_fits is not true or account.password_hash <> candidate_hash then
    update hospital_private.accounts as a
    set failed_attempts = a.failed_attempts + 1,
      locked_until = case
        when a.failed_attempts + 1 >= 5 then clock_timestamp() + interval '15 minutes'
      end
    where a.id = account.id;
    return refused;
  end if;

  select r.role
  into chosen_role
  from hospital_private.account_roles as r
  where r.account_id = account.id
    and (log_in.role is null or r.role = log_in.role)
    and (
      r.role <> 'doctor'
      or exists (
        select
        from hospital.doctors as d
        where d.staff_member_id = account.staff_member_id
          and d.is_active
      )
    )
  order by r.granted_at, r.role
  limit 1;
  if chosen_role is null then
    return refused;
  end if;

  update hospital_private.accounts as a
  set failed_attempts = 0,
    locked_until = null
  where a.id = account.id;
  return hospital_private.start_session(account.id, chosen_role);
end;
$$;
comment on function hospital.log_in(text, text, text) is
  'Starts a session for an address and password, in the named role or the one held longest; after five failures in a row the account is locked for 15 minutes. Lends the owner''s right to read accounts to people who have not logged in yet.';

--! split: 513-02-identity-log_out.sql
-- source: sql/02-identity/log_out.sql
create or replace function hospital.log_out()
returns hospital.account
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  who hospital.account;
begin
  who := hospital.current_account();
  update hospital_private.sessions as s
  set revoked_at = clock_timestamp(),
    revoked_reason = 'logged_out'
  where s.id = (select c.id from hospital_private.current_session() as c);
  return who;
end;
$$;
comment on function hospital.log_out() is
  'Ends the session of this request at once and returns whose it was, or null without one. Lends the owner''s right to write the caller''s own session.';

--! split: 514-02-identity-refresh_session.sql
-- source: sql/02-identity/refresh_session.sql
-- A refresh token works once. If a used one comes back, somebody copied it: the whole session ends,
-- for thief and owner alike, and the owner logs in again.
create or replace function hospital.refresh_session(refresh_token text)
returns hospital.login_result
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  result hospital.login_result;
  token hospital_private.refresh_tokens;
  session hospital_private.sessions;
begin
  result.outcome := 'refused';

  select t.*
  into token
  from hospital_private.refresh_tokens as t
  where t.token_hash = sha256(convert_to(refresh_session.refresh_token, 'UTF8'))
  for update;
  if token.session_id is null then
    return result;
  end if;

  select s.*
  into session
  from hospital_private.sessions as s
  where s.id = token.session_id
  for update;

  if token.used_at is not null then
    update hospital_private.sessions as s
    set revoked_at = clock_timestamp(),
      revoked_reason = 'refresh_reused'
    where s.id = session.id
      and s.revoked_at is null;
    return result;
  end if;
  if session.revoked_at is not null
    or session.expires_at <= clock_timestamp()
    or exists (
      select
      from hospital_private.accounts as a
      where a.id = session.account_id
        and a.disabled_at is not null
    )
  then
    return result;
  end if;

  result.outcome := 'granted';
  result.session_id := session.id;
  result.session_secret := encode(extensions.gen_random_bytes(32), 'hex');
  result.refresh_token := encode(extensions.gen_random_bytes(32), 'hex');
  result.role := session.role;
  result.expires_at := least(clock_timestamp() + interval '15 minutes', session.expires_at);

  update hospital_private.refresh_tokens as t
  set used_at = clock_timestamp()
  where t.token_hash = token.token_hash;
  insert into hospital_private.refresh_tokens (token_hash, session_id)
  values (sha256(convert_to(result.refresh_token, 'UTF8')), session.id);
  update hospital_private.sessions as s
  set secret_hash = sha256(convert_to(result.session_secret, 'UTF8')),
    access_expires_at = result.expires_at
  where s.id = session.id;
  return result;
end;
$$;
comment on function hospital.refresh_session(text) is
  'Exchanges a refresh token for new secrets, once; a token used before ends its session. Lends the owner''s right to write sessions to whoever holds the token.';

--! split: 515-02-identity-require_role.sql
-- source: sql/02-identity/require_role.sql
-- For the few functions that lend the owner's rights: they ask here before they act.
create or replace function hospital_private.require_role(variadic roles text[])
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if hospital_private.current_account_id() is null then
    raise exception using
      errcode = 'UNAUT',
      message = 'Log in first.';
  end if;
  if not exists (
    select
    from hospital_private.current_session() as s
    where s.role = any (require_role.roles)
  ) then
    raise exception using
      errcode = 'PRMSN',
      message = 'Your role may not do this.';
  end if;
end;
$$;
comment on function hospital_private.require_role(text[]) is
  'Raises UNAUT without a live session and PRMSN when its role is not among those named; lends the owner''s right to read sessions.';

--! split: 516-02-identity-session_has_role.sql
-- source: sql/02-identity/session_has_role.sql
-- Asked by every policy of every role, inside (select …) so that it runs once per statement.
create or replace function hospital_private.session_has_role(role text)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  session hospital_private.sessions := hospital_private.current_session();
begin
  return coalesce(
    session.role = session_has_role.role
    or (
      session_has_role.role = 'staff'
      and session.role in ('nurse', 'reception', 'pharmacist', 'laboratory')
    ),
    false
  );
end;
$$;
comment on function hospital_private.session_has_role(text) is
  'Whether this request has a live session in the given role (staff stands for nurse, reception, pharmacist and laboratory); lends the owner''s right to read sessions.';

--! split: 517-02-identity-start_session.sql
-- source: sql/02-identity/start_session.sql
-- Secrets are handed out once and only their hashes are kept.
create or replace function hospital_private.start_session(account_id bigint, role text)
returns hospital.login_result
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  result hospital.login_result;
begin
  result.outcome := 'granted';
  result.session_id := gen_random_uuid();
  result.session_secret := encode(extensions.gen_random_bytes(32), 'hex');
  result.refresh_token := encode(extensions.gen_random_bytes(32), 'hex');
  result.role := start_session.role;
  result.expires_at := clock_timestamp() + interval '15 minutes';

  insert into hospital_private.sessions
    (id, account_id, role, secret_hash, access_expires_at, expires_at, client_address)
  values (
    result.session_id,
    start_session.account_id,
    start_session.role,
    sha256(convert_to(result.session_secret, 'UTF8')),
    result.expires_at,
    clock_timestamp() + interval '12 hours',
    hospital_private.client_address()
  );
  insert into hospital_private.refresh_tokens (token_hash, session_id)
  values (sha256(convert_to(result.refresh_token, 'UTF8')), result.session_id);
  return result;
end;
$$;
comment on function hospital_private.start_session(bigint, text) is
  'Starts a session of 12 hours with 15 minutes of access and returns its secrets; lends the owner''s right to write sessions to the log-in functions alone.';

--! split: 518-03-people-approve_doctor.sql
-- source: sql/03-people/approve_doctor.sql
create or replace function hospital.approve_doctor(doctor_id bigint)
returns hospital.doctors
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  doctor hospital.doctors;
begin
  perform hospital_private.require_role('administrator');
  update hospital.doctors as d
  set approved_at = coalesce(d.approved_at, now()),
    deactivated_at = null
  where d.id = approve_doctor.doctor_id
  returning d.*
  into doctor;
  if doctor.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such doctor.';
  end if;
  insert into hospital_private.account_roles (account_id, role, granted_by)
  select
    a.id,
    'doctor',
    hospital_private.current_account_id()
  from hospital_private.accounts as a
  where a.staff_member_id = doctor.staff_member_id
  on conflict on constraint account_roles_pkey do nothing;
  return doctor;
end;
$$;
comment on function hospital.approve_doctor(bigint) is
  'Makes a doctor bookable and gives his account the role doctor; for administrators. Raises NTFND. Lends the owner''s right to write account roles.';

--! split: 519-03-people-computed_columns.sql
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
declare
  session hospital_private.sessions := hospital_private.current_session();
begin
  return (
    select m.given_name || ' ' || m.family_name
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    where d.id = doctor.id
      and session.id is not null
      and (d.is_active or session.role <> 'patient')
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

--! split: 520-03-people-deactivate_patient.sql
-- source: sql/03-people/deactivate_patient.sql
create or replace function hospital.deactivate_patient(patient_id bigint, reason text)
returns hospital.patients
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  patient hospital.patients;
begin
  update hospital.patients as p
  set deactivated_at = coalesce(p.deactivated_at, now()),
    deactivation_reason = coalesce(p.deactivation_reason, deactivate_patient.reason)
  where p.id = deactivate_patient.patient_id
  returning p.*
  into patient;
  if patient.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient.';
  end if;
  return patient;
end;
$$;
comment on function hospital.deactivate_patient(bigint, text) is
  'Closes a patient''s record to new appointments, with a reason; nothing is deleted. For reception and administrators. Raises NTFND.';

--! split: 521-03-people-escape_like.sql
-- source: sql/03-people/escape_like.sql
create or replace function hospital_private.escape_like(value text)
returns text
language sql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select regexp_replace(escape_like.value, '([\\%_])', '\\\1', 'g');
$$;
comment on function hospital_private.escape_like(text) is
  'The text with the wildcards of LIKE made literal, so that a search for 100% finds just that.';

--! split: 522-03-people-register_doctor.sql
-- source: sql/03-people/register_doctor.sql
-- A doctor registers himself and then waits: until an administrator approves he holds no role, so
-- he can neither log in nor be booked.
create or replace function hospital.register_doctor(
  given_name text,
  family_name text,
  email text,
  password text,
  department_id bigint,
  specialization text,
  licence text,
  practising_since date,
  phone text default null
)
returns hospital.doctors
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  new_staff_member_id bigint;
  doctor hospital.doctors;
begin
  insert into hospital.staff_members (given_name, family_name, job, department_id, hired_on)
  select
    btrim(register_doctor.given_name),
    btrim(register_doctor.family_name),
    'doctor',
    d.id,
    (now() at time zone f.time_zone)::date
  from hospital.departments as d
  join hospital.facilities as f
    on f.id = d.facility_id
  where d.id = register_doctor.department_id
    and d.is_active
  returning id
  into new_staff_member_id;
  if new_staff_member_id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such department.';
  end if;

  insert into hospital.doctors (staff_member_id, specialization, licence, practising_since)
  values (
    new_staff_member_id,
    register_doctor.specialization,
    btrim(register_doctor.licence),
    register_doctor.practising_since
  )
  returning *
  into doctor;

  perform hospital_private.write_contact(
    null, new_staff_member_id, 'email', lower(register_doctor.email)
  );
  perform hospital_private.write_contact(null, new_staff_member_id, 'phone', register_doctor.phone);

  insert into hospital_private.accounts (email, password_hash, staff_member_id)
  values (
    lower(btrim(register_doctor.email)),
    hospital_private.hash_password(register_doctor.password),
    new_staff_member_id
  );
  return doctor;
end;
$$;
comment on function hospital.register_doctor(
  text, text, text, text, bigint, text, text, date, text
) is
  'Registers a doctor with an account that can do nothing until an administrator approves. Raises NTFND for an unknown department, WEAKP, PWLEN, or a conflict for a known address or licence. Lends the owner''s right to write staff and accounts to visitors.';

--! split: 523-03-people-register_patient.sql
-- source: sql/03-people/register_patient.sql
-- People register themselves with an account; reception registers people without one. The three
-- rows stand or fall together.
create or replace function hospital.register_patient(
  given_name text,
  family_name text,
  date_of_birth date,
  sex text,
  email text default null,
  password text default null,
  phone text default null,
  address text default null,
  time_zone text default null
)
returns hospital.patients
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  patient hospital.patients;
  new_account_id bigint;
begin
  if register_patient.password is null or register_patient.email is null then
    perform hospital_private.require_role('reception', 'administrator');
  end if;

  insert into hospital.patients (given_name, family_name, date_of_birth, sex, time_zone)
  values (
    btrim(register_patient.given_name),
    btrim(register_patient.family_name),
    register_patient.date_of_birth,
    register_patient.sex,
    register_patient.time_zone
  )
  returning *
  into patient;

  perform hospital_private.write_contact(patient.id, null, 'email', lower(register_patient.email));
  perform hospital_private.write_contact(patient.id, null, 'phone', register_patient.phone);
  perform hospital_private.write_contact(patient.id, null, 'postal', register_patient.address);

  if register_patient.password is not null and register_patient.email is not null then
    insert into hospital_private.accounts (email, password_hash, patient_id)
    values (
      lower(btrim(register_patient.email)),
      hospital_private.hash_password(register_patient.password),
      patient.id
    )
    returning id
    into new_account_id;
    insert into hospital_private.account_roles (account_id, role)
    values (new_account_id, 'patient');
  end if;
  return patient;
end;
$$;
comment on function hospital.register_patient(
  text, text, date, text, text, text, text, text, text
) is
  'Registers a patient: with address and password also an account, without them for reception only. Raises WEAKP, PWLEN, or a conflict when the address has an account. Lends the owner''s right to write people and accounts to visitors who have neither.';

--! split: 524-03-people-register_staff_member.sql
-- source: sql/03-people/register_staff_member.sql
-- Whoever works here gets the account from an administrator; only patients and doctors register
-- themselves. Person, account and role stand or fall together.
create or replace function hospital.register_staff_member(
  given_name text,
  family_name text,
  job text,
  department_id bigint,
  role text,
  email text,
  password text,
  phone text default null
)
returns hospital.staff_members
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  staff_member hospital.staff_members;
begin
  perform hospital_private.require_role('administrator');
  if register_staff_member.job = 'doctor' then
    raise exception using
      errcode = 'PRMSN',
      message = 'Doctors register themselves, with their licence.';
  end if;

  insert into hospital.staff_members (given_name, family_name, job, department_id, hired_on)
  select
    btrim(register_staff_member.given_name),
    btrim(register_staff_member.family_name),
    register_staff_member.job,
    d.id,
    (now() at time zone f.time_zone)::date
  from hospital.departments as d
  join hospital.facilities as f
    on f.id = d.facility_id
  where d.id = register_staff_member.department_id
    and d.is_active
  returning *
  into staff_member;
  if staff_member.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such department.';
  end if;

  perform hospital_private.write_contact(
    null, staff_member.id, 'email', lower(register_staff_member.email)
  );
  perform hospital_private.write_contact(
    null, staff_member.id, 'phone', register_staff_member.phone
  );
  insert into hospital_private.accounts (email, password_hash, staff_member_id)
  values (
    lower(btrim(register_staff_member.email)),
    hospital_private.hash_password(register_staff_member.password),
    staff_member.id
  );
  perform hospital.grant_account_role(register_staff_member.email, register_staff_member.role);
  return staff_member;
end;
$$;
comment on function hospital.register_staff_member(
  text, text, text, bigint, text, text, text, text
) is
  'Registers a member of staff with an account and a role; for administrators. Raises UNAUT, PRMSN, NTFND for an unknown department or role, WEAKP, PWLEN, or a conflict for a known address. Lends the owner''s right to write staff and accounts.';

--! split: 525-03-people-search_doctors.sql
-- source: sql/03-people/search_doctors.sql
create or replace function hospital.search_doctors(
  search text default null,
  department_id bigint default null,
  specialization text default null
)
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
  where d.is_active
    and (
      search_doctors.search is null
      or m.given_name || ' ' || m.family_name ilike
        '%' || hospital_private.escape_like(search_doctors.search) || '%'
      or d.specialization ilike
        '%' || hospital_private.escape_like(search_doctors.search) || '%'
    )
    and (search_doctors.department_id is null or m.department_id = search_doctors.department_id)
    and (search_doctors.specialization is null or d.specialization = search_doctors.specialization)
  order by
    m.family_name,
    m.given_name,
    d.id;
$$;
comment on function hospital.search_doctors(text, bigint, text) is
  'The doctors who can be booked, by part of name or specialty, department and specialization, each optional.';

--! split: 526-03-people-search_patients.sql
-- source: sql/03-people/search_patients.sql
-- LIKE is not leakproof, so under row security it would run only after the policy had been applied
-- to every row, and no index could help. The keys are found here with the owner's right and an
-- index. The rule of who may see whom is applied again, because that somebody is a patient here is
-- itself a secret; whoever asks still reads the rows under his own policies.
create or replace function hospital_private.matching_patient_ids(search text)
returns setof bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select m.id
  from (
    select p.id
    from hospital.patients as p
    where p.given_name || ' ' || p.family_name ilike
      '%' || hospital_private.escape_like(matching_patient_ids.search) || '%'
    union
    select p.id
    from hospital.patients as p
    where p.mrn = upper(matching_patient_ids.search)
  ) as m
  where (select hospital_private.session_has_role('reception'))
    or (select hospital_private.session_has_role('administrator'))
    or m.id = any (array(select hospital_private.roster_patient_ids()));
$$;
comment on function hospital_private.matching_patient_ids(text) is
  'The keys of patients whose name contains the text or whose record number it is: all of them for reception and administrators, those on the roster for doctors and nurses. Lends the owner''s right to use the index on names.';

create or replace function hospital.search_patients(search text)
returns setof hospital.patients
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select p.*
  from hospital.patients as p
  where p.id = any (
    array(
      select hospital_private.matching_patient_ids(search_patients.search)
    )
  )
  order by
    p.family_name,
    p.given_name,
    p.id;
$$;
comment on function hospital.search_patients(text) is
  'The patients the caller may see whose name contains the text, or whose record number it is.';

--! split: 527-03-people-update_doctor.sql
-- source: sql/03-people/update_doctor.sql
create or replace function hospital.update_doctor(
  doctor_id bigint,
  specialization text default null,
  department_id bigint default null,
  phone text default null,
  email text default null,
  is_active boolean default null
)
returns hospital.doctors
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  doctor hospital.doctors;
begin
  select d.*
  into doctor
  from hospital.doctors as d
  where d.id = update_doctor.doctor_id;
  if doctor.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such doctor.';
  end if;
  if update_doctor.specialization is not null then
    update hospital.doctors as d
    set specialization = update_doctor.specialization
    where d.id = doctor.id;
  end if;
  if update_doctor.is_active is not null then
    update hospital.doctors as d
    set deactivated_at = case
        when update_doctor.is_active then null
        else coalesce(d.deactivated_at, now())
      end
    where d.id = doctor.id;
  end if;
  if update_doctor.department_id is not null then
    update hospital.staff_members as m
    set department_id = update_doctor.department_id
    where m.id = doctor.staff_member_id;
  end if;
  perform hospital_private.write_contact(null, doctor.staff_member_id, 'phone', update_doctor.phone);
  perform hospital_private.write_contact(
    null, doctor.staff_member_id, 'email', lower(update_doctor.email)
  );
  select d.*
  into doctor
  from hospital.doctors as d
  where d.id = doctor.id;
  return doctor;
end;
$$;
comment on function hospital.update_doctor(bigint, text, bigint, text, text, boolean) is
  'Changes what is given and leaves the rest: doctors change their own contact data, administrators also specialization, department and whether the doctor can be booked. Raises NTFND, or a refusal of the role.';

--! split: 528-03-people-update_patient.sql
-- source: sql/03-people/update_patient.sql
create or replace function hospital.update_patient(
  patient_id bigint,
  given_name text default null,
  family_name text default null,
  date_of_birth date default null,
  sex text default null,
  phone text default null,
  email text default null,
  address text default null,
  time_zone text default null
)
returns hospital.patients
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  patient hospital.patients;
begin
  select p.*
  into patient
  from hospital.patients as p
  where p.id = update_patient.patient_id
  for update;
  if patient.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient.';
  end if;
  -- Who a patient is, is changed only where it differs: patients themselves may not.
  if update_patient.given_name is not null
    or update_patient.family_name is not null
    or update_patient.date_of_birth is not null
    or update_patient.sex is not null
  then
    update hospital.patients as p
    set given_name = coalesce(btrim(update_patient.given_name), p.given_name),
      family_name = coalesce(btrim(update_patient.family_name), p.family_name),
      date_of_birth = coalesce(update_patient.date_of_birth, p.date_of_birth),
      sex = coalesce(update_patient.sex, p.sex)
    where p.id = update_patient.patient_id;
  end if;
  if update_patient.time_zone is not null then
    update hospital.patients as p
    set time_zone = update_patient.time_zone
    where p.id = update_patient.patient_id;
  end if;
  perform hospital_private.write_contact(patient.id, null, 'phone', update_patient.phone);
  perform hospital_private.write_contact(patient.id, null, 'email', lower(update_patient.email));
  perform hospital_private.write_contact(patient.id, null, 'postal', update_patient.address);

  select p.*
  into patient
  from hospital.patients as p
  where p.id = update_patient.patient_id;
  return patient;
end;
$$;
comment on function hospital.update_patient(
  bigint, text, text, date, text, text, text, text, text
) is
  'Changes what is given and leaves the rest: patients change their own contact data and zone, reception and administrators also names, date of birth and sex. Raises NTFND, or a refusal of the role.';

--! split: 529-03-people-write_contact.sql
-- source: sql/03-people/write_contact.sql
create or replace function hospital_private.write_contact(
  patient_id bigint,
  staff_member_id bigint,
  kind text,
  value text
)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if write_contact.value is null then
    return;
  end if;
  update hospital.contact_points as c
  set value = btrim(write_contact.value)
  where (c.patient_id = write_contact.patient_id or c.staff_member_id = write_contact.staff_member_id)
    and c.kind = write_contact.kind
    and c.is_preferred;
  if not found then
    insert into hospital.contact_points (patient_id, staff_member_id, kind, value)
    values (
      write_contact.patient_id,
      write_contact.staff_member_id,
      write_contact.kind,
      btrim(write_contact.value)
    );
  end if;
end;
$$;
comment on function hospital_private.write_contact(bigint, bigint, text, text) is
  'Sets the preferred contact of one kind of a patient or a member of staff (the other null); does nothing for a null value.';

--! split: 530-04-scheduling-available_time.sql
-- source: sql/04-scheduling/available_time.sql
-- The one definition of when a doctor can be seen. The finder reads it and the guard on
-- appointments enforces it, so what is offered books and what is refused was not offered.
create or replace function hospital_private.working_time(doctor_id bigint, span tstzrange)
returns tstzmultirange
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  zone as (
    select f.time_zone as name
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    join hospital.departments as p
      on p.id = m.department_id
    join hospital.facilities as f
      on f.id = p.facility_id
    where d.id = working_time.doctor_id
      and d.is_active
      -- A series without an end would never end.
      and isfinite(lower(working_time.span))
      and isfinite(upper(working_time.span))
  ),
  shifts as (
    select
      (day.local + r.start_time) at time zone z.name as starts_at,
      (day.local + r.end_time
        + case when r.end_time <= r.start_time then interval '1 day' else interval '0' end
      ) at time zone z.name as ends_at
    from zone as z
    -- Of timestamps, not dates: a series of dates becomes one of instants, midnights of whatever zone
    -- the connection happens to be set to.
    cross join lateral generate_series(
      -- A shift of the evening before may reach into the span.
      date_trunc('day', lower(working_time.span) at time zone z.name) - interval '1 day',
      date_trunc('day', upper(working_time.span) at time zone z.name),
      interval '1 day'
    ) as day (local)
    join hospital.doctor_schedules as r
      on r.doctor_id = working_time.doctor_id
      and r.weekday = extract(isodow from day.local)
      and r.effective @> day.local::date
  ),
  worked as (
    select coalesce(range_agg(tstzrange(s.starts_at, s.ends_at)), '{}') as time
    from shifts as s
    where s.starts_at < s.ends_at
  ),
  away as (
    select coalesce(range_agg(tstzrange(o.starts_at, o.ends_at)), '{}') as time
    from hospital.doctor_time_off as o
    where o.doctor_id = working_time.doctor_id
      and tstzrange(o.starts_at, o.ends_at) && working_time.span
  )
  select worked.time * tstzmultirange(working_time.span) - away.time
  from worked
  cross join away;
$$;
comment on function hospital_private.working_time(bigint, tstzrange) is
  'The time in the span that an active doctor works: weekly hours in the facility''s zone less time off. Lends the owner''s right to read schedules and absences without their reasons.';

create or replace function hospital_private.available_time(doctor_id bigint, span tstzrange)
returns tstzmultirange
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select hospital_private.working_time(available_time.doctor_id, available_time.span) - coalesce(
    (
      select range_agg(a.busy)
      from hospital.appointments as a
      where a.doctor_id = available_time.doctor_id
        and a.busy && available_time.span
        and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
        and (a.expires_at is null or a.expires_at > clock_timestamp())
    ),
    '{}'
  );
$$;
comment on function hospital_private.available_time(bigint, tstzrange) is
  'The time in the span in which a doctor works and is not taken. Lends the owner''s right to see when appointments are, not whose.';

--! split: 531-04-scheduling-book_appointment.sql
-- source: sql/04-scheduling/book_appointment.sql
-- Look, lock, insert. The exclusion constraints decide; the look gives the clear answer early, and
-- the locks keep two bookings of one slot from deadlocking on the way to the constraint.
create or replace function hospital.book_appointment(
  patient_id bigint,
  doctor_id bigint,
  appointment_type_id bigint,
  starts_at timestamptz,
  reason text default null
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  kind hospital.appointment_types;
  place bigint;
  span tstzrange;
  booked hospital.appointments;
  taken text;
begin
  select t.*
  into kind
  from hospital.appointment_types as t
  where t.id = book_appointment.appointment_type_id;
  if kind.id is null
    or not exists (
      select
      from hospital.patients as p
      where p.id = book_appointment.patient_id
    )
    or not exists (
      select
      from hospital.doctors as d
      where d.id = book_appointment.doctor_id
    )
  then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient, doctor or appointment type.';
  end if;
  if book_appointment.starts_at <= now() then
    raise exception using
      errcode = 'PASTT',
      message = 'That time has passed.';
  end if;

  place := hospital_private.scheduled_room_id(book_appointment.doctor_id, book_appointment.starts_at);
  span := tstzrange(
    book_appointment.starts_at - make_interval(mins => kind.buffer_before_minutes),
    book_appointment.starts_at
      + make_interval(mins => kind.duration_minutes + kind.buffer_after_minutes)
  );
  taken := hospital_private.booking_conflict(
    book_appointment.doctor_id, book_appointment.patient_id, place, span
  );
  if taken is null then
    perform hospital_private.lock_calendars(
      book_appointment.doctor_id, book_appointment.patient_id, place
    );
    insert into hospital.appointments
      (patient_id, doctor_id, room_id, appointment_type_id, starts_at, reason)
    values (
      book_appointment.patient_id,
      book_appointment.doctor_id,
      place,
      kind.id,
      book_appointment.starts_at,
      book_appointment.reason
    )
    on conflict do nothing
    returning *
    into booked;
    if booked.id is not null then
      return booked;
    end if;
    taken := hospital_private.booking_conflict(
      book_appointment.doctor_id, book_appointment.patient_id, place, span
    );
  end if;

  raise exception using
    errcode = case taken
      when 'patient' then 'PATBU'
      when 'room' then 'ROOMT'
      else 'SLOTT'
    end,
    message = case taken
      when 'patient' then 'The patient has another appointment at that time.'
      when 'room' then 'The room is taken at that time.'
      else 'That time is already taken.'
    end,
    hint = 'Ask freeSlots for times that can be booked.';
end;
$$;
comment on function hospital.book_appointment(bigint, bigint, bigint, timestamptz, text) is
  'Books a time with a doctor for a patient the caller may book for. Raises NTFND, PASTT, NOTBK, OUTWH, and SLOTT, PATBU or ROOMT when doctor, patient or room is taken.';

--! split: 532-04-scheduling-booking_conflict.sql
-- source: sql/04-scheduling/booking_conflict.sql
create or replace function hospital_private.booking_conflict(
  doctor_id bigint,
  patient_id bigint,
  room_id bigint,
  busy tstzrange
)
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select case
      when a.doctor_id = booking_conflict.doctor_id then 'doctor'
      when a.patient_id = booking_conflict.patient_id then 'patient'
      else 'room'
    end as party
  from hospital.appointments as a
  where a.busy && booking_conflict.busy
    and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
    and (
      a.doctor_id = booking_conflict.doctor_id
      or (
        a.patient_id = booking_conflict.patient_id
        -- A patient may ask about himself, so nobody learns another's calendar by trying times.
        and (
          a.patient_id = (select hospital_private.current_patient_id())
          or (select hospital_private.current_staff_member_id()) is not null
        )
      )
      or a.room_id = booking_conflict.room_id
    )
  order by party
  limit 1;
$$;
comment on function hospital_private.booking_conflict(bigint, bigint, bigint, tstzrange) is
  'Which of doctor, patient and room is taken in a span, or null. Lends the owner''s right to see that appointments exist, not what they are.';

--! split: 533-04-scheduling-change_appointment.sql
-- source: sql/04-scheduling/change_appointment.sql
-- The small changes of an appointment's life. Each finds the row under the caller's policies, so a
-- row that is not his does not exist for him.
create or replace function hospital.update_appointment(appointment_id bigint, reason text)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments;
begin
  update hospital.appointments as a
  set reason = update_appointment.reason
  where a.id = update_appointment.appointment_id
  returning a.*
  into appointment;
  return hospital_private.found_appointment(appointment);
end;
$$;
comment on function hospital.update_appointment(bigint, text) is
  'Changes the reason for which the patient comes. Raises NTFND.';

-- A cancellation is made once: repeating it, as a client may after a lost answer, keeps the reason
-- and the time of the first.
create or replace function hospital.cancel_appointment(
  appointment_id bigint,
  cancellation_reason text default 'patient_request'
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments;
begin
  update hospital.appointments as a
  set status = 'cancelled',
    cancellation_reason = cancel_appointment.cancellation_reason
  where a.id = cancel_appointment.appointment_id
    and a.status <> 'cancelled'
  returning a.*
  into appointment;
  if appointment.id is not null then
    return appointment;
  end if;

  select a.*
  into appointment
  from hospital.appointments as a
  where a.id = cancel_appointment.appointment_id;
  perform hospital_private.found_appointment(appointment);
  if appointment.status <> 'cancelled' then
    raise exception using
      errcode = 'TRNSN',
      message = 'This appointment can no longer be cancelled.';
  end if;
  return appointment;
end;
$$;
comment on function hospital.cancel_appointment(bigint, text) is
  'Calls an appointment off with a coded reason and frees its time at once; patients do so before it begins and give a reason of their own party. Raises NTFND, TRNSN when the caller may no longer cancel it, or a conflict when its status does not allow it.';

create or replace function hospital.check_in(appointment_id bigint)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments;
begin
  update hospital.appointments as a
  set status = 'checked_in'
  where a.id = check_in.appointment_id
  returning a.*
  into appointment;
  return hospital_private.found_appointment(appointment);
end;
$$;
comment on function hospital.check_in(bigint) is
  'Records that the patient has arrived; for staff. Raises NTFND, or a conflict when its status does not allow it.';

create or replace function hospital.mark_no_show(appointment_id bigint)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments;
begin
  update hospital.appointments as a
  set status = 'no_show'
  where a.id = mark_no_show.appointment_id
  returning a.*
  into appointment;
  return hospital_private.found_appointment(appointment);
end;
$$;
comment on function hospital.mark_no_show(bigint) is
  'Records that the patient did not come; for staff and the doctor. Raises NTFND, or a conflict when its status does not allow it.';

--! split: 534-04-scheduling-derive_appointment.sql
-- source: sql/04-scheduling/derive_appointment.sql
-- What follows from other columns is written here, whatever the writer says: the end, the buffers,
-- the occupied span, and the moments that belong to a status.
create or replace function hospital_private.derive_appointment()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  kind hospital.appointment_types;
begin
  if tg_op = 'INSERT' or new.appointment_type_id <> old.appointment_type_id then
    select t.*
    into kind
    from hospital.appointment_types as t
    where t.id = new.appointment_type_id;
    new.buffer_before_minutes := coalesce(kind.buffer_before_minutes, 0);
    new.buffer_after_minutes := coalesce(kind.buffer_after_minutes, 0);
    new.ends_at := coalesce(
      new.ends_at,
      new.starts_at + make_interval(mins => kind.duration_minutes)
    );
  end if;
  if new.department_id is null then
    select m.department_id
    into new.department_id
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    where d.id = new.doctor_id;
  end if;
  -- An end before the start is left for the constraint to refuse by name.
  if new.ends_at > new.starts_at then
    new.busy := tstzrange(
      new.starts_at - make_interval(mins => new.buffer_before_minutes),
      new.ends_at + make_interval(mins => new.buffer_after_minutes)
    );
  else
    new.busy := 'empty';
  end if;
  if new.status = 'cancelled' then
    new.cancelled_at := coalesce(new.cancelled_at, now());
  else
    new.cancelled_at := null;
    new.cancellation_reason := null;
  end if;
  if new.status <> 'held' then
    new.expires_at := null;
  end if;
  return new;
end;
$$;
comment on function hospital_private.derive_appointment() is
  'Trigger: fills what follows from other columns of an appointment. Lends the owner''s right to read types and departments, which the writer may not see.';

create or replace trigger _200_derive
  before insert or update on hospital.appointments
  for each row execute function hospital_private.derive_appointment();

--! split: 535-04-scheduling-found_appointment.sql
-- source: sql/04-scheduling/found_appointment.sql
create or replace function hospital_private.found_appointment(appointment hospital.appointments)
returns hospital.appointments
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if appointment.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such appointment.';
  end if;
  return appointment;
end;
$$;
comment on function hospital_private.found_appointment(hospital.appointments) is
  'Returns the appointment, or raises NTFND when none was found.';

--! split: 536-04-scheduling-free_slots.sql
-- source: sql/04-scheduling/free_slots.sql
create or replace function hospital.free_slots(
  doctor_id bigint default null,
  department_id bigint default null,
  appointment_type_id bigint default null,
  starts_from timestamptz default null,
  starts_before timestamptz default null
)
returns setof hospital.free_slot
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  kind hospital.appointment_types;
  span tstzrange;
begin
  if num_nonnulls(free_slots.doctor_id, free_slots.department_id) = 0 then
    raise exception using
      errcode = 'MISSA',
      message = 'Name a doctor or a department.';
  end if;
  select t.*
  into kind
  from hospital.appointment_types as t
  where t.is_bookable
    and case
      when free_slots.appointment_type_id is null then t.code = 'consultation'
      else t.id = free_slots.appointment_type_id
    end;
  if kind.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such bookable appointment type.';
  end if;
  span := tstzrange(
    greatest(coalesce(free_slots.starts_from, now()), now()),
    greatest(
      coalesce(free_slots.starts_before, coalesce(free_slots.starts_from, now()) + interval '7 days'),
      coalesce(free_slots.starts_from, now()),
      now()
    )
  );
  if isempty(span) then
    return;
  end if;
  -- Added and not subtracted: infinity less an instant is an error on older servers.
  if upper(span) > lower(span) + interval '62 days' then
    raise exception using
      errcode = 'SPANL',
      message = 'The span is too long.',
      hint = 'Ask for at most 62 days at a time.';
  end if;

  return query
  with
  candidates as (
    select d.id
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    where d.is_active
      and (free_slots.doctor_id is null or d.id = free_slots.doctor_id)
      and (free_slots.department_id is null or m.department_id = free_slots.department_id)
  ),
  free as (
    select
      c.id as doctor_id,
      unnest(
        hospital_private.available_time(
          c.id,
          -- The last slot may start at the end of the span and reach beyond it.
          tstzrange(
            lower(span) - make_interval(mins => kind.buffer_before_minutes),
            upper(span)
              + make_interval(mins => kind.duration_minutes + kind.buffer_after_minutes)
          )
        )
      ) as stretch
    from candidates as c
  ),
  grid as (
    select
      f.doctor_id,
      f.stretch,
      slot.starts_at
    from free as f
    cross join lateral generate_series(
      -- Quarter hours are quarter hours in every zone there is.
      to_timestamp(
        ceil(
          extract(
            epoch from lower(f.stretch) + make_interval(mins => kind.buffer_before_minutes)
          ) / 900
        ) * 900
      ),
      upper(f.stretch)
        - make_interval(mins => kind.duration_minutes + kind.buffer_after_minutes),
      interval '15 minutes'
    ) as slot (starts_at)
    where slot.starts_at >= lower(span)
      and slot.starts_at < upper(span)
  )
  select
    g.doctor_id,
    place.room_id,
    kind.id,
    g.starts_at,
    g.starts_at + make_interval(mins => kind.duration_minutes)
  from grid as g
  cross join lateral (
    select hospital_private.scheduled_room_id(g.doctor_id, g.starts_at) as room_id
  ) as place
  where not exists (
    select
    from hospital.appointments as a
    where a.room_id = place.room_id
      and a.busy && tstzrange(
        g.starts_at - make_interval(mins => kind.buffer_before_minutes),
        g.starts_at + make_interval(mins => kind.duration_minutes + kind.buffer_after_minutes)
      )
      and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
      and (a.expires_at is null or a.expires_at > clock_timestamp())
  )
  order by
    g.starts_at,
    g.doctor_id;
end;
$$;
comment on function hospital.free_slots(bigint, bigint, bigint, timestamptz, timestamptz) is
  'The times at which a doctor, or any doctor of a department, can be booked for a type of appointment (a consultation unless named), by default in the next 7 days and at most 62. Raises MISSA, NTFND, SPANL. Lends the owner''s right to see when doctors and rooms are free, never with whom they are busy.';

--! split: 537-04-scheduling-guard_appointment.sql
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
begin
  select case
      when not d.is_active then 'This doctor cannot be booked.'
      when p.deactivated_at is not null or p.deceased_on is not null
        or p.merged_into_id is not null then 'This patient''s record is closed.'
      when not t.is_bookable then 'This type of appointment cannot be booked.'
    end
  into refusal
  from hospital.doctors as d
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
  if not hospital_private.working_time(new.doctor_id, new.busy) @> new.busy then
    raise exception using
      errcode = 'OUTWH',
      message = 'The doctor does not work at that time.',
      hint = 'Ask freeSlots for times that can be booked.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_appointment() is
  'Trigger: an appointment becomes or stays active only with a bookable doctor, patient and type and within working time. Raises NOTBK and OUTWH. Lends the owner''s right to read schedules.';

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
    )
  )
  execute function hospital_private.guard_appointment();

--! split: 538-04-scheduling-lock_calendars.sql
-- source: sql/04-scheduling/lock_calendars.sql
-- Two inserts that conflict under an exclusion constraint at the same instant deadlock by design.
-- Bookings therefore queue on the calendars they touch, always in the same order.
create or replace function hospital_private.lock_calendars(
  doctor_id bigint,
  patient_id bigint,
  room_id bigint
)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  calendar bigint;
begin
  -- The last two bits say whose calendar the number belongs to.
  for calendar in
    select k.key
    from unnest(
      array[
        lock_calendars.doctor_id * 4,
        lock_calendars.patient_id * 4 + 1,
        lock_calendars.room_id * 4 + 2
      ]
    ) as k (key)
    where k.key is not null
    order by k.key
  loop
    perform pg_advisory_xact_lock(calendar);
  end loop;
end;
$$;
comment on function hospital_private.lock_calendars(bigint, bigint, bigint) is
  'Takes the advisory locks of the calendars of doctor, patient and room (each may be null) until the transaction ends, in sorted order.';

--! split: 539-04-scheduling-notify_appointment.sql
-- source: sql/04-scheduling/notify_appointment.sql
-- Live subscribers hear that something changed, by keys alone; what they then read is read under
-- their own policies. History is no news, so loading it wakes nobody.
create or replace function hospital_private.notify_appointment()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  payload text := json_build_object('event', lower(tg_op), 'id', new.id)::text;
begin
  perform pg_notify('appointments:patient:' || new.patient_id, payload);
  perform pg_notify('appointments:doctor:' || new.doctor_id, payload);
  perform pg_notify('appointments:department:' || new.department_id, payload);
  return null;
end;
$$;
comment on function hospital_private.notify_appointment() is
  'Trigger: tells the channels of patient, doctor and department that an appointment changed.';

create or replace trigger _800_notify
  after insert or update on hospital.appointments
  for each row
  when (new.ends_at > now() - interval '1 day')
  execute function hospital_private.notify_appointment();

--! split: 540-04-scheduling-record_status_history.sql
-- source: sql/04-scheduling/record_status_history.sql
-- The history is written by the statement that made it, whoever runs it, and its foreign key to
-- the transitions refuses the change when it is not listed.
create or replace function hospital_private.record_first_status()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital.appointment_status_history (appointment_id, to_status, changed_by)
  select
    n.id,
    n.status,
    (select hospital_private.current_account_id())
  from new_rows as n;
  return null;
end;
$$;
comment on function hospital_private.record_first_status() is
  'Trigger: writes the first status of new appointments into the history. Lends the owner''s right to write it, which nobody else has.';

create or replace function hospital_private.record_status_change()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital.appointment_status_history
    (appointment_id, from_status, to_status, changed_by)
  select
    n.id,
    o.status,
    n.status,
    (select hospital_private.current_account_id())
  from new_rows as n
  join old_rows as o
    on o.id = n.id
  where o.status <> n.status;
  return null;
end;
$$;
comment on function hospital_private.record_status_change() is
  'Trigger: writes changes of status into the history, which refuses those not listed as transitions. Lends the owner''s right to write it, which nobody else has.';

create or replace trigger _700_history_insert
  after insert on hospital.appointments
  referencing new table as new_rows
  for each statement execute function hospital_private.record_first_status();

create or replace trigger _700_history_update
  after update on hospital.appointments
  referencing old table as old_rows new table as new_rows
  for each statement execute function hospital_private.record_status_change();

--! split: 541-04-scheduling-register_patient_and_book.sql
-- source: sql/04-scheduling/register_patient_and_book.sql
-- Registration and the first appointment stand or fall together: when the slot is taken there is no
-- half-registered patient left behind.
create or replace function hospital.register_patient_and_book(
  given_name text,
  family_name text,
  date_of_birth date,
  sex text,
  doctor_id bigint,
  appointment_type_id bigint,
  starts_at timestamptz,
  email text default null,
  password text default null,
  phone text default null,
  address text default null,
  time_zone text default null,
  reason text default null
)
returns hospital.appointments
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  patient hospital.patients;
begin
  patient := hospital.register_patient(
    given_name => register_patient_and_book.given_name,
    family_name => register_patient_and_book.family_name,
    date_of_birth => register_patient_and_book.date_of_birth,
    sex => register_patient_and_book.sex,
    email => register_patient_and_book.email,
    password => register_patient_and_book.password,
    phone => register_patient_and_book.phone,
    address => register_patient_and_book.address,
    time_zone => register_patient_and_book.time_zone
  );
  return hospital.book_appointment(
    patient_id => patient.id,
    doctor_id => register_patient_and_book.doctor_id,
    appointment_type_id => register_patient_and_book.appointment_type_id,
    starts_at => register_patient_and_book.starts_at,
    reason => register_patient_and_book.reason
  );
end;
$$;
comment on function hospital.register_patient_and_book(
  text, text, date, text, bigint, bigint, timestamptz, text, text, text, text, text, text
) is
  'Registers a patient and books the first appointment in one transaction. Raises what registerPatient and bookAppointment raise. Lends the owner''s right to write people and appointments to visitors, for the patient just made.';

--! split: 542-04-scheduling-roster_patient_ids.sql
-- source: sql/04-scheduling/roster_patient_ids.sql
-- The patients of whoever asks: a doctor's by his own appointments, other staff's by their
-- department's. Called once per statement, as = any (array(select …)).
create or replace function hospital_private.roster_patient_ids()
returns setof bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select distinct a.patient_id
  from hospital.appointments as a
  where a.doctor_id = (select hospital_private.current_doctor_id())
    and a.status not in ('cancelled', 'lapsed')
  union
  select distinct a.patient_id
  from hospital.appointments as a
  where a.department_id = (select hospital_private.current_department_id())
    and (select hospital_private.session_has_role('staff'))
    and a.status not in ('cancelled', 'lapsed');
$$;
comment on function hospital_private.roster_patient_ids() is
  'The keys of the patients on the roster of the live session. Lends the owner''s right to read appointments for this one question.';

--! split: 543-04-scheduling-scheduled_room_id.sql
-- source: sql/04-scheduling/scheduled_room_id.sql
create or replace function hospital_private.scheduled_room_id(doctor_id bigint, starts_at timestamptz)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select r.room_id
  from hospital.doctors as d
  join hospital.staff_members as m
    on m.id = d.staff_member_id
  join hospital.departments as p
    on p.id = m.department_id
  join hospital.facilities as f
    on f.id = p.facility_id
  cross join lateral (
    select scheduled_room_id.starts_at at time zone f.time_zone as time
  ) as local
  join hospital.doctor_schedules as r
    on r.doctor_id = d.id
  -- The shift started today, or last evening and runs over midnight.
  join generate_series(0, 1) as days_ago
    on r.weekday = extract(isodow from local.time - make_interval(days => days_ago))
    and r.effective @> local.time::date - days_ago
    and r.minutes @> (
      extract(hour from local.time) * 60 + extract(minute from local.time) + 1440 * days_ago
    )::integer
  where d.id = scheduled_room_id.doctor_id
  order by days_ago
  limit 1;
$$;
comment on function hospital_private.scheduled_room_id(bigint, timestamptz) is
  'The room a doctor''s weekly hours name at an instant, or null. Lends the owner''s right to read schedules.';

--! split: 544-04-scheduling-send_reminders.sql
-- source: sql/04-scheduling/send_reminders.sql
-- Writes reminders into the outbox. The unique reason makes the job safe to run twice, at once, or
-- again after it was killed; a moved appointment has another reason and is reminded of anew.
create or replace function ops.send_reminders()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  upcoming as (
    select
      a.id,
      a.patient_id,
      a.starts_at,
      a.starts_at at time zone coalesce(p.time_zone, f.time_zone) as local_start,
      d.name as department_name,
      f.name as facility_name
    from hospital.appointments as a
    join hospital.patients as p
      on p.id = a.patient_id
    join hospital.departments as d
      on d.id = a.department_id
    join hospital.facilities as f
      on f.id = d.facility_id
    where a.status = 'scheduled'
      and p.deceased_on is null
      and a.starts_at > now()
      and a.starts_at <= now() + interval '24 hours'
  ),
  written as (
    insert into hospital.notifications (reason, patient_id, appointment_id, subject, body)
    select
      format('reminder:%s:%s', u.id, extract(epoch from u.starts_at)::bigint),
      u.patient_id,
      u.id,
      'Your appointment',
      format(
        'You have an appointment on %s at %s, %s, %s.',
        to_char(u.local_start, 'FMDay, FMDD FMMonth YYYY'),
        to_char(u.local_start, 'HH24:MI'),
        u.department_name,
        u.facility_name
      )
    from upcoming as u
    on conflict on constraint notifications_one_per_reason do nothing
    returning id
  )
  select count(*)
  from written;
$$;
comment on function ops.send_reminders() is
  'Writes one reminder for every scheduled appointment of the next 24 hours, in the patient''s time, and returns how many were new. Lends the worker the owner''s right to read appointments and write messages.';

--! split: 545-05-clinical-change_visit.sql
-- source: sql/05-clinical/change_visit.sql
create or replace function hospital.amend_visit(
  visit_id bigint,
  amendment_reason text,
  diagnosis text default null,
  notes text default null
)
returns hospital.visits
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  visit hospital.visits;
begin
  if btrim(coalesce(amend_visit.amendment_reason, '')) = '' then
    raise exception using
      errcode = 'MISSA',
      message = 'Say why the record is amended.';
  end if;
  update hospital.visits as v
  set diagnosis = coalesce(amend_visit.diagnosis, v.diagnosis),
    notes = coalesce(amend_visit.notes, v.notes),
    amendment_reason = amend_visit.amendment_reason
  where v.id = amend_visit.visit_id
    and (v.diagnosis, v.notes) is distinct from (
      coalesce(amend_visit.diagnosis, v.diagnosis),
      coalesce(amend_visit.notes, v.notes)
    )
  returning v.*
  into visit;
  if visit.id is null then
    select v.*
    into visit
    from hospital.visits as v
    where v.id = amend_visit.visit_id
      and v.voided_at is null
      -- Another doctor's visit, which the caller may read and not change, is none of his.
      and v.doctor_id = hospital_private.current_doctor_id();
  end if;
  return hospital_private.found_visit(visit);
end;
$$;
comment on function hospital.amend_visit(bigint, text, text, text) is
  'Corrects the words of a visit, with a reason; the version before is kept. Raises NTFND, MISSA.';

create or replace function hospital.complete_visit(visit_id bigint)
returns hospital.visits
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  visit hospital.visits;
begin
  update hospital.visits as v
  set ended_at = coalesce(v.ended_at, greatest(now(), v.started_at))
  where v.id = complete_visit.visit_id
  returning v.*
  into visit;
  perform hospital_private.found_visit(visit);
  update hospital.appointments as a
  set status = 'completed'
  where a.id = visit.appointment_id
    and a.status = 'in_progress';
  return visit;
end;
$$;
comment on function hospital.complete_visit(bigint) is
  'Ends a visit and completes its appointment. Raises NTFND.';

create or replace function hospital.void_visit(visit_id bigint, reason text)
returns hospital.visits
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  visit hospital.visits;
begin
  update hospital.visits as v
  set voided_at = now(),
    void_reason = void_visit.reason
  where v.id = void_visit.visit_id
    and v.voided_at is null
  returning v.*
  into visit;
  -- What was entered in error no longer keeps doctor and patient busy.
  update hospital.appointments as a
  set status = 'completed'
  where a.id = visit.appointment_id
    and a.status = 'in_progress';
  -- Voiding twice is no error and keeps the first reason.
  if visit.id is null then
    select v.*
    into visit
    from hospital.visits as v
    where v.id = void_visit.visit_id
      and v.voided_at is not null
      and v.doctor_id = hospital_private.current_doctor_id();
  end if;
  return hospital_private.found_visit(visit);
end;
$$;
comment on function hospital.void_visit(bigint, text) is
  'Declares a visit entered in error, with a reason, and closes its appointment; nothing is deleted. Raises NTFND.';

--! split: 546-05-clinical-computed_columns.sql
-- source: sql/05-clinical/computed_columns.sql
create or replace function hospital.patients_medications_in_use(patient hospital.patients)
returns setof hospital.prescriptions
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select p.*
  from hospital.prescriptions as p
  where p.patient_id = patient.id
    and p.stopped_at is null
    and p.start_date <= (now() at time zone coalesce(patient.time_zone, 'UTC'))::date
    and (
      p.end_date is null
      or p.end_date >= (now() at time zone coalesce(patient.time_zone, 'UTC'))::date
    )
  order by
    p.start_date,
    p.id;
$$;
comment on function hospital.patients_medications_in_use(hospital.patients) is
  'The prescriptions the patient should be taking today: begun, neither ended nor stopped.';

create or replace function hospital.visits_treatment_cost(visit hospital.visits)
returns numeric
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(t.cost), 0)
  from hospital.treatments as t
  where t.visit_id = visit.id
    and t.voided_at is null;
$$;
comment on function hospital.visits_treatment_cost(hospital.visits) is
  'The cost of the visit''s treatments in US dollars, without those withdrawn.';

--! split: 547-05-clinical-found_visit.sql
-- source: sql/05-clinical/found_visit.sql
create or replace function hospital_private.found_visit(visit hospital.visits)
returns hospital.visits
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if visit.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such visit in a chart you have open.',
      hint = 'Open the patient''s chart with openChart first.';
  end if;
  return visit;
end;
$$;
comment on function hospital_private.found_visit(hospital.visits) is
  'Returns the visit, or raises NTFND when none was found.';

--! split: 548-05-clinical-guard_visit.sql
-- source: sql/05-clinical/guard_visit.sql
-- A visit is what happened at an appointment that took place: on no path can one be hung on an
-- appointment that is still to come, was missed or was called off.
create or replace function hospital_private.guard_visit()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select
    from hospital.appointments as a
    where a.id = new.appointment_id
      and a.status not in ('in_progress', 'completed')
  ) then
    raise exception using
      errcode = 'TRNSN',
      message = 'A visit belongs to an appointment that is in progress or completed.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_visit() is
  'Trigger: refuses a visit of an appointment that is neither in progress nor completed. Raises TRNSN. Lends the owner''s right to read the appointment.';

create or replace trigger _300_guard
  before insert or update of appointment_id on hospital.visits
  for each row execute function hospital_private.guard_visit();

--! split: 549-05-clinical-keep_visit_version.sql
-- source: sql/05-clinical/keep_visit_version.sql
-- A record that was read may have been acted on, so the words it had stay: whoever changes them, on
-- whatever path, leaves the old version behind and says why.
create or replace function hospital_private.keep_visit_version()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital.visit_versions
    (visit_id, version, patient_id, diagnosis, notes, amendment_reason, replaced_by)
  values (
    old.id,
    old.version,
    old.patient_id,
    old.diagnosis,
    old.notes,
    old.amendment_reason,
    hospital_private.current_account_id()
  );
  new.version := old.version + 1;
  return new;
end;
$$;
comment on function hospital_private.keep_visit_version() is
  'Trigger: keeps the version of a visit that is being amended and counts the next. Lends the owner''s right to write versions, which nobody else has.';

create or replace trigger _200_version
  before update on hospital.visits
  for each row
  when (
    old.diagnosis is distinct from new.diagnosis
    or old.notes is distinct from new.notes
    or old.amendment_reason is distinct from new.amendment_reason
  )
  execute function hospital_private.keep_visit_version();

--! split: 550-05-clinical-open_chart.sql
-- source: sql/05-clinical/open_chart.sql
create or replace function hospital.open_chart(patient_id bigint, purpose text default 'treatment')
returns hospital.patients
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  patient hospital.patients;
begin
  perform hospital_private.require_role('doctor', 'nurse');
  select p.*
  into patient
  from hospital.patients as p
  where p.id = open_chart.patient_id
    and p.id in (select hospital_private.roster_patient_ids());
  if patient.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient on your roster.';
  end if;
  insert into audit.chart_accesses (patient_id, account_id, session_id, role, purpose)
  select
    patient.id,
    s.account_id,
    s.id,
    s.role,
    open_chart.purpose
  from hospital_private.current_session() as s
  on conflict on constraint chart_accesses_one_per_session_and_purpose do nothing;
  return patient;
end;
$$;
comment on function hospital.open_chart(bigint, text) is
  'Opens the chart of a patient on the roster for the rest of the session and records who, when and why. Raises UNAUT, PRMSN, NTFND. Lends the owner''s right to write the access log.';

--! split: 551-05-clinical-open_charts.sql
-- source: sql/05-clinical/open_charts.sql
-- The clinical policies of staff rest on this: no row here, no clinical row there. So reading a
-- chart without leaving a trace is not forbidden but impossible.
create or replace function hospital_private.open_charts()
returns setof bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select distinct c.patient_id
  from audit.chart_accesses as c
  where c.session_id = (select s.id from hospital_private.current_session() as s);
$$;
comment on function hospital_private.open_charts() is
  'The keys of the patients whose charts the live session has opened. Lends the owner''s right to read the access log for this one question.';

--! split: 552-05-clinical-prescribe.sql
-- source: sql/05-clinical/prescribe.sql
create or replace function hospital.add_prescription(
  visit_id bigint,
  medication_id bigint,
  dosage text,
  duration_days integer default null,
  start_date date default null,
  instructions text default null
)
returns hospital.prescriptions
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  visit hospital.visits;
  prescription hospital.prescriptions;
begin
  select v.*
  into visit
  from hospital.visits as v
  where v.id = add_prescription.visit_id
    and v.voided_at is null;
  perform hospital_private.found_visit(visit);
  if not exists (
    select
    from hospital.medications as m
    where m.id = add_prescription.medication_id
      and m.is_active
  ) then
    raise exception using
      errcode = 'UNKWN',
      message = 'There is no such medicine that may be prescribed.';
  end if;
  insert into hospital.prescriptions
    (visit_id, patient_id, medication_id, prescribed_by, dosage, instructions, start_date, duration_days)
  values (
    visit.id,
    visit.patient_id,
    add_prescription.medication_id,
    hospital_private.current_doctor_id(),
    add_prescription.dosage,
    add_prescription.instructions,
    coalesce(
      add_prescription.start_date,
      -- Today, where the patient was seen.
      (
        select (now() at time zone f.time_zone)::date
        from hospital.appointments as a
        join hospital.departments as d
          on d.id = a.department_id
        join hospital.facilities as f
          on f.id = d.facility_id
        where a.id = visit.appointment_id
      )
    ),
    add_prescription.duration_days
  )
  returning *
  into prescription;
  return prescription;
end;
$$;
comment on function hospital.add_prescription(bigint, bigint, text, integer, date, text) is
  'Prescribes a medicine at a visit, from today unless another first day is given. Raises NTFND, UNKWN.';

create or replace function hospital.stop_prescription(prescription_id bigint, reason text)
returns hospital.prescriptions
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  prescription hospital.prescriptions;
begin
  update hospital.prescriptions as p
  set stopped_at = now(),
    stop_reason = stop_prescription.reason
  where p.id = stop_prescription.prescription_id
    and p.stopped_at is null
  returning p.*
  into prescription;
  -- Stopping twice is no error and keeps the first reason.
  if prescription.id is null then
    select p.*
    into prescription
    from hospital.prescriptions as p
    where p.id = stop_prescription.prescription_id
      and p.stopped_at is not null;
  end if;
  if prescription.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such prescription in a chart you have open.';
  end if;
  return prescription;
end;
$$;
comment on function hospital.stop_prescription(bigint, text) is
  'Stops a prescription early, with a reason; nothing is deleted. Raises NTFND.';

--! split: 553-05-clinical-record_condition.sql
-- source: sql/05-clinical/record_condition.sql
create or replace function hospital.record_condition(
  patient_id bigint,
  diagnosis_code_id bigint,
  onset_on date,
  abated_on date default null
)
returns hospital.patient_conditions
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  condition hospital.patient_conditions;
begin
  insert into hospital.patient_conditions (patient_id, diagnosis_code_id, onset_on, abated_on)
  values (
    record_condition.patient_id,
    record_condition.diagnosis_code_id,
    record_condition.onset_on,
    record_condition.abated_on
  )
  returning *
  into condition;
  return condition;
end;
$$;
comment on function hospital.record_condition(bigint, bigint, date, date) is
  'Adds a condition to the medical history of a patient whose chart is open, with its first and, if over, last local day.';

--! split: 554-05-clinical-record_visit.sql
-- source: sql/05-clinical/record_visit.sql
create or replace function hospital.record_visit(
  appointment_id bigint,
  diagnosis text default null,
  notes text default null,
  diagnosis_codes text[] default null
)
returns hospital.visits
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments;
  visit hospital.visits;
begin
  select a.*
  into appointment
  from hospital.appointments as a
  where a.id = record_visit.appointment_id
  for update;
  -- What was called off the caller may see and not lock: it is refused below, and not unknown.
  if appointment.id is null then
    select a.*
    into appointment
    from hospital.appointments as a
    where a.id = record_visit.appointment_id;
  end if;
  perform hospital_private.found_appointment(appointment);

  if appointment.status in ('scheduled', 'checked_in') then
    update hospital.appointments as a
    set status = 'in_progress'
    where a.id = appointment.id;
  elsif appointment.status <> 'in_progress' then
    raise exception using
      errcode = 'TRNSN',
      message = 'A visit begins from a scheduled appointment or after check-in.';
  end if;
  -- Writing a record is reading it too.
  perform hospital.open_chart(appointment.patient_id, 'treatment');

  insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at, diagnosis, notes)
  values (
    appointment.id,
    appointment.patient_id,
    appointment.doctor_id,
    now(),
    record_visit.diagnosis,
    record_visit.notes
  )
  returning *
  into visit;

  if exists (
    select
    from unnest(record_visit.diagnosis_codes) as given (code)
    where not exists (
      select
      from hospital.diagnosis_codes as c
      where c.system = 'icd10cm'
        and c.code = given.code
    )
  ) then
    raise exception using
      errcode = 'UNKWN',
      message = 'There is no such ICD-10-CM code among the diagnoses.';
  end if;
  insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank)
  select
    visit.id,
    visit.patient_id,
    c.id,
    given.rank
  from unnest(record_visit.diagnosis_codes) with ordinality as given (code, rank)
  join hospital.diagnosis_codes as c
    on c.system = 'icd10cm'
    and c.code = given.code;
  return visit;
end;
$$;
comment on function hospital.record_visit(bigint, text, text, text[]) is
  'Begins the visit of one of the doctor''s own appointments and opens the chart; ICD-10-CM codes come principal first. Raises NTFND, TRNSN, UNKWN, or a conflict when the appointment has a visit.';

--! split: 555-05-clinical-treat.sql
-- source: sql/05-clinical/treat.sql
create or replace function hospital.add_treatment(
  visit_id bigint,
  type text,
  cost numeric,
  notes text default null,
  started_at timestamptz default null,
  ended_at timestamptz default null,
  outcome text default null
)
returns hospital.treatments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  visit hospital.visits;
  treatment hospital.treatments;
begin
  select v.*
  into visit
  from hospital.visits as v
  where v.id = add_treatment.visit_id
    and v.voided_at is null;
  perform hospital_private.found_visit(visit);
  insert into hospital.treatments
    (visit_id, patient_id, type, cost, notes, started_at, ended_at, outcome)
  values (
    visit.id,
    visit.patient_id,
    add_treatment.type,
    add_treatment.cost,
    add_treatment.notes,
    coalesce(add_treatment.started_at, now()),
    add_treatment.ended_at,
    add_treatment.outcome
  )
  returning *
  into treatment;
  return treatment;
end;
$$;
comment on function hospital.add_treatment(
  bigint, text, numeric, text, timestamptz, timestamptz, text
) is
  'Records a treatment at a visit with its cost in US dollars, begun now unless another instant is given. Raises NTFND, or a conflict for an unknown type or outcome.';

create or replace function hospital.void_treatment(treatment_id bigint, reason text)
returns hospital.treatments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  treatment hospital.treatments;
begin
  update hospital.treatments as t
  set voided_at = now(),
    void_reason = void_treatment.reason
  where t.id = void_treatment.treatment_id
    and t.voided_at is null
  returning t.*
  into treatment;
  -- Withdrawing twice is no error and keeps the first reason.
  if treatment.id is null then
    select t.*
    into treatment
    from hospital.treatments as t
    where t.id = void_treatment.treatment_id
      and t.voided_at is not null;
  end if;
  if treatment.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such treatment in a chart you have open.';
  end if;
  return treatment;
end;
$$;
comment on function hospital.void_treatment(bigint, text) is
  'Withdraws a treatment entered in error, with a reason; nothing is deleted. Raises NTFND.';

--! split: 556-policies-owner.sql
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
create policy owner_all_rows on hospital.appointment_types to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_statuses to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_status_transitions to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.cancellation_reasons to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointments to hospital_owner using (true) with check (true);
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

--! split: 557-policies-administrator.sql
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
  'hospital.appointment_types', 'hospital.appointment_statuses',
  'hospital.appointment_status_transitions', 'hospital.cancellation_reasons',
  'hospital.appointments', 'hospital.appointment_status_history', 'hospital.diagnosis_codes',
  'hospital.medications', 'hospital.treatment_types', 'hospital.outcome_codes',
  'hospital.notifications'
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
create policy administrator_insert_scheduled on hospital.appointments
  for insert to hospital_administrator
  with check ((select hospital_private.session_has_role('administrator')) and status = 'scheduled');
create policy administrator_update_all on hospital.appointments
  for update to hospital_administrator
  using ((select hospital_private.session_has_role('administrator')))
  with check ((select hospital_private.session_has_role('administrator')));
grant
  insert (patient_id, doctor_id, room_id, appointment_type_id, starts_at, reason),
  update (status, cancellation_reason, reason)
on hospital.appointments to hospital_administrator;

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
  hospital.free_slots,
  hospital.book_appointment,
  hospital.update_appointment,
  hospital.cancel_appointment,
  hospital.check_in,
  hospital.mark_no_show,
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.staff_members_full_name,
  hospital.doctors_full_name,
  hospital.doctors_experience_years,
  hospital.departments_doctors,
  hospital_private.matching_patient_ids,
  hospital_private.booking_conflict,
  hospital_private.lock_calendars,
  hospital_private.scheduled_room_id,
  hospital_private.found_appointment,
  hospital_private.write_contact,
  hospital_private.escape_like
to hospital_administrator;

--! split: 558-policies-analyst.sql
-- source: policies/analyst.sql
-- hospital_analyst can log in; what it reads comes with the masked views.
call hospital_private.reset_access('hospital_analyst');
grant usage on schema hospital, analytics, hospital_private to hospital_analyst;

grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account
to hospital_analyst;

--! split: 559-policies-anonymous.sql
-- source: policies/anonymous.sql
-- hospital_anonymous is everybody who has not logged in: the building and what can be booked there,
-- registration and log-in, and nothing of anyone.
call hospital_private.reset_access('hospital_anonymous');
grant usage on schema hospital, analytics, hospital_private to hospital_anonymous;

-- The building.
create policy anonymous_select_all on hospital.facilities
  for select to hospital_anonymous
  using (true);
grant select on hospital.facilities to hospital_anonymous;
create policy anonymous_select_active on hospital.departments
  for select to hospital_anonymous
  using (is_active);
grant select on hospital.departments to hospital_anonymous;
create policy anonymous_select_all on hospital.specialties
  for select to hospital_anonymous
  using (true);
grant select on hospital.specialties to hospital_anonymous;
create policy anonymous_select_bookable on hospital.appointment_types
  for select to hospital_anonymous
  using (is_bookable);
grant select on hospital.appointment_types to hospital_anonymous;

-- Registration and log-in.
grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account,
  hospital.register_patient,
  hospital.register_doctor,
  hospital.register_patient_and_book,
  hospital.free_slots,
  -- Of the row just registered.
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.doctors_full_name,
  hospital.doctors_experience_years
to hospital_anonymous;

--! split: 560-policies-auditor.sql
-- source: policies/auditor.sql
-- hospital_auditor can log in; what it reads comes with the audit.
call hospital_private.reset_access('hospital_auditor');
grant usage on schema hospital, analytics, hospital_private to hospital_auditor;

grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account
to hospital_auditor;

--! split: 561-policies-billing.sql
-- source: policies/billing.sql
-- hospital_billing sees whom to bill and for which appointments, and no clinical row.
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
  'hospital.appointment_statuses', 'hospital.cancellation_reasons', 'hospital.patients'
);
-- Bills are posted to patients; staff are not billed.
create policy billing_select_patients on hospital.contact_points
  for select to hospital_billing
  using ((select hospital_private.session_has_role('billing')) and patient_id is not null);
grant select on hospital.contact_points to hospital_billing;
create policy billing_select_all on hospital.appointments
  for select to hospital_billing
  using ((select hospital_private.session_has_role('billing')));
grant select on hospital.appointments to hospital_billing;

grant execute on function
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.staff_members_full_name,
  hospital.doctors_full_name,
  hospital.departments_doctors
to hospital_billing;

--! split: 562-policies-doctor.sql
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
  hospital_private.roster_patient_ids,
  hospital_private.open_charts
to hospital_doctor;

-- The directory and the vocabularies.
call hospital_private.allow_reading(
  'hospital_doctor', 'doctor',
  'hospital.facilities', 'hospital.departments', 'hospital.rooms', 'hospital.specialties',
  'hospital.jobs', 'hospital.staff_members', 'hospital.doctors', 'hospital.sexes',
  'hospital.contact_kinds', 'hospital.chart_purposes', 'hospital.doctor_schedules',
  'hospital.time_off_reasons', 'hospital.appointment_types', 'hospital.appointment_statuses',
  'hospital.appointment_status_transitions', 'hospital.cancellation_reasons',
  'hospital.diagnosis_codes', 'hospital.medications', 'hospital.treatment_types',
  'hospital.outcome_codes'
);
create policy doctor_select_own on hospital.doctor_time_off
  for select to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()));
grant select on hospital.doctor_time_off to hospital_doctor;

-- The roster: names, and how to reach those whose chart is open or oneself.
create policy doctor_select_roster on hospital.patients
  for select to hospital_doctor
  using (id = any (array(select hospital_private.roster_patient_ids())));
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
create policy doctor_insert_own_roster on hospital.appointments
  for insert to hospital_doctor
  with check (
    doctor_id = (select hospital_private.current_doctor_id())
    and patient_id = any (array(select hospital_private.roster_patient_ids()))
    and status = 'scheduled'
  );
-- What was called off is not taken back by the doctor: it would put the patient onto his roster.
create policy doctor_update_own on hospital.appointments
  for update to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()) and status <> 'cancelled')
  with check (doctor_id = (select hospital_private.current_doctor_id()));
grant
  select,
  insert (patient_id, doctor_id, room_id, appointment_type_id, starts_at, reason),
  update (status, cancellation_reason, reason)
on hospital.appointments to hospital_doctor;
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

-- What a doctor can do.
grant execute on function
  hospital.free_slots,
  hospital.search_doctors,
  hospital.search_patients,
  hospital.book_appointment,
  hospital.update_appointment,
  hospital.cancel_appointment,
  hospital.mark_no_show,
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
  hospital_private.lock_calendars,
  hospital_private.scheduled_room_id,
  hospital_private.found_appointment,
  hospital_private.found_visit,
  hospital_private.write_contact,
  hospital_private.escape_like
to hospital_doctor;

--! split: 563-policies-laboratory.sql
-- source: policies/laboratory.sql
-- hospital_laboratory has what all staff share; orders and results come with the laboratory.
call hospital_private.reset_access('hospital_laboratory');

--! split: 564-policies-nurse.sql
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
  using (id = any (array(select hospital_private.roster_patient_ids())));
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
grant select, update (status) on hospital.appointments to hospital_nurse;

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

grant execute on function
  hospital.open_chart,
  hospital.check_in,
  hospital.mark_no_show,
  hospital.search_patients,
  hospital_private.matching_patient_ids,
  hospital_private.found_appointment
to hospital_nurse;

--! split: 565-policies-patient.sql
-- source: policies/patient.sql
-- hospital_patient sees the own record, the calendar's free times and the directory of doctors.
call hospital_private.reset_access('hospital_patient');
grant usage on schema hospital, analytics, hospital_private to hospital_patient;

-- The session.
grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account,
  hospital_private.session_has_role,
  hospital_private.current_patient_id
to hospital_patient;

-- The directory and the vocabularies.
call hospital_private.allow_reading(
  'hospital_patient', 'patient',
  'hospital.facilities', 'hospital.departments', 'hospital.rooms', 'hospital.specialties',
  'hospital.sexes', 'hospital.contact_kinds', 'hospital.identifier_systems',
  'hospital.appointment_types', 'hospital.appointment_statuses', 'hospital.cancellation_reasons',
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

-- Oneself. Name, birth and sex are changed by reception, against a document.
create policy patient_select_own on hospital.patients
  for select to hospital_patient
  using (id = (select hospital_private.current_patient_id()));
create policy patient_update_own on hospital.patients
  for update to hospital_patient
  using (id = (select hospital_private.current_patient_id()))
  with check (id = (select hospital_private.current_patient_id()));
grant select, update (time_zone) on hospital.patients to hospital_patient;
create policy patient_select_own on hospital.contact_points
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
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
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.patient_identifiers to hospital_patient;

-- Appointments: book, change the reason, cancel. End and room are not the patient's to choose.
create policy patient_select_own on hospital.appointments
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
create policy patient_insert_own on hospital.appointments
  for insert to hospital_patient
  with check (
    patient_id = (select hospital_private.current_patient_id())
    and status = 'scheduled'
    and starts_at > now()
    and room_id is not distinct from hospital_private.scheduled_room_id(doctor_id, starts_at)
  );
-- What has begun, was missed, finished or called off is no longer the patient's to change: nobody
-- cancels afterwards what he missed, or takes back what the hospital cancelled.
create policy patient_update_own on hospital.appointments
  for update to hospital_patient
  using (
    patient_id = (select hospital_private.current_patient_id())
    and status in ('held', 'scheduled')
    and starts_at > now()
  )
  with check (
    patient_id = (select hospital_private.current_patient_id())
    and status in ('held', 'scheduled', 'cancelled')
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
  insert (patient_id, doctor_id, room_id, appointment_type_id, starts_at, reason),
  update (status, cancellation_reason, reason)
on hospital.appointments to hospital_patient;
create policy patient_select_own on hospital.appointment_status_history
  for select to hospital_patient
  using (
    appointment_id = any (
      array(
        select a.id
        from hospital.appointments as a
        where a.patient_id = (select hospital_private.current_patient_id())
      )
    )
  );
grant select on hospital.appointment_status_history to hospital_patient;
create policy patient_select_own on hospital.notifications
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.notifications to hospital_patient;

-- The record, to read.
create policy patient_select_own on hospital.visits
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.visits to hospital_patient;
create policy patient_select_own on hospital.visit_versions
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.visit_versions to hospital_patient;
create policy patient_select_own on hospital.visit_diagnoses
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.visit_diagnoses to hospital_patient;
create policy patient_select_own on hospital.patient_conditions
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.patient_conditions to hospital_patient;
create policy patient_select_own on hospital.prescriptions
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.prescriptions to hospital_patient;
create policy patient_select_own on hospital.treatments
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.treatments to hospital_patient;

-- What a patient can do.
grant execute on function
  hospital.free_slots,
  hospital.search_doctors,
  hospital.book_appointment,
  hospital.update_appointment,
  hospital.cancel_appointment,
  hospital.update_patient,
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.patients_medications_in_use,
  hospital.staff_members_full_name,
  hospital.doctors_full_name,
  hospital.doctors_experience_years,
  hospital.departments_doctors,
  hospital.visits_treatment_cost,
  hospital_private.booking_conflict,
  hospital_private.lock_calendars,
  hospital_private.scheduled_room_id,
  hospital_private.found_appointment,
  hospital_private.write_contact,
  hospital_private.escape_like
to hospital_patient;

--! split: 566-policies-pharmacist.sql
-- source: policies/pharmacist.sql
-- hospital_pharmacist has what all staff share; dispensing comes with the pharmacy.
call hospital_private.reset_access('hospital_pharmacist');

--! split: 567-policies-reception.sql
-- source: policies/reception.sql
-- hospital_reception registers people and keeps the calendar of everybody; it reads no clinical row.
call hospital_private.reset_access('hospital_reception');

-- Everybody who comes to the door.
create policy reception_select_all on hospital.patients
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
create policy reception_update_all on hospital.patients
  for update to hospital_reception
  using ((select hospital_private.session_has_role('reception')))
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
create policy reception_select_all on hospital.appointments
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
create policy reception_insert_scheduled on hospital.appointments
  for insert to hospital_reception
  with check ((select hospital_private.session_has_role('reception')) and status = 'scheduled');
create policy reception_update_all on hospital.appointments
  for update to hospital_reception
  using ((select hospital_private.session_has_role('reception')))
  with check ((select hospital_private.session_has_role('reception')));
grant
  select,
  insert (patient_id, doctor_id, room_id, appointment_type_id, starts_at, reason),
  update (status, cancellation_reason, reason)
on hospital.appointments to hospital_reception;
create policy reception_select_all on hospital.appointment_status_history
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
grant select on hospital.appointment_status_history to hospital_reception;
create policy reception_select_all on hospital.notifications
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
grant select on hospital.notifications to hospital_reception;

grant execute on function
  hospital.register_patient,
  hospital.register_patient_and_book,
  hospital.update_patient,
  hospital.deactivate_patient,
  hospital.search_patients,
  hospital.book_appointment,
  hospital.update_appointment,
  hospital.cancel_appointment,
  hospital.check_in,
  hospital.mark_no_show,
  hospital_private.matching_patient_ids,
  hospital_private.booking_conflict,
  hospital_private.lock_calendars,
  hospital_private.scheduled_room_id,
  hospital_private.found_appointment,
  hospital_private.write_contact
to hospital_reception;

--! split: 568-policies-staff.sql
-- source: policies/staff.sql
-- hospital_staff is what nurses, reception, pharmacists and laboratory share: the session, the
-- directory and the vocabularies. What each needs beyond stands in a file of its own.
call hospital_private.reset_access('hospital_staff');
grant usage on schema hospital, analytics, hospital_private to hospital_staff;

grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account,
  hospital_private.session_has_role,
  hospital_private.current_account_id,
  hospital_private.current_staff_member_id,
  hospital_private.current_department_id
to hospital_staff;

call hospital_private.allow_reading(
  'hospital_staff', 'staff',
  'hospital.time_zones', 'hospital.facilities', 'hospital.departments', 'hospital.rooms',
  'hospital.specialties', 'hospital.jobs', 'hospital.staff_members', 'hospital.doctors',
  'hospital.sexes', 'hospital.contact_kinds', 'hospital.identifier_systems',
  'hospital.chart_purposes', 'hospital.doctor_schedules', 'hospital.time_off_reasons',
  'hospital.appointment_types', 'hospital.appointment_statuses',
  'hospital.appointment_status_transitions', 'hospital.cancellation_reasons',
  'hospital.diagnosis_codes', 'hospital.medications', 'hospital.treatment_types',
  'hospital.outcome_codes'
);

grant execute on function
  hospital.free_slots,
  hospital.search_doctors,
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.patients_medications_in_use,
  hospital.staff_members_full_name,
  hospital.doctors_full_name,
  hospital.doctors_experience_years,
  hospital.departments_doctors,
  hospital.visits_treatment_cost,
  hospital_private.escape_like
to hospital_staff;

--! split: 569-policies-worker.sql
-- source: policies/worker.sql
-- hospital_worker runs the background jobs: it may call their functions and nothing more.
call hospital_private.reset_access('hospital_worker');
grant usage on schema ops to hospital_worker;

grant execute on function
  ops.start_job_run,
  ops.enter_job_run,
  ops.finish_job_run,
  ops.fail_job_run,
  ops.send_reminders
to hospital_worker;
