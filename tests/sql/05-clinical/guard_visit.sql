-- A visit belongs to an appointment that takes or took place, on every path.
begin;
select no_plan();

create temporary table who on commit drop as
select
  tests.doctor() as doc,
  tests.patient('ann@example.test') as ann;
create function pg_temp.failure_for(status text, hour time)
returns text
language plpgsql
as $$
declare
  w who;
  appointment bigint;
begin
  select * from who into w;
  appointment := tests.appointment(
    w.doc, w.ann, tests.next_working_instant(w.doc, failure_for.hour), status => failure_for.status
  );
  insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at)
  values (appointment, w.ann, w.doc, now());
  return null;
exception
  when others then
    return sqlstate;
end;
$$;
select is(pg_temp.failure_for('completed', '09:00'), null, 'A completed appointment has a visit.');
select is(pg_temp.failure_for('in_progress', '10:00'), null, 'One in progress too.');
select is(pg_temp.failure_for('scheduled', '11:00'), 'TRNSN', 'One that is to come has none.');
select is(pg_temp.failure_for('cancelled', '12:00'), 'TRNSN', 'Nor has one that was called off.');
select is(pg_temp.failure_for('no_show', '13:00'), 'TRNSN', 'Nor one that was missed.');
select * from finish();
rollback;
