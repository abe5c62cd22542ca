-- Reasons to believe neither the position nor the log. The last two are changes that touch so much that
-- loading everything is the plain way to do them.
create or replace function warehouse.reason_to_load_in_full(state warehouse.load_state)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when reason_to_load_in_full.state.data_as_of = '-infinity' then 'nothing has been loaded yet'
    when not exists (
      select
      from pg_catalog.pg_control_system() as c
      join (
        select e.cluster
        from audit.eras as e
        order by e.era desc
        limit 1
      ) as newest
        on newest.cluster = c.system_identifier
      where c.system_identifier = reason_to_load_in_full.state.cluster
    ) then 'the position is of another cluster'
    when reason_to_load_in_full.state.retired_months
      <> (select count(*) from audit.retired_months) then 'a month of the audit was retired'
    when reason_to_load_in_full.state.definitions <> warehouse.definitions()
      then 'what is loaded is defined anew'
    when exists (
      select
      from warehouse.new_entries(reason_to_load_in_full.state) as e
      where e.operation = 'truncate'
        and e.table_name in (select s.source_table from warehouse.load_sources as s)
    ) then 'a table was emptied'
    when exists (
      select
      from warehouse.new_entries(reason_to_load_in_full.state) as e
      join hospital.facilities as f
        on f.id = e.row_key::bigint
      where e.table_name = 'hospital.facilities'
        and e.operation = 'update'
        and e.old_image ->> 'time_zone' <> f.time_zone
    ) then 'a facility''s clocks were changed'
  end;
$$;
comment on function warehouse.reason_to_load_in_full(warehouse.load_state) is
  'Why the changes since the last load are not enough, or null where they are.';

-- A trigger that was off, or a load past all triggers, left no version. A full load makes up for it.
create or replace function warehouse.keep_all_versions()
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform warehouse.keep_department_versions(array(select d.id from hospital.departments as d));
  perform warehouse.keep_doctor_versions(array(select d.id from hospital.doctors as d));
  perform warehouse.keep_patient_versions(array(select p.id from hospital.patients as p));
end;
$$;
comment on function warehouse.keep_all_versions() is
  'Writes the versions that no trigger has written.';

-- Facts go before the dimension rows they point at, and come after them.
create or replace function warehouse.load_tables(changes warehouse.changed_rows[])
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  in_full boolean := load_tables.changes is null;
  is_first boolean := in_full and not exists (select from warehouse.table_states);
  tables text[] := warehouse.loaded_tables();
  loaded_table text;
  keys bigint[];
  put record;
  written bigint;
  total bigint := 0::bigint;
begin
  if in_full then
    perform warehouse.keep_all_versions();
  end if;
  foreach loaded_table in array tables loop
    if not in_full then
      keys := warehouse.touched_keys(loaded_table, load_tables.changes);
      continue when cardinality(keys) = 0;
    end if;
    if is_first and loaded_table ~ '^fact_' then
      written := warehouse.fill_table(loaded_table);
    else
      put := warehouse.put_rows(loaded_table, keys);
      written := put.written;
      load_tables.changes := load_tables.changes
        || row('warehouse.' || loaded_table, 'id', put.added)::warehouse.changed_rows;
    end if;
    total := total + warehouse.note_loaded(loaded_table, written);
    if in_full then
      execute format('analyze warehouse.%I', loaded_table);
    end if;
  end loop;
  foreach loaded_table in array tables loop
    continue when loaded_table ~ '^fact_';
    if not in_full then
      keys := warehouse.touched_keys(loaded_table, load_tables.changes);
    end if;
    total := total
      + warehouse.note_loaded(loaded_table, warehouse.remove_rows(loaded_table, keys));
  end loop;
  return total;
end;
$$;
comment on function warehouse.load_tables(warehouse.changed_rows[]) is
  'Makes every dimension and fact what its transform view says, for the rows that the changes touch, or where they are null for all; returns how many rows that wrote or deleted.';

create or replace function warehouse.note_loaded(table_name text, written bigint)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if note_loaded.written > 0 then
    raise notice '%: % rows', note_loaded.table_name, note_loaded.written;
    insert into warehouse.table_states (table_name, changed_as_of)
    values (note_loaded.table_name, now())
    on conflict on constraint table_states_pkey do update
      set changed_as_of = excluded.changed_as_of;
  end if;
  return note_loaded.written;
end;
$$;
comment on function warehouse.note_loaded(text, bigint) is
  'Tells and notes that rows of a table were written, if any were; returns how many.';

-- One load at a time. A snapshot may be older than the load that just gave the lock back: its position is
-- stale, which shows when the row of the position is written or locked, before anything else is; and what
-- there was to do has been done.
create or replace function warehouse.load(in_full boolean default false)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  state warehouse.load_state;
  reason text;
  total bigint;
begin
  if not pg_try_advisory_xact_lock(hashtext('warehouse.load')) then
    return 0::bigint;
  end if;
  begin
    insert into warehouse.load_state
      (cluster, snapshot, loaded_by, retired_months, definitions, data_as_of, loaded_in_full_at)
    values (0, '1:1:', '3', 0, '', '-infinity', '-infinity')
    on conflict do nothing;
    select s.*
    into state
    from warehouse.load_state as s
    for update;
  exception
    when serialization_failure then
      return 0::bigint;
  end;
  reason := case
    when load.in_full then 'as told'
    else warehouse.reason_to_load_in_full(state)
  end;
  if reason is not null then
    raise notice 'Loading everything: %', reason;
    state.loaded_in_full_at := now();
  end if;
  total := warehouse.load_tables(
    case when reason is null then warehouse.changes(state) end
  );
  update warehouse.load_state as s
  set cluster = (select e.cluster from audit.eras as e order by e.era desc limit 1),
    snapshot = pg_current_snapshot(),
    loaded_by = pg_current_xact_id(),
    retired_months = (select count(*) from audit.retired_months),
    definitions = warehouse.definitions(),
    data_as_of = now(),
    loaded_in_full_at = state.loaded_in_full_at;
  return total;
end;
$$;
comment on function warehouse.load(boolean) is
  'Brings the warehouse up to what its transaction sees, or loads it anew, and notes how far it has come; returns how many rows that wrote or deleted, 0 when somebody else is loading.';

create or replace function ops.load_warehouse(in_full boolean default false)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- A position is right for one snapshot; read committed would take another for every statement.
  if current_setting('transaction_isolation') not in ('repeatable read', 'serializable') then
    raise exception using
      errcode = 'invalid_transaction_state',
      message = 'The warehouse is loaded in one snapshot.',
      hint = 'Begin with: begin isolation level repeatable read';
  end if;
  return warehouse.load(load_warehouse.in_full);
end;
$$;
comment on function ops.load_warehouse(boolean) is
  'Job: loads the warehouse within one snapshot and returns how many rows that wrote or deleted. Raises 25000 under read committed. Lends the worker the owner''s right to read the record and to write the warehouse.';
