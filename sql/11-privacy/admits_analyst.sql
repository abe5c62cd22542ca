-- What every masked view rests on, once per statement. The owner reads them to export a sandbox; he
-- could read the tables themselves.
create or replace function hospital_private.admits_analyst()
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select hospital_private.session_has_role('analyst') or current_user = 'hospital_owner';
$$;
comment on function hospital_private.admits_analyst() is
  'Whether the reader is an analyst with a live session, or the owner.';
