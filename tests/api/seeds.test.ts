import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { startApi, type TestApi } from './support/api.ts';
import { addStaff, furnish, hoursAhead, PASSWORD, tokenFor, type Hospital } from './support/hospital.ts';

/*
 * Everything the REST interfaces that Infirmary answers to could do, in the order of a working day, each step by
 * one registered document. The comments name the old endpoint.
 */
describe('a working day through the registered documents', () => {
  let api: TestApi;
  let hospital: Hospital;
  let reception: string;
  let administrator: string;
  let patient: string;
  let doctor: string;
  let ids: { patient: string; doctor: string; department: string; appointment: string };
  let visit: { id: string; recordUuid: string };

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 1, patients: 0 });
    reception = await tokenFor(
      api.owner,
      await addStaff(api.owner, hospital, 'reception', 'receptionist'),
      'reception',
    );
    administrator = await tokenFor(
      api.owner,
      await addStaff(api.owner, hospital, 'administrator', 'administrator'),
      'administrator',
    );
    await api.owner.query(`insert into hospital.treatment_types (name) values ('Electrocardiogram')`);
    await api.owner.query(
      `insert into hospital.medications (code, name) values ('197361', 'Amlodipine 5 mg')`,
    );
    await api.owner.query(
      `insert into hospital.diagnosis_codes (system, code, description) values ('icd10cm', 'I10', 'Hypertension')`,
    );
  });

  test('a patient registers and logs in', async () => {
    // POST /patients/register
    const input = {
      givenName: 'Rosa',
      familyName: 'Delgado',
      dateOfBirth: '1985-04-12',
      sex: 'female',
      email: 'rosa@mail.example',
      password: PASSWORD,
      phone: '+1 617 555 0134',
      address: '12 Beacon Street, Boston',
    };
    await api.call('registerPatient', { input });
    patient = (await api.call('logIn', { email: input.email, password: PASSWORD })).logIn.result.accessToken;
    const { currentAccount } = await api.call('currentAccount', {}, patient);
    assert.equal(currentAccount.role, 'patient');
    ids = { patient: currentAccount.patientId, doctor: '', department: '', appointment: '' };
  });

  test('and finds a department, its doctors and a free time', async () => {
    // GET /departments
    const { departments } = await api.call('departments');
    assert.deepEqual(
      departments.nodes.map(({ name }: { name: string }) => name),
      ['Cardiology'],
    );
    ids.department = departments.nodes[0].id;
    // GET /departments/{department_id}/doctors
    const { department } = await api.call('departmentDoctors', { departmentId: ids.department }, patient);
    assert.equal(department.doctors.nodes.length, 1);
    ids.doctor = department.doctors.nodes[0].id;
    // GET /doctors, GET /providers and GET /providers/{id}
    const { doctors } = await api.call('doctors', {}, patient);
    assert.equal(doctors.totalCount, 1);
    assert.equal(
      (await api.call('doctor', { id: ids.doctor }, patient)).doctor.department.name,
      'Cardiology',
    );
    assert.equal(
      (await api.call('searchDoctors', { search: 'cardio' }, patient)).searchDoctors.nodes.length,
      1,
    );
    const { freeSlots } = await api.call('freeSlots', { doctorId: ids.doctor }, patient);
    assert.ok(freeSlots.nodes.length > 0);
  });

  test('books, reads and changes an appointment, and cancels another', async () => {
    const { appointmentTypes } = await api.call('appointmentTypes', {}, patient);
    const consultation = appointmentTypes.nodes.find(({ code }: { code: string }) => code === 'consultation');
    const book = async (startsAt: string): Promise<string> => {
      const input = {
        patientId: ids.patient,
        doctorId: ids.doctor,
        appointmentTypeId: consultation.id,
        startsAt,
      };
      return (await api.call('bookAppointment', { input }, patient)).bookAppointment.appointment.id;
    };
    // POST /appointments/book
    ids.appointment = await book(hoursAhead(30));
    // GET /appointments/{appointment_id}
    const { appointment } = await api.call('appointment', { id: ids.appointment }, patient);
    assert.equal(appointment.status, 'scheduled');
    assert.equal(appointment.patient.fullName, 'Rosa Delgado');
    // PUT /appointments/{id}, PATCH /api/v1/appointments/{id}
    await api.call('updateAppointment', { appointmentId: ids.appointment, reason: 'palpitations' }, patient);
    // DELETE /appointments/{id}
    const second = await book(hoursAhead(40));
    const { cancelAppointment } = await api.call('cancelAppointment', { appointmentId: second }, patient);
    assert.equal(cancelAppointment.appointment.status, 'cancelled');
    // GET /api/v1/appointments
    const { appointments } = await api.call('appointments', {}, patient);
    assert.equal(appointments.totalCount, 2);
  });

  test('a visitor registers and books in one step', async () => {
    const input = {
      givenName: 'Samuel',
      familyName: 'Okafor',
      dateOfBirth: '1990-02-02',
      sex: 'male',
      email: 'samuel@mail.example',
      password: PASSWORD,
      doctorId: ids.doctor,
      appointmentTypeId: hospital.typeId,
      startsAt: hoursAhead(50),
    };
    const { registerPatientAndBook } = await api.call('registerPatientAndBook', { input });
    assert.equal(registerPatientAndBook.appointment.status, 'scheduled');
  });

  test('the doctor sees the day and records the visit with prescription and treatment', async () => {
    doctor = await tokenFor(api.owner, hospital.doctors[0]!, 'doctor');
    // GET /doctors/{doctor_id}/appointments
    const { doctor: seen } = await api.call('doctorAppointments', { doctorId: ids.doctor }, doctor);
    const own = seen.appointments.nodes.find(({ id }: { id: string }) => id === ids.appointment);
    assert.equal(own.patient.fullName, 'Rosa Delgado');
    assert.equal(own.reason, 'palpitations');

    // POST /doctor/record-visit, POST /medical-records/
    const input = {
      appointmentId: ids.appointment,
      diagnosis: 'Hypertension',
      diagnosisCodes: ['I10'],
      notes: '150/95',
    };
    visit = (await api.call('recordVisit', { input }, doctor)).recordVisit.visit;
    // POST /doctor/add-prescription, POST /prescriptions/
    const { medications } = await api.call('medications', { startsWith: 'amlo' }, doctor);
    const prescription = {
      visitId: visit.id,
      medicationId: medications.nodes[0].id,
      dosage: '5 mg once a day',
      durationDays: 30,
    };
    const added = (await api.call('addPrescription', { input: prescription }, doctor)).addPrescription
      .prescription;
    assert.equal(added.medication.name, 'Amlodipine 5 mg');
    // POST /doctor/add-treatment
    const treatment = { visitId: visit.id, type: 'Electrocardiogram', cost: '120.50', notes: 'sinus rhythm' };
    await api.call('addTreatment', { input: treatment }, doctor);
    await api.call('addTreatment', { input: { ...treatment, cost: '30.00' } }, doctor);
    // PUT /medical-records/{id}
    const amendment = { visitId: visit.id, notes: '150/95, twice', amendmentReason: 'second reading' };
    assert.equal((await api.call('amendVisit', { input: amendment }, doctor)).amendVisit.visit.version, 2);
    // GET /prescriptions/{id}, DELETE /prescriptions/{id}
    assert.ok((await api.call('prescription', { id: added.id }, doctor)).prescription.endDate);
    await api.call('stopPrescription', { prescriptionId: added.id, reason: 'dizziness' }, doctor);
    const { completeVisit } = await api.call('completeVisit', { visitId: visit.id }, doctor);
    assert.equal(completeVisit.visit.appointment.status, 'completed');
  });

  test('the patient reads all of it in one query', async () => {
    // GET /patients/{patient_id}/appointments
    const { patient: record } = await api.call('patientAppointments', { patientId: ids.patient }, patient);
    const completed = record.appointments.nodes.find(({ id }: { id: string }) => id === ids.appointment);
    assert.equal(completed.visit.diagnosis, 'Hypertension');
    assert.equal(completed.visit.treatmentCost, '150.50');
    assert.equal(completed.visit.prescriptions.nodes[0].medication.name, 'Amlodipine 5 mg');
    assert.equal(completed.visit.treatments.nodes.length, 2);
    // GET /medical-records/{id}
    const { visitByRecordUuid } = await api.call('visit', { recordUuid: visit.recordUuid }, patient);
    assert.equal(visitByRecordUuid.diagnoses.nodes[0].diagnosisCode.code, 'I10');
    // The prescription was stopped, so nothing is in use.
    const { patient: history } = await api.call('medicalHistory', { patientId: ids.patient }, patient);
    assert.deepEqual(history.medicationsInUse.nodes, []);
  });

  test('reception lists, finds, changes and closes patients’ records', async () => {
    // GET /api/v1/patients
    const { patients } = await api.call('patients', {}, reception);
    assert.deepEqual(
      patients.nodes.map(({ familyName }: { familyName: string }) => familyName),
      ['Delgado', 'Okafor'],
    );
    assert.equal(
      (await api.call('searchPatients', { search: 'delg' }, reception)).searchPatients.nodes.length,
      1,
    );
    // GET /patients/{id}
    assert.equal(
      (await api.call('patient', { id: ids.patient }, reception)).patient.contactPoints.nodes.length,
      3,
    );
    // PUT /patients/{id}, PATCH /api/v1/patients/{id}
    const input = { patientId: ids.patient, familyName: 'Delgado Ruiz', phone: '+1 617 555 0199' };
    const { updatePatient } = await api.call('updatePatient', { input }, reception);
    assert.equal(updatePatient.patient.familyName, 'Delgado Ruiz');
    // DELETE /patients/{id}, once nothing is to come
    const closed = patients.nodes[1].id;
    const filter = { patientId: { equalTo: closed }, status: { equalTo: 'scheduled' } };
    const { appointments: toCome } = await api.call('appointments', { filter }, reception);
    for (const { id } of toCome.nodes) await api.call('cancelAppointment', { appointmentId: id }, reception);
    const { deactivatePatient } = await api.call(
      'deactivatePatient',
      { patientId: closed, reason: 'moved away' },
      reception,
    );
    assert.equal(deactivatePatient.patient.deactivationReason, 'moved away');
  });

  test('a doctor registers, waits for approval, and is changed', async () => {
    // POST /doctors/register, POST /api/v1/providers
    const input = {
      givenName: 'Wei',
      familyName: 'Chen',
      email: 'wei@mail.example',
      password: PASSWORD,
      departmentId: ids.department,
      specialization: 'Neurology',
      licence: 'MA-20417',
      practisingSince: '2012-07-01',
      phone: '+1 617 555 0162',
    };
    const { registerDoctor } = await api.call('registerDoctor', { input });
    const doctorId = registerDoctor.doctor.id;
    await assert.rejects(api.call('logIn', { email: input.email, password: PASSWORD }), /LOGIN_REFUSED/);
    await api.call('approveDoctor', { doctorId }, administrator);
    assert.equal(
      (await api.call('logIn', { email: input.email, password: PASSWORD })).logIn.result.role,
      'doctor',
    );
    // PUT /doctors/{id}
    const { updateDoctor } = await api.call(
      'updateDoctor',
      { input: { doctorId, specialization: 'Cardiology' } },
      administrator,
    );
    assert.equal(updateDoctor.doctor.specialization, 'Cardiology');
    // DELETE /doctors/{id}
    const { updateDoctor: closed } = await api.call(
      'updateDoctor',
      { input: { doctorId, isActive: false } },
      administrator,
    );
    assert.equal(closed.doctor.isActive, false);
  });

  test('what was wrong is voided, never deleted', async () => {
    // DELETE /medical-records/{id}
    const { voidVisit } = await api.call('voidVisit', { visitId: visit.id, reason: 'wrong patient' }, doctor);
    assert.ok(voidVisit.visit.voidedAt);
    assert.equal(
      (await api.call('visit', { recordUuid: visit.recordUuid }, patient)).visitByRecordUuid.diagnosis,
      'Hypertension',
    );
  });
});
