-- Locked by whoever reads or acknowledges for it, so that two processes of one consumer take turns.
create or replace function ops.own_consumer(consumer text)
returns ops.change_consumers
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  own ops.change_consumers;
begin
  -- An older snapshot could not see that a month was retired, and would find its events silently gone.
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception using
      errcode = 'ISOLN',
      message = 'Changes are read and acknowledged under READ COMMITTED only.';
  end if;
  select c.*
  into own
  from ops.change_consumers as c
  where c.name = own_consumer.consumer
    -- Inside a definer function too this is who is connected; a dropped role is nobody.
    and pg_has_role(session_user, to_regrole(quote_ident(c.reader)), 'member')
  for no key update;
  if own.name is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such consumer of changes that you read for.',
      hint = 'infirmary changes list shows all, and which role reads for each.';
  end if;
  if own.incarnation <> ops.incarnation() then
    raise exception using
      errcode = 'RESYN',
      message = 'The consumer must resynchronise: the database was restored or failed over, and what was told may not have happened.',
      hint = 'Reset it (infirmary changes reset), and let it copy what it needs again.';
  end if;
  return own;
end;
$$;
comment on function ops.own_consumer(text) is
  'The consumer, locked, if the connected role reads for it and its position still means something. Raises NTFND, RESYN, ISOLN.';

create or replace function ops.read_change_events(consumer text, max_events integer default 100)
returns setof ops.change_event
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- Along the primary key from the position on, whatever is estimated: sorting looks at all that waits.
set enable_sort = off
as $$
declare
  own ops.change_consumers := ops.own_consumer(read_change_events.consumer);
  horizon ops.change_position := ops.change_horizon();
  found_one ops.change_event;
  last_told ops.change_position := own.position;
begin
  -- A month is retired before this or waits until we have read it.
  lock table audit.entries in access share mode;
  if ops.events_were_retired(own.position) then
    raise exception using
      errcode = 'RESYN',
      message = 'The consumer must resynchronise: a month of changes it has not acknowledged was retired.',
      hint = 'Reset it (infirmary changes reset), and let it copy what it needs again.';
  end if;
  for found_one in
    select
      own.stream,
      row(e.transaction_id, e.sequence)::ops.change_position,
      e.sequence,
      e.table_name,
      e.operation,
      e.row_key,
      e.recorded_at
    from ops.change_events as e
    where (e.transaction_id, e.sequence)
        > ((own.position).transaction_id, (own.position).sequence)
      and own.tables @> array[e.table_name]
    order by
      e.transaction_id,
      e.sequence
    limit least(greatest(coalesce(read_change_events.max_events, 100), 1), 10000)
  loop
    last_told := found_one.position;
    return next found_one;
  end loop;
  -- With nothing for it up to the horizon there is nothing to acknowledge, nor to look through again.
  if last_told = own.position and horizon > own.position then
    last_told := horizon;
    own.position := horizon;
  end if;
  update ops.change_consumers as c
  set position = own.position,
    read_to = greatest(c.read_to, last_told),
    last_read_at = clock_timestamp()
  where c.name = own.name;
end;
$$;
comment on function ops.read_change_events(text, integer) is
  'The next events of a consumer, in order, at most as many as said; the same again until they are acknowledged. Raises NTFND, RESYN, ISOLN. Lends the reader the owner''s right to read the audit''s keys.';

create or replace function ops.acknowledge_change_events(
  consumer text,
  "position" ops.change_position
)
returns ops.change_position
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  own ops.change_consumers := ops.own_consumer(acknowledge_change_events.consumer);
begin
  if acknowledge_change_events.position is null
    or acknowledge_change_events.position > own.read_to
  then
    raise exception using
      errcode = 'NREAD',
      message = 'What has not been read cannot be acknowledged.',
      hint = 'Acknowledge the position of an event that ops.read_change_events returned.';
  end if;
  -- Never backwards: of two processes the slower one repeats what is acknowledged already.
  if acknowledge_change_events.position > own.position then
    update ops.change_consumers as c
    set position = acknowledge_change_events.position,
      acknowledged_at = clock_timestamp()
    where c.name = own.name;
    return acknowledge_change_events.position;
  end if;
  return own.position;
end;
$$;
comment on function ops.acknowledge_change_events(text, ops.change_position) is
  'Says that a consumer is done with all events up to a position it has read, and returns where it stands. Raises NTFND, NREAD, RESYN, ISOLN. Lends the reader the owner''s right to move the position.';
