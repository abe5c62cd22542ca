-- Of his own patients a doctor has read everything. To everybody else a symptom is told where many had it:
-- it was typed, and what one alone has may be his name.
create or replace function analytics.symptom_frequency(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.symptom_frequency_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  reader constant warehouse.reader := warehouse.current_reader('administrator', 'doctor');
begin
  return query
  select
    t.symptom,
    sum(t.visits)::bigint,
    s.data_as_of
  from (
    select
      c.item as symptom,
      c.visits
    from warehouse.told_cells(
      reader,
      'symptom',
      symptom_frequency.from_date,
      symptom_frequency.until_date,
      symptom_frequency.department_id,
      symptom_frequency.doctor_id
    ) as c
    union all
    select
      o.symptom,
      count(distinct f.visit_id)
    from warehouse.dim_doctor as d
    join warehouse.fact_symptoms as f
      on f.doctor_key = d.doctor_key
    join warehouse.dim_date as t
      on t.date_key = f.noted_on
    join warehouse.dim_department as p
      on p.department_key = f.department_key
    cross join lateral unnest(f.symptoms) as o (symptom)
    where d.doctor_id = reader.doctor_id
      and symptom_frequency.doctor_id = reader.doctor_id
      and (
        symptom_frequency.from_date is null or t.month_start >= symptom_frequency.from_date
      )
      and (
        symptom_frequency.until_date is null or t.month_start < symptom_frequency.until_date
      )
      and (
        symptom_frequency.department_id is null
        or p.department_id = symptom_frequency.department_id
      )
    group by o.symptom
  ) as t
  join warehouse.view_states as s
    on s.view_name = 'mv_clinical_cells'
  group by
    t.symptom,
    s.data_as_of
  order by
    sum(t.visits) desc,
    t.symptom;
end;
$$;
comment on function analytics.symptom_frequency(date, date, bigint, bigint) is
  'Symptoms named in signed notes of normal sensitivity, by the visits at which they were noted in months that begin from from_date and before until_date, the most frequent first: to an administrator and to a doctor of his department where enough patients had them, to a doctor of himself all. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';
