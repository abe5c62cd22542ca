delete from warehouse.load_sources as s where s.loaded_table = 'dim_patient';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('dim_patient', 'hospital.patients', 'id', 'patient_id');
