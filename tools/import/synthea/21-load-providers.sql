-- providers.csv becomes doctors, in a department of their speciality at their facility.
insert into pg_temp.outcomes (file, line, outcome, reason, field)
select
  'providers',
  s.line,
  'rejected',
  'unknown_organization',
  'organization'
from pg_temp.staged_providers as s
where not exists (
    select
    from pg_temp.outcomes as o
    where o.file = 'providers'
      and o.line = s.line
  )
  and not exists (
    select
    from hospital.facilities as f
    where f.public_uuid = s.organization_uuid
  );

insert into pg_temp.entries (file, line, entry, content, is_known)
select
  'providers',
  s.line,
  pg_temp.fingerprint(s.public_uuid::text),
  s.content,
  m.id is not null
from pg_temp.staged_providers as s
left join hospital.staff_members as m
  on m.public_uuid = s.public_uuid
where not exists (
  select
  from pg_temp.outcomes as o
  where o.file = 'providers'
    and o.line = s.line
);

call pg_temp.judge_identified('providers');

-- Specialties are the same when their letters are: GENERAL PRACTICE is General practice.
create temp table new_doctors on commit drop as
select
  s.*,
  coalesce(
    nullif(regexp_replace(lower(s.speciality), '[^[:alnum:]]+', '', 'g'), ''),
    s.speciality
  ) as letters
from pg_temp.staged_providers as s
join pg_temp.outcomes as o
  on o.file = 'providers'
  and o.line = s.line
where o.outcome = 'loaded';
analyze pg_temp.new_doctors;

insert into hospital.specialties (name, description)
select distinct on (n.letters)
  upper(left(n.speciality, 1)) || lower(substr(n.speciality, 2)),
  'A specialty that came with imported records and is not described yet.'
from pg_temp.new_doctors as n
where not exists (
  select
  from hospital.specialties as h
  where regexp_replace(lower(h.name), '[^[:alnum:]]+', '', 'g') = n.letters
)
order by n.letters, n.line
on conflict (name) do nothing;

create temp table known_specialties on commit drop as
select distinct on (letters)
  coalesce(
    nullif(regexp_replace(lower(h.name), '[^[:alnum:]]+', '', 'g'), ''),
    upper(left(h.name, 1)) || lower(substr(h.name, 2))
  ) as letters,
  h.name
from hospital.specialties as h
order by letters, h.name;

insert into hospital.departments (facility_id, name)
select distinct
  f.id,
  k.name
from pg_temp.new_doctors as n
join hospital.facilities as f
  on f.public_uuid = n.organization_uuid
join pg_temp.known_specialties as k
  on k.letters = n.letters
on conflict (facility_id, name) do nothing;

-- The files do not say since when anybody works: the first encounter on file is the safe answer.
insert into hospital.staff_members
  (public_uuid, given_name, family_name, job, department_id, hired_on)
with first_days as (
  select
    e.provider_uuid,
    min(coalesce(e.start_on, (e.start_at at time zone f.time_zone)::date)) as first_on
  from pg_temp.staged_encounters as e
  join pg_temp.new_doctors as n
    on n.public_uuid = e.provider_uuid
  join hospital.facilities as f
    on f.public_uuid = n.organization_uuid
  group by e.provider_uuid
)
select
  n.public_uuid,
  n.given_name,
  n.family_name,
  'doctor',
  d.id,
  least(greatest(first_days.first_on, date '1930-01-01'), (now() at time zone 'UTC')::date)
from pg_temp.new_doctors as n
join hospital.facilities as f
  on f.public_uuid = n.organization_uuid
join pg_temp.known_specialties as k
  on k.letters = n.letters
join hospital.departments as d
  on d.facility_id = f.id
  and d.name = k.name
left join first_days
  on first_days.provider_uuid = n.public_uuid
order by n.line;

-- The whole identifier makes the licence: shorter ones could meet.
insert into hospital.doctors
  (staff_member_id, specialization, licence, practising_since, approved_at)
select
  m.id,
  k.name,
  'SYN-' || upper(replace(n.public_uuid::text, '-', '')),
  m.hired_on,
  now()
from pg_temp.new_doctors as n
join hospital.staff_members as m
  on m.public_uuid = n.public_uuid
join pg_temp.known_specialties as k
  on k.letters = n.letters
order by n.line;

call pg_temp.remember_identified('providers');
