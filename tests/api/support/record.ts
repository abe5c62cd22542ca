import type { TestApi } from './api.ts';
import { hoursAhead, tokenFor, value, type Hospital } from './hospital.ts';

/**
 * Gives a patient something in every table that can hold it, all of it marked with a word that appears nowhere
 * else, so that a test can see whose data an answer holds.
 */
export async function fillRecord(
  api: TestApi,
  hospital: Hospital,
  patient: number,
  word: string,
  hour: number,
): Promise<void> {
  const { owner } = api;
  const person = hospital.patients[patient]!;
  const doctor = await tokenFor(owner, hospital.doctors[0]!, 'doctor');
  const own = await tokenFor(owner, person, 'patient');
  await owner.query('update hospital.patients set given_name = $2, family_name = $2 where id = $1', [
    person.id,
    word,
  ]);
  await api.call(
    'updatePatient',
    { input: { patientId: person.id, email: `${word}@mail.example`, address: `1 ${word} Street` } },
    own,
  );
  await owner.query(
    `insert into hospital.patient_identifiers (patient_id, system, value) values ($1, 'passport', $2)`,
    [person.id, word],
  );

  const book = async (startsAt: string): Promise<string> => {
    const input = {
      patientId: person.id,
      doctorId: hospital.doctors[0]!.id,
      appointmentTypeId: hospital.typeId,
      startsAt,
      reason: `because of ${word}`,
    };
    return (await api.call('bookAppointment', { input }, own)).bookAppointment.appointment.id;
  };
  const moved = await book(hoursAhead(hour + 1));
  const appointmentId = await book(hoursAhead(hour));
  await fillCalendar(api, hospital, patient, moved, hour, own);

  const codeId = await value(
    owner,
    `insert into hospital.diagnosis_codes (system, code, description) values ('icd10cm', $1, 'A diagnosis') returning id`,
    [`I1${patient}.9`],
  );
  const medicationId = await value(
    owner,
    `insert into hospital.medications (code, name) values ($1, $2) returning id`,
    [String(1000 + patient), `Medicine ${patient}`],
  );
  await owner.query(`insert into hospital.treatment_types (name) values ('Dressing') on conflict do nothing`);
  const visit = (
    await api.call(
      'recordVisit',
      {
        input: {
          appointmentId,
          diagnosis: `${word} disease`,
          notes: `${word} notes`,
          diagnosisCodes: [`I1${patient}.9`],
        },
      },
      doctor,
    )
  ).recordVisit.visit;
  await api.call(
    'addPrescription',
    {
      input: {
        visitId: visit.id,
        medicationId,
        dosage: `${word} 5 mg`,
        durationDays: 10,
        instructions: word,
      },
    },
    doctor,
  );
  await api.call(
    'addTreatment',
    { input: { visitId: visit.id, type: 'Dressing', cost: '80.00', notes: word } },
    doctor,
  );
  await api.call(
    'amendVisit',
    { input: { visitId: visit.id, diagnosis: `${word} disorder`, amendmentReason: `${word} was misspelt` } },
    doctor,
  );
  await fillNotes(api, hospital, visit.id, word, doctor);
  await owner.query(
    `insert into hospital.patient_conditions (patient_id, diagnosis_code_id, visit_id, onset_on)
     values ($1, $2, $3, '2020-01-01')`,
    [person.id, codeId, visit.id],
  );
  await owner.query(
    `insert into hospital.notifications (reason, patient_id, appointment_id, subject, body)
     values ($1, $2, $3, $1, $1)`,
    [word, person.id, appointmentId],
  );
  await owner.query(
    `insert into hospital.consents (patient_id, scope, granted, evidence)
     values ($1, 'no_research', tstzrange(now(), null), $2)`,
    [person.id, word],
  );
  await owner.query(
    `with proxy as (
       insert into hospital.patients (given_name, family_name, date_of_birth, sex)
       values ('Near', 'Relation', '1970-01-01', 'other') returning id
     )
     insert into hospital.patient_proxies (patient_id, proxy_id, relationship, is_guardian, scope, granted, evidence)
     select $1, id, 'spouse', false, 'read', tstzrange(now(), null), $2 from proxy`,
    [person.id, word],
  );
  await owner.query(
    `insert into hospital.legal_holds (patient_id, matter, reason, held, released_at, release_reason)
     values ($1, $2, $2, tstzrange('2026-01-01', '2026-01-02'), '2026-01-02', $2)`,
    [person.id, word],
  );
  // Long over: it opens nothing.
  await owner.query(
    `insert into hospital.break_glass_grants
       (account_id, staff_member_id, role, patient_id, category, reason, granted, review_due_at)
     select a.id, a.staff_member_id, 'doctor', $2, 'emergency', $3, tstzrange('2020-01-01', '2020-01-02'), '2020-01-03'
     from hospital_private.accounts as a
     where a.id = $1`,
    [hospital.doctors[0]!.accountId, person.id, word],
  );
}

/** A sensitive note that was edited before it was signed, and a nurse who may read it. */
async function fillNotes(
  api: TestApi,
  hospital: Hospital,
  visitId: string,
  word: string,
  doctor: string,
): Promise<void> {
  const body = { themes: word, risk: word };
  const input = { visitId, noteType: 'psychotherapy_note', body };
  const { id: noteId } = (await api.call('writeNote', { input }, doctor)).writeNote.clinicalNote;
  await api.call('editNote', { input: { noteId, body: { ...body, plan: word } } }, doctor);
  await api.call('signNote', { noteId }, doctor);
  await api.owner.query(
    `insert into hospital.sensitivity_grants
       (patient_id, staff_member_id, sensitivity, granted, reason, granted_by)
     select n.patient_id, $2, n.sensitivity, tstzrange(now(), now() + interval '1 day'), $3, n.author_id
     from hospital.clinical_notes as n
     where n.id = $1`,
    [noteId, await nurse(api, hospital), word],
  );
}

/** What hangs off a calendar: a move, an override, a series, a wish on the waitlist, a nurse who helps. */
async function fillCalendar(
  api: TestApi,
  hospital: Hospital,
  patient: number,
  appointmentId: string,
  hour: number,
  own: string,
): Promise<void> {
  const patientId = hospital.patients[patient]!.id;
  const doctorId = hospital.doctors[0]!.id;
  const wish = { patientId, doctorId, appointmentTypeId: hospital.typeId };
  await api.call('rescheduleAppointment', { input: { appointmentId, startsAt: hoursAhead(hour + 2) } }, own);
  await api.owner.query(`select hospital.override_appointment($1, 'urgent_need')`, [appointmentId]);
  await api.owner.query('select hospital.assign_appointment_staff($1, $2)', [
    appointmentId,
    await nurse(api, hospital),
  ]);
  await api.call('bookSeries', { input: { ...wish, startsAt: hoursAhead(hour + 4), occurrences: 2 } }, own);
  await api.call('joinWaitlist', { input: wish }, own);
}

const nurse = ({ owner }: TestApi, { departmentId }: Hospital): Promise<string> =>
  value(
    owner,
    `insert into hospital.staff_members (given_name, family_name, job, department_id, hired_on)
     values ('Nurse', 'Helpful', 'nurse', $1, '2020-01-01') returning id`,
    [departmentId],
  );
