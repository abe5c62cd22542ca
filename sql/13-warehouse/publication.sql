-- The one list of what leaves for another server: the tables that the extracts read, and of each the
-- columns they read. Names, numbers and texts of patients are not among them, so notes are not, whose
-- words the extract of symptoms reads. A generated column is
-- computed over there. Each list holds the primary key: without it no row of the table could be updated.
alter publication warehouse_sources set table
  hospital.facilities (id, name, time_zone),
  hospital.departments (id, facility_id, parent_id, name, is_active),
  hospital.doctors (id, staff_member_id, practising_since),
  hospital.patients (id, date_of_birth, merged_into_id),
  hospital.appointment_types (id, code, name, price),
  hospital.appointments (
    id, patient_id, doctor_id, department_id, appointment_type_id, starts_at, ends_at, busy, status,
    cancelled_at, cancellation_reason, created_at
  ),
  hospital.appointment_status_history (id, appointment_id, from_status, to_status, changed_at),
  hospital.visits (id, appointment_id, patient_id, doctor_id, started_at, ended_at, voided_at),
  hospital.visit_diagnoses (id, visit_id, diagnosis_code_id, rank, voided_at),
  hospital.diagnosis_codes (id, system, code, description),
  hospital.patient_conditions (id, patient_id, diagnosis_code_id, onset_on, abated_on, voided_at),
  hospital.prescriptions (
    id, visit_id, medication_id, prescribed_by, start_date, duration_days, stopped_at
  ),
  hospital.medications (id, code, name),
  hospital.treatments (id, visit_id, type, started_at, ended_at, cost, outcome, voided_at),
  warehouse.department_versions,
  warehouse.doctor_versions,
  warehouse.patient_versions;
