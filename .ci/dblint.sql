-- The names under which Supabase's rules know an API's roles. In this database they may do what ours may.
do $roles$
begin
  if to_regrole('anon') is null then create role anon nologin; end if;
  if to_regrole('authenticated') is null then create role authenticated nologin; end if;
  if to_regrole('service_role') is null then create role service_role nologin bypassrls; end if;
end
$roles$;
grant hospital_anonymous to anon;
grant hospital_patient, hospital_doctor, hospital_staff, hospital_nurse, hospital_reception,
  hospital_pharmacist, hospital_laboratory, hospital_billing, hospital_administrator,
  hospital_analyst, hospital_auditor
to authenticated;
do $database$
begin
  execute format('alter database %I set pgrst.db_schemas = %L', current_database(), 'hospital, analytics');
end
$database$;
