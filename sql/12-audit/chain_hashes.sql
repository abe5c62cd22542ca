-- What a link of the chain is made of. The binary form of values depends on no setting and no version.
create or replace function audit.entry_hash(entry audit.entries)
returns bytea
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select sha256(
    record_send(
      row(
        entry_hash.entry.sequence,
        entry_hash.entry.transaction_id,
        entry_hash.entry.recorded_at,
        entry_hash.entry.era,
        entry_hash.entry.table_name,
        entry_hash.entry.operation,
        entry_hash.entry.row_key,
        entry_hash.entry.patient_id,
        entry_hash.entry.old_image,
        entry_hash.entry.sealed_identity,
        entry_hash.entry.new_row_digest,
        entry_hash.entry.account_id,
        entry_hash.entry.session_id,
        entry_hash.entry.role,
        entry_hash.entry.database_user,
        entry_hash.entry.client_address,
        entry_hash.entry.request_id,
        entry_hash.entry.purpose
      )
    )
  );
$$;
comment on function audit.entry_hash(audit.entries) is
  'The SHA-256 of everything an entry says; of a sealed identity, of its ciphertext.';

create or replace function audit.block_hash(block audit.seals)
returns bytea
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select sha256(
    block_hash.block.previous_hash
      || record_send(
        row(
          block_hash.block.block,
          block_hash.block.era,
          block_hash.block.month,
          block_hash.block.sequences,
          block_hash.block.last_transaction_id,
          block_hash.block.last_sequence
        )
      )
      || block_hash.block.entry_hashes
  );
$$;
comment on function audit.block_hash(audit.seals) is
  'The SHA-256 of a block together with the hash of the block before it.';
