create or replace function hospital_private.series(series_id bigint)
returns hospital.appointment_series
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  found hospital.appointment_series;
begin
  select s.*
  into found
  from hospital.appointment_series as s
  where s.id = series.series_id;
  if found.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such series.';
  end if;
  return found;
end;
$$;
comment on function hospital_private.series(bigint) is
  'The series as it is now, when the caller may see it. Raises NTFND.';
