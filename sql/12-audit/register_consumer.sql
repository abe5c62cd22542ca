-- Whoever registers first and copies what it needs afterwards misses nothing: all that is before the
-- position has been committed, so the copy holds it, and what comes after is told, some of it twice.
create or replace function ops.register_consumer(
  name text,
  tables text[],
  reader text default 'hospital_worker'
)
returns ops.change_consumers
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  start ops.change_position := ops.change_horizon();
  consumer ops.change_consumers;
begin
  if exists (
    select
    from unnest(register_consumer.tables) as wanted (table_name)
    where not exists (
      select
      from audit.enrolments as e
      where e.table_name = wanted.table_name
        and starts_with(e.table_name, 'hospital.')
    )
  ) or to_regrole(register_consumer.reader) is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such table of the hospital on record, or no such role.',
      hint = 'Name tables with their schema, such as hospital.appointments.';
  end if;
  insert into ops.change_consumers (name, reader, tables, incarnation, position, read_to)
  values (
    register_consumer.name,
    register_consumer.reader,
    register_consumer.tables,
    ops.incarnation(),
    start,
    start
  )
  returning *
  into consumer;
  return consumer;
end;
$$;
comment on function ops.register_consumer(text, text[], text) is
  'Registers a consumer of changes to the given tables, from now on; it then takes its own copy of them. Raises NTFND, RESYN.';

create or replace function ops.reset_consumer(name text)
returns ops.change_consumers
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  start ops.change_position := ops.change_horizon();
  consumer ops.change_consumers;
begin
  update ops.change_consumers as c
  set stream = gen_random_uuid(),
    incarnation = ops.incarnation(),
    position = start,
    read_to = start
  where c.name = reset_consumer.name
  returning c.*
  into consumer;
  if consumer.name is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such consumer of changes.';
  end if;
  return consumer;
end;
$$;
comment on function ops.reset_consumer(text) is
  'Lets a consumer begin anew from now, under a new stream, after which it takes its own copy again. Raises NTFND, RESYN.';
