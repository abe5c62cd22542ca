-- An entry holds the row as it was. What it became is what the next entry of the row says it was, or the
-- row as it is: so an image is stored once, and compared when somebody reads.
create or replace function hospital.audit_entries(
  patient_id bigint default null,
  table_name text default null,
  row_key text default null,
  account_id bigint default null,
  recorded_from timestamptz default null,
  recorded_before timestamptz default null,
  older_than bigint default null
)
returns setof hospital.audit_entry
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    e.sequence,
    e.recorded_at,
    e.table_name,
    e.operation,
    e.row_key,
    e.patient_id,
    e.account_id,
    e.role,
    e.database_user,
    host(e.client_address),
    e.request_id,
    e.purpose,
    audit.changes_of(e)
  from audit.entries as e
  where (select hospital_private.audit_is_open())
    and (audit_entries.patient_id is null or e.patient_id = audit_entries.patient_id)
    and (audit_entries.table_name is null or e.table_name = audit_entries.table_name)
    and (audit_entries.row_key is null or e.row_key = audit_entries.row_key)
    and (audit_entries.account_id is null or e.account_id = audit_entries.account_id)
    and (audit_entries.recorded_from is null or e.recorded_at >= audit_entries.recorded_from)
    and (audit_entries.recorded_before is null or e.recorded_at < audit_entries.recorded_before)
    and (audit_entries.older_than is null or e.sequence < audit_entries.older_than)
  order by e.sequence desc
  limit 200;
$$;
comment on function hospital.audit_entries(bigint, text, text, bigint, timestamptz, timestamptz, bigint) is
  'The newest 200 changes on record that fit, with the columns changed; older ones by older_than. Nothing unless the auditor''s session has called open_audit. Lends the owner''s right to read the audit.';

create or replace function audit.changes_of(entry audit.entries)
returns hospital.audit_change[]
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  before jsonb := entry.old_image
    || coalesce(audit.open_identity(entry.patient_id, entry.sealed_identity), '{}');
  after jsonb := audit.image_after(entry);
  keeps_identity constant boolean := entry.operation = 'update' and entry.sealed_identity is null;
begin
  if entry.operation in ('baseline', 'truncate') then
    return '{}'::hospital.audit_change[];
  end if;
  return array(
    select row(
      k.name,
      case when i.column_name is null then before ->> k.name end,
      case when i.column_name is null then after ->> k.name end,
      i.column_name is not null
    )::hospital.audit_change
    from (
      select jsonb_object_keys(coalesce(before, '{}') || coalesce(after, '{}'))
    ) as k (name)
    left join audit.identity_columns as i
      on i.table_name = entry.table_name
      and i.column_name = k.name
      and entry.patient_id is not null
    where before ->> k.name is distinct from after ->> k.name
      and not (i.column_name is not null and keeps_identity)
    order by k.name
  );
end;
$$;
comment on function audit.changes_of(audit.entries) is
  'The columns that differ between the row as it was and as it became; of those that identify a patient only the names.';

-- What the row became is what its next entry says it was. What identifies the patient is sealed by the
-- change that ends it, which may be a later one, and stands in the row until then.
create or replace function audit.image_after(entry audit.entries)
returns jsonb
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  next audit.entries;
  ending audit.entries;
begin
  if entry.operation = 'delete' then
    return null;
  end if;
  select n.*
  into next
  from audit.entries as n
  where n.table_name = entry.table_name
    and n.row_key = entry.row_key
    and n.sequence > entry.sequence
    and n.old_image is not null
  order by n.sequence
  limit 1;
  if next.sequence is null then
    return audit.live_image(entry.table_name, entry.row_key);
  end if;
  select n.*
  into ending
  from audit.entries as n
  where n.table_name = entry.table_name
    and n.row_key = entry.row_key
    and n.sequence >= next.sequence
    and (n.sealed_identity is not null or n.operation = 'delete')
  order by n.sequence
  limit 1;
  return next.old_image || coalesce(
    case
      when ending.sequence is not null
        then audit.open_identity(ending.patient_id, ending.sealed_identity)
      else (
        select jsonb_object_agg(i.column_name, live.image -> i.column_name)
        from audit.live_image(entry.table_name, entry.row_key) as live (image)
        join audit.identity_columns as i
          on i.table_name = entry.table_name
        where next.patient_id is not null
      )
    end,
    '{}'
  );
end;
$$;
comment on function audit.image_after(audit.entries) is
  'The row as a change left it, with what identifies the patient as far as the key still exists; null where it was deleted.';

create or replace function audit.live_image(table_name text, row_key text)
returns jsonb
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  relation regclass := to_regclass(live_image.table_name);
  key text;
  image jsonb;
begin
  if relation is null then
    return null;
  end if;
  -- Part by part and with the column's type, so that the primary key's index is used.
  select string_agg(
    format(
      'n.%I = %s::%s',
      a.attname,
      case cardinality(c.conkey)
        when 1 then '$1'
        else format($part$split_part($1, ' ', %s)$part$, k.position)
      end,
      format_type(a.atttypid, a.atttypmod)
    ),
    ' and '
  )
  into key
  from pg_catalog.pg_constraint as c
  cross join lateral unnest(c.conkey) with ordinality as k (attnum, position)
  join pg_catalog.pg_attribute as a
    on a.attrelid = c.conrelid
    and a.attnum = k.attnum
  where c.conrelid = relation
    and c.contype = 'p';
  execute format(
    'select to_jsonb(n) - %L::text[] from %s as n where %s',
    array(
      select u.column_name
      from audit.unaudited_columns as u
      where u.table_name = live_image.table_name
    ),
    relation,
    key
  )
  into image
  using live_image.row_key;
  return image;
end;
$$;
comment on function audit.live_image(text, text) is
  'A row as it is now, without secrets, by table and primary key; null where there is none.';
