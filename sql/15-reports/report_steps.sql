-- Days that had nothing are part of a line: a gap would read as if nobody had counted.
create or replace function hospital_private.report_steps(from_date date, until_date date)
returns table (unit text, begins date, ends date, picture text, place bigint)
language sql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    c.unit,
    greatest(s::date, report_steps.from_date),
    (s + c.step)::date,
    c.picture,
    row_number() over (order by s)
  from (
    select
      case when span.is_long then 'month' else 'day' end as unit,
      case when span.is_long then interval '1 month' else interval '1 day' end as step,
      case when span.is_long then 'Mon YYYY' else 'FMDD Mon' end as picture
    from (
      select report_steps.until_date - report_steps.from_date > 62 as is_long
    ) as span
  ) as c
  cross join generate_series(
    date_trunc(c.unit, report_steps.from_date::timestamp),
    report_steps.until_date::timestamp - interval '1 day',
    c.step
  ) as s;
$$;
comment on function hospital_private.report_steps(date, date) is
  'The days of a period, or its months when it is longer than two, each with how it is written.';
