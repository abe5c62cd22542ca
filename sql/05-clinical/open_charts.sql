-- The clinical policies of staff rest on this: no row here, no clinical row there. So reading a
-- chart without leaving a trace is not forbidden but impossible. What opened the chart is asked again at
-- every statement, by the clock: a window, an emergency or a permission that ends and a restriction that
-- begins close it that moment, and no job has to run.
create or replace function hospital_private.open_charts()
returns setof bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  viewer hospital_private.viewer := hospital_private.current_viewer();
  -- Not the statement's time: one statement of a client may be many of ours, and long.
  moment constant timestamptz := clock_timestamp();
begin
  return query
  select hospital_private.same_person_ids(
    array(
      select distinct c.patient_id
      from audit.chart_openings as o
      join audit.chart_accesses as c
        on c.id = o.access_id
        and c.covers @> moment
      left join hospital.break_glass_grants as g
        on g.id = c.break_glass_grant_id
      left join hospital.consents as p
        on p.id = c.consent_id
      where o.session_id = viewer.session_id
        and case
          when g.id is not null then g.in_force @> moment
          else (p.id is null or p.in_force @> moment)
            and not hospital_private.is_restricted(c.patient_id, viewer, c.purpose)
        end
    )
  );
end;
$$;
comment on function hospital_private.open_charts() is
  'The keys of the patients whose charts are open in the live session at this moment. Lends the owner''s right to read the access log for this one question.';
