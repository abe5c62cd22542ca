-- Under an empty search path a temporary type is found before pg_catalog's, and the check of a domain
-- then runs as the owner of whatever function casts to it. So functions name pg_temp last.
begin;
select no_plan();
select tests.world();
select tests.authenticate_as('ann@example.test');
create function pg_temp.run(value text) returns boolean
language plpgsql
as $$
begin
  if current_user = 'hospital_owner' then
    raise exception 'A persona''s code ran as the owner.';
  end if;
  return true;
end;
$$;
create domain pg_temp.uuid as pg_catalog.uuid check (pg_temp.run(value::pg_catalog.text));
create domain pg_temp.inet as pg_catalog.inet check (pg_temp.run(value::pg_catalog.text));
create domain pg_temp.text as pg_catalog.text check (pg_temp.run(value::pg_catalog.text));
create domain pg_temp.date as pg_catalog.date check (pg_temp.run(value::pg_catalog.text));
create domain pg_temp.timestamptz as pg_catalog.timestamptz check (pg_temp.run(value::pg_catalog.text));
create domain pg_temp.tstzrange as pg_catalog.tstzrange check (pg_temp.run(value::pg_catalog.text));
-- What was planned before the types were made is planned anew.
discard plans;
select lives_ok(
  'select hospital.current_account()',
  'No type of hers runs her code in a function that lends the owner''s right:'
);
select lives_ok($$ select hospital.log_in('ann@example.test', 'wrong') $$, 'not at log-in,');
select lives_ok($$ select hospital.free_slots(tests.id_of('dora')) $$, 'not in the finder,');
select lives_ok(
  $$ select hospital.book_appointment(tests.id_of('ann'), tests.id_of('dora'), tests.type_id(), tests.next_working_instant(tests.id_of('dora'), '15:00')) $$,
  'not when booking and in its triggers,'
);
select lives_ok('select hospital.log_out()', 'not at log-out.');
select tests.clear_authentication();
select * from finish();
rollback;
