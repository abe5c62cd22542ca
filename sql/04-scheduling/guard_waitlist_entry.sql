-- On every path: a doctor is waited for where he works, nobody waits for what cannot be, and nobody for
-- everything.
create or replace function hospital_private.guard_waitlist_entry()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  department bigint;
  wishes bigint;
begin
  -- A doctor that does not exist is left for the foreign key to refuse.
  if new.doctor_id is not null then
    select m.department_id
    into department
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    where d.id = new.doctor_id;
    if new.department_id <> department then
      raise exception using
        errcode = 'NTFND',
        message = 'There is no such doctor in that department.';
    end if;
    new.department_id := coalesce(new.department_id, department);
  end if;
  if exists (
    select
    from hospital.patients as p
    where p.id = new.patient_id
      and (
        p.deactivated_at is not null
        or p.deceased_on is not null
        or p.merged_into_id is not null
      )
  ) then
    raise exception using
      errcode = 'NOTBK',
      message = 'This patient''s record is closed.';
  end if;
  if exists (
    select
    from hospital.appointment_types as t
    where t.id = new.appointment_type_id
      and not t.is_bookable
  ) then
    raise exception using
      errcode = 'NOTBK',
      message = 'This type of appointment cannot be booked.';
  end if;

  if new.status <> 'waiting' then
    return new;
  end if;
  -- Whoever counts must be alone, and must see what is there. Rows may be held already, so nobody is
  -- waited for.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using
      errcode = 'ISOLN',
      message = 'The waitlist is joined under READ COMMITTED only.';
  end if;
  perform hospital_private.lock_in_order('{}');
  perform hospital_private.lock_calendars('{}', array[new.patient_id]);
  -- The same wish once more is none more: it is refused or merged by its index.
  select count(*)
  into wishes
  from hospital.waitlist_entries as e
  where e.patient_id = new.patient_id
    and e.status = 'waiting'
    and e.id <> new.id
    and (e.appointment_type_id, e.department_id, e.doctor_id)
      is distinct from (new.appointment_type_id, new.department_id, new.doctor_id);
  if wishes >= 5 then
    raise exception using
      errcode = 'WISHN',
      message = 'The patient waits for as many things as one may at once.',
      hint = 'Leave the waitlist for one of them first.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_waitlist_entry() is
  'Trigger: gives an entry on the waitlist the department of its doctor; refuses with NTFND a doctor of another, with NOTBK closed patients and types that are not booked, and with WISHN a sixth open wish of a patient. Raises ISOLN and RETRY too. Lends the owner''s right to read what the writer may not see.';

create or replace trigger _300_guard_insert
  before insert on hospital.waitlist_entries
  for each row execute function hospital_private.guard_waitlist_entry();

-- A wish that is opened again, or becomes another, is asked the same.
create or replace trigger _300_guard_update
  before update on hospital.waitlist_entries
  for each row
  when (
    new.status = 'waiting'
    and (
      old.status,
      old.patient_id,
      old.appointment_type_id,
      old.department_id,
      old.doctor_id
    ) is distinct from (
      new.status,
      new.patient_id,
      new.appointment_type_id,
      new.department_id,
      new.doctor_id
    )
  )
  execute function hospital_private.guard_waitlist_entry();
