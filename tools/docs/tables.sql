-- Every table of our schemas with its columns and foreign keys, as the data dictionary shows them.
select
  n.nspname as schema,
  c.relname as name,
  obj_description(c.oid, 'pg_class') as comment,
  (
    select json_agg(
      json_build_object(
        'name', a.attname,
        'type', format_type(a.atttypid, a.atttypmod),
        'required', a.attnotnull,
        'comment', col_description(c.oid, a.attnum),
        'isKey', coalesce(a.attnum = any (k.conkey), false)
      )
      order by a.attnum
    )
    from pg_catalog.pg_attribute as a
    left join pg_catalog.pg_constraint as k
      on k.conrelid = c.oid
      and k.contype = 'p'
    where a.attrelid = c.oid
      and a.attnum > 0
      and not a.attisdropped
  ) as columns,
  coalesce(
    (
      select json_agg(
        json_build_object('name', r.conname, 'rule', pg_get_constraintdef(r.oid))
        order by r.contype, r.conname
      )
      from pg_catalog.pg_constraint as r
      where r.conrelid = c.oid
        and r.contype in ('c', 'u', 'x', 'f')
    ),
    '[]'
  ) as rules,
  to_json(
    array(
      select distinct f.confrelid::regclass::text
      from pg_catalog.pg_constraint as f
      where f.conrelid = c.oid
        and f.contype = 'f'
      order by 1
    )
  ) as refers_to
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n
  on n.oid = c.relnamespace
where n.nspname in ('hospital', 'hospital_private', 'audit', 'masked', 'staging', 'ops')
  and c.relkind in ('r', 'p')
  and not c.relispartition
order by
  n.nspname,
  c.relname;
