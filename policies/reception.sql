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
