-- What tells who looked is worth nothing if whoever looked, or the owner, can mend it.
create or replace function hospital_private.keep_as_written()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'KEPTT',
    message = 'This record stays as it was written.';
end;
$$;
comment on function hospital_private.keep_as_written() is
  'Trigger: refuses to change or delete a row. Raises KEPTT.';

create or replace trigger _310_keep_all
  before truncate on audit.chart_accesses
  for each statement execute function hospital_private.keep_as_written();
create or replace trigger _300_keep
  before update or delete on audit.chart_openings
  for each row execute function hospital_private.keep_as_written();
create or replace trigger _310_keep_all
  before truncate on audit.chart_openings
  for each statement execute function hospital_private.keep_as_written();
create or replace trigger _300_keep
  before update or delete on audit.break_glass_misses
  for each row execute function hospital_private.keep_as_written();
create or replace trigger _310_keep_all
  before truncate on audit.break_glass_misses
  for each statement execute function hospital_private.keep_as_written();
create or replace trigger _300_keep
  before delete on hospital.break_glass_grants
  for each row execute function hospital_private.keep_as_written();
create or replace trigger _300_keep
  before delete on hospital.consents
  for each row execute function hospital_private.keep_as_written();
