-- Question: How much of their working hours did the doctors of each specialty spend with patients
--   in the last three months?
-- Technique: The intersection of multiranges, and their length.
-- Notice: Dividing the minutes booked by the minutes worked may exceed the whole: overlaps count
--   twice, and what lies outside the hours counts at all. range_agg counts a moment once, and *
--   keeps what is in both; what is lost by it has a column of its own, because work outside the
--   hours is work too. The length of a multirange is the sum over its pieces.
with asked as (
  select tstzrange(max(v.started_at) - interval '3 months', max(v.started_at)) as span
  from hospital.visits as v
),
working as (
  select
    s.doctor_id,
    range_agg(tstzrange(s.starts_at, s.ends_at)) as time
  from asked as q
  cross join lateral hospital_private.working_shifts(
    array(
      select d.id
      from hospital.doctors as d
    ),
    q.span
  ) as s
  group by s.doctor_id
),
busy as (
  select
    a.doctor_id,
    range_agg(a.busy * q.span) as time
  from asked as q
  join hospital.appointments as a
    on a.busy && q.span
  where a.status = 'completed'
  group by a.doctor_id
),
measured as (
  select
    w.doctor_id,
    (
      select coalesce(sum(upper(piece) - lower(piece)), interval '0')
      from unnest(w.time) as piece
    ) as worked,
    (
      select coalesce(sum(upper(piece) - lower(piece)), interval '0')
      from unnest(w.time * b.time) as piece
    ) as used,
    (
      select coalesce(sum(upper(piece) - lower(piece)), interval '0')
      from unnest(b.time - w.time) as piece
    ) as outside
  from working as w
  left join busy as b
    on b.doctor_id = w.doctor_id
)
select
  d.specialization,
  count(*) as doctors,
  round(extract(epoch from sum(x.worked)) / 3600) as hours_worked,
  round(extract(epoch from sum(x.used)) / 3600, 1) as hours_with_patients,
  round(extract(epoch from sum(x.outside)) / 3600, 1) as hours_outside,
  round(100 * extract(epoch from sum(x.used)) / extract(epoch from sum(x.worked)), 1)
    as percent_used
from measured as x
join hospital.doctors as d
  on d.id = x.doctor_id
group by d.specialization
order by
  percent_used desc,
  d.specialization;
