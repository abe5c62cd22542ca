-- Who listens over an open connection must hear that the session has ended, not only at the next
-- event. The channel carries the id alone, and an id without its secret opens nothing.
create or replace function hospital_private.notify_session_end()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital_private.live_events (channels, payload)
  values (array['session:' || old.id], '{}');
  return null;
end;
$$;
comment on function hospital_private.notify_session_end() is
  'Trigger: tells the channel of a session that it was revoked, or that its secret is another now.';

create or replace trigger _800_notify_revoked
  after update of revoked_at, secret_hash on hospital_private.sessions
  for each row
  when (new.revoked_at is not null or new.secret_hash <> old.secret_hash)
  execute function hospital_private.notify_session_end();

-- A role that is taken away takes its sessions along.
create or replace trigger _800_notify_deleted
  after delete on hospital_private.sessions
  for each row
  execute function hospital_private.notify_session_end();
