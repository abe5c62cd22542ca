delete from warehouse.load_sources as s where s.loaded_table = 'fact_symptoms';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('fact_symptoms', 'hospital.clinical_notes', 'id', 'clinical_note_id'),
  ('fact_symptoms', 'hospital.visits', 'id', 'visit_id'),
  ('fact_symptoms', 'hospital.appointments', 'id', 'appointment_id'),
  ('fact_symptoms', 'hospital.patients', 'id', 'patient_id'),
  ('fact_symptoms', 'warehouse.dim_doctor', 'doctor_id', 'doctor_id'),
  ('fact_symptoms', 'warehouse.dim_department', 'department_id', 'department_id');
