-- Months that left the audit: where their tables stand, and what was done with their archives.
create schema archive;
comment on schema archive is 'Months that were detached from the audit, or loaded back to be read; nothing here is part of the record any more.';

create table audit.archive_events (
  id            bigint      generated always as identity primary key,
  month         date        not null references audit.retired_months (month),
  event         text        not null,
  manifest      bytea       not null,
  happened_at   timestamptz not null default now(),
  database_user text        not null default session_user,
  constraint archive_events_event_known check (event in ('exported', 'loaded', 'dropped')),
  constraint archive_events_manifest_is_sha256 check (octet_length(manifest) = 32)
);
create index archive_events_month_idx on audit.archive_events (month);
comment on table audit.archive_events is 'What was done with the archive of a retired month: written, loaded back, and its table dropped.';
comment on column audit.archive_events.id is 'The key of the event, in their order.';
comment on column audit.archive_events.month is 'The first day of the month.';
comment on column audit.archive_events.event is 'What was done: exported, loaded or dropped.';
comment on column audit.archive_events.manifest is 'The SHA-256 of the manifest of the archive it was done with.';
comment on column audit.archive_events.happened_at is 'When it was done.';
comment on column audit.archive_events.database_user is 'The database user who did it.';

-- A table that nobody classified stops every erasure, so what was detached so far leaves the schema too.
do $$
declare
  detached regclass;
begin
  for detached in
    select to_regclass(format('audit.entries_%s', to_char(m.month, 'YYYY_MM')))
    from audit.retired_months as m
  loop
    continue when detached is null;
    execute format('alter table %s set schema archive', detached);
  end loop;
end;
$$;
