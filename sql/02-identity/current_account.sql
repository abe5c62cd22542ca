create or replace function hospital.current_account()
returns hospital.account
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    a.email,
    s.role,
    array(
      select r.role
      from hospital_private.account_roles as r
      where r.account_id = a.id
      order by r.role
    ),
    p.person_id,
    a.staff_member_id,
    d.id,
    m.department_id,
    s.access_expires_at
  from hospital_private.current_session() as s
  join hospital_private.accounts as a
    on a.id = s.account_id
  left join hospital.patients as p
    on p.id = a.patient_id
  left join hospital.staff_members as m
    on m.id = a.staff_member_id
  left join hospital.doctors as d
    on d.staff_member_id = m.id;
$$;
comment on function hospital.current_account() is
  'Who is logged in and as what, or null. Lends the owner''s right to read the caller''s own account.';
