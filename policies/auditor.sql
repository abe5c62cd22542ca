-- hospital_auditor can log in; what it reads comes with the audit.
call hospital_private.reset_access('hospital_auditor');
grant usage on schema hospital, analytics, hospital_private to hospital_auditor;

grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account
to hospital_auditor;
