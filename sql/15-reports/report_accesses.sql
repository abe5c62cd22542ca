-- For the auditor, who sees keys and no names, by the clock of UTC: the accesses of a house with several
-- clocks are in one order. Nothing without a reason on record.
create or replace function hospital_private.report_accesses(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns table (
  day date,
  "time" text,
  account_id bigint,
  role text,
  patient_id bigint,
  purpose text
)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_report_period(
    report_accesses.from_date, report_accesses.until_date
  );
  if report_accesses.department_id is not null then
    raise exception using
      errcode = 'PERIO',
      message = 'The accesses of one department are not told apart.';
  end if;
  if not hospital_private.audit_is_open() then
    raise exception using
      errcode = 'NOPEN',
      message = 'The audit is not open.',
      hint = 'Open the audit first and say why: openAudit.';
  end if;
  return query
  select
    (c.opened_at at time zone 'UTC')::date,
    to_char(c.opened_at at time zone 'UTC', 'HH24:MI:SS'),
    c.account_id,
    c.role,
    c.patient_id,
    c.purpose
  from hospital.audited_chart_accesses(
    opened_from => report_accesses.from_date::timestamp at time zone 'UTC',
    opened_before => report_accesses.until_date::timestamp at time zone 'UTC'
  ) as c
  order by
    c.opened_at,
    c.account_id,
    c.patient_id;
end;
$$;
comment on function hospital_private.report_accesses(date, date, bigint) is
  'Who opened which chart on these days of UTC, in order, for an auditor who has opened the audit. Raises PERIO, also for a department, and NOPEN.';

create or replace function hospital_private.report_accesses_figures(
  from_date date,
  until_date date,
  department_id bigint default null
)
returns setof hospital_private.report_figure
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with
  accesses as materialized (
    select r.*
    from hospital_private.report_accesses(
      report_accesses_figures.from_date,
      report_accesses_figures.until_date,
      report_accesses_figures.department_id
    ) as r
  ),
  figures (chart, style, label, figure, place) as (
    select
      'Charts opened by ' || s.unit,
      'line',
      to_char(s.begins, s.picture),
      count(a.day),
      s.place
    from hospital_private.report_steps(
      report_accesses_figures.from_date, report_accesses_figures.until_date
    ) as s
    left join accesses as a
      on a.day >= s.begins
      and a.day < s.ends
    group by
      s.unit,
      s.begins,
      s.picture,
      s.place
    union all
    select
      'Charts opened by purpose',
      'bars',
      a.purpose,
      count(*),
      rank() over (order by count(*) desc, a.purpose)
    from accesses as a
    group by a.purpose
    union all
    select
      'Charts opened by role',
      'bars',
      a.role,
      count(*),
      rank() over (order by count(*) desc, a.role)
    from accesses as a
    group by a.role
  )
  select
    f.chart,
    f.style,
    f.label,
    f.figure
  from figures as f
  order by
    f.style desc,
    f.chart desc,
    f.place;
$$;
comment on function hospital_private.report_accesses_figures(date, date, bigint) is
  'What is drawn of the report of accesses: by day or month, by role and by purpose. Raises PERIO, NOPEN.';
