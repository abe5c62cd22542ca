-- One changed version changes the end of the one before it.
delete from warehouse.load_sources as s where s.loaded_table = 'dim_department';
insert into warehouse.load_sources (loaded_table, source_table, source_column, found_by) values
  ('dim_department', 'hospital.departments', 'id', 'department_id');
