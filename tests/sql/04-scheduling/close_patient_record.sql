-- A record is closed to new appointments only when there are none to come; death is recorded always.
begin;
select no_plan();

create temporary table who on commit drop as
select tests.doctor() as doc, tests.patient('ann@example.test') as ann, tests.patient() as other;
alter table who add at timestamptz;
update who set at = tests.next_working_instant(doc, '10:00');
grant select on who to public;
create temporary table made on commit drop as
select
  tests.appointment(doc, ann, at) as booked,
  tests.appointment(doc, ann, at + interval '1 hour', status => 'held') as held,
  tests.appointment(doc, ann, at + interval '2 hours') as under_way,
  tests.appointment(doc, ann, at - interval '14 days', status => 'completed') as seen,
  tests.appointment(doc, other, at + interval '3 hours') as of_other
from who;
update hospital.appointments set status = 'in_progress' where id = (select under_way from made);
grant select on made to public;
create function pg_temp.status(of bigint) returns text
language sql
as $$ select a.status || coalesce(' ' || a.cancellation_reason, '') from hospital.appointments as a where a.id = $1; $$;

select tests.authenticate_as_role('reception');
select throws_ok(
  format('select hospital.deactivate_patient(%s, ''Moved away'')', ann),
  'INWAY', 'Appointments are in the way.', 'A record with appointments to come is not closed.'
) from who;
select tests.be_owner();
select is(tests.would_be(format('update hospital.patients set deactivated_at = now(), deactivation_reason = ''Moved away'' where id = %s', ann)), 'INWAY', 'Not by the owner either.') from who;
select is(tests.would_be(format('update hospital.patients set merged_into_id = %s where id = %s', other, ann)), 'INWAY', 'Nor merged into another.') from who;
select is(
  tests.would_be(format('update hospital.appointments set status = ''cancelled'', cancellation_reason = ''patient_request'' where status in (''held'', ''scheduled''); update hospital.appointments set status = ''completed'' where status = ''in_progress''; update hospital.patients set deactivated_at = now(), deactivation_reason = ''Moved away'' where id = %s', ann)),
  'accepted', 'Once there are none, it is.'
) from who;
select is(
  tests.would_be(format('update hospital.patients set given_name = ''Anne'', time_zone = ''UTC'' where id = %s', ann)),
  'accepted', 'What else is changed about a patient has nothing to do with it.'
) from who;

-- A wish on the waitlist, too.
insert into hospital.waitlist_entries (patient_id, appointment_type_id, department_id, starts_before)
select w.ann, tests.type_id(), m.department_id, w.at + interval '30 days'
from who as w
join hospital.doctors as d
  on d.id = w.doc
join hospital.staff_members as m
  on m.id = d.staff_member_id;
select lives_ok(format('update hospital.patients set deceased_on = current_date where id = %s', ann), 'Death is recorded whatever was promised.') from who;
select is(pg_temp.status(booked), 'cancelled patient_deceased', 'What was booked is called off,') from made;
select is(pg_temp.status(held), 'cancelled patient_deceased', 'what was held is given back,') from made;
select is(pg_temp.status(under_way), 'in_progress', 'what is under way is left to the doctor,') from made;
select is(pg_temp.status(seen), 'completed', 'what has been is as it was,') from made;
select is(pg_temp.status(of_other), 'scheduled', 'and nobody else is concerned.') from made;
select is(array(select w.status from hospital.waitlist_entries as w), array['withdrawn'], 'Nothing is waited for any more.');
select is(
  tests.would_be(format('update hospital.patients set deceased_on = deceased_on - 1 where id = %s', ann)), 'accepted', 'The date may be corrected.'
) from who;
select tests.clear_authentication();
select * from finish();
rollback;
