-- One row per readable line of organizations.csv: renamed and cast, nothing looked up.
create temp table staged_organizations on commit drop as
with renamed as materialized (
  select
    raw.line,
    pg_temp.to_uuid(raw.id) as public_uuid,
    pg_temp.squeeze(raw.name) as name,
    upper(pg_temp.squeeze(raw.state)) as state,
    pg_temp.squeeze(
      concat_ws(', ', raw.address, raw.city, nullif(concat_ws(' ', raw.state, raw.zip), ''))
    ) as address,
    pg_temp.squeeze(raw.phone) as phone
  from staging.synthea_organizations as raw
)
select
  r.*,
  pg_temp.fingerprint(
    row(r.public_uuid, r.name, r.state, r.address, r.phone)::text
  ) as content
from renamed as r;
analyze pg_temp.staged_organizations;

insert into pg_temp.outcomes (file, line, outcome, reason, field)
select
  'organizations',
  s.line,
  'rejected',
  problem.reason,
  problem.field
from pg_temp.staged_organizations as s
join staging.synthea_organizations as raw
  on raw.line = s.line
cross join lateral (
  select p.reason, p.field
  from (values
    (1, raw.defect is not null, raw.defect, null),
    (2, raw.id is null, 'missing_value', 'id'),
    (3, s.public_uuid is null, 'bad_uuid', 'id'),
    (4, s.name is null, 'missing_value', 'name'),
    (5, char_length(s.name) > 200, 'text_too_long', 'name'),
    (6, s.state is null, 'missing_value', 'state')
  ) as p (priority, is_found, reason, field)
  where p.is_found
  order by p.priority
  limit 1
) as problem;
