-- Question: What in the record cannot be right, or ought to be looked at?
-- Technique: A scorecard: one row per check, by union all.
-- Notice: What the constraints forbid is not asked here, since it cannot be. These are what a
--   constraint may not know: overlaps in the past (recorded as they happened), what depends on
--   today, what is missing rather than wrong. Every check answers a row even where nothing is
--   wrong, for a check that was forgotten looks like a clean hospital.
select
  q.check_name,
  q.found,
  q.looked_at,
  round(100.0 * q.found / nullif(q.looked_at, 0), 2) as percent
from (
  select
    'visit without a coded diagnosis' as check_name,
    count(*) filter (
      where not exists (
        select
        from hospital.visit_diagnoses as d
        where d.visit_id = v.id
          and d.voided_at is null
      )
    ) as found,
    count(*) as looked_at
  from hospital.visits as v
  where v.voided_at is null
  union all
  select
    'visit after the patient''s death',
    count(*) filter (where (v.started_at at time zone 'UTC')::date > p.deceased_on + 1),
    count(*)
  from hospital.visits as v
  join hospital.patients as p
    on p.id = v.patient_id
  where v.voided_at is null
  union all
  select
    'patient without telephone and e-mail',
    count(*) filter (
      where not exists (
        select
        from hospital.contact_points as c
        where c.patient_id = p.id
          and c.kind in ('phone', 'email')
      )
    ),
    count(*)
  from hospital.patients as p
  where p.deceased_on is null
    and p.merged_into_id is null
  union all
  select
    'patient in two places at once',
    count(*) filter (
      where exists (
        select
        from hospital.appointments as b
        where b.patient_id = a.patient_id
          and b.status = 'completed'
          and b.id > a.id
          and b.busy && a.busy
      )
    ),
    count(*)
  from hospital.appointments as a
  where a.status = 'completed'
  union all
  select
    'note unsigned a week later',
    count(*) filter (where n.signed_at is null and n.created_at < last.day - interval '7 days'),
    count(*)
  from hospital.clinical_notes as n
  cross join (
    select max(v.started_at) as day
    from hospital.visits as v
  ) as last
  where n.voided_at is null
  union all
  select
    'active doctor without hours',
    count(*) filter (
      where not exists (
        select
        from hospital.doctor_schedules as s
        where s.doctor_id = d.id
      )
    ),
    count(*)
  from hospital.doctors as d
  where d.is_active
  union all
  select
    'treatment without an outcome',
    count(*) filter (where t.outcome is null),
    count(*)
  from hospital.treatments as t
  where t.voided_at is null
) as q
order by
  percent desc nulls last,
  q.check_name;
