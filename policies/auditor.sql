-- hospital_auditor reads the audit and nothing else, and only once its session has said why.
call hospital_private.reset_access('hospital_auditor');
grant usage on schema hospital, analytics, hospital_private to hospital_auditor;

grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account,
  hospital.open_audit,
  hospital.audit_entries,
  hospital.audited_chart_accesses
to hospital_auditor;

-- Reports, of what is seen above.
grant execute on function
  hospital_private.require_report_period,
  hospital_private.report_heading,
  hospital_private.report_steps,
  hospital_private.audit_is_open,
  hospital_private.report_accesses,
  hospital_private.report_accesses_figures
to hospital_auditor;
