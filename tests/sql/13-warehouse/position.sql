-- How far the warehouse has come, and when that is not believed.
begin;
select no_plan();
select tests.world();
create function tests.loaded_in_full() returns boolean
language plpgsql volatile security definer as $$
begin
  update warehouse.load_state set loaded_in_full_at = '-infinity';
  perform warehouse.load();
  return (select s.loaded_in_full_at > '-infinity' from warehouse.load_state as s);
end
$$;
-- What this transaction has done becomes what another had done before the last load.
create function tests.time_passes() returns void
language sql volatile security definer set session_replication_role = replica as $$
  update audit.entries set transaction_id = '3' where transaction_id = pg_current_xact_id()
$$;
create function tests.differences() returns bigint
language sql volatile security definer as $$ select count(*) from warehouse.verify() $$;

select throws_ok('select ops.load_warehouse()', '25000', null, 'A job loads in one snapshot or not at all.');
select ok(warehouse.load() > 0, 'It loads.');
select is(s.cluster, c.system_identifier, 'The position says of which cluster it is.')
from warehouse.load_state as s, pg_control_system() as c;
select is(s.next_transaction_id, pg_snapshot_xmin(s.snapshot), 'And up to where every change is loaded.') from warehouse.load_state as s;
select is(s.data_as_of, now(), 'Of when it is.') from warehouse.load_state as s;
select ok(not tests.loaded_in_full(), 'Then only changes are loaded.');
select is(warehouse.load(), 0::bigint, 'Once.');

update warehouse.table_states set changed_as_of = '-infinity';
update hospital.visits as v set ended_at = now() + interval '1 hour' where v.patient_id = (select p.id from tests.people as p where p.name = 'ann');
select is(warehouse.load(), 1::bigint, 'A visit ends.');
select is(array(select t.table_name from warehouse.table_states as t where t.changed_as_of = now()), '{fact_visits}', 'Only its table has changed.');

-- After a restore into another cluster transaction numbers mean nothing.
update warehouse.load_state set cluster = cluster + 1;
select ok(tests.loaded_in_full(), 'A position of another cluster is not believed.');
select ok(not tests.loaded_in_full(), 'Now it is of this one.');
alter table audit.eras disable trigger _300_append_only;
update audit.eras set cluster = cluster + 1;
select ok(tests.loaded_in_full(), 'While the audit has not begun an era of this cluster, nothing is believed.');
select ok(tests.loaded_in_full(), 'Every time.');
update audit.eras set cluster = cluster - 1;
select ok(tests.loaded_in_full(), 'Nor is what was loaded meanwhile.');
select ok(not tests.loaded_in_full(), 'Only what came after.');

insert into audit.retired_months (month, entries) values ('2020-01-01', 0);
select ok(tests.loaded_in_full(), 'With a month of the audit changes may have gone that were never loaded.');
select ok(not tests.loaded_in_full(), 'Once.');

update hospital.facilities as f set time_zone = 'America/New_York';
select ok(not tests.loaded_in_full(), 'A facility that was written to is nothing.');
update hospital.facilities as f set time_zone = 'Asia/Kathmandu';
select ok(tests.loaded_in_full(), 'When its clocks change, every day and minute does.');
select is(tests.differences(), 0::bigint, 'And it is loaded right.');
select tests.time_passes();
select ok(not tests.loaded_in_full(), 'Once.');

create or replace view warehouse.transform_medication with (security_invoker = true) as
select e.medication_key, e.code, upper(e.name) as name from warehouse.extract_medication as e;
select ok(tests.loaded_in_full(), 'What is defined anew is loaded anew.');
select is((select count(*) from warehouse.dim_medication as m where m.name <> upper(m.name)), 0::bigint, 'As it is defined.');
select ok(not tests.loaded_in_full(), 'Once.');

set local session_replication_role = replica;
update hospital.departments as d set name = 'Renamed past the triggers' where d.id = (select min(id) from hospital.departments);
set local session_replication_role = origin;
select is(warehouse.load(), 0::bigint, 'A change past all triggers is seen by no load.');
select is(tests.differences(), 2::bigint, 'Verifying finds it: the version that is not there, and the one that should have ended.');
select ok(warehouse.load(in_full => true) > 0, 'A full load mends it.');
select is(tests.differences(), 0::bigint, 'Wholly.');

select * from finish();
rollback;
