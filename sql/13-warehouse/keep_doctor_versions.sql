-- A doctor is made of two rows, which two transactions may change at once: each would then write a
-- version without the other's change. So each locks the other row before it reads: the later one waits
-- and sees the change, or is told to try again where its snapshot cannot see it.
create or replace function warehouse.keep_doctor_versions(ids bigint[])
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into warehouse.doctor_versions
    (doctor_id, recorded_at, name, specialization, department_id, is_active)
  select
    d.id,
    greatest(clock_timestamp(), newest.recorded_at + interval '1 microsecond'),
    full_name.text,
    d.specialization,
    s.department_id,
    d.is_active
  from unnest(keep_doctor_versions.ids) as i (id)
  join hospital.doctors as d
    on d.id = i.id
  join hospital.staff_members as s
    on s.id = d.staff_member_id
  cross join lateral (select concat_ws(' ', s.given_name, s.family_name) as text) as full_name
  left join lateral (
    select v.*
    from warehouse.doctor_versions as v
    where v.doctor_id = d.id
    order by v.id desc
    limit 1
  ) as newest
    on true
  where (newest.name, newest.specialization, newest.department_id, newest.is_active)
    is distinct from (full_name.text, d.specialization, s.department_id, d.is_active)
  order by d.id;
end;
$$;
comment on function warehouse.keep_doctor_versions(bigint[]) is
  'Writes a version of each of these doctors who is not what the newest version says.';

create or replace function warehouse.keep_changed_doctors()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform
  from hospital.staff_members as s
  join new_rows as n
    on n.staff_member_id = s.id
  order by s.id
  for share of s;
  perform warehouse.keep_doctor_versions(array(select n.id from new_rows as n));
  return null;
end;
$$;
comment on function warehouse.keep_changed_doctors() is
  'Trigger: writes the versions of doctors. Lends the owner''s right to write the warehouse, which nobody else has.';

create or replace function warehouse.keep_changed_staff_members()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform
  from hospital.doctors as d
  join new_rows as n
    on n.id = d.staff_member_id
  order by d.id
  for share of d;
  perform warehouse.keep_doctor_versions(
    array(
      select d.id
      from hospital.doctors as d
      join new_rows as n
        on n.id = d.staff_member_id
    )
  );
  return null;
end;
$$;
comment on function warehouse.keep_changed_staff_members() is
  'Trigger: writes the versions of doctors among the staff. Lends the owner''s right to write the warehouse, which nobody else has.';

create or replace trigger _720_versions_insert
  after insert on hospital.doctors
  referencing new table as new_rows
  for each statement execute function warehouse.keep_changed_doctors();
create or replace trigger _720_versions_update
  after update on hospital.doctors
  referencing new table as new_rows
  for each statement execute function warehouse.keep_changed_doctors();
create or replace trigger _720_versions_update
  after update on hospital.staff_members
  referencing new table as new_rows
  for each statement execute function warehouse.keep_changed_staff_members();
