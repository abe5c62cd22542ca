create type analytics.year_visits as (
  year   integer,
  visits bigint
);
comment on type analytics.year_visits is 'How often a patient came in a year.';
comment on column analytics.year_visits.year is 'The calendar year.';
comment on column analytics.year_visits.visits is 'The visits in it.';

create type analytics.category_diagnoses as (
  category    text,
  description text,
  first_on    date,
  last_on     date,
  visits      bigint,
  is_lasting  boolean
);
comment on type analytics.category_diagnoses is 'What a patient was diagnosed with, in one category.';
comment on column analytics.category_diagnoses.category is 'The first three characters of an ICD-10-CM code, or the whole code of another system.';
comment on column analytics.category_diagnoses.description is 'What the latest code in it means.';
comment on column analytics.category_diagnoses.first_on is 'The first day it was diagnosed or is said to have begun.';
comment on column analytics.category_diagnoses.last_on is 'The last such day.';
comment on column analytics.category_diagnoses.visits is 'At how many visits it was diagnosed.';
comment on column analytics.category_diagnoses.is_lasting is 'Whether the medical history holds it and no end of it.';

create type analytics.medicine_in_use as (
  medication text,
  dosage     text,
  since      date,
  until      date
);
comment on type analytics.medicine_in_use is 'A medicine the patient should be taking today.';
comment on column analytics.medicine_in_use.medication is 'Name, strength and form.';
comment on column analytics.medicine_in_use.dosage is 'How much and how often.';
comment on column analytics.medicine_in_use.since is 'The first day of taking it.';
comment on column analytics.medicine_in_use.until is 'The last day of taking it, or null for as long as needed.';

create type analytics.patient_insight_row as (
  patient_id      bigint,
  visits          bigint,
  first_visit_on  date,
  last_visit_on   date,
  visits_by_year  analytics.year_visits[],
  kept            bigint,
  missed          bigint,
  no_show_rate    numeric,
  diagnoses       analytics.category_diagnoses[],
  medicines       analytics.medicine_in_use[],
  treatments      bigint,
  treatments_cost numeric(12,2),
  charlson_score  integer,
  data_as_of      timestamptz
);
comment on type analytics.patient_insight_row is 'A patient at a glance, of all records of the person, by the clocks of his time zone.';
comment on column analytics.patient_insight_row.patient_id is 'The patient who was asked for.';
comment on column analytics.patient_insight_row.visits is 'All visits.';
comment on column analytics.patient_insight_row.first_visit_on is 'The day of the first, or null.';
comment on column analytics.patient_insight_row.last_visit_on is 'The day of the last, or null.';
comment on column analytics.patient_insight_row.visits_by_year is 'The visits of each year in which there were any, the latest first.';
comment on column analytics.patient_insight_row.kept is 'Completed appointments among those the reader may see, which of a doctor are his own.';
comment on column analytics.patient_insight_row.missed is 'Missed appointments among the same.';
comment on column analytics.patient_insight_row.no_show_rate is 'The share of missed ones in both, from 0 to 1, or null without any.';
comment on column analytics.patient_insight_row.diagnoses is 'Diagnoses and medical history by category, the latest first.';
comment on column analytics.patient_insight_row.medicines is 'The medicines in use today.';
comment on column analytics.patient_insight_row.treatments is 'All treatments.';
comment on column analytics.patient_insight_row.treatments_cost is 'What they cost together, in US dollars.';
comment on column analytics.patient_insight_row.charlson_score is 'The Charlson comorbidity index today, without the points for age.';
comment on column analytics.patient_insight_row.data_as_of is 'The moment of asking: it is read from the record itself.';
