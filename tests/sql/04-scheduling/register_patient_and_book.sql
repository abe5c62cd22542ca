-- Registration and the first appointment stand or fall together.
begin;
select no_plan();

create temporary table who on commit drop as select tests.doctor() as doc, tests.type_id() as type;
alter table who add at timestamptz;
update who set at = tests.next_working_instant(doc, '10:00');
grant select on who to public;
create function pg_temp.try(email text, at text default 'at', password text default 'a long password') returns text
language plpgsql
as $$
declare
  statement text;
begin
  execute format(
    'select format(''select hospital.register_patient_and_book(%%L, %%L, %%L, %%L, %%L, %%L, %%L, %%L, %%L)'', ''New'', ''Comer'', ''1990-01-01'', ''male'', doc, type, %s, %L, %L) from who',
    $2, $1, $3
  ) into statement;
  return tests.constraint_of(statement);
end;
$$;

-- ### a visitor
select tests.be_anonymous();
select is(pg_temp.try('one@example.test'), 'accepted', 'A visitor registers and books in one go.');
select is(
  (hospital.log_in('one@example.test', 'a long password')).outcome,
  'granted', 'He can log in.'
);
select is(pg_temp.try('two@example.test'), 'SLOTT', 'A second one cannot have that time.');
select is(
  (hospital.log_in('two@example.test', 'a long password')).outcome,
  'refused', 'And is not registered.'
);
select is(
  pg_temp.try('two@example.test', 'at + interval ''9 hours'''),
  'OUTWH', 'Nor with a time at which nobody works.'
);
select is(
  pg_temp.try('two@example.test', 'now() - interval ''1 day'''),
  'PASTT', 'Nor with one that has passed.'
);
select is(
  pg_temp.try('one@example.test', 'at + interval ''1 hour'''),
  'accounts_email_key', 'Nobody registers twice.'
);
select is(
  pg_temp.try('three@example.test', 'at + interval ''1 hour''', null),
  'UNAUT', 'Nor without a password.'
);
select is(
  (tests.failure(format('select hospital.register_patient_and_book(''A'', ''B'', ''1990-01-01'', ''male'', %s, %s, %L, ''y@example.test'', ''a long password'')', doc, type, at))).detail,
  '', 'What is refused says nothing about whoever has the time.'
) from who;
select tests.clear_authentication();
select is(count(*), 1::bigint, 'There is one patient') from hospital.patients;
select is(count(*), 1::bigint, 'with one appointment.') from hospital.appointments;
select ok(
  not exists (select from hospital_private.accounts where email ~ '^(two|three|y)@'),
  'No account was left behind.'
);
select * from finish();
rollback;
