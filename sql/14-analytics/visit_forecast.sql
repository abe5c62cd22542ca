-- Plain on purpose: visits follow the week, so a day is expected to be the average of the same weekday in
-- the last eight weeks. Whoever reads the number can reckon it again, and it comes with its error: the
-- same rule is put four weeks back, where what came of it is known, beside the rule that the last week
-- repeats itself. "Now" is when the data are of and no clock, so the same data give the same forecast.
create or replace function analytics.visit_forecast(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.visit_forecast_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  averaged_days constant integer := 56;
  held_out_days constant integer := 28;
  reader constant warehouse.reader := warehouse.current_reader('administrator', 'doctor');
  known_until constant timestamptz := (
    select s.data_as_of
    from warehouse.view_states as s
    where s.view_name = 'mv_top_doctors'
  );
  -- A day more than is looked back, since clocks differ; and whole months, which the view knows.
  looked_back_to constant date := date_trunc(
    'month',
    (known_until at time zone 'UTC')::date - averaged_days - held_out_days - interval '1 day'
  )::date;
begin
  return query
  with
  counted as materialized (
    select
      v.department_id as department,
      v.day,
      count(*) as visits
    from warehouse.counted_visits as v
    where v.day >= looked_back_to
      and (visit_forecast.department_id is null or v.department_id = visit_forecast.department_id)
      and (visit_forecast.doctor_id is null or v.doctor_id = visit_forecast.doctor_id)
    group by
      v.department_id,
      v.day
  ),
  begun as (
    select
      m.department_id as department,
      min(m.first_day) as first_month
    from warehouse.mv_top_doctors as m
    where m.grain = 'month'
      and (visit_forecast.doctor_id is null or m.doctor_id = visit_forecast.doctor_id)
    group by m.department_id
  ),
  scopes as (
    select
      d.id as department,
      d.name,
      visit_forecast.doctor_id as doctor,
      day.today,
      case
        when b.first_month < looked_back_to then averaged_days + held_out_days
        else least(
          coalesce(day.today - (select min(c.day) from counted as c where c.department = d.id), 0),
          averaged_days + held_out_days
        )
      end as history_days
    from hospital.departments as d
    join hospital.facilities as f
      on f.id = d.facility_id
    cross join lateral (select (known_until at time zone f.time_zone)::date as today) as day
    left join begun as b
      on b.department = d.id
    where (b.department is not null or visit_forecast.doctor_id is null and d.is_active)
      and (visit_forecast.department_id is null or d.id = visit_forecast.department_id)
      and (
        reader.sees_all
        or visit_forecast.doctor_id = reader.doctor_id
        or visit_forecast.doctor_id is null
          and d.id = reader.department_id
          -- The numbers behind it are those of these months, so who is told them is told it.
          and not exists (
            select
            from warehouse.department_months(
              reader,
              looked_back_to,
              (date_trunc('month', day.today::timestamp) + interval '1 month')::date
            ) as t
            where not t.is_told
          )
      )
  ),
  days as (
    select
      s.department,
      extract(isodow from g.day) as weekday,
      s.today - g.day::date as age,
      coalesce(c.visits, 0) as visits
    from scopes as s
    cross join generate_series(
      (s.today - averaged_days - held_out_days)::timestamp,
      (s.today - 1)::timestamp,
      interval '1 day'
    ) as g (day)
    left join counted as c
      on c.department = s.department
      and c.day = g.day::date
  ),
  weekdays as (
    select
      d.department,
      d.weekday,
      avg(d.visits) filter (where d.age <= averaged_days) as expected,
      min(d.visits) filter (where d.age <= averaged_days) as fewest,
      max(d.visits) filter (where d.age <= averaged_days) as most,
      avg(d.visits) filter (where d.age > held_out_days) as expected_then,
      max(d.visits) filter (
        where d.age > held_out_days and d.age <= held_out_days + 7
      ) as week_before
    from days as d
    group by
      d.department,
      d.weekday
  ),
  errors as (
    select
      d.department,
      avg(abs(d.visits - w.expected_then)) as mean_error,
      avg(abs(d.visits - w.week_before)) as naive_error,
      sum(abs(d.visits - w.expected_then)) / nullif(sum(d.visits), 0) as relative_error
    from days as d
    join weekdays as w
      on w.department = d.department
      and w.weekday = d.weekday
    where d.age <= held_out_days
    group by d.department
  )
  select
    g.day::date,
    s.department,
    s.name,
    s.doctor,
    case when h.is_long_enough then round(w.expected, 1) end,
    case when h.is_long_enough then w.fewest end,
    case when h.is_long_enough then w.most end,
    case when h.is_long_enough then round(e.mean_error, 1) end,
    case when h.is_long_enough then round(e.naive_error, 1) end,
    case when h.is_long_enough then round(e.relative_error, 3) end,
    s.history_days,
    case
      when not h.is_long_enough
        then format(
          'Too little history: %s days, of %s that are needed.',
          s.history_days,
          averaged_days + held_out_days
        )
      when e.relative_error >= 1 then 'Too few visits: the errors are as large as they are.'
      when e.mean_error > e.naive_error then 'Of late the week before was the better forecast.'
    end,
    known_until
  from scopes as s
  cross join lateral (
    select s.history_days >= averaged_days + held_out_days as is_long_enough
  ) as h
  -- Beyond a quarter of a year nothing here knows better than today.
  cross join generate_series(
    greatest(visit_forecast.from_date, s.today)::timestamp,
    least(visit_forecast.until_date - 1, s.today + case
      when visit_forecast.until_date is null then held_out_days - 1
      else 91
    end)::timestamp,
    interval '1 day'
  ) as g (day)
  join weekdays as w
    on w.department = s.department
    and w.weekday = extract(isodow from g.day)
  join errors as e
    on e.department = s.department
  order by
    s.name,
    s.department,
    g.day;
end;
$$;
comment on function analytics.visit_forecast(date, date, bigint, bigint) is
  'How many visits a department, or a doctor in it, may expect on each day, four weeks from now on unless told otherwise and a quarter of a year at most, with the error of the method: for administrators, and for doctors of themselves and, where it gives nobody away, of their department. Lends the owner''s right to count visits. Raises UNAUT or PRMSN.';
