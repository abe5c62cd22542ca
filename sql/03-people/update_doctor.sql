create or replace function hospital.update_doctor(
  doctor_id bigint,
  specialization text default null,
  department_id bigint default null,
  phone text default null,
  email text default null,
  is_active boolean default null
)
returns hospital.doctors
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  doctor hospital.doctors;
  takes_hours constant boolean := update_doctor.is_active is false
    or update_doctor.department_id is not null;
begin
  -- Where the doctor stops working or goes to another zone, nobody books meanwhile.
  if takes_hours then
    perform hospital_private.lock_calendars(array[update_doctor.doctor_id], '{}');
  end if;
  select d.*
  into doctor
  from hospital.doctors as d
  where d.id = update_doctor.doctor_id;
  if doctor.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such doctor.';
  end if;
  if update_doctor.specialization is not null then
    update hospital.doctors as d
    set specialization = update_doctor.specialization
    where d.id = doctor.id;
  end if;
  if update_doctor.is_active is not null then
    update hospital.doctors as d
    set deactivated_at = case
        when update_doctor.is_active then null
        else coalesce(d.deactivated_at, now())
      end
    where d.id = doctor.id;
  end if;
  if update_doctor.department_id is not null then
    update hospital.staff_members as m
    set department_id = update_doctor.department_id
    where m.id = doctor.staff_member_id;
  end if;
  if takes_hours then
    perform hospital_private.require_way_free(hospital_private.appointments_in_the_way(doctor.id));
  end if;
  perform hospital_private.write_contact(null, doctor.staff_member_id, 'phone', update_doctor.phone);
  perform hospital_private.write_contact(
    null, doctor.staff_member_id, 'email', lower(update_doctor.email)
  );
  select d.*
  into doctor
  from hospital.doctors as d
  where d.id = doctor.id;
  return doctor;
end;
$$;
comment on function hospital.update_doctor(bigint, text, bigint, text, text, boolean) is
  'Changes what is given and leaves the rest: doctors change their own contact data, administrators also specialization, department and whether the doctor can be booked. Raises NTFND, RETRY, INWAY while appointments to come would be left outside the hours, or a refusal of the role.';
