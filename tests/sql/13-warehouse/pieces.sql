-- Any period is cut into pieces that touch and do not overlap.
begin;
select no_plan();
create function pg_temp.pieces(since date, until date) returns text
language sql
as $$
  select coalesce(string_agg(format('%s %s..%s', p.grain, p.first_day, p.end_day), ', ' order by p.first_day), 'nothing')
  from warehouse.pieces($1, $2) as p;
$$;
select is(pg_temp.pieces(null, null), 'all -infinity..infinity', 'Everything is one piece.');
select is(pg_temp.pieces('2024-01-01', '2024-03-01'), 'month 2024-01-01..2024-03-01', 'Whole months are one.');
select is(
  pg_temp.pieces('2024-01-15', '2024-03-10'),
  'day 2024-01-15..2024-02-01, month 2024-02-01..2024-03-01, day 2024-03-01..2024-03-10',
  'What is left over at the ends is days.'
);
select is(pg_temp.pieces('2024-01-31', '2024-02-29'), 'day 2024-01-31..2024-02-29', 'Less than a month is days.');
select is(pg_temp.pieces('2024-03-01', '2024-02-01'), 'nothing', 'A period that ends before it begins has none.');
select is(
  pg_temp.pieces('-infinity', '5874897-12-31'), 'month 0001-01-01..9999-01-01', 'No date is too far away.'
);
select is(
  array(
    select format('%s %s', f.day, u.day)
    from generate_series(date '2023-12-25', date '2024-03-05', interval '3 days') as f (day)
    cross join generate_series(date '2023-12-25', date '2024-05-05', interval '2 days') as u (day)
    where (
      select array_agg(d::date order by d)
      from warehouse.pieces(f.day::date, u.day::date) as p
      cross join lateral generate_series(p.first_day::timestamp, p.end_day - interval '1 day', interval '1 day') as d
    ) is distinct from (
      select array_agg(d::date order by d) from generate_series(f.day::timestamp, u.day::timestamp - interval '1 day', interval '1 day') as d
    )
  ),
  '{}', 'Every day of a period is in exactly one piece, whatever the period.'
);
select * from finish();
rollback;
