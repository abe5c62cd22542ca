-- What the answers about patients' illnesses are read from: whole months, of the hospital (department and
-- doctor 0), of each department (doctor 0) and of each doctor. Who runs the hospital sees its calendar with
-- names, so a treatment that one patient of a day had would be his; and a day that is hidden would be the
-- difference of two longer periods. So each cell of a month is told or not by itself, and sums are made of
-- told cells alone.
-- squawk-ignore-file require-concurrent-index-creation
drop materialized view if exists
  warehouse.mv_comorbidity,
  warehouse.mv_treatment_outcomes,
  warehouse.mv_clinical_cells;

-- A department is told where those departments that are too small have enough patients together, or
-- the hospital's number less the others' would be theirs; and a doctor likewise in his department. What is
-- typed may be a name: words that few patients of the hospital share do not leave the fact. It says by which
-- rule it was filled, since a new one holds before the next refresh.
create materialized view warehouse.mv_clinical_cells as
with
events as (
  select
    e.kind,
    e.item,
    t.month_start as month,
    d.department_id,
    o.doctor_id,
    p.person_id,
    e.visit_id
  from (
    select
      'symptom' as kind,
      s.symptom as item,
      f.noted_on as happened_on,
      f.department_key,
      f.doctor_key,
      f.patient_key,
      f.visit_id
    from warehouse.fact_symptoms as f
    cross join lateral unnest(f.symptoms) as s (symptom)
    union all
    select
      'treatment',
      f.treatment_type,
      f.treated_on,
      f.department_key,
      f.doctor_key,
      f.patient_key,
      f.visit_id
    from warehouse.fact_treatments as f
  ) as e
  join warehouse.dim_date as t
    on t.date_key = e.happened_on
  join warehouse.dim_department as d
    on d.department_key = e.department_key
  join warehouse.dim_doctor as o
    on o.doctor_key = e.doctor_key
  join warehouse.dim_patient as p
    on p.patient_key = e.patient_key
),
-- Windows do not count distinct patients, but the first event of each.
firsts as (
  select
    e.*,
    row_number() over (
      partition by e.kind, e.item, e.month, e.department_id, e.person_id
    ) = 1 as is_first_in_department,
    row_number() over (
      partition by e.kind, e.item, e.month, e.department_id, e.doctor_id, e.person_id
    ) = 1 as is_first_with_doctor
  from events as e
),
counted as (
  select
    f.*,
    count(*) filter (where f.is_first_in_department) over (
      partition by f.kind, f.item, f.month, f.department_id
    ) < (select hospital_private.smallest_cell()) as is_of_small_department,
    count(*) filter (where f.is_first_with_doctor) over (
      partition by f.kind, f.item, f.month, f.department_id, f.doctor_id
    ) < (select hospital_private.smallest_cell()) as is_of_small_doctor
  from firsts as f
),
cells as (
  select
    c.kind,
    c.item,
    c.month,
    coalesce(c.department_id, 0) as department_id,
    coalesce(c.doctor_id, 0) as doctor_id,
    count(distinct c.visit_id) as visits,
    count(distinct c.person_id) as patients,
    count(distinct c.doctor_id) as doctors,
    count(distinct c.person_id) filter (where c.is_of_small_department) as of_small_departments,
    count(distinct c.person_id) filter (where c.is_of_small_doctor) as of_small_doctors
  from counted as c
  group by
    c.kind,
    c.item,
    c.month,
    rollup (c.department_id, c.doctor_id)
),
wholes as (
  select
    c.*,
    (select hospital_private.smallest_cell()) as smallest_cell,
    max(c.patients) over of_hospital as patients_of_hospital,
    max(c.of_small_departments) filter (where c.department_id = 0) over of_hospital
      as rest_of_hospital,
    max(c.of_small_doctors) filter (where c.doctor_id = 0) over of_department
      as rest_of_department
  from cells as c
  window
    of_hospital as (partition by c.kind, c.item, c.month),
    of_department as (partition by c.kind, c.item, c.month, c.department_id)
)
select
  w.kind,
  w.item,
  w.month,
  w.department_id,
  w.doctor_id,
  w.visits,
  w.patients,
  w.doctors,
  w.patients >= w.smallest_cell
    and (w.department_id = 0 or w.rest_of_hospital not between 1 and w.smallest_cell - 1)
    and (w.doctor_id = 0 or w.rest_of_department not between 1 and w.smallest_cell - 1)
    as is_told,
  w.smallest_cell
from wholes as w
where w.patients_of_hospital >= w.smallest_cell;
create unique index mv_clinical_cells_key
  on warehouse.mv_clinical_cells (kind, doctor_id, department_id, month, item);
comment on materialized view warehouse.mv_clinical_cells is 'Symptoms and treatments by month, with their patients and whether they may be told to who treats none of these.';
comment on column warehouse.mv_clinical_cells.kind is 'What the item is: symptom or treatment.';
comment on column warehouse.mv_clinical_cells.item is 'The symptom or the treatment; none that fewer patients of the hospital had in the month.';
comment on column warehouse.mv_clinical_cells.month is 'The first day of the month.';
comment on column warehouse.mv_clinical_cells.department_id is 'The department, or 0 for all.';
comment on column warehouse.mv_clinical_cells.doctor_id is 'The doctor, or 0 for all.';
comment on column warehouse.mv_clinical_cells.visits is 'The visits at which it was noted or begun.';
comment on column warehouse.mv_clinical_cells.patients is 'The patients who had it.';
comment on column warehouse.mv_clinical_cells.doctors is 'The doctors at whose visits that was.';
comment on column warehouse.mv_clinical_cells.is_told is 'Whether the cell may be told to an administrator, alone and beside the others that are.';
comment on column warehouse.mv_clinical_cells.smallest_cell is 'The rule by which that was decided.';

create materialized view warehouse.mv_treatment_outcomes as
select
  t.month_start as month,
  f.treatment_type,
  coalesce(d.department_id, 0) as department_id,
  coalesce(o.doctor_id, 0) as doctor_id,
  count(*) as treatments,
  count(*) filter (where f.outcome = 'resolved') as resolved,
  count(*) filter (where f.outcome = 'improved') as improved,
  count(*) filter (where f.outcome = 'unchanged') as unchanged,
  count(*) filter (where f.outcome = 'worsened') as worsened,
  count(*) filter (where f.outcome = 'complication') as complications,
  count(*) filter (where f.outcome <> 'not_assessed') as assessed,
  sum(f.cost)::numeric(14,2) as cost,
  count(f.duration_minutes) as timed,
  coalesce(sum(f.duration_minutes), 0)::bigint as minutes
from warehouse.fact_treatments as f
join warehouse.dim_date as t
  on t.date_key = f.treated_on
join warehouse.dim_department as d
  on d.department_key = f.department_key
join warehouse.dim_doctor as o
  on o.doctor_key = f.doctor_key
group by
  t.month_start,
  f.treatment_type,
  rollup (d.department_id, o.doctor_id);
create unique index mv_treatment_outcomes_key
  on warehouse.mv_treatment_outcomes (doctor_id, department_id, month, treatment_type);
comment on materialized view warehouse.mv_treatment_outcomes is 'Treatments and how they turned out, by month.';
comment on column warehouse.mv_treatment_outcomes.month is 'The first day of the month in which they began.';
comment on column warehouse.mv_treatment_outcomes.treatment_type is 'The treatment.';
comment on column warehouse.mv_treatment_outcomes.department_id is 'The department, or 0 for all.';
comment on column warehouse.mv_treatment_outcomes.doctor_id is 'The doctor, or 0 for all.';
comment on column warehouse.mv_treatment_outcomes.treatments is 'How many there were.';
comment on column warehouse.mv_treatment_outcomes.resolved is 'How many resolved the trouble.';
comment on column warehouse.mv_treatment_outcomes.improved is 'How many improved it.';
comment on column warehouse.mv_treatment_outcomes.unchanged is 'How many changed nothing.';
comment on column warehouse.mv_treatment_outcomes.worsened is 'After how many it was worse.';
comment on column warehouse.mv_treatment_outcomes.complications is 'How many led to a complication.';
comment on column warehouse.mv_treatment_outcomes.assessed is 'Of how many any of these is known.';
comment on column warehouse.mv_treatment_outcomes.cost is 'What they cost together, in US dollars.';
comment on column warehouse.mv_treatment_outcomes.timed is 'Of how many the end is known.';
comment on column warehouse.mv_treatment_outcomes.minutes is 'How long those took together.';

-- The same rules as hospital_private.comorbidities_of and analytics.charlson_index, for everybody at once.
create materialized view warehouse.mv_comorbidity as
with
ends as (
  select
    p.person_id,
    f.diagnosis_key,
    max(f.abated_on) as abated_on
  from warehouse.fact_conditions as f
  join warehouse.dim_patient as p
    on p.patient_key = f.patient_key
  group by
    p.person_id,
    f.diagnosis_key
),
entries as (
  select
    p.person_id,
    f.diagnosis_key,
    f.abated_on is not null as is_over
  from warehouse.fact_conditions as f
  join warehouse.dim_patient as p
    on p.patient_key = f.patient_key
  union all
  select
    p.person_id,
    f.diagnosis_key,
    coalesce(e.abated_on >= f.diagnosed_on, false)
  from warehouse.fact_diagnoses as f
  join warehouse.dim_patient as p
    on p.patient_key = f.patient_key
  left join ends as e
    on e.person_id = p.person_id
    and e.diagnosis_key = f.diagnosis_key
),
found as (
  select distinct
    e.person_id,
    c.code,
    c.weight,
    c.superseded_by
  from entries as e
  join warehouse.dim_diagnosis as d
    on d.diagnosis_key = e.diagnosis_key
    and d.system = 'icd10cm'
  join warehouse.dim_comorbidity_code as x
    on x.prefix in (left(d.code, 3), left(d.code, 5))
  join warehouse.dim_comorbidity as c
    on c.code = x.comorbidity
  where c.counts_when_over
    or not e.is_over
),
scores as (
  select
    f.person_id,
    sum(f.weight) as score
  from found as f
  left join found as graver
    on graver.person_id = f.person_id
    and graver.code = f.superseded_by
  where graver.code is null
  group by f.person_id
),
seen as (
  select distinct
    d.department_id,
    p.person_id
  from warehouse.fact_visits as f
  join warehouse.dim_department as d
    on d.department_key = f.department_key
  join warehouse.dim_patient as p
    on p.patient_key = f.patient_key
)
select
  s.department_id,
  coalesce(c.score, 0)::integer as score,
  count(*) as patients
from seen as s
left join scores as c
  on c.person_id = s.person_id
group by
  s.department_id,
  coalesce(c.score, 0);
create unique index mv_comorbidity_key on warehouse.mv_comorbidity (department_id, score);
comment on materialized view warehouse.mv_comorbidity is 'The Charlson comorbidity index of the patients each department has seen.';
comment on column warehouse.mv_comorbidity.department_id is 'The department.';
comment on column warehouse.mv_comorbidity.score is 'The index, without age, by all that is on record.';
comment on column warehouse.mv_comorbidity.patients is 'How many of its patients have it.';
