-- A guard that refuses every change lets an erasure pass, and nothing before or after it.
begin;
select no_plan();
select tests.world();
update hospital.retention_rules set kept_for = '0', minors_until_age = null;
update hospital.appointments set status = 'completed' where status = 'in_progress';
create temporary table probed (answer boolean) on commit drop;
grant insert on probed to public;
create function pg_temp.keep() returns trigger
language plpgsql
as $$
begin
  insert into probed select hospital_private.is_being_erased(old.patient_id);
  if not hospital_private.is_being_erased(old.patient_id) then
    raise exception 'It stays as it is.';
  end if;
  return new;
end;
$$;
create trigger _310_keep before update on hospital.treatments for each row execute function pg_temp.keep();
select throws_ok(
  format('update hospital.treatments set notes = ''x'' where patient_id = %s', tests.id_of('bob')),
  'P0001', 'It stays as it is.', 'Before, it is kept.'
);
select tests.authenticate_as('administrator@example.test');
select ok((hospital.erase_patient(tests.id_of('bob'), 'person_asked')).is_complete, 'An erasure passes.');
select tests.clear_authentication();
select is(array(select p.answer from probed as p), '{t}', 'Because the guard knew of it.');
select throws_ok(
  format('update hospital.treatments set outcome = ''improved'' where patient_id = %s', tests.id_of('bob')),
  'P0001', 'It stays as it is.', 'After it, it is kept again.'
);
select throws_ok(
  format('update hospital.treatments set notes = ''x'' where patient_id = %s', tests.id_of('ann')),
  'P0001', 'It stays as it is.', 'Others'' was kept all the time.'
);
select * from finish();
rollback;
