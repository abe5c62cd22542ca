-- Every delete or update of the row referred to would read the whole table.
select
  format('The foreign key %s of %s has no index.', k.conname, k.conrelid::regclass) as problem,
  format(
    'In a migration: create index on %s (%s)',
    k.conrelid::regclass,
    (
      select string_agg(quote_ident(a.attname), ', ' order by c.place)
      from unnest(k.conkey) with ordinality as c (number, place)
      join pg_attribute as a
        on a.attrelid = k.conrelid
        and a.attnum = c.number
    )
  ) as remedy
from pg_constraint as k
where k.contype = 'f'
  and k.conparentid = 0
  and k.connamespace::regnamespace::text = any ($1)
  and not exists (
    select
    from pg_index as i
    cross join lateral (
      select string_to_array(i.indkey::text, ' ')::smallint[] as columns
    ) as of_index
    where i.indrelid = k.conrelid
      and i.indisvalid
      and (
        of_index.columns[1:cardinality(k.conkey)] @> k.conkey
        or i.indisunique and of_index.columns <@ k.conkey
      )
  )
