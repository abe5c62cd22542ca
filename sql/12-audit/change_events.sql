-- The outbox is the audit itself: written in the transaction of every change, so nothing can be
-- announced that did not happen, nor happen unannounced, and no booking pays for a second log.
-- Transactions commit in another order than they begin, so a reader that remembers the highest number
-- seen loses what commits later under a lower one. Below the snapshot's horizon all transactions have
-- ended, and nothing can come any more. There the order is that of the transactions' numbers, which is
-- not that in which they committed: two changes of one row are in the order of sequence, since the second
-- waited for the lock of the first, and a consumer ignores what is older than what it knows of a row.
create or replace view ops.change_events
with (security_invoker = true)
as
select
  e.transaction_id,
  e.sequence,
  e.table_name,
  e.operation,
  e.row_key,
  e.recorded_at
from audit.entries as e
where e.era = (select max(a.era) from audit.eras as a)
  and e.transaction_id < (select pg_snapshot_xmin(pg_current_snapshot()))
  -- A baseline is no change; and outside of hospital are accounts and the audit's own affairs.
  and e.operation <> 'baseline'
  -- Not starts_with, which would find them by table, through an index in another order than they are read.
  and left(e.table_name, 9) = 'hospital.';
comment on view ops.change_events is 'The changes of hospital''s tables that no running transaction can still slip in between, to be read in the order of transaction_id and sequence; keys only.';
comment on column ops.change_events.transaction_id is 'The transaction that made the change.';
comment on column ops.change_events.sequence is 'The number of the change; among the changes of one row it is their order.';
comment on column ops.change_events.table_name is 'The table, with its schema.';
comment on column ops.change_events.operation is 'What was done: insert, update, delete or truncate.';
comment on column ops.change_events.row_key is 'The primary key of the row as text; null for a truncate.';
comment on column ops.change_events.recorded_at is 'When the transaction that made the change began.';

-- Transaction numbers begin anew in another cluster and in another database, and go back when a server
-- is recovered to a moment or a standby is promoted that lacked the last of them: what was told of them
-- may then never have happened, and their numbers are given again.
create or replace function ops.incarnation()
returns text
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select format(
    '%s/%s/%s',
    c.system_identifier,
    left(pg_walfile_name(pg_current_wal_insert_lsn()), 8),
    d.oid
  )
  from pg_catalog.pg_control_system() as c
  join pg_catalog.pg_database as d
    on d.datname = current_database();
$$;
comment on function ops.incarnation() is
  'The cluster, the timeline and the database: while it stays the same, transaction numbers only grow.';

create or replace function ops.change_horizon()
returns ops.change_position
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select
    from audit.eras as e
    join pg_catalog.pg_control_system() as c
      on c.system_identifier = e.cluster
    where e.era = (select max(latest.era) from audit.eras as latest)
  ) then
    raise exception using
      errcode = 'RESYN',
      message = 'The audit has not begun its era in this cluster yet.',
      hint = 'The worker begins it when it seals; or select audit.seal_entries() as the owner.';
  end if;
  return row(pg_snapshot_xmin(pg_current_snapshot()), 0)::ops.change_position;
end;
$$;
comment on function ops.change_horizon() is
  'The position before which no event can come any more. Raises RESYN in a restored cluster until the audit has begun an era there.';

create or replace function ops.events_were_retired("position" ops.change_position)
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select
    from audit.retired_months as r
    join audit.seals as s
      on s.month = r.month
    where s.era = (select max(e.era) from audit.eras as e)
      and row(s.last_transaction_id, s.last_sequence)::ops.change_position
        > events_were_retired.position
  );
$$;
comment on function ops.events_were_retired(ops.change_position) is
  'Whether a month was retired that may have held events after a position.';
