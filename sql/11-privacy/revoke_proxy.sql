create or replace function hospital.revoke_proxy(patient_proxy_id bigint)
returns hospital.patient_proxies
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  proxy hospital.patient_proxies;
begin
  perform hospital_private.require_role('patient', 'reception', 'administrator');
  proxy := hospital_private.visible_proxy(revoke_proxy.patient_proxy_id);
  if proxy.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such proxy.';
  end if;
  -- A child does not send the parents away; whoever is of age has none left to send.
  if proxy.is_guardian
    and hospital_private.session_has_role('patient')
    and proxy.proxy_id not in (select hospital_private.current_patient_ids())
  then
    raise exception using
      errcode = 'PROXY',
      message = 'Parents and guardians are withdrawn at reception.';
  end if;
  update hospital.patient_proxies as x
  set revoked_at = clock_timestamp(),
    revoked_by = hospital_private.current_account_id()
  where x.id = proxy.id
    and x.revoked_at is null;
  return hospital_private.visible_proxy(proxy.id);
end;
$$;
comment on function hospital.revoke_proxy(bigint) is
  'Ends a proxy''s right at once and returns the grant; one that was revoked before stays as it was. For the patient, unless of a guardian, for the proxy who steps back, for reception and administrators. Raises UNAUT, PRMSN, NTFND, PROXY. Lends the owner''s right to write grants.';
