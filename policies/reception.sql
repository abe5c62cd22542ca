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
