-- What decides about charts needs session, account, person and department together: one look-up, and a
-- plan that plpgsql keeps.
create or replace function hospital_private.current_viewer()
returns hospital_private.viewer
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  session hospital_private.sessions := hospital_private.current_session();
  viewer hospital_private.viewer;
begin
  select
    session.id,
    session.account_id,
    session.role,
    m.id,
    d.id,
    m.department_id
  into viewer
  from hospital_private.accounts as a
  join hospital.staff_members as m
    on m.id = a.staff_member_id
  left join hospital.doctors as d
    on d.staff_member_id = m.id
    and d.is_active
    and session.role = 'doctor'
  where a.id = session.account_id
    and session.role <> 'patient';
  return viewer;
end;
$$;
comment on function hospital_private.current_viewer() is
  'The member of staff behind the live session, or null; lends the owner''s right to read sessions and accounts.';
