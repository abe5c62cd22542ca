-- Who the live session is. Each answers null without a session, and null equals nothing, so a
-- policy built on them denies by default.
-- Each is one query of plpgsql, which keeps its plan for as long as the connection lives.
create or replace function hospital_private.current_account_id()
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select s.account_id from hospital_private.live_session as s);
end;
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
begin
  return (
    select p.person_id
    from hospital_private.live_session as s
    join hospital.patients as p
      on p.id = s.patient_id
    where s.role = 'patient'
  );
end;
$$;
comment on function hospital_private.current_patient_id() is
  'The patient of a live session in the role patient, by the record that goes on where several were merged, or null; lends the owner''s right to read accounts.';

create or replace function hospital_private.current_staff_member_id()
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select s.staff_member_id
    from hospital_private.live_session as s
    where s.role <> 'patient'
  );
end;
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
begin
  return (select s.doctor_id from hospital_private.live_session as s);
end;
$$;
comment on function hospital_private.current_doctor_id() is
  'The active doctor of a live session in the role doctor, or null; lends the owner''s right to read accounts.';

create or replace function hospital_private.current_department_id()
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select m.department_id
    from hospital_private.live_session as s
    join hospital.staff_members as m
      on m.id = s.staff_member_id
    where s.role <> 'patient'
  );
end;
$$;
comment on function hospital_private.current_department_id() is
  'The department of the member of staff of a live session, or null; lends the owner''s right to read accounts.';
