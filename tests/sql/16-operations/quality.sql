-- Every check of the record: a row made wrong is found, made right it is not, and what is right never was.
begin;
select no_plan();

create function pg_temp.wrong(check_name text)
returns bigint[]
language plpgsql
as $$
declare
  keys bigint[];
begin
  execute format('select coalesce(array_agg(row_key order by row_key), ''{}'') from ops.%I where is_wrong', 'quality_' || check_name)
  into keys;
  return keys;
end;
$$;
create function pg_temp.looked_at(check_name text)
returns bigint
language plpgsql
as $$
declare
  rows bigint;
begin
  execute format('select count(*) from ops.%I', 'quality_' || check_name) into rows;
  return rows;
end;
$$;

create temporary table who on commit drop as
select tests.doctor(null, 'doc@example.test') as doc, tests.patient('ann@example.test', 'Able') as ann, tests.patient('bob@example.test', 'Baker') as bob;
create temporary table care on commit drop as
select
  tests.appointment(doc, ann, now() - interval '100 days', status => 'completed') as first,
  tests.appointment(doc, ann, now() - interval '99 days', status => 'completed') as second
from who;
alter table care add column visit bigint, add column other bigint;
insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at, ended_at, created_at)
select a.id, a.patient_id, a.doctor_id, a.starts_at, a.ends_at, a.ends_at
from hospital.appointments as a;
update care set
  visit = (select v.id from hospital.visits as v where v.appointment_id = first),
  other = (select v.id from hospital.visits as v where v.appointment_id = second);

select is(
  array(select c.name from ops.data_quality_checks as c order by 1),
  array(select substr(c.relname, 9) from pg_class as c where c.relnamespace = 'ops'::regnamespace and c.relkind = 'v' and c.relname ~ '^quality_' order by 1),
  'Each check has its view, and each view is a check.'
);

-- ### completeness
select is(pg_temp.wrong('patients_without_contact'), array[ann, bob], 'Nobody can reach them.') from who;
insert into hospital.contact_points (patient_id, kind, value) select unnest(array[ann, bob]), 'phone', '+1 617 555 0100' from who;
select is(pg_temp.wrong('patients_without_contact'), '{}', 'A telephone is enough.');

select is(pg_temp.wrong('doctors_without_hours'), '{}', 'The doctor has hours.');
delete from hospital.doctor_schedules;
select is(pg_temp.wrong('doctors_without_hours'), array[doc], 'Without them nobody can book him.') from who;
insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time, effective) select doc, 1, '09:00', '12:00', daterange(null, '2020-01-01') from who;
select is(pg_temp.wrong('doctors_without_hours'), array[doc], 'Hours of the past are none.') from who;
insert into hospital.doctor_extra_sessions (doctor_id, starts_at, ends_at) select doc, now() + interval '1 day', now() + interval '2 days' from who;
select is(pg_temp.wrong('doctors_without_hours'), '{}', 'One session to come is enough.');

select is(pg_temp.wrong('visits_without_diagnosis'), array[visit, other], 'What they had is not coded.') from care;
insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank)
select v, ann, tests.diagnosis_code(), 1 from who, care, unnest(array[visit, other]) as v;
select is(pg_temp.wrong('visits_without_diagnosis'), '{}', 'Coded, it is.');
update hospital.visit_diagnoses set voided_at = now(), void_reason = 'Wrong chart' where visit_id = (select other from care);
select is(pg_temp.wrong('visits_without_diagnosis'), array[other], 'What was voided does not count.') from care;

select is(pg_temp.wrong('appointments_left_open'), '{}', 'What took place is not open.');
alter table hospital.appointments disable trigger user;
insert into hospital.appointments (patient_id, doctor_id, department_id, appointment_type_id, starts_at, ends_at, busy, status)
select bob, a.doctor_id, a.department_id, a.appointment_type_id, s.at, s.at + interval '30 minutes', tstzrange(s.at, s.at + interval '30 minutes'), s.status
from who, care, hospital.appointments as a,
  (values (now() - interval '3 days', 'in_progress'), (now() - interval '2 hours', 'scheduled')) as s (at, status)
where a.id = first;
alter table hospital.appointments enable trigger user;
select is(pg_temp.wrong('appointments_left_open'), array(select a.id from hospital.appointments as a where a.status = 'in_progress'), 'One in progress for three days is; one of today is given its day.');

select is(pg_temp.wrong('treatments_without_outcome'), '{}', 'There is no treatment.');
insert into hospital.treatments (visit_id, patient_id, type, cost, started_at)
select visit, ann, tests.treatment_type(), 100, now() - interval '95 days' from who, care;
select is(pg_temp.wrong('treatments_without_outcome'), array(select t.id from hospital.treatments as t), 'What became of it is not told.');
update hospital.treatments set outcome = (select min(o.code) from hospital.outcome_codes as o);
select is(pg_temp.wrong('treatments_without_outcome'), '{}', 'Told, it is.');

-- ### plausibility
select is(pg_temp.wrong('patients_too_old'), '{}', 'They are of an age.');
update hospital.patients set date_of_birth = '1880-01-01' where id = (select ann from who);
select is(pg_temp.wrong('patients_too_old'), array[ann], 'Nobody is that old.') from who;
update hospital.patients set deceased_on = '1999-01-01' where id = (select ann from who);
select is(pg_temp.wrong('patients_too_old'), '{}', 'Who died is not.');

select is(pg_temp.wrong('visits_after_death'), array[visit, other], 'She came twice after her death.') from care;
update hospital.patients set deceased_on = null, date_of_birth = '1980-01-01' where id = (select ann from who);
select is(pg_temp.wrong('visits_after_death'), '{}', 'She lives.');

select is(pg_temp.wrong('patients_registered_twice'), '{}', 'They are two.');
update hospital.patients set family_name = 'ABLE', date_of_birth = '1980-01-01' where id = (select bob from who);
select is(pg_temp.wrong('patients_registered_twice'), array[ann, bob], 'The same name, however it is written, and the same day: perhaps one.') from who;
update hospital.patients set family_name = 'Baker' where id = (select bob from who);
select is(pg_temp.wrong('patients_registered_twice'), '{}', 'Another name.');

select is(pg_temp.wrong('treatments_of_unusual_cost'), '{}', 'Of one treatment nothing is usual.');
insert into hospital.treatments (visit_id, patient_id, type, cost, started_at, outcome)
select t.visit_id, t.patient_id, t.type, 90 + n, t.started_at, t.outcome from hospital.treatments as t, generate_series(1, 20) as n;
update hospital.treatments set cost = 20000 where id = (select min(t.id) from hospital.treatments as t);
select is(pg_temp.wrong('treatments_of_unusual_cost'), array(select min(t.id) from hospital.treatments as t), 'A point is in the wrong place.');
update hospital.treatments set cost = 200 where cost = 20000;
select is(pg_temp.wrong('treatments_of_unusual_cost'), '{}', 'Twice the usual is nothing.');

select is(pg_temp.wrong('appointments_at_once'), '{}', 'She was in one place at a time.');
alter table hospital.appointments disable trigger user;
create function pg_temp.move_second(minutes integer) returns void
language sql
as $$
  update hospital.appointments as a
  set starts_at = s.at, ends_at = s.at + interval '20 minutes', busy = tstzrange(s.at, s.at + interval '20 minutes')
  from care, hospital.appointments as f, lateral (select f.starts_at + make_interval(mins => move_second.minutes)) as s (at)
  where a.id = second and f.id = first;
$$;
select pg_temp.move_second(5);
select is(pg_temp.wrong('appointments_at_once'), array[second], 'She was in two places.') from care;
select pg_temp.move_second(30);
alter table hospital.appointments enable trigger user;
select is(pg_temp.wrong('appointments_at_once'), '{}', 'One after the other is not.');

-- ### timeliness
select is(pg_temp.wrong('visits_left_open'), '{}', 'They have ended.');
alter table hospital.visits disable trigger user;
update hospital.visits set ended_at = null where id = (select visit from care);
select is(pg_temp.wrong('visits_left_open'), array[visit], 'One goes on for months.') from care;
update hospital.visits set ended_at = started_at + interval '30 minutes';
select is(pg_temp.wrong('visits_left_open'), '{}', 'Ended, it does not.');

select is(pg_temp.looked_at('visits_charted_late'), 0::bigint, 'Visits of long ago are not asked.');
update hospital.visits set started_at = now() - interval '10 days', ended_at = now() - interval '10 days', created_at = now() - interval '9 days';
select is(pg_temp.wrong('visits_charted_late'), '{}', 'A day later is in time.');
update hospital.visits set created_at = now() where id = (select other from care);
select is(pg_temp.wrong('visits_charted_late'), array[other], 'Ten days are not.') from care;
alter table hospital.visits enable trigger user;

select is(pg_temp.wrong('notes_unsigned'), '{}', 'There is no note.');
alter table hospital.clinical_notes disable trigger user;
insert into hospital.clinical_notes (record_uuid, patient_id, note_type, author_id, body, created_at)
select v.record_uuid, v.patient_id, (select max(n.code) from hospital.note_types as n), d.staff_member_id, '{}', now() - interval '8 days'
from care, hospital.visits as v, hospital.doctors as d
where v.id = visit and d.id = v.doctor_id;
select is(pg_temp.wrong('notes_unsigned'), array(select n.id from hospital.clinical_notes as n), 'It may still be changed.');
update hospital.clinical_notes set created_at = now() - interval '6 days';
select is(pg_temp.wrong('notes_unsigned'), '{}', 'A week is given.');
alter table hospital.clinical_notes enable trigger user;

-- ### consistency
select is(pg_temp.looked_at('warehouse_differs'), 0::bigint, 'Before the first load there is nothing to compare.');
select tests.load_warehouse();
select is(pg_temp.wrong('warehouse_differs'), '{}', 'What was loaded is there.');
delete from warehouse.fact_visits where visit_id = (select other from care);
select is(pg_temp.wrong('warehouse_differs'), array[other], 'A visit is missing.') from care;
update warehouse.load_state set data_as_of = now() - interval '1 day';
select is(pg_temp.wrong('warehouse_differs'), '{}', 'What changed since the load is not held against it.');

insert into staging.import_runs (source, directory) values ('synthea', '/probe');
select is(pg_temp.wrong('imports_with_orphans') || pg_temp.wrong('imports_with_the_implausible'), '{}', 'Everything was taken.');
insert into staging.import_rejects (run_id, file, line, reason, record)
select r.id, 'medications', 7, 'stop_before_start', '{}' from staging.import_runs as r;
select is(pg_temp.wrong('imports_with_the_implausible'), array(select r.id from staging.import_runs as r), 'A medication ended before it began.');
select is(pg_temp.wrong('imports_with_orphans'), '{}', 'Nobody was missing.');
update staging.import_rejects set reason = 'unknown_patient';
select is(pg_temp.wrong('imports_with_orphans'), array(select r.id from staging.import_runs as r), 'Its patient is not there.');
select is(pg_temp.wrong('imports_with_the_implausible'), '{}', 'Which is another thing.');
update staging.import_runs set loaded_at = now() - interval '31 days';
select is(pg_temp.looked_at('imports_with_orphans') + pg_temp.looked_at('imports_with_the_implausible'), 0::bigint, 'Old imports are not asked.');

select * from finish();
rollback;
