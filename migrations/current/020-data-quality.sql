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
