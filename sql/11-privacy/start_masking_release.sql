-- Retired means destroyed: without the secrets nobody, the hospital included, can compute a pseudonym of
-- that release again.
create or replace function hospital_private.retire_masking_release(release_id bigint)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  delete from hospital_private.masking_subjects as s
  where s.release_id = retire_masking_release.release_id;
  delete from hospital_private.masking_categories as c
  where c.release_id = retire_masking_release.release_id;
  update hospital_private.masking_releases as r
  set retired_at = now()
  where r.id = retire_masking_release.release_id
    and r.retired_at is null;
$$;
comment on function hospital_private.retire_masking_release(bigint) is
  'Ends a release and destroys its secrets, after which its pseudonyms mean nothing to anybody.';

create or replace function hospital_private.start_masking_release(purpose text)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  release hospital_private.masking_releases;
begin
  perform hospital_private.retire_masking_release(r.id)
  from hospital_private.masking_releases as r
  where r.purpose = start_masking_release.purpose
    and r.retired_at is null;
  insert into hospital_private.masking_releases (purpose, until, smallest_cell)
  select
    start_masking_release.purpose,
    -- Whole months that are over everywhere on earth.
    date_trunc('month', now() at time zone 'Etc/GMT+12')::date,
    m.smallest_cell
  from hospital_private.masking_settings as m
  returning *
  into release;

  insert into hospital_private.masking_subjects (release_id, patient_id, secret, shift_days)
  select
    release.id,
    drawn.patient_id,
    drawn.secret,
    -- 730 offsets, from a year back to a year ahead; 0 would be none.
    case when drawn.place < 365 then drawn.place - 365 else drawn.place - 364 end
  from (
    select
      p.id as patient_id,
      extensions.gen_random_bytes(32) as secret,
      ('x' || encode(extensions.gen_random_bytes(4), 'hex'))::bit(32)::bigint % 730 as place
    from hospital_private.consenting_patients as p
  ) as drawn;

  insert into hospital_private.masking_categories (release_id, kind, category)
  select
    release.id,
    used.kind,
    used.category
  from (
    select 'sex', p.sex, p.id
    from hospital_private.consenting_patients as p
    union all
    select 'specialization', d.specialization, a.patient_id
    from hospital.appointments as a
    join hospital.doctors as d
      on d.id = a.doctor_id
    union all
    select 'type', t.name, a.patient_id
    from hospital.appointments as a
    join hospital.appointment_types as t
      on t.id = a.appointment_type_id
    union all
    select 'diagnosis', c.category, d.patient_id
    from hospital.visit_diagnoses as d
    join hospital_private.diagnosis_categories as c
      on c.diagnosis_code_id = d.diagnosis_code_id
    union all
    select 'diagnosis', c.category, d.patient_id
    from hospital.patient_conditions as d
    join hospital_private.diagnosis_categories as c
      on c.diagnosis_code_id = d.diagnosis_code_id
    union all
    select 'medication', m.name, d.patient_id
    from hospital.prescriptions as d
    join hospital.medications as m
      on m.id = d.medication_id
    union all
    select 'treatment', d.type, d.patient_id
    from hospital.treatments as d
  ) as used (kind, category, patient_id)
  join hospital_private.consenting_patients as p
    on p.id = used.patient_id
  group by
    used.kind,
    used.category
  having count(distinct used.patient_id) >= release.smallest_cell;

  -- Taken for a handful, the persons would be looked up one by one in every table.
  analyze hospital_private.masking_subjects, hospital_private.masking_categories;
  return release.id;
end;
$$;
comment on function hospital_private.start_masking_release(text) is
  'Makes a release of de-identified rows with fresh pseudonyms and offsets, retires the one before for the same purpose, and returns its number.';
