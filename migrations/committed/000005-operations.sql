--! Previous: sha1:a214b5c46d7d7aba8ddba2868d8ebeb123ad053f
--! Hash: sha1:33918979eaafcc849ec38961f40cb6b2a0c31518
--! Message: operations

--! split: 010-watching.sql
-- What is told to whoever watches the hospital's machines: figures with names, and never a row.

create type ops.figure as (
  name  text,
  label text,
  value double precision
);
comment on type ops.figure is 'One number about the state of the system, for a monitoring system.';
comment on column ops.figure.name is 'What is measured, such as queue_jobs; instants are seconds since 1970, and 0 where there is none.';
comment on column ops.figure.label is 'What it is measured of, such as a job or a slot, or null where there is only one.';
comment on column ops.figure.value is 'The number.';

create type ops.statement_figure as (
  query_id       bigint,
  login          name,
  calls          bigint,
  total_ms       double precision,
  mean_ms        double precision,
  max_ms         double precision,
  rows           bigint,
  read_ms        double precision,
  blocks_hit     bigint,
  blocks_read    bigint,
  temp_blocks    bigint,
  wal_bytes      numeric,
  statement      text
);
comment on type ops.statement_figure is 'What one kind of statement has cost since the counters were last reset.';
comment on column ops.statement_figure.query_id is 'The identifier of the kind, the same as in pg_stat_activity.';
comment on column ops.statement_figure.login is 'The role that logged in or was set.';
comment on column ops.statement_figure.calls is 'How often it was executed.';
comment on column ops.statement_figure.total_ms is 'How long it ran in all.';
comment on column ops.statement_figure.mean_ms is 'How long it ran each time, on the average.';
comment on column ops.statement_figure.max_ms is 'How long it ran at most.';
comment on column ops.statement_figure.rows is 'How many rows it returned or changed.';
comment on column ops.statement_figure.read_ms is 'How long it waited for blocks to be read, where track_io_timing is on.';
comment on column ops.statement_figure.blocks_hit is 'How many blocks it found in the shared buffers.';
comment on column ops.statement_figure.blocks_read is 'How many blocks it had to read.';
comment on column ops.statement_figure.temp_blocks is 'How many blocks it wrote to temporary files, for want of work_mem.';
comment on column ops.statement_figure.wal_bytes is 'How much it wrote to the log.';
comment on column ops.statement_figure.statement is 'Its text without any literal, or why there is none.';

--! split: 011-autovacuum.sql
-- When vacuum comes, for the tables that the defaults (a fifth of the rows changed) do not fit. All other tables keep
-- the defaults: docs/monitoring.md says which were measured and why. No vacuum is ever switched off.

-- Indexed by status and time, so a change of status is never HOT and leaves an entry in every index; calendars and
-- free slots read them all. And whatever is planned lies in the newest days, which statistics of last month do not know.
alter table hospital.appointments set (
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_insert_scale_factor = 0.05,
  autovacuum_analyze_scale_factor = 0.02
);

-- The policies ask it in every request, and a refresh changes it each quarter of an hour. Nearly all of that is HOT as it
-- is, since neither column is in an index: a fillfactor was measured and refused (docs/monitoring.md).
alter table hospital_private.sessions set (autovacuum_vacuum_scale_factor = 0.05);

-- Every row is written, read and deleted within a tenth of a second, and each pass of the relay steps over the dead ones.
-- By a number and not by a share, since the share of an empty table is nothing; and at full speed, since it is small.
alter table hospital_private.live_events set (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_insert_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = 10000,
  autovacuum_vacuum_cost_delay = 0
);

-- Rows of a day, deleted by the hour or by the next ones: a fifth of a day's rows is too many dead ones among those read.
alter table hospital_private.login_failures set (autovacuum_vacuum_scale_factor = 0.05);
alter table hospital_private.idempotency_keys set (autovacuum_vacuum_scale_factor = 0.05);

-- Two versions of each run, and every start of a job looks for the newest: outcome is in the predicate of an index,
-- so room on the page would not make the update HOT.
alter table ops.job_runs set (autovacuum_vacuum_scale_factor = 0.05);

-- Written once and never changed. Whatever a vacuum visits it freezes at once, so that no page is ever visited again,
-- and the vacuum against wraparound, which nothing stops, finds nothing to do.
alter table audit.chart_accesses set (
  autovacuum_freeze_min_age = 0,
  autovacuum_vacuum_insert_scale_factor = 0.05
);
alter table audit.seals set (
  autovacuum_freeze_min_age = 0,
  autovacuum_vacuum_insert_scale_factor = 0.05
);

-- A partitioned table has no storage of its own; partitions to come get theirs from audit.maintain_partitions.
do $$
declare
  partition regclass;
begin
  for partition in
    select i.inhrelid
    from pg_catalog.pg_inherits as i
    where i.inhparent = 'audit.entries'::regclass
  loop
    execute format(
      'alter table %s set (autovacuum_freeze_min_age = 0, autovacuum_vacuum_insert_scale_factor = 0.05)',
      partition
    );
  end loop;
end;
$$;

--! split: 020-data-quality.sql
-- What the record itself looks like: questions that a constraint cannot ask, what they found night by night,
-- and what of it an administrator has acknowledged.

create table ops.data_quality_checks (
  name               text        primary key,
  severity           text        not null,
  of_table           text        not null,
  question           text        not null,
  remedy             text        not null,
  acknowledged_found bigint      not null default 0,
  acknowledged_at    timestamptz,
  acknowledged_by    bigint      references hospital_private.accounts (id),
  constraint data_quality_checks_name_plain check (name ~ '^[a-z][a-z_]{2,49}$'),
  constraint data_quality_checks_severity_known
    check (severity in ('critical', 'warning', 'notice')),
  constraint data_quality_checks_acknowledged_not_negative check (acknowledged_found >= 0),
  constraint data_quality_checks_acknowledged_by_somebody
    check ((acknowledged_at is null) = (acknowledged_by is null))
);
create index data_quality_checks_acknowledged_by_idx
  on ops.data_quality_checks (acknowledged_by)
  where acknowledged_by is not null;
comment on table ops.data_quality_checks is 'What is asked of the record every night, beyond what its constraints promise. Each is defined by a file of sql/16-operations/quality.';
comment on column ops.data_quality_checks.name is 'The name of the check: ops.quality_<name> is its view.';
comment on column ops.data_quality_checks.severity is 'How bad a row is that is found: critical, warning or notice. A notice raises no alert.';
comment on column ops.data_quality_checks.of_table is 'The table whose keys the check answers.';
comment on column ops.data_quality_checks.question is 'Which rows are found.';
comment on column ops.data_quality_checks.remedy is 'What to do about them.';
comment on column ops.data_quality_checks.acknowledged_found is 'How many rows an administrator knows of: only more than these raise an alert. It falls with what is found, and never rises by itself.';
comment on column ops.data_quality_checks.acknowledged_at is 'When an administrator last acknowledged what was found, or null.';
comment on column ops.data_quality_checks.acknowledged_by is 'The account of that administrator, or null.';

create table ops.data_quality_results (
  check_name  text        not null references ops.data_quality_checks (name) on delete cascade,
  measured_at timestamptz not null default clock_timestamp(),
  looked_at   bigint      not null,
  found       bigint      not null,
  sample_keys bigint[]    not null,
  primary key (check_name, measured_at),
  constraint data_quality_results_found_were_looked_at check (found between 0 and looked_at),
  constraint data_quality_results_sample_small
    check (cardinality(sample_keys) = least(found, 10))
);
comment on table ops.data_quality_results is 'What each run of each check found: numbers and a few keys, never what stands in a row.';
comment on column ops.data_quality_results.check_name is 'The check.';
comment on column ops.data_quality_results.measured_at is 'As of when.';
comment on column ops.data_quality_results.looked_at is 'How many rows were looked at.';
comment on column ops.data_quality_results.found is 'How many of them are as they should not be.';
comment on column ops.data_quality_results.sample_keys is 'The keys of the newest ten of them at most.';

create type analytics.data_quality_row as (
  check_name         text,
  severity           text,
  of_table           text,
  question           text,
  remedy             text,
  measured_at        timestamptz,
  looked_at          bigint,
  found              bigint,
  percent            double precision,
  found_before       bigint,
  acknowledged_found bigint,
  acknowledged_at    timestamptz,
  is_worse           boolean,
  sample_keys        bigint[]
);
comment on type analytics.data_quality_row is 'What a check of the record last found.';
comment on column analytics.data_quality_row.check_name is 'The check.';
comment on column analytics.data_quality_row.severity is 'How bad a row is that is found: critical, warning or notice.';
comment on column analytics.data_quality_row.of_table is 'The table whose keys are answered.';
comment on column analytics.data_quality_row.question is 'Which rows are found.';
comment on column analytics.data_quality_row.remedy is 'What to do about them.';
comment on column analytics.data_quality_row.measured_at is 'When it was last asked, or null.';
comment on column analytics.data_quality_row.looked_at is 'How many rows were looked at, or null.';
comment on column analytics.data_quality_row.found is 'How many of them are as they should not be, or null.';
comment on column analytics.data_quality_row.percent is 'That part of those looked at in percent, or null where there were none.';
comment on column analytics.data_quality_row.found_before is 'How many the run before had found, or null.';
comment on column analytics.data_quality_row.acknowledged_found is 'How many an administrator knows of.';
comment on column analytics.data_quality_row.acknowledged_at is 'When he acknowledged them, or null.';
comment on column analytics.data_quality_row.is_worse is 'Whether more are found than he knows of.';
comment on column analytics.data_quality_row.sample_keys is 'The keys of the newest ten of them at most, or null.';

create type analytics.data_quality_trend_row as (
  check_name  text,
  measured_at timestamptz,
  looked_at   bigint,
  found       bigint
);
comment on type analytics.data_quality_trend_row is 'What a check of the record found in one of its runs.';
comment on column analytics.data_quality_trend_row.check_name is 'The check.';
comment on column analytics.data_quality_trend_row.measured_at is 'When it was asked.';
comment on column analytics.data_quality_trend_row.looked_at is 'How many rows were looked at.';
comment on column analytics.data_quality_trend_row.found is 'How many of them are as they should not be.';

--! split: 030-archive.sql
-- Months that left the audit: where their tables stand, and what was done with their archives.
create schema archive;
comment on schema archive is 'Months that were detached from the audit, or loaded back to be read; nothing here is part of the record any more.';

create table audit.archive_events (
  id            bigint      generated always as identity primary key,
  month         date        not null references audit.retired_months (month),
  event         text        not null,
  manifest      bytea       not null,
  happened_at   timestamptz not null default now(),
  database_user text        not null default session_user,
  constraint archive_events_event_known check (event in ('exported', 'loaded', 'dropped')),
  constraint archive_events_manifest_is_sha256 check (octet_length(manifest) = 32)
);
create index archive_events_month_idx on audit.archive_events (month);
comment on table audit.archive_events is 'What was done with the archive of a retired month: written, loaded back, and its table dropped.';
comment on column audit.archive_events.id is 'The key of the event, in their order.';
comment on column audit.archive_events.month is 'The first day of the month.';
comment on column audit.archive_events.event is 'What was done: exported, loaded or dropped.';
comment on column audit.archive_events.manifest is 'The SHA-256 of the manifest of the archive it was done with.';
comment on column audit.archive_events.happened_at is 'When it was done.';
comment on column audit.archive_events.database_user is 'The database user who did it.';

-- A table that nobody classified stops every erasure, so what was detached so far leaves the schema too.
do $$
declare
  detached regclass;
begin
  for detached in
    select to_regclass(format('audit.entries_%s', to_char(m.month, 'YYYY_MM')))
    from audit.retired_months as m
  loop
    continue when detached is null;
    execute format('alter table %s set schema archive', detached);
  end loop;
end;
$$;

--! split: 031-key-rotation.sql
-- The key that wraps the keys of persons can be replaced: the fingerprints of those before it stay, since
-- backups and the shelf they lie on still need the old ones. The table has one row:
-- squawk-ignore-file ban-drop-column, adding-field-with-default, adding-serial-primary-key-field
-- squawk-ignore-file require-concurrent-index-creation
alter table audit.key_fingerprints
  drop column id;
alter table audit.key_fingerprints
  add column id bigint generated always as identity primary key,
  add column replaced_at timestamptz;
create unique index key_fingerprints_one_in_force
  on audit.key_fingerprints ((replaced_at is null))
  where replaced_at is null;
comment on table audit.key_fingerprints is 'Which key wraps the keys of persons, and which ones did: one is in force, so that no session can bring another key.';
comment on column audit.key_fingerprints.id is 'The key of the row, in the order of the keys.';
comment on column audit.key_fingerprints.replaced_at is 'When the next key took its place, or null while it is in force.';

--! split: 032-replica-identity.sql
-- Without a key their rows could not be told apart elsewhere, and while all tables are published (an upgrade to
-- another server) writing them anew would be refused.
alter table masked.published_appointments replica identity full;
alter table masked.published_diagnoses replica identity full;

--! split: 050-backup-alerts.sql
insert into ops.alert_kinds (code, description)
values
  ('backup_overdue', 'The newest backup is older than a day and two hours: see how the last runs of nightly_backup ended, and try infirmary backup create.'),
  ('backup_damaged', 'A backup is not as it was written: make a new one, and then find out with infirmary backup verify what the disk of the repository does.');

--! split: 500-prologue.sql
-- The living files below may call one another in any order: bodies are checked when they run.
set local check_function_bodies = off;

--! split: 501-11-privacy-what_is_personal.sql
-- source: sql/11-privacy/what_is_personal.sql
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
  ('audit.key_fingerprints', 'none', 'id fingerprint recorded_at replaced_at'),
  ('audit.archive_events', 'none', 'id month event manifest happened_at database_user'),
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

  -- The warehouse: nothing in it names a patient, unless a symptom was typed that does.
  ('warehouse.dim_patient', 'clinical', 'sex birth_year is_active'),
  ('warehouse.dim_patient', 'technical', 'patient_key patient_id person_id valid is_current'),
  ('warehouse.patient_versions', 'clinical', 'sex is_active'),
  ('warehouse.patient_versions', 'technical', 'id patient_id recorded_at'),
  ('warehouse.dim_doctor', 'staff', 'doctor_key doctor_id valid is_current name specialization department_id is_active practising_since'),
  ('warehouse.doctor_versions', 'staff', 'id doctor_id recorded_at name specialization department_id is_active'),
  ('warehouse.dim_department', 'none', 'department_key department_id valid is_current name facility_id parent_id is_active'),
  ('warehouse.department_versions', 'none', 'id department_id recorded_at name facility_id parent_id is_active'),
  ('warehouse.dim_date', 'none', 'date_key year quarter month month_start iso_year iso_week day weekday is_weekend'),
  ('warehouse.dim_time_of_day', 'none', 'minute_key hour minute part_of_day'),
  ('warehouse.dim_appointment_type', 'none', 'appointment_type_key code name price'),
  ('warehouse.dim_diagnosis', 'none', 'diagnosis_key system code description category'),
  ('warehouse.dim_comorbidity', 'none', 'code name weight superseded_by counts_when_over'),
  ('warehouse.dim_comorbidity_code', 'none', 'prefix comorbidity'),
  ('warehouse.dim_medication', 'none', 'medication_key code name'),
  ('warehouse.fact_appointments', 'clinical', 'doctor_key department_key appointment_type_key booked_on starts_on start_minute status cancellation_reason booked_at starts_at arrived_at seen_at done_at cancelled_at planned_minutes occupied_minutes lead_days wait_minutes'),
  ('warehouse.fact_appointments', 'technical', 'appointment_id patient_key'),
  ('warehouse.fact_visits', 'clinical', 'doctor_key department_key visited_on start_minute started_at duration_minutes age_years'),
  ('warehouse.fact_visits', 'technical', 'visit_id appointment_id patient_key'),
  ('warehouse.fact_diagnoses', 'clinical', 'doctor_key department_key diagnosis_key diagnosed_on rank age_years'),
  ('warehouse.fact_diagnoses', 'technical', 'visit_diagnosis_id visit_id patient_key'),
  ('warehouse.fact_conditions', 'clinical', 'diagnosis_key onset_on abated_on'),
  ('warehouse.fact_conditions', 'technical', 'patient_condition_id patient_key'),
  ('warehouse.fact_prescriptions', 'clinical', 'doctor_key department_key medication_key starts_on stopped_on duration_days'),
  ('warehouse.fact_prescriptions', 'technical', 'prescription_id visit_id patient_key'),
  ('warehouse.fact_treatments', 'clinical', 'doctor_key department_key treatment_type treated_on duration_minutes cost outcome'),
  ('warehouse.fact_treatments', 'technical', 'treatment_id visit_id patient_key'),
  ('warehouse.fact_symptoms', 'free_text', 'symptoms'),
  ('warehouse.fact_symptoms', 'clinical', 'doctor_key department_key noted_on'),
  ('warehouse.fact_symptoms', 'technical', 'clinical_note_id visit_id patient_key'),
  ('warehouse.load_sources', 'none', 'loaded_table source_table source_column found_by'),
  ('warehouse.load_state', 'none', 'is_only cluster snapshot next_transaction_id loaded_by retired_months definitions data_as_of loaded_in_full_at'),
  ('warehouse.table_states', 'none', 'table_name changed_as_of'),
  ('warehouse.view_states', 'none', 'view_name filled_from refreshed_at data_as_of'),
  ('warehouse.view_settings', 'none', 'is_the_row stale_after'),
  ('ops.alert_kinds', 'none', 'code description'),
  ('ops.alerts', 'none', 'id kind raised_at closed_at'),
  ('ops.data_quality_checks', 'none', 'name severity of_table question remedy acknowledged_found acknowledged_at'),
  ('ops.data_quality_checks', 'technical', 'acknowledged_by'),
  ('ops.data_quality_results', 'none', 'check_name measured_at looked_at found'),
  ('ops.data_quality_results', 'technical', 'sample_keys'),

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
  ('ops.backups', 'none', 'name started_at finished_at server_version timeline start_lsn end_lsn bytes stored_bytes is_encrypted verified_at problems removed_at'),
  ('ops.backup_drills', 'none', 'id backup started_at finished_at restore_seconds recovery_point passed checks'),
  ('ops.delivery_failures', 'technical', 'notification_id attempts last_code last_failed_at next_attempt_at'),
  ('ops.reports', 'none', 'report month format content data_as_of made_at'),
  ('ops.job_runs', 'none', 'id job started_at finished_at outcome affected_rows error_code'),
  ('ops.change_consumers', 'none', 'name reader tables stream incarnation position read_to created_at last_read_at acknowledged_at'),
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
  ('warehouse.dim_patient', null, null, false, null),
  ('warehouse.patient_versions', null, null, false, null),
  ('warehouse.fact_symptoms', 'clinical_record', null, true, 't.patient_key in (select d.patient_key from warehouse.dim_patient as d where d.patient_id = any ($1))'),
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

--! split: 502-12-audit-hold_key.sql
-- source: sql/12-audit/hold_key.sql
-- Whoever seals holds the key that is in force until he commits, so that nothing is wrapped with the old
-- one after all else was wrapped anew. An older snapshot would still see the old key: there the row
-- itself is locked, which fails (40001) where it was replaced since.
create or replace function audit.hold_key()
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_advisory_xact_lock_shared(hashtext('audit.replace_key'));
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    perform
    from audit.key_fingerprints as f
    where f.replaced_at is null
    for share;
  end if;
end;
$$;
comment on function audit.hold_key() is
  'Keeps the key that wraps the keys of persons from being replaced until the transaction ends.';

--! split: 503-12-audit-keep_append_only.sql
-- source: sql/12-audit/keep_append_only.sql
-- For the owner too: what is recorded is not changed. Old months go as whole partitions.
create or replace function audit.keep_append_only()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'PERMA',
    message = 'The audit is only ever added to.';
end;
$$;
comment on function audit.keep_append_only() is
  'Trigger: refuses to change or delete what the audit holds. Raises PERMA.';

create or replace function audit.keep_fingerprint()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE'
    and old.replaced_at is null
    and new.replaced_at is not null
    and new.fingerprint = old.fingerprint
    and new.recorded_at = old.recorded_at
    and new.id = old.id
  then
    return new;
  end if;
  raise exception using
    errcode = 'PERMA',
    message = 'The audit is only ever added to.';
end;
$$;
comment on function audit.keep_fingerprint() is
  'Trigger: of a key''s fingerprint nothing changes but that, once, it was replaced. Raises PERMA.';

create or replace trigger _300_append_only
  before update or delete on audit.entries
  for each row execute function audit.keep_append_only();
create or replace trigger _300_no_truncate
  before truncate on audit.entries
  for each statement execute function audit.keep_append_only();
create or replace trigger _300_no_truncate
  before truncate on audit.entries_default
  for each statement execute function audit.keep_append_only();
create or replace trigger _300_append_only
  before update or delete on audit.seals
  for each row execute function audit.keep_append_only();
create or replace trigger _300_no_truncate
  before truncate on audit.seals
  for each statement execute function audit.keep_append_only();
create or replace trigger _300_append_only
  before update or delete on audit.eras
  for each row execute function audit.keep_append_only();
create or replace trigger _300_append_only
  before update or delete on audit.retired_months
  for each row execute function audit.keep_append_only();
-- A key is replaced once, and that is all that is ever said of it afterwards.
create or replace trigger _300_append_only
  before update or delete on audit.key_fingerprints
  for each row execute function audit.keep_fingerprint();
create or replace trigger _300_no_truncate
  before truncate on audit.key_fingerprints
  for each statement execute function audit.keep_append_only();
create or replace trigger _300_append_only
  before update or delete on audit.archive_events
  for each row execute function audit.keep_append_only();
create or replace trigger _300_no_truncate
  before truncate on audit.archive_events
  for each statement execute function audit.keep_append_only();
create or replace trigger _300_append_only
  before update or delete on audit.chart_accesses
  for each row execute function audit.keep_append_only();
create or replace trigger _300_append_only
  before update or delete on audit.audit_openings
  for each row execute function audit.keep_append_only();

--! split: 504-12-audit-key_encryption_key.sql
-- source: sql/12-audit/key_encryption_key.sql
-- The key that wraps the keys of persons is a setting which the server reads from a file outside its
-- data, so that it is in no dump and no backup of the database. Any session could set another one:
-- what it would seal could never be opened, so the first key's fingerprint is kept and others are refused.
create or replace function audit.key_encryption_key()
returns bytea
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  setting text := current_setting('infirmary.audit_key', true);
  known bytea;
begin
  select f.fingerprint
  into known
  from audit.key_fingerprints as f
  where f.replaced_at is null;
  if setting is null or setting !~ '^[0-9a-f]{64}$' then
    raise exception using
      errcode = 'KEYNO',
      message = 'The key of the audit is missing.',
      hint = 'The server must set infirmary.audit_key from its key file; see docs/audit.md.';
  end if;
  if known is null and pg_has_role(session_user, 'hospital_owner', 'member') then
    insert into audit.key_fingerprints (fingerprint)
    values (sha256(decode(setting, 'hex')))
    on conflict ((replaced_at is null)) where replaced_at is null do nothing;
    select f.fingerprint
    into known
    from audit.key_fingerprints as f
    where f.replaced_at is null;
  end if;
  if known is distinct from sha256(decode(setting, 'hex')) then
    raise exception using
      errcode = 'KEYOT',
      message = 'The key of the audit is not the one with which its persons'' keys were wrapped.',
      hint = 'Put the key file back; in a new hospital the owner records it, see docs/audit.md.';
  end if;
  return decode(setting, 'hex');
end;
$$;
comment on function audit.key_encryption_key() is
  'The key in the file outside the database; a member of the owner''s role records its fingerprint at the first use. Raises KEYNO without a key and KEYOT with another.';

-- Recorded when the hospital is made, before anybody could bring a key of his own.
do $$
begin
  if nullif(current_setting('infirmary.audit_key', true), '') is not null then
    perform audit.key_encryption_key();
  end if;
end;
$$;

--! split: 505-12-audit-maintain_partitions.sql
-- source: sql/12-audit/maintain_partitions.sql
-- Months are made ahead. If nobody does it for long, entries go into the default partition and stay
-- there: a write never waits for a partition.
create or replace function audit.maintain_partitions()
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  month timestamp;
  partition text;
  made bigint := 0::bigint;
begin
  perform pg_advisory_xact_lock(hashtext('audit.maintain_partitions'));
  for month in
    select generate_series(m.this, m.this + interval '3 months', interval '1 month')
    from (select date_trunc('month', now() at time zone 'UTC')) as m (this)
  loop
    partition := 'entries_' || to_char(month, 'YYYY_MM');
    continue when to_regclass('audit.' || partition) is not null
      or exists (
        select
        from audit.entries_default as d
        where d.recorded_at >= month at time zone 'UTC'
          and d.recorded_at < (month + interval '1 month') at time zone 'UTC'
      );
    -- Attached and not created in place: that would hold up every writer.
    execute format(
      'create table audit.%I (like audit.entries including defaults including constraints) '
        -- Frozen by the first vacuum that comes by, since nothing in it changes any more.
        'with (autovacuum_freeze_min_age = 0, autovacuum_vacuum_insert_scale_factor = 0.05)',
      partition
    );
    execute format(
      'alter table audit.entries attach partition audit.%I for values from (%L) to (%L)',
      partition,
      month at time zone 'UTC',
      (month + interval '1 month') at time zone 'UTC'
    );
    execute format(
      'create trigger _300_no_truncate before truncate on audit.%I '
        'for each statement execute function audit.keep_append_only()',
      partition
    );
    made := made + 1;
  end loop;
  return made;
end;
$$;
comment on function audit.maintain_partitions() is
  'Makes the audit''s partitions for this month and the three to come, and returns how many were missing.';

create or replace function ops.maintain_partitions()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select audit.maintain_partitions();
$$;
comment on function ops.maintain_partitions() is
  'Job: makes partitions ahead of time and returns how many it made. Lends the worker the owner''s right to create them.';

--! split: 506-12-audit-person_keys_of.sql
-- source: sql/12-audit/person_keys_of.sql
-- A statement seals many rows of few persons: their keys are made and unwrapped once for all of it.
-- Two writers may need a person's first key at once: the second waits for the row and uses it. All go by
-- the order of the persons, so that no two wait for each other.
create or replace function audit.person_keys_of(patient_ids bigint[], may_create boolean)
returns table (patient_id bigint, key bytea)
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
-- Planning takes longer than running, and one plan suits one person and ten thousand.
set plan_cache_mode = force_generic_plan
as $$
declare
  wrapping_key bytea;
begin
  if person_keys_of.patient_ids = '{}' then
    return;
  end if;
  if person_keys_of.may_create then
    perform audit.hold_key();
  end if;
  if person_keys_of.may_create
    and cardinality(person_keys_of.patient_ids) > (
      select count(*)
      from audit.person_keys as k
      where k.patient_id = any (person_keys_of.patient_ids)
        and k.wrapped_key is not null
    )
  then
    wrapping_key := audit.key_encryption_key();
    insert into audit.person_keys as k (patient_id, wrapped_key)
    select
      p.id,
      p.initial
        || extensions.encrypt_iv(
          extensions.gen_random_bytes(32),
          wrapping_key,
          p.initial,
          'aes-cbc/pad:pkcs'
        )
    from (
      select
        missing.id,
        extensions.gen_random_bytes(16) as initial
      from (
        select unnest(person_keys_of.patient_ids)
        except
        select k.patient_id
        from audit.person_keys as k
        where k.patient_id = any (person_keys_of.patient_ids)
          and (k.wrapped_key is not null or k.shredded_at is not null)
      ) as missing (id)
      order by missing.id
    ) as p
    on conflict on constraint person_keys_pkey do update
      set wrapped_key = coalesce(k.wrapped_key, excluded.wrapped_key)
      where k.shredded_at is null;
  end if;

  for person_keys_of.patient_id, person_keys_of.key in
    select
      k.patient_id,
      k.wrapped_key
    from audit.person_keys as k
    where k.patient_id = any (person_keys_of.patient_ids)
      and k.wrapped_key is not null
  loop
    wrapping_key := coalesce(wrapping_key, audit.key_encryption_key());
    person_keys_of.key := extensions.decrypt_iv(
      substr(person_keys_of.key, 17),
      wrapping_key,
      substr(person_keys_of.key, 1, 16),
      'aes-cbc/pad:pkcs'
    );
    return next;
  end loop;
end;
$$;
comment on function audit.person_keys_of(bigint[], boolean) is
  'The keys of persons, made now where allowed; none of whom there is none, or none any more. Raises KEYNO, KEYOT.';

--! split: 507-12-audit-replace_key.sql
-- source: sql/12-audit/replace_key.sql
-- All keys of persons at once or none: in between nobody could say which key opens what.
create or replace function audit.replace_key(new_key text)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  old_key bytea;
  wrapped bigint;
begin
  if replace_key.new_key !~ '^[0-9a-f]{64}$' or replace_key.new_key is null then
    raise exception using
      errcode = 'KEYNO',
      message = 'The new key is none: it has 64 hexadecimal digits.',
      hint = 'Make one: openssl rand -hex 32';
  end if;
  -- Whoever is sealing commits first, and nobody begins.
  perform pg_advisory_xact_lock(hashtext('audit.replace_key'));
  old_key := audit.key_encryption_key();
  if old_key = decode(replace_key.new_key, 'hex') then
    return 0::bigint;
  end if;

  update audit.person_keys as k
  set wrapped_key = fresh.initial
    || extensions.encrypt_iv(
      extensions.decrypt_iv(
        substr(k.wrapped_key, 17),
        old_key,
        substr(k.wrapped_key, 1, 16),
        'aes-cbc/pad:pkcs'
      ),
      decode(replace_key.new_key, 'hex'),
      fresh.initial,
      'aes-cbc/pad:pkcs'
    )
  from (
    select
      p.patient_id,
      extensions.gen_random_bytes(16) as initial
    from audit.person_keys as p
    where p.wrapped_key is not null
  ) as fresh
  where fresh.patient_id = k.patient_id;
  get diagnostics wrapped = row_count;

  update audit.key_fingerprints as f
  set replaced_at = now()
  where f.replaced_at is null;
  insert into audit.key_fingerprints (fingerprint)
  values (sha256(decode(replace_key.new_key, 'hex')));
  return wrapped;
end;
$$;
comment on function audit.replace_key(text) is
  'Wraps the keys of all persons with a new key, and returns how many; from the commit on the server must have the new one. Raises KEYNO, KEYOT.';

--! split: 508-12-audit-retire_month.sql
-- source: sql/12-audit/retire_month.sql
-- The only way out of the audit: a whole month, sealed to its last entry, of an audit that holds. Rows
-- that have not changed since are written down once more, so that they can be answered for afterwards.
create or replace function audit.retire_month(month date)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  partition regclass := to_regclass('audit.entries_' || to_char(retire_month.month, 'YYYY_MM'));
  ends_at timestamptz := (retire_month.month + interval '1 month') at time zone 'UTC';
  relation regclass;
  held bigint;
begin
  if partition is null or ends_at > now() then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such month that has passed in the audit.',
      hint = 'Name the first day of the month.';
  end if;
  -- Nobody seals meanwhile.
  perform pg_advisory_xact_lock(hashtext('audit.seal_entries'));
  execute format('select count(*) from %s', partition) into held;
  if held <> (
    select coalesce(sum(cardinality(s.sequences)), 0)
    from audit.seals as s
    where s.month = retire_month.month
  ) or exists (select from audit.verify()) then
    raise exception using
      errcode = 'VERIF',
      message = 'The month is not sealed as a whole, or the audit does not hold.',
      hint = 'Run infirmary audit verify: it names the first bad link.';
  end if;
  for relation in select audit.audited_tables() loop
    execute format(
      'insert into audit.entries (table_name, operation, row_key, patient_id, new_row_digest) '
        'select %1$L, ''baseline'', %2$s, %3$s, %4$s from %5$s as n '
        'where not exists (select from audit.entries as e '
        'where e.table_name = %1$L and e.row_key = %2$s and e.recorded_at >= $1)',
      audit.name_of(relation),
      audit.key_expression(relation, 'n'),
      coalesce('n.' || quote_ident(audit.patient_column(relation)), 'null'),
      audit.digest_expression(relation, 'n'),
      relation
    )
    using ends_at;
  end loop;
  insert into audit.retired_months (month, entries)
  values (retire_month.month, held);
  execute format('alter table audit.entries detach partition %s', partition);
  -- Out of the record, and of what an erasure must have classified: its ciphertext is shredded all the same.
  execute format('alter table %s set schema archive', partition);
  call audit.keep_retired(partition);
  return held;
end;
$$;
comment on function audit.retire_month(date) is
  'Detaches a past month from the audit into schema archive, to be exported and dropped (infirmary archive), and returns how many entries it held. Raises NTFND, and VERIF when it is not wholly sealed or the audit does not hold.';

--! split: 509-12-audit-retired_months.sql
-- source: sql/12-audit/retired_months.sql
-- A retired month stands in schema archive until its archive was written and proved to be whole. Its seals
-- stay in the chain, so the chain goes on proving what was in it, wherever it is.
create or replace function audit.retired_table(month date)
returns regclass
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select to_regclass('archive.entries_' || to_char(retired_table.month, 'YYYY_MM'));
$$;
comment on function audit.retired_table(date) is
  'The table of a retired month, detached or loaded back; null where there is none.';

-- Detaching takes the triggers of the parent away.
create or replace procedure audit.keep_retired(relation regclass)
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format(
    'create or replace trigger _300_append_only before insert or update or delete on %s '
      'for each row execute function audit.keep_append_only()',
    keep_retired.relation
  );
  execute format(
    'create or replace trigger _300_no_truncate before truncate on %s '
      'for each statement execute function audit.keep_append_only()',
    keep_retired.relation
  );
end;
$$;
comment on procedure audit.keep_retired(regclass) is
  'Lets the table of a retired month be read and nothing else.';

create or replace function audit.verify_retired(month date)
returns setof audit.finding
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute format(
    $query$
    with sealed as (
      select
        s.block,
        u.position,
        u.sequence,
        substr(s.entry_hashes, 32 * (u.position::integer - 1) + 1, 32) as hash
      from audit.seals as s
      cross join lateral unnest(s.sequences) with ordinality as u (sequence, position)
      where s.month = $1
    )

    select
      format('entry %%s', coalesce(s.sequence, e.sequence)),
      case
        when e.sequence is null then 'is missing'
        when s.sequence is null then 'is in no block of its month'
        else 'was edited after it was sealed'
      end
    from sealed as s
    full join (
      select
        t.sequence,
        audit.entry_hash(row(t.*)::audit.entries) as hash
      from %s as t
    ) as e
      on e.sequence = s.sequence
    where e.hash is distinct from s.hash
    order by s.block, s.position
    $query$,
    audit.retired_table(verify_retired.month)
  )
  using verify_retired.month;
end;
$$;
comment on function audit.verify_retired(date) is
  'The entries in the table of a retired month that are not what was sealed.';

create or replace function audit.make_retired_table(month date)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  name constant text := 'entries_' || to_char(make_retired_table.month, 'YYYY_MM');
begin
  if audit.retired_table(make_retired_table.month) is not null
    or not exists (
      select
      from audit.retired_months as m
      where m.month = make_retired_table.month
    )
  then
    raise exception using
      errcode = 'NTFND',
      message = 'The month was not retired from this audit, or its table is there.',
      hint = 'infirmary archive list shows what is where.';
  end if;
  execute format('create table archive.%I (like audit.entries including all excluding identity)', name);
  return 'archive.' || name;
end;
$$;
comment on function audit.make_retired_table(date) is
  'Makes the empty table into which the archive of a retired month is loaded, to be read. Raises NTFND.';

create or replace procedure audit.keep_loaded(month date, manifest bytea)
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from audit.verify_retired(keep_loaded.month)) then
    raise exception using
      errcode = 'VERIF',
      message = 'The archive is not what was sealed of that month here.',
      hint = 'infirmary archive verify --database names what differs.';
  end if;
  call audit.keep_retired(audit.retired_table(keep_loaded.month));
  insert into audit.archive_events (month, event, manifest)
  values (keep_loaded.month, 'loaded', keep_loaded.manifest);
end;
$$;
comment on procedure audit.keep_loaded(date, bytea) is
  'Compares what was loaded with the seals of its month, and lets it be read and nothing else. Raises VERIF.';

-- Each block's hash covers the hash of each of its entries: whoever gives them all, read from an archive,
-- has all entries there.
create or replace procedure audit.drop_retired(month date, manifest bytea, heads jsonb)
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  relation constant regclass := audit.retired_table(drop_retired.month);
begin
  if relation is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no table of that month: it was not retired, or was dropped.',
      hint = 'infirmary archive list shows what is where.';
  end if;
  if exists (
    select
    from audit.seals as s
    where s.month = drop_retired.month
      and not exists (
        select
        from jsonb_array_elements(drop_retired.heads) as h (head)
        where (h.head ->> 'block')::bigint = s.block
          and h.head ->> 'hash' = encode(s.hash, 'hex')
      )
  ) then
    raise exception using
      errcode = 'VERIF',
      message = 'The archive does not hold every block of that month as it was sealed here.',
      hint = 'Export it again: infirmary archive export.';
  end if;
  insert into audit.archive_events (month, event, manifest)
  values (drop_retired.month, 'dropped', drop_retired.manifest);
  execute format('drop table %s', relation);
end;
$$;
comment on procedure audit.drop_retired(date, bytea, jsonb) is
  'Drops the table of a retired month of which an archive holds every block. Raises NTFND, VERIF.';

-- Those that were detached before there was this schema.
do $$
declare
  relation regclass;
begin
  for relation in
    select c.oid
    from pg_catalog.pg_class as c
    where c.relnamespace = 'archive'::regnamespace
      and c.relkind = 'r'
  loop
    call audit.keep_retired(relation);
  end loop;
end;
$$;

--! split: 510-12-audit-seal_audit.sql
-- source: sql/12-audit/seal_audit.sql
-- Transactions commit in another order than they begin. Below the snapshot's horizon all have ended, so
-- nothing can come any more between two entries that are sealed; and writers meet no lock of the chain.
-- The horizon is read before the entries: what has ended by then is visible to the later snapshot.
create or replace function audit.seal_entries(block_size integer default 10000)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  current_era integer;
  horizon xid8;
  sealed bigint := 0::bigint;
  added bigint;
begin
  if not pg_try_advisory_xact_lock(hashtext('audit.seal_entries')) then
    return 0::bigint;
  end if;
  select e.era
  into current_era
  from audit.eras as e
  order by e.era desc
  limit 1;
  if not exists (
    select
    from audit.eras as e
    join pg_catalog.pg_control_system() as c
      on c.system_identifier = e.cluster
    where e.era = current_era
  ) then
    return audit.begin_era(seal_entries.block_size);
  end if;
  horizon := pg_snapshot_xmin(pg_current_snapshot());
  loop
    added := audit.seal_block(current_era, horizon, seal_entries.block_size);
    exit when added = 0;
    sealed := sealed + added;
  end loop;
  return sealed;
end;
$$;
comment on function audit.seal_entries(integer) is
  'Links all entries of transactions that have ended, and before which none is running, into the chain; returns how many. When somebody else is sealing, it returns 0 at once.';

create or replace function audit.seal_block(era integer, horizon xid8, block_size integer)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  last_transaction xid8 := '0'::xid8;
  last_sequence bigint := 0::bigint;
  block audit.seals;
begin
  select
    s.last_transaction_id,
    s.last_sequence
  into last_transaction, last_sequence
  from audit.seals as s
  where s.era = seal_block.era
  order by s.block desc
  limit 1;

  -- A block is of one month, and goes with its partition.
  with batch as (
    select
      e.sequence,
      e.transaction_id,
      date_trunc('month', e.recorded_at at time zone 'UTC')::date as month,
      audit.entry_hash(e) as hash,
      row_number() over (order by e.transaction_id, e.sequence) as position
    from audit.entries as e
    where e.era = seal_block.era
      and (e.transaction_id, e.sequence)
        > (coalesce(last_transaction, '0'), coalesce(last_sequence, 0))
      and e.transaction_id < seal_block.horizon
    order by e.transaction_id, e.sequence
    limit seal_block.block_size
  )
  select
    min(b.month),
    array_agg(b.sequence order by b.position),
    string_agg(b.hash, '' order by b.position),
    (array_agg(b.transaction_id order by b.position desc))[1],
    (array_agg(b.sequence order by b.position desc))[1]
  into
    block.month,
    block.sequences,
    block.entry_hashes,
    block.last_transaction_id,
    block.last_sequence
  from batch as b
  where b.position < all (
    select other.position
    from batch as other
    join batch as first
      on first.position = 1
      and first.month <> other.month
  );
  if block.sequences is null then
    return 0::bigint;
  end if;
  perform audit.add_block(block, seal_block.era);
  return cardinality(block.sequences)::bigint;
end;
$$;
comment on function audit.seal_block(integer, xid8, integer) is
  'Seals the next entries of an era in the order of their transactions, of one month and no more than said; returns how many.';

create or replace function audit.add_block(block audit.seals, era integer)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  previous record;
begin
  select
    s.block,
    s.hash
  into previous
  from audit.seals as s
  order by s.block desc
  limit 1;
  add_block.block.block := coalesce(previous.block, 0) + 1;
  add_block.block.era := add_block.era;
  add_block.block.previous_hash := coalesce(previous.hash, decode(repeat('00', 32), 'hex'));
  add_block.block.hash := audit.block_hash(add_block.block);
  add_block.block.sealed_at := clock_timestamp();
  insert into audit.seals
  select add_block.block.*;
end;
$$;
comment on function audit.add_block(audit.seals, integer) is
  'Links a block to the end of the chain.';

-- After a restore into another cluster its transaction numbers have nothing to do with those of the
-- entries that came along. Changing the default waits until every writer has ended and lets none begin,
-- so all entries of the old era are there: what is not sealed of them is, by number.
create or replace function audit.begin_era(block_size integer)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  old_era integer := (select max(e.era) from audit.eras as e);
  block audit.seals;
  sealed bigint := 0::bigint;
begin
  execute format('alter table audit.entries alter column era set default %s', old_era + 1);
  for
    block.month,
    block.sequences,
    block.entry_hashes,
    block.last_transaction_id,
    block.last_sequence
  in
    select
      u.month,
      array_agg(u.sequence order by u.sequence),
      string_agg(u.hash, '' order by u.sequence),
      (array_agg(u.transaction_id order by u.sequence desc))[1],
      max(u.sequence)
    from (
      select
        e.sequence,
        e.transaction_id,
        date_trunc('month', e.recorded_at at time zone 'UTC')::date as month,
        audit.entry_hash(e) as hash,
        row_number() over (order by e.sequence) / begin_era.block_size as part
      from audit.entries as e
      where e.era = old_era
        -- One by one and not `= any (s.sequences)`, which can only be asked entry by entry of every block:
        -- nobody writes while this runs.
        and not exists (
          select
          from audit.seals as s
          cross join lateral unnest(s.sequences) as b (sequence)
          where s.era = old_era
            and b.sequence = e.sequence
        )
    ) as u
    group by u.month, u.part
    order by u.month, u.part
  loop
    perform audit.add_block(block, old_era);
    sealed := sealed + cardinality(block.sequences);
  end loop;
  insert into audit.eras (era, cluster)
  select
    old_era + 1,
    c.system_identifier
  from pg_catalog.pg_control_system() as c;
  return sealed;
end;
$$;
comment on function audit.begin_era(integer) is
  'Closes the era of the cluster the audit comes from and begins one of the cluster it is in; returns how many entries were sealed on the way.';

create or replace function ops.seal_audit()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select audit.seal_entries();
$$;
comment on function ops.seal_audit() is
  'Job: seals what can be sealed and returns how many entries that were. Lends the worker the owner''s right to seal.';

--! split: 511-12-audit-verify_audit.sql
-- source: sql/12-audit/verify_audit.sql
-- The whole proof in one question, asked of one snapshot: the chain link by link, the recorders, and
-- every live row against the newest digest of it. The first finding is the first bad link.
create or replace function audit.verify(heads jsonb default '[]')
returns setof audit.finding
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  relation regclass;
begin
  return query select * from audit.verify_chain(verify.heads);
  return query select * from audit.verify_recorders();
  for relation in select audit.audited_tables() loop
    return query select * from audit.verify_rows(relation);
  end loop;
end;
$$;
comment on function audit.verify(jsonb) is
  'Everything that does not hold in the audit, in the order of the chain, then recorders that are off, then rows that were changed past it. Heads are blocks and hashes exported before.';

create or replace function ops.verify_audit_chain()
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from audit.verify()) then
    raise exception using
      errcode = 'VERIF',
      message = 'The audit does not hold.',
      hint = 'Run infirmary audit verify: it names the first bad link.';
  end if;
  return 0::bigint;
end;
$$;
comment on function ops.verify_audit_chain() is
  'Job: verifies the audit, writes nothing and returns 0; raises VERIF, so that the run is recorded as failed. Lends the worker the owner''s right to read the audit.';

--! split: 512-12-audit-verify_chain.sql
-- source: sql/12-audit/verify_chain.sql
create or replace function audit.verify_chain(heads jsonb)
returns setof audit.finding
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with linked as (
    select
      s.block,
      s.hash = audit.block_hash(s) as is_whole,
      s.previous_hash
        = lag(s.hash, 1, decode(repeat('00', 32), 'hex')) over (order by s.block) as is_linked,
      s.block = 1 + lag(s.block, 1, 0::bigint) over (order by s.block) as is_next
    from audit.seals as s
  ),

  sealed as (
    select
      s.block,
      u.position,
      u.sequence
    from audit.seals as s
    cross join lateral unnest(s.sequences) with ordinality as u (sequence, position)
    where not exists (
      select
      from audit.retired_months as m
      where m.month = s.month
    )
  ),

  broken as (
    select l.block
    from linked as l
    where not (l.is_whole and l.is_linked and l.is_next)

    union
    select s.block
    from sealed as s
    left join audit.entries as e
      on e.sequence = s.sequence
    group by s.block
    having coalesce(string_agg(audit.entry_hash(e), '' order by s.position), '')
      <> (select b.entry_hashes from audit.seals as b where b.block = s.block)
  ),

  -- Deleted seals, told by their numbers; what differs from an exported head; the links themselves.
  findings (block, position, link, problem) as (
    select
      l.block,
      0::bigint,
      format('block %s', l.block),
      case
        when not l.is_next then 'follows upon a gap: blocks before it were deleted'
        when not l.is_linked then 'does not continue the block before it: one of them was replaced or moved'
        else 'does not fit its hash: the seal was edited'
      end
    from linked as l
    where not (l.is_whole and l.is_linked and l.is_next)

    union all
    select
      s.block,
      s.position,
      format('entry %s', s.sequence)
        || case
          when e.sequence is null then ''
          else format(' (%s of %s %s)', e.operation, e.table_name, e.row_key)
        end,
      case
        when e.sequence is null then 'was deleted after it was sealed'
        else 'was edited after it was sealed'
      end
    from broken as b
    join audit.seals as k
      on k.block = b.block
    join sealed as s
      on s.block = b.block
    left join audit.entries as e
      on e.sequence = s.sequence
    where e.sequence is null
      or audit.entry_hash(e)
        <> substr(k.entry_hashes, 32 * (s.position::integer - 1) + 1, 32)

    union all
    select
      null,
      e.sequence,
      format('entry %s (%s of %s %s)', e.sequence, e.operation, e.table_name, e.row_key),
      'was inserted behind the seals: it is older than what is sealed, and in no block'
    from audit.entries as e
    join (
      select distinct on (s.era)
        s.era,
        s.last_transaction_id
      from audit.seals as s
      order by s.era, s.block desc
    ) as f
      on f.era = e.era
    where (
        e.transaction_id < f.last_transaction_id
        or e.era < (select max(r.era) from audit.eras as r)
      )
      and not exists (
        select
        from sealed as s
        where s.sequence = e.sequence
      )

    union all
    select
      (h.head ->> 'block')::bigint,
      0,
      format('block %s', h.head ->> 'block'),
      case
        when s.block is null then 'was exported as a head and is not there: the tail was cut'
        else 'is not what was exported as a head: the chain was rewritten'
      end
    from jsonb_array_elements(verify_chain.heads) as h (head)
    left join audit.seals as s
      on s.block = (h.head ->> 'block')::bigint
    where encode(s.hash, 'hex') is distinct from h.head ->> 'hash'
  )

  select
    f.link,
    f.problem
  from findings as f
  order by f.block nulls last, f.position;
$$;
comment on function audit.verify_chain(jsonb) is
  'The links of the chain that do not hold: entries edited, deleted or inserted, blocks edited, moved or cut off.';

--! split: 513-12-audit-verify_recorders.sql
-- source: sql/12-audit/verify_recorders.sql
create or replace function audit.verify_recorders()
returns setof audit.finding
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with wanted (relation, name) as (
    select
      t.relation,
      '_900_audit_' || e.event
    from audit.audited_tables() as t (relation)
    cross join unnest(array['insert', 'update', 'delete', 'truncate']) as e (event)

    union all
    select
      k.relation::regclass,
      '_300_append_only'
    from unnest(
      array[
        'audit.seals', 'audit.eras', 'audit.retired_months',
        'audit.chart_accesses', 'audit.audit_openings', 'audit.archive_events',
        'audit.key_fingerprints'
      ]
    ) as k (relation)

    union all
    select
      p.relid,
      '_300_append_only'
    from pg_catalog.pg_partition_tree('audit.entries') as p
  )

  select
    format('trigger %s on %s', w.name, audit.name_of(w.relation)),
    case
      when t.oid is null then 'is missing'
      else 'is switched off'
    end
  from wanted as w
  left join pg_catalog.pg_trigger as t
    on t.tgrelid = w.relation
    and t.tgname = w.name
  where coalesce(t.tgenabled, 'D') not in ('O', 'A')

  union all
  select
    format('function audit.%I', audit.recorder_name(r.relation)),
    'does not record what it should: call audit.enrol_tables()'
  from audit.audited_tables() as r (relation)
  where not exists (
    select
    from pg_catalog.pg_proc as f
    join pg_catalog.pg_trigger as t
      on t.tgfoid = f.oid
    where t.tgrelid = r.relation
      and t.tgname = '_900_audit_update'
      and f.prosrc = audit.recorder_body(r.relation)
  );
$$;
comment on function audit.verify_recorders() is
  'Triggers that are missing or switched off, and recorders that were rewritten.';

--! split: 514-12-audit-verify_rows.sql
-- source: sql/12-audit/verify_rows.sql
create or replace function audit.verify_rows(relation regclass)
returns setof audit.finding
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute format(
    $query$
    with newest as (
      select distinct on (e.row_key)
        e.row_key,
        e.sequence,
        e.patient_id,
        e.new_row_digest
      from audit.entries as e
      where e.table_name = %1$L
        and e.row_key is not null
        and e.sequence > coalesce(
          (
            select max(t.sequence)
            from audit.entries as t
            where t.table_name = %1$L
              and t.row_key is null
          ),
          0
        )
      order by e.row_key, e.sequence desc
    )

    select
      format('row %%s of %1$s', coalesce(live.row_key, newest.row_key)),
      case
        when newest.sequence is null then 'is in no entry: it was written past the audit'
        when live.row_key is null then 'is gone without an entry'
        when newest.new_row_digest is null then 'is there, though its newest entry deletes it'
        else format(
          'is not what its newest entry %%s says: it was changed past the audit',
          newest.sequence
        )
      end
    from (
      select
        %2$s as row_key,
        %3$s as digest
      from %1$s as n
    ) as live
    full join newest
      on newest.row_key = live.row_key
    where live.digest is distinct from newest.new_row_digest
      -- The salt of a shredded person is gone, and with it the proof of what was written before.
      and not exists (
        select
        from audit.person_keys as k
        where k.patient_id = newest.patient_id
          and k.shredded_after >= newest.sequence
          and live.row_key is not null
          and newest.new_row_digest is not null
          and %4$L
      )
    order by newest.sequence nulls first, live.row_key
    $query$,
    audit.name_of(verify_rows.relation),
    audit.key_expression(verify_rows.relation, 'n'),
    audit.digest_expression(verify_rows.relation, 'n'),
    exists (
      select
      from audit.identity_columns as i
      where i.table_name = audit.name_of(verify_rows.relation)
    )
  );
end;
$$;
comment on function audit.verify_rows(regclass) is
  'Rows of a table that are not what their newest entry says: changed, written or deleted past the audit.';

--! split: 515-14-analytics-data_quality.sql
-- source: sql/14-analytics/data_quality.sql
create or replace function analytics.data_quality()
returns setof analytics.data_quality_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_role('administrator');
  return query
  select q.*
  from ops.data_quality() as q
  order by
    q.is_worse desc,
    array_position(array['critical', 'warning', 'notice'], q.severity),
    q.percent desc nulls last,
    q.check_name;
end;
$$;
comment on function analytics.data_quality() is
  'What the checks of the record last found, for administrators: what became worse first. Lends the owner''s right to read it. Raises UNAUT or PRMSN.';

create or replace function analytics.data_quality_trend(
  from_date date default null,
  until_date date default null,
  check_name text default null
)
returns setof analytics.data_quality_trend_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_role('administrator');
  return query
  select
    r.check_name,
    r.measured_at,
    r.looked_at,
    r.found
  from ops.data_quality_results as r
  where (
      data_quality_trend.from_date is null
      or r.measured_at >= data_quality_trend.from_date::timestamp at time zone 'UTC'
    )
    and (
      data_quality_trend.until_date is null
      or r.measured_at < data_quality_trend.until_date::timestamp at time zone 'UTC'
    )
    and (data_quality_trend.check_name is null or r.check_name = data_quality_trend.check_name)
  order by
    r.measured_at desc,
    r.check_name;
end;
$$;
comment on function analytics.data_quality_trend(date, date, text) is
  'What the checks of the record found from from_date and before until_date (days of UTC), newest first, for administrators. Lends the owner''s right to read it. Raises UNAUT or PRMSN.';

-- The alert is closed in the same transaction, and comes back with the next row that is found.
create or replace function analytics.acknowledge_data_quality(check_name text)
returns analytics.data_quality_row
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  answer analytics.data_quality_row;
begin
  perform hospital_private.require_role('administrator');
  update ops.data_quality_checks as c
  set acknowledged_found = r.found,
    acknowledged_at = now(),
    acknowledged_by = hospital_private.current_account_id()
  from (
    select s.found
    from ops.data_quality_results as s
    where s.check_name = acknowledge_data_quality.check_name
    order by s.measured_at desc
    limit 1
  ) as r
  where c.name = acknowledge_data_quality.check_name;
  if not found then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such check, or it was never made.',
      hint = 'Ask dataQuality for them.';
  end if;
  perform ops.keep_quality_alert(acknowledge_data_quality.check_name);
  select q.*
  into answer
  from ops.data_quality() as q
  where q.check_name = acknowledge_data_quality.check_name;
  return answer;
end;
$$;
comment on function analytics.acknowledge_data_quality(text) is
  'Says that an administrator knows what a check last found: its alert is closed until more is found. Lends the owner''s right to write it. Raises UNAUT, PRMSN or NTFND.';

--! split: 516-16-operations-check_backups.sql
-- source: sql/16-operations/check_backups.sql
-- A backup that fails says so in the run of its job; one that nobody even tries says nothing. So the list is asked.
create or replace function ops.check_backups(is_nightly boolean)
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  kept as (
    select
      b.finished_at,
      b.problems
    from ops.backups as b
    where b.removed_at is null
  ),
  found as (
    select
      'backup_overdue' as kind,
      -- Where there is none yet, since somebody was asked for one.
      check_backups.is_nightly
      and coalesce(
        (select max(k.finished_at) from kept as k),
        (select min(r.started_at) from ops.job_runs as r where r.job = 'nightly_backup')
      ) < statement_timestamp() - interval '26 hours' as is_so
    union all
    select
      'backup_damaged',
      exists (select from kept as k where k.problems > 0)
  ),
  raised as (
    insert into ops.alerts (kind)
    select f.kind
    from found as f
    where f.is_so
    on conflict (kind) where closed_at is null do nothing
    returning 1
  ),
  closed as (
    update ops.alerts as a
    set closed_at = greatest(now(), a.raised_at)
    from found as f
    where a.kind = f.kind
      and a.closed_at is null
      and f.is_so is not true
    returning 1
  )
  select (select count(*) from raised) + (select count(*) from closed);
$$;
comment on function ops.check_backups(boolean) is
  'Job: raises an alert when the backup of the last night is missing, if one is made every night, or when one was found damaged, and closes it when that is mended; returns how many it wrote. Lends the worker the owner''s right to write alerts.';

--! split: 517-16-operations-checkup.sql
-- source: sql/16-operations/checkup.sql
-- What `infirmary checkup` asks of the hospital as hospital_monitor, who may read none of these tables himself.
create or replace function ops.applied_migrations()
returns table (filename text, hash text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select
    m.filename,
    m.hash
  from graphile_migrate.migrations as m
  order by m.filename;
end;
$$;
comment on function ops.applied_migrations() is
  'The migrations that this database has had, oldest first. Lends hospital_monitor the owner''s right to read them.';

create or replace function ops.sequence_positions()
returns table (sequence_name text, last_value bigint, max_value bigint)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    format('%I.%I', s.schemaname, s.sequencename),
    s.last_value,
    s.max_value
  from pg_catalog.pg_sequences as s
  where s.schemaname in (
      'hospital', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
    )
    and s.last_value is not null
    and not s.cycle;
$$;
comment on function ops.sequence_positions() is
  'How far each sequence of ours that has begun has come. Lends hospital_monitor the owner''s right to read them.';

create or replace function ops.audit_unsealed_since()
returns timestamptz
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  era as (
    select max(r.era) as era
    from audit.eras as r
  ),
  last as (
    select
      l.last_transaction_id,
      l.last_sequence
    from era as r
    join audit.seals as l
      on l.era = r.era
    order by l.block desc
    limit 1
  )
  select min(e.recorded_at)
  from audit.entries as e
  where e.era = (select r.era from era as r)
    -- Two values and no row, so that the index is used.
    and (e.transaction_id, e.sequence) > (
      coalesce((select l.last_transaction_id from last as l), '0'),
      coalesce((select l.last_sequence from last as l), 0)
    );
$$;
comment on function ops.audit_unsealed_since() is
  'Since when the oldest entry of the audit waits for its seal, or null. Lends hospital_monitor the owner''s right to read the audit.';

create or replace function ops.warehouse_freshness()
returns table (data_as_of timestamptz, is_stale boolean)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    l.data_as_of,
    warehouse.is_stale(l.data_as_of)
  from (
    select min(s.data_as_of) as data_as_of
    from warehouse.view_states as s
  ) as l;
$$;
comment on function ops.warehouse_freshness() is
  'As of when the answers of analytics are and whether that is too old. Lends hospital_monitor the owner''s right to read when they were refreshed.';

create or replace function ops.last_job_runs()
returns table (
  job text,
  last_started_at timestamptz,
  ended_started_at timestamptz,
  ended_outcome text,
  ended_error_code text
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    j.job,
    j.last_started_at,
    e.started_at,
    e.outcome,
    e.error_code
  from (
    select
      r.job,
      max(r.started_at) as last_started_at
    from ops.job_runs as r
    group by r.job
  ) as j
  left join lateral (
    select
      r.started_at,
      r.outcome,
      r.error_code
    from ops.job_runs as r
    where r.job = j.job
      and r.outcome <> 'running'
    order by
      r.started_at desc,
      r.id desc
    limit 1
  ) as e
    on true;
$$;
comment on function ops.last_job_runs() is
  'Of each job when it last began, and how the newest run that has ended went. Lends hospital_monitor the owner''s right to read the runs.';

create or replace function ops.kept_backups()
returns table (name text, finished_at timestamptz, verified_at timestamptz, problems integer)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    b.name,
    b.finished_at,
    b.verified_at,
    b.problems
  from ops.backups as b
  where b.removed_at is null;
$$;
comment on function ops.kept_backups() is
  'The backups that are in their repository, as far as this database was told. Lends hospital_monitor the owner''s right to read the list.';

create or replace function ops.last_drill()
returns table (started_at timestamptz, passed boolean)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    d.started_at,
    d.passed
  from ops.backup_drills as d
  order by d.started_at desc
  limit 1;
$$;
comment on function ops.last_drill() is
  'The newest drill, if there was any. Lends hospital_monitor the owner''s right to read the list.';

create or replace function ops.open_quality_alerts()
returns table (check_view text, description text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    a.kind,
    k.description
  from ops.alerts as a
  join ops.alert_kinds as k
    on k.code = a.kind
  where a.closed_at is null
    and a.kind like 'quality\_%'
  order by a.kind;
$$;
comment on function ops.open_quality_alerts() is
  'The checks of the record that found more than is acknowledged, by their views. Lends hospital_monitor the owner''s right to read the alerts.';

create or replace function ops.consumer_readers()
returns table (reader text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select distinct c.reader
  from ops.change_consumers as c;
$$;
comment on function ops.consumer_readers() is
  'The roles that read changes for registered consumers. Lends hospital_monitor the owner''s right to read the consumers.';

--! split: 518-16-operations-data_quality.sql
-- source: sql/16-operations/data_quality.sql
-- A check is a view ops.quality_<name> of (row_key, is_wrong), one row for each row that is looked at, so that
-- who mends asks the same view which rows they are. Here is said what it is for; the alert of a check that
-- became worse is one of ops.alerts.
create or replace procedure ops.define_quality_check(
  name text,
  severity text,
  of_table regclass,
  question text,
  remedy text
)
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  view_name constant text := 'quality_' || define_quality_check.name;
begin
  execute format('comment on view ops.%I is %L', view_name, define_quality_check.question);
  execute format('comment on column ops.%I.row_key is ''The key of the row.''', view_name);
  execute format('comment on column ops.%I.is_wrong is ''Whether it is found.''', view_name);
  insert into ops.data_quality_checks as c (name, severity, of_table, question, remedy)
  values (
    define_quality_check.name,
    define_quality_check.severity,
    audit.name_of(define_quality_check.of_table),
    define_quality_check.question,
    define_quality_check.remedy
  )
  on conflict on constraint data_quality_checks_pkey do update
  set severity = excluded.severity,
    of_table = excluded.of_table,
    question = excluded.question,
    remedy = excluded.remedy;
  insert into ops.alert_kinds as k (code, description)
  values (view_name, define_quality_check.question || ' ' || define_quality_check.remedy)
  on conflict (code) do update
  set description = excluded.description;
end;
$$;
comment on procedure ops.define_quality_check(text, text, regclass, text, text) is
  'Says what the view ops.quality_<name> is for, and lets the nightly job ask it.';

-- What is found is told in numbers and keys. Of everything that was acknowledged, as much is forgotten as was mended.
create or replace function ops.check_data_quality()
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  known ops.data_quality_checks;
  result ops.data_quality_results;
  written bigint := 0::bigint;
begin
  for known in
    select *
    from ops.data_quality_checks as c
    order by c.name
    for update
  loop
    execute format(
      $query$
        select
          count(*),
          count(*) filter (where q.is_wrong),
          array(
            select s.row_key
            from ops.%1$I as s
            where s.is_wrong
            order by s.row_key desc
            limit 10
          )
        from ops.%1$I as q
      $query$,
      'quality_' || known.name
    )
    into result.looked_at, result.found, result.sample_keys;
    insert into ops.data_quality_results (check_name, looked_at, found, sample_keys)
    values (known.name, result.looked_at, result.found, result.sample_keys);
    update ops.data_quality_checks as c
    set acknowledged_found = result.found
    where c.name = known.name
      and c.acknowledged_found > result.found;
    perform ops.keep_quality_alert(known.name);
    written := written + 1;
  end loop;
  return written;
end;
$$;
comment on function ops.check_data_quality() is
  'Job: asks every check of the record, keeps what it found and raises or closes its alert; returns how many there are. Lends the worker the owner''s right to read the record and to write what was found.';

create or replace function ops.keep_quality_alert(check_name text)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with
  found as (
    select
      'quality_' || c.name as kind,
      c.severity <> 'notice' and r.found > c.acknowledged_found as is_worse
    from ops.data_quality_checks as c
    cross join lateral (
      select s.found
      from ops.data_quality_results as s
      where s.check_name = c.name
      order by s.measured_at desc
      limit 1
    ) as r
    where c.name = keep_quality_alert.check_name
  ),
  closed as (
    update ops.alerts as a
    set closed_at = greatest(now(), a.raised_at)
    from found as f
    where a.kind = f.kind
      and a.closed_at is null
      and not f.is_worse
  )
  insert into ops.alerts (kind)
  select f.kind
  from found as f
  where f.is_worse
  on conflict (kind) where closed_at is null do nothing;
$$;
comment on function ops.keep_quality_alert(text) is
  'Raises the alert of a check that found more than is acknowledged, or closes it.';

create or replace function ops.data_quality()
returns setof analytics.data_quality_row
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    c.name,
    c.severity,
    c.of_table,
    c.question,
    c.remedy,
    r.measured_at,
    r.looked_at,
    r.found,
    (100.0 * r.found / nullif(r.looked_at, 0))::double precision,
    r.found_before,
    c.acknowledged_found,
    c.acknowledged_at,
    coalesce(r.found > c.acknowledged_found, false),
    r.sample_keys
  from ops.data_quality_checks as c
  left join lateral (
    select
      s.*,
      lead(s.found) over (order by s.measured_at desc) as found_before
    from ops.data_quality_results as s
    where s.check_name = c.name
    order by s.measured_at desc
    limit 1
  ) as r
    on true;
$$;
comment on function ops.data_quality() is
  'Every check of the record with what it last found.';

--! split: 519-16-operations-hospital_figures.sql
-- source: sql/16-operations/hospital_figures.sql
-- Read by `infirmary serve` for /metrics, every few seconds at most. Instants and not ages: a number that was kept
-- for some seconds is still true. What has never been is 0, so that a rule on its age speaks up.
create or replace function ops.hospital_figures()
returns setof ops.figure
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Nothing is told of single runs but of the newest: what it cost to read must not grow with the years.
  return query
  with recursive
  jobs (name) as (
    (
      select r.job
      from ops.job_runs as r
      order by r.job
      limit 1
    )
    union all
    select (
      select r.job
      from ops.job_runs as r
      where r.job > j.name
      order by r.job
      limit 1
    )
    from jobs as j
    where j.name is not null
  ),

  states as (
    select
      j.name,
      succeeded.finished_at as succeeded_at,
      (
        select count(*)
        from (
          select r.outcome
          from ops.job_runs as r
          where r.job = j.name
            and r.started_at > coalesce(succeeded.started_at, '-infinity')
          order by r.started_at desc
          limit 1000
        ) as r
        where r.outcome in ('failed', 'abandoned')
      ) as failures
    from jobs as j
    left join lateral (
      select
        r.started_at,
        r.finished_at
      from ops.job_runs as r
      where r.job = j.name
        and r.outcome = 'succeeded'
      order by r.started_at desc
      limit 1
    ) as succeeded
      on true
    where j.name is not null
  )

  select
    f.name,
    s.name,
    f.value::double precision
  from states as s
  cross join lateral (
    values
      ('job_last_success_timestamp_seconds', coalesce(extract(epoch from s.succeeded_at), 0)),
      ('job_failures_in_a_row', s.failures)
  ) as f (name, value);

  return query
  select
    f.name,
    null::text,
    coalesce(extract(epoch from f.at), 0)::double precision
  from (
    values
      (
        'backup_last_timestamp_seconds',
        (
          select max(b.finished_at)
          from ops.backups as b
          where b.removed_at is null
        )
      ),
      (
        'backup_last_verified_timestamp_seconds',
        (
          select max(b.verified_at)
          from ops.backups as b
          where b.removed_at is null
            and b.problems = 0
        )
      ),
      (
        'backup_drill_last_passed_timestamp_seconds',
        (
          select max(d.finished_at)
          from ops.backup_drills as d
          where d.passed
        )
      ),
      -- The oldest of the answers: one that is behind is what somebody reads.
      (
        'warehouse_data_as_of_timestamp_seconds',
        (
          select case when bool_and(s.data_as_of is not null) then min(s.data_as_of) end
          from warehouse.view_states as s
        )
      ),
      (
        'audit_last_sealed_timestamp_seconds',
        (
          select s.sealed_at
          from audit.seals as s
          order by s.block desc
          limit 1
        )
      ),
      -- Nothing to seal is no delay, however long ago the last seal is.
      (
        'audit_unsealed_since_timestamp_seconds',
        (
          select e.recorded_at
          from audit.entries as e
          where e.era = (select max(r.era) from audit.eras as r)
            and (e.transaction_id, e.sequence) > (
              select
                s.last_transaction_id,
                s.last_sequence
              from (
                select
                  s.block,
                  s.last_transaction_id,
                  s.last_sequence
                from audit.seals as s
                where s.era = (select max(r.era) from audit.eras as r)
                union all
                -- Before the first seal everything waits.
                values (0::bigint, '0'::xid8, 0::bigint)
              ) as s
              order by s.block desc
              limit 1
            )
          order by e.transaction_id, e.sequence
          limit 1
        )
      )
  ) as f (name, at);

  return query
  select
    'backup_last_drill_passed',
    null::text,
    d.passed::integer::double precision
  from ops.backup_drills as d
  order by d.finished_at desc
  limit 1;

  -- A run that failed for another reason has found out nothing.
  return query
  select
    'audit_chain_holds',
    null::text,
    (r.outcome = 'succeeded')::integer::double precision
  from ops.job_runs as r
  where r.job = 'verify_audit_chain'
    and (r.outcome = 'succeeded' or r.error_code = 'VERIF')
  order by r.started_at desc
  limit 1;

  return query
  select
    'alerts_open',
    k.code,
    count(a.id)::double precision
  from ops.alert_kinds as k
  left join ops.alerts as a
    on a.kind = k.code
    and a.closed_at is null
  group by k.code;

  -- The queue belongs to the worker, who installs it after the migrations.
  if to_regprocedure('graphile_worker.queue_figures()') is not null then
    return query execute 'select f.name, f.label, f.value from graphile_worker.queue_figures() as f';
  end if;
end;
$$;
comment on function ops.hospital_figures() is
  'Figures about jobs, backups, the warehouse and the audit. Lends hospital_monitor the owner''s right to read when they last succeeded.';

--! split: 520-16-operations-quality-appointments_at_once.sql
-- source: sql/16-operations/quality/appointments_at_once.sql
-- What is past is recorded as it happened, so the exclusion constraints let go of it.
create or replace view ops.quality_appointments_at_once
with (security_invoker = true) as
select
  a.id as row_key,
  coalesce(
    a.starts_at < max(a.ends_at) over (
      partition by a.patient_id
      order by
        a.starts_at,
        a.id
      rows between unbounded preceding and 1 preceding
    ),
    false
  ) as is_wrong
from hospital.appointments as a
where a.status = 'completed';
call ops.define_quality_check(
  'appointments_at_once', 'notice', 'hospital.appointments',
  'Completed appointments that began before another of the same patient had ended.',
  'See which of the two took place: one of the times, or of the patients, is wrong.'
);

--! split: 521-16-operations-quality-appointments_left_open.sql
-- source: sql/16-operations/quality/appointments_left_open.sql
create or replace view ops.quality_appointments_left_open
with (security_invoker = true) as
select
  a.id as row_key,
  a.status in ('scheduled', 'checked_in', 'in_progress') as is_wrong
from hospital.appointments as a
where a.ends_at < now() - interval '1 day'
  and a.status <> 'held';
call ops.define_quality_check(
  'appointments_left_open', 'warning', 'hospital.appointments',
  'Appointments that are scheduled, checked in or in progress a day after their end.',
  'Complete them, or say that the patient did not come.'
);

--! split: 522-16-operations-quality-doctors_without_hours.sql
-- source: sql/16-operations/quality/doctors_without_hours.sql
create or replace view ops.quality_doctors_without_hours
with (security_invoker = true) as
select
  d.id as row_key,
  not exists (
    select
    from hospital.doctor_schedules as s
    where s.doctor_id = d.id
      and coalesce(upper(s.effective), 'infinity') > now()::date
  ) and not exists (
    select
    from hospital.doctor_extra_sessions as e
    where e.doctor_id = d.id
      and e.ends_at > now()
  ) as is_wrong
from hospital.doctors as d
where d.is_active;
call ops.define_quality_check(
  'doctors_without_hours', 'warning', 'hospital.doctors',
  'Active doctors with no working hours, now or later.',
  'Enter their hours, or deactivate them: nobody can book them.'
);

--! split: 523-16-operations-quality-imports_with_orphans.sql
-- source: sql/16-operations/quality/imports_with_orphans.sql
create or replace view ops.quality_imports_with_orphans
with (security_invoker = true) as
select
  r.id as row_key,
  exists (
    select
    from staging.import_rejects as j
    where j.run_id = r.id
      and j.reason like 'unknown\_%'
  ) as is_wrong
from staging.import_runs as r
where r.loaded_at > now() - interval '30 days';
call ops.define_quality_check(
  'imports_with_orphans', 'warning', 'staging.import_runs',
  'Imports of the last thirty days of which lines were refused since what they refer to is not there.',
  'Import the missing files first, then these again: staging.import_rejects has the lines.'
);

--! split: 524-16-operations-quality-imports_with_the_implausible.sql
-- source: sql/16-operations/quality/imports_with_the_implausible.sql
create or replace view ops.quality_imports_with_the_implausible
with (security_invoker = true) as
select
  r.id as row_key,
  exists (
    select
    from staging.import_rejects as j
    where j.run_id = r.id
      and j.reason in ('stop_before_start', 'implausible_birth', 'bad_date', 'bad_number')
  ) as is_wrong
from staging.import_runs as r
where r.loaded_at > now() - interval '30 days';
call ops.define_quality_check(
  'imports_with_the_implausible', 'warning', 'staging.import_runs',
  'Imports of the last thirty days of which lines were refused as implausible, such as a medication that ends before it begins.',
  'Correct them where they come from, then import them again: staging.import_rejects has the lines.'
);

--! split: 525-16-operations-quality-notes_unsigned.sql
-- source: sql/16-operations/quality/notes_unsigned.sql
create or replace view ops.quality_notes_unsigned
with (security_invoker = true) as
select
  n.id as row_key,
  n.signed_at is null as is_wrong
from hospital.clinical_notes as n
where n.voided_at is null
  and n.created_at < now() - interval '7 days';
call ops.define_quality_check(
  'notes_unsigned', 'warning', 'hospital.clinical_notes',
  'Notes that are not signed seven days after they were begun.',
  'Ask their authors to sign them: unsigned, they may still be changed.'
);

--! split: 526-16-operations-quality-patients_registered_twice.sql
-- source: sql/16-operations/quality/patients_registered_twice.sql
-- Names that are alike and not the same are asked for by sql/queries/27-perhaps-one-person.sql.
create or replace view ops.quality_patients_registered_twice
with (security_invoker = true) as
select
  p.id as row_key,
  count(*) over (
    partition by
      lower(p.family_name),
      lower(p.given_name),
      p.date_of_birth
  ) > 1 as is_wrong
from hospital.patients as p
where p.merged_into_id is null
  and p.erased_at is null;
call ops.define_quality_check(
  'patients_registered_twice', 'warning', 'hospital.patients',
  'Records of patients with the same name and day of birth.',
  'Look whether they are one person, and merge them: mergePatients.'
);

--! split: 527-16-operations-quality-patients_too_old.sql
-- source: sql/16-operations/quality/patients_too_old.sql
-- The constraint allows whoever was born since 1870: he may have died long ago.
create or replace view ops.quality_patients_too_old
with (security_invoker = true) as
select
  p.id as row_key,
  p.date_of_birth < (now() - interval '120 years')::date as is_wrong
from hospital.patients as p
where p.merged_into_id is null
  and p.erased_at is null
  and p.deceased_on is null;
call ops.define_quality_check(
  'patients_too_old', 'warning', 'hospital.patients',
  'Patients who would be older than 120 years.',
  'Correct the day of birth, or record the death.'
);

--! split: 528-16-operations-quality-patients_without_contact.sql
-- source: sql/16-operations/quality/patients_without_contact.sql
create or replace view ops.quality_patients_without_contact
with (security_invoker = true) as
select
  p.id as row_key,
  not exists (
    select
    from hospital.contact_points as c
    where c.patient_id = p.id
  ) as is_wrong
from hospital.patients as p
where p.merged_into_id is null
  and p.erased_at is null
  and p.deactivated_at is null
  and p.deceased_on is null;
call ops.define_quality_check(
  'patients_without_contact', 'warning', 'hospital.patients',
  'Patients of whom nobody knows how to reach them.',
  'Ask at the next visit: no message reaches them.'
);

--! split: 529-16-operations-quality-treatments_of_unusual_cost.sql
-- source: sql/16-operations/quality/treatments_of_unusual_cost.sql
-- Usual is the median, which a few wrong ones do not move. Of fewer than twenty nothing is usual.
create or replace view ops.quality_treatments_of_unusual_cost
with (security_invoker = true) as
with
usual as (
  select
    t.type,
    percentile_cont(0.5) within group (order by t.cost) as cost
  from hospital.treatments as t
  where t.voided_at is null
  group by t.type
  having count(*) >= 20
)
select
  t.id as row_key,
  t.cost > 10 * u.cost and t.cost > 100 as is_wrong
from hospital.treatments as t
join usual as u
  on u.type = t.type
where t.voided_at is null;
call ops.define_quality_check(
  'treatments_of_unusual_cost', 'warning', 'hospital.treatments',
  'Treatments that cost more than ten times what is usual for their type.',
  'Look for a decimal point in the wrong place.'
);

--! split: 530-16-operations-quality-treatments_without_outcome.sql
-- source: sql/16-operations/quality/treatments_without_outcome.sql
create or replace view ops.quality_treatments_without_outcome
with (security_invoker = true) as
select
  t.id as row_key,
  t.outcome is null as is_wrong
from hospital.treatments as t
where t.voided_at is null
  and t.started_at < now() - interval '90 days';
call ops.define_quality_check(
  'treatments_without_outcome', 'notice', 'hospital.treatments',
  'Treatments without an outcome ninety days after they began.',
  'Ask for the outcome at the next visit: which treatments help is counted from it.'
);

--! split: 531-16-operations-quality-visits_after_death.sql
-- source: sql/16-operations/quality/visits_after_death.sql
-- A death is known by the day, and a day begins at different times: one is allowed for.
create or replace view ops.quality_visits_after_death
with (security_invoker = true) as
select
  v.id as row_key,
  coalesce((v.started_at at time zone 'UTC')::date > p.deceased_on + 1, false) as is_wrong
from hospital.visits as v
join hospital.patients as p
  on p.id = v.patient_id
where v.voided_at is null;
call ops.define_quality_check(
  'visits_after_death', 'critical', 'hospital.visits',
  'Visits that began more than a day after the patient had died.',
  'One of the two is wrong, or the chart is another patients.'
);

--! split: 532-16-operations-quality-visits_charted_late.sql
-- source: sql/16-operations/quality/visits_charted_late.sql
create or replace view ops.quality_visits_charted_late
with (security_invoker = true) as
select
  v.id as row_key,
  v.created_at > coalesce(v.ended_at, v.started_at) + interval '2 days' as is_wrong
from hospital.visits as v
where v.voided_at is null
  and v.started_at > now() - interval '90 days';
call ops.define_quality_check(
  'visits_charted_late', 'notice', 'hospital.visits',
  'Visits of the last ninety days that were written down more than two days after their end.',
  'Ask why: what is written from memory is less true.'
);

--! split: 533-16-operations-quality-visits_left_open.sql
-- source: sql/16-operations/quality/visits_left_open.sql
create or replace view ops.quality_visits_left_open
with (security_invoker = true) as
select
  v.id as row_key,
  v.ended_at is null as is_wrong
from hospital.visits as v
where v.voided_at is null
  and v.started_at < now() - interval '1 day';
call ops.define_quality_check(
  'visits_left_open', 'warning', 'hospital.visits',
  'Visits that have not ended a day after they began.',
  'Ask their doctors to end them: waiting times and reports leave them out.'
);

--! split: 534-16-operations-quality-visits_without_diagnosis.sql
-- source: sql/16-operations/quality/visits_without_diagnosis.sql
create or replace view ops.quality_visits_without_diagnosis
with (security_invoker = true) as
select
  v.id as row_key,
  not exists (
    select
    from hospital.visit_diagnoses as d
    where d.visit_id = v.id
      and d.voided_at is null
  ) as is_wrong
from hospital.visits as v
where v.voided_at is null
  and v.started_at < now() - interval '7 days';
call ops.define_quality_check(
  'visits_without_diagnosis', 'warning', 'hospital.visits',
  'Visits without a coded diagnosis seven days later.',
  'Ask their doctors to code them: nothing is counted or billed by free text.'
);

--! split: 535-16-operations-quality-warehouse_differs.sql
-- source: sql/16-operations/quality/warehouse_differs.sql
-- Counted without the loader's help. What changed since the last load is not held against it.
create or replace view ops.quality_warehouse_differs
with (security_invoker = true) as
select
  coalesce(v.id, f.visit_id) as row_key,
  (v.id is not null and v.voided_at is null) <> (f.visit_id is not null) as is_wrong
from hospital.visits as v
full join warehouse.fact_visits as f
  on f.visit_id = v.id
where exists (
  select
  from warehouse.load_state as s
  where coalesce(v.updated_at, '-infinity') < s.data_as_of
);
call ops.define_quality_check(
  'warehouse_differs', 'critical', 'hospital.visits',
  'Visits that the warehouse lacks, or has and should not.',
  'See what differs and mend it: infirmary etl verify, then infirmary etl run --full.'
);

--! split: 536-16-operations-server_figures.sql
-- source: sql/16-operations/server_figures.sql
-- As hospital_monitor itself, whose membership of pg_monitor opens the server's own statistics. On a standby too.
create or replace function ops.server_figures()
returns setof ops.figure
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  here constant pg_lsn := case
    when pg_is_in_recovery() then pg_last_wal_replay_lsn()
    else pg_current_wal_lsn()
  end;
begin
  return query
  select
    f.name,
    null::text,
    f.value::double precision
  from pg_stat_database as d
  join pg_database as b
    on b.oid = d.datid
  cross join lateral (
    values
      ('database_size_bytes', pg_database_size(d.datid)),
      ('database_commits_total', d.xact_commit),
      ('database_rollbacks_total', d.xact_rollback),
      ('database_blocks_hit_total', d.blks_hit),
      ('database_blocks_read_total', d.blks_read),
      ('database_deadlocks_total', d.deadlocks),
      ('database_temp_bytes_total', d.temp_bytes),
      ('database_checksum_failures_total', coalesce(d.checksum_failures, 0)),
      ('database_transaction_id_age', age(b.datfrozenxid)::bigint),
      ('database_multixact_age', mxid_age(b.datminmxid)::bigint)
  ) as f (name, value)
  where d.datname = current_database();

  return query
  select
    f.name,
    f.label,
    f.value::double precision
  from (
    values
      ('database_connections_max', null, current_setting('max_connections')::numeric),
      ('database_in_recovery', null, pg_is_in_recovery()::integer),
      ('database_started_timestamp_seconds', null, extract(epoch from pg_postmaster_start_time()))
  ) as f (name, label, value);

  -- Every state is always there: a rule on one that is missing would never speak.
  return query
  select
    'database_connections',
    s.state,
    count(a.pid)::double precision
  from unnest(array['active', 'idle', 'idle in transaction', 'other']) as s (state)
  left join pg_stat_activity as a
    on a.backend_type = 'client backend'
    and s.state = case
      when a.state in ('active', 'idle', 'idle in transaction') then a.state
      else 'other'
    end
  group by s.state;

  return query
  select
    f.name,
    null::text,
    f.value::double precision
  from (
    select
      count(*) filter (where a.wait_event_type = 'Lock') as waiting,
      -- Of clients: the server's own senders and launchers have none, or one for ever.
      max(extract(epoch from clock_timestamp() - a.xact_start))
        filter (where a.backend_type = 'client backend') as oldest
    from pg_stat_activity as a
    where a.pid <> pg_backend_pid()
  ) as a
  cross join lateral (
    values
      ('database_waiting_for_locks', a.waiting::numeric),
      ('database_oldest_transaction_seconds', coalesce(a.oldest, 0))
  ) as f (name, value);

  return query
  select
    f.name,
    s.slot_name::text,
    f.value::double precision
  from pg_replication_slots as s
  cross join lateral (
    values
      ('replication_slot_retained_bytes', greatest(pg_wal_lsn_diff(here, s.restart_lsn), 0)),
      ('replication_slot_active', s.active::integer),
      ('replication_slot_lost', (s.wal_status = 'lost')::integer)
  ) as f (name, value)
  -- A temporary one ends with its connection, and a new one has kept nothing yet.
  where not s.temporary
    and f.value is not null;

  return query
  select
    f.name,
    r.application_name,
    f.value::double precision
  from (
    select
      r.application_name,
      max(pg_wal_lsn_diff(here, r.replay_lsn)) as bytes,
      max(extract(epoch from r.replay_lag)) as seconds,
      bool_or(r.sync_state in ('sync', 'quorum')) as is_synchronous
    from pg_stat_replication as r
    group by r.application_name
  ) as r
  cross join lateral (
    values
      ('replication_lag_bytes', greatest(r.bytes, 0)),
      ('replication_lag_seconds', coalesce(r.seconds, 0)),
      ('replication_synchronous', r.is_synchronous::integer)
  ) as f (name, value)
  where f.value is not null;

  if pg_is_in_recovery() then
    return query
    select
      'database_last_replayed_timestamp_seconds',
      null::text,
      coalesce(extract(epoch from pg_last_xact_replay_timestamp()), 0)::double precision;
  else
    return query
    select
      'replication_standbys',
      null::text,
      -- Those that receive the log for backups, or into another database, follow no one.
      count(*)::double precision
    from pg_stat_replication as r
    left join pg_replication_slots as s
      on s.active_pid = r.pid
    where r.state = 'streaming'
      and r.replay_lsn is not null
      and s.slot_type is distinct from 'logical';
  end if;

  return query
  select
    f.name,
    null::text,
    f.value::double precision
  from pg_stat_archiver as a
  cross join lateral (
    values
      ('wal_archived_last_timestamp_seconds', coalesce(extract(epoch from a.last_archived_time), 0)),
      ('wal_archive_failing', (a.last_failed_time > coalesce(a.last_archived_time, '-infinity'))::integer)
  ) as f (name, value)
  where current_setting('archive_mode') <> 'off'
    and f.value is not null;
end;
$$;
comment on function ops.server_figures() is
  'Figures about the server: connections, transactions, locks, replication and the log. Of other databases of the server only what connects to it is counted.';

--! split: 537-16-operations-statement_statistics.sql
-- source: sql/16-operations/statement_statistics.sql
-- pg_stat_statements takes the values out of most statements, and not of all: a declared cursor, a copied query, a
-- comment or an alias keeps its words, and so does a statement whose entry was thrown out while it ran. What is
-- shown here is therefore taken apart once more, and of a statement that cannot be, nothing.
create or replace function ops.without_literals(statement text)
returns text
language sql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p.statement is null then null
    when p.statement ~* '^\s*\(*\s*(select|insert|update|delete|merge|with|values)\M'
      then btrim(regexp_replace(
        regexp_replace(p.statement, '\$[0-9]+\M|\m[0-9][0-9a-z_.]*', '?', 'gi'),
        '\s+', ' ', 'g'
      ))
    else '(a command, whose text may hold values)'
  end
  from (
    -- Comments, then whatever is in quotes. A name that needs its quotes may be anything.
    select regexp_replace(
      without_literals.statement,
      '--[^\n]*|/\*([^*]|\*+[^*/])*\*+/|[eE]''([^''\\]|\\.|'''')*''|''([^'']|'''')*''|\$([a-z_]\w*)?\$.*\$([a-z_]\w*)?\$|"([^"]|"")*"',
      '?', 'gi'
    ) as statement
  ) as p;
$$;
comment on function ops.without_literals(text) is
  'A statement without comments, literals and quoted names; of a command only that it is one.';

-- The extension is a superuser's to make (`infirmary migrate` does where it may), in a schema of his choice, and its columns
-- differ between the versions.
create or replace function ops.read_statement_statistics()
returns setof ops.statement_figure
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  home name := (
    select n.nspname
    from pg_extension as x
    join pg_namespace as n
      on n.oid = x.extnamespace
    where x.extname = 'pg_stat_statements'
  );
begin
  if home is null then
    return query
    select (jsonb_populate_record(
      null::ops.statement_figure,
      '{"statement": "(pg_stat_statements is not installed in this database: a superuser makes it with create extension)"}'
    )).*;
    return;
  end if;
  return query execute format(
    $query$
      select
        s.queryid,
        s.userid::regrole::name,
        s.calls,
        s.total_exec_time,
        s.mean_exec_time,
        s.max_exec_time,
        s.rows,
        coalesce(to_jsonb(s) ->> 'shared_blk_read_time', to_jsonb(s) ->> 'blk_read_time')::double precision,
        s.shared_blks_hit,
        s.shared_blks_read,
        s.temp_blks_written,
        s.wal_bytes,
        ops.without_literals(s.query)
      from %I.pg_stat_statements as s
      where s.dbid = (select d.oid from pg_database as d where d.datname = current_database())
    $query$,
    home
  );
exception
  when object_not_in_prerequisite_state then
    return query
    select (jsonb_populate_record(
      null::ops.statement_figure,
      '{"statement": "(the server does not load pg_stat_statements: add it to shared_preload_libraries and restart)"}'
    )).*;
end;
$$;
comment on function ops.read_statement_statistics() is
  'What ops.statement_statistics shows; of other roles'' statements only to members of pg_read_all_stats.';

create or replace view ops.statement_statistics
with (security_invoker = true)
as
select
  s.query_id,
  s.login,
  s.calls,
  s.total_ms,
  s.mean_ms,
  s.max_ms,
  s.rows,
  s.read_ms,
  s.blocks_hit,
  s.blocks_read,
  s.temp_blocks,
  s.wal_bytes,
  s.statement
from ops.read_statement_statistics() as s;
comment on view ops.statement_statistics is 'What each kind of statement has cost here; where pg_stat_statements is missing, one row that says so.';
comment on column ops.statement_statistics.query_id is 'The identifier of the kind, the same as in pg_stat_activity.';
comment on column ops.statement_statistics.login is 'The role that logged in or was set.';
comment on column ops.statement_statistics.calls is 'How often it was executed.';
comment on column ops.statement_statistics.total_ms is 'How long it ran in all.';
comment on column ops.statement_statistics.mean_ms is 'How long it ran each time, on the average.';
comment on column ops.statement_statistics.max_ms is 'How long it ran at most.';
comment on column ops.statement_statistics.rows is 'How many rows it returned or changed.';
comment on column ops.statement_statistics.read_ms is 'How long it waited for blocks to be read, where track_io_timing is on.';
comment on column ops.statement_statistics.blocks_hit is 'How many blocks it found in the shared buffers.';
comment on column ops.statement_statistics.blocks_read is 'How many blocks it had to read.';
comment on column ops.statement_statistics.temp_blocks is 'How many blocks it wrote to temporary files, for want of work_mem.';
comment on column ops.statement_statistics.wal_bytes is 'How much it wrote to the log.';
comment on column ops.statement_statistics.statement is 'Its text without any literal, or why there is none.';

--! split: 538-16-operations-table_health.sql
-- source: sql/16-operations/table_health.sql
create or replace view ops.table_health
with (security_invoker = true)
as
select
  format('%I.%I', s.schemaname, s.relname) as table_name,
  pg_total_relation_size(s.relid) as bytes,
  pg_indexes_size(s.relid) as index_bytes,
  s.n_live_tup as live_rows,
  s.n_dead_tup as dead_rows,
  s.n_dead_tup::double precision / nullif(s.n_live_tup + s.n_dead_tup, 0) as dead_ratio,
  s.n_tup_upd as updates,
  s.n_tup_hot_upd::double precision / nullif(s.n_tup_upd, 0) as hot_ratio,
  s.seq_scan as sequential_scans,
  s.idx_scan as index_scans,
  greatest(s.last_vacuum, s.last_autovacuum) as last_vacuum_at,
  greatest(s.last_analyze, s.last_autoanalyze) as last_analyze_at,
  s.n_mod_since_analyze as changes_since_analyze,
  age(c.relfrozenxid) as transaction_id_age,
  c.reloptions as settings
from pg_stat_user_tables as s
join pg_class as c
  on c.oid = s.relid;
comment on view ops.table_health is 'How each table is doing: how large and how dead, and when it was last tidied up.';
comment on column ops.table_health.table_name is 'The table or partition, with its schema.';
comment on column ops.table_health.bytes is 'How large it is with its indexes and what is stored out of line.';
comment on column ops.table_health.index_bytes is 'How large its indexes are.';
comment on column ops.table_health.live_rows is 'About how many rows it has.';
comment on column ops.table_health.dead_rows is 'About how many versions of rows nobody sees any more and no vacuum has removed.';
comment on column ops.table_health.dead_ratio is 'Their share, or null in an empty table.';
comment on column ops.table_health.updates is 'How many rows were updated since the counters were reset.';
comment on column ops.table_health.hot_ratio is 'Which share of them needed no new entry in any index, or null without updates.';
comment on column ops.table_health.sequential_scans is 'How often it was read from end to end.';
comment on column ops.table_health.index_scans is 'How often it was read by an index.';
comment on column ops.table_health.last_vacuum_at is 'When it was last vacuumed, by anybody, or null.';
comment on column ops.table_health.last_analyze_at is 'When its statistics were last taken, by anybody, or null.';
comment on column ops.table_health.changes_since_analyze is 'How many rows were written since.';
comment on column ops.table_health.transaction_id_age is 'How many transactions ago its oldest unfrozen row may have been written; null for a partitioned table.';
comment on column ops.table_health.settings is 'Its own storage settings, such as fillfactor; each has its reason in docs/monitoring.md.';

create or replace view ops.index_use
with (security_invoker = true)
as
select
  format('%I.%I', s.schemaname, s.relname) as table_name,
  s.indexrelname as index_name,
  pg_relation_size(s.indexrelid) as bytes,
  s.idx_scan as scans,
  -- Since 16.
  (to_jsonb(s) ->> 'last_idx_scan')::timestamptz as last_scan_at,
  s.idx_tup_read as entries_read,
  i.indisunique or i.indisexclusion as holds_a_rule,
  i.indisvalid as is_valid
from pg_stat_user_indexes as s
join pg_index as i
  on i.indexrelid = s.indexrelid;
comment on view ops.index_use is 'How much each index is used, and whether it could be done without.';
comment on column ops.index_use.table_name is 'The table or partition, with its schema.';
comment on column ops.index_use.index_name is 'The index.';
comment on column ops.index_use.bytes is 'How large it is.';
comment on column ops.index_use.scans is 'How often it was searched since the counters were reset.';
comment on column ops.index_use.last_scan_at is 'When it was last searched, or null; unknown before PostgreSQL 16.';
comment on column ops.index_use.entries_read is 'How many of its entries were read.';
comment on column ops.index_use.holds_a_rule is 'Whether it makes a key, a unique or an exclusion constraint true, and so is needed however little it is searched.';
comment on column ops.index_use.is_valid is 'Whether it may be used: false after a concurrent build that failed.';

--! split: 539-16-operations-tidy_records.sql
-- source: sql/16-operations/tidy_records.sql
-- What serves nobody any more and would only grow, ninety days after it last could. So many at once: the first night
-- after years may not hold up the morning, and the rest goes the next night.
create or replace function ops.tidy_records()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  old_runs as (
    delete from ops.job_runs as r
    where r.id = any (
      array(
        select old.id
        from ops.job_runs as old
        where old.started_at < now() - interval '90 days'
          and old.outcome <> 'running'
          -- The newest success of each job stays, however old: by it is told that the job is overdue.
          and exists (
            select
            from ops.job_runs as newer
            where newer.job = old.job
              and newer.outcome = 'succeeded'
              and newer.started_at > old.started_at
          )
        limit 50000
      )
    )
    returning 1
  ),

  -- Until when a look at a chart may have lasted is told by its sessions' end: those are kept. That one was deleted is
  -- in the audit, which says of every change whose session it was without asking here.
  old_sessions as (
    delete from hospital_private.sessions as s
    where s.id = any (
      array(
        select old.id
        from hospital_private.sessions as old
        where old.expires_at < now() - interval '90 days'
          and not exists (
            select
            from audit.chart_openings as o
            where o.session_id = old.id
          )
        order by old.expires_at
        limit 10000
      )
    )
    returning 1
  ),

  -- Lines of files, with all that stands in them about a patient; what was read, loaded and refused stays counted.
  old_rejects as (
    delete from staging.import_rejects as j
    where j.run_id = any (
      array(
        select r.id
        from staging.import_runs as r
        where r.loaded_at < now() - interval '90 days'
      )
    )
    returning 1
  ),

  old_remarks as (
    delete from staging.import_remarks as k
    where k.run_id = any (
      array(
        select r.id
        from staging.import_runs as r
        where r.loaded_at < now() - interval '90 days'
      )
    )
    returning 1
  )

  select (select count(*) from old_runs)
    + (select count(*) from old_sessions)
    + (select count(*) from old_rejects)
    + (select count(*) from old_remarks);
$$;
comment on function ops.tidy_records() is
  'Job: deletes runs of jobs, sessions that opened no chart, and refused lines of imports, ninety days after their end; returns how many. Lends the worker the owner''s right to delete these.';

--! split: 540-policies-administrator.sql
-- source: policies/administrator.sql
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

--! split: 541-policies-monitor.sql
-- source: policies/monitor.sql
-- hospital_monitor watches: `/metrics`, check-ups and the state of standbys are read through it. It reads figures and
-- names of things, never a row of a patient, a key or the text of a statement with its values.
call hospital_private.reset_access('hospital_monitor');
grant usage on schema ops to hospital_monitor;

-- For `infirmary checkup`: how the jobs, the backups and the checks of the record went.
grant execute on function
  ops.applied_migrations,
  ops.sequence_positions,
  ops.audit_unsealed_since,
  ops.warehouse_freshness,
  ops.last_job_runs,
  ops.kept_backups,
  ops.last_drill,
  ops.open_quality_alerts,
  ops.consumer_readers
to hospital_monitor;

grant select on
  ops.table_health,
  ops.index_use,
  ops.statement_statistics
to hospital_monitor;

grant execute on function
  ops.hospital_figures,
  ops.server_figures,
  ops.read_statement_statistics,
  ops.without_literals
to hospital_monitor;

--! split: 542-policies-worker.sql
-- source: policies/worker.sql
-- hospital_worker runs the background jobs: it may call their functions and nothing more.
call hospital_private.reset_access('hospital_worker');
grant usage on schema ops to hospital_worker;

grant execute on function
  ops.start_job_run,
  ops.enter_job_run,
  ops.leave_job_run,
  ops.finish_job_run,
  ops.fail_job_run,
  ops.send_reminders,
  ops.expire_holds,
  ops.offer_waitlist,
  ops.publish_aggregates,
  ops.maintain_partitions,
  ops.tidy_records,
  ops.seal_audit,
  ops.verify_audit_chain,
  ops.load_warehouse,
  ops.refresh_views,
  ops.check_freshness,
  ops.check_data_quality
to hospital_worker;

grant execute on function
  ops.check_backups
to hospital_worker;

-- Changes for other services, of the consumers that it reads for.
grant execute on function
  ops.read_change_events,
  ops.acknowledge_change_events,
  ops.consumer_lags
to hospital_worker;

-- The post: one message at a time, and what became of it.
grant execute on function
  ops.claim_notification,
  ops.is_still_to_be_sent,
  ops.mark_notification_sent,
  ops.note_delivery_failure,
  ops.withdraw_untrue_notifications
to hospital_worker;

-- Reports of past months: totals in, files out.
grant execute on function
  ops.reports_due,
  ops.monthly_heading,
  ops.monthly_appointments,
  ops.monthly_appointments_figures,
  ops.monthly_billing,
  ops.monthly_billing_figures,
  ops.keep_report
to hospital_worker;
