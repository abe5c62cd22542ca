import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { buildSchema } from 'graphql';
import { SCHEMA_FILE } from '../../tools/api/export-schema.ts';
import { startApi, type TestApi } from './support/api.ts';
import { explore, hear, type Exploration } from './support/explorer.ts';
import { furnish, hoursAhead, PASSWORD, tokenFor, value, type Hospital } from './support/hospital.ts';
import { fillRecord } from './support/record.ts';

const MINE = 'Albatross';
const THEIRS = 'Zanzibar';

/** Tables whose rows are a patient's. `patients` counts by its own key. */
const OF_A_PATIENT = `
  select c.table_name as name, case c.table_name when 'patients' then 'id' else 'patient_id' end as key
  from information_schema.columns as c
  join information_schema.tables as t using (table_schema, table_name)
  where c.table_schema = 'hospital' and t.table_type = 'BASE TABLE'
    and (c.column_name = 'patient_id' or (c.table_name = 'patients' and c.column_name = 'id'))`;

describe('a patient’s token', () => {
  const schema = buildSchema(readFileSync(SCHEMA_FILE, 'utf8'));
  let api: TestApi;
  let hospital: Hospital;
  let token: string;
  /** Every value in the other patient's rows that gives the patient away, and every value to look rows up by. */
  const secrets = new Set<string>();
  const handles = new Set<string>();

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 1, patients: 2 });
    await fillRecord(api, hospital, 0, MINE, 24);
    await fillRecord(api, hospital, 1, THEIRS, 48);
    token = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
    secrets.add(THEIRS);
    const { rows: tables } = await api.owner.query<{ name: string; key: string }>(OF_A_PATIENT);
    for (const { name, key } of tables) {
      const { rows } = await api.owner.query(
        `select to_jsonb(t) as row from hospital.${name} as t where ${key} = $1`,
        [hospital.patients[1]!.id],
      );
      assert.ok(rows.length > 0, `nothing of the other patient in ${name}: the test would prove nothing`);
      for (const { row } of rows) {
        for (const [column, content] of Object.entries(row)) {
          if (/uuid$|^mrn$|^message_id$/.test(column)) secrets.add(String(content));
          if (/uuid$|^mrn$|^message_id$|^id$|_id$|^reason$/.test(column)) handles.add(String(content));
        }
      }
    }
  });

  const ask = (exploration: Exploration, who: string | undefined): Promise<string> =>
    hear(api, exploration, handles, who);

  // One relation deep reaches every field of the schema: every table has a list of its own on Query.
  for (const exploration of explore(schema, 1)) {
    test(`reads nobody else’s data through ${exploration.field}`, async () => {
      const heard = await ask(exploration, token);
      for (const secret of secrets) assert.ok(!heard.includes(secret), secret);
    });
  }

  test('does read the own data, everywhere', async () => {
    const answer = await api.graphql(
      `{
        patients(first: 5) { nodes { familyName contactPoints(first: 5) { nodes { value } } identifiers(first: 5) { nodes { value } } } }
        appointments(first: 5) { nodes { reason } }
        visits(first: 5) { nodes { diagnosis versions(first: 5) { nodes { notes } } } }
        prescriptions(first: 5) { nodes { dosage } }
        treatments(first: 5) { nodes { notes } }
        clinicalNotes(first: 5) { nodes { body } }
        sensitivityGrants(first: 5) { nodes { reason } }
        notifications(first: 5) { nodes { body } }
      }`,
      {},
      token,
    );
    assert.deepEqual(answer.errors, []);
    const words = answer.text.match(new RegExp(MINE, 'g')) ?? [];
    assert.ok(words.length === 14, answer.text);
  });

  test('changes nobody else’s data through any mutation', async () => {
    const { rows: before } = await api.owner.query(
      'select to_jsonb(a) as row from hospital.appointments as a where patient_id = $1 order by id',
      [hospital.patients[1]!.id],
    );
    const theirs = { patientId: hospital.patients[1]!.id, appointmentId: String(before[0].row.id) };
    const one = (table: string): Promise<string> =>
      value(api.owner, `select min(id) from hospital.${table} where patient_id = $1`, [theirs.patientId]);
    const tries: [string, object][] = [
      [
        'bookAppointment',
        {
          input: {
            patientId: theirs.patientId,
            doctorId: hospital.doctors[0]!.id,
            appointmentTypeId: hospital.typeId,
            startsAt: hoursAhead(99),
          },
        },
      ],
      ['cancelAppointment', { appointmentId: theirs.appointmentId }],
      ['rescheduleAppointment', { input: { appointmentId: theirs.appointmentId, startsAt: hoursAhead(99) } }],
      ['extendAppointment', { appointmentId: theirs.appointmentId, endsAt: hoursAhead(99) }],
      ['overrideAppointment', { appointmentId: theirs.appointmentId, overrideReason: 'urgent_need' }],
      ['confirmHold', { appointmentId: theirs.appointmentId }],
      ['acceptOffer', { appointmentId: theirs.appointmentId }],
      ['refuseOffer', { appointmentId: theirs.appointmentId }],
      ['cancelSeries', { seriesId: await one('appointment_series') }],
      ['leaveWaitlist', { entryId: await one('waitlist_entries') }],
      ['assignAppointmentStaff', { appointmentId: theirs.appointmentId, staffMemberId: '1' }],
      ['setDoctorSchedule', { input: { doctorId: hospital.doctors[0]!.id, shifts: [] } }],
      ['updateAppointment', { appointmentId: theirs.appointmentId, reason: 'mine now' }],
      ['updatePatient', { input: { patientId: theirs.patientId, phone: '617 555 0100' } }],
      ['deactivatePatient', { patientId: theirs.patientId, reason: 'because' }],
      ['openChart', { patientId: theirs.patientId }],
      ['breakGlass', { input: { reason: 'mine', patientId: theirs.patientId } }],
      ['endBreakGlass', { grantId: await one('break_glass_grants') }],
      ['reviewBreakGlass', { input: { grantId: await one('break_glass_grants'), outcome: 'justified' } }],
      ['recordConsent', { input: { patientId: theirs.patientId, scope: 'no_quality_review' } }],
      ['withdrawConsent', { consentId: await one('consents') }],
      ['signNote', { noteId: await one('clinical_notes') }],
      ['voidNote', { noteId: await one('clinical_notes'), reason: 'because' }],
      ['editNote', { input: { noteId: await one('clinical_notes'), body: {} } }],
      ['writeNote', { input: { visitId: await one('visits'), noteType: 'progress_note', body: {} } }],
      ['endSensitiveAccess', { grantId: await one('sensitivity_grants') }],
    ];
    for (const [documentId, variables] of tries) {
      await assert.rejects(api.call(documentId, variables, token), /NOT_FOUND|FORBIDDEN/, documentId);
    }
    const { rows: after } = await api.owner.query(
      'select to_jsonb(a) as row from hospital.appointments as a where patient_id = $1 order by id',
      [hospital.patients[1]!.id],
    );
    assert.deepEqual(after, before);
  });

  const readNothing = async (who: string | undefined): Promise<void> => {
    for (const exploration of explore(schema, 1)) {
      const heard = await ask(exploration, who);
      for (const secret of [MINE, ...secrets])
        assert.ok(!heard.includes(secret), `${secret} through ${exploration.field}`);
    }
  };

  test('revoked, it reads nothing of anyone through any field', async () => {
    const { email } = hospital.patients[0]!;
    const revoked = (await api.call('logIn', { email, password: PASSWORD })).logIn.result.accessToken;
    await api.call('logOut', {}, revoked);
    await readNothing(revoked);
  });

  test('absent, nobody reads anything of anyone through any field', async () => {
    await readNothing(undefined);
  });
});
