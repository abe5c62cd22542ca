-- A report leaves the house as a file: whoever finds it must see whose it is and from when. A patient is named
-- in none but his own; elsewhere his record number stands, which means nothing outside.
create or replace function hospital_private.require_report_period(from_date date, until_date date)
returns void
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(
    isfinite(require_report_period.from_date)
      and isfinite(require_report_period.until_date)
      and require_report_period.until_date - require_report_period.from_date between 1 and 366,
    false
  ) then
    return;
  end if;
  raise exception using
    errcode = 'PERIO',
    message = 'A report covers one day to 366, the last not before the first.';
end;
$$;
comment on function hospital_private.require_report_period(date, date) is
  'Raises PERIO unless the days from the first and before the second are 1 to 366.';

create or replace function hospital_private.house_name(facilities text[])
returns text
language sql
immutable
strict
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case
    when cardinality(house_name.facilities) <= 3 then array_to_string(house_name.facilities, ', ')
    else format(
      '%s and %s other facilities',
      house_name.facilities[1],
      cardinality(house_name.facilities) - 1
    )
  end;
$$;
comment on function hospital_private.house_name(text[]) is
  'The names of a house''s facilities as they stand on a page: up to three, or the first and how many others; null where there are none.';

create or replace function hospital_private.report_heading(department_id bigint default null)
returns hospital_private.report_heading
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  heading hospital_private.report_heading;
begin
  perform hospital_private.require_role(
    'patient', 'doctor', 'nurse', 'reception', 'billing', 'administrator', 'auditor'
  );
  select
    hospital_private.house_name(array_agg(f.name order by f.id)),
    max(d.name),
    case when count(distinct f.time_zone) = 1 then max(f.time_zone) else 'UTC' end,
    now()
  into
    heading.hospital,
    heading.department,
    heading.time_zone,
    heading.as_of
  from hospital.facilities as f
  left join hospital.departments as d
    on d.facility_id = f.id
    and d.id = report_heading.department_id
  where report_heading.department_id is null
    or d.id is not null;
  select format('%s, %s', coalesce(names.full_name, a.email), s.role)
  into heading.asked_by
  from hospital_private.current_session() as s
  join hospital_private.accounts as a
    on a.id = s.account_id
  left join hospital.staff_members as m
    on m.id = a.staff_member_id
  left join hospital.patients as p
    on p.id = a.patient_id
  cross join lateral (
    select case s.role
      when 'patient' then p.given_name || ' ' || p.family_name
      else m.given_name || ' ' || m.family_name
    end as full_name
  ) as names;
  if heading.hospital is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such department.';
  end if;
  return heading;
end;
$$;
comment on function hospital_private.report_heading(bigint) is
  'The house, the department asked for, who asks, and the moment. Raises UNAUT, PRMSN, NTFND. Lends the owner''s right to read the caller''s own account and the names of the house.';
