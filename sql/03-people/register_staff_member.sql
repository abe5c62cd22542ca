-- Whoever works here gets the account from an administrator; only patients and doctors register
-- themselves. Person, account and role stand or fall together.
create or replace function hospital.register_staff_member(
  given_name text,
  family_name text,
  job text,
  department_id bigint,
  role text,
  email text,
  password text,
  phone text default null
)
returns hospital.staff_members
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  staff_member hospital.staff_members;
begin
  perform hospital_private.require_role('administrator');
  if register_staff_member.job = 'doctor' then
    raise exception using
      errcode = 'PRMSN',
      message = 'Doctors register themselves, with their licence.';
  end if;

  insert into hospital.staff_members (given_name, family_name, job, department_id, hired_on)
  select
    btrim(register_staff_member.given_name),
    btrim(register_staff_member.family_name),
    register_staff_member.job,
    d.id,
    (now() at time zone f.time_zone)::date
  from hospital.departments as d
  join hospital.facilities as f
    on f.id = d.facility_id
  where d.id = register_staff_member.department_id
    and d.is_active
  returning *
  into staff_member;
  if staff_member.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such department.';
  end if;

  perform hospital_private.write_contact(
    null, staff_member.id, 'email', lower(register_staff_member.email)
  );
  perform hospital_private.write_contact(
    null, staff_member.id, 'phone', register_staff_member.phone
  );
  insert into hospital_private.accounts (email, password_hash, staff_member_id)
  values (
    lower(btrim(register_staff_member.email)),
    hospital_private.hash_password(register_staff_member.password),
    staff_member.id
  );
  perform hospital.grant_account_role(register_staff_member.email, register_staff_member.role);
  return staff_member;
end;
$$;
comment on function hospital.register_staff_member(
  text, text, text, bigint, text, text, text, text
) is
  'Registers a member of staff with an account and a role; for administrators. Raises UNAUT, PRMSN, NTFND for an unknown department or role, WEAKP, PWLEN, or a conflict for a known address. Lends the owner''s right to write staff and accounts.';
