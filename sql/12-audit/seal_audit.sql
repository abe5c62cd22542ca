-- Transactions commit in another order than they begin. Below the snapshot's horizon all have ended, so
-- nothing can come any more between two entries that are sealed; and writers meet no lock of the chain.
-- The horizon is read before the entries: what has ended by then is visible to the later snapshot.
create or replace function audit.seal_entries(block_size integer default 10000)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  current_era integer;
  horizon xid8;
  sealed bigint := 0::bigint;
  added bigint;
begin
  if not pg_try_advisory_xact_lock(hashtext('audit.seal_entries')) then
    return 0::bigint;
  end if;
  select e.era
  into current_era
  from audit.eras as e
  order by e.era desc
  limit 1;
  if not exists (
    select
    from audit.eras as e
    join pg_catalog.pg_control_system() as c
      on c.system_identifier = e.cluster
    where e.era = current_era
  ) then
    return audit.begin_era(seal_entries.block_size);
  end if;
  horizon := pg_snapshot_xmin(pg_current_snapshot());
  loop
    added := audit.seal_block(current_era, horizon, seal_entries.block_size);
    exit when added = 0;
    sealed := sealed + added;
  end loop;
  return sealed;
end;
$$;
comment on function audit.seal_entries(integer) is
  'Links all entries of transactions that have ended, and before which none is running, into the chain; returns how many. When somebody else is sealing, it returns 0 at once.';

create or replace function audit.seal_block(era integer, horizon xid8, block_size integer)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  last_transaction xid8 := '0'::xid8;
  last_sequence bigint := 0::bigint;
  block audit.seals;
begin
  select
    s.last_transaction_id,
    s.last_sequence
  into last_transaction, last_sequence
  from audit.seals as s
  where s.era = seal_block.era
  order by s.block desc
  limit 1;

  -- A block is of one month, and goes with its partition.
  with batch as (
    select
      e.sequence,
      e.transaction_id,
      date_trunc('month', e.recorded_at at time zone 'UTC')::date as month,
      audit.entry_hash(e) as hash,
      row_number() over (order by e.transaction_id, e.sequence) as position
    from audit.entries as e
    where e.era = seal_block.era
      and (e.transaction_id, e.sequence)
        > (coalesce(last_transaction, '0'), coalesce(last_sequence, 0))
      and e.transaction_id < seal_block.horizon
    order by e.transaction_id, e.sequence
    limit seal_block.block_size
  )
  select
    min(b.month),
    array_agg(b.sequence order by b.position),
    string_agg(b.hash, '' order by b.position),
    (array_agg(b.transaction_id order by b.position desc))[1],
    (array_agg(b.sequence order by b.position desc))[1]
  into
    block.month,
    block.sequences,
    block.entry_hashes,
    block.last_transaction_id,
    block.last_sequence
  from batch as b
  where b.position < all (
    select other.position
    from batch as other
    join batch as first
      on first.position = 1
      and first.month <> other.month
  );
  if block.sequences is null then
    return 0::bigint;
  end if;
  perform audit.add_block(block, seal_block.era);
  return cardinality(block.sequences)::bigint;
end;
$$;
comment on function audit.seal_block(integer, xid8, integer) is
  'Seals the next entries of an era in the order of their transactions, of one month and no more than said; returns how many.';

create or replace function audit.add_block(block audit.seals, era integer)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  previous record;
begin
  select
    s.block,
    s.hash
  into previous
  from audit.seals as s
  order by s.block desc
  limit 1;
  add_block.block.block := coalesce(previous.block, 0) + 1;
  add_block.block.era := add_block.era;
  add_block.block.previous_hash := coalesce(previous.hash, decode(repeat('00', 32), 'hex'));
  add_block.block.hash := audit.block_hash(add_block.block);
  add_block.block.sealed_at := clock_timestamp();
  insert into audit.seals
  select add_block.block.*;
end;
$$;
comment on function audit.add_block(audit.seals, integer) is
  'Links a block to the end of the chain.';

-- After a restore into another cluster its transaction numbers have nothing to do with those of the
-- entries that came along. Changing the default waits until every writer has ended and lets none begin,
-- so all entries of the old era are there: what is not sealed of them is, by number.
create or replace function audit.begin_era(block_size integer)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  old_era integer := (select max(e.era) from audit.eras as e);
  block audit.seals;
  sealed bigint := 0::bigint;
begin
  execute format('alter table audit.entries alter column era set default %s', old_era + 1);
  for
    block.month,
    block.sequences,
    block.entry_hashes,
    block.last_transaction_id,
    block.last_sequence
  in
    select
      u.month,
      array_agg(u.sequence order by u.sequence),
      string_agg(u.hash, '' order by u.sequence),
      (array_agg(u.transaction_id order by u.sequence desc))[1],
      max(u.sequence)
    from (
      select
        e.sequence,
        e.transaction_id,
        date_trunc('month', e.recorded_at at time zone 'UTC')::date as month,
        audit.entry_hash(e) as hash,
        row_number() over (order by e.sequence) / begin_era.block_size as part
      from audit.entries as e
      where e.era = old_era
        -- One by one and not `= any (s.sequences)`, which can only be asked entry by entry of every block:
        -- nobody writes while this runs.
        and not exists (
          select
          from audit.seals as s
          cross join lateral unnest(s.sequences) as b (sequence)
          where s.era = old_era
            and b.sequence = e.sequence
        )
    ) as u
    group by u.month, u.part
    order by u.month, u.part
  loop
    perform audit.add_block(block, old_era);
    sealed := sealed + cardinality(block.sequences);
  end loop;
  insert into audit.eras (era, cluster)
  select
    old_era + 1,
    c.system_identifier
  from pg_catalog.pg_control_system() as c;
  return sealed;
end;
$$;
comment on function audit.begin_era(integer) is
  'Closes the era of the cluster the audit comes from and begins one of the cluster it is in; returns how many entries were sealed on the way.';

create or replace function ops.seal_audit()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select audit.seal_entries();
$$;
comment on function ops.seal_audit() is
  'Job: seals what can be sealed and returns how many entries that were. Lends the worker the owner''s right to seal.';
