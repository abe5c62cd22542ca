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
