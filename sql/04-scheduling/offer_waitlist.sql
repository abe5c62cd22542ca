-- Whatever made time free, and whether or not anybody said so: whoever waits is asked. A stretch of free
-- time counts as one: who was asked about a part of it is not asked about the rest.
create or replace function ops.offer_waitlist()
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  made bigint := 0::bigint;
  doctor record;
  stretch tstzrange;
begin
  for doctor in
    select
      d.id,
      tstzrange(
        greatest(min(e.starts_from), clock_timestamp()) - interval '1 hour',
        least(max(e.starts_before), clock_timestamp() + interval '60 days') + interval '1 day'
      ) as span
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    join hospital.waitlist_entries as e
      on e.doctor_id = d.id
      or (e.doctor_id is null and e.department_id = m.department_id)
    where d.is_active
      and e.status = 'waiting'
      and e.starts_before > clock_timestamp()
      and e.starts_from < clock_timestamp() + interval '60 days'
      and not exists (
        select
        from hospital.appointments as o
        where o.patient_id = e.patient_id
          and o.waitlist_entry_id is not null
          and o.status = 'held'
          and o.expires_at > clock_timestamp()
      )
    group by d.id
    order by d.id
  loop
    exit when hospital_private.offers_left() <= 0;
    for stretch in
      select f.stretch
      from unnest(hospital_private.available_time(doctor.id, doctor.span)) as f (stretch)
    loop
      made := made + hospital_private.offer_freed_time(doctor.id, stretch);
    end loop;
  end loop;
  return made;
end;
$$;
comment on function ops.offer_waitlist() is
  'Offers free time to everybody on the waitlist whom it suits, and returns how many offers it made, 25 at most: their locks are kept until it ends, and the next run goes on. Lends the worker the owner''s right to hold times for those on the waitlist.';
