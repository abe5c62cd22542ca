delete from warehouse.load_sources as s where s.loaded_table = 'dim_doctor';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('dim_doctor', 'hospital.doctors', 'id', 'doctor_id'),
  ('dim_doctor', 'hospital.staff_members', 'id', 'staff_member_id');
