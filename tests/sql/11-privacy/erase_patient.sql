-- Who is erased, what is refused, and what stays. That nothing of the person is left anywhere is shown
-- by tests/privacy.
begin;
select no_plan();
select tests.world();
update hospital.appointments set status = 'completed' where status = 'in_progress';
create temporary table duplicates on commit drop as
select tests.patient('bobby@example.test', 'Baker') as id;
grant select on duplicates to public;
update hospital.patients set merged_into_id = tests.id_of('bob') where id = (select id from duplicates);

-- Retention.
select tests.authenticate_as('administrator@example.test');
select is(
  tests.would_be(format('select hospital.erase_patient(%s, ''person_asked'')', tests.id_of('bob'))),
  'RETEN', 'Who was a patient yesterday must be kept.'
);
create function pg_temp.hint_of(statement text) returns text
language plpgsql
as $$
declare
  hint text;
begin
  execute statement;
  return null;
exception
  when others then
    get stacked diagnostics hint = pg_exception_hint;
    return hint;
end;
$$;
select is(
  pg_temp.hint_of(format('select hospital.erase_patient(%s, ''person_asked'')', tests.id_of('bob'))),
  format('The clinical record must be kept until %s.', ((now() at time zone 'UTC')::date + interval '10 years')::date),
  'And he is told what, and until which day.'
);
select is(
  tests.would_be(format('select hospital.erase_patient(%s, ''person_asked'')', d.id)),
  'RETEN', 'Through a duplicate record too.'
)
from duplicates as d;
select is(tests.would_be('select hospital.erase_patient(0, ''person_asked'')'), 'NTFND', 'Nobody is erased who is not there.');

-- Only what is due.
select is(
  (
    select (e.is_complete, cardinality(e.record_uuids))::text
    from hospital.erase_patient(tests.id_of('bob'), 'person_asked', true) as e
  ),
  '(f,2)', 'What need not be kept is erased at once when asked for, and the certificate says it is not all.'
);
select is(
  (select min(n.subject || n.body) from hospital.notifications as n where n.patient_id = tests.id_of('bob')),
  '[erased][erased]', 'His messages are gone.'
);
select is(
  (select p.family_name from hospital.patients as p where p.id = tests.id_of('bob')),
  'Baker', 'His name is kept.'
);
select is(
  (
    select string_agg(distinct l.outcome || ' ' || l.explanation, ' ')
    from hospital.erasure_lines as l
    join hospital.erasures as e
      on e.id = l.erasure_id
      and not e.is_complete
    where l.relation = 'hospital.visits'
      and l.data_class = 'free_text'
  ),
  'kept It must be kept for now.', 'The certificate says what was not touched and why.'
);
select is(
  (
    select string_agg(distinct l.outcome || ' ' || l.explanation, ' ')
    from hospital.erasure_lines as l
    join hospital.erasures as e
      on e.id = l.erasure_id
      and not e.is_complete
    where l.data_class = 'sealed'
  ),
  'kept It must be kept for now.', 'And that the audit can still be opened.'
);
select tests.clear_authentication();

-- All of him.
update hospital.retention_rules set kept_for = '0', minors_until_age = null;
select tests.appointment(
  tests.id_of('dirk'), tests.id_of('bob'), tests.next_working_instant(tests.id_of('dirk'), '15:00')
);
create temporary table before on commit drop as
select p.mrn, p.public_uuid from hospital.patients as p where p.id = tests.id_of('bob');
grant select on before to public;
select tests.authenticate_as('administrator@example.test');
select is(
  tests.would_be(format('select hospital.erase_patient(%s, ''because'')', tests.id_of('bob'))),
  'erasures_reason_fkey', 'A reason is one of the list, since free text would name the person.'
);
create temporary table certificate on commit drop as
select e.* from hospital.erase_patient((select d.id from duplicates as d), 'retention_ended') as e;
grant select on certificate to public;
select is(
  (select (c.is_complete, c.reason, c.erased_by is not null, cardinality(c.record_uuids))::text from certificate as c),
  '(t,retention_ended,t,2)', 'An erasure covers all records of the person, whichever is named.'
);
select is(
  array(select p.given_name || p.family_name || p.deactivation_reason || (p.erased_at is not null) from hospital.patients as p where p.id in (tests.id_of('bob'), (select d.id from duplicates as d))),
  array['[erased][erased][erased]true', '[erased][erased][erased]true'], 'The rows stay as shells.'
);
select isnt(p.mrn, b.mrn, 'With a new number.')
from hospital.patients as p
join before as b
  on b.public_uuid = p.public_uuid;
select is(
  array(select distinct a.cancellation_reason from hospital.appointments as a where a.patient_id = tests.id_of('bob') and a.status = 'cancelled'),
  '{record_erased}', 'What was to come is called off.'
);
select is(
  (select count(*) from hospital.waitlist_entries as w where w.patient_id = tests.id_of('bob') and w.status = 'waiting'),
  0::bigint, 'And nothing is waited for.'
);
select results_eq(
  'select c.id, c.erased_at from certificate as c',
  format('select e.id, e.erased_at from hospital.erase_patient(%s, ''person_asked'') as e', tests.id_of('bob')),
  'Erased twice, the first certificate stands.'
);
select is(
  tests.would_be(format('select hospital.place_legal_hold(%s, ''Docket'', ''x'')', tests.id_of('bob'))),
  'XERAS', 'It is too late for a hold.'
);

-- Closed, nameless, shown to nobody else.
select is(
  tests.would_be(format(
    'select hospital.book_appointment(%s, %s, %s, %L)', tests.id_of('bob'), tests.id_of('dirk'), tests.type_id(),
    tests.next_working_instant(tests.id_of('dirk'), '16:00')
  )),
  'NOTBK', 'A shell is not booked.'
);
select tests.authenticate_as('dirk@example.test');
select is((select count(*) from hospital.patients as p where p.id = tests.id_of('bob')), 0::bigint, 'His doctor does not see the shell.');
select is(tests.would_be(format('select hospital.open_chart(%s)', tests.id_of('bob'))), 'NTFND', 'Nor opens its chart.');
select tests.authenticate_as('reception@example.test');
select is((select count(*) from hospital.patients as p where p.id = tests.id_of('bob')), 0::bigint, 'Reception does not see it.');
select is((select count(*) from hospital.search_patients('erased')), 0::bigint, 'Nor finds it.');
select is(
  tests.would_be(format('select hospital.update_patient(%s, given_name => ''Bob'')', tests.id_of('bob'))),
  'NTFND', 'Nor names it again.'
);
select tests.authenticate_as('administrator@example.test');
select is(
  (select (p.erased_at is not null)::text from hospital.patients as p where p.id = tests.id_of('bob')),
  'true', 'An administrator sees that somebody was erased.'
);
select is(
  tests.would_be(format('select hospital.update_patient(%s, given_name => ''Bob'')', tests.id_of('bob'))),
  'XERAS', 'And does not name him either.'
);
select tests.clear_authentication();
select throws_ok(
  $$select tests.authenticate_as('bob@example.test')$$, 'P0001', null, 'There is no such account any more.'
);
select is(
  (hospital.log_in('bob@example.test', tests.password())).outcome, 'refused', 'He does not log in.'
);
select is(
  (hospital.log_in(a.email, tests.password())).outcome, 'refused', 'Nor by what stands there now.'
)
from hospital_private.accounts as a
where a.patient_id = tests.id_of('bob');
select is(
  tests.would_be($$select hospital.register_patient('Bob', 'Baker', '1980-02-29', 'male', 'bob@example.test', 'a long enough password')$$),
  'accepted', 'The address is free for whoever it belongs to.'
);

-- By bare SQL as the owner.
select tests.be_owner();
select is(
  tests.would_be(format(c.statement, tests.id_of('bob'))), 'XERAS', format('The owner is refused: %s', c.statement)
)
from (values
  ('update hospital.patients set erased_at = null where id = %s'),
  ('update hospital.patients set family_name = ''Baker'' where id = %s'),
  ('update hospital.patients set merged_into_id = null, deactivated_at = null where id = %s'),
  ('insert into hospital.contact_points (patient_id, kind, value) values (%s, ''phone'', ''+1 617 555 0100'')'),
  ('insert into hospital.patient_identifiers (patient_id, system, value) values (%s, ''ssn'', ''999-00-1111'')'),
  ('update hospital.visits set notes = ''Bob'' where patient_id = %s'),
  ('update hospital.appointments set reason = ''Bob'' where patient_id = %s'),
  ('update hospital_private.accounts set email = ''bob@example.test'' where patient_id = %s'),
  ('insert into hospital.notifications (reason, patient_id, subject, body) values (''x'', %s, ''Bob'', ''Bob'')'),
  ('update hospital.patients set merged_into_id = %s where id = tests.id_of(''ann'')')
) as c (statement);
select is(
  tests.would_be(format('update hospital.patients set erased_at = now() where id = %s', tests.id_of('ann'))),
  'patients_erased_is_closed_and_nameless', 'Nobody is marked as erased who still has a name.'
);
select is(
  tests.would_be(format('update hospital.appointments set status = ''completed'' where patient_id = %s and status = ''completed''', tests.id_of('bob'))),
  'accepted', 'What names nobody may still change.'
);

-- Refused for other reasons.
select tests.clear_authentication();
select tests.visit(tests.appointment(tests.id_of('dora'), tests.id_of('ann'), tests.next_working_instant(tests.id_of('dora'), '16:00')));
select tests.authenticate_as('administrator@example.test');
select is(
  tests.would_be(format('select hospital.erase_patient(%s, ''person_asked'')', tests.id_of('ann'))),
  'INWAY', 'Nobody is erased while he is being seen.'
);
select tests.clear_authentication();
update hospital.appointments set status = 'completed' where status = 'in_progress';
create temporary table colleagues on commit drop as
select tests.staff_member('nurse') as id;
update hospital_private.accounts as a
set staff_member_id = c.id
from colleagues as c
where a.patient_id = tests.id_of('ann');
select tests.authenticate_as('administrator@example.test');
select is(
  tests.would_be(format('select hospital.erase_patient(%s, ''person_asked'')', tests.id_of('ann'))),
  'WORKS', 'A colleague''s account is not taken away with the patient''s.'
);
select tests.clear_authentication();
update hospital_private.accounts set staff_member_id = null where patient_id = tests.id_of('ann');
create table hospital.probe (patient_id bigint, note text);
select tests.authenticate_as('administrator@example.test');
select is(
  tests.would_be(format('select hospital.erase_patient(%s, ''person_asked'')', tests.id_of('ann'))),
  'UNCLA', 'While a column is not classified there is no erasure, for its certificate would be untrue.'
);
select tests.clear_authentication();

select * from finish();
rollback;
