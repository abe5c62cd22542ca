create or replace function hospital_private.write_contact(
  patient_id bigint,
  staff_member_id bigint,
  kind text,
  value text
)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if write_contact.value is null then
    return;
  end if;
  update hospital.contact_points as c
  set value = btrim(write_contact.value)
  where (c.patient_id = write_contact.patient_id or c.staff_member_id = write_contact.staff_member_id)
    and c.kind = write_contact.kind
    and c.is_preferred;
  if not found then
    insert into hospital.contact_points (patient_id, staff_member_id, kind, value)
    values (
      write_contact.patient_id,
      write_contact.staff_member_id,
      write_contact.kind,
      btrim(write_contact.value)
    );
  end if;
end;
$$;
comment on function hospital_private.write_contact(bigint, bigint, text, text) is
  'Sets the preferred contact of one kind of a patient or a member of staff (the other null); does nothing for a null value.';
