-- From the record itself and under the caller's own policies. From the warehouse it would have to be a
-- definer's function that asks by itself who may see what; here each row is one that he could read
-- anyway, and a rule that changes tomorrow holds here, too. One patient's rows are few.
create or replace function analytics.patient_insight(patient_id bigint)
returns analytics.patient_insight_row
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  patient constant hospital.patients := hospital_private.open_record(patient_insight.patient_id);
  record_ids constant bigint[] := array(
    select p.id
    from hospital.patients as p
    where p.person_id = patient.person_id
  );
  zone constant text := coalesce(patient.time_zone, 'UTC');
  answer analytics.patient_insight_row;
begin
  if patient.id is null then
    return null;
  end if;
  answer.patient_id := patient.id;
  answer.data_as_of := now();

  select
    coalesce(sum(y.visits), 0)::bigint,
    min(y.first_on),
    max(y.last_on),
    coalesce(
      array_agg(row(y.year, y.visits)::analytics.year_visits order by y.year desc),
      '{}'
    )
  into
    answer.visits,
    answer.first_visit_on,
    answer.last_visit_on,
    answer.visits_by_year
  from (
    select
      extract(year from v.started_at at time zone zone)::integer as year,
      count(*) as visits,
      min(v.started_at at time zone zone)::date as first_on,
      max(v.started_at at time zone zone)::date as last_on
    from hospital.visits as v
    where v.patient_id = any (record_ids)
      and v.voided_at is null
    group by 1
  ) as y;

  select
    count(*) filter (where a.status = 'completed'),
    count(*) filter (where a.status = 'no_show'),
    round(avg(case a.status when 'no_show' then 1 else 0 end), 4)
  into
    answer.kept,
    answer.missed,
    answer.no_show_rate
  from hospital.appointments as a
  where a.patient_id = any (record_ids)
    and a.status in ('completed', 'no_show');

  answer.diagnoses := array(
    select
      row(
        d.category,
        (array_agg(d.description order by d.day desc, d.code))[1],
        min(d.day),
        max(d.day),
        count(distinct d.visit_id),
        bool_or(d.is_lasting)
      )::analytics.category_diagnoses
    from (
      select
        case c.system when 'icd10cm' then left(c.code, 3) else c.code end as category,
        c.code,
        c.description,
        e.*
      from (
        select
          d.diagnosis_code_id,
          (v.started_at at time zone zone)::date as day,
          v.id as visit_id,
          false as is_lasting
        from hospital.visit_diagnoses as d
        join hospital.visits as v
          on v.id = d.visit_id
        where d.patient_id = any (record_ids)
          and d.voided_at is null
          and v.voided_at is null
        union all
        select
          c.diagnosis_code_id,
          c.onset_on,
          null,
          c.abated_on is null
        from hospital.patient_conditions as c
        where c.patient_id = any (record_ids)
          and c.voided_at is null
      ) as e
      join hospital.diagnosis_codes as c
        on c.id = e.diagnosis_code_id
    ) as d
    group by d.category
    order by
      max(d.day) desc,
      d.category
  );

  answer.medicines := array(
    select row(m.name, p.dosage, p.start_date, p.end_date)::analytics.medicine_in_use
    from hospital.patients_medications_in_use(patient) as p
    join hospital.medications as m
      on m.id = p.medication_id
    order by
      m.name,
      p.id
  );

  select
    count(*),
    coalesce(sum(t.cost), 0)
  into
    answer.treatments,
    answer.treatments_cost
  from hospital.treatments as t
  join hospital.visits as v
    on v.id = t.visit_id
  where t.patient_id = any (record_ids)
    and t.voided_at is null
    and v.voided_at is null;

  answer.charlson_score := (analytics.charlson_index(patient.id)).score;
  return answer;
end;
$$;
comment on function analytics.patient_insight(bigint) is
  'A patient at a glance: visits, missed appointments, diagnoses, medicines, cost of treatments and comorbidity; for the patient and whoever has the chart open, null to everybody else.';
