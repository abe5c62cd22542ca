-- LIKE is not leakproof, so under row security it would run only after the policy had been applied
-- to every row, and no index could help. The keys are found here with the owner's right and an
-- index. The rule of who may see whom is applied again, because that somebody is a patient here is
-- itself a secret; whoever asks still reads the rows under his own policies.
create or replace function hospital_private.matching_patient_ids(search text)
returns setof bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select m.person_id
  from (
    select p.person_id
    from hospital.patients as p
    where p.given_name || ' ' || p.family_name ilike
      '%' || hospital_private.escape_like(matching_patient_ids.search) || '%'
    union
    select p.person_id
    from hospital.patients as p
    where p.mrn = upper(matching_patient_ids.search)
  ) as m
  where (select hospital_private.session_has_role('reception'))
    or (select hospital_private.session_has_role('administrator'))
    or m.person_id = any (array(select hospital_private.roster_patient_ids()));
$$;
comment on function hospital_private.matching_patient_ids(text) is
  'The keys of patients whose name contains the text or whose record number it is, of a duplicate that of the record that goes on: all of them for reception and administrators, those on the roster for doctors and nurses. Lends the owner''s right to use the index on names.';

create or replace function hospital.search_patients(search text)
returns setof hospital.patients
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select p.*
  from hospital.patients as p
  where p.id = any (
    array(
      select hospital_private.matching_patient_ids(search_patients.search)
    )
  )
  order by
    p.family_name,
    p.given_name,
    p.id;
$$;
comment on function hospital.search_patients(text) is
  'The patients the caller may see whose name contains the text, or whose record number it is. A duplicate is found as the record it was merged into.';
