-- hospital_monitor watches: `/metrics`, check-ups and the state of standbys are read through it. It reads figures and
-- names of things, never a row of a patient, a key or the text of a statement with its values.
call hospital_private.reset_access('hospital_monitor');
grant usage on schema ops to hospital_monitor;

grant select on
  ops.table_health,
  ops.index_use,
  ops.statement_statistics
to hospital_monitor;

grant execute on function
  ops.hospital_figures,
  ops.server_figures,
  ops.read_statement_statistics,
  ops.without_literals
to hospital_monitor;
