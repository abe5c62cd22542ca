-- hospital_analyst sees the schema masked and nothing else: no row of the hospital itself.
call hospital_private.reset_access('hospital_analyst');
grant usage on schema hospital, analytics, hospital_private to hospital_analyst;

grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account
to hospital_analyst;

-- De-identified rows by SQL, published numbers by SQL and through the API. The views themselves ask
-- for the session.
grant usage on schema masked to hospital_analyst;
grant execute on function
  hospital_private.session_has_role,
  hospital_private.admits_analyst,
  analytics.published_appointments,
  analytics.published_visits,
  analytics.published_diagnoses
to hospital_analyst;
grant select on
  masked.release,
  masked.patients,
  masked.appointments,
  masked.visits,
  masked.diagnoses,
  masked.conditions,
  masked.prescriptions,
  masked.treatments
to hospital_analyst;
call hospital_private.allow_reading(
  'hospital_analyst', 'analyst',
  'masked.publications', 'masked.published_appointments', 'masked.published_diagnoses',
  'masked.diagnosis_chapters'
);
