-- One row per readable line of encounters.csv: renamed and cast, nothing looked up. A start or stop
-- is an instant (…_at) or a local day (…_on), which becomes an instant once the facility is known.
create temp table staged_encounters on commit drop as
with renamed as materialized (
  select
    raw.line,
    pg_temp.to_uuid(raw.id) as public_uuid,
    pg_temp.to_instant(raw.start) as start_at,
    pg_temp.to_day(raw.start) as start_on,
    pg_temp.to_instant(raw.stop) as stop_at,
    pg_temp.to_day(raw.stop) as stop_on,
    pg_temp.to_uuid(raw.patient) as patient_uuid,
    pg_temp.to_uuid(raw.organization) as organization_uuid,
    pg_temp.to_uuid(raw.provider) as provider_uuid,
    pg_temp.squeeze(raw.description) as description,
    pg_temp.squeeze(raw.reasondescription) as reason
  from staging.synthea_encounters as raw
)
select
  r.*,
  pg_temp.fingerprint(
    row(
      r.public_uuid, r.start_at, r.start_on, r.stop_at, r.stop_on, r.patient_uuid,
      r.organization_uuid, r.provider_uuid, r.description, r.reason
    )::text
  ) as content
from renamed as r;
analyze pg_temp.staged_encounters;

insert into pg_temp.outcomes (file, line, outcome, reason, field)
select
  'encounters',
  s.line,
  'rejected',
  problem.reason,
  problem.field
from pg_temp.staged_encounters as s
join staging.synthea_encounters as raw
  on raw.line = s.line
cross join lateral (
  select p.reason, p.field
  from (values
    (1, raw.defect is not null, raw.defect, null),
    (2, raw.id is null, 'missing_value', 'id'),
    (3, s.public_uuid is null, 'bad_uuid', 'id'),
    (4, raw.start is null, 'missing_value', 'start'),
    (5, s.start_at is null and s.start_on is null, 'bad_date', 'start'),
    (6, raw.stop is not null and s.stop_at is null and s.stop_on is null, 'bad_date', 'stop'),
    (7, raw.patient is null, 'missing_value', 'patient'),
    (8, s.patient_uuid is null, 'bad_uuid', 'patient'),
    (9, raw.provider is null, 'missing_value', 'provider'),
    (10, s.provider_uuid is null, 'bad_uuid', 'provider'),
    (11, raw.organization is not null and s.organization_uuid is null, 'bad_uuid', 'organization'),
    (12, char_length(s.description) > 1000, 'text_too_long', 'description'),
    (13, char_length(s.reason) > 2000, 'text_too_long', 'reasondescription')
  ) as p (priority, is_found, reason, field)
  where p.is_found
  order by p.priority
  limit 1
) as problem;
