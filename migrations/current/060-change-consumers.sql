-- Who hears of changes, and how far each has come. The events themselves are the entries of the audit.

create type ops.change_position as (
  transaction_id xid8,
  sequence       bigint
);
comment on type ops.change_position is 'A place in the order of changes; compared part by part, and meaningful only to the consumer it was given to.';
comment on column ops.change_position.transaction_id is 'The transaction that made the change.';
comment on column ops.change_position.sequence is 'The number of the change within the audit.';

create type ops.change_event as (
  stream      uuid,
  position    ops.change_position,
  sequence    bigint,
  table_name  text,
  operation   text,
  row_key     text,
  recorded_at timestamptz
);
comment on type ops.change_event is 'That a row changed: which one, never what it says. Who may read it reads it by its key.';
comment on column ops.change_event.stream is 'The delivery this event belongs to; under another stream everything known from the one before has to be read anew.';
comment on column ops.change_event.position is 'What to acknowledge once this event and those before it are done with.';
comment on column ops.change_event.sequence is 'Among the changes of one row their order: an event with a lower one than the last seen of its row is old news.';
comment on column ops.change_event.table_name is 'The table, with its schema.';
comment on column ops.change_event.operation is 'What was done: insert, update, delete, or truncate of the whole table.';
comment on column ops.change_event.row_key is 'The primary key of the row as text, its parts separated by a blank; null for a truncate.';
comment on column ops.change_event.recorded_at is 'When the transaction that made the change began.';

create table ops.change_consumers (
  name            text                primary key,
  reader          text                not null default 'hospital_worker',
  tables          text[]              not null,
  stream          uuid                not null default gen_random_uuid(),
  incarnation     text                not null,
  position        ops.change_position not null,
  read_to         ops.change_position not null,
  created_at      timestamptz         not null default now(),
  last_read_at    timestamptz,
  acknowledged_at timestamptz,
  constraint change_consumers_name_plain check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint change_consumers_of_some_table check (cardinality(tables) > 0),
  constraint change_consumers_acknowledge_what_was_read check (position <= read_to)
);
comment on table ops.change_consumers is 'Other services that hear of changes, each with its own position: what it has acknowledged is not told again.';
comment on column ops.change_consumers.name is 'What the consumer is called.';
comment on column ops.change_consumers.reader is 'The database role that reads for it; no other can, or acknowledge what it has not had.';
comment on column ops.change_consumers.tables is 'The tables whose changes it wants, with their schema.';
comment on column ops.change_consumers.stream is 'Made anew when the consumer is registered or reset, and told with every event.';
comment on column ops.change_consumers.incarnation is 'The cluster, timeline and database whose transaction numbers the position is made of.';
comment on column ops.change_consumers.position is 'Everything up to here is acknowledged.';
comment on column ops.change_consumers.read_to is 'How far it has read: nothing beyond can be acknowledged.';
comment on column ops.change_consumers.created_at is 'When it was registered.';
comment on column ops.change_consumers.last_read_at is 'When it last asked for events, or null.';
comment on column ops.change_consumers.acknowledged_at is 'When it last acknowledged any, or null.';

create type ops.consumer_lag as (
  consumer      text,
  reader        text,
  waiting       bigint,
  waiting_since timestamptz,
  last_read_at  timestamptz,
  is_lost       boolean
);
comment on type ops.consumer_lag is 'How far a consumer of changes is behind.';
comment on column ops.consumer_lag.consumer is 'The consumer.';
comment on column ops.consumer_lag.reader is 'The database role that reads for it.';
comment on column ops.consumer_lag.waiting is 'How many events it has not acknowledged, counted up to 100,000.';
comment on column ops.consumer_lag.waiting_since is 'When the transaction of the first of them began, or null.';
comment on column ops.consumer_lag.last_read_at is 'When it last asked for events, or null.';
comment on column ops.consumer_lag.is_lost is 'Whether its position means nothing any more, so that it must be reset.';
