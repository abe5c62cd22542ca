-- The expressions of which recording and verifying are made, so that both say the same of a row.

create or replace function audit.key_expression(relation regclass, alias text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(
    format('%s.%I::text', key_expression.alias, a.attname),
    $glue$ || ' ' || $glue$
    order by k.position
  )
  from pg_catalog.pg_constraint as c
  cross join lateral unnest(c.conkey) with ordinality as k (attnum, position)
  join pg_catalog.pg_attribute as a
    on a.attrelid = c.conrelid
    and a.attnum = k.attnum
  where c.conrelid = key_expression.relation
    and c.contype = 'p';
$$;
comment on function audit.key_expression(regclass, text) is
  'SQL for the primary key of a row as text.';

-- The binary form of values depends on no setting of the session. A phone number could be found again
-- by trying all of them against a plain digest, so digests of rows with identity carry the person's salt.
create or replace function audit.digest_expression(relation regclass, alias text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select format(
    'sha256(%srecord_send(row(%s)))',
    case
      when exists (
        select
        from audit.identity_columns as i
        where i.table_name = audit.name_of(digest_expression.relation)
      )
        then format(
          'coalesce((select k.digest_salt from audit.person_keys as k '
            'where k.patient_id = %s.%I), '''') || ',
          digest_expression.alias,
          audit.patient_column(digest_expression.relation)
        )
      else ''
    end,
    (
      select string_agg(
        format('%s.%I', digest_expression.alias, c.name),
        ', '
        order by c.position
      )
      from unnest(audit.audited_columns(digest_expression.relation))
        with ordinality as c (name, position)
    )
  );
$$;
comment on function audit.digest_expression(regclass, text) is
  'SQL for the SHA-256 of the recorded columns of a row, salted where the row identifies a patient.';

create or replace function audit.image_expression(relation regclass, alias text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select format('to_jsonb(%s)', image_expression.alias)
    || coalesce(
      (
        select format(' - %L::text[]', array_agg(u.column_name order by u.column_name))
        from audit.unaudited_columns as u
        where u.table_name = audit.name_of(image_expression.relation)
        having count(*) > 0
      ),
      ''
    )
    || coalesce(
      (
        select format(
          ' - case when %s.%I is null then %L else %L end::text[]',
          image_expression.alias,
          audit.patient_column(image_expression.relation),
          '{}',
          array_agg(i.column_name order by i.column_name)
        )
        from audit.identity_columns as i
        where i.table_name = audit.name_of(image_expression.relation)
        having count(*) > 0
      ),
      ''
    );
$$;
comment on function audit.image_expression(regclass, text) is
  'SQL for the image of a row in clear: without secrets, and without identity where the row is a patient''s.';

create or replace function audit.identity_expression(relation regclass, alias text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select format(
    'jsonb_build_object(%s)',
    string_agg(
      format('%L, %s.%I', i.column_name, identity_expression.alias, i.column_name),
      ', '
      order by i.column_name
    )
  )
  from audit.identity_columns as i
  where i.table_name = audit.name_of(identity_expression.relation)
  having count(*) > 0;
$$;
comment on function audit.identity_expression(regclass, text) is
  'SQL for what identifies the patient in a row, to be sealed; null where the table has nothing that does.';

-- An update that leaves it as it was need not seal it once more: readers find it with a later change, or
-- in the row.
create or replace function audit.identity_changed_expression(relation regclass)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  -- Whose it was counts too: it is sealed with that person's key. Of a row that went it is null.
  select format(
    '(o.%1$I, %2$s) is distinct from (n.%1$I, %3$s)',
    audit.patient_column(identity_changed_expression.relation),
    string_agg(format('o.%I', i.column_name), ', ' order by i.column_name),
    string_agg(format('n.%I', i.column_name), ', ' order by i.column_name)
  )
  from audit.identity_columns as i
  where i.table_name = audit.name_of(identity_changed_expression.relation)
  having count(*) > 0;
$$;
comment on function audit.identity_changed_expression(regclass) is
  'SQL that tells whether a row o became another n in what identifies the patient, or in whose it is; null where the table has nothing that identifies anybody.';
