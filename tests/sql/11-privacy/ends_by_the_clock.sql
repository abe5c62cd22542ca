-- Begins and ends are kept by the clock, within one long statement and under an old snapshot: what is
-- readable is compared with the clock over and over until the moment has passed.
begin isolation level repeatable read;
select no_plan();

create temporary table who on commit drop as
select d.ward, tests.doctor(d.ward, 'doc@example.test', schedule => false) as doc, tests.doctor(null, 'far@example.test', schedule => false) as far, tests.patient('ann@example.test') as ann,
  null::text as mrn, null::date as born
from (select tests.department() as ward) as d;
select tests.visit(tests.appointment(doc, ann, now() - interval '1 day', status => 'completed')) from who;
update who set mrn = p.mrn, born = p.date_of_birth from hospital.patients as p where p.id = ann;
grant select on who to public;

-- Reads from before the moment until after it, all in one statement, and returns how often it read what it
-- should not have, and how often it had the chance.
create function pg_temp.watch(moment timestamptz, open_before boolean, out wrong integer, out looked_before integer, out looked_after integer)
language plpgsql
as $$
declare
  before timestamptz;
  after timestamptz;
  is_open boolean;
begin
  wrong := 0; looked_before := 0; looked_after := 0;
  loop
    before := clock_timestamp();
    is_open := exists (select from hospital.visits);
    after := clock_timestamp();
    if after < moment then
      looked_before := looked_before + 1;
      wrong := wrong + (is_open <> open_before)::integer;
    elsif before >= moment then
      looked_after := looked_after + 1;
      wrong := wrong + (is_open = open_before)::integer;
    end if;
    exit when before >= moment + interval '20 milliseconds';
  end loop;
end;
$$;

-- ### an emergency
update hospital_private.privacy_rules set break_glass_lasts = '1 second';
select tests.authenticate_as('far@example.test');
select hospital.break_glass('Collapsed', mrn => mrn, date_of_birth => born) from who;
select results_eq(
  $$ select wrong, looked_after > 0 from hospital.break_glass_grants as g, pg_temp.watch(upper(g.granted), true) $$,
  'values (0, true)', 'An emergency access is gone at its end, to the instant.'
);
select is_empty('select from hospital.patients', 'So is the name.');
select is(tests.would_be('select hospital.open_chart(ann) from who'), 'NTFND', 'It does not open again.');
select lives_ok('select hospital.end_break_glass(id) from hospital.break_glass_grants', 'Ending what has ended is no error');
select is_empty('select from hospital.break_glass_grants where ended_at is not null', 'and says nothing false.');
select tests.be_owner();
select is(
  tests.would_be($$update hospital.break_glass_grants set ended_at = lower(granted)$$), 'KEPTT', 'What has run out has not ended early, for the owner either.'
);
select tests.clear_authentication();

-- ### a window
update hospital_private.privacy_rules set chart_window = '1 second';
select tests.authenticate_as('doc@example.test');
select hospital.open_chart(ann) from who;
create temporary table ends (at timestamptz);
grant all on ends to public;
select tests.clear_authentication();
insert into ends select upper(covers) from audit.chart_accesses where tag = 'roster';
select tests.authenticate_as('doc@example.test');
select hospital.open_chart(ann) from who;
select results_eq('select wrong, looked_after > 0 from ends, pg_temp.watch(ends.at, true)', 'values (0, true)', 'A chart closes when the window ends, also in a session that joined it.');
select tests.clear_authentication();

-- ### a restriction and a permission that begin and end
update hospital_private.privacy_rules set chart_window = '4 hours';
delete from ends;
select tests.authenticate_as('ann@example.test');
insert into ends
select lower((hospital.record_consent(ann, 'not_this_person', d.staff_member_id, starts_at => clock_timestamp() + interval '1 second', ends_at => clock_timestamp() + interval '2 seconds')).granted)
from who, hospital.doctors as d where d.id = who.doc;
create temporary table kept on commit drop as select * from tests.new_session('doc@example.test');
grant select on kept to public;
select tests.claim(row(k.*)::hospital.login_result) from kept as k;
select hospital.open_chart(ann) from who;
select results_eq('select wrong, looked_after > 0 from ends, pg_temp.watch(ends.at, true)', 'values (0, true)', 'A restriction closes an open chart when it begins,');
select tests.authenticate_as('ann@example.test');
update ends set at = (select upper(granted) from hospital.consents);
select tests.claim(row(k.*)::hospital.login_result) from kept as k;
select results_eq('select wrong, looked_after > 0 from ends, pg_temp.watch(ends.at, false)', 'values (0, true)', 'and when it ends by itself the window goes on.');

select tests.authenticate_as('ann@example.test');
update ends set at = upper((hospital.record_consent(ann, 'second_opinion', d.staff_member_id, ends_at => clock_timestamp() + interval '1 second')).granted)
from who, hospital.doctors as d where d.id = who.far;
select tests.authenticate_as('far@example.test');
select hospital.open_chart(ann) from who;
select results_eq('select wrong, looked_after > 0 from ends, pg_temp.watch(ends.at, true)', 'values (0, true)', 'A permission is gone at its end, to the instant.');
select tests.clear_authentication();
select * from finish();
rollback;
