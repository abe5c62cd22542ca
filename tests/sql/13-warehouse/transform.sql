-- Nobody can estimate how few versions are in force at an instant: of a bare @> the planner expects next to
-- none, and joins a million facts in loops. Inside coalesce it expects half, and hashes.
begin;
select plan(1);

select is(
  array(
    select c.relname::text
    from pg_class as c
    where c.relnamespace = 'warehouse'::regnamespace
      and c.relname like 'transform\_%'
      and translate(pg_get_viewdef(c.oid), '()', '') ~ '\m(?!COALESCE)\w+\.valid @>'
  ),
  '{}',
  'Every as-of join is one that the planner hashes.'
);

select * from finish();
rollback;
