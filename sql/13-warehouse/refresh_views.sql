-- In one transaction under REPEATABLE READ, which the worker begins, so that every view is of one instant
-- and none is ahead of another. What is killed has advanced nothing.
create or replace function warehouse.refresh_views()
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
-- Sums of every fact there is.
set work_mem = '64MB'
as $$
declare
  loaded_as_of timestamptz := (select l.data_as_of from warehouse.load_state as l);
  refreshed bigint := 0::bigint;
  next record;
  inputs text;
begin
  insert into warehouse.view_states (view_name)
  select c.relname
  from pg_class as c
  where c.relnamespace = 'warehouse'::regnamespace
    and c.relkind = 'm'
  on conflict do nothing;
  delete from warehouse.view_states as s
  where not exists (
    select
    from pg_class as c
    where c.relnamespace = 'warehouse'::regnamespace
      and c.relkind = 'm'
      and c.relname = s.view_name
  );
  -- Who comes second waits here. If the first one has changed anything the second fails (40001) and
  -- is tried again: by its snapshot the views would be what they were before.
  perform
  from warehouse.view_states as s
  order by s.view_name
  for update;
  if loaded_as_of is null then
    return 0::bigint;
  end if;

  -- Inputs before what is made from them.
  for next in
    with recursive
    ranked as (
      select
        s.view_name,
        0 as rank
      from warehouse.view_states as s
      union all
      select
        i.view_name,
        r.rank + 1
      from ranked as r
      join warehouse.view_inputs as i
        on i.input_name = r.view_name
    )
    select
      s.view_name,
      s.filled_from,
      s.refreshed_at is not null and c.relispopulated as is_filled
    from warehouse.view_states as s
    join pg_class as c
      on c.relnamespace = 'warehouse'::regnamespace
      and c.relname = s.view_name
    join ranked as r
      on r.view_name = s.view_name
    group by
      s.view_name,
      c.oid
    order by
      max(r.rank),
      s.view_name
  loop
    select
      coalesce(
        string_agg(
          concat_ws(' ', i.input_name, i.state), ', ' order by i.input_name
        ),
        ''
      )
    into inputs
    from warehouse.view_inputs as i
    where i.view_name = next.view_name;
    continue when inputs is not distinct from next.filled_from;
    if next.is_filled then
      execute format('refresh materialized view concurrently warehouse.%I', next.view_name);
    else
      execute format('refresh materialized view warehouse.%I', next.view_name);
      execute format('analyze warehouse.%I', next.view_name);
    end if;
    update warehouse.view_states as s
    set filled_from = inputs,
      refreshed_at = clock_timestamp()
    where s.view_name = next.view_name;
    refreshed := refreshed + 1;
  end loop;

  update warehouse.view_states as s
  set data_as_of = loaded_as_of;
  return refreshed;
end;
$$;
comment on function warehouse.refresh_views() is
  'Refreshes the materialized views of which an input has changed, advances data_as_of of all, and returns how many were refreshed.';

create or replace function ops.refresh_views()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select warehouse.refresh_views();
$$;
comment on function ops.refresh_views() is
  'Job: refreshes the views behind the answers and returns how many it refreshed. Lends the worker the owner''s right to refresh them.';
