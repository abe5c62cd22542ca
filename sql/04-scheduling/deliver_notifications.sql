-- The outbox is emptied one message a transaction: claim, hand over, mark. A worker that dies between
-- handing over and marking leaves the message unmarked, so that it goes out again under the same
-- identifier: at least once, never not at all.
--
-- What a message says may cease to be so at any moment, and who changes an appointment must not wait for a mail
-- server. So a claim is an advisory lock, no lock of the row, and the worker asks once more when the
-- server is ready to take the text.
--
-- The reason is asked for when the appointment's row is locked, perhaps in a version that is newer than the
-- statement's snapshot. So it is looked for in a snapshot of its own, which has the move that made that version.
create or replace function hospital_private.reminder_reason(appointment_id bigint, starts_at timestamptz)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return concat_ws(
    ':',
    'reminder',
    reminder_reason.appointment_id,
    extract(epoch from reminder_reason.starts_at)::bigint,
    (
      select max(m.id)
      from hospital.appointment_moves as m
      where m.appointment_id = reminder_reason.appointment_id
        and (m.from_starts_at, m.from_doctor_id) <> (m.to_starts_at, m.to_doctor_id)
    )
  );
end;
$$;
comment on function hospital_private.reminder_reason(bigint, timestamptz) is
  'Why there is one reminder of an appointment at a time: the appointment, the time, and the move that brought it there.';

create or replace function hospital_private.is_still_so(notification hospital.notifications)
returns boolean
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select notification.sent_at is null
    and notification.withdrawn_at is null
    and exists (
      select
      from hospital.patients as p
      where p.id = notification.patient_id
        and p.deceased_on is null
        and p.erased_at is null
    )
    and case
      when notification.reason like 'reminder:%' then exists (
        select
        from hospital.appointments as a
        where a.id = notification.appointment_id
          and a.status = 'scheduled'
          and a.starts_at > clock_timestamp()
          and notification.reason = hospital_private.reminder_reason(a.id, a.starts_at)
      )
      when notification.reason like 'offer:%' then exists (
        select
        from hospital.appointments as a
        where a.id = notification.appointment_id
          and a.status = 'held'
          and a.expires_at > clock_timestamp()
      )
      else true
    end;
$$;
comment on function hospital_private.is_still_so(hospital.notifications) is
  'Whether a message waits to be sent and what it says is true: reminders before the appointment as it stands, offers while they last, nothing to who has died or was erased.';

create or replace function hospital_private.mail_address(patient_id bigint)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select c.value
  from hospital.patients as p
  join hospital.patients as r
    on r.person_id = p.person_id
  join hospital.contact_points as c
    on c.patient_id = r.id
  where p.id = mail_address.patient_id
    and c.kind = 'email'
  order by
    -- Of merged records the one that goes on knows best.
    r.id = p.person_id desc,
    c.is_preferred desc,
    c.id desc
  limit 1;
$$;
comment on function hospital_private.mail_address(bigint) is
  'Where mail reaches a patient: the preferred e-mail address on any of his records, or null.';

create or replace function ops.claim_notification()
returns ops.outgoing_message
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  candidate bigint;
  message ops.outgoing_message;
begin
  for candidate in
    select n.id
    from hospital.notifications as n
    left join ops.delivery_failures as f
      on f.notification_id = n.id
    where n.sent_at is null
      and n.withdrawn_at is null
      and (f.notification_id is null or f.next_attempt_at <= clock_timestamp())
    order by n.id
  loop
    continue when not pg_try_advisory_xact_lock(
      hashtextextended('infirmary.notification:' || candidate, 0)
    );
    -- Look again: another worker may have sent it before it let go.
    select
      n.id,
      n.message_id,
      hospital_private.mail_address(n.patient_id),
      n.subject,
      n.body,
      n.created_at
    into message
    from hospital.notifications as n
    left join ops.delivery_failures as f
      on f.notification_id = n.id
    where n.id = candidate
      and (f.notification_id is null or f.next_attempt_at <= clock_timestamp())
      and hospital_private.is_still_so(n);
    if message.address is not null then
      return message;
    elsif message.id is not null then
      perform ops.note_delivery_failure(candidate, 'NO_ADDRESS', false);
    end if;
  end loop;
  return null;
end;
$$;
comment on function ops.claim_notification() is
  'The next message to be sent, which until the transaction ends no other worker gets, or null; one without an address is put off. Lends the worker the owner''s right to read messages and addresses, one at a time.';

create or replace function ops.is_still_to_be_sent(notification_id bigint)
returns boolean
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select
    from hospital.notifications as n
    where n.id = is_still_to_be_sent.notification_id
      and hospital_private.is_still_so(n)
  );
$$;
comment on function ops.is_still_to_be_sent(bigint) is
  'Whether a message is still true, asked when the mail server is ready to take it. Lends the worker the owner''s right to read messages for this one answer.';

create or replace function ops.mark_notification_sent(notification_id bigint)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  delete from ops.delivery_failures as f
  where f.notification_id = mark_notification_sent.notification_id;
  -- Withdrawn while the server was taking it is withdrawn too late.
  update hospital.notifications as n
  set sent_at = clock_timestamp(),
    withdrawn_at = null
  where n.id = mark_notification_sent.notification_id
    and n.sent_at is null;
$$;
comment on function ops.mark_notification_sent(bigint) is
  'Records that a mail server has taken a message. Lends the worker the owner''s right to write that one column.';

create or replace function ops.note_delivery_failure(
  notification_id bigint,
  code text,
  is_permanent boolean
)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into ops.delivery_failures as f
    (notification_id, attempts, last_code, last_failed_at, next_attempt_at)
  values (
    note_delivery_failure.notification_id,
    1,
    note_delivery_failure.code,
    clock_timestamp(),
    clock_timestamp() + interval '1 minute'
  )
  on conflict on constraint delivery_failures_pkey do update
    set attempts = f.attempts + 1,
      last_code = excluded.last_code,
      last_failed_at = excluded.last_failed_at,
      -- A server that is down is waited for as long as the message is true; one that says no eight times means it.
      next_attempt_at = case
        when not note_delivery_failure.is_permanent or f.attempts < 7
          then clock_timestamp() + least(
            interval '1 minute' * power(2, least(f.attempts, 4)),
            interval '15 minutes'
          )
      end;
$$;
comment on function ops.note_delivery_failure(bigint, text, boolean) is
  'Records that a mail server did not take a message, and when it is tried again: after a minute, two, four, and so on up to a quarter of an hour. Lends the worker the owner''s right to write failures.';

create or replace function ops.withdraw_untrue_notifications()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  withdrawn as (
    update hospital.notifications as n
    set withdrawn_at = now()
    where n.sent_at is null
      and n.withdrawn_at is null
      and not hospital_private.is_still_so(n)
    returning 1
  )
  select count(*)
  from withdrawn;
$$;
comment on function ops.withdraw_untrue_notifications() is
  'Withdraws messages that time has overtaken, such as reminders of what is past, and returns how many. Lends the worker the owner''s right to withdraw messages.';

-- Somebody who wonders why no mail comes looks here.
create or replace view ops.message_queue
with (security_invoker = true)
as
select
  case
    when f.attempts is not null and f.next_attempt_at is null then 'given up'
    when hospital_private.mail_address(n.patient_id) is null then 'without an address'
    when f.attempts is not null then 'to be tried again'
    else 'waiting'
  end as state,
  count(*) as messages,
  min(n.created_at) as oldest,
  min(f.next_attempt_at) as next_attempt_at
from hospital.notifications as n
left join ops.delivery_failures as f
  on f.notification_id = n.id
where hospital_private.is_still_so(n)
group by 1;
comment on view ops.message_queue is 'What waits to be sent, by why it waits; empty when everything that is true was sent.';
comment on column ops.message_queue.state is 'Waiting, to be tried again, without an address, or given up.';
comment on column ops.message_queue.messages is 'How many messages.';
comment on column ops.message_queue.oldest is 'When the oldest of them was written.';
comment on column ops.message_queue.next_attempt_at is 'When the first of them is tried again, or null.';
