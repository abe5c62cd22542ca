create or replace view warehouse.extract_department
with (security_invoker = true) as
select
  v.id as department_key,
  v.department_id,
  v.recorded_at,
  v.name,
  v.facility_id,
  v.parent_id,
  v.is_active
from warehouse.department_versions as v
join hospital.departments as d
  on d.id = v.department_id;
comment on view warehouse.extract_department is 'The versions of the departments there are.';
comment on column warehouse.extract_department.department_key is 'The key of the version.';
comment on column warehouse.extract_department.department_id is 'The department.';
comment on column warehouse.extract_department.recorded_at is 'When the version was made.';
comment on column warehouse.extract_department.name is 'Its name.';
comment on column warehouse.extract_department.facility_id is 'Its facility.';
comment on column warehouse.extract_department.parent_id is 'The department above it, or null.';
comment on column warehouse.extract_department.is_active is 'Whether it receives patients.';
