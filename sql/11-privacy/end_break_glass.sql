create or replace function hospital.end_break_glass(grant_id bigint)
returns hospital.break_glass_grants
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  emergency hospital.break_glass_grants;
begin
  update hospital.break_glass_grants as g
  set ended_at = clock_timestamp()
  where g.id = end_break_glass.grant_id
    and g.in_force @> clock_timestamp()
  returning g.*
  into emergency;
  -- Ending what has ended is no error.
  if emergency.id is null then
    select g.*
    into emergency
    from hospital.break_glass_grants as g
    where g.id = end_break_glass.grant_id
      and g.account_id = hospital_private.current_account_id();
  end if;
  return hospital_private.found_break_glass(emergency);
end;
$$;
comment on function hospital.end_break_glass(bigint) is
  'Ends one''s own emergency access now, before its time. Raises NTFND.';

create or replace function hospital_private.found_break_glass(emergency hospital.break_glass_grants)
returns hospital.break_glass_grants
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if emergency.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such emergency access.';
  end if;
  return emergency;
end;
$$;
comment on function hospital_private.found_break_glass(hospital.break_glass_grants) is
  'Returns the emergency access, or raises NTFND when none was found.';
