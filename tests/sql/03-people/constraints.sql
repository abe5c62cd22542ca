-- Every rule on places and people, refused by name, as the owner.
begin;
select no_plan();

select tests.patient('ann@example.test');
select tests.doctor(tests.department(tests.facility()), 'doc@example.test');
select tests.department();
select tests.be_owner();

create function pg_temp.refused(statement text) returns text
language sql
as $$ select tests.constraint_of($1) $$;

select is(
  pg_temp.refused($$update hospital.facilities set time_zone = 'Mars/Olympus'$$),
  'facilities_time_zone_fkey', 'A facility lies in a known zone.'
);
select is(
  pg_temp.refused($$update hospital.facilities set name = ' '$$),
  'facilities_name_not_blank', 'A facility has a name.'
);
select is(
  pg_temp.refused($$update hospital.facilities set phone = 'x'$$),
  'facilities_phone_plausible', 'A facility''s telephone number is one.'
);
select is(
  pg_temp.refused($$update hospital.departments set parent_id = id$$),
  'departments_not_own_parent', 'A department is not above itself.'
);
select is(pg_temp.refused(
  $$update hospital.departments set parent_id = (select max(id) from hospital.departments) where id = (select min(id) from hospital.departments)$$),
  'departments_parent_in_same_facility', 'A department hangs under one of the same facility.');
select is(
  pg_temp.refused($$insert into hospital.departments (facility_id, name) select facility_id, name from hospital.departments$$),
  'departments_name_unique_in_facility', 'A name is used once in a facility.'
);
select is(
  pg_temp.refused($$update hospital.departments set name = ''$$),
  'departments_name_not_blank', 'A department has a name.'
);
select is(
  pg_temp.refused($$insert into hospital.rooms (department_id, name) select min(id), ' ' from hospital.departments$$),
  'rooms_name_not_blank', 'A room has a name.'
);
select is(
  pg_temp.refused($$insert into hospital.rooms (department_id, name) select min(id), unnest(array['1', '1']) from hospital.departments$$),
  'rooms_name_unique_in_department', 'A name is used once in a department.'
);
select is(
  pg_temp.refused($$update hospital.staff_members set manager_id = id$$),
  'staff_members_not_own_manager', 'Nobody manages himself.'
);
select is(
  pg_temp.refused($$update hospital.staff_members set left_on = hired_on - 1$$),
  'staff_members_left_after_hired', 'Nobody leaves before he comes.'
);
select is(
  pg_temp.refused($$update hospital.staff_members set given_name = ''$$),
  'staff_members_name_not_blank', 'Staff have names.'
);
select is(
  pg_temp.refused($$update hospital.staff_members set job = 'nurse'$$),
  'doctors_is_staff_with_job_doctor', 'A doctor''s job is not changed under him.'
);
select is(
  pg_temp.refused($$update hospital.doctors set job = 'nurse'$$),
  'doctors_job_is_doctor', 'A doctor is a doctor.'
);
select is(pg_temp.refused(
  $$insert into hospital.doctors (staff_member_id, specialization, licence, practising_since)
  select tests.staff_member('nurse'), 'Cardiology', 'L', date '2000-01-01'$$),
  'doctors_is_staff_with_job_doctor', 'A nurse cannot be booked.');
select is(
  pg_temp.refused($$update hospital.doctors set deactivated_at = approved_at - interval '1 second'$$),
  'doctors_deactivated_after_approved', 'Nobody is deactivated before he is approved.'
);
select is(
  pg_temp.refused($$update hospital.doctors set is_active = true$$),
  '428C9', 'Whether a doctor is active follows from other columns.'
);
select is(
  pg_temp.refused($$update hospital.patients set mrn = 'X'$$),
  'patients_mrn_well_formed', 'A record number looks like one.'
);
select is(
  pg_temp.refused($$update hospital.patients set deceased_on = date_of_birth - 1$$),
  'patients_died_after_birth', 'Nobody dies before birth.'
);
select is(
  pg_temp.refused($$update hospital.patients set merged_into_id = id$$),
  'patients_not_merged_into_self', 'Nobody is merged into himself.'
);
select is(
  pg_temp.refused($$update hospital.patients set deactivated_at = now()$$),
  'patients_deactivation_has_reason', 'A closed record says why.'
);
select is(
  pg_temp.refused($$update hospital.patients set id = 7$$),
  '428C9', 'A key is not changed.'
);
select is(
  pg_temp.refused($$insert into hospital.contact_points (kind, value) values ('email', 'a@example.test')$$),
  'contact_points_of_exactly_one_person', 'A contact is somebody''s.'
);
select is(pg_temp.refused(
  $$insert into hospital.contact_points (patient_id, staff_member_id, kind, value)
  select p.id, s.id, 'email', 'a@example.test' from hospital.patients as p, hospital.staff_members as s limit 1$$),
  'contact_points_of_exactly_one_person', 'And not two people''s.');
select is(
  pg_temp.refused($$insert into hospital.contact_points (patient_id, kind, value) select id, 'pigeon', 'x' from hospital.patients$$),
  'contact_points_kind_fkey', 'The kind of contact is listed.'
);
select is(pg_temp.refused(
  $$insert into hospital.contact_points (patient_id, kind, value) select p.id, 'email', v.* from hospital.patients as p, (values ('a@example.test'), ('b@example.test')) as v$$),
  'contact_points_one_preferred_of_patient', 'A patient prefers one address.');
select is(pg_temp.refused(
  $$insert into hospital.contact_points (staff_member_id, kind, value) select p.id, 'email', v.* from hospital.staff_members as p, (values ('a@example.test'), ('b@example.test')) as v$$),
  'contact_points_one_preferred_of_staff', 'So does a member of staff.');
select is(
  pg_temp.refused($$insert into hospital.patient_identifiers (patient_id, system, value) select id, 'ssn', unnest(array['1', '1']) from hospital.patients$$),
  'patient_identifiers_once_per_patient', 'An identifier is listed once.'
);
select is(
  pg_temp.refused($$insert into hospital.patient_identifiers (patient_id, system, value) select id, 'ssn', ' ' from hospital.patients$$),
  'patient_identifiers_value_not_blank', 'An identifier is not blank.'
);
select is(
  pg_temp.refused($$insert into hospital.patient_identifiers (patient_id, system, value) select id, 'tattoo', '1' from hospital.patients$$),
  'patient_identifiers_system_fkey', 'Its system is listed.'
);
select is(
  pg_temp.refused($$delete from hospital.patients$$),
  'accounts_patient_id_fkey', 'A patient with an account is not deleted.'
);
select * from finish();
rollback;
