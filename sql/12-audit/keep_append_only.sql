-- For the owner too: what is recorded is not changed. Old months go as whole partitions.
create or replace function audit.keep_append_only()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'PERMA',
    message = 'The audit is only ever added to.';
end;
$$;
comment on function audit.keep_append_only() is
  'Trigger: refuses to change or delete what the audit holds. Raises PERMA.';

create or replace function audit.keep_fingerprint()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE'
    and old.replaced_at is null
    and new.replaced_at is not null
    and new.fingerprint = old.fingerprint
    and new.recorded_at = old.recorded_at
    and new.id = old.id
  then
    return new;
  end if;
  raise exception using
    errcode = 'PERMA',
    message = 'The audit is only ever added to.';
end;
$$;
comment on function audit.keep_fingerprint() is
  'Trigger: of a key''s fingerprint nothing changes but that, once, it was replaced. Raises PERMA.';

create or replace trigger _300_append_only
  before update or delete on audit.entries
  for each row execute function audit.keep_append_only();
create or replace trigger _300_no_truncate
  before truncate on audit.entries
  for each statement execute function audit.keep_append_only();
create or replace trigger _300_no_truncate
  before truncate on audit.entries_default
  for each statement execute function audit.keep_append_only();
create or replace trigger _300_append_only
  before update or delete on audit.seals
  for each row execute function audit.keep_append_only();
create or replace trigger _300_no_truncate
  before truncate on audit.seals
  for each statement execute function audit.keep_append_only();
create or replace trigger _300_append_only
  before update or delete on audit.eras
  for each row execute function audit.keep_append_only();
create or replace trigger _300_append_only
  before update or delete on audit.retired_months
  for each row execute function audit.keep_append_only();
-- A key is replaced once, and that is all that is ever said of it afterwards.
create or replace trigger _300_append_only
  before update or delete on audit.key_fingerprints
  for each row execute function audit.keep_fingerprint();
create or replace trigger _300_no_truncate
  before truncate on audit.key_fingerprints
  for each statement execute function audit.keep_append_only();
create or replace trigger _300_append_only
  before update or delete on audit.archive_events
  for each row execute function audit.keep_append_only();
create or replace trigger _300_no_truncate
  before truncate on audit.archive_events
  for each statement execute function audit.keep_append_only();
create or replace trigger _300_append_only
  before update or delete on audit.chart_accesses
  for each row execute function audit.keep_append_only();
create or replace trigger _300_append_only
  before update or delete on audit.audit_openings
  for each row execute function audit.keep_append_only();
