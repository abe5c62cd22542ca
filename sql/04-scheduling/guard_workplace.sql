-- Hours also change without a row of hours changing: when a doctor leaves, and when doctor, department
-- or facility comes under the clocks of another zone.
create or replace function hospital_private.doctors_at(workplace name, row_id bigint)
returns bigint[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select d.id
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    join hospital.departments as p
      on p.id = m.department_id
    where doctors_at.row_id = case doctors_at.workplace
        when 'doctors' then d.id
        when 'staff_members' then m.id
        when 'departments' then p.id
        when 'facilities' then p.facility_id
      end
    order by d.id
  );
$$;
comment on function hospital_private.doctors_at(name, bigint) is
  'The doctors whom a row of doctors, staff_members, departments or facilities concerns. Lends the owner''s right to read staff.';

create or replace function hospital_private.guard_workplace()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  doctors bigint[] := hospital_private.doctors_at(tg_table_name, new.id);
  -- Of four tables, which do not have the same columns.
  goes_to jsonb := to_jsonb(new);
begin
  -- Nobody who has closed a calendar waits for the row of a department or a facility.
  perform hospital_private.close_calendars(
    doctors, may_wait => tg_table_name in ('departments', 'facilities')
  );
  if tg_table_name <> 'doctors' then
    perform hospital_private.touch_doctors(doctors);
  end if;
  -- Whoever moves must not pass somebody who is setting the clocks of the place he goes to.
  begin
    if tg_table_name = 'staff_members' then
      perform
      from hospital.departments as p
      join hospital.facilities as f
        on f.id = p.facility_id
      where p.id = (goes_to ->> 'department_id')::bigint
      for share nowait;
    elsif tg_table_name = 'departments' then
      perform
      from hospital.facilities as f
      where f.id = (goes_to ->> 'facility_id')::bigint
      for share nowait;
    end if;
  exception
    when lock_not_available then
      raise exception using
        errcode = 'RETRY',
        message = 'Somebody else is changing the same calendar. Try again.';
  end;
  return new;
end;
$$;
comment on function hospital_private.guard_workplace() is
  'Trigger: a doctor leaves or changes the zone only while nobody books him. Raises ISOLN, RETRY. Lends the owner''s right to lock and mark the rows concerned.';

create or replace trigger _300_guard_workplace
  before update on hospital.doctors
  for each row
  when (
    old.is_active
    and (
      new.approved_at is null
      or new.deactivated_at is not null
      or new.staff_member_id <> old.staff_member_id
    )
  )
  execute function hospital_private.guard_workplace();
create or replace trigger _300_guard_workplace
  before update on hospital.staff_members
  for each row
  when (new.department_id <> old.department_id and new.job = 'doctor')
  execute function hospital_private.guard_workplace();
create or replace trigger _300_guard_workplace
  before update on hospital.departments
  for each row
  when (new.facility_id <> old.facility_id)
  execute function hospital_private.guard_workplace();
create or replace trigger _300_guard_workplace
  before update on hospital.facilities
  for each row
  when (new.time_zone <> old.time_zone)
  execute function hospital_private.guard_workplace();

create or replace function hospital_private.keep_workplace()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_way_free(hospital_private.appointments_in_the_way(d.id))
  from unnest(hospital_private.doctors_at(tg_table_name, new.id)) as d (id);
  return null;
end;
$$;
comment on function hospital_private.keep_workplace() is
  'Trigger: at the end of a transaction in which a doctor left or changed the zone, no appointment to come lies outside the hours. Raises INWAY. Lends the owner''s right to read calendars.';

drop trigger if exists _310_keep_appointments on hospital.doctors;
create constraint trigger _310_keep_appointments
  after update on hospital.doctors
  deferrable initially deferred
  for each row
  when (old.is_active and (not new.is_active or new.staff_member_id <> old.staff_member_id))
  execute function hospital_private.keep_workplace();
drop trigger if exists _310_keep_appointments on hospital.staff_members;
create constraint trigger _310_keep_appointments
  after update on hospital.staff_members
  deferrable initially deferred
  for each row
  when (new.department_id <> old.department_id and new.job = 'doctor')
  execute function hospital_private.keep_workplace();
drop trigger if exists _310_keep_appointments on hospital.departments;
create constraint trigger _310_keep_appointments
  after update on hospital.departments
  deferrable initially deferred
  for each row
  when (new.facility_id <> old.facility_id)
  execute function hospital_private.keep_workplace();
drop trigger if exists _310_keep_appointments on hospital.facilities;
create constraint trigger _310_keep_appointments
  after update on hospital.facilities
  deferrable initially deferred
  for each row
  when (new.time_zone <> old.time_zone)
  execute function hospital_private.keep_workplace();
