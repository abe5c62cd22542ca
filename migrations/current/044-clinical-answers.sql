create type warehouse.clinical_cell as (
  item          text,
  month         date,
  department_id bigint,
  doctor_id     bigint,
  visits        bigint
);
comment on type warehouse.clinical_cell is 'A symptom or treatment of a month, of which the reader may be told.';
comment on column warehouse.clinical_cell.item is 'The symptom or treatment.';
comment on column warehouse.clinical_cell.month is 'The first day of the month.';
comment on column warehouse.clinical_cell.department_id is 'The department, or 0 for all.';
comment on column warehouse.clinical_cell.doctor_id is 'The doctor, or 0 for all.';
comment on column warehouse.clinical_cell.visits is 'The visits at which it was noted or begun.';

create type analytics.symptom_frequency_row as (
  symptom    text,
  visits     bigint,
  data_as_of timestamptz
);
comment on type analytics.symptom_frequency_row is 'How often a symptom was noted.';
comment on column analytics.symptom_frequency_row.symptom is 'The symptom, in lower case.';
comment on column analytics.symptom_frequency_row.visits is 'At how many visits it was noted, without the months in which it was of few.';
comment on column analytics.symptom_frequency_row.data_as_of is 'Everything recorded before this instant is in it.';

create type analytics.treatment_outcomes_row as (
  treatment_type     text,
  treatments         bigint,
  assessed_share     numeric,
  resolved_share     numeric,
  improved_share     numeric,
  unchanged_share    numeric,
  worsened_share     numeric,
  complication_share numeric,
  total_cost         numeric(14,2),
  average_cost       numeric(12,2),
  average_minutes    numeric,
  data_as_of         timestamptz
);
comment on type analytics.treatment_outcomes_row is 'How the treatments of a type turned out, and what they took.';
comment on column analytics.treatment_outcomes_row.treatment_type is 'The treatment.';
comment on column analytics.treatment_outcomes_row.treatments is 'How many were begun, here and below without the months in which it was of few.';
comment on column analytics.treatment_outcomes_row.assessed_share is 'Of how many of them the outcome is known, from 0 to 1.';
comment on column analytics.treatment_outcomes_row.resolved_share is 'The share of the assessed that resolved the trouble, or null when none was assessed.';
comment on column analytics.treatment_outcomes_row.improved_share is 'The share of the assessed that improved it.';
comment on column analytics.treatment_outcomes_row.unchanged_share is 'The share of the assessed that changed nothing.';
comment on column analytics.treatment_outcomes_row.worsened_share is 'The share of the assessed after which it was worse.';
comment on column analytics.treatment_outcomes_row.complication_share is 'The share of the assessed that led to a complication.';
comment on column analytics.treatment_outcomes_row.total_cost is 'What they cost together, in US dollars.';
comment on column analytics.treatment_outcomes_row.average_cost is 'What one cost on average.';
comment on column analytics.treatment_outcomes_row.average_minutes is 'How long one took on average, where the end is known.';
comment on column analytics.treatment_outcomes_row.data_as_of is 'Everything recorded before this instant is in it.';
