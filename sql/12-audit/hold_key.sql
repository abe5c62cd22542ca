-- Whoever seals holds the key that is in force until he commits, so that nothing is wrapped with the old
-- one after all else was wrapped anew. An older snapshot would still see the old key: there the row
-- itself is locked, which fails (40001) where it was replaced since.
create or replace function audit.hold_key()
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_advisory_xact_lock_shared(hashtext('audit.replace_key'));
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    perform
    from audit.key_fingerprints as f
    where f.replaced_at is null
    for share;
  end if;
end;
$$;
comment on function audit.hold_key() is
  'Keeps the key that wraps the keys of persons from being replaced until the transaction ends.';
