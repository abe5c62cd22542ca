-- Whoever keys a fact of last year by what a department is today rewrites last year. So every change is
-- written down as it is made: only then is its moment known, however late the loader comes. The row's
-- own lock makes the changes of one department follow one another, and their versions too.
create or replace function warehouse.keep_department_versions(ids bigint[])
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into warehouse.department_versions
    (department_id, recorded_at, name, facility_id, parent_id, is_active)
  select
    d.id,
    greatest(clock_timestamp(), newest.recorded_at + interval '1 microsecond'),
    d.name,
    d.facility_id,
    d.parent_id,
    d.is_active
  from unnest(keep_department_versions.ids) as i (id)
  join hospital.departments as d
    on d.id = i.id
  left join lateral (
    select v.*
    from warehouse.department_versions as v
    where v.department_id = d.id
    order by v.id desc
    limit 1
  ) as newest
    on true
  where (newest.name, newest.facility_id, newest.parent_id, newest.is_active)
    is distinct from (d.name, d.facility_id, d.parent_id, d.is_active)
  order by d.id;
end;
$$;
comment on function warehouse.keep_department_versions(bigint[]) is
  'Writes a version of each of these departments that is not what its newest version says; later by the clock than that, also when the clock was set back.';

create or replace function warehouse.keep_changed_departments()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform warehouse.keep_department_versions(array(select n.id from new_rows as n));
  return null;
end;
$$;
comment on function warehouse.keep_changed_departments() is
  'Trigger: writes the versions of departments. Lends the owner''s right to write the warehouse, which nobody else has.';

create or replace trigger _720_versions_insert
  after insert on hospital.departments
  referencing new table as new_rows
  for each statement execute function warehouse.keep_changed_departments();
create or replace trigger _720_versions_update
  after update on hospital.departments
  referencing new table as new_rows
  for each statement execute function warehouse.keep_changed_departments();
