-- The whole proof in one question, asked of one snapshot: the chain link by link, the recorders, and
-- every live row against the newest digest of it. The first finding is the first bad link.
create or replace function audit.verify(heads jsonb default '[]')
returns setof audit.finding
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  relation regclass;
begin
  return query select * from audit.verify_chain(verify.heads);
  return query select * from audit.verify_recorders();
  for relation in select audit.audited_tables() loop
    return query select * from audit.verify_rows(relation);
  end loop;
end;
$$;
comment on function audit.verify(jsonb) is
  'Everything that does not hold in the audit, in the order of the chain, then recorders that are off, then rows that were changed past it. Heads are blocks and hashes exported before.';

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

create or replace function audit.verify_recorders()
returns setof audit.finding
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with wanted (relation, name) as (
    select
      t.relation,
      '_900_audit_' || e.event
    from audit.audited_tables() as t (relation)
    cross join unnest(array['insert', 'update', 'delete', 'truncate']) as e (event)

    union all
    select
      k.relation::regclass,
      '_300_append_only'
    from unnest(
      array[
        'audit.seals', 'audit.eras', 'audit.retired_months',
        'audit.chart_accesses', 'audit.audit_openings', 'audit.archive_events',
        'audit.key_fingerprints'
      ]
    ) as k (relation)

    union all
    select
      p.relid,
      '_300_append_only'
    from pg_catalog.pg_partition_tree('audit.entries') as p
  )

  select
    format('trigger %s on %s', w.name, audit.name_of(w.relation)),
    case
      when t.oid is null then 'is missing'
      else 'is switched off'
    end
  from wanted as w
  left join pg_catalog.pg_trigger as t
    on t.tgrelid = w.relation
    and t.tgname = w.name
  where coalesce(t.tgenabled, 'D') not in ('O', 'A')

  union all
  select
    format('function audit.%I', audit.recorder_name(r.relation)),
    'does not record what it should: call audit.enrol_tables()'
  from audit.audited_tables() as r (relation)
  where not exists (
    select
    from pg_catalog.pg_proc as f
    join pg_catalog.pg_trigger as t
      on t.tgfoid = f.oid
    where t.tgrelid = r.relation
      and t.tgname = '_900_audit_update'
      and f.prosrc = audit.recorder_body(r.relation)
  );
$$;
comment on function audit.verify_recorders() is
  'Triggers that are missing or switched off, and recorders that were rewritten.';

create or replace function audit.verify_rows(relation regclass)
returns setof audit.finding
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute format(
    $query$
    with newest as (
      select distinct on (e.row_key)
        e.row_key,
        e.sequence,
        e.patient_id,
        e.new_row_digest
      from audit.entries as e
      where e.table_name = %1$L
        and e.row_key is not null
        and e.sequence > coalesce(
          (
            select max(t.sequence)
            from audit.entries as t
            where t.table_name = %1$L
              and t.row_key is null
          ),
          0
        )
      order by e.row_key, e.sequence desc
    )

    select
      format('row %%s of %1$s', coalesce(live.row_key, newest.row_key)),
      case
        when newest.sequence is null then 'is in no entry: it was written past the audit'
        when live.row_key is null then 'is gone without an entry'
        when newest.new_row_digest is null then 'is there, though its newest entry deletes it'
        else format(
          'is not what its newest entry %%s says: it was changed past the audit',
          newest.sequence
        )
      end
    from (
      select
        %2$s as row_key,
        %3$s as digest
      from %1$s as n
    ) as live
    full join newest
      on newest.row_key = live.row_key
    where live.digest is distinct from newest.new_row_digest
      -- The salt of a shredded person is gone, and with it the proof of what was written before.
      and not exists (
        select
        from audit.person_keys as k
        where k.patient_id = newest.patient_id
          and k.shredded_after >= newest.sequence
          and live.row_key is not null
          and newest.new_row_digest is not null
          and %4$L
      )
    order by newest.sequence nulls first, live.row_key
    $query$,
    audit.name_of(verify_rows.relation),
    audit.key_expression(verify_rows.relation, 'n'),
    audit.digest_expression(verify_rows.relation, 'n'),
    exists (
      select
      from audit.identity_columns as i
      where i.table_name = audit.name_of(verify_rows.relation)
    )
  );
end;
$$;
comment on function audit.verify_rows(regclass) is
  'Rows of a table that are not what their newest entry says: changed, written or deleted past the audit.';

create or replace function ops.verify_audit_chain()
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from audit.verify()) then
    raise exception using
      errcode = 'VERIF',
      message = 'The audit does not hold.',
      hint = 'Run infirmary audit verify: it names the first bad link.';
  end if;
  return 0::bigint;
end;
$$;
comment on function ops.verify_audit_chain() is
  'Job: verifies the audit, writes nothing and returns 0; raises VERIF, so that the run is recorded as failed. Lends the worker the owner''s right to read the audit.';
