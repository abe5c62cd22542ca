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
