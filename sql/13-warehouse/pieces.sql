-- The views hold sums of all days (from -infinity) and of each month. A question about any days is the sum of
-- whole months and of the facts of the days that are left over at both ends: so it is exact for any days, and
-- reads few rows when it is about months or about everything.
create or replace function warehouse.pieces(from_date date, until_date date)
returns table (grain text, first_day date, end_day date)
language plpgsql
immutable
security invoker
rows 3
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Within what a timestamp can hold, and beyond any appointment.
  since constant date := greatest(pieces.from_date, date '0001-01-01');
  until constant date := least(pieces.until_date, date '9999-01-01');
  first_month constant date :=
    date_trunc('month', since::timestamp + interval '1 month' - interval '1 day')::date;
  end_month constant date := greatest(date_trunc('month', until::timestamp)::date, first_month);
begin
  if pieces.from_date is null and pieces.until_date is null then
    return query values ('all', '-infinity'::date, 'infinity'::date);
  elsif end_month > first_month then
    return query
    select *
    from (
      values
        ('day', since, first_month),
        ('month', first_month, end_month),
        ('day', end_month, until)
    ) as p (grain, first_day, end_day)
    where p.first_day < p.end_day;
  elsif since < until then
    return query values ('day', since, until);
  end if;
end;
$$;
comment on function warehouse.pieces(date, date) is
  'The stretches of all days, whole months and single days that a period is made of, from its first day and before its end.';
