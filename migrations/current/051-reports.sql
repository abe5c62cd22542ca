-- Reports: what may be drawn from one, and the finished files of past months.

create type hospital_private.report_figure as (
  chart  text,
  style  text,
  label  text,
  figure numeric
);
comment on type hospital_private.report_figure is 'One bar or point of a chart that goes with a report.';
comment on column hospital_private.report_figure.chart is 'The title of the chart.';
comment on column hospital_private.report_figure.style is 'How it is drawn: bars or line.';
comment on column hospital_private.report_figure.label is 'What the bar or point stands for.';
comment on column hospital_private.report_figure.figure is 'How much.';

create type hospital_private.report_heading as (
  hospital   text,
  department text,
  asked_by   text,
  time_zone  text,
  as_of      timestamptz
);
comment on type hospital_private.report_heading is 'What stands on the first page of a report besides its name and period.';
comment on column hospital_private.report_heading.hospital is 'The name of the facility, or of all of them.';
comment on column hospital_private.report_heading.department is 'The department asked for, or null.';
comment on column hospital_private.report_heading.asked_by is 'Who asked, and in which role.';
comment on column hospital_private.report_heading.time_zone is 'The zone whose clock tells when.';
comment on column hospital_private.report_heading.as_of is 'The moment of the snapshot that the report shows.';

create table ops.reports (
  report     text        not null,
  month      date        not null,
  format     text        not null,
  content    bytea       not null,
  data_as_of timestamptz not null,
  made_at    timestamptz not null default clock_timestamp(),
  constraint reports_pkey primary key (report, month, format),
  constraint reports_month_is_a_month check (isfinite(month) and extract(day from month) = 1),
  constraint reports_format_known check (format in ('csv', 'pdf')),
  constraint reports_name_is_plain check (report ~ '^[a-z]{1,40}$'),
  constraint reports_content_bounded check (octet_length(content) between 1 and 5000000)
);
comment on table ops.reports is 'The finished reports of past months, made once and kept for thirteen months; they hold totals and no patients.';
comment on column ops.reports.report is 'What it reports on.';
comment on column ops.reports.month is 'The first day of the month.';
comment on column ops.reports.format is 'The kind of file: csv or pdf.';
comment on column ops.reports.content is 'The file.';
comment on column ops.reports.data_as_of is 'The moment of the snapshot that it shows; what is corrected later is not in it.';
comment on column ops.reports.made_at is 'When it was made.';

create type hospital_private.kept_report as (
  report     text,
  month      date,
  format     text,
  bytes      bigint,
  data_as_of timestamptz
);
comment on type hospital_private.kept_report is 'A finished report that can be fetched.';
comment on column hospital_private.kept_report.report is 'What it reports on.';
comment on column hospital_private.kept_report.month is 'The first day of the month.';
comment on column hospital_private.kept_report.format is 'The kind of file: csv or pdf.';
comment on column hospital_private.kept_report.bytes is 'The size of the file.';
comment on column hospital_private.kept_report.data_as_of is 'The moment of the snapshot that it shows.';
