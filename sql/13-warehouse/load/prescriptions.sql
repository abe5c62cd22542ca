delete from warehouse.load_sources as s where s.loaded_table = 'fact_prescriptions';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('fact_prescriptions', 'hospital.prescriptions', 'id', 'prescription_id'),
  ('fact_prescriptions', 'hospital.visits', 'id', 'visit_id'),
  ('fact_prescriptions', 'hospital.appointments', 'id', 'appointment_id'),
  ('fact_prescriptions', 'hospital.patients', 'id', 'patient_id'),
  ('fact_prescriptions', 'warehouse.dim_doctor', 'doctor_id', 'doctor_id'),
  ('fact_prescriptions', 'warehouse.dim_department', 'department_id', 'department_id');
