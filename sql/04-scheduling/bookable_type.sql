create or replace function hospital_private.bookable_type(appointment_type_id bigint)
returns hospital.appointment_types
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  kind hospital.appointment_types;
begin
  select t.*
  into kind
  from hospital.appointment_types as t
  where t.is_bookable
    and case
      when bookable_type.appointment_type_id is null then t.code = 'consultation'
      else t.id = bookable_type.appointment_type_id
    end;
  if kind.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such bookable appointment type.';
  end if;
  return kind;
end;
$$;
comment on function hospital_private.bookable_type(bigint) is
  'The bookable appointment type with the key, a consultation when there is none. Raises NTFND. Lends the owner''s right to read types to visitors who look for times.';
