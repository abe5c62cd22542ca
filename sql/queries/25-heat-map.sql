-- Question: At which hours of which days of the week do patients come?
-- Technique: A heat map: hours down, weekdays across, in the zone of each facility.
-- Notice: at time zone with the name of a zone follows its rules, so nine o'clock stays nine
--   o'clock on both sides of the change to summer time. An offset such as -05, or the connection's
--   own time zone, would smear every row over two hours for half of the year. Nothing here depends
--   on where the query is run. The series of hours keeps the empty ones.
with came as (
  select
    extract(hour from v.started_at at time zone f.time_zone) as hour,
    extract(isodow from v.started_at at time zone f.time_zone) as weekday
  from hospital.visits as v
  join hospital.appointments as a
    on a.id = v.appointment_id
  join hospital.departments as d
    on d.id = a.department_id
  join hospital.facilities as f
    on f.id = d.facility_id
  where v.voided_at is null
)
select
  to_char(make_time(h.hour, 0, 0), 'HH24:MI') as hour,
  count(*) filter (where c.weekday = 1) as monday,
  count(*) filter (where c.weekday = 2) as tuesday,
  count(*) filter (where c.weekday = 3) as wednesday,
  count(*) filter (where c.weekday = 4) as thursday,
  count(*) filter (where c.weekday = 5) as friday,
  count(*) filter (where c.weekday = 6) as saturday,
  count(*) filter (where c.weekday = 7) as sunday,
  count(c.hour) as visits
from generate_series(0, 23) as h (hour)
left join came as c
  on c.hour = h.hour
group by h.hour
order by h.hour;
