delete from warehouse.load_sources as s where s.loaded_table = 'fact_appointments';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('fact_appointments', 'hospital.appointments', 'id', 'appointment_id'),
  ('fact_appointments', 'hospital.appointment_status_history', 'appointment_id', 'appointment_id'),
  ('fact_appointments', 'hospital.visits', 'appointment_id', 'appointment_id'),
  ('fact_appointments', 'hospital.patients', 'id', 'patient_id'),
  ('fact_appointments', 'warehouse.dim_doctor', 'doctor_id', 'doctor_id'),
  ('fact_appointments', 'warehouse.dim_department', 'department_id', 'department_id');
