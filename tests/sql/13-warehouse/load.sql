-- What is loaded after a change is what a full load would make, whatever the change was.
begin;
select no_plan();
select tests.world();

create function tests.differences() returns text[]
language sql volatile security definer as $$
  select array(select format('%s %s %s', d.table_name, d.key, d.problem) from warehouse.verify() as d)
$$;
create function tests.id(name text) returns bigint
language sql stable security definer as $$ select p.id from tests.people as p where p.name = $1 $$;
create function tests.visit_of(patient text) returns bigint
language sql stable security definer as $$ select v.id from hospital.visits as v where v.patient_id = tests.id($1) $$;

select cmp_ok(warehouse.load(), '>', 0::bigint, 'The first load loads everything.');
select is(warehouse.load(), 0::bigint, 'A second one finds nothing to do.');
select is(tests.differences(), '{}', 'It is all there.');
select is(
  (select count(*) from warehouse.fact_visits), (select count(*) from hospital.visits), 'Every visit is.'
);
select is(
  array(select t.name from unnest(warehouse.loaded_tables()) as t (name)),
  array(
    select c.relname::text from pg_class as c
    where c.relnamespace = 'warehouse'::regnamespace and c.relkind = 'r' and c.relname ~ '^(dim|fact)_'
      and c.relname not in ('dim_date', 'dim_time_of_day') order by 1
  ),
  'Every dimension and fact says what it is loaded from.'
);
select is(
  array(
    select format('%s.%s', t.name, a.attname)
    from unnest(warehouse.loaded_tables()) as t (name)
    join pg_attribute as a on a.attrelid = ('warehouse.' || t.name)::regclass and a.attnum > 0 and a.attgenerated = ''
    left join pg_attribute as v on v.attrelid = warehouse.layer(t.name, 'transform')::regclass and v.attname = a.attname
    where (v.atttypid, v.atttypmod) is distinct from (a.atttypid, a.atttypmod) and v.atttypid is distinct from 'numeric'::regtype
  ),
  '{}', 'And its transform view has its columns, of the same types.'
);
-- A source that does not exist would never change.
select is(
  array(
    select s.source_table || '.' || s.source_column from warehouse.load_sources as s
    where not exists (select from pg_attribute as a where a.attrelid = to_regclass(s.source_table) and a.attname = s.source_column)
  ),
  '{}', 'Every source is there.'
);

-- Corrections.
update hospital.visits as v set started_at = v.started_at - interval '3 days', amendment_reason = 'Wrong day', notes = 'Moved.'
where v.id = tests.visit_of('ann');
select ok(warehouse.load() > 0, 'A visit that was amended is loaded.');
select is(tests.differences(), '{}', 'With all that hangs off it.');
update hospital.visits as v set voided_at = now(), void_reason = 'Of another patient' where v.id = tests.visit_of('bob');
select ok(warehouse.load() > 0, 'A visit that was voided is.');
select is(
  (select count(*) from warehouse.fact_visits where visit_id = tests.visit_of('bob'))
  + (select count(*) from warehouse.fact_diagnoses where visit_id = tests.visit_of('bob'))
  + (select count(*) from warehouse.fact_prescriptions where visit_id = tests.visit_of('bob'))
  + (select count(*) from warehouse.fact_treatments where visit_id = tests.visit_of('bob')),
  0::bigint, 'It takes what hangs off it along.'
);
select is(tests.differences(), '{}', 'And nothing else.');
update hospital.treatments as t set cost = 1, outcome = (select min(code) from hospital.outcome_codes) where t.visit_id = tests.visit_of('ann');
update hospital.patient_conditions as c set abated_on = '2021-01-01' where c.patient_id = tests.id('ann');
update hospital.prescriptions as p set stopped_at = now(), stop_reason = 'Enough' where p.visit_id = tests.visit_of('ann');
select ok(warehouse.load() > 0, 'Treatments, conditions and prescriptions are corrected too.');
select is(tests.differences(), '{}', 'Each in its fact.');
update hospital.visit_diagnoses as d set voided_at = now(), void_reason = 'Typing error' where d.visit_id = tests.visit_of('ann');
select ok(warehouse.load() > 0, 'A voided diagnosis goes.');
select is((select count(*) from warehouse.fact_diagnoses where visit_id = tests.visit_of('ann')), 0::bigint, 'It is gone.');

-- Late rows: what happened long ago and is entered now.
insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, ends_at, status)
values (tests.id('ann'), tests.id('dora'), tests.type_id(), '2019-05-01 10:00Z', '2019-05-01 10:20Z', 'completed');
select ok(warehouse.load() > 0, 'A late row is loaded.');
select is(f.booked_at, f.starts_at, 'It counts as booked when it began.')
from warehouse.fact_appointments as f where f.starts_at = '2019-05-01 10:00Z';
insert into hospital.prescriptions (visit_id, patient_id, medication_id, prescribed_by, dosage, start_date)
values (tests.visit_of('ann'), tests.id('ann'), tests.medication('1'), tests.id('dora'), 'One', '20019-05-01');
insert into hospital.patient_conditions (patient_id, diagnosis_code_id, onset_on)
values (tests.id('ann'), tests.diagnosis_code('E11.9'), '1880-02-29');
select ok(warehouse.load() > 0, 'What somebody mistyped does not stop the load.');
select is(
  array(select d.date_key from warehouse.dim_date as d where d.date_key not between '1900-01-01' and '2100-12-31' order by 1),
  '{1880-02-29,20019-05-01}', 'The days it fell on are days.'
);
select is(tests.differences(), '{}', 'And the rest is loaded.');

-- Moves and the life of an appointment.
create temporary table booked as select tests.appointment(tests.id('dora'), tests.id('ann'), tests.next_working_instant(tests.id('dora'), '15:00')) as id;
grant select on booked to public;
select ok(warehouse.load() > 0, 'A booking is loaded.');
update hospital.appointments as a set starts_at = a.starts_at + interval '1 hour', ends_at = a.ends_at + interval '1 hour' from booked as b where a.id = b.id;
select ok(warehouse.load() > 0, 'It is rescheduled.');
select is(f.starts_at, a.starts_at, 'To its new time.')
from booked as b join warehouse.fact_appointments as f on f.appointment_id = b.id join hospital.appointments as a on a.id = b.id;
update hospital.appointments as a set status = 'cancelled', cancelled_at = now(), cancellation_reason = (
  select min(code) from hospital.cancellation_reasons where party = 'patient' and code <> 'offer_refused'
) from booked as b where a.id = b.id;
select ok(warehouse.load() > 0, 'It is cancelled.');
select is(f.status, 'cancelled', 'It says so.') from booked as b join warehouse.fact_appointments as f on f.appointment_id = b.id;

insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status, expires_at)
values (tests.id('bob'), tests.id('dora'), tests.type_id(), tests.next_working_instant(tests.id('dora'), '11:00'), 'held', now() + interval '5 minutes');
select is(warehouse.load(), 0::bigint, 'A hold is no booking.');
update hospital.appointments as a set status = 'scheduled', expires_at = null where a.status = 'held' and a.patient_id = tests.id('bob');
select is(warehouse.load(), 1::bigint, 'Confirmed, it is.');

-- Versions.
update hospital.doctors as d set specialization = 'Oncology' where d.id = tests.id('dora');
select ok(warehouse.load() > 0, 'A doctor changes the specialty.');
select is(tests.differences(), '{}', 'What happens from then on is told by the new version, what was by the old.');
select is(
  array(
    select distinct f.starts_at < lower(c.valid) and f.doctor_key <> c.doctor_key or f.starts_at >= lower(c.valid) and f.doctor_key = c.doctor_key
    from warehouse.fact_appointments as f join warehouse.dim_doctor as d using (doctor_key)
    join warehouse.dim_doctor as c on c.doctor_id = d.doctor_id and c.is_current
    where d.doctor_id = tests.id('dora')
  ),
  '{t}', 'And there are both.'
);

-- People.
insert into tests.people values ('twin', tests.patient());
insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, ends_at, status)
values (tests.id('twin'), tests.id('dora'), tests.type_id(), '2019-06-01 10:00Z', '2019-06-01 10:20Z', 'completed');
select ok(warehouse.load() > 0, 'Somebody is registered a second time.');
update hospital.patients as p set date_of_birth = '1990-12-31' where p.id = tests.id('ann');
select ok(warehouse.load() > 0, 'A corrected day of birth changes ages.');
select is(tests.differences(), '{}', 'At every visit there was.');
update hospital.patients as p set merged_into_id = tests.id('ann'), deactivated_at = now(), deactivation_reason = 'Duplicate' where p.id = tests.id('twin');
select ok(warehouse.load() > 0, 'A merge is loaded.');
select is(
  array(select distinct p.person_id from warehouse.dim_patient as p where p.patient_id = tests.id('twin')),
  array[tests.id('ann')], 'Both versions are of the person who stays.'
);
select is(tests.differences(), '{}', 'And nothing else changes.');

-- Code lists, which are in no log.
update hospital.diagnosis_codes as c set description = 'High blood pressure' where c.code = 'I10';
update hospital.medications as m set name = 'Aspirin' where m.code = '314076';
update hospital.appointment_types as t set price = price + 1 where t.code = 'consultation';
select is(warehouse.load(), 3::bigint, 'What a code means is loaded when it changed.');
select is(d.description, 'High blood pressure', 'As it is now.') from warehouse.dim_diagnosis as d where d.code = 'I10';

-- What is gone.
delete from hospital.patient_conditions as c where c.onset_on = '1880-02-29';
delete from hospital.treatments as t where t.visit_id = tests.visit_of('ann');
delete from hospital.prescriptions as p where p.start_date = '20019-05-01';
select ok(warehouse.load() > 0, 'Deleted rows go.');
select is((select count(*) from warehouse.fact_treatments where visit_id = tests.visit_of('ann')), 0::bigint, 'They are gone.');
select is((select count(*) from warehouse.dim_diagnosis where code = 'E11.9'), 0::bigint, 'And the codes nobody uses any more.');
select is(tests.differences(), '{}', 'Nothing else is.');
delete from hospital.departments as d where d.name = 'Closed ward';
select ok(warehouse.load() > 0, 'A department that was deleted goes.');
select is((select count(*) from warehouse.dim_department where name = 'Closed ward'), 0::bigint, 'With its versions.');
select is(tests.differences(), '{}', 'And nothing else.');

-- Verifying finds what is wrong, and names it without a word of it. What this transaction has done becomes
-- what another had done before the last load, so that no load does it again.
create function tests.time_passes() returns void
language sql volatile security definer set session_replication_role = replica as $$
  update audit.entries set transaction_id = '3' where transaction_id = pg_current_xact_id()
$$;
select tests.time_passes();
update warehouse.fact_visits as f set age_years = 7 where f.visit_id = tests.visit_of('ann');
delete from warehouse.fact_appointments as f where f.starts_at = '2019-05-01 10:00Z';
insert into warehouse.fact_conditions (patient_condition_id, patient_key, diagnosis_key, onset_on)
select 0, f.patient_key, f.diagnosis_key, f.onset_on from warehouse.fact_conditions as f limit 1;
select is(
  tests.differences(),
  array[
    (select format('fact_appointments %s is missing', a.id) from hospital.appointments as a where a.starts_at = '2019-05-01 10:00Z'),
    'fact_conditions 0 should not be there',
    format('fact_visits %s is not what it should be', tests.visit_of('ann'))
  ],
  'A row that is missing, one too many and one that differs are found.'
);
select ok(warehouse.load(in_full => true) > 0, 'A full load mends them.');
select is(tests.differences(), '{}', 'All of them.');
select * from finish();
rollback;
