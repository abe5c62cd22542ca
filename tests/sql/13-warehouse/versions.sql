-- Every change of what facts are told by is written down as it is made, and nothing else is.
begin;
select no_plan();
create temporary table probe as
select
  tests.department() as ward,
  tests.department() as elsewhere,
  tests.patient() as ann;
alter table probe add column dora bigint;
update probe set dora = tests.doctor(ward);
grant select on probe to public;

create function tests.versions(relation text, id bigint) returns bigint
language plpgsql stable security definer as $$
declare
  found bigint;
begin
  execute format('select count(*) from warehouse.%1$s_versions where %1$s_id = $1', relation) into found using id;
  return found;
end
$$;

select is(tests.versions('department', ward), 1::bigint, 'A new department is a version.') from probe;
select is(tests.versions('doctor', dora), 1::bigint, 'A new doctor is a version.') from probe;
select is(tests.versions('patient', ann), 1::bigint, 'A new patient is a version.') from probe;

update hospital.departments as d set location = 'Second floor' from probe as p where d.id = p.ward;
update hospital.doctors as d set daily_limit = 12 from probe as p where d.id = p.dora;
update hospital.patients as a set time_zone = 'Europe/Paris', family_name = 'Ash' from probe as p where a.id = p.ann;
update hospital.departments as d set name = d.name from probe as p where d.id = p.ward;
select is(
  array[tests.versions('department', ward), tests.versions('doctor', dora), tests.versions('patient', ann)],
  '{1,1,1}', 'What facts are not told by makes no version.'
) from probe;

update hospital.departments as d set name = 'Heart ' || d.id from probe as p where d.id = p.ward;
update hospital.doctors as d set specialization = 'Neurology' from probe as p where d.id = p.dora;
update hospital.patients as a set sex = 'other' from probe as p where a.id = p.ann;
select is(
  array[tests.versions('department', ward), tests.versions('doctor', dora), tests.versions('patient', ann)],
  '{2,2,2}', 'What they are told by makes one.'
) from probe;

update hospital.staff_members as s set department_id = p.elsewhere
from probe as p, hospital.doctors as d where d.id = p.dora and s.id = d.staff_member_id;
update hospital.staff_members as s set family_name = 'Stone'
from probe as p, hospital.doctors as d where d.id = p.dora and s.id = d.staff_member_id;
select results_eq(
  $$ select v.name, v.specialization, v.department_id = p.elsewhere
     from warehouse.doctor_versions as v, probe as p where v.doctor_id = p.dora order by v.id desc limit 1 $$,
  $$ values ('Sam Stone', 'Neurology', true) $$,
  'A doctor changes with the member of staff.'
);
select is(tests.versions('doctor', dora), 4::bigint, 'Each change is a version of its own.') from probe;

update hospital.patients as a set deceased_on = '2026-01-01' from probe as p where a.id = p.ann;
select is(v.is_active, false, 'Somebody who died is no open record.')
from warehouse.patient_versions as v, probe as p where v.patient_id = p.ann order by v.id desc limit 1;

-- A clock that was set back.
update warehouse.department_versions as v set recorded_at = now() + interval '1 day'
from probe as p where v.department_id = p.ward;
update hospital.departments as d set is_active = false from probe as p where d.id = p.ward;
select is(v.recorded_at, now() + interval '1 day 1 microsecond', 'A later version is later by the clock, even by a wrong one.')
from warehouse.department_versions as v, probe as p where v.department_id = p.ward order by v.id desc limit 1;

-- Many at once, by one statement.
update hospital.departments as d set name = d.name || ' x';
select is(
  (select count(*) from warehouse.department_versions as v where v.name ~ ' x$'),
  (select count(*) from hospital.departments),
  'A statement that changes many makes a version of each.'
);

select is(
  (select count(*) from information_schema.role_table_grants where table_schema = 'warehouse' and grantee <> 'hospital_owner'),
  0::bigint, 'Nobody is granted anything in the warehouse.'
);
select * from finish();
rollback;
