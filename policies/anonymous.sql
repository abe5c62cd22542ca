-- hospital_anonymous is everybody who has not logged in: the building and what can be booked there,
-- registration and log-in, and nothing of anyone.
call hospital_private.reset_access('hospital_anonymous');
grant usage on schema hospital, analytics, hospital_private to hospital_anonymous;

-- The building.
create policy anonymous_select_all on hospital.facilities
  for select to hospital_anonymous
  using (true);
grant select on hospital.facilities to hospital_anonymous;
create policy anonymous_select_active on hospital.departments
  for select to hospital_anonymous
  using (is_active);
grant select on hospital.departments to hospital_anonymous;
create policy anonymous_select_all on hospital.specialties
  for select to hospital_anonymous
  using (true);
grant select on hospital.specialties to hospital_anonymous;
create policy anonymous_select_bookable on hospital.appointment_types
  for select to hospital_anonymous
  using (is_bookable);
grant select on hospital.appointment_types to hospital_anonymous;

-- Registration and log-in.
grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account,
  hospital.register_patient,
  hospital.register_doctor,
  hospital.register_patient_and_book,
  hospital.free_slots,
  -- Of the row just registered.
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.doctors_full_name,
  hospital.doctors_experience_years
to hospital_anonymous;

-- The API passes news on to live subscribers, on nobody's behalf and without seeing them.
grant execute on function hospital_private.relay_live_events to hospital_anonymous;
