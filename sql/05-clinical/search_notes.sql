-- Without an index over everybody's words: row security lets no search use one before it has asked
-- whose note it is, and the notes of one patient are quickly read.
create or replace function hospital.search_notes(patient_id bigint, search text)
returns setof hospital.clinical_notes
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select n.*
  from hospital.clinical_notes as n
  cross join lateral (
    select
      jsonb_to_tsvector('english', n.body, '["string"]') as words,
      websearch_to_tsquery('english', search_notes.search) as query
  ) as s
  where n.patient_id = search_notes.patient_id
    and n.voided_at is null
    and s.words @@ s.query
  order by
    ts_rank(s.words, s.query) desc,
    n.id desc;
$$;
comment on function hospital.search_notes(bigint, text) is
  'The notes of a patient whose chart is open that contain the words, best match first; "a phrase", or and -without are understood. Entries in error are left out.';
