-- Every rule on schedules and appointments, refused by name, as the owner.
begin;
select no_plan();

create temporary table one on commit drop as
select tests.doctor(null, 'doc@example.test') as doctor, tests.patient('ann@example.test') as patient;
grant select on one to public;
select tests.appointment(doctor, patient) from one;
select tests.be_owner();

create function pg_temp.book(changed text) returns text
language plpgsql
as $$
declare
  given jsonb := (
    select jsonb_build_object('patient_id', patient, 'doctor_id', doctor, 'appointment_type_id', tests.type_id(),
      'starts_at', tests.next_working_instant(doctor, '14:00'), 'status', 'scheduled')
    from one
  ) || changed::jsonb;
begin
  return tests.would_be(format(
    'insert into hospital.appointments (%s) select %s from jsonb_populate_record(null::hospital.appointments, %L)',
    (select string_agg(quote_ident(k), ', ') from jsonb_object_keys(given) as k),
    (select string_agg(quote_ident(k), ', ') from jsonb_object_keys(given) as k),
    given
  ));
end;
$$;
select is(pg_temp.book('{}'), 'accepted', 'An appointment in order is accepted.');
select is(pg_temp.book('{"patient_id": null}'), '23502', 'It has a patient.');
select isnt(pg_temp.book('{"doctor_id": null}'), 'accepted', 'It has a doctor.');
select is(pg_temp.book('{"starts_at": null}'), '23502', 'It has a time.');
select is(pg_temp.book('{"appointment_type_id": null}'), '23502', 'It has a type.');
select is(
  pg_temp.book('{"patient_id": -1}'),
  'appointments_patient_id_fkey', 'The patient exists.'
);
select is(pg_temp.book('{"status": "lost"}'), 'appointments_status_fkey', 'The status exists.');
select is(pg_temp.book('{"room_id": -1}'), 'appointments_room_id_fkey', 'The room exists.');
select is(
  pg_temp.book('{"status": "held"}'),
  'accepted', 'When a hold lapses is derived from its type.'
);
select is(
  pg_temp.book('{"status": "cancelled"}'),
  'appointments_cancelled_has_reason', 'A cancellation says why.'
);
select is(
  pg_temp.book('{"status": "cancelled", "cancellation_reason": "mood"}'),
  'appointments_cancellation_reason_fkey', 'And says it by a code.'
);
select is(
  pg_temp.book('{"cancellation_reason": "patient_request"}'),
  'accepted', 'The reason of what is not cancelled is dropped.'
);
select is(
  pg_temp.book(format('{"reason": "%s"}', repeat('x', 1001))),
  'appointments_reason_not_too_long', 'A reason has at most 1000 letters.'
);
select is(
  pg_temp.book(format('{"reason": "%s"}', repeat('x', 1000))),
  'accepted', '1000 are accepted.'
);
select is(
  pg_temp.book('{"status": "completed", "starts_at": "2020-01-07 10:00Z", "ends_at": "2020-01-07 10:00Z"}'),
  'appointments_end_after_start', 'It ends after it starts.'
);
select is(
  pg_temp.book('{"status": "completed", "starts_at": "2020-01-07 10:00Z", "ends_at": "2020-01-07 09:00Z"}'),
  'appointments_end_after_start', 'Not before.'
);
select is(
  pg_temp.book('{"starts_at": "infinity"}'),
  'TOFAR', 'Not at the end of time.'
);
select is(
  pg_temp.book('{"starts_at": "-infinity"}'),
  'appointments_end_after_start', 'Not before all time.'
);
select is(
  pg_temp.book('{"starts_at": "-infinity", "ends_at": "2020-01-07 09:00Z"}'),
  'OUTWH', 'Nor since before all time.'
);
select is(pg_temp.book('{"ends_at": "infinity"}'), 'OUTWH', 'Nor for ever.');
select is(
  pg_temp.book('{"starts_at": "4713-01-01 BC", "status": "completed"}'),
  'accepted', 'History is as long as the calendar.'
);
select is(pg_temp.book('{"starts_at": "294276-12-31 23:50Z"}'), '22008', 'And no longer.');
select is(
  pg_temp.book('{"busy": "empty", "buffer_before_minutes": -5}'),
  'accepted', 'What follows from other columns is derived, whatever the writer says.'
);

select is(
  tests.would_be($$update hospital.appointments set buffer_before_minutes = -1$$),
  'appointments_buffers_not_negative', 'Buffers are not negative.'
);
select is(
  tests.would_be($$update hospital.appointments set id = 7$$),
  '428C9', 'A key is not changed.'
);
select is(
  tests.would_be($$insert into hospital.appointments (public_uuid, patient_id, doctor_id, appointment_type_id, starts_at, status) select public_uuid, patient_id, doctor_id, appointment_type_id, starts_at, 'completed' from hospital.appointments$$),
  'appointments_public_uuid_key', 'Its outside identifier is used once.'
);
select is(
  tests.would_be($$update hospital.appointment_types set duration_minutes = 4$$),
  'appointment_types_duration_plausible', 'A type lasts five minutes at least.'
);
select is(
  tests.would_be($$update hospital.appointment_types set buffer_before_minutes = -1$$),
  'appointment_types_buffers_plausible', 'Its buffers are not negative.'
);
select is(
  tests.would_be($$update hospital.appointment_types set price = -1$$),
  'appointment_types_price_not_negative', 'Nor is its price.'
);
select is(
  tests.would_be($$update hospital.appointment_types set price = 'NaN'$$),
  'appointment_types_price_not_negative', 'Its price is a number.'
);
select is(
  tests.would_be($$update hospital.appointment_types set code = 'x'$$),
  'appointment_types_code_key', 'Its code is used once.'
);
select is(
  tests.would_be($$update hospital.cancellation_reasons set party = 'dog'$$),
  'cancellation_reasons_party_known', 'The party that cancels is known.'
);

create function pg_temp.shift(weekday integer, starts time, ends time, effective daterange default '(,)') returns text
language sql
as $$
  select tests.would_be(format(
    'insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time, effective) values (%s, %s, %L, %L, %L)',
    doctor, $1, $2, $3, $4
  ))
  from one;
$$;
select is(pg_temp.shift(6, '08:00', '12:00'), 'accepted', 'A shift in order is accepted.');
select is(
  pg_temp.shift(1, '17:59', '19:00'),
  'doctor_schedules_never_overlap', 'Shifts of a day do not overlap.'
);
select is(pg_temp.shift(1, '18:00', '19:00'), 'accepted', 'But may touch.');
select is(
  pg_temp.shift(6, '08:00:30', '12:00'),
  'doctor_schedules_whole_minutes', 'A shift starts at a whole minute.'
);
select is(
  pg_temp.shift(6, '08:00', '12:00:00.5'),
  'doctor_schedules_whole_minutes', 'And ends at one.'
);
select is(
  pg_temp.shift(0, '08:00', '12:00'),
  'doctor_schedules_weekday_is_iso', 'Weekdays begin with 1.'
);
select is(pg_temp.shift(8, '08:00', '12:00'), 'doctor_schedules_weekday_is_iso', 'And end with 7.');
select is(
  pg_temp.shift(6, '08:00', '12:00', 'empty'),
  'doctor_schedules_effective_not_empty', 'A shift is in force at some time.'
);
select is(tests.would_be(format(
    'insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason) values (%s, now(), now(), ''vacation'')', doctor
  )), 'doctor_time_off_ends_after_start', 'Time off ends after it starts.') from one;
select is(tests.would_be(format(
    'insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason) values (%s, now(), now() + interval ''1 day'', ''mood'')', doctor
  )), 'doctor_time_off_reason_fkey', 'And has a reason that is listed.') from one;
select * from finish();
rollback;
