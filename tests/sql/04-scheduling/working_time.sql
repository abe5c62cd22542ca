-- Local rules in the facility's zone, over the days on which clocks change, whatever zone the
-- connection happens to be set to.
begin;
select no_plan();

create temporary table place (zone text primary key, doc bigint);
insert into place
select z, tests.doctor(tests.department(tests.facility(z)), schedule => false)
from unnest(array['America/New_York', 'Europe/London', 'Australia/Lord_Howe', 'Asia/Tokyo']) as z;
create function pg_temp.worked(zone text, day date, starts time, ends time) returns interval
language plpgsql
as $$
declare
  doctor bigint := (select p.doc from place as p where p.zone = worked.zone);
  total interval;
begin
  delete from hospital.doctor_schedules as s where s.doctor_id = doctor;
  insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time)
  values (doctor, extract(isodow from day), starts, ends);
  select sum(upper(r) - lower(r))
  into total
  from unnest(
    hospital_private.working_time(
      doctor,
      tstzrange(day::timestamp at time zone worked.zone, (day + 2)::timestamp at time zone worked.zone)
    )
  ) as r;
  return total;
end;
$$;

create function pg_temp.every_case() returns table (what text, worked interval, expected interval)
language sql
as $$
  select
    c.zone || ' on ' || c.day || ' from ' || c.starts || ' to ' || c.ends as what,
  pg_temp.worked(c.zone, c.day, c.starts, c.ends) as worked,
  c.expected
from (
  values
    -- Whole days: 23 hours in spring, 25 in autumn, and half an hour of difference on Lord Howe.
    ('America/New_York', date '2027-03-14', time '00:00', time '00:00', interval '23 hours'),
    ('America/New_York', '2027-11-07', '00:00', '00:00', '25 hours'),
    ('America/New_York', '2027-06-01', '00:00', '00:00', '24 hours'),
    ('Europe/London', '2027-03-28', '00:00', '00:00', '23 hours'),
    ('Europe/London', '2027-10-31', '00:00', '00:00', '25 hours'),
    ('Australia/Lord_Howe', '2027-10-03', '00:00', '00:00', '23 hours 30 minutes'),
    ('Australia/Lord_Howe', '2027-04-04', '00:00', '00:00', '24 hours 30 minutes'),
    ('Asia/Tokyo', '2027-03-14', '00:00', '00:00', '24 hours'),
    -- Days of work do not notice.
    ('America/New_York', '2027-03-14', '08:00', '18:00', '10 hours'),
    ('America/New_York', '2027-11-07', '08:00', '18:00', '10 hours'),
    ('Europe/London', '2027-03-28', '08:00', '18:00', '10 hours'),
    ('Australia/Lord_Howe', '2027-10-03', '08:00', '18:00', '10 hours'),
    -- Nights do.
    ('America/New_York', '2027-03-13', '22:00', '06:00', '7 hours'),
    ('America/New_York', '2027-11-06', '22:00', '06:00', '9 hours'),
    ('Europe/London', '2027-03-27', '22:00', '06:00', '7 hours'),
    ('Asia/Tokyo', '2027-03-13', '22:00', '06:00', '8 hours'),
    -- An hour that is not there is not worked.
    ('America/New_York', '2027-03-14', '02:00', '03:00', null),
    ('America/New_York', '2027-03-14', '01:00', '03:00', '1 hour'),
    ('Europe/London', '2027-03-28', '01:00', '02:00', null)
) as c (zone, day, starts, ends, expected);
$$;
create function pg_temp.under(time_zone text) returns setof text
language plpgsql
as $$
begin
  perform set_config('timezone', time_zone, true);
  return query
  select is(c.worked, c.expected, format('%s, asked in %s.', c.what, time_zone))
  from pg_temp.every_case() as c;
end;
$$;
select pg_temp.under(z)
from unnest(array['UTC', 'America/New_York', 'Asia/Kolkata', 'Pacific/Kiritimati', 'Pacific/Pago_Pago']) as z;

-- Split shifts, time off and the edges of the span.
set local timezone = 'UTC';
create temporary table one on commit drop as
select tests.doctor(tests.department(tests.facility('UTC')), schedule => false) as doc;
insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time)
select doc, 2, v.* from one, (values (time '08:00', time '12:00'), ('12:00', '13:00'), ('14:00', '18:00')) as v;
select is(
  hospital_private.working_time(doc, '[2027-06-01 00:00Z, 2027-06-02 00:00Z)')::text,
  '{["2027-06-01 08:00:00+00","2027-06-01 13:00:00+00"),["2027-06-01 14:00:00+00","2027-06-01 18:00:00+00")}',
  'Shifts that touch are one stretch, others are two.'
) from one;
select is(
  hospital_private.working_time(doc, '[2027-06-01 09:00Z, 2027-06-01 10:00Z)')::text,
  '{["2027-06-01 09:00:00+00","2027-06-01 10:00:00+00")}', 'Only what lies in the span is answered.'
) from one;
insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
select doc, '2027-06-01 09:00Z', '2027-06-01 15:00Z', 'illness' from one;
select is(
  hospital_private.working_time(doc, '[2027-06-01 00:00Z, 2027-06-02 00:00Z)')::text,
  '{["2027-06-01 08:00:00+00","2027-06-01 09:00:00+00"),["2027-06-01 15:00:00+00","2027-06-01 18:00:00+00")}',
  'Time off is not worked.'
) from one;
select is(
  hospital_private.working_time(doc, '[2027-06-06 00:00Z, 2027-06-07 00:00Z)')::text,
  '{}', 'Sunday is not worked.'
) from one;
select is(
  hospital_private.working_time(doc, 'empty')::text,
  '{}', 'Nothing is worked in an empty span.'
) from one;
select is(
  hospital_private.working_time(doc, '(,)')::text,
  '{}', 'A span without ends is not answered, and does not run for ever.'
) from one;
select is(
  hospital_private.working_time(doc, '[-infinity,infinity]')::text,
  '{}', 'Nor is one from infinity to infinity.'
) from one;
select is(
  hospital_private.working_time(-1, '[2027-06-01 00:00Z, 2027-06-02 00:00Z)')::text,
  '{}', 'Nobody works never.'
);
select * from finish();
rollback;
