create or replace function hospital_private.escape_like(value text)
returns text
language sql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select regexp_replace(escape_like.value, '([\\%_])', '\\\1', 'g');
$$;
comment on function hospital_private.escape_like(text) is
  'The text with the wildcards of LIKE made literal, so that a search for 100% finds just that.';
