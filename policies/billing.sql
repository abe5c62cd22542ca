-- hospital_billing sees whom to bill and for which appointments, and nothing clinical.
call hospital_private.reset_access('hospital_billing');
grant usage on schema hospital, analytics, hospital_private to hospital_billing;

grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account,
  hospital_private.session_has_role
to hospital_billing;

call hospital_private.allow_reading(
  'hospital_billing', 'billing',
  'hospital.facilities', 'hospital.departments', 'hospital.specialties', 'hospital.staff_members',
  'hospital.doctors', 'hospital.sexes', 'hospital.contact_kinds', 'hospital.appointment_types',
  'hospital.appointment_statuses', 'hospital.cancellation_reasons'
);
create policy billing_select_all on hospital.patients
  for select to hospital_billing
  using ((select hospital_private.session_has_role('billing')) and erased_at is null);
grant select on hospital.patients to hospital_billing;
-- Bills are posted to patients; staff are not billed.
create policy billing_select_patients on hospital.contact_points
  for select to hospital_billing
  using ((select hospital_private.session_has_role('billing')) and patient_id is not null);
grant select on hospital.contact_points to hospital_billing;
create policy billing_select_all on hospital.appointments
  for select to hospital_billing
  using ((select hospital_private.session_has_role('billing')));
-- All but the reason: what a patient says he comes for is no matter of money.
grant
  select (
    id, public_uuid, patient_id, doctor_id, department_id, room_id, appointment_type_id, starts_at,
    ends_at, buffer_before_minutes, buffer_after_minutes, busy, status, expires_at, cancelled_at,
    cancellation_reason, created_at, updated_at, no_show_reason, override_id, series_id,
    waitlist_entry_id
  )
on hospital.appointments to hospital_billing;

grant execute on function
  hospital.patients_records,
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.staff_members_full_name,
  hospital.doctors_full_name,
  hospital.departments_doctors
to hospital_billing;

-- The answers about money.
grant execute on function analytics.revenue, analytics.view_freshness to hospital_billing;
