-- The transform view is the definition of the table. A load makes the table equal to it, wholly or for
-- the keys that were touched, and writes only what differs: readers see the old rows until the commit.
create or replace function warehouse.remove_rows(table_name text, keys bigint[])
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  removed bigint;
begin
  execute format(
    'delete from warehouse.%1$I as o where ($1 is null or o.%2$I = any ($1)) '
      'and not exists (select from %3$s as t where t.%2$I = o.%2$I '
      'and ($1 is null or t.%2$I = any ($1)))',
    remove_rows.table_name,
    warehouse.key_column(remove_rows.table_name),
    warehouse.layer(remove_rows.table_name, 'transform')
  )
  using remove_rows.keys;
  get diagnostics removed = row_count;
  return removed;
end;
$$;
comment on function warehouse.remove_rows(text, bigint[]) is
  'Deletes the rows of a dimension that are no more, of those with these keys or of all; returns how many.';

-- Rows of a dimension that are no more stay until the facts that point at them are gone. Days outside those
-- that are always there come with the first fact of such a day, in one statement with it: its foreign keys
-- are checked when the statement ends.
create or replace function warehouse.put_rows(
  table_name text,
  keys bigint[],
  out written bigint,
  out added bigint[]
)
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  key text := warehouse.key_column(put_rows.table_name);
begin
  execute format(
    $statement$
    with fresh as materialized (
      select %2$s
      from %3$s as t
      where $1 is null or t.%4$I = any ($1)
    ),
    gone as (
      delete from warehouse.%1$I as o
      where %9$s
        and ($1 is null or o.%4$I = any ($1))
        and not exists (select from fresh as t where t.%4$I = o.%4$I)
      returning o.%4$I
    ),
    days as (
      insert into warehouse.dim_date (date_key)
      select distinct d.day
      from fresh as t
      cross join lateral (values %5$s) as d (day)
      where d.day not between '1900-01-01' and '2100-12-31'
      on conflict do nothing
    ),
    written as (
      insert into warehouse.%1$I as o (%6$s)
      select %2$s
      from fresh as t
      where not exists (
        select
        from warehouse.%1$I as s
        where s.%4$I = t.%4$I
          and row(%7$s) is not distinct from row(%2$s)
      )
      on conflict (%4$I) do update
        set (%6$s) = row(%8$s)
      returning o.%4$I as key, o.xmax = '0' as is_new
    )
    select
      count(*) + (select count(*) from gone),
      array_agg(w.key) filter (where w.is_new and $1 is not null)
    from written as w
    $statement$,
    put_rows.table_name,
    warehouse.loaded_columns(put_rows.table_name, 't'),
    warehouse.layer(put_rows.table_name, 'transform'),
    key,
    coalesce(warehouse.day_columns(put_rows.table_name, 't'), '(null::date)'),
    replace(warehouse.loaded_columns(put_rows.table_name, '-'), '-.', ''),
    warehouse.loaded_columns(put_rows.table_name, 's'),
    warehouse.loaded_columns(put_rows.table_name, 'excluded'),
    (put_rows.table_name ~ '^fact_')::text
  )
  into put_rows.written, put_rows.added
  using put_rows.keys;
end;
$$;
comment on function warehouse.put_rows(text, bigint[]) is
  'Writes the rows of a loaded table that are new or differ, and deletes those of a fact that are no more, of those with these keys or of all; returns how many, and of given keys those that are new.';
