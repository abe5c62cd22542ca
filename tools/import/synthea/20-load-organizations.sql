-- organizations.csv becomes facilities. A facility reads its wall clocks in the zone of its state.
insert into pg_temp.outcomes (file, line, outcome, reason, field)
select
  'organizations',
  s.line,
  'rejected',
  'unknown_state',
  'state'
from pg_temp.staged_organizations as s
where not exists (
    select
    from pg_temp.outcomes as o
    where o.file = 'organizations'
      and o.line = s.line
  )
  and not exists (
    select
    from staging.state_time_zones as z
    where s.state in (z.code, upper(z.name))
  );

insert into pg_temp.entries (file, line, entry, content, is_known)
select
  'organizations',
  s.line,
  pg_temp.fingerprint(s.public_uuid::text),
  s.content,
  f.id is not null
from pg_temp.staged_organizations as s
left join hospital.facilities as f
  on f.public_uuid = s.public_uuid
where not exists (
  select
  from pg_temp.outcomes as o
  where o.file = 'organizations'
    and o.line = s.line
);

call pg_temp.judge_identified('organizations');

-- A telephone number the hospital would refuse is left out and remarked upon.
insert into hospital.facilities (public_uuid, name, time_zone, address, phone)
select
  s.public_uuid,
  s.name,
  z.time_zone,
  s.address,
  case when s.phone ~ '^\+?[0-9 ().x/-]{5,30}$' then s.phone end
from pg_temp.staged_organizations as s
join pg_temp.outcomes as o
  on o.file = 'organizations'
  and o.line = s.line
join staging.state_time_zones as z
  on s.state in (z.code, upper(z.name))
where o.outcome = 'loaded'
order by s.line;

insert into pg_temp.remarks (file, line, reason)
select
  'organizations',
  s.line,
  'implausible_phone'
from pg_temp.staged_organizations as s
join pg_temp.outcomes as o
  on o.file = 'organizations'
  and o.line = s.line
where o.outcome <> 'rejected'
  and s.phone !~ '^\+?[0-9 ().x/-]{5,30}$';

call pg_temp.remember_identified('organizations');
