-- What the worker may do with the post: take one, say what became of it, and nothing else.
begin;
select no_plan();
select tests.world();
delete from hospital.notifications;
insert into hospital.contact_points (patient_id, kind, value)
select id, 'email', name || '@patients.example' from tests.people where name = 'ann';
insert into hospital.notifications (reason, patient_id, subject, body)
select 'test ' || name, id, 'A subject', 'A body' from tests.people where name in ('ann', 'bob') order by name;
create temporary table letters on commit drop as
select n.id, p.name from hospital.notifications as n join tests.people as p on p.id = n.patient_id and p.name in ('ann', 'bob');
grant select on letters to public;

select set_config('role', 'hospital_worker', true);
select results_eq(
  'select address, subject from ops.claim_notification()', $$ values ('ann@patients.example', 'A subject') $$, 'The worker is handed the first'
);
select results_eq('select id from ops.claim_notification()', $$ select id from letters where name = 'ann' $$, 'and no second in the same transaction.');
select throws_ok('select * from hospital.notifications', '42501', null, 'He cannot look into the box');
select throws_ok('select hospital_private.mail_address(1)', '42501', null, 'nor ask for an address.');
select throws_ok('select * from ops.delivery_failures', '42501', null, 'Nor read what failed.');
select lives_ok($$ select ops.note_delivery_failure(id, '550', true) from letters where name = 'ann' $$, 'He says that it failed.');
select throws_ok(
  $$ select ops.note_delivery_failure(id, 'No ann@patients.example here', true) from letters where name = 'ann' $$, '23514', null,
  'With a code: what a server says may name somebody.'
);
select is((ops.claim_notification()).id, null, 'Then it waits, and the one without an address is nobody''s to send.');
select tests.clear_authentication();
select results_eq(
  'select state, messages from ops.message_queue order by state', $$ values ('to be tried again', 1::bigint), ('without an address', 1::bigint) $$,
  'Whoever wonders sees both.'
);
update ops.delivery_failures set next_attempt_at = now();

-- An address that comes later is written to; of merged records the survivor's is taken.
insert into hospital.contact_points (patient_id, kind, value) select id, 'email', 'bob@patients.example' from tests.people where name = 'bob';
select set_config('role', 'hospital_worker', true);
select ops.mark_notification_sent(id) from letters where name = 'ann';
select is((ops.claim_notification()).address, 'bob@patients.example', 'Who has an address by then is written to.');
select is(ops.is_still_to_be_sent(id), true, 'As long as it is so') from letters where name = 'bob';
select tests.clear_authentication();
update hospital.patients set deceased_on = current_date where id = (select id from tests.people where name = 'bob');
select set_config('role', 'hospital_worker', true);
select is(ops.is_still_to_be_sent(id), false, 'and not to who has died.') from letters where name = 'bob';
select is((ops.claim_notification()).id, null, 'It is not handed out any more.');
select is(ops.withdraw_untrue_notifications(), 1::bigint, 'It is withdrawn.');
select is(ops.withdraw_untrue_notifications(), 0::bigint, 'Once.');
select tests.clear_authentication();
select is((select count(*) from hospital.notifications where sent_at is not null), 1::bigint, 'What was sent is marked');
select is_empty('select * from ops.delivery_failures where notification_id = (select id from letters where name = ''ann'')', 'and what failed before is forgotten.');
select is_empty('select * from ops.message_queue', 'Nothing waits.');
update hospital.notifications set sent_at = null where id = (select id from letters where name = 'ann');
update hospital.notifications set withdrawn_at = now() where id = (select id from letters where name = 'ann');
select ops.mark_notification_sent(id) from letters where name = 'ann';
select results_eq(
  $$ select sent_at is not null, withdrawn_at from hospital.notifications where id = (select id from letters where name = 'ann') $$,
  'values (true, null::timestamptz)', 'What was withdrawn too late was sent all the same, and the box says so.'
);
select * from finish();
rollback;
