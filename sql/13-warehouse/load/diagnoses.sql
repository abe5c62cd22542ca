delete from warehouse.load_sources as s where s.loaded_table = 'fact_diagnoses';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('fact_diagnoses', 'hospital.visit_diagnoses', 'id', 'visit_diagnosis_id'),
  ('fact_diagnoses', 'hospital.visits', 'id', 'visit_id'),
  ('fact_diagnoses', 'hospital.appointments', 'id', 'appointment_id'),
  ('fact_diagnoses', 'hospital.patients', 'id', 'patient_id'),
  ('fact_diagnoses', 'warehouse.dim_doctor', 'doctor_id', 'doctor_id'),
  ('fact_diagnoses', 'warehouse.dim_department', 'department_id', 'department_id');
