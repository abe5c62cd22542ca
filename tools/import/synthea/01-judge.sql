-- Without statistics of what was just written, large imports would be joined line by line: hence each
-- analyze.

-- Lines that carry an Id: the first content of an Id counts, the one imported earlier before any
-- other. An equal repetition is already there; a different one is refused.
create or replace procedure pg_temp.judge_identified(file text)
language sql
as $$
  analyze pg_temp.entries;

  insert into pg_temp.outcomes (file, line, outcome, reason, field)
  with compared as (
    select
      e.line,
      e.entry,
      e.content,
      e.is_known,
      coalesce(
        k.content,
        first_value(e.content) over (partition by e.entry order by e.line)
      ) as kept,
      row_number() over (partition by e.entry, e.content order by e.line) as repetition
    from pg_temp.entries as e
    left join staging.import_keys as k
      on e.is_known
      and k.target = e.file
      and k.entry = e.entry
    where e.file = judge_identified.file
  ),
  judged as (
    select
      c.line,
      c.content = c.kept as is_kept,
      bool_or(c.content = c.kept) over (partition by c.entry) as is_kept_in_file,
      c.is_known or c.repetition > 1 as is_there
    from compared as c
  )
  select
    judge_identified.file,
    j.line,
    case
      when not j.is_kept then 'rejected'
      when j.is_there then 'already_there'
      else 'loaded'
    end,
    case
      when j.is_kept then null
      when j.is_kept_in_file then 'repeated_id'
      else 'changed_since_import'
    end,
    case when not j.is_kept then 'id' end
  from judged as j;

  analyze pg_temp.outcomes;
$$;

-- Lines without an Id: equal lines are counted, and the n-th of them is the n-th of the last
-- import. A line is a changed one when its namesake (same patient, encounter, code and start) was
-- imported and is gone from the file; loading it too would prescribe the same medicine twice.
create or replace procedure pg_temp.judge_events(file text)
language sql
as $$
  analyze pg_temp.entries;

  update pg_temp.entries as e
  set ordinal = counted.ordinal
  from (
    select
      c.line,
      row_number() over (partition by c.content order by c.line) as ordinal
    from pg_temp.entries as c
    where c.file = judge_events.file
  ) as counted
  where e.file = judge_events.file
    and e.line = counted.line
    and counted.ordinal > 1;

  insert into pg_temp.outcomes (file, line, outcome, reason)
  with mine as (
    select e.*
    from pg_temp.entries as e
    where e.file = judge_events.file
  ),
  known as (
    select k.*
    from staging.import_keys as k
    where k.target = judge_events.file
  ),
  gone as (
    select distinct k.entry
    from known as k
    where not exists (
      select
      from mine as m
      where m.content = k.content
        and m.ordinal = k.ordinal
    )
  )
  select
    m.file,
    m.line,
    case
      when k.content is not null then 'already_there'
      when g.entry is not null then 'rejected'
      else 'loaded'
    end,
    case when k.content is null and g.entry is not null then 'changed_since_import' end
  from mine as m
  left join known as k
    on k.content = m.content
    and k.ordinal = m.ordinal
  left join gone as g
    on g.entry = m.entry;

  analyze pg_temp.outcomes;
$$;

-- Remembers the lines with an Id that were loaded; a key whose row had been erased gives way.
create or replace procedure pg_temp.remember_identified(file text)
language sql
as $$
  delete from staging.import_keys as k
  using pg_temp.entries as e
  join pg_temp.outcomes as o
    on o.file = e.file
    and o.line = e.line
  where e.file = remember_identified.file
    and o.outcome = 'loaded'
    and k.target = e.file
    and k.entry = e.entry;

  insert into staging.import_keys (target, content, ordinal, entry)
  select
    e.file,
    e.content,
    e.ordinal,
    e.entry
  from pg_temp.entries as e
  join pg_temp.outcomes as o
    on o.file = e.file
    and o.line = e.line
  where e.file = remember_identified.file
    and o.outcome = 'loaded';
$$;
