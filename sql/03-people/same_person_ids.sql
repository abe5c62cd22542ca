-- The one place where a key becomes all keys of the person. Whoever decides by keys who may see whom asks here
-- last, so that what is seen of one record is seen of all.
create or replace function hospital_private.same_person_ids(patient_ids bigint[])
returns setof bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- A record that goes on is its own person: it is read from the index alone, and few others are looked for.
  return query
  select q.person_id
  from hospital.patients as q
  where q.id = any (same_person_ids.patient_ids)
  union all
  select p.id
  from hospital.patients as q
  join hospital.patients as p
    on p.person_id = q.person_id
    and p.merged_into_id is not null
  where q.id = any (same_person_ids.patient_ids);
end;
$$;
comment on function hospital_private.same_person_ids(bigint[]) is
  'The keys of all records of the persons whose records are named, these included. Only functions call it: which records are one person''s is nobody''s business. Lends the owner''s right to read that.';

create or replace function hospital.patients_records(patient hospital.patients)
returns setof hospital.patients
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select p.*
  from hospital.patients as p
  where p.person_id = patient.person_id
  order by
    (p.merged_into_id is not null),
    p.id;
$$;
comment on function hospital.patients_records(hospital.patients) is
  'All records of the person that the caller may see, the one that goes on first.';
