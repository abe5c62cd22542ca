-- Each period is published once, when it has been over for a while, and never again: two versions of one
-- table would show by their difference whom the later one had learnt of. No report has a total beyond
-- its period, for the same reason; and visits are the completed appointments of the same table, since
-- two tables of nearly the same thing would each betray what the other keeps back.
create or replace function hospital_private.publish_appointments(month date)
returns bigint
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with
  counted as (
    select
      d.name as department,
      a.status,
      a.patient_id
    from hospital.appointments as a
    join hospital_private.consenting_patients as p
      on p.id = a.patient_id
    join hospital.departments as d
      on d.id = a.department_id
    join hospital.facilities as f
      on f.id = d.facility_id
    -- A day more on either side, for the index: no clock is further from UTC.
    where a.starts_at >= publish_appointments.month::timestamp at time zone 'UTC' - interval '1 day'
      and a.starts_at
        < (publish_appointments.month + interval '1 month') at time zone 'UTC' + interval '1 day'
      and date_trunc('month', a.starts_at at time zone f.time_zone) = publish_appointments.month
  ),
  summed as (
    select
      row(
        c.department, c.status, count(distinct c.patient_id), count(*), false
      )::hospital_private.table_cell as cell
    from counted as c
    group by cube (c.department, c.status)
    -- Of nothing there is a total, too, which is no cell.
    having count(*) > 0
  ),
  published as (
    insert into masked.publications (report, period_start, period_end, smallest_cell)
    select
      'appointments',
      publish_appointments.month,
      publish_appointments.month + interval '1 month',
      m.smallest_cell
    from hospital_private.masking_settings as m
    where exists (select from summed)
    on conflict on constraint publications_pkey do nothing
    returning smallest_cell
  ),
  written as (
    insert into masked.published_appointments (month, department, status, appointments)
    select
      publish_appointments.month,
      c.line,
      c.stack,
      case when not c.is_suppressed then c.value end
    from published as p
    cross join lateral hospital_private.suppress_cells(
      array(select s.cell from summed as s), p.smallest_cell
    ) as c
    returning 1
  )
  select count(*)
  from written;
$$;
comment on function hospital_private.publish_appointments(date) is
  'Publishes the appointments of a month unless that was done, and returns how many cells were written.';

create or replace function hospital_private.publish_diagnoses(year integer)
returns bigint
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with
  counted as (
    select
      t.chapter,
      -- The age reached in the year, so that a person is in one band.
      format(
        '%s/%s',
        p.sex,
        case
          when age.years >= 90 then '90+'
          else format('%s-%s', age.years / 10 * 10, age.years / 10 * 10 + 9)
        end
      ) as stratum,
      g.patient_id
    from hospital.visit_diagnoses as g
    join hospital_private.consenting_patients as p
      on p.id = g.patient_id
    join hospital_private.diagnosis_categories as t
      on t.diagnosis_code_id = g.diagnosis_code_id
    join hospital.visits as v
      on v.id = g.visit_id
      and v.voided_at is null
    join hospital.appointments as a
      on a.id = v.appointment_id
    join hospital.departments as d
      on d.id = a.department_id
    join hospital.facilities as f
      on f.id = d.facility_id
    cross join lateral (
      select publish_diagnoses.year - extract(year from p.date_of_birth)::integer as years
    ) as age
    where g.voided_at is null
      and v.started_at >= make_date(publish_diagnoses.year, 1, 1)::timestamp at time zone 'UTC'
        - interval '1 day'
      and v.started_at < make_date(publish_diagnoses.year + 1, 1, 1)::timestamp at time zone 'UTC'
        + interval '1 day'
      and extract(year from v.started_at at time zone f.time_zone) = publish_diagnoses.year
  ),
  summed as (
    select
      row(
        c.chapter, c.stratum, count(distinct c.patient_id), count(*), false
      )::hospital_private.table_cell as cell
    from counted as c
    group by cube (c.chapter, c.stratum)
    having count(*) > 0
  ),
  published as (
    insert into masked.publications (report, period_start, period_end, smallest_cell)
    select
      'diagnoses',
      make_date(publish_diagnoses.year, 1, 1),
      make_date(publish_diagnoses.year + 1, 1, 1),
      m.smallest_cell
    from hospital_private.masking_settings as m
    where exists (select from summed)
    on conflict on constraint publications_pkey do nothing
    returning smallest_cell
  ),
  written as (
    insert into masked.published_diagnoses (year, chapter, sex, age_band, diagnoses)
    select
      publish_diagnoses.year,
      c.line,
      split_part(c.stack, '/', 1),
      split_part(c.stack, '/', 2),
      case when not c.is_suppressed then c.value end
    from published as p
    cross join lateral hospital_private.suppress_cells(
      array(select s.cell from summed as s), p.smallest_cell
    ) as c
    returning 1
  )
  select count(*)
  from written;
$$;
comment on function hospital_private.publish_diagnoses(integer) is
  'Publishes the coded diagnoses of a year unless that was done, and returns how many cells were written.';

create or replace function ops.publish_aggregates()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  closed as (
    select
      (min(a.starts_at) at time zone 'UTC')::date - 1 as since,
      -- Over by every clock on earth, and for as long as corrections take.
      (now() at time zone 'Etc/GMT+12')::date
        - (select m.closing_days from hospital_private.masking_settings as m) as until
    from hospital.appointments as a
  ),
  done as (
    select hospital_private.publish_appointments(month::date) as cells
    from closed as c
    cross join generate_series(
      date_trunc('month', c.since::timestamp),
      date_trunc('month', c.until::timestamp) - interval '1 month',
      interval '1 month'
    ) as month
    where not exists (
      select
      from masked.publications as p
      where p.report = 'appointments'
        and p.period_start = month::date
    )
    union all
    select hospital_private.publish_diagnoses(year)
    from closed as c
    cross join generate_series(
      extract(year from c.since)::integer,
      extract(year from c.until)::integer - 1
    ) as year
    where not exists (
      select
      from masked.publications as p
      where p.report = 'diagnoses'
        and p.period_start = make_date(year, 1, 1)
    )
  )
  select coalesce(sum(d.cells), 0)::bigint
  from done as d;
$$;
comment on function ops.publish_aggregates() is
  'Publishes every month and year that is over and was not published yet, and returns how many cells were written. Lends the worker the owner''s right to count patients and to publish.';
