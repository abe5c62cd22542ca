-- Whoever breaks the glass knows whom he means: a patient whom he sees anyway, by key, or anybody by the two
-- things on a wristband, record number and date of birth. So this is no search: a wrong guess is answered like
-- one for nobody, with null and no error, since an error would roll back the count of guesses. All else is
-- refused before the patient is looked up: refused after it, it would tell that the guess was right.
create or replace function hospital.break_glass(
  reason text,
  category text default 'emergency',
  patient_id bigint default null,
  mrn text default null,
  date_of_birth date default null
)
returns hospital.break_glass_grants
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  viewer hospital_private.viewer;
  moment timestamptz;
  rules hospital_private.privacy_rules;
  asked_id bigint;
  emergency hospital.break_glass_grants;
begin
  perform hospital_private.require_role('doctor', 'nurse');
  viewer := hospital_private.current_viewer();
  if btrim(coalesce(break_glass.reason, '')) = '' or char_length(break_glass.reason) > 1000 then
    raise exception using
      errcode = 'MISSA',
      message = 'Say why, in up to 1000 characters.';
  end if;
  if not exists (
    select
    from hospital.break_glass_reasons as r
    where r.code = break_glass.category
  ) then
    raise exception using
      errcode = 'UNKWN',
      message = 'There is no such kind of reason.';
  end if;

  -- From here one account goes one by one: asking twice at once is asking once.
  perform from hospital_private.accounts as a
  where a.id = viewer.account_id
  for no key update;
  perform hospital_private.require_glass_reviewed(viewer.account_id);
  select r.*
  into rules
  from hospital_private.privacy_rules as r;
  if rules.break_glass_misses <= (
    select count(*)
    from audit.break_glass_misses as m
    where m.account_id = viewer.account_id
      and m.missed_at > clock_timestamp() - interval '1 hour'
  ) then
    raise exception using
      errcode = 'NGUES',
      message = 'You have named too many patients there are not.',
      hint = 'Ask reception who the patient is.';
  end if;

  if break_glass.patient_id is null then
    select p.id
    into asked_id
    from hospital.patients as p
    where p.mrn = upper(btrim(break_glass.mrn))
      and p.date_of_birth = break_glass.date_of_birth;
  else
    select r.patient_id
    into asked_id
    from hospital_private.roster_patient_ids() as r (patient_id)
    where r.patient_id = break_glass.patient_id;
  end if;
  if asked_id is null then
    insert into audit.break_glass_misses (account_id, session_id, client_address)
    values (viewer.account_id, viewer.session_id, hospital_private.client_address());
    return null;
  end if;

  moment := clock_timestamp();
  select g.*
  into emergency
  from hospital.break_glass_grants as g
  where g.account_id = viewer.account_id
    and g.patient_id = asked_id
    and g.in_force @> moment;
  if emergency.id is null then
    insert into hospital.break_glass_grants (
      account_id, staff_member_id, role, patient_id, category, reason, granted, review_due_at
    )
    values (
      viewer.account_id,
      viewer.staff_member_id,
      viewer.role,
      asked_id,
      break_glass.category,
      break_glass.reason,
      tstzrange(moment, moment + rules.break_glass_lasts),
      moment + rules.break_glass_review_within
    )
    returning *
    into emergency;
  end if;
  perform hospital.open_chart(asked_id, 'emergency');
  return emergency;
end;
$$;
comment on function hospital.break_glass(text, text, bigint, text, date) is
  'Opens one patient''s chart in an emergency, for a few hours and with a reason; the patient is told, and somebody else reviews it. Name a patient on the roster by key, anybody else by record number and date of birth together; null when there is no such patient. Raises UNAUT, PRMSN, MISSA, UNKWN, RVIEW, NGUES. Lends the owner''s right to find the patient and to write the grant.';
