-- The Charlson comorbidity index as data. Which ICD-10 codes mean which comorbidity:
--   Quan H, Sundararajan V, Halfon P, et al. Coding algorithms for defining comorbidities in ICD-9-CM and
--   ICD-10 administrative data. Med Care 2005;43(11):1130-9, table 1.
-- What each weighs, the original weights:
--   Charlson ME, Pompei P, Ales KL, MacKenzie CR. A new method of classifying prognostic comorbidity in
--   longitudinal studies. J Chronic Dis 1987;40(5):373-83.
create table warehouse.dim_comorbidity (
  code             text     primary key,
  name             text     not null,
  weight           smallint not null,
  superseded_by    text     references warehouse.dim_comorbidity (code),
  counts_when_over boolean  not null,
  constraint dim_comorbidity_weight_positive check (weight > 0),
  constraint dim_comorbidity_superseded_by_another check (superseded_by <> code)
);
create index dim_comorbidity_superseded_by_idx on warehouse.dim_comorbidity (superseded_by);
comment on table warehouse.dim_comorbidity is 'The seventeen illnesses of the Charlson index.';
comment on column warehouse.dim_comorbidity.code is 'The code of the comorbidity.';
comment on column warehouse.dim_comorbidity.name is 'Its name, as Quan et al. give it.';
comment on column warehouse.dim_comorbidity.weight is 'What it adds to the index (Charlson et al. 1987).';
comment on column warehouse.dim_comorbidity.superseded_by is 'The graver form, beside which this one does not count, or null.';
comment on column warehouse.dim_comorbidity.counts_when_over is 'Whether having had it counts, too: Charlson asks for a history of infarction, stroke and ulcer, and for the presence of the others.';
insert into warehouse.dim_comorbidity (code, name, weight, superseded_by, counts_when_over)
values
  ('diabetes_complicated', 'Diabetes with chronic complication', 2, null, false),
  ('liver_severe', 'Moderate or severe liver disease', 3, null, false),
  ('metastatic_tumor', 'Metastatic solid tumor', 6, null, false),
  ('myocardial_infarction', 'Myocardial infarction', 1, null, true),
  ('heart_failure', 'Congestive heart failure', 1, null, false),
  ('peripheral_vascular', 'Peripheral vascular disease', 1, null, false),
  ('cerebrovascular', 'Cerebrovascular disease', 1, null, true),
  ('dementia', 'Dementia', 1, null, false),
  ('pulmonary', 'Chronic pulmonary disease', 1, null, false),
  ('rheumatic', 'Rheumatic disease', 1, null, false),
  ('peptic_ulcer', 'Peptic ulcer disease', 1, null, true),
  ('liver_mild', 'Mild liver disease', 1, 'liver_severe', false),
  ('diabetes', 'Diabetes without chronic complication', 1, 'diabetes_complicated', false),
  ('plegia', 'Hemiplegia or paraplegia', 2, null, false),
  ('renal', 'Renal disease', 2, null, false),
  ('malignancy', 'Any malignancy, without skin', 2, 'metastatic_tumor', false),
  ('hiv', 'AIDS/HIV', 6, null, false);

create table warehouse.dim_comorbidity_code (
  prefix      text primary key,
  comorbidity text not null references warehouse.dim_comorbidity (code),
  -- Short or long, so that a code is looked up by its first three and its first five characters.
  constraint dim_comorbidity_code_prefix_well_formed check (prefix ~ '^[A-Z][0-9]{2}(\.[0-9])?$')
);
create index dim_comorbidity_code_comorbidity_idx
  on warehouse.dim_comorbidity_code (comorbidity);
comment on table warehouse.dim_comorbidity_code is 'The ICD-10 codes that mean a comorbidity (Quan et al. 2005).';
comment on column warehouse.dim_comorbidity_code.prefix is 'A category or subcategory; every code that begins with it is meant, and it belongs to one comorbidity.';
comment on column warehouse.dim_comorbidity_code.comorbidity is 'The comorbidity.';
insert into warehouse.dim_comorbidity_code (prefix, comorbidity)
select
  p.prefix,
  l.comorbidity
from (values
  ('myocardial_infarction', 'I21 I22 I25.2'),
  ('heart_failure', 'I09.9 I11.0 I13.0 I13.2 I25.5 I42.0 I42.5 I42.6 I42.7 I42.8 I42.9'),
  ('heart_failure', 'I43 I50 P29.0'),
  ('peripheral_vascular', 'I70 I71 I73.1 I73.8 I73.9 I77.1 I79.0 I79.2 K55.1 K55.8 K55.9'),
  ('peripheral_vascular', 'Z95.8 Z95.9'),
  ('cerebrovascular', 'G45 G46 H34.0 I60 I61 I62 I63 I64 I65 I66 I67 I68 I69'),
  ('dementia', 'F00 F01 F02 F03 F05.1 G30 G31.1'),
  ('pulmonary', 'I27.8 I27.9 J40 J41 J42 J43 J44 J45 J46 J47 J60 J61 J62 J63 J64 J65 J66 J67'),
  ('pulmonary', 'J68.4 J70.1 J70.3'),
  ('rheumatic', 'M05 M06 M31.5 M32 M33 M34 M35.1 M35.3 M36.0'),
  ('peptic_ulcer', 'K25 K26 K27 K28'),
  ('liver_mild', 'B18 K70.0 K70.1 K70.2 K70.3 K70.9 K71.3 K71.4 K71.5 K71.7 K73 K74'),
  ('liver_mild', 'K76.0 K76.2 K76.3 K76.4 K76.8 K76.9 Z94.4'),
  ('diabetes', 'E10.0 E10.1 E10.6 E10.8 E10.9 E11.0 E11.1 E11.6 E11.8 E11.9'),
  ('diabetes', 'E12.0 E12.1 E12.6 E12.8 E12.9 E13.0 E13.1 E13.6 E13.8 E13.9'),
  ('diabetes', 'E14.0 E14.1 E14.6 E14.8 E14.9'),
  ('diabetes_complicated', 'E10.2 E10.3 E10.4 E10.5 E10.7 E11.2 E11.3 E11.4 E11.5 E11.7'),
  ('diabetes_complicated', 'E12.2 E12.3 E12.4 E12.5 E12.7 E13.2 E13.3 E13.4 E13.5 E13.7'),
  ('diabetes_complicated', 'E14.2 E14.3 E14.4 E14.5 E14.7'),
  ('plegia', 'G04.1 G11.4 G80.1 G80.2 G81 G82 G83.0 G83.1 G83.2 G83.3 G83.4 G83.9'),
  ('renal', 'I12.0 I13.1 N03.2 N03.3 N03.4 N03.5 N03.6 N03.7'),
  ('renal', 'N05.2 N05.3 N05.4 N05.5 N05.6 N05.7 N18 N19 N25.0 Z49.0 Z49.1 Z49.2 Z94.0 Z99.2'),
  ('malignancy', 'C00 C01 C02 C03 C04 C05 C06 C07 C08 C09 C10 C11 C12 C13 C14 C15 C16 C17 C18 C19'),
  ('malignancy', 'C20 C21 C22 C23 C24 C25 C26 C30 C31 C32 C33 C34 C37 C38 C39 C40 C41 C43 C45 C46'),
  ('malignancy', 'C47 C48 C49 C50 C51 C52 C53 C54 C55 C56 C57 C58 C60 C61 C62 C63 C64 C65 C66 C67'),
  ('malignancy', 'C68 C69 C70 C71 C72 C73 C74 C75 C76 C81 C82 C83 C84 C85 C88 C90 C91 C92 C93 C94'),
  ('malignancy', 'C95 C96 C97'),
  ('liver_severe', 'I85.0 I85.9 I86.4 I98.2 K70.4 K71.1 K72.1 K72.9 K76.5 K76.6 K76.7'),
  ('metastatic_tumor', 'C77 C78 C79 C80'),
  ('hiv', 'B20 B21 B22 B24')
) as l (comorbidity, prefixes)
cross join lateral regexp_split_to_table(l.prefixes, ' ') as p (prefix);

create type analytics.charlson_index_row as (
  patient_id         bigint,
  as_of              date,
  score              integer,
  age_years          integer,
  age_adjusted_score integer,
  comorbidities      text[]
);
comment on type analytics.charlson_index_row is 'The Charlson comorbidity index of a patient on a day.';
comment on column analytics.charlson_index_row.patient_id is 'The patient.';
comment on column analytics.charlson_index_row.as_of is 'The day it is of.';
comment on column analytics.charlson_index_row.score is 'The sum of the weights (Charlson et al. 1987) of the comorbidities, a milder form beside its graver one left out.';
comment on column analytics.charlson_index_row.age_years is 'The age on that day in completed years.';
comment on column analytics.charlson_index_row.age_adjusted_score is 'The score and a point for each decade from 50 on, four at most (Charlson et al. 1994).';
comment on column analytics.charlson_index_row.comorbidities is 'The comorbidities that count, by name, the heaviest first.';

create type analytics.comorbidity_row as (
  department_id   bigint,
  department_name text,
  charlson_score  text,
  patients        bigint,
  data_as_of      timestamptz
);
comment on type analytics.comorbidity_row is 'How many patients of a department carry how much.';
comment on column analytics.comorbidity_row.department_id is 'The department.';
comment on column analytics.comorbidity_row.department_name is 'Its name.';
comment on column analytics.comorbidity_row.charlson_score is 'The Charlson comorbidity index, without age: 0, 1-2, 3-4 or 5+.';
comment on column analytics.comorbidity_row.patients is 'The patients ever seen there who have it now, or null where they are fewer than may be told.';
comment on column analytics.comorbidity_row.data_as_of is 'Everything recorded before this instant is in it.';
