-- Vocabularies and the directory are read by every role in the same way. Saying it in one line per
-- role keeps the policies files short enough to be read.
create or replace procedure hospital_private.allow_reading(
  role_name name,
  session_role text,
  variadic tables text[]
)
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  target regclass;
begin
  foreach target in array allow_reading.tables::regclass[] loop
    execute format(
      'create policy %I on %s for select to %I '
        'using ((select hospital_private.session_has_role(%L)))',
      allow_reading.session_role || '_select_all',
      target,
      allow_reading.role_name,
      allow_reading.session_role
    );
    execute format('grant select on %s to %I', target, allow_reading.role_name);
  end loop;
end;
$$;
comment on procedure hospital_private.allow_reading(name, text, text[]) is
  'Lets a role read all rows of the named tables while it has a live session: one policy and the grant for each.';
