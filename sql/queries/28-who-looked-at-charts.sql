-- Question: Who opened the most charts, how many in an emergency, and is it more than is usual in
--   the role?
-- Technique: An audit question: counting looks and people, against the peers of the same role.
-- Notice: A look is a window of time, written by opening the chart, without which no doctor and no
--   nurse can read it: not what an application chose to log. Curiosity shows in different patients,
--   not in many looks at one. percent_rank says which share of the same role looked at fewer; the
--   median is an ordered-set aggregate, which no window may be, so it is joined.
with looked as (
  select
    c.account_id,
    c.role,
    count(*) as looks,
    count(distinct p.person_id) as people,
    count(*) filter (where c.break_glass_grant_id is not null) as in_emergencies,
    min(c.opened_at) as first_at,
    max(c.opened_at) as last_at
  from audit.chart_accesses as c
  join hospital.patients as p
    on p.id = c.patient_id
  group by c.account_id, c.role
),
usual as (
  select
    l.role,
    percentile_cont(0.5) within group (order by l.people) as median_people
  from looked as l
  group by l.role
)
select
  a.email as account,
  l.role,
  l.looks,
  l.people,
  l.in_emergencies,
  u.median_people as usual_in_role,
  round(percent_rank() over (partition by l.role order by l.people)::numeric, 2)
    as share_of_role_below,
  l.first_at,
  l.last_at
from looked as l
join usual as u
  on u.role = l.role
join hospital_private.accounts as a
  on a.id = l.account_id
order by
  l.people desc,
  l.looks desc,
  a.email;
