-- hospital_owner reads and writes every row: without it migrations, definer functions and
-- materialized views would silently see nothing.
begin;
select no_plan();
select tests.world();
create temporary table counted on commit drop as
select
  c.oid::regclass as relation,
  tests.row_count(c.oid::regclass) as rows
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n
  on n.oid = c.relnamespace
where n.nspname in (
    'hospital', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
  )
  and c.relkind in ('r', 'p');
grant select on counted to public;
create function pg_temp.owners_count(relation regclass) returns bigint
language plpgsql
as $$
declare
  rows bigint;
begin
  execute format('select count(*) from %s', $1) into rows;
  return rows;
end;
$$;

select tests.be_owner();
select is(
  array(select c.relation::text from counted as c where pg_temp.owners_count(c.relation) <> c.rows),
  '{}', 'The owner reads every row of every table.'
);
select is(
  array(select c.relation::text from counted as c where c.rows = 0 and c.relation::text ~ '^hospital\.'),
  '{}', 'And there is something to read in every one of the hospital''s.'
);
create function pg_temp.written(relation regclass) returns text
language plpgsql
as $$
declare
  affected bigint;
  total bigint;
  first_column text := (
    select quote_ident(a.attname) from pg_catalog.pg_attribute as a
    where a.attrelid = $1 and a.attnum > 0 and a.attgenerated = '' and a.attidentity = '' and not a.attisdropped
    order by a.attnum limit 1
  );
begin
  begin
    execute format('update %s set %s = %s', $1, first_column, first_column);
    get diagnostics affected = row_count;
    raise exception using errcode = 'UNDOA';
  exception
    when sqlstate 'UNDOA' then
      execute format('select count(*) from %s', $1) into total;
      return case when affected = total then 'all' else affected || ' of ' || total end;
  end;
end;
$$;
select is(
  array(select c.relation || ': ' || pg_temp.written(c.relation) from counted as c
    where c.relation::text ~ '^hospital\.' and pg_temp.written(c.relation) <> 'all'),
  '{}', 'The owner writes every row of every table.'
);
select is(
  array(select r.rolname::text from pg_catalog.pg_roles as r where r.rolname = 'hospital_owner' and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb)),
  '{}', 'And is no superuser.'
);
select tests.clear_authentication();
select * from finish();
rollback;
