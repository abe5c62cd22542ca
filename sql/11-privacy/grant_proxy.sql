-- Who may act for a child is the law's to say, and reception enters it against a document. Who may act for a
-- grown-up is said by that person alone. The proxy is named by the long identifier that he hands over himself:
-- nobody finds out by guessing who is a patient here.
create or replace function hospital.grant_proxy(
  patient_id bigint,
  proxy_uuid uuid,
  relationship text,
  scope text default 'read',
  evidence text default null,
  ends_at timestamptz default null
)
returns hospital.patient_proxies
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  by_patient boolean;
  ward hospital.patients;
  proxy hospital.patients;
  by_law boolean;
  granted hospital.patient_proxies;
begin
  perform hospital_private.require_role('patient', 'reception', 'administrator');
  by_patient := hospital_private.session_has_role('patient');
  -- The same grant twice at once would not be refused but deadlock.
  perform hospital_private.lock_calendars('{}', array[grant_proxy.patient_id]);

  select p.*
  into ward
  from hospital.patients as p
  where p.id = grant_proxy.patient_id
    and (not by_patient or p.id = hospital_private.current_patient_id());
  select p.*
  into proxy
  from hospital.patients as q
  join hospital.patients as p
    on p.id = q.person_id
  where q.public_uuid = grant_proxy.proxy_uuid
    and p.id <> ward.person_id
    and p.deceased_on is null;
  if ward.id is null or proxy.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient or proxy.';
  end if;
  if ward.deceased_on is not null or ward.merged_into_id is not null then
    raise exception using
      errcode = 'PROXY',
      message = 'This patient''s record is closed.';
  end if;

  select r.is_guardian
  into by_law
  from hospital.proxy_relationships as r
  where r.code = grant_proxy.relationship;
  if by_law is null then
    raise exception using
      errcode = 'UNKWN',
      message = 'That relationship is not on the list.';
  end if;
  if hospital_private.comes_of_age_at(ward) <= clock_timestamp() then
    if by_law or not by_patient then
      raise exception using
        errcode = 'PROXY',
        message = 'Who is of age names a proxy himself, and has no guardian.';
    end if;
  elsif not by_law or by_patient then
    raise exception using
      errcode = 'PROXY',
      message = 'For a minor, reception enters parents and guardians against a document.';
  end if;
  if grant_proxy.ends_at <= clock_timestamp() then
    raise exception using
      errcode = 'PASTT',
      message = 'That time has passed.';
  end if;

  insert into hospital.patient_proxies (
    patient_id, proxy_id, relationship, is_guardian, scope, granted, granted_by, evidence
  )
  values (
    ward.id,
    proxy.id,
    grant_proxy.relationship,
    by_law,
    grant_proxy.scope,
    tstzrange(clock_timestamp(), grant_proxy.ends_at),
    hospital_private.current_account_id(),
    btrim(grant_proxy.evidence)
  )
  returning *
  into granted;
  return granted;
end;
$$;
comment on function hospital.grant_proxy(bigint, uuid, text, text, text, timestamptz) is
  'Lets somebody act for a patient at once, until a time or an end by itself, and returns the grant. Reception and administrators enter a minor''s parents and guardians against a document; a patient who is of age names anybody by the identifier that person has handed over. Raises UNAUT, PRMSN, NTFND, UNKWN, PASTT, RETRY, and PROXY where it is not the caller''s to grant. Lends the owner''s right to write grants.';
