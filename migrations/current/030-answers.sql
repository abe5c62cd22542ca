-- How fresh the materialized views of the warehouse are, and what is said when they are not.

create table warehouse.view_states (
  view_name    text        primary key,
  filled_from  text,
  refreshed_at timestamptz,
  data_as_of   timestamptz,
  constraint view_states_filled_from_something check ((filled_from is null) = (refreshed_at is null))
);
comment on table warehouse.view_states is 'How fresh each materialized view is, written in the transaction that refreshed it.';
comment on column warehouse.view_states.view_name is 'The view, without its schema.';
comment on column warehouse.view_states.filled_from is 'What it was last filled from: each input and as of when that had last changed; null before the first time.';
comment on column warehouse.view_states.refreshed_at is 'When it was last filled, or null.';
comment on column warehouse.view_states.data_as_of is 'Everything committed before this instant is in it; it advances also when nothing had changed. Null before the first load.';

create table warehouse.view_settings (
  is_the_row  boolean  primary key default true,
  stale_after interval not null default '5 minutes',
  constraint view_settings_one_row check (is_the_row),
  constraint view_settings_stale_after_plausible
    check (stale_after >= interval '10 seconds' and stale_after <= interval '7 days')
);
comment on table warehouse.view_settings is 'The one row of numbers by which answers count as stale.';
comment on column warehouse.view_settings.is_the_row is 'Always true, so that there is one row.';
comment on column warehouse.view_settings.stale_after is 'How old the data of an answer may be before it counts as stale.';
insert into warehouse.view_settings default values;

create table ops.alert_kinds (
  code        text primary key,
  description text not null
);
comment on table ops.alert_kinds is 'What the operators are alerted to.';
comment on column ops.alert_kinds.code is 'The code of the kind.';
comment on column ops.alert_kinds.description is 'What it means, and what to do.';
insert into ops.alert_kinds (code, description)
values
  ('stale_answers', 'The answers of analytics are older than allowed: see whether a worker runs, and how its last runs of load_warehouse and refresh_views ended.');

create table ops.alerts (
  id        bigint      generated always as identity primary key,
  kind      text        not null references ops.alert_kinds (code),
  raised_at timestamptz not null default now(),
  closed_at timestamptz,
  constraint alerts_closed_after_raised check (closed_at >= raised_at)
);
-- An incident is one row, however often it is looked at.
create unique index alerts_one_open on ops.alerts (kind) where closed_at is null;
create index alerts_kind_idx on ops.alerts (kind);
comment on table ops.alerts is 'Incidents: one row from when something was found wrong until it was found right again.';
comment on column ops.alerts.id is 'The key of the alert.';
comment on column ops.alerts.kind is 'What is wrong.';
comment on column ops.alerts.raised_at is 'When it was found.';
comment on column ops.alerts.closed_at is 'When it was found right again, or null while it lasts.';

-- What the API is answered.
create type analytics.view_freshness_row as (
  view_name           text,
  data_as_of          timestamptz,
  refreshed_at        timestamptz,
  is_stale            boolean,
  last_run_started_at timestamptz,
  last_run_outcome    text
);
comment on type analytics.view_freshness_row is 'How fresh one of the views behind the answers is.';
comment on column analytics.view_freshness_row.view_name is 'The view.';
comment on column analytics.view_freshness_row.data_as_of is 'Everything recorded before this instant is in it, or null before the first load.';
comment on column analytics.view_freshness_row.refreshed_at is 'When it was last filled anew, or null; it is not while nothing changes.';
comment on column analytics.view_freshness_row.is_stale is 'Whether its data is older than allowed at the moment of asking, whoever does or does not keep watch.';
comment on column analytics.view_freshness_row.last_run_started_at is 'When the views were last set about to be refreshed, or null.';
comment on column analytics.view_freshness_row.last_run_outcome is 'How that went: running, succeeded, failed or abandoned.';

create type analytics.alerts_row as (
  kind        text,
  description text,
  raised_at   timestamptz,
  closed_at   timestamptz
);
comment on type analytics.alerts_row is 'An incident that an administrator is alerted to.';
comment on column analytics.alerts_row.kind is 'The code of what is wrong.';
comment on column analytics.alerts_row.description is 'What it means, and what to do.';
comment on column analytics.alerts_row.raised_at is 'When it was found.';
comment on column analytics.alerts_row.closed_at is 'When it was found right again, or null while it lasts.';

create type analytics.refresh_views_result as (
  queued_at           timestamptz,
  data_as_of          timestamptz,
  last_run_started_at timestamptz,
  last_run_outcome    text
);
comment on type analytics.refresh_views_result is 'A refresh that was asked for: it is done when view_freshness answers a data_as_of after queued_at.';
comment on column analytics.refresh_views_result.queued_at is 'When it was asked for.';
comment on column analytics.refresh_views_result.data_as_of is 'How old the oldest view is until then, or null before the first load.';
comment on column analytics.refresh_views_result.last_run_started_at is 'When the views were last set about to be refreshed, or null.';
comment on column analytics.refresh_views_result.last_run_outcome is 'How that went: running, succeeded, failed or abandoned.';

-- Who asks for an answer, and what that decides.
create type warehouse.reader as (
  sees_all      boolean,
  doctor_id     bigint,
  department_id bigint,
  smallest_cell integer
);
comment on type warehouse.reader is 'Who asks for an answer.';
comment on column warehouse.reader.sees_all is 'Whether everything is answered, as to an administrator.';
comment on column warehouse.reader.doctor_id is 'The doctor who asks, or null.';
comment on column warehouse.reader.department_id is 'The department of the doctor who asks, or null.';
comment on column warehouse.reader.smallest_cell is 'How many persons a number is about at least, where the reader is not entitled to know who they are.';

-- The answers about the running of the hospital.
create type analytics.top_doctors_row as (
  doctor_id      bigint,
  doctor_name    text,
  specialization text,
  visits         bigint,
  data_as_of     timestamptz
);
comment on type analytics.top_doctors_row is 'How many visits a doctor had.';
comment on column analytics.top_doctors_row.doctor_id is 'The doctor.';
comment on column analytics.top_doctors_row.doctor_name is 'The doctor''s name as it is now.';
comment on column analytics.top_doctors_row.specialization is 'The specialty practised now.';
comment on column analytics.top_doctors_row.visits is 'How many visits that were not entered in error began in the period.';
comment on column analytics.top_doctors_row.data_as_of is 'Everything recorded before this instant is counted.';

create type analytics.department_load_row as (
  department_id     bigint,
  department_name   text,
  appointments      bigint,
  completed         bigint,
  cancelled         bigint,
  no_shows          bigint,
  planned_minutes   bigint,
  worked_minutes    bigint,
  suppressed_months integer,
  data_as_of        timestamptz
);
comment on type analytics.department_load_row is 'What a department was booked for and what became of it.';
comment on column analytics.department_load_row.department_id is 'The department.';
comment on column analytics.department_load_row.department_name is 'Its name as it is now.';
comment on column analytics.department_load_row.appointments is 'How many appointments of the period were booked, whatever became of them.';
comment on column analytics.department_load_row.completed is 'How many were completed.';
comment on column analytics.department_load_row.cancelled is 'How many were called off.';
comment on column analytics.department_load_row.no_shows is 'To how many the patient did not come.';
comment on column analytics.department_load_row.planned_minutes is 'How long those that were not called off were to last.';
comment on column analytics.department_load_row.worked_minutes is 'How long those that were completed kept the doctors, buffers included.';
comment on column analytics.department_load_row.suppressed_months is 'How many months of the period are left out of these numbers: a doctor is told of whole months only, and only of those that speak of enough other patients.';
comment on column analytics.department_load_row.data_as_of is 'Everything recorded before this instant is counted.';

create type analytics.monthly_visits_row as (
  month      date,
  visits     bigint,
  data_as_of timestamptz
);
comment on type analytics.monthly_visits_row is 'How many visits there were in a month, or in those of its days that are in the period.';
comment on column analytics.monthly_visits_row.month is 'The first day of the month.';
comment on column analytics.monthly_visits_row.visits is 'How many visits that were not entered in error began in it.';
comment on column analytics.monthly_visits_row.data_as_of is 'Everything recorded before this instant is counted.';

create type analytics.doctor_workload_row as (
  doctor_id       bigint,
  doctor_name     text,
  appointments    bigint,
  completed       bigint,
  cancelled       bigint,
  no_shows        bigint,
  planned_minutes bigint,
  worked_minutes  bigint,
  data_as_of      timestamptz
);
comment on type analytics.doctor_workload_row is 'What a doctor was booked for and what became of it.';
comment on column analytics.doctor_workload_row.doctor_id is 'The doctor.';
comment on column analytics.doctor_workload_row.doctor_name is 'The doctor''s name as it is now.';
comment on column analytics.doctor_workload_row.appointments is 'How many appointments of the period were booked, whatever became of them.';
comment on column analytics.doctor_workload_row.completed is 'How many were completed.';
comment on column analytics.doctor_workload_row.cancelled is 'How many were called off.';
comment on column analytics.doctor_workload_row.no_shows is 'To how many the patient did not come.';
comment on column analytics.doctor_workload_row.planned_minutes is 'How long those that were not called off were to last.';
comment on column analytics.doctor_workload_row.worked_minutes is 'How long those that were completed kept the doctor, buffers included.';
comment on column analytics.doctor_workload_row.data_as_of is 'Everything recorded before this instant is counted.';

create type analytics.revenue_row as (
  month               date,
  appointments        bigint,
  appointment_revenue numeric(14,2),
  treatments          bigint,
  treatment_revenue   numeric(14,2),
  revenue             numeric(14,2),
  data_as_of          timestamptz
);
comment on type analytics.revenue_row is 'What was charged in a month, or in those of its days that are in the period, in US dollars.';
comment on column analytics.revenue_row.month is 'The first day of the month.';
comment on column analytics.revenue_row.appointments is 'How many appointments were completed.';
comment on column analytics.revenue_row.appointment_revenue is 'The prices of their types as they are now.';
comment on column analytics.revenue_row.treatments is 'How many treatments were begun at visits that were not entered in error.';
comment on column analytics.revenue_row.treatment_revenue is 'What they cost.';
comment on column analytics.revenue_row.revenue is 'Both together, until there are invoices.';
comment on column analytics.revenue_row.data_as_of is 'Everything recorded before this instant is counted.';

create type warehouse.department_count as (
  department_id     bigint,
  appointments      bigint,
  completed         bigint,
  cancelled         bigint,
  no_shows          bigint,
  planned_minutes   bigint,
  worked_minutes    bigint,
  days              bigint,
  suppressed_months integer
);
comment on type warehouse.department_count is 'What is counted of one department, as far as the reader is told.';
comment on column warehouse.department_count.department_id is 'The department.';
comment on column warehouse.department_count.appointments is 'How many were booked, whatever became of them.';
comment on column warehouse.department_count.completed is 'How many were completed.';
comment on column warehouse.department_count.cancelled is 'How many were called off.';
comment on column warehouse.department_count.no_shows is 'To how many the patient did not come.';
comment on column warehouse.department_count.planned_minutes is 'How long those that were not called off were to last.';
comment on column warehouse.department_count.worked_minutes is 'How long those that were completed kept the doctors, buffers included.';
comment on column warehouse.department_count.days is 'On how many days something was completed.';
comment on column warehouse.department_count.suppressed_months is 'How many months of the period are left out.';

create type analytics.department_efficiency_row as (
  department_id     bigint,
  department_name   text,
  wait_p50_minutes  integer,
  wait_p90_minutes  integer,
  utilisation       double precision,
  no_show_rate      double precision,
  cancellation_rate double precision,
  completed_per_day double precision,
  suppressed_months integer,
  data_as_of        timestamptz
);
comment on type analytics.department_efficiency_row is 'How well a department runs.';
comment on column analytics.department_efficiency_row.department_id is 'The department.';
comment on column analytics.department_efficiency_row.department_name is 'Its name as it is now.';
comment on column analytics.department_efficiency_row.wait_p50_minutes is 'Half of the patients waited no longer than this, from arrival, or from the planned start if they came early, to being seen.';
comment on column analytics.department_efficiency_row.wait_p90_minutes is 'Nine of ten waited no longer than this.';
comment on column analytics.department_efficiency_row.utilisation is 'The time that completed appointments kept its doctors, by the time its doctors were on duty.';
comment on column analytics.department_efficiency_row.no_show_rate is 'To which part of the appointments that could have been kept the patient did not come.';
comment on column analytics.department_efficiency_row.cancellation_rate is 'Which part of what was booked was called off.';
comment on column analytics.department_efficiency_row.completed_per_day is 'How many appointments were completed on a day on which any was.';
comment on column analytics.department_efficiency_row.suppressed_months is 'How many months of the period are left out of these numbers: a doctor is told of whole months only, and only of those that speak of enough other patients.';
comment on column analytics.department_efficiency_row.data_as_of is 'Everything recorded before this instant is counted.';
