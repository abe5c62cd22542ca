-- Each persona's answers equal the plain query over the rows that he may see, whatever is asked.
begin;
select no_plan();
select setseed(0.5);
update hospital_private.masking_settings set smallest_cell = 3;
create temporary table departments on commit drop as
select
  n,
  tests.department(tests.facility(case n when 1 then 'Pacific/Auckland' else 'America/New_York' end)) as id
from generate_series(1, 3) as n;
create temporary table doctors on commit drop as
select
  d.id as department_id,
  tests.doctor(d.id, format('doctor%s_%s@example.test', d.n, m)) as id,
  format('doctor%s_%s@example.test', d.n, m) as email
from departments as d
-- One department of four, one of two, and one of a single doctor.
cross join lateral generate_series(1, case d.n when 1 then 4 when 2 then 2 else 1 end) as m;
create temporary table patients on commit drop as
select tests.patient() as id from generate_series(1, 25);
select tests.staff('administrator', null, 'admin@example.test'), tests.staff('billing', null, 'bill@example.test'),
  tests.staff('reception', null, 'desk@example.test');
grant select on departments, doctors, patients to public;

create temporary table made on commit drop as
select tests.appointment(
  r.doctor_id,
  r.patient_id,
  -- Also in the hours in which it is another day, or another month, elsewhere.
  tests.local_instant(r.doctor_id, date '2024-01-01' + r.day + r.hour * interval '1 hour'),
  r.type,
  r.status
) as id
from (
  select
    (array(select d.id from doctors as d order by d.id))[1 + floor(random() * 7)::integer] as doctor_id,
    (array(select p.id from patients as p order by p.id))[1 + floor(random() * 25)::integer] as patient_id,
    -- Fewer and fewer, so that there are months of all kinds.
    floor(power(random(), 2) * 180)::integer as day,
    floor(random() * 24)::integer as hour,
    (array['consultation', 'procedure', 'telehealth'])[1 + floor(random() * 3)::integer] as type,
    (array['completed', 'completed', 'completed', 'cancelled', 'no_show'])[1 + floor(random() * 5)::integer] as status
  from generate_series(1, 400)
) as r;
select tests.treatment(v.id, 10.25)
from (
  select tests.visit(a.id) as id from hospital.appointments as a join made as m on m.id = a.id where a.status = 'completed' and a.id % 4 <> 0
) as v
where v.id % 2 = 0;
update hospital.visits as v set started_at = a.starts_at, ended_at = a.ends_at from hospital.appointments as a where a.id = v.appointment_id;
update hospital.treatments as t set started_at = v.started_at from hospital.visits as v where v.id = t.visit_id;
-- What was recorded by mistake counts for nothing.
update hospital.visits set voided_at = now(), void_reason = 'Wrong patient' where id % 11 = 0;
-- Arrived a little early or late, seen up to an hour after the start.
insert into hospital.appointment_status_history (appointment_id, from_status, to_status, changed_at)
select a.id, s.from_status, s.to_status, a.starts_at + s.minutes * interval '1 minute'
from hospital.appointments as a
join made as m on m.id = a.id
cross join lateral (
  values
    ('scheduled', 'checked_in', a.id % 13 - 6),
    ('checked_in', 'in_progress', a.id % 13 + a.id % 47)
) as s (from_status, to_status, minutes)
where a.status = 'completed'
  and a.id % 3 <> 0;
select tests.load_warehouse();

-- ### What may be asked
create temporary table questions on commit drop as
select
  row_number() over () as id,
  q.*
from (
  select null::date as since, null::date as until, null::bigint as department_id, null::bigint as doctor_id
  union all
  select '2024-01-01', '2024-03-01', null, null
  union all
  select null, null, d.department_id, d.id from doctors as d
  union all
  select null, null, d.id, null from departments as d
  -- Nobody and nothing.
  union all
  values (null::date, null::date, 0, null), (null, null, null, 0), (null, null, 0, 0), ('2024-01-01', '2024-04-01', 0, null), ('2024-03-01', '2024-02-01', null, null)
  union all
  select
    case when random() < 0.8 then date '2023-12-25' + floor(random() * 190)::integer end,
    case when random() < 0.8 then date '2024-02-01' + floor(random() * 160)::integer end,
    case when random() < 0.3 then (array(select d.id from departments as d))[1 + floor(random() * 3)::integer] end,
    case when random() < 0.4 then (array(select d.id from doctors as d))[1 + floor(random() * 7)::integer] end
  from generate_series(1, 60)
) as q;
grant select on questions to public;

-- ### The plain queries
create temporary view plain_appointments as
select
  a.*,
  (a.starts_at at time zone f.time_zone)::date as day,
  date_trunc('month', a.starts_at at time zone f.time_zone)::date as month,
  extract(epoch from a.ends_at - a.starts_at) / 60 as planned,
  extract(epoch from upper(a.busy) - lower(a.busy)) / 60 as occupied,
  (
    select floor(extract(epoch from i.changed_at - greatest(c.changed_at, a.starts_at)) / 60)
    from hospital.appointment_status_history as c
    join hospital.appointment_status_history as i
      on i.appointment_id = c.appointment_id
      and i.to_status = 'in_progress'
    where c.appointment_id = a.id
      and c.to_status = 'checked_in'
  ) as wait
from hospital.appointments as a
join hospital.departments as d on d.id = a.department_id
join hospital.facilities as f on f.id = d.facility_id;
alter view plain_appointments set (security_invoker = true);
grant select on plain_appointments to public;

create function pg_temp.appointments_of(q questions) returns setof plain_appointments
language sql
as $$
  select a.*
  from plain_appointments as a
  where (q.since is null or a.day >= q.since)
    and (q.until is null or a.day < q.until)
    and (q.department_id is null or a.department_id = q.department_id)
    and (q.doctor_id is null or a.doctor_id = q.doctor_id);
$$;
create function pg_temp.plain_workload(q questions) returns setof text
language sql
as $$
  select format(
    '%s: %s %s %s %s %s %s', a.doctor_id, count(*), count(*) filter (where a.status = 'completed'),
    count(*) filter (where a.status = 'cancelled'), count(*) filter (where a.status = 'no_show'),
    sum(case when a.status = 'cancelled' then 0 else a.planned end)::integer,
    sum(case when a.status = 'completed' then a.occupied else 0 end)::integer
  )
  from pg_temp.appointments_of(q) as a
  group by a.doctor_id;
$$;
create function pg_temp.workload(q questions) returns setof text
language sql
as $$
  select format('%s: %s %s %s %s %s %s', w.doctor_id, w.appointments, w.completed, w.cancelled, w.no_shows, w.planned_minutes, w.worked_minutes)
  from analytics.doctor_workload(q.since, q.until, q.department_id, q.doctor_id) as w;
$$;
create function pg_temp.plain_load(q questions) returns setof text
language sql
as $$
  select format(
    '%s: %s %s %s %s %s %s', a.department_id, count(*), count(*) filter (where a.status = 'completed'),
    count(*) filter (where a.status = 'cancelled'), count(*) filter (where a.status = 'no_show'),
    sum(case when a.status = 'cancelled' then 0 else a.planned end)::integer,
    sum(case when a.status = 'completed' then a.occupied else 0 end)::integer
  )
  from pg_temp.appointments_of(q) as a
  group by a.department_id;
$$;
create function pg_temp.load(q questions) returns setof text
language sql
as $$
  select format('%s: %s %s %s %s %s %s', w.department_id, w.appointments, w.completed, w.cancelled, w.no_shows, w.planned_minutes, w.worked_minutes)
  from analytics.department_load(q.since, q.until, q.department_id, q.doctor_id) as w;
$$;
create function pg_temp.plain_efficiency(q questions) returns setof text
language sql
as $$
  select format(
    '%s: %s %s %s %s %s', a.department_id,
    percentile_disc(0.5) within group (order by a.wait), percentile_disc(0.9) within group (order by a.wait),
    round(count(*) filter (where a.status = 'no_show') / nullif(count(*) filter (where a.status in ('completed', 'no_show')), 0)::numeric, 6),
    round(count(*) filter (where a.status = 'cancelled') / count(*)::numeric, 6),
    round(count(*) filter (where a.status = 'completed') / nullif(count(distinct a.day) filter (where a.status = 'completed'), 0)::numeric, 6)
  )
  from pg_temp.appointments_of(q) as a
  group by a.department_id;
$$;
create function pg_temp.efficiency(q questions) returns setof text
language sql
as $$
  select format(
    '%s: %s %s %s %s %s', e.department_id, e.wait_p50_minutes, e.wait_p90_minutes, round(e.no_show_rate::numeric, 6),
    round(e.cancellation_rate::numeric, 6), round(e.completed_per_day::numeric, 6)
  )
  from analytics.department_efficiency(q.since, q.until, q.department_id, q.doctor_id) as e;
$$;
-- Nobody who may ask reads every visit, so these are of the owner, and of one doctor where one asks.
create function pg_temp.plain_visits(q questions, asks bigint) returns table (doctor_id bigint, month date)
language sql
security definer
as $$
  select v.doctor_id, date_trunc('month', v.started_at at time zone f.time_zone)::date
  from hospital.visits as v
  join hospital.appointments as a on a.id = v.appointment_id
  join hospital.departments as d on d.id = a.department_id
  join hospital.facilities as f on f.id = d.facility_id
  where v.voided_at is null
    and (asks is null or v.doctor_id = asks)
    and (q.since is null or (v.started_at at time zone f.time_zone)::date >= q.since)
    and (q.until is null or (v.started_at at time zone f.time_zone)::date < q.until)
    and (q.department_id is null or a.department_id = q.department_id)
    and (q.doctor_id is null or v.doctor_id = q.doctor_id);
$$;
create function pg_temp.plain_revenue(q questions, asks bigint) returns setof text
language sql
security definer
as $$
  select format('%s: %s %s %s %s %s', c.month, count(c.price), coalesce(sum(c.price), 0.00), count(c.cost), coalesce(sum(c.cost), 0.00), coalesce(sum(c.price), 0) + coalesce(sum(c.cost), 0))
  from (
    select a.month, t.price, null::numeric as cost
    from pg_temp.appointments_of(q) as a
    join hospital.appointment_types as t on t.id = a.appointment_type_id
    where a.status = 'completed'
      and (asks is null or a.doctor_id = asks)
    union all
    select a.month, null, t.cost
    from pg_temp.appointments_of(q) as a
    join hospital.visits as v on v.appointment_id = a.id and v.voided_at is null
    join hospital.treatments as t on t.visit_id = v.id and t.voided_at is null
    where asks is null or a.doctor_id = asks
  ) as c
  group by c.month;
$$;
create function pg_temp.revenue(q questions) returns setof text
language sql
as $$
  select format('%s: %s %s %s %s %s', r.month, r.appointments, r.appointment_revenue, r.treatments, r.treatment_revenue, r.revenue)
  from analytics.revenue(q.since, q.until, q.department_id, q.doctor_id) as r;
$$;

-- The questions to which the two have different answers, and how many questions had any answer.
create function pg_temp.differences(answer text, plain text) returns setof text
language plpgsql
as $$
begin
  return query execute format(
    'select format(''%%s: %%s instead of %%s'', q, a, p) from questions as q
    cross join lateral (select array(select r::text from %s as r order by 1) as a, array(select r::text from %s as r order by 1) as p) as x
    where a <> p', $1, $2
  );
end;
$$;

-- ### The administrator
select tests.authenticate_as('admin@example.test');
select is_empty($$ select pg_temp.differences('pg_temp.workload(q)', 'pg_temp.plain_workload(q)') $$, 'An administrator is told every doctor''s workload as it is in the rows he reads.');
select is_empty($$ select pg_temp.differences('pg_temp.load(q)', 'pg_temp.plain_load(q)') $$, 'And every department''s load.');
select is_empty($$ select pg_temp.differences('pg_temp.efficiency(q)', 'pg_temp.plain_efficiency(q)') $$, 'And how it runs.');
select is_empty(
  $$ select pg_temp.differences('(select format(''%s %s'', t.doctor_id, t.visits) from analytics.top_doctors(q.since, q.until, q.department_id, q.doctor_id) as t)',
    '(select format(''%s %s'', v.doctor_id, count(*)) from pg_temp.plain_visits(q, null) as v group by v.doctor_id)') $$,
  'And the doctors'' visits.'
);
select is_empty(
  $$ select pg_temp.differences('(select format(''%s %s'', t.month, t.visits) from analytics.monthly_visits(q.since, q.until, q.department_id, q.doctor_id) as t)',
    '(select format(''%s %s'', v.month, count(*)) from pg_temp.plain_visits(q, null) as v group by v.month)') $$,
  'And those of each month.'
);
select is_empty($$ select pg_temp.differences('pg_temp.revenue(q)', 'pg_temp.plain_revenue(q, null)') $$, 'And what was charged.');
select cmp_ok(count(*), '>', 100::bigint, 'The questions had answers.') from questions as q cross join lateral pg_temp.workload(q);
select results_eq(
  'select array_agg(t.visits) from analytics.top_doctors() as t', 'select array_agg(t.visits order by t.visits desc) from analytics.top_doctors() as t',
  'The doctor with the most visits comes first.'
);
select tests.clear_authentication();

-- ### Billing
select tests.authenticate_as('bill@example.test');
select is_empty($$ select pg_temp.differences('pg_temp.revenue(q)', 'pg_temp.plain_revenue(q, null)') $$, 'Billing is told what was charged,');
select is(tests.would_be(format('select * from analytics.%s()', f)), '42501', format('and not %s.', f))
from unnest(array['top_doctors', 'department_load', 'monthly_visits', 'doctor_workload', 'department_efficiency']) as f;
select tests.clear_authentication();

-- ### A doctor, of each department
create function pg_temp.as_doctor(email text) returns setof text
language plpgsql
as $$
declare
  self bigint := (select d.id from doctors as d where d.email = $1);
  own bigint := (select d.department_id from doctors as d where d.email = $1);
begin
  perform tests.authenticate_as($1);
  -- By row security he reads his own appointments and no others: the plain query is the same.
  return next is_empty(
    $q$ select pg_temp.differences('pg_temp.workload(q)', 'pg_temp.plain_workload(q)') $q$,
    format('%s is told his own workload as it is in the rows he reads.', $1)
  );
  return next is_empty(
    $q$ select d from (
      select q, array(select pg_temp.load(q) order by 1) as a, array(select pg_temp.plain_load(q) order by 1) as p from questions as q where q.doctor_id is not null
      union all
      select q, array(select pg_temp.efficiency(q) order by 1), array(select pg_temp.plain_efficiency(q) order by 1) from questions as q where q.doctor_id is not null
    ) as d where d.a <> d.p $q$,
    'And his own part of the department exactly, and of nobody else''s anything.'
  );
  return next is_empty(
    format($q$ select pg_temp.differences('(select format(''%%s %%s'', t.doctor_id, t.visits) from analytics.top_doctors(q.since, q.until, q.department_id, q.doctor_id) as t)',
      '(select format(''%%s %%s'', v.doctor_id, count(*)) from pg_temp.plain_visits(q, %s) as v group by v.doctor_id)') $q$, self),
    'And his own visits.'
  );
  return next is_empty(
    format($q$ select pg_temp.differences('(select format(''%%s %%s'', t.month, t.visits) from analytics.monthly_visits(q.since, q.until, q.department_id, q.doctor_id) as t)',
      '(select format(''%%s %%s'', v.month, count(*)) from pg_temp.plain_visits(q, %s) as v group by v.month)') $q$, self),
    'By month, too.'
  );
  return next is_empty(
    format($q$ select pg_temp.differences('pg_temp.revenue(q)', 'pg_temp.plain_revenue(q, %s)') $q$, self),
    'And what he earned.'
  );
  perform tests.clear_authentication();
end;
$$;
select pg_temp.as_doctor(d.email) from doctors as d where d.email ~ '_1@';

-- ### Every row says as of when
select tests.authenticate_as('admin@example.test');
select is(
  array(
    select distinct r.data_as_of
    from (
      select t.data_as_of from analytics.top_doctors() as t
      union all select t.data_as_of from analytics.department_load() as t
      union all select t.data_as_of from analytics.monthly_visits() as t
      union all select t.data_as_of from analytics.doctor_workload() as t
      union all select t.data_as_of from analytics.department_efficiency() as t
      union all select t.data_as_of from analytics.revenue() as t
    ) as r
  ),
  array(select v.data_as_of from analytics.view_freshness() as v limit 1), 'Every answer says as of when it is, and all are of one instant.'
);
select tests.clear_authentication();
select is(
  array(
    select f.proname::text
    from pg_catalog.pg_proc as f
    join pg_catalog.pg_type as t on t.oid = f.prorettype
    where f.pronamespace = 'analytics'::regnamespace
      and 'from_date' = any (f.proargnames)
      and f.proname !~ '^published'
      and not exists (select from pg_catalog.pg_attribute as a where a.attrelid = t.typrelid and a.attname in ('data_as_of', 'measured_at'))
  ),
  '{}', 'No answer lacks it; of a trend each row was measured at a time of its own.'
);

-- ### Nobody else asks
select is(
  array(
    select distinct r.rolname::text
    from pg_catalog.pg_proc as f
    cross join pg_catalog.pg_roles as r
    where f.pronamespace = 'analytics'::regnamespace
      and f.proname = any ('{top_doctors, department_load, monthly_visits, doctor_workload, department_efficiency, revenue}')
      and r.rolname like 'hospital\_%'
      and has_function_privilege(r.oid, f.oid, 'execute')
    order by 1
  ),
  '{hospital_administrator, hospital_billing, hospital_doctor, hospital_owner}', 'These roles may ask, and no others.'
);
select set_config('role', 'hospital_administrator', true);
select is(tests.would_be(format('select * from analytics.%s()', f)), 'UNAUT', format('Nor is %s answered to the database role without a session.', f))
from unnest(array['top_doctors', 'department_load', 'monthly_visits', 'doctor_workload', 'department_efficiency', 'revenue', 'view_freshness', 'alerts']) as f;
select tests.clear_authentication();
select * from finish();
rollback;
