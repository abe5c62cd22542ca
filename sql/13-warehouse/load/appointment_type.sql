delete from warehouse.load_sources as s where s.loaded_table = 'dim_appointment_type';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('dim_appointment_type', 'hospital.appointment_types', 'id', 'appointment_type_key');
