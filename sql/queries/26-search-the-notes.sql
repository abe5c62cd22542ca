-- Question: Which visits were about chest pain or shortness of breath, by what was written of them?
-- Technique: Full-text search with ranking and highlighting, over documents and plain text at once.
-- Notice: websearch_to_tsquery understands what people type: "a phrase", or, -without; and never
--   fails on what they mistype. No search knows that "no headache, chest pain or swelling" means
--   none of it, so the word that such lists begin with is excluded; in a query of its own, because
--   or binds loosest and "a or b -c" would exclude it from b only. Highlighting reads the whole
--   text again, so it is done for the ten rows that are shown. Notes that hide from colleagues are
--   left out here too, though the owner could read them.
with asked as (
  select
    websearch_to_tsquery('english', '"chest pain" or "short of breath"')
      && websearch_to_tsquery('english', '-headache') as query
),
written as (
  select
    v.id as visit_id,
    concat_ws('. ', v.diagnosis, v.notes) as text
  from hospital.visits as v
  where v.voided_at is null
  union all
  select
    v.id,
    concat_ws(
      '. ',
      n.body ->> 'subjective',
      n.body ->> 'objective',
      n.body ->> 'assessment',
      n.body ->> 'plan'
    )
  from hospital.clinical_notes as n
  join hospital.visits as v
    on v.record_uuid = n.record_uuid
    and v.voided_at is null
  where n.voided_at is null
    and n.sensitivity = 'normal'
    and n.note_type = 'progress_note'
),
found as (
  select
    w.visit_id,
    w.text,
    ts_rank(to_tsvector('english', w.text), q.query) as rank
  from written as w
  cross join asked as q
  where to_tsvector('english', w.text) @@ q.query
  order by
    rank desc,
    w.visit_id desc,
    w.text
  limit 10
)
select
  p.mrn,
  v.started_at,
  round(f.rank::numeric, 4) as rank,
  ts_headline('english', f.text, q.query, 'StartSel=«, StopSel=», MaxFragments=2') as excerpt
from found as f
cross join asked as q
join hospital.visits as v
  on v.id = f.visit_id
join hospital.patients as p
  on p.id = v.patient_id
order by
  f.rank desc,
  f.visit_id desc,
  f.text;
