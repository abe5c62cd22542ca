-- Every foreign key has an index that begins with its columns: without one, each delete or update of
-- the referenced row reads the whole table, and the API offers no way back along the relation.
/* broken by
create table hospital.probe (id bigint, patient_id bigint references hospital.patients (id));
mended by
create index probe_patient_id_idx on hospital.probe (patient_id);
*/
select
  format('%s.%s', key.conrelid::regclass, key.conname) as subject,
  'has no index on its columns' as problem
from pg_constraint as key
join pg_namespace as namespace
  on namespace.oid = key.connamespace
where key.contype = 'f'
  and namespace.nspname in (
    'hospital', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
  )
  and not exists (
    select
    from pg_index as index
    cross join lateral (select string_to_array(index.indkey::text, ' ')::smallint[] as columns) as keys
    where index.indrelid = key.conrelid
      and index.indisvalid
      -- A partial index serves when all it leaves out is null, which refers to nothing.
      and coalesce(pg_get_expr(index.indpred, index.indrelid) ~ '^\(\w+ IS NOT NULL\)$', true)
      and (
        keys.columns[1:cardinality(key.conkey)] @> key.conkey
        -- One of the columns alone finds the one row.
        or index.indisunique and keys.columns <@ key.conkey
      )
  )
