-- As of departments. What is not here is corrected rather than changed (the year of birth), or is a
-- link (the person after a merge), and holds for all versions at once.
create or replace function warehouse.keep_patient_versions(ids bigint[])
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into warehouse.patient_versions (patient_id, recorded_at, sex, is_active)
  select
    p.id,
    greatest(clock_timestamp(), newest.recorded_at + interval '1 microsecond'),
    p.sex,
    is_open.yes
  from unnest(keep_patient_versions.ids) as i (id)
  join hospital.patients as p
    on p.id = i.id
  cross join lateral (
    select p.deactivated_at is null and p.deceased_on is null as yes
  ) as is_open
  left join lateral (
    select v.*
    from warehouse.patient_versions as v
    where v.patient_id = p.id
    order by v.id desc
    limit 1
  ) as newest
    on true
  where (newest.sex, newest.is_active) is distinct from (p.sex, is_open.yes)
  order by p.id;
end;
$$;
comment on function warehouse.keep_patient_versions(bigint[]) is
  'Writes a version of each of these patients who is not what the newest version says.';

create or replace function warehouse.keep_changed_patients()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform warehouse.keep_patient_versions(array(select n.id from new_rows as n));
  return null;
end;
$$;
comment on function warehouse.keep_changed_patients() is
  'Trigger: writes the versions of patients. Lends the owner''s right to write the warehouse, which nobody else has.';

create or replace trigger _720_versions_insert
  after insert on hospital.patients
  referencing new table as new_rows
  for each statement execute function warehouse.keep_changed_patients();
create or replace trigger _720_versions_update
  after update on hospital.patients
  referencing new table as new_rows
  for each statement execute function warehouse.keep_changed_patients();
