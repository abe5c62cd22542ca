-- Time to come is promised only where it can be kept, also to the owner; history is as it was.
begin;
select no_plan();

create temporary table who on commit drop as
select tests.doctor() as doc, tests.patient() as ann;
alter table who add at timestamptz;
update who set at = tests.next_working_instant(doc, '10:00');
grant select on who to public;
create temporary table made on commit drop as select tests.appointment(doc, ann, at) as id from who;
grant select on made to public;
select tests.be_owner();
create function pg_temp.book(at text default 'at + interval ''1 hour''', status text default 'scheduled', type text default 'consultation') returns text
language sql
as $$
  select tests.would_be(format(
    'insert into hospital.appointments (doctor_id, patient_id, starts_at, status, appointment_type_id)
    select doc, ann, %s, %L, tests.type_id(%L) from who', $1, $2, $3));
$$;
create function pg_temp.move(status text) returns text
language sql
as $$ select tests.would_be(format('update hospital.appointments set status = %L where id = (select id from made)', $1)); $$;

select is(pg_temp.book(), 'accepted', 'Within working hours it is accepted.');
select is(pg_temp.book('at - interval ''2 hours'''), 'accepted', 'From the first minute');
select is(pg_temp.book('at - interval ''2 hours 1 minute'''), 'OUTWH', 'but not before it,');
select is(pg_temp.book('at + interval ''7 hours 30 minutes'''), 'accepted', 'to the last minute');
select is(pg_temp.book('at + interval ''7 hours 31 minutes'''), 'OUTWH', 'but not beyond it.');
select is(
  pg_temp.book('at + interval ''6 hours 41 minutes''', type => 'procedure'),
  'OUTWH', 'The time after a procedure is work, too.'
);
select is(
  pg_temp.book('at - interval ''2 hours''', type => 'procedure'),
  'OUTWH', 'And the time before it.'
);
select is(
  pg_temp.book('at + interval ''12 hours''', 'completed'),
  'accepted', 'History may lie outside working hours.'
);
select is(pg_temp.book(type => 'walk_in'), 'NOTBK', 'A type that is not bookable is not booked.');
select is(
  pg_temp.book(type => 'imported', status => 'completed'),
  'accepted', 'But may be history.'
);

-- Time off.
insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
select doc, at + interval '90 minutes', at + interval '2 hours', 'training' from who;
select is(pg_temp.book(), 'accepted', 'Time off may begin when an appointment ends.');
select is(pg_temp.book('at + interval ''61 minutes'''), 'OUTWH', 'But not before.');
select is(
  pg_temp.book('at + interval ''2 hours'''),
  'accepted', 'After time off there is work again.'
);
-- What stands under an override is not questioned again by the steps of a day.
with granted as (
  insert into hospital.appointment_overrides (doctor_id, patient_id, span, reason)
  select doc, ann, tstzrange(at, at + interval '30 minutes'), 'doctor_agreed' from who
  returning id
)
update hospital.appointments set override_id = granted.id from granted;
insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
select doc, at, at + interval '30 minutes', 'illness' from who;
select is(
  pg_temp.move('checked_in'),
  'accepted', 'An appointment that stands goes on though the doctor became ill.'
);
select is(
  tests.would_be($$update hospital.appointments set starts_at = starts_at + interval '5 minutes', ends_at = ends_at + interval '5 minutes'$$),
  'OUTWH', 'But is not moved out of what the override covers.'
);
delete from hospital.doctor_time_off;

-- Schedules in force.
update hospital.doctor_schedules set effective = daterange(null, (select (at at time zone 'America/New_York')::date from who));
select is(pg_temp.book(), 'OUTWH', 'A schedule that ended the day before is over.');
update hospital.doctor_schedules set effective = daterange((select (at at time zone 'America/New_York')::date from who), null);
select is(pg_temp.book(), 'accepted', 'One that begins on the day is in force.');

-- People.
update hospital.doctors set deactivated_at = now();
select is(pg_temp.book(), 'NOTBK', 'An inactive doctor is not booked.');
select is(pg_temp.book(status => 'completed'), 'accepted', 'But keeps his history.');
select is(pg_temp.move('checked_in'), 'accepted', 'What stands goes on.');
update hospital.doctors set deactivated_at = null, approved_at = null;
select is(pg_temp.book(), 'NOTBK', 'A doctor who is not approved is not booked.');
update hospital.doctors set approved_at = now();
update hospital.appointments set status = 'cancelled', cancellation_reason = 'patient_request';
update hospital.patients set deactivated_at = now(), deactivation_reason = 'Moved away';
select is(pg_temp.book(), 'NOTBK', 'A patient whose record is closed is not booked.');
select is(pg_temp.move('scheduled'), 'NOTBK', 'Nor does what was cancelled come back.');
update hospital.patients set deactivated_at = null, deactivation_reason = null, deceased_on = '2026-01-01';
select is(pg_temp.book(), 'NOTBK', 'The dead are not booked.');
update hospital.patients set deceased_on = null;
select is(pg_temp.book(), 'accepted', 'The living are.');
select tests.clear_authentication();
update hospital.patients set merged_into_id = tests.patient() where id = (select ann from who);
select tests.be_owner();
select is(pg_temp.book(), 'NOTBK', 'A record merged into another is closed.');
select * from finish();
rollback;
