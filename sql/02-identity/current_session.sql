create or replace function hospital_private.current_session()
returns hospital_private.sessions
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select s.session from hospital_private.live_session as s);
end;
$$;
comment on function hospital_private.current_session() is
  'The live session of this request in its own role, or null; lends the owner''s right to read sessions, because no other role may.';
