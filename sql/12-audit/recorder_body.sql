-- One trigger function per table, written here from the catalogue: its statements are static, so that
-- plpgsql keeps their plans. Read one with \sf audit.record_hospital_visits.
create or replace function audit.recorder_body(relation regclass)
returns text
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  patient_column text := audit.patient_column(recorder_body.relation);
  old_patient text := coalesce('o.' || quote_ident(patient_column), 'null::bigint');
  new_patient text := coalesce('n.' || quote_ident(patient_column), 'null::bigint');
  purpose text := case
    when patient_column is null then 'null'
    else 'case when actor.session_id is not null then audit.purpose_of(actor.session_id, %s) end'
  end;
  identity text := audit.identity_expression(recorder_body.relation, 'o');
  changed text := audit.identity_changed_expression(recorder_body.relation);
  -- Once for a statement, not for each row.
  keys constant text := $keys$with keys as materialized (
      select k.patient_id, k.key
      from audit.person_keys_of(
        array(select distinct %1$s from old_rows as o%2$s where %1$s is not null%3$s), true
      ) as k
    )
    $keys$;
  joined constant text := format('
    left join keys as k
      on k.patient_id = %s', old_patient);
  first_key text;
  same_row text;
begin
  select
    min(format('%I', a.attname)) filter (where k.position = 1),
    string_agg(format('n.%1$I = o.%1$I', a.attname), ' and ' order by k.position)
  into first_key, same_row
  from pg_catalog.pg_constraint as c
  cross join lateral unnest(c.conkey) with ordinality as k (attnum, position)
  join pg_catalog.pg_attribute as a
    on a.attrelid = c.conrelid
    and a.attnum = k.attnum
  where c.conrelid = recorder_body.relation
    and c.contype = 'p';
  return format(
    $body$
declare
  actor audit.actor := audit.current_actor();
begin
  if tg_op = 'INSERT' then
    insert into audit.entries
      (table_name, operation, row_key, patient_id, new_row_digest,
        account_id, session_id, role, client_address, request_id, purpose)
    select %1$L, 'insert', %2$s, %3$s, %4$s,
      actor.account_id, actor.session_id, actor.role, actor.client_address, actor.request_id, %5$s
    from new_rows as n;
  elsif tg_op = 'UPDATE' then
    -- A row whose key was changed is a row gone and a row come.
    %13$sinsert into audit.entries
      (table_name, operation, row_key, patient_id, old_image, sealed_identity, new_row_digest,
        account_id, session_id, role, client_address, request_id, purpose)
    select %1$L,
      case
        when o.%6$s is null then 'insert'
        when n.%6$s is null then 'delete'
        else 'update'
      end,
      coalesce(%2$s, %7$s),
      coalesce(%3$s, %8$s),
      %9$s,
      %10$s,
      case when n.%6$s is not null then %4$s end,
      actor.account_id, actor.session_id, actor.role, actor.client_address, actor.request_id, %5$s
    from old_rows as o
    full join new_rows as n
      on %11$s%14$s;
  elsif tg_op = 'DELETE' then
    %15$sinsert into audit.entries
      (table_name, operation, row_key, patient_id, old_image, sealed_identity,
        account_id, session_id, role, client_address, request_id, purpose)
    select %1$L, 'delete', %7$s, %8$s, %9$s, %16$s,
      actor.account_id, actor.session_id, actor.role, actor.client_address, actor.request_id, %12$s
    from old_rows as o%14$s;
  else
    insert into audit.entries
      (table_name, operation, account_id, session_id, role, client_address, request_id)
    values (%1$L, 'truncate',
      actor.account_id, actor.session_id, actor.role, actor.client_address, actor.request_id);
  end if;
  return null;
end;
$body$,
    audit.name_of(recorder_body.relation),
    audit.key_expression(recorder_body.relation, 'n'),
    new_patient,
    audit.digest_expression(recorder_body.relation, 'n'),
    format(purpose, new_patient),
    first_key,
    audit.key_expression(recorder_body.relation, 'o'),
    old_patient,
    audit.image_expression(recorder_body.relation, 'o'),
    coalesce(
      'case when ' || changed || ' then audit.seal_identity(k.key, ' || identity || ') end',
      'null'
    ),
    same_row,
    format(purpose, old_patient),
    case
      when identity is not null
        then format(
          keys,
          old_patient,
          format(' left join new_rows as n on %s', same_row),
          format(' and %s', changed)
        )
    end,
    case when identity is not null then joined end,
    case when identity is not null then format(keys, old_patient, '', '') end,
    coalesce('audit.seal_identity(k.key, ' || identity || ')', 'null')
  );
end;
$$;
comment on function audit.recorder_body(regclass) is
  'The body of the trigger function that records the changes of a table, written from its columns.';

create or replace function audit.recorder_name(relation regclass)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select 'record_' || replace(replace(audit.name_of(recorder_name.relation), '.', '_'), '"', '');
$$;
comment on function audit.recorder_name(regclass) is
  'The name of the function that records the changes of a table.';

create or replace function audit.purpose_of(session_id uuid, patient_id bigint)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select c.purpose
  from audit.chart_accesses as c
  where c.session_id = purpose_of.session_id
    and c.patient_id = purpose_of.patient_id
  order by c.opened_at desc
  limit 1;
$$;
comment on function audit.purpose_of(uuid, bigint) is
  'The purpose for which a session last opened a patient''s chart, or null.';
