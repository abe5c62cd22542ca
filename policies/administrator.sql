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

-- What the checks of the record found.
grant execute on function
  analytics.data_quality,
  analytics.data_quality_trend,
  analytics.acknowledge_data_quality
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
