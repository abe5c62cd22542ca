-- The list of codes is not in the audit: of what is here every row is compared with it, and new rows come
-- with the first entry that uses them.
delete from warehouse.load_sources as s where s.loaded_table = 'dim_diagnosis';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('dim_diagnosis', 'hospital.diagnosis_codes', 'id', 'diagnosis_key'),
  ('dim_diagnosis', 'hospital.visit_diagnoses', 'diagnosis_code_id', 'diagnosis_key'),
  ('dim_diagnosis', 'hospital.patient_conditions', 'diagnosis_code_id', 'diagnosis_key');
