-- When a row last changed is not for the writer to say.
begin;
select no_plan();

select is(
  array(
    select c.table_schema || '.' || c.table_name
    from information_schema.columns as c
    where c.column_name = 'updated_at'
      and c.table_schema in ('hospital', 'hospital_private')
      and not exists (
        select
        from pg_catalog.pg_trigger as t
        where t.tgrelid = format('%I.%I', c.table_schema, c.table_name)::regclass
          and t.tgname = '_100_timestamps'
          and t.tgfoid = 'hospital_private.touch'::regproc
          and t.tgenabled = 'O'
      )
    order by 1
  ),
  '{}',
  'Every table with updated_at stamps it by a trigger.'
);
select is(
  array(
    select distinct t.tgname::text
    from pg_catalog.pg_trigger as t
    join pg_catalog.pg_class as c
      on c.oid = t.tgrelid
    join pg_catalog.pg_namespace as n
      on n.oid = c.relnamespace
    where not t.tgisinternal
      and n.nspname in ('hospital', 'hospital_private', 'audit')
      and t.tgname !~ '^_[1-9][0-9]0_'
  ),
  '{}',
  'Every trigger carries its priority in its name.'
);

select tests.facility();
update hospital.facilities set updated_at = '2000-01-01', phone = '+1 617 555 0100';
select is(updated_at, now(), 'An update is stamped with its transaction, whatever it says.')
from hospital.facilities;
select * from finish();
rollback;
