-- The clinical policies of staff rest on this: no row here, no clinical row there. So reading a
-- chart without leaving a trace is not forbidden but impossible.
create or replace function hospital_private.open_charts()
returns setof bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select distinct c.patient_id
  from audit.chart_accesses as c
  where c.session_id = (select s.id from hospital_private.current_session() as s);
$$;
comment on function hospital_private.open_charts() is
  'The keys of the patients whose charts the live session has opened. Lends the owner''s right to read the access log for this one question.';
