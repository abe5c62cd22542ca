create or replace function hospital_private.kept_reports()
returns setof hospital_private.kept_report
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_role('administrator');
  return query
  select
    k.report,
    k.month,
    k.format,
    octet_length(k.content)::bigint,
    k.data_as_of
  from ops.reports as k
  order by
    k.month desc,
    k.report,
    k.format;
end;
$$;
comment on function hospital_private.kept_reports() is
  'The finished reports of past months, the newest first, for administrators. Raises UNAUT, PRMSN. Lends the owner''s right to read them.';

create or replace function hospital_private.kept_report_content(report text, month date, format text)
returns bytea
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  found_content bytea;
begin
  perform hospital_private.require_role('administrator');
  select k.content
  into found_content
  from ops.reports as k
  where k.report = kept_report_content.report
    and k.month = kept_report_content.month
    and k.format = kept_report_content.format;
  if found_content is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such report.';
  end if;
  return found_content;
end;
$$;
comment on function hospital_private.kept_report_content(text, date, text) is
  'The file of one finished report, for administrators. Raises UNAUT, PRMSN, NTFND. Lends the owner''s right to read it.';
