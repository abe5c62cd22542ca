-- Question: Which two records may be of one person, registered twice with the name spelt otherwise?
-- Technique: Trigram similarity of the pairs that blocking leaves to compare.
-- Notice: Comparing everybody with everybody grows with the square of their number. So only those
--   are compared who share two of the three parts of a day of birth, as a slip of the keyboard
--   leaves them: three keys each, and a hash join on equal keys. Similarity is the share of the
--   names' three-letter pieces that are in both. (One name against all is another matter: there the
--   index on pieces, which search_patients uses, is quicker than any key.) The query proposes and a
--   person must look: two who are alike may be twins.
with key as (
  select
    p.id,
    k.part
  from hospital.patients as p
  cross join lateral (
    values
      (to_char(p.date_of_birth, 'YYYY-MM')),
      (to_char(p.date_of_birth, 'YYYY/DD')),
      (to_char(p.date_of_birth, 'MM-DD'))
  ) as k (part)
  where p.erased_at is null
),
pair as (
  select
    a.id as one_id,
    b.id as other_id,
    count(*) as keys_shared
  from key as a
  join key as b
    on b.part = a.part
    and b.id > a.id
  group by a.id, b.id
)
select
  a.mrn,
  concat_ws(' ', a.given_name, a.family_name) as patient,
  a.date_of_birth,
  b.mrn as other_mrn,
  concat_ws(' ', b.given_name, b.family_name) as other_patient,
  b.date_of_birth as other_date_of_birth,
  round(names.similarity::numeric, 2) as similarity
from pair as p
join hospital.patients as a
  on a.id = p.one_id
join hospital.patients as b
  on b.id = p.other_id
  and b.person_id <> a.person_id
  and b.sex = a.sex
cross join lateral (
  select
    extensions.similarity(
      a.given_name || ' ' || a.family_name,
      b.given_name || ' ' || b.family_name
    ) as similarity
) as names
where names.similarity >= 0.5
order by
  p.keys_shared desc,
  names.similarity desc,
  a.id,
  b.id;
