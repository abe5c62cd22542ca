-- The log of changes is the audit. Transactions end in another order than they begin, so neither a time
-- nor a number says what has been read: the snapshot of the last load does, exactly. The statement is
-- planned with its numbers: not knowing them, the planner would read the whole audit for the last minute.
create or replace function warehouse.new_entries(state warehouse.load_state)
returns table (table_name text, operation text, row_key text, old_image jsonb)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute $query$
    select
      e.table_name,
      e.operation,
      e.row_key,
      e.old_image
    from audit.entries as e
    where e.transaction_id >= $1
      and (not pg_visible_in_snapshot(e.transaction_id, $2) or e.transaction_id = $3)
      and e.era = (select max(r.era) from audit.eras as r)
    $query$
    using
      new_entries.state.next_transaction_id,
      new_entries.state.snapshot,
      new_entries.state.loaded_by;
end;
$$;
comment on function warehouse.new_entries(warehouse.load_state) is
  'The changes on record that no load has seen, and the rows as they were, without what identifies a patient.';
