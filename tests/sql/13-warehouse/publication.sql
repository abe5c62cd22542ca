-- What leaves for another server.
begin;
select no_plan();

create temporary table published as
select
  format('%I.%I', p.schemaname, p.tablename) as relation,
  p.attnames
from pg_catalog.pg_publication_tables as p
where p.pubname = 'warehouse_sources';
select cmp_ok(count(*), '>', 10::bigint, 'The sources of the warehouse are published.') from published;

select is(
  array(
    select p.relation || '.' || c.column_name
    from published as p
    join hospital_private.column_classes as c
      on c.relation = p.relation
      and c.column_name = any (p.attnames)
    where c.class in ('identity', 'free_text', 'secret', 'sealed')
  ),
  '{}',
  'No name, number, word or secret of a patient is among them.'
);
select is(
  array(
    select p.relation || '.' || a.attname
    from published as p
    join pg_catalog.pg_constraint as k
      on k.conrelid = p.relation::regclass
      and k.contype = 'p'
    join pg_catalog.pg_attribute as a
      on a.attrelid = k.conrelid
      and a.attnum = any (k.conkey)
    where a.attname <> all (p.attnames)
  ),
  '{}',
  'Each is published with its whole primary key, without which none of its rows could be changed.'
);
select is(
  array(
    select p.relation
    from published as p
    where not exists (
      select
      from pg_catalog.pg_constraint as k
      where k.conrelid = p.relation::regclass
        and k.contype = 'p'
    )
  ),
  '{}',
  'And each has one.'
);
select is(pg_get_userbyid(p.pubowner), 'hospital_owner', 'The owner, who is no superuser, decides what is published.')
from pg_catalog.pg_publication as p
where p.pubname = 'warehouse_sources';
select is(p.puballtables, false, 'It is a list and not everything.')
from pg_catalog.pg_publication as p
where p.pubname = 'warehouse_sources';

select * from finish();
rollback;
