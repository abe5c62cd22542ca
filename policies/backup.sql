-- hospital_backup copies the whole cluster: its attributes and its membership of pg_read_all_data, which
-- `infirmary roles apply` gives, let it read every row. It writes only what it did.
call hospital_private.reset_access('hospital_backup');
grant usage on schema ops to hospital_backup;

grant execute on function
  ops.record_backup,
  ops.record_backup_verified,
  ops.record_backup_removed,
  ops.record_backup_drill
to hospital_backup;
