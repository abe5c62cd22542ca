-- One row per readable line of conditions.csv: renamed and cast, nothing looked up.
create temp table staged_conditions on commit drop as
with renamed as materialized (
  select
    raw.line,
    pg_temp.to_day(raw.start) as start_on,
    pg_temp.to_instant(raw.start) as start_at,
    pg_temp.to_day(raw.stop) as stop_on,
    pg_temp.to_instant(raw.stop) as stop_at,
    pg_temp.to_uuid(raw.patient) as patient_uuid,
    pg_temp.to_uuid(raw.encounter) as encounter_uuid,
    raw.code,
    pg_temp.squeeze(raw.description) as description
  from staging.synthea_conditions as raw
)
select
  r.*,
  pg_temp.fingerprint(
    row(r.patient_uuid, r.encounter_uuid, r.code, r.start_on, r.start_at)::text
  ) as entry,
  pg_temp.fingerprint(
    row(
      r.patient_uuid, r.encounter_uuid, r.code, r.start_on, r.start_at, r.stop_on, r.stop_at
    )::text
  ) as content
from renamed as r;
analyze pg_temp.staged_conditions;

insert into pg_temp.outcomes (file, line, outcome, reason, field)
select
  'conditions',
  s.line,
  'rejected',
  problem.reason,
  problem.field
from pg_temp.staged_conditions as s
join staging.synthea_conditions as raw
  on raw.line = s.line
cross join lateral (
  select p.reason, p.field
  from (values
    (1, raw.defect is not null, raw.defect, null),
    (2, raw.start is null, 'missing_value', 'start'),
    (3, s.start_on is null and s.start_at is null, 'bad_date', 'start'),
    (4, raw.stop is not null and s.stop_on is null and s.stop_at is null, 'bad_date', 'stop'),
    (5, raw.patient is null, 'missing_value', 'patient'),
    (6, s.patient_uuid is null, 'bad_uuid', 'patient'),
    (7, raw.encounter is not null and s.encounter_uuid is null, 'bad_uuid', 'encounter'),
    (8, raw.code is null, 'missing_value', 'code'),
    (9, raw.code !~ '^[0-9]{6,18}$', 'bad_code', 'code'),
    (10, raw.system !~* 'snomed', 'bad_code', 'system'),
    (11, s.description is null, 'missing_value', 'description')
  ) as p (priority, is_found, reason, field)
  where p.is_found
  order by p.priority
  limit 1
) as problem;
