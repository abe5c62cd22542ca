-- On every path, the owner's too: what is held is not emptied or deleted, and nothing is written about
-- somebody who was erased. The columns that say something about a person are the trigger's arguments.
create or replace function hospital_private.guard_person()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  person_before bigint;
  person_after bigint;
  before jsonb;
  after jsonb;
  erased_at timestamptz;
begin
  -- A patient's own row, once erased, has a guard of its own below.
  if tg_relid = 'hospital.patients'::regclass then
    person_before := old.id;
  else
    person_before := old.patient_id;
    person_after := new.patient_id;
  end if;

  if person_before is not null then
    before := to_jsonb(old);
    after := to_jsonb(new);
    if after is null or exists (
      select
      from unnest(tg_argv) as c (name)
      where before ->> c.name is not null
        and (nullif(btrim(after ->> c.name), '') is null or after ->> c.name like '[erased]%')
    ) then
      perform hospital_private.refuse_held(hospital_private.records_of_person(person_before));
    end if;
  end if;

  -- Here and not in a function of its own: it is asked for every row that is ever written.
  if person_after is not null then
    select p.erased_at
    into erased_at
    from hospital.patients as p
    where p.id = person_after
    for key share;
    if erased_at is not null then
      perform hospital_private.refuse_erased(person_after);
    end if;
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_person() is
  'Trigger: refuses with LEGHD to delete a row of a patient under legal hold or to empty a column named in its arguments, and with XERAS to write about a patient who was erased. Lends the owner''s right to read holds and patients.';

-- An erasure has the patient's row for update until it commits, so whoever writes meanwhile waits here
-- and then sees it. Under an older snapshot he fails with 40001, since an erasure changes a key.
create or replace function hospital_private.refuse_erased(patient_id bigint)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  erased_at timestamptz;
begin
  select p.erased_at
  into erased_at
  from hospital.patients as p
  where p.id = refuse_erased.patient_id
  for key share;
  if erased_at is not null then
    raise exception using
      errcode = 'XERAS',
      message = 'This person was erased.';
  end if;
end;
$$;
comment on function hospital_private.refuse_erased(bigint) is
  'Raises XERAS for a patient who was erased, and keeps him from being erased until the transaction ends. Lends the owner''s right to read patients.';

create or replace function hospital_private.guard_erased_record()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.refuse_erased(old.id);
  if new.merged_into_id is not null then
    perform hospital_private.refuse_erased(new.merged_into_id);
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_erased_record() is
  'Trigger: refuses with XERAS to change the row of a patient who was erased, and to merge a record into it. Lends the owner''s right to read patients.';

create or replace trigger _330_guard_erased
  before update on hospital.patients
  for each row
  when (old.erased_at is not null or old.merged_into_id is distinct from new.merged_into_id)
  execute function hospital_private.guard_erased_record();

create or replace function hospital_private.guard_truncation()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.refuse_held(array(select p.id from hospital.patients as p));
  return null;
end;
$$;
comment on function hospital_private.guard_truncation() is
  'Trigger: refuses with LEGHD to empty a table about patients while a legal hold is on any of them. Lends the owner''s right to read holds.';

-- A line about somebody who was erased comes back with the next import of the same file. It is counted
-- as refused, but what it says is not kept.
create or replace function hospital_private.forget_erased_line()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select
    from hospital.patients as p
    where p.erased_at is not null
      and position(p.public_uuid::text in new.record::text) > 0
  ) then
    new.reason := 'erased_patient';
    new.field := null;
    new.record := '{}';
  end if;
  return new;
end;
$$;
comment on function hospital_private.forget_erased_line() is
  'Trigger: keeps nothing of a refused line that is about a patient who was erased. Lends the owner''s right to read patients.';

create or replace trigger _320_forget_erased
  before insert on staging.import_rejects
  for each row execute function hospital_private.forget_erased_line();

-- The triggers follow the classes, so that no table can be forgotten.
create or replace procedure hospital_private.guard_person_tables()
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  target record;
begin
  for target in
    select
      t.relation,
      string_agg(quote_ident(c.column_name), ', ' order by c.column_name) as columns,
      string_agg(quote_literal(c.column_name), ', ' order by c.column_name) as arguments
    from hospital_private.person_tables as t
    join hospital_private.personal_columns as c
      on c.relation = t.relation
      and c.is_erased
      and c.patient_column is not null
    group by t.relation
  loop
    execute format(
      'create or replace trigger _320_guard_person before insert or delete or update of %s on %s '
        'for each row execute function hospital_private.guard_person(%s)',
      target.columns,
      target.relation,
      target.arguments
    );
    execute format(
      'create or replace trigger _320_guard_truncation before truncate on %s '
        'for each statement execute function hospital_private.guard_truncation()',
      target.relation
    );
  end loop;
end;
$$;
comment on procedure hospital_private.guard_person_tables() is
  'Hangs the guards of legal holds and erasures onto every table with a patient''s key and a column that an erasure takes away.';
