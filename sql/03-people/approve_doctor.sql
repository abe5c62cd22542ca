create or replace function hospital.approve_doctor(doctor_id bigint)
returns hospital.doctors
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  doctor hospital.doctors;
begin
  perform hospital_private.require_role('administrator');
  update hospital.doctors as d
  set approved_at = coalesce(d.approved_at, now()),
    deactivated_at = null
  where d.id = approve_doctor.doctor_id
  returning d.*
  into doctor;
  if doctor.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such doctor.';
  end if;
  insert into hospital_private.account_roles (account_id, role, granted_by)
  select
    a.id,
    'doctor',
    hospital_private.current_account_id()
  from hospital_private.accounts as a
  where a.staff_member_id = doctor.staff_member_id
  on conflict on constraint account_roles_pkey do nothing;
  return doctor;
end;
$$;
comment on function hospital.approve_doctor(bigint) is
  'Makes a doctor bookable and gives his account the role doctor; for administrators. Raises NTFND. Lends the owner''s right to write account roles.';
