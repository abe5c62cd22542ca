-- pg_stat_statements takes the values out of most statements, and not of all: a declared cursor, a copied query, a
-- comment or an alias keeps its words, and so does a statement whose entry was thrown out while it ran. What is
-- shown here is therefore taken apart once more, and of a statement that cannot be, nothing.
create or replace function ops.without_literals(statement text)
returns text
language sql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p.statement is null then null
    when p.statement ~* '^\s*\(*\s*(select|insert|update|delete|merge|with|values)\M'
      then btrim(regexp_replace(
        regexp_replace(p.statement, '\$[0-9]+\M|\m[0-9][0-9a-z_.]*', '?', 'gi'),
        '\s+', ' ', 'g'
      ))
    else '(a command, whose text may hold values)'
  end
  from (
    -- Comments, then whatever is in quotes. A name that needs its quotes may be anything.
    select regexp_replace(
      without_literals.statement,
      '--[^\n]*|/\*([^*]|\*+[^*/])*\*+/|[eE]''([^''\\]|\\.|'''')*''|''([^'']|'''')*''|\$([a-z_]\w*)?\$.*\$([a-z_]\w*)?\$|"([^"]|"")*"',
      '?', 'gi'
    ) as statement
  ) as p;
$$;
comment on function ops.without_literals(text) is
  'A statement without comments, literals and quoted names; of a command only that it is one.';

-- The extension is a superuser's to make (`infirmary migrate` does where it may), in a schema of his choice, and its columns
-- differ between the versions.
create or replace function ops.read_statement_statistics()
returns setof ops.statement_figure
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  home name := (
    select n.nspname
    from pg_extension as x
    join pg_namespace as n
      on n.oid = x.extnamespace
    where x.extname = 'pg_stat_statements'
  );
begin
  if home is null then
    return query
    select (jsonb_populate_record(
      null::ops.statement_figure,
      '{"statement": "(pg_stat_statements is not installed in this database: a superuser makes it with create extension)"}'
    )).*;
    return;
  end if;
  return query execute format(
    $query$
      select
        s.queryid,
        s.userid::regrole::name,
        s.calls,
        s.total_exec_time,
        s.mean_exec_time,
        s.max_exec_time,
        s.rows,
        coalesce(to_jsonb(s) ->> 'shared_blk_read_time', to_jsonb(s) ->> 'blk_read_time')::double precision,
        s.shared_blks_hit,
        s.shared_blks_read,
        s.temp_blks_written,
        s.wal_bytes,
        ops.without_literals(s.query)
      from %I.pg_stat_statements as s
      where s.dbid = (select d.oid from pg_database as d where d.datname = current_database())
    $query$,
    home
  );
exception
  when object_not_in_prerequisite_state then
    return query
    select (jsonb_populate_record(
      null::ops.statement_figure,
      '{"statement": "(the server does not load pg_stat_statements: add it to shared_preload_libraries and restart)"}'
    )).*;
end;
$$;
comment on function ops.read_statement_statistics() is
  'What ops.statement_statistics shows; of other roles'' statements only to members of pg_read_all_stats.';

create or replace view ops.statement_statistics
with (security_invoker = true)
as
select
  s.query_id,
  s.login,
  s.calls,
  s.total_ms,
  s.mean_ms,
  s.max_ms,
  s.rows,
  s.read_ms,
  s.blocks_hit,
  s.blocks_read,
  s.temp_blocks,
  s.wal_bytes,
  s.statement
from ops.read_statement_statistics() as s;
comment on view ops.statement_statistics is 'What each kind of statement has cost here; where pg_stat_statements is missing, one row that says so.';
comment on column ops.statement_statistics.query_id is 'The identifier of the kind, the same as in pg_stat_activity.';
comment on column ops.statement_statistics.login is 'The role that logged in or was set.';
comment on column ops.statement_statistics.calls is 'How often it was executed.';
comment on column ops.statement_statistics.total_ms is 'How long it ran in all.';
comment on column ops.statement_statistics.mean_ms is 'How long it ran each time, on the average.';
comment on column ops.statement_statistics.max_ms is 'How long it ran at most.';
comment on column ops.statement_statistics.rows is 'How many rows it returned or changed.';
comment on column ops.statement_statistics.read_ms is 'How long it waited for blocks to be read, where track_io_timing is on.';
comment on column ops.statement_statistics.blocks_hit is 'How many blocks it found in the shared buffers.';
comment on column ops.statement_statistics.blocks_read is 'How many blocks it had to read.';
comment on column ops.statement_statistics.temp_blocks is 'How many blocks it wrote to temporary files, for want of work_mem.';
comment on column ops.statement_statistics.wal_bytes is 'How much it wrote to the log.';
comment on column ops.statement_statistics.statement is 'Its text without any literal, or why there is none.';
