-- Wall-clock times to instants, against what a clock on the wall shows minute by minute.
begin;
select no_plan();

-- Both changes of each zone, among them half an hour, two hours, a change at midnight, one the other
-- way round (Dublin), a day that was left out, and zones whose clocks never change.
create temporary table stretch (zone text, since date, until date);
insert into stretch values
  ('America/New_York', '2027-03-12', '2027-03-17'), ('America/New_York', '2027-11-05', '2027-11-10'),
  ('Europe/London', '2027-03-26', '2027-03-31'), ('Europe/London', '2027-10-29', '2027-11-03'),
  ('Europe/Dublin', '2027-03-26', '2027-03-31'), ('Europe/Dublin', '2027-10-29', '2027-11-03'),
  ('Australia/Sydney', '2027-04-02', '2027-04-07'), ('Australia/Sydney', '2027-10-01', '2027-10-06'),
  ('Australia/Lord_Howe', '2027-04-02', '2027-04-07'), ('Australia/Lord_Howe', '2027-10-01', '2027-10-06'),
  ('America/Sao_Paulo', '2018-02-15', '2018-02-21'), ('America/Sao_Paulo', '2018-11-01', '2018-11-07'),
  ('America/St_Johns', '2010-03-12', '2010-03-17'), ('America/St_Johns', '2010-11-05', '2010-11-10'),
  ('Antarctica/Troll', '2027-03-26', '2027-03-31'), ('Antarctica/Troll', '2027-10-29', '2027-11-03'),
  ('Africa/Casablanca', '2027-02-05', '2027-02-10'), ('Africa/Casablanca', '2027-03-12', '2027-03-17'),
  ('Pacific/Apia', '2011-12-28', '2012-01-02'),
  ('Asia/Kathmandu', '2027-03-12', '2027-03-14'), ('Asia/Tokyo', '2027-03-12', '2027-03-14');
create temporary table minute as
select s.zone, s.since, at, at at time zone s.zone as shown
from stretch as s
cross join generate_series(s.since::timestamp at time zone 'UTC', s.until::timestamp at time zone 'UTC', interval '5 minutes') as at;
create temporary table shown as
select m.zone, m.since, m.shown, min(m.at) as first_at from minute as m group by m.zone, m.since, m.shown;

create function pg_temp.under(time_zone text) returns setof text
language plpgsql
as $$
begin
  perform set_config('timezone', time_zone, true);
  return query
  select is(
    array(
      select s.zone || ' ' || s.shown
      from shown as s
      where hospital_private.wall_instant(s.shown, s.zone) <> s.first_at
    ),
    '{}', format('Every time is the first instant that shows it, asked in %s.', time_zone)
  );
  return query
  select is(
    array(
      select m.zone || ' ' || m.at
      from minute as m
      join shown as s
        using (zone, since, shown)
      where hospital_private.is_second_pass(m.at, m.zone) <> (m.at > s.first_at)
    ),
    '{}', format('The second pass is what was shown before, asked in %s.', time_zone)
  );
  return query
  select is(
    array(
      select m.zone || ' ' || missing
      from (
        select m.*, lead(m.at) over days as next_at, lead(m.shown) over days as next_shown
        from minute as m
        window days as (partition by m.zone, m.since order by m.at)
      ) as m
      cross join generate_series(m.shown + interval '5 minutes', m.next_shown - interval '1 second', interval '7 minutes 13 seconds') as missing
      where m.next_shown > m.shown + interval '5 minutes'
        and hospital_private.wall_instant(missing, m.zone)
          -- St. John's changed at one minute past midnight, between two of these.
          not between m.next_at - interval '4 minutes' and m.next_at
    ),
    '{}', format('A time that never comes is the instant of the jump, asked in %s.', time_zone)
  );
end;
$$;
select pg_temp.under(z) from unnest(array['UTC', 'Asia/Tokyo', 'America/St_Johns']) as z;
set local timezone = 'UTC';

select is(
  array(
    select count(distinct m.shown) || ' of ' || count(*)
    from minute as m
    where m.zone in ('America/New_York', 'Australia/Lord_Howe', 'Asia/Tokyo')
      and hospital_private.is_second_pass(m.at, m.zone)
    group by m.zone order by m.zone
  ),
  '{12 of 12,6 of 6}', 'An hour is repeated in New York, half an hour on Lord Howe, nothing in Tokyo.'
);
select is(
  array[
    hospital_private.wall_instant('2027-03-14 02:30', 'America/New_York'),
    hospital_private.wall_instant('2027-11-07 01:30', 'America/New_York'),
    hospital_private.wall_instant('2027-10-03 02:15', 'Australia/Lord_Howe'),
    hospital_private.wall_instant('2027-04-04 01:45', 'Australia/Lord_Howe'),
    hospital_private.wall_instant('2018-11-04 00:00', 'America/Sao_Paulo'),
    hospital_private.wall_instant('2011-12-30 12:00', 'Pacific/Apia')
  ],
  array[
    '2027-03-14 07:00Z', '2027-11-07 05:30Z', '2027-10-02 15:30Z', '2027-04-03 14:45Z',
    '2018-11-04 03:00Z', '2011-12-30 10:00Z'
  ]::timestamptz[],
  'As one would find by hand.'
);
select ok(not isfinite(hospital_private.wall_instant('infinity', 'Europe/London')), 'Infinity stays where it is.');
select ok(not hospital_private.is_second_pass('-infinity', 'Europe/London'), 'And is no second pass.');
select lives_ok(
  $$ select hospital_private.wall_instant(l, 'Europe/London') from unnest(array['4000-01-01 BC', '0001-01-01', '9999-12-31', '200000-01-01']::timestamp[]) as l $$,
  'Far from today it does not end.'
);
select * from finish();
rollback;
