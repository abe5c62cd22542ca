-- What every column of every table says about a person. Erasures, their certificates and the guards
-- below follow these lists, and a lint names what is missing: a column is classified here or nowhere.
-- Like a policies file it begins from nothing, so that a line deleted here is gone. A guard that refuses
-- every change to a table listed here asks is_being_erased before it does.
delete from hospital_private.column_classes;
delete from hospital_private.person_tables;

insert into hospital_private.column_classes (relation, column_name, class)
select
  l.relation,
  c.name,
  l.class
from (values
  -- People.
  ('hospital.patients', 'identity', 'mrn given_name family_name'),
  ('hospital.patients', 'coarsened', 'date_of_birth deceased_on time_zone'),
  ('hospital.patients', 'free_text', 'deactivation_reason'),
  ('hospital.patients', 'clinical', 'sex'),
  ('hospital.patients', 'technical', 'id public_uuid merged_into_id deactivated_at created_at updated_at erased_at person_id'),
  ('hospital.patient_merges', 'free_text', 'reason'),
  ('hospital.patient_merges', 'technical', 'id duplicate_id survivor_id merged_at merged_by unmerged_at unmerged_by'),
  ('hospital.patient_proxies', 'free_text', 'evidence'),
  ('hospital.patient_proxies', 'technical', 'id patient_id proxy_id relationship is_guardian scope granted granted_by revoked_at revoked_by'),
  ('hospital.contact_points', 'identity', 'value'),
  ('hospital.contact_points', 'technical', 'id patient_id staff_member_id kind is_preferred created_at updated_at'),
  ('hospital.patient_identifiers', 'identity', 'value'),
  ('hospital.patient_identifiers', 'technical', 'id patient_id system created_at updated_at'),
  ('hospital.staff_members', 'staff', 'id public_uuid given_name family_name job department_id manager_id hired_on left_on created_at updated_at'),
  ('hospital.doctors', 'staff', 'id staff_member_id job specialization licence practising_since approved_at deactivated_at is_active created_at updated_at daily_limit'),

  -- Accounts.
  ('hospital_private.accounts', 'identity', 'email'),
  ('hospital_private.accounts', 'secret', 'password_hash'),
  ('hospital_private.accounts', 'technical', 'id patient_id staff_member_id failed_attempts locked_until disabled_at created_at updated_at'),
  ('hospital_private.account_roles', 'technical', 'account_id role granted_by granted_at'),
  ('hospital_private.sessions', 'identity', 'client_address'),
  ('hospital_private.sessions', 'secret', 'secret_hash'),
  ('hospital_private.sessions', 'technical', 'id account_id role access_expires_at expires_at revoked_at revoked_reason created_at'),
  ('hospital_private.refresh_tokens', 'secret', 'token_hash'),
  ('hospital_private.refresh_tokens', 'technical', 'session_id issued_at used_at'),
  ('hospital_private.idempotency_keys', 'free_text', 'key'),
  ('hospital_private.idempotency_keys', 'secret', 'payload_hash'),
  ('hospital_private.idempotency_keys', 'technical', 'account_id operation result_id created_at'),

  -- The calendar.
  ('hospital.appointments', 'free_text', 'reason'),
  ('hospital.appointments', 'clinical', 'doctor_id department_id room_id appointment_type_id starts_at ends_at busy status cancelled_at cancellation_reason no_show_reason'),
  ('hospital.appointments', 'technical', 'id public_uuid patient_id buffer_before_minutes buffer_after_minutes expires_at created_at updated_at override_id series_id waitlist_entry_id'),
  ('hospital.appointment_moves', 'clinical', 'from_doctor_id to_doctor_id from_room_id to_room_id from_starts_at to_starts_at from_ends_at to_ends_at'),
  ('hospital.appointment_moves', 'technical', 'id appointment_id patient_id moved_at moved_by'),
  ('hospital.appointment_overrides', 'clinical', 'doctor_id span reason'),
  ('hospital.appointment_overrides', 'technical', 'id patient_id granted_by granted_at'),
  ('hospital.appointment_series', 'clinical', 'doctor_id appointment_type_id first_date local_time every_weeks occurrences skipped_dates'),
  ('hospital.appointment_series', 'technical', 'id patient_id created_at'),
  ('hospital.appointment_staff', 'clinical', 'staff_member_id job busy status'),
  ('hospital.appointment_staff', 'technical', 'appointment_id patient_id assigned_at'),
  ('hospital.appointment_status_history', 'clinical', 'from_status to_status reason'),
  ('hospital.appointment_status_history', 'technical', 'id appointment_id changed_at changed_by'),
  ('hospital.waitlist_entries', 'clinical', 'appointment_type_id department_id doctor_id starts_from starts_before priority status'),
  ('hospital.waitlist_entries', 'technical', 'id patient_id joined_at updated_at'),
  ('hospital.notifications', 'free_text', 'subject body'),
  ('hospital.notifications', 'technical', 'id reason message_id patient_id appointment_id created_at sent_at withdrawn_at'),
  ('hospital.doctor_extra_sessions', 'staff', 'id doctor_id starts_at ends_at room_id created_at updated_at'),
  ('hospital.doctor_schedules', 'staff', 'id doctor_id weekday start_time end_time effective room_id created_at updated_at'),
  ('hospital.doctor_time_off', 'staff', 'id doctor_id starts_at ends_at reason created_at updated_at'),

  -- The record.
  ('hospital.visits', 'free_text', 'diagnosis notes amendment_reason void_reason'),
  ('hospital.visits', 'clinical', 'doctor_id started_at ended_at'),
  ('hospital.visits', 'technical', 'id record_uuid appointment_id patient_id version voided_at created_at updated_at'),
  ('hospital.visit_versions', 'free_text', 'diagnosis notes amendment_reason'),
  ('hospital.visit_versions', 'technical', 'visit_id version patient_id replaced_at replaced_by'),
  ('hospital.visit_diagnoses', 'free_text', 'void_reason'),
  ('hospital.visit_diagnoses', 'clinical', 'diagnosis_code_id rank'),
  ('hospital.visit_diagnoses', 'technical', 'id visit_id patient_id voided_at created_at updated_at'),
  ('hospital.patient_conditions', 'free_text', 'void_reason'),
  ('hospital.patient_conditions', 'clinical', 'diagnosis_code_id onset_on abated_on'),
  ('hospital.patient_conditions', 'technical', 'id patient_id visit_id voided_at created_at updated_at'),
  ('hospital.prescriptions', 'free_text', 'dosage instructions stop_reason'),
  ('hospital.prescriptions', 'clinical', 'medication_id prescribed_by start_date duration_days end_date stopped_at'),
  ('hospital.prescriptions', 'technical', 'id visit_id patient_id created_at updated_at'),
  ('hospital.treatments', 'free_text', 'notes void_reason'),
  ('hospital.treatments', 'clinical', 'type cost started_at ended_at outcome'),
  ('hospital.treatments', 'technical', 'id visit_id patient_id voided_at created_at updated_at'),
  ('hospital.clinical_notes', 'free_text', 'body void_reason'),
  ('hospital.clinical_notes', 'secret', 'content_hash'),
  ('hospital.clinical_notes', 'clinical', 'note_type author_id sensitivity signed_at'),
  ('hospital.clinical_notes', 'technical', 'id note_uuid record_uuid patient_id addendum_to_id version voided_at created_at updated_at'),
  ('hospital.clinical_note_versions', 'free_text', 'body'),
  ('hospital.clinical_note_versions', 'technical', 'note_id version patient_id sensitivity replaced_at replaced_by'),
  ('hospital.sensitivity_grants', 'free_text', 'reason'),
  ('hospital.sensitivity_grants', 'technical', 'id patient_id staff_member_id sensitivity granted ended_at in_force granted_by created_at updated_at'),

  -- Privacy and its proof.
  ('hospital.break_glass_grants', 'free_text', 'reason review_remark'),
  ('hospital.break_glass_grants', 'technical', 'id account_id staff_member_id role patient_id category granted ended_at in_force review_due_at bars_next reviewed_at reviewed_by outcome'),
  ('audit.break_glass_misses', 'staff', 'id account_id session_id client_address missed_at'),
  ('hospital.consents', 'free_text', 'evidence'),
  ('hospital.consents', 'technical', 'id public_uuid patient_id scope staff_member_id department_id actor granted withdrawn_at in_force recorded_at recorded_by recorded_as withdrawn_by'),
  ('audit.chart_openings', 'technical', 'session_id access_id patient_id role opened_at'),
  ('hospital_private.login_failures', 'evidence', 'client_network'),
  ('hospital_private.login_failures', 'technical', 'id failed_at'),
  ('hospital_private.live_events', 'technical', 'id channels payload'),
  ('hospital_private.masking_subjects', 'secret', 'secret shift_days'),
  ('hospital_private.masking_subjects', 'technical', 'release_id patient_id'),
  ('hospital.legal_holds', 'free_text', 'matter reason release_reason'),
  ('hospital.legal_holds', 'technical', 'id patient_id held placed_by placed_at released_by released_at'),
  ('hospital.erasures', 'technical', 'id subject record_uuids reason is_complete erased_by erased_at reapplied_at'),
  ('hospital.erasure_lines', 'none', 'erasure_id relation data_class outcome column_names row_count explanation'),
  ('audit.entries', 'sealed', 'sealed_identity new_row_digest'),
  ('audit.entries', 'clinical', 'old_image'),
  ('audit.entries', 'evidence', 'client_address'),
  ('audit.entries', 'technical', 'sequence transaction_id recorded_at era table_name operation row_key patient_id account_id session_id role database_user request_id purpose'),
  ('audit.person_keys', 'sealed', 'wrapped_key digest_salt'),
  ('audit.person_keys', 'technical', 'patient_id created_at shredded_at shredded_after'),
  ('audit.seals', 'none', 'block era month sequences entry_hashes last_transaction_id last_sequence previous_hash hash sealed_at'),
  ('audit.eras', 'none', 'era cluster began_at'),
  ('audit.retired_months', 'none', 'month entries retired_at retired_by'),
  ('audit.access_tags', 'none', 'code name'),
  ('audit.enrolments', 'none', 'table_name columns enrolled_at'),
  ('audit.identity_columns', 'none', 'table_name column_name'),
  ('audit.unaudited_columns', 'none', 'table_name column_name reason'),
  ('audit.unaudited_tables', 'none', 'table_name reason'),
  ('audit.key_fingerprints', 'none', 'id fingerprint recorded_at'),
  ('audit.audit_openings', 'staff', 'id account_id session_id reason opened_at'),
  ('audit.chart_accesses', 'evidence', 'client_address'),
  ('audit.chart_accesses', 'technical', 'id patient_id account_id session_id role purpose opened_at department_id tag break_glass_grant_id consent_id request_id covers'),

  -- Where files from outside land.
  ('staging.import_keys', 'secret', 'content'),
  ('staging.import_keys', 'technical', 'target ordinal entry patient_condition_id prescription_id treatment_id'),
  ('staging.import_rejects', 'identity', 'record'),
  ('staging.import_rejects', 'technical', 'run_id file line reason field'),
  ('staging.import_remarks', 'technical', 'run_id file line reason'),
  ('staging.import_runs', 'none', 'id source directory loaded_at'),
  ('staging.import_files', 'none', 'run_id file is_present read loaded already_there rejected'),
  ('staging.synthea_patients', 'identity', 'id birthdate deathdate ssn drivers passport first middle last gender address city state zip'),
  ('staging.synthea_patients', 'free_text', 'defective_text'),
  ('staging.synthea_patients', 'technical', 'line defect'),
  ('staging.synthea_encounters', 'identity', 'patient'),
  ('staging.synthea_encounters', 'free_text', 'defective_text id start stop organization provider description reasondescription'),
  ('staging.synthea_encounters', 'technical', 'line defect'),
  ('staging.synthea_conditions', 'identity', 'patient'),
  ('staging.synthea_conditions', 'free_text', 'defective_text start stop encounter system code description'),
  ('staging.synthea_conditions', 'technical', 'line defect'),
  ('staging.synthea_medications', 'identity', 'patient'),
  ('staging.synthea_medications', 'free_text', 'defective_text start stop encounter code description'),
  ('staging.synthea_medications', 'technical', 'line defect'),
  ('staging.synthea_procedures', 'identity', 'patient'),
  ('staging.synthea_procedures', 'free_text', 'defective_text start stop encounter system code description base_cost'),
  ('staging.synthea_procedures', 'technical', 'line defect'),
  ('staging.synthea_organizations', 'none', 'line defect defective_text id name address city state zip phone'),
  ('staging.synthea_providers', 'staff', 'line defect defective_text id organization name speciality'),

  -- The house and its code lists.
  ('hospital.facilities', 'none', 'id public_uuid name time_zone address phone created_at updated_at'),
  ('hospital.departments', 'none', 'id facility_id parent_id name location is_active created_at updated_at'),
  ('hospital.rooms', 'none', 'id department_id name is_active created_at updated_at'),
  ('hospital.appointment_types', 'none', 'id code name duration_minutes buffer_before_minutes buffer_after_minutes price is_bookable created_at updated_at notice_minutes horizon_days daily_limit hold_minutes offer_minutes is_remote'),
  ('hospital.appointment_statuses', 'none', 'code name is_active sort_order'),
  ('hospital.appointment_status_transitions', 'none', 'from_status to_status description earliest_minutes_before_start'),
  ('hospital.cancellation_reasons', 'none', 'code name party'),
  ('hospital.no_show_reasons', 'none', 'code name party'),
  ('hospital.override_reasons', 'none', 'code name party'),
  ('hospital.time_off_reasons', 'none', 'code name'),
  ('hospital.waitlist_statuses', 'none', 'code name is_open'),
  ('hospital.chart_purposes', 'none', 'code name'),
  ('hospital.contact_kinds', 'none', 'code name'),
  ('hospital.identifier_systems', 'none', 'code name'),
  ('hospital.sexes', 'none', 'code name'),
  ('hospital.jobs', 'none', 'code name'),
  ('hospital.specialties', 'none', 'name description'),
  ('hospital.time_zones', 'none', 'name'),
  ('hospital.diagnosis_codes', 'none', 'id system code description'),
  ('hospital.medications', 'none', 'id code name is_active'),
  ('hospital.treatment_types', 'none', 'name code'),
  ('hospital.outcome_codes', 'none', 'code name sort_order'),
  ('hospital.retention_rules', 'none', 'code name kept_for due_after minors_until_age is_separable legal_hint updated_at'),
  ('hospital.erasure_reasons', 'none', 'code name'),
  ('hospital.break_glass_reasons', 'none', 'code name'),
  ('hospital.break_glass_outcomes', 'none', 'code name'),
  ('hospital.consent_scopes', 'none', 'code name decision actor purpose'),
  ('hospital.proxy_relationships', 'none', 'code name is_guardian'),
  ('hospital.proxy_scopes', 'none', 'code name may_book'),
  ('hospital.sensitivities', 'none', 'code name security_label'),
  ('hospital.note_types', 'none', 'code name default_sensitivity'),
  ('hospital.note_sections', 'none', 'note_type key title value_type is_required sort_order'),
  ('hospital_private.privacy_rules', 'none', 'is_only_row chart_window nurse_roster break_glass_lasts break_glass_review_within break_glass_waits_for_review break_glass_misses'),
  ('hospital_private.masking_settings', 'none', 'is_the_row smallest_cell closing_days'),
  ('hospital_private.masking_releases', 'none', 'id purpose until smallest_cell started_at retired_at'),
  ('hospital_private.masking_categories', 'none', 'release_id kind category'),
  ('masked.publications', 'none', 'report period_start period_end smallest_cell published_at'),
  ('masked.published_appointments', 'none', 'month department status appointments'),
  ('masked.published_diagnoses', 'none', 'year chapter sex age_band diagnoses'),
  ('masked.diagnosis_chapters', 'none', 'name first_category last_category'),
  ('hospital_private.roles', 'none', 'name database_role description'),
  ('hospital_private.data_classes', 'none', 'code is_erased explanation'),
  ('hospital_private.column_classes', 'none', 'relation column_name class replacement'),
  ('hospital_private.person_tables', 'none', 'relation rows_of is_deleted retention_rule last_contact'),
  ('ops.job_runs', 'none', 'id job started_at finished_at outcome affected_rows error_code'),
  ('staging.import_reasons', 'none', 'code is_reject description'),
  ('staging.state_time_zones', 'none', 'code name time_zone')
) as l (relation, class, columns)
cross join lateral regexp_split_to_table(l.columns, ' ') as c (name);

-- What an erasure puts in place of a value, where the word [erased] will not do.
update hospital_private.column_classes as c
set replacement = r.expression
from (values
  -- Numbers come from a sequence that never goes back, so the number that is taken away is nobody's again.
  ('hospital.patients', 'mrn', $$'MR' || lpad(nextval('hospital_private.medical_record_numbers')::text, 8, '0')$$),
  ('hospital.patients', 'date_of_birth', $$date_trunc('year', t.date_of_birth)::date$$),
  ('hospital.patients', 'deceased_on', $$date_trunc('year', t.deceased_on)::date$$),
  ('hospital.patients', 'time_zone', 'null'),
  ('hospital_private.accounts', 'email', $$'erased-' || t.id || '@erased.invalid'$$),
  ('hospital_private.accounts', 'password_hash', $$'$2a$10$' || repeat('.', 53)$$),
  ('hospital_private.sessions', 'client_address', 'null'),
  ('hospital_private.sessions', 'secret_hash', 'extensions.gen_random_bytes(32)'),
  -- An erasure of words is an amendment, and an amendment has a reason.
  ('hospital.visits', 'amendment_reason', $$'[erased]'$$),
  -- Two holds at one time are never for one matter.
  ('hospital.legal_holds', 'matter', $$'[erased] ' || t.id$$),
  ('hospital.clinical_notes', 'body', $$'{}'$$),
  ('hospital.clinical_notes', 'content_hash', $$case when t.content_hash is not null then repeat('0', 64) end$$),
  ('hospital.clinical_note_versions', 'body', $$'{}'$$),
  ('staging.import_rejects', 'record', $$'{}'$$)
) as r (relation, column_name, expression)
where c.relation = r.relation
  and c.column_name = r.column_name;

-- Where the rows of a person are. A row of a file is his when one of its values is his alone.
insert into hospital_private.person_tables
  (relation, retention_rule, last_contact, is_deleted, rows_of)
select
  l.relation,
  l.retention_rule,
  l.last_contact,
  l.is_deleted,
  coalesce(l.rows_of, 't.patient_id = any ($1)')
from (values
  ('hospital.patients', 'identity', 't.created_at', false, 't.id = any ($1)'),
  ('hospital.contact_points', 'identity', null, true, null),
  ('hospital.patient_identifiers', 'identity', null, true, null),
  ('hospital.legal_holds', 'identity', null, false, null),
  ('hospital.patient_merges', 'identity', null, false, 't.duplicate_id = any ($1) or t.survivor_id = any ($1)'),
  ('hospital.patient_proxies', 'identity', null, false, null),
  ('hospital_private.masking_subjects', 'identity', null, true, null),
  ('hospital.break_glass_grants', 'clinical_record', null, false, null),
  ('hospital.consents', 'clinical_record', null, false, null),
  ('hospital.sensitivity_grants', 'clinical_record', null, false, null),
  ('hospital.clinical_notes', 'clinical_record', 't.created_at', false, null),
  ('hospital.clinical_note_versions', 'clinical_record', null, false, null),
  ('hospital_private.accounts', 'identity', null, false, null),
  ('hospital_private.account_roles', null, null, false, 't.account_id in (select a.id from hospital_private.accounts as a where a.patient_id = any ($1))'),
  ('hospital_private.sessions', 'identity', null, false, 't.account_id in (select a.id from hospital_private.accounts as a where a.patient_id = any ($1))'),
  ('hospital_private.refresh_tokens', 'identity', null, true, 't.session_id in (select s.id from hospital_private.sessions as s join hospital_private.accounts as a on a.id = s.account_id where a.patient_id = any ($1))'),
  ('hospital_private.idempotency_keys', 'identity', null, true, 't.account_id in (select a.id from hospital_private.accounts as a where a.patient_id = any ($1))'),
  -- What is still to come is no contact yet: an erasure calls it off.
  ('hospital.appointments', 'appointments', 'case when t.starts_at <= now() then t.starts_at end', false, null),
  ('hospital.appointment_moves', null, null, false, null),
  ('hospital.appointment_overrides', null, null, false, null),
  ('hospital.appointment_series', null, null, false, null),
  ('hospital.appointment_staff', null, null, false, null),
  ('hospital.appointment_status_history', null, null, false, 't.appointment_id in (select a.id from hospital.appointments as a where a.patient_id = any ($1))'),
  ('hospital.waitlist_entries', null, null, false, null),
  ('hospital.notifications', 'messages', 't.created_at', false, null),
  ('hospital.visits', 'clinical_record', 't.started_at', false, null),
  ('hospital.visit_versions', 'clinical_record', null, false, null),
  ('hospital.visit_diagnoses', 'clinical_record', null, false, null),
  ('hospital.patient_conditions', 'clinical_record', 'greatest(t.onset_on, t.abated_on)', false, null),
  ('hospital.prescriptions', 'clinical_record', 'least(t.start_date, t.created_at)', false, null),
  ('hospital.treatments', 'clinical_record', 't.started_at', false, null),
  ('hospital.erasures', null, null, false, 't.record_uuids && array(select p.public_uuid from hospital.patients as p where p.id = any ($1))'),
  ('audit.chart_accesses', null, null, false, null),
  ('audit.chart_openings', null, null, false, null),
  ('audit.entries', null, null, false, null),
  ('audit.person_keys', null, null, false, null),
  ('staging.import_keys', 'identity', null, true, $$t.target = 'patients' and t.entry in (select sha256(convert_to(v, 'UTF8')) from unnest($2) as v)$$),
  ('staging.import_rejects', 'imports', null, false, 'exists (select from jsonb_each_text(t.record) as f join unnest($2) as v on position(v in f.value) > 0)'),
  ('staging.synthea_patients', 'imports', null, true, 't.id = any ($2) or exists (select from unnest($2) as v where position(v in t.defective_text) > 0)'),
  ('staging.synthea_encounters', 'imports', null, true, 't.patient = any ($2) or exists (select from unnest($2) as v where position(v in t.defective_text) > 0)'),
  ('staging.synthea_conditions', 'imports', null, true, 't.patient = any ($2) or exists (select from unnest($2) as v where position(v in t.defective_text) > 0)'),
  ('staging.synthea_medications', 'imports', null, true, 't.patient = any ($2) or exists (select from unnest($2) as v where position(v in t.defective_text) > 0)'),
  ('staging.synthea_procedures', 'imports', null, true, 't.patient = any ($2) or exists (select from unnest($2) as v where position(v in t.defective_text) > 0)')
) as l (relation, retention_rule, last_contact, is_deleted, rows_of);

-- What the audit keeps of these columns, it seals with the person's own key.
insert into audit.identity_columns (table_name, column_name)
select
  c.relation,
  c.column_name
from hospital_private.personal_columns as c
where c.is_erased
  and c.class <> 'secret'
  and c.patient_column is not null
on conflict do nothing;

call hospital_private.guard_person_tables();
