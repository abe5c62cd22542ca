-- Tidying only. A hold that has run out is in nobody's way; this writes down that it has, and offers
-- its time to the next on the waitlist.
create or replace function ops.expire_holds()
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  lapsed bigint[];
  freed record;
begin
  with
  expired as materialized (
    select a.id
    from hospital.appointments as a
    where a.status = 'held'
      and a.expires_at <= clock_timestamp()
    order by a.id
    limit 200
    for update skip locked
  ),
  ended as (
    update hospital.appointments as a
    set status = 'lapsed'
    where a.id = any (array(select e.id from expired as e))
    returning a.id
  )
  select coalesce(array_agg(e.id), '{}')
  into lapsed
  from ended as e;

  for freed in
    select
      a.doctor_id,
      a.busy
    from hospital.appointments as a
    where a.id = any (lapsed)
    order by
      a.doctor_id,
      a.starts_at
  loop
    perform hospital_private.offer_freed_time(freed.doctor_id, freed.busy);
  end loop;

  -- Nobody repeats a request after a month.
  delete from hospital_private.idempotency_keys as k
  where k.created_at < now() - interval '30 days';
  return cardinality(lapsed)::bigint;
end;
$$;
comment on function ops.expire_holds() is
  'Ends the holds that have run out, offers their time to the waitlist, forgets idempotency keys after 30 days, and returns how many holds it ended, 200 at most; the next run goes on. Lends the worker the owner''s right to change appointments, for this alone.';
