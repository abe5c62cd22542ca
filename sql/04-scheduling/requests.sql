-- A client that lost the answer sends its request again. Under the same key the first answer counts:
-- look, lock (the key is one of lock_calendars' locks), look again, do, remember.
create or replace function hospital_private.request_lock(request_key text)
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if request_lock.request_key is null then
    return null;
  end if;
  -- Below zero, where no calendar is.
  return -1 - (
    hashtextextended(
      hospital_private.current_account_id() || ':' || request_lock.request_key, 0
    ) & 9223372036854775807
  );
end;
$$;
comment on function hospital_private.request_lock(text) is
  'The advisory lock of a request of the live session, or null without a key. Lends the owner''s right to ask who is there.';

create or replace function hospital_private.recall_request(
  request_key text,
  operation text,
  payload text
)
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  known hospital_private.idempotency_keys;
begin
  if recall_request.request_key is null then
    return null;
  end if;
  if hospital_private.current_account_id() is null then
    raise exception using
      errcode = 'UNAUT',
      message = 'A key for repeating a request belongs to who is logged in.';
  end if;
  select k.*
  into known
  from hospital_private.idempotency_keys as k
  where k.account_id = hospital_private.current_account_id()
    and k.key = recall_request.request_key;
  if known.operation <> recall_request.operation
    or known.payload_hash <> sha256(convert_to(recall_request.payload, 'UTF8'))
  then
    raise exception using
      errcode = 'IDKEY',
      message = 'This key was used for another request.',
      hint = 'Take a new key for each new request, and the same only to repeat one.';
  end if;
  return known.result_id;
end;
$$;
comment on function hospital_private.recall_request(text, text, text) is
  'The key of the row that a request of the live session under this key led to before, or null for a new one. Raises UNAUT, and IDKEY when operation or payload were others. Lends the owner''s right to read the keys, the caller''s own only.';

create or replace function hospital_private.remember_request(
  request_key text,
  operation text,
  payload text,
  result_id bigint
)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into hospital_private.idempotency_keys
    (account_id, key, operation, payload_hash, result_id)
  select
    hospital_private.current_account_id(),
    remember_request.request_key,
    remember_request.operation,
    sha256(convert_to(remember_request.payload, 'UTF8')),
    remember_request.result_id
  where remember_request.request_key is not null;
$$;
comment on function hospital_private.remember_request(text, text, text, bigint) is
  'Keeps what a request of the live session led to, if it has a key. Lends the owner''s right to write the keys, the caller''s own only.';

create or replace function hospital_private.begin_request(
  request_key text,
  operation text,
  payload text,
  doctor_ids bigint[],
  patient_ids bigint[],
  room_ids bigint[]
)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  known bigint := hospital_private.recall_request(
    begin_request.request_key, begin_request.operation, begin_request.payload
  );
begin
  if known is not null or begin_request.request_key is null then
    return known;
  end if;
  -- The key and all calendars in one call, the only one that waits.
  perform hospital_private.lock_calendars(
    begin_request.doctor_ids,
    begin_request.patient_ids,
    begin_request.room_ids,
    request_key => begin_request.request_key
  );
  return hospital_private.recall_request(
    begin_request.request_key, begin_request.operation, begin_request.payload
  );
end;
$$;
comment on function hospital_private.begin_request(text, text, text, bigint[], bigint[], bigint[]) is
  'What a request under this key led to before, or null for a new one, whose calendars are then locked; without a key nothing is done. Raises UNAUT, IDKEY, RETRY.';
