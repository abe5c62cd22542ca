-- Question: Which two records may be of one person, registered twice with the name spelt otherwise?
-- Technique: Trigram similarity.
-- Notice: % finds similar texts by the index that search_patients uses, similarity says how much;
--   the pairs are asked for in one direction only. Alike names are many: the day of birth, or all
--   but one part of it as a slip of the keyboard leaves it, decides which pairs deserve a look. A
--   person must look: the query proposes, merge_patients is for whoever knows.
select
  a.mrn,
  concat_ws(' ', a.given_name, a.family_name) as patient,
  a.date_of_birth,
  b.mrn as other_mrn,
  concat_ws(' ', b.given_name, b.family_name) as other_patient,
  b.date_of_birth as other_date_of_birth,
  round(
    extensions.similarity(
      a.given_name || ' ' || a.family_name,
      b.given_name || ' ' || b.family_name
    )::numeric,
    2
  ) as similarity
from hospital.patients as a
join hospital.patients as b
  on (b.given_name || ' ' || b.family_name)
    operator(extensions.%) (a.given_name || ' ' || a.family_name)
  and b.id > a.id
  and b.person_id <> a.person_id
  and b.sex = a.sex
cross join lateral (
  select
    (extract(year from a.date_of_birth) = extract(year from b.date_of_birth))::integer
      + (extract(month from a.date_of_birth) = extract(month from b.date_of_birth))::integer
      + (extract(day from a.date_of_birth) = extract(day from b.date_of_birth))::integer as parts
) as same
where a.erased_at is null
  and b.erased_at is null
  and same.parts >= 2
order by
  same.parts desc,
  similarity desc,
  a.id,
  b.id;
