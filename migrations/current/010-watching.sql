-- What is told to whoever watches the hospital's machines: figures with names, and never a row.

create type ops.figure as (
  name  text,
  label text,
  value double precision
);
comment on type ops.figure is 'One number about the state of the system, for a monitoring system.';
comment on column ops.figure.name is 'What is measured, such as queue_jobs; instants are seconds since 1970, and 0 where there is none.';
comment on column ops.figure.label is 'What it is measured of, such as a job or a slot, or null where there is only one.';
comment on column ops.figure.value is 'The number.';

create type ops.statement_figure as (
  query_id       bigint,
  login          name,
  calls          bigint,
  total_ms       double precision,
  mean_ms        double precision,
  max_ms         double precision,
  rows           bigint,
  read_ms        double precision,
  blocks_hit     bigint,
  blocks_read    bigint,
  temp_blocks    bigint,
  wal_bytes      numeric,
  statement      text
);
comment on type ops.statement_figure is 'What one kind of statement has cost since the counters were last reset.';
comment on column ops.statement_figure.query_id is 'The identifier of the kind, the same as in pg_stat_activity.';
comment on column ops.statement_figure.login is 'The role that logged in or was set.';
comment on column ops.statement_figure.calls is 'How often it was executed.';
comment on column ops.statement_figure.total_ms is 'How long it ran in all.';
comment on column ops.statement_figure.mean_ms is 'How long it ran each time, on the average.';
comment on column ops.statement_figure.max_ms is 'How long it ran at most.';
comment on column ops.statement_figure.rows is 'How many rows it returned or changed.';
comment on column ops.statement_figure.read_ms is 'How long it waited for blocks to be read, where track_io_timing is on.';
comment on column ops.statement_figure.blocks_hit is 'How many blocks it found in the shared buffers.';
comment on column ops.statement_figure.blocks_read is 'How many blocks it had to read.';
comment on column ops.statement_figure.temp_blocks is 'How many blocks it wrote to temporary files, for want of work_mem.';
comment on column ops.statement_figure.wal_bytes is 'How much it wrote to the log.';
comment on column ops.statement_figure.statement is 'Its text without any literal, or why there is none.';
