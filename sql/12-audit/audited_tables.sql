-- The rule is the catalogue's: what stands in these schemas is recorded unless the list says otherwise.
create or replace function audit.audited_tables()
returns setof regclass
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select c.oid::regclass
  from pg_catalog.pg_class as c
  where c.relkind in ('r', 'p')
    and not c.relispartition
    and (
      c.relnamespace in ('hospital'::regnamespace, 'hospital_private'::regnamespace)
      or c.oid in ('audit.chart_accesses'::regclass, 'audit.audit_openings'::regclass)
    )
    and not exists (
      select
      from audit.unaudited_tables as u
      where to_regclass(u.table_name) = c.oid
    )
  order by c.oid::regclass::text;
$$;
comment on function audit.audited_tables() is
  'Every table whose changes must be recorded: all of hospital and hospital_private and the records of reading, but for those listed with a reason.';

create or replace function audit.name_of(relation regclass)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select format('%I.%I', n.nspname, c.relname)
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n
    on n.oid = c.relnamespace
  where c.oid = name_of.relation;
$$;
comment on function audit.name_of(regclass) is
  'The name of a table with its schema, whatever the search path is.';

create or replace function audit.audited_columns(relation regclass)
returns text[]
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select a.attname::text
    from pg_catalog.pg_attribute as a
    where a.attrelid = audited_columns.relation
      and a.attnum > 0
      and not a.attisdropped
      and not exists (
        select
        from audit.unaudited_columns as u
        where u.table_name = audit.name_of(audited_columns.relation)
          and u.column_name = a.attname
      )
    order by a.attnum
  );
$$;
comment on function audit.audited_columns(regclass) is
  'The columns of a table that are recorded, in order: all but the secrets.';

create or replace function audit.patient_column(relation regclass)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when patient_column.relation = 'hospital.patients'::regclass then 'id'
    when 'patient_id' = any (audit.audited_columns(patient_column.relation)) then 'patient_id'
  end;
$$;
comment on function audit.patient_column(regclass) is
  'The column of a table that says which patient a row is about, or null.';
