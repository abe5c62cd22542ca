-- hospital_analyst can log in; what it reads comes with the masked views.
call hospital_private.reset_access('hospital_analyst');
grant usage on schema hospital, analytics, hospital_private to hospital_analyst;

grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account
to hospital_analyst;
