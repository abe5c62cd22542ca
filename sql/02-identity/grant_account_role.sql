create or replace function hospital.grant_account_role(email text, role text)
returns hospital.account_role_grant
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  granted hospital.account_role_grant;
begin
  perform hospital_private.require_role('administrator');
  insert into hospital_private.account_roles as r (account_id, role, granted_by)
  select
    a.id,
    k.name,
    hospital_private.current_account_id()
  from hospital_private.accounts as a
  cross join hospital_private.roles as k
  where a.email = lower(btrim(grant_account_role.email))
    and k.name = grant_account_role.role
    -- A role rests on a person: patients on a patient's row, doctors on an
    -- approved doctor's, everybody else's on a member of staff's.
    and case k.name
      when 'patient' then a.patient_id is not null
      when 'doctor' then exists (
        select
        from hospital.doctors as d
        where d.staff_member_id = a.staff_member_id
          and d.is_active
      )
      -- The first administrator is nobody's colleague yet.
      when 'administrator' then a.patient_id is null
      else a.staff_member_id is not null
    end
  on conflict on constraint account_roles_pkey do update
    set granted_by = r.granted_by
  returning
    lower(btrim(grant_account_role.email)),
    r.role,
    r.granted_at
  into granted;
  if granted.role is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such account and role.',
      hint = 'Patients and doctors must exist as such before they get the role.';
  end if;
  return granted;
end;
$$;
comment on function hospital.grant_account_role(text, text) is
  'Gives an account a role; for administrators. Raises NTFND when address or role is unknown. Lends the owner''s right to write account roles.';
