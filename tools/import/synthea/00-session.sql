-- Runs once at the start of the import's transaction. What is made here is temporary and belongs to
-- this connection; search_path is empty, so every name below is qualified.
set local search_path = '';
set local time zone 'UTC';
set local datestyle = 'ISO';

-- Casts that answer null instead of failing, because one bad cell must cost one line, not the
-- import. They run for every cell: what is common is recognised by its cheapest sign.
create or replace function pg_temp.to_uuid(value text)
returns uuid
language sql
immutable
as $$
  select case
    when to_uuid.value like '________-____-____-____-____________'
      and length(replace(to_uuid.value, '-', '')) = 32
      and to_uuid.value ~ '^[0-9A-Fa-f-]*$'
      then to_uuid.value::uuid
  end;
$$;

create or replace function pg_temp.to_day(value text)
returns date
language sql
stable
as $$
  select case
    when to_day.value not like '____-__-__' then null
    when to_day.value ~ '^(1[89]|2[01])\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])$'
      then to_day.value::date
    -- The last days exist only if they are not after the last day of their month.
    when to_day.value ~ '^(1[89]|2[01])\d\d-(0[1-9]|1[0-2])-(29|30|31)$'
      and right(to_day.value, 2)::integer <= extract(
        day from (left(to_day.value, 8) || '01')::date + interval '1 month - 1 day'
      )
      then to_day.value::date
  end;
$$;

-- An instant without a zone is UTC, as the exports promise.
create or replace function pg_temp.to_instant(value text)
returns timestamptz
language sql
stable
as $$
  select case
    when to_instant.value not like '____-__-_____%' then null
    when to_instant.value
        ~ '^(1[89]|2[01])\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$'
      then to_instant.value::timestamptz
    when substr(to_instant.value, 11)
        ~ '^[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-](0\d|1[0-4])(:?[0-5]\d)?)?$'
      and pg_temp.to_day(left(to_instant.value, 10)) is not null
      then to_instant.value::timestamptz
  end;
$$;

-- Amounts are rounded to cents: some exports print floating-point numbers, such as 3.67027875E6.
create or replace function pg_temp.to_amount(value text)
returns numeric
language sql
immutable
as $$
  select case
    when to_amount.value ~ '^(\d{1,10}(\.\d{1,30})?|\d(\.\d{1,30})?[Ee]\d)$'
      then round(to_amount.value::numeric, 2)
  end;
$$;

create or replace function pg_temp.squeeze(value text)
returns text
language sql
immutable
as $$
  select nullif(btrim(regexp_replace(squeeze.value, '\s+', ' ', 'g')), '');
$$;

create or replace function pg_temp.fingerprint(value text)
returns bytea
language sql
immutable
as $$
  select sha256(convert_to(fingerprint.value, 'UTF8'));
$$;

-- What becomes of each line: exactly one outcome, held by the key.
create temp table outcomes (
  file    text   not null,
  line    bigint not null,
  outcome text   not null,
  reason  text,
  field   text,
  primary key (file, line),
  check (outcome in ('loaded', 'already_there', 'rejected')),
  check ((outcome = 'rejected') = (reason is not null))
) on commit drop;

create temp table remarks (
  file   text   not null,
  line   bigint not null,
  reason text   not null,
  primary key (file, line, reason)
) on commit drop;

-- The lines without a fault, each with what identifies it and everything it says.
create temp table entries (
  file     text    not null,
  line     bigint  not null,
  entry    bytea   not null,
  content  bytea   not null,
  ordinal  integer not null default 1,
  is_known boolean not null default false,
  primary key (file, line)
) on commit drop;
