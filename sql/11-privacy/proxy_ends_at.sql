-- Guardians' rights end in the first second of the eighteenth birthday where the child lives. Who is born on
-- 29 February has it on 1 March, the day on which patients.age says eighteen. Where no zone is known it is the
-- facility's whose clocks show that day first: rather some hours early than one second late.
create or replace function hospital_private.comes_of_age_at(patient hospital.patients)
returns timestamptz
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select min(hospital_private.wall_instant(birthday.local, zone.name))
  from (
    -- Eighteen years after 29 February PostgreSQL says 28 where the year has no 29.
    select case
        when extract(day from d.eighteenth) = extract(day from patient.date_of_birth)
          then d.eighteenth
        else d.eighteenth + interval '1 day'
      end as local
    from (select patient.date_of_birth + interval '18 years' as eighteenth) as d
  ) as birthday
  cross join (
    select coalesce(patient.time_zone, f.time_zone, 'UTC') as name
    from (values (0)) as always
    left join hospital.facilities as f
      on patient.time_zone is null
  ) as zone;
$$;
comment on function hospital_private.comes_of_age_at(hospital.patients) is
  'The instant at which a patient is eighteen years old, where the patient lives. Lends the owner''s right to read facilities.';

-- Nothing is stored that could fall behind: a corrected date of birth counts from that moment on, and of
-- several records of a child the one that goes on.
create or replace function hospital_private.proxy_ends_at(proxy hospital.patient_proxies)
returns timestamptz
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select least(
    upper(proxy.granted),
    proxy.revoked_at,
    case when proxy.is_guardian then hospital_private.comes_of_age_at(person) end
  )
  from hospital.patients as ward
  join hospital.patients as person
    on person.id = ward.person_id
  where ward.id = proxy.patient_id;
$$;
comment on function hospital_private.proxy_ends_at(hospital.patient_proxies) is
  'When a proxy''s right ends: when it was granted until, revoked, or a child comes of age, whichever is first; null when nothing ends it. Lends the owner''s right to read dates of birth.';

-- By the clock and not by the transaction's beginning, which a caller can put as far back as he likes. The
-- right ends with the life of either.
create or replace function hospital_private.is_live_proxy(proxy hospital.patient_proxies)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select lower(proxy.granted) <= clock_timestamp()
    and coalesce(hospital_private.proxy_ends_at(proxy) > clock_timestamp(), true)
    and not exists (
      select
      from hospital.patients as party
      join hospital.patients as p
        on p.person_id = party.person_id
      where party.id in (proxy.patient_id, proxy.proxy_id)
        and p.deceased_on is not null
    );
$$;
comment on function hospital_private.is_live_proxy(hospital.patient_proxies) is
  'Whether a grant counts at this very moment: begun, not ended, and both alive. Lends the owner''s right to read dates of birth and death.';
