-- When answers are stale, and who is told.
begin;
select no_plan();
create function pg_temp.alerts() returns text
language sql
as $$
  select coalesce(string_agg(case when a.closed_at is null then 'open' else 'closed' end, ', ' order by a.id), 'none')
  from ops.alerts as a
  where a.kind = 'stale_answers';
$$;
delete from warehouse.view_states;
select is(ops.check_freshness(), 0::bigint, 'Without a view nothing is stale.');
insert into warehouse.view_states (view_name, data_as_of) values ('mv_one', now()), ('mv_two', now());
select is(ops.check_freshness(), 0::bigint, 'What is of now is fresh.');

update warehouse.view_states set data_as_of = now() - interval '5 minutes 30 seconds' where view_name = 'mv_two';
select ok(not warehouse.is_stale(now() - interval '4 minutes') and warehouse.is_stale(now() - interval '6 minutes'), 'Five minutes are the limit.');
select is(ops.check_freshness(), 1::bigint, 'One view that is older raises an alert,');
select is(ops.check_freshness(), 0::bigint, 'one for the incident,');
select is(pg_temp.alerts(), 'open', 'however often it is looked at.');
update warehouse.view_settings set stale_after = '1 hour';
select is(ops.check_freshness(), 1::bigint, 'It is closed when all are fresh again, by the limit that is set.');
update warehouse.view_states set data_as_of = null where view_name = 'mv_two';
select ops.check_freshness();
select is(pg_temp.alerts(), 'closed, open', 'What was never loaded is stale; another incident is another alert.');
select is(
  tests.constraint_of($$ insert into ops.alerts (kind) values ('stale_answers') $$),
  'alerts_one_open', 'Two alerts of one incident there are not, on any path.'
);
select * from finish();
rollback;
