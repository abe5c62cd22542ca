-- Question: How many consultations did each facility hold at once at most, and when?
-- Technique: A sweep line: events of plus and minus one, and their running sum.
-- Notice: Comparing every interval with every other grows with the square of their number; the
--   sweep sorts once. At one moment ends come before starts (the order by of the delta), since
--   spans are half open: a patient who leaves at ten is not there with the one who comes at ten.
--   rows, not the default range, or all events of a moment would be summed at once.
with event as (
  select
    d.facility_id,
    e.at,
    e.delta
  from hospital.visits as v
  join hospital.appointments as a
    on a.id = v.appointment_id
  join hospital.departments as d
    on d.id = a.department_id
  cross join lateral (
    values
      (v.started_at, 1),
      (v.ended_at, -1)
  ) as e (at, delta)
  where v.voided_at is null
    and v.ended_at > v.started_at
),
swept as (
  select
    e.facility_id,
    e.at,
    sum(e.delta) over (
      partition by e.facility_id
      order by e.at, e.delta
      rows between unbounded preceding and current row
    ) as at_once
  from event as e
)
select distinct on (f.id)
  f.name as facility,
  s.at_once as most_at_once,
  s.at at time zone f.time_zone as first_at
from swept as s
join hospital.facilities as f
  on f.id = s.facility_id
order by
  f.id,
  s.at_once desc,
  s.at;
