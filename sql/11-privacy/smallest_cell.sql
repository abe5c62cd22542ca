create or replace function hospital_private.smallest_cell()
returns integer
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select m.smallest_cell
  from hospital_private.masking_settings as m;
$$;
comment on function hospital_private.smallest_cell() is
  'Of how many persons a number is at least, where it is told to somebody who may not know who they are.';
