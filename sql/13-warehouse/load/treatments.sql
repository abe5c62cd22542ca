delete from warehouse.load_sources as s where s.loaded_table = 'fact_treatments';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('fact_treatments', 'hospital.treatments', 'id', 'treatment_id'),
  ('fact_treatments', 'hospital.visits', 'id', 'visit_id'),
  ('fact_treatments', 'hospital.appointments', 'id', 'appointment_id'),
  ('fact_treatments', 'hospital.patients', 'id', 'patient_id'),
  ('fact_treatments', 'warehouse.dim_doctor', 'doctor_id', 'doctor_id'),
  ('fact_treatments', 'warehouse.dim_department', 'department_id', 'department_id');
