-- Everything a migration can define, one row per object: what it is, its definition, owner, rights and
-- comment. Two databases are the same when these rows are. Rights are sorted, because granting anew
-- what was revoked changes their order; grantors, oids and column numbers do not count.
-- $1: schemas to leave out (of libraries and of the tests).

with
schemas as (
  select oid, nspname as name, nspowner, nspacl
  from pg_catalog.pg_namespace
  where nspname !~ '^pg_' and nspname <> 'information_schema' and nspname <> all ($1::text[])
),

-- Members of an extension are the extension's business.
members as (
  select classid, objid from pg_catalog.pg_depend where deptype = 'e'
),

objects (class, oid, sub, kind, name, owner, acl, detail) as (
  select 'pg_namespace'::regclass, oid, 0, 'schema', name::text, nspowner,
    coalesce(nspacl, acldefault('n', nspowner)), ''
  from schemas

  union all
  select 'pg_extension'::regclass, extension.oid, 0, 'extension', extname::text, extowner, null,
    format('version %s in %s', extversion, extnamespace::regnamespace)
  from pg_catalog.pg_extension as extension

  union all
  select 'pg_class'::regclass, relation.oid, 0,
    case relkind
      when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view'
      when 'm' then 'materialized view' when 'S' then 'sequence' when 'c' then 'row type'
      else relkind::text
    end,
    format('%s.%s', schemas.name, relname), relowner,
    coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner)),
    concat_ws(' ',
      case when relrowsecurity then 'row security' end,
      case when relforcerowsecurity then 'forced' end,
      case relpersistence when 'u' then 'unlogged' end,
      case when relreplident <> 'd' then 'replica identity ' || relreplident::text end,
      array_to_string(reloptions, ' '),
      pg_get_expr(relpartbound, relation.oid),
      pg_get_partkeydef(relation.oid),
      (select format('as %s start %s by %s cycle %s', seqtypid::regtype, seqstart, seqincrement, seqcycle)
       from pg_catalog.pg_sequence where seqrelid = relation.oid),
      case when relkind in ('v', 'm') then pg_get_viewdef(relation.oid) end)
  from pg_catalog.pg_class as relation
  join schemas on schemas.oid = relnamespace
  where relkind in ('r', 'p', 'v', 'm', 'S', 'c')

  union all
  select 'pg_class'::regclass, relation.oid, attnum, 'column',
    format('%s.%s.%s', schemas.name, relname, attname), null, attacl,
    concat_ws(' ',
      format_type(atttypid, atttypmod),
      case when attcollation <> type.typcollation then 'collate ' || attcollation::regcollation end,
      case when attnotnull then 'not null' end,
      'default ' || pg_get_expr(adbin, adrelid),
      case attidentity when 'a' then 'identity always' when 'd' then 'identity by default' end,
      case attgenerated when 's' then 'stored' when 'v' then 'virtual' end,
      case when attstattarget >= 0 then 'statistics ' || attstattarget end)
  from pg_catalog.pg_attribute
  join pg_catalog.pg_class as relation on relation.oid = attrelid
  join pg_catalog.pg_type as type on type.oid = atttypid
  join schemas on schemas.oid = relnamespace
  left join pg_catalog.pg_attrdef on adrelid = attrelid and adnum = attnum
  where attnum > 0 and not attisdropped and relkind in ('r', 'p', 'v', 'm', 'c')

  union all
  select 'pg_constraint'::regclass, item.oid, 0, 'constraint',
    format('%s.%s', coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text), conname),
    null, null, pg_get_constraintdef(item.oid)
  from pg_catalog.pg_constraint as item
  join schemas on schemas.oid = connamespace
  where contype <> 'n'

  union all
  select 'pg_class'::regclass, indexrelid, 0, 'index', indexrelid::regclass::text, null, null,
    concat_ws(' ', pg_get_indexdef(indexrelid), case when not indisvalid then 'INVALID' end)
  from pg_catalog.pg_index
  join pg_catalog.pg_class as relation on relation.oid = indrelid
  join schemas on schemas.oid = relnamespace

  union all
  select 'pg_trigger'::regclass, item.oid, 0, 'trigger', format('%s.%s', tgrelid::regclass, tgname),
    null, null, concat_ws(' ', pg_get_triggerdef(item.oid), nullif(tgenabled, 'O')::text)
  from pg_catalog.pg_trigger as item
  join pg_catalog.pg_class as relation on relation.oid = tgrelid
  join schemas on schemas.oid = relnamespace
  where not tgisinternal

  union all
  select 'pg_policy'::regclass, item.oid, 0, 'policy', format('%s.%s', polrelid::regclass, polname),
    null, null,
    concat_ws(' ',
      case when not polpermissive then 'restrictive' end,
      'for', polcmd::text, 'to',
      (select string_agg(case role when 0 then 'public' else role::regrole::text end, ', ' order by role)
       from unnest(polroles) as role),
      'using ' || pg_get_expr(polqual, polrelid),
      'with check ' || pg_get_expr(polwithcheck, polrelid))
  from pg_catalog.pg_policy as item
  join pg_catalog.pg_class as relation on relation.oid = polrelid
  join schemas on schemas.oid = relnamespace

  union all
  select 'pg_proc'::regclass, item.oid, 0, 'function', item.oid::regprocedure::text, proowner,
    coalesce(proacl, acldefault('f', proowner)),
    case when prokind = 'a' then 'aggregate' else pg_get_functiondef(item.oid) end
  from pg_catalog.pg_proc as item
  join schemas on schemas.oid = pronamespace

  union all
  select 'pg_type'::regclass, item.oid, 0, 'type', item.oid::regtype::text, typowner,
    coalesce(typacl, acldefault('T', typowner)),
    concat_ws(' ', typtype::text, nullif(format_type(typbasetype, typtypmod), '-'), typdefault,
      case when typnotnull then 'not null' end,
      (select string_agg(enumlabel, ', ' order by enumsortorder)
       from pg_catalog.pg_enum where enumtypid = item.oid))
  from pg_catalog.pg_type as item
  join schemas on schemas.oid = typnamespace
  where typtype in ('d', 'e', 'r')

  union all
  select 'pg_statistic_ext'::regclass, item.oid, 0, 'statistics', format('%s.%s', schemas.name, stxname),
    null, null, pg_get_statisticsobjdef(item.oid)
  from pg_catalog.pg_statistic_ext as item
  join schemas on schemas.oid = stxnamespace

  union all
  select 'pg_default_acl'::regclass, item.oid, 0, 'default rights',
    format('of %s on %s in %s', defaclrole::regrole, defaclobjtype,
      coalesce(nullif(defaclnamespace, 0)::regnamespace::text, 'any schema')),
    null, defaclacl, ''
  from pg_catalog.pg_default_acl as item

  union all
  select 'pg_publication'::regclass, item.oid, 0, 'publication', pubname::text, pubowner, null,
    (select string_agg(prrelid::regclass::text, ', ' order by prrelid::regclass::text)
     from pg_catalog.pg_publication_rel where prpubid = item.oid)
  from pg_catalog.pg_publication as item

  union all
  select 'pg_event_trigger'::regclass, item.oid, 0, 'event trigger', evtname::text, evtowner, null,
    format('%s %s %s', evtevent, evtfoid::regproc, evtenabled)
  from pg_catalog.pg_event_trigger as item
)

select
  objects.kind,
  objects.name,
  objects.detail,
  objects.owner::regrole::text as owner,
  (
    select string_agg(entry, ', ' order by entry)
    from (
      select format('%s: %s',
        case grantee when 0 then 'public' else grantee::regrole::text end,
        string_agg(concat(privilege_type, case when is_grantable then '*' end), ' '
          order by privilege_type)) as entry
      from aclexplode(objects.acl)
      group by grantee
    ) as entries
  ) as rights,
  description.description as comment
from objects
left join pg_catalog.pg_description as description
  on description.classoid = objects.class
  and description.objoid = objects.oid
  and description.objsubid = objects.sub
where not exists (
  select
  from members
  where members.classid = objects.class and members.objid = objects.oid
)
order by objects.kind collate "C", objects.name collate "C", objects.detail collate "C"
