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
  'hospital.chart_purposes', 'hospital.doctor_schedules', 'hospital.doctor_extra_sessions',
  'hospital.time_off_reasons',
  'hospital.appointment_types', 'hospital.appointment_statuses',
  'hospital.appointment_status_transitions', 'hospital.cancellation_reasons',
  'hospital.no_show_reasons', 'hospital.override_reasons', 'hospital.waitlist_statuses',
  'hospital.diagnosis_codes', 'hospital.medications', 'hospital.treatment_types',
  'hospital.outcome_codes'
);

grant execute on function
  hospital.free_slots,
  hospital.next_free_slot,
  hospital.search_doctors,
  hospital.patients_records,
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.staff_members_full_name,
  hospital.doctors_full_name,
  hospital.doctors_experience_years,
  hospital.departments_doctors,
  hospital_private.escape_like
to hospital_staff;
