-- What de-identified rows keep and what they leave out.
begin;
select no_plan();

-- Two patients seen three times each; an old lady; one who was merged; and twelve for company.
create temporary table cast_list (name text primary key, id bigint) on commit drop;
grant select on cast_list to public;
insert into cast_list
select n, tests.patient() from unnest('{ann, bob, old, merged}'::text[]) as n;
update hospital.patients as p
set date_of_birth = c.born, deceased_on = c.died
from (
  values ('ann', date '1980-06-15', date '2025-03-01'), ('bob', '1990-01-01', null),
    ('old', (date_trunc('month', now()) - interval '93 years')::date, null), ('merged', '1970-01-01', null)
) as c (name, born, died)
join cast_list as l
  on l.name = c.name
where p.id = l.id;
update hospital.patients as p
set merged_into_id = (select c.id from cast_list as c where c.name = 'ann')
where p.id = (select c.id from cast_list as c where c.name = 'merged');

create function pg_temp.seen(patient_id bigint, local timestamp, diagnosis text) returns bigint
language plpgsql
as $$
declare
  doctor bigint := tests.doctor();
  appointment bigint;
  visit bigint;
begin
  appointment := tests.appointment(doctor, $1, tests.local_instant(doctor, $2), status => 'completed');
  visit := tests.visit(appointment);
  update hospital.visits
  set started_at = tests.local_instant(doctor, $2), ended_at = tests.local_instant(doctor, $2) + interval '13 minutes'
  where id = visit;
  insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank)
  values (visit, $1, tests.diagnosis_code($3), 1);
  perform tests.prescription(visit);
  perform tests.treatment(visit, 123.45);
  return visit;
end;
$$;
select pg_temp.seen(c.id, day + time '23:30', 'I10')
from cast_list as c
cross join unnest('{2024-02-28, 2024-03-01, 2025-01-15}'::date[]) as day;
select pg_temp.seen(tests.patient(), '2024-07-01 08:00', 'I10.9') from generate_series(1, 12);
select pg_temp.seen((select c.id from cast_list as c where c.name = 'bob'), '2024-06-01 09:00', 'E84.0');
insert into hospital.patient_conditions (patient_id, diagnosis_code_id, onset_on, abated_on)
select c.id, tests.diagnosis_code('I10'), (date_trunc('month', now()) - interval '91 years')::date, null::date
from cast_list as c
where c.name = 'old'
union all
select c.id, tests.diagnosis_code('I10'), '2020-02-29', '2021-03-01'
from cast_list as c
where c.name = 'ann';

select hospital_private.start_masking_release('analyst');
create temporary table who on commit drop as
select c.name, p.person, p.shift_days, p.until
from cast_list as c
left join (
  hospital_private.masking_subjects as s
  join hospital_private.masking_releases as r
    on r.id = s.release_id
  cross join lateral (
    select encode(substr(sha256(s.secret), 1, 12), 'hex') as person, s.shift_days, r.until
  ) as p
)
  on s.patient_id = c.id;
grant select on who to public;

select tests.authenticate_as_role('analyst');
-- ### Persons
select is(count(*), 15::bigint, 'Whoever takes part is a row.') from masked.patients;
select is(
  array(select w.name from who as w where w.person is null),
  '{merged}', 'A duplicate that was merged takes no part.'
);
select is(
  (select p.birth_year from masked.patients as p join who as w using (person) where w.name = 'old'),
  (select extract(year from w.until)::integer - 90 from who as w where w.name = 'old'),
  'Whoever is over 89 is in one group.'
);
select is(
  (select p.birth_year from masked.patients as p join who as w using (person) where w.name = 'ann'),
  (select extract(year from date '1980-06-15' + w.shift_days)::integer from who as w where w.name = 'ann'),
  'Another year of birth moves as all dates do.'
);
select is(
  (select array[o.category, o.onset_on::text] from masked.conditions as o join who as w using (person) where w.name = 'old'),
  array['I10', null], 'A date that would tell an age over 89 is left out.'
);
select ok(
  min(p.birth_year) >= (select extract(year from r.until) - 90 from masked.release as r),
  'No year of birth is before that group''s.'
) from masked.patients as p;

-- ### Dates
select is(
  array_agg(v.day - w.shift_days order by v.day)::text,
  '{2024-02-28,2024-03-01,2025-01-15}', 'All visits of a person are moved by the same days, over a leap day too, by the facility''s calendar.'
)
from masked.visits as v join who as w using (person) where w.name = 'ann';
select is(
  (select p.deceased_on - max(v.day) from masked.patients as p join masked.visits as v using (person)
    join who as w using (person) where w.name = 'ann' group by p.deceased_on),
  date '2025-03-01' - date '2025-01-15', 'The interval to death holds.'
);
select is(
  (select o.abated_on - o.onset_on from masked.conditions as o join who as w using (person) where w.name = 'ann'),
  date '2021-03-01' - date '2020-02-29', 'And that of a condition.'
);
select isnt(w.shift_days, 0, format('The dates of %s are moved.', w.name)) from who as w where w.person is not null;
select ok(
  count(distinct s) > 1, 'Not everybody''s by as much.'
) from (select v.day - date '2024-07-01' as s from masked.visits as v where v.minutes = 15) as d;
select is(
  array(
    select a.attrelid::regclass || '.' || a.attname
    from pg_catalog.pg_attribute as a
    join pg_catalog.pg_class as c
      on c.oid = a.attrelid
    where c.relnamespace = 'masked'::regnamespace
      and c.relkind = 'v'
      and a.attnum > 0
      and a.atttypid = any (array['timestamptz', 'timestamp', 'time', 'timetz', 'uuid', 'bigint']::regtype[])
  ),
  '{masked.release.release}', 'No view shows a time of day, a uuid or a key.'
);
select is(array_agg(distinct v.minutes), '{15}', 'How long a visit took is told to five minutes.') from masked.visits as v;
select is(array_agg(distinct t.cost), '{120}', 'And a cost to ten dollars.') from masked.treatments as t;

-- ### Keys and categories
select is(
  count(*), 22::bigint, 'Diagnoses, prescriptions and treatments are joined with their visits and those with their persons.'
)
from masked.patients
join masked.visits as v using (person)
join masked.appointments as a using (appointment, person)
join masked.diagnoses using (visit, person)
join masked.prescriptions using (visit, person)
join masked.treatments using (visit, person);
select results_eq(
  'select g.category, count(*)::integer from masked.diagnoses as g group by 1 order by 1',
  $$ values ('I10', 21), ('rare', 1) $$,
  'A diagnosis is three characters, and what fewer than 11 persons have is rare.'
);
select is(
  (select array_agg(v.visit) = array_agg(v.visit order by v.visit) from masked.visits as v),
  true, 'Rows come in the order of their pseudonyms, and not in that in which they were written.'
);
select tests.clear_authentication();

-- ### Afterwards
create temporary table before (person text, visit text) on commit drop;
grant all on before to public;
select tests.authenticate_as_role('analyst');
insert into before select v.person, v.visit from masked.visits as v;
select is_empty(
  $$ (table before except select v.person, v.visit from masked.visits as v) union all
    (select v.person, v.visit from masked.visits as v except table before) $$,
  'Pseudonyms are stable within a release.'
);
select tests.clear_authentication();
update hospital.visits set voided_at = now(), void_reason = 'mistaken'
where patient_id = (select c.id from cast_list as c where c.name = 'bob');
-- What is written later is stamped later; here the transaction is one, so the stamps are set back.
select pg_temp.seen((select c.id from cast_list as c where c.name = 'ann'), '2024-09-01 09:00', 'I10');
update hospital_private.masking_releases set started_at = started_at - interval '1 hour';
alter table hospital.visits disable trigger user;
update hospital.visits set updated_at = now() - interval '2 hours'
where id in (select v.id from hospital.visits as v where v.started_at < '2024-09-01' or v.started_at > '2024-09-03');
alter table hospital.visits enable trigger user;
select tests.authenticate_as_role('analyst');
select is(
  count(*), 3::bigint, 'What is recorded after the release was made is not in it.'
) from masked.visits as v join who as w using (person) where w.name = 'ann';
select is(
  count(*), 0::bigint, 'What was entered in error is not, from then on.'
) from masked.visits as v join who as w using (person) where w.name = 'bob';
select tests.clear_authentication();

select hospital_private.start_masking_release('analyst');
select is(count(*), 0::bigint, 'A new release destroys the secrets of the one before.')
from hospital_private.masking_subjects as s
join hospital_private.masking_releases as r
  on r.id = s.release_id
where r.retired_at is not null;
select tests.authenticate_as_role('analyst');
select is_empty(
  'select from masked.visits as v join before as b on b.person = v.person or b.visit = v.visit',
  'And no pseudonym of the one is in the other.'
);
select tests.clear_authentication();
select is(
  tests.constraint_of($$ insert into hospital_private.masking_releases (purpose, until, smallest_cell) values ('analyst', '2020-01-01', 11) $$),
  'masking_releases_one_in_force', 'There is one release for analysts.'
);
select is(
  tests.constraint_of($$ insert into hospital_private.masking_releases (purpose, until, smallest_cell) values ('sandbox', '2999-01-01', 11) $$),
  'masking_releases_of_closed_days', 'A release holds no day to come.'
);
select is(
  tests.constraint_of('update hospital_private.masking_subjects set shift_days = 0'),
  'masking_subjects_shift_moves', 'No person''s dates stay where they are.'
);

-- ### Looking behind a view by making it fail
-- A condition that fails on a hidden row alone: only SNOMED has this code, and nobody shown has it.
insert into hospital.diagnosis_codes (system, code, description) values ('snomed', '38341003', 'Hidden');
select tests.authenticate_as_role('analyst');
select is(
  tests.would_be(format('select * from masked.%s', attempt)), 'accepted',
  format('Nothing fails on what is hidden: %s.', attempt)
)
from unnest(array[
  $$diagnoses where 1 / (case when system = 'snomed' then 0 else 1 end) = 1$$,
  $$diagnoses where (case when system = 'snomed' then category else '1' end)::integer = 1$$,
  $$appointments where 1 / (case when status = 'scheduled' then 0 else 1 end) = 1$$
]) as attempt;
select tests.clear_authentication();
-- What a plan tells.
create function pg_temp.plan_of(query text) returns text
language plpgsql
as $$
declare
  line text;
  plan text := '';
begin
  for line in execute 'explain ' || $1 loop
    plan := plan || regexp_replace(line, '''[^'']*''', '?', 'g');
  end loop;
  return plan;
end;
$$;
analyze hospital.patients, hospital.visits, hospital.visit_diagnoses, hospital.diagnosis_codes;
analyze hospital_private.masking_subjects, hospital_private.masking_categories;
select tests.authenticate_as_role('analyst');
select is(
  pg_temp.plan_of(format('select * from masked.%s = %L', c.question, c.hidden)),
  pg_temp.plan_of(format('select * from masked.%s = %L', c.question, c.shown)),
  format('The plan for something shown is the plan for something that is not: %s.', c.question)
)
from (
  select 'patients where person', (select w.person from who as w where w.name = 'ann'), repeat('0', 24)
  union all
  select 'diagnoses where category', 'I10', 'E84'
  union all
  select 'visits where day', (select min(v.day)::text from masked.visits as v), '2024-02-28'
) as c (question, shown, hidden);
select is(tests.would_be('select ctid from masked.visits'), '42703', 'Where a row lies is not told.');
select is(tests.would_be('select * from masked.visits for update'), '42501', 'No row is locked.');
select tests.clear_authentication();

-- The same without the barrier, to see that the attempt is one. (The order is a wall of its own.)
create temporary view unguarded as
select t.system
from hospital.visit_diagnoses as g
join hospital_private.diagnosis_categories as t
  on t.diagnosis_code_id = g.diagnosis_code_id;
set local enable_nestloop = off;
select is(
  tests.would_be($$select * from unguarded where 1 / (case when system = 'snomed' then 0 else 1 end) = 1$$),
  '22012', 'A view without a barrier would fail.'
);
select * from finish();
rollback;
