-- What is refreshed, in which order, and how it is said how fresh it is.
begin;
select no_plan();
select tests.be_owner();
create table warehouse.dim_probe (code text, price numeric);
create materialized view warehouse.mv_probe_first as
select
  m.code,
  m.price
from warehouse.dim_probe as m;
create unique index on warehouse.mv_probe_first (code);
create view warehouse.probe_between with (security_invoker = true) as
select
  p.price
from warehouse.mv_probe_first as p;
-- By its name it would come first.
create materialized view warehouse.mv_a_probe_second as
select
  1 as one,
  sum(p.price) as total
from warehouse.probe_between as p;
create unique index on warehouse.mv_a_probe_second (one);

create function pg_temp.load(name text, code text, price numeric) returns void
language plpgsql
as $$
begin
  if not exists (select from warehouse.load_state) then
    perform warehouse.load(true);
  end if;
  insert into warehouse.dim_probe values ($2, $3);
  insert into warehouse.table_states
  values ($1, clock_timestamp())
  on conflict (table_name) do update set changed_as_of = excluded.changed_as_of;
  update warehouse.load_state set data_as_of = clock_timestamp();
end;
$$;
create function pg_temp.state(view_name text) returns warehouse.view_states
language sql
as $$
  select s from warehouse.view_states as s where s.view_name = $1;
$$;
create function pg_temp.is_up_to_date() returns boolean
language sql
as $$
  select bool_and(s.data_as_of = l.data_as_of) from warehouse.view_states as s cross join warehouse.load_state as l;
$$;

-- ### The inputs
select results_eq(
  $$ select i.view_name, i.input_name from warehouse.view_inputs as i where i.view_name like '%probe%' order by 1 $$,
  $$ values ('mv_a_probe_second', 'mv_probe_first'), ('mv_probe_first', 'dim_probe') $$,
  'What a view reads is known from the catalogue, also through a view in between.'
);
select is_empty(
  $$
  select i.view_name, i.input_name
  from warehouse.view_inputs as i
  -- The calendar's tables are named where the catalogue does not know of them.
  where i.view_name <> 'mv_duty_hours'
  and not exists (
    select
    from pg_catalog.pg_class as c
    where c.relnamespace = 'warehouse'::regnamespace
      and c.relname = i.input_name
      and (c.relname ~ '^(dim|fact)_' or c.relkind = 'm')
  )
  $$,
  'No view reads anything but dimensions, facts and views: of these it is known when they changed.'
);
select is_empty(
  $$
  select c.oid::regclass
  from pg_catalog.pg_class as c
  where c.relkind = 'm'
    and not exists (
      select
      from pg_catalog.pg_index as i
      where i.indrelid = c.oid
        and i.indisunique
        and i.indpred is null
        and i.indexprs is null
    )
  $$,
  'Every view has a key, without which it could not be refreshed beside its readers.'
);

-- ### Refreshing
select is(ops.refresh_views(), 0::bigint, 'Before the first load there is nothing to refresh,');
select is((pg_temp.state('mv_probe_first')).data_as_of, null, 'and no view says that it is as of any time.');
select pg_temp.load('dim_probe', 'probe_one', 100);
select ok(ops.refresh_views() >= 2, 'After the first load all are filled,');
select is(p.total, 100.00, 'those that read others after these.') from warehouse.mv_a_probe_second as p;
select ok(pg_temp.is_up_to_date(), 'Each says as of when.');
create temporary table before as select * from warehouse.view_states;

select pg_temp.load('dim_nothing', 'probe_two', 20);
select is(ops.refresh_views(), 0::bigint, 'Where no input has changed nothing is refreshed,');
select ok(pg_temp.is_up_to_date(), 'and the views are as of the newest load all the same.');
select results_eq(
  'select s.view_name, s.refreshed_at from warehouse.view_states as s order by 1',
  'select b.view_name, b.refreshed_at from before as b order by 1',
  'When they were filled does not change.'
);
select pg_temp.load('dim_probe', 'probe_three', 3);
select is(ops.refresh_views(), 2::bigint, 'Where one has changed, what is made of it is refreshed, and no other.');
select is(p.total, 123.00, 'All of it is in.') from warehouse.mv_a_probe_second as p;

-- A clock that was set back makes nothing look unchanged.
select pg_temp.load('dim_probe', 'probe_four', 1000);
update warehouse.table_states set changed_as_of = '2001-01-01' where table_name = 'dim_probe';
select is(ops.refresh_views(), 2::bigint, 'A change is one, whatever the clock says of it.');

-- ### Failing
create function pg_temp.fail() returns trigger language plpgsql as 'begin raise exception using errcode = ''UNDOA''; end';
create trigger fail before update on warehouse.view_states for each row when (new.view_name = 'mv_a_probe_second') execute function pg_temp.fail();
select pg_temp.load('dim_probe', 'probe_five', 10000);
create temporary table halfway as select * from warehouse.view_states;
select throws_ok('select ops.refresh_views()', 'UNDOA', null, 'A run that fails at its last view');
select results_eq(
  'table warehouse.view_states order by 1', 'table halfway order by 1',
  'has advanced none,'
);
select is(sum(p.price), 1123.00, 'and has filled none.') from warehouse.mv_probe_first as p;
drop trigger fail on warehouse.view_states;

-- ### Views that come and go
drop materialized view warehouse.mv_a_probe_second;
select is(ops.refresh_views(), 1::bigint, 'A view that is gone is not missed.');
select is((pg_temp.state('mv_a_probe_second')).view_name, null, 'Nor is its state kept.');
refresh materialized view warehouse.mv_probe_first with no data;
update warehouse.table_states set changed_as_of = clock_timestamp() where table_name = 'dim_probe';
select is(ops.refresh_views(), 1::bigint, 'A view that was emptied is filled.');
select * from finish();
rollback;
