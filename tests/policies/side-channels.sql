-- What a refusal tells: whoever names a row he may not see hears the same, word for word, as whoever names
-- one that does not exist. Tried with every key of every table and every argument that is a key.
begin;
select no_plan();
select tests.matrix_world();
select tests.list_rows();

create temporary sequence heard;
grant usage on heard to public;
-- A statement's outcome in everything a client could compare. It is undone.
create function pg_temp.heard(statement text, image jsonb default null) returns text
language plpgsql
as $$
declare
  code text;
  message text;
  detail text;
  hint text;
  rule text;
  answer text;
begin
  perform nextval('heard');
  begin
    if $2 is null then
      execute $1 into answer;
    else
      execute $1 using $2;
    end if;
    set constraints all immediate;
    raise exception using errcode = 'UNDOA', message = coalesce(answer, 'done');
  exception
    when others then
      get stacked diagnostics
        code = returned_sqlstate,
        message = message_text,
        detail = pg_exception_detail,
        hint = pg_exception_hint,
        rule = constraint_name;
      return concat_ws(' | ', code, message, detail, hint, rule);
  end;
end;
$$;

-- Which keys of a table somebody sees, and one that he does not; none, where he sees all.
create function pg_temp.visible(relation regclass, key name) returns text[]
language plpgsql
as $$
declare
  keys text[];
begin
  execute format('select array_agg(%I::text order by %I) from %s', $2, $2, $1) into keys;
  return coalesce(keys, '{}');
exception
  when insufficient_privilege then
    return '{}';
end;
$$;
create function pg_temp.hidden(relation regclass, key name) returns text
language sql
as $$
  select max(m.image ->> $2)
  from tests.matrix_rows as m
  where m.relation = $1
    and m.image ->> $2 <> all (pg_temp.visible($1, $2));
$$;

-- The columns that name a row of another table of the hospital.
create temporary table keys on commit drop as
select distinct
  k.conrelid::regclass as relation,
  near.attname as column_name,
  k.confrelid::regclass as target,
  far.attname as target_key
from pg_catalog.pg_constraint as k
cross join unnest(k.conkey, k.confkey) as c (near, far)
join pg_catalog.pg_attribute as near
  on near.attrelid = k.conrelid
  and near.attnum = c.near
  and near.atttypid = 'bigint'::regtype
join pg_catalog.pg_attribute as far
  on far.attrelid = k.confrelid
  and far.attnum = c.far
where k.contype = 'f'
  and k.connamespace = 'hospital'::regnamespace
  and k.confrelid::regclass::text ~ '^hospital\.'
  and exists (
    select
    from pg_catalog.pg_index as i
    where i.indrelid = k.confrelid
      and i.indisunique
      and i.indpred is null
      and i.indkey::text = c.far::text
  );
grant select on keys to public;

-- A copy of every row, with one key after another changed to one that is hidden and to one that is not
-- there, is inserted; and where rows can be changed, the key is written over.
create function pg_temp.told_by_writing(role text) returns setof text
language plpgsql
as $$
declare
  item record;
  statement text;
  absent text := '900000000000';
begin
  perform tests.play($1, true);
  for item in
    select
      k.relation,
      k.column_name,
      m.image,
      m.place,
      w.command,
      pg_temp.hidden(k.target, k.target_key) as hidden
    from keys as k
    cross join (values ('insert'), ('update')) as w (command)
    join tests.matrix_rows as m
      on m.relation = k.relation
    where has_column_privilege(k.relation, k.column_name, w.command)
  loop
    continue when item.hidden is null;
    statement := case item.command
      when 'insert' then format(
        'insert into %1$s (%2$s) select %2$s from jsonb_populate_record(null::%1$s, $1)',
        item.relation, tests.listed(tests.may_columns(item.relation, 'insert'))
      )
      else format(
        'update %s set %I = ($1->>%L)::bigint where tableoid::text || ctid = %L',
        item.relation, item.column_name, item.column_name, item.place
      )
    end;
    return query
      select format('%s %s.%s as %s: %s / %s', item.command, item.relation, item.column_name, $1, h.hidden, h.absent)
      from (
        select
          pg_temp.heard(statement, item.image || jsonb_build_object(item.column_name, item.hidden)) as hidden,
          replace(
            pg_temp.heard(statement, item.image || jsonb_build_object(item.column_name, absent)),
            absent, item.hidden
          ) as absent
      ) as h
      where h.hidden <> h.absent;
  end loop;
  perform tests.clear_authentication();
end;
$$;
select is(
  array(select pg_temp.told_by_writing(p.role)), '{}',
  format('No key that %s writes tells whether there is such a row.', p.role)
)
from tests.personas() as p
where p.role <> 'worker'
order by p.role;

-- What each argument that is a key names: the table of that name, or whose name ends in it; of two such
-- the one whose row the function returns.
create temporary table arguments on commit drop as
select
  p.function,
  p.name,
  case
    when p.name in ('duplicate_id', 'survivor_id') then 'hospital.patients'::regclass
    when p.name = 'addendum_to_id' then 'hospital.clinical_notes'::regclass
    else (
    select c.oid::regclass
    from pg_catalog.pg_class as c
    cross join unnest(array[
      p.word, p.word || 's', p.word || 'es', regexp_replace(p.word, 'y$', 'ies')
    ]) as form
    where c.relnamespace = 'hospital'::regnamespace
      and c.relkind in ('r', 'p')
      and (c.relname = form or c.relname like '%\_' || form)
    order by
      c.reltype = p.answer desc,
      length(c.relname),
      c.relname
    limit 1
    )
  end as target
from (
  select
    f.oid as function,
    f.prorettype as answer,
    a.name,
    regexp_replace(a.name, '_id$', '') as word
  from pg_catalog.pg_proc as f
  cross join unnest(f.proargnames, f.proargtypes::oid[]) as a (name, type)
  where f.pronamespace in ('hospital'::regnamespace, 'analytics'::regnamespace)
    and a.type = 'bigint'::regtype
    and a.name ~ '_id$'
    -- Accounts are nobody's to see: the auditor's filter by one answers with entries or none.
    and a.name <> 'account_id'
) as p;
grant select on arguments to public;
select is(
  array(select distinct name from arguments where target is null), '{}',
  'It is known what every argument that is a key names.'
);

-- A value for every other argument, such that a call comes as far as it can.
create function pg_temp.fitting(function oid, name text, type regtype) returns text
language sql
as $$
  select coalesce(
    case $2
      when 'cancellation_reason' then 'patient_request'
      when 'no_show_reason' then 'did_not_come'
      when 'override_reason' then 'urgent_need'
      when 'ends_at' then tests.next_working_instant(tests.id_of('dora'), '16:00', 3)::text
      when 'type' then tests.treatment_type()
      when 'purpose' then 'treatment'
    end,
    case $3
      when 'timestamptz'::regtype then tests.next_working_instant(tests.id_of('dora'), '15:00', 3)::text
      when 'date'::regtype then current_date::text
      when 'bigint'::regtype then (
        select (pg_temp.visible(a.target, 'id'))[cardinality(pg_temp.visible(a.target, 'id'))]
        from arguments as a
        where a.function = $1
          and a.name = $2
      )
      when 'integer'::regtype then '1'
      when 'numeric'::regtype then '1'
      when 'boolean'::regtype then 'false'
      when 'text'::regtype then 'x'
      else '{}'
    end
  );
$$;

create function pg_temp.told_by_calling(role text) returns setof text
language plpgsql
as $$
declare
  item record;
  absent text := '900000000000';
begin
  perform tests.play($1, true);
  for item in
    select
      f.oid,
      f.proname,
      a.name,
      pg_temp.hidden(k.target, 'id') as hidden,
      (
        select string_agg(
          format('%I => %s', o.name, case
            when o.name = a.name then '%1$L'
            else format('%L::%s', pg_temp.fitting(f.oid, o.name, o.type), o.type::regtype)
          end),
          ', '
        )
        from unnest(f.proargnames, f.proargtypes::oid[]) with ordinality as o (name, type, position)
        where o.name = a.name
          or o.position <= f.pronargs - f.pronargdefaults
      ) as passed
    from pg_catalog.pg_proc as f
    cross join unnest(f.proargnames, f.proargtypes::oid[]) as a (name, type)
    join arguments as k
      on k.function = f.oid
      and k.name = a.name
    where f.pronamespace in ('hospital'::regnamespace, 'analytics'::regnamespace)
      and a.type = 'bigint'::regtype
      and has_function_privilege(f.oid, 'execute')
  loop
    continue when item.hidden is null;
    return query
      select format('%s(%s) as %s: %s / %s', item.proname, item.name, $1, h.hidden, h.absent)
      from (
        select
          pg_temp.heard(format(c.statement, item.hidden)) as hidden,
          replace(pg_temp.heard(format(c.statement, absent)), absent, item.hidden) as absent
        from (
          select format('select jsonb_agg(to_jsonb(r)) from %s(%s) as r', item.oid::regproc, item.passed)
        ) as c (statement)
      ) as h
      where h.hidden <> h.absent;
  end loop;
  perform tests.clear_authentication();
end;
$$;
select is(
  array(select pg_temp.told_by_calling(p.role)), '{}',
  format('No function that %s calls tells whether there is such a row.', p.role)
)
from tests.personas() as p
where p.role <> 'worker'
order by p.role;

select cmp_ok(last_value, '>', 300::bigint, 'All this was really tried.') from heard;

-- What the planner knows of a table is a sample of everybody's rows.
analyze;
create function pg_temp.statistics(role text) returns setof text
language plpgsql
as $$
begin
  perform tests.play($1);
  return query
    select s.tablename::text from pg_catalog.pg_stats as s where s.schemaname !~ '^(pg_|information_schema|graphile_worker|tests)'
    union all
    select s.tablename::text from pg_catalog.pg_stats_ext as s;
  perform tests.clear_authentication();
end;
$$;
select is(
  array(select pg_temp.statistics(p.role)), '{}', format('%s reads no statistics of any table.', initcap(p.role))
)
from tests.personas() as p
order by p.role;

-- A write that asks for nothing is not held to what may be read, only to what may be written. So it may
-- touch no row that a write with a condition cannot.
create function pg_temp.touched(relation text, command text, columns text) returns bigint
language plpgsql
as $$
declare
  name text;
  affected bigint;
begin
  foreach name in array string_to_array(coalesce($3, ''), ', ') || array['']::text[] loop
    begin
      execute case $2
        when 'delete' then format('delete from %s', $1)
        else format(
          'update %1$s set %2$I = (jsonb_populate_record(null::%1$s, $1)).%2$I', $1, name
        )
      end
      using (
        select m.image from tests.matrix_rows as m where m.relation = $1::regclass order by m.place limit 1
      );
      get diagnostics affected = row_count;
      raise exception using errcode = 'UNDOA';
    exception
      when sqlstate 'UNDOA' then
        return affected;
      when others then
        continue;
    end;
  end loop;
end;
$$;
create temporary table writes on commit drop as
select
  p.role,
  m.relation,
  m.command,
  max(m.columns) as columns,
  sum(m.reached) as reached
from tests.personas() as p
cross join lateral tests.measure(p.role, true) as m
where m.command in ('update', 'delete')
group by
  p.role,
  m.relation,
  m.command;
grant select on writes to public;
create function pg_temp.touched_as(role text) returns setof text
language plpgsql
as $$
begin
  perform set_config('session_replication_role', 'replica', true);
  perform tests.play($1, true);
  return query
    select format('%s %s: %s instead of %s', w.command, w.relation, t.rows, w.reached)
    from writes as w
    cross join lateral (select pg_temp.touched(w.relation, w.command, w.columns) as rows) as t
    where w.role = $1
      and t.rows is distinct from w.reached;
  perform tests.clear_authentication();
  perform set_config('session_replication_role', 'origin', true);
end;
$$;
select is(
  array(select pg_temp.touched_as(r.role)), '{}', format('%s writes nothing blindly but what could be aimed at.', initcap(r.role))
)
from (select distinct w.role from writes as w) as r
order by r.role;

select tests.clear_authentication();
select * from finish();
rollback;
