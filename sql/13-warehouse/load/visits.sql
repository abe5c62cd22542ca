delete from warehouse.load_sources as s where s.loaded_table = 'fact_visits';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('fact_visits', 'hospital.visits', 'id', 'visit_id'),
  ('fact_visits', 'hospital.appointments', 'id', 'appointment_id'),
  ('fact_visits', 'hospital.patients', 'id', 'patient_id'),
  ('fact_visits', 'warehouse.dim_doctor', 'doctor_id', 'doctor_id'),
  ('fact_visits', 'warehouse.dim_department', 'department_id', 'department_id');
