-- What a refused statement tells: pgTAP's throws_ok knows code and message, an attacker reads more.

create function tests.failure(
  statement text,
  out code text,
  out message text,
  out detail text,
  out constraint_name text
)
language plpgsql
volatile
security invoker
as $$
begin
  begin
    execute failure.statement;
    failure.code := '00000';
  exception
    when others then
      get stacked diagnostics
        failure.code = returned_sqlstate,
        failure.message = message_text,
        failure.detail = pg_exception_detail,
        failure.constraint_name = constraint_name;
  end;
end;
$$;
comment on function tests.failure(text) is
  'Runs a statement and returns how it failed (00000 if it did not), and undoes it when it failed.';

create function tests.constraint_of(statement text)
returns text
language sql
volatile
security invoker
as $$
  select coalesce(
    nullif(f.constraint_name, ''),
    case f.code when '00000' then 'accepted' else f.code end
  )
  from tests.failure(constraint_of.statement) as f;
$$;
comment on function tests.constraint_of(text) is
  'The name of the constraint that refuses a statement, the code of another error, or accepted.';

create function tests.would_be(statement text)
returns text
language plpgsql
volatile
security invoker
as $$
declare
  refused_with text;
  refused_by text;
begin
  begin
    execute would_be.statement;
    -- Fires what is deferred, and undoes what was done.
    set constraints all immediate;
    raise exception using errcode = 'UNDOA';
  exception
    when sqlstate 'UNDOA' then
      return 'accepted';
    when others then
      get stacked diagnostics
        refused_with = returned_sqlstate,
        refused_by = constraint_name;
      return coalesce(nullif(refused_by, ''), refused_with);
  end;
end;
$$;
comment on function tests.would_be(text) is
  'As constraint_of, but undoes the statement when it is accepted, too.';
