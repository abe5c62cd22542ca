-- Who the live session is. Each answers null without a session, and null equals nothing, so a
-- policy built on them denies by default.
create or replace function hospital_private.current_account_id()
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select s.account_id
  from hospital_private.current_session() as s;
$$;
comment on function hospital_private.current_account_id() is
  'The account of the live session, or null; lends the owner''s right to read sessions.';

create or replace function hospital_private.current_patient_id()
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  session hospital_private.sessions := hospital_private.current_session();
begin
  return (
    select p.person_id
    from hospital_private.accounts as a
    join hospital.patients as p
      on p.id = a.patient_id
    where a.id = session.account_id
      and session.role = 'patient'
  );
end;
$$;
comment on function hospital_private.current_patient_id() is
  'The patient of a live session in the role patient, by the record that goes on where several were merged, or null; lends the owner''s right to read accounts.';

create or replace function hospital_private.current_staff_member_id()
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select a.staff_member_id
  from hospital_private.current_session() as s
  join hospital_private.accounts as a
    on a.id = s.account_id
  where s.role <> 'patient';
$$;
comment on function hospital_private.current_staff_member_id() is
  'The member of staff of a live session in any role but patient, or null; lends the owner''s right to read accounts.';

create or replace function hospital_private.current_doctor_id()
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  session hospital_private.sessions := hospital_private.current_session();
begin
  return (
    select d.id
    from hospital_private.accounts as a
    join hospital.doctors as d
      on d.staff_member_id = a.staff_member_id
    where a.id = session.account_id
      and session.role = 'doctor'
      and d.is_active
  );
end;
$$;
comment on function hospital_private.current_doctor_id() is
  'The active doctor of a live session in the role doctor, or null; lends the owner''s right to read accounts.';

create or replace function hospital_private.current_department_id()
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select m.department_id
  from hospital_private.current_session() as s
  join hospital_private.accounts as a
    on a.id = s.account_id
  join hospital.staff_members as m
    on m.id = a.staff_member_id
  where s.role <> 'patient';
$$;
comment on function hospital_private.current_department_id() is
  'The department of the member of staff of a live session, or null; lends the owner''s right to read accounts.';
