-- Asked by every policy of every role, inside (select …) so that it runs once per statement.
create or replace function hospital_private.session_has_role(role text)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select
    from hospital_private.live_session as s
    where s.role = session_has_role.role
      or (
        session_has_role.role = 'staff'
        and s.role in ('nurse', 'reception', 'pharmacist', 'laboratory')
      )
  );
end;
$$;
comment on function hospital_private.session_has_role(text) is
  'Whether this request has a live session in the given role (staff stands for nurse, reception, pharmacist and laboratory); lends the owner''s right to read sessions.';
