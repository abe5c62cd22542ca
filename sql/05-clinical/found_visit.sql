create or replace function hospital_private.found_visit(visit hospital.visits)
returns hospital.visits
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if visit.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such visit in a chart you have open.',
      hint = 'Open the patient''s chart with openChart first.';
  end if;
  return visit;
end;
$$;
comment on function hospital_private.found_visit(hospital.visits) is
  'Returns the visit, or raises NTFND when none was found.';
