-- A foreign key is checked past row security. So whoever may write a key could learn by trying which rows
-- there are: each key a persona may write is written twice, with the key of a row that is there and that he
-- does not see, and with one that nobody has. The answers must be the same to the letter.
begin;
select no_plan();
select tests.world();

-- Every foreign key, and a row of its table to begin from: Ann's, where it is about patients.
create temporary table keys on commit drop as
select
  k.oid,
  k.conrelid::regclass as relation,
  k.confrelid::regclass as target,
  a.attname as key_column,
  t.attname as target_column
from pg_catalog.pg_constraint as k
join pg_catalog.pg_attribute as a
  on a.attrelid = k.conrelid
  and a.attnum = k.conkey[1]
join pg_catalog.pg_attribute as t
  on t.attrelid = k.confrelid
  and t.attnum = k.confkey[1]
where k.contype = 'f'
  and k.conrelid::regclass::text like 'hospital.%'
  and t.atttypid = 'bigint'::regtype;
grant select on keys to public;

create function pg_temp.row_of(relation regclass) returns jsonb
language plpgsql
security definer
as $$
declare
  found jsonb;
begin
  execute format(
    'select to_jsonb(r) from %s as r where %s limit 1', $1, coalesce(tests.rows_of($1, tests.id_of('ann')), 'true')
  ) into found;
  return found;
end;
$$;

create function pg_temp.keys_of(relation regclass, key_column name) returns bigint[]
language plpgsql
security definer
as $$
declare
  found bigint[];
begin
  execute format('select array_agg(%I order by 1) from %s', $2, $1) into found;
  return found;
end;
$$;

create function pg_temp.seen_keys(relation regclass, key_column name) returns bigint[]
language plpgsql
as $$
declare
  found bigint[];
begin
  execute format('select array_agg(%I) from %s', $2, $1) into found;
  return coalesce(found, '{}');
exception
  when insufficient_privilege then
    return '{}';
end;
$$;

-- How a statement ends, to the letter but for the key itself; undone in any case.
create function pg_temp.ending(statement text, key bigint) returns text
language plpgsql
as $$
declare
  code text;
  said text;
  more text;
  rule text;
begin
  begin
    execute $1;
    set constraints all immediate;
    raise exception using errcode = 'UNDOA';
  exception
    when others then
      get stacked diagnostics
        code = returned_sqlstate,
        said = message_text,
        more = pg_exception_detail,
        rule = constraint_name;
  end;
  return regexp_replace(concat_ws(' / ', code, said, more, rule), format('\m%s\M', $2), '?', 'g');
end;
$$;

create function pg_temp.statements(relation regclass, key_column name, key bigint)
returns table (command text, statement text)
language sql
as $$
  select 'insert', format(
    'insert into %s (%s) values (%s)', $1,
    string_agg(quote_ident(a.attname), ', ' order by a.attnum),
    string_agg(quote_nullable(case a.attname when $2 then $3::text else r.sample ->> a.attname end), ', ' order by a.attnum)
  )
  from (select pg_temp.row_of($1)) as r (sample)
  join pg_catalog.pg_attribute as a
    on a.attrelid = $1
    and a.attnum > 0
    and not a.attisdropped
    and has_column_privilege($1, a.attnum, 'insert')
  where has_column_privilege($1, $2, 'insert')
  having count(*) > 0
  union all
  select 'update', format('update %s set %I = %s', $1, $2, $3)
  where has_column_privilege($1, $2, 'update');
$$;

create temporary table tried (persona text, relation text, key_column text, command text, unseen text, absent text) on commit drop;
grant insert on tried to public;
create function pg_temp.probe(persona text) returns void
language plpgsql
as $$
declare
  k record;
  s record;
  unseen bigint;
  absent bigint;
begin
  for k in select * from keys loop
    select max(u.key) into unseen
    from unnest(pg_temp.keys_of(k.target, k.target_column)) as u (key)
    where u.key <> all (pg_temp.seen_keys(k.target, k.target_column));
    continue when unseen is null;
    select max(u.key) + 1000000 into absent from unnest(pg_temp.keys_of(k.target, k.target_column)) as u (key);
    for s in
      select there.command, there.statement as there, nowhere.statement as nowhere
      from pg_temp.statements(k.relation, k.key_column, unseen) as there
      join pg_temp.statements(k.relation, k.key_column, absent) as nowhere using (command)
    loop
      insert into tried
      values ($1, k.relation, k.key_column, s.command, pg_temp.ending(s.there, unseen), pg_temp.ending(s.nowhere, absent));
    end loop;
  end loop;
end;
$$;

create function pg_temp.play(role text) returns void
language plpgsql
as $$
begin
  perform tests.authenticate_as(case $1 when 'patient' then 'ann' when 'doctor' then 'dora' else $1 end || '@example.test');
  if $1 = 'doctor' then
    perform hospital.open_chart(tests.id_of('ann'), 'treatment');
  end if;
  perform pg_temp.probe($1);
  perform tests.clear_authentication();
end;
$$;
select pg_temp.play(r.name) from hospital_private.roles as r;

select is(
  array(
    select format('%s, %s.%s by %s: %s, but %s', persona, relation, key_column, command, unseen, absent)
    from tried
    where unseen is distinct from absent
  ),
  '{}', 'A key of a row one does not see is answered as one that nobody has.'
);
select cmp_ok(count(*), '>', 20::bigint, 'Many keys were tried,') from tried;
select cmp_ok(count(distinct unseen), '>', 5::bigint, 'and refused for many reasons.') from tried;
select * from finish();
rollback;
