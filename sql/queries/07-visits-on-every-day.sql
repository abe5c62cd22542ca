-- Question: How many visits did the hospital have on each day of its last quarter, the days without
--   any included?
-- Technique: A calendar spine by generate_series, and a left join on it.
-- Notice: group by makes rows only of what is there, so a closed day would vanish and every average
--   over days come out too high. The days are made of timestamps without a zone and cast to dates:
--   a series of dates becomes instants of the connection's time zone. A visit belongs to the day on
--   the wall clock where it took place.
with visited as (
  select (v.started_at at time zone f.time_zone)::date as day
  from hospital.visits as v
  join hospital.appointments as a
    on a.id = v.appointment_id
  join hospital.departments as d
    on d.id = a.department_id
  join hospital.facilities as f
    on f.id = d.facility_id
  where v.voided_at is null
),
quarter as (
  select
    date_trunc('quarter', max(v.day)::timestamp) as first_day,
    max(v.day)::timestamp as last_day
  from visited as v
),
calendar as (
  select s.day::date as day
  from quarter as q
  cross join generate_series(q.first_day, q.last_day, interval '1 day') as s (day)
)
select
  c.day,
  to_char(c.day, 'Dy') as weekday,
  count(v.day) as visits,
  count(v.day) = 0 as is_empty
from calendar as c
left join visited as v
  on v.day = c.day
group by c.day
order by c.day;
