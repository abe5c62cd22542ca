-- What research may read through the API: the published cells and nothing behind them. Periods are
-- those that begin from from_date and before until_date.
create or replace function analytics.published_appointments(
  from_date date default null,
  until_date date default null,
  department text default null,
  status text default null
)
returns setof analytics.published_appointments_row
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    p.month,
    p.department,
    p.status,
    p.appointments
  from masked.published_appointments as p
  where (published_appointments.from_date is null or p.month >= published_appointments.from_date)
    and (published_appointments.until_date is null or p.month < published_appointments.until_date)
    and (
      published_appointments.department is null
      or p.department = published_appointments.department
    )
    and (published_appointments.status is null or p.status = published_appointments.status)
  order by
    p.month,
    p.department nulls first,
    p.status nulls first;
$$;
comment on function analytics.published_appointments(date, date, text, text) is
  'The published numbers of appointments by month, department and status, with the totals of each month; small cells are suppressed. For analysts.';

create or replace function analytics.published_visits(
  from_date date default null,
  until_date date default null,
  department text default null
)
returns setof analytics.published_visits_row
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    p.month,
    p.department,
    p.appointments
  from masked.published_appointments as p
  where p.status = 'completed'
    and (published_visits.from_date is null or p.month >= published_visits.from_date)
    and (published_visits.until_date is null or p.month < published_visits.until_date)
    and (published_visits.department is null or p.department = published_visits.department)
  order by
    p.month,
    p.department nulls first;
$$;
comment on function analytics.published_visits(date, date, text) is
  'The published numbers of visits, which are completed appointments, by month and department, with the total of each month; small cells are suppressed. For analysts.';

create or replace function analytics.published_diagnoses(
  from_date date default null,
  until_date date default null,
  chapter text default null
)
returns setof analytics.published_diagnoses_row
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    p.year,
    p.chapter,
    p.sex,
    p.age_band,
    p.diagnoses
  from masked.published_diagnoses as p
  where (
      published_diagnoses.from_date is null
      or make_date(p.year, 1, 1) >= published_diagnoses.from_date
    )
    and (
      published_diagnoses.until_date is null
      or make_date(p.year, 1, 1) < published_diagnoses.until_date
    )
    and (published_diagnoses.chapter is null or p.chapter = published_diagnoses.chapter)
  order by
    p.year,
    p.chapter nulls first,
    p.sex nulls first,
    p.age_band nulls first;
$$;
comment on function analytics.published_diagnoses(date, date, text) is
  'The published numbers of coded diagnoses by year, chapter, sex and age, with the totals of each year; small cells are suppressed. For analysts.';
