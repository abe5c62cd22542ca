-- How long a record is kept, and which are due.
begin;
select no_plan();
create temporary table people (name text, id bigint) on commit drop;
insert into people values ('adult', tests.patient()), ('child', tests.patient()), ('never_came', tests.patient()), ('caller', tests.patient());
grant select on people to public;
create function pg_temp.person(name text) returns bigint
language sql stable as $$ select p.id from people as p where p.name = $1 $$;
create temporary table doctors on commit drop as select tests.doctor() as id;
set local session_replication_role = replica;
update hospital.patients set created_at = '2010-01-01 12:00Z', date_of_birth = '1970-05-05' where id in (select p.id from people as p);
update hospital.patients set date_of_birth = '2009-06-01' where id = pg_temp.person('child');
insert into hospital.appointments
  (patient_id, doctor_id, department_id, appointment_type_id, starts_at, ends_at, busy, status, no_show_reason)
select p.id, d.id, 1, tests.type_id(), '2012-03-01 10:00Z', '2012-03-01 10:30Z', tstzrange('2012-03-01 10:00Z', '2012-03-01 10:30Z'),
  case p.name when 'caller' then 'no_show' else 'completed' end, case p.name when 'caller' then 'did_not_come' end
from people as p, doctors as d
where p.name <> 'never_came';
insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at, ended_at)
select a.id, a.patient_id, a.doctor_id, a.starts_at, a.ends_at
from hospital.appointments as a
where a.status = 'completed';
set local session_replication_role = origin;

create function pg_temp.kept_until(name text) returns date
language sql stable as $$ select max(r.kept_until) from hospital_private.retention_of(array[pg_temp.person($1)]) as r $$;
select is(pg_temp.kept_until('adult'), date '2022-03-01', 'A clinical record is kept ten years after the last visit.');
select is(pg_temp.kept_until('child'), date '2037-06-01', 'A minor''s until the age of 28.');
select is(pg_temp.kept_until('caller'), date '2013-03-01', 'An appointment without a visit for a year.');
select is(pg_temp.kept_until('never_came'), date '2010-01-01', 'A registration alone not at all.');
set local timezone = 'Pacific/Kiritimati';
select is(pg_temp.kept_until('adult'), date '2022-03-01', 'By the same day wherever one asks from.');
set local timezone = 'Pacific/Niue';
select is(pg_temp.kept_until('child'), date '2037-06-01', 'On both sides of the date line.');
set local timezone = 'UTC';
select is(
  (select max(r.kept_until) from hospital_private.retention_of(array(select p.id from people as p)) as r),
  date '2037-06-01', 'Of linked records the longest counts.'
);

select tests.authenticate_as_role('administrator');
select results_eq(
  $$ select p.name, d.due_on, d.is_held
    from hospital.retention_due('2022-03-01') with ordinality as d (patient_id, last_contact_on, due_on, is_held, place)
    join people as p on p.id = d.patient_id
    order by d.place $$,
  $$ values ('never_came', date '2012-01-01', false), ('caller', date '2015-03-01', false), ('adult', date '2022-03-01', false) $$,
  'What is due is listed, longest first.'
);
select is(
  (select count(*) from hospital.retention_due('2022-02-28') as d where d.patient_id = pg_temp.person('adult')),
  0::bigint, 'And not a day before.'
);
select isnt_empty(format('select hospital.place_legal_hold(%s, ''Docket'', ''x'')', pg_temp.person('adult')), 'One is held.');
select is(
  (select d.is_held from hospital.retention_due() as d where d.patient_id = pg_temp.person('adult')),
  true, 'The list says so.'
);
select is(
  (select count(*) from hospital.patients as p where p.erased_at is not null), 0::bigint, 'Nothing is erased by listing.'
);
select ok((hospital.erase_patient(pg_temp.person('never_came'), 'retention_ended')).is_complete, 'What is due may be erased.');
select is(
  (select count(*) from hospital.retention_due() as d where d.patient_id = pg_temp.person('never_came')),
  0::bigint, 'And is then not due again.'
);
select is(
  tests.would_be(format('select hospital.erase_patient(%s, ''person_asked'')', pg_temp.person('child'))),
  'RETEN', 'A child''s record is not, whoever asks.'
);
select tests.clear_authentication();
update hospital.patients set merged_into_id = pg_temp.person('caller') where id = pg_temp.person('child');
select tests.authenticate_as_role('administrator');
select is(
  (select count(*) from hospital.retention_due('2030-01-01') as d where d.patient_id in (pg_temp.person('child'), pg_temp.person('caller'))),
  0::bigint, 'A record waits for those it is merged with.'
);
select tests.clear_authentication();
select is(
  tests.would_be($$update hospital.retention_rules set due_after = '9 years' where code = 'clinical_record'$$),
  'retention_rules_not_due_while_kept', 'Nothing is due while it must be kept.'
);

select * from finish();
rollback;
