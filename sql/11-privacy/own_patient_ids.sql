-- Whose rows a patient has before him. The policies of patients ask here once per statement, as
-- = any (array(select …)), so a grant counts from the moment it is written and no longer than it lasts.
create or replace function hospital_private.current_patient_ids()
returns setof bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select p.id
  from hospital_private.live_session as s
  join hospital.patients as mine
    on mine.id = s.patient_id
  join hospital.patients as p
    on p.person_id = mine.person_id
  where s.role = 'patient';
end;
$$;
comment on function hospital_private.current_patient_ids() is
  'The keys of all records of the patient who is logged in. Lends the owner''s right to read which are one person''s.';

-- The grants of the caller's own records and no others: nobody acts through somebody else's.
create or replace function hospital_private.own_patient_ids(to_book boolean default false)
returns setof bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with
  mine as materialized (
    select p.id
    from hospital_private.live_session as s
    join hospital.patients as me
      on me.id = s.patient_id
    join hospital.patients as p
      on p.person_id = me.person_id
    where s.role = 'patient'
  )

  select m.id
  from mine as m

  union all
  select p.id
  from mine as m
  join hospital.patient_proxies as x
    on x.proxy_id = m.id
  join hospital.proxy_scopes as s
    on s.code = x.scope
  join hospital.patients as ward
    on ward.id = x.patient_id
  join hospital.patients as p
    on p.person_id = ward.person_id
  where x.revoked_at is null
    and (s.may_book or not own_patient_ids.to_book)
    and hospital_private.is_live_proxy(x);
end;
$$;
comment on function hospital_private.own_patient_ids(boolean) is
  'The keys of all records the patient who is logged in reads, or those whose appointments he keeps: his own, and of those for whom he is a live proxy. Lends the owner''s right to read grants.';
