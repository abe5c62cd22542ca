-- 10:00 is a different moment elsewhere. Who comes in goes by the clock of the building, who takes part
-- from afar by his own; where the two differ both are said, each with its zone in words.
create or replace function hospital_private.told_time(
  starts_at timestamptz,
  facility_zone text,
  patient_zone text,
  is_remote boolean
)
returns text
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  first_zone text := told_time.facility_zone;
  second_zone text := coalesce(told_time.patient_zone, told_time.facility_zone);
  pattern constant text := 'FMDay, FMDD FMMonth YYYY "at" HH24:MI';
begin
  if told_time.is_remote then
    first_zone := second_zone;
    second_zone := told_time.facility_zone;
  end if;
  if told_time.starts_at at time zone first_zone = told_time.starts_at at time zone second_zone then
    return to_char(told_time.starts_at at time zone first_zone, pattern);
  end if;
  return format(
    '%s %s time (%s %s time)',
    to_char(told_time.starts_at at time zone first_zone, pattern),
    -- The place that gives the zone its name.
    replace(split_part(first_zone, '/', -1), '_', ' '),
    to_char(told_time.starts_at at time zone second_zone, pattern),
    replace(split_part(second_zone, '/', -1), '_', ' ')
  );
end;
$$;
comment on function hospital_private.told_time(timestamptz, text, text, boolean) is
  'The start of an appointment as it is told to a patient: by the facility''s clock, or by the patient''s where the patient takes part from afar, and by both where they differ.';
