-- Whoever presents a session's secret acts in it, also in the statement that ends it, so this asks less
-- than current_session: a log-out is still somebody's. It runs once per audited statement, so without
-- a claim it does not touch a table.
create or replace function audit.current_actor()
returns audit.actor
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  claimed_id text := current_setting('infirmary.session_id', true);
  actor audit.actor;
begin
  if claimed_id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then
    select
      s.account_id,
      s.id
    into actor.account_id, actor.session_id
    from hospital_private.sessions as s
    where s.id = claimed_id::uuid
      and s.secret_hash
        = sha256(convert_to(current_setting('infirmary.session_secret', true), 'UTF8'));
  end if;
  actor.role := nullif(current_setting('role'), 'none');
  actor.client_address := coalesce(hospital_private.client_address(), inet_client_addr());
  actor.request_id := left(nullif(current_setting('infirmary.request_id', true), ''), 100);
  return actor;
end;
$$;
comment on function audit.current_actor() is
  'Who is at work: the session whose id and secret the request carries, the role set, address and request.';
