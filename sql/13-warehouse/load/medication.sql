-- As of diagnoses.
delete from warehouse.load_sources as s where s.loaded_table = 'dim_medication';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('dim_medication', 'hospital.medications', 'id', 'medication_key'),
  ('dim_medication', 'hospital.prescriptions', 'medication_id', 'medication_key');
