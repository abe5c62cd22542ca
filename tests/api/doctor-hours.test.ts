import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { codes, startApi, type TestApi } from './support/api.ts';
import { furnish, hoursAhead, tokenFor, type Hospital } from './support/hospital.ts';

const SET = `
  mutation ($input: SetDoctorScheduleInput!) {
    setDoctorSchedule(input: $input) {
      calendarChange { doctorId isApplied appointmentIds appointments(first: 10) { nodes { id patient { id } } } }
    }
  }`;
const shifts = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, startTime: '00:00', endTime: '00:00' }));

describe('the hours of a doctor, through the API', () => {
  let api: TestApi;
  let hospital: Hospital;
  let doctor: string;
  let token: string;
  let booked: string;

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 2, patients: 1 });
    doctor = hospital.doctors[0]!.id;
    token = await tokenFor(api.owner, hospital.doctors[0]!, 'doctor');
    const { rows } = await api.owner.query(
      `insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at)
       values ($1, $2, $3, $4) returning id`,
      [hospital.patients[0]!.id, doctor, hospital.typeId, hoursAhead(48)],
    );
    booked = rows[0].id;
  });

  const set = (input: object) => api.graphql(SET, { input: { doctorId: doctor, ...input } }, token);

  test('a week that leaves an appointment out is refused', async () => {
    const answer = await set({ shifts: [] });
    assert.deepEqual(codes(answer), ['APPOINTMENTS_IN_THE_WAY']);
  });

  test('asked for, the appointments in the way come with the answer, and the hours stay', async () => {
    const answer = await set({ shifts: [], reportConflicts: true });
    assert.deepEqual(answer.errors, []);
    assert.deepEqual(answer.data.setDoctorSchedule.calendarChange, {
      doctorId: doctor,
      isApplied: false,
      appointmentIds: [booked],
      appointments: { nodes: [{ id: booked, patient: { id: hospital.patients[0]!.id } }] },
    });
    const { rowCount } = await api.owner.query(
      'select from hospital.doctor_schedules where doctor_id = $1 and upper_inf(effective)',
      [doctor],
    );
    assert.equal(rowCount, 7);
  });

  test('a week in which they fit is set', async () => {
    const answer = await set({ shifts });
    assert.deepEqual(answer.errors, []);
    const { isApplied, appointmentIds } = answer.data.setDoctorSchedule.calendarChange;
    assert.deepEqual([isApplied, appointmentIds], [true, []]);
  });

  test('an absence and an extra session are entered and withdrawn', async () => {
    const off = await api.graphql(
      `mutation ($input: AddTimeOffInput!) { addTimeOff(input: $input) { calendarChange { isApplied } } }`,
      { input: { doctorId: doctor, startsAt: hoursAhead(72), endsAt: hoursAhead(80), reason: 'training' } },
      token,
    );
    assert.deepEqual(off.data?.addTimeOff, { calendarChange: { isApplied: true } }, off.text);
    const extra = await api.graphql(
      `mutation ($input: AddExtraSessionInput!) {
         addExtraSession(input: $input) { doctorExtraSession { id doctor { timeOffs(first: 5) { nodes { id } } } } }
       }`,
      { input: { doctorId: doctor, startsAt: hoursAhead(74), endsAt: hoursAhead(75) } },
      token,
    );
    const session = extra.data?.addExtraSession.doctorExtraSession;
    assert.equal(session?.doctor.timeOffs.nodes.length, 1, extra.text);
    const removed = await api.graphql(
      `mutation ($session: BigInt!, $timeOff: BigInt!) {
         removeExtraSession(input: { extraSessionId: $session }) { calendarChange { isApplied } }
         removeTimeOff(input: { timeOffId: $timeOff }) { calendarChange { isApplied } }
       }`,
      { session: session.id, timeOff: session.doctor.timeOffs.nodes[0].id },
      token,
    );
    assert.deepEqual(
      [removed.data?.removeExtraSession, removed.data?.removeTimeOff],
      [{ calendarChange: { isApplied: true } }, { calendarChange: { isApplied: true } }],
      removed.text,
    );
  });

  test('a colleague’s hours are not his', async () => {
    const answer = await set({ doctorId: hospital.doctors[1]!.id, shifts: [] });
    assert.deepEqual(codes(answer), ['FORBIDDEN']);
  });
});
