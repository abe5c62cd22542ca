create or replace view warehouse.transform_department
with (security_invoker = true) as
select
  e.department_key,
  e.department_id,
  tstzrange(
    case when earlier.is_there then e.recorded_at end,
    later.recorded_at
  ) as valid,
  e.name,
  e.facility_id,
  e.parent_id,
  e.is_active
from warehouse.extract_department as e
cross join lateral (
  select exists (
    select
    from warehouse.department_versions as v
    where v.department_id = e.department_id
      and v.id < e.department_key
  ) as is_there
) as earlier
left join lateral (
  select v.recorded_at
  from warehouse.department_versions as v
  where v.department_id = e.department_id
    and v.id > e.department_key
  order by v.id
  limit 1
) as later
  on true;
comment on view warehouse.transform_department is 'The rows of dim_department.';
comment on column warehouse.transform_department.department_key is 'The key of the version.';
comment on column warehouse.transform_department.department_id is 'The department.';
comment on column warehouse.transform_department.valid is 'When the version is in force: the first from ever, the newest without end.';
comment on column warehouse.transform_department.name is 'Its name.';
comment on column warehouse.transform_department.facility_id is 'Its facility.';
comment on column warehouse.transform_department.parent_id is 'The department above it, or null.';
comment on column warehouse.transform_department.is_active is 'Whether it receives patients.';
