delete from warehouse.load_sources as s where s.loaded_table = 'fact_conditions';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('fact_conditions', 'hospital.patient_conditions', 'id', 'patient_condition_id'),
  ('fact_conditions', 'hospital.patients', 'id', 'patient_id');
