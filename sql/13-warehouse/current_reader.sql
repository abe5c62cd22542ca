-- Every answer asks here first. It runs as the owner, who may read everything, so that what it then leaves
-- out is all that keeps a doctor from his colleagues' numbers.
create or replace function warehouse.current_reader(variadic roles text[])
returns warehouse.reader
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  session hospital_private.sessions := hospital_private.current_session();
  reader warehouse.reader;
begin
  if session.id is null then
    raise exception using
      errcode = 'UNAUT',
      message = 'Log in first.';
  end if;
  if session.role <> all (current_reader.roles) then
    raise exception using
      errcode = 'PRMSN',
      message = 'Your role may not do this.';
  end if;
  reader.sees_all := session.role <> 'doctor';
  if not reader.sees_all then
    select
      d.id,
      s.department_id,
      m.smallest_cell
    into
      reader.doctor_id,
      reader.department_id,
      reader.smallest_cell
    from hospital_private.accounts as a
    join hospital.staff_members as s
      on s.id = a.staff_member_id
    join hospital.doctors as d
      on d.staff_member_id = s.id
    cross join hospital_private.masking_settings as m
    where a.id = session.account_id;
  end if;
  return reader;
end;
$$;
comment on function warehouse.current_reader(text[]) is
  'Who asks, if the live session has one of the roles: a doctor sees his own and his department, the others everything. Raises UNAUT or PRMSN.';
