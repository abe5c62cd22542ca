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
