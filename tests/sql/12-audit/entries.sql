-- Every change is on record in its own transaction: what was, a digest of what is, who, from where and why.
begin;
select no_plan();

create temporary table probe as
select
  tests.patient('ann@example.test', 'Able') as ann,
  tests.doctor(tests.department(), 'dora@example.test') as dora;
grant select on probe to public;
create function tests.newest(table_name text, row_key text default null) returns audit.entries
language sql stable security definer as $$
  select e.* from audit.entries as e
  where e.table_name = newest.table_name and (newest.row_key is null or e.row_key = newest.row_key)
  order by e.sequence desc limit 1
$$;

-- Insert, update and delete.
select is(e.operation, 'insert', 'A new row is on record.') from probe as p, tests.newest('hospital.patients', p.ann::text) as e;
select is(e.old_image, null, 'It was nothing before.') from probe as p, tests.newest('hospital.patients', p.ann::text) as e;
select is(e.database_user, session_user::text, 'With the user who was connected.') from tests.newest('hospital.patients') as e;

update hospital.patients as a set time_zone = 'Europe/Paris' from probe as p where a.id = p.ann;
select is(e.operation, 'update', 'A change is on record.') from tests.newest('hospital.patients') as e;
select is(e.patient_id, p.ann, 'As a change of the patient.') from probe as p, tests.newest('hospital.patients') as e;
select is(e.old_image -> 'deactivated_at', 'null', 'With what was.') from tests.newest('hospital.patients') as e;
select is(e.transaction_id, pg_current_xact_id(), 'In the transaction that made it.') from tests.newest('hospital.patients') as e;
select ok(not e.old_image ?| array['given_name', 'family_name', 'date_of_birth', 'mrn'],
  'Not with what identifies the patient.') from tests.newest('hospital.patients') as e;
select is(audit.open_identity(e.patient_id, e.sealed_identity) ->> 'family_name', 'Able',
  'That is sealed with the patient''s key.') from tests.newest('hospital.patients') as e;

insert into hospital.contact_points (patient_id, kind, value) select p.ann, 'phone', '+1 617 555 0100' from probe as p;
delete from hospital.contact_points where patient_id = (select p.ann from probe as p) and kind = 'phone';
select is(e.operation, 'delete', 'What was deleted is on record.') from tests.newest('hospital.contact_points') as e;
select is(e.new_row_digest, null, 'And is nothing now.') from tests.newest('hospital.contact_points') as e;
select unalike(e::text, '%617 555%', 'A number is nowhere in clear.') from tests.newest('hospital.contact_points') as e;
select isnt(
  e.new_row_digest,
  sha256(record_send(row(c.id, c.patient_id, c.staff_member_id, c.kind, c.value, c.is_preferred, c.created_at, c.updated_at))),
  'Its digest cannot be tested against guesses.'
)
from probe as p, hospital.contact_points as c, tests.newest('hospital.contact_points', c.id::text) as e
where c.patient_id = p.ann and c.kind = 'email';

-- On conflict do update fires both triggers; a changed key is a row gone and a row come.
insert into hospital_private.account_roles (account_id, role)
select a.id, 'doctor' from hospital_private.accounts as a where a.email = 'dora@example.test'
on conflict on constraint account_roles_pkey do update set granted_by = account_roles.granted_by;
select is(e.operation, 'update', 'An insert that became an update is an update.') from tests.newest('hospital_private.account_roles') as e;
select is(count(*), 0::bigint, 'And is not written twice.')
from audit.entries as e
where e.table_name = 'hospital_private.account_roles'
  and e.operation = 'insert'
  and e.sequence > (tests.newest('hospital_private.account_roles')).sequence;
insert into hospital_private.account_roles (account_id, role)
select a.id, 'nurse' from hospital_private.accounts as a where a.email = 'dora@example.test';
update hospital_private.account_roles as r set role = 'auditor' where r.role = 'nurse';
select set_eq(
  $$ select e.operation, split_part(e.row_key, ' ', 2) from audit.entries as e
     where e.table_name = 'hospital_private.account_roles' order by e.sequence desc limit 2 $$,
  $$ values ('delete', 'nurse'), ('insert', 'auditor') $$,
  'A row whose key changed is gone, and another has come.'
);
delete from hospital_private.account_roles as r where r.role = 'auditor';

-- Who, from where, in which request, and why.
create temporary table booked as
select tests.appointment(p.dora, p.ann) as appointment, a.id as account
from probe as p, hospital_private.accounts as a where a.email = 'dora@example.test';
grant select on booked to public;
select tests.visit(b.appointment) from booked as b;
select tests.authenticate_as('dora@example.test', 'doctor');
select lives_ok($$ select hospital.open_chart(p.ann, 'treatment') from probe as p $$, 'A doctor opens a chart.');
select lives_ok(
  $$ select hospital.amend_visit(visit_id => v.id, amendment_reason => 'Typing error', notes => 'Better.')
     from hospital.visits as v, probe as p where v.patient_id = p.ann $$,
  'And amends a visit.'
);
select is(e.account_id, b.account, 'The account is on record.')
from booked as b, tests.newest('hospital.visits') as e;
select is(e.session_id, current_setting('infirmary.session_id')::uuid, 'So is the session.')
from tests.newest('hospital.visits') as e;
select is(e.role, 'hospital_doctor', 'So is the role.') from tests.newest('hospital.visits') as e;
select is(e.client_address, '192.0.2.7', 'So is the address.') from tests.newest('hospital.visits') as e;
select is(e.request_id, 'test', 'So is the request.') from tests.newest('hospital.visits') as e;
select is(e.purpose, 'treatment', 'So is the purpose for which the chart was opened.') from tests.newest('hospital.visits') as e;
select is(e.operation, 'insert', 'The opening of the chart itself is on record too.') from tests.newest('audit.chart_accesses') as e;
select hospital.log_out();
select isnt(e.account_id, null, 'The log-out is somebody''s, though it ended the session.') from tests.newest('hospital_private.sessions') as e;
select set_config('infirmary.session_secret', 'guessed', true);
select set_config('role', 'none', true);
select is((audit.current_actor()).account_id, null, 'Whoever has only the session''s id is nobody.');
select tests.clear_authentication();

-- Secrets.
select tests.authenticate_as('dora@example.test', 'doctor');
select tests.clear_authentication();
update hospital_private.accounts set failed_attempts = 1;
update hospital_private.sessions set access_expires_at = access_expires_at - interval '1 second';
select is(count(*), 0::bigint, 'No hash of a password or a secret is anywhere in the audit.')
from audit.entries as e
where exists (
  select from hospital_private.accounts as a where strpos(e::text, a.password_hash) > 0
)
or exists (
  select from hospital_private.sessions as s where strpos(e::text, encode(s.secret_hash, 'hex')) > 0
)
or e.old_image ?| array['password_hash', 'secret_hash', 'token_hash'];
select cmp_ok(count(*), '>', 0::bigint, 'Accounts and sessions are on record.')
from audit.entries as e
where e.table_name in ('hospital_private.accounts', 'hospital_private.sessions') and e.operation = 'update';
update hospital_private.accounts set password_hash = hospital_private.hash_password('another password');
select is(count(distinct e.new_row_digest), 1::bigint, 'A digest does not depend on the password.')
from (
  select e.new_row_digest, row_number() over (order by e.sequence desc) as n
  from audit.entries as e, hospital_private.accounts as a
  where e.table_name = 'hospital_private.accounts' and e.row_key = a.id::text and a.email = 'dora@example.test'
) as e
where e.n <= 2;

-- Rolled back is not on record.
savepoint before_rollback;
update hospital.facilities set phone = '+1 617 555 0123';
rollback to savepoint before_rollback;
select is(count(*), 0::bigint, 'What was rolled back is not on record.')
from audit.entries as e where e.table_name = 'hospital.facilities' and e.operation = 'update';

-- Truncate.
truncate hospital.appointment_moves;
select is(e.operation, 'truncate', 'A truncate is on record.') from tests.newest('hospital.appointment_moves') as e;

-- Every table that is enrolled records all four.
select is_empty(
  $$ select * from audit.verify() $$,
  'After all of this every row is what its newest entry says.'
);
select cmp_ok(count(*), '>', 30::bigint, 'Most tables are enrolled.') from audit.audited_tables();

-- A month without a partition.
set local session_replication_role = replica;
create temporary table moved as select * from audit.entries;
set local session_replication_role = origin;
select lives_ok(
  $$ insert into audit.entries (table_name, operation, row_key, new_row_digest, recorded_at)
     values ('x', 'insert', '1', '\x00', '2031-05-01') $$,
  'A month that nobody has made takes entries.'
);
select is(e.tableoid, 'audit.entries_default'::regclass::oid, 'In the default partition.') from audit.entries as e where e.table_name = 'x';
select is(audit.maintain_partitions(), 0::bigint, 'The months to come are there.');

select * from finish();
rollback;
