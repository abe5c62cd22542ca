-- Question: Which kinds of appointment keep the hospital's own standard of beginning on time?
-- Technique: A JSON document as a table, by jsonb_to_recordset, and percentiles beside it.
-- Notice: The standard arrives as one parameter, the way an application would send it, and is typed
--   by the column list: a misspelt key becomes null and not a wrong number. percentile_cont takes
--   an array and answers all its shares in one sort. The bool compares the share kept with the
--   share that the standard demands.
with standard as (
  select s.*
  from jsonb_to_recordset(
    '[
      {"code": "consultation", "within_minutes": 15, "percent": 90},
      {"code": "new_patient",  "within_minutes": 15, "percent": 90},
      {"code": "follow_up",    "within_minutes": 10, "percent": 80},
      {"code": "physical",     "within_minutes": 20, "percent": 95},
      {"code": "procedure",    "within_minutes": 20, "percent": 95},
      {"code": "telehealth",   "within_minutes": 5,  "percent": 95}
    ]'::jsonb
  ) as s (code text, within_minutes integer, percent integer)
),
late as (
  select
    a.appointment_type_id,
    extract(epoch from v.started_at - a.starts_at) / 60 as minutes
  from hospital.visits as v
  join hospital.appointments as a
    on a.id = v.appointment_id
  where v.voided_at is null
),
measured as (
  select
    l.appointment_type_id,
    count(*) as visits,
    percentile_cont(array[0.5, 0.9, 0.99]) within group (order by l.minutes) as minutes
  from late as l
  group by l.appointment_type_id
)
select
  t.name as appointment_type,
  m.visits,
  m.minutes[1] as median_minutes,
  round(m.minutes[2]::numeric, 1) as ninetieth_percentile,
  round(m.minutes[3]::numeric, 1) as ninety_ninth_percentile,
  s.within_minutes,
  s.percent as percent_due,
  kept.percent as percent_kept,
  kept.percent >= s.percent as is_kept
from standard as s
join hospital.appointment_types as t
  on t.code = s.code
join measured as m
  on m.appointment_type_id = t.id
cross join lateral (
  select
    round(100.0 * count(*) filter (where l.minutes <= s.within_minutes) / count(*), 1) as percent
  from late as l
  where l.appointment_type_id = t.id
) as kept
order by
  is_kept,
  percent_kept,
  t.name;
