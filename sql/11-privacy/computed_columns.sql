-- Of a grant its reader sees what he could not read himself: a patient the name of the proxy, a proxy the end.
-- The row may be forged by a SQL user, so only its key is believed.
create or replace function hospital_private.visible_proxy(patient_proxy_id bigint)
returns hospital.patient_proxies
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select x.*
  from hospital.patient_proxies as x
  where x.id = visible_proxy.patient_proxy_id
    and (
      hospital_private.session_has_role('reception')
      or hospital_private.session_has_role('administrator')
      or x.patient_id in (select hospital_private.current_patient_ids())
      or x.proxy_id in (select hospital_private.current_patient_ids())
    );
$$;
comment on function hospital_private.visible_proxy(bigint) is
  'The grant of that key, for both its parties, reception and administrators, or null. Lends the owner''s right to read it to functions alone.';

create or replace function hospital.patient_proxies_proxy_name(
  patient_proxy hospital.patient_proxies
)
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select p.given_name || ' ' || p.family_name
  from hospital_private.visible_proxy(patient_proxy.id) as x
  join hospital.patients as p
    on p.id = x.proxy_id;
$$;
comment on function hospital.patient_proxies_proxy_name(hospital.patient_proxies) is
  'The name of the proxy, for whoever may see the grant. Lends the owner''s right to read that name.';

create or replace function hospital.patient_proxies_ends_at(patient_proxy hospital.patient_proxies)
returns timestamptz
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select hospital_private.proxy_ends_at(x)
  from hospital_private.visible_proxy(patient_proxy.id) as x;
$$;
comment on function hospital.patient_proxies_ends_at(hospital.patient_proxies) is
  'When the proxy''s right ends or ended, or null when nothing ends it yet. Lends the owner''s right to read the date of birth.';

create or replace function hospital.patient_proxies_is_live(patient_proxy hospital.patient_proxies)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select hospital_private.is_live_proxy(x)
  from hospital_private.visible_proxy(patient_proxy.id) as x
  where x.id is not null;
$$;
comment on function hospital.patient_proxies_is_live(hospital.patient_proxies) is
  'Whether the proxy may act for the patient at this moment. Lends the owner''s right to read the grant.';
