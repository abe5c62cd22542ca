-- One row per readable line of patients.csv: renamed and cast, nothing looked up.
create temp table staged_patients on commit drop as
with renamed as materialized (
  select
    raw.line,
    pg_temp.to_uuid(raw.id) as public_uuid,
    pg_temp.squeeze(concat_ws(' ', raw.first, raw.middle)) as given_name,
    pg_temp.squeeze(raw.last) as family_name,
    pg_temp.to_day(raw.birthdate) as date_of_birth,
    pg_temp.to_day(raw.deathdate) as deceased_on,
    case lower(raw.gender)
      when 'm' then 'male'
      when 'male' then 'male'
      when 'f' then 'female'
      when 'female' then 'female'
      when 'o' then 'other'
      when 'other' then 'other'
      else 'unknown'
    end as sex,
    raw.ssn,
    raw.drivers,
    raw.passport,
    pg_temp.squeeze(
      concat_ws(', ', raw.address, raw.city, nullif(concat_ws(' ', raw.state, raw.zip), ''))
    ) as postal_address
  from staging.synthea_patients as raw
)
select
  r.*,
  pg_temp.fingerprint(
    row(
      r.public_uuid, r.given_name, r.family_name, r.date_of_birth, r.deceased_on, r.sex,
      r.ssn, r.drivers, r.passport, r.postal_address
    )::text
  ) as content
from renamed as r;
analyze pg_temp.staged_patients;

insert into pg_temp.outcomes (file, line, outcome, reason, field)
select
  'patients',
  s.line,
  'rejected',
  problem.reason,
  problem.field
from pg_temp.staged_patients as s
join staging.synthea_patients as raw
  on raw.line = s.line
cross join lateral (
  select p.reason, p.field
  from (values
    (1, raw.defect is not null, raw.defect, null),
    (2, raw.id is null, 'missing_value', 'id'),
    (3, s.public_uuid is null, 'bad_uuid', 'id'),
    (4, s.given_name is null, 'missing_value', 'first'),
    (5, char_length(s.given_name) > 100, 'text_too_long', 'first'),
    (6, s.family_name is null, 'missing_value', 'last'),
    (7, char_length(s.family_name) > 100, 'text_too_long', 'last'),
    (8, raw.birthdate is null, 'missing_value', 'birthdate'),
    (9, s.date_of_birth is null, 'bad_date', 'birthdate'),
    (10, s.date_of_birth < '1870-01-01', 'implausible_birth', 'birthdate'),
    (11, s.date_of_birth > (now() at time zone 'UTC')::date + 1, 'implausible_birth', 'birthdate'),
    (12, raw.deathdate is not null and s.deceased_on is null, 'bad_date', 'deathdate'),
    (13, s.deceased_on < s.date_of_birth, 'stop_before_start', 'deathdate'),
    (14, char_length(s.ssn) > 60, 'text_too_long', 'ssn'),
    (15, char_length(s.drivers) > 60, 'text_too_long', 'drivers'),
    (16, char_length(s.passport) > 60, 'text_too_long', 'passport'),
    (17, char_length(s.postal_address) > 300, 'text_too_long', 'address')
  ) as p (priority, is_found, reason, field)
  where p.is_found
  order by p.priority
  limit 1
) as problem;
