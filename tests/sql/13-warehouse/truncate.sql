-- A table that was emptied says nothing row by row.
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
create function tests.differences() returns bigint
language sql volatile security definer as $$ select count(*) from warehouse.verify() $$;
select ok(warehouse.load() > 0, 'A hospital is loaded.');
set constraints all immediate;

truncate hospital.treatments cascade;
select ok(tests.loaded_in_full(), 'A table that was emptied is loaded anew.');
select is((select count(*) from warehouse.fact_treatments), 0::bigint, 'And is empty.');
select is(tests.differences(), 0::bigint, 'As a full load would have it.');

truncate hospital.visit_diagnoses, hospital.patient_conditions, hospital.prescriptions cascade;
select ok(tests.loaded_in_full(), 'So are several.');
select is(
  (select count(*) from warehouse.fact_diagnoses) + (select count(*) from warehouse.fact_conditions)
  + (select count(*) from warehouse.fact_prescriptions) + (select count(*) from warehouse.dim_diagnosis)
  + (select count(*) from warehouse.dim_medication),
  0::bigint, 'With the codes nobody uses any more.'
);
select is(tests.differences(), 0::bigint, 'And nothing else.');
select * from finish();
rollback;
