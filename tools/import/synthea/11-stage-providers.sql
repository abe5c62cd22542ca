-- One row per readable line of providers.csv: renamed and cast, nothing looked up.
create temp table staged_providers on commit drop as
with renamed as materialized (
  select
    raw.line,
    pg_temp.to_uuid(raw.id) as public_uuid,
    pg_temp.to_uuid(raw.organization) as organization_uuid,
    -- The last word is the family name; somebody with one word bears it as both.
    regexp_replace(pg_temp.squeeze(raw.name), ' [^ ]+$', '') as given_name,
    regexp_replace(pg_temp.squeeze(raw.name), '^.* ', '') as family_name,
    coalesce(pg_temp.squeeze(raw.speciality), 'GENERAL PRACTICE') as speciality
  from staging.synthea_providers as raw
)
select
  r.*,
  pg_temp.fingerprint(
    row(r.public_uuid, r.organization_uuid, r.given_name, r.family_name, r.speciality)::text
  ) as content
from renamed as r;
analyze pg_temp.staged_providers;

insert into pg_temp.outcomes (file, line, outcome, reason, field)
select
  'providers',
  s.line,
  'rejected',
  problem.reason,
  problem.field
from pg_temp.staged_providers as s
join staging.synthea_providers as raw
  on raw.line = s.line
cross join lateral (
  select p.reason, p.field
  from (values
    (1, raw.defect is not null, raw.defect, null),
    (2, raw.id is null, 'missing_value', 'id'),
    (3, s.public_uuid is null, 'bad_uuid', 'id'),
    (4, raw.organization is null, 'missing_value', 'organization'),
    (5, s.organization_uuid is null, 'bad_uuid', 'organization'),
    (6, s.family_name is null, 'missing_value', 'name'),
    (7, char_length(s.given_name) > 100, 'text_too_long', 'name'),
    (8, char_length(s.family_name) > 100, 'text_too_long', 'name'),
    (9, char_length(s.speciality) > 120, 'text_too_long', 'speciality')
  ) as p (priority, is_found, reason, field)
  where p.is_found
  order by p.priority
  limit 1
) as problem;
