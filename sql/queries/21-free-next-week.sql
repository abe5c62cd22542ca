-- Question: Where is an hour or more free in the week to come, and with whom?
-- Technique: Multirange arithmetic: hours less what is taken.
-- Notice: Hours and appointments become one multirange each, and a minus sign finds the free time:
--   no window over neighbours, which goes wrong when appointments overlap. unnest turns the pieces
--   into rows again. Only active statuses take time. The finder of the API does the same, with
--   holds and the rules of booking besides; here the week follows the last visit on record.
with asked as (
  select tstzrange(max(v.started_at), max(v.started_at) + interval '7 days') as week
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
    q.week
  ) as s
  group by s.doctor_id
),
taken as (
  select
    a.doctor_id,
    range_agg(a.busy) as time
  from asked as q
  join hospital.appointments as a
    on a.busy && q.week
  join hospital.appointment_statuses as s
    on s.code = a.status
  where s.is_active
  group by a.doctor_id
)
select
  d.specialization,
  concat_ws(' ', m.given_name, m.family_name) as doctor,
  lower(free.span) at time zone f.time_zone as free_from,
  upper(free.span) at time zone f.time_zone as free_until,
  upper(free.span) - lower(free.span) as duration
from working as w
left join taken as t
  on t.doctor_id = w.doctor_id
cross join lateral unnest(w.time - coalesce(t.time, '{}')) as free (span)
join hospital.doctors as d
  on d.id = w.doctor_id
join hospital.staff_members as m
  on m.id = d.staff_member_id
join hospital.departments as p
  on p.id = m.department_id
join hospital.facilities as f
  on f.id = p.facility_id
where upper(free.span) - lower(free.span) >= interval '1 hour'
order by
  d.specialization,
  lower(free.span),
  d.id;
