-- The catalogue beside what we say of it. A column nobody classified shows with a null class.
create or replace view hospital_private.personal_columns
with (security_invoker = true) as
select
  format('%s.%s', n.nspname, r.relname) as relation,
  a.attname::text as column_name,
  c.class,
  d.is_erased,
  d.explanation,
  coalesce(
    c.replacement, format('case when t.%I is not null then %L end', a.attname, '[erased]')
  ) as replacement,
  c.replacement is null as becomes_the_word,
  case
    when r.oid = 'hospital.patients'::regclass then 'id'
    else (
      select k.attname::text
      from pg_catalog.pg_attribute as k
      where k.attrelid = r.oid
        and k.attname = 'patient_id'
    )
  end as patient_column
from pg_catalog.pg_attribute as a
join pg_catalog.pg_class as r
  on r.oid = a.attrelid
  and r.relkind in ('r', 'p')
  and not r.relispartition
join pg_catalog.pg_namespace as n
  on n.oid = r.relnamespace
  and n.nspname in (
    'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
  )
left join hospital_private.column_classes as c
  on c.relation = format('%s.%s', n.nspname, r.relname)
  and c.column_name = a.attname
left join hospital_private.data_classes as d
  on d.code = c.class
where a.attnum > 0
  and not a.attisdropped;
comment on view hospital_private.personal_columns is
  'Every column of every table of ours as the catalogue has it, with what it says about a person.';
comment on column hospital_private.personal_columns.relation is 'The table, with its schema.';
comment on column hospital_private.personal_columns.column_name is 'The column.';
comment on column hospital_private.personal_columns.class is
  'What the column says about a person, or null where nobody has classified it.';
comment on column hospital_private.personal_columns.is_erased is
  'Whether an erasure takes away what is in it, or null where nobody has classified it.';
comment on column hospital_private.personal_columns.explanation is
  'Why it is erased or kept, or null where nobody has classified it.';
comment on column hospital_private.personal_columns.replacement is
  'The expression on a row t that an erasure puts in its place.';
comment on column hospital_private.personal_columns.becomes_the_word is
  'Whether that is the word [erased] for every value.';
comment on column hospital_private.personal_columns.patient_column is
  'The column of the table that says which patient a row is about, or null where none does.';
