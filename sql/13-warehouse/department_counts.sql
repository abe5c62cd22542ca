-- What is counted of departments, for whoever asks: an administrator everything, a doctor his own part of
-- it exactly, and of the department what does not give away a colleague or a patient.
--
-- Taking his own from his department's numbers, a doctor has those of the others: of two colleagues or more
-- they are nobody's, and of enough patients nobody is recognised. Only whole months are told, each always or
-- never: so the difference of any two answers is a sum of months that could have been asked for.
create or replace function warehouse.department_counts(
  reader warehouse.reader,
  from_date date,
  until_date date,
  department_id bigint,
  doctor_id bigint
)
returns setof warehouse.department_count
language plpgsql
stable
security invoker
rows 20
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
  if department_counts.reader.sees_all or department_counts.doctor_id is not null then
    return query
    with
    pieces as materialized (
      select *
      from warehouse.pieces(department_counts.from_date, department_counts.until_date)
    ),
    counted as (
      select
        m.department_id,
        m.appointments,
        m.completed,
        m.cancelled,
        m.no_shows,
        m.planned_minutes,
        m.worked_minutes,
        m.days
      from pieces as p
      join warehouse.mv_department_load as m
        on m.grain = p.grain
        and m.first_day >= p.first_day
        and m.first_day < p.end_day
      where department_counts.doctor_id is null
      union all
      select
        m.department_id,
        m.appointments,
        m.completed,
        m.cancelled,
        m.no_shows,
        m.planned_minutes,
        m.worked_minutes,
        m.days
      from pieces as p
      join warehouse.mv_doctor_workload as m
        on m.grain = p.grain
        and m.first_day >= p.first_day
        and m.first_day < p.end_day
      where m.doctor_id = department_counts.doctor_id
        -- Nobody is doctor 0, by which the view means all of the department.
        and m.doctor_id <> 0
      union all
      select
        c.department_id,
        sum(c.appointments),
        sum(c.completed),
        sum(c.cancelled),
        sum(c.no_shows),
        sum(c.planned_minutes),
        sum(c.worked_minutes),
        count(distinct c.day) filter (where c.completed > 0)
      from pieces as p
      cross join lateral (
        select *
        from warehouse.counted_appointments as f
        where f.day >= p.first_day
          and f.day < p.end_day
        -- A fence: the days are found by their index, whatever else is asked.
        offset 0
      ) as c
      where p.grain = 'day'
        and (department_counts.doctor_id is null or c.doctor_id = department_counts.doctor_id)
      group by c.department_id
    )
    select
      c.department_id,
      sum(c.appointments)::bigint,
      sum(c.completed)::bigint,
      sum(c.cancelled)::bigint,
      sum(c.no_shows)::bigint,
      sum(c.planned_minutes)::bigint,
      sum(c.worked_minutes)::bigint,
      sum(c.days)::bigint,
      0
    from counted as c
    where (
        department_counts.reader.sees_all
        or department_counts.doctor_id = department_counts.reader.doctor_id
      )
      and (
        department_counts.department_id is null
        or c.department_id = department_counts.department_id
      )
    group by c.department_id;
  elsif department_counts.department_id <> department_counts.reader.department_id then
    return;
  else
    return query
    select
      t.department_id,
      sum(m.appointments)::bigint,
      sum(m.completed)::bigint,
      sum(m.cancelled)::bigint,
      sum(m.no_shows)::bigint,
      sum(m.planned_minutes)::bigint,
      sum(m.worked_minutes)::bigint,
      sum(m.days)::bigint,
      (count(*) filter (where not t.is_told))::integer
    from warehouse.department_months(
      department_counts.reader, department_counts.from_date, department_counts.until_date
    ) as t
    left join warehouse.mv_department_load as m
      on m.grain = 'month'
      and m.first_day = t.month
      and m.department_id = t.department_id
      and t.is_told
    group by t.department_id;
  end if;
end;
$$;
comment on function warehouse.department_counts(warehouse.reader, date, date, bigint, bigint) is
  'The appointments of departments in a period, of all or of one, by all doctors or by one, as far as the reader is told.';

create or replace function warehouse.department_months(
  reader warehouse.reader,
  from_date date,
  until_date date
)
returns table (department_id bigint, month date, is_told boolean)
language plpgsql
stable
security invoker
rows 40
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
  return query
  select
    m.department_id,
    m.month,
    p.grain <> 'day'
      and m.other_doctors >= 2
      and m.other_patients >= department_months.reader.smallest_cell
  from warehouse.pieces(department_months.from_date, department_months.until_date) as p
  join warehouse.mv_department_months as m
    on m.month >= case p.grain
      when 'day' then date_trunc('month', p.first_day::timestamp)
      else p.first_day
    end
    and m.month < p.end_day
  where m.doctor_id = department_months.reader.doctor_id
    and m.department_id = department_months.reader.department_id;
end;
$$;
comment on function warehouse.department_months(warehouse.reader, date, date) is
  'The months with days in the period in which anything was booked in the doctor''s department, and whether he is told its numbers.';
