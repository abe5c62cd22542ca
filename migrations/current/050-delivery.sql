-- Messages leave the house: what failed on the way is kept apart from the message, which stays as it was written.

create table ops.delivery_failures (
  notification_id bigint      primary key references hospital.notifications (id) on delete cascade,
  attempts        integer     not null,
  last_code       text        not null,
  last_failed_at  timestamptz not null,
  -- Null is: not any more.
  next_attempt_at timestamptz,
  constraint delivery_failures_counted check (attempts > 0),
  -- What a mail server says may quote the address, so only codes are kept.
  constraint delivery_failures_code_is_a_code check (last_code ~ '^[A-Za-z0-9_]{1,40}$')
);
comment on table ops.delivery_failures is 'Messages that a mail server did not take, and when each is tried again.';
comment on column ops.delivery_failures.notification_id is 'The message.';
comment on column ops.delivery_failures.attempts is 'How often it was tried.';
comment on column ops.delivery_failures.last_code is 'The reply code of the server, such as 550, or the name of the error of the connection.';
comment on column ops.delivery_failures.last_failed_at is 'When it failed last.';
comment on column ops.delivery_failures.next_attempt_at is 'When it is tried again, or null when it was given up.';

create type ops.outgoing_message as (
  id         bigint,
  message_id uuid,
  address    text,
  subject    text,
  body       text,
  created_at timestamptz
);
comment on type ops.outgoing_message is 'A message with the address it goes to.';
comment on column ops.outgoing_message.id is 'The key of the message inside this database.';
comment on column ops.outgoing_message.message_id is 'The stable identifier by which a receiver recognises a repeated delivery.';
comment on column ops.outgoing_message.address is 'The e-mail address of the patient.';
comment on column ops.outgoing_message.subject is 'The subject line.';
comment on column ops.outgoing_message.body is 'The text.';
comment on column ops.outgoing_message.created_at is 'When the message was written.';
