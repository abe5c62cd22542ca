create or replace function hospital_private.client_address()
returns inet
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when current_setting('infirmary.client_address', true) ~ '^[0-9a-f.:]{2,45}$'
      then current_setting('infirmary.client_address', true)::inet
  end;
$$;
comment on function hospital_private.client_address() is
  'The network address the API saw for this request, or null.';
