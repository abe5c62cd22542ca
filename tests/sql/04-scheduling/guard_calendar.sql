-- What is promised stays promised, also to the owner: no path takes hours away from under an appointment.
begin;
select no_plan();

create temporary table who on commit drop as
select d.ward, tests.doctor(d.ward) as doc, tests.doctor(d.ward) as other from (select tests.department() as ward) as d;
alter table who add at timestamptz, add night timestamptz;
update who set at = tests.next_working_instant(doc, '10:00'), night = tests.next_working_instant(doc, '20:00');
grant select on who to public;
insert into hospital.doctor_extra_sessions (doctor_id, starts_at, ends_at) select doc, night, night + interval '1 hour' from who;
create temporary table made on commit drop as
select tests.appointment(doc, null, at) as day, tests.appointment(doc, null, night) as night from who;
grant select on made to public;
create function pg_temp.refusal(statement text) returns text
language sql
as $$ select tests.would_be(replace(replace(replace($1, 'THE DOCTOR', w.doc::text), 'THE OTHER', w.other::text), 'THE TIME', quote_literal(w.at))) from who as w; $$;
select tests.be_owner();

-- The week.
select is(pg_temp.refusal('delete from hospital.doctor_schedules where doctor_id = THE DOCTOR'), 'INWAY', 'The week is not deleted,');
select is(pg_temp.refusal('delete from hospital.doctor_schedules where doctor_id = THE OTHER'), 'accepted', 'unless nobody is booked.');
select is(pg_temp.refusal('update hospital.doctor_schedules set weekday = 7 where doctor_id = THE DOCTOR and weekday = 2'), 'INWAY', 'A day is not moved,');
select is(pg_temp.refusal('update hospital.doctor_schedules set weekday = 7 where doctor_id = THE DOCTOR and weekday = 3'), 'accepted', 'but another is.');
select is(pg_temp.refusal('update hospital.doctor_schedules set doctor_id = THE OTHER, start_time = ''18:00'', end_time = ''19:00'' where doctor_id = THE DOCTOR and weekday = 2'), 'INWAY', 'It is not given to a colleague,');
select is(pg_temp.refusal('update hospital.doctor_schedules set start_time = ''10:01'' where doctor_id = THE DOCTOR'), 'INWAY', 'does not begin a minute too late,');
select is(pg_temp.refusal('update hospital.doctor_schedules set end_time = ''10:29'' where doctor_id = THE DOCTOR'), 'INWAY', 'does not end a minute too early');
select is(pg_temp.refusal('update hospital.doctor_schedules set start_time = ''10:00'', end_time = ''10:30'' where doctor_id = THE DOCTOR'), 'accepted', 'and may be just enough.');
select is(pg_temp.refusal('update hospital.doctor_schedules set effective = daterange(null, (THE TIME::timestamptz at time zone ''America/New_York'')::date) where doctor_id = THE DOCTOR'), 'INWAY', 'It does not run out the day before,');
select is(pg_temp.refusal('update hospital.doctor_schedules set effective = daterange(null, (THE TIME::timestamptz at time zone ''America/New_York'')::date + 1) where doctor_id = THE DOCTOR'), 'accepted', 'but may the day after.');
select is(
  pg_temp.refusal($$
    delete from hospital.doctor_schedules where doctor_id = THE DOCTOR;
    insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time) values (THE DOCTOR, 2, '09:00', '11:00')
  $$), 'accepted', 'A week is rearranged in several statements when its end is right,'
);
select is(
  pg_temp.refusal($$
    delete from hospital.doctor_schedules where doctor_id = THE DOCTOR;
    insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time) values (THE DOCTOR, 3, '09:00', '11:00')
  $$), 'INWAY', 'and not when it is wrong.'
);
select is(
  pg_temp.refusal($$
    delete from hospital.doctor_schedules where doctor_id = THE DOCTOR;
    update hospital.appointments set status = 'cancelled', cancellation_reason = 'doctor_unavailable' where status = 'scheduled'
  $$), 'accepted', 'Hours may go before the appointments in the same transaction.'
);

-- Absences.
select is(pg_temp.refusal('insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason) values (THE DOCTOR, THE TIME::timestamptz + interval ''29 minutes'', THE TIME::timestamptz + interval ''1 hour'', ''illness'')'), 'INWAY', 'An absence is not entered over an appointment.');
select is(pg_temp.refusal('insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason) values (THE DOCTOR, THE TIME::timestamptz + interval ''30 minutes'', THE TIME::timestamptz + interval ''1 hour'', ''illness'')'), 'accepted', 'After it, it is.');
insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
select doc, at + interval '30 minutes', at + interval '1 hour', 'illness' from who
union all
select other, at, at + interval '1 hour', 'illness' from who;
select is(pg_temp.refusal('update hospital.doctor_time_off set starts_at = starts_at - interval ''1 minute'' where doctor_id = THE DOCTOR'), 'INWAY', 'Nor lengthened into one,');
select is(pg_temp.refusal('update hospital.doctor_time_off set doctor_id = THE DOCTOR where doctor_id = THE OTHER'), 'INWAY', 'nor taken over by who is booked.');
select is(pg_temp.refusal('delete from hospital.doctor_time_off'), 'accepted', 'It may be withdrawn.');
select is(
  pg_temp.refusal('insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason) values (THE DOCTOR, THE TIME::timestamptz + interval ''5 hours'', THE TIME::timestamptz + interval ''601 minutes'', ''illness'')'),
  'SESSN', 'Nor is it entered over an extra session.'
);
select is(
  pg_temp.refusal('insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason) values (THE DOCTOR, THE TIME::timestamptz + interval ''5 hours'', THE TIME::timestamptz + interval ''10 hours'', ''illness'')'),
  'accepted', 'Before one, it is.'
);
insert into hospital.doctor_extra_sessions (doctor_id, starts_at, ends_at) select other, at + interval '10 minutes', at + interval '20 minutes' from who;
select is(pg_temp.refusal('update hospital.doctor_time_off set reason = ''training'', ends_at = ends_at + interval ''1 hour'' where doctor_id = THE OTHER'), 'accepted', 'An extra session entered inside an absence stands, also when that is lengthened elsewhere,');
select is(pg_temp.refusal('update hospital.doctor_time_off set starts_at = starts_at + interval ''30 minutes'' where doctor_id = THE OTHER; update hospital.doctor_time_off set starts_at = starts_at - interval ''30 minutes'' where doctor_id = THE OTHER'), 'SESSN', 'but not over the session anew.');

-- Extra sessions.
select is(pg_temp.refusal('delete from hospital.doctor_extra_sessions where doctor_id = THE DOCTOR'), 'INWAY', 'A session with an appointment is not withdrawn,');
select is(pg_temp.refusal('update hospital.doctor_extra_sessions set ends_at = starts_at + interval ''29 minutes'' where doctor_id = THE DOCTOR'), 'INWAY', 'shortened into it,');
select is(pg_temp.refusal('update hospital.doctor_extra_sessions set doctor_id = THE OTHER where doctor_id = THE DOCTOR'), 'INWAY', 'nor given to a colleague.');
select is(pg_temp.refusal('delete from hospital.doctor_extra_sessions where doctor_id = THE OTHER'), 'accepted', 'One with none is.');

-- Doctors, departments, facilities.
create temporary table place on commit drop as
select tests.department(tests.facility('America/Los_Angeles')) as far, tests.department() as near, tests.facility('Asia/Tokyo') as tokyo, tests.facility() as boston;
select is(pg_temp.refusal('update hospital.doctors set deactivated_at = now() where id = THE DOCTOR'), 'INWAY', 'A doctor who is booked does not leave,');
select is(pg_temp.refusal('update hospital.doctors set approved_at = null where id = THE DOCTOR'), 'INWAY', 'nor is the approval taken back.');
select is(pg_temp.refusal('update hospital.doctors set deactivated_at = now() where id = THE OTHER'), 'accepted', 'One who is not, does.');
select is(pg_temp.refusal(format('update hospital.staff_members set department_id = %s where id in (select staff_member_id from hospital.doctors where id = THE DOCTOR)', far)), 'INWAY', 'He does not go where the clocks are others,') from place;
select is(pg_temp.refusal(format('update hospital.staff_members set department_id = %s where id in (select staff_member_id from hospital.doctors where id = THE DOCTOR)', near)), 'accepted', 'but where they are the same.') from place;
select is(pg_temp.refusal(format('update hospital.departments set facility_id = %s where id = %s', tokyo, ward)), 'INWAY', 'His department does not move to another zone,') from place, who;
select is(pg_temp.refusal(format('update hospital.departments set facility_id = %s where id = %s', boston, ward)), 'accepted', 'but within it.') from place, who;
select is(pg_temp.refusal('update hospital.facilities set time_zone = ''Asia/Tokyo'''), 'INWAY', 'The clocks of the facility stay,');
select is(pg_temp.refusal('update hospital.facilities set time_zone = ''America/Detroit'''), 'accepted', 'unless they show the same.');

-- Who is in the way.
select is(hospital_private.appointments_in_the_way(doc), '{}', 'Nobody is in the way of the hours as they are.') from who;
delete from hospital.doctor_schedules;
delete from hospital.doctor_extra_sessions;
select is(hospital_private.appointments_in_the_way(doc), array[day, made.night], 'Without hours all to come are, in order of time.') from who, made;
select throws_ok('set constraints all immediate', 'INWAY', 'Appointments are in the way.', 'And the transaction does not end.');
with granted as (
  insert into hospital.appointment_overrides (doctor_id, patient_id, span, reason)
  select a.doctor_id, a.patient_id, a.busy, 'doctor_agreed' from hospital.appointments as a, made where a.id = made.night
  returning id
)
update hospital.appointments set override_id = granted.id from granted, made where appointments.id = made.night;
select is(hospital_private.appointments_in_the_way(doc), array[day], 'Who has leave to stay is not.') from who, made;
update hospital.appointments set status = 'checked_in' where id = (select day from made);
select is(hospital_private.appointments_in_the_way(doc), array[day], 'Who has arrived is.') from who, made;
update hospital.appointments set status = 'in_progress' where id = (select day from made);
select is(hospital_private.appointments_in_the_way(doc), array[day], 'Who is being seen is.') from who, made;
update hospital.appointments set status = 'completed' where id = (select day from made);
select is(hospital_private.appointments_in_the_way(doc), '{}', 'Who has been seen is not.') from who, made;
-- A hold counts until it runs out.
select tests.clear_authentication();
insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time) select doc, 2, '08:00', '18:00' from who;
create temporary table held on commit drop as select tests.appointment(doc, null, at + interval '1 hour', status => 'held') as id from who;
delete from hospital.doctor_schedules;
select is(hospital_private.appointments_in_the_way(doc), array[held.id], 'A held time is.') from who, held;
update hospital.appointments set expires_at = clock_timestamp() where id = (select id from held);
select is(hospital_private.appointments_in_the_way(doc), '{}', 'One that has run out is not.') from who;
select lives_ok('set constraints all immediate', 'Then the transaction ends.');
set constraints all deferred;

-- Where other clocks are set back, a time that came once may come twice.
update hospital.appointment_types set horizon_days = 400;
create temporary table clock on commit drop as
select tests.facility('UTC') as facility, tests.facility('America/New_York') as york, min(at) as twice
from generate_series(date_trunc('hour', now()) + interval '49 hours', now() + interval '390 days', interval '1 hour') as at
where hospital_private.is_second_pass(at, 'America/New_York');
alter table clock add ward bigint, add doc bigint;
update clock set ward = tests.department(facility);
update clock set doc = tests.doctor(ward, schedule => false);
insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time) select doc, day, '00:00', '00:00' from clock, generate_series(1, 7) as day;
select isnt(tests.appointment(doc, null, twice), null, 'Where the clocks are never changed, every time comes once.') from clock;
select is(
  tests.would_be(format('update hospital.departments set facility_id = %s where id = %s', york, ward)),
  'INWAY', 'A department does not go where an appointment would begin at a time that comes a second time.'
) from clock;
select tests.clear_authentication();
select * from finish();
rollback;
