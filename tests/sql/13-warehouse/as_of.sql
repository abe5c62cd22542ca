-- A fact is told by the version in force at its moment, to the microsecond, and by the clock on the wall.
begin;
select no_plan();
create temporary table probe as
select tests.patient() as ann, tests.department() as ward;
alter table probe add column dora bigint;
update probe set dora = tests.doctor(ward);
grant select on probe to public;
create function tests.past(starts_at timestamptz) returns bigint
language sql volatile security definer as $$
  insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, ends_at, status)
  select p.ann, p.dora, tests.type_id(), past.starts_at, past.starts_at + interval '20 minutes', 'completed' from probe as p
  returning id
$$;
create function tests.seen(starts_at timestamptz) returns void
language sql volatile security definer as $$
  insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at, ended_at)
  select tests.past(seen.starts_at), p.ann, p.dora, seen.starts_at, seen.starts_at + interval '1 hour' from probe as p
$$;

-- The boundary.
update hospital.doctors as d set specialization = 'Neurology' from probe as p where d.id = p.dora;
update warehouse.doctor_versions as v set recorded_at = '2024-06-01 12:00Z'
from probe as p where v.doctor_id = p.dora and v.specialization = 'Neurology';
select tests.past('2024-06-01 12:00Z'), tests.past('2024-06-01 11:59:59.999999Z'), tests.past('1999-01-01 00:00Z');
select ok(warehouse.load() > 0, 'They are loaded.');
select results_eq(
  'select d.specialization from warehouse.fact_appointments as f join warehouse.dim_doctor as d using (doctor_key) order by f.starts_at',
  $$ values ((select min(v.specialization) from warehouse.doctor_versions as v where v.specialization <> 'Neurology')),
            ((select min(v.specialization) from warehouse.doctor_versions as v where v.specialization <> 'Neurology')), ('Neurology') $$,
  'From the instant of the change on it is the new version; a microsecond before, and ever before, the old one.'
);

-- A version that comes after its facts were loaded re-keys what is at or after it, and only that.
create temporary table before as select f.appointment_id, f.doctor_key from warehouse.fact_appointments as f;
select tests.past(now() + interval '400 days'), tests.past(now() - interval '1 day');
select warehouse.load();
update hospital.doctors as d set specialization = 'Oncology' from probe as p where d.id = p.dora;
select is(warehouse.load(), 3::bigint, 'The new version, the end of the one before it, and the one appointment that follows it.');
select is(d.specialization, 'Oncology', 'That is told by it.')
from warehouse.fact_appointments as f join warehouse.dim_doctor as d using (doctor_key) order by f.starts_at desc limit 1;
select is((select count(*) from before join warehouse.fact_appointments as f using (appointment_id, doctor_key)), 3::bigint, 'What was, stays.');

-- New York sprang forward on 10 March 2024 at 2:00 and fell back on 3 November at 2:00.
select tests.seen('2024-03-10 06:59Z'), tests.seen('2024-03-10 07:00Z'), tests.seen('2024-03-11 03:59Z'), tests.seen('2024-03-11 04:00Z');
select tests.seen('2024-11-03 05:30Z'), tests.seen('2024-11-03 06:30Z'), tests.seen('2024-11-04 04:59Z'), tests.seen('2024-11-04 05:00Z');
select ok(warehouse.load() > 0, 'Visits around the changes of the clock are loaded.');
select results_eq(
  $$ select f.visited_on, f.start_minute / 60 || ':' || to_char(f.start_minute % 60, 'FM00'), f.duration_minutes
     from warehouse.fact_visits as f order by f.started_at $$,
  $$ values
    ('2024-03-10'::date, '1:59', 60), ('2024-03-10', '3:00', 60), ('2024-03-10', '23:59', 60), ('2024-03-11', '0:00', 60),
    ('2024-11-03', '1:30', 60), ('2024-11-03', '1:30', 60), ('2024-11-03', '23:59', 60), ('2024-11-04', '0:00', 60) $$,
  'No visit falls into the missing hour, two into the doubled one, and each is as long as it was.'
);
set local time zone 'Asia/Tokyo';
select is((select count(*) from warehouse.verify()), 0::bigint, 'The reader''s own clock changes nothing.');
reset time zone;

-- Age, on the last day before a birthday that most years do not have.
select results_eq(
  $$ select f.age_years from warehouse.fact_visits as f order by f.started_at limit 1 $$,
  $$ values (44) $$, 'Somebody born on 29 February 1980 was 44 in March 2024.'
);
select * from finish();
rollback;
