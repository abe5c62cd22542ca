-- What the answers about patients' illnesses are read from: whole months, of the hospital (department and
-- doctor 0), of each department (doctor 0) and of each doctor. Who runs the hospital sees its calendar with
-- names, so a treatment that one patient of a day had would be his; and a day that is hidden would be the
-- difference of two longer periods. So each cell of a month is told or not by itself, and sums are made of
-- told cells alone.
drop materialized view if exists
  warehouse.mv_treatment_outcomes,
  warehouse.mv_clinical_cells;

-- A department is told where those departments that are too small have enough patients together, or
-- the hospital's number less the others' would be theirs; and a doctor likewise in his department.
-- When the rule changes the view is not filled anew; it says by which one it was filled.
create materialized view warehouse.mv_clinical_cells as
with
rule as materialized (
  select hospital_private.smallest_cell() as smallest_cell
),
events as materialized (
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
cells as materialized (
  select
    e.kind,
    e.item,
    e.month,
    coalesce(e.department_id, 0) as department_id,
    coalesce(e.doctor_id, 0) as doctor_id,
    count(distinct e.visit_id) as visits,
    count(distinct e.person_id) as patients,
    count(distinct e.doctor_id) as doctors
  from events as e
  group by
    e.kind,
    e.item,
    e.month,
    rollup (e.department_id, e.doctor_id)
),
-- The patients of the parts that are too small, counted together: of departments in the hospital, and
-- of doctors in each department.
rests as (
  select
    e.kind,
    e.item,
    e.month,
    0 as department_id,
    count(distinct e.person_id) as patients
  from events as e
  join cells as c using (kind, item, month, department_id)
  cross join rule as r
  where c.doctor_id = 0
    and c.patients < r.smallest_cell
  group by
    e.kind,
    e.item,
    e.month
  union all
  select
    e.kind,
    e.item,
    e.month,
    e.department_id,
    count(distinct e.person_id)
  from events as e
  join cells as c using (kind, item, month, department_id, doctor_id)
  cross join rule as r
  where c.patients < r.smallest_cell
  group by
    e.kind,
    e.item,
    e.month,
    e.department_id
)
select
  c.kind,
  c.item,
  c.month,
  c.department_id,
  c.doctor_id,
  c.visits,
  c.patients,
  c.doctors,
  c.patients >= r.smallest_cell
    and (c.department_id = 0 or coalesce(of_hospital.patients, r.smallest_cell) >= r.smallest_cell)
    and (c.doctor_id = 0 or coalesce(of_department.patients, r.smallest_cell) >= r.smallest_cell)
    as is_told,
  r.smallest_cell
from cells as c
-- What is typed may be a name: words that few patients share do not leave the fact.
join cells as whole
  on whole.kind = c.kind
  and whole.item = c.item
  and whole.month = c.month
  and whole.department_id = 0
join rule as r
  on whole.patients >= r.smallest_cell
left join rests as of_hospital
  on of_hospital.kind = c.kind
  and of_hospital.item = c.item
  and of_hospital.month = c.month
  and of_hospital.department_id = 0
left join rests as of_department
  on of_department.kind = c.kind
  and of_department.item = c.item
  and of_department.month = c.month
  and of_department.department_id = c.department_id
  and of_department.department_id <> 0;
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
