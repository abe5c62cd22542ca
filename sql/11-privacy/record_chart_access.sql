-- One row for each account, patient, purpose, ground and window, however many sessions open the chart at
-- once: the exclusion constraint decides, and whoever comes second joins the look that is there.
create or replace function hospital_private.record_chart_access(ground audit.chart_accesses)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  moment constant timestamptz := clock_timestamp();
  span constant tstzrange := tstzrange(
    moment,
    moment + (select r.chart_window from hospital_private.privacy_rules as r)
  );
  access_id bigint;
begin
  insert into audit.chart_accesses (
    patient_id, account_id, session_id, role, department_id, purpose, opened_at, tag,
    break_glass_grant_id, consent_id, client_address, request_id, covers
  )
  values (
    ground.patient_id,
    ground.account_id,
    ground.session_id,
    ground.role,
    ground.department_id,
    ground.purpose,
    moment,
    ground.tag,
    ground.break_glass_grant_id,
    ground.consent_id,
    hospital_private.client_address(),
    nullif(current_setting('infirmary.request_id', true), ''),
    span
  )
  on conflict on constraint chart_accesses_one_per_window do nothing
  returning id
  into access_id;
  if access_id is null then
    select c.id
    into access_id
    from audit.chart_accesses as c
    where c.account_id = ground.account_id
      and c.patient_id = ground.patient_id
      and c.purpose = ground.purpose
      and c.tag = ground.tag
      and coalesce(c.break_glass_grant_id, c.consent_id, 0)
        = coalesce(ground.break_glass_grant_id, ground.consent_id, 0)
      and c.covers && span
    order by c.opened_at
    limit 1;
  end if;
  insert into audit.chart_openings (session_id, access_id, patient_id, role)
  values (ground.session_id, access_id, ground.patient_id, ground.role)
  on conflict on constraint chart_openings_pkey do nothing;
end;
$$;
comment on function hospital_private.record_chart_access(audit.chart_accesses) is
  'Writes a look into the access log, or joins the one whose window runs, and opens the chart in the session.';
