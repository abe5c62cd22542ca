--! Previous: sha1:e69d762f52212efabb36013ed921e6ec929f985b
--! Hash: sha1:079a0139ae16548df043822897d82305227948a5
--! Message: time

--! split: 010-time.sql
-- Time that cannot be wrong: hours on a ring of the week, extra sessions, booking rules as data,
-- exceptions on record, lineage, series, waitlist, assigned staff and keys of repeated requests.
-- It is applied before the first release, to tables that nobody is waiting for:
-- squawk-ignore-file ban-drop-column, constraint-missing-not-valid, adding-foreign-key-constraint
-- squawk-ignore-file disallowed-unique-constraint, require-concurrent-index-creation
-- squawk-ignore-file require-concurrent-index-deletion

-- Hours. A week is a ring of 10080 minutes, so that Sunday's night shift meets Monday's early one.
-- A multirange without a column of its own, because the API has no form for it.
alter table hospital.doctor_schedules drop column minutes;
alter table hospital.doctor_schedules
  add constraint doctor_schedules_never_overlap
    exclude using gist (
      doctor_id with =,
      (
        int4multirange(
          int4range(
            (weekday - 1) * 1440
              + (extract(hour from start_time) * 60 + extract(minute from start_time))::integer,
            least(
              (weekday - 1) * 1440
                + (extract(hour from end_time) * 60 + extract(minute from end_time))::integer
                + case when end_time <= start_time then 1440 else 0 end,
              10080
            )
          ),
          int4range(
            0,
            greatest(
              (weekday - 1) * 1440
                + (extract(hour from end_time) * 60 + extract(minute from end_time))::integer
                + case when end_time <= start_time then 1440 else 0 end
                - 10080,
              0
            )
          )
        )
      ) with &&,
      effective with &&
    );

create table hospital.doctor_extra_sessions (
  id         bigint      generated always as identity primary key,
  doctor_id  bigint      not null references hospital.doctors (id),
  starts_at  timestamptz not null,
  ends_at    timestamptz not null,
  room_id    bigint      references hospital.rooms (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint doctor_extra_sessions_end_after_start check (ends_at > starts_at),
  constraint doctor_extra_sessions_times_finite check (isfinite(starts_at) and isfinite(ends_at)),
  constraint doctor_extra_sessions_never_overlap
    exclude using gist (doctor_id with =, tstzrange(starts_at, ends_at) with &&)
);
create index doctor_extra_sessions_doctor_id_idx
  on hospital.doctor_extra_sessions (doctor_id, starts_at);
create index doctor_extra_sessions_room_id_idx on hospital.doctor_extra_sessions (room_id);
comment on table hospital.doctor_extra_sessions is 'Spans in which a doctor works besides the weekly hours, also inside an absence entered before.';
comment on column hospital.doctor_extra_sessions.id is 'The key of the session inside this database.';
comment on column hospital.doctor_extra_sessions.doctor_id is 'The doctor who works.';
comment on column hospital.doctor_extra_sessions.starts_at is 'The instant the session starts.';
comment on column hospital.doctor_extra_sessions.ends_at is 'The instant the session ends.';
comment on column hospital.doctor_extra_sessions.room_id is 'The room used during the session, or null.';
comment on column hospital.doctor_extra_sessions.created_at is 'When this row was written.';
comment on column hospital.doctor_extra_sessions.updated_at is 'When this row last changed.';

-- Booking rules as data.
alter table hospital.appointment_types
  add column notice_minutes integer not null default 60,
  add column horizon_days integer not null default 365,
  add column daily_limit integer,
  add column hold_minutes integer not null default 10,
  add column offer_minutes integer not null default 120,
  add column is_remote boolean not null default false,
  add constraint appointment_types_notice_plausible check (notice_minutes between 0 and 43200),
  add constraint appointment_types_horizon_plausible check (horizon_days between 1 and 3650),
  add constraint appointment_types_daily_limit_positive check (daily_limit >= 1),
  add constraint appointment_types_hold_plausible check (hold_minutes between 1 and 60),
  add constraint appointment_types_offer_plausible check (offer_minutes between 1 and 10080);
comment on column hospital.appointment_types.notice_minutes is 'How many minutes before its start it must be booked at the latest.';
comment on column hospital.appointment_types.horizon_days is 'How many days ahead it can be booked at most, each of 24 hours.';
comment on column hospital.appointment_types.daily_limit is 'How many of the type a doctor takes on one local day at most, or null for any number.';
comment on column hospital.appointment_types.hold_minutes is 'How many minutes a time is held for a patient who has not confirmed it.';
comment on column hospital.appointment_types.offer_minutes is 'How many minutes a time is held for somebody on the waitlist to whom it is offered.';
comment on column hospital.appointment_types.is_remote is 'Whether the patient takes part from afar, by the clock of wherever that is.';
update hospital.appointment_types as t
set is_remote = true
where t.code = 'telehealth';
update hospital.appointment_types as t
set notice_minutes = case t.code
    when 'procedure' then 1440
    when 'telehealth' then 15
    when 'walk_in' then 0
    when 'imported' then 0
    else 60
  end;
alter table hospital.doctors
  add column daily_limit integer,
  add constraint doctors_daily_limit_positive check (daily_limit >= 1);
comment on column hospital.doctors.daily_limit is 'How many appointments the doctor takes on one local day at most, or null for any number.';

-- When a status may change, beside which changes there are.
alter table hospital.appointment_status_transitions
  add column earliest_minutes_before_start integer;
comment on column hospital.appointment_status_transitions.earliest_minutes_before_start is 'How many minutes before the start the change can be made at the earliest, negative for after it, or null for any time.';
update hospital.appointment_status_transitions as t
set earliest_minutes_before_start = 0
where t.to_status = 'no_show';

create table hospital.no_show_reasons (
  code  text primary key,
  name  text not null,
  party text not null,
  constraint no_show_reasons_party_known check (party in ('patient', 'provider', 'facility'))
);
comment on table hospital.no_show_reasons is 'Why appointments were missed, and on whose side the cause lies.';
comment on column hospital.no_show_reasons.code is 'The code of the reason.';
comment on column hospital.no_show_reasons.name is 'The reason in words.';
comment on column hospital.no_show_reasons.party is 'On whose side the cause lies: patient, provider or facility.';
insert into hospital.no_show_reasons (code, name, party) values
  ('did_not_come', 'The patient did not come', 'patient'),
  ('came_too_late', 'The patient came too late', 'patient'),
  ('left_before_seen', 'The patient left before being seen', 'patient'),
  ('not_informed', 'The hospital had not told the patient of the time', 'facility');

create table hospital.override_reasons (
  code  text primary key,
  name  text not null,
  party text not null,
  constraint override_reasons_party_known check (party in ('patient', 'provider', 'facility'))
);
comment on table hospital.override_reasons is 'Why an appointment may lie outside the booking rules, and on whose side the cause lies.';
comment on column hospital.override_reasons.code is 'The code of the reason.';
comment on column hospital.override_reasons.name is 'The reason in words.';
comment on column hospital.override_reasons.party is 'On whose side the cause lies: patient, provider or facility.';
insert into hospital.override_reasons (code, name, party) values
  ('urgent_need', 'The patient cannot wait', 'patient'),
  ('patient_travels', 'The patient comes from far away', 'patient'),
  ('doctor_agreed', 'The doctor offered the time', 'provider'),
  ('session_overran', 'The session ran late', 'provider'),
  ('schedule_changed', 'The hours changed after the booking', 'facility');

create table hospital.appointment_overrides (
  id         bigint      generated always as identity primary key,
  doctor_id  bigint      not null references hospital.doctors (id),
  patient_id bigint      not null references hospital.patients (id),
  span       tstzrange   not null,
  reason     text        not null references hospital.override_reasons (code),
  granted_by bigint      references hospital_private.accounts (id),
  granted_at timestamptz not null default now(),
  -- What uses an override points here, so it is never used for another doctor or patient.
  constraint appointment_overrides_id_doctor_id_patient_id_key unique (id, doctor_id, patient_id),
  constraint appointment_overrides_span_bounded
    check (
      not isempty(span)
      and not lower_inf(span)
      and not upper_inf(span)
      and isfinite(lower(span))
      and isfinite(upper(span))
      and upper(span) <= lower(span) + interval '3 days'
    )
);
create index appointment_overrides_doctor_id_idx on hospital.appointment_overrides (doctor_id);
create index appointment_overrides_patient_id_idx on hospital.appointment_overrides (patient_id);
create index appointment_overrides_reason_idx on hospital.appointment_overrides (reason);
create index appointment_overrides_granted_by_idx on hospital.appointment_overrides (granted_by)
  where granted_by is not null;
comment on table hospital.appointment_overrides is 'Leave to book one patient with one doctor within a span outside working hours, notice, horizon and daily limits; never at the same time as another.';
comment on column hospital.appointment_overrides.id is 'The key of the override inside this database.';
comment on column hospital.appointment_overrides.doctor_id is 'The doctor whose rules are set aside.';
comment on column hospital.appointment_overrides.patient_id is 'The patient for whom they are set aside.';
comment on column hospital.appointment_overrides.span is 'The time, buffers included, in which they are set aside, 3 days at most.';
comment on column hospital.appointment_overrides.reason is 'Why, by its code.';
comment on column hospital.appointment_overrides.granted_by is 'The account that granted it, or null for a tool.';
comment on column hospital.appointment_overrides.granted_at is 'When it was granted.';

create table hospital.appointment_series (
  id                  bigint      generated always as identity primary key,
  patient_id          bigint      not null references hospital.patients (id),
  doctor_id           bigint      not null references hospital.doctors (id),
  appointment_type_id bigint      not null references hospital.appointment_types (id),
  first_date          date        not null,
  local_time          time        not null,
  every_weeks         integer     not null,
  occurrences         integer     not null,
  skipped_dates       date[]      not null default '{}',
  created_at          timestamptz not null default now(),
  constraint appointment_series_id_patient_id_key unique (id, patient_id),
  constraint appointment_series_every_weeks_plausible check (every_weeks between 1 and 52),
  constraint appointment_series_is_finite check (occurrences between 1 and 52),
  constraint appointment_series_not_all_skipped check (cardinality(skipped_dates) < occurrences)
);
create index appointment_series_patient_id_idx on hospital.appointment_series (patient_id);
create index appointment_series_doctor_id_idx on hospital.appointment_series (doctor_id);
create index appointment_series_appointment_type_id_idx
  on hospital.appointment_series (appointment_type_id);
comment on table hospital.appointment_series is 'Appointments booked together at the same local time every so many weeks.';
comment on column hospital.appointment_series.id is 'The key of the series inside this database.';
comment on column hospital.appointment_series.patient_id is 'The patient who comes.';
comment on column hospital.appointment_series.doctor_id is 'The doctor as first booked.';
comment on column hospital.appointment_series.appointment_type_id is 'The kind of appointment.';
comment on column hospital.appointment_series.first_date is 'The local date of the first occurrence.';
comment on column hospital.appointment_series.local_time is 'The wall-clock time of every occurrence where the doctor works, whatever the clocks do.';
comment on column hospital.appointment_series.every_weeks is 'How many weeks lie between two occurrences.';
comment on column hospital.appointment_series.occurrences is 'How many occurrences were asked for, the skipped ones included.';
comment on column hospital.appointment_series.skipped_dates is 'The local dates that could not be booked and were skipped as asked.';
comment on column hospital.appointment_series.created_at is 'When the series was booked.';

create table hospital.waitlist_statuses (
  code       text    primary key,
  name       text    not null,
  is_open    boolean not null
);
comment on table hospital.waitlist_statuses is 'The states of an entry on the waitlist.';
comment on column hospital.waitlist_statuses.code is 'The code of the status.';
comment on column hospital.waitlist_statuses.name is 'The word shown to people.';
comment on column hospital.waitlist_statuses.is_open is 'Whether times are still offered.';
insert into hospital.waitlist_statuses (code, name, is_open) values
  ('waiting', 'Waiting', true),
  ('booked', 'Booked', false),
  ('withdrawn', 'Withdrawn', false);

create table hospital.waitlist_entries (
  id                  bigint      generated always as identity primary key,
  patient_id          bigint      not null references hospital.patients (id),
  appointment_type_id bigint      not null references hospital.appointment_types (id),
  department_id       bigint      not null references hospital.departments (id),
  doctor_id           bigint      references hospital.doctors (id),
  starts_from         timestamptz not null default now(),
  starts_before       timestamptz not null,
  priority            integer     not null default 0,
  status              text        not null default 'waiting'
                                    references hospital.waitlist_statuses (code),
  joined_at           timestamptz not null default now(),
  updated_at          timestamptz not null default now(),
  constraint waitlist_entries_id_patient_id_key unique (id, patient_id),
  constraint waitlist_entries_span_not_empty check (starts_before > starts_from),
  constraint waitlist_entries_span_finite
    check (isfinite(starts_from) and isfinite(starts_before)),
  constraint waitlist_entries_priority_plausible check (priority between 0 and 9)
);
create unique index waitlist_entries_one_open_wish
  on hospital.waitlist_entries (patient_id, appointment_type_id, department_id, doctor_id)
  nulls not distinct
  where status = 'waiting';
create index waitlist_entries_ranking_idx
  on hospital.waitlist_entries (department_id, appointment_type_id, priority desc, joined_at, id)
  where status = 'waiting';
create index waitlist_entries_department_id_idx on hospital.waitlist_entries (department_id);
create index waitlist_entries_patient_id_idx on hospital.waitlist_entries (patient_id);
create index waitlist_entries_doctor_id_idx on hospital.waitlist_entries (doctor_id);
create index waitlist_entries_appointment_type_id_idx
  on hospital.waitlist_entries (appointment_type_id);
create index waitlist_entries_status_idx on hospital.waitlist_entries (status);
comment on table hospital.waitlist_entries is 'Patients who wait for an earlier time with a doctor, or with any doctor of a department.';
comment on column hospital.waitlist_entries.id is 'The key of the entry inside this database.';
comment on column hospital.waitlist_entries.patient_id is 'The patient who waits.';
comment on column hospital.waitlist_entries.appointment_type_id is 'The kind of appointment waited for.';
comment on column hospital.waitlist_entries.department_id is 'The department waited for.';
comment on column hospital.waitlist_entries.doctor_id is 'The doctor waited for, or null for any of the department.';
comment on column hospital.waitlist_entries.starts_from is 'The earliest start that suits the patient.';
comment on column hospital.waitlist_entries.starts_before is 'The instant before which it must start to suit the patient.';
comment on column hospital.waitlist_entries.priority is 'Who comes first, from 0 to 9, the highest before all others; equals in the order of joining.';
comment on column hospital.waitlist_entries.status is 'Whether the patient still waits.';
comment on column hospital.waitlist_entries.joined_at is 'When the patient began to wait.';
comment on column hospital.waitlist_entries.updated_at is 'When this row last changed.';

-- What an appointment may come from, and why it was missed.
alter table hospital.appointments
  add column no_show_reason text references hospital.no_show_reasons (code),
  add column override_id bigint,
  add column series_id bigint,
  add column waitlist_entry_id bigint,
  add constraint appointments_override_is_for_doctor_and_patient
    foreign key (override_id, doctor_id, patient_id)
    references hospital.appointment_overrides (id, doctor_id, patient_id),
  add constraint appointments_series_is_the_patients
    foreign key (series_id, patient_id)
    references hospital.appointment_series (id, patient_id),
  add constraint appointments_waitlist_entry_is_the_patients
    foreign key (waitlist_entry_id, patient_id)
    references hospital.waitlist_entries (id, patient_id);
update hospital.appointments as a
set no_show_reason = 'did_not_come'
where a.status = 'no_show';
alter table hospital.appointments
  add constraint appointments_no_show_has_reason
    check ((status = 'no_show') = (no_show_reason is not null)),
  -- Assigned staff follow the appointment's time and status through this key.
  add constraint appointments_id_patient_id_busy_status_key unique (id, patient_id, busy, status);
create index appointments_no_show_reason_idx on hospital.appointments (no_show_reason)
  where no_show_reason is not null;
-- Leave is given once, for one appointment.
create unique index appointments_one_use_of_override
  on hospital.appointments (override_id, doctor_id, patient_id)
  where override_id is not null;
create index appointments_series_id_patient_id_idx on hospital.appointments (series_id, patient_id)
  where series_id is not null;
create index appointments_waitlist_entry_id_patient_id_idx
  on hospital.appointments (waitlist_entry_id, patient_id)
  where waitlist_entry_id is not null;
create index appointments_held_idx on hospital.appointments (expires_at)
  where status = 'held';
-- Calendars are read from these alone: seven times faster than from the constraints' own indexes.
create index appointments_doctor_id_starts_at_busy_idx
  on hospital.appointments (doctor_id, starts_at) include (busy, expires_at)
  where status in ('held', 'scheduled', 'checked_in', 'in_progress');
create index appointments_room_id_starts_at_busy_idx
  on hospital.appointments (room_id, starts_at) include (busy, expires_at)
  where status in ('held', 'scheduled', 'checked_in', 'in_progress');
-- A wish is offered one time at a time, whoever makes the offer.
create unique index appointments_one_offer_of_patient on hospital.appointments (patient_id)
  where status = 'held'
    and waitlist_entry_id is not null;
comment on column hospital.appointments.no_show_reason is 'Why it was missed, set exactly while the status is no_show.';
comment on column hospital.appointments.override_id is 'The leave to lie outside the booking rules, or null.';
comment on column hospital.appointments.series_id is 'The series it was booked with, or null.';
comment on column hospital.appointments.waitlist_entry_id is 'The wish on the waitlist it was offered to, or null.';
insert into hospital.cancellation_reasons (code, name, party) values
  ('offer_refused', 'The patient refused the offered time', 'patient'),
  ('patient_deceased', 'The patient has died', 'facility');
alter table hospital.appointments
  add constraint appointments_only_offers_are_refused
    check (cancellation_reason <> 'offer_refused' or waitlist_entry_id is not null);

-- What was called off or moved is not spoken of any more.
alter table hospital.notifications
  add column withdrawn_at timestamptz,
  add constraint notifications_sent_or_withdrawn
    check (sent_at is null or withdrawn_at is null);
drop index hospital.notifications_unsent_idx;
create index notifications_unsent_idx on hospital.notifications (id)
  where sent_at is null
    and withdrawn_at is null;
comment on column hospital.notifications.withdrawn_at is 'When what it says ceased to be so before it was sent, or null.';

alter table hospital.appointment_status_history add column reason text;
comment on column hospital.appointment_status_history.reason is 'The code of the reason for a cancellation, a no-show or an override, or null.';

create table hospital.appointment_moves (
  id             bigint      generated always as identity primary key,
  appointment_id bigint      not null,
  patient_id     bigint      not null,
  from_doctor_id bigint      not null references hospital.doctors (id),
  to_doctor_id   bigint      not null references hospital.doctors (id),
  from_room_id   bigint      references hospital.rooms (id),
  to_room_id     bigint      references hospital.rooms (id),
  from_starts_at timestamptz not null,
  to_starts_at   timestamptz not null,
  from_ends_at   timestamptz not null,
  to_ends_at     timestamptz not null,
  moved_at       timestamptz not null default clock_timestamp(),
  moved_by       bigint      references hospital_private.accounts (id),
  constraint appointment_moves_belong_to_the_appointments_patient
    foreign key (appointment_id, patient_id)
    references hospital.appointments (id, patient_id)
);
create index appointment_moves_appointment_id_patient_id_idx
  on hospital.appointment_moves (appointment_id, patient_id);
create index appointment_moves_patient_id_idx on hospital.appointment_moves (patient_id);
create index appointment_moves_from_doctor_id_idx on hospital.appointment_moves (from_doctor_id);
create index appointment_moves_to_doctor_id_idx on hospital.appointment_moves (to_doctor_id);
create index appointment_moves_from_room_id_idx on hospital.appointment_moves (from_room_id);
create index appointment_moves_to_room_id_idx on hospital.appointment_moves (to_room_id);
create index appointment_moves_moved_by_idx on hospital.appointment_moves (moved_by)
  where moved_by is not null;
comment on table hospital.appointment_moves is 'The lineage of every appointment: each change of time, doctor or room, written by a trigger.';
comment on column hospital.appointment_moves.id is 'The key of the entry, in the order of the changes.';
comment on column hospital.appointment_moves.appointment_id is 'The appointment.';
comment on column hospital.appointment_moves.patient_id is 'The patient of the appointment.';
comment on column hospital.appointment_moves.from_doctor_id is 'The doctor before.';
comment on column hospital.appointment_moves.to_doctor_id is 'The doctor after.';
comment on column hospital.appointment_moves.from_room_id is 'The room before, or null.';
comment on column hospital.appointment_moves.to_room_id is 'The room after, or null.';
comment on column hospital.appointment_moves.from_starts_at is 'When it started before.';
comment on column hospital.appointment_moves.to_starts_at is 'When it starts after.';
comment on column hospital.appointment_moves.from_ends_at is 'When it ended before.';
comment on column hospital.appointment_moves.to_ends_at is 'When it ends after.';
comment on column hospital.appointment_moves.moved_at is 'When the change was made.';
comment on column hospital.appointment_moves.moved_by is 'The account that made the change, or null for a tool.';

create table hospital.appointment_staff (
  appointment_id  bigint      not null,
  patient_id      bigint      not null references hospital.patients (id),
  staff_member_id bigint      not null,
  job             text        not null,
  busy            tstzrange   not null,
  status          text        not null,
  assigned_at     timestamptz not null default now(),
  primary key (appointment_id, staff_member_id),
  -- Time and status are the appointment's own: the key carries every change of them here.
  constraint appointment_staff_follows_the_appointment
    foreign key (appointment_id, patient_id, busy, status)
    references hospital.appointments (id, patient_id, busy, status) on update cascade,
  constraint appointment_staff_is_staff_with_job
    foreign key (staff_member_id, job)
    references hospital.staff_members (id, job),
  -- A doctor's time is in the doctor's own calendar.
  constraint appointment_staff_is_no_doctor check (job <> 'doctor'),
  constraint appointment_staff_never_double_booked
    exclude using gist (staff_member_id with =, busy with &&)
    where (status in ('held', 'scheduled', 'checked_in', 'in_progress'))
);
create index appointment_staff_appointment_idx
  on hospital.appointment_staff (appointment_id, patient_id, busy, status);
create index appointment_staff_patient_id_idx on hospital.appointment_staff (patient_id);
create index appointment_staff_staff_member_id_job_idx
  on hospital.appointment_staff (staff_member_id, job);
comment on table hospital.appointment_staff is 'Nurses and others who take part in an appointment; while it is active, none of them can be assigned twice at once, on any path.';
comment on column hospital.appointment_staff.appointment_id is 'The appointment.';
comment on column hospital.appointment_staff.patient_id is 'The patient of the appointment.';
comment on column hospital.appointment_staff.staff_member_id is 'The member of staff who takes part.';
comment on column hospital.appointment_staff.job is 'The job of the member of staff, never a doctor.';
comment on column hospital.appointment_staff.busy is 'The span the appointment occupies, kept equal by the foreign key.';
comment on column hospital.appointment_staff.status is 'The state of the appointment, kept equal by the foreign key.';
comment on column hospital.appointment_staff.assigned_at is 'When the member of staff was assigned.';

create table hospital_private.idempotency_keys (
  account_id   bigint      not null references hospital_private.accounts (id),
  key          text        not null,
  operation    text        not null,
  payload_hash bytea       not null,
  result_id    bigint      not null,
  created_at   timestamptz not null default now(),
  primary key (account_id, key),
  constraint idempotency_keys_key_plausible check (char_length(key) between 8 and 200),
  constraint idempotency_keys_payload_is_hashed check (octet_length(payload_hash) = 32)
);
create index idempotency_keys_created_at_idx on hospital_private.idempotency_keys (created_at);
comment on table hospital_private.idempotency_keys is 'Requests that were carried out and may be repeated by a client that lost the answer.';
comment on column hospital_private.idempotency_keys.account_id is 'Who made the request; a key means nothing to anybody else.';
comment on column hospital_private.idempotency_keys.key is 'The key the client chose, 8 to 200 characters.';
comment on column hospital_private.idempotency_keys.operation is 'The function that was called.';
comment on column hospital_private.idempotency_keys.payload_hash is 'The SHA-256 of the arguments.';
comment on column hospital_private.idempotency_keys.result_id is 'The key of the row that came of it.';
comment on column hospital_private.idempotency_keys.created_at is 'When the request was carried out.';

create type hospital.weekly_shift as (
  weekday    integer,
  start_time time,
  end_time   time,
  room_id    bigint
);
comment on type hospital.weekly_shift is 'One shift of a doctor''s week in local wall-clock time.';
comment on column hospital.weekly_shift.weekday is 'The ISO weekday on which it starts, 1 for Monday to 7 for Sunday.';
comment on column hospital.weekly_shift.start_time is 'The local time at which it starts, in whole minutes.';
comment on column hospital.weekly_shift.end_time is 'The local time at which it ends, on the next day when not later than the start.';
comment on column hospital.weekly_shift.room_id is 'The room used, or null.';

create type hospital.calendar_change as (
  doctor_id       bigint,
  is_applied      boolean,
  appointment_ids bigint[]
);
comment on type hospital.calendar_change is 'What became of a change to a doctor''s hours.';
comment on column hospital.calendar_change.doctor_id is 'The doctor whose hours were to change.';
comment on column hospital.calendar_change.is_applied is 'Whether the hours changed; not while appointments are in the way.';
comment on column hospital.calendar_change.appointment_ids is 'The keys of the appointments in the way, in order of time, to be moved, called off or overridden first.';

alter table hospital.doctor_extra_sessions enable row level security;
alter table hospital.doctor_extra_sessions force row level security;
alter table hospital.no_show_reasons enable row level security;
alter table hospital.no_show_reasons force row level security;
alter table hospital.override_reasons enable row level security;
alter table hospital.override_reasons force row level security;
alter table hospital.appointment_overrides enable row level security;
alter table hospital.appointment_overrides force row level security;
alter table hospital.appointment_series enable row level security;
alter table hospital.appointment_series force row level security;
alter table hospital.waitlist_statuses enable row level security;
alter table hospital.waitlist_statuses force row level security;
alter table hospital.waitlist_entries enable row level security;
alter table hospital.waitlist_entries force row level security;
alter table hospital.appointment_moves enable row level security;
alter table hospital.appointment_moves force row level security;
alter table hospital.appointment_staff enable row level security;
alter table hospital.appointment_staff force row level security;

-- Functions that take other arguments from here on.
drop function hospital.book_appointment(bigint, bigint, bigint, timestamptz, text);
drop function hospital_private.booking_conflict(bigint, bigint, bigint, tstzrange);
drop function hospital_private.lock_calendars(bigint, bigint, bigint);
drop function hospital.mark_no_show(bigint);

--! split: 500-prologue.sql
-- The living files below may call one another in any order: bodies are checked when they run.
set local check_function_bodies = off;

--! split: 501-01-foundation-touch.sql
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

--! split: 502-03-people-deactivate_patient.sql
-- source: sql/03-people/deactivate_patient.sql
create or replace function hospital.deactivate_patient(patient_id bigint, reason text)
returns hospital.patients
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  patient hospital.patients;
begin
  perform hospital_private.lock_calendars('{}', array[deactivate_patient.patient_id]);
  update hospital.patients as p
  set deactivated_at = coalesce(p.deactivated_at, now()),
    deactivation_reason = coalesce(p.deactivation_reason, deactivate_patient.reason)
  where p.id = deactivate_patient.patient_id
  returning p.*
  into patient;
  if patient.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient.';
  end if;
  return patient;
end;
$$;
comment on function hospital.deactivate_patient(bigint, text) is
  'Closes a patient''s record to new appointments, with a reason; nothing is deleted. For reception and administrators. Raises NTFND, RETRY, and INWAY while there are appointments to come.';

--! split: 503-03-people-update_doctor.sql
-- source: sql/03-people/update_doctor.sql
create or replace function hospital.update_doctor(
  doctor_id bigint,
  specialization text default null,
  department_id bigint default null,
  phone text default null,
  email text default null,
  is_active boolean default null
)
returns hospital.doctors
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  doctor hospital.doctors;
  takes_hours constant boolean := update_doctor.is_active is false
    or update_doctor.department_id is not null;
begin
  -- Where the doctor stops working or goes to another zone, nobody books meanwhile.
  if takes_hours then
    perform hospital_private.lock_calendars(array[update_doctor.doctor_id], '{}');
  end if;
  select d.*
  into doctor
  from hospital.doctors as d
  where d.id = update_doctor.doctor_id;
  if doctor.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such doctor.';
  end if;
  if update_doctor.specialization is not null then
    update hospital.doctors as d
    set specialization = update_doctor.specialization
    where d.id = doctor.id;
  end if;
  if update_doctor.is_active is not null then
    update hospital.doctors as d
    set deactivated_at = case
        when update_doctor.is_active then null
        else coalesce(d.deactivated_at, now())
      end
    where d.id = doctor.id;
  end if;
  if update_doctor.department_id is not null then
    update hospital.staff_members as m
    set department_id = update_doctor.department_id
    where m.id = doctor.staff_member_id;
  end if;
  if takes_hours then
    perform hospital_private.require_way_free(hospital_private.appointments_in_the_way(doctor.id));
  end if;
  perform hospital_private.write_contact(null, doctor.staff_member_id, 'phone', update_doctor.phone);
  perform hospital_private.write_contact(
    null, doctor.staff_member_id, 'email', lower(update_doctor.email)
  );
  select d.*
  into doctor
  from hospital.doctors as d
  where d.id = doctor.id;
  return doctor;
end;
$$;
comment on function hospital.update_doctor(bigint, text, bigint, text, text, boolean) is
  'Changes what is given and leaves the rest: doctors change their own contact data, administrators also specialization, department and whether the doctor can be booked. Raises NTFND, RETRY, INWAY while appointments to come would be left outside the hours, or a refusal of the role.';

--! split: 504-04-scheduling-accept_offer.sql
-- source: sql/04-scheduling/accept_offer.sql
create or replace function hospital.accept_offer(appointment_id bigint)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(accept_offer.appointment_id);
begin
  if appointment.waitlist_entry_id is null then
    raise exception using
      errcode = 'TRNSN',
      message = 'This appointment is not an offer.';
  end if;
  -- Said twice it is still one yes.
  if appointment.status = 'scheduled' then
    return appointment;
  end if;
  return hospital.confirm_hold(appointment.id);
end;
$$;
comment on function hospital.accept_offer(bigint) is
  'Makes an appointment of a time offered from the waitlist, whose wish is thereby fulfilled. An appointment that the patient already has, of the same kind or another, stays as it is: cancel it separately. Raises NTFND, RETRY, XHOLD when the offer has run out, TRNSN when it is none or was refused.';

create or replace function hospital.refuse_offer(appointment_id bigint)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(refuse_offer.appointment_id);
begin
  if appointment.waitlist_entry_id is null
    or appointment.status not in ('held', 'cancelled', 'lapsed')
  then
    raise exception using
      errcode = 'TRNSN',
      message = 'This appointment is not an open offer.';
  end if;
  -- Said twice, or too late, it is still a no.
  if appointment.status <> 'held' then
    return appointment;
  end if;
  return hospital.cancel_appointment(appointment.id, 'offer_refused');
end;
$$;
comment on function hospital.refuse_offer(bigint) is
  'Gives back a time offered from the waitlist, which is offered to the next at once; the patient keeps waiting and is not asked about that time again. Raises NTFND, RETRY, TRNSN when it is no offer or was accepted.';

-- However an offer is taken up, its wish is fulfilled.
create or replace function hospital_private.close_waitlist_entry()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update hospital.waitlist_entries as e
  set status = 'booked'
  where e.id = new.waitlist_entry_id
    and e.status = 'waiting';
  return null;
end;
$$;
comment on function hospital_private.close_waitlist_entry() is
  'Trigger: an entry on the waitlist is booked as soon as an appointment offered to it is. Lends the owner''s right to change the waitlist.';

create or replace trigger _720_close_wish
  after insert or update on hospital.appointments
  for each row
  when (
    new.waitlist_entry_id is not null
    and new.status in ('scheduled', 'checked_in', 'in_progress')
  )
  execute function hospital_private.close_waitlist_entry();

--! split: 505-04-scheduling-add_extra_session.sql
-- source: sql/04-scheduling/add_extra_session.sql
create or replace function hospital.add_extra_session(
  doctor_id bigint,
  starts_at timestamptz,
  ends_at timestamptz,
  room_id bigint default null
)
returns hospital.doctor_extra_sessions
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  added hospital.doctor_extra_sessions;
begin
  perform hospital_private.lock_doctor(add_extra_session.doctor_id);
  insert into hospital.doctor_extra_sessions (doctor_id, starts_at, ends_at, room_id)
  values (
    add_extra_session.doctor_id,
    add_extra_session.starts_at,
    add_extra_session.ends_at,
    add_extra_session.room_id
  )
  returning *
  into added;
  return added;
end;
$$;
comment on function hospital.add_extra_session(bigint, timestamptz, timestamptz, bigint) is
  'Lets a doctor work in a span besides the weekly hours, also inside an absence entered before; for the doctor, reception and administrators. Raises NTFND, RETRY.';

create or replace function hospital.remove_extra_session(
  extra_session_id bigint,
  report_conflicts boolean default false
)
returns hospital.calendar_change
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  doctor bigint;
  in_the_way bigint[];
begin
  select s.doctor_id
  into doctor
  from hospital.doctor_extra_sessions as s
  where s.id = remove_extra_session.extra_session_id;
  perform hospital_private.lock_calendars(array[doctor], '{}');
  begin
    delete from hospital.doctor_extra_sessions as s
    where s.id = remove_extra_session.extra_session_id;
    if not found then
      raise exception using
        errcode = 'NTFND',
        message = 'There is no such session.';
    end if;
    in_the_way := hospital_private.appointments_in_the_way(doctor);
    perform hospital_private.require_way_free(in_the_way);
  exception
    when sqlstate 'INWAY' then
      if remove_extra_session.report_conflicts is not true then
        raise;
      end if;
      return (doctor, false, in_the_way)::hospital.calendar_change;
  end;
  return (doctor, true, in_the_way)::hospital.calendar_change;
end;
$$;
comment on function hospital.remove_extra_session(bigint, boolean) is
  'Withdraws an extra session of a doctor; for the doctor, reception and administrators. With reportConflicts, appointments in the way are named and nothing changes. Raises NTFND, RETRY, INWAY.';

--! split: 506-04-scheduling-add_time_off.sql
-- source: sql/04-scheduling/add_time_off.sql
create or replace function hospital.add_time_off(
  doctor_id bigint,
  starts_at timestamptz,
  ends_at timestamptz,
  reason text,
  report_conflicts boolean default false
)
returns hospital.calendar_change
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  session hospital.doctor_extra_sessions;
  in_the_way bigint[];
begin
  perform hospital_private.lock_doctor(add_time_off.doctor_id);
  begin
    -- An extra session would stand in the absence: what of it lies there is withdrawn.
    for session in
      select s.*
      from hospital.doctor_extra_sessions as s
      where s.doctor_id = add_time_off.doctor_id
        and add_time_off.ends_at > add_time_off.starts_at
        and s.starts_at < add_time_off.ends_at
        and s.ends_at > add_time_off.starts_at
      order by s.starts_at
    loop
      delete from hospital.doctor_extra_sessions as s
      where s.id = session.id;
      -- Seen by everybody, changed by few: what the policies hide from the change is refused aloud.
      if not found then
        raise exception using
          errcode = 'PRMSN',
          message = 'Your role may not do this.';
      end if;
      insert into hospital.doctor_extra_sessions (doctor_id, starts_at, ends_at, room_id)
      select
        session.doctor_id,
        lower(kept.span),
        upper(kept.span),
        session.room_id
      from unnest(
        tstzmultirange(tstzrange(session.starts_at, session.ends_at))
          - tstzmultirange(tstzrange(add_time_off.starts_at, add_time_off.ends_at))
      ) as kept (span);
    end loop;
    insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
    values (
      add_time_off.doctor_id,
      add_time_off.starts_at,
      add_time_off.ends_at,
      add_time_off.reason
    );
    in_the_way := hospital_private.appointments_in_the_way(add_time_off.doctor_id);
    perform hospital_private.require_way_free(in_the_way);
  exception
    when sqlstate 'INWAY' then
      if add_time_off.report_conflicts is not true then
        raise;
      end if;
      return (add_time_off.doctor_id, false, in_the_way)::hospital.calendar_change;
  end;
  return (add_time_off.doctor_id, true, in_the_way)::hospital.calendar_change;
end;
$$;
comment on function hospital.add_time_off(bigint, timestamptz, timestamptz, text, boolean) is
  'Enters an absence of a doctor and withdraws what of extra sessions lies in it; for the doctor, reception and administrators. With reportConflicts, appointments in the way are named and nothing changes. Raises NTFND, RETRY, INWAY.';

create or replace function hospital.remove_time_off(time_off_id bigint)
returns hospital.calendar_change
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  doctor bigint;
begin
  select o.doctor_id
  into doctor
  from hospital.doctor_time_off as o
  where o.id = remove_time_off.time_off_id;
  perform hospital_private.lock_calendars(array[doctor], '{}');
  delete from hospital.doctor_time_off as o
  where o.id = remove_time_off.time_off_id;
  if not found then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such absence.';
  end if;
  return (doctor, true, '{}'::bigint[])::hospital.calendar_change;
end;
$$;
comment on function hospital.remove_time_off(bigint) is
  'Withdraws an absence of a doctor; for the doctor, reception and administrators. Raises NTFND, RETRY.';

--! split: 507-04-scheduling-appointments_in_the_way.sql
-- source: sql/04-scheduling/appointments_in_the_way.sql
-- What is promised stays promised: hours change only where no appointment to come is left outside them.
-- This is the one definition of what stands in the way, for the triggers and for the functions that
-- report it.
create or replace function hospital_private.appointments_in_the_way(doctor_id bigint)
returns bigint[]
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  moment constant timestamptz := clock_timestamp();
  upcoming tstzrange;
  worked tstzmultirange;
  time_zone text;
begin
  select tstzrange(min(lower(a.busy)), max(upper(a.busy)))
  into upcoming
  from hospital.appointments as a
  where a.doctor_id = appointments_in_the_way.doctor_id
    and a.busy && tstzrange(moment, null)
    and a.status in ('held', 'scheduled', 'checked_in', 'in_progress');
  -- Nothing to come: an unbounded span, for which no hours are asked.
  if lower(upcoming) is null then
    return '{}'::bigint[];
  end if;
  worked := hospital_private.working_time(appointments_in_the_way.doctor_id, upcoming);
  time_zone := hospital_private.doctor_time_zone(appointments_in_the_way.doctor_id);
  return array(
    select a.id
    from hospital.appointments as a
    where a.doctor_id = appointments_in_the_way.doctor_id
      and a.busy && tstzrange(moment, null)
      and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
      and (a.expires_at is null or a.expires_at > moment)
      and (
        not worked @> a.busy
        or hospital_private.is_second_pass(a.starts_at, time_zone)
      )
      and not exists (
        select
        from hospital.appointment_overrides as o
        where o.id = a.override_id
          and o.span @> a.busy
      )
    order by
      a.starts_at,
      a.id
  );
end;
$$;
comment on function hospital_private.appointments_in_the_way(bigint) is
  'The keys of a doctor''s active appointments to come that no longer lie within working time and that no override covers, in order of time. Lends the owner''s right to read a calendar, for keys alone.';

create or replace function hospital_private.require_way_free(in_the_way bigint[])
returns void
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if require_way_free.in_the_way <> '{}' then
    raise exception using
      errcode = 'INWAY',
      message = 'Appointments are in the way.',
      hint = 'Move them, call them off or override them first; reportConflicts tells which they are.';
  end if;
end;
$$;
comment on function hospital_private.require_way_free(bigint[]) is
  'Raises INWAY unless the list of appointments in the way is empty.';

--! split: 508-04-scheduling-assign_staff.sql
-- source: sql/04-scheduling/assign_staff.sql
-- Nurses and others take part in appointments, in calendars of their own. All of them are locked in one
-- call, the only one that may wait.
create or replace function hospital.assign_appointment_staff(
  appointment_id bigint,
  staff_member_id bigint
)
returns hospital.appointment_staff
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.appointment(assign_appointment_staff.appointment_id);
  assigned hospital.appointment_staff;
begin
  if not exists (
    select
    from hospital.staff_members as m
    where m.id = assign_appointment_staff.staff_member_id
  ) then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such member of staff.';
  end if;
  perform hospital_private.lock_calendars(
    array[appointment.doctor_id],
    array[appointment.patient_id],
    array[appointment.room_id],
    array[assign_appointment_staff.staff_member_id],
    appointment_ids => array[appointment.id]
  );
  appointment := hospital_private.lock_appointment(appointment.id);
  if appointment.status not in ('scheduled', 'checked_in', 'in_progress') then
    raise exception using
      errcode = 'TRNSN',
      message = 'Staff are assigned to appointments that stand.';
  end if;

  insert into hospital.appointment_staff (appointment_id, staff_member_id)
  values (appointment.id, assign_appointment_staff.staff_member_id)
  on conflict do nothing
  returning *
  into assigned;
  if assigned.appointment_id is null then
    select s.*
    into assigned
    from hospital.appointment_staff as s
    where s.appointment_id = appointment.id
      and s.staff_member_id = assign_appointment_staff.staff_member_id;
  end if;
  if assigned.appointment_id is null then
    raise exception using
      errcode = 'STAFB',
      message = 'A member of staff is busy then.';
  end if;
  return assigned;
end;
$$;
comment on function hospital.assign_appointment_staff(bigint, bigint) is
  'Lets a member of staff who is no doctor take part in an appointment, whose every change he then follows; for reception, administrators, the appointment''s doctor and nurses of its department. Raises NTFND, TRNSN, RETRY, STAFB, and NOTBK for who cannot be assigned.';

create or replace function hospital.unassign_appointment_staff(
  appointment_id bigint,
  staff_member_id bigint
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(unassign_appointment_staff.appointment_id);
begin
  delete from hospital.appointment_staff as s
  where s.appointment_id = appointment.id
    and s.staff_member_id = unassign_appointment_staff.staff_member_id;
  if not found then
    raise exception using
      errcode = 'NTFND',
      message = 'This member of staff is not assigned to the appointment.';
  end if;
  return appointment;
end;
$$;
comment on function hospital.unassign_appointment_staff(bigint, bigint) is
  'Takes a member of staff out of an appointment and returns the appointment; for reception, administrators, its doctor and nurses of its department. Raises NTFND, RETRY.';

-- What follows from the appointment and the person is written here, whatever the writer says. The row
-- of the appointment is locked against a move, so that the time read is the time kept.
create or replace function hospital_private.derive_appointment_staff()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  gone boolean;
begin
  select
    a.patient_id,
    a.busy,
    a.status
  into
    new.patient_id,
    new.busy,
    new.status
  from hospital.appointments as a
  where a.id = new.appointment_id
  for key share;
  select
    m.job,
    m.left_on < (lower(new.busy) at time zone f.time_zone)::date
  into
    new.job,
    gone
  from hospital.staff_members as m
  join hospital.departments as d
    on d.id = m.department_id
  join hospital.facilities as f
    on f.id = d.facility_id
  where m.id = new.staff_member_id;
  -- A hold may run out, and then nobody's time may stay taken by it.
  if new.status = 'held' then
    raise exception using
      errcode = 'NOTBK',
      message = 'Staff are assigned when the time is booked.';
  end if;
  if new.job = 'doctor' or gone then
    raise exception using
      errcode = 'NOTBK',
      message = 'This member of staff cannot be assigned.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.derive_appointment_staff() is
  'Trigger: fills patient, time and status of an assignment from its appointment and the job from the member of staff. Raises NOTBK for held times, doctors, and who has left. Lends the owner''s right to read what the writer may not see.';

create or replace trigger _200_derive
  before insert on hospital.appointment_staff
  for each row execute function hospital_private.derive_appointment_staff();

--! split: 509-04-scheduling-available_time.sql
-- source: sql/04-scheduling/available_time.sql
-- Shifts that touch are one stretch here: an appointment may run from one into the next.
create or replace function hospital_private.working_time(doctor_id bigint, span tstzrange)
returns tstzmultirange
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(range_agg(tstzrange(s.starts_at, s.ends_at)), '{}')
    from hospital_private.working_shifts(array[working_time.doctor_id], working_time.span) as s
  );
end;
$$;
comment on function hospital_private.working_time(bigint, tstzrange) is
  'The time in the span that an active doctor works: weekly hours in the facility''s zone less time off, plus extra sessions. Lends the owner''s right to read schedules and absences without their reasons.';

create or replace function hospital_private.available_time(doctor_id bigint, span tstzrange)
returns tstzmultirange
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return hospital_private.working_time(available_time.doctor_id, available_time.span) - coalesce(
    (
      select t.taken
      from hospital_private.taken_time(
        array[available_time.doctor_id], null, available_time.span
      ) as t
    ),
    '{}'
  );
end;
$$;
comment on function hospital_private.available_time(bigint, tstzrange) is
  'The time in the span in which a doctor works and is not taken. Lends the owner''s right to see when appointments are, not whose.';

--! split: 510-04-scheduling-barred_starts.sql
-- source: sql/04-scheduling/barred_starts.sql
-- Free time in which nothing may start: a wall-clock time that comes for the second time, and a day on
-- which as many are booked as the doctor takes. Both are rare, so they are asked apart from free time.
create or replace function hospital_private.barred_starts(
  doctor_ids bigint[],
  kind hospital.appointment_types,
  span tstzrange
)
returns table (doctor_id bigint, barred tstzmultirange)
language plpgsql
stable
security definer
rows 1
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
  return query
  with
  doctor as materialized (
    select
      d.id,
      d.daily_limit,
      f.time_zone as zone
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    join hospital.departments as p
      on p.id = m.department_id
    join hospital.facilities as f
      on f.id = p.facility_id
    where d.id = any (barred_starts.doctor_ids)
  ),
  -- Days on which clocks are set back. What is repeated may reach into the day after.
  repeated as materialized (
    select
      z.zone,
      quarter.starts_at
    from (
      select distinct d.zone
      from doctor as d
    ) as z
    cross join lateral generate_series(
      date_bin('15 minutes', lower(barred_starts.span), '2000-01-01 00:00Z') - interval '24 hours',
      upper(barred_starts.span),
      interval '24 hours'
    ) as day (starts_at)
    cross join lateral generate_series(
      day.starts_at,
      day.starts_at + interval '48 hours',
      interval '15 minutes'
    ) as quarter (starts_at)
    where (day.starts_at + interval '24 hours') at time zone z.zone
        < (day.starts_at at time zone z.zone) + interval '24 hours'
      and hospital_private.is_second_pass(quarter.starts_at, z.zone)
  ),
  full_day as (
    select
      d.id as doctor_id,
      d.zone,
      day.midnight
    from doctor as d
    cross join lateral (
      select
        date_trunc('day', a.starts_at at time zone d.zone) as midnight,
        count(*) as of_doctor,
        count(*) filter (where a.appointment_type_id = (barred_starts.kind).id) as of_type
      from hospital.appointments as a
      where a.doctor_id = d.id
        and a.starts_at >= lower(barred_starts.span) - interval '48 hours'
        and a.starts_at < upper(barred_starts.span) + interval '48 hours'
        and a.status in ('held', 'scheduled', 'checked_in', 'in_progress', 'completed')
        and (a.expires_at is null or a.expires_at > clock_timestamp())
      group by 1
    ) as day
    where (d.daily_limit is not null or (barred_starts.kind).daily_limit is not null)
      and (
        day.of_doctor >= d.daily_limit
        or day.of_type >= (barred_starts.kind).daily_limit
      )
  )
  select
    b.doctor_id,
    range_agg(b.span)
  from (
    select
      d.id as doctor_id,
      tstzrange(r.starts_at, r.starts_at + interval '15 minutes') as span
    from repeated as r
    join doctor as d
      on d.zone = r.zone
    union all
    select
      f.doctor_id,
      tstzrange(
        hospital_private.wall_instant(f.midnight, f.zone),
        hospital_private.wall_instant(f.midnight + interval '1 day', f.zone)
      )
    from full_day as f
  ) as b
  group by b.doctor_id;
end;
$$;
comment on function hospital_private.barred_starts(bigint[], hospital.appointment_types, tstzrange) is
  'The quarters of an hour within the span in which nothing of the type may start with a doctor although he is free. Lends the owner''s right to count a doctor''s day.';

--! split: 511-04-scheduling-book_appointment.sql
-- source: sql/04-scheduling/book_appointment.sql
create or replace function hospital.book_appointment(
  patient_id bigint,
  doctor_id bigint,
  appointment_type_id bigint,
  starts_at timestamptz,
  reason text default null,
  override_reason text default null,
  idempotency_key text default null
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  payload text := jsonb_build_array(
    book_appointment.patient_id,
    book_appointment.doctor_id,
    book_appointment.appointment_type_id,
    extract(epoch from book_appointment.starts_at),
    book_appointment.reason,
    book_appointment.override_reason
  )::text;
  known bigint := hospital_private.begin_request(
    book_appointment.idempotency_key,
    'book_appointment',
    payload,
    array[book_appointment.doctor_id],
    array[book_appointment.patient_id],
    case
      when book_appointment.idempotency_key is not null then array[
        hospital_private.scheduled_room_id(
          book_appointment.doctor_id, book_appointment.starts_at
        )
      ]
    end
  );
  booked hospital.appointments;
begin
  if known is not null then
    return hospital_private.appointment(known);
  end if;

  -- Who holds the very time confirms it.
  select a.*
  into booked
  from hospital.appointments as a
  where a.patient_id = book_appointment.patient_id
    and a.doctor_id = book_appointment.doctor_id
    and a.appointment_type_id = book_appointment.appointment_type_id
    and a.starts_at = book_appointment.starts_at
    and a.status = 'held'
    and a.expires_at > clock_timestamp();
  if booked.id is not null then
    booked := hospital.confirm_hold(booked.id, book_appointment.reason);
  else
    booked := hospital_private.place_appointment(
      book_appointment.patient_id,
      book_appointment.doctor_id,
      book_appointment.appointment_type_id,
      book_appointment.starts_at,
      'scheduled',
      book_appointment.reason,
      override_id => hospital_private.grant_override(
        book_appointment.patient_id,
        book_appointment.doctor_id,
        book_appointment.appointment_type_id,
        book_appointment.starts_at,
        book_appointment.override_reason
      ),
      is_locked => book_appointment.idempotency_key is not null
    );
  end if;
  perform hospital_private.remember_request(
    book_appointment.idempotency_key, 'book_appointment', payload, booked.id
  );
  return booked;
end;
$$;
comment on function hospital.book_appointment(
  bigint, bigint, bigint, timestamptz, text, text, text
) is
  'Books a time with a doctor for a patient the caller may book for; a time the patient holds is confirmed. An override reason, for the doctor and administrators, lifts hours, notice, horizon and daily limits. Repeated under the same idempotency key it answers with the first booking. Raises NTFND, PASTT, NOTBK, OUTWH, NOTIC, TOFAR, LIMIT, RETRY, IDKEY, and SLOTT, PATBU or ROOMT when doctor, patient or room is taken.';

--! split: 512-04-scheduling-book_series.sql
-- source: sql/04-scheduling/book_series.sql
-- Every Tuesday at nine is nine on the clock, not every 168 hours. What a week cannot give is found by
-- trying it, under the locks of the whole series: the rules stand in one place, the guard's.
create or replace function hospital_private.series_occurrences(
  doctor_id bigint,
  starts_at timestamptz,
  occurrences integer,
  every_weeks integer
)
returns table (local_start timestamp, instant timestamptz, room_id bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  zone text := hospital_private.doctor_time_zone(series_occurrences.doctor_id);
begin
  return query
  select
    wall.local,
    real.at,
    hospital_private.scheduled_room_id(series_occurrences.doctor_id, real.at)
  -- More than a series may have is refused by its constraints, and not looked at here.
  from generate_series(0, least(series_occurrences.occurrences, 52) - 1) as place (number)
  cross join lateral (
    select (series_occurrences.starts_at at time zone zone) + make_interval(
      weeks => place.number * greatest(least(series_occurrences.every_weeks, 52), 0)
    ) as local
  ) as wall
  cross join lateral (
    select case
        -- The first is the instant that was asked for.
        when place.number = 0 then series_occurrences.starts_at
        else hospital_private.wall_instant(wall.local, zone)
      end as at
  ) as nearest
  cross join lateral (
    select case
        when place.number = 0 or nearest.at at time zone zone = wall.local then nearest.at
      end as at
  ) as real
  where zone is not null
  order by place.number;
end;
$$;
comment on function hospital_private.series_occurrences(bigint, timestamptz, integer, integer) is
  'The local times of a series, 52 at most, each with its instant, the first of two or null where the clocks jump over it, and the doctor''s room at it. Lends the owner''s right to read schedules.';

create or replace function hospital.book_series(
  patient_id bigint,
  doctor_id bigint,
  appointment_type_id bigint,
  starts_at timestamptz,
  occurrences integer,
  every_weeks integer default 1,
  skip_impossible boolean default false,
  reason text default null,
  idempotency_key text default null
)
returns hospital.appointment_series
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  payload text := jsonb_build_array(
    book_series.patient_id,
    book_series.doctor_id,
    book_series.appointment_type_id,
    extract(epoch from book_series.starts_at),
    book_series.occurrences,
    book_series.every_weeks,
    book_series.skip_impossible,
    book_series.reason
  )::text;
  known bigint;
  rooms bigint[];
  series hospital.appointment_series;
  occurrence record;
  skipped date[] := '{}'::date[];
begin
  -- No type can be booked farther ahead, and the calendar ends some time.
  if book_series.starts_at > clock_timestamp() + interval '3650 days' then
    raise exception using
      errcode = 'TOFAR',
      message = 'That time is too far ahead to be booked.';
  end if;
  rooms := array(
    select o.room_id
    from hospital_private.series_occurrences(
      book_series.doctor_id,
      book_series.starts_at,
      book_series.occurrences,
      book_series.every_weeks
    ) as o
  );
  known := hospital_private.begin_request(
    book_series.idempotency_key,
    'book_series',
    payload,
    array[book_series.doctor_id],
    array[book_series.patient_id],
    rooms
  );
  if known is not null then
    return hospital_private.series(known);
  end if;
  if book_series.starts_at <= clock_timestamp() then
    raise exception using
      errcode = 'PASTT',
      message = 'That time has passed.';
  end if;
  if book_series.idempotency_key is null then
    perform hospital_private.lock_calendars(
      array[book_series.doctor_id], array[book_series.patient_id], rooms
    );
  end if;

  insert into hospital.appointment_series (
    patient_id, doctor_id, appointment_type_id, first_date, local_time, every_weeks, occurrences
  )
  select
    p.id,
    d.id,
    t.id,
    o.local_start::date,
    o.local_start::time,
    book_series.every_weeks,
    book_series.occurrences
  from hospital.patients as p
  cross join hospital.doctors as d
  cross join hospital.appointment_types as t
  cross join hospital_private.series_occurrences(d.id, book_series.starts_at, 1, 1) as o
  where p.id = book_series.patient_id
    and d.id = book_series.doctor_id
    and t.id = book_series.appointment_type_id
  returning *
  into series;
  if series.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient, doctor or appointment type.';
  end if;

  for occurrence in
    select
      o.local_start,
      o.instant
    from hospital_private.series_occurrences(
      series.doctor_id, book_series.starts_at, series.occurrences, series.every_weeks
    ) as o
  loop
    begin
      if occurrence.instant is null then
        raise exception using
          errcode = 'OUTWH',
          message = 'The clocks do not show that time.';
      end if;
      perform hospital_private.place_appointment(
        series.patient_id,
        series.doctor_id,
        series.appointment_type_id,
        occurrence.instant,
        'scheduled',
        book_series.reason,
        series_id => series.id,
        is_locked => true
      );
    exception
      when sqlstate 'OUTWH' or sqlstate 'NOTIC' or sqlstate 'TOFAR' or sqlstate 'LIMIT'
        or sqlstate 'SLOTT' or sqlstate 'PATBU' or sqlstate 'ROOMT'
      then
        if book_series.skip_impossible is not true then
          raise exception using
            errcode = 'SRIES',
            message = 'Not every date of the series can be booked.',
            hint = 'Choose another time, or ask for the impossible dates to be skipped.';
        end if;
        skipped := skipped || occurrence.local_start::date;
    end;
  end loop;
  if cardinality(skipped) = series.occurrences then
    raise exception using
      errcode = 'SRIES',
      message = 'No date of the series can be booked.',
      hint = 'Ask freeSlots for times that can be booked.';
  end if;
  if skipped <> '{}' then
    update hospital.appointment_series as s
    set skipped_dates = skipped
    where s.id = series.id
    returning s.*
    into series;
  end if;
  perform hospital_private.remember_request(
    book_series.idempotency_key, 'book_series', payload, series.id
  );
  return series;
end;
$$;
comment on function hospital.book_series(
  bigint, bigint, bigint, timestamptz, integer, integer, boolean, text, text
) is
  'Books the same local time every so many weeks, 52 times at most, all or none; when impossible dates are to be skipped, skippedDates names them. A date is impossible where bookAppointment would refuse it or the clocks jump over its time. Repeated under the same idempotency key it answers with the first series. Raises NTFND, PASTT, TOFAR, NOTBK, RETRY, IDKEY, and SRIES when a date, or with skipping every date, is impossible.';

--! split: 513-04-scheduling-bookable_type.sql
-- source: sql/04-scheduling/bookable_type.sql
create or replace function hospital_private.bookable_type(appointment_type_id bigint)
returns hospital.appointment_types
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  kind hospital.appointment_types;
begin
  select t.*
  into kind
  from hospital.appointment_types as t
  where t.is_bookable
    and case
      when bookable_type.appointment_type_id is null then t.code = 'consultation'
      else t.id = bookable_type.appointment_type_id
    end;
  if kind.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such bookable appointment type.';
  end if;
  return kind;
end;
$$;
comment on function hospital_private.bookable_type(bigint) is
  'The bookable appointment type with the key, a consultation when there is none. Raises NTFND. Lends the owner''s right to read types to visitors who look for times.';

--! split: 514-04-scheduling-booking_conflict.sql
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
-- his own, those who keep the calendar anybody's, a doctor his own patients'.
create or replace function hospital_private.may_ask_about(patient_id bigint)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(may_ask_about.patient_id = hospital_private.current_patient_id(), false)
    or hospital_private.session_has_role('reception')
    or hospital_private.session_has_role('administrator')
    or exists (
      select
      from hospital.appointments as a
      where a.patient_id = may_ask_about.patient_id
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

--! split: 515-04-scheduling-calendar_change_appointments.sql
-- source: sql/04-scheduling/calendar_change_appointments.sql
create or replace function hospital.calendar_change_appointments(
  calendar_change hospital.calendar_change
)
returns setof hospital.appointments
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select a.*
  from hospital.appointments as a
  where a.id = any (calendar_change.appointment_ids)
  order by
    a.starts_at,
    a.id;
$$;
comment on function hospital.calendar_change_appointments(hospital.calendar_change) is
  'The appointments in the way, in order of time, to be moved, called off or overridden first.';

--! split: 516-04-scheduling-cancel_series.sql
-- source: sql/04-scheduling/cancel_series.sql
-- One decision of a person is one change here: all calendars of all that is left are locked in one
-- call, so no other booking comes in between and nobody waits in a circle.
create or replace function hospital.cancel_series(
  series_id bigint,
  from_date date default null,
  cancellation_reason text default 'patient_request'
)
returns hospital.appointment_series
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  series hospital.appointment_series := hospital_private.series(cancel_series.series_id);
  ids bigint[];
  doctors bigint[];
  rooms bigint[];
  calendars jsonb;
  locked jsonb;
begin
  -- Look, lock, look again: one of them may have been moved meanwhile.
  loop
    select
      coalesce(array_agg(a.id order by a.id), '{}'),
      coalesce(array_agg(distinct a.doctor_id), '{}'),
      coalesce(array_agg(distinct a.room_id), '{}')
    into ids, doctors, rooms
    from hospital.appointments as a
    where a.series_id = series.id
      and a.status in ('held', 'scheduled')
      and a.starts_at > clock_timestamp()
      and (
        cancel_series.from_date is null
        or (a.starts_at at time zone hospital_private.doctor_time_zone(a.doctor_id))::date
          >= cancel_series.from_date
      );
    calendars := jsonb_build_array(ids, doctors, rooms);
    exit when calendars = locked;
    perform hospital_private.lock_calendars(
      doctors, array[series.patient_id], rooms, appointment_ids => ids
    );
    locked := calendars;
  end loop;

  update hospital.appointments as a
  set status = 'cancelled',
    cancellation_reason = cancel_series.cancellation_reason
  where a.id = any (ids)
    and a.status in ('held', 'scheduled');
  return series;
end;
$$;
comment on function hospital.cancel_series(bigint, date, text) is
  'Calls off what is still to come of a series, or what is from a local date on, with a coded reason, and offers the freed times to the waitlist; what the caller may not cancel stays. Repeated it changes nothing. Raises NTFND, RETRY.';

--! split: 517-04-scheduling-change_appointment.sql
-- source: sql/04-scheduling/change_appointment.sql
-- The small changes of an appointment's life. Each finds the row under the caller's policies, so a
-- row that is not his does not exist for him.
create or replace function hospital.update_appointment(appointment_id bigint, reason text)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments;
begin
  update hospital.appointments as a
  set reason = update_appointment.reason
  where a.id = update_appointment.appointment_id
  returning a.*
  into appointment;
  return hospital_private.found_appointment(appointment);
end;
$$;
comment on function hospital.update_appointment(bigint, text) is
  'Changes the reason for which the patient comes. Raises NTFND.';

create or replace function hospital.extend_appointment(appointment_id bigint, ends_at timestamptz)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(extend_appointment.appointment_id);
  taken text := hospital_private.booking_conflict(
    appointment.doctor_id,
    appointment.patient_id,
    appointment.room_id,
    tstzrange(
      lower(appointment.busy),
      greatest(
        extend_appointment.ends_at + (upper(appointment.busy) - appointment.ends_at),
        lower(appointment.busy)
      )
    ),
    appointment.id
  );
begin
  if appointment.status not in ('held', 'scheduled', 'checked_in', 'in_progress') then
    raise exception using
      errcode = 'TRNSN',
      message = 'This appointment is over.';
  end if;
  if taken is not null then
    perform hospital_private.raise_conflict(taken);
  end if;
  update hospital.appointments as a
  set ends_at = extend_appointment.ends_at
  where a.id = appointment.id
  returning a.*
  into appointment;
  return hospital_private.found_appointment(appointment);
end;
$$;
comment on function hospital.extend_appointment(bigint, timestamptz) is
  'Lets an appointment end later or earlier; for staff who keep the calendar and its doctor. Raises NTFND, TRNSN, OUTWH, RETRY, SLOTT, PATBU, ROOMT.';

-- A cancellation is made once: repeating it, as a client may after a lost answer, keeps the reason
-- and the time of the first.
create or replace function hospital.cancel_appointment(
  appointment_id bigint,
  cancellation_reason text default 'patient_request'
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(cancel_appointment.appointment_id);
  cancelled hospital.appointments;
begin
  if appointment.status = 'cancelled' then
    return appointment;
  end if;
  update hospital.appointments as a
  set status = 'cancelled',
    cancellation_reason = cancel_appointment.cancellation_reason
  where a.id = appointment.id
    and a.status <> 'cancelled'
  returning a.*
  into cancelled;
  if cancelled.id is null then
    raise exception using
      errcode = 'TRNSN',
      message = 'This appointment can no longer be cancelled.';
  end if;
  return cancelled;
end;
$$;
comment on function hospital.cancel_appointment(bigint, text) is
  'Calls an appointment off with a coded reason, frees its time at once and offers it to the waitlist; patients do so before it begins and give a reason of their own party. Raises NTFND, RETRY, TRNSN when the caller may no longer cancel it, or a conflict when its status does not allow it.';

create or replace function hospital.check_in(appointment_id bigint)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(check_in.appointment_id);
begin
  update hospital.appointments as a
  set status = 'checked_in'
  where a.id = appointment.id
  returning a.*
  into appointment;
  return hospital_private.found_appointment(appointment);
end;
$$;
comment on function hospital.check_in(bigint) is
  'Records that the patient has arrived; for staff. Raises NTFND, RETRY, or a conflict when its status does not allow it.';

create or replace function hospital.mark_no_show(
  appointment_id bigint,
  no_show_reason text default 'did_not_come'
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(mark_no_show.appointment_id);
begin
  update hospital.appointments as a
  set status = 'no_show',
    no_show_reason = mark_no_show.no_show_reason
  where a.id = appointment.id
  returning a.*
  into appointment;
  return hospital_private.found_appointment(appointment);
end;
$$;
comment on function hospital.mark_no_show(bigint, text) is
  'Records that the patient did not come, with a coded reason, once the appointment should have begun; for staff and the doctor. Raises NTFND, RETRY, TRNSN before its start, or a conflict when its status does not allow it.';

--! split: 518-04-scheduling-check_booking_rules.sql
-- source: sql/04-scheduling/check_booking_rules.sql
-- Notice, horizon and daily limits bind who promises a time to come, whoever he is; the way around
-- them is an override, which leaves a name and a reason.
create or replace function hospital_private.check_booking_rules(
  appointment hospital.appointments,
  time_zone text,
  daily_limit integer
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  promised hospital.appointments := check_booking_rules.appointment;
  kind hospital.appointment_types;
  day timestamp := date_trunc(
    'day', promised.starts_at at time zone check_booking_rules.time_zone
  );
  held bigint;
  of_doctor bigint;
  of_type bigint;
begin
  select t.*
  into kind
  from hospital.appointment_types as t
  where t.id = promised.appointment_type_id;
  if promised.starts_at < clock_timestamp() + make_interval(mins => kind.notice_minutes) then
    raise exception using
      errcode = 'NOTIC',
      message = 'It is too late to book that time.',
      hint = 'The type of appointment says how long before its start it must be booked.';
  end if;
  if promised.starts_at > clock_timestamp() + make_interval(hours => kind.horizon_days * 24) then
    raise exception using
      errcode = 'TOFAR',
      message = 'That time is too far ahead to be booked.',
      hint = 'The type of appointment says how many days ahead it can be booked.';
  end if;

  if current_setting('transaction_isolation') <> 'read committed'
    and (
      promised.status = 'held'
      or num_nonnulls(check_booking_rules.daily_limit, kind.daily_limit) > 0
    )
  then
    raise exception using
      errcode = 'ISOLN',
      message = 'Where something is counted, appointments are made under READ COMMITTED.';
  end if;

  -- Three unconfirmed times are enough for anybody.
  if promised.status = 'held' and promised.waitlist_entry_id is null then
    perform hospital_private.enter_calendar(promised.patient_id * 4 + 1, alone => true);
    select count(*)
    into held
    from hospital.appointments as a
    where a.patient_id = promised.patient_id
      and a.status = 'held'
      and a.expires_at > clock_timestamp()
      and a.waitlist_entry_id is null
      and a.id <> promised.id;
    if held >= 3 then
      raise exception using
        errcode = 'NHOLD',
        message = 'The patient holds as many times as one may hold at once.',
        hint = 'Confirm or cancel one of them, or let it run out.';
    end if;
  end if;

  if coalesce(check_booking_rules.daily_limit, kind.daily_limit) is null then
    return;
  end if;
  -- Whoever counts is alone in the calendar.
  select
    count(*),
    count(*) filter (where a.appointment_type_id = kind.id)
  into of_doctor, of_type
  from hospital.appointments as a
  where a.doctor_id = promised.doctor_id
    and a.starts_at >= hospital_private.wall_instant(day, check_booking_rules.time_zone)
    and a.starts_at < hospital_private.wall_instant(
      day + interval '1 day', check_booking_rules.time_zone
    )
    and a.status not in ('cancelled', 'no_show', 'lapsed')
    and (a.status <> 'held' or a.expires_at > clock_timestamp())
    and a.id <> promised.id;
  if of_doctor >= check_booking_rules.daily_limit or of_type >= kind.daily_limit then
    raise exception using
      errcode = 'LIMIT',
      message = 'The doctor takes no more appointments on that day.',
      hint = 'Ask freeSlots for times that can be booked.';
  end if;
end;
$$;
comment on function hospital_private.check_booking_rules(hospital.appointments, text, integer) is
  'Raises NOTIC, TOFAR, NHOLD or LIMIT (and ISOLN where an older snapshot would count) when a promise breaks the notice, horizon, holds or daily limits of its type and doctor. Lends the owner''s right to count a doctor''s day.';

--! split: 519-04-scheduling-close_calendars.sql
-- source: sql/04-scheduling/close_calendars.sql
-- A change of hours and a booking must not both win. Whoever changes hours has the doctor's calendar to
-- himself until he commits, on every path; a booking shares it with bookings only.
create or replace function hospital_private.close_calendars(doctor_ids bigint[], may_wait boolean)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- An older snapshot would not see the bookings that were made since.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using
      errcode = 'ISOLN',
      message = 'Working hours and records are changed under READ COMMITTED only.';
  end if;
  -- Only the first call of a transaction waits. Who holds a row already must not be it.
  if not close_calendars.may_wait then
    perform hospital_private.lock_in_order('{}');
  end if;
  perform hospital_private.lock_in_order(
    array(select d.id * 4 from unnest(close_calendars.doctor_ids) as d (id))
  );
end;
$$;
comment on function hospital_private.close_calendars(bigint[], boolean) is
  'Keeps bookings out of the calendars of doctors until the transaction ends. Raises ISOLN outside READ COMMITTED and RETRY where it may not wait.';

-- A booking under REPEATABLE READ or SERIALIZABLE reads hours as of its snapshot. It asks for the
-- doctor's row as well, which fails (40001) when the row has changed since: so it is made to change.
create or replace function hospital_private.touch_doctors(doctor_ids bigint[])
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Once per transaction is enough.
  untouched bigint[] := array(
    select d.id
    from hospital.doctors as d
    where d.id = any (touch_doctors.doctor_ids)
      and d.xmin <> pg_current_xact_id()::xid
    order by d.id
  );
begin
  if untouched = '{}' then
    return;
  end if;
  perform
  from hospital.doctors as d
  where d.id = any (untouched)
  order by d.id
  for no key update nowait;
  update hospital.doctors as d
  set updated_at = now()
  where d.id = any (untouched);
exception
  when lock_not_available then
    raise exception using
      errcode = 'RETRY',
      message = 'Somebody else is changing the same calendar. Try again.';
end;
$$;
comment on function hospital_private.touch_doctors(bigint[]) is
  'Marks the rows of doctors as changed, so that bookings under an older snapshot fail. Raises RETRY. Lends the owner''s right to write a doctor''s updated_at.';

--! split: 520-04-scheduling-close_patient_record.sql
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
      hint = 'Call them off first, or move them to the patient''s other record.';
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

-- The dead do not come. What is left to come is called off in the same statement, so that the time is
-- free for others and nobody is reminded; what is under way is left to who sees to it.
create or replace function hospital_private.call_off_for_the_dead()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- The patient's row is held, so nobody is waited for.
  perform hospital_private.lock_in_order('{}');
  perform hospital_private.lock_calendars(
    array_agg(a.doctor_id), array[new.id], array_agg(a.room_id)
  )
  from hospital.appointments as a
  where a.patient_id = new.id
    and a.busy && tstzrange(clock_timestamp(), null)
    and a.status in ('held', 'scheduled', 'checked_in');
  begin
    perform
    from hospital.waitlist_entries as w
    where w.patient_id = new.id
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
  where w.patient_id = new.id
    and w.status = 'waiting';
  update hospital.appointments as a
  set status = 'cancelled',
    cancellation_reason = 'patient_deceased'
  where a.patient_id = new.id
    and a.busy && tstzrange(clock_timestamp(), null)
    and a.status in ('held', 'scheduled', 'checked_in');
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

--! split: 521-04-scheduling-derive_appointment.sql
-- source: sql/04-scheduling/derive_appointment.sql
-- What follows from other columns is written here, whatever the writer says: the end, the buffers,
-- the occupied span, the department, and what belongs to a status alone.
create or replace function hospital_private.derive_appointment()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  kind hospital.appointment_types;
begin
  if tg_op = 'INSERT'
    or new.appointment_type_id <> old.appointment_type_id
    or (new.status = 'held' and old.status <> 'held')
  then
    select t.*
    into kind
    from hospital.appointment_types as t
    where t.id = new.appointment_type_id;
  end if;

  if tg_op = 'INSERT' then
    new.buffer_before_minutes := coalesce(kind.buffer_before_minutes, 0);
    new.buffer_after_minutes := coalesce(kind.buffer_after_minutes, 0);
    new.ends_at := coalesce(
      new.ends_at,
      new.starts_at + make_interval(mins => kind.duration_minutes)
    );
  elsif new.appointment_type_id <> old.appointment_type_id then
    new.buffer_before_minutes := coalesce(kind.buffer_before_minutes, 0);
    new.buffer_after_minutes := coalesce(kind.buffer_after_minutes, 0);
    if new.ends_at = old.ends_at then
      new.ends_at := new.starts_at + make_interval(mins => kind.duration_minutes);
    end if;
  elsif new.starts_at <> old.starts_at and new.ends_at = old.ends_at then
    -- Moved as it is: it takes as long as before.
    new.ends_at := new.starts_at + (old.ends_at - old.starts_at);
  end if;

  -- Leave to set one doctor's rules aside says nothing about another's.
  if tg_op = 'UPDATE'
    and new.doctor_id <> old.doctor_id
    and new.override_id = old.override_id
  then
    new.override_id := null;
  end if;

  if new.department_id is null
    or (
      tg_op = 'UPDATE'
      and new.doctor_id <> old.doctor_id
      and new.department_id = old.department_id
    )
  then
    select m.department_id
    into new.department_id
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    where d.id = new.doctor_id;
  end if;

  -- An end before the start is left for the constraint to refuse by name.
  if new.ends_at > new.starts_at then
    new.busy := tstzrange(
      new.starts_at - make_interval(mins => new.buffer_before_minutes),
      new.ends_at + make_interval(mins => new.buffer_after_minutes)
    );
  else
    new.busy := 'empty';
  end if;

  if new.status = 'cancelled' then
    new.cancelled_at := coalesce(new.cancelled_at, now());
  else
    new.cancelled_at := null;
    new.cancellation_reason := null;
  end if;
  if new.status = 'no_show' then
    new.no_show_reason := coalesce(new.no_show_reason, 'did_not_come');
  else
    new.no_show_reason := null;
  end if;
  -- A hold may be shorter than its type says and is never made longer.
  if new.status <> 'held' then
    new.expires_at := null;
  elsif tg_op = 'UPDATE' and old.status = 'held' then
    new.expires_at := least(new.expires_at, old.expires_at);
  else
    new.expires_at := least(
      new.expires_at,
      clock_timestamp() + make_interval(
        mins => case
          when new.waitlist_entry_id is null then kind.hold_minutes
          else kind.offer_minutes
        end
      )
    );
  end if;
  return new;
end;
$$;
comment on function hospital_private.derive_appointment() is
  'Trigger: fills what follows from other columns of an appointment. Lends the owner''s right to read types and departments, which the writer may not see.';

create or replace trigger _200_derive
  before insert or update on hospital.appointments
  for each row execute function hospital_private.derive_appointment();

--! split: 522-04-scheduling-doctor_time_zone.sql
-- source: sql/04-scheduling/doctor_time_zone.sql
create or replace function hospital_private.doctor_time_zone(doctor_id bigint)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select f.time_zone
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    join hospital.departments as p
      on p.id = m.department_id
    join hospital.facilities as f
      on f.id = p.facility_id
    where d.id = doctor_time_zone.doctor_id
  );
end;
$$;
comment on function hospital_private.doctor_time_zone(bigint) is
  'The IANA zone by whose clocks a doctor works, or null for none. Lends the owner''s right to read staff, for this alone.';

--! split: 523-04-scheduling-expire_holds.sql
-- source: sql/04-scheduling/expire_holds.sql
-- Tidying only. A hold that has run out is in nobody's way; this writes down that it has, and offers
-- its time to the next on the waitlist.
create or replace function ops.expire_holds()
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  lapsed bigint[];
  freed record;
begin
  with
  expired as materialized (
    select a.id
    from hospital.appointments as a
    where a.status = 'held'
      and a.expires_at <= clock_timestamp()
    order by a.id
    limit 200
    for update skip locked
  ),
  ended as (
    update hospital.appointments as a
    set status = 'lapsed'
    where a.id = any (array(select e.id from expired as e))
    returning a.id
  )
  select coalesce(array_agg(e.id), '{}')
  into lapsed
  from ended as e;

  for freed in
    select
      a.doctor_id,
      a.busy
    from hospital.appointments as a
    where a.id = any (lapsed)
    order by
      a.doctor_id,
      a.starts_at
  loop
    perform hospital_private.offer_freed_time(freed.doctor_id, freed.busy);
  end loop;

  -- Nobody repeats a request after a month.
  delete from hospital_private.idempotency_keys as k
  where k.created_at < now() - interval '30 days';
  return cardinality(lapsed)::bigint;
end;
$$;
comment on function ops.expire_holds() is
  'Ends the holds that have run out, offers their time to the waitlist, forgets idempotency keys after 30 days, and returns how many holds it ended, 200 at most; the next run goes on. Lends the worker the owner''s right to change appointments, for this alone.';

--! split: 524-04-scheduling-found_appointment.sql
-- source: sql/04-scheduling/found_appointment.sql
create or replace function hospital_private.found_appointment(appointment hospital.appointments)
returns hospital.appointments
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if appointment.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such appointment.';
  end if;
  return appointment;
end;
$$;
comment on function hospital_private.found_appointment(hospital.appointments) is
  'Returns the appointment, or raises NTFND when none was found.';

create or replace function hospital_private.appointment(appointment_id bigint)
returns hospital.appointments
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  found hospital.appointments;
begin
  select a.*
  into found
  from hospital.appointments as a
  where a.id = appointment.appointment_id;
  return hospital_private.found_appointment(found);
end;
$$;
comment on function hospital_private.appointment(bigint) is
  'The appointment as it is now, when the caller may see it. Raises NTFND.';

--! split: 525-04-scheduling-found_series.sql
-- source: sql/04-scheduling/found_series.sql
create or replace function hospital_private.series(series_id bigint)
returns hospital.appointment_series
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  found hospital.appointment_series;
begin
  select s.*
  into found
  from hospital.appointment_series as s
  where s.id = series.series_id;
  if found.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such series.';
  end if;
  return found;
end;
$$;
comment on function hospital_private.series(bigint) is
  'The series as it is now, when the caller may see it. Raises NTFND.';

--! split: 526-04-scheduling-free_slots.sql
-- source: sql/04-scheduling/free_slots.sql
-- What is offered is what the guard on appointments and the exclusion constraints accept, no more and no
-- less. Nothing is asked once per slot: calendars are read once per doctor and room, as multiranges.
create or replace function hospital.free_slots(
  doctor_id bigint default null,
  department_id bigint default null,
  appointment_type_id bigint default null,
  starts_from timestamptz default null,
  starts_before timestamptz default null
)
returns setof hospital.free_slot
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  kind hospital.appointment_types;
  -- Not the transaction's time: the guard asks the clock, too.
  moment constant timestamptz := clock_timestamp();
  earliest timestamptz;
  latest timestamptz;
  horizon timestamptz;
  before interval;
  after interval;
  length interval;
  doctors bigint[];
begin
  if num_nonnulls(free_slots.doctor_id, free_slots.department_id) = 0 then
    raise exception using
      errcode = 'MISSA',
      message = 'Name a doctor or a department.';
  end if;
  kind := hospital_private.bookable_type(free_slots.appointment_type_id);
  earliest := greatest(coalesce(free_slots.starts_from, moment), moment);
  horizon := moment + make_interval(hours => kind.horizon_days * 24);
  if earliest > horizon then
    return;
  end if;
  latest := greatest(
    coalesce(
      free_slots.starts_before,
      coalesce(free_slots.starts_from, moment) + interval '7 days'
    ),
    earliest
  );
  -- Added and not subtracted: infinity less an instant is an error on older servers.
  if latest > earliest + interval '62 days' then
    raise exception using
      errcode = 'SPANL',
      message = 'The span is too long.',
      hint = 'Ask for at most 62 days at a time.';
  end if;
  earliest := greatest(earliest, moment + make_interval(mins => kind.notice_minutes));
  -- The horizon itself can be booked.
  latest := least(latest, horizon + interval '1 microsecond');
  if earliest >= latest then
    return;
  end if;
  before := make_interval(mins => kind.buffer_before_minutes);
  length := make_interval(mins => kind.duration_minutes);
  after := make_interval(mins => kind.duration_minutes + kind.buffer_after_minutes);
  select array_agg(d.id)
  into doctors
  from hospital.doctors as d
  join hospital.staff_members as m
    on m.id = d.staff_member_id
  where d.is_active
    and (free_slots.doctor_id is null or d.id = free_slots.doctor_id)
    and (free_slots.department_id is null or m.department_id = free_slots.department_id);

  return query
  with
  calendar as materialized (
    -- The last slot may start at the end of the span and reach beyond it.
    select tstzrange(earliest - before, latest + after) as span
  ),
  shift as materialized (
    select s.*
    from calendar as c
    cross join lateral hospital_private.working_shifts(doctors, c.span) as s
  ),
  -- A row for each doctor and room in which he works, or none. Where it is one room only, every slot
  -- is in it, and nothing more need be asked.
  place as (
    select
      s.doctor_id,
      s.room_id,
      range_agg(tstzrange(s.starts_at, s.ends_at)) as time
    from shift as s
    group by
      s.doctor_id,
      s.room_id
  ),
  doctor as (
    select
      p.doctor_id,
      count(*) > 1 as moves,
      range_agg(p.time) as works
    from place as p
    group by p.doctor_id
  ),
  taken as materialized (
    select t.*
    from calendar as c
    cross join lateral hospital_private.taken_time(
      doctors,
      array(select distinct p.room_id from place as p where p.room_id is not null),
      c.span
    ) as t
  ),
  stretch as (
    select
      p.doctor_id,
      p.room_id,
      case when d.moves then p.time end as only_in,
      b.barred,
      unnest(d.works - coalesce(t.taken, '{}') - coalesce(r.taken, '{}')) as span
    from place as p
    join doctor as d
      on d.doctor_id = p.doctor_id
    left join taken as t
      on t.doctor_id = p.doctor_id
    left join taken as r
      on r.room_id = p.room_id
    left join hospital_private.barred_starts(doctors, kind, tstzrange(earliest, latest)) as b
      on b.doctor_id = p.doctor_id
  )
  select
    s.doctor_id,
    s.room_id,
    kind.id,
    slot.starts_at,
    slot.starts_at + length
  from stretch as s
  cross join lateral generate_series(
    -- The next quarter of an hour. Every zone's clocks have been whole quarters from UTC since 1972.
    date_bin(
      interval '15 minutes',
      greatest(lower(s.span) + before, earliest) + interval '15 minutes' - interval '1 microsecond',
      '2000-01-01 00:00Z'
    ),
    least(upper(s.span) - after, latest - interval '1 microsecond'),
    interval '15 minutes'
  ) as slot (starts_at)
  where (s.only_in is null or s.only_in @> slot.starts_at)
    and (s.barred is null or not s.barred @> slot.starts_at)
  order by
    slot.starts_at,
    s.doctor_id;
end;
$$;
comment on function hospital.free_slots(bigint, bigint, bigint, timestamptz, timestamptz) is
  'The times at which a doctor, or any doctor of a department, can be booked for a type of appointment (a consultation unless named), by default in the next 7 days and at most 62. Raises MISSA, NTFND, SPANL. Lends the owner''s right to see when doctors and rooms are free, never with whom they are busy.';

--! split: 527-04-scheduling-grant_override.sql
-- source: sql/04-scheduling/grant_override.sql
-- The way around hours, notice, horizon and daily limits: a row that says who opened it, for whom and
-- why. It never opens the way to the same time twice. Who may grant one stands in the policies.
create or replace function hospital_private.grant_override(
  patient_id bigint,
  doctor_id bigint,
  appointment_type_id bigint,
  starts_at timestamptz,
  reason text
)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  granted bigint;
begin
  if grant_override.reason is null then
    return null;
  end if;
  insert into hospital.appointment_overrides (doctor_id, patient_id, span, reason)
  select
    grant_override.doctor_id,
    grant_override.patient_id,
    tstzrange(
      grant_override.starts_at - make_interval(mins => t.buffer_before_minutes),
      grant_override.starts_at
        + make_interval(mins => t.duration_minutes + t.buffer_after_minutes)
    ),
    grant_override.reason
  from hospital.appointment_types as t
  where t.id = grant_override.appointment_type_id
  returning id
  into granted;
  return granted;
end;
$$;
comment on function hospital_private.grant_override(bigint, bigint, bigint, timestamptz, text) is
  'Grants leave to book outside the booking rules and returns its key, or null without a reason.';

-- Who granted it is not for the writer to say.
create or replace function hospital_private.stamp_override()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  new.granted_by := hospital_private.current_account_id();
  new.granted_at := now();
  return new;
end;
$$;
comment on function hospital_private.stamp_override() is
  'Trigger: writes who granted an override, and when. Lends the owner''s right to ask who is there.';

create or replace trigger _100_stamp
  before insert on hospital.appointment_overrides
  for each row execute function hospital_private.stamp_override();

--! split: 528-04-scheduling-guard_appointment.sql
-- source: sql/04-scheduling/guard_appointment.sql
-- Time to come is promised only where it can be kept, on every path: API, SQL as any role, SQL as
-- the owner, load and replay. History is recorded as it happened.
create or replace function hospital_private.guard_appointment()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  refusal text;
  daily_limit integer;
  time_zone text;
  worked tstzmultirange;
  place bigint;
begin
  -- Beside other bookings, apart from changes of the hours: what is read below stays true until this
  -- transaction ends. Where a day has a limit, whoever counts is alone.
  perform hospital_private.enter_calendar(
    new.doctor_id * 4,
    alone => exists (
      select
      from hospital.doctors as d
      cross join hospital.appointment_types as t
      where d.id = new.doctor_id
        and t.id = new.appointment_type_id
        and num_nonnulls(d.daily_limit, t.daily_limit) > 0
    )
  );
  -- An older snapshot reads the past, so there the doctor's row is asked too.
  if current_setting('transaction_isolation') <> 'read committed' then
    perform
    from hospital.doctors as d
    where d.id = new.doctor_id
    for share;
  end if;

  perform
  from hospital.patients as p
  where p.id = new.patient_id
  for key share;
  select case
      when not d.is_active then 'This doctor cannot be booked.'
      when p.deactivated_at is not null or p.deceased_on is not null
        or p.merged_into_id is not null then 'This patient''s record is closed.'
      when not t.is_bookable then 'This type of appointment cannot be booked.'
    end,
    d.daily_limit,
    f.time_zone
  into refusal, daily_limit, time_zone
  from hospital.doctors as d
  join hospital.staff_members as m
    on m.id = d.staff_member_id
  join hospital.departments as o
    on o.id = m.department_id
  join hospital.facilities as f
    on f.id = o.facility_id
  cross join hospital.patients as p
  cross join hospital.appointment_types as t
  where d.id = new.doctor_id
    and p.id = new.patient_id
    and t.id = new.appointment_type_id;
  if refusal is not null then
    raise exception using
      errcode = 'NOTBK',
      message = refusal;
  end if;

  select
    coalesce(range_agg(tstzrange(s.starts_at, s.ends_at)), '{}'),
    max(s.room_id) filter (where s.starts_at <= new.starts_at and s.ends_at > new.starts_at)
  into worked, place
  from hospital_private.working_shifts(array[new.doctor_id], new.busy) as s;
  -- What has passed is not written anew by anybody who is logged in; tools load history.
  if new.starts_at < now() then
    if (
        (tg_op = 'INSERT' and new.status in ('held', 'scheduled'))
        or (tg_op = 'UPDATE' and new.starts_at <> old.starts_at)
      )
      and hospital_private.current_account_id() is not null
    then
      raise exception using
        errcode = 'PASTT',
        message = 'That time has passed.';
    end if;
  end if;

  -- The room follows from the hours, where they name one, unless another was named.
  if new.room_id is null
    or (
      tg_op = 'UPDATE'
      and new.room_id = old.room_id
      and (new.doctor_id <> old.doctor_id or new.starts_at <> old.starts_at)
    )
  then
    new.room_id := case
      when tg_op = 'UPDATE' and new.doctor_id <> old.doctor_id then place
      else coalesce(place, new.room_id)
    end;
  end if;

  if exists (
    select
    from hospital.appointment_overrides as o
    where o.id = new.override_id
      and o.span @> new.busy
  ) then
    return new;
  end if;
  if not worked @> new.busy
    or hospital_private.is_second_pass(new.starts_at, time_zone)
  then
    raise exception using
      errcode = 'OUTWH',
      message = 'The doctor does not work at that time.',
      hint = 'Ask freeSlots for times that can be booked.';
  end if;
  -- A longer or shorter appointment is no new promise.
  if new.starts_at > now()
    and (
      tg_op = 'INSERT'
      or old.status not in ('held', 'scheduled', 'checked_in', 'in_progress')
      or (new.starts_at, new.doctor_id, new.patient_id, new.appointment_type_id)
        is distinct from (old.starts_at, old.doctor_id, old.patient_id, old.appointment_type_id)
    )
  then
    perform hospital_private.check_booking_rules(new, time_zone, daily_limit);
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_appointment() is
  'Trigger: an appointment becomes or stays active only with a bookable doctor, patient and type, within working time, and when promised within notice, horizon and daily limits; an override that covers it lifts all but the first. Raises NOTBK, PASTT, OUTWH, NOTIC, TOFAR, LIMIT, NHOLD, RETRY. Lends the owner''s right to read schedules and calendars.';

create or replace trigger _300_guard_insert
  before insert on hospital.appointments
  for each row
  when (new.status in ('held', 'scheduled', 'checked_in', 'in_progress'))
  execute function hospital_private.guard_appointment();

-- Moving through the states of a day asks nothing again: only place, time and coming back do.
create or replace trigger _300_guard_update
  before update on hospital.appointments
  for each row
  when (
    new.status in ('held', 'scheduled', 'checked_in', 'in_progress')
    and (
      old.status not in ('held', 'scheduled', 'checked_in', 'in_progress')
      or new.doctor_id <> old.doctor_id
      or new.patient_id <> old.patient_id
      or new.appointment_type_id <> old.appointment_type_id
      or new.busy <> old.busy
      or new.override_id is distinct from old.override_id
    )
  )
  execute function hospital_private.guard_appointment();

--! split: 529-04-scheduling-guard_calendar.sql
-- source: sql/04-scheduling/guard_calendar.sql
-- The three tables that say when a doctor works, behind the doctor's lock on every path: API, SQL as any
-- role, SQL as the owner.
create or replace function hospital_private.guard_calendar()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  doctors bigint[];
begin
  if tg_op = 'INSERT' then
    doctors := array[new.doctor_id];
  elsif tg_op = 'DELETE' then
    doctors := array[old.doctor_id];
  else
    doctors := array[old.doctor_id, new.doctor_id];
  end if;
  -- Rows that are changed or deleted are locked before a trigger sees them.
  perform hospital_private.close_calendars(doctors, may_wait => tg_op = 'INSERT');
  perform hospital_private.touch_doctors(doctors);
  if tg_op = 'DELETE' then
    return old;
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_calendar() is
  'Trigger: hours change only while nobody books the doctor. Raises ISOLN, RETRY. Lends the owner''s right to mark the doctor''s row.';

create or replace trigger _300_guard_calendar
  before insert or update or delete on hospital.doctor_schedules
  for each row execute function hospital_private.guard_calendar();
create or replace trigger _300_guard_calendar
  before insert or update or delete on hospital.doctor_time_off
  for each row execute function hospital_private.guard_calendar();
create or replace trigger _300_guard_calendar
  before insert or update or delete on hospital.doctor_extra_sessions
  for each row execute function hospital_private.guard_calendar();

-- An extra session stands inside an absence, since it is entered on purpose. So an absence that is
-- entered over one would silently not hold there.
create or replace function hospital_private.guard_time_off()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  added tstzmultirange := tstzmultirange(tstzrange(new.starts_at, new.ends_at));
begin
  if tg_op = 'UPDATE' and new.doctor_id = old.doctor_id then
    added := added - tstzmultirange(tstzrange(old.starts_at, old.ends_at));
  end if;
  if exists (
    select
    from hospital.doctor_extra_sessions as s
    where s.doctor_id = new.doctor_id
      and tstzrange(s.starts_at, s.ends_at) && added
  ) then
    raise exception using
      errcode = 'SESSN',
      message = 'An extra session lies in that time.',
      hint = 'Withdraw it first; addTimeOff does so by itself.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_time_off() is
  'Trigger: an absence is not entered over an extra session. Raises SESSN. Lends the owner''s right to read extra sessions.';

create or replace trigger _310_guard_sessions
  before insert or update on hospital.doctor_time_off
  for each row
  -- An end before the start is left for the constraint to refuse by name.
  when (new.ends_at > new.starts_at)
  execute function hospital_private.guard_time_off();

-- Asked when the transaction ends, so that a week may be rearranged in several statements.
create or replace function hospital_private.keep_appointments()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op <> 'INSERT' then
    perform hospital_private.require_way_free(
      hospital_private.appointments_in_the_way(old.doctor_id)
    );
  end if;
  if tg_op = 'INSERT' or (tg_op = 'UPDATE' and new.doctor_id <> old.doctor_id) then
    perform hospital_private.require_way_free(
      hospital_private.appointments_in_the_way(new.doctor_id)
    );
  end if;
  return null;
end;
$$;
comment on function hospital_private.keep_appointments() is
  'Trigger: at the end of a transaction that took hours away, no appointment to come lies outside them. Raises INWAY. Lends the owner''s right to read calendars.';

drop trigger if exists _310_keep_appointments on hospital.doctor_schedules;
create constraint trigger _310_keep_appointments
  after update or delete on hospital.doctor_schedules
  deferrable initially deferred
  for each row execute function hospital_private.keep_appointments();
drop trigger if exists _310_keep_appointments on hospital.doctor_time_off;
create constraint trigger _310_keep_appointments
  after insert or update on hospital.doctor_time_off
  deferrable initially deferred
  for each row execute function hospital_private.keep_appointments();
drop trigger if exists _310_keep_appointments on hospital.doctor_extra_sessions;
create constraint trigger _310_keep_appointments
  after update or delete on hospital.doctor_extra_sessions
  deferrable initially deferred
  for each row execute function hospital_private.keep_appointments();

-- All hours at once are gone without a row that a trigger could see.
create or replace function hospital_private.keep_all_appointments()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_way_free(hospital_private.appointments_in_the_way(d.doctor_id))
  from (
    select distinct a.doctor_id
    from hospital.appointments as a
    where a.busy && tstzrange(clock_timestamp(), null)
      and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
  ) as d;
  return null;
end;
$$;
comment on function hospital_private.keep_all_appointments() is
  'Trigger: a table of hours is emptied only where no appointment to come is left outside them. Raises INWAY. Lends the owner''s right to read calendars.';

create or replace trigger _310_keep_all_appointments
  after truncate on hospital.doctor_schedules
  for each statement execute function hospital_private.keep_all_appointments();
create or replace trigger _310_keep_all_appointments
  after truncate on hospital.doctor_extra_sessions
  for each statement execute function hospital_private.keep_all_appointments();

--! split: 530-04-scheduling-guard_status.sql
-- source: sql/04-scheduling/guard_status.sql
-- Which changes of status there are is the history's foreign key; when one may be made is said here,
-- and what may become of a hold.
-- It runs under the row's lock, so that a hold runs out before or after it is confirmed, never between.
create or replace function hospital_private.guard_status()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  earliest integer;
begin
  if old.status = 'held'
    and new.status in ('held', 'scheduled', 'checked_in', 'in_progress')
    and old.expires_at <= clock_timestamp()
  then
    raise exception using
      errcode = 'XHOLD',
      message = 'The hold has run out.',
      hint = 'Hold or book the time again; it may still be free.';
  end if;
  -- It would keep another time for as long as an offer is kept.
  if new.status = 'held' and old.waitlist_entry_id is not null then
    raise exception using
      errcode = 'TRNSN',
      message = 'An offered time is taken or refused as it is.';
  end if;
  select t.earliest_minutes_before_start
  into earliest
  from hospital.appointment_status_transitions as t
  where t.from_status = old.status
    and t.to_status = new.status;
  if clock_timestamp() < new.starts_at - make_interval(mins => earliest) then
    raise exception using
      errcode = 'TRNSN',
      message = 'It is too early for that.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_status() is
  'Trigger: refuses to confirm or move a hold that has run out, to move an offer, and a change of status before its time. Raises XHOLD, TRNSN. Lends the owner''s right to read the transitions.';

create or replace trigger _300_guard_status
  before update on hospital.appointments
  for each row
  when (
    new.status <> old.status
    or (
      old.status = 'held'
      and (
        new.busy <> old.busy
        or new.doctor_id <> old.doctor_id
        or new.patient_id <> old.patient_id
      )
    )
  )
  execute function hospital_private.guard_status();

--! split: 531-04-scheduling-guard_waitlist_entry.sql
-- source: sql/04-scheduling/guard_waitlist_entry.sql
-- On every path: a doctor is waited for where he works, nobody waits for what cannot be, and nobody for
-- everything.
create or replace function hospital_private.guard_waitlist_entry()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  department bigint;
  wishes bigint;
begin
  -- A doctor that does not exist is left for the foreign key to refuse.
  if new.doctor_id is not null then
    select m.department_id
    into department
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    where d.id = new.doctor_id;
    if new.department_id <> department then
      raise exception using
        errcode = 'NTFND',
        message = 'There is no such doctor in that department.';
    end if;
    new.department_id := coalesce(new.department_id, department);
  end if;
  if exists (
    select
    from hospital.patients as p
    where p.id = new.patient_id
      and (
        p.deactivated_at is not null
        or p.deceased_on is not null
        or p.merged_into_id is not null
      )
  ) then
    raise exception using
      errcode = 'NOTBK',
      message = 'This patient''s record is closed.';
  end if;
  if exists (
    select
    from hospital.appointment_types as t
    where t.id = new.appointment_type_id
      and not t.is_bookable
  ) then
    raise exception using
      errcode = 'NOTBK',
      message = 'This type of appointment cannot be booked.';
  end if;

  if new.status <> 'waiting' then
    return new;
  end if;
  -- Whoever counts must be alone, and must see what is there. Rows may be held already, so nobody is
  -- waited for.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using
      errcode = 'ISOLN',
      message = 'The waitlist is joined under READ COMMITTED only.';
  end if;
  perform hospital_private.lock_in_order('{}');
  perform hospital_private.lock_calendars('{}', array[new.patient_id]);
  -- The same wish once more is none more: it is refused or merged by its index.
  select count(*)
  into wishes
  from hospital.waitlist_entries as e
  where e.patient_id = new.patient_id
    and e.status = 'waiting'
    and e.id <> new.id
    and (e.appointment_type_id, e.department_id, e.doctor_id)
      is distinct from (new.appointment_type_id, new.department_id, new.doctor_id);
  if wishes >= 5 then
    raise exception using
      errcode = 'WISHN',
      message = 'The patient waits for as many things as one may at once.',
      hint = 'Leave the waitlist for one of them first.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_waitlist_entry() is
  'Trigger: gives an entry on the waitlist the department of its doctor; refuses with NTFND a doctor of another, with NOTBK closed patients and types that are not booked, and with WISHN a sixth open wish of a patient. Raises ISOLN and RETRY too. Lends the owner''s right to read what the writer may not see.';

create or replace trigger _300_guard_insert
  before insert on hospital.waitlist_entries
  for each row execute function hospital_private.guard_waitlist_entry();

-- A wish that is opened again, or becomes another, is asked the same.
create or replace trigger _300_guard_update
  before update on hospital.waitlist_entries
  for each row
  when (
    new.status = 'waiting'
    and (
      old.status,
      old.patient_id,
      old.appointment_type_id,
      old.department_id,
      old.doctor_id
    ) is distinct from (
      new.status,
      new.patient_id,
      new.appointment_type_id,
      new.department_id,
      new.doctor_id
    )
  )
  execute function hospital_private.guard_waitlist_entry();

--! split: 532-04-scheduling-guard_workplace.sql
-- source: sql/04-scheduling/guard_workplace.sql
-- Hours also change without a row of hours changing: when a doctor leaves, and when doctor, department
-- or facility comes under the clocks of another zone.
create or replace function hospital_private.doctors_at(workplace name, row_id bigint)
returns bigint[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select d.id
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    join hospital.departments as p
      on p.id = m.department_id
    where doctors_at.row_id = case doctors_at.workplace
        when 'doctors' then d.id
        when 'staff_members' then m.id
        when 'departments' then p.id
        when 'facilities' then p.facility_id
      end
    order by d.id
  );
$$;
comment on function hospital_private.doctors_at(name, bigint) is
  'The doctors whom a row of doctors, staff_members, departments or facilities concerns. Lends the owner''s right to read staff.';

create or replace function hospital_private.guard_workplace()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  doctors bigint[] := hospital_private.doctors_at(tg_table_name, new.id);
  -- Of four tables, which do not have the same columns.
  goes_to jsonb := to_jsonb(new);
begin
  -- Nobody who has closed a calendar waits for the row of a department or a facility.
  perform hospital_private.close_calendars(
    doctors, may_wait => tg_table_name in ('departments', 'facilities')
  );
  if tg_table_name <> 'doctors' then
    perform hospital_private.touch_doctors(doctors);
  end if;
  -- Whoever moves must not pass somebody who is setting the clocks of the place he goes to.
  begin
    if tg_table_name = 'staff_members' then
      perform
      from hospital.departments as p
      join hospital.facilities as f
        on f.id = p.facility_id
      where p.id = (goes_to ->> 'department_id')::bigint
      for share nowait;
    elsif tg_table_name = 'departments' then
      perform
      from hospital.facilities as f
      where f.id = (goes_to ->> 'facility_id')::bigint
      for share nowait;
    end if;
  exception
    when lock_not_available then
      raise exception using
        errcode = 'RETRY',
        message = 'Somebody else is changing the same calendar. Try again.';
  end;
  return new;
end;
$$;
comment on function hospital_private.guard_workplace() is
  'Trigger: a doctor leaves or changes the zone only while nobody books him. Raises ISOLN, RETRY. Lends the owner''s right to lock and mark the rows concerned.';

create or replace trigger _300_guard_workplace
  before update on hospital.doctors
  for each row
  when (
    old.is_active
    and (
      new.approved_at is null
      or new.deactivated_at is not null
      or new.staff_member_id <> old.staff_member_id
    )
  )
  execute function hospital_private.guard_workplace();
create or replace trigger _300_guard_workplace
  before update on hospital.staff_members
  for each row
  when (new.department_id <> old.department_id and new.job = 'doctor')
  execute function hospital_private.guard_workplace();
create or replace trigger _300_guard_workplace
  before update on hospital.departments
  for each row
  when (new.facility_id <> old.facility_id)
  execute function hospital_private.guard_workplace();
create or replace trigger _300_guard_workplace
  before update on hospital.facilities
  for each row
  when (new.time_zone <> old.time_zone)
  execute function hospital_private.guard_workplace();

create or replace function hospital_private.keep_workplace()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_way_free(hospital_private.appointments_in_the_way(d.id))
  from unnest(hospital_private.doctors_at(tg_table_name, new.id)) as d (id);
  return null;
end;
$$;
comment on function hospital_private.keep_workplace() is
  'Trigger: at the end of a transaction in which a doctor left or changed the zone, no appointment to come lies outside the hours. Raises INWAY. Lends the owner''s right to read calendars.';

drop trigger if exists _310_keep_appointments on hospital.doctors;
create constraint trigger _310_keep_appointments
  after update on hospital.doctors
  deferrable initially deferred
  for each row
  when (old.is_active and (not new.is_active or new.staff_member_id <> old.staff_member_id))
  execute function hospital_private.keep_workplace();
drop trigger if exists _310_keep_appointments on hospital.staff_members;
create constraint trigger _310_keep_appointments
  after update on hospital.staff_members
  deferrable initially deferred
  for each row
  when (new.department_id <> old.department_id and new.job = 'doctor')
  execute function hospital_private.keep_workplace();
drop trigger if exists _310_keep_appointments on hospital.departments;
create constraint trigger _310_keep_appointments
  after update on hospital.departments
  deferrable initially deferred
  for each row
  when (new.facility_id <> old.facility_id)
  execute function hospital_private.keep_workplace();
drop trigger if exists _310_keep_appointments on hospital.facilities;
create constraint trigger _310_keep_appointments
  after update on hospital.facilities
  deferrable initially deferred
  for each row
  when (new.time_zone <> old.time_zone)
  execute function hospital_private.keep_workplace();

--! split: 533-04-scheduling-hold_slot.sql
-- source: sql/04-scheduling/hold_slot.sql
-- A time is kept for a patient who is still deciding. It is an appointment in every respect but that
-- it ends by the clock, so nothing has to run for it to end.
create or replace function hospital.hold_slot(
  patient_id bigint,
  doctor_id bigint,
  appointment_type_id bigint,
  starts_at timestamptz,
  idempotency_key text default null
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  payload text := jsonb_build_array(
    hold_slot.patient_id,
    hold_slot.doctor_id,
    hold_slot.appointment_type_id,
    extract(epoch from hold_slot.starts_at)
  )::text;
  known bigint := hospital_private.begin_request(
    hold_slot.idempotency_key,
    'hold_slot',
    payload,
    array[hold_slot.doctor_id],
    array[hold_slot.patient_id],
    case
      when hold_slot.idempotency_key is not null then array[
        hospital_private.scheduled_room_id(hold_slot.doctor_id, hold_slot.starts_at)
      ]
    end
  );
  held hospital.appointments;
begin
  if known is not null then
    return hospital_private.appointment(known);
  end if;
  held := hospital_private.place_appointment(
    hold_slot.patient_id,
    hold_slot.doctor_id,
    hold_slot.appointment_type_id,
    hold_slot.starts_at,
    'held',
    null,
    is_locked => hold_slot.idempotency_key is not null
  );
  perform hospital_private.remember_request(
    hold_slot.idempotency_key, 'hold_slot', payload, held.id
  );
  return held;
end;
$$;
comment on function hospital.hold_slot(bigint, bigint, bigint, timestamptz, text) is
  'Keeps a time for a patient for the minutes its type says; expiresAt tells until when. confirmHold or bookAppointment make it an appointment. Raises what bookAppointment raises, and NHOLD when the patient holds three times already.';

create or replace function hospital.confirm_hold(appointment_id bigint, reason text default null)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(confirm_hold.appointment_id);
begin
  if appointment.status = 'lapsed' or appointment.expires_at <= clock_timestamp() then
    raise exception using
      errcode = 'XHOLD',
      message = 'The hold has run out.',
      hint = 'Hold or book the time again; it may still be free.';
  end if;
  update hospital.appointments as a
  set status = 'scheduled',
    reason = coalesce(confirm_hold.reason, a.reason)
  where a.id = appointment.id
    and a.status = 'held'
  returning a.*
  into appointment;
  if appointment.id is null then
    raise exception using
      errcode = 'TRNSN',
      message = 'This appointment is not a held time.';
  end if;
  return appointment;
end;
$$;
comment on function hospital.confirm_hold(bigint, text) is
  'Makes an appointment of a held time that has not run out. Raises NTFND, TRNSN when it is no hold, XHOLD, RETRY.';

--! split: 534-04-scheduling-join_waitlist.sql
-- source: sql/04-scheduling/join_waitlist.sql
-- A wish for an earlier time. Whoever asks for the same again keeps his place in the queue.
create or replace function hospital.join_waitlist(
  patient_id bigint,
  appointment_type_id bigint,
  department_id bigint default null,
  doctor_id bigint default null,
  starts_from timestamptz default null,
  starts_before timestamptz default null,
  priority integer default null,
  idempotency_key text default null
)
returns hospital.waitlist_entries
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  payload text := jsonb_build_array(
    join_waitlist.patient_id,
    join_waitlist.appointment_type_id,
    join_waitlist.department_id,
    join_waitlist.doctor_id,
    extract(epoch from join_waitlist.starts_from),
    extract(epoch from join_waitlist.starts_before),
    join_waitlist.priority
  )::text;
  known bigint := hospital_private.begin_request(
    join_waitlist.idempotency_key,
    'join_waitlist',
    payload,
    '{}',
    array[join_waitlist.patient_id],
    '{}'
  );
  entry hospital.waitlist_entries;
begin
  if known is not null then
    return hospital_private.waitlist_entry(known);
  end if;
  if num_nonnulls(join_waitlist.department_id, join_waitlist.doctor_id) = 0 then
    raise exception using
      errcode = 'MISSA',
      message = 'Name a doctor or a department.';
  end if;
  if not exists (
      select
      from hospital.patients as p
      where p.id = join_waitlist.patient_id
    )
    or not exists (
      select
      from hospital.appointment_types as t
      where t.id = join_waitlist.appointment_type_id
    )
    or (
      join_waitlist.department_id is not null
      and not exists (
        select
        from hospital.departments as o
        where o.id = join_waitlist.department_id
      )
    )
    or (
      join_waitlist.doctor_id is not null
      and not exists (
        select
        from hospital.doctors as d
        where d.id = join_waitlist.doctor_id
      )
    )
  then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient, doctor, department or appointment type.';
  end if;
  if join_waitlist.starts_before <= clock_timestamp() then
    raise exception using
      errcode = 'PASTT',
      message = 'That time has passed.';
  end if;

  -- Waited for here, so that the guard below need not give up.
  perform hospital_private.lock_calendars('{}', array[join_waitlist.patient_id]);
  insert into hospital.waitlist_entries as e
    (patient_id, appointment_type_id, department_id, doctor_id, starts_from, starts_before)
  values (
    join_waitlist.patient_id,
    join_waitlist.appointment_type_id,
    join_waitlist.department_id,
    join_waitlist.doctor_id,
    coalesce(join_waitlist.starts_from, now()),
    coalesce(
      join_waitlist.starts_before,
      greatest(join_waitlist.starts_from, now()) + interval '60 days'
    )
  )
  on conflict (patient_id, appointment_type_id, department_id, doctor_id)
    where status = 'waiting'
  do update
    set starts_from = coalesce(join_waitlist.starts_from, e.starts_from),
      starts_before = coalesce(
        join_waitlist.starts_before,
        greatest(e.starts_before, excluded.starts_before)
      )
  returning e.*
  into entry;
  -- Who may not say who comes first has no right to the column, so it is named only where it is meant.
  if join_waitlist.priority is not null then
    update hospital.waitlist_entries as e
    set priority = join_waitlist.priority
    where e.id = entry.id
    returning e.*
    into entry;
  end if;
  perform hospital_private.remember_request(
    join_waitlist.idempotency_key, 'join_waitlist', payload, entry.id
  );
  return entry;
end;
$$;
comment on function hospital.join_waitlist(
  bigint, bigint, bigint, bigint, timestamptz, timestamptz, integer, text
) is
  'Puts a patient on the waitlist for a type of appointment with a doctor, or with any doctor of a department, within a span of starts (by default the next 60 days); time that becomes free is offered to the highest priority first, which staff may set, then in the order of joining. Who waits for the same already keeps his place; a patient waits for five things at most. Raises MISSA, NTFND, also for a doctor of another department than the one named, PASTT, NOTBK, WISHN, UNAUT, IDKEY, RETRY.';

create or replace function hospital.leave_waitlist(entry_id bigint)
returns hospital.waitlist_entries
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  entry hospital.waitlist_entries := hospital_private.waitlist_entry(leave_waitlist.entry_id);
  offer_id bigint := hospital_private.live_offer_id(entry.id);
begin
  -- Nothing is offered to a patient whose calendar somebody else has locked.
  if offer_id is null then
    perform hospital_private.lock_calendars('{}', array[entry.patient_id]);
    offer_id := hospital_private.live_offer_id(entry.id);
  end if;
  if offer_id is not null then
    perform hospital.refuse_offer(offer_id);
  end if;
  update hospital.waitlist_entries as e
  set status = 'withdrawn'
  where e.id = entry.id
    and e.status = 'waiting'
  returning e.*
  into entry;
  if entry.id is null then
    entry := hospital_private.waitlist_entry(leave_waitlist.entry_id);
  end if;
  if entry.status <> 'withdrawn' then
    raise exception using
      errcode = 'TRNSN',
      message = 'This wish has been fulfilled already.';
  end if;
  return entry;
end;
$$;
comment on function hospital.leave_waitlist(bigint) is
  'Takes a patient off the waitlist; a time that is just offered is refused with it. Raises NTFND, RETRY, TRNSN when the wish was fulfilled.';

create or replace function hospital_private.waitlist_entry(entry_id bigint)
returns hospital.waitlist_entries
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  entry hospital.waitlist_entries;
begin
  select e.*
  into entry
  from hospital.waitlist_entries as e
  where e.id = waitlist_entry.entry_id;
  if entry.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such entry on the waitlist.';
  end if;
  return entry;
end;
$$;
comment on function hospital_private.waitlist_entry(bigint) is
  'The entry on the waitlist as it is now, when the caller may see it. Raises NTFND.';

create or replace function hospital_private.live_offer_id(entry_id bigint)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select a.id
    from hospital.appointments as a
    where a.waitlist_entry_id = live_offer_id.entry_id
      and a.status = 'held'
      and a.expires_at > clock_timestamp()
  );
end;
$$;
comment on function hospital_private.live_offer_id(bigint) is
  'The time that is just offered to an entry on the waitlist, or null. Volatile, so that it sees what was committed a moment ago.';

--! split: 535-04-scheduling-lapse_holds.sql
-- source: sql/04-scheduling/lapse_holds.sql
-- A hold that has run out never stands in anybody's way, on any path and with no worker running:
-- whoever takes its time ends it first, in the same transaction.
create or replace function hospital_private.lapse_holds()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  expired bigint[] := array(
    select h.id
    from hospital.appointments as h
    where h.status = 'held'
      and h.expires_at <= clock_timestamp()
      and h.busy && new.busy
      and (
        h.doctor_id = new.doctor_id
        or h.patient_id = new.patient_id
        or h.room_id = new.room_id
      )
      and h.id <> new.id
  );
begin
  if expired = '{}' then
    return new;
  end if;
  -- In order, and never skipping: one that is just being confirmed must be waited for. A transaction
  -- that has locked calendars more than once waits for nothing (lock_in_order says why).
  begin
    if coalesce(nullif(current_setting('infirmary.lock_calls', true), '')::integer, 0) < 2 then
      perform
      from hospital.appointments as h
      where h.id = any (expired)
      order by h.id
      for update;
    else
      perform
      from hospital.appointments as h
      where h.id = any (expired)
      order by h.id
      for update nowait;
    end if;
  exception
    when lock_not_available then
      raise exception using
        errcode = 'RETRY',
        message = 'Somebody else is changing the same calendar. Try again.';
  end;
  update hospital.appointments as h
  set status = 'lapsed'
  where h.id = any (expired)
    and h.status = 'held';
  return new;
end;
$$;
comment on function hospital_private.lapse_holds() is
  'Trigger: ends the holds that have run out in the time an appointment is about to take. Raises RETRY. Lends the owner''s right to change appointments of others, for this alone.';

create or replace trigger _350_lapse_holds_insert
  before insert on hospital.appointments
  for each row
  when (new.status in ('held', 'scheduled', 'checked_in', 'in_progress'))
  execute function hospital_private.lapse_holds();

create or replace trigger _350_lapse_holds_update
  before update on hospital.appointments
  for each row
  when (
    new.status in ('held', 'scheduled', 'checked_in', 'in_progress')
    and (
      old.status not in ('held', 'scheduled', 'checked_in', 'in_progress')
      or new.doctor_id <> old.doctor_id
      or new.patient_id <> old.patient_id
      or new.room_id is distinct from old.room_id
      or new.busy <> old.busy
    )
  )
  execute function hospital_private.lapse_holds();

--! split: 536-04-scheduling-lock_calendars.sql
-- source: sql/04-scheduling/lock_calendars.sql
-- Two inserts that conflict under an exclusion constraint at the same instant deadlock by design.
-- Whoever books therefore takes the calendars he touches first, in ascending order. Only the first
-- call of a transaction waits; a later one, whose keys may lie below those already held, tries and
-- gives up. So whoever waits holds nothing out of order, and no circle of waiting can close.
create or replace function hospital_private.lock_in_order(locks bigint[])
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  calls integer := coalesce(
    nullif(current_setting('infirmary.lock_calls', true), '')::integer, 0
  );
  held text[] := string_to_array(current_setting('infirmary.locked_calendars', true), ' ');
  key bigint;
begin
  for key in
    select distinct l.key
    from unnest(lock_in_order.locks) as l (key)
    where l.key is not null
    order by l.key
  loop
    -- What is held already is had at once; merely to try would fail on older servers when others wait.
    if calls = 0 or key::text = any (held) then
      perform pg_advisory_xact_lock(key);
    elsif not pg_try_advisory_xact_lock(key) then
      raise exception using
        errcode = 'RETRY',
        message = 'Somebody else is changing the same calendar. Try again.';
    end if;
    held := array_append(held, key::text);
  end loop;
  -- Local, so that a savepoint that takes the locks back takes this back too.
  perform
    set_config('infirmary.lock_calls', (calls + 1)::text, true),
    set_config('infirmary.locked_calendars', coalesce(array_to_string(held, ' '), ''), true);
end;
$$;
comment on function hospital_private.lock_in_order(bigint[]) is
  'Takes advisory locks until the transaction ends, in ascending order, waiting only when they are its first; nulls are passed over. Raises RETRY when a later one is held by somebody else.';

-- A writer past the functions may hold rows already, so he waits half a second at most: less than the
-- server takes to call it a deadlock and choose a victim, who would be the other.
create or replace function hospital_private.enter_calendar(key bigint, alone boolean)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  is_held boolean := enter_calendar.key::text = any (
    string_to_array(current_setting('infirmary.locked_calendars', true), ' ')
  );
begin
  if is_held then
    -- By a function of ours: it is had at once, whoever waits.
    perform pg_advisory_xact_lock_shared(enter_calendar.key);
    return;
  end if;
  for attempt in 1..50 loop
    if enter_calendar.alone then
      if pg_try_advisory_xact_lock(enter_calendar.key) is not false then
        return;
      end if;
    elsif pg_try_advisory_xact_lock_shared(enter_calendar.key) is not false then
      return;
    end if;
    perform pg_sleep(0.01);
  end loop;
  raise exception using
    errcode = 'RETRY',
    message = 'Somebody else is changing the same calendar. Try again.';
end;
$$;
comment on function hospital_private.enter_calendar(bigint, boolean) is
  'Takes the advisory lock of a calendar until the transaction ends, shared with other bookings or alone; a null key is none. Raises RETRY after half a second.';

-- The last two bits of a key say whose calendar it is.
create or replace function hospital_private.lock_calendars(
  doctor_ids bigint[],
  patient_ids bigint[],
  room_ids bigint[] default '{}',
  staff_member_ids bigint[] default '{}',
  request_key text default null,
  appointment_ids bigint[] default '{}'
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.lock_in_order(
    array(select d.id * 4 from unnest(lock_calendars.doctor_ids) as d (id))
      || array(select p.id * 4 + 1 from unnest(lock_calendars.patient_ids) as p (id))
      || array(select r.id * 4 + 2 from unnest(lock_calendars.room_ids) as r (id))
      || array(select s.id * 4 + 3 from unnest(lock_calendars.staff_member_ids) as s (id))
      -- All who take part, whoever asks: a lock that depends on what the caller may see would not hold.
      || array(
        select s.staff_member_id * 4 + 3
        from hospital.appointment_staff as s
        where s.appointment_id = any (lock_calendars.appointment_ids)
      )
      || hospital_private.request_lock(lock_calendars.request_key)
  );
end;
$$;
comment on function hospital_private.lock_calendars(
  bigint[], bigint[], bigint[], bigint[], text, bigint[]
) is
  'Locks the calendars of doctors, patients, rooms and members of staff, of the staff of appointments, and the caller''s request of that key, until the transaction ends; nulls are passed over. Raises RETRY. Lends the owner''s right to see who takes part in an appointment, and tells nobody.';

-- Look, lock, look again: what was read before the lock may have moved meanwhile.
create or replace function hospital_private.lock_appointment(
  appointment_id bigint,
  doctor_id bigint default null,
  room_id bigint default null,
  request_key text default null
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  before hospital.appointments;
  appointment hospital.appointments;
begin
  select a.*
  into before
  from hospital.appointments as a
  where a.id = lock_appointment.appointment_id;
  perform hospital_private.found_appointment(before);
  loop
    perform hospital_private.lock_calendars(
      array[before.doctor_id, lock_appointment.doctor_id],
      array[before.patient_id],
      array[before.room_id, lock_appointment.room_id],
      request_key => lock_appointment.request_key,
      appointment_ids => array[before.id]
    );
    select a.*
    into appointment
    from hospital.appointments as a
    where a.id = before.id;
    perform hospital_private.found_appointment(appointment);
    exit when (appointment.doctor_id, appointment.patient_id, appointment.room_id)
      is not distinct from (before.doctor_id, before.patient_id, before.room_id);
    before := appointment;
  end loop;
  return appointment;
end;
$$;
comment on function hospital_private.lock_appointment(bigint, bigint, bigint, text) is
  'Locks the calendars an appointment is in, and those of a doctor and a room it is to go to, and returns it as it then stands. Raises NTFND when the caller sees none, RETRY.';

--! split: 537-04-scheduling-next_free_slot.sql
-- source: sql/04-scheduling/next_free_slot.sql
-- The wait for a doctor is a day or some weeks. Asking for twice as long each time finds the first at
-- the price of a day, and learns soon enough that there is none.
create or replace function hospital.next_free_slot(
  doctor_id bigint default null,
  department_id bigint default null,
  appointment_type_id bigint default null,
  starts_from timestamptz default null
)
returns hospital.free_slot
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  kind constant hospital.appointment_types :=
    hospital_private.bookable_type(next_free_slot.appointment_type_id);
  asked timestamptz := greatest(coalesce(next_free_slot.starts_from, now()), now());
  step interval := interval '24 hours';
  slot hospital.free_slot;
begin
  while asked <= now() + make_interval(hours => kind.horizon_days * 24) loop
    select s.*
    into slot
    from hospital.free_slots(
      next_free_slot.doctor_id, next_free_slot.department_id, kind.id, asked, asked + step
    ) as s
    limit 1;
    if found then
      return slot;
    end if;
    asked := asked + step;
    step := least(step * 2, interval '1440 hours');
  end loop;
  return null;
end;
$$;
comment on function hospital.next_free_slot(bigint, bigint, bigint, timestamptz) is
  'The first time at which a doctor, or any doctor of a department, can be booked for a type of appointment (a consultation unless named), or null up to the type''s horizon. Raises MISSA, NTFND. Lends the owner''s right to see when doctors and rooms are free, never with whom they are busy.';

--! split: 538-04-scheduling-notify_free_time.sql
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
  perform pg_notify(
    'free_time:doctor:' || tell_free_time.doctor_id,
    json_build_object(
      'doctorId', tell_free_time.doctor_id::text,
      'startsAt', to_char(starts_at at time zone 'UTC', pattern),
      'endsAt', to_char(ends_at at time zone 'UTC', pattern)
    )::text
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

--! split: 539-04-scheduling-offer_freed_time.sql
-- source: sql/04-scheduling/offer_freed_time.sql
-- Freed time is offered to who waits for it, and the offer is a hold: while it lasts nobody else can
-- have the time, when it runs out anybody can, and nothing has to run for either. Nothing here waits:
-- who is busy being booked elsewhere is passed over, and an offer that a rule forbids is no reason for
-- the cancellation that led here to fail.
create or replace function hospital_private.offer_freed_time(doctor_id bigint, freed tstzrange)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  span constant tstzrange := offer_freed_time.freed
    * tstzrange(clock_timestamp(), clock_timestamp() + interval '60 days');
  made integer := 0;
  asked bigint[] := '{}'::bigint[];
  exhausted bigint[] := '{}'::bigint[];
  entry hospital.waitlist_entries;
  slot timestamptz;
begin
  -- An older snapshot does not see what others have offered meanwhile. The job makes up for it.
  if isempty(span)
    or current_setting('transaction_isolation') <> 'read committed'
    or hospital_private.offers_left() <= 0
  then
    return 0;
  end if;
  -- From here on locks are only tried (lock_in_order).
  if coalesce(current_setting('infirmary.lock_calls', true), '') in ('', '0') then
    perform set_config('infirmary.lock_calls', '1', true);
  end if;

  -- Priority, then who came first. Who was asked about any of that time, or has given it back himself, is
  -- not asked again, whichever wish it was for, and nobody is asked about two times at once.
  for entry in
    select e.*
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    join hospital.waitlist_entries as e
      on e.doctor_id = d.id
      or (e.doctor_id is null and e.department_id = m.department_id)
    join hospital.appointment_types as t
      on t.id = e.appointment_type_id
      and t.is_bookable
    join hospital.patients as p
      on p.id = e.patient_id
      and p.deactivated_at is null
      and p.deceased_on is null
      and p.merged_into_id is null
    where d.id = offer_freed_time.doctor_id
      and d.is_active
      and e.status = 'waiting'
      and e.starts_before > lower(span)
      and e.starts_from < upper(span)
      and not exists (
        select
        from hospital.appointments as o
        where o.patient_id = e.patient_id
          and (
            (
              o.doctor_id = d.id
              and o.busy && span
              and (o.waitlist_entry_id is not null or o.status = 'cancelled')
            )
            or (
              o.waitlist_entry_id is not null
              and o.status = 'held'
              and o.expires_at > clock_timestamp()
            )
          )
      )
    order by
      e.priority desc,
      e.joined_at,
      e.id
  loop
    exit when hospital_private.offers_left() <= 0;
    continue when entry.patient_id = any (asked)
      or entry.appointment_type_id = any (exhausted);
    begin
      select s.starts_at
      into slot
      from hospital_private.fitting_slot(entry, offer_freed_time.doctor_id, span) as s;
      if not found then
        exhausted := exhausted || entry.appointment_type_id;
      elsif slot is not null then
        perform hospital_private.make_offer(entry.id, offer_freed_time.doctor_id, slot);
        made := made + 1;
        asked := asked || entry.patient_id;
      end if;
    exception
      -- What making an offer can be refused with: a rule, a calendar in use, a time just taken.
      when sqlstate 'NOTBK' or sqlstate 'OUTWH' or sqlstate 'NOTIC' or sqlstate 'TOFAR'
        or sqlstate 'LIMIT' or sqlstate 'RETRY' or sqlstate 'SLOTT'
        or lock_not_available
      then
        null;
    end;
  end loop;
  return made;
end;
$$;
comment on function hospital_private.offer_freed_time(bigint, tstzrange) is
  'Offers time of a doctor''s that has become free to those who wait for it, in their order, each patient once and one time at a time, and returns how many it was offered to; a transaction makes 25 offers at most and the job goes on. Nobody but triggers and jobs calls it. Lends the owner''s right to hold a time for somebody else, for those on the waitlist alone.';

-- The locks of every offer are kept until the transaction ends, and there is room for so many only.
create or replace function hospital_private.offers_left()
returns integer
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(nullif(current_setting('infirmary.offers_left', true), '')::integer, 25);
end;
$$;
comment on function hospital_private.offers_left() is
  'How many more times this transaction may offer to those on the waitlist.';

-- The free times are the finder's, so that what is offered can be booked.
create or replace function hospital_private.fitting_slot(
  entry hospital.waitlist_entries,
  doctor_id bigint,
  span tstzrange
)
returns table (starts_at timestamptz)
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  slot as (
    select
      s.starts_at,
      b.busy
    from hospital.appointment_types as t
    cross join lateral hospital.free_slots(
      doctor_id => fitting_slot.doctor_id,
      appointment_type_id => t.id,
      starts_from => lower(fitting_slot.span)
        - make_interval(mins => t.duration_minutes + t.buffer_after_minutes),
      starts_before => upper(fitting_slot.span) + make_interval(mins => t.buffer_before_minutes)
    ) as s
    cross join lateral (
      select tstzrange(
        s.starts_at - make_interval(mins => t.buffer_before_minutes),
        s.ends_at + make_interval(mins => t.buffer_after_minutes)
      ) as busy
    ) as b
    where t.id = (fitting_slot.entry).appointment_type_id
      and b.busy && fitting_slot.span
  ),
  fitting as (
    select
      s.starts_at,
      s.busy
    from slot as s
    where s.starts_at >= (fitting_slot.entry).starts_from
      and s.starts_at < (fitting_slot.entry).starts_before
      and not exists (
        select
        from hospital.appointments as a
        where a.patient_id = (fitting_slot.entry).patient_id
          and a.busy && s.busy
          and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
          and (a.status <> 'held' or a.expires_at > clock_timestamp())
      )
    -- The one that leaves the least of the freed time over, the earliest of those.
    order by
      upper(s.busy * fitting_slot.span) - lower(s.busy * fitting_slot.span) desc,
      s.starts_at
    limit 1
  )
  select (select f.starts_at from fitting as f)
  where exists (select from slot as s);
$$;
comment on function hospital_private.fitting_slot(hospital.waitlist_entries, bigint, tstzrange) is
  'Which free start of a doctor''s that touches a span suits an entry on the waitlist best: no row when there is none for its type, null when none suits this patient. Lends the owner''s right to read calendars.';

create or replace function hospital_private.make_offer(
  entry_id bigint,
  doctor_id bigint,
  starts_at timestamptz
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  entry hospital.waitlist_entries;
  offered bigint;
begin
  -- Who is just asked about another time, or leaving, is passed over.
  select e.*
  into entry
  from hospital.waitlist_entries as e
  where e.id = make_offer.entry_id
    and e.status = 'waiting'
  for update skip locked;
  if entry.id is null then
    raise exception using
      errcode = 'SLOTT',
      message = 'That time is already taken.';
  end if;
  perform hospital_private.lock_calendars(
    array[make_offer.doctor_id],
    array[entry.patient_id],
    array[hospital_private.scheduled_room_id(make_offer.doctor_id, make_offer.starts_at)]
  );
  -- Asked again now that nobody else can: a refusal may just have been said.
  if exists (
    select
    from hospital.appointments as o
    join hospital.appointment_types as t
      on t.id = entry.appointment_type_id
    where o.patient_id = entry.patient_id
      and (o.waitlist_entry_id is not null or o.status = 'cancelled')
      and o.doctor_id = make_offer.doctor_id
      and o.busy && tstzrange(
        make_offer.starts_at - make_interval(mins => t.buffer_before_minutes),
        make_offer.starts_at + make_interval(mins => t.duration_minutes + t.buffer_after_minutes)
      )
  ) then
    raise exception using
      errcode = 'SLOTT',
      message = 'That time is already taken.';
  end if;
  -- Of the patient's offers only the last can stand. When it has not run out, nothing is offered.
  update hospital.appointments as a
  set status = 'lapsed'
  where a.id = any (
    array(
      select o.id
      from hospital.appointments as o
      where o.patient_id = entry.patient_id
        and o.waitlist_entry_id is not null
        and o.status = 'held'
        and o.expires_at <= clock_timestamp()
      for update nowait
    )
  );
  insert into hospital.appointments
    (patient_id, doctor_id, appointment_type_id, starts_at, status, waitlist_entry_id)
  values (
    entry.patient_id,
    make_offer.doctor_id,
    entry.appointment_type_id,
    make_offer.starts_at,
    'held',
    entry.id
  )
  on conflict do nothing
  returning id
  into offered;
  if offered is null then
    raise exception using
      errcode = 'SLOTT',
      message = 'That time is already taken.';
  end if;
  -- Local, so that what takes the offer back takes this back too.
  perform set_config(
    'infirmary.offers_left', (hospital_private.offers_left() - 1)::text, true
  );

  insert into hospital.notifications (reason, patient_id, appointment_id, subject, body)
  select
    'offer:' || a.id,
    a.patient_id,
    a.id,
    'A time has become free',
    format(
      'You can have an appointment on %s, %s, %s. It is kept for you until %s.',
      hospital_private.told_time(a.starts_at, f.time_zone, p.time_zone, t.is_remote),
      d.name,
      f.name,
      hospital_private.told_time(a.expires_at, f.time_zone, p.time_zone, true)
    )
  from hospital.appointments as a
  join hospital.patients as p
    on p.id = a.patient_id
  join hospital.appointment_types as t
    on t.id = a.appointment_type_id
  join hospital.departments as d
    on d.id = a.department_id
  join hospital.facilities as f
    on f.id = d.facility_id
  where a.id = offered;
end;
$$;
comment on function hospital_private.make_offer(bigint, bigint, timestamptz) is
  'Holds a time of a doctor''s for who is on the waitlist and writes the message that tells it. Raises RETRY, SLOTT, and what the guard of appointments raises. Lends the owner''s right to hold a time for somebody else, for those on the waitlist alone.';

--! split: 540-04-scheduling-offer_given_back_time.sql
-- source: sql/04-scheduling/offer_given_back_time.sql
-- Whoever gives time back, and however (a function, SQL of a persona, SQL of the owner), it is offered in
-- the same statement. What lapses is not: who ends a hold that has run out wants its time, and where
-- nobody does, the job offers it.
create or replace function hospital_private.offer_given_back_time()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  freed tstzmultirange := tstzmultirange(old.busy);
  stretch tstzrange;
begin
  if new.status <> 'cancelled' and new.doctor_id = old.doctor_id then
    freed := freed - tstzmultirange(new.busy);
  end if;
  for stretch in
    select f.stretch
    from unnest(freed) as f (stretch)
  loop
    perform hospital_private.offer_freed_time(old.doctor_id, stretch);
  end loop;
  return null;
end;
$$;
comment on function hospital_private.offer_given_back_time() is
  'Trigger: offers to the waitlist what a cancelled, moved or shortened appointment no longer takes. Lends the owner''s right to hold a time for somebody else, for those on the waitlist alone.';

create or replace trigger _830_offer_freed_time
  after update on hospital.appointments
  for each row
  when (
    old.status in ('held', 'scheduled', 'checked_in', 'in_progress')
    and upper(old.busy) > now()
    and (
      new.status = 'cancelled'
      or (
        new.status in ('held', 'scheduled', 'checked_in', 'in_progress')
        and (new.doctor_id <> old.doctor_id or new.busy <> old.busy)
      )
    )
  )
  execute function hospital_private.offer_given_back_time();

--! split: 541-04-scheduling-offer_waitlist.sql
-- source: sql/04-scheduling/offer_waitlist.sql
-- Whatever made time free, and whether or not anybody said so: whoever waits is asked. A stretch of free
-- time counts as one: who was asked about a part of it is not asked about the rest.
create or replace function ops.offer_waitlist()
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  made bigint := 0::bigint;
  doctor record;
  stretch tstzrange;
begin
  for doctor in
    select
      d.id,
      tstzrange(
        greatest(min(e.starts_from), clock_timestamp()) - interval '1 hour',
        least(max(e.starts_before), clock_timestamp() + interval '60 days') + interval '1 day'
      ) as span
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    join hospital.waitlist_entries as e
      on e.doctor_id = d.id
      or (e.doctor_id is null and e.department_id = m.department_id)
    where d.is_active
      and e.status = 'waiting'
      and e.starts_before > clock_timestamp()
      and e.starts_from < clock_timestamp() + interval '60 days'
      and not exists (
        select
        from hospital.appointments as o
        where o.patient_id = e.patient_id
          and o.waitlist_entry_id is not null
          and o.status = 'held'
          and o.expires_at > clock_timestamp()
      )
    group by d.id
    order by d.id
  loop
    exit when hospital_private.offers_left() <= 0;
    for stretch in
      select f.stretch
      from unnest(hospital_private.available_time(doctor.id, doctor.span)) as f (stretch)
    loop
      made := made + hospital_private.offer_freed_time(doctor.id, stretch);
    end loop;
  end loop;
  return made;
end;
$$;
comment on function ops.offer_waitlist() is
  'Offers free time to everybody on the waitlist whom it suits, and returns how many offers it made, 25 at most: their locks are kept until it ends, and the next run goes on. Lends the worker the owner''s right to hold times for those on the waitlist.';

--! split: 542-04-scheduling-override_appointment.sql
-- source: sql/04-scheduling/override_appointment.sql
create or replace function hospital.override_appointment(appointment_id bigint, override_reason text)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(override_appointment.appointment_id);
  granted bigint;
begin
  insert into hospital.appointment_overrides (doctor_id, patient_id, span, reason)
  values (
    appointment.doctor_id,
    appointment.patient_id,
    appointment.busy,
    override_appointment.override_reason
  )
  returning id
  into granted;
  update hospital.appointments as a
  set override_id = granted
  where a.id = appointment.id
  returning a.*
  into appointment;
  return hospital_private.found_appointment(appointment);
end;
$$;
comment on function hospital.override_appointment(bigint, text) is
  'Lets an appointment stand where it is although hours or limits change; for its doctor and administrators, with a coded reason. Raises NTFND, RETRY.';

--! split: 543-04-scheduling-place_appointment.sql
-- source: sql/04-scheduling/place_appointment.sql
-- The one way in which functions make an appointment, be it held or booked: look, lock, look, insert.
-- The exclusion constraints decide; the look gives the clear answer early.
create or replace function hospital_private.place_appointment(
  patient_id bigint,
  doctor_id bigint,
  appointment_type_id bigint,
  starts_at timestamptz,
  status text,
  reason text,
  override_id bigint default null,
  series_id bigint default null,
  is_locked boolean default false
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  place bigint;
  busy tstzrange;
  placed hospital.appointments;
  taken text;
begin
  select tstzrange(
    place_appointment.starts_at - make_interval(mins => t.buffer_before_minutes),
    place_appointment.starts_at
      + make_interval(mins => t.duration_minutes + t.buffer_after_minutes)
  )
  into busy
  from hospital.appointment_types as t
  cross join hospital.patients as p
  cross join hospital.doctors as d
  where t.id = place_appointment.appointment_type_id
    and p.id = place_appointment.patient_id
    and d.id = place_appointment.doctor_id;
  if not found then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient, doctor or appointment type.';
  end if;
  if place_appointment.starts_at is null then
    raise exception using
      errcode = 'MISSA',
      message = 'Say when.';
  end if;
  if place_appointment.starts_at <= clock_timestamp() then
    raise exception using
      errcode = 'PASTT',
      message = 'That time has passed.';
  end if;

  -- Most refusals are of a time that is taken: they are looked for before the hours are asked.
  taken := hospital_private.booking_conflict(
    place_appointment.doctor_id, place_appointment.patient_id, null, busy
  );
  if taken is null then
    place := hospital_private.scheduled_room_id(
      place_appointment.doctor_id, place_appointment.starts_at
    );
    taken := hospital_private.booking_conflict(
      place_appointment.doctor_id, place_appointment.patient_id, place, busy
    );
  end if;
  if taken is null then
    if not place_appointment.is_locked then
      perform hospital_private.lock_calendars(
        array[place_appointment.doctor_id], array[place_appointment.patient_id], array[place]
      );
    end if;
    insert into hospital.appointments (
      patient_id, doctor_id, appointment_type_id, starts_at, status, reason, override_id, series_id
    )
    values (
      place_appointment.patient_id,
      place_appointment.doctor_id,
      place_appointment.appointment_type_id,
      place_appointment.starts_at,
      place_appointment.status,
      place_appointment.reason,
      place_appointment.override_id,
      place_appointment.series_id
    )
    on conflict do nothing
    returning *
    into placed;
    if placed.id is not null then
      return placed;
    end if;
    taken := hospital_private.booking_conflict(
      place_appointment.doctor_id, place_appointment.patient_id, place, busy
    );
  end if;
  perform hospital_private.raise_conflict(taken);
  return null;
end;
$$;
comment on function hospital_private.place_appointment(
  bigint, bigint, bigint, timestamptz, text, text, bigint, bigint, boolean
) is
  'Makes an appointment that the caller may make, held or scheduled; the calendars are locked here unless the caller has done it. Raises NTFND, MISSA, PASTT, what the guard of appointments raises, RETRY, and SLOTT, PATBU or ROOMT when doctor, patient or room is taken.';

--! split: 544-04-scheduling-record_move.sql
-- source: sql/04-scheduling/record_move.sql
-- The lineage of an appointment: where it was before, every time, whoever moved it.
create or replace function hospital_private.record_move()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital.appointment_moves (
    appointment_id, patient_id, from_doctor_id, to_doctor_id, from_room_id, to_room_id,
    from_starts_at, to_starts_at, from_ends_at, to_ends_at, moved_by
  )
  select
    n.id,
    n.patient_id,
    o.doctor_id,
    n.doctor_id,
    o.room_id,
    n.room_id,
    o.starts_at,
    n.starts_at,
    o.ends_at,
    n.ends_at,
    (select hospital_private.current_account_id())
  from new_rows as n
  join old_rows as o
    on o.id = n.id
  where (o.doctor_id, o.room_id, o.starts_at, o.ends_at)
    is distinct from (n.doctor_id, n.room_id, n.starts_at, n.ends_at);
  return null;
end;
$$;
comment on function hospital_private.record_move() is
  'Trigger: writes changes of time, doctor or room into the lineage. Lends the owner''s right to write it, which nobody else has.';

create or replace trigger _710_lineage
  after update on hospital.appointments
  referencing old table as old_rows new table as new_rows
  for each statement execute function hospital_private.record_move();

--! split: 545-04-scheduling-record_status_history.sql
-- source: sql/04-scheduling/record_status_history.sql
-- The history is written by the statement that made it, whoever runs it, and its foreign key to
-- the transitions refuses the change when it is not listed.
create or replace function hospital_private.record_first_status()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital.appointment_status_history
    (appointment_id, to_status, reason, changed_by)
  select
    n.id,
    n.status,
    coalesce(n.cancellation_reason, n.no_show_reason, o.reason),
    (select hospital_private.current_account_id())
  from new_rows as n
  left join hospital.appointment_overrides as o
    on o.id = n.override_id;
  return null;
end;
$$;
comment on function hospital_private.record_first_status() is
  'Trigger: writes the first status of new appointments into the history. Lends the owner''s right to write it, which nobody else has.';

create or replace function hospital_private.record_status_change()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital.appointment_status_history
    (appointment_id, from_status, to_status, reason, changed_by)
  select
    n.id,
    o.status,
    n.status,
    coalesce(n.cancellation_reason, n.no_show_reason),
    (select hospital_private.current_account_id())
  from new_rows as n
  join old_rows as o
    on o.id = n.id
  where o.status <> n.status;
  return null;
end;
$$;
comment on function hospital_private.record_status_change() is
  'Trigger: writes changes of status into the history, which refuses those not listed as transitions. Lends the owner''s right to write it, which nobody else has.';

create or replace trigger _700_history_insert
  after insert on hospital.appointments
  referencing new table as new_rows
  for each statement execute function hospital_private.record_first_status();

create or replace trigger _700_history_update
  after update on hospital.appointments
  referencing old table as old_rows new table as new_rows
  for each statement execute function hospital_private.record_status_change();

--! split: 546-04-scheduling-requests.sql
-- source: sql/04-scheduling/requests.sql
-- A client that lost the answer sends its request again. Under the same key the first answer counts:
-- look, lock (the key is one of lock_calendars' locks), look again, do, remember.
create or replace function hospital_private.request_lock(request_key text)
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if request_lock.request_key is null then
    return null;
  end if;
  -- Below zero, where no calendar is.
  return -1 - (
    hashtextextended(
      hospital_private.current_account_id() || ':' || request_lock.request_key, 0
    ) & 9223372036854775807
  );
end;
$$;
comment on function hospital_private.request_lock(text) is
  'The advisory lock of a request of the live session, or null without a key. Lends the owner''s right to ask who is there.';

create or replace function hospital_private.recall_request(
  request_key text,
  operation text,
  payload text
)
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  known hospital_private.idempotency_keys;
begin
  if recall_request.request_key is null then
    return null;
  end if;
  if hospital_private.current_account_id() is null then
    raise exception using
      errcode = 'UNAUT',
      message = 'A key for repeating a request belongs to who is logged in.';
  end if;
  select k.*
  into known
  from hospital_private.idempotency_keys as k
  where k.account_id = hospital_private.current_account_id()
    and k.key = recall_request.request_key;
  if known.operation <> recall_request.operation
    or known.payload_hash <> sha256(convert_to(recall_request.payload, 'UTF8'))
  then
    raise exception using
      errcode = 'IDKEY',
      message = 'This key was used for another request.',
      hint = 'Take a new key for each new request, and the same only to repeat one.';
  end if;
  return known.result_id;
end;
$$;
comment on function hospital_private.recall_request(text, text, text) is
  'The key of the row that a request of the live session under this key led to before, or null for a new one. Raises UNAUT, and IDKEY when operation or payload were others. Lends the owner''s right to read the keys, the caller''s own only.';

create or replace function hospital_private.remember_request(
  request_key text,
  operation text,
  payload text,
  result_id bigint
)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into hospital_private.idempotency_keys
    (account_id, key, operation, payload_hash, result_id)
  select
    hospital_private.current_account_id(),
    remember_request.request_key,
    remember_request.operation,
    sha256(convert_to(remember_request.payload, 'UTF8')),
    remember_request.result_id
  where remember_request.request_key is not null;
$$;
comment on function hospital_private.remember_request(text, text, text, bigint) is
  'Keeps what a request of the live session led to, if it has a key. Lends the owner''s right to write the keys, the caller''s own only.';

create or replace function hospital_private.begin_request(
  request_key text,
  operation text,
  payload text,
  doctor_ids bigint[],
  patient_ids bigint[],
  room_ids bigint[]
)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  known bigint := hospital_private.recall_request(
    begin_request.request_key, begin_request.operation, begin_request.payload
  );
begin
  if known is not null or begin_request.request_key is null then
    return known;
  end if;
  -- The key and all calendars in one call, the only one that waits.
  perform hospital_private.lock_calendars(
    begin_request.doctor_ids,
    begin_request.patient_ids,
    begin_request.room_ids,
    request_key => begin_request.request_key
  );
  return hospital_private.recall_request(
    begin_request.request_key, begin_request.operation, begin_request.payload
  );
end;
$$;
comment on function hospital_private.begin_request(text, text, text, bigint[], bigint[], bigint[]) is
  'What a request under this key led to before, or null for a new one, whose calendars are then locked; without a key nothing is done. Raises UNAUT, IDKEY, RETRY.';

--! split: 547-04-scheduling-reschedule_appointment.sql
-- source: sql/04-scheduling/reschedule_appointment.sql
-- Moving is one change of one row: there is no moment in which the patient has no time or two, and
-- the row cannot be in its own way. Its lineage is written by a trigger.
create or replace function hospital.reschedule_appointment(
  appointment_id bigint,
  starts_at timestamptz,
  doctor_id bigint default null,
  override_reason text default null,
  idempotency_key text default null
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  payload text := jsonb_build_array(
    reschedule_appointment.appointment_id,
    extract(epoch from reschedule_appointment.starts_at),
    reschedule_appointment.doctor_id,
    reschedule_appointment.override_reason
  )::text;
  known bigint := hospital_private.recall_request(
    reschedule_appointment.idempotency_key, 'reschedule_appointment', payload
  );
  before hospital.appointments;
  moved hospital.appointments;
  doctor bigint;
  place bigint;
  busy tstzrange;
  granted bigint;
  taken text;
begin
  if known is not null then
    return hospital_private.appointment(known);
  end if;
  if reschedule_appointment.starts_at <= clock_timestamp() then
    raise exception using
      errcode = 'PASTT',
      message = 'That time has passed.';
  end if;
  before := hospital_private.appointment(reschedule_appointment.appointment_id);
  doctor := coalesce(reschedule_appointment.doctor_id, before.doctor_id);
  place := hospital_private.scheduled_room_id(doctor, reschedule_appointment.starts_at);
  before := hospital_private.lock_appointment(
    before.id, doctor, place, reschedule_appointment.idempotency_key
  );
  known := hospital_private.recall_request(
    reschedule_appointment.idempotency_key, 'reschedule_appointment', payload
  );
  if known is not null then
    return hospital_private.appointment(known);
  end if;
  if before.status not in ('held', 'scheduled') then
    raise exception using
      errcode = 'TRNSN',
      message = 'Only an appointment that is still to come can be moved.';
  end if;

  busy := tstzrange(
    lower(before.busy) + (reschedule_appointment.starts_at - before.starts_at),
    upper(before.busy) + (reschedule_appointment.starts_at - before.starts_at)
  );
  -- Hours that name no room leave it as it is, unless the doctor changes.
  if doctor = before.doctor_id then
    place := coalesce(place, before.room_id);
  end if;
  taken := hospital_private.booking_conflict(doctor, before.patient_id, place, busy, before.id);
  if taken is not null then
    perform hospital_private.raise_conflict(taken);
  end if;
  -- Who may not set rules aside has no right to the column either, so it is named only where it is meant.
  if reschedule_appointment.override_reason is null then
    update hospital.appointments as a
    set starts_at = reschedule_appointment.starts_at,
      doctor_id = doctor
    where a.id = before.id
    returning a.*
    into moved;
  else
    -- For the appointment's own length, which need not be its type's.
    insert into hospital.appointment_overrides (doctor_id, patient_id, span, reason)
    values (doctor, before.patient_id, busy, reschedule_appointment.override_reason)
    returning id
    into granted;
    update hospital.appointments as a
    set starts_at = reschedule_appointment.starts_at,
      doctor_id = doctor,
      override_id = granted
    where a.id = before.id
    returning a.*
    into moved;
  end if;
  if moved.id is null then
    raise exception using
      errcode = 'TRNSN',
      message = 'This appointment can no longer be moved.';
  end if;
  perform hospital_private.remember_request(
    reschedule_appointment.idempotency_key, 'reschedule_appointment', payload, moved.id
  );
  return moved;
end;
$$;
comment on function hospital.reschedule_appointment(bigint, timestamptz, bigint, text, text) is
  'Moves an appointment to another time, and to another doctor if one is named, in one step; it keeps its key, its length and its lineage. Raises NTFND, TRNSN, and what bookAppointment raises.';

--! split: 548-04-scheduling-roster_patient_ids.sql
-- source: sql/04-scheduling/roster_patient_ids.sql
-- The patients of whoever asks: a doctor's by his own appointments, other staff's by their
-- department's. A time that is only held, perhaps for somebody who has not asked for it, makes nobody a
-- patient of anybody. Called once per statement, as = any (array(select …)).
create or replace function hospital_private.roster_patient_ids()
returns setof bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select distinct a.patient_id
  from hospital.appointments as a
  where a.doctor_id = (select hospital_private.current_doctor_id())
    and a.status not in ('held', 'cancelled', 'lapsed')
  union
  select distinct a.patient_id
  from hospital.appointments as a
  where a.department_id = (select hospital_private.current_department_id())
    and (select hospital_private.session_has_role('staff'))
    and a.status not in ('held', 'cancelled', 'lapsed');
$$;
comment on function hospital_private.roster_patient_ids() is
  'The keys of the patients on the roster of the live session. Lends the owner''s right to read appointments for this one question.';

--! split: 549-04-scheduling-scheduled_room_id.sql
-- source: sql/04-scheduling/scheduled_room_id.sql
create or replace function hospital_private.scheduled_room_id(doctor_id bigint, starts_at timestamptz)
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select s.room_id
    from hospital_private.working_shifts(
      array[scheduled_room_id.doctor_id],
      -- The instant alone: time is kept in microseconds.
      tstzrange(
        scheduled_room_id.starts_at,
        scheduled_room_id.starts_at + interval '1 microsecond'
      )
    ) as s
  );
end;
$$;
comment on function hospital_private.scheduled_room_id(bigint, timestamptz) is
  'The room that a doctor''s weekly hours or extra session name at an instant, or null. Lends the owner''s right to read schedules.';

--! split: 550-04-scheduling-see_patient.sql
-- source: sql/04-scheduling/see_patient.sql
-- Triggers answer before row security does, and what they answer about a patient (that the record is
-- closed, that times are held) is not for everybody. So who does not see the patient is refused first, in
-- the words in which row security would refuse him.
create or replace function hospital_private.see_patient()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_user <> 'hospital_owner' and new.patient_id is not null and not exists (
    select
    from hospital.patients as p
    where p.id = new.patient_id
  ) then
    raise exception using
      errcode = 'insufficient_privilege',
      message = 'New rows are about patients whom the writer may see.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.see_patient() is
  'Trigger: refuses (42501) to write about a patient whom the writer''s policies do not show.';

create or replace trigger _110_see_patient
  before insert on hospital.appointments
  for each row execute function hospital_private.see_patient();
create or replace trigger _110_see_patient
  before insert on hospital.waitlist_entries
  for each row execute function hospital_private.see_patient();

--! split: 551-04-scheduling-send_reminders.sql
-- source: sql/04-scheduling/send_reminders.sql
-- Writes reminders into the outbox. The unique reason makes the job safe to run twice, at once, or
-- again after it was killed; a moved appointment has another reason and is reminded of anew, also
-- when it came back to a time that was told before.
create or replace function ops.send_reminders()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  -- Locked, so that nobody cancels between the look and the message. Who is just being changed comes
  -- next time; in order, so that two workers do not wait for each other.
  standing as materialized (
    select
      a.id,
      a.patient_id,
      a.doctor_id,
      a.department_id,
      a.appointment_type_id,
      a.starts_at
    from hospital.appointments as a
    where a.status = 'scheduled'
      and a.starts_at > now()
      and a.starts_at <= now() + interval '24 hours'
    order by a.id
    for key share skip locked
  ),
  upcoming as (
    select
      a.id,
      a.patient_id,
      concat_ws(
        ':',
        'reminder',
        a.id,
        extract(epoch from a.starts_at)::bigint,
        (
          select max(m.id)
          from hospital.appointment_moves as m
          where m.appointment_id = a.id
            and (m.from_starts_at, m.from_doctor_id) <> (m.to_starts_at, m.to_doctor_id)
        )
      ) as reason,
      hospital_private.told_time(a.starts_at, f.time_zone, p.time_zone, t.is_remote) as told,
      d.name as department_name,
      f.name as facility_name
    from standing as a
    join hospital.patients as p
      on p.id = a.patient_id
    join hospital.appointment_types as t
      on t.id = a.appointment_type_id
    join hospital.departments as d
      on d.id = a.department_id
    join hospital.facilities as f
      on f.id = d.facility_id
    where p.deceased_on is null
  ),
  written as (
    insert into hospital.notifications as n (reason, patient_id, appointment_id, subject, body)
    select
      u.reason,
      u.patient_id,
      u.id,
      'Your appointment',
      format(
        'You have an appointment on %s, %s, %s.',
        u.told,
        u.department_name,
        u.facility_name
      )
    from upcoming as u
    order by u.id
    -- One that was called off and then stands after all is reminded of after all.
    on conflict on constraint notifications_one_per_reason do update
      set withdrawn_at = null,
        body = excluded.body
      where n.withdrawn_at is not null
    returning n.id
  )
  select count(*)
  from written;
$$;
comment on function ops.send_reminders() is
  'Writes one reminder for every scheduled appointment of the next 24 hours, by the facility''s clock and the patient''s, and returns how many were new. Lends the worker the owner''s right to read appointments and write messages.';

--! split: 552-04-scheduling-set_doctor_schedule.sql
-- source: sql/04-scheduling/set_doctor_schedule.sql
-- Every change of hours through the API begins here: the calendar is closed before anything is read.
create or replace function hospital_private.lock_doctor(doctor_id bigint)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.lock_calendars(array[lock_doctor.doctor_id], '{}');
  if not exists (
    select
    from hospital.doctors as d
    where d.id = lock_doctor.doctor_id
  ) then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such doctor.';
  end if;
  return hospital_private.doctor_time_zone(lock_doctor.doctor_id);
end;
$$;
comment on function hospital_private.lock_doctor(bigint) is
  'Locks the calendar of a doctor until the transaction ends and returns the zone of the doctor''s hours. Raises NTFND when the caller sees no such doctor, RETRY.';

-- The week is replaced as a whole for a span of dates; what was in force before and after it is kept.
-- A change that is only asked about is made and taken back: the answer cannot differ from the change.
create or replace function hospital.set_doctor_schedule(
  doctor_id bigint,
  shifts hospital.weekly_shift[],
  effective_from date default null,
  effective_until date default null,
  report_conflicts boolean default false
)
returns hospital.calendar_change
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  time_zone text := hospital_private.lock_doctor(set_doctor_schedule.doctor_id);
  today date := (clock_timestamp() at time zone time_zone)::date;
  since date := coalesce(set_doctor_schedule.effective_from, today);
  span daterange;
  rule record;
  in_the_way bigint[];
begin
  if set_doctor_schedule.shifts is null then
    raise exception using
      errcode = 'MISSA',
      message = 'Name the shifts of the week; an empty list means that the doctor does not work.';
  end if;
  if since < today then
    raise exception using
      errcode = 'PASTT',
      message = 'Hours of the past are history.';
  end if;
  if set_doctor_schedule.effective_until <= since then
    raise exception using
      errcode = 'check_violation',
      constraint = 'doctor_schedules_effective_not_empty',
      message = 'The hours end before they begin.';
  end if;
  span := daterange(since, set_doctor_schedule.effective_until);

  begin
    for rule in
      select
        s.*,
        array(
          select kept.dates
          from unnest(datemultirange(s.effective) - datemultirange(span)) as kept (dates)
        ) as kept
      from hospital.doctor_schedules as s
      where s.doctor_id = set_doctor_schedule.doctor_id
        and s.effective && span
      order by s.id
    loop
      if rule.kept = '{}' then
        delete from hospital.doctor_schedules as s
        where s.id = rule.id;
      else
        update hospital.doctor_schedules as s
        set effective = rule.kept[1]
        where s.id = rule.id;
      end if;
      -- Seen by everybody, changed by few: what the policies hide from the change is refused aloud.
      if not found then
        raise exception using
          errcode = 'PRMSN',
          message = 'Your role may not do this.';
      end if;
      if cardinality(rule.kept) = 2 then
        insert into hospital.doctor_schedules
          (doctor_id, weekday, start_time, end_time, effective, room_id)
        values (
          rule.doctor_id,
          rule.weekday,
          rule.start_time,
          rule.end_time,
          rule.kept[2],
          rule.room_id
        );
      end if;
    end loop;
    insert into hospital.doctor_schedules
      (doctor_id, weekday, start_time, end_time, effective, room_id)
    select
      set_doctor_schedule.doctor_id,
      s.weekday,
      s.start_time,
      s.end_time,
      span,
      s.room_id
    from unnest(set_doctor_schedule.shifts) as s;
    in_the_way := hospital_private.appointments_in_the_way(set_doctor_schedule.doctor_id);
    perform hospital_private.require_way_free(in_the_way);
  exception
    when sqlstate 'INWAY' then
      if set_doctor_schedule.report_conflicts is not true then
        raise;
      end if;
      return (set_doctor_schedule.doctor_id, false, in_the_way)::hospital.calendar_change;
  end;
  return (set_doctor_schedule.doctor_id, true, in_the_way)::hospital.calendar_change;
end;
$$;
comment on function hospital.set_doctor_schedule(
  bigint, hospital.weekly_shift[], date, date, boolean
) is
  'Makes these shifts a doctor''s whole week, from a local date (today unless given) until the day before another (for ever unless given); shifts already under way that night run to their end. For the doctor, reception and administrators. With reportConflicts, appointments in the way are named and nothing changes. Raises NTFND, MISSA, PASTT, RETRY, INWAY.';

--! split: 553-04-scheduling-taken_time.sql
-- source: sql/04-scheduling/taken_time.sql
-- What is taken of one calendar never overlaps itself: of all that starts before the span only the last
-- can reach into it, and of all that starts after it the first, by its buffer. So an index in the order
-- of starts answers, without the table and many times faster than the constraints' indexes of spans.
create or replace function hospital_private.taken_time(
  doctor_ids bigint[],
  room_ids bigint[],
  span tstzrange
)
returns table (doctor_id bigint, room_id bigint, taken tstzmultirange)
language plpgsql
stable
security definer
rows 20
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
  -- In the order of time, in which range_agg has nothing to sort.
  return query
  select
    t.id,
    null::bigint,
    range_agg(t.busy)
  from (
    select
      k.id,
      edge.busy
    from unnest(taken_time.doctor_ids) as k (id)
    cross join lateral (
      select a.busy
      from hospital.appointments as a
      where a.doctor_id = k.id
        and a.starts_at < lower(taken_time.span)
        and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
        and (a.expires_at is null or a.expires_at > clock_timestamp())
      order by a.starts_at desc
      limit 1
    ) as edge
    union all
    select
      a.doctor_id as id,
      a.busy
    from hospital.appointments as a
    where a.doctor_id = any (taken_time.doctor_ids)
      and a.starts_at >= lower(taken_time.span)
      and a.starts_at < upper(taken_time.span)
      and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
      and (a.expires_at is null or a.expires_at > clock_timestamp())
    union all
    select
      k.id,
      edge.busy
    from unnest(taken_time.doctor_ids) as k (id)
    cross join lateral (
      select a.busy
      from hospital.appointments as a
      where a.doctor_id = k.id
        and a.starts_at >= upper(taken_time.span)
        and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
        and (a.expires_at is null or a.expires_at > clock_timestamp())
      order by a.starts_at
      limit 1
    ) as edge
  ) as t
  group by t.id;
  if cardinality(taken_time.room_ids) > 0 then
    return query
    select
      null::bigint,
      t.id,
      range_agg(t.busy)
    from (
      select
        k.id,
        edge.busy
      from unnest(taken_time.room_ids) as k (id)
      cross join lateral (
        select a.busy
        from hospital.appointments as a
        where a.room_id = k.id
          and a.starts_at < lower(taken_time.span)
          and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
          and (a.expires_at is null or a.expires_at > clock_timestamp())
        order by a.starts_at desc
        limit 1
      ) as edge
      union all
      select
        a.room_id as id,
        a.busy
      from hospital.appointments as a
      where a.room_id = any (taken_time.room_ids)
        and a.starts_at >= lower(taken_time.span)
        and a.starts_at < upper(taken_time.span)
        and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
        and (a.expires_at is null or a.expires_at > clock_timestamp())
      union all
      select
        k.id,
        edge.busy
      from unnest(taken_time.room_ids) as k (id)
      cross join lateral (
        select a.busy
        from hospital.appointments as a
        where a.room_id = k.id
          and a.starts_at >= upper(taken_time.span)
          and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
          and (a.expires_at is null or a.expires_at > clock_timestamp())
        order by a.starts_at
        limit 1
      ) as edge
    ) as t
    group by t.id;
  end if;
end;
$$;
comment on function hospital_private.taken_time(bigint[], bigint[], tstzrange) is
  'A row for each of the doctors and each of the rooms with the time in the span, and perhaps some beside it, that active appointments take, buffers included. Lends the owner''s right to see when appointments are, not whose.';

--! split: 554-04-scheduling-told_time.sql
-- source: sql/04-scheduling/told_time.sql
-- 10:00 is a different moment elsewhere. Who comes in goes by the clock of the building, who takes part
-- from afar by his own; where the two differ both are said, each with its zone in words.
create or replace function hospital_private.told_time(
  starts_at timestamptz,
  facility_zone text,
  patient_zone text,
  is_remote boolean
)
returns text
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  first_zone text := told_time.facility_zone;
  second_zone text := coalesce(told_time.patient_zone, told_time.facility_zone);
  pattern constant text := 'FMDay, FMDD FMMonth YYYY "at" HH24:MI';
begin
  if told_time.is_remote then
    first_zone := second_zone;
    second_zone := told_time.facility_zone;
  end if;
  if told_time.starts_at at time zone first_zone = told_time.starts_at at time zone second_zone then
    return to_char(told_time.starts_at at time zone first_zone, pattern);
  end if;
  return format(
    '%s %s time (%s %s time)',
    to_char(told_time.starts_at at time zone first_zone, pattern),
    -- The place that gives the zone its name.
    replace(split_part(first_zone, '/', -1), '_', ' '),
    to_char(told_time.starts_at at time zone second_zone, pattern),
    replace(split_part(second_zone, '/', -1), '_', ' ')
  );
end;
$$;
comment on function hospital_private.told_time(timestamptz, text, text, boolean) is
  'The start of an appointment as it is told to a patient: by the facility''s clock, or by the patient''s where the patient takes part from afar, and by both where they differ.';

--! split: 555-04-scheduling-wall_instant.sql
-- source: sql/04-scheduling/wall_instant.sql
-- Rules are written in wall-clock time and kept in instants. PostgreSQL's own conversion puts a time in
-- the missing hour an hour later and one in the repeated hour into its second pass: two shifts that
-- meet on the clock would overlap or leave a gap. Here they meet on every day of the year.
create or replace function hospital_private.wall_instant(local timestamp, zone text)
returns timestamptz
language plpgsql
stable
strict
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  as_utc constant timestamptz := wall_instant.local at time zone 'UTC';
  offset_before interval;
  offset_after interval;
  early timestamptz;
  late timestamptz;
  middle timestamptz;
begin
  -- Near infinity a day and a half more would leave the calendar.
  if wall_instant.local not between '0001-01-01' and '9999-12-31' then
    return wall_instant.local at time zone wall_instant.zone;
  end if;
  -- No zone is a day from UTC, and none changes its clocks twice within three.
  offset_before := (as_utc - interval '36 hours') at time zone wall_instant.zone
    - (wall_instant.local - interval '36 hours');
  offset_after := (as_utc + interval '36 hours') at time zone wall_instant.zone
    - (wall_instant.local + interval '36 hours');
  if offset_before = offset_after then
    return as_utc - offset_before;
  end if;

  early := as_utc - greatest(offset_before, offset_after);
  late := as_utc - least(offset_before, offset_after);
  if early at time zone wall_instant.zone = wall_instant.local then
    return early;
  end if;
  if late at time zone wall_instant.zone = wall_instant.local then
    return late;
  end if;
  -- No clock shows it: the clocks jump over it between early and late, at a whole second.
  early := date_trunc('second', early);
  late := date_trunc('second', late);
  while late - early > interval '1 second' loop
    middle := early + date_trunc('second', (late - early) / 2);
    if middle at time zone wall_instant.zone < wall_instant.local then
      early := middle;
    else
      late := middle;
    end if;
  end loop;
  return late;
end;
$$;
comment on function hospital_private.wall_instant(timestamp, text) is
  'The instant at which the clocks of a zone show a time: the first of two where it is repeated, that of the jump where it is missing.';

create or replace function hospital_private.is_second_pass(at timestamptz, zone text)
returns boolean
language plpgsql
stable
strict
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return is_second_pass.at > hospital_private.wall_instant(
    is_second_pass.at at time zone is_second_pass.zone, is_second_pass.zone
  );
end;
$$;
comment on function hospital_private.is_second_pass(timestamptz, text) is
  'Whether the clocks of a zone have shown the same time before, in the hour that is repeated when they are set back.';

--! split: 556-04-scheduling-withdraw_notifications.sql
-- source: sql/04-scheduling/withdraw_notifications.sql
-- The outbox speaks of what is so. A message that was not sent before its appointment was moved or
-- called off, or before its offer was taken up or ended, is not sent at all.
create or replace function hospital_private.withdraw_notifications()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update hospital.notifications as n
  set withdrawn_at = now()
  where n.appointment_id = new.id
    and n.sent_at is null
    and n.withdrawn_at is null
    and (
      n.reason like 'offer:%'
      or (
        n.reason like 'reminder:%'
        and (
          new.status <> 'scheduled'
          or new.starts_at <> old.starts_at
          or new.doctor_id <> old.doctor_id
        )
      )
    );
  return null;
end;
$$;
comment on function hospital_private.withdraw_notifications() is
  'Trigger: withdraws unsent reminders and offers of an appointment that was moved or changed its status. Lends the owner''s right to write messages.';

create or replace trigger _810_withdraw
  after update on hospital.appointments
  for each row
  when (
    new.status <> old.status
    or new.starts_at <> old.starts_at
    or new.doctor_id <> old.doctor_id
  )
  execute function hospital_private.withdraw_notifications();

--! split: 557-04-scheduling-working_shifts.sql
-- source: sql/04-scheduling/working_shifts.sql
-- The one definition of when doctors work and where. Working time, free slots and rooms derive from it,
-- and the guard on appointments enforces it: what is offered books, what is refused was not offered.
create or replace function hospital_private.working_shifts(doctor_ids bigint[], span tstzrange)
returns table (doctor_id bigint, room_id bigint, starts_at timestamptz, ends_at timestamptz)
language plpgsql
stable
security definer
rows 20
set search_path = pg_catalog, pg_temp
-- Planning takes many times as long as running, and one plan suits one doctor and two hundred.
set plan_cache_mode = force_generic_plan
as $$
declare
  -- A series of days without an end would never end.
  asked constant tstzrange := working_shifts.span * '[1900-01-01 00:00Z, 3000-01-01 00:00Z)';
begin
  if isempty(asked)
    or (isfinite(lower(working_shifts.span)) and isfinite(upper(working_shifts.span))) is not true
  then
    return;
  end if;

  return query
  with
  doctor as materialized (
    select
      d.id,
      f.time_zone as zone
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    join hospital.departments as p
      on p.id = m.department_id
    join hospital.facilities as f
      on f.id = p.facility_id
    where d.id = any (working_shifts.doctor_ids)
      and d.is_active
  ),
  -- Local days, each with the distance of its clocks from UTC. Of timestamps, not dates: a series of
  -- dates becomes one of instants, midnights of whatever zone the connection happens to be set to.
  day as materialized (
    select
      z.zone,
      local.midnight,
      extract(isodow from local.midnight)::smallint as weekday,
      around.offset_before = around.offset_after as is_plain,
      (local.midnight at time zone 'UTC') - around.offset_before as starts_at
    from (
      select distinct d.zone
      from doctor as d
    ) as z
    cross join lateral generate_series(
      -- A shift of the evening before may reach into the span, and so may one of the day after where
      -- the clocks are set back over midnight.
      date_trunc('day', lower(asked) at time zone z.zone) - interval '1 day',
      date_trunc('day', upper(asked) at time zone z.zone) + interval '1 day',
      interval '1 day'
    ) as local (midnight)
    cross join lateral (
      -- The day and the night after it, wide enough for every zone.
      select
        (local.midnight - interval '24 hours') at time zone 'UTC' at time zone z.zone
          - (local.midnight - interval '24 hours') as offset_before,
        (local.midnight + interval '72 hours') at time zone 'UTC' at time zone z.zone
          - (local.midnight + interval '72 hours') as offset_after
    ) as around
  ),
  -- Apart from the days: the index on the dates of all the doctors' rules is no way into them.
  rule as materialized (
    select
      d.zone,
      r.doctor_id,
      r.room_id,
      r.weekday,
      r.effective,
      r.start_time::interval as opens,
      r.end_time::interval
        + case when r.end_time <= r.start_time then interval '24 hours' else interval '0' end
        as closes
    from doctor as d
    join hospital.doctor_schedules as r
      on r.doctor_id = d.id
  ),
  weekly as (
    select
      r.doctor_id,
      r.room_id,
      case
        when y.is_plain then y.starts_at + r.opens
        else hospital_private.wall_instant(y.midnight + r.opens, y.zone)
      end as starts_at,
      case
        when y.is_plain then y.starts_at + r.closes
        else hospital_private.wall_instant(y.midnight + r.closes, y.zone)
      end as ends_at
    from rule as r
    join day as y
      on y.zone = r.zone
      and y.weekday = r.weekday
      and r.effective @> y.midnight::date
  ),
  -- A rule may begin while the night shift of the one before it still runs: that keeps its time.
  disjoint as materialized (
    select
      w.doctor_id,
      w.room_id,
      w.starts_at,
      w.ends_at,
      tstzrange(w.starts_at, w.ends_at) as span
    from (
      select
        w.doctor_id,
        w.room_id,
        greatest(
          w.starts_at,
          max(w.ends_at) over (
            partition by w.doctor_id
            order by w.starts_at
            rows between unbounded preceding and 1 preceding
          )
        ) as starts_at,
        w.ends_at
      from weekly as w
    ) as w
    where w.starts_at < w.ends_at
      and w.starts_at < upper(asked)
      and w.ends_at > lower(asked)
  ),
  extra as materialized (
    select
      d.id as doctor_id,
      s.room_id,
      tstzrange(s.starts_at, s.ends_at) as span
    from doctor as d
    join hospital.doctor_extra_sessions as s
      on s.doctor_id = d.id
      and tstzrange(s.starts_at, s.ends_at) && asked
  ),
  -- Where the weekly hours do not hold: nobody works, or an extra session says where.
  replaced as materialized (
    select
      s.doctor_id,
      range_agg(s.span) as time
    from (
      select
        d.id as doctor_id,
        tstzrange(o.starts_at, o.ends_at) as span
      from doctor as d
      join hospital.doctor_time_off as o
        on o.doctor_id = d.id
        and tstzrange(o.starts_at, o.ends_at) && asked
      union all
      select
        e.doctor_id,
        e.span
      from extra as e
    ) as s
    group by s.doctor_id
  ),
  piece as (
    select
      w.doctor_id,
      w.room_id,
      w.starts_at,
      w.ends_at
    from disjoint as w
    where not exists (
      select
      from replaced as x
      where x.doctor_id = w.doctor_id
        and x.time && w.span
    )
    union all
    select
      w.doctor_id,
      w.room_id,
      lower(rest.span),
      upper(rest.span)
    from disjoint as w
    join replaced as x
      on x.doctor_id = w.doctor_id
      and x.time && w.span
    cross join lateral unnest(tstzmultirange(w.span) - x.time) as rest (span)
    union all
    select
      e.doctor_id,
      e.room_id,
      lower(e.span),
      upper(e.span)
    from extra as e
  )
  select
    p.doctor_id,
    p.room_id,
    greatest(p.starts_at, lower(asked)),
    least(p.ends_at, upper(asked))
  from piece as p
  where p.starts_at < upper(asked)
    and p.ends_at > lower(asked);
end;
$$;
comment on function hospital_private.working_shifts(bigint[], tstzrange) is
  'The disjoint stretches within the span that active doctors work, with their rooms: weekly hours in the facility''s zone less time off, plus extra sessions. Lends the owner''s right to read schedules and absences without their reasons.';

--! split: 558-policies-owner.sql
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

--! split: 559-policies-administrator.sql
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
  'hospital.notifications'
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

--! split: 560-policies-doctor.sql
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
  using (id = any (array(select hospital_private.roster_patient_ids())));
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
create policy doctor_insert_own_roster on hospital.appointments
  for insert to hospital_doctor
  with check (
    doctor_id = (select hospital_private.current_doctor_id())
    and patient_id = any (array(select hospital_private.roster_patient_ids()))
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
create policy doctor_insert_own_roster on hospital.appointment_overrides
  for insert to hospital_doctor
  with check (
    doctor_id = (select hospital_private.current_doctor_id())
    and patient_id = any (array(select hospital_private.roster_patient_ids()))
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
create policy doctor_insert_own_roster on hospital.appointment_series
  for insert to hospital_doctor
  with check (
    doctor_id = (select hospital_private.current_doctor_id())
    and patient_id = any (array(select hospital_private.roster_patient_ids()))
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

-- What a doctor can do.
grant execute on function
  hospital.free_slots,
  hospital.next_free_slot,
  hospital.search_doctors,
  hospital.search_patients,
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

--! split: 561-policies-nurse.sql
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
  hospital_private.matching_patient_ids,
  hospital_private.lock_in_order,
  hospital_private.lock_calendars,
  hospital_private.lock_appointment,
  hospital_private.request_lock,
  hospital_private.appointment,
  hospital_private.found_appointment
to hospital_nurse;

--! split: 562-policies-patient.sql
-- source: policies/patient.sql
-- hospital_patient sees the own record, the calendar's free times and the directory of doctors.
call hospital_private.reset_access('hospital_patient');
grant usage on schema hospital, analytics, hospital_private to hospital_patient;

-- The session.
grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account,
  hospital_private.session_has_role,
  hospital_private.current_patient_id
to hospital_patient;

-- The directory and the vocabularies.
call hospital_private.allow_reading(
  'hospital_patient', 'patient',
  'hospital.facilities', 'hospital.departments', 'hospital.rooms', 'hospital.specialties',
  'hospital.sexes', 'hospital.contact_kinds', 'hospital.identifier_systems',
  'hospital.appointment_types', 'hospital.appointment_statuses', 'hospital.cancellation_reasons',
  'hospital.no_show_reasons', 'hospital.override_reasons', 'hospital.waitlist_statuses',
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

-- Oneself. Name, birth and sex are changed by reception, against a document.
create policy patient_select_own on hospital.patients
  for select to hospital_patient
  using (id = (select hospital_private.current_patient_id()));
create policy patient_update_own on hospital.patients
  for update to hospital_patient
  using (id = (select hospital_private.current_patient_id()))
  with check (id = (select hospital_private.current_patient_id()));
grant select, update (time_zone) on hospital.patients to hospital_patient;
create policy patient_select_own on hospital.contact_points
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
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
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.patient_identifiers to hospital_patient;

-- Appointments: hold, book, move, change the reason, cancel. End and room are not the patient's to
-- choose, nor is setting a rule aside.
create policy patient_select_own on hospital.appointments
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
create policy patient_insert_own on hospital.appointments
  for insert to hospital_patient
  with check (
    patient_id = (select hospital_private.current_patient_id())
    and status in ('held', 'scheduled')
    and starts_at > clock_timestamp()
    and override_id is null
  );
-- What has begun, was missed, finished or called off is no longer the patient's to change: nobody
-- cancels afterwards what he missed, or takes back what the hospital cancelled.
create policy patient_update_own on hospital.appointments
  for update to hospital_patient
  using (
    patient_id = (select hospital_private.current_patient_id())
    and status in ('held', 'scheduled')
    and starts_at > clock_timestamp()
  )
  with check (
    patient_id = (select hospital_private.current_patient_id())
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
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.appointment_overrides to hospital_patient;
create policy patient_select_own on hospital.appointment_moves
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.appointment_moves to hospital_patient;
-- What was skipped is said while a series is booked, and never changed afterwards.
create policy patient_select_own on hospital.appointment_series
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
create policy patient_insert_own on hospital.appointment_series
  for insert to hospital_patient
  with check (patient_id = (select hospital_private.current_patient_id()));
create policy patient_update_just_made on hospital.appointment_series
  for update to hospital_patient
  using (
    patient_id = (select hospital_private.current_patient_id())
    and created_at = now()
  )
  with check (patient_id = (select hospital_private.current_patient_id()));
grant
  select,
  insert (
    patient_id, doctor_id, appointment_type_id, first_date, local_time, every_weeks, occurrences
  ),
  update (skipped_dates)
on hospital.appointment_series to hospital_patient;
create policy patient_select_own on hospital.appointment_staff
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.appointment_staff to hospital_patient;
create policy patient_select_own on hospital.appointment_status_history
  for select to hospital_patient
  using (
    appointment_id = any (
      array(
        select a.id
        from hospital.appointments as a
        where a.patient_id = (select hospital_private.current_patient_id())
      )
    )
  );
grant select on hospital.appointment_status_history to hospital_patient;
-- The waitlist: who comes first is not the patient's to say, and a place given up is not taken back.
create policy patient_select_own on hospital.waitlist_entries
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
create policy patient_insert_own on hospital.waitlist_entries
  for insert to hospital_patient
  with check (patient_id = (select hospital_private.current_patient_id()) and status = 'waiting');
create policy patient_update_own on hospital.waitlist_entries
  for update to hospital_patient
  using (
    patient_id = (select hospital_private.current_patient_id())
    and status = 'waiting'
  )
  with check (
    patient_id = (select hospital_private.current_patient_id())
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
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.notifications to hospital_patient;

-- The record, to read.
create policy patient_select_own on hospital.visits
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.visits to hospital_patient;
create policy patient_select_own on hospital.visit_versions
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.visit_versions to hospital_patient;
create policy patient_select_own on hospital.visit_diagnoses
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.visit_diagnoses to hospital_patient;
create policy patient_select_own on hospital.patient_conditions
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.patient_conditions to hospital_patient;
create policy patient_select_own on hospital.prescriptions
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.prescriptions to hospital_patient;
create policy patient_select_own on hospital.treatments
  for select to hospital_patient
  using (patient_id = (select hospital_private.current_patient_id()));
grant select on hospital.treatments to hospital_patient;

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

--! split: 563-policies-reception.sql
-- source: policies/reception.sql
-- hospital_reception registers people and keeps the calendar of everybody; it reads no clinical row.
call hospital_private.reset_access('hospital_reception');

-- Everybody who comes to the door.
create policy reception_select_all on hospital.patients
  for select to hospital_reception
  using ((select hospital_private.session_has_role('reception')));
create policy reception_update_all on hospital.patients
  for update to hospital_reception
  using ((select hospital_private.session_has_role('reception')))
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

grant execute on function
  hospital.register_patient,
  hospital.register_patient_and_book,
  hospital.update_patient,
  hospital.deactivate_patient,
  hospital.search_patients,
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

--! split: 564-policies-staff.sql
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
  hospital.patients_medications_in_use,
  hospital.staff_members_full_name,
  hospital.doctors_full_name,
  hospital.doctors_experience_years,
  hospital.departments_doctors,
  hospital.visits_treatment_cost,
  hospital_private.escape_like
to hospital_staff;

--! split: 565-policies-worker.sql
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
  ops.offer_waitlist
to hospital_worker;
