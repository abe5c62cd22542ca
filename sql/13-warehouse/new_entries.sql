-- The log of changes is the audit. Transactions end in another order than they begin, so neither a time
-- nor a number says what has been read: the snapshot of the last load does, exactly.
create or replace view warehouse.new_entries
with (security_invoker = true) as
select
  e.table_name,
  e.operation,
  e.row_key,
  e.old_image
from warehouse.load_state as s
join audit.entries as e
  on e.transaction_id >= s.next_transaction_id
where (
    not pg_visible_in_snapshot(e.transaction_id, s.snapshot)
    or e.transaction_id = s.loaded_by
  )
  and e.era = (select max(r.era) from audit.eras as r);
comment on view warehouse.new_entries is 'The changes on record that no load has seen.';
comment on column warehouse.new_entries.table_name is 'The table changed, with its schema.';
comment on column warehouse.new_entries.operation is 'What was done.';
comment on column warehouse.new_entries.row_key is 'The primary key of the row as text; null for a truncate.';
comment on column warehouse.new_entries.old_image is 'The row as it was, without secrets and without what identifies a patient.';
