create or replace function audit.verify_chain(heads jsonb)
returns setof audit.finding
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with linked as (
    select
      s.block,
      s.hash = audit.block_hash(s) as is_whole,
      s.previous_hash
        = lag(s.hash, 1, decode(repeat('00', 32), 'hex')) over (order by s.block) as is_linked,
      s.block = 1 + lag(s.block, 1, 0::bigint) over (order by s.block) as is_next
    from audit.seals as s
  ),

  sealed as (
    select
      s.block,
      u.position,
      u.sequence
    from audit.seals as s
    cross join lateral unnest(s.sequences) with ordinality as u (sequence, position)
    where not exists (
      select
      from audit.retired_months as m
      where m.month = s.month
    )
  ),

  broken as (
    select l.block
    from linked as l
    where not (l.is_whole and l.is_linked and l.is_next)

    union
    select s.block
    from sealed as s
    left join audit.entries as e
      on e.sequence = s.sequence
    group by s.block
    having coalesce(string_agg(audit.entry_hash(e), '' order by s.position), '')
      <> (select b.entry_hashes from audit.seals as b where b.block = s.block)
  ),

  -- Deleted seals, told by their numbers; what differs from an exported head; the links themselves.
  findings (block, position, link, problem) as (
    select
      l.block,
      0::bigint,
      format('block %s', l.block),
      case
        when not l.is_next then 'follows upon a gap: blocks before it were deleted'
        when not l.is_linked then 'does not continue the block before it: one of them was replaced or moved'
        else 'does not fit its hash: the seal was edited'
      end
    from linked as l
    where not (l.is_whole and l.is_linked and l.is_next)

    union all
    select
      s.block,
      s.position,
      format('entry %s', s.sequence)
        || case
          when e.sequence is null then ''
          else format(' (%s of %s %s)', e.operation, e.table_name, e.row_key)
        end,
      case
        when e.sequence is null then 'was deleted after it was sealed'
        else 'was edited after it was sealed'
      end
    from broken as b
    join audit.seals as k
      on k.block = b.block
    join sealed as s
      on s.block = b.block
    left join audit.entries as e
      on e.sequence = s.sequence
    where e.sequence is null
      or audit.entry_hash(e)
        <> substr(k.entry_hashes, 32 * (s.position::integer - 1) + 1, 32)

    union all
    select
      null,
      e.sequence,
      format('entry %s (%s of %s %s)', e.sequence, e.operation, e.table_name, e.row_key),
      'was inserted behind the seals: it is older than what is sealed, and in no block'
    from audit.entries as e
    join (
      select distinct on (s.era)
        s.era,
        s.last_transaction_id
      from audit.seals as s
      order by s.era, s.block desc
    ) as f
      on f.era = e.era
    where (
        e.transaction_id < f.last_transaction_id
        or e.era < (select max(r.era) from audit.eras as r)
      )
      and not exists (
        select
        from sealed as s
        where s.sequence = e.sequence
      )

    union all
    select
      (h.head ->> 'block')::bigint,
      0,
      format('block %s', h.head ->> 'block'),
      case
        when s.block is null then 'was exported as a head and is not there: the tail was cut'
        else 'is not what was exported as a head: the chain was rewritten'
      end
    from jsonb_array_elements(verify_chain.heads) as h (head)
    left join audit.seals as s
      on s.block = (h.head ->> 'block')::bigint
    where encode(s.hash, 'hex') is distinct from h.head ->> 'hash'
  )

  select
    f.link,
    f.problem
  from findings as f
  order by f.block nulls last, f.position;
$$;
comment on function audit.verify_chain(jsonb) is
  'The links of the chain that do not hold: entries edited, deleted or inserted, blocks edited, moved or cut off.';
