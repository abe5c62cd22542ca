-- For the few functions that lend the owner's rights: they ask here before they act.
create or replace function hospital_private.require_role(variadic roles text[])
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if hospital_private.current_account_id() is null then
    raise exception using
      errcode = 'UNAUT',
      message = 'Log in first.';
  end if;
  if not exists (
    select
    from hospital_private.current_session() as s
    where s.role = any (require_role.roles)
  ) then
    raise exception using
      errcode = 'PRMSN',
      message = 'Your role may not do this.';
  end if;
end;
$$;
comment on function hospital_private.require_role(text[]) is
  'Raises UNAUT without a live session and PRMSN when its role is not among those named; lends the owner''s right to read sessions.';
