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
