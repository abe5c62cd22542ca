-- A patient at a glance: what the record says, of nobody else, to those who may read it row by row.
begin;
select no_plan();
select tests.world(with_colleague => true);

-- Ann: a second visit with Dora years ago, one with Dan, one entered in error; she missed two appointments of Dora's and one of Dan's.
create function pg_temp.visited(doctor text, started_at timestamptz, code text, cost numeric) returns bigint
language plpgsql
as $$
declare
  visit bigint := tests.visit(tests.appointment(tests.id_of($1), tests.id_of('ann'), $2, status => 'completed'));
begin
  update hospital.visits as v set started_at = $2, ended_at = $2 + interval '20 minutes' where v.id = visit;
  insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank)
  values (visit, tests.id_of('ann'), tests.diagnosis_code($3), 1);
  perform tests.treatment(visit, $4);
  return visit;
end;
$$;
update hospital.patients as p set time_zone = 'Pacific/Auckland' where p.id = tests.id_of('ann');
-- By her clocks this is the new year.
select pg_temp.visited('dora', '2022-12-31 15:00Z', 'E11.22', 80);
select pg_temp.visited('dan', '2023-05-01 15:00Z', 'E11.9', 20.50);
select pg_temp.visited('dan', '2023-06-01 15:00Z', 'C61', 1000);
update hospital.visits as v set voided_at = now(), void_reason = 'Wrong patient' where v.id = (select max(v.id) from hospital.visits as v);
select tests.appointment(tests.id_of(d), tests.id_of('ann'), m, status => 'no_show')
from (values ('dora', timestamptz '2024-01-09 15:00Z'), ('dora', '2024-01-16 15:00Z'), ('dan', '2024-01-23 15:00Z')) as x (d, m);
update hospital.treatments as t set voided_at = now(), void_reason = 'Not done'
where t.patient_id = tests.id_of('ann') and t.started_at >= now() - interval '1 day';

create function pg_temp.sketch(who text) returns text
language sql
as $$
  select format(
    '%s visits %s..%s by year %s; %s kept, %s missed, %s; %s treatments for %s; index %s; %s',
    i.visits, i.first_visit_on, i.last_visit_on = (now() at time zone 'Pacific/Auckland')::date,
    (select string_agg(y.year || ':' || y.visits, ' ' order by n) from unnest(i.visits_by_year) with ordinality as y (year, visits, n) where y.year < 2025),
    i.kept, i.missed, i.no_show_rate, i.treatments, i.treatments_cost, i.charlson_score,
    (
      select string_agg(format('%s %s %s %s', d.category, d.first_on, d.visits, d.is_lasting), ', ' order by d.category)
      from unnest(i.diagnoses) as d
    )
  )
  from analytics.patient_insight(tests.id_of($1)) as i;
$$;

select tests.authenticate_as('ann@example.test');
select is(
  pg_temp.sketch('ann'),
  '3 visits 2023-01-01..t by year 2023:2; 3 kept, 3 missed, 0.5000; 2 treatments for 100.50; index 2; E11 2023-01-01 2 f, I10 2020-01-01 1 t',
  'A patient reads the own record at a glance, by the own clocks and without what was entered in error.'
);
select is(
  (
    select row(i.visits, i.kept + i.missed, i.treatments_cost, cardinality(i.medicines), (select sum(d.visits) from unnest(i.diagnoses) as d))::text
    from analytics.patient_insight(tests.id_of('ann')) as i
  ),
  (
    select row(
      (select count(*) from hospital.visits as v where v.voided_at is null),
      (select count(*) from hospital.appointments as a where a.status in ('completed', 'no_show')),
      (select sum(t.cost)::numeric(12,2) from hospital.treatments as t join hospital.visits as v on v.id = t.visit_id and v.voided_at is null where t.voided_at is null),
      (select count(*) from hospital.patients as p cross join lateral hospital.patients_medications_in_use(p)),
      (
        select sum(c.n) from (
          select count(distinct v.id) as n
          from hospital.visit_diagnoses as d
          join hospital.visits as v on v.id = d.visit_id and v.voided_at is null
          join hospital.diagnosis_codes as k on k.id = d.diagnosis_code_id
          group by left(k.code, 3)
        ) as c
      )
    )::text
  ),
  'It is what a plain query finds in the rows she may see.'
);
select is((tests.failure('select analytics.patient_insight(tests.id_of(''bob''))')).code, 'NTFND', 'Not those of another.');
select is((tests.failure('select analytics.patient_insight(null)')).code, 'NTFND', 'Nobody has none.');

-- A doctor, with the chart open and not before; of the appointments he sees his own.
select tests.authenticate_as('dora@example.test');
select is((tests.failure('select analytics.patient_insight(tests.id_of(''ann''))')).code, 'NTFND', 'A doctor needs the chart open.');
select hospital.open_chart(tests.id_of('ann'));
select is(
  pg_temp.sketch('ann'),
  '3 visits 2023-01-01..t by year 2023:2; 1 kept, 2 missed, 0.6667; 2 treatments for 100.50; index 2; E11 2023-01-01 2 f, I10 2020-01-01 1 t',
  'Then he reads the whole record, and of appointments what is in his own calendar.'
);
select is((tests.failure('select analytics.patient_insight(tests.id_of(''bob''))')).code, 'NTFND', 'The open chart of one opens no other.');
select is(
  (tests.failure('select analytics.patient_insight(tests.id_of(''cara''))')).code, 'NTFND',
  'Nor that of a colleague''s patient.'
);

select tests.authenticate_as('nurse@example.test');
select is((tests.failure('select analytics.patient_insight(tests.id_of(''ann''))')).code, 'NTFND', 'A nurse needs it open as well.');
select hospital.open_chart(tests.id_of('ann'));
select matches(pg_temp.sketch('ann'), '^3 visits .* index 2', 'And reads it then.');

-- What ends the session ends this.
select hospital.log_out();
select is((tests.failure('select analytics.patient_insight(tests.id_of(''ann''))')).code, 'NTFND', 'After logging out it is over.');

-- Who reads no clinical row has no execute.
select tests.authenticate_as(r || '@example.test'),
  is((tests.failure('select analytics.patient_insight(tests.id_of(''ann''))')).code, '42501', 'Not for ' || r || '.'),
  is((tests.failure('select analytics.charlson_index(tests.id_of(''ann''))')).code, '42501', 'Nor the index for ' || r || '.')
from unnest(array['reception', 'pharmacist', 'laboratory', 'billing', 'administrator', 'analyst', 'auditor']) as r;
select tests.clear_authentication();

-- A record that was found to be the same person's belongs to the glance, whichever is asked for.
create temporary table duplicate on commit drop as select tests.patient() as id;
grant select on duplicate to public;
select tests.visit(tests.appointment(tests.id_of('dirk'), d.id, '2021-02-01 15:00Z', status => 'completed')) from duplicate as d;
update hospital.patients as p set merged_into_id = tests.id_of('ann') from duplicate as d where p.id = d.id;
select tests.authenticate_as('ann@example.test');
select is((analytics.patient_insight(tests.id_of('ann'))).visits, 4::bigint, 'Visits on another record of the person count, too.');
select is((analytics.patient_insight(d.id)).visits, 4::bigint, 'Whichever record is asked for.') from duplicate as d;
select tests.clear_authentication();
select * from finish();
rollback;
