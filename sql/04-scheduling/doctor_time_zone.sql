create or replace function hospital_private.doctor_time_zone(doctor_id bigint)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select f.time_zone
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    join hospital.departments as p
      on p.id = m.department_id
    join hospital.facilities as f
      on f.id = p.facility_id
    where d.id = doctor_time_zone.doctor_id
  );
end;
$$;
comment on function hospital_private.doctor_time_zone(bigint) is
  'The IANA zone by whose clocks a doctor works, or null for none. Lends the owner''s right to read staff, for this alone.';
