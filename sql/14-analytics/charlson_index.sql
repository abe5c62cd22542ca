-- The code list is nobody's secret, and of a person this knows only the codes it is given: who may see
-- those has been decided before.
create or replace function hospital_private.comorbidities_of(
  present_codes text[],
  former_codes text[] default '{}'
)
returns setof warehouse.dim_comorbidity
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  with found as (
    select c.*
    from warehouse.dim_comorbidity as c
    where exists (
      select
      from warehouse.dim_comorbidity_code as x
      join (
        select p.code, false as is_over
        from unnest(comorbidities_of.present_codes) as p (code)
        union all
        select f.code, true
        from unnest(comorbidities_of.former_codes) as f (code)
      ) as given
        on x.prefix in (left(given.code, 3), left(given.code, 5))
      where x.comorbidity = c.code
        and (c.counts_when_over or not given.is_over)
    )
  )
  select f.*
  from found as f
  where not exists (
    select
    from found as graver
    where graver.code = f.superseded_by
  )
  order by
    f.weight desc,
    f.code;
$$;
comment on function hospital_private.comorbidities_of(text[], text[]) is
  'The comorbidities of the Charlson index that a person with these ICD-10-CM codes, dots included, has, milder forms beside graver ones left out; former codes are of what is over. Lends the owner''s right to read the code list.';

-- Under the caller's own policies, so that it can tell nobody of a row he may not read. What was coded at a
-- visit has no end; it is over when the medical history says of the same code that it ended afterwards.
create or replace function analytics.charlson_index(patient_id bigint, as_of date default null)
returns analytics.charlson_index_row
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  patient constant hospital.patients := hospital_private.open_record(charlson_index.patient_id);
  zone constant text := coalesce(patient.time_zone, 'UTC');
  day constant date := coalesce(charlson_index.as_of, (now() at time zone zone)::date);
  age constant integer := extract(year from age(day, patient.date_of_birth))::integer;
  answer analytics.charlson_index_row;
begin
  if patient.id is null then
    return null;
  end if;
  with
  record_ids as (
    select p.id
    from hospital.patients as p
    where p.person_id = patient.person_id
  ),
  history as (
    select
      c.diagnosis_code_id,
      case when c.abated_on < day then c.abated_on end as ended_on
    from hospital.patient_conditions as c
    where c.patient_id in (select r.id from record_ids as r)
      and c.voided_at is null
      and c.onset_on <= day
  ),
  entries as (
    select
      h.diagnosis_code_id,
      h.ended_on is not null as is_over
    from history as h
    union all
    select
      d.diagnosis_code_id,
      exists (
        select
        from history as h
        where h.diagnosis_code_id = d.diagnosis_code_id
          and h.ended_on >= (v.started_at at time zone zone)::date
      )
    from hospital.visit_diagnoses as d
    join hospital.visits as v
      on v.id = d.visit_id
    where d.patient_id in (select r.id from record_ids as r)
      and d.voided_at is null
      and v.voided_at is null
      and v.started_at < (day + 1)::timestamp at time zone zone
  ),
  codes as (
    select
      c.code,
      bool_and(e.is_over) as is_over
    from entries as e
    join hospital.diagnosis_codes as c
      on c.id = e.diagnosis_code_id
    where c.system = 'icd10cm'
    group by c.code
  )
  select
    patient.id,
    day,
    coalesce(sum(m.weight), 0)::integer,
    age,
    coalesce(sum(m.weight), 0)::integer + least(greatest(age / 10 - 4, 0), 4),
    coalesce(array_agg(m.name order by m.weight desc, m.code), '{}')
  into answer
  from hospital_private.comorbidities_of(
    array(select c.code from codes as c where not c.is_over),
    array(select c.code from codes as c where c.is_over)
  ) as m;
  return answer;
end;
$$;
comment on function analytics.charlson_index(bigint, date) is
  'The Charlson comorbidity index of a patient on a day, today unless told otherwise, from all ICD-10-CM codes on record by then; for the patient and whoever has the chart open, null to everybody else.';
