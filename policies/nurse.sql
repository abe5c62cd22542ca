-- hospital_nurse cares for the patients of the own department: their names and appointments, and the
-- clinical rows of charts this session has opened.
call hospital_private.reset_access('hospital_nurse');

grant execute on function
  hospital_private.roster_patient_ids,
  hospital_private.open_charts
to hospital_nurse;

create policy nurse_select_roster on hospital.patients
  for select to hospital_nurse
  using (id = any (array(select hospital_private.roster_patient_ids())) and erased_at is null);
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
grant select, update (status, no_show_reason) on hospital.appointments to hospital_nurse;

-- Who takes part in it.
create policy nurse_select_own_department on hospital.appointment_staff
  for select to hospital_nurse
  using (
    exists (
      select
      from hospital.appointments as a
      where a.id = appointment_staff.appointment_id
        and a.department_id = (select hospital_private.current_department_id())
    )
    and (select hospital_private.session_has_role('nurse'))
  );
create policy nurse_insert_own_department on hospital.appointment_staff
  for insert to hospital_nurse
  with check (
    exists (
      select
      from hospital.appointments as a
      where a.id = appointment_staff.appointment_id
        and a.department_id = (select hospital_private.current_department_id())
    )
    and (select hospital_private.session_has_role('nurse'))
  );
create policy nurse_delete_own_department on hospital.appointment_staff
  for delete to hospital_nurse
  using (
    exists (
      select
      from hospital.appointments as a
      where a.id = appointment_staff.appointment_id
        and a.department_id = (select hospital_private.current_department_id())
    )
    and (select hospital_private.session_has_role('nurse'))
  );
grant select, insert (appointment_id, staff_member_id), delete
  on hospital.appointment_staff to hospital_nurse;

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

-- Emergencies: one's own, asked for by the function alone, ended by oneself.
call hospital_private.allow_reading('hospital_nurse', 'nurse', 'hospital.break_glass_reasons');
create policy nurse_select_own on hospital.break_glass_grants
  for select to hospital_nurse
  using (account_id = (select hospital_private.current_account_id()));
create policy nurse_update_own on hospital.break_glass_grants
  for update to hospital_nurse
  using (account_id = (select hospital_private.current_account_id()))
  with check (account_id = (select hospital_private.current_account_id()));
grant select, update (ended_at) on hospital.break_glass_grants to hospital_nurse;
grant execute on function
  hospital.break_glass,
  hospital.end_break_glass,
  hospital_private.found_break_glass
to hospital_nurse;

-- Notes: one's own as drafts, everybody's once signed, sensitive ones by grant.
call hospital_private.allow_reading(
  'hospital_nurse', 'nurse',
  'hospital.sensitivities', 'hospital.note_types', 'hospital.note_sections'
);
create policy nurse_select_open_charts on hospital.clinical_notes
  for select to hospital_nurse
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
create policy nurse_insert_open_charts on hospital.clinical_notes
  for insert to hospital_nurse
  with check (
    author_id = (select hospital_private.current_staff_member_id())
    and patient_id = any (array(select hospital_private.open_charts()))
    and record_uuid in (
      select v.record_uuid
      from hospital.visits as v
      where v.voided_at is null
    )
  );
create policy nurse_update_own on hospital.clinical_notes
  for update to hospital_nurse
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
on hospital.clinical_notes to hospital_nurse;
create policy nurse_select_own on hospital.clinical_note_versions
  for select to hospital_nurse
  using (
    note_id in (
      select n.id
      from hospital.clinical_notes as n
      where n.author_id = (select hospital_private.current_staff_member_id())
    )
  );
grant select on hospital.clinical_note_versions to hospital_nurse;
create policy nurse_select_own on hospital.sensitivity_grants
  for select to hospital_nurse
  using (staff_member_id = (select hospital_private.current_staff_member_id()));
grant select on hospital.sensitivity_grants to hospital_nurse;
grant execute on function
  hospital.write_note,
  hospital.edit_note,
  hospital.sign_note,
  hospital.void_note,
  hospital.search_notes,
  hospital.clinical_notes_is_intact,
  hospital_private.open_sensitivities,
  hospital_private.note_hash,
  hospital_private.found_visit,
  hospital_private.found_note
to hospital_nurse;

grant execute on function
  hospital.open_chart,
  hospital.check_in,
  hospital.assign_appointment_staff,
  hospital.unassign_appointment_staff,
  hospital.mark_no_show,
  hospital.search_patients,
  hospital.patients_medications_in_use,
  hospital.visits_treatment_cost,
  hospital_private.matching_patient_ids,
  hospital_private.lock_in_order,
  hospital_private.lock_calendars,
  hospital_private.lock_appointment,
  hospital_private.request_lock,
  hospital_private.appointment,
  hospital_private.found_appointment
to hospital_nurse;

-- A patient whose chart is open, at a glance.
grant execute on function
  analytics.patient_insight,
  analytics.charlson_index,
  hospital_private.comorbidities_of,
  hospital_private.open_record
to hospital_nurse;
