-- hospital_owner owns every object and is no superuser. Row security is forced on all tables, for the
-- owner too: without these policies migrations would change no row, definer functions would see
-- nothing and materialized views would stay empty, all without an error.
call hospital_private.reset_access('hospital_owner');

create policy owner_all_rows on hospital.time_zones to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.facilities to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.departments to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.rooms to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.specialties to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.jobs to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.staff_members to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.doctors to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.sexes to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.patients to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.contact_kinds to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.contact_points to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.identifier_systems to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.patient_identifiers to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.chart_purposes to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.doctor_schedules to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.time_off_reasons to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.doctor_time_off to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.doctor_extra_sessions to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_types to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_statuses to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_status_transitions to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.cancellation_reasons to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointments to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_series to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_overrides to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_moves to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.no_show_reasons to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.override_reasons to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_status_history to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.diagnosis_codes to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.medications to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.treatment_types to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.outcome_codes to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.visits to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.visit_versions to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.visit_diagnoses to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.patient_conditions to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.prescriptions to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.treatments to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.notifications to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.waitlist_statuses to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.waitlist_entries to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.appointment_staff to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.break_glass_reasons to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.break_glass_outcomes to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.break_glass_grants to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.consent_scopes to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.consents to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.sensitivities to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.note_types to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.note_sections to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.clinical_notes to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.clinical_note_versions to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.sensitivity_grants to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.patient_merges to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.proxy_relationships to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.proxy_scopes to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.patient_proxies to hospital_owner using (true) with check (true);

create policy owner_all_rows on masked.publications to hospital_owner using (true) with check (true);
create policy owner_all_rows on masked.published_appointments to hospital_owner using (true) with check (true);
create policy owner_all_rows on masked.published_diagnoses to hospital_owner using (true) with check (true);
create policy owner_all_rows on masked.diagnosis_chapters to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.legal_holds to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.retention_rules to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.erasure_reasons to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.erasures to hospital_owner using (true) with check (true);
create policy owner_all_rows on hospital.erasure_lines to hospital_owner using (true) with check (true);

-- Now that the owner sees every row: the partitions for the months to come, and every table enrolled in the
-- audit, with the rows it holds already.
select audit.maintain_partitions();
call audit.enrol_tables();
