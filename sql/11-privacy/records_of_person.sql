-- A person is all records that merges link, whichever of them is asked about.
create or replace function hospital_private.records_of_person(patient_id bigint)
returns bigint[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  with recursive person as (
    select records_of_person.patient_id as id
    union
    select linked.id
    from person as n
    cross join lateral (
      select p.id
      from hospital.patients as p
      where p.merged_into_id = n.id
      union all
      select p.merged_into_id
      from hospital.patients as p
      where p.id = n.id
        and p.merged_into_id is not null
    ) as linked
  )
  select array_agg(n.id order by n.id)
  from person as n;
$$;
comment on function hospital_private.records_of_person(bigint) is
  'The keys of all records of the person one of whose records this is, in ascending order. Lends the owner''s right to follow merges.';

create or replace function hospital_private.values_of_person(patient_ids bigint[])
returns text[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select array_agg(v.value)
  from (
    select p.public_uuid::text
    from hospital.patients as p
    where p.id = any (values_of_person.patient_ids)
    union
    select p.mrn
    from hospital.patients as p
    where p.id = any (values_of_person.patient_ids)
    union
    select i.value
    from hospital.patient_identifiers as i
    where i.patient_id = any (values_of_person.patient_ids)
    union
    select c.value
    from hospital.contact_points as c
    where c.patient_id = any (values_of_person.patient_ids)
  ) as v (value)
  -- Shorter ones stand in lines of other people too.
  where char_length(v.value) >= 8;
$$;
comment on function hospital_private.values_of_person(bigint[]) is
  'What only a line about the person of these records holds: identifiers, numbers and addresses. Lends the owner''s right to read them.';
