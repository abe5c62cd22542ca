-- Question: What do patients complain of most, in the words of the notes, and how many have it
--   again?
-- Technique: A document unwound by jsonb_path_query.
-- Notice: [*] takes the elements of a list and a lone text alike, for paths are lax unless they say
--   strict: notes that keep their complaints as a list count like those with one. Where a key is
--   absent the path yields no row and no error. The filter stands in the path, before anything
--   becomes a row. This is what document databases call unwinding; here the result joins with
--   patients, so that people can be told from notes.
with complaint as (
  select
    p.person_id,
    lower(rtrim(c.value #>> '{}', '. ')) as words
  from hospital.clinical_notes as n
  join hospital.visits as v
    on v.record_uuid = n.record_uuid
    and v.voided_at is null
  join hospital.patients as p
    on p.id = n.patient_id
  cross join lateral jsonb_path_query(n.body, '$.subjective[*] ? (@ != "")') as c (value)
  where n.voided_at is null
    and n.sensitivity = 'normal'
),
person as (
  select
    c.words,
    c.person_id,
    count(*) as notes
  from complaint as c
  group by c.words, c.person_id
)
select
  p.words as complaint,
  sum(p.notes) as notes,
  count(*) as people,
  count(*) filter (where p.notes > 1) as people_with_it_again,
  round(100.0 * sum(p.notes) / sum(sum(p.notes)) over (), 1) as percent_of_notes
from person as p
group by p.words
order by
  notes desc,
  p.words;
