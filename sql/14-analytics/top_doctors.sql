-- An administrator compares doctors; a doctor is given his own line.
create or replace function analytics.top_doctors(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.top_doctors_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Planning takes longer than running, and one plan suits every question.
set plan_cache_mode = force_generic_plan
as $$
declare
  reader constant warehouse.reader := warehouse.current_reader('administrator', 'doctor');
begin
  return query
  with
  pieces as materialized (
    select *
    from warehouse.pieces(top_doctors.from_date, top_doctors.until_date)
  )
  select
    o.doctor_id,
    o.name,
    o.specialization,
    t.visits,
    s.data_as_of
  from (
    select
      c.doctor_id,
      sum(c.visits)::bigint as visits
    from (
      select
        m.department_id,
        m.doctor_id,
        m.visits
      from pieces as p
      join warehouse.mv_top_doctors as m
        on m.grain = p.grain
        and m.first_day >= p.first_day
        and m.first_day < p.end_day
      union all
      select
        v.department_id,
        v.doctor_id,
        1
      from pieces as p
      cross join lateral (
        select *
        from warehouse.counted_visits as f
        where f.day >= p.first_day
          and f.day < p.end_day
        -- A fence: the days are found by their index, whatever else is asked.
        offset 0
      ) as v
      where p.grain = 'day'
    ) as c
    where (reader.sees_all or c.doctor_id = reader.doctor_id)
      and (top_doctors.department_id is null or c.department_id = top_doctors.department_id)
      and (top_doctors.doctor_id is null or c.doctor_id = top_doctors.doctor_id)
    group by c.doctor_id
  ) as t
  join warehouse.dim_doctor as o
    on o.doctor_id = t.doctor_id
    and o.is_current
  join warehouse.view_states as s
    on s.view_name = 'mv_top_doctors'
  order by
    t.visits desc,
    t.doctor_id;
end;
$$;
comment on function analytics.top_doctors(date, date, bigint, bigint) is
  'Doctors by their visits from from_date and before until_date, the most first: to an administrator all, to a doctor his own line. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';
