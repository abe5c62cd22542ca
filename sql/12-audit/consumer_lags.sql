create or replace function ops.consumer_lags()
returns setof ops.consumer_lag
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    c.name,
    c.reader,
    w.events,
    w.since,
    c.last_read_at,
    c.incarnation <> ops.incarnation()
      or ops.events_were_retired(c.position)
  from ops.change_consumers as c
  cross join lateral (
    select
      count(*) as events,
      min(e.recorded_at) as since
    from (
      select e.recorded_at
      from ops.change_events as e
      where (e.transaction_id, e.sequence)
          > ((c.position).transaction_id, (c.position).sequence)
        and c.tables @> array[e.table_name]
      limit 100000
    ) as e
  ) as w
  order by c.name;
$$;
comment on function ops.consumer_lags() is
  'How far each consumer of changes is behind, and whether it is lost. Lends the worker the owner''s right to read who they are and to count.';
