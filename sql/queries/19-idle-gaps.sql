-- Question: In which shifts of the last three months did a doctor sit idle longest between
--   patients?
-- Technique: A running maximum over all rows before the current one.
-- Notice: lag would compare with the appointment that began last, which may have ended before an
--   earlier, longer one: the gap would be too long. The latest end so far is the maximum over every
--   row before, a frame that ends at 1 preceding. Partitioned by shift, neither the noon break nor
--   the night counts as idle; the shifts come from the one definition that the booking rules use.
with asked as (
  select tstzrange(max(v.started_at) - interval '3 months', max(v.started_at), '[]') as span
  from hospital.visits as v
),
shift as materialized (
  select
    s.doctor_id,
    tstzrange(s.starts_at, s.ends_at) as span
  from asked as q
  cross join lateral hospital_private.working_shifts(
    array(
      select d.id
      from hospital.doctors as d
    ),
    q.span
  ) as s
),
kept as materialized (
  select
    a.doctor_id,
    a.busy
  from asked as q
  join hospital.appointments as a
    on a.starts_at <@ q.span
  where a.status = 'completed'
),
spaced as (
  select
    s.doctor_id,
    s.span,
    lower(k.busy) as resumed_at,
    max(upper(k.busy)) over (
      partition by s.doctor_id, s.span
      order by lower(k.busy), upper(k.busy)
      rows between unbounded preceding and 1 preceding
    ) as idle_since
  from shift as s
  join kept as k
    on k.doctor_id = s.doctor_id
    and s.span @> k.busy
)
select
  concat_ws(' ', m.given_name, m.family_name) as doctor,
  lower(s.span) as shift_began_at,
  count(*) as gaps,
  max(s.resumed_at - s.idle_since) as longest_gap,
  sum(s.resumed_at - s.idle_since) as idle_in_all
from spaced as s
join hospital.doctors as d
  on d.id = s.doctor_id
join hospital.staff_members as m
  on m.id = d.staff_member_id
where s.resumed_at - s.idle_since >= interval '15 minutes'
group by d.id, m.id, s.span
order by
  idle_in_all desc,
  shift_began_at,
  d.id
limit 25;
