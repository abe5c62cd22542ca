-- What decides about charts needs session, account, person and department together: one query,
-- whose plan plpgsql keeps.
create or replace function hospital_private.current_viewer()
returns hospital_private.viewer
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  viewer hospital_private.viewer;
begin
  select
    s.id,
    s.account_id,
    s.role,
    m.id,
    s.doctor_id,
    m.department_id
  into viewer
  from hospital_private.live_session as s
  join hospital.staff_members as m
    on m.id = s.staff_member_id
  where s.role <> 'patient';
  return viewer;
end;
$$;
comment on function hospital_private.current_viewer() is
  'The member of staff behind the live session, or null; lends the owner''s right to read sessions and accounts.';
