--! Previous: sha1:70fc90cd52479217a4f852edb42fa26a6d484d39
--! Hash: sha1:06d07c04dcad163f68356ade3b22058fdd6fcff8
--! Message: proof

--! split: 500-prologue.sql
-- The living files below may call one another in any order: bodies are checked when they run.
set local check_function_bodies = off;

--! split: 501-04-scheduling-see_doctor.sql
-- source: sql/04-scheduling/see_doctor.sql
-- As with patients: who does not see a doctor, because he waits for approval or has left, is refused in
-- the same words as whoever names one that never was.
create or replace function hospital_private.see_doctor()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_user = 'hospital_owner' or new.doctor_id is null then
    return new;
  end if;
  if tg_op = 'UPDATE' and new.doctor_id = old.doctor_id then
    return new;
  end if;
  if not exists (
    select
    from hospital.doctors as d
    where d.id = new.doctor_id
  ) then
    raise exception using
      errcode = 'insufficient_privilege',
      message = 'New rows are about doctors whom the writer may see.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.see_doctor() is
  'Trigger: refuses (42501) to name a doctor whom the writer''s policies do not show.';

create or replace trigger _120_see_doctor
  before insert or update of doctor_id on hospital.appointments
  for each row execute function hospital_private.see_doctor();
create or replace trigger _120_see_doctor
  before insert or update of doctor_id on hospital.waitlist_entries
  for each row execute function hospital_private.see_doctor();
create or replace trigger _120_see_doctor
  before insert or update of doctor_id on hospital.appointment_series
  for each row execute function hospital_private.see_doctor();

--! split: 502-05-clinical-record_condition.sql
-- source: sql/05-clinical/record_condition.sql
create or replace function hospital.record_condition(
  patient_id bigint,
  diagnosis_code_id bigint,
  onset_on date,
  abated_on date default null
)
returns hospital.patient_conditions
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  condition hospital.patient_conditions;
begin
  if record_condition.patient_id not in (select hospital_private.open_charts()) then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient whose chart you have open.',
      hint = 'Open the chart with openChart first.';
  end if;
  insert into hospital.patient_conditions (patient_id, diagnosis_code_id, onset_on, abated_on)
  values (
    record_condition.patient_id,
    record_condition.diagnosis_code_id,
    record_condition.onset_on,
    record_condition.abated_on
  )
  returning *
  into condition;
  return condition;
end;
$$;
comment on function hospital.record_condition(bigint, bigint, date, date) is
  'Adds a condition to the medical history of a patient whose chart is open, with its first and, if over, last local day. Raises NTFND.';

--! split: 503-05-clinical-see_appointment.sql
-- source: sql/05-clinical/see_appointment.sql
-- That an appointment has not begun is an answer too: who does not see it gets none.
create or replace function hospital_private.see_appointment()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_user <> 'hospital_owner' and not exists (
    select
    from hospital.appointments as a
    where a.id = new.appointment_id
  ) then
    raise exception using
      errcode = 'insufficient_privilege',
      message = 'New rows are about appointments that the writer may see.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.see_appointment() is
  'Trigger: refuses (42501) to name an appointment that the writer''s policies do not show.';

create or replace trigger _110_see_appointment
  before insert on hospital.visits
  for each row execute function hospital_private.see_appointment();

--! split: 504-policies-billing.sql
-- source: policies/billing.sql
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
  'hospital.appointment_statuses', 'hospital.cancellation_reasons', 'hospital.patients'
);
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
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.staff_members_full_name,
  hospital.doctors_full_name,
  hospital.departments_doctors
to hospital_billing;

--! split: 505-policies-nurse.sql
-- source: policies/nurse.sql
-- hospital_nurse cares for the patients of the own department: their names and appointments, and the
-- clinical rows of charts this session has opened.
call hospital_private.reset_access('hospital_nurse');

grant execute on function
  hospital_private.roster_patient_ids,
  hospital_private.open_charts
to hospital_nurse;

create policy nurse_select_roster on hospital.patients
  for select to hospital_nurse
  using (id = any (array(select hospital_private.roster_patient_ids())));
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

--! split: 506-policies-staff.sql
-- source: policies/staff.sql
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
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.staff_members_full_name,
  hospital.doctors_full_name,
  hospital.doctors_experience_years,
  hospital.departments_doctors,
  hospital_private.escape_like
to hospital_staff;
