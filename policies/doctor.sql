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
  hospital_private.doctor_patient_ids,
  hospital_private.roster_patient_ids,
  hospital_private.open_charts
to hospital_doctor;

-- The directory and the vocabularies.
call hospital_private.allow_reading(
  'hospital_doctor', 'doctor',
  'hospital.facilities', 'hospital.departments', 'hospital.rooms', 'hospital.specialties',
  'hospital.jobs', 'hospital.staff_members', 'hospital.doctors', 'hospital.sexes',
  'hospital.contact_kinds', 'hospital.chart_purposes', 'hospital.doctor_schedules',
  'hospital.doctor_extra_sessions', 'hospital.time_off_reasons', 'hospital.appointment_types',
  'hospital.appointment_statuses', 'hospital.appointment_status_transitions',
  'hospital.cancellation_reasons',
  'hospital.no_show_reasons', 'hospital.override_reasons', 'hospital.waitlist_statuses',
  'hospital.diagnosis_codes', 'hospital.medications', 'hospital.treatment_types',
  'hospital.outcome_codes'
);
create policy doctor_select_own on hospital.doctor_time_off
  for select to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()));
create policy doctor_insert_own on hospital.doctor_time_off
  for insert to hospital_doctor
  with check (doctor_id = (select hospital_private.current_doctor_id()));
create policy doctor_delete_own on hospital.doctor_time_off
  for delete to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()));
grant select, insert (doctor_id, starts_at, ends_at, reason), delete
  on hospital.doctor_time_off to hospital_doctor;
create policy doctor_insert_own on hospital.doctor_schedules
  for insert to hospital_doctor
  with check (doctor_id = (select hospital_private.current_doctor_id()));
create policy doctor_update_own on hospital.doctor_schedules
  for update to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()))
  with check (doctor_id = (select hospital_private.current_doctor_id()));
create policy doctor_delete_own on hospital.doctor_schedules
  for delete to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()));
grant
  insert (doctor_id, weekday, start_time, end_time, effective, room_id),
  update (effective),
  delete
on hospital.doctor_schedules to hospital_doctor;
create policy doctor_insert_own on hospital.doctor_extra_sessions
  for insert to hospital_doctor
  with check (doctor_id = (select hospital_private.current_doctor_id()));
create policy doctor_delete_own on hospital.doctor_extra_sessions
  for delete to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()));
grant insert (doctor_id, starts_at, ends_at, room_id), delete
  on hospital.doctor_extra_sessions to hospital_doctor;

-- The roster: names, and how to reach those whose chart is open or oneself.
create policy doctor_select_roster on hospital.patients
  for select to hospital_doctor
  using (id = any (array(select hospital_private.roster_patient_ids())) and erased_at is null);
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
create policy doctor_insert_own_patients on hospital.appointments
  for insert to hospital_doctor
  with check (
    doctor_id = (select hospital_private.current_doctor_id())
    and patient_id = any (array(select hospital_private.doctor_patient_ids()))
    and status in ('held', 'scheduled')
  );
-- What was called off is not taken back by the doctor: it would put the patient onto his roster.
create policy doctor_update_own on hospital.appointments
  for update to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()) and status <> 'cancelled')
  with check (doctor_id = (select hospital_private.current_doctor_id()));
grant
  select,
  insert (
    patient_id, doctor_id, room_id, appointment_type_id, starts_at, status, reason, override_id,
    series_id
  ),
  update (
    starts_at, ends_at, doctor_id, room_id, status, cancellation_reason, no_show_reason, reason,
    override_id
  )
on hospital.appointments to hospital_doctor;
create policy doctor_select_own on hospital.appointment_overrides
  for select to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()));
create policy doctor_insert_own_patients on hospital.appointment_overrides
  for insert to hospital_doctor
  with check (
    doctor_id = (select hospital_private.current_doctor_id())
    and patient_id = any (array(select hospital_private.doctor_patient_ids()))
  );
grant select, insert (doctor_id, patient_id, span, reason)
  on hospital.appointment_overrides to hospital_doctor;
create policy doctor_select_own on hospital.appointment_staff
  for select to hospital_doctor
  using (
    exists (
      select
      from hospital.appointments as a
      where a.id = appointment_staff.appointment_id
        and a.doctor_id = (select hospital_private.current_doctor_id())
    )
  );
create policy doctor_insert_own on hospital.appointment_staff
  for insert to hospital_doctor
  with check (
    exists (
      select
      from hospital.appointments as a
      where a.id = appointment_staff.appointment_id
        and a.doctor_id = (select hospital_private.current_doctor_id())
    )
  );
create policy doctor_delete_own on hospital.appointment_staff
  for delete to hospital_doctor
  using (
    exists (
      select
      from hospital.appointments as a
      where a.id = appointment_staff.appointment_id
        and a.doctor_id = (select hospital_private.current_doctor_id())
    )
  );
grant select, insert (appointment_id, staff_member_id), delete
  on hospital.appointment_staff to hospital_doctor;
create policy doctor_select_own on hospital.appointment_moves
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
grant select on hospital.appointment_moves to hospital_doctor;
-- What was skipped is said while a series is booked, and never changed afterwards.
create policy doctor_select_own on hospital.appointment_series
  for select to hospital_doctor
  using (doctor_id = (select hospital_private.current_doctor_id()));
create policy doctor_insert_own_patients on hospital.appointment_series
  for insert to hospital_doctor
  with check (
    doctor_id = (select hospital_private.current_doctor_id())
    and patient_id = any (array(select hospital_private.doctor_patient_ids()))
  );
create policy doctor_update_just_made on hospital.appointment_series
  for update to hospital_doctor
  using (
    doctor_id = (select hospital_private.current_doctor_id())
    and created_at = now()
  )
  with check (doctor_id = (select hospital_private.current_doctor_id()));
grant
  select,
  insert (
    patient_id, doctor_id, appointment_type_id, first_date, local_time, every_weeks, occurrences
  ),
  update (skipped_dates)
on hospital.appointment_series to hospital_doctor;
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

-- Emergencies: one's own, asked for by the function alone, ended by oneself.
call hospital_private.allow_reading('hospital_doctor', 'doctor', 'hospital.break_glass_reasons');
create policy doctor_select_own on hospital.break_glass_grants
  for select to hospital_doctor
  using (account_id = (select hospital_private.current_account_id()));
create policy doctor_update_own on hospital.break_glass_grants
  for update to hospital_doctor
  using (account_id = (select hospital_private.current_account_id()))
  with check (account_id = (select hospital_private.current_account_id()));
grant select, update (ended_at) on hospital.break_glass_grants to hospital_doctor;
grant execute on function
  hospital.break_glass,
  hospital.end_break_glass,
  hospital_private.found_break_glass
to hospital_doctor;

-- Notes: one's own as drafts, everybody's once signed, sensitive ones by grant. Who signed a sensitive
-- note may let a colleague read that patient's of its kind.
call hospital_private.allow_reading(
  'hospital_doctor', 'doctor',
  'hospital.sensitivities', 'hospital.note_types', 'hospital.note_sections'
);
create policy doctor_select_open_charts on hospital.clinical_notes
  for select to hospital_doctor
  using (
    patient_id = any (array(select hospital_private.open_charts()))
    and (
      author_id = (select hospital_private.current_staff_member_id())
      or (
        signed_at is not null
        and (
          sensitivity = 'normal'
          or row(patient_id, sensitivity)::hospital_private.patient_sensitivity
            = any (array(select hospital_private.open_sensitivities()))
        )
      )
    )
  );
create policy doctor_insert_open_charts on hospital.clinical_notes
  for insert to hospital_doctor
  with check (
    author_id = (select hospital_private.current_staff_member_id())
    and patient_id = any (array(select hospital_private.open_charts()))
    and record_uuid in (
      select v.record_uuid
      from hospital.visits as v
      where v.voided_at is null
    )
  );
create policy doctor_update_own on hospital.clinical_notes
  for update to hospital_doctor
  using (
    author_id = (select hospital_private.current_staff_member_id())
    and patient_id = any (array(select hospital_private.open_charts()))
    and voided_at is null
  )
  with check (author_id = (select hospital_private.current_staff_member_id()));
grant
  select,
  insert (record_uuid, patient_id, note_type, author_id, sensitivity, addendum_to_id, body),
  update (sensitivity, body, signed_at, voided_at, void_reason)
on hospital.clinical_notes to hospital_doctor;
create policy doctor_select_own on hospital.clinical_note_versions
  for select to hospital_doctor
  using (
    note_id in (
      select n.id
      from hospital.clinical_notes as n
      where n.author_id = (select hospital_private.current_staff_member_id())
    )
  );
grant select on hospital.clinical_note_versions to hospital_doctor;
create policy doctor_select_own on hospital.sensitivity_grants
  for select to hospital_doctor
  using (
    staff_member_id = (select hospital_private.current_staff_member_id())
    or granted_by = (select hospital_private.current_staff_member_id())
  );
create policy doctor_insert_signed_by_him on hospital.sensitivity_grants
  for insert to hospital_doctor
  with check (
    granted_by = (select hospital_private.current_staff_member_id())
    and lower(granted) = now()
    and (patient_id, sensitivity) in (
      select
        n.patient_id,
        n.sensitivity
      from hospital.clinical_notes as n
      where n.author_id = (select hospital_private.current_staff_member_id())
        and n.signed_at is not null
        and n.voided_at is null
        -- Else whoever was let in would add a word and let in the next.
        and n.addendum_to_id is null
    )
  );
create policy doctor_update_own on hospital.sensitivity_grants
  for update to hospital_doctor
  using (granted_by = (select hospital_private.current_staff_member_id()))
  with check (granted_by = (select hospital_private.current_staff_member_id()));
grant
  select,
  insert (patient_id, staff_member_id, sensitivity, granted, reason, granted_by),
  update (ended_at)
on hospital.sensitivity_grants to hospital_doctor;
grant execute on function
  hospital.write_note,
  hospital.edit_note,
  hospital.sign_note,
  hospital.void_note,
  hospital.search_notes,
  hospital.clinical_notes_is_intact,
  hospital.grant_sensitive_access,
  hospital.end_sensitive_access,
  hospital_private.open_sensitivities,
  hospital_private.note_hash,
  hospital_private.found_note
to hospital_doctor;

-- A patient whose chart is open, at a glance.
grant execute on function
  analytics.patient_insight,
  analytics.charlson_index,
  hospital_private.comorbidities_of,
  hospital_private.open_record
to hospital_doctor;

-- The answers about illnesses and about what is to come, of oneself and one's department.
grant execute on function
  analytics.symptom_frequency,
  analytics.treatment_outcomes,
  analytics.visit_forecast
to hospital_doctor;

-- What a doctor can do.
grant execute on function
  hospital.free_slots,
  hospital.next_free_slot,
  hospital.search_doctors,
  hospital.search_patients,
  hospital.department_today,
  hospital.hold_slot,
  hospital.confirm_hold,
  hospital.book_appointment,
  hospital.reschedule_appointment,
  hospital.extend_appointment,
  hospital.override_appointment,
  hospital.assign_appointment_staff,
  hospital.unassign_appointment_staff,
  hospital.update_appointment,
  hospital.cancel_appointment,
  hospital.book_series,
  hospital.cancel_series,
  hospital.mark_no_show,
  hospital.set_doctor_schedule,
  hospital.add_time_off,
  hospital.remove_time_off,
  hospital.add_extra_session,
  hospital.remove_extra_session,
  hospital.calendar_change_appointments,
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
  hospital.patients_records,
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
  hospital_private.scheduled_room_id,
  hospital_private.lock_doctor,
  hospital_private.appointments_in_the_way,
  hospital_private.require_way_free,
  hospital_private.appointment,
  hospital_private.found_appointment,
  hospital_private.doctor_time_zone,
  hospital_private.series_occurrences,
  hospital_private.series,
  hospital_private.found_visit,
  hospital_private.write_contact,
  hospital_private.escape_like
to hospital_doctor;

-- The answers, about oneself and one's department.
grant execute on function
  analytics.top_doctors,
  analytics.department_load,
  analytics.monthly_visits,
  analytics.doctor_workload,
  analytics.revenue,
  analytics.department_efficiency,
  analytics.view_freshness
to hospital_doctor;
