-- One table: its rows of the person, and a line of the certificate for each class of its columns.
create or replace function hospital_private.erase_rows(
  erasure_id bigint,
  relation text,
  is_due boolean,
  is_complete boolean,
  patient_ids bigint[],
  personal_values text[]
)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  target hospital_private.person_tables;
  assignments text;
  statement text;
  row_count bigint;
begin
  select t.*
  into target
  from hospital_private.person_tables as t
  where t.relation = erase_rows.relation;
  select string_agg(format('%I = %s', c.column_name, c.replacement), ', ')
  into assignments
  from hospital_private.personal_columns as c
  where c.relation = target.relation
    and c.is_erased;
  statement := case
    when not erase_rows.is_due or assignments is null then 'select from %1$s as t where %3$s'
    when target.is_deleted then 'delete from %1$s as t where %3$s'
    else 'update %1$s as t set %2$s where %3$s'
  end;
  execute format(statement, target.relation, assignments, target.rows_of)
  using erase_rows.patient_ids, erase_rows.personal_values;
  get diagnostics row_count = row_count;

  insert into hospital.erasure_lines
    (erasure_id, relation, data_class, outcome, column_names, row_count, explanation)
  select
    erase_rows.erasure_id,
    c.relation,
    c.class,
    case
      when c.class = 'sealed' and erase_rows.is_complete then 'shredded'
      when assignments is null or not erase_rows.is_due then 'kept'
      when target.is_deleted then 'deleted'
      when c.is_erased then 'erased'
      else 'kept'
    end,
    array_agg(c.column_name order by c.column_name),
    row_count,
    case
      when c.is_erased and not erase_rows.is_due
        or c.class = 'sealed' and not erase_rows.is_complete
        then 'It must be kept for now.'
      else c.explanation
    end
  from hospital_private.personal_columns as c
  where c.relation = target.relation
  group by
    c.relation,
    c.class,
    c.is_erased,
    c.explanation;
end;
$$;
comment on function hospital_private.erase_rows(
  bigint, text, boolean, boolean, bigint[], text[]
) is
  'Takes away what one table says about the person of these records, if it is due, and writes down for the certificate what became of every column.';

-- The other tables are in the certificate too: that nothing there is about patients is part of the truth.
create or replace function hospital_private.list_other_tables(erasure_id bigint)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into hospital.erasure_lines
    (erasure_id, relation, data_class, outcome, column_names, row_count, explanation)
  select
    list_other_tables.erasure_id,
    c.relation,
    c.class,
    'not_about_patients',
    array_agg(c.column_name order by c.column_name),
    0,
    c.explanation
  from hospital_private.personal_columns as c
  where c.relation not in (select t.relation from hospital_private.person_tables as t)
  group by
    c.relation,
    c.class,
    c.explanation;
$$;
comment on function hospital_private.list_other_tables(bigint) is
  'Writes down for the certificate the tables that hold nothing about patients.';

-- Asked again when all is done, of the tables and not of what was meant to be done.
create or replace function hospital_private.refuse_remains(
  patient_ids bigint[],
  personal_values text[]
)
returns void
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  target record;
  remains bigint;
begin
  for target in
    select
      t.relation,
      t.rows_of,
      case
        when t.is_deleted then 'true'
        else string_agg(format('t.%I <> %L', c.column_name, '[erased]'), ' or ')
      end as condition
    from hospital_private.person_tables as t
    join hospital_private.personal_columns as c
      on c.relation = t.relation
      and c.is_erased
      and (c.becomes_the_word or t.is_deleted)
    group by
      t.relation,
      t.rows_of,
      t.is_deleted
  loop
    execute format(
      'select count(*) from %s as t where (%s) and (%s)',
      target.relation, target.rows_of, target.condition
    )
    into remains
    using refuse_remains.patient_ids, refuse_remains.personal_values;
    if remains > 0 then
      raise exception using
        errcode = 'internal_error',
        message = 'An erasure left something behind.',
        table = target.relation;
    end if;
  end loop;
end;
$$;
comment on function hospital_private.refuse_remains(bigint[], text[]) is
  'Fails when any table still holds what an erasure was to take away, so that no certificate can be untrue.';
