-- Neither totals nor periods, so that nothing can be subtracted from anything: a number is told or it is not.
create or replace function analytics.comorbidity(department_id bigint default null)
returns setof analytics.comorbidity_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  smallest_cell constant integer := hospital_private.smallest_cell();
begin
  perform warehouse.current_reader('administrator');
  return query
  select
    d.department_id,
    d.name,
    b.band,
    case when sum(m.patients) >= smallest_cell then sum(m.patients)::bigint end,
    s.data_as_of
  from warehouse.mv_comorbidity as m
  cross join lateral (
    select case
      when m.score = 0 then '0'
      when m.score <= 2 then '1-2'
      when m.score <= 4 then '3-4'
      else '5+'
    end as band
  ) as b
  join warehouse.dim_department as d
    on d.department_id = m.department_id
    and d.is_current
  join warehouse.view_states as s
    on s.view_name = 'mv_comorbidity'
  where comorbidity.department_id is null
    or d.department_id = comorbidity.department_id
  group by
    d.department_id,
    d.name,
    b.band,
    s.data_as_of
  order by
    d.name,
    d.department_id,
    b.band;
end;
$$;
comment on function analytics.comorbidity(bigint) is
  'How much illness the patients of each department carry, by the Charlson comorbidity index in four groups, small ones suppressed; for administrators. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';
