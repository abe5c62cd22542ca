-- Passes on what has been committed, a thousand at a time. Whoever writes an appointment only leaves a
-- row: to notify is to wait for everybody else who notifies, until the log is on disk.
create or replace function hospital_private.relay_live_events()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  gone as (
    delete from hospital_private.live_events as e
    where e.id = any (
      array(
        select w.id
        from hospital_private.live_events as w
        order by w.id
        limit 1000
        -- Several servers pass on at once, each something else.
        for update skip locked
      )
    )
    returning e.*
  ),
  -- Equal news are told once: that is how the server notifies.
  told as materialized (
    select pg_notify(c.channel, g.payload)
    from (
      select w.*
      from gone as w
      order by w.id
    ) as g
    cross join lateral unnest(g.channels) as c (channel)
  )
  select count(*)
  from gone
  where (select count(*) from told) >= 0;
$$;
comment on function hospital_private.relay_live_events() is
  'Tells live subscribers what has been committed since, and returns how many news there were, a thousand at most. Lends the API, on nobody''s behalf, the owner''s right to read and remove them; it sees none.';
