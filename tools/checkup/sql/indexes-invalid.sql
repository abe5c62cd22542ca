-- What a `create index concurrently` leaves behind that failed: kept up to date, and used by nobody. A unique one
-- promises nothing.
select
  format('The index %s is not valid.', i.indexrelid::regclass) as problem,
  format('reindex index concurrently %s', i.indexrelid::regclass) as remedy
from pg_index as i
join pg_class as c
  on c.oid = i.indexrelid
where not (i.indisvalid and i.indisready)
  and c.relnamespace::regnamespace::text = any ($1)
