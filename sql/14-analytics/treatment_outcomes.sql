create or replace function analytics.treatment_outcomes(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.treatment_outcomes_row
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
    t.treatment_type,
    t.treatments,
    round(t.assessed / t.treatments, 4),
    round(t.resolved / nullif(t.assessed, 0), 4),
    round(t.improved / nullif(t.assessed, 0), 4),
    round(t.unchanged / nullif(t.assessed, 0), 4),
    round(t.worsened / nullif(t.assessed, 0), 4),
    round(t.complications / nullif(t.assessed, 0), 4),
    t.cost::numeric(14,2),
    (t.cost / t.treatments)::numeric(12,2),
    round(t.minutes / nullif(t.timed, 0), 1),
    s.data_as_of
  from (
    select
      m.treatment_type,
      sum(m.treatments)::bigint as treatments,
      sum(m.assessed) as assessed,
      sum(m.resolved) as resolved,
      sum(m.improved) as improved,
      sum(m.unchanged) as unchanged,
      sum(m.worsened) as worsened,
      sum(m.complications) as complications,
      sum(m.cost) as cost,
      sum(m.minutes) as minutes,
      sum(m.timed) as timed
    from (
      select
        c.item as treatment_type,
        c.month,
        c.department_id,
        c.doctor_id
      from warehouse.told_cells(
        reader,
        'treatment',
        treatment_outcomes.from_date,
        treatment_outcomes.until_date,
        treatment_outcomes.department_id,
        treatment_outcomes.doctor_id
      ) as c
      union all
      select
        o.treatment_type,
        o.month,
        o.department_id,
        o.doctor_id
      from warehouse.mv_treatment_outcomes as o
      where o.doctor_id = reader.doctor_id
        and treatment_outcomes.doctor_id = reader.doctor_id
        and (treatment_outcomes.from_date is null or o.month >= treatment_outcomes.from_date)
        and (treatment_outcomes.until_date is null or o.month < treatment_outcomes.until_date)
        and (
          treatment_outcomes.department_id is null
          or o.department_id = treatment_outcomes.department_id
        )
    ) as told
    join warehouse.mv_treatment_outcomes as m
      using (treatment_type, month, department_id, doctor_id)
    group by m.treatment_type
  ) as t
  join warehouse.view_states as s
    on s.view_name = 'mv_treatment_outcomes'
  order by
    t.treatments desc,
    t.treatment_type;
end;
$$;
comment on function analytics.treatment_outcomes(date, date, bigint, bigint) is
  'Treatments begun in months that begin from from_date and before until_date, with their outcomes, cost and duration, the most frequent first: to an administrator and to a doctor of his department where enough patients had them, to a doctor of himself all. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';
