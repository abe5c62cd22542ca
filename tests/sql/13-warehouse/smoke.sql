begin;
select no_plan();
select tests.world();
select ok(warehouse.load() > 0, 'It loads.');
select is((select count(*) from warehouse.fact_appointments), (select count(*) from hospital.appointments where status not in ('held','lapsed')), 'facts');
select is((select count(*) from warehouse.fact_visits), (select count(*) from hospital.visits where voided_at is null), 'visits');
select is((select count(*) from warehouse.verify()), 0::bigint, 'verify');
select finish();
rollback;
