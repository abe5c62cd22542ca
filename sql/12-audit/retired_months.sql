-- A retired month stands in schema archive until its archive was written and proved to be whole. Its seals
-- stay in the chain, so the chain goes on proving what was in it, wherever it is.
create or replace function audit.retired_table(month date)
returns regclass
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select to_regclass('archive.entries_' || to_char(retired_table.month, 'YYYY_MM'));
$$;
comment on function audit.retired_table(date) is
  'The table of a retired month, detached or loaded back; null where there is none.';

-- Detaching takes the triggers of the parent away.
create or replace procedure audit.keep_retired(relation regclass)
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format(
    'create or replace trigger _300_append_only before insert or update or delete on %s '
      'for each row execute function audit.keep_append_only()',
    keep_retired.relation
  );
  execute format(
    'create or replace trigger _300_no_truncate before truncate on %s '
      'for each statement execute function audit.keep_append_only()',
    keep_retired.relation
  );
end;
$$;
comment on procedure audit.keep_retired(regclass) is
  'Lets the table of a retired month be read and nothing else.';

create or replace function audit.verify_retired(month date)
returns setof audit.finding
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute format(
    $query$
    with sealed as (
      select
        s.block,
        u.position,
        u.sequence,
        substr(s.entry_hashes, 32 * (u.position::integer - 1) + 1, 32) as hash
      from audit.seals as s
      cross join lateral unnest(s.sequences) with ordinality as u (sequence, position)
      where s.month = $1
    )

    select
      format('entry %%s', coalesce(s.sequence, e.sequence)),
      case
        when e.sequence is null then 'is missing'
        when s.sequence is null then 'is in no block of its month'
        else 'was edited after it was sealed'
      end
    from sealed as s
    full join (
      select
        t.sequence,
        audit.entry_hash(row(t.*)::audit.entries) as hash
      from %s as t
    ) as e
      on e.sequence = s.sequence
    where e.hash is distinct from s.hash
    order by s.block, s.position
    $query$,
    audit.retired_table(verify_retired.month)
  )
  using verify_retired.month;
end;
$$;
comment on function audit.verify_retired(date) is
  'The entries in the table of a retired month that are not what was sealed.';

create or replace function audit.make_retired_table(month date)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  name constant text := 'entries_' || to_char(make_retired_table.month, 'YYYY_MM');
begin
  if audit.retired_table(make_retired_table.month) is not null
    or not exists (
      select
      from audit.retired_months as m
      where m.month = make_retired_table.month
    )
  then
    raise exception using
      errcode = 'NTFND',
      message = 'The month was not retired from this audit, or its table is there.',
      hint = 'infirmary archive list shows what is where.';
  end if;
  execute format('create table archive.%I (like audit.entries including all excluding identity)', name);
  return 'archive.' || name;
end;
$$;
comment on function audit.make_retired_table(date) is
  'Makes the empty table into which the archive of a retired month is loaded, to be read. Raises NTFND.';

create or replace procedure audit.keep_loaded(month date, manifest bytea)
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from audit.verify_retired(keep_loaded.month)) then
    raise exception using
      errcode = 'VERIF',
      message = 'The archive is not what was sealed of that month here.',
      hint = 'infirmary archive verify --database names what differs.';
  end if;
  call audit.keep_retired(audit.retired_table(keep_loaded.month));
  insert into audit.archive_events (month, event, manifest)
  values (keep_loaded.month, 'loaded', keep_loaded.manifest);
end;
$$;
comment on procedure audit.keep_loaded(date, bytea) is
  'Compares what was loaded with the seals of its month, and lets it be read and nothing else. Raises VERIF.';

-- Each block's hash covers the hash of each of its entries: whoever gives them all, read from an archive,
-- has all entries there.
create or replace procedure audit.drop_retired(month date, manifest bytea, heads jsonb)
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  relation constant regclass := audit.retired_table(drop_retired.month);
begin
  if relation is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no table of that month: it was not retired, or was dropped.',
      hint = 'infirmary archive list shows what is where.';
  end if;
  if exists (
    select
    from audit.seals as s
    where s.month = drop_retired.month
      and not exists (
        select
        from jsonb_array_elements(drop_retired.heads) as h (head)
        where (h.head ->> 'block')::bigint = s.block
          and h.head ->> 'hash' = encode(s.hash, 'hex')
      )
  ) then
    raise exception using
      errcode = 'VERIF',
      message = 'The archive does not hold every block of that month as it was sealed here.',
      hint = 'Export it again: infirmary archive export.';
  end if;
  insert into audit.archive_events (month, event, manifest)
  values (drop_retired.month, 'dropped', drop_retired.manifest);
  execute format('drop table %s', relation);
end;
$$;
comment on procedure audit.drop_retired(date, bytea, jsonb) is
  'Drops the table of a retired month of which an archive holds every block. Raises NTFND, VERIF.';

-- Those that were detached before there was this schema.
do $$
declare
  relation regclass;
begin
  for relation in
    select c.oid
    from pg_catalog.pg_class as c
    where c.relnamespace = 'archive'::regnamespace
      and c.relkind = 'r'
  loop
    call audit.keep_retired(relation);
  end loop;
end;
$$;
