--! Previous: sha1:079a0139ae16548df043822897d82305227948a5
--! Hash: sha1:12e06021a1a4df39b7a2783c1c5bcefec828e543
--! Message: proof

--! split: 100-person-keys.sql
-- One key for each person, so that what the audit keeps of a person's identity can be destroyed
-- without touching the audit: without the key its ciphertext says nothing, and the chain covers it still.

-- The keys of persons are wrapped by a key that is not in the database, but in a file of the server's.
create table audit.key_fingerprints (
  id          boolean     primary key default true,
  fingerprint bytea       not null,
  recorded_at timestamptz not null default now(),
  constraint key_fingerprints_one_row check (id),
  constraint key_fingerprints_is_sha256 check (octet_length(fingerprint) = 32)
);
comment on table audit.key_fingerprints is 'Which key wraps the keys of persons: one row, so that no session can bring another key.';
comment on column audit.key_fingerprints.id is 'Always true, so that there is one row at most.';
comment on column audit.key_fingerprints.fingerprint is 'The SHA-256 of the key in the file outside the database.';
comment on column audit.key_fingerprints.recorded_at is 'When the key was first used here.';

create table audit.person_keys (
  patient_id     bigint      primary key references hospital.patients (id),
  wrapped_key    bytea,
  digest_salt    bytea       default uuid_send(gen_random_uuid()),
  created_at     timestamptz not null default now(),
  shredded_at    timestamptz,
  shredded_after bigint,
  -- A key comes with the first identity that is sealed, the salt with the person; both go together.
  constraint person_keys_shredded_is_gone check ((shredded_at is null) = (digest_salt is not null)),
  constraint person_keys_shredded_at_a_point
    check ((shredded_at is null) = (shredded_after is null)),
  constraint person_keys_no_key_without_salt check (wrapped_key is null or digest_salt is not null),
  constraint person_keys_wrapped_key_is_whole check (octet_length(wrapped_key) = 64)
);
comment on table audit.person_keys is 'The key with which a person''s identity is sealed in the audit; erasing the person destroys it.';
comment on column audit.person_keys.patient_id is 'The person.';
comment on column audit.person_keys.wrapped_key is 'A random initialisation vector and the person''s AES-256 key, encrypted by the key in the file; null until something was sealed, and when shredded.';
comment on column audit.person_keys.digest_salt is 'Random bytes in every digest of a row that identifies the person: without them nobody can test a guessed name or number against the audit; null when shredded.';
comment on column audit.person_keys.created_at is 'When the row was written.';
comment on column audit.person_keys.shredded_at is 'When key and salt were destroyed for good, or null.';
comment on column audit.person_keys.shredded_after is 'The newest entry of the audit at that moment: digests of the person up to it can be proved no more.';

insert into audit.person_keys (patient_id)
select p.id
from hospital.patients as p;

--! split: 110-audit.sql
-- The record of changes: entries, what is enrolled and what is not, the seals over them.

create table audit.entries (
  sequence        bigint      generated always as identity,
  transaction_id  xid8        not null default pg_current_xact_id(),
  recorded_at     timestamptz not null default now(),
  era             integer     not null default 1,
  table_name      text        not null,
  operation       text        not null,
  row_key         text,
  patient_id      bigint,
  old_image       jsonb,
  sealed_identity bytea,
  new_row_digest  bytea,
  account_id      bigint,
  session_id      uuid,
  role            text,
  database_user   text        not null default session_user,
  client_address  inet,
  request_id      text,
  purpose         text,
  -- The order in which entries are sealed, see seal_audit.
  primary key (transaction_id, sequence, recorded_at),
  constraint entries_operation_known
    check (operation in ('baseline', 'insert', 'update', 'delete', 'truncate')),
  constraint entries_image_of_what_was
    check ((operation in ('update', 'delete')) = (old_image is not null)),
  constraint entries_digest_of_what_is
    check ((operation in ('delete', 'truncate')) = (new_row_digest is null)),
  constraint entries_of_a_row_but_truncate check ((operation = 'truncate') = (row_key is null))
) partition by range (recorded_at);
create table audit.entries_default partition of audit.entries default;
create index entries_table_name_row_key_idx on audit.entries (table_name, row_key);
create index entries_patient_id_idx on audit.entries (patient_id) where patient_id is not null;
comment on table audit.entries is 'Every change of every enrolled table, one entry per row, written in the transaction that made the change; partitioned by month and never changed.';
comment on column audit.entries.sequence is 'The number of the entry; among the changes of one row it is their order.';
comment on column audit.entries.transaction_id is 'The transaction that made the change.';
comment on column audit.entries.recorded_at is 'When that transaction began.';
comment on column audit.entries.era is 'Which cluster''s transaction numbers these are: a restore into another one begins a new era.';
comment on column audit.entries.table_name is 'The table changed, with its schema.';
comment on column audit.entries.operation is 'What was done: insert, update, delete, truncate; or baseline, the row as it was found when its table was enrolled.';
comment on column audit.entries.row_key is 'The primary key of the row as text; null for a truncate, which is of the whole table.';
comment on column audit.entries.patient_id is 'The patient the row is about, where it says so.';
comment on column audit.entries.old_image is 'The row as it was, without secrets and without what identifies a patient.';
comment on column audit.entries.sealed_identity is 'What the old row said that identifies the patient, encrypted with the patient''s own key.';
comment on column audit.entries.new_row_digest is 'The SHA-256 of the row as it became, without secrets; salted where the row identifies a patient.';
comment on column audit.entries.account_id is 'The account whose session made the change, or null without a session.';
comment on column audit.entries.session_id is 'The session that made the change, or null.';
comment on column audit.entries.role is 'The database role that was set for the request, or null.';
comment on column audit.entries.database_user is 'The database user who was connected.';
comment on column audit.entries.client_address is 'The network address from which the request came, as the API or the server saw it.';
comment on column audit.entries.request_id is 'The identifier of the request at the API, or null.';
comment on column audit.entries.purpose is 'The purpose for which the session had opened the patient''s chart, or null.';

-- What is not recorded, and why: everything else in hospital and hospital_private is.
create table audit.unaudited_tables (
  table_name text primary key,
  reason     text not null,
  constraint unaudited_tables_reason_not_blank check (btrim(reason) <> '')
);
comment on table audit.unaudited_tables is 'Tables whose changes are not recorded, each with the reason.';
comment on column audit.unaudited_tables.table_name is 'The table, with its schema.';
comment on column audit.unaudited_tables.reason is 'Why its changes need no record.';
insert into audit.unaudited_tables (table_name, reason) values
  ('hospital.time_zones', 'A code list, changed by migrations alone.'),
  ('hospital.jobs', 'A code list, changed by migrations alone.'),
  ('hospital.specialties', 'A code list, changed by migrations alone.'),
  ('hospital.sexes', 'A code list, changed by migrations alone.'),
  ('hospital.contact_kinds', 'A code list, changed by migrations alone.'),
  ('hospital.identifier_systems', 'A code list, changed by migrations alone.'),
  ('hospital.chart_purposes', 'A code list, changed by migrations alone.'),
  ('hospital.time_off_reasons', 'A code list, changed by migrations alone.'),
  ('hospital.appointment_statuses', 'A code list, changed by migrations alone.'),
  ('hospital.appointment_status_transitions', 'A code list, changed by migrations alone.'),
  ('hospital.cancellation_reasons', 'A code list, changed by migrations alone.'),
  ('hospital.no_show_reasons', 'A code list, changed by migrations alone.'),
  ('hospital.override_reasons', 'A code list, changed by migrations alone.'),
  ('hospital.waitlist_statuses', 'A code list, changed by migrations alone.'),
  ('hospital.diagnosis_codes', 'A code list, published elsewhere and loaded whole.'),
  ('hospital.medications', 'A code list, published elsewhere and loaded whole.'),
  ('hospital.treatment_types', 'A code list, published elsewhere and loaded whole.'),
  ('hospital.outcome_codes', 'A code list, changed by migrations alone.'),
  ('hospital.break_glass_reasons', 'A code list, changed by migrations alone.'),
  ('hospital.break_glass_outcomes', 'A code list, changed by migrations alone.'),
  ('hospital.consent_scopes', 'A code list, changed by migrations alone.'),
  ('hospital.proxy_relationships', 'A code list, changed by migrations alone.'),
  ('hospital.proxy_scopes', 'A code list, changed by migrations alone.'),
  ('hospital.sensitivities', 'A code list, changed by migrations alone.'),
  ('hospital.note_types', 'A code list, changed by migrations alone.'),
  ('hospital.note_sections', 'A code list, changed by migrations alone.'),
  ('hospital_private.roles', 'A code list, changed by migrations alone.'),
  ('hospital_private.live_events', 'News on their way to who listens, gone in seconds.'),
  ('hospital_private.login_failures', 'Counts refusals by network and is no record of anybody.'),
  ('hospital_private.masking_releases', 'What research was shown; an image would outlive the release.'),
  ('hospital_private.masking_subjects', 'Secrets of a release: an image would keep what its end destroys.'),
  ('hospital_private.refresh_tokens', 'Holds nothing but hashes of secrets; its sessions are recorded.'),
  ('hospital_private.idempotency_keys', 'Remembers repeated requests for a while; what they did is recorded.');

create table audit.unaudited_columns (
  table_name  text not null,
  column_name text not null,
  reason      text not null,
  primary key (table_name, column_name),
  constraint unaudited_columns_reason_not_blank check (btrim(reason) <> '')
);
comment on table audit.unaudited_columns is 'Columns of recorded tables that are in no image and no digest, each with the reason.';
comment on column audit.unaudited_columns.table_name is 'The table, with its schema.';
comment on column audit.unaudited_columns.column_name is 'The column.';
comment on column audit.unaudited_columns.reason is 'Why it is not recorded.';
insert into audit.unaudited_columns (table_name, column_name, reason) values
  ('hospital_private.accounts', 'password_hash', 'A stolen hash can be tried against guessed passwords.'),
  ('hospital_private.sessions', 'secret_hash', 'The hash of a secret that opens the session.'),
  ('hospital.patient_merges', 'reason', 'Words about two people, whom no one key seals: they stand in their row alone.'),
  ('hospital.clinical_notes', 'content_hash', 'The hash of a note: a guessed one could be tested against it.');

create table audit.identity_columns (
  table_name  text not null,
  column_name text not null,
  primary key (table_name, column_name)
);
comment on table audit.identity_columns is 'Columns that identify the patient of their row: they are kept sealed with the patient''s key and never in clear.';
comment on column audit.identity_columns.table_name is 'The table, with its schema.';
comment on column audit.identity_columns.column_name is 'The column.';
insert into audit.identity_columns (table_name, column_name) values
  ('hospital.patients', 'mrn'),
  ('hospital.patients', 'given_name'),
  ('hospital.patients', 'family_name'),
  ('hospital.patients', 'date_of_birth'),
  ('hospital.contact_points', 'value'),
  ('hospital.patient_identifiers', 'value'),
  ('hospital.notifications', 'subject'),
  ('hospital.notifications', 'body'),
  ('hospital_private.accounts', 'email');

create table audit.enrolments (
  table_name  text        primary key,
  columns     text[]      not null,
  enrolled_at timestamptz not null default now()
);
comment on table audit.enrolments is 'The tables whose changes are recorded, with the columns their digests are made of.';
comment on column audit.enrolments.table_name is 'The table, with its schema.';
comment on column audit.enrolments.columns is 'The columns in the digest of a row, in order.';
comment on column audit.enrolments.enrolled_at is 'When the table was enrolled with these columns, and its rows found were written down as a baseline.';

create table audit.eras (
  era      integer     primary key,
  cluster  bigint      not null,
  began_at timestamptz not null default now()
);
comment on table audit.eras is 'The clusters this audit has lived in: transaction numbers are only comparable within one.';
comment on column audit.eras.era is 'The number of the era.';
comment on column audit.eras.cluster is 'The system identifier of the cluster.';
comment on column audit.eras.began_at is 'When the audit was made there, or first sealed there after a restore.';
insert into audit.eras (era, cluster)
select
  1,
  c.system_identifier
from pg_catalog.pg_control_system() as c;

create table audit.seals (
  block               bigint      primary key,
  era                 integer     not null references audit.eras (era),
  month               date        not null,
  sequences           bigint[]    not null,
  entry_hashes        bytea       not null,
  last_transaction_id xid8        not null,
  last_sequence       bigint      not null,
  previous_hash       bytea       not null,
  hash                bytea       not null,
  sealed_at           timestamptz not null default clock_timestamp(),
  constraint seals_hash_for_each_entry
    check (octet_length(entry_hashes) = 32 * cardinality(sequences)),
  constraint seals_not_empty check (cardinality(sequences) > 0),
  constraint seals_linked_by_sha256
    check (octet_length(previous_hash) = 32 and octet_length(hash) = 32),
  constraint seals_month_is_its_first_day check (extract(day from month) = 1)
);
create index seals_era_idx on audit.seals (era);
comment on table audit.seals is 'The chain: blocks of entries in the order of their transactions, each hashed together with the block before.';
comment on column audit.seals.block is 'The number of the block, without gaps from 1.';
comment on column audit.seals.era is 'The era of its entries.';
comment on column audit.seals.month is 'The month, and so the partition, that holds its entries.';
comment on column audit.seals.sequences is 'The numbers of its entries, in the order sealed.';
comment on column audit.seals.entry_hashes is 'The SHA-256 of each entry, one after another, so that a broken block names its entry.';
comment on column audit.seals.last_transaction_id is 'The transaction of its last entry: of older ones nothing can come any more.';
comment on column audit.seals.last_sequence is 'The number of its last entry.';
comment on column audit.seals.previous_hash is 'The hash of the block before; thirty-two zeros before the first.';
comment on column audit.seals.hash is 'The SHA-256 over all of this but the time.';
comment on column audit.seals.sealed_at is 'When the block was sealed.';

-- The auditor's own reading is on record too.
create table audit.audit_openings (
  id         bigint      generated always as identity primary key,
  account_id bigint      not null references hospital_private.accounts (id),
  session_id uuid        not null,
  reason     text        not null,
  opened_at  timestamptz not null default now(),
  constraint audit_openings_reason_says_something check (char_length(btrim(reason)) between 10 and 500)
);
create index audit_openings_account_id_idx on audit.audit_openings (account_id);
create index audit_openings_session_id_idx on audit.audit_openings (session_id);
comment on table audit.audit_openings is 'Who opened the audit to read it, when and why; nothing of it is shown to a session without a row here.';
comment on column audit.audit_openings.id is 'The key of the opening.';
comment on column audit.audit_openings.account_id is 'The auditor''s account.';
comment on column audit.audit_openings.session_id is 'The session that may read from now on.';
comment on column audit.audit_openings.reason is 'Why, in the auditor''s words.';
comment on column audit.audit_openings.opened_at is 'When the audit was opened.';

create type audit.actor as (
  account_id     bigint,
  session_id     uuid,
  role           text,
  client_address inet,
  request_id     text
);
comment on type audit.actor is 'Who is at work in this transaction, as far as a session or a connection tells.';
comment on column audit.actor.account_id is 'The account of the session, or null.';
comment on column audit.actor.session_id is 'The session, or null.';
comment on column audit.actor.role is 'The database role that was set, or null.';
comment on column audit.actor.client_address is 'The network address of the client, or null.';
comment on column audit.actor.request_id is 'The identifier of the request, or null.';

create type audit.finding as (
  link    text,
  problem text
);
comment on type audit.finding is 'Something that does not hold in the audit.';
comment on column audit.finding.link is 'Where: a block, an entry, a row or a trigger.';
comment on column audit.finding.problem is 'What is wrong with it.';

-- What the auditor reads.
create type hospital.audit_opening as (
  reason    text,
  opened_at timestamptz
);
comment on type hospital.audit_opening is 'That the audit is open to the session that asked, and since when.';
comment on column hospital.audit_opening.reason is 'Why it was opened, in the auditor''s words.';
comment on column hospital.audit_opening.opened_at is 'When it was opened; it closes with the session.';

create type hospital.audit_change as (
  column_name text,
  old_value   text,
  new_value   text,
  is_withheld boolean
);
comment on type hospital.audit_change is 'One column that a change changed.';
comment on column hospital.audit_change.column_name is 'The column.';
comment on column hospital.audit_change.old_value is 'Its value before, as text; null where there was none or it is withheld.';
comment on column hospital.audit_change.new_value is 'Its value after, as text; null where there is none or it is withheld.';
comment on column hospital.audit_change.is_withheld is 'Whether the values identify a patient and are therefore not shown.';

create type hospital.audit_entry as (
  sequence       bigint,
  recorded_at    timestamptz,
  table_name     text,
  operation      text,
  row_key        text,
  patient_id     bigint,
  account_id     bigint,
  role           text,
  database_user  text,
  client_address text,
  request_id     text,
  purpose        text,
  changes        hospital.audit_change[]
);
comment on type hospital.audit_entry is 'One change of one row: what, by whom, from where and why.';
comment on column hospital.audit_entry.sequence is 'The number of the entry; larger is newer.';
comment on column hospital.audit_entry.recorded_at is 'When the transaction of the change began.';
comment on column hospital.audit_entry.table_name is 'The table changed.';
comment on column hospital.audit_entry.operation is 'What was done: insert, update, delete, truncate or baseline.';
comment on column hospital.audit_entry.row_key is 'The primary key of the row as text.';
comment on column hospital.audit_entry.patient_id is 'The patient the row is about, or null.';
comment on column hospital.audit_entry.account_id is 'The account whose session made the change, or null.';
comment on column hospital.audit_entry.role is 'The database role of the request, or null.';
comment on column hospital.audit_entry.database_user is 'The database user who was connected.';
comment on column hospital.audit_entry.client_address is 'The network address the request came from, or null.';
comment on column hospital.audit_entry.request_id is 'The identifier of the request, or null.';
comment on column hospital.audit_entry.purpose is 'The purpose for which the patient''s chart was open, or null.';
comment on column hospital.audit_entry.changes is 'The columns changed, each with its value before and after.';

create type hospital.audited_chart_access as (
  patient_id bigint,
  account_id bigint,
  role       text,
  purpose    text,
  opened_at  timestamptz
);
comment on type hospital.audited_chart_access is 'That somebody opened a patient''s chart, when and for what purpose.';
comment on column hospital.audited_chart_access.patient_id is 'The patient.';
comment on column hospital.audited_chart_access.account_id is 'The account that opened the chart.';
comment on column hospital.audited_chart_access.role is 'The role in which it was opened.';
comment on column hospital.audited_chart_access.purpose is 'The purpose given.';
comment on column hospital.audited_chart_access.opened_at is 'When it was opened.';

-- Months that were taken out of the audit, after which their blocks cannot be compared with entries.
create table audit.retired_months (
  month      date        primary key,
  entries    bigint      not null,
  retired_at timestamptz not null default now(),
  retired_by text        not null default session_user,
  constraint retired_months_is_its_first_day check (extract(day from month) = 1)
);
comment on table audit.retired_months is 'Months whose partition was detached, to be archived and dropped; their seals stay in the chain.';
comment on column audit.retired_months.month is 'The first day of the month.';
comment on column audit.retired_months.entries is 'How many entries it held, all of them sealed.';
comment on column audit.retired_months.retired_at is 'When it was detached.';
comment on column audit.retired_months.retired_by is 'The database user who did it.';

--! split: 150-privacy-rules.sql
-- How long looks, emergencies and rosters last: a decision of the hospital, so a row and no constant.
create table hospital_private.privacy_rules (
  is_only_row                  boolean  primary key default true,
  chart_window                 interval not null default '4 hours',
  nurse_roster                 interval not null default '90 days',
  break_glass_lasts            interval not null default '4 hours',
  break_glass_review_within    interval not null default '72 hours',
  break_glass_waits_for_review boolean  not null default false,
  break_glass_misses           integer  not null default 5,
  constraint privacy_rules_one_row check (is_only_row),
  constraint privacy_rules_times_positive
    check (least(chart_window, nurse_roster, break_glass_lasts, break_glass_review_within) > '0'),
  constraint privacy_rules_misses_positive check (break_glass_misses > 0)
);
comment on table hospital_private.privacy_rules is 'The one row that says how long looks, emergencies and rosters last here.';
comment on column hospital_private.privacy_rules.is_only_row is 'Always true, so that there is one row.';
comment on column hospital_private.privacy_rules.chart_window is 'How long a chart stays open, and within which further openings by the same account are the same look.';
comment on column hospital_private.privacy_rules.nurse_roster is 'How long after an appointment in the department a patient stays on its nurses'' roster.';
comment on column hospital_private.privacy_rules.break_glass_lasts is 'How long an emergency access lasts unless it is ended.';
comment on column hospital_private.privacy_rules.break_glass_review_within is 'Within which time of its beginning an emergency access is to be reviewed.';
comment on column hospital_private.privacy_rules.break_glass_waits_for_review is 'Whether a second emergency access of an account waits for the review of the first.';
comment on column hospital_private.privacy_rules.break_glass_misses is 'How often within an hour an account may ask for an emergency access to a patient there is not.';
insert into hospital_private.privacy_rules default values;

-- FHIR's ETREAT and HRESCH. The first is no choice of the caller's: an emergency access carries it.
insert into hospital.chart_purposes (code, name) values
  ('emergency', 'Treating the patient in an emergency'),
  ('research', 'Research');

--! split: 155-break-glass.sql
-- Emergency access: one account, one patient, a reason, an end, and somebody else who looks at it after.

create table hospital.break_glass_reasons (
  code text primary key,
  name text not null
);
comment on table hospital.break_glass_reasons is 'The kinds of reasons for an emergency access.';
comment on column hospital.break_glass_reasons.code is 'The code of the reason.';
comment on column hospital.break_glass_reasons.name is 'The reason in words.';
insert into hospital.break_glass_reasons (code, name) values
  ('emergency', 'The patient''s life or health is in danger'),
  ('patient_unable', 'The patient cannot speak for himself'),
  ('cover', 'Nobody of those who treat the patient can be reached'),
  ('other', 'Another reason');

create table hospital.break_glass_outcomes (
  code text primary key,
  name text not null
);
comment on table hospital.break_glass_outcomes is 'What the review of an emergency access finds.';
comment on column hospital.break_glass_outcomes.code is 'The code of the finding.';
comment on column hospital.break_glass_outcomes.name is 'The finding in words.';
insert into hospital.break_glass_outcomes (code, name) values
  ('justified', 'Justified'),
  ('not_justified', 'Not justified');

-- Who used an emergency access is told by name, while rights are an account's: the two belong together.
alter table hospital_private.accounts
  add constraint accounts_id_staff_member_id_key unique (id, staff_member_id);

create table hospital.break_glass_grants (
  id              bigint      generated always as identity primary key,
  account_id      bigint      not null,
  staff_member_id bigint      not null references hospital.staff_members (id),
  role            text        not null references hospital_private.roles (name),
  patient_id      bigint      not null references hospital.patients (id),
  category        text        not null references hospital.break_glass_reasons (code),
  reason          text        not null,
  granted         tstzrange   not null,
  ended_at        timestamptz,
  -- An end that comes early cuts the range; what was granted stays on record beside it.
  in_force        tstzrange   generated always as (granted * tstzrange(null, ended_at)) stored,
  review_due_at   timestamptz not null,
  bars_next       boolean     not null default false,
  reviewed_at     timestamptz,
  reviewed_by     bigint      references hospital_private.accounts (id),
  outcome         text        references hospital.break_glass_outcomes (code),
  review_remark   text,
  constraint break_glass_grants_account_is_the_members
    foreign key (account_id, staff_member_id)
    references hospital_private.accounts (id, staff_member_id),
  -- A look at a chart points here, so it is never another account's or another patient's.
  constraint break_glass_grants_id_patient_id_account_id_key unique (id, patient_id, account_id),
  constraint break_glass_grants_for_doctors_and_nurses check (role in ('doctor', 'nurse')),
  constraint break_glass_grants_reason_given
    check (btrim(reason) <> '' and char_length(reason) <= 1000),
  constraint break_glass_grants_granted_bounded
    check (
      not isempty(granted)
      and not lower_inf(granted)
      and not upper_inf(granted)
      and lower_inc(granted)
      and not upper_inc(granted)
      and isfinite(lower(granted))
      and isfinite(upper(granted))
    ),
  constraint break_glass_grants_ends_within check (ended_at <@ granted),
  constraint break_glass_grants_reviewed_by_somebody
    check ((reviewed_at is null) = (reviewed_by is null)),
  constraint break_glass_grants_reviewed_with_outcome
    check ((reviewed_at is null) = (outcome is null)),
  constraint break_glass_grants_remark_of_a_review
    check (review_remark is null or (reviewed_at is not null and char_length(review_remark) <= 1000)),
  constraint break_glass_grants_never_reviewed_by_oneself check (reviewed_by <> account_id),
  constraint break_glass_grants_never_twice_at_once
    exclude using gist (account_id with =, patient_id with =, in_force with &&)
);
-- Two at once, at whatever isolation, cannot both take the place of the one that waits for its review.
create unique index break_glass_grants_one_before_review on hospital.break_glass_grants (account_id)
  where bars_next and reviewed_at is null;
create index break_glass_grants_account_id_staff_member_id_idx
  on hospital.break_glass_grants (account_id, staff_member_id);
create index break_glass_grants_staff_member_id_idx on hospital.break_glass_grants (staff_member_id);
create index break_glass_grants_role_idx on hospital.break_glass_grants (role);
create index break_glass_grants_patient_id_idx on hospital.break_glass_grants (patient_id);
create index break_glass_grants_category_idx on hospital.break_glass_grants (category);
create index break_glass_grants_reviewed_by_idx on hospital.break_glass_grants (reviewed_by);
create index break_glass_grants_outcome_idx on hospital.break_glass_grants (outcome);
create index break_glass_grants_review_due_at_idx on hospital.break_glass_grants (review_due_at)
  where reviewed_at is null;
comment on table hospital.break_glass_grants is 'Emergency accesses: one account may open one patient''s chart for a time, with a reason, and somebody else reviews it.';
comment on column hospital.break_glass_grants.id is 'The key of the emergency access inside this database.';
comment on column hospital.break_glass_grants.account_id is 'The account that may open the chart.';
comment on column hospital.break_glass_grants.staff_member_id is 'The member of staff whose account it is.';
comment on column hospital.break_glass_grants.role is 'The role in which it was asked for: doctor or nurse.';
comment on column hospital.break_glass_grants.patient_id is 'The one patient whose chart it opens.';
comment on column hospital.break_glass_grants.category is 'The kind of reason, by its code.';
comment on column hospital.break_glass_grants.reason is 'The reason in the words of whoever asked, up to 1000 characters.';
comment on column hospital.break_glass_grants.granted is 'From when until when it was granted, end excluded.';
comment on column hospital.break_glass_grants.ended_at is 'When it was ended before its time, or null.';
comment on column hospital.break_glass_grants.in_force is 'When it opens the chart: as granted, up to an early end.';
comment on column hospital.break_glass_grants.review_due_at is 'By when it is to be reviewed.';
comment on column hospital.break_glass_grants.bars_next is 'Whether the next one of the same account waits for the review, as the rule was when it was granted.';
comment on column hospital.break_glass_grants.reviewed_at is 'When it was reviewed, or null.';
comment on column hospital.break_glass_grants.reviewed_by is 'The account that reviewed it, never the one that used it, or null.';
comment on column hospital.break_glass_grants.outcome is 'What the review found, by its code, or null before it.';
comment on column hospital.break_glass_grants.review_remark is 'What the reviewer added, up to 1000 characters, or null.';

alter table hospital.break_glass_reasons enable row level security;
alter table hospital.break_glass_reasons force row level security;
alter table hospital.break_glass_outcomes enable row level security;
alter table hospital.break_glass_outcomes force row level security;
alter table hospital.break_glass_grants enable row level security;
alter table hospital.break_glass_grants force row level security;

create table audit.break_glass_misses (
  id             bigint      generated always as identity primary key,
  account_id     bigint      not null references hospital_private.accounts (id),
  session_id     uuid        not null,
  client_address inet,
  missed_at      timestamptz not null default clock_timestamp()
);
create index break_glass_misses_account_id_missed_at_idx
  on audit.break_glass_misses (account_id, missed_at);
comment on table audit.break_glass_misses is 'Who named a patient there is not when asking for an emergency access; counted, so that nobody guesses his way through the patients.';
comment on column audit.break_glass_misses.id is 'The key of the miss.';
comment on column audit.break_glass_misses.account_id is 'The account that asked.';
comment on column audit.break_glass_misses.session_id is 'The session that asked.';
comment on column audit.break_glass_misses.client_address is 'The network address it asked from, or null.';
comment on column audit.break_glass_misses.missed_at is 'When it asked.';

--! split: 160-consents.sql
-- What a patient permits or denies: whom, for what, from when until when. The words are FHIR's.

create table hospital.consent_scopes (
  code     text primary key,
  name     text not null,
  decision text not null,
  actor    text not null,
  purpose  text references hospital.chart_purposes (code),
  -- A consent points here with the kind of actor it names, so that it names the right one.
  constraint consent_scopes_code_actor_key unique (code, actor),
  constraint consent_scopes_decision_known check (decision in ('permit', 'deny')),
  constraint consent_scopes_actor_known check (actor in ('staff_member', 'department', 'everybody')),
  -- Leave to open a chart is given to a person.
  constraint consent_scopes_permit_a_person check (decision = 'deny' or actor = 'staff_member')
);
create index consent_scopes_purpose_idx on hospital.consent_scopes (purpose);
comment on table hospital.consent_scopes is 'What a patient can permit or deny about the chart.';
comment on column hospital.consent_scopes.code is 'The code of the scope.';
comment on column hospital.consent_scopes.name is 'The scope in words.';
comment on column hospital.consent_scopes.decision is 'Either permit or deny.';
comment on column hospital.consent_scopes.actor is 'Whom a consent of this scope names: a staff_member, a department, or everybody.';
comment on column hospital.consent_scopes.purpose is 'The one purpose that is meant, or null for all.';
insert into hospital.consent_scopes (code, name, decision, actor, purpose) values
  ('second_opinion', 'This person may open my chart', 'permit', 'staff_member', null),
  ('not_this_person', 'This person may not open my chart', 'deny', 'staff_member', null),
  ('not_this_department', 'This department may not open my chart', 'deny', 'department', null),
  ('no_quality_review', 'Nobody may open my chart for reviews of quality', 'deny', 'everybody', 'quality'),
  ('no_research', 'Nobody may use my record for research', 'deny', 'everybody', 'research');

create table hospital.consents (
  id              bigint      generated always as identity primary key,
  public_uuid     uuid        not null default gen_random_uuid(),
  patient_id      bigint      not null references hospital.patients (id),
  scope           text        not null,
  staff_member_id bigint      references hospital.staff_members (id),
  department_id   bigint      references hospital.departments (id),
  actor           text        generated always as (
    case
      when staff_member_id is not null then 'staff_member'
      when department_id is not null then 'department'
      else 'everybody'
    end
  ) stored,
  granted         tstzrange   not null,
  withdrawn_at    timestamptz,
  in_force        tstzrange   generated always as (granted * tstzrange(null, withdrawn_at)) stored,
  evidence        text,
  recorded_at     timestamptz not null default now(),
  recorded_by     bigint      references hospital_private.accounts (id),
  recorded_as     text        references hospital_private.roles (name),
  withdrawn_by    bigint      references hospital_private.accounts (id),
  constraint consents_public_uuid_key unique (public_uuid),
  constraint consents_id_patient_id_key unique (id, patient_id),
  constraint consents_scope_names_its_actor
    foreign key (scope, actor) references hospital.consent_scopes (code, actor),
  constraint consents_name_one_actor check (num_nonnulls(staff_member_id, department_id) <= 1),
  constraint consents_granted_bounded
    check (
      not isempty(granted)
      and not lower_inf(granted)
      and lower_inc(granted)
      and not upper_inc(granted)
      and isfinite(lower(granted))
    ),
  -- Whoever records for the patient says what the patient signed.
  constraint consents_recorded_for_the_patient_with_evidence
    check (coalesce(recorded_as = 'patient', false) or coalesce(btrim(evidence), '') <> ''),
  constraint consents_evidence_not_too_long check (char_length(evidence) <= 1000),
  constraint consents_withdrawn_by_somebody check (withdrawn_by is null or withdrawn_at is not null),
  constraint consents_never_twice_at_once
    exclude using gist (
      patient_id with =,
      scope with =,
      (coalesce(staff_member_id, department_id, 0)) with =,
      in_force with &&
    )
);
create index consents_patient_id_idx on hospital.consents (patient_id);
create index consents_scope_actor_idx on hospital.consents (scope, actor);
create index consents_staff_member_id_idx on hospital.consents (staff_member_id);
create index consents_department_id_idx on hospital.consents (department_id);
create index consents_recorded_by_idx on hospital.consents (recorded_by);
create index consents_recorded_as_idx on hospital.consents (recorded_as);
create index consents_withdrawn_by_idx on hospital.consents (withdrawn_by);
comment on table hospital.consents is 'What patients permit and deny about their charts, each for a time; nothing is deleted, a consent is withdrawn.';
comment on column hospital.consents.id is 'The key of the consent inside this database.';
comment on column hospital.consents.public_uuid is 'The identifier of the consent towards other systems.';
comment on column hospital.consents.patient_id is 'The patient whose chart it is about.';
comment on column hospital.consents.scope is 'What is permitted or denied, by its code.';
comment on column hospital.consents.staff_member_id is 'The member of staff it names, or null.';
comment on column hospital.consents.department_id is 'The department it names, or null.';
comment on column hospital.consents.actor is 'Whom it names, derived: a staff_member, a department, or everybody.';
comment on column hospital.consents.granted is 'From when until when it was given, end excluded; without an end it stands until it is withdrawn.';
comment on column hospital.consents.withdrawn_at is 'When it was withdrawn, or null.';
comment on column hospital.consents.in_force is 'When it holds: as given, up to its withdrawal.';
comment on column hospital.consents.evidence is 'What shows that the patient wants it, such as a signed form; null only where the patient recorded it.';
comment on column hospital.consents.recorded_at is 'When it was recorded.';
comment on column hospital.consents.recorded_by is 'The account that recorded it, or null for a tool.';
comment on column hospital.consents.recorded_as is 'The role in which it was recorded, or null for a tool.';
comment on column hospital.consents.withdrawn_by is 'The account that withdrew it, or null.';

alter table hospital.consent_scopes enable row level security;
alter table hospital.consent_scopes force row level security;
alter table hospital.consents enable row level security;
alter table hospital.consents force row level security;

--! split: 170-chart-accesses.sql
-- A look is told once for each window, whoever's sessions took part in it; which sessions those were
-- stands beside it, because a chart is open only in a session that opened it.

create table audit.access_tags (
  code text primary key,
  name text not null
);
comment on table audit.access_tags is 'On what ground a chart was opened.';
comment on column audit.access_tags.code is 'The code of the ground.';
comment on column audit.access_tags.name is 'The ground in words, as the patient reads it.';
insert into audit.access_tags (code, name) values
  ('roster', 'The patient is on the roster'),
  ('permission', 'The patient gave permission'),
  ('break_glass', 'Emergency access'),
  ('break_glass_over_restriction', 'Emergency access, against a restriction of the patient''s');

alter table audit.chart_accesses
  drop constraint chart_accesses_one_per_session_and_purpose,
  alter column opened_at set default clock_timestamp(),
  add column department_id        bigint    references hospital.departments (id),
  add column tag                  text      not null default 'roster'
                                              references audit.access_tags (code),
  add column break_glass_grant_id bigint,
  add column consent_id           bigint,
  add column client_address       inet,
  add column request_id           text,
  -- Empty for looks from before windows were kept.
  add column covers               tstzrange not null default 'empty',
  add constraint chart_accesses_id_patient_id_key unique (id, patient_id),
  add constraint chart_accesses_by_the_accounts_emergency
    foreign key (break_glass_grant_id, patient_id, account_id)
    references hospital.break_glass_grants (id, patient_id, account_id),
  add constraint chart_accesses_by_the_patients_consent
    foreign key (consent_id, patient_id) references hospital.consents (id, patient_id),
  add constraint chart_accesses_emergency_has_grant
    check ((tag in ('break_glass', 'break_glass_over_restriction')) = (break_glass_grant_id is not null)),
  add constraint chart_accesses_emergency_has_purpose
    check ((purpose = 'emergency') = (break_glass_grant_id is not null)),
  add constraint chart_accesses_permission_has_consent
    check ((tag = 'permission') = (consent_id is not null)),
  add constraint chart_accesses_covers_from_opening
    check (
      isempty(covers)
      or (lower(covers) = opened_at and lower_inc(covers) and not upper_inc(covers) and not upper_inf(covers))
    ),
  add constraint chart_accesses_one_per_window
    exclude using gist (
      account_id with =,
      patient_id with =,
      purpose with =,
      tag with =,
      (coalesce(break_glass_grant_id, consent_id, 0)) with =,
      covers with &&
    );
alter table audit.chart_accesses
  alter column tag drop default,
  alter column covers drop default;
create index chart_accesses_department_id_idx on audit.chart_accesses (department_id);
create index chart_accesses_tag_idx on audit.chart_accesses (tag);
create index chart_accesses_break_glass_grant_id_idx
  on audit.chart_accesses (break_glass_grant_id, patient_id, account_id)
  where break_glass_grant_id is not null;
create index chart_accesses_consent_id_idx on audit.chart_accesses (consent_id, patient_id)
  where consent_id is not null;
comment on table audit.chart_accesses is 'Who looked at which chart, why and when: one row for each account, patient, purpose, ground and window; clinical rows are readable only through such a row.';
comment on column audit.chart_accesses.session_id is 'The session that opened it first.';
comment on column audit.chart_accesses.role is 'The role that session acted in.';
comment on column audit.chart_accesses.department_id is 'The department of whoever opened it, at that time, or null.';
comment on column audit.chart_accesses.tag is 'On what ground it was opened, by its code.';
comment on column audit.chart_accesses.break_glass_grant_id is 'The emergency access it rests on, or null.';
comment on column audit.chart_accesses.consent_id is 'The patient''s permission it rests on, or null.';
comment on column audit.chart_accesses.client_address is 'The network address the first opening came from, or null.';
comment on column audit.chart_accesses.request_id is 'The request that opened it first, or null.';
comment on column audit.chart_accesses.covers is 'The window: from the opening until the chart closes by itself; empty for looks from before windows were kept.';

create table audit.chart_openings (
  session_id uuid        not null,
  access_id  bigint      not null,
  patient_id bigint      not null,
  role       text        not null,
  opened_at  timestamptz not null default clock_timestamp(),
  primary key (session_id, access_id),
  constraint chart_openings_are_of_the_accesses_patient
    foreign key (access_id, patient_id) references audit.chart_accesses (id, patient_id)
);
create index chart_openings_access_id_patient_id_idx
  on audit.chart_openings (access_id, patient_id);
comment on table audit.chart_openings is 'Which sessions took part in a look: in these alone is the chart open.';
comment on column audit.chart_openings.session_id is 'The session that opened the chart.';
comment on column audit.chart_openings.access_id is 'The look it belongs to.';
comment on column audit.chart_openings.patient_id is 'The patient, always the look''s.';
comment on column audit.chart_openings.role is 'The role the session acted in.';
comment on column audit.chart_openings.opened_at is 'When this session first opened the chart in the window.';
insert into audit.chart_openings (session_id, access_id, patient_id, role, opened_at)
select session_id, id, patient_id, role, opened_at
from audit.chart_accesses;

-- What a patient reads about each look.
create type hospital.chart_view as (
  viewed_at            timestamptz,
  open_until           timestamptz,
  sessions             integer,
  viewer_name          text,
  viewer_role          text,
  staff_member_id      bigint,
  department_id        bigint,
  department_name      text,
  purpose              text,
  tag                  text,
  tag_name             text,
  break_glass_category text
);
comment on type hospital.chart_view is 'A look at a chart, as the patient reads it.';
comment on column hospital.chart_view.viewed_at is 'When the chart was opened.';
comment on column hospital.chart_view.open_until is 'The last moment at which it could be read on the strength of this look.';
comment on column hospital.chart_view.sessions is 'In how many sessions of the same person it was opened within the window.';
comment on column hospital.chart_view.viewer_name is 'The name of the person who looked.';
comment on column hospital.chart_view.viewer_role is 'The role in which that person looked.';
comment on column hospital.chart_view.staff_member_id is 'The member of staff who looked.';
comment on column hospital.chart_view.department_id is 'The department that person worked in then, or null.';
comment on column hospital.chart_view.department_name is 'The name of that department, or null.';
comment on column hospital.chart_view.purpose is 'The purpose that was declared.';
comment on column hospital.chart_view.tag is 'On what ground the chart was opened, by its code, such as break_glass.';
comment on column hospital.chart_view.tag_name is 'The ground in words.';
comment on column hospital.chart_view.break_glass_category is 'For an emergency access the kind of reason given, otherwise null.';

-- Who is asking, looked up once for a whole question.
create type hospital_private.viewer as (
  session_id      uuid,
  account_id      bigint,
  role            text,
  staff_member_id bigint,
  doctor_id       bigint,
  department_id   bigint
);
comment on type hospital_private.viewer is 'The person behind a live session of the staff.';
comment on column hospital_private.viewer.session_id is 'The session.';
comment on column hospital_private.viewer.account_id is 'The account.';
comment on column hospital_private.viewer.role is 'The role of the session.';
comment on column hospital_private.viewer.staff_member_id is 'The member of staff the account belongs to, or null.';
comment on column hospital_private.viewer.doctor_id is 'The active doctor the member of staff is in this session, or null.';
comment on column hospital_private.viewer.department_id is 'The department of the member of staff, or null.';

--! split: 175-roster-indexes.sql
-- The roster is asked for by every statement of a doctor, a nurse or a receptionist that reads names: from
-- these it is read without the appointments themselves.
create index appointments_doctor_id_patient_id_idx on hospital.appointments (doctor_id, patient_id)
  where status not in ('held', 'cancelled', 'lapsed');
create index appointments_department_id_patient_id_idx
  on hospital.appointments (department_id, patient_id)
  where status not in ('held', 'cancelled', 'lapsed');
create index visits_doctor_id_patient_id_idx on hospital.visits (doctor_id, patient_id)
  where voided_at is null;

--! split: 200-same-person.sql
-- One person may have several records. The link points at the record that goes on, and person_id names that
-- record on every one of them, so that readers compare instead of following.
-- It is applied before the first release, to a table that nobody is waiting for:
-- squawk-ignore-file adding-field-with-default, require-concurrent-index-deletion
alter table hospital.patients
  add column person_id bigint not null generated always as (coalesce(merged_into_id, id)) stored,
  add constraint patients_id_person_id_key unique (id, person_id),
  drop constraint patients_merged_into_id_fkey,
  -- Only a record whose person is itself can be pointed at, and while it is, it stays so: neither chain nor
  -- circle can be written, whoever writes and however many at once.
  add constraint patients_merged_into_a_survivor
    foreign key (merged_into_id, person_id) references hospital.patients (id, person_id);
drop index hospital.patients_merged_into_id_idx;
create index patients_person_id_merged_into_id_idx on hospital.patients (person_id, merged_into_id);
create index patients_merged_into_id_person_id_idx on hospital.patients (merged_into_id, person_id);
comment on column hospital.patients.person_id is 'The record that stands for the person: this one, or the one it was merged into.';

create table hospital.patient_merges (
  id           bigint      generated always as identity primary key,
  duplicate_id bigint      not null references hospital.patients (id),
  survivor_id  bigint      not null references hospital.patients (id),
  reason       text,
  merged_at    timestamptz not null default clock_timestamp(),
  merged_by    bigint      references hospital_private.accounts (id),
  unmerged_at  timestamptz,
  unmerged_by  bigint      references hospital_private.accounts (id),
  constraint patient_merges_reason_not_blank
    check (btrim(reason) <> '' and char_length(reason) <= 500),
  constraint patient_merges_undone_afterwards check (unmerged_at >= merged_at)
);
create unique index patient_merges_one_standing_of_duplicate
  on hospital.patient_merges (duplicate_id)
  where unmerged_at is null;
create index patient_merges_duplicate_id_idx on hospital.patient_merges (duplicate_id);
create index patient_merges_survivor_id_idx on hospital.patient_merges (survivor_id);
create index patient_merges_merged_by_idx on hospital.patient_merges (merged_by)
  where merged_by is not null;
create index patient_merges_unmerged_by_idx on hospital.patient_merges (unmerged_by)
  where unmerged_by is not null;
comment on table hospital.patient_merges is 'Every merge of two records of one person, written by a trigger; one that was undone stays on the list.';
comment on column hospital.patient_merges.id is 'The key of the entry, in the order of the merges.';
comment on column hospital.patient_merges.duplicate_id is 'The record that was closed and points at the other.';
comment on column hospital.patient_merges.survivor_id is 'The record that goes on.';
comment on column hospital.patient_merges.reason is 'Why the two were held for one person, up to 500 characters, or null where a tool wrote the link.';
comment on column hospital.patient_merges.merged_at is 'When they were merged.';
comment on column hospital.patient_merges.merged_by is 'The account that merged them, or null for a tool.';
comment on column hospital.patient_merges.unmerged_at is 'When the merge was undone, or null while it stands.';
comment on column hospital.patient_merges.unmerged_by is 'The account that undid it, or null.';

alter table hospital.patient_merges enable row level security;
alter table hospital.patient_merges force row level security;

--! split: 201-proxies.sql
-- Proxies: who may act for a patient. Being one is a span of time in a row, and the policies read it.

create table hospital.proxy_relationships (
  code        text    primary key,
  name        text    not null,
  is_guardian boolean not null,
  constraint proxy_relationships_code_is_guardian_key unique (code, is_guardian)
);
comment on table hospital.proxy_relationships is 'What a proxy is to the patient.';
comment on column hospital.proxy_relationships.code is 'The code of the relationship, such as parent.';
comment on column hospital.proxy_relationships.name is 'The words shown to people.';
comment on column hospital.proxy_relationships.is_guardian is 'Whether it is had by law and ends when the patient comes of age; any other rests on the patient''s own word.';
insert into hospital.proxy_relationships (code, name, is_guardian) values
  ('parent', 'Parent', true),
  ('legal_guardian', 'Legal guardian', true),
  ('power_of_attorney', 'Power of attorney', false),
  ('spouse', 'Spouse or partner', false),
  ('adult_child', 'Grown-up child', false),
  ('caregiver', 'Caregiver', false),
  ('other', 'Another person of trust', false);

create table hospital.proxy_scopes (
  code     text    primary key,
  name     text    not null,
  may_book boolean not null
);
comment on table hospital.proxy_scopes is 'What a proxy may do.';
comment on column hospital.proxy_scopes.code is 'The code of the scope, such as read.';
comment on column hospital.proxy_scopes.name is 'The words shown to people.';
comment on column hospital.proxy_scopes.may_book is 'Whether the proxy also books, moves and calls off appointments.';
insert into hospital.proxy_scopes (code, name, may_book) values
  ('read', 'Reads the record', false),
  ('read_and_book', 'Reads the record and keeps the appointments', true);

create table hospital.patient_proxies (
  id           bigint      generated always as identity primary key,
  patient_id   bigint      not null references hospital.patients (id),
  proxy_id     bigint      not null references hospital.patients (id),
  relationship text        not null,
  is_guardian  boolean     not null,
  scope        text        not null references hospital.proxy_scopes (code),
  granted      tstzrange   not null,
  granted_by   bigint      references hospital_private.accounts (id),
  evidence     text,
  revoked_at   timestamptz,
  revoked_by   bigint      references hospital_private.accounts (id),
  constraint patient_proxies_of_a_known_kind
    foreign key (relationship, is_guardian)
    references hospital.proxy_relationships (code, is_guardian),
  constraint patient_proxies_somebody_else check (proxy_id <> patient_id),
  constraint patient_proxies_granted_from_a_time
    check (not isempty(granted) and not lower_inf(granted)),
  constraint patient_proxies_guardian_has_evidence check (not is_guardian or evidence is not null),
  constraint patient_proxies_evidence_not_blank
    check (btrim(evidence) <> '' and char_length(evidence) <= 500),
  -- Whom the law made a guardian, the patient may name again when he is of age.
  constraint patient_proxies_one_grant_at_a_time
    exclude using gist
      (patient_id with =, proxy_id with =, (is_guardian::integer) with =, granted with &&)
    where (revoked_at is null)
);
create index patient_proxies_patient_id_idx on hospital.patient_proxies (patient_id);
create index patient_proxies_proxy_id_idx on hospital.patient_proxies (proxy_id);
create index patient_proxies_relationship_is_guardian_idx
  on hospital.patient_proxies (relationship, is_guardian);
create index patient_proxies_scope_idx on hospital.patient_proxies (scope);
create index patient_proxies_granted_by_idx on hospital.patient_proxies (granted_by)
  where granted_by is not null;
create index patient_proxies_revoked_by_idx on hospital.patient_proxies (revoked_by)
  where revoked_by is not null;
comment on table hospital.patient_proxies is 'Who may act for whom: parents and guardians of minors, and whom a grown-up patient has named.';
comment on column hospital.patient_proxies.id is 'The key of the grant.';
comment on column hospital.patient_proxies.patient_id is 'The patient acted for.';
comment on column hospital.patient_proxies.proxy_id is 'Who acts, by the record he logs in to.';
comment on column hospital.patient_proxies.relationship is 'What the proxy is to the patient, from the list of relationships.';
comment on column hospital.patient_proxies.is_guardian is 'That relationship''s own word on whether it is had by law; it travels in the foreign key.';
comment on column hospital.patient_proxies.scope is 'What the proxy may do, from the list of scopes.';
comment on column hospital.patient_proxies.granted is 'From when until when; without an end it lasts until it is revoked or, of a guardian, until the patient comes of age.';
comment on column hospital.patient_proxies.granted_by is 'The account that granted it, or null for a tool.';
comment on column hospital.patient_proxies.evidence is 'The document a guardian was entered against, up to 500 characters.';
comment on column hospital.patient_proxies.revoked_at is 'When it was revoked or given up, or null.';
comment on column hospital.patient_proxies.revoked_by is 'The account that revoked it, or null.';

alter table hospital.proxy_relationships enable row level security;
alter table hospital.proxy_relationships force row level security;
alter table hospital.proxy_scopes enable row level security;
alter table hospital.proxy_scopes force row level security;
alter table hospital.patient_proxies enable row level security;
alter table hospital.patient_proxies force row level security;

--! split: 230-masking.sql
-- What research may see: releases of de-identified rows, and published aggregates whose small cells
-- are suppressed.

create table hospital_private.masking_settings (
  is_the_row    boolean primary key default true,
  smallest_cell integer not null default 11,
  closing_days  integer not null default 14,
  constraint masking_settings_one_row check (is_the_row),
  constraint masking_settings_smallest_cell_plausible check (smallest_cell between 2 and 1000),
  constraint masking_settings_closing_days_plausible check (closing_days between 1 and 366)
);
comment on table hospital_private.masking_settings is 'The one row of numbers that masking and publication go by.';
comment on column hospital_private.masking_settings.is_the_row is 'Always true, so that there is one row.';
comment on column hospital_private.masking_settings.smallest_cell is 'How many persons a published cell or a category has at least; 11 is what US health agencies ask for.';
comment on column hospital_private.masking_settings.closing_days is 'How many days after its end a period is published, once and for all.';
insert into hospital_private.masking_settings default values;

-- A release is a closed book: rows that appeared in it from one day to the next would tell when they
-- were written, and so by how many days their person's dates are shifted.
create table hospital_private.masking_releases (
  id            bigint      generated always as identity primary key,
  purpose       text        not null,
  until         date        not null,
  smallest_cell integer     not null,
  started_at    timestamptz not null default now(),
  retired_at    timestamptz,
  constraint masking_releases_purpose_known check (purpose in ('analyst', 'sandbox')),
  constraint masking_releases_of_closed_days
    check (until <= (started_at at time zone 'UTC')::date),
  constraint masking_releases_retired_after_start check (retired_at >= started_at)
);
create unique index masking_releases_one_in_force on hospital_private.masking_releases (purpose)
  where retired_at is null;
comment on table hospital_private.masking_releases is 'Every release of de-identified rows; each has pseudonyms and offsets of its own, which are destroyed when it is retired.';
comment on column hospital_private.masking_releases.id is 'The number of the release, which its readers may know.';
comment on column hospital_private.masking_releases.purpose is 'For whom: the analyst role, or one exported sandbox.';
comment on column hospital_private.masking_releases.until is 'The first day that is no longer in it.';
comment on column hospital_private.masking_releases.smallest_cell is 'How many persons share a category that is shown, at least.';
comment on column hospital_private.masking_releases.started_at is 'When it was made; nothing recorded later is in it.';
comment on column hospital_private.masking_releases.retired_at is 'When its secrets were destroyed, or null while it is in force.';

create table hospital_private.masking_subjects (
  release_id bigint  not null references hospital_private.masking_releases (id),
  patient_id bigint  not null references hospital.patients (id),
  secret     bytea   not null,
  shift_days integer not null,
  constraint masking_subjects_pkey primary key (release_id, patient_id),
  constraint masking_subjects_secret_is_long check (octet_length(secret) = 32),
  constraint masking_subjects_shift_moves
    check (shift_days between -365 and 365 and shift_days <> 0)
);
create index masking_subjects_patient_id_idx on hospital_private.masking_subjects (patient_id);
comment on table hospital_private.masking_subjects is 'The secrets of the persons in a release that is in force; nobody but the owner reads them.';
comment on column hospital_private.masking_subjects.release_id is 'The release.';
comment on column hospital_private.masking_subjects.patient_id is 'The person.';
comment on column hospital_private.masking_subjects.secret is 'The random key of all pseudonyms of the person and of what is recorded of him.';
comment on column hospital_private.masking_subjects.shift_days is 'The random number of days by which all dates of the person are moved, never 0.';

create table hospital_private.masking_categories (
  release_id bigint not null references hospital_private.masking_releases (id),
  kind       text   not null,
  category   text   not null,
  constraint masking_categories_pkey primary key (release_id, kind, category),
  constraint masking_categories_kind_known
    check (kind in ('diagnosis', 'medication', 'sex', 'specialization', 'treatment', 'type'))
);
comment on table hospital_private.masking_categories is 'The categories that enough persons share to be shown in a release; all others are called rare.';
comment on column hospital_private.masking_categories.release_id is 'The release.';
comment on column hospital_private.masking_categories.kind is 'What is categorized.';
comment on column hospital_private.masking_categories.category is 'The category, as it is shown.';

-- Published aggregates. A cell without a number is suppressed; a cell without a row is zero.
create table masked.publications (
  report        text        not null,
  period_start  date        not null,
  period_end    date        not null,
  smallest_cell integer     not null,
  published_at  timestamptz not null default now(),
  constraint publications_pkey primary key (report, period_start),
  constraint publications_report_known check (report in ('appointments', 'diagnoses')),
  constraint publications_period_not_empty check (period_end > period_start)
);
comment on table masked.publications is 'What has been published; no period is published twice, so that no two versions can be compared.';
comment on column masked.publications.report is 'Which report: appointments by month, or diagnoses by year.';
comment on column masked.publications.period_start is 'The first day of the period.';
comment on column masked.publications.period_end is 'The first day after the period.';
comment on column masked.publications.smallest_cell is 'How many persons a cell has at least that is shown.';
comment on column masked.publications.published_at is 'When it was published.';

create table masked.published_appointments (
  month        date   not null,
  department   text,
  status       text,
  appointments bigint,
  constraint published_appointments_one_cell
    unique nulls not distinct (month, department, status),
  constraint published_appointments_not_empty check (appointments > 0)
);
comment on table masked.published_appointments is 'Appointments by month, department and status, with the totals of each month, small cells suppressed.';
comment on column masked.published_appointments.month is 'The first day of the month, by the clocks of the facility.';
comment on column masked.published_appointments.department is 'The name of the department, or null for all of them.';
comment on column masked.published_appointments.status is 'The status, or null for all of them.';
comment on column masked.published_appointments.appointments is 'How many there were, or null where that is suppressed.';

create table masked.published_diagnoses (
  year      integer not null,
  chapter   text,
  sex       text,
  age_band  text,
  diagnoses bigint,
  constraint published_diagnoses_one_cell
    unique nulls not distinct (year, chapter, sex, age_band),
  constraint published_diagnoses_sex_with_age check ((sex is null) = (age_band is null)),
  constraint published_diagnoses_not_empty check (diagnoses > 0)
);
comment on table masked.published_diagnoses is 'Coded diagnoses by year, chapter, sex and age, with the totals of each year, small cells suppressed.';
comment on column masked.published_diagnoses.year is 'The year of the visits.';
comment on column masked.published_diagnoses.chapter is 'The chapter of ICD-10-CM, or null for all of them.';
comment on column masked.published_diagnoses.sex is 'Administrative sex, or null together with age_band for everybody.';
comment on column masked.published_diagnoses.age_band is 'The age reached in the year, in tens, all from 90 in one.';
comment on column masked.published_diagnoses.diagnoses is 'How many there were, or null where that is suppressed.';

create table masked.diagnosis_chapters (
  name           text primary key,
  first_category text not null,
  last_category  text not null,
  constraint diagnosis_chapters_in_order
    check (first_category collate "C" <= last_category collate "C")
);
comment on table masked.diagnosis_chapters is 'The chapters of ICD-10-CM with the categories they span.';
comment on column masked.diagnosis_chapters.name is 'The title of the chapter.';
comment on column masked.diagnosis_chapters.first_category is 'Its first category, three characters.';
comment on column masked.diagnosis_chapters.last_category is 'Its last category.';
insert into masked.diagnosis_chapters (name, first_category, last_category) values
  ('Infectious and parasitic diseases', 'A00', 'B99'),
  ('Neoplasms', 'C00', 'D49'),
  ('Blood and immune mechanism', 'D50', 'D89'),
  ('Endocrine, nutritional and metabolic diseases', 'E00', 'E89'),
  ('Mental and behavioral disorders', 'F01', 'F99'),
  ('Nervous system', 'G00', 'G99'),
  ('Eye and adnexa', 'H00', 'H59'),
  ('Ear and mastoid process', 'H60', 'H95'),
  ('Circulatory system', 'I00', 'I99'),
  ('Respiratory system', 'J00', 'J99'),
  ('Digestive system', 'K00', 'K95'),
  ('Skin and subcutaneous tissue', 'L00', 'L99'),
  ('Musculoskeletal system', 'M00', 'M99'),
  ('Genitourinary system', 'N00', 'N99'),
  ('Pregnancy and childbirth', 'O00', 'O9A'),
  ('Perinatal period', 'P00', 'P96'),
  ('Congenital malformations', 'Q00', 'Q99'),
  ('Symptoms and findings', 'R00', 'R99'),
  ('Injury and poisoning', 'S00', 'T88'),
  ('Codes for special purposes', 'U00', 'U85'),
  ('External causes', 'V00', 'Y99'),
  ('Factors influencing health status', 'Z00', 'Z99');

alter table masked.publications enable row level security;
alter table masked.publications force row level security;
alter table masked.published_appointments enable row level security;
alter table masked.published_appointments force row level security;
alter table masked.published_diagnoses enable row level security;
alter table masked.published_diagnoses force row level security;
alter table masked.diagnosis_chapters enable row level security;
alter table masked.diagnosis_chapters force row level security;

-- A cell of a table with two dimensions on its way to being published.
create type hospital_private.table_cell as (
  line          text,
  stack         text,
  persons       bigint,
  value         bigint,
  is_suppressed boolean
);
comment on type hospital_private.table_cell is 'A cell of a table with two dimensions; a total has null where it sums.';
comment on column hospital_private.table_cell.line is 'Where it stands from top to bottom, or null in the line of totals.';
comment on column hospital_private.table_cell.stack is 'Where it stands from left to right, or null in the column of totals.';
comment on column hospital_private.table_cell.persons is 'How many persons are counted in it.';
comment on column hospital_private.table_cell.value is 'The number itself.';
comment on column hospital_private.table_cell.is_suppressed is 'Whether the number is kept back.';

create type analytics.published_appointments_row as (
  month        date,
  department   text,
  status       text,
  appointments bigint
);
comment on type analytics.published_appointments_row is 'A published cell of appointments by month, department and status.';
comment on column analytics.published_appointments_row.month is 'The first day of the month, by the clocks of the facility.';
comment on column analytics.published_appointments_row.department is 'The name of the department, or null for all of them.';
comment on column analytics.published_appointments_row.status is 'The status, or null for all of them.';
comment on column analytics.published_appointments_row.appointments is 'How many there were, or null where that is suppressed.';

create type analytics.published_visits_row as (
  month      date,
  department text,
  visits     bigint
);
comment on type analytics.published_visits_row is 'A published cell of visits by month and department.';
comment on column analytics.published_visits_row.month is 'The first day of the month, by the clocks of the facility.';
comment on column analytics.published_visits_row.department is 'The name of the department, or null for all of them.';
comment on column analytics.published_visits_row.visits is 'How many appointments were completed, or null where that is suppressed.';

create type analytics.published_diagnoses_row as (
  year      integer,
  chapter   text,
  sex       text,
  age_band  text,
  diagnoses bigint
);
comment on type analytics.published_diagnoses_row is 'A published cell of coded diagnoses by year, chapter, sex and age.';
comment on column analytics.published_diagnoses_row.year is 'The year of the visits.';
comment on column analytics.published_diagnoses_row.chapter is 'The chapter of ICD-10-CM, or null for all of them.';
comment on column analytics.published_diagnoses_row.sex is 'Administrative sex, or null together with ageBand for everybody.';
comment on column analytics.published_diagnoses_row.age_band is 'The age reached in the year, in tens, all from 90 in one.';
comment on column analytics.published_diagnoses_row.diagnoses is 'How many there were, or null where that is suppressed.';

--! split: 270-erasure.sql
-- Privacy: legal holds, retention as data, what every column says about a person, and erasures that
-- leave a certificate. It is applied before the first release, to tables that nobody is waiting for:
-- squawk-ignore-file constraint-missing-not-valid, adding-foreign-key-constraint
-- squawk-ignore-file disallowed-unique-constraint, require-concurrent-index-creation

-- The row of an erased person stays, so that what was done for him still counts; it names nobody.
alter table hospital.patients
  add column erased_at timestamptz,
  add constraint patients_erased_is_closed_and_nameless
    check (
      erased_at is null
      or (
        deactivated_at is not null
        and given_name = '[erased]'
        and family_name = '[erased]'
        and extract(doy from date_of_birth) = 1
      )
    );
create index patients_erased_at_idx on hospital.patients (erased_at) where erased_at is not null;
comment on column hospital.patients.erased_at is 'When the person''s identity was erased, or null; the row then belongs to nobody who could be named and changes no more.';

insert into hospital.cancellation_reasons (code, name, party) values
  ('record_erased', 'The patient''s record was erased', 'facility');

insert into staging.import_reasons (code, is_reject, description) values
  ('erased_patient', true, 'The patient was erased here; nothing of the line is kept.');

-- What the hospital may be asked to prove is not erased meanwhile.
create table hospital.legal_holds (
  id             bigint      generated always as identity primary key,
  patient_id     bigint      not null references hospital.patients (id),
  matter         text        not null,
  reason         text        not null,
  held           tstzrange   not null,
  placed_by      bigint      references hospital_private.accounts (id),
  placed_at      timestamptz not null default now(),
  released_by    bigint      references hospital_private.accounts (id),
  released_at    timestamptz,
  release_reason text,
  constraint legal_holds_matter_not_blank
    check (btrim(matter) <> '' and char_length(matter) <= 200),
  constraint legal_holds_reason_not_blank
    check (btrim(reason) <> '' and char_length(reason) <= 1000),
  constraint legal_holds_release_reason_not_too_long check (char_length(release_reason) <= 1000),
  constraint legal_holds_begin
    check (not isempty(held) and not lower_inf(held) and isfinite(lower(held))),
  constraint legal_holds_release_has_reason
    check ((released_at is null) = (nullif(btrim(release_reason), '') is null)),
  constraint legal_holds_end_when_released check (upper(held) <= released_at),
  constraint legal_holds_one_of_patient_and_matter
    exclude using gist (patient_id with =, matter with =, held with &&)
);
create index legal_holds_patient_id_idx on hospital.legal_holds (patient_id);
create index legal_holds_placed_by_idx on hospital.legal_holds (placed_by);
create index legal_holds_released_by_idx on hospital.legal_holds (released_by)
  where released_by is not null;
comment on table hospital.legal_holds is 'Spans in which nothing of a patient may be erased, because a court or an inspector may ask for it.';
comment on column hospital.legal_holds.id is 'The key of the hold inside this database.';
comment on column hospital.legal_holds.patient_id is 'The patient whose record is held, with all records merged with it.';
comment on column hospital.legal_holds.matter is 'The matter it is held for, such as a docket number, up to 200 characters.';
comment on column hospital.legal_holds.reason is 'Why it is held, up to 1000 characters.';
comment on column hospital.legal_holds.held is 'From when until when it is held, without an end until somebody releases it.';
comment on column hospital.legal_holds.placed_by is 'The account that placed the hold, or null for a tool.';
comment on column hospital.legal_holds.placed_at is 'When the hold was placed.';
comment on column hospital.legal_holds.released_by is 'The account that released the hold, or null.';
comment on column hospital.legal_holds.released_at is 'When the hold was released, or null.';
comment on column hospital.legal_holds.release_reason is 'Why the hold was released, set exactly when it was.';

-- The defaults are on the careful side of what most states of the United States ask for.
create table hospital.retention_rules (
  code             text        primary key,
  name             text        not null,
  kept_for         interval    not null,
  due_after        interval    not null,
  minors_until_age integer,
  is_separable     boolean     not null,
  legal_hint       text        not null,
  updated_at       timestamptz not null default now(),
  constraint retention_rules_not_due_while_kept
    check (kept_for >= interval '0' and due_after >= kept_for),
  constraint retention_rules_minors_until_age_plausible check (minors_until_age between 18 and 120)
);
comment on table hospital.retention_rules is 'How long each kind of record is kept; the rules are the hospital''s to set, and nothing is erased by them alone.';
comment on column hospital.retention_rules.code is 'The code of the kind of record, such as clinical_record.';
comment on column hospital.retention_rules.name is 'The kind of record in words.';
comment on column hospital.retention_rules.kept_for is 'How long after the last contact it is kept at least; an erasure before that is refused.';
comment on column hospital.retention_rules.due_after is 'How long after the last contact it is listed as due for erasure.';
comment on column hospital.retention_rules.minors_until_age is 'The age until which the record of a minor is kept whatever the last contact was, or null.';
comment on column hospital.retention_rules.is_separable is 'Whether it may be erased while other records of the person must be kept.';
comment on column hospital.retention_rules.legal_hint is 'Which law the hospital will want to look at before it sets the rule.';
comment on column hospital.retention_rules.updated_at is 'When this row last changed.';
insert into hospital.retention_rules
  (code, name, kept_for, due_after, minors_until_age, is_separable, legal_hint)
values
  (
    'clinical_record', 'clinical record', '10 years', '10 years', 28, false,
    'State law asks for 5 to 10 years after the last contact, for minors counted from majority; 42 CFR 482.24 asks hospitals for 5.'
  ),
  (
    'appointments', 'appointments', '1 year', '3 years', null, false,
    'An appointment without a visit is no medical record; disputes about fees and missed times are brought within a few years.'
  ),
  (
    'messages', 'messages', '0', '1 year', null, true,
    'Messages repeat what the calendar says; no law known to us asks for them.'
  ),
  (
    'imports', 'refused lines of imports', '0', '1 year', null, true,
    'What was refused never became part of the record.'
  ),
  (
    'identity', 'name, contact data and numbers', '0', '2 years', null, false,
    'Who a patient is, is kept as long as anything else of him must be.'
  );

create table hospital.erasure_reasons (
  code text primary key,
  name text not null
);
comment on table hospital.erasure_reasons is 'Why people are erased; a list, because a free text would name them.';
comment on column hospital.erasure_reasons.code is 'The code of the reason.';
comment on column hospital.erasure_reasons.name is 'The reason in words.';
insert into hospital.erasure_reasons (code, name) values
  ('person_asked', 'The person asked for it'),
  ('retention_ended', 'The time for which it is kept has ended'),
  ('authority_ordered', 'A court or an authority ordered it'),
  ('entered_in_error', 'The record should never have been made');

create table hospital.erasures (
  id           bigint      generated always as identity primary key,
  subject      uuid        not null,
  record_uuids uuid[]      not null,
  reason       text        not null references hospital.erasure_reasons (code),
  is_complete  boolean     not null,
  erased_by    bigint      references hospital_private.accounts (id),
  erased_at    timestamptz not null default now(),
  reapplied_at timestamptz,
  constraint erasures_subject_is_a_record check (subject = any (record_uuids))
);
create index erasures_reason_idx on hospital.erasures (reason);
create index erasures_erased_by_idx on hospital.erasures (erased_by);
create index erasures_record_uuids_idx on hospital.erasures using gin (record_uuids);
comment on table hospital.erasures is 'The certificate of every erasure; it knows the person by pseudonym alone.';
comment on column hospital.erasures.id is 'The key of the certificate inside this database.';
comment on column hospital.erasures.subject is 'The public identifier of the record that was named, which by itself says nothing.';
comment on column hospital.erasures.record_uuids is 'The public identifiers of all records of the person, merged ones too.';
comment on column hospital.erasures.reason is 'Why, from the list of reasons.';
comment on column hospital.erasures.is_complete is 'Whether the person is erased, or only what need not be kept any more.';
comment on column hospital.erasures.erased_by is 'The account that erased, or null for a tool.';
comment on column hospital.erasures.erased_at is 'When it was erased for the first time.';
comment on column hospital.erasures.reapplied_at is 'When it was erased again in this database because a backup had brought it back, or null.';

create table hospital.erasure_lines (
  erasure_id   bigint not null references hospital.erasures (id),
  relation     text   not null,
  data_class   text   not null,
  outcome      text   not null,
  column_names text[] not null,
  row_count    bigint not null,
  explanation  text   not null,
  primary key (erasure_id, relation, data_class, outcome),
  constraint erasure_lines_outcome_known
    check (outcome in ('erased', 'deleted', 'shredded', 'kept', 'not_about_patients')),
  constraint erasure_lines_row_count_not_negative check (row_count >= 0)
);
comment on table hospital.erasure_lines is 'What an erasure did in each table of the database, every table and every column of them, as the catalogue had them.';
comment on column hospital.erasure_lines.erasure_id is 'The certificate.';
comment on column hospital.erasure_lines.relation is 'The table, with its schema.';
comment on column hospital.erasure_lines.data_class is 'What the columns say about a person.';
comment on column hospital.erasure_lines.outcome is 'What became of them: erased in rows that stay, deleted with their rows, shredded with the key that opened them, kept, or not_about_patients.';
comment on column hospital.erasure_lines.column_names is 'The columns of the table that are of this class.';
comment on column hospital.erasure_lines.row_count is 'How many rows of the person there were.';
comment on column hospital.erasure_lines.explanation is 'Why it was erased or kept.';

-- What is identity is a matter of record: a class for every column of every table. The rows are in
-- sql/11-privacy/what_is_personal.sql; a lint finds what is missing there.
create table hospital_private.data_classes (
  code        text    primary key,
  is_erased   boolean not null,
  explanation text    not null
);
comment on table hospital_private.data_classes is 'What a column can say about a person, and whether an erasure takes it away.';
comment on column hospital_private.data_classes.code is 'The code of the class.';
comment on column hospital_private.data_classes.is_erased is 'Whether an erasure takes away what is in such a column.';
comment on column hospital_private.data_classes.explanation is 'Why it is erased or kept, as certificates say it.';
insert into hospital_private.data_classes (code, is_erased, explanation) values
  ('identity', true, 'It names the person or leads to him.'),
  ('free_text', true, 'Somebody typed it, and it may name the person.'),
  ('secret', true, 'It would let the person log in, or was made from what names him.'),
  ('coarsened', true, 'Together with other facts it leads to the person, so it is made coarser or left out.'),
  ('sealed', false, 'The audit keeps it encrypted or salted with a key of the person''s own, and an erasure destroys the key.'),
  ('evidence', false, 'The record of who did what is never changed; the network address of an act leads to no name here.'),
  ('clinical', false, 'A fact of care or money without a name; its text has been taken away.'),
  ('technical', false, 'A key, a state or a time of this database; it names nobody.'),
  ('staff', false, 'It is about a colleague and no patient.'),
  ('none', false, 'It is about no person.');

create table hospital_private.column_classes (
  relation    text not null,
  column_name text not null,
  class       text not null references hospital_private.data_classes (code),
  replacement text,
  primary key (relation, column_name)
);
create index column_classes_class_idx on hospital_private.column_classes (class);
comment on table hospital_private.column_classes is 'What every column of every table of ours says about a person.';
comment on column hospital_private.column_classes.relation is 'The table, with its schema.';
comment on column hospital_private.column_classes.column_name is 'The column.';
comment on column hospital_private.column_classes.class is 'What the column says about a person.';
comment on column hospital_private.column_classes.replacement is 'The expression on the row t that an erasure puts in its place, or null for the word [erased].';

create table hospital_private.person_tables (
  relation       text    primary key,
  rows_of        text    not null,
  is_deleted     boolean not null,
  retention_rule text    references hospital.retention_rules (code),
  last_contact   text
);
create index person_tables_retention_rule_idx on hospital_private.person_tables (retention_rule);
comment on table hospital_private.person_tables is 'The tables that hold rows about patients, how a person''s rows are found there, and how long they are kept.';
comment on column hospital_private.person_tables.relation is 'The table, with its schema.';
comment on column hospital_private.person_tables.rows_of is 'The condition on a row t that it is about the patients of keys $1, or holds one of the values $2 that they alone have.';
comment on column hospital_private.person_tables.is_deleted is 'Whether an erasure deletes the rows, because nothing is left of them without the person.';
comment on column hospital_private.person_tables.retention_rule is 'The rule by which the rows are kept, or null where nothing in them is erased.';
comment on column hospital_private.person_tables.last_contact is 'The expression on a row t that tells when the contact was from which retention counts, or null where the row is none.';

create type hospital.due_erasure as (
  patient_id      bigint,
  last_contact_on date,
  due_on          date,
  is_held         boolean
);
comment on type hospital.due_erasure is 'A patient whose record need not be kept any longer.';
comment on column hospital.due_erasure.patient_id is 'The patient; records merged into it are meant too.';
comment on column hospital.due_erasure.last_contact_on is 'The day of the last contact.';
comment on column hospital.due_erasure.due_on is 'The day from which it is due.';
comment on column hospital.due_erasure.is_held is 'Whether a legal hold forbids it for now.';

alter table hospital.legal_holds enable row level security;
alter table hospital.legal_holds force row level security;
alter table hospital.retention_rules enable row level security;
alter table hospital.retention_rules force row level security;
alter table hospital.erasure_reasons enable row level security;
alter table hospital.erasure_reasons force row level security;
alter table hospital.erasures enable row level security;
alter table hospital.erasures force row level security;
alter table hospital.erasure_lines enable row level security;
alter table hospital.erasure_lines force row level security;

-- The audit writes down what is here when it enrols the table, before the policies are applied anew.
create policy owner_all_rows on hospital.retention_rules to hospital_owner using (true) with check (true);
insert into audit.unaudited_tables (table_name, reason) values
  ('hospital.erasure_reasons', 'A code list, changed by migrations alone.'),
  ('hospital_private.data_classes', 'A code list, changed by migrations alone.'),
  ('hospital_private.column_classes', 'A copy of sql/11-privacy/what_is_personal.sql, written anew with it.'),
  ('hospital_private.person_tables', 'A copy of sql/11-privacy/what_is_personal.sql, written anew with it.');

--! split: 320-live-events.sql
-- What live subscribers are about to be told. pg_notify in the transaction of a booking would make all
-- bookings wait for one another: the server lets one notifying transaction commit at a time, its flush
-- to disk included. A row costs nobody a wait, and somebody else passes it on.

-- Unlogged: after a crash every subscriber has lost his connection and reads anew.
create unlogged table hospital_private.live_events (
  id       bigint generated always as identity primary key,
  channels text[] not null,
  payload  text   not null
);
comment on table hospital_private.live_events is 'News for live subscribers that have not been passed on yet: keys and times alone, and nothing after a crash.';
comment on column hospital_private.live_events.id is 'The key of the news, in the order in which they are passed on.';
comment on column hospital_private.live_events.channels is 'The channels of those whom it concerns, such as appointments:patient:7.';
comment on column hospital_private.live_events.payload is 'What they are told, as JSON text.';

--! split: 360-login-failures.sql
-- Refused log-ins by where they came from. Rows are only ever added, so that an attacker's attempts
-- make nobody wait for a lock; log_in counts them.
create table hospital_private.login_failures (
  id             bigint      generated always as identity primary key,
  client_network inet        not null,
  failed_at      timestamptz not null default clock_timestamp()
);
create index login_failures_client_network_failed_at_idx
  on hospital_private.login_failures (client_network, failed_at);
create index login_failures_failed_at_idx on hospital_private.login_failures (failed_at);
comment on table hospital_private.login_failures is 'Refused log-ins of the last day, for the limit on guesses from one network.';
comment on column hospital_private.login_failures.id is 'The key of the refusal.';
comment on column hospital_private.login_failures.client_network is 'Where it came from: an IPv4 address, or the /64 an IPv6 address belongs to.';
comment on column hospital_private.login_failures.failed_at is 'When it was refused.';

comment on column hospital.login_result.outcome is 'Either granted, refused, or throttled when too many attempts came from one network.';

--! split: 380-notes.sql
-- Clinical notes: documents whose sections are data, fixed for ever by a signature, and hidden from
-- colleagues where their label says so.

create table hospital.sensitivities (
  code           text primary key,
  name           text not null,
  security_label text not null,
  constraint sensitivities_security_label_key unique (security_label)
);
comment on table hospital.sensitivities is 'How sensitive a note is: all but normal need a grant besides the open chart.';
comment on column hospital.sensitivities.code is 'The code of the category, such as mental_health.';
comment on column hospital.sensitivities.name is 'The category in words.';
comment on column hospital.sensitivities.security_label is 'The security label of HL7 FHIR for it.';
insert into hospital.sensitivities (code, name, security_label) values
  ('normal', 'Normal', 'N'),
  ('mental_health', 'Mental health', 'MH'),
  ('substance_use', 'Substance use', 'SUD'),
  ('hiv', 'HIV and AIDS', 'HIV'),
  ('sexual_health', 'Sexual and reproductive health', 'SEX'),
  ('domestic_violence', 'Sexual assault, abuse or domestic violence', 'SDV');

create table hospital.note_types (
  code                text primary key,
  name                text not null,
  default_sensitivity text not null default 'normal' references hospital.sensitivities (code),
  constraint note_types_name_key unique (name)
);
create index note_types_default_sensitivity_idx on hospital.note_types (default_sensitivity);
comment on table hospital.note_types is 'The kinds of notes that can be written.';
comment on column hospital.note_types.code is 'The code of the type, such as progress_note.';
comment on column hospital.note_types.name is 'The type in words.';
comment on column hospital.note_types.default_sensitivity is 'The sensitivity of a note of the type for which none is given.';
insert into hospital.note_types (code, name, default_sensitivity) values
  ('progress_note', 'Progress note', 'normal'),
  ('history_and_physical', 'History and physical', 'normal'),
  ('consultation_note', 'Consultation note', 'normal'),
  ('procedure_note', 'Procedure note', 'normal'),
  ('nursing_note', 'Nursing note', 'normal'),
  ('discharge_summary', 'Discharge summary', 'normal'),
  ('psychotherapy_note', 'Psychotherapy note', 'mental_health'),
  ('addendum', 'Addendum', 'normal');

create table hospital.note_sections (
  note_type   text    not null references hospital.note_types (code),
  key         text    not null,
  title       text    not null,
  value_type  text    not null default 'string',
  is_required boolean not null default false,
  sort_order  integer not null,
  primary key (note_type, key),
  constraint note_sections_sort_order_key unique (note_type, sort_order),
  constraint note_sections_key_well_formed check (key ~ '^[a-z][a-z_]{0,39}$'),
  constraint note_sections_value_type_known
    check (value_type in ('string', 'number', 'boolean', 'array'))
);
comment on table hospital.note_sections is 'The sections a type of note has; the body of a note has these keys and no others.';
comment on column hospital.note_sections.note_type is 'The type of note.';
comment on column hospital.note_sections.key is 'The key of the section in the body.';
comment on column hospital.note_sections.title is 'The heading people read.';
comment on column hospital.note_sections.value_type is 'What JSON type the section has: string, number, boolean, or an array of strings.';
comment on column hospital.note_sections.is_required is 'Whether a note without it can be signed.';
comment on column hospital.note_sections.sort_order is 'The place of the section in the note, first to last.';
insert into hospital.note_sections (note_type, key, title, value_type, is_required, sort_order) values
  ('progress_note', 'subjective', 'Subjective', 'string', true, 1),
  ('progress_note', 'objective', 'Objective', 'string', true, 2),
  ('progress_note', 'assessment', 'Assessment', 'string', true, 3),
  ('progress_note', 'plan', 'Plan', 'string', true, 4),
  ('history_and_physical', 'chief_complaint', 'Chief complaint', 'string', true, 1),
  ('history_and_physical', 'history', 'History of the present illness', 'string', true, 2),
  ('history_and_physical', 'past_history', 'Past history', 'array', false, 3),
  ('history_and_physical', 'examination', 'Examination', 'string', true, 4),
  ('history_and_physical', 'assessment', 'Assessment', 'string', true, 5),
  ('history_and_physical', 'plan', 'Plan', 'string', true, 6),
  ('consultation_note', 'question', 'Question', 'string', true, 1),
  ('consultation_note', 'findings', 'Findings', 'string', true, 2),
  ('consultation_note', 'recommendations', 'Recommendations', 'array', true, 3),
  ('procedure_note', 'procedure', 'Procedure', 'string', true, 1),
  ('procedure_note', 'consent_obtained', 'Consent obtained', 'boolean', true, 2),
  ('procedure_note', 'findings', 'Findings', 'string', true, 3),
  ('procedure_note', 'blood_loss_ml', 'Blood loss (mL)', 'number', false, 4),
  ('procedure_note', 'complications', 'Complications', 'array', false, 5),
  ('nursing_note', 'observation', 'Observation', 'string', true, 1),
  ('nursing_note', 'intervention', 'Intervention', 'string', false, 2),
  ('nursing_note', 'pain_score', 'Pain (0 to 10)', 'number', false, 3),
  ('discharge_summary', 'course', 'Course', 'string', true, 1),
  ('discharge_summary', 'condition', 'Condition at discharge', 'string', true, 2),
  ('discharge_summary', 'follow_up', 'Follow-up', 'array', true, 3),
  ('psychotherapy_note', 'themes', 'Themes', 'string', true, 1),
  ('psychotherapy_note', 'risk', 'Risk', 'string', true, 2),
  ('psychotherapy_note', 'plan', 'Plan', 'string', false, 3),
  ('addendum', 'text', 'Text', 'string', true, 1);

create table hospital.clinical_notes (
  id             bigint      generated always as identity primary key,
  note_uuid      uuid        not null default gen_random_uuid(),
  record_uuid    uuid        not null,
  patient_id     bigint      not null,
  note_type      text        not null references hospital.note_types (code),
  author_id      bigint      not null references hospital.staff_members (id),
  sensitivity    text        not null default 'normal' references hospital.sensitivities (code),
  addendum_to_id bigint,
  body           jsonb       not null,
  version        integer     not null default 1,
  signed_at      timestamptz,
  content_hash   text,
  voided_at      timestamptz,
  void_reason    text,
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  constraint clinical_notes_note_uuid_key unique (note_uuid),
  constraint clinical_notes_id_patient_id_key unique (id, patient_id),
  constraint clinical_notes_belong_to_the_visits_patient
    foreign key (record_uuid, patient_id) references hospital.visits (record_uuid, patient_id),
  -- An addendum is as sensitive as its note: were it less, it would tell that there is one.
  constraint clinical_notes_id_and_what_addenda_share_key
    unique (id, record_uuid, patient_id, sensitivity),
  constraint clinical_notes_addendum_shares_record_and_sensitivity
    foreign key (addendum_to_id, record_uuid, patient_id, sensitivity)
    references hospital.clinical_notes (id, record_uuid, patient_id, sensitivity),
  constraint clinical_notes_addendum_is_of_a_note
    check ((note_type = 'addendum') = (addendum_to_id is not null)),
  constraint clinical_notes_body_bounded
    check (jsonb_typeof(body) = 'object' and octet_length(body::text) <= 65536),
  constraint clinical_notes_version_positive check (version >= 1),
  constraint clinical_notes_signed_with_hash
    check ((signed_at is null) = (content_hash is null)),
  constraint clinical_notes_content_hash_is_sha256 check (content_hash ~ '^[0-9a-f]{64}$'),
  constraint clinical_notes_signed_after_creation
    check (isfinite(signed_at) and signed_at >= created_at),
  constraint clinical_notes_void_has_reason
    check ((voided_at is null) = (nullif(btrim(void_reason), '') is null)),
  constraint clinical_notes_void_reason_not_too_long check (char_length(void_reason) <= 1000)
);
create index clinical_notes_record_uuid_patient_id_idx
  on hospital.clinical_notes (record_uuid, patient_id);
create index clinical_notes_patient_id_created_at_idx
  on hospital.clinical_notes (patient_id, created_at);
create index clinical_notes_author_id_idx on hospital.clinical_notes (author_id);
create index clinical_notes_note_type_idx on hospital.clinical_notes (note_type);
create index clinical_notes_sensitivity_idx on hospital.clinical_notes (sensitivity);
create index clinical_notes_addendum_to_id_idx
  on hospital.clinical_notes (addendum_to_id, record_uuid, patient_id, sensitivity);
comment on table hospital.clinical_notes is 'Documents of the record: drafts are their author''s, signed notes never change, later words are addenda.';
comment on column hospital.clinical_notes.id is 'The key of the note inside this database.';
comment on column hospital.clinical_notes.note_uuid is 'The identifier of the note towards other systems.';
comment on column hospital.clinical_notes.record_uuid is 'The medical record the note belongs to.';
comment on column hospital.clinical_notes.patient_id is 'The patient, always the record''s.';
comment on column hospital.clinical_notes.note_type is 'The type of note, which says what sections it has.';
comment on column hospital.clinical_notes.author_id is 'Who wrote it and alone may edit, sign and void it.';
comment on column hospital.clinical_notes.sensitivity is 'How sensitive it is: all but normal need a grant besides the open chart.';
comment on column hospital.clinical_notes.addendum_to_id is 'The signed note to which this one adds, of the same record and sensitivity, or null.';
comment on column hospital.clinical_notes.body is 'The sections of the note by key, up to 65536 bytes.';
comment on column hospital.clinical_notes.version is 'How many versions the draft has had; earlier ones are kept.';
comment on column hospital.clinical_notes.signed_at is 'When the author signed it, after which it never changes, or null for a draft.';
comment on column hospital.clinical_notes.content_hash is 'The SHA-256 of what was signed, in hexadecimal, or null for a draft.';
comment on column hospital.clinical_notes.voided_at is 'When it was declared entered in error, or null.';
comment on column hospital.clinical_notes.void_reason is 'Why it was declared entered in error, or null.';
comment on column hospital.clinical_notes.created_at is 'When the note was begun.';
comment on column hospital.clinical_notes.updated_at is 'When this row last changed.';

create table hospital.clinical_note_versions (
  note_id     bigint      not null,
  version     integer     not null,
  patient_id  bigint      not null,
  sensitivity text        not null references hospital.sensitivities (code),
  body        jsonb       not null,
  replaced_at timestamptz not null default now(),
  replaced_by bigint      references hospital_private.accounts (id),
  primary key (note_id, version),
  constraint clinical_note_versions_belong_to_the_notes_patient
    foreign key (note_id, patient_id) references hospital.clinical_notes (id, patient_id)
);
create index clinical_note_versions_note_id_patient_id_idx
  on hospital.clinical_note_versions (note_id, patient_id);
create index clinical_note_versions_patient_id_idx on hospital.clinical_note_versions (patient_id);
create index clinical_note_versions_sensitivity_idx
  on hospital.clinical_note_versions (sensitivity);
create index clinical_note_versions_replaced_by_idx
  on hospital.clinical_note_versions (replaced_by);
comment on table hospital.clinical_note_versions is 'The earlier versions of drafts, written by a trigger, for their author alone.';
comment on column hospital.clinical_note_versions.note_id is 'The note that was edited.';
comment on column hospital.clinical_note_versions.version is 'The number of the version kept here.';
comment on column hospital.clinical_note_versions.patient_id is 'The patient, always the note''s.';
comment on column hospital.clinical_note_versions.sensitivity is 'The sensitivity the draft had in this version.';
comment on column hospital.clinical_note_versions.body is 'The body as it was in this version.';
comment on column hospital.clinical_note_versions.replaced_at is 'When the next version replaced this one.';
comment on column hospital.clinical_note_versions.replaced_by is 'The account that edited the note, or null for a tool.';

create table hospital.sensitivity_grants (
  id              bigint      generated always as identity primary key,
  patient_id      bigint      not null references hospital.patients (id),
  staff_member_id bigint      not null references hospital.staff_members (id),
  sensitivity     text        not null references hospital.sensitivities (code),
  granted         tstzrange   not null,
  ended_at        timestamptz,
  -- An end that comes early cuts the range; what was granted stays on record beside it.
  in_force        tstzrange   generated always as (granted * tstzrange(null, ended_at)) stored,
  reason          text        not null,
  granted_by      bigint      not null references hospital.staff_members (id),
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  constraint sensitivity_grants_only_where_needed check (sensitivity <> 'normal'),
  constraint sensitivity_grants_never_to_oneself check (granted_by <> staff_member_id),
  constraint sensitivity_grants_reason_not_blank
    check (btrim(reason) <> '' and char_length(reason) <= 1000),
  constraint sensitivity_grants_span_bounded
    check (
      not isempty(granted)
      and not lower_inf(granted)
      and not upper_inf(granted)
      and isfinite(lower(granted))
      and isfinite(upper(granted))
      and lower_inc(granted)
      and not upper_inc(granted)
      and upper(granted) - lower(granted) <= interval '366 days'
    ),
  constraint sensitivity_grants_ends_within check (ended_at <@ granted)
);
create index sensitivity_grants_patient_id_idx on hospital.sensitivity_grants (patient_id);
create index sensitivity_grants_staff_member_id_idx
  on hospital.sensitivity_grants (staff_member_id);
create index sensitivity_grants_sensitivity_idx on hospital.sensitivity_grants (sensitivity);
create index sensitivity_grants_granted_by_idx on hospital.sensitivity_grants (granted_by);
comment on table hospital.sensitivity_grants is 'Who else may read a patient''s notes of one sensitivity, and from when until when.';
comment on column hospital.sensitivity_grants.id is 'The key of the grant inside this database.';
comment on column hospital.sensitivity_grants.patient_id is 'The patient whose notes they are.';
comment on column hospital.sensitivity_grants.staff_member_id is 'The member of staff who may read them, in charts he opens.';
comment on column hospital.sensitivity_grants.sensitivity is 'The sensitivity of the notes, never normal.';
comment on column hospital.sensitivity_grants.granted is 'From when until when it was granted, 366 days at most, end excluded.';
comment on column hospital.sensitivity_grants.ended_at is 'When it was ended before its time, or null.';
comment on column hospital.sensitivity_grants.in_force is 'From when until when it opens anything: as granted, or until it was ended.';
comment on column hospital.sensitivity_grants.reason is 'Why, in 1 to 1000 characters.';
comment on column hospital.sensitivity_grants.granted_by is 'Who granted it, never the one who may read.';
comment on column hospital.sensitivity_grants.created_at is 'When this row was written.';
comment on column hospital.sensitivity_grants.updated_at is 'When this row last changed.';

-- What policies compare a note with: an array of these is made once for a statement.
create type hospital_private.patient_sensitivity as (
  patient_id  bigint,
  sensitivity text
);
comment on type hospital_private.patient_sensitivity is 'Notes of one sensitivity of one patient.';
comment on column hospital_private.patient_sensitivity.patient_id is 'The patient whose notes they are.';
comment on column hospital_private.patient_sensitivity.sensitivity is 'The sensitivity of the notes.';

alter table hospital.sensitivities enable row level security;
alter table hospital.sensitivities force row level security;
alter table hospital.note_types enable row level security;
alter table hospital.note_types force row level security;
alter table hospital.note_sections enable row level security;
alter table hospital.note_sections force row level security;
alter table hospital.clinical_notes enable row level security;
alter table hospital.clinical_notes force row level security;
alter table hospital.clinical_note_versions enable row level security;
alter table hospital.clinical_note_versions force row level security;
alter table hospital.sensitivity_grants enable row level security;
alter table hospital.sensitivity_grants force row level security;

--! split: 5000-prologue.sql
-- The living files below may call one another in any order: bodies are checked when they run.
set local check_function_bodies = off;

--! split: 5001-01-foundation-touch.sql
-- source: sql/01-foundation/touch.sql
-- When a row last changed is not for the writer to say.
create or replace function hospital_private.touch()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;
comment on function hospital_private.touch() is
  'Trigger: stamps updated_at with the time of the transaction.';

-- Triggers fire in the order of their names, so each carries its priority: 100 stamps, 200 derives,
-- 300 guards, 700 history, 800 notifications.
create or replace trigger _100_timestamps
  before update on hospital.facilities
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.departments
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.rooms
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.staff_members
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.doctors
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.patients
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.contact_points
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.patient_identifiers
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital_private.accounts
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.doctor_schedules
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.doctor_time_off
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.doctor_extra_sessions
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.appointment_types
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.appointments
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.visits
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.visit_diagnoses
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.patient_conditions
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.prescriptions
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.treatments
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.waitlist_entries
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.clinical_notes
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.sensitivity_grants
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.retention_rules
  for each row execute function hospital_private.touch();

--! split: 5002-02-identity-current_account.sql
-- source: sql/02-identity/current_account.sql
create or replace function hospital.current_account()
returns hospital.account
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    a.email,
    s.role,
    array(
      select r.role
      from hospital_private.account_roles as r
      where r.account_id = a.id
      order by r.role
    ),
    p.person_id,
    a.staff_member_id,
    d.id,
    m.department_id,
    s.access_expires_at
  from hospital_private.current_session() as s
  join hospital_private.accounts as a
    on a.id = s.account_id
  left join hospital.patients as p
    on p.id = a.patient_id
  left join hospital.staff_members as m
    on m.id = a.staff_member_id
  left join hospital.doctors as d
    on d.staff_member_id = m.id;
$$;
comment on function hospital.current_account() is
  'Who is logged in and as what, or null. Lends the owner''s right to read the caller''s own account.';

--! split: 5003-02-identity-current_ids.sql
-- source: sql/02-identity/current_ids.sql
-- Who the live session is. Each answers null without a session, and null equals nothing, so a
-- policy built on them denies by default.
create or replace function hospital_private.current_account_id()
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select s.account_id
  from hospital_private.current_session() as s;
$$;
comment on function hospital_private.current_account_id() is
  'The account of the live session, or null; lends the owner''s right to read sessions.';

create or replace function hospital_private.current_patient_id()
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  session hospital_private.sessions := hospital_private.current_session();
begin
  return (
    select p.person_id
    from hospital_private.accounts as a
    join hospital.patients as p
      on p.id = a.patient_id
    where a.id = session.account_id
      and session.role = 'patient'
  );
end;
$$;
comment on function hospital_private.current_patient_id() is
  'The patient of a live session in the role patient, by the record that goes on where several were merged, or null; lends the owner''s right to read accounts.';

create or replace function hospital_private.current_staff_member_id()
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select a.staff_member_id
  from hospital_private.current_session() as s
  join hospital_private.accounts as a
    on a.id = s.account_id
  where s.role <> 'patient';
$$;
comment on function hospital_private.current_staff_member_id() is
  'The member of staff of a live session in any role but patient, or null; lends the owner''s right to read accounts.';

create or replace function hospital_private.current_doctor_id()
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  session hospital_private.sessions := hospital_private.current_session();
begin
  return (
    select d.id
    from hospital_private.accounts as a
    join hospital.doctors as d
      on d.staff_member_id = a.staff_member_id
    where a.id = session.account_id
      and session.role = 'doctor'
      and d.is_active
  );
end;
$$;
comment on function hospital_private.current_doctor_id() is
  'The active doctor of a live session in the role doctor, or null; lends the owner''s right to read accounts.';

create or replace function hospital_private.current_department_id()
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select m.department_id
  from hospital_private.current_session() as s
  join hospital_private.accounts as a
    on a.id = s.account_id
  join hospital.staff_members as m
    on m.id = a.staff_member_id
  where s.role <> 'patient';
$$;
comment on function hospital_private.current_department_id() is
  'The department of the member of staff of a live session, or null; lends the owner''s right to read accounts.';

--! split: 5004-02-identity-log_in.sql
-- source: sql/02-identity/log_in.sql
-- A refused log-in returns a value and raises nothing: an error would roll back the count of
-- failures, and the lock after five would never close. The password is hashed before the account is
-- looked at, so the time taken tells nobody which addresses exist or are locked. Whoever has been
-- refused too often from one place is told so before anything is hashed: that says nothing about any
-- account, and hashing is what an attacker could keep the server busy with.
create or replace function hospital.log_in(email text, password text, role text default null)
returns hospital.login_result
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  network constant inet := hospital_private.login_network();
  account hospital_private.accounts;
  chosen_role text;
  refused hospital.login_result;
  candidate_hash text;
  password_fits boolean;
begin
  if hospital_private.login_throttled(network) then
    refused.outcome := 'throttled';
    return refused;
  end if;
  refused.outcome := 'refused';

  select a.*
  into account
  from hospital_private.accounts as a
  where a.email = lower(btrim(log_in.email));

  candidate_hash := coalesce(
    account.password_hash,
    -- The hash of a password nobody has, so that an unknown address costs the same time.
    '$2a$10$yqGmPCDhuBXoQd4OMfTOAuXqTwSYbmWRrTCQG8OVqRp3zMqQBVF3q'
  );
  password_fits := octet_length(log_in.password) <= 72
    and candidate_hash = extensions.crypt(log_in.password, candidate_hash);

  if account.id is null then
    perform hospital_private.note_login_failure(network);
    return refused;
  end if;

  -- From here attempts on one account go one by one, so 500 at once are still 500.
  select a.*
  into account
  from hospital_private.accounts as a
  where a.id = account.id
  for update;

  if account.disabled_at is not null or account.locked_until > clock_timestamp() then
    perform hospital_private.note_login_failure(network);
    return refused;
  end if;

  if password_fits is not true or account.password_hash <> candidate_hash then
    update hospital_private.accounts as a
    set failed_attempts = a.failed_attempts + 1,
      locked_until = case
        when a.failed_attempts + 1 >= 5 then clock_timestamp() + interval '15 minutes'
      end
    where a.id = account.id;
    perform hospital_private.note_login_failure(network);
    return refused;
  end if;

  select r.role
  into chosen_role
  from hospital_private.account_roles as r
  where r.account_id = account.id
    and (log_in.role is null or r.role = log_in.role)
    and (
      r.role <> 'doctor'
      or exists (
        select
        from hospital.doctors as d
        where d.staff_member_id = account.staff_member_id
          and d.is_active
      )
    )
  order by r.granted_at, r.role
  limit 1;
  if chosen_role is null then
    return refused;
  end if;

  update hospital_private.accounts as a
  set failed_attempts = 0,
    locked_until = null
  where a.id = account.id;
  return hospital_private.start_session(account.id, chosen_role);
end;
$$;
comment on function hospital.log_in(text, text, text) is
  'Starts a session for an address and password, in the named role or the one held longest; after five failures in a row the account is locked for 15 minutes, and after 100 refusals within 15 minutes the network they came from gets throttled instead of an answer. Lends the owner''s right to read accounts to people who have not logged in yet.';

--! split: 5005-02-identity-login_failures.sql
-- source: sql/02-identity/login_failures.sql
-- Five failures lock an account, which stops who guesses one person's password but not who tries one
-- password on everybody. So refusals are also counted by where they come from. The limit is far above
-- what a ward behind one address mistypes, and a success does not reset it: whoever sprays may own an
-- account himself. Attempts that run at the same moment do not see each other; there are never more of
-- them than the API has connections.
create or replace function hospital_private.login_network()
returns inet
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  -- Whoever has IPv6 has a whole /64 of addresses to try from.
  select case family(c.address)
    when 6 then network(set_masklen(c.address, 64))::inet
    else c.address
  end
  from (
    select coalesce(hospital_private.client_address(), inet_client_addr(), '0.0.0.0')
  ) as c (address);
$$;
comment on function hospital_private.login_network() is
  'Where a log-in comes from, as far as one attacker reaches: an IPv4 address, or the /64 of an IPv6 address.';

create or replace function hospital_private.login_throttled(network inet)
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select count(*) >= 100
  from hospital_private.login_failures as f
  where f.client_network = login_throttled.network
    and f.failed_at > clock_timestamp() - interval '15 minutes';
$$;
comment on function hospital_private.login_throttled(inet) is
  'Whether a network has had 100 refusals within 15 minutes; callable by the owner alone.';

create or replace function hospital_private.note_login_failure(network inet)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into hospital_private.login_failures (client_network)
  values (note_login_failure.network);
  -- Each new row takes some old ones along, so the table needs no job.
  delete from hospital_private.login_failures as f
  where f.id = any (
    array(
      select old.id
      from hospital_private.login_failures as old
      where old.failed_at < clock_timestamp() - interval '1 day'
      order by old.failed_at
      limit 10
      for update skip locked
    )
  );
$$;
comment on function hospital_private.note_login_failure(inet) is
  'Counts a refused log-in against where it came from, and forgets some of the day before; callable by the owner alone.';

--! split: 5006-02-identity-notify_session_end.sql
-- source: sql/02-identity/notify_session_end.sql
-- Who listens over an open connection must hear that the session has ended, not only at the next
-- event. The channel carries the id alone, and an id without its secret opens nothing.
create or replace function hospital_private.notify_session_end()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital_private.live_events (channels, payload)
  values (array['session:' || old.id], '{}');
  return null;
end;
$$;
comment on function hospital_private.notify_session_end() is
  'Trigger: tells the channel of a session that it was revoked, or that its secret is another now.';

create or replace trigger _800_notify_revoked
  after update of revoked_at, secret_hash on hospital_private.sessions
  for each row
  when (new.revoked_at is not null or new.secret_hash <> old.secret_hash)
  execute function hospital_private.notify_session_end();

-- A role that is taken away takes its sessions along.
create or replace trigger _800_notify_deleted
  after delete on hospital_private.sessions
  for each row
  execute function hospital_private.notify_session_end();

--! split: 5007-03-people-merge_patients.sql
-- source: sql/03-people/merge_patients.sql
-- Two records turn out to be one person's. Nothing of either is rewritten: the duplicate is closed and points
-- at the other, and readers see both as one. A record that has nothing to come can never meet the other's
-- appointments, so the duplicate's are called off or booked anew first; its guard sees to that on every path.
create or replace function hospital.merge_patients(
  duplicate_id bigint,
  survivor_id bigint,
  reason text
)
returns hospital.patients
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  survivor hospital.patients;
begin
  perform hospital_private.require_role('administrator');
  if merge_patients.reason is null then
    raise exception using
      errcode = 'MISSA',
      message = 'Say why the two are one person.';
  end if;
  perform hospital_private.lock_calendars(
    '{}', array[merge_patients.duplicate_id, merge_patients.survivor_id]
  );
  select s.*
  into survivor
  from hospital.patients as s
  cross join hospital.patients as d
  where s.id = merge_patients.survivor_id
    and d.id = merge_patients.duplicate_id;
  if survivor.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient.';
  end if;
  if exists (
    select
    from hospital.patients as p
    where p.merged_into_id = merge_patients.duplicate_id
      or (
        p.id in (merge_patients.duplicate_id, merge_patients.survivor_id)
        and p.merged_into_id is not null
      )
  ) then
    raise exception using
      errcode = 'MERGD',
      message = 'One of the two is part of another merge.',
      hint = 'Undo that first, or merge into the record that goes on.';
  end if;
  if exists (
    select
    from hospital.waitlist_entries as w
    where w.patient_id = merge_patients.duplicate_id
      and w.status = 'waiting'
  ) then
    raise exception using
      errcode = 'INWAY',
      message = 'The duplicate is on the waitlist.',
      hint = 'Leave the waitlist for it first, and join for the record that goes on.';
  end if;
  update hospital.patients as p
  set merged_into_id = merge_patients.survivor_id
  where p.id = merge_patients.duplicate_id;
  update hospital.patient_merges as m
  set reason = btrim(merge_patients.reason)
  where m.duplicate_id = merge_patients.duplicate_id
    and m.unmerged_at is null;
  return survivor;
end;
$$;
comment on function hospital.merge_patients(bigint, bigint, text) is
  'Closes a duplicate record of a person, links it to the one that goes on and returns that one; for administrators. Raises UNAUT, PRMSN, MISSA, NTFND, MERGD, RETRY, and INWAY while the duplicate has appointments to come or waits for some. Lends the owner''s right to write the link.';

create or replace function hospital.unmerge_patients(duplicate_id bigint)
returns hospital.patients
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  separate hospital.patients;
begin
  perform hospital_private.require_role('administrator');
  update hospital.patients as p
  set merged_into_id = null
  where p.id = unmerge_patients.duplicate_id
    and p.merged_into_id is not null
  returning p.*
  into separate;
  if separate.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such duplicate.';
  end if;
  return separate;
end;
$$;
comment on function hospital.unmerge_patients(bigint) is
  'Undoes the merge of a duplicate, which is a record of its own again, and returns it; who has a chart of either open logs in anew. For administrators. Raises UNAUT, PRMSN, NTFND. Lends the owner''s right to write the link.';

-- Who linked what and when is kept on every path; the function adds why.
create or replace function hospital_private.record_merge()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update hospital.patient_merges as m
  set unmerged_at = clock_timestamp(),
    unmerged_by = hospital_private.current_account_id()
  where m.duplicate_id = new.id
    and m.unmerged_at is null;
  if new.merged_into_id is not null then
    insert into hospital.patient_merges (duplicate_id, survivor_id, merged_by)
    values (new.id, new.merged_into_id, hospital_private.current_account_id());
  end if;
  return null;
end;
$$;
comment on function hospital_private.record_merge() is
  'Trigger: keeps the history of merges. Lends the owner''s right to write it, which nobody else has.';

create or replace trigger _700_record_merge_insert
  after insert on hospital.patients
  for each row
  when (new.merged_into_id is not null)
  execute function hospital_private.record_merge();
create or replace trigger _700_record_merge_update
  after update on hospital.patients
  for each row
  when (new.merged_into_id is distinct from old.merged_into_id)
  execute function hospital_private.record_merge();

-- While two are held for one, who treats the one may open the other's chart. That must not outlive the
-- mistake, so whoever has a chart of theirs open logs in anew. Opening a chart holds the record for key
-- share: what is being opened is waited for here, and what is opened later asks after the link is gone.
create or replace function hospital_private.close_separated_charts()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform
  from hospital.patients as p
  where p.id = old.merged_into_id
  for update;
  update hospital_private.sessions as s
  set revoked_at = clock_timestamp(),
    revoked_reason = 'revoked'
  where s.revoked_at is null
    and s.id in (
      select o.session_id
      from audit.chart_openings as o
      where o.patient_id in (old.id, old.merged_into_id)
    );
  return null;
end;
$$;
comment on function hospital_private.close_separated_charts() is
  'Trigger: ends the sessions that have opened a chart of two records that are one person''s no more. Lends the owner''s right to end sessions.';

create or replace trigger _710_close_separated_charts
  after update on hospital.patients
  for each row
  when (old.merged_into_id is not null and new.merged_into_id is distinct from old.merged_into_id)
  execute function hospital_private.close_separated_charts();

--! split: 5008-03-people-same_person_ids.sql
-- source: sql/03-people/same_person_ids.sql
-- The one place where a key becomes all keys of the person. Whoever decides by keys who may see whom asks here
-- last, so that what is seen of one record is seen of all.
create or replace function hospital_private.same_person_ids(patient_ids bigint[])
returns setof bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select p.id
  from hospital.patients as q
  join hospital.patients as p
    on p.person_id = q.person_id
  where q.id = any (same_person_ids.patient_ids);
$$;
comment on function hospital_private.same_person_ids(bigint[]) is
  'The keys of all records of the persons whose records are named, these included. Only functions call it: which records are one person''s is nobody''s business. Lends the owner''s right to read that.';

create or replace function hospital.patients_records(patient hospital.patients)
returns setof hospital.patients
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select p.*
  from hospital.patients as p
  where p.person_id = patient.person_id
  order by
    (p.merged_into_id is not null),
    p.id;
$$;
comment on function hospital.patients_records(hospital.patients) is
  'All records of the person that the caller may see, the one that goes on first.';

--! split: 5009-03-people-search_patients.sql
-- source: sql/03-people/search_patients.sql
-- LIKE is not leakproof, so under row security it would run only after the policy had been applied
-- to every row, and no index could help. The keys are found here with the owner's right and an
-- index. The rule of who may see whom is applied again, because that somebody is a patient here is
-- itself a secret; whoever asks still reads the rows under his own policies.
create or replace function hospital_private.matching_patient_ids(search text)
returns setof bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select m.person_id
  from (
    select p.person_id
    from hospital.patients as p
    where p.given_name || ' ' || p.family_name ilike
      '%' || hospital_private.escape_like(matching_patient_ids.search) || '%'
    union
    select p.person_id
    from hospital.patients as p
    where p.mrn = upper(matching_patient_ids.search)
  ) as m
  where (select hospital_private.session_has_role('reception'))
    or (select hospital_private.session_has_role('administrator'))
    or m.person_id = any (array(select hospital_private.roster_patient_ids()));
$$;
comment on function hospital_private.matching_patient_ids(text) is
  'The keys of patients whose name contains the text or whose record number it is, of a duplicate that of the record that goes on: all of them for reception and administrators, those on the roster for doctors and nurses. Lends the owner''s right to use the index on names.';

create or replace function hospital.search_patients(search text)
returns setof hospital.patients
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select p.*
  from hospital.patients as p
  where p.id = any (
    array(
      select hospital_private.matching_patient_ids(search_patients.search)
    )
  )
  order by
    p.family_name,
    p.given_name,
    p.id;
$$;
comment on function hospital.search_patients(text) is
  'The patients the caller may see whose name contains the text, or whose record number it is. A duplicate is found as the record it was merged into.';

--! split: 5010-04-scheduling-booking_conflict.sql
-- source: sql/04-scheduling/booking_conflict.sql
-- What the exclusion constraints will say, asked before anything is locked: a refusal costs a look,
-- and its code is the clear one. A hold that has run out is in nobody's way.
create or replace function hospital_private.booking_conflict(
  doctor_id bigint,
  patient_id bigint,
  room_id bigint,
  busy tstzrange,
  ignored_id bigint default null
)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  ignored bigint;
begin
  if booking_conflict.ignored_id is not null
    and hospital_private.may_ask_about(booking_conflict.patient_id)
  then
    select a.id
    into ignored
    from hospital.appointments as a
    where a.id = booking_conflict.ignored_id
      and a.patient_id = booking_conflict.patient_id;
  end if;
  if exists (
    select
    from hospital.appointments as a
    where a.doctor_id = booking_conflict.doctor_id
      and a.busy && booking_conflict.busy
      and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
      and (a.status <> 'held' or a.expires_at > clock_timestamp())
      and a.id is distinct from ignored
  ) then
    return 'doctor';
  end if;
  if exists (
      select
      from hospital.appointments as a
      where a.patient_id = booking_conflict.patient_id
        and a.busy && booking_conflict.busy
        and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
        and (a.status <> 'held' or a.expires_at > clock_timestamp())
        and a.id is distinct from ignored
    )
    and hospital_private.may_ask_about(booking_conflict.patient_id)
  then
    return 'patient';
  end if;
  if exists (
    select
    from hospital.appointments as a
    where a.room_id = booking_conflict.room_id
      and a.busy && booking_conflict.busy
      and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
      and (a.status <> 'held' or a.expires_at > clock_timestamp())
      and a.id is distinct from ignored
  ) then
    return 'room';
  end if;
  return null;
end;
$$;
comment on function hospital_private.booking_conflict(bigint, bigint, bigint, tstzrange, bigint) is
  'Which of doctor, patient and room is taken in a span by another appointment than the ignored one, or null; of the patient it speaks to those who may know. Lends the owner''s right to see that appointments exist, not what they are.';

-- Whose calendar the caller may ask about, so that nobody learns another's by trying times: the patient
-- his own and whom he may book for, those who keep the calendar anybody's, a doctor his own patients'.
create or replace function hospital_private.may_ask_about(patient_id bigint)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(
      may_ask_about.patient_id in (select hospital_private.own_patient_ids(to_book => true)),
      false
    )
    or hospital_private.session_has_role('reception')
    or hospital_private.session_has_role('administrator')
    or exists (
      select
      from hospital.appointments as a
      where a.patient_id in (
          select hospital_private.same_person_ids(array[may_ask_about.patient_id])
        )
        and a.doctor_id = hospital_private.current_doctor_id()
        and a.status not in ('held', 'cancelled', 'lapsed')
    );
end;
$$;
comment on function hospital_private.may_ask_about(bigint) is
  'Whether the live session may be told when a patient is busy. Lends the owner''s right to read appointments for this one question.';

create or replace function hospital_private.raise_conflict(party text)
returns void
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = case raise_conflict.party
      when 'patient' then 'PATBU'
      when 'room' then 'ROOMT'
      else 'SLOTT'
    end,
    message = case raise_conflict.party
      when 'patient' then 'The patient has another appointment at that time.'
      when 'room' then 'The room is taken at that time.'
      else 'That time is already taken.'
    end,
    hint = 'Ask freeSlots for times that can be booked.';
end;
$$;
comment on function hospital_private.raise_conflict(text) is
  'Raises SLOTT, PATBU or ROOMT as doctor, patient or room is taken.';

--! split: 5011-04-scheduling-close_patient_record.sql
-- source: sql/04-scheduling/close_patient_record.sql
-- A record is closed to new appointments: it must not happen while somebody books one. A booking holds
-- the patient's row for key share, which an ordinary update does not even meet.
create or replace function hospital_private.guard_closing()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- An older snapshot would not see the bookings that were made since.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using
      errcode = 'ISOLN',
      message = 'Working hours and records are changed under READ COMMITTED only.';
  end if;
  -- Never waiting, since the row is held already.
  begin
    perform
    from hospital.patients as p
    where p.id = old.id
    for update nowait;
  exception
    when lock_not_available then
      raise exception using
        errcode = 'RETRY',
        message = 'Somebody else is changing the same calendar. Try again.';
  end;
  -- Death is a fact and no wish: it is recorded whatever was promised.
  if new.deceased_on is null and exists (
    select
    from hospital.appointments as a
    where a.patient_id = old.id
      and a.busy && tstzrange(clock_timestamp(), null)
      and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
      and (a.expires_at is null or a.expires_at > clock_timestamp())
  ) then
    raise exception using
      errcode = 'INWAY',
      message = 'Appointments are in the way.',
      hint = 'Call them off first; for the patient''s other record they are booked anew.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_closing() is
  'Trigger: a patient''s record is closed only while nobody books, and unless the patient died only without appointments to come. Raises ISOLN, RETRY, INWAY. Lends the owner''s right to read calendars.';

create or replace trigger _300_guard_closing
  before update on hospital.patients
  for each row
  when (
    (old.deactivated_at is null and new.deactivated_at is not null)
    or (old.deceased_on is null and new.deceased_on is not null)
    or (old.merged_into_id is null and new.merged_into_id is not null)
  )
  execute function hospital_private.guard_closing();

-- What is left to come is called off in the same statement, so that the time is free for others and
-- nobody is reminded; what is under way is left to who sees to it.
create or replace function hospital_private.call_off_what_is_to_come(patient_id bigint, reason text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- The patient's row is held, so nobody is waited for.
  perform hospital_private.lock_in_order('{}');
  perform hospital_private.lock_calendars(
    array_agg(a.doctor_id), array[call_off_what_is_to_come.patient_id], array_agg(a.room_id)
  )
  from hospital.appointments as a
  where a.patient_id = call_off_what_is_to_come.patient_id
    and a.busy && tstzrange(clock_timestamp(), null)
    and a.status in ('held', 'scheduled', 'checked_in');
  begin
    perform
    from hospital.waitlist_entries as w
    where w.patient_id = call_off_what_is_to_come.patient_id
      and w.status = 'waiting'
    order by w.id
    for update nowait;
  exception
    when lock_not_available then
      raise exception using
        errcode = 'RETRY',
        message = 'Somebody else is changing the same calendar. Try again.';
  end;
  update hospital.waitlist_entries as w
  set status = 'withdrawn'
  where w.patient_id = call_off_what_is_to_come.patient_id
    and w.status = 'waiting';
  update hospital.appointments as a
  set status = 'cancelled',
    cancellation_reason = call_off_what_is_to_come.reason
  where a.patient_id = call_off_what_is_to_come.patient_id
    and a.busy && tstzrange(clock_timestamp(), null)
    and a.status in ('held', 'scheduled', 'checked_in');
end;
$$;
comment on function hospital_private.call_off_what_is_to_come(bigint, text) is
  'Cancels, for a reason, what a patient whose row the caller holds still had to come, and takes him off the waitlist. Raises RETRY.';

-- The dead do not come.
create or replace function hospital_private.call_off_for_the_dead()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.call_off_what_is_to_come(new.id, 'patient_deceased');
  return null;
end;
$$;
comment on function hospital_private.call_off_for_the_dead() is
  'Trigger: cancels what a patient who died still had to come and offers its time to others. Raises RETRY. Lends the owner''s right to change appointments and the waitlist, for this alone.';

create or replace trigger _310_call_off
  after update on hospital.patients
  for each row
  when (old.deceased_on is null and new.deceased_on is not null)
  execute function hospital_private.call_off_for_the_dead();

--! split: 5012-04-scheduling-department_today.sql
-- source: sql/04-scheduling/department_today.sql
-- The roster of duty as a list. A policy that showed it beside a doctor's own calendar would join the two by
-- OR, and the calendar would lose its index.
create or replace function hospital.department_today()
returns setof hospital.appointments
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select a.*
  from hospital_private.current_viewer() as v
  cross join lateral hospital_private.department_day(v.department_id) as a
  where v.role = 'doctor'
    and hospital_private.is_on_duty(v.doctor_id)
  order by
    a.starts_at,
    a.id;
$$;
comment on function hospital.department_today() is
  'The department''s appointments of this local day and those in progress, for a doctor on duty there; nothing for anybody else. Lends the owner''s right to read colleagues'' calendars for this one question.';

--! split: 5013-04-scheduling-notify_appointment.sql
-- source: sql/04-scheduling/notify_appointment.sql
-- Live subscribers hear that something changed, by keys alone; what they then read is read under
-- their own policies. History is no news, so loading it wakes nobody.
create or replace function hospital_private.notify_appointment()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital_private.live_events (channels, payload)
  values (
    array[
      'appointments:patient:' || new.patient_id,
      'appointments:doctor:' || new.doctor_id,
      'appointments:department:' || new.department_id
    ],
    json_build_object('event', lower(tg_op), 'id', new.id)
  );
  return null;
end;
$$;
comment on function hospital_private.notify_appointment() is
  'Trigger: tells the channels of patient, doctor and department that an appointment changed. Lends the owner''s right to tell, since nobody else may.';

create or replace trigger _800_notify
  after insert or update on hospital.appointments
  for each row
  when (new.ends_at > now() - interval '1 day')
  execute function hospital_private.notify_appointment();

--! split: 5014-04-scheduling-notify_free_time.sql
-- source: sql/04-scheduling/notify_free_time.sql
-- Who looks at a doctor's free time hears that it changed and when, never for whom. Only time to come
-- is news, so loading history wakes nobody.
create or replace function hospital_private.tell_free_time(doctor_id bigint, span tstzrange)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  starts_at constant timestamptz := greatest(lower(tell_free_time.span), now());
  ends_at constant timestamptz := nullif(upper(tell_free_time.span), 'infinity');
  -- As the API writes instants, whatever zone the connection is set to.
  pattern constant text := 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"';
begin
  if isempty(tell_free_time.span) or ends_at <= now() then
    return;
  end if;
  insert into hospital_private.live_events (channels, payload)
  values (
    array['free_time:doctor:' || tell_free_time.doctor_id],
    json_build_object(
      'doctorId', tell_free_time.doctor_id::text,
      'startsAt', to_char(starts_at at time zone 'UTC', pattern),
      'endsAt', to_char(ends_at at time zone 'UTC', pattern)
    )
  );
end;
$$;
comment on function hospital_private.tell_free_time(bigint, tstzrange) is
  'Tells the channel of a doctor that free time within a span changed, when any of it is still to come.';

create or replace function hospital_private.notify_occupied()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and old.status in ('held', 'scheduled', 'checked_in', 'in_progress') then
    perform hospital_private.tell_free_time(old.doctor_id, old.busy);
  end if;
  if new.status in ('held', 'scheduled', 'checked_in', 'in_progress') then
    perform hospital_private.tell_free_time(new.doctor_id, new.busy);
  end if;
  return null;
end;
$$;
comment on function hospital_private.notify_occupied() is
  'Trigger: tells that an appointment took time or gave it back. Lends the owner''s right to tell, since nobody else may.';

create or replace trigger _820_free_time_insert
  after insert on hospital.appointments
  for each row
  when (
    new.status in ('held', 'scheduled', 'checked_in', 'in_progress')
    and upper(new.busy) > now()
  )
  execute function hospital_private.notify_occupied();

-- A change of status that leaves the time taken is no news.
create or replace trigger _820_free_time_update
  after update on hospital.appointments
  for each row
  when (
    (
      old.status in ('held', 'scheduled', 'checked_in', 'in_progress')
      or new.status in ('held', 'scheduled', 'checked_in', 'in_progress')
    )
    and (
      new.doctor_id <> old.doctor_id
      or new.busy <> old.busy
      or (old.status in ('held', 'scheduled', 'checked_in', 'in_progress'))
        <> (new.status in ('held', 'scheduled', 'checked_in', 'in_progress'))
    )
  )
  execute function hospital_private.notify_occupied();

-- Equal messages of one transaction are one, so a whole week that is replaced is told once.
create or replace function hospital_private.notify_hours()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  touched jsonb;
begin
  for touched in
    select to_jsonb(old)
    where tg_op <> 'INSERT'
    union all
    select to_jsonb(new)
    where tg_op <> 'DELETE'
  loop
    if tg_table_name = 'doctor_schedules' then
      -- Rules count in local days; a day more on either side holds them in every zone, and the
      -- evening's shift runs into the next.
      perform hospital_private.tell_free_time(
        (touched ->> 'doctor_id')::bigint,
        tstzrange(
          coalesce(lower((touched ->> 'effective')::daterange), '-infinity')::timestamp
            at time zone 'UTC' - interval '1 day',
          coalesce(upper((touched ->> 'effective')::daterange), 'infinity')::timestamp
            at time zone 'UTC' + interval '2 days'
        )
      );
    else
      perform hospital_private.tell_free_time(
        (touched ->> 'doctor_id')::bigint,
        tstzrange(
          (touched ->> 'starts_at')::timestamptz, (touched ->> 'ends_at')::timestamptz
        )
      );
    end if;
  end loop;
  return null;
end;
$$;
comment on function hospital_private.notify_hours() is
  'Trigger: tells that a doctor''s hours, absences or extra sessions changed. Lends the owner''s right to tell, since nobody else may.';

create or replace trigger _820_free_time
  after insert or update or delete on hospital.doctor_schedules
  for each row execute function hospital_private.notify_hours();
create or replace trigger _820_free_time
  after insert or update or delete on hospital.doctor_time_off
  for each row execute function hospital_private.notify_hours();
create or replace trigger _820_free_time
  after insert or update or delete on hospital.doctor_extra_sessions
  for each row execute function hospital_private.notify_hours();

--! split: 5015-04-scheduling-relay_live_events.sql
-- source: sql/04-scheduling/relay_live_events.sql
-- Passes on what has been committed, a thousand at a time. Whoever writes an appointment only leaves a
-- row: to notify is to wait for everybody else who notifies, until the log is on disk.
create or replace function hospital_private.relay_live_events()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  gone as (
    delete from hospital_private.live_events as e
    where e.id = any (
      array(
        select w.id
        from hospital_private.live_events as w
        order by w.id
        limit 1000
        -- Several servers pass on at once, each something else.
        for update skip locked
      )
    )
    returning e.*
  ),
  -- Equal news are told once: that is how the server notifies.
  told as materialized (
    select pg_notify(c.channel, g.payload)
    from (
      select w.*
      from gone as w
      order by w.id
    ) as g
    cross join lateral unnest(g.channels) as c (channel)
  )
  select count(*)
  from gone
  where (select count(*) from told) >= 0;
$$;
comment on function hospital_private.relay_live_events() is
  'Tells live subscribers what has been committed since, and returns how many news there were, a thousand at most. Lends the API, on nobody''s behalf, the owner''s right to read and remove them; it sees none.';

--! split: 5016-04-scheduling-roster_patient_ids.sql
-- source: sql/04-scheduling/roster_patient_ids.sql
-- Whose patients they are. A time that is only held, perhaps for somebody who has not asked for it, and
-- one that was called off make nobody a patient of anybody. Each is called once per statement, as
-- = any (array(select …)).

-- A doctor books these alone: through anybody else on the roster, which is for a day or for an emergency,
-- he would take him onto it for good.
create or replace function hospital_private.doctor_patient_ids()
returns setof bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select hospital_private.same_person_ids(
    array(
      select a.patient_id
      from hospital.appointments as a
      where a.doctor_id = (select hospital_private.current_doctor_id())
        and a.status not in ('held', 'cancelled', 'lapsed')
      union
      select v.patient_id
      from hospital.visits as v
      where v.doctor_id = (select hospital_private.current_doctor_id())
        and v.voided_at is null
    )
  );
$$;
comment on function hospital_private.doctor_patient_ids() is
  'The keys of all records of the patients with an appointment or a visit with the doctor of the live session. Lends the owner''s right to read appointments for this one question.';

create or replace function hospital_private.is_on_duty(doctor_id bigint)
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select
    from clock_timestamp() as moment
    cross join lateral hospital_private.working_shifts(
      array[is_on_duty.doctor_id],
      tstzrange(moment, moment, '[]')
    )
  );
$$;
comment on function hospital_private.is_on_duty(bigint) is
  'Whether the doctor works at this moment, by the hours in the calendar.';

-- Narrow on purpose: a department's patients are hundreds of thousands over the years, and who has duty
-- needs those who are here today.
create or replace function hospital_private.department_day(department_id bigint)
returns setof hospital.appointments
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select a.*
  from hospital.departments as d
  join hospital.facilities as f
    on f.id = d.facility_id
  cross join lateral (
    select date_trunc('day', clock_timestamp() at time zone f.time_zone) as midnight
  ) as today
  join hospital.appointments as a
    on a.department_id = d.id
    and a.starts_at >= today.midnight at time zone f.time_zone
    and a.starts_at < (today.midnight + interval '1 day') at time zone f.time_zone
    and a.status not in ('held', 'cancelled', 'lapsed', 'in_progress')
  where d.id = department_day.department_id
  union all
  select a.*
  from hospital.appointments as a
  where a.department_id = department_day.department_id
    and a.status = 'in_progress';
$$;
comment on function hospital_private.department_day(bigint) is
  'The appointments of the department on this local day, and those in progress.';

create or replace function hospital_private.treated_patient_ids()
returns setof bigint
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  viewer hospital_private.viewer := hospital_private.current_viewer();
begin
  if viewer.role = 'doctor' then
    return query
    select hospital_private.doctor_patient_ids();
    if hospital_private.is_on_duty(viewer.doctor_id) then
      return query
      select hospital_private.same_person_ids(
        array(
          select a.patient_id
          from hospital_private.department_day(viewer.department_id) as a
        )
      );
    end if;
  elsif viewer.role = 'nurse' then
    return query
    select hospital_private.same_person_ids(
      array(
        select distinct a.patient_id
        from hospital.appointments as a
        where a.department_id = viewer.department_id
          and a.starts_at
            > clock_timestamp() - (select r.nurse_roster from hospital_private.privacy_rules as r)
          and a.status not in ('held', 'cancelled', 'lapsed')
      )
    );
  end if;
end;
$$;
comment on function hospital_private.treated_patient_ids() is
  'The keys of the patients whom the live session''s doctor or nurse treats: a doctor''s own and, on duty, the department''s of the day; a nurse''s department''s of late and to come.';

create or replace function hospital_private.roster_patient_ids()
returns setof bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  viewer hospital_private.viewer := hospital_private.current_viewer();
  -- Not the statement's time: one statement of a client may be many of ours, and long.
  moment constant timestamptz := clock_timestamp();
begin
  return query
  select hospital_private.treated_patient_ids();
  if viewer.role in ('doctor', 'nurse') then
    return query
    select hospital_private.same_person_ids(
      array(
        select g.patient_id
        from hospital.break_glass_grants as g
        where g.account_id = viewer.account_id
          and g.in_force @> moment
        union all
        select c.patient_id
        from hospital.consents as c
        join hospital.consent_scopes as s
          on s.code = c.scope
          and s.decision = 'permit'
        where c.staff_member_id = viewer.staff_member_id
          and c.in_force @> moment
      )
    );
  end if;
end;
$$;
comment on function hospital_private.roster_patient_ids() is
  'The keys of the patients on the roster of the live session: those it treats, and whom an emergency access or the patient''s permission adds for its time. Lends the owner''s right to read grants and consents for this one question.';

--! split: 5017-04-scheduling-see_doctor.sql
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

--! split: 5018-05-clinical-computed_columns.sql
-- source: sql/05-clinical/computed_columns.sql
create or replace function hospital.patients_medications_in_use(patient hospital.patients)
returns setof hospital.prescriptions
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select p.*
  from hospital.prescriptions as p
  where p.patient_id in (
      select q.id
      from hospital.patients as q
      where q.person_id = patient.person_id
    )
    and p.stopped_at is null
    and p.start_date <= (now() at time zone coalesce(patient.time_zone, 'UTC'))::date
    and (
      p.end_date is null
      or p.end_date >= (now() at time zone coalesce(patient.time_zone, 'UTC'))::date
    )
  order by
    p.start_date,
    p.id;
$$;
comment on function hospital.patients_medications_in_use(hospital.patients) is
  'The prescriptions the patient should be taking today, on any of his records: begun, neither ended nor stopped.';

create or replace function hospital.visits_treatment_cost(visit hospital.visits)
returns numeric
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(t.cost), 0)
  from hospital.treatments as t
  where t.visit_id = visit.id
    and t.voided_at is null;
$$;
comment on function hospital.visits_treatment_cost(hospital.visits) is
  'The cost of the visit''s treatments in US dollars, without those withdrawn.';

--! split: 5019-05-clinical-found_note.sql
-- source: sql/05-clinical/found_note.sql
create or replace function hospital_private.found_note(note hospital.clinical_notes)
returns hospital.clinical_notes
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if note.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such note in a chart you have open.',
      hint = 'Open the patient''s chart with openChart first.';
  end if;
  return note;
end;
$$;
comment on function hospital_private.found_note(hospital.clinical_notes) is
  'Returns the note, or raises NTFND when none was found.';

--! split: 5020-05-clinical-guard_note.sql
-- source: sql/05-clinical/guard_note.sql
-- What a note may say is its type's to say, on every path. A draft may be incomplete and not
-- malformed; what is signed is complete.
create or replace function hospital_private.guard_note()
returns trigger
language plpgsql
volatile
-- An addendum is to a note that its writer sees: whoever may not know of a note is told that there is none.
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  is_foreign boolean;
  is_mistyped boolean;
  is_incomplete boolean;
begin
  -- An erasure, which is the owner's, empties it all the same.
  if tg_op = 'UPDATE' and current_user = 'hospital_owner' then
    if hospital_private.is_being_erased(old.patient_id) then
      return new;
    end if;
  end if;
  select
    bool_or(s.key is null),
    bool_or(
      jsonb_typeof(given.value) <> s.value_type
      or (
        s.value_type = 'array'
        and jsonb_path_exists(
          given.value,
          'strict $[*] ? (@.type() <> "string")',
          silent => true
        )
      )
    ),
    bool_or(
      s.is_required
      and coalesce(btrim(given.value #>> '{}', E' \t\r\n') in ('', '[]'), true)
    )
  into is_foreign, is_mistyped, is_incomplete
  -- What is no object has no sections, and is refused by a constraint.
  from jsonb_each(case jsonb_typeof(new.body) when 'object' then new.body end) as given (key, value)
  full join (
    select
      n.key,
      n.value_type,
      n.is_required
    from hospital.note_sections as n
    where n.note_type = new.note_type
  ) as s
    on s.key = given.key;
  if is_foreign then
    raise exception using
      errcode = 'NOTES',
      message = 'The note has a section that its type does not have.';
  elsif is_mistyped then
    raise exception using
      errcode = 'NOTES',
      message = 'A section of the note is not of the type it should be.';
  elsif is_incomplete and new.signed_at is not null then
    raise exception using
      errcode = 'NOTES',
      message = 'A section that the note needs is empty.';
  end if;

  if new.addendum_to_id is not null
    and (tg_op = 'INSERT' or new.addendum_to_id is distinct from old.addendum_to_id)
    and not exists (
      select
      from hospital.clinical_notes as n
      where n.id = new.addendum_to_id
        and n.signed_at is not null
        and n.voided_at is null
        and n.addendum_to_id is null
    )
  then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such signed note in a chart you have open.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_note() is
  'Trigger: refuses sections that the type of note does not have, a signed note without those it needs, and an addendum to anything but a signed note. Raises NOTES, NTFND.';

create or replace trigger _300_guard
  -- Not on a void: an old note may have sections that its type no longer has.
  before insert or update of note_type, addendum_to_id, body, signed_at on hospital.clinical_notes
  for each row execute function hospital_private.guard_note();

--! split: 5021-05-clinical-keep_note_version.sql
-- source: sql/05-clinical/keep_note_version.sql
-- What a draft said before belongs to the record of how it came about.
create or replace function hospital_private.keep_note_version()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital.clinical_note_versions
    (note_id, version, patient_id, sensitivity, body, replaced_by)
  values (
    old.id,
    old.version,
    old.patient_id,
    old.sensitivity,
    old.body,
    hospital_private.current_account_id()
  );
  new.version := old.version + 1;
  return new;
end;
$$;
comment on function hospital_private.keep_note_version() is
  'Trigger: keeps the version of a draft that is being edited and counts the next. Lends the owner''s right to write versions, which nobody else has.';

create or replace trigger _200_version
  before update on hospital.clinical_notes
  for each row
  when (
    old.body is distinct from new.body
    or old.sensitivity is distinct from new.sensitivity
  )
  execute function hospital_private.keep_note_version();

--! split: 5022-05-clinical-keep_signed_note.sql
-- source: sql/05-clinical/keep_signed_note.sql
-- Others act on what was signed, so it stays as it was for everybody, the owner included. All that may
-- still be said of it is that it was an error, once.
create or replace function hospital_private.keep_signed_note()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  free text[] := array['updated_at'];
begin
  -- An erasure, which is the owner's, empties it all the same.
  if tg_op = 'UPDATE' and current_user = 'hospital_owner' then
    if hospital_private.is_being_erased(old.patient_id) then
      return new;
    end if;
  end if;
  if old.voided_at is null then
    free := free || array['voided_at', 'void_reason'];
  end if;
  if tg_op = 'DELETE' or to_jsonb(new) - free is distinct from to_jsonb(old) - free then
    raise exception using
      errcode = 'SIGND',
      message = 'What was signed or voided stays as it is.',
      hint = 'Add to a signed note with an addendum.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.keep_signed_note() is
  'Trigger: refuses to delete any note, and to change one that was signed or voided in anything but that it is voided. Raises SIGND.';

create or replace trigger _310_keep_signed
  before update on hospital.clinical_notes
  for each row
  when (old.signed_at is not null or old.voided_at is not null)
  execute function hospital_private.keep_signed_note();

create or replace trigger _310_keep
  before delete on hospital.clinical_notes
  for each row execute function hospital_private.keep_signed_note();

--! split: 5023-05-clinical-open_chart.sql
-- source: sql/05-clinical/open_chart.sql
-- Who opens a chart without a ground hears the same as for nobody, except that he is told of a restriction
-- by a patient whom he sees anyway: then he knows what to ask the patient, or that breaking the glass is all
-- that is left.
create or replace function hospital.open_chart(patient_id bigint, purpose text default 'treatment')
returns hospital.patients
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  viewer hospital_private.viewer;
  patient hospital.patients;
  ground audit.chart_accesses;
begin
  perform hospital_private.require_role('doctor', 'nurse');
  viewer := hospital_private.current_viewer();
  -- Whose record it is stays so until it is open.
  perform from hospital.patients as p where p.id = open_chart.patient_id for key share;
  select p.*
  into patient
  from hospital.patients as p
  where p.id = open_chart.patient_id
    and p.erased_at is null;
  ground := hospital_private.chart_ground(patient.id, viewer, open_chart.purpose);
  if ground.tag is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient on your roster.';
  end if;
  perform hospital_private.record_chart_access(ground);
  return patient;
end;
$$;
comment on function hospital.open_chart(bigint, text) is
  'Opens the chart of a patient on the roster in this session for a few hours and records who, when, why and on what ground. Raises UNAUT, PRMSN, NTFND, RSTRC. Lends the owner''s right to write the access log.';

--! split: 5024-05-clinical-open_charts.sql
-- source: sql/05-clinical/open_charts.sql
-- The clinical policies of staff rest on this: no row here, no clinical row there. So reading a
-- chart without leaving a trace is not forbidden but impossible. What opened the chart is asked again at
-- every statement, by the clock: a window, an emergency or a permission that ends and a restriction that
-- begins close it that moment, and no job has to run.
create or replace function hospital_private.open_charts()
returns setof bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  viewer hospital_private.viewer := hospital_private.current_viewer();
  -- Not the statement's time: one statement of a client may be many of ours, and long.
  moment constant timestamptz := clock_timestamp();
begin
  return query
  select hospital_private.same_person_ids(
    array(
      select distinct c.patient_id
      from audit.chart_openings as o
      join audit.chart_accesses as c
        on c.id = o.access_id
        and c.covers @> moment
      left join hospital.break_glass_grants as g
        on g.id = c.break_glass_grant_id
      left join hospital.consents as p
        on p.id = c.consent_id
      where o.session_id = viewer.session_id
        and case
          when g.id is not null then g.in_force @> moment
          else (p.id is null or p.in_force @> moment)
            and not hospital_private.is_restricted(c.patient_id, viewer, c.purpose)
        end
    )
  );
end;
$$;
comment on function hospital_private.open_charts() is
  'The keys of the patients whose charts are open in the live session at this moment. Lends the owner''s right to read the access log for this one question.';

--! split: 5025-05-clinical-open_sensitivities.sql
-- source: sql/05-clinical/open_sensitivities.sql
-- The policies on notes rest on this beside open_charts. What else opens sensitive notes for a while,
-- such as breaking the glass, is one more branch here and nothing anywhere else.
create or replace function hospital_private.open_sensitivities()
returns setof hospital_private.patient_sensitivity
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    g.patient_id,
    g.sensitivity
  from hospital.sensitivity_grants as g
  where g.staff_member_id = (select hospital_private.current_staff_member_id())
    -- Not the transaction's time, nor the statement's: a grant that ends, ends.
    and g.in_force @> clock_timestamp();
$$;
comment on function hospital_private.open_sensitivities() is
  'Whose notes of which sensitivity the live session may read in charts it opens. Lends the owner''s right to read grants for this one question.';

--! split: 5026-05-clinical-record_condition.sql
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

--! split: 5027-05-clinical-record_visit.sql
-- source: sql/05-clinical/record_visit.sql
create or replace function hospital.record_visit(
  appointment_id bigint,
  diagnosis text default null,
  notes text default null,
  diagnosis_codes text[] default null
)
returns hospital.visits
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments;
  visit hospital.visits;
begin
  select a.*
  into appointment
  from hospital.appointments as a
  where a.id = record_visit.appointment_id
  for update;
  -- What was called off the caller may see and not lock: it is refused below, and not unknown.
  if appointment.id is null then
    select a.*
    into appointment
    from hospital.appointments as a
    where a.id = record_visit.appointment_id;
  end if;
  perform hospital_private.found_appointment(appointment);

  if appointment.status in ('scheduled', 'checked_in') then
    update hospital.appointments as a
    set status = 'in_progress'
    where a.id = appointment.id;
  elsif appointment.status <> 'in_progress' then
    raise exception using
      errcode = 'TRNSN',
      message = 'A visit begins from a scheduled appointment or after check-in.';
  end if;
  -- Writing a record is reading it too.
  perform hospital.open_chart(appointment.patient_id, 'treatment');

  insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at, diagnosis, notes)
  values (
    appointment.id,
    appointment.patient_id,
    appointment.doctor_id,
    now(),
    record_visit.diagnosis,
    record_visit.notes
  )
  returning *
  into visit;

  if exists (
    select
    from unnest(record_visit.diagnosis_codes) as given (code)
    where not exists (
      select
      from hospital.diagnosis_codes as c
      where c.system = 'icd10cm'
        and c.code = given.code
    )
  ) then
    raise exception using
      errcode = 'UNKWN',
      message = 'There is no such ICD-10-CM code among the diagnoses.';
  end if;
  insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank)
  select
    visit.id,
    visit.patient_id,
    c.id,
    given.rank
  from unnest(record_visit.diagnosis_codes) with ordinality as given (code, rank)
  join hospital.diagnosis_codes as c
    on c.system = 'icd10cm'
    and c.code = given.code;
  return visit;
end;
$$;
comment on function hospital.record_visit(bigint, text, text, text[]) is
  'Begins the visit of one of the doctor''s own appointments and opens the chart; ICD-10-CM codes come principal first. Raises NTFND, TRNSN, UNKWN, RSTRC, or a conflict when the appointment has a visit.';

--! split: 5028-05-clinical-seal_note.sql
-- source: sql/05-clinical/seal_note.sql
-- What was signed, as one text: identifiers, kind, label and moment beside the words, so that none of
-- them can be exchanged without the hash showing it. jsonb writes its keys in an order of its own.
create or replace function hospital_private.note_hash(note hospital.clinical_notes)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select encode(
    sha256(
      convert_to(
        jsonb_build_array(
          note.note_uuid,
          note.record_uuid,
          note.patient_id,
          note.note_type,
          note.author_id,
          note.sensitivity,
          note.addendum_to_id,
          note.body,
          -- As a number, which no connection's time zone changes.
          extract(epoch from note.signed_at)
        )::text,
        'UTF8'
      )
    ),
    'hex'
  );
$$;
comment on function hospital_private.note_hash(hospital.clinical_notes) is
  'The SHA-256 of what is signed of a note, in hexadecimal.';

create or replace function hospital.clinical_notes_is_intact(note hospital.clinical_notes)
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select note.content_hash = hospital_private.note_hash(note);
$$;
comment on function hospital.clinical_notes_is_intact(hospital.clinical_notes) is
  'Whether a signed note is what its author signed, by its hash, or null for a draft.';

-- When it was signed is not for the writer to say; a note that was signed elsewhere is loaded as it is.
create or replace function hospital_private.seal_note()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' then
    new.signed_at := now();
  end if;
  new.content_hash := hospital_private.note_hash(new);
  return new;
end;
$$;
comment on function hospital_private.seal_note() is
  'Trigger: stamps a note that is being signed with the time of the transaction and the hash of what is signed.';

create or replace trigger _210_seal
  before insert on hospital.clinical_notes
  for each row
  when (new.signed_at is not null)
  execute function hospital_private.seal_note();

create or replace trigger _210_seal_draft
  before update on hospital.clinical_notes
  for each row
  when (old.signed_at is null and new.signed_at is not null)
  execute function hospital_private.seal_note();

--! split: 5029-05-clinical-search_notes.sql
-- source: sql/05-clinical/search_notes.sql
-- Without an index over everybody's words: row security lets no search use one before it has asked
-- whose note it is, and the notes of one patient are quickly read.
create or replace function hospital.search_notes(patient_id bigint, search text)
returns setof hospital.clinical_notes
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select n.*
  from hospital.clinical_notes as n
  cross join lateral (
    select
      jsonb_to_tsvector('english', n.body, '["string"]') as words,
      websearch_to_tsquery('english', search_notes.search) as query
  ) as s
  where n.patient_id = search_notes.patient_id
    and n.voided_at is null
    and s.words @@ s.query
  order by
    ts_rank(s.words, s.query) desc,
    n.id desc;
$$;
comment on function hospital.search_notes(bigint, text) is
  'The notes of a patient whose chart is open that contain the words, best match first; "a phrase", or and -without are understood. Entries in error are left out.';

--! split: 5030-05-clinical-see_appointment.sql
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

--! split: 5031-05-clinical-sensitive_access.sql
-- source: sql/05-clinical/sensitive_access.sql
create or replace function hospital.grant_sensitive_access(
  patient_id bigint,
  staff_member_id bigint,
  sensitivity text,
  reason text,
  ends_at timestamptz
)
returns hospital.sensitivity_grants
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  access hospital.sensitivity_grants;
begin
  if coalesce(grant_sensitive_access.ends_at <= now(), true) then
    raise exception using
      errcode = 'PASTT',
      message = 'A grant ends at a time to come.';
  end if;
  insert into hospital.sensitivity_grants
    (patient_id, staff_member_id, sensitivity, granted, reason, granted_by)
  values (
    grant_sensitive_access.patient_id,
    grant_sensitive_access.staff_member_id,
    grant_sensitive_access.sensitivity,
    tstzrange(now(), grant_sensitive_access.ends_at),
    grant_sensitive_access.reason,
    hospital_private.current_staff_member_id()
  )
  returning *
  into access;
  return access;
end;
$$;
comment on function hospital.grant_sensitive_access(bigint, bigint, text, text, timestamptz) is
  'Lets a colleague read a patient''s notes of one sensitivity from now until then; for doctors who signed such a note, and administrators. Raises PASTT.';

create or replace function hospital.end_sensitive_access(grant_id bigint)
returns hospital.sensitivity_grants
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  access hospital.sensitivity_grants;
begin
  update hospital.sensitivity_grants as g
  set ended_at = clock_timestamp()
  where g.id = end_sensitive_access.grant_id
    and g.in_force @> clock_timestamp()
  returning g.*
  into access;
  -- What has ended stays as it ended.
  if access.id is null then
    select g.*
    into access
    from hospital.sensitivity_grants as g
    where g.id = end_sensitive_access.grant_id
      and g.granted_by = hospital_private.current_staff_member_id();
  end if;
  if access.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such grant of yours.';
  end if;
  return access;
end;
$$;
comment on function hospital.end_sensitive_access(bigint) is
  'Ends a grant of one''s own at once. Raises NTFND.';

-- Who could read what is part of the record: a grant may end sooner, once, and is otherwise not rewritten.
create or replace function hospital_private.guard_sensitivity_grant()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  free constant text[] := array['ended_at', 'in_force', 'updated_at'];
begin
  -- An erasure, which is the owner's, empties it all the same.
  if current_user = 'hospital_owner' then
    if hospital_private.is_being_erased(old.patient_id) then
      return new;
    end if;
  end if;
  if to_jsonb(new) - free is distinct from to_jsonb(old) - free or old.ended_at is not null then
    raise exception using
      errcode = 'TRNSN',
      message = 'A grant ends sooner, once, and changes in nothing else.';
  end if;
  -- When it ended is not for the writer to say.
  if new.ended_at is not null then
    new.ended_at := clock_timestamp();
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_sensitivity_grant() is
  'Trigger: keeps a grant as it was given, and stamps its end. Raises TRNSN.';

create or replace trigger _300_guard
  before update on hospital.sensitivity_grants
  for each row execute function hospital_private.guard_sensitivity_grant();

--! split: 5032-05-clinical-sign_note.sql
-- source: sql/05-clinical/sign_note.sql
create or replace function hospital.sign_note(note_id bigint)
returns hospital.clinical_notes
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  note hospital.clinical_notes;
begin
  update hospital.clinical_notes as n
  set signed_at = now()
  where n.id = sign_note.note_id
    and n.signed_at is null
  returning n.*
  into note;
  -- Signing twice is no error and keeps the first moment.
  if note.id is null then
    select n.*
    into note
    from hospital.clinical_notes as n
    where n.id = sign_note.note_id
      and n.signed_at is not null
      and n.author_id = hospital_private.current_staff_member_id();
  end if;
  return hospital_private.found_note(note);
end;
$$;
comment on function hospital.sign_note(bigint) is
  'Signs a draft of one''s own, after which it never changes and whoever has the chart open may read it. Raises NTFND, NOTES.';

create or replace function hospital.void_note(note_id bigint, reason text)
returns hospital.clinical_notes
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  note hospital.clinical_notes;
begin
  update hospital.clinical_notes as n
  set voided_at = now(),
    void_reason = void_note.reason
  where n.id = void_note.note_id
    and n.voided_at is null
  returning n.*
  into note;
  -- Voiding twice is no error and keeps the first reason.
  if note.id is null then
    select n.*
    into note
    from hospital.clinical_notes as n
    where n.id = void_note.note_id
      and n.voided_at is not null
      and n.author_id = hospital_private.current_staff_member_id();
  end if;
  return hospital_private.found_note(note);
end;
$$;
comment on function hospital.void_note(bigint, text) is
  'Declares a note of one''s own entered in error, with a reason; nothing is deleted. Raises NTFND.';

--! split: 5033-05-clinical-write_note.sql
-- source: sql/05-clinical/write_note.sql
create or replace function hospital.write_note(
  visit_id bigint,
  note_type text,
  body jsonb,
  sensitivity text default null,
  addendum_to_id bigint default null
)
returns hospital.clinical_notes
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  visit hospital.visits;
  kind hospital.note_types;
  note hospital.clinical_notes;
begin
  select v.*
  into visit
  from hospital.visits as v
  where v.id = write_note.visit_id
    and v.voided_at is null;
  perform hospital_private.found_visit(visit);
  select t.*
  into kind
  from hospital.note_types as t
  where t.code = write_note.note_type;
  if kind.code is null then
    raise exception using
      errcode = 'UNKWN',
      message = 'There is no such type of note.';
  end if;
  insert into hospital.clinical_notes
    (record_uuid, patient_id, note_type, author_id, sensitivity, addendum_to_id, body)
  values (
    visit.record_uuid,
    visit.patient_id,
    kind.code,
    hospital_private.current_staff_member_id(),
    coalesce(
      write_note.sensitivity,
      (
        select n.sensitivity
        from hospital.clinical_notes as n
        where n.id = write_note.addendum_to_id
      ),
      kind.default_sensitivity
    ),
    write_note.addendum_to_id,
    write_note.body
  )
  returning *
  into note;
  return note;
end;
$$;
comment on function hospital.write_note(bigint, text, jsonb, text, bigint) is
  'Begins a note at a visit, as a draft that only its author sees; an addendum names the signed note it adds to. Raises NTFND, UNKWN, NOTES.';

create or replace function hospital.edit_note(
  note_id bigint,
  body jsonb,
  sensitivity text default null
)
returns hospital.clinical_notes
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  note hospital.clinical_notes;
begin
  update hospital.clinical_notes as n
  set body = edit_note.body,
    sensitivity = coalesce(edit_note.sensitivity, n.sensitivity)
  where n.id = edit_note.note_id
  returning n.*
  into note;
  return hospital_private.found_note(note);
end;
$$;
comment on function hospital.edit_note(bigint, jsonb, text) is
  'Replaces what a draft of one''s own says; the version before is kept. Raises NTFND, NOTES, SIGND.';

--! split: 5034-11-privacy-admits_analyst.sql
-- source: sql/11-privacy/admits_analyst.sql
-- What every masked view rests on, once per statement. The owner reads them to export a sandbox; he
-- could read the tables themselves.
create or replace function hospital_private.admits_analyst()
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select hospital_private.session_has_role('analyst') or current_user = 'hospital_owner';
$$;
comment on function hospital_private.admits_analyst() is
  'Whether the reader is an analyst with a live session, or the owner.';

--! split: 5035-11-privacy-break_glass.sql
-- source: sql/11-privacy/break_glass.sql
-- Whoever breaks the glass knows whom he means: a patient whom he sees anyway, by key, or anybody by the two
-- things on a wristband, record number and date of birth. So this is no search: a wrong guess is answered like
-- one for nobody, with null and no error, since an error would roll back the count of guesses. All else is
-- refused before the patient is looked up: refused after it, it would tell that the guess was right.
create or replace function hospital.break_glass(
  reason text,
  category text default 'emergency',
  patient_id bigint default null,
  mrn text default null,
  date_of_birth date default null
)
returns hospital.break_glass_grants
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  viewer hospital_private.viewer;
  moment timestamptz;
  rules hospital_private.privacy_rules;
  asked_id bigint;
  emergency hospital.break_glass_grants;
begin
  perform hospital_private.require_role('doctor', 'nurse');
  viewer := hospital_private.current_viewer();
  if btrim(coalesce(break_glass.reason, '')) = '' or char_length(break_glass.reason) > 1000 then
    raise exception using
      errcode = 'MISSA',
      message = 'Say why, in up to 1000 characters.';
  end if;
  if not exists (
    select
    from hospital.break_glass_reasons as r
    where r.code = break_glass.category
  ) then
    raise exception using
      errcode = 'UNKWN',
      message = 'There is no such kind of reason.';
  end if;

  -- From here one account goes one by one: asking twice at once is asking once.
  perform from hospital_private.accounts as a
  where a.id = viewer.account_id
  for no key update;
  perform hospital_private.require_glass_reviewed(viewer.account_id);
  select r.*
  into rules
  from hospital_private.privacy_rules as r;
  if rules.break_glass_misses <= (
    select count(*)
    from audit.break_glass_misses as m
    where m.account_id = viewer.account_id
      and m.missed_at > clock_timestamp() - interval '1 hour'
  ) then
    raise exception using
      errcode = 'NGUES',
      message = 'You have named too many patients there are not.',
      hint = 'Ask reception who the patient is.';
  end if;

  if break_glass.patient_id is null then
    select p.id
    into asked_id
    from hospital.patients as p
    where p.mrn = upper(btrim(break_glass.mrn))
      and p.date_of_birth = break_glass.date_of_birth;
  else
    select r.patient_id
    into asked_id
    from hospital_private.roster_patient_ids() as r (patient_id)
    where r.patient_id = break_glass.patient_id;
  end if;
  if asked_id is null then
    insert into audit.break_glass_misses (account_id, session_id, client_address)
    values (viewer.account_id, viewer.session_id, hospital_private.client_address());
    return null;
  end if;

  moment := clock_timestamp();
  select g.*
  into emergency
  from hospital.break_glass_grants as g
  where g.account_id = viewer.account_id
    and g.patient_id = asked_id
    and g.in_force @> moment;
  if emergency.id is null then
    insert into hospital.break_glass_grants (
      account_id, staff_member_id, role, patient_id, category, reason, granted, review_due_at
    )
    values (
      viewer.account_id,
      viewer.staff_member_id,
      viewer.role,
      asked_id,
      break_glass.category,
      break_glass.reason,
      tstzrange(moment, moment + rules.break_glass_lasts),
      moment + rules.break_glass_review_within
    )
    returning *
    into emergency;
  end if;
  perform hospital.open_chart(asked_id, 'emergency');
  return emergency;
end;
$$;
comment on function hospital.break_glass(text, text, bigint, text, date) is
  'Opens one patient''s chart in an emergency, for a few hours and with a reason; the patient is told, and somebody else reviews it. Name a patient on the roster by key, anybody else by record number and date of birth together; null when there is no such patient. Raises UNAUT, PRMSN, MISSA, UNKWN, RVIEW, NGUES. Lends the owner''s right to find the patient and to write the grant.';

--! split: 5036-11-privacy-chart_ground.sql
-- source: sql/11-privacy/chart_ground.sql
-- On what ground somebody opens a chart, the least first: the roster, the patient's permission, an
-- emergency. Only the last goes past a restriction of the patient's, and its tag says so. An emergency
-- is no purpose one declares: it has to be asked for, with a reason, and then every look is one.
create or replace function hospital_private.chart_ground(
  patient_id bigint,
  viewer hospital_private.viewer,
  purpose text
)
returns audit.chart_accesses
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  moment constant timestamptz := clock_timestamp();
  records constant bigint[] := array(
    select hospital_private.same_person_ids(array[chart_ground.patient_id])
  );
  ground audit.chart_accesses;
  is_restricted constant boolean := hospital_private.is_restricted(
    chart_ground.patient_id,
    chart_ground.viewer,
    chart_ground.purpose
  );
  is_emergency constant boolean := coalesce(chart_ground.purpose = 'emergency', false);
  is_treated constant boolean := chart_ground.patient_id in (
    select hospital_private.treated_patient_ids()
  );
  permission_id constant bigint := (
    select c.id
    from hospital.consents as c
    join hospital.consent_scopes as s
      on s.code = c.scope
      and s.decision = 'permit'
    where c.patient_id = any (records)
      and c.staff_member_id = (chart_ground.viewer).staff_member_id
      and c.in_force @> moment
    order by c.id
    limit 1
  );
  emergency_id constant bigint := (
    select g.id
    from hospital.break_glass_grants as g
    where g.patient_id = any (records)
      and g.account_id = (chart_ground.viewer).account_id
      and g.in_force @> moment
    order by g.id
    limit 1
  );
begin
  ground.patient_id := chart_ground.patient_id;
  ground.account_id := (chart_ground.viewer).account_id;
  ground.session_id := (chart_ground.viewer).session_id;
  ground.role := (chart_ground.viewer).role;
  ground.department_id := (chart_ground.viewer).department_id;
  ground.purpose := chart_ground.purpose;

  if is_treated and not is_restricted and not is_emergency then
    ground.tag := 'roster';
  elsif permission_id is not null and not is_restricted and not is_emergency then
    ground.tag := 'permission';
    ground.consent_id := permission_id;
  elsif emergency_id is not null then
    ground.tag := case
      when is_restricted then 'break_glass_over_restriction'
      else 'break_glass'
    end;
    ground.break_glass_grant_id := emergency_id;
    ground.purpose := 'emergency';
  elsif is_restricted and (is_treated or permission_id is not null) then
    raise exception using
      errcode = 'RSTRC',
      message = 'The patient has restricted access to this chart.',
      hint = 'In an emergency ask for access with breakGlass.';
  end if;
  return ground;
end;
$$;
comment on function hospital_private.chart_ground(bigint, hospital_private.viewer, text) is
  'The look at a chart as it would be recorded, its tag null where there is no ground for it. Raises RSTRC where the patient denies it to somebody who knows him.';

--! split: 5037-11-privacy-computed_columns.sql
-- source: sql/11-privacy/computed_columns.sql
-- Of a grant its reader sees what he could not read himself: a patient the name of the proxy, a proxy the end.
-- The row may be forged by a SQL user, so only its key is believed.
create or replace function hospital_private.visible_proxy(patient_proxy_id bigint)
returns hospital.patient_proxies
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select x.*
  from hospital.patient_proxies as x
  where x.id = visible_proxy.patient_proxy_id
    and (
      hospital_private.session_has_role('reception')
      or hospital_private.session_has_role('administrator')
      or x.patient_id in (select hospital_private.current_patient_ids())
      or x.proxy_id in (select hospital_private.current_patient_ids())
    );
$$;
comment on function hospital_private.visible_proxy(bigint) is
  'The grant of that key, for both its parties, reception and administrators, or null. Lends the owner''s right to read it to functions alone.';

create or replace function hospital.patient_proxies_proxy_name(
  patient_proxy hospital.patient_proxies
)
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select p.given_name || ' ' || p.family_name
  from hospital_private.visible_proxy(patient_proxy.id) as x
  join hospital.patients as p
    on p.id = x.proxy_id;
$$;
comment on function hospital.patient_proxies_proxy_name(hospital.patient_proxies) is
  'The name of the proxy, for whoever may see the grant. Lends the owner''s right to read that name.';

create or replace function hospital.patient_proxies_ends_at(patient_proxy hospital.patient_proxies)
returns timestamptz
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select hospital_private.proxy_ends_at(x)
  from hospital_private.visible_proxy(patient_proxy.id) as x;
$$;
comment on function hospital.patient_proxies_ends_at(hospital.patient_proxies) is
  'When the proxy''s right ends or ended, or null when nothing ends it yet. Lends the owner''s right to read the date of birth.';

create or replace function hospital.patient_proxies_is_live(patient_proxy hospital.patient_proxies)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select hospital_private.is_live_proxy(x)
  from hospital_private.visible_proxy(patient_proxy.id) as x
  where x.id is not null;
$$;
comment on function hospital.patient_proxies_is_live(hospital.patient_proxies) is
  'Whether the proxy may act for the patient at this moment. Lends the owner''s right to read the grant.';

--! split: 5038-11-privacy-consenting_patients.sql
-- source: sql/11-privacy/consenting_patients.sql
-- Whom research may see at all, in one place: releases, the rows read through them and published
-- aggregates all begin here, and a person who is no longer in it is gone at once. Conditions are
-- written as joins and never as calls: the views above run with their owner's rights, but functions
-- in them with the reader's.
create or replace view hospital_private.consenting_patients as
select
  p.id,
  p.date_of_birth,
  p.sex,
  p.deceased_on,
  p.updated_at as changed_at
from hospital.patients as p
where p.merged_into_id is null
  and p.erased_at is null
  and not exists (
    select
    from hospital.patients as r
    join hospital.consents as c
      on c.patient_id = r.id
      and c.in_force @> clock_timestamp()
    join hospital.consent_scopes as s
      on s.code = c.scope
      and s.decision = 'deny'
      and s.purpose = 'research'
    where r.person_id = p.id
  );
comment on view hospital_private.consenting_patients is 'The patients whose data research may see, de-identified: not those who were merged into another or erased, and nobody who has withdrawn from research.';
comment on column hospital_private.consenting_patients.id is 'The key of the patient.';
comment on column hospital_private.consenting_patients.date_of_birth is 'The date of birth.';
comment on column hospital_private.consenting_patients.sex is 'Administrative sex.';
comment on column hospital_private.consenting_patients.deceased_on is 'The date of death, or null.';
comment on column hospital_private.consenting_patients.changed_at is 'When the patient''s row last changed.';

--! split: 5039-11-privacy-current_viewer.sql
-- source: sql/11-privacy/current_viewer.sql
-- What decides about charts needs session, account, person and department together: one look-up, and a
-- plan that plpgsql keeps.
create or replace function hospital_private.current_viewer()
returns hospital_private.viewer
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  session hospital_private.sessions := hospital_private.current_session();
  viewer hospital_private.viewer;
begin
  select
    session.id,
    session.account_id,
    session.role,
    m.id,
    d.id,
    m.department_id
  into viewer
  from hospital_private.accounts as a
  join hospital.staff_members as m
    on m.id = a.staff_member_id
  left join hospital.doctors as d
    on d.staff_member_id = m.id
    and d.is_active
    and session.role = 'doctor'
  where a.id = session.account_id
    and session.role <> 'patient';
  return viewer;
end;
$$;
comment on function hospital_private.current_viewer() is
  'The member of staff behind the live session, or null; lends the owner''s right to read sessions and accounts.';

--! split: 5040-11-privacy-deidentified_people.sql
-- source: sql/11-privacy/deidentified_people.sql
-- The persons of the release in force, with the secrets from which the masked views make pseudonyms
-- and dates. Only those views read it. They compute with built-in functions alone, since a function
-- that the reader had to be granted would answer him for any key he likes.
--
-- During an export its own release is the newest one, for that transaction and nobody else.
create or replace view hospital_private.deidentified_people as
select
  s.patient_id,
  s.secret,
  s.shift_days,
  encode(substr(sha256(s.secret), 1, 12), 'hex') as person,
  r.id as release_id,
  r.started_at,
  r.until,
  -- An earlier date of anybody's would tell that he is over 89.
  (r.until - interval '89 years')::date as dates_from,
  p.date_of_birth,
  p.sex,
  -- As everywhere, what was written after the release was made is not in it.
  case when p.changed_at <= r.started_at and p.deceased_on < r.until then p.deceased_on end
    as deceased_on
from hospital_private.masking_releases as r
join hospital_private.masking_subjects as s
  on s.release_id = r.id
join hospital_private.consenting_patients as p
  on p.id = s.patient_id
where (select hospital_private.admits_analyst())
  and r.id = (
    select max(newest.id)
    from hospital_private.masking_releases as newest
    where newest.retired_at is null
  );
comment on view hospital_private.deidentified_people is 'The persons of the release in force with their secrets, for the masked views alone.';
comment on column hospital_private.deidentified_people.patient_id is 'The key of the patient.';
comment on column hospital_private.deidentified_people.secret is 'The key of all pseudonyms of the person.';
comment on column hospital_private.deidentified_people.shift_days is 'By how many days all dates of the person are moved.';
comment on column hospital_private.deidentified_people.person is 'The pseudonym of the person.';
comment on column hospital_private.deidentified_people.release_id is 'The release in force.';
comment on column hospital_private.deidentified_people.started_at is 'When the release was made.';
comment on column hospital_private.deidentified_people.until is 'The first day that is no longer in the release.';
comment on column hospital_private.deidentified_people.dates_from is 'The first day on which anything of a person is dated.';
comment on column hospital_private.deidentified_people.date_of_birth is 'The date of birth.';
comment on column hospital_private.deidentified_people.sex is 'Administrative sex.';
comment on column hospital_private.deidentified_people.deceased_on is 'The date of death, where the release knows of it.';

--! split: 5041-11-privacy-diagnosis_categories.sql
-- source: sql/11-privacy/diagnosis_categories.sql
-- How coarsely a diagnosis is shown to research. SNOMED CT has no shorter form of a code, so its codes are
-- categories themselves, and in no chapter.
create or replace view hospital_private.diagnosis_categories as
select
  c.id as diagnosis_code_id,
  c.system,
  case c.system when 'icd10cm' then left(c.code, 3) else c.code end as category,
  coalesce(h.name, 'Not coded in ICD-10-CM') as chapter
from hospital.diagnosis_codes as c
left join masked.diagnosis_chapters as h
  on c.system = 'icd10cm'
  and left(c.code, 3) >= h.first_category collate "C"
  and left(c.code, 3) <= h.last_category collate "C";
comment on view hospital_private.diagnosis_categories is 'Diagnosis codes as research sees them: the first three characters, and the chapter.';
comment on column hospital_private.diagnosis_categories.diagnosis_code_id is 'The key of the code.';
comment on column hospital_private.diagnosis_categories.system is 'The coding system.';
comment on column hospital_private.diagnosis_categories.category is 'The first three characters of an ICD-10-CM code, or the whole of another.';
comment on column hospital_private.diagnosis_categories.chapter is 'The chapter of ICD-10-CM.';

--! split: 5042-11-privacy-end_break_glass.sql
-- source: sql/11-privacy/end_break_glass.sql
create or replace function hospital.end_break_glass(grant_id bigint)
returns hospital.break_glass_grants
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  emergency hospital.break_glass_grants;
begin
  update hospital.break_glass_grants as g
  set ended_at = clock_timestamp()
  where g.id = end_break_glass.grant_id
    and g.in_force @> clock_timestamp()
  returning g.*
  into emergency;
  -- Ending what has ended is no error.
  if emergency.id is null then
    select g.*
    into emergency
    from hospital.break_glass_grants as g
    where g.id = end_break_glass.grant_id
      and g.account_id = hospital_private.current_account_id();
  end if;
  return hospital_private.found_break_glass(emergency);
end;
$$;
comment on function hospital.end_break_glass(bigint) is
  'Ends one''s own emergency access now, before its time. Raises NTFND.';

create or replace function hospital_private.found_break_glass(emergency hospital.break_glass_grants)
returns hospital.break_glass_grants
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if emergency.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such emergency access.';
  end if;
  return emergency;
end;
$$;
comment on function hospital_private.found_break_glass(hospital.break_glass_grants) is
  'Returns the emergency access, or raises NTFND when none was found.';

--! split: 5043-11-privacy-erase_patient.sql
-- source: sql/11-privacy/erase_patient.sql
create or replace function hospital.erase_patient(
  patient_id bigint,
  reason text,
  only_what_is_due boolean default false
)
returns hospital.erasures
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_role('administrator');
  if not exists (
    select
    from hospital.patients as p
    where p.id = erase_patient.patient_id
  ) then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient.';
  end if;
  return hospital_private.erase_person(
    erase_patient.patient_id,
    erase_patient.reason,
    coalesce(erase_patient.only_what_is_due, false),
    hospital_private.current_account_id()
  );
end;
$$;
comment on function hospital.erase_patient(bigint, text, boolean) is
  'Erases who a patient was, in all records merged with his, and keeps what was done without his name; what was to come is called off. Asked for only what is due, it takes what need not be kept and leaves the rest. Returns the certificate, the first one when done twice. For administrators. Raises UNAUT, PRMSN, NTFND, LEGHD while a legal hold stands, RETEN with the day until which something must be kept, INWAY while he is being seen, RETRY. Lends the owner''s right to change every table.';

--! split: 5044-11-privacy-erase_person.sql
-- source: sql/11-privacy/erase_person.sql
-- Erasing takes away who a person was and keeps what was done: nothing clinical is deleted. What is
-- identity is said by what_is_personal.sql; how it is taken away follows from that, table by table.

-- Whoever writes about the person waits for the rows locked here, and is waited for. An import reads a
-- whole file before it knows of whom, so it is not begun beside an erasure.
create or replace function hospital_private.lock_person(patient_id bigint)
returns bigint[]
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  patient_ids bigint[] := hospital_private.records_of_person(lock_person.patient_id);
  found_ids bigint[];
begin
  if not pg_try_advisory_xact_lock_shared(hashtextextended('infirmary import', 0)) then
    raise exception using
      errcode = 'RETRY',
      message = 'Files are being imported. Try again when that is done.';
  end if;
  perform hospital_private.lock_calendars(
    array(
      select a.doctor_id
      from hospital.appointments as a
      where a.patient_id = any (patient_ids)
        and a.status in ('held', 'scheduled', 'checked_in')
    ),
    patient_ids
  );
  -- Look, lock, look again: a merge may have come between.
  loop
    perform
    from hospital.patients as p
    where p.id = any (patient_ids)
    order by p.id
    for update;
    found_ids := hospital_private.records_of_person(lock_person.patient_id);
    exit when found_ids = patient_ids;
    patient_ids := found_ids;
  end loop;
  return patient_ids;
end;
$$;
comment on function hospital_private.lock_person(bigint) is
  'Locks all records of a person and their calendars until the transaction ends and returns their keys. Raises RETRY.';

create or replace function hospital_private.certificate_of(patient_ids bigint[])
returns hospital.erasures
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select e.*
  from hospital.erasures as e
  where e.is_complete
    and e.record_uuids @> array(
      select p.public_uuid
      from hospital.patients as p
      where p.id = any (certificate_of.patient_ids)
    )
    and not exists (
      select
      from hospital.patients as p
      where p.id = any (certificate_of.patient_ids)
        and p.erased_at is null
    )
  order by e.id
  limit 1;
$$;
comment on function hospital_private.certificate_of(bigint[]) is
  'The first certificate of a person all of whose records were erased, or null.';

create or replace function hospital_private.close_for_good(patient_ids bigint[])
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select
    from hospital_private.accounts as a
    where a.patient_id = any (close_for_good.patient_ids)
      and a.staff_member_id is not null
  ) then
    raise exception using
      errcode = 'WORKS',
      message = 'This patient works here and logs in with the same account.',
      hint = 'Give the colleague an account of his own first.';
  end if;
  perform hospital_private.call_off_what_is_to_come(p.id, 'record_erased')
  from unnest(close_for_good.patient_ids) as p (id);
  update hospital.patients as p
  set deactivated_at = now(),
    deactivation_reason = '[erased]'
  where p.id = any (close_for_good.patient_ids)
    and p.deactivated_at is null;
  -- The account before its sessions, as a log-in takes them.
  update hospital_private.accounts as a
  set disabled_at = coalesce(a.disabled_at, now())
  where a.patient_id = any (close_for_good.patient_ids);
  update hospital_private.sessions as s
  set revoked_at = now(),
    revoked_reason = 'revoked'
  from hospital_private.accounts as a
  where a.id = s.account_id
    and a.patient_id = any (close_for_good.patient_ids)
    and s.revoked_at is null;
end;
$$;
comment on function hospital_private.close_for_good(bigint[]) is
  'Calls off what is to come, closes the records and ends account and sessions of a person who is about to be erased. Raises WORKS, INWAY, RETRY.';

-- It waits half a second for a row at most: whoever writes about the patient may hold one and wait for
-- the patient's own, and the erasure is who can come again.
create or replace function hospital_private.erase_person(
  patient_id bigint,
  reason text,
  only_what_is_due boolean,
  erased_by bigint,
  first_erased_at timestamptz default null
)
returns hospital.erasures
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
set lock_timeout = '500ms'
as $$
declare
  patient_ids bigint[];
  personal_values text[];
  longest record;
  until_when text;
  today date := (now() at time zone 'UTC')::date;
  is_complete boolean;
  target record;
  erasure hospital.erasures;
begin
  -- An older snapshot would not see what was written since.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using
      errcode = 'ISOLN',
      message = 'A person is erased under READ COMMITTED only.';
  end if;
  if exists (
    select
    from hospital_private.personal_columns as c
    where c.class is null
  ) then
    raise exception using
      errcode = 'UNCLA',
      message = 'A column is not classified, so no certificate would be true.',
      hint = 'Its class belongs into sql/11-privacy/what_is_personal.sql.';
  end if;

  patient_ids := hospital_private.lock_person(erase_person.patient_id);
  erasure := hospital_private.certificate_of(patient_ids);
  if erasure.id is not null then
    return erasure;
  end if;
  perform hospital_private.refuse_held(patient_ids);

  select
    r.name,
    r.kept_until
  into longest
  from hospital_private.retention_of(patient_ids) as r
  order by r.kept_until desc nulls last
  limit 1;
  is_complete := case
    when erase_person.first_erased_at is not null then not erase_person.only_what_is_due
    else coalesce(longest.kept_until <= today, true)
  end;
  if not is_complete and not erase_person.only_what_is_due then
    -- A kind of record and a day tell an administrator nothing he may not know.
    until_when := format('The %s must be kept until %s.', longest.name, longest.kept_until);
    raise exception using
      errcode = 'RETEN',
      message = 'The record must be kept for now.',
      hint = until_when;
  end if;

  personal_values := hospital_private.values_of_person(patient_ids);
  if is_complete then
    perform hospital_private.close_for_good(patient_ids);
  end if;
  insert into hospital.erasures
    (subject, record_uuids, reason, is_complete, erased_by, erased_at, reapplied_at)
  select
    (array_agg(p.public_uuid) filter (where p.id = erase_person.patient_id))[1],
    array_agg(p.public_uuid order by p.id),
    erase_person.reason,
    is_complete,
    erase_person.erased_by,
    coalesce(erase_person.first_erased_at, now()),
    case when erase_person.first_erased_at is not null then now() end
  from hospital.patients as p
  where p.id = any (patient_ids)
  returning *
  into erasure;

  -- Versions after the visits that leave them behind, patients last.
  for target in
    select
      t.relation,
      is_complete or r.is_separable and coalesce(r.kept_until <= today, true) as is_due
    from hospital_private.person_tables as t
    left join hospital_private.retention_of(patient_ids) as r
      on r.rule = t.retention_rule
    order by
      t.relation = 'hospital.patients',
      t.relation collate "C" desc
  loop
    perform hospital_private.erase_rows(
      erasure.id,
      target.relation,
      coalesce(target.is_due, false),
      is_complete,
      patient_ids,
      personal_values
    );
  end loop;
  perform hospital_private.list_other_tables(erasure.id);

  if is_complete then
    update hospital.patients as p
    set erased_at = erasure.erased_at
    where p.id = any (patient_ids);
    -- The audit has kept what it was all along, sealed; without the keys nobody opens it again.
    perform audit.shred_person(p.id)
    from unnest(patient_ids) as p (id);
    perform hospital_private.refuse_remains(patient_ids, personal_values);
  end if;
  return erasure;
end;
$$;
comment on function hospital_private.erase_person(bigint, text, boolean, bigint, timestamptz) is
  'Erases the person one of whose records is given, or of him only what need not be kept, and returns the certificate; erasing twice changes nothing. Given when he was erased first, retention is not asked again. Raises ISOLN, UNCLA, LEGHD, RETEN, WORKS, INWAY, RETRY.';

--! split: 5045-11-privacy-erase_rows.sql
-- source: sql/11-privacy/erase_rows.sql
-- One table: its rows of the person, and a line of the certificate for each class of its columns.
create or replace function hospital_private.erase_rows(
  erasure_id bigint,
  relation text,
  is_due boolean,
  is_complete boolean,
  patient_ids bigint[],
  personal_values text[]
)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  target hospital_private.person_tables;
  assignments text;
  statement text;
  row_count bigint;
begin
  select t.*
  into target
  from hospital_private.person_tables as t
  where t.relation = erase_rows.relation;
  select string_agg(format('%I = %s', c.column_name, c.replacement), ', ')
  into assignments
  from hospital_private.personal_columns as c
  where c.relation = target.relation
    and c.is_erased;
  statement := case
    when not erase_rows.is_due or assignments is null then 'select from %1$s as t where %3$s'
    when target.is_deleted then 'delete from %1$s as t where %3$s'
    else 'update %1$s as t set %2$s where %3$s'
  end;
  execute format(statement, target.relation, assignments, target.rows_of)
  using erase_rows.patient_ids, erase_rows.personal_values;
  get diagnostics row_count = row_count;

  insert into hospital.erasure_lines
    (erasure_id, relation, data_class, outcome, column_names, row_count, explanation)
  select
    erase_rows.erasure_id,
    c.relation,
    c.class,
    case
      when c.class = 'sealed' and erase_rows.is_complete then 'shredded'
      when assignments is null or not erase_rows.is_due then 'kept'
      when target.is_deleted then 'deleted'
      when c.is_erased then 'erased'
      else 'kept'
    end,
    array_agg(c.column_name order by c.column_name),
    row_count,
    case
      when c.is_erased and not erase_rows.is_due
        or c.class = 'sealed' and not erase_rows.is_complete
        then 'It must be kept for now.'
      else c.explanation
    end
  from hospital_private.personal_columns as c
  where c.relation = target.relation
  group by
    c.relation,
    c.class,
    c.is_erased,
    c.explanation;
end;
$$;
comment on function hospital_private.erase_rows(
  bigint, text, boolean, boolean, bigint[], text[]
) is
  'Takes away what one table says about the person of these records, if it is due, and writes down for the certificate what became of every column.';

-- The other tables are in the certificate too: that nothing there is about patients is part of the truth.
create or replace function hospital_private.list_other_tables(erasure_id bigint)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into hospital.erasure_lines
    (erasure_id, relation, data_class, outcome, column_names, row_count, explanation)
  select
    list_other_tables.erasure_id,
    c.relation,
    c.class,
    'not_about_patients',
    array_agg(c.column_name order by c.column_name),
    0,
    c.explanation
  from hospital_private.personal_columns as c
  where c.relation not in (select t.relation from hospital_private.person_tables as t)
  group by
    c.relation,
    c.class,
    c.explanation;
$$;
comment on function hospital_private.list_other_tables(bigint) is
  'Writes down for the certificate the tables that hold nothing about patients.';

-- Asked again when all is done, of the tables and not of what was meant to be done.
create or replace function hospital_private.refuse_remains(
  patient_ids bigint[],
  personal_values text[]
)
returns void
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  target record;
  remains bigint;
begin
  for target in
    select
      t.relation,
      t.rows_of,
      case
        when t.is_deleted then 'true'
        else string_agg(format('t.%I <> %L', c.column_name, '[erased]'), ' or ')
      end as condition
    from hospital_private.person_tables as t
    join hospital_private.personal_columns as c
      on c.relation = t.relation
      and c.is_erased
      and (c.becomes_the_word or t.is_deleted)
    group by
      t.relation,
      t.rows_of,
      t.is_deleted
  loop
    execute format(
      'select count(*) from %s as t where (%s) and (%s)',
      target.relation, target.rows_of, target.condition
    )
    into remains
    using refuse_remains.patient_ids, refuse_remains.personal_values;
    if remains > 0 then
      raise exception using
        errcode = 'internal_error',
        message = 'An erasure left something behind.',
        table = target.relation;
    end if;
  end loop;
end;
$$;
comment on function hospital_private.refuse_remains(bigint[], text[]) is
  'Fails when any table still holds what an erasure was to take away, so that no certificate can be untrue.';

--! split: 5046-11-privacy-grant_proxy.sql
-- source: sql/11-privacy/grant_proxy.sql
-- Who may act for a child is the law's to say, and reception enters it against a document. Who may act for a
-- grown-up is said by that person alone. The proxy is named by the long identifier that he hands over himself:
-- nobody finds out by guessing who is a patient here.
create or replace function hospital.grant_proxy(
  patient_id bigint,
  proxy_uuid uuid,
  relationship text,
  scope text default 'read',
  evidence text default null,
  ends_at timestamptz default null
)
returns hospital.patient_proxies
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  by_patient boolean;
  ward hospital.patients;
  proxy hospital.patients;
  by_law boolean;
  granted hospital.patient_proxies;
begin
  perform hospital_private.require_role('patient', 'reception', 'administrator');
  by_patient := hospital_private.session_has_role('patient');
  -- The same grant twice at once would not be refused but deadlock.
  perform hospital_private.lock_calendars('{}', array[grant_proxy.patient_id]);

  select p.*
  into ward
  from hospital.patients as p
  where p.id = grant_proxy.patient_id
    and (not by_patient or p.id = hospital_private.current_patient_id());
  select p.*
  into proxy
  from hospital.patients as q
  join hospital.patients as p
    on p.id = q.person_id
  where q.public_uuid = grant_proxy.proxy_uuid
    and p.id <> ward.person_id
    and p.deceased_on is null;
  if ward.id is null or proxy.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient or proxy.';
  end if;
  if ward.deceased_on is not null or ward.merged_into_id is not null then
    raise exception using
      errcode = 'PROXY',
      message = 'This patient''s record is closed.';
  end if;

  select r.is_guardian
  into by_law
  from hospital.proxy_relationships as r
  where r.code = grant_proxy.relationship;
  if by_law is null then
    raise exception using
      errcode = 'UNKWN',
      message = 'That relationship is not on the list.';
  end if;
  if hospital_private.comes_of_age_at(ward) <= clock_timestamp() then
    if by_law or not by_patient then
      raise exception using
        errcode = 'PROXY',
        message = 'Who is of age names a proxy himself, and has no guardian.';
    end if;
  elsif not by_law or by_patient then
    raise exception using
      errcode = 'PROXY',
      message = 'For a minor, reception enters parents and guardians against a document.';
  end if;
  if grant_proxy.ends_at <= clock_timestamp() then
    raise exception using
      errcode = 'PASTT',
      message = 'That time has passed.';
  end if;

  insert into hospital.patient_proxies (
    patient_id, proxy_id, relationship, is_guardian, scope, granted, granted_by, evidence
  )
  values (
    ward.id,
    proxy.id,
    grant_proxy.relationship,
    by_law,
    grant_proxy.scope,
    tstzrange(clock_timestamp(), grant_proxy.ends_at),
    hospital_private.current_account_id(),
    btrim(grant_proxy.evidence)
  )
  returning *
  into granted;
  return granted;
end;
$$;
comment on function hospital.grant_proxy(bigint, uuid, text, text, text, timestamptz) is
  'Lets somebody act for a patient at once, until a time or an end by itself, and returns the grant. Reception and administrators enter a minor''s parents and guardians against a document; a patient who is of age names anybody by the identifier that person has handed over. Raises UNAUT, PRMSN, NTFND, UNKWN, PASTT, RETRY, and PROXY where it is not the caller''s to grant. Lends the owner''s right to write grants.';

--! split: 5047-11-privacy-guard_break_glass.sql
-- source: sql/11-privacy/guard_break_glass.sql
-- Once granted, an emergency access ends early or is reviewed, and nothing else about it changes, on any
-- path: nobody makes it longer, moves it to another patient or finds another reason afterwards.
create or replace function hospital_private.guard_break_glass()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'INSERT' then
    perform hospital_private.require_glass_reviewed(new.account_id);
    new.bars_next := (
      select r.break_glass_waits_for_review
      from hospital_private.privacy_rules as r
    );
    -- Tools load what has ended and was reviewed; whoever asks for himself asks for the time to come.
    if hospital_private.current_account_id() is not null then
      new.ended_at := null;
      new.outcome := null;
      new.review_remark := null;
      new.reviewed_at := null;
      new.reviewed_by := null;
    end if;
    return new;
  end if;

  if hospital_private.is_being_erased(old.patient_id) then
    return new;
  end if;
  if (
      new.id, new.account_id, new.staff_member_id, new.role, new.patient_id, new.category, new.reason,
      new.granted, new.review_due_at, new.bars_next
    ) is distinct from (
      old.id, old.account_id, old.staff_member_id, old.role, old.patient_id, old.category, old.reason,
      old.granted, old.review_due_at, old.bars_next
    )
    or (
      new.ended_at is distinct from old.ended_at
      and (old.ended_at is not null or upper(old.granted) <= clock_timestamp())
    )
    or (
      old.reviewed_at is not null
      and (new.reviewed_at, new.reviewed_by, new.outcome, new.review_remark)
        is distinct from (old.reviewed_at, old.reviewed_by, old.outcome, old.review_remark)
    )
  then
    raise exception using
      errcode = 'KEPTT',
      message = 'An emergency access stays as it was granted, ended and reviewed.';
  end if;
  -- When it ended and who reviewed it is not for the writer to say.
  if new.ended_at is distinct from old.ended_at then
    new.ended_at := clock_timestamp();
  end if;
  if new.outcome is distinct from old.outcome then
    new.reviewed_at := clock_timestamp();
    new.reviewed_by := coalesce(hospital_private.current_account_id(), new.reviewed_by);
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_break_glass() is
  'Trigger: keeps an emergency access as it was granted, and stamps its end and its review. Raises KEPTT, RVIEW. Lends the owner''s right to read the rules and to ask who is there.';

create or replace trigger _300_guard
  before insert or update on hospital.break_glass_grants
  for each row execute function hospital_private.guard_break_glass();

create or replace function hospital_private.require_glass_reviewed(account_id bigint)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if (select r.break_glass_waits_for_review from hospital_private.privacy_rules as r)
    and exists (
      select
      from hospital.break_glass_grants as g
      where g.account_id = require_glass_reviewed.account_id
        and g.reviewed_at is null
    )
  then
    raise exception using
      errcode = 'RVIEW',
      message = 'Your last emergency access has not been reviewed yet.',
      hint = 'Ask an administrator to review it.';
  end if;
end;
$$;
comment on function hospital_private.require_glass_reviewed(bigint) is
  'Raises RVIEW while an emergency access of the account waits for its review, where the rules make the next one wait.';

--! split: 5048-11-privacy-guard_consent.sql
-- source: sql/11-privacy/guard_consent.sql
-- A consent is withdrawn and never rewritten: what the patient said then is what was said. Who recorded or
-- withdrew it, and when, is not for the writer to say.
create or replace function hospital_private.guard_consent()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  session hospital_private.sessions := hospital_private.current_session();
begin
  if tg_op = 'INSERT' then
    -- Tools load what was recorded elsewhere and before.
    if session.account_id is not null then
      new.recorded_at := clock_timestamp();
      new.recorded_by := session.account_id;
      new.recorded_as := session.role;
      new.withdrawn_at := null;
      new.withdrawn_by := null;
    end if;
    return new;
  end if;
  if hospital_private.is_being_erased(old.patient_id) then
    return new;
  end if;
  if (
      new.id, new.public_uuid, new.patient_id, new.scope, new.staff_member_id, new.department_id,
      new.granted, new.evidence, new.recorded_at, new.recorded_by, new.recorded_as
    ) is distinct from (
      old.id, old.public_uuid, old.patient_id, old.scope, old.staff_member_id, old.department_id,
      old.granted, old.evidence, old.recorded_at, old.recorded_by, old.recorded_as
    )
    or old.withdrawn_at is not null
  then
    raise exception using
      errcode = 'KEPTT',
      message = 'A consent stays as it was given; withdraw it and record another.';
  end if;
  if new.withdrawn_at is not null then
    new.withdrawn_at := clock_timestamp();
    new.withdrawn_by := session.account_id;
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_consent() is
  'Trigger: keeps a consent as it was given, and stamps who recorded and withdrew it. Raises KEPTT. Lends the owner''s right to read the session.';

create or replace trigger _300_guard
  before insert or update on hospital.consents
  for each row execute function hospital_private.guard_consent();

--! split: 5049-11-privacy-guard_person.sql
-- source: sql/11-privacy/guard_person.sql
-- On every path, the owner's too: what is held is not emptied or deleted, and nothing is written about
-- somebody who was erased. The columns that say something about a person are the trigger's arguments.
create or replace function hospital_private.guard_person()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  person_before bigint;
  person_after bigint;
  before jsonb;
  after jsonb;
  erased_at timestamptz;
begin
  -- A patient's own row, once erased, has a guard of its own below.
  if tg_relid = 'hospital.patients'::regclass then
    person_before := old.id;
  else
    person_before := old.patient_id;
    person_after := new.patient_id;
  end if;

  if person_before is not null then
    before := to_jsonb(old);
    after := to_jsonb(new);
    if after is null or exists (
      select
      from unnest(tg_argv) as c (name)
      where before ->> c.name is not null
        and (nullif(btrim(after ->> c.name), '') is null or after ->> c.name like '[erased]%')
    ) then
      perform hospital_private.refuse_held(hospital_private.records_of_person(person_before));
    end if;
  end if;

  -- Here and not in a function of its own: it is asked for every row that is ever written.
  if person_after is not null then
    select p.erased_at
    into erased_at
    from hospital.patients as p
    where p.id = person_after
    for key share;
    if erased_at is not null then
      perform hospital_private.refuse_erased(person_after);
    end if;
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_person() is
  'Trigger: refuses with LEGHD to delete a row of a patient under legal hold or to empty a column named in its arguments, and with XERAS to write about a patient who was erased. Lends the owner''s right to read holds and patients.';

-- An erasure has the patient's row for update until it commits, so whoever writes meanwhile waits here
-- and then sees it. Under an older snapshot he fails with 40001, since an erasure changes a key.
create or replace function hospital_private.refuse_erased(patient_id bigint)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  erased_at timestamptz;
begin
  select p.erased_at
  into erased_at
  from hospital.patients as p
  where p.id = refuse_erased.patient_id
  for key share;
  if erased_at is not null then
    raise exception using
      errcode = 'XERAS',
      message = 'This person was erased.';
  end if;
end;
$$;
comment on function hospital_private.refuse_erased(bigint) is
  'Raises XERAS for a patient who was erased, and keeps him from being erased until the transaction ends. Lends the owner''s right to read patients.';

create or replace function hospital_private.guard_erased_record()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.refuse_erased(old.id);
  if new.merged_into_id is not null then
    perform hospital_private.refuse_erased(new.merged_into_id);
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_erased_record() is
  'Trigger: refuses with XERAS to change the row of a patient who was erased, and to merge a record into it. Lends the owner''s right to read patients.';

create or replace trigger _330_guard_erased
  before update on hospital.patients
  for each row
  when (old.erased_at is not null or old.merged_into_id is distinct from new.merged_into_id)
  execute function hospital_private.guard_erased_record();

create or replace function hospital_private.guard_truncation()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.refuse_held(array(select p.id from hospital.patients as p));
  return null;
end;
$$;
comment on function hospital_private.guard_truncation() is
  'Trigger: refuses with LEGHD to empty a table about patients while a legal hold is on any of them. Lends the owner''s right to read holds.';

-- A line about somebody who was erased comes back with the next import of the same file. It is counted
-- as refused, but what it says is not kept.
create or replace function hospital_private.forget_erased_line()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select
    from hospital.patients as p
    where p.erased_at is not null
      and position(p.public_uuid::text in new.record::text) > 0
  ) then
    new.reason := 'erased_patient';
    new.field := null;
    new.record := '{}';
  end if;
  return new;
end;
$$;
comment on function hospital_private.forget_erased_line() is
  'Trigger: keeps nothing of a refused line that is about a patient who was erased. Lends the owner''s right to read patients.';

create or replace trigger _320_forget_erased
  before insert on staging.import_rejects
  for each row execute function hospital_private.forget_erased_line();

-- The triggers follow the classes, so that no table can be forgotten.
create or replace procedure hospital_private.guard_person_tables()
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  target record;
begin
  for target in
    select
      t.relation,
      string_agg(quote_ident(c.column_name), ', ' order by c.column_name) as columns,
      string_agg(quote_literal(c.column_name), ', ' order by c.column_name) as arguments
    from hospital_private.person_tables as t
    join hospital_private.personal_columns as c
      on c.relation = t.relation
      and c.is_erased
      and c.patient_column is not null
    group by t.relation
  loop
    execute format(
      'create or replace trigger _320_guard_person before insert or delete or update of %s on %s '
        'for each row execute function hospital_private.guard_person(%s)',
      target.columns,
      target.relation,
      target.arguments
    );
    execute format(
      'create or replace trigger _320_guard_truncation before truncate on %s '
        'for each statement execute function hospital_private.guard_truncation()',
      target.relation
    );
  end loop;
end;
$$;
comment on procedure hospital_private.guard_person_tables() is
  'Hangs the guards of legal holds and erasures onto every table with a patient''s key and a column that an erasure takes away.';

--! split: 5050-11-privacy-is_being_erased.sql
-- source: sql/11-privacy/is_being_erased.sql
-- What otherwise never changes, a signed note or the grant that somebody acted on, is emptied by an
-- erasure all the same. Its guard asks here: the certificate is written before anything is taken away.
create or replace function hospital_private.is_being_erased(patient_id bigint)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select
    from hospital.patients as p
    join hospital.erasures as e
      on e.record_uuids @> array[p.public_uuid]
      and e.is_complete
    where p.id = is_being_erased.patient_id
      and p.erased_at is null
  );
$$;
comment on function hospital_private.is_being_erased(bigint) is
  'Whether a patient is being erased in this transaction, for guards that otherwise refuse every change. Lends the owner''s right to read certificates.';

--! split: 5051-11-privacy-is_restricted.sql
-- source: sql/11-privacy/is_restricted.sql
-- Who denies a department denies what is part of it, and whoever denies it on one record does on all of his.
create or replace function hospital_private.is_restricted(
  patient_id bigint,
  viewer hospital_private.viewer,
  purpose text
)
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select
    from hospital.consents as c
    join hospital.consent_scopes as s
      on s.code = c.scope
      and s.decision = 'deny'
    where c.patient_id = any (
        array(select hospital_private.same_person_ids(array[is_restricted.patient_id]))
      )
      and c.in_force @> clock_timestamp()
      and (c.staff_member_id is null or c.staff_member_id = (is_restricted.viewer).staff_member_id)
      and (
        c.department_id is null
        or c.department_id in (
          with recursive above (id, parent_id) as (
            select d.id, d.parent_id
            from hospital.departments as d
            where d.id = (is_restricted.viewer).department_id
            union
            select d.id, d.parent_id
            from above as a
            join hospital.departments as d
              on d.id = a.parent_id
          )
          select above.id
          from above
        )
      )
      and (s.purpose is null or s.purpose = is_restricted.purpose)
  );
$$;
comment on function hospital_private.is_restricted(bigint, hospital_private.viewer, text) is
  'Whether the patient denies this person the chart for this purpose at this moment.';

--! split: 5052-11-privacy-keep_as_written.sql
-- source: sql/11-privacy/keep_as_written.sql
-- What tells who looked is worth nothing if whoever looked, or the owner, can mend it.
create or replace function hospital_private.keep_as_written()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'KEPTT',
    message = 'This record stays as it was written.';
end;
$$;
comment on function hospital_private.keep_as_written() is
  'Trigger: refuses to change or delete a row. Raises KEPTT.';

create or replace trigger _310_keep_all
  before truncate on audit.chart_accesses
  for each statement execute function hospital_private.keep_as_written();
create or replace trigger _300_keep
  before update or delete on audit.chart_openings
  for each row execute function hospital_private.keep_as_written();
create or replace trigger _310_keep_all
  before truncate on audit.chart_openings
  for each statement execute function hospital_private.keep_as_written();
create or replace trigger _300_keep
  before update or delete on audit.break_glass_misses
  for each row execute function hospital_private.keep_as_written();
create or replace trigger _310_keep_all
  before truncate on audit.break_glass_misses
  for each statement execute function hospital_private.keep_as_written();
create or replace trigger _300_keep
  before delete on hospital.break_glass_grants
  for each row execute function hospital_private.keep_as_written();
create or replace trigger _300_keep
  before delete on hospital.consents
  for each row execute function hospital_private.keep_as_written();

--! split: 5053-11-privacy-legal_holds.sql
-- source: sql/11-privacy/legal_holds.sql
-- A hold that has not ended counts, one that begins tomorrow too: what is erased today cannot be
-- produced then.
create or replace function hospital_private.is_held(patient_ids bigint[])
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select
    from hospital.legal_holds as h
    where h.patient_id = any (is_held.patient_ids)
      and (upper_inf(h.held) or upper(h.held) > clock_timestamp())
  );
$$;
comment on function hospital_private.is_held(bigint[]) is
  'Whether a legal hold on one of these records has not ended. Lends the owner''s right to read holds.';

create or replace function hospital_private.refuse_held(patient_ids bigint[])
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if hospital_private.is_held(refuse_held.patient_ids) then
    raise exception using
      errcode = 'LEGHD',
      message = 'A legal hold is on this record.',
      hint = 'Nothing of it is erased until all holds are released.';
  end if;
end;
$$;
comment on function hospital_private.refuse_held(bigint[]) is
  'Raises LEGHD while a legal hold on one of these records has not ended. Lends the owner''s right to read holds.';

create or replace function hospital.place_legal_hold(
  patient_id bigint,
  matter text,
  reason text,
  held_until timestamptz default null
)
returns hospital.legal_holds
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  hold hospital.legal_holds;
begin
  perform hospital_private.require_role('administrator');
  if place_legal_hold.held_until <= clock_timestamp() then
    raise exception using
      errcode = 'PASTT',
      message = 'That time has passed.';
  end if;
  -- The foreign key waits for an erasure under way, and so the hold comes before it or is refused.
  insert into hospital.legal_holds (patient_id, matter, reason, held, placed_by)
  select
    p.id,
    btrim(place_legal_hold.matter),
    btrim(place_legal_hold.reason),
    tstzrange(clock_timestamp(), place_legal_hold.held_until),
    hospital_private.current_account_id()
  from hospital.patients as p
  where p.id = place_legal_hold.patient_id
  returning *
  into hold;
  if hold.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient.';
  end if;
  return hold;
end;
$$;
comment on function hospital.place_legal_hold(bigint, text, text, timestamptz) is
  'Forbids from now on, until the time given or until it is released, to erase anything of a patient. For administrators. Raises UNAUT, PRMSN, NTFND, PASTT, XERAS, and a conflict when the matter has a hold already. Lends the owner''s right to write holds, so that each names who placed it.';

create or replace function hospital.release_legal_hold(legal_hold_id bigint, reason text)
returns hospital.legal_holds
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  hold hospital.legal_holds;
begin
  perform hospital_private.require_role('administrator');
  -- Released twice, the first counts.
  update hospital.legal_holds as h
  set held = tstzrange(lower(h.held), least(upper(h.held), clock_timestamp())),
    released_by = hospital_private.current_account_id(),
    released_at = clock_timestamp(),
    release_reason = btrim(release_legal_hold.reason)
  where h.id = release_legal_hold.legal_hold_id
    and h.released_at is null;
  select h.*
  into hold
  from hospital.legal_holds as h
  where h.id = release_legal_hold.legal_hold_id;
  if hold.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such legal hold.';
  end if;
  return hold;
end;
$$;
comment on function hospital.release_legal_hold(bigint, text) is
  'Ends a legal hold, with a reason. For administrators. Raises UNAUT, PRMSN, NTFND. Lends the owner''s right to write holds, so that each names who released it.';

--! split: 5054-11-privacy-masked-appointments.sql
-- source: sql/11-privacy/masked/appointments.sql
create or replace view masked.appointments
with (security_barrier = true) as
select
  encode(
    substr(sha256(p.secret || 'appointment'::bytea || int8send(a.id)), 1, 12), 'hex'
  ) as appointment,
  p.person,
  case when l.day >= p.dates_from then l.day + p.shift_days end as day,
  (extract(epoch from a.ends_at - a.starts_at) / 60)::integer as minutes,
  coalesce(k.category, 'rare') as type,
  coalesce(c.category, 'rare') as specialization,
  a.status,
  a.cancellation_reason,
  a.no_show_reason
from hospital.appointments as a
join hospital_private.deidentified_people as p
  on p.patient_id = a.patient_id
join hospital.departments as d
  on d.id = a.department_id
join hospital.facilities as f
  on f.id = d.facility_id
cross join lateral (select (a.starts_at at time zone f.time_zone)::date as day) as l
join hospital.appointment_types as t
  on t.id = a.appointment_type_id
join hospital.doctors as o
  on o.id = a.doctor_id
left join hospital_private.masking_categories as k
  on k.release_id = p.release_id
  and k.kind = 'type'
  and k.category = t.name
left join hospital_private.masking_categories as c
  on c.release_id = p.release_id
  and c.kind = 'specialization'
  and c.category = o.specialization
where l.day < p.until
  and a.updated_at <= p.started_at
order by appointment;
comment on view masked.appointments is 'The appointments of the persons of the release, de-identified.';
comment on column masked.appointments.appointment is 'The pseudonym of the appointment.';
comment on column masked.appointments.person is 'The pseudonym of the person.';
comment on column masked.appointments.day is 'The moved date, by the clocks of the facility.';
comment on column masked.appointments.minutes is 'How many minutes were planned.';
comment on column masked.appointments.type is 'The type of appointment, or rare.';
comment on column masked.appointments.specialization is 'The doctor''s specialty, or rare.';
comment on column masked.appointments.status is 'The status.';
comment on column masked.appointments.cancellation_reason is 'Why it was cancelled, or null.';
comment on column masked.appointments.no_show_reason is 'Why it was missed, or null.';

--! split: 5055-11-privacy-masked-conditions.sql
-- source: sql/11-privacy/masked/conditions.sql
create or replace view masked.conditions
with (security_barrier = true) as
select
  encode(
    substr(sha256(p.secret || 'condition'::bytea || int8send(o.id)), 1, 12), 'hex'
  ) as condition,
  p.person,
  t.system,
  coalesce(c.category, 'rare') as category,
  case when o.onset_on >= p.dates_from then o.onset_on + p.shift_days end as onset_on,
  case
    when o.abated_on >= p.dates_from and o.abated_on < p.until then o.abated_on + p.shift_days
  end as abated_on
from hospital.patient_conditions as o
join hospital_private.deidentified_people as p
  on p.patient_id = o.patient_id
join hospital_private.diagnosis_categories as t
  on t.diagnosis_code_id = o.diagnosis_code_id
left join hospital_private.masking_categories as c
  on c.release_id = p.release_id
  and c.kind = 'diagnosis'
  and c.category = t.category
where o.voided_at is null
  and o.onset_on < p.until
  and o.updated_at <= p.started_at
order by condition;
comment on view masked.conditions is 'The lasting conditions of the persons of the release, de-identified.';
comment on column masked.conditions.condition is 'The pseudonym of the condition.';
comment on column masked.conditions.person is 'The pseudonym of the person.';
comment on column masked.conditions.system is 'The coding system.';
comment on column masked.conditions.category is 'The first three characters of an ICD-10-CM code, the whole of another, or rare.';
comment on column masked.conditions.onset_on is 'The moved date on which it began, or null where that would tell an age over 89.';
comment on column masked.conditions.abated_on is 'The moved date on which it ended, or null.';

--! split: 5056-11-privacy-masked-diagnoses.sql
-- source: sql/11-privacy/masked/diagnoses.sql
create or replace view masked.diagnoses
with (security_barrier = true) as
select
  encode(
    substr(sha256(p.secret || 'diagnosis'::bytea || int8send(g.id)), 1, 12), 'hex'
  ) as diagnosis,
  encode(substr(sha256(p.secret || 'visit'::bytea || int8send(g.visit_id)), 1, 12), 'hex') as visit,
  p.person,
  g.rank,
  t.system,
  coalesce(c.category, 'rare') as category
from hospital.visit_diagnoses as g
join hospital_private.deidentified_people as p
  on p.patient_id = g.patient_id
join hospital.visits as v
  on v.id = g.visit_id
  and v.voided_at is null
join hospital.appointments as a
  on a.id = v.appointment_id
join hospital.departments as d
  on d.id = a.department_id
join hospital.facilities as f
  on f.id = d.facility_id
cross join lateral (select (v.started_at at time zone f.time_zone)::date as day) as l
join hospital_private.diagnosis_categories as t
  on t.diagnosis_code_id = g.diagnosis_code_id
left join hospital_private.masking_categories as c
  on c.release_id = p.release_id
  and c.kind = 'diagnosis'
  and c.category = t.category
where g.voided_at is null
  and l.day < p.until
  and g.updated_at <= p.started_at
order by diagnosis;
comment on view masked.diagnoses is 'The coded diagnoses of visits, de-identified.';
comment on column masked.diagnoses.diagnosis is 'The pseudonym of the diagnosis.';
comment on column masked.diagnoses.visit is 'The pseudonym of the visit.';
comment on column masked.diagnoses.person is 'The pseudonym of the person.';
comment on column masked.diagnoses.rank is 'Its rank in the visit, 1 for the main diagnosis.';
comment on column masked.diagnoses.system is 'The coding system.';
comment on column masked.diagnoses.category is 'The first three characters of an ICD-10-CM code, the whole of another, or rare.';

--! split: 5057-11-privacy-masked-patients.sql
-- source: sql/11-privacy/masked/patients.sql
-- Read in the order of pseudonyms, as all views here are: the order in which rows lie in a table is that in
-- which they were written, and would tell which of two persons came first in truth.
create or replace view masked.patients
with (security_barrier = true) as
select
  p.person,
  case
    -- Whoever reached 90 is in one group, whichever way his dates are moved.
    when least(p.until, p.deceased_on) >= (p.date_of_birth + interval '90 years')::date
      then extract(year from p.until)::integer - 90
    else greatest(
      extract(year from p.date_of_birth + p.shift_days),
      extract(year from p.until) - 90
    )::integer
  end as birth_year,
  coalesce(c.category, 'rare') as sex,
  case when p.deceased_on >= p.dates_from then p.deceased_on + p.shift_days end as deceased_on
from hospital_private.deidentified_people as p
left join hospital_private.masking_categories as c
  on c.release_id = p.release_id
  and c.kind = 'sex'
  and c.category = p.sex
order by person;
comment on view masked.patients is 'The persons of the release, de-identified.';
comment on column masked.patients.person is 'The pseudonym of the person.';
comment on column masked.patients.birth_year is 'The year of birth, moved as all dates are; the earliest one stands for all before it, too.';
comment on column masked.patients.sex is 'Administrative sex, or rare.';
comment on column masked.patients.deceased_on is 'The moved date of death, or null.';

--! split: 5058-11-privacy-masked-prescriptions.sql
-- source: sql/11-privacy/masked/prescriptions.sql
create or replace view masked.prescriptions
with (security_barrier = true) as
select
  encode(
    substr(sha256(p.secret || 'prescription'::bytea || int8send(r.id)), 1, 12), 'hex'
  ) as prescription,
  encode(substr(sha256(p.secret || 'visit'::bytea || int8send(r.visit_id)), 1, 12), 'hex') as visit,
  p.person,
  coalesce(c.category, 'rare') as medication,
  case when r.start_date >= p.dates_from then r.start_date + p.shift_days end as start_date,
  r.duration_days
from hospital.prescriptions as r
join hospital_private.deidentified_people as p
  on p.patient_id = r.patient_id
join hospital.visits as v
  on v.id = r.visit_id
  and v.voided_at is null
join hospital.appointments as a
  on a.id = v.appointment_id
join hospital.departments as d
  on d.id = a.department_id
join hospital.facilities as f
  on f.id = d.facility_id
cross join lateral (select (v.started_at at time zone f.time_zone)::date as day) as l
join hospital.medications as m
  on m.id = r.medication_id
left join hospital_private.masking_categories as c
  on c.release_id = p.release_id
  and c.kind = 'medication'
  and c.category = m.name
where l.day < p.until
  and r.updated_at <= p.started_at
order by prescription;
comment on view masked.prescriptions is 'The prescriptions of visits, de-identified.';
comment on column masked.prescriptions.prescription is 'The pseudonym of the prescription.';
comment on column masked.prescriptions.visit is 'The pseudonym of the visit.';
comment on column masked.prescriptions.person is 'The pseudonym of the person.';
comment on column masked.prescriptions.medication is 'The medication, or rare.';
comment on column masked.prescriptions.start_date is 'The moved date of the first day.';
comment on column masked.prescriptions.duration_days is 'For how many days it was written, or null.';

--! split: 5059-11-privacy-masked-release.sql
-- source: sql/11-privacy/masked/release.sql
create or replace view masked.release
with (security_barrier = true) as
select
  r.id as release,
  r.until,
  r.smallest_cell
from hospital_private.masking_releases as r
where (select hospital_private.admits_analyst())
  and r.retired_at is null
order by r.id desc
limit 1;
comment on view masked.release is 'The release that the masked views show.';
comment on column masked.release.release is 'Its number; pseudonyms and moved dates are of this release alone.';
comment on column masked.release.until is 'The first day that is no longer in it.';
comment on column masked.release.smallest_cell is 'How many persons share a category that is not called rare, at least.';

--! split: 5060-11-privacy-masked-treatments.sql
-- source: sql/11-privacy/masked/treatments.sql
create or replace view masked.treatments
with (security_barrier = true) as
select
  encode(
    substr(sha256(p.secret || 'treatment'::bytea || int8send(t.id)), 1, 12), 'hex'
  ) as treatment,
  encode(substr(sha256(p.secret || 'visit'::bytea || int8send(t.visit_id)), 1, 12), 'hex') as visit,
  p.person,
  coalesce(c.category, 'rare') as type,
  case when l.day >= p.dates_from then l.day + p.shift_days end as day,
  round(t.cost, -1) as cost,
  t.outcome
from hospital.treatments as t
join hospital_private.deidentified_people as p
  on p.patient_id = t.patient_id
join hospital.visits as v
  on v.id = t.visit_id
  and v.voided_at is null
join hospital.appointments as a
  on a.id = v.appointment_id
join hospital.departments as d
  on d.id = a.department_id
join hospital.facilities as f
  on f.id = d.facility_id
cross join lateral (select (t.started_at at time zone f.time_zone)::date as day) as l
left join hospital_private.masking_categories as c
  on c.release_id = p.release_id
  and c.kind = 'treatment'
  and c.category = t.type
where t.voided_at is null
  and l.day < p.until
  and t.updated_at <= p.started_at
order by treatment;
comment on view masked.treatments is 'The treatments of visits, de-identified.';
comment on column masked.treatments.treatment is 'The pseudonym of the treatment.';
comment on column masked.treatments.visit is 'The pseudonym of the visit.';
comment on column masked.treatments.person is 'The pseudonym of the person.';
comment on column masked.treatments.type is 'The type of treatment, or rare.';
comment on column masked.treatments.day is 'The moved date, by the clocks of the facility.';
comment on column masked.treatments.cost is 'The cost in US dollars, to ten.';
comment on column masked.treatments.outcome is 'The coded outcome, or null.';

--! split: 5061-11-privacy-masked-visits.sql
-- source: sql/11-privacy/masked/visits.sql
create or replace view masked.visits
with (security_barrier = true) as
select
  encode(substr(sha256(p.secret || 'visit'::bytea || int8send(v.id)), 1, 12), 'hex') as visit,
  encode(
    substr(sha256(p.secret || 'appointment'::bytea || int8send(v.appointment_id)), 1, 12), 'hex'
  ) as appointment,
  p.person,
  case when l.day >= p.dates_from then l.day + p.shift_days end as day,
  (5 * round(extract(epoch from v.ended_at - v.started_at) / 300))::integer as minutes
from hospital.visits as v
join hospital_private.deidentified_people as p
  on p.patient_id = v.patient_id
join hospital.appointments as a
  on a.id = v.appointment_id
join hospital.departments as d
  on d.id = a.department_id
join hospital.facilities as f
  on f.id = d.facility_id
cross join lateral (select (v.started_at at time zone f.time_zone)::date as day) as l
where v.voided_at is null
  and l.day < p.until
  and v.updated_at <= p.started_at
order by visit;
comment on view masked.visits is 'The visits of the persons of the release, de-identified.';
comment on column masked.visits.visit is 'The pseudonym of the visit.';
comment on column masked.visits.appointment is 'The pseudonym of its appointment.';
comment on column masked.visits.person is 'The pseudonym of the person.';
comment on column masked.visits.day is 'The moved date, by the clocks of the facility.';
comment on column masked.visits.minutes is 'How long it took, to five minutes, or null.';

--! split: 5062-11-privacy-notify_break_glass.sql
-- source: sql/11-privacy/notify_break_glass.sql
-- The patient hears of every emergency access, on whatever path it came to be. The letter says nothing that
-- others in the house should not read; who, when and why stands behind the log-in.
create or replace function hospital_private.notify_break_glass()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital.notifications (reason, patient_id, subject, body)
  values (
    'break_glass:' || new.id,
    new.patient_id,
    'Your record was opened in an emergency',
    'Your record was opened in an emergency. Log in to see by whom, when and why.'
  )
  on conflict on constraint notifications_one_per_reason do nothing;
  return null;
end;
$$;
comment on function hospital_private.notify_break_glass() is
  'Trigger: writes one message to the patient for each emergency access. Lends the owner''s right to write messages.';

create or replace trigger _800_notify
  after insert on hospital.break_glass_grants
  for each row execute function hospital_private.notify_break_glass();

--! split: 5063-11-privacy-own_patient_ids.sql
-- source: sql/11-privacy/own_patient_ids.sql
-- Whose rows a patient has before him. The policies of patients ask here once per statement, as
-- = any (array(select …)), so a grant counts from the moment it is written and no longer than it lasts.
create or replace function hospital_private.current_patient_ids()
returns setof bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  me bigint := hospital_private.current_patient_id();
begin
  return query
  select p.id
  from hospital.patients as p
  where p.person_id = me;
end;
$$;
comment on function hospital_private.current_patient_ids() is
  'The keys of all records of the patient who is logged in. Lends the owner''s right to read which are one person''s.';

-- The grants of the caller's own records and no others: nobody acts through somebody else's.
create or replace function hospital_private.own_patient_ids(to_book boolean default false)
returns setof bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  me bigint := hospital_private.current_patient_id();
begin
  return query
  select p.id
  from hospital.patients as p
  where p.person_id = me
  union all
  select p.id
  from hospital.patients as mine
  join hospital.patient_proxies as x
    on x.proxy_id = mine.id
  join hospital.proxy_scopes as s
    on s.code = x.scope
  join hospital.patients as ward
    on ward.id = x.patient_id
  join hospital.patients as p
    on p.person_id = ward.person_id
  where mine.person_id = me
    and x.revoked_at is null
    and (s.may_book or not own_patient_ids.to_book)
    and hospital_private.is_live_proxy(x);
end;
$$;
comment on function hospital_private.own_patient_ids(boolean) is
  'The keys of all records the patient who is logged in reads, or those whose appointments he keeps: his own, and of those for whom he is a live proxy. Lends the owner''s right to read grants.';

--! split: 5064-11-privacy-personal_columns.sql
-- source: sql/11-privacy/personal_columns.sql
-- The catalogue beside what we say of it. A column nobody classified shows with a null class.
create or replace view hospital_private.personal_columns
with (security_invoker = true) as
select
  format('%s.%s', n.nspname, r.relname) as relation,
  a.attname::text as column_name,
  c.class,
  d.is_erased,
  d.explanation,
  coalesce(
    c.replacement, format('case when t.%I is not null then %L end', a.attname, '[erased]')
  ) as replacement,
  c.replacement is null as becomes_the_word,
  case
    when r.oid = 'hospital.patients'::regclass then 'id'
    else (
      select k.attname::text
      from pg_catalog.pg_attribute as k
      where k.attrelid = r.oid
        and k.attname = 'patient_id'
    )
  end as patient_column
from pg_catalog.pg_attribute as a
join pg_catalog.pg_class as r
  on r.oid = a.attrelid
  and r.relkind in ('r', 'p')
  and not r.relispartition
join pg_catalog.pg_namespace as n
  on n.oid = r.relnamespace
  and n.nspname in (
    'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
  )
left join hospital_private.column_classes as c
  on c.relation = format('%s.%s', n.nspname, r.relname)
  and c.column_name = a.attname
left join hospital_private.data_classes as d
  on d.code = c.class
where a.attnum > 0
  and not a.attisdropped;
comment on view hospital_private.personal_columns is
  'Every column of every table of ours as the catalogue has it, with what it says about a person.';
comment on column hospital_private.personal_columns.relation is 'The table, with its schema.';
comment on column hospital_private.personal_columns.column_name is 'The column.';
comment on column hospital_private.personal_columns.class is
  'What the column says about a person, or null where nobody has classified it.';
comment on column hospital_private.personal_columns.is_erased is
  'Whether an erasure takes away what is in it, or null where nobody has classified it.';
comment on column hospital_private.personal_columns.explanation is
  'Why it is erased or kept, or null where nobody has classified it.';
comment on column hospital_private.personal_columns.replacement is
  'The expression on a row t that an erasure puts in its place.';
comment on column hospital_private.personal_columns.becomes_the_word is
  'Whether that is the word [erased] for every value.';
comment on column hospital_private.personal_columns.patient_column is
  'The column of the table that says which patient a row is about, or null where none does.';

--! split: 5065-11-privacy-proxy_ends_at.sql
-- source: sql/11-privacy/proxy_ends_at.sql
-- Guardians' rights end in the first second of the eighteenth birthday where the child lives. Who is born on
-- 29 February has it on 1 March, the day on which patients.age says eighteen. Where no zone is known it is the
-- facility's whose clocks show that day first: rather some hours early than one second late.
create or replace function hospital_private.comes_of_age_at(patient hospital.patients)
returns timestamptz
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select min(hospital_private.wall_instant(birthday.local, zone.name))
  from (
    -- Eighteen years after 29 February PostgreSQL says 28 where the year has no 29.
    select case
        when extract(day from d.eighteenth) = extract(day from patient.date_of_birth)
          then d.eighteenth
        else d.eighteenth + interval '1 day'
      end as local
    from (select patient.date_of_birth + interval '18 years' as eighteenth) as d
  ) as birthday
  cross join (
    select coalesce(patient.time_zone, f.time_zone, 'UTC') as name
    from (values (0)) as always
    left join hospital.facilities as f
      on patient.time_zone is null
  ) as zone;
$$;
comment on function hospital_private.comes_of_age_at(hospital.patients) is
  'The instant at which a patient is eighteen years old, where the patient lives. Lends the owner''s right to read facilities.';

-- Nothing is stored that could fall behind: a corrected date of birth counts from that moment on, and of
-- several records of a child the one that goes on.
create or replace function hospital_private.proxy_ends_at(proxy hospital.patient_proxies)
returns timestamptz
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select least(
    upper(proxy.granted),
    proxy.revoked_at,
    case when proxy.is_guardian then hospital_private.comes_of_age_at(person) end
  )
  from hospital.patients as ward
  join hospital.patients as person
    on person.id = ward.person_id
  where ward.id = proxy.patient_id;
$$;
comment on function hospital_private.proxy_ends_at(hospital.patient_proxies) is
  'When a proxy''s right ends: when it was granted until, revoked, or a child comes of age, whichever is first; null when nothing ends it. Lends the owner''s right to read dates of birth.';

-- By the clock and not by the transaction's beginning, which a caller can put as far back as he likes. The
-- right ends with the life of either.
create or replace function hospital_private.is_live_proxy(proxy hospital.patient_proxies)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select lower(proxy.granted) <= clock_timestamp()
    and coalesce(hospital_private.proxy_ends_at(proxy) > clock_timestamp(), true)
    and not exists (
      select
      from hospital.patients as party
      join hospital.patients as p
        on p.person_id = party.person_id
      where party.id in (proxy.patient_id, proxy.proxy_id)
        and p.deceased_on is not null
    );
$$;
comment on function hospital_private.is_live_proxy(hospital.patient_proxies) is
  'Whether a grant counts at this very moment: begun, not ended, and both alive. Lends the owner''s right to read dates of birth and death.';

--! split: 5066-11-privacy-publish_aggregates.sql
-- source: sql/11-privacy/publish_aggregates.sql
-- Each period is published once, when it has been over for a while, and never again: two versions of one
-- table would show by their difference whom the later one had learnt of. No report has a total beyond
-- its period, for the same reason; and visits are the completed appointments of the same table, since
-- two tables of nearly the same thing would each betray what the other keeps back.
create or replace function hospital_private.publish_appointments(month date)
returns bigint
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with
  counted as (
    select
      d.name as department,
      a.status,
      a.patient_id
    from hospital.appointments as a
    join hospital_private.consenting_patients as p
      on p.id = a.patient_id
    join hospital.departments as d
      on d.id = a.department_id
    join hospital.facilities as f
      on f.id = d.facility_id
    -- A day more on either side, for the index: no clock is further from UTC.
    where a.starts_at >= publish_appointments.month::timestamp at time zone 'UTC' - interval '1 day'
      and a.starts_at
        < (publish_appointments.month + interval '1 month') at time zone 'UTC' + interval '1 day'
      and date_trunc('month', a.starts_at at time zone f.time_zone) = publish_appointments.month
  ),
  summed as (
    select
      row(
        c.department, c.status, count(distinct c.patient_id), count(*), false
      )::hospital_private.table_cell as cell
    from counted as c
    group by cube (c.department, c.status)
    -- Of nothing there is a total, too, which is no cell.
    having count(*) > 0
  ),
  published as (
    insert into masked.publications (report, period_start, period_end, smallest_cell)
    select
      'appointments',
      publish_appointments.month,
      publish_appointments.month + interval '1 month',
      m.smallest_cell
    from hospital_private.masking_settings as m
    where exists (select from summed)
    on conflict on constraint publications_pkey do nothing
    returning smallest_cell
  ),
  written as (
    insert into masked.published_appointments (month, department, status, appointments)
    select
      publish_appointments.month,
      c.line,
      c.stack,
      case when not c.is_suppressed then c.value end
    from published as p
    cross join lateral hospital_private.suppress_cells(
      array(select s.cell from summed as s), p.smallest_cell
    ) as c
    returning 1
  )
  select count(*)
  from written;
$$;
comment on function hospital_private.publish_appointments(date) is
  'Publishes the appointments of a month unless that was done, and returns how many cells were written.';

create or replace function hospital_private.publish_diagnoses(year integer)
returns bigint
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with
  counted as (
    select
      t.chapter,
      -- The age reached in the year, so that a person is in one band.
      format(
        '%s/%s',
        p.sex,
        case
          when age.years >= 90 then '90+'
          else format('%s-%s', age.years / 10 * 10, age.years / 10 * 10 + 9)
        end
      ) as stratum,
      g.patient_id
    from hospital.visit_diagnoses as g
    join hospital_private.consenting_patients as p
      on p.id = g.patient_id
    join hospital_private.diagnosis_categories as t
      on t.diagnosis_code_id = g.diagnosis_code_id
    join hospital.visits as v
      on v.id = g.visit_id
      and v.voided_at is null
    join hospital.appointments as a
      on a.id = v.appointment_id
    join hospital.departments as d
      on d.id = a.department_id
    join hospital.facilities as f
      on f.id = d.facility_id
    cross join lateral (
      select publish_diagnoses.year - extract(year from p.date_of_birth)::integer as years
    ) as age
    where g.voided_at is null
      and v.started_at >= make_date(publish_diagnoses.year, 1, 1)::timestamp at time zone 'UTC'
        - interval '1 day'
      and v.started_at < make_date(publish_diagnoses.year + 1, 1, 1)::timestamp at time zone 'UTC'
        + interval '1 day'
      and extract(year from v.started_at at time zone f.time_zone) = publish_diagnoses.year
  ),
  summed as (
    select
      row(
        c.chapter, c.stratum, count(distinct c.patient_id), count(*), false
      )::hospital_private.table_cell as cell
    from counted as c
    group by cube (c.chapter, c.stratum)
    having count(*) > 0
  ),
  published as (
    insert into masked.publications (report, period_start, period_end, smallest_cell)
    select
      'diagnoses',
      make_date(publish_diagnoses.year, 1, 1),
      make_date(publish_diagnoses.year + 1, 1, 1),
      m.smallest_cell
    from hospital_private.masking_settings as m
    where exists (select from summed)
    on conflict on constraint publications_pkey do nothing
    returning smallest_cell
  ),
  written as (
    insert into masked.published_diagnoses (year, chapter, sex, age_band, diagnoses)
    select
      publish_diagnoses.year,
      c.line,
      split_part(c.stack, '/', 1),
      split_part(c.stack, '/', 2),
      case when not c.is_suppressed then c.value end
    from published as p
    cross join lateral hospital_private.suppress_cells(
      array(select s.cell from summed as s), p.smallest_cell
    ) as c
    returning 1
  )
  select count(*)
  from written;
$$;
comment on function hospital_private.publish_diagnoses(integer) is
  'Publishes the coded diagnoses of a year unless that was done, and returns how many cells were written.';

create or replace function ops.publish_aggregates()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  closed as (
    select
      (min(a.starts_at) at time zone 'UTC')::date - 1 as since,
      -- Over by every clock on earth, and for as long as corrections take.
      (now() at time zone 'Etc/GMT+12')::date
        - (select m.closing_days from hospital_private.masking_settings as m) as until
    from hospital.appointments as a
  ),
  done as (
    select hospital_private.publish_appointments(month::date) as cells
    from closed as c
    cross join generate_series(
      date_trunc('month', c.since::timestamp),
      date_trunc('month', c.until::timestamp) - interval '1 month',
      interval '1 month'
    ) as month
    where not exists (
      select
      from masked.publications as p
      where p.report = 'appointments'
        and p.period_start = month::date
    )
    union all
    select hospital_private.publish_diagnoses(year)
    from closed as c
    cross join generate_series(
      extract(year from c.since)::integer,
      extract(year from c.until)::integer - 1
    ) as year
    where not exists (
      select
      from masked.publications as p
      where p.report = 'diagnoses'
        and p.period_start = make_date(year, 1, 1)
    )
  )
  select coalesce(sum(d.cells), 0)::bigint
  from done as d;
$$;
comment on function ops.publish_aggregates() is
  'Publishes every month and year that is over and was not published yet, and returns how many cells were written. Lends the worker the owner''s right to count patients and to publish.';

--! split: 5067-11-privacy-reapply_erasure.sql
-- source: sql/11-privacy/reapply_erasure.sql
-- After a restore: the journal of erasures lies outside the backups, so it knows whom they bring back.
create or replace function hospital_private.reapply_erasure(
  record_uuids uuid[],
  reason text,
  is_complete boolean,
  erased_at timestamptz
)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  record record;
  outcome text := 'absent';
begin
  for record in
    select
      p.id,
      p.public_uuid,
      p.erased_at
    from hospital.patients as p
    where p.public_uuid = any (reapply_erasure.record_uuids)
    order by p.id
  loop
    if record.erased_at is not null
      or not reapply_erasure.is_complete
      and exists (
        select
        from hospital.erasures as e
        where e.erased_at = reapply_erasure.erased_at
          and record.public_uuid = any (e.record_uuids)
      )
    then
      outcome := case outcome when 'absent' then 'already' else outcome end;
      continue;
    end if;
    -- It was erased then, so no hold stood then: those from before had been released since the backup.
    update hospital.legal_holds as h
    set held = tstzrange(lower(h.held), least(upper(h.held), reapply_erasure.erased_at)),
      released_at = reapply_erasure.erased_at,
      release_reason = 'Released before the erasure that the journal knows of.'
    where h.patient_id = any (hospital_private.records_of_person(record.id))
      and h.released_at is null
      and lower(h.held) < reapply_erasure.erased_at;
    perform hospital_private.erase_person(
      record.id,
      reapply_erasure.reason,
      not reapply_erasure.is_complete,
      null,
      reapply_erasure.erased_at
    );
    outcome := 'erased';
  end loop;
  return outcome;
end;
$$;
comment on function hospital_private.reapply_erasure(uuid[], text, boolean, timestamptz) is
  'Erases again, in a database that a backup brought back, a person whom the journal says was erased; tells whether he was erased now, had been already, or is absent. Holds begun before it are ended as of then. Raises LEGHD for a later one, and what erase_person raises.';

--! split: 5068-11-privacy-record_chart_access.sql
-- source: sql/11-privacy/record_chart_access.sql
-- One row for each account, patient, purpose, ground and window, however many sessions open the chart at
-- once: the exclusion constraint decides, and whoever comes second joins the look that is there.
create or replace function hospital_private.record_chart_access(ground audit.chart_accesses)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  moment constant timestamptz := clock_timestamp();
  span constant tstzrange := tstzrange(
    moment,
    moment + (select r.chart_window from hospital_private.privacy_rules as r)
  );
  access_id bigint;
begin
  insert into audit.chart_accesses (
    patient_id, account_id, session_id, role, department_id, purpose, opened_at, tag,
    break_glass_grant_id, consent_id, client_address, request_id, covers
  )
  values (
    ground.patient_id,
    ground.account_id,
    ground.session_id,
    ground.role,
    ground.department_id,
    ground.purpose,
    moment,
    ground.tag,
    ground.break_glass_grant_id,
    ground.consent_id,
    hospital_private.client_address(),
    nullif(current_setting('infirmary.request_id', true), ''),
    span
  )
  on conflict on constraint chart_accesses_one_per_window do nothing
  returning id
  into access_id;
  if access_id is null then
    select c.id
    into access_id
    from audit.chart_accesses as c
    where c.account_id = ground.account_id
      and c.patient_id = ground.patient_id
      and c.purpose = ground.purpose
      and c.tag = ground.tag
      and coalesce(c.break_glass_grant_id, c.consent_id, 0)
        = coalesce(ground.break_glass_grant_id, ground.consent_id, 0)
      and c.covers && span
    order by c.opened_at
    limit 1;
  end if;
  insert into audit.chart_openings (session_id, access_id, patient_id, role)
  values (ground.session_id, access_id, ground.patient_id, ground.role)
  on conflict on constraint chart_openings_pkey do nothing;
end;
$$;
comment on function hospital_private.record_chart_access(audit.chart_accesses) is
  'Writes a look into the access log, or joins the one whose window runs, and opens the chart in the session.';

--! split: 5069-11-privacy-record_consent.sql
-- source: sql/11-privacy/record_consent.sql
-- Whom a patient may decide for, and who records for him with what evidence, stands in the policies and in
-- the table; here a consent only gets its beginning, which never lies in the past.
create or replace function hospital.record_consent(
  patient_id bigint,
  scope text,
  staff_member_id bigint default null,
  department_id bigint default null,
  starts_at timestamptz default null,
  ends_at timestamptz default null,
  evidence text default null
)
returns hospital.consents
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  moment constant timestamptz := clock_timestamp();
  consent hospital.consents;
begin
  if not exists (
    select
    from hospital.patients as p
    where p.id = record_consent.patient_id
  ) then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient.';
  end if;
  if not exists (
    select
    from hospital.consent_scopes as s
    where s.code = record_consent.scope
  ) then
    raise exception using
      errcode = 'UNKWN',
      message = 'There is no such scope of a consent.';
  end if;
  if record_consent.ends_at <= greatest(record_consent.starts_at, moment) then
    raise exception using
      errcode = 'PASTT',
      message = 'A consent ends after it begins, and not in the past.';
  end if;
  insert into hospital.consents
    (patient_id, scope, staff_member_id, department_id, granted, evidence)
  values (
    record_consent.patient_id,
    record_consent.scope,
    record_consent.staff_member_id,
    record_consent.department_id,
    tstzrange(greatest(record_consent.starts_at, moment), record_consent.ends_at),
    record_consent.evidence
  )
  returning *
  into consent;
  return consent;
end;
$$;
comment on function hospital.record_consent(
  bigint, text, bigint, bigint, timestamptz, timestamptz, text
) is
  'Records what a patient permits or denies, from now unless another beginning is given, until it ends or is withdrawn; whoever records for the patient says what shows it. Raises NTFND, UNKWN, PASTT, or a conflict when it stands already.';

create or replace function hospital.withdraw_consent(consent_id bigint)
returns hospital.consents
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  consent hospital.consents;
begin
  update hospital.consents as c
  set withdrawn_at = clock_timestamp()
  where c.id = withdraw_consent.consent_id
    and c.withdrawn_at is null
  returning c.*
  into consent;
  -- Withdrawing twice is no error and keeps the first time.
  if consent.id is null then
    select c.*
    into consent
    from hospital.consents as c
    where c.id = withdraw_consent.consent_id;
  end if;
  if consent.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such consent.';
  end if;
  return consent;
end;
$$;
comment on function hospital.withdraw_consent(bigint) is
  'Withdraws a consent now, whether it permitted or denied. Raises NTFND.';

--! split: 5070-11-privacy-records_of_person.sql
-- source: sql/11-privacy/records_of_person.sql
-- A person is all records that merges link, whichever of them is asked about.
create or replace function hospital_private.records_of_person(patient_id bigint)
returns bigint[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  with recursive person as (
    select records_of_person.patient_id as id
    union
    select linked.id
    from person as n
    cross join lateral (
      select p.id
      from hospital.patients as p
      where p.merged_into_id = n.id
      union all
      select p.merged_into_id
      from hospital.patients as p
      where p.id = n.id
        and p.merged_into_id is not null
    ) as linked
  )
  select array_agg(n.id order by n.id)
  from person as n;
$$;
comment on function hospital_private.records_of_person(bigint) is
  'The keys of all records of the person one of whose records this is, in ascending order. Lends the owner''s right to follow merges.';

create or replace function hospital_private.values_of_person(patient_ids bigint[])
returns text[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select array_agg(v.value)
  from (
    select p.public_uuid::text
    from hospital.patients as p
    where p.id = any (values_of_person.patient_ids)
    union
    select p.mrn
    from hospital.patients as p
    where p.id = any (values_of_person.patient_ids)
    union
    select i.value
    from hospital.patient_identifiers as i
    where i.patient_id = any (values_of_person.patient_ids)
    union
    select c.value
    from hospital.contact_points as c
    where c.patient_id = any (values_of_person.patient_ids)
  ) as v (value)
  -- Shorter ones stand in lines of other people too.
  where char_length(v.value) >= 8;
$$;
comment on function hospital_private.values_of_person(bigint[]) is
  'What only a line about the person of these records holds: identifiers, numbers and addresses. Lends the owner''s right to read them.';

--! split: 5071-11-privacy-retention.sql
-- source: sql/11-privacy/retention.sql
-- How long anything of a person must be kept: per rule, from the last contact that its tables know of,
-- and for whoever was a minor until an age. Days are those of UTC, whoever asks from wherever.
create or replace function hospital_private.retention_of(patient_ids bigint[])
returns table (rule text, name text, is_separable boolean, last_contact_on date, kept_until date)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
  contact hospital_private.person_tables;
  newest date;
  contacts jsonb := '{}'::jsonb;
begin
  for contact in
    select t.*
    from hospital_private.person_tables as t
    where t.last_contact is not null
  loop
    execute format(
      'select max((%s)::timestamptz)::date from %s as t where %s',
      contact.last_contact, contact.relation, contact.rows_of
    )
    into newest
    using retention_of.patient_ids;
    contacts := contacts || jsonb_build_object(
      contact.retention_rule,
      greatest((contacts ->> contact.retention_rule)::date, newest)
    );
  end loop;
  return query
  select
    r.code,
    r.name,
    r.is_separable,
    (contacts ->> r.code)::date,
    greatest(
      (contacts ->> r.code)::date + r.kept_for,
      case
        when contacts ->> r.code is not null
          then p.born_on + make_interval(years => r.minors_until_age)
      end
    )::date
  from hospital.retention_rules as r
  cross join (
    select max(o.date_of_birth) as born_on
    from hospital.patients as o
    where o.id = any (retention_of.patient_ids)
  ) as p;
end;
$$;
comment on function hospital_private.retention_of(bigint[]) is
  'For each rule the last contact of the person of these records and the day until which what it is about must be kept, null where there is nothing. Lends the owner''s right to read the record.';

create or replace function hospital.retention_due(as_of date default null)
returns setof hospital.due_erasure
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
  contacts text;
begin
  perform hospital_private.require_role('administrator');
  select string_agg(
    format(
      'select t.%I, %L, max((%s)::timestamptz)::date from %s as t group by 1',
      case t.relation when 'hospital.patients' then 'id' else 'patient_id' end,
      t.retention_rule,
      t.last_contact,
      t.relation
    ),
    ' union all '
  )
  into contacts
  from hospital_private.person_tables as t
  where t.last_contact is not null;
  return query execute format(
    $query$
      with recursive
      persons (record_id, id) as (
        select p.id, p.id
        from hospital.patients as p
        where p.merged_into_id is null
          and p.erased_at is null
        union all
        select p.id, r.id
        from hospital.patients as p
        join persons as r
          on r.record_id = p.merged_into_id
      ),
      contacts (record_id, rule, day) as (%s),
      due as (
        select
          n.id,
          max(c.day) as last_contact_on,
          max(
            greatest(
              c.day + r.due_after,
              p.date_of_birth + make_interval(years => r.minors_until_age)
            )
          )::date as due_on
        from persons as n
        join contacts as c
          on c.record_id = n.record_id
        join hospital.patients as p
          on p.id = n.record_id
        join hospital.retention_rules as r
          on r.code = c.rule
        group by n.id
      )
      select
        d.id,
        d.last_contact_on,
        d.due_on,
        hospital_private.is_held(hospital_private.records_of_person(d.id))
      from due as d
      where d.due_on <= $1
      order by
        d.due_on,
        d.id
    $query$,
    contacts
  )
  using coalesce(retention_due.as_of, current_date);
end;
$$;
comment on function hospital.retention_due(date) is
  'The patients whose whole record is due for erasure by the retention rules on a day, by default today, those due longest first; nothing is erased by it. For administrators. Raises UNAUT, PRMSN. Lends the owner''s right to read when each patient was last seen.';

--! split: 5072-11-privacy-review_break_glass.sql
-- source: sql/11-privacy/review_break_glass.sql
create or replace function hospital.review_break_glass(
  grant_id bigint,
  outcome text,
  remark text default null
)
returns hospital.break_glass_grants
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  emergency hospital.break_glass_grants;
begin
  if review_break_glass.outcome is null then
    raise exception using
      errcode = 'MISSA',
      message = 'Say what the review found.';
  end if;
  update hospital.break_glass_grants as g
  set outcome = review_break_glass.outcome,
    review_remark = review_break_glass.remark
  where g.id = review_break_glass.grant_id
    and g.reviewed_at is null
  returning g.*
  into emergency;
  return hospital_private.found_break_glass(emergency);
end;
$$;
comment on function hospital.review_break_glass(bigint, text, text) is
  'Records what the review of somebody else''s emergency access found, once. Raises NTFND, MISSA.';

create or replace function hospital.break_glass_reviews_due()
returns setof hospital.break_glass_grants
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select g.*
  from hospital.break_glass_grants as g
  where g.reviewed_at is null
    and g.account_id <> (select hospital_private.current_account_id())
  order by
    g.review_due_at,
    g.id;
$$;
comment on function hospital.break_glass_reviews_due() is
  'The emergency accesses that the caller may review and nobody has, the most urgent first.';

--! split: 5073-11-privacy-revoke_proxy.sql
-- source: sql/11-privacy/revoke_proxy.sql
create or replace function hospital.revoke_proxy(patient_proxy_id bigint)
returns hospital.patient_proxies
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  proxy hospital.patient_proxies;
begin
  perform hospital_private.require_role('patient', 'reception', 'administrator');
  proxy := hospital_private.visible_proxy(revoke_proxy.patient_proxy_id);
  if proxy.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such proxy.';
  end if;
  -- A child does not send the parents away; whoever is of age has none left to send.
  if proxy.is_guardian
    and hospital_private.session_has_role('patient')
    and proxy.proxy_id not in (select hospital_private.current_patient_ids())
  then
    raise exception using
      errcode = 'PROXY',
      message = 'Parents and guardians are withdrawn at reception.';
  end if;
  update hospital.patient_proxies as x
  set revoked_at = clock_timestamp(),
    revoked_by = hospital_private.current_account_id()
  where x.id = proxy.id
    and x.revoked_at is null;
  return hospital_private.visible_proxy(proxy.id);
end;
$$;
comment on function hospital.revoke_proxy(bigint) is
  'Ends a proxy''s right at once and returns the grant; one that was revoked before stays as it was. For the patient, unless of a guardian, for the proxy who steps back, for reception and administrators. Raises UNAUT, PRMSN, NTFND, PROXY. Lends the owner''s right to write grants.';

--! split: 5074-11-privacy-start_masking_release.sql
-- source: sql/11-privacy/start_masking_release.sql
-- Retired means destroyed: without the secrets nobody, the hospital included, can compute a pseudonym of
-- that release again.
create or replace function hospital_private.retire_masking_release(release_id bigint)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  delete from hospital_private.masking_subjects as s
  where s.release_id = retire_masking_release.release_id;
  delete from hospital_private.masking_categories as c
  where c.release_id = retire_masking_release.release_id;
  update hospital_private.masking_releases as r
  set retired_at = now()
  where r.id = retire_masking_release.release_id
    and r.retired_at is null;
$$;
comment on function hospital_private.retire_masking_release(bigint) is
  'Ends a release and destroys its secrets, after which its pseudonyms mean nothing to anybody.';

create or replace function hospital_private.start_masking_release(purpose text)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  release hospital_private.masking_releases;
begin
  perform hospital_private.retire_masking_release(r.id)
  from hospital_private.masking_releases as r
  where r.purpose = start_masking_release.purpose
    and r.retired_at is null;
  insert into hospital_private.masking_releases (purpose, until, smallest_cell)
  select
    start_masking_release.purpose,
    -- Whole months that are over everywhere on earth.
    date_trunc('month', now() at time zone 'Etc/GMT+12')::date,
    m.smallest_cell
  from hospital_private.masking_settings as m
  returning *
  into release;

  insert into hospital_private.masking_subjects (release_id, patient_id, secret, shift_days)
  select
    release.id,
    drawn.patient_id,
    drawn.secret,
    -- 730 offsets, from a year back to a year ahead; 0 would be none.
    case when drawn.place < 365 then drawn.place - 365 else drawn.place - 364 end
  from (
    select
      p.id as patient_id,
      extensions.gen_random_bytes(32) as secret,
      ('x' || encode(extensions.gen_random_bytes(4), 'hex'))::bit(32)::bigint % 730 as place
    from hospital_private.consenting_patients as p
  ) as drawn;

  insert into hospital_private.masking_categories (release_id, kind, category)
  select
    release.id,
    used.kind,
    used.category
  from (
    select 'sex', p.sex, p.id
    from hospital_private.consenting_patients as p
    union all
    select 'specialization', d.specialization, a.patient_id
    from hospital.appointments as a
    join hospital.doctors as d
      on d.id = a.doctor_id
    union all
    select 'type', t.name, a.patient_id
    from hospital.appointments as a
    join hospital.appointment_types as t
      on t.id = a.appointment_type_id
    union all
    select 'diagnosis', c.category, d.patient_id
    from hospital.visit_diagnoses as d
    join hospital_private.diagnosis_categories as c
      on c.diagnosis_code_id = d.diagnosis_code_id
    union all
    select 'diagnosis', c.category, d.patient_id
    from hospital.patient_conditions as d
    join hospital_private.diagnosis_categories as c
      on c.diagnosis_code_id = d.diagnosis_code_id
    union all
    select 'medication', m.name, d.patient_id
    from hospital.prescriptions as d
    join hospital.medications as m
      on m.id = d.medication_id
    union all
    select 'treatment', d.type, d.patient_id
    from hospital.treatments as d
  ) as used (kind, category, patient_id)
  join hospital_private.consenting_patients as p
    on p.id = used.patient_id
  group by
    used.kind,
    used.category
  having count(distinct used.patient_id) >= release.smallest_cell;

  -- Taken for a handful, the persons would be looked up one by one in every table.
  analyze hospital_private.masking_subjects, hospital_private.masking_categories;
  return release.id;
end;
$$;
comment on function hospital_private.start_masking_release(text) is
  'Makes a release of de-identified rows with fresh pseudonyms and offsets, retires the one before for the same purpose, and returns its number.';

--! split: 5075-11-privacy-suppress_cells.sql
-- source: sql/11-privacy/suppress_cells.sql
-- Hiding the small cells of a table is not enough where totals are shown: a cell alone in its line or
-- stack is the total less the others. So each small cell becomes the corner of a rectangle whose four
-- corners are all hidden. Adding to one corner, taking from the next, and so on round changes no sum, so
-- that nothing that is shown tells one such table from another. Totals are cells like the rest: the
-- difference is a sign.
--
-- The rectangle must leave room: round it the small cell can be moved through a span of half its value, and
-- of two at least, before a corner that loses as much comes to nothing. (A reader knows that what is
-- hidden is not nothing, since a zero is no row.) Of those the cheapest is taken. There always is one: with
-- the totals of line, stack and table all corners grow together.
create or replace function hospital_private.suppress_cells(
  cells hospital_private.table_cell[],
  smallest_cell integer
)
returns setof hospital_private.table_cell
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  lines constant text[] := array(
    select distinct c.line from unnest(suppress_cells.cells) as c where c.line is not null
  );
  stacks constant text[] := array(
    select distinct c.stack from unnest(suppress_cells.cells) as c where c.stack is not null
  );
  -- The table spread out row by row, totals first; the place of a cell is y * width + x + 1.
  width constant integer := cardinality(stacks) + 1;
  height constant integer := cardinality(lines) + 1;
  amounts bigint[] := array_fill(0::bigint, array[width * height]);
  hidden boolean[] := array_fill(false, array[width * height]);
  cell record;
  corners integer[];
begin
  for cell in
    select
      coalesce(array_position(lines, c.line), 0) * width
        + coalesce(array_position(stacks, c.stack), 0) + 1 as place,
      c.persons,
      c.value
    from unnest(suppress_cells.cells) as c
  loop
    amounts[cell.place] := cell.value;
    hidden[cell.place] := cell.persons < suppress_cells.smallest_cell;
  end loop;

  for cell in
    select
      (h.place - 1) / width as y,
      (h.place - 1) % width as x,
      amounts[h.place] as amount
    from unnest(hidden) with ordinality as h (is_hidden, place)
    where h.is_hidden
    order by
      amounts[h.place] desc,
      h.place
  loop
    select array[c.across, c.down, c.opposite]::integer[]
    into strict corners
    from (
      select
        cell.y * width + x + 1 as across,
        y * width + cell.x + 1 as down,
        y * width + x + 1 as opposite,
        -- Whether a corner grows with the cell, or loses what it gains.
        ((cell.y = 0) <> (cell.x = 0)) = ((cell.y = 0) = (x = 0)) as across_grows,
        ((cell.y = 0) <> (cell.x = 0)) = ((y = 0) = (cell.x = 0)) as down_grows,
        ((cell.y = 0) <> (cell.x = 0)) = ((y = 0) <> (x = 0)) as opposite_grows
      from generate_series(0, height - 1) as y
      cross join generate_series(0, width - 1) as x
      where y <> cell.y
        and x <> cell.x
    ) as c
    cross join lateral (
      select
        least(
          case when not c.across_grows then amounts[c.across] - 1 end,
          case when not c.down_grows then amounts[c.down] - 1 end,
          case when not c.opposite_grows then amounts[c.opposite] - 1 end
        ) as up,
        least(
          cell.amount - 1,
          case when c.across_grows then amounts[c.across] - 1 end,
          case when c.down_grows then amounts[c.down] - 1 end,
          case when c.opposite_grows then amounts[c.opposite] - 1 end
        ) as down
    ) as room
    where least(amounts[c.across], amounts[c.down], amounts[c.opposite]) > 0
      -- Without a corner that loses there is no end to growing.
      and (room.up is null or room.up + room.down >= greatest(cell.amount / 2, 2))
    order by
      case when hidden[c.across] then 0 else amounts[c.across] end
        + case when hidden[c.down] then 0 else amounts[c.down] end
        + case when hidden[c.opposite] then 0 else amounts[c.opposite] end,
      c.opposite
    limit 1;
    hidden[corners[1]] := true;
    hidden[corners[2]] := true;
    hidden[corners[3]] := true;
  end loop;

  return query
  select
    c.line,
    c.stack,
    c.persons,
    c.value,
    hidden[
      coalesce(array_position(lines, c.line), 0) * width
        + coalesce(array_position(stacks, c.stack), 0) + 1
    ]
  from unnest(suppress_cells.cells) as c;
end;
$$;
comment on function hospital_private.suppress_cells(hospital_private.table_cell[], integer) is
  'Marks which cells of a table with its totals are kept back, so that cells of fewer persons can neither be read nor be computed from the others.';

--! split: 5076-11-privacy-what_is_personal.sql
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

--! split: 5077-11-privacy-who_viewed_my_chart.sql
-- source: sql/11-privacy/who_viewed_my_chart.sql
-- Of all records of the person who asks, and of nobody's for whom he acts.
create or replace function hospital.who_viewed_my_chart()
returns setof hospital.chart_view
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    c.opened_at,
    -- The first of what closed it: its window, its ground, or the last of its sessions.
    greatest(
      c.opened_at,
      least(upper(c.covers), upper(g.in_force), upper(p.in_force), seen.until)
    ),
    seen.sessions,
    concat_ws(' ', m.given_name, m.family_name),
    c.role,
    m.id,
    d.id,
    d.name,
    c.purpose,
    c.tag,
    t.name,
    g.category
  from audit.chart_accesses as c
  join audit.access_tags as t
    on t.code = c.tag
  join hospital_private.accounts as a
    on a.id = c.account_id
  left join hospital.staff_members as m
    on m.id = a.staff_member_id
  left join hospital.departments as d
    on d.id = c.department_id
  left join hospital.break_glass_grants as g
    on g.id = c.break_glass_grant_id
  left join hospital.consents as p
    on p.id = c.consent_id
  cross join lateral (
    select
      count(*)::integer as sessions,
      -- A session that is no longer on record may have read until the window's end.
      case
        when bool_and(s.id is not null)
          then max(coalesce(s.revoked_at, s.access_expires_at))
      end as until
    from audit.chart_openings as o
    left join hospital_private.sessions as s
      on s.id = o.session_id
    where o.access_id = c.id
      and o.patient_id = c.patient_id
  ) as seen
  where c.patient_id = any (array(select hospital_private.current_patient_ids()))
  order by
    c.opened_at desc,
    c.id desc;
$$;
comment on function hospital.who_viewed_my_chart() is
  'Who looked at the chart of the patient who asks, when, why and on what ground, the latest first. Lends the owner''s right to read the access log to the one it is about.';

--! split: 5078-12-audit-audit_entries.sql
-- source: sql/12-audit/audit_entries.sql
-- An entry holds the row as it was. What it became is what the next entry of the row says it was, or the
-- row as it is: so an image is stored once, and compared when somebody reads.
create or replace function hospital.audit_entries(
  patient_id bigint default null,
  table_name text default null,
  row_key text default null,
  account_id bigint default null,
  recorded_from timestamptz default null,
  recorded_before timestamptz default null,
  older_than bigint default null
)
returns setof hospital.audit_entry
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    e.sequence,
    e.recorded_at,
    e.table_name,
    e.operation,
    e.row_key,
    e.patient_id,
    e.account_id,
    e.role,
    e.database_user,
    host(e.client_address),
    e.request_id,
    e.purpose,
    audit.changes_of(e)
  from audit.entries as e
  where (select hospital_private.audit_is_open())
    and (audit_entries.patient_id is null or e.patient_id = audit_entries.patient_id)
    and (audit_entries.table_name is null or e.table_name = audit_entries.table_name)
    and (audit_entries.row_key is null or e.row_key = audit_entries.row_key)
    and (audit_entries.account_id is null or e.account_id = audit_entries.account_id)
    and (audit_entries.recorded_from is null or e.recorded_at >= audit_entries.recorded_from)
    and (audit_entries.recorded_before is null or e.recorded_at < audit_entries.recorded_before)
    and (audit_entries.older_than is null or e.sequence < audit_entries.older_than)
  order by e.sequence desc
  limit 200;
$$;
comment on function hospital.audit_entries(bigint, text, text, bigint, timestamptz, timestamptz, bigint) is
  'The newest 200 changes on record that fit, with the columns changed; older ones by older_than. Nothing unless the auditor''s session has called open_audit. Lends the owner''s right to read the audit.';

create or replace function audit.changes_of(entry audit.entries)
returns hospital.audit_change[]
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  before jsonb := audit.whole_image(entry.patient_id, entry.old_image, entry.sealed_identity);
  after jsonb;
  next audit.entries;
begin
  if entry.operation in ('baseline', 'truncate') then
    return '{}'::hospital.audit_change[];
  end if;
  if entry.operation <> 'delete' then
    select n.*
    into next
    from audit.entries as n
    where n.table_name = entry.table_name
      and n.row_key = entry.row_key
      and n.sequence > entry.sequence
      and n.old_image is not null
    order by n.sequence
    limit 1;
    after := case
      when next.sequence is null then audit.live_image(entry.table_name, entry.row_key)
      else audit.whole_image(next.patient_id, next.old_image, next.sealed_identity)
    end;
  end if;
  return array(
    select row(
      k.name,
      case when i.column_name is null then before ->> k.name end,
      case when i.column_name is null then after ->> k.name end,
      i.column_name is not null
    )::hospital.audit_change
    from (
      select jsonb_object_keys(coalesce(before, '{}') || coalesce(after, '{}'))
    ) as k (name)
    left join audit.identity_columns as i
      on i.table_name = entry.table_name
      and i.column_name = k.name
      and entry.patient_id is not null
    where before ->> k.name is distinct from after ->> k.name
    order by k.name
  );
end;
$$;
comment on function audit.changes_of(audit.entries) is
  'The columns that differ between the row as it was and as it became; of those that identify a patient only the names.';

create or replace function audit.whole_image(patient_id bigint, image jsonb, sealed bytea)
returns jsonb
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when whole_image.sealed is null then whole_image.image
    else whole_image.image
      || coalesce(audit.open_identity(whole_image.patient_id, whole_image.sealed), '{}')
  end;
$$;
comment on function audit.whole_image(bigint, jsonb, bytea) is
  'An image together with the identity sealed beside it, as far as its key still exists.';

create or replace function audit.live_image(table_name text, row_key text)
returns jsonb
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  relation regclass := to_regclass(live_image.table_name);
  key text;
  image jsonb;
begin
  if relation is null then
    return null;
  end if;
  -- Part by part and with the column's type, so that the primary key's index is used.
  select string_agg(
    format(
      'n.%I = %s::%s',
      a.attname,
      case cardinality(c.conkey)
        when 1 then '$1'
        else format($part$split_part($1, ' ', %s)$part$, k.position)
      end,
      format_type(a.atttypid, a.atttypmod)
    ),
    ' and '
  )
  into key
  from pg_catalog.pg_constraint as c
  cross join lateral unnest(c.conkey) with ordinality as k (attnum, position)
  join pg_catalog.pg_attribute as a
    on a.attrelid = c.conrelid
    and a.attnum = k.attnum
  where c.conrelid = relation
    and c.contype = 'p';
  execute format(
    'select to_jsonb(n) - %L::text[] from %s as n where %s',
    array(
      select u.column_name
      from audit.unaudited_columns as u
      where u.table_name = live_image.table_name
    ),
    relation,
    key
  )
  into image
  using live_image.row_key;
  return image;
end;
$$;
comment on function audit.live_image(text, text) is
  'A row as it is now, without secrets, by table and primary key; null where there is none.';

--! split: 5079-12-audit-audited_chart_accesses.sql
-- source: sql/12-audit/audited_chart_accesses.sql
create or replace function hospital.audited_chart_accesses(
  patient_id bigint default null,
  account_id bigint default null,
  opened_from timestamptz default null,
  opened_before timestamptz default null
)
returns setof hospital.audited_chart_access
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    c.patient_id,
    c.account_id,
    c.role,
    c.purpose,
    c.opened_at
  from audit.chart_accesses as c
  where (select hospital_private.audit_is_open())
    and (
      audited_chart_accesses.patient_id is null
      or c.patient_id = audited_chart_accesses.patient_id
    )
    and (
      audited_chart_accesses.account_id is null
      or c.account_id = audited_chart_accesses.account_id
    )
    and (
      audited_chart_accesses.opened_from is null
      or c.opened_at >= audited_chart_accesses.opened_from
    )
    and (
      audited_chart_accesses.opened_before is null
      or c.opened_at < audited_chart_accesses.opened_before
    )
  order by c.opened_at desc, c.id desc;
$$;
comment on function hospital.audited_chart_accesses(bigint, bigint, timestamptz, timestamptz) is
  'Who opened which chart, newest first. Nothing unless the auditor''s session has called open_audit. Lends the owner''s right to read the access log.';

--! split: 5080-12-audit-audited_tables.sql
-- source: sql/12-audit/audited_tables.sql
-- The rule is the catalogue's: what stands in these schemas is recorded unless the list says otherwise.
create or replace function audit.audited_tables()
returns setof regclass
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select c.oid::regclass
  from pg_catalog.pg_class as c
  where c.relkind in ('r', 'p')
    and not c.relispartition
    and (
      c.relnamespace in ('hospital'::regnamespace, 'hospital_private'::regnamespace)
      or c.oid in ('audit.chart_accesses'::regclass, 'audit.audit_openings'::regclass)
    )
    and not exists (
      select
      from audit.unaudited_tables as u
      where to_regclass(u.table_name) = c.oid
    )
  order by c.oid::regclass::text;
$$;
comment on function audit.audited_tables() is
  'Every table whose changes must be recorded: all of hospital and hospital_private and the records of reading, but for those listed with a reason.';

create or replace function audit.name_of(relation regclass)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select format('%I.%I', n.nspname, c.relname)
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n
    on n.oid = c.relnamespace
  where c.oid = name_of.relation;
$$;
comment on function audit.name_of(regclass) is
  'The name of a table with its schema, whatever the search path is.';

create or replace function audit.audited_columns(relation regclass)
returns text[]
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select a.attname::text
    from pg_catalog.pg_attribute as a
    where a.attrelid = audited_columns.relation
      and a.attnum > 0
      and not a.attisdropped
      and not exists (
        select
        from audit.unaudited_columns as u
        where u.table_name = audit.name_of(audited_columns.relation)
          and u.column_name = a.attname
      )
    order by a.attnum
  );
$$;
comment on function audit.audited_columns(regclass) is
  'The columns of a table that are recorded, in order: all but the secrets.';

create or replace function audit.patient_column(relation regclass)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when patient_column.relation = 'hospital.patients'::regclass then 'id'
    when 'patient_id' = any (audit.audited_columns(patient_column.relation)) then 'patient_id'
  end;
$$;
comment on function audit.patient_column(regclass) is
  'The column of a table that says which patient a row is about, or null.';

--! split: 5081-12-audit-chain_hashes.sql
-- source: sql/12-audit/chain_hashes.sql
-- What a link of the chain is made of. The binary form of values depends on no setting and no version.
create or replace function audit.entry_hash(entry audit.entries)
returns bytea
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select sha256(
    record_send(
      row(
        entry_hash.entry.sequence,
        entry_hash.entry.transaction_id,
        entry_hash.entry.recorded_at,
        entry_hash.entry.era,
        entry_hash.entry.table_name,
        entry_hash.entry.operation,
        entry_hash.entry.row_key,
        entry_hash.entry.patient_id,
        entry_hash.entry.old_image,
        entry_hash.entry.sealed_identity,
        entry_hash.entry.new_row_digest,
        entry_hash.entry.account_id,
        entry_hash.entry.session_id,
        entry_hash.entry.role,
        entry_hash.entry.database_user,
        entry_hash.entry.client_address,
        entry_hash.entry.request_id,
        entry_hash.entry.purpose
      )
    )
  );
$$;
comment on function audit.entry_hash(audit.entries) is
  'The SHA-256 of everything an entry says; of a sealed identity, of its ciphertext.';

create or replace function audit.block_hash(block audit.seals)
returns bytea
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select sha256(
    block_hash.block.previous_hash
      || record_send(
        row(
          block_hash.block.block,
          block_hash.block.era,
          block_hash.block.month,
          block_hash.block.sequences,
          block_hash.block.last_transaction_id,
          block_hash.block.last_sequence
        )
      )
      || block_hash.block.entry_hashes
  );
$$;
comment on function audit.block_hash(audit.seals) is
  'The SHA-256 of a block together with the hash of the block before it.';

--! split: 5082-12-audit-current_actor.sql
-- source: sql/12-audit/current_actor.sql
-- Whoever presents a session's secret acts in it, also in the statement that ends it, so this asks less
-- than current_session: a log-out is still somebody's. It runs once per audited statement, so without
-- a claim it does not touch a table.
create or replace function audit.current_actor()
returns audit.actor
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  claimed_id text := current_setting('infirmary.session_id', true);
  actor audit.actor;
begin
  if claimed_id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then
    select
      s.account_id,
      s.id
    into actor.account_id, actor.session_id
    from hospital_private.sessions as s
    where s.id = claimed_id::uuid
      and s.secret_hash
        = sha256(convert_to(current_setting('infirmary.session_secret', true), 'UTF8'));
  end if;
  actor.role := nullif(current_setting('role'), 'none');
  actor.client_address := coalesce(hospital_private.client_address(), inet_client_addr());
  actor.request_id := left(nullif(current_setting('infirmary.request_id', true), ''), 100);
  return actor;
end;
$$;
comment on function audit.current_actor() is
  'Who is at work: the session whose id and secret the request carries, the role set, address and request.';

--! split: 5083-12-audit-digest_expressions.sql
-- source: sql/12-audit/digest_expressions.sql
-- The expressions of which recording and verifying are made, so that both say the same of a row.

create or replace function audit.key_expression(relation regclass, alias text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(
    format('%s.%I::text', key_expression.alias, a.attname),
    $glue$ || ' ' || $glue$
    order by k.position
  )
  from pg_catalog.pg_constraint as c
  cross join lateral unnest(c.conkey) with ordinality as k (attnum, position)
  join pg_catalog.pg_attribute as a
    on a.attrelid = c.conrelid
    and a.attnum = k.attnum
  where c.conrelid = key_expression.relation
    and c.contype = 'p';
$$;
comment on function audit.key_expression(regclass, text) is
  'SQL for the primary key of a row as text.';

-- The binary form of values depends on no setting of the session. A phone number could be found again
-- by trying all of them against a plain digest, so digests of rows with identity carry the person's salt.
create or replace function audit.digest_expression(relation regclass, alias text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select format(
    'sha256(%srecord_send(row(%s)))',
    case
      when exists (
        select
        from audit.identity_columns as i
        where i.table_name = audit.name_of(digest_expression.relation)
      )
        then format(
          'coalesce((select k.digest_salt from audit.person_keys as k '
            'where k.patient_id = %s.%I), '''') || ',
          digest_expression.alias,
          audit.patient_column(digest_expression.relation)
        )
      else ''
    end,
    (
      select string_agg(
        format('%s.%I', digest_expression.alias, c.name),
        ', '
        order by c.position
      )
      from unnest(audit.audited_columns(digest_expression.relation))
        with ordinality as c (name, position)
    )
  );
$$;
comment on function audit.digest_expression(regclass, text) is
  'SQL for the SHA-256 of the recorded columns of a row, salted where the row identifies a patient.';

create or replace function audit.image_expression(relation regclass, alias text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select format('to_jsonb(%s)', image_expression.alias)
    || coalesce(
      (
        select format(' - %L::text[]', array_agg(u.column_name order by u.column_name))
        from audit.unaudited_columns as u
        where u.table_name = audit.name_of(image_expression.relation)
        having count(*) > 0
      ),
      ''
    )
    || coalesce(
      (
        select format(
          ' - case when %s.%I is null then %L else %L end::text[]',
          image_expression.alias,
          audit.patient_column(image_expression.relation),
          '{}',
          array_agg(i.column_name order by i.column_name)
        )
        from audit.identity_columns as i
        where i.table_name = audit.name_of(image_expression.relation)
        having count(*) > 0
      ),
      ''
    );
$$;
comment on function audit.image_expression(regclass, text) is
  'SQL for the image of a row in clear: without secrets, and without identity where the row is a patient''s.';

create or replace function audit.identity_expression(relation regclass, alias text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
    (
      select format(
        'case when %1$s.%2$I is not null '
          'then audit.seal_identity(%1$s.%2$I, jsonb_build_object(%3$s)) end',
        identity_expression.alias,
        audit.patient_column(identity_expression.relation),
        string_agg(
          format('%L, %s.%I', i.column_name, identity_expression.alias, i.column_name),
          ', '
          order by i.column_name
        )
      )
      from audit.identity_columns as i
      where i.table_name = audit.name_of(identity_expression.relation)
      having count(*) > 0
    ),
    'null'
  );
$$;
comment on function audit.identity_expression(regclass, text) is
  'SQL for the sealed identity of a row, null where it has none.';

--! split: 5084-12-audit-enrol_tables.sql
-- source: sql/12-audit/enrol_tables.sql
-- Enrolment by the catalogue, safe to repeat. A migration that adds or changes a table calls it once
-- more; until then a lint names the table.
-- Rows that are there already are written down as a baseline, so that verify can answer for them too.
create or replace procedure audit.enrol_tables()
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  relation regclass;
  event record;
begin
  for relation in select audit.audited_tables() loop
    execute format(
      -- Plans are kept, and one made for a single row would pair 100,000 by trying each with each.
      'create or replace function audit.%I() returns trigger language plpgsql volatile '
        'security definer set search_path = pg_catalog, pg_temp set enable_nestloop = off as %L',
      audit.recorder_name(relation),
      audit.recorder_body(relation)
    );
    execute format(
      'comment on function audit.%I() is %L',
      audit.recorder_name(relation),
      format(
        'Trigger: records the changes of %s. Lends the owner''s right to write the audit.',
        audit.name_of(relation)
      )
    );
    for event in
      select *
      from (values
        ('insert', 'referencing new table as new_rows'),
        ('update', 'referencing old table as old_rows new table as new_rows'),
        ('delete', 'referencing old table as old_rows'),
        ('truncate', '')
      ) as e (name, transition)
    loop
      execute format(
        'create or replace trigger %I after %s on %s %s '
          'for each statement execute function audit.%I()',
        '_900_audit_' || event.name,
        event.name,
        relation,
        event.transition,
        audit.recorder_name(relation)
      );
    end loop;
    call audit.take_baseline(relation);
  end loop;
end;
$$;
comment on procedure audit.enrol_tables() is
  'Gives every table that must be recorded its trigger function and triggers, and writes its rows down when it is new here or has other columns than before.';

create or replace procedure audit.take_baseline(relation regclass)
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  columns text[] := audit.audited_columns(take_baseline.relation);
begin
  insert into audit.enrolments as e (table_name, columns)
  values (audit.name_of(take_baseline.relation), columns)
  on conflict (table_name) do update
    set columns = excluded.columns,
      enrolled_at = excluded.enrolled_at
    where e.columns <> excluded.columns;
  if not found then
    return;
  end if;
  execute format(
    'insert into audit.entries (table_name, operation, row_key, patient_id, new_row_digest) '
      'select %L, ''baseline'', %s, %s, %s from %s as n',
    audit.name_of(take_baseline.relation),
    audit.key_expression(take_baseline.relation, 'n'),
    coalesce('n.' || quote_ident(audit.patient_column(take_baseline.relation)), 'null'),
    audit.digest_expression(take_baseline.relation, 'n'),
    take_baseline.relation
  );
end;
$$;
comment on procedure audit.take_baseline(regclass) is
  'Writes every row of a table down as it is, where the table was not enrolled with these columns before.';

--! split: 5085-12-audit-keep_append_only.sql
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
create or replace trigger _300_append_only
  before update or delete on audit.key_fingerprints
  for each row execute function audit.keep_append_only();
create or replace trigger _300_append_only
  before update or delete on audit.chart_accesses
  for each row execute function audit.keep_append_only();
create or replace trigger _300_append_only
  before update or delete on audit.audit_openings
  for each row execute function audit.keep_append_only();

--! split: 5086-12-audit-key_encryption_key.sql
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
  known bytea := (select f.fingerprint from audit.key_fingerprints as f);
begin
  if setting is null or setting !~ '^[0-9a-f]{64}$' then
    raise exception using
      errcode = 'KEYNO',
      message = 'The key of the audit is missing.',
      hint = 'The server must set infirmary.audit_key from its key file; see docs/audit.md.';
  end if;
  if known is null and pg_has_role(session_user, 'hospital_owner', 'member') then
    insert into audit.key_fingerprints (fingerprint)
    values (sha256(decode(setting, 'hex')))
    on conflict (id) do nothing;
    known := (select f.fingerprint from audit.key_fingerprints as f);
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

--! split: 5087-12-audit-maintain_partitions.sql
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
      'create table audit.%I (like audit.entries including defaults including constraints)',
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

--! split: 5088-12-audit-make_person_keys.sql
-- source: sql/12-audit/make_person_keys.sql
-- Before anything is recorded of a person there is a salt for the digests.
create or replace function audit.make_person_keys()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into audit.person_keys (patient_id)
  select n.id
  from new_rows as n;
  return null;
end;
$$;
comment on function audit.make_person_keys() is
  'Trigger: gives new patients the salt of their digests. Lends the owner''s right to write person keys.';

create or replace trigger _890_make_person_keys
  after insert on hospital.patients
  referencing new table as new_rows
  for each statement execute function audit.make_person_keys();

--! split: 5089-12-audit-open_audit.sql
-- source: sql/12-audit/open_audit.sql
-- Who watches the watchman: the audit shows itself only to a session that has said why, and that is on
-- record before the first row is read.
create or replace function hospital.open_audit(reason text)
returns hospital.audit_opening
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  opening hospital.audit_opening;
begin
  perform hospital_private.require_role('auditor');
  insert into audit.audit_openings (account_id, session_id, reason)
  select
    s.account_id,
    s.id,
    btrim(open_audit.reason)
  from hospital_private.current_session() as s
  returning
    audit_openings.reason,
    audit_openings.opened_at
  into opening;
  return opening;
end;
$$;
comment on function hospital.open_audit(text) is
  'Opens the audit for the rest of the auditor''s session and records who, when and why. Raises UNAUT, PRMSN. Lends the owner''s right to write that record.';

create or replace function hospital_private.audit_is_open()
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select
    from hospital_private.current_session() as s
    join audit.audit_openings as o
      on o.session_id = s.id
    where s.role = 'auditor'
  );
$$;
comment on function hospital_private.audit_is_open() is
  'Whether the live session is an auditor''s that has opened the audit; lends the owner''s right to read the record of that.';

--! split: 5090-12-audit-open_identity.sql
-- source: sql/12-audit/open_identity.sql
create or replace function audit.open_identity(patient_id bigint, sealed bytea)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  key bytea := audit.person_key(open_identity.patient_id, false);
begin
  if key is null or substr(open_identity.sealed, 1, 8) <> substr(sha256(key), 1, 8) then
    return null;
  end if;
  return convert_from(
    extensions.decrypt_iv(
      substr(open_identity.sealed, 25),
      key,
      substr(open_identity.sealed, 9, 16),
      'aes-cbc/pad:pkcs'
    ),
    'UTF8'
  )::jsonb;
end;
$$;
comment on function audit.open_identity(bigint, bytea) is
  'What seal_identity sealed; null for ever once the person''s key was shredded. Raises KEYNO, KEYOT.';

--! split: 5091-12-audit-person_key.sql
-- source: sql/12-audit/person_key.sql
-- Two writers may need a person's first key at once: the second waits for the row and uses it.
create or replace function audit.person_key(patient_id bigint, may_create boolean)
returns bytea
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  kept audit.person_keys;
  initial bytea;
  fresh bytea;
begin
  select k.*
  into kept
  from audit.person_keys as k
  where k.patient_id = person_key.patient_id;
  if kept.shredded_at is not null then
    return null;
  end if;
  if kept.wrapped_key is null and person_key.may_create then
    initial := extensions.gen_random_bytes(16);
    fresh := extensions.gen_random_bytes(32);
    insert into audit.person_keys as k (patient_id, wrapped_key)
    values (
      person_key.patient_id,
      initial
        || extensions.encrypt_iv(fresh, audit.key_encryption_key(), initial, 'aes-cbc/pad:pkcs')
    )
    on conflict on constraint person_keys_pkey do update
      set wrapped_key = coalesce(k.wrapped_key, excluded.wrapped_key)
      where k.shredded_at is null
    returning k.*
    into kept;
  end if;
  if kept.wrapped_key is null then
    return null;
  end if;
  return extensions.decrypt_iv(
    substr(kept.wrapped_key, 17),
    audit.key_encryption_key(),
    substr(kept.wrapped_key, 1, 16),
    'aes-cbc/pad:pkcs'
  );
end;
$$;
comment on function audit.person_key(bigint, boolean) is
  'The key of a person, made now where allowed; null where there is none, or none any more. Raises KEYNO, KEYOT.';

--! split: 5092-12-audit-recorder_body.sql
-- source: sql/12-audit/recorder_body.sql
-- One trigger function per table, written here from the catalogue: its statements are static, so that
-- plpgsql keeps their plans. Read one with \sf audit.record_hospital_visits.
create or replace function audit.recorder_body(relation regclass)
returns text
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  patient_column text := audit.patient_column(recorder_body.relation);
  old_patient text := coalesce('o.' || quote_ident(patient_column), 'null::bigint');
  new_patient text := coalesce('n.' || quote_ident(patient_column), 'null::bigint');
  purpose text := case
    when patient_column is null then 'null'
    else 'case when actor.session_id is not null then audit.purpose_of(actor.session_id, %s) end'
  end;
  first_key text;
  same_row text;
begin
  select
    min(format('%I', a.attname)) filter (where k.position = 1),
    string_agg(format('n.%1$I = o.%1$I', a.attname), ' and ' order by k.position)
  into first_key, same_row
  from pg_catalog.pg_constraint as c
  cross join lateral unnest(c.conkey) with ordinality as k (attnum, position)
  join pg_catalog.pg_attribute as a
    on a.attrelid = c.conrelid
    and a.attnum = k.attnum
  where c.conrelid = recorder_body.relation
    and c.contype = 'p';
  return format(
    $body$
declare
  actor audit.actor := audit.current_actor();
begin
  if tg_op = 'INSERT' then
    insert into audit.entries
      (table_name, operation, row_key, patient_id, new_row_digest,
        account_id, session_id, role, client_address, request_id, purpose)
    select %1$L, 'insert', %2$s, %3$s, %4$s,
      actor.account_id, actor.session_id, actor.role, actor.client_address, actor.request_id, %5$s
    from new_rows as n;
  elsif tg_op = 'UPDATE' then
    -- A row whose key was changed is a row gone and a row come.
    insert into audit.entries
      (table_name, operation, row_key, patient_id, old_image, sealed_identity, new_row_digest,
        account_id, session_id, role, client_address, request_id, purpose)
    select %1$L,
      case
        when o.%6$s is null then 'insert'
        when n.%6$s is null then 'delete'
        else 'update'
      end,
      coalesce(%2$s, %7$s),
      coalesce(%3$s, %8$s),
      %9$s,
      %10$s,
      case when n.%6$s is not null then %4$s end,
      actor.account_id, actor.session_id, actor.role, actor.client_address, actor.request_id, %5$s
    from old_rows as o
    full join new_rows as n
      on %11$s;
  elsif tg_op = 'DELETE' then
    insert into audit.entries
      (table_name, operation, row_key, patient_id, old_image, sealed_identity,
        account_id, session_id, role, client_address, request_id, purpose)
    select %1$L, 'delete', %7$s, %8$s, %9$s, %10$s,
      actor.account_id, actor.session_id, actor.role, actor.client_address, actor.request_id, %12$s
    from old_rows as o;
  else
    insert into audit.entries
      (table_name, operation, account_id, session_id, role, client_address, request_id)
    values (%1$L, 'truncate',
      actor.account_id, actor.session_id, actor.role, actor.client_address, actor.request_id);
  end if;
  return null;
end;
$body$,
    audit.name_of(recorder_body.relation),
    audit.key_expression(recorder_body.relation, 'n'),
    new_patient,
    audit.digest_expression(recorder_body.relation, 'n'),
    format(purpose, new_patient),
    first_key,
    audit.key_expression(recorder_body.relation, 'o'),
    old_patient,
    audit.image_expression(recorder_body.relation, 'o'),
    audit.identity_expression(recorder_body.relation, 'o'),
    same_row,
    format(purpose, old_patient)
  );
end;
$$;
comment on function audit.recorder_body(regclass) is
  'The body of the trigger function that records the changes of a table, written from its columns.';

create or replace function audit.recorder_name(relation regclass)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select 'record_' || replace(replace(audit.name_of(recorder_name.relation), '.', '_'), '"', '');
$$;
comment on function audit.recorder_name(regclass) is
  'The name of the function that records the changes of a table.';

create or replace function audit.purpose_of(session_id uuid, patient_id bigint)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select c.purpose
  from audit.chart_accesses as c
  where c.session_id = purpose_of.session_id
    and c.patient_id = purpose_of.patient_id
  order by c.opened_at desc
  limit 1;
$$;
comment on function audit.purpose_of(uuid, bigint) is
  'The purpose for which a session last opened a patient''s chart, or null.';

--! split: 5093-12-audit-retire_month.sql
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
  return held;
end;
$$;
comment on function audit.retire_month(date) is
  'Detaches a past month from the audit, to be archived and dropped by the DBA, and returns how many entries it held. Raises NTFND, and VERIF when it is not wholly sealed or the audit does not hold.';

--! split: 5094-12-audit-seal_audit.sql
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
        and not exists (
          select
          from audit.seals as s
          where s.era = old_era
            and e.sequence = any (s.sequences)
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

--! split: 5095-12-audit-seal_identity.sql
-- source: sql/12-audit/seal_identity.sql
-- Sealed bytes name their key by the first eight bytes of its digest, so that what another key sealed
-- is known as such and never decrypted to rubbish.
create or replace function audit.seal_identity(patient_id bigint, content jsonb)
returns bytea
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  key bytea := audit.person_key(seal_identity.patient_id, true);
  initial bytea := extensions.gen_random_bytes(16);
begin
  return substr(sha256(key), 1, 8)
    || initial
    || extensions.encrypt_iv(
      convert_to(seal_identity.content::text, 'UTF8'),
      key,
      initial,
      'aes-cbc/pad:pkcs'
    );
end;
$$;
comment on function audit.seal_identity(bigint, jsonb) is
  'Encrypts what identifies a person with the person''s own key and a random initialisation vector; null for a person whose key was shredded. Raises KEYNO, KEYOT.';

--! split: 5096-12-audit-shred_person.sql
-- source: sql/12-audit/shred_person.sql
-- Also a person of whom nothing was sealed yet: what is written later must find no key to seal with.
create or replace function audit.shred_person(patient_id bigint)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into audit.person_keys as k
    (patient_id, wrapped_key, digest_salt, shredded_at, shredded_after)
  values (
    shred_person.patient_id,
    null,
    null,
    now(),
    coalesce(pg_sequence_last_value('audit.entries_sequence_seq'), 0)
  )
  on conflict on constraint person_keys_pkey do update
    set wrapped_key = null,
      digest_salt = null,
      shredded_at = excluded.shredded_at,
      shredded_after = excluded.shredded_after
    where k.shredded_at is null;
$$;
comment on function audit.shred_person(bigint) is
  'Destroys the key and the salt of a person for good: what the audit sealed of the person can never be opened again, and no new key is made.';

--! split: 5097-12-audit-verify_audit.sql
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
        'audit.chart_accesses', 'audit.audit_openings'
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

--! split: 5098-14-analytics-published.sql
-- source: sql/14-analytics/published.sql
-- What research may read through the API: the published cells and nothing behind them. Periods are
-- those that begin from from_date and before until_date.
create or replace function analytics.published_appointments(
  from_date date default null,
  until_date date default null,
  department text default null,
  status text default null
)
returns setof analytics.published_appointments_row
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    p.month,
    p.department,
    p.status,
    p.appointments
  from masked.published_appointments as p
  where (published_appointments.from_date is null or p.month >= published_appointments.from_date)
    and (published_appointments.until_date is null or p.month < published_appointments.until_date)
    and (
      published_appointments.department is null
      or p.department = published_appointments.department
    )
    and (published_appointments.status is null or p.status = published_appointments.status)
  order by
    p.month,
    p.department nulls first,
    p.status nulls first;
$$;
comment on function analytics.published_appointments(date, date, text, text) is
  'The published numbers of appointments by month, department and status, with the totals of each month; small cells are suppressed. For analysts.';

create or replace function analytics.published_visits(
  from_date date default null,
  until_date date default null,
  department text default null
)
returns setof analytics.published_visits_row
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    p.month,
    p.department,
    p.appointments
  from masked.published_appointments as p
  where p.status = 'completed'
    and (published_visits.from_date is null or p.month >= published_visits.from_date)
    and (published_visits.until_date is null or p.month < published_visits.until_date)
    and (published_visits.department is null or p.department = published_visits.department)
  order by
    p.month,
    p.department nulls first;
$$;
comment on function analytics.published_visits(date, date, text) is
  'The published numbers of visits, which are completed appointments, by month and department, with the total of each month; small cells are suppressed. For analysts.';

create or replace function analytics.published_diagnoses(
  from_date date default null,
  until_date date default null,
  chapter text default null
)
returns setof analytics.published_diagnoses_row
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    p.year,
    p.chapter,
    p.sex,
    p.age_band,
    p.diagnoses
  from masked.published_diagnoses as p
  where (
      published_diagnoses.from_date is null
      or make_date(p.year, 1, 1) >= published_diagnoses.from_date
    )
    and (
      published_diagnoses.until_date is null
      or make_date(p.year, 1, 1) < published_diagnoses.until_date
    )
    and (published_diagnoses.chapter is null or p.chapter = published_diagnoses.chapter)
  order by
    p.year,
    p.chapter nulls first,
    p.sex nulls first,
    p.age_band nulls first;
$$;
comment on function analytics.published_diagnoses(date, date, text) is
  'The published numbers of coded diagnoses by year, chapter, sex and age, with the totals of each year; small cells are suppressed. For analysts.';

--! split: 5099-policies-owner.sql
-- source: policies/owner.sql
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

-- Now that the owner sees every row: partitions for the months to come, and every table enrolled in the
-- audit, with the rows it holds already.
select audit.maintain_partitions();
call audit.enrol_tables();

--! split: 5100-policies-administrator.sql
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

--! split: 5101-policies-analyst.sql
-- source: policies/analyst.sql
-- hospital_analyst sees the schema masked and nothing else: no row of the hospital itself.
call hospital_private.reset_access('hospital_analyst');
grant usage on schema hospital, analytics, hospital_private to hospital_analyst;

grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account
to hospital_analyst;

-- De-identified rows by SQL, published numbers by SQL and through the API. The views themselves ask
-- for the session.
grant usage on schema masked to hospital_analyst;
grant execute on function
  hospital_private.session_has_role,
  hospital_private.admits_analyst,
  analytics.published_appointments,
  analytics.published_visits,
  analytics.published_diagnoses
to hospital_analyst;
grant select on
  masked.release,
  masked.patients,
  masked.appointments,
  masked.visits,
  masked.diagnoses,
  masked.conditions,
  masked.prescriptions,
  masked.treatments
to hospital_analyst;
call hospital_private.allow_reading(
  'hospital_analyst', 'analyst',
  'masked.publications', 'masked.published_appointments', 'masked.published_diagnoses',
  'masked.diagnosis_chapters'
);

--! split: 5102-policies-anonymous.sql
-- source: policies/anonymous.sql
-- hospital_anonymous is everybody who has not logged in: the building and what can be booked there,
-- registration and log-in, and nothing of anyone.
call hospital_private.reset_access('hospital_anonymous');
grant usage on schema hospital, analytics, hospital_private to hospital_anonymous;

-- The building.
create policy anonymous_select_all on hospital.facilities
  for select to hospital_anonymous
  using (true);
grant select on hospital.facilities to hospital_anonymous;
create policy anonymous_select_active on hospital.departments
  for select to hospital_anonymous
  using (is_active);
grant select on hospital.departments to hospital_anonymous;
create policy anonymous_select_all on hospital.specialties
  for select to hospital_anonymous
  using (true);
grant select on hospital.specialties to hospital_anonymous;
create policy anonymous_select_bookable on hospital.appointment_types
  for select to hospital_anonymous
  using (is_bookable);
grant select on hospital.appointment_types to hospital_anonymous;

-- Registration and log-in.
grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account,
  hospital.register_patient,
  hospital.register_doctor,
  hospital.register_patient_and_book,
  hospital.free_slots,
  -- Of the row just registered.
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.doctors_full_name,
  hospital.doctors_experience_years
to hospital_anonymous;

-- The API passes news on to live subscribers, on nobody's behalf and without seeing them.
grant execute on function hospital_private.relay_live_events to hospital_anonymous;

--! split: 5103-policies-auditor.sql
-- source: policies/auditor.sql
-- hospital_auditor reads the audit and nothing else, and only once its session has said why.
call hospital_private.reset_access('hospital_auditor');
grant usage on schema hospital, analytics, hospital_private to hospital_auditor;

grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account,
  hospital.open_audit,
  hospital.audit_entries,
  hospital.audited_chart_accesses
to hospital_auditor;

--! split: 5104-policies-billing.sql
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

--! split: 5105-policies-doctor.sql
-- source: policies/doctor.sql
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

--! split: 5106-policies-nurse.sql
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

--! split: 5107-policies-patient.sql
-- source: policies/patient.sql
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

--! split: 5108-policies-reception.sql
-- source: policies/reception.sql
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

--! split: 5109-policies-staff.sql
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
  hospital.patients_records,
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.staff_members_full_name,
  hospital.doctors_full_name,
  hospital.doctors_experience_years,
  hospital.departments_doctors,
  hospital_private.escape_like
to hospital_staff;

--! split: 5110-policies-worker.sql
-- source: policies/worker.sql
-- hospital_worker runs the background jobs: it may call their functions and nothing more.
call hospital_private.reset_access('hospital_worker');
grant usage on schema ops to hospital_worker;

grant execute on function
  ops.start_job_run,
  ops.enter_job_run,
  ops.finish_job_run,
  ops.fail_job_run,
  ops.send_reminders,
  ops.expire_holds,
  ops.offer_waitlist,
  ops.publish_aggregates,
  ops.maintain_partitions,
  ops.seal_audit,
  ops.verify_audit_chain
to hospital_worker;
