create or replace function hospital.audited_chart_accesses(
  patient_id bigint default null,
  account_id bigint default null,
  opened_from timestamptz default null,
  opened_before timestamptz default null
)
returns setof hospital.audited_chart_access
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    c.patient_id,
    c.account_id,
    c.role,
    c.purpose,
    c.opened_at
  from audit.chart_accesses as c
  where (select hospital_private.audit_is_open())
    and (
      audited_chart_accesses.patient_id is null
      or c.patient_id = audited_chart_accesses.patient_id
    )
    and (
      audited_chart_accesses.account_id is null
      or c.account_id = audited_chart_accesses.account_id
    )
    and (
      audited_chart_accesses.opened_from is null
      or c.opened_at >= audited_chart_accesses.opened_from
    )
    and (
      audited_chart_accesses.opened_before is null
      or c.opened_at < audited_chart_accesses.opened_before
    )
  order by c.opened_at desc, c.id desc;
$$;
comment on function hospital.audited_chart_accesses(bigint, bigint, timestamptz, timestamptz) is
  'Who opened which chart, newest first. Nothing unless the auditor''s session has called open_audit. Lends the owner''s right to read the access log.';
