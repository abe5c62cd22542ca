import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { send, startApi, type TestApi } from './support/api.ts';
import { addStaff, furnish, hoursAhead, tokenFor, value, type Hospital } from './support/hospital.ts';

const soap = { subjective: 'Worries', objective: 'Calm', assessment: 'Anxiety', plan: 'Talk' };

describe('notes through the API', () => {
  let api: TestApi;
  let hospital: Hospital;
  let author: string;
  let colleague: string;
  let patient: string;
  let visit: { id: string; recordUuid: string };
  let patientId: string;

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 2, patients: 1 });
    patientId = hospital.patients[0]!.id;
    author = await tokenFor(api.owner, hospital.doctors[0]!, 'doctor');
    colleague = await tokenFor(api.owner, hospital.doctors[1]!, 'doctor');
    patient = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
    const book = async (doctor: number, hour: number): Promise<string> => {
      const input = {
        patientId,
        doctorId: hospital.doctors[doctor]!.id,
        appointmentTypeId: hospital.typeId,
        startsAt: hoursAhead(hour),
      };
      return (await api.call('bookAppointment', { input }, patient)).bookAppointment.appointment.id;
    };
    await book(1, 30);
    const input = { appointmentId: await book(0, 24), diagnosis: 'Anxiety' };
    const { id } = (await api.call('recordVisit', { input }, author)).recordVisit.visit;
    visit = {
      id,
      recordUuid: await value(api.owner, 'select record_uuid from hospital.visits where id = $1', [id]),
    };
    await api.call('openChart', { patientId }, colleague);
  });

  const write = async (sensitivity: string): Promise<string> => {
    const input = { visitId: visit.id, noteType: 'progress_note', body: soap, sensitivity };
    const { id } = (await api.call('writeNote', { input }, author)).writeNote.clinicalNote;
    return (await api.call('signNote', { noteId: id }, author)).signNote.clinicalNote.id;
  };
  const notesOf = async (token: string): Promise<string[]> => {
    const { visitByRecordUuid } = await api.call('visitNotes', { recordUuid: visit.recordUuid }, token);
    return visitByRecordUuid.clinicalNotes.nodes.map(({ id }: { id: string }) => id);
  };

  test('a note is written, edited, signed, added to and voided', async () => {
    const input = { visitId: visit.id, noteType: 'progress_note', body: { plan: 'Talk' } };
    const { id } = (await api.call('writeNote', { input }, author)).writeNote.clinicalNote;
    assert.ok(!(await notesOf(colleague)).includes(id), 'a draft is its author’s');
    const edited = await api.call('editNote', { input: { noteId: id, body: soap } }, author);
    assert.deepEqual(edited.editNote.clinicalNote, { id, sensitivity: 'normal', body: soap, version: 2 });
    const { contentHash } = (await api.call('signNote', { noteId: id }, author)).signNote.clinicalNote;
    assert.match(contentHash, /^[0-9a-f]{64}$/);
    assert.ok((await notesOf(colleague)).includes(id));
    assert.ok((await notesOf(patient)).includes(id));

    const addendum = { visitId: visit.id, noteType: 'addendum', body: { text: 'Sleeps well' }, addendumToId: id };
    const added = (await api.call('writeNote', { input: addendum }, colleague)).writeNote.clinicalNote;
    await api.call('signNote', { noteId: added.id }, colleague);
    const found = (await api.call('searchNotes', { patientId, search: 'sleep' }, patient)).searchNotes.nodes;
    assert.deepEqual(found.map((note: { id: string }) => note.id), [added.id]);

    await assert.rejects(
      api.call('editNote', { input: { noteId: id, body: soap, sensitivity: 'hiv' } }, author),
      /RECORD_SIGNED/,
    );
    await api.call('voidNote', { noteId: id, reason: 'Another patient' }, author);
    assert.ok((await notesOf(colleague)).includes(id), 'what was voided stays');
  });

  test('to a colleague without a grant a sensitive note does not exist, whichever way he asks', async () => {
    const secret = await write('mental_health');
    const uuid = await value(api.owner, 'select note_uuid from hospital.clinical_notes where id = $1', [secret]);
    const ask = async (id: string, noteUuid: string): Promise<string> => {
      const { text } = await api.graphql(
        `query ($id: BigInt!, $uuid: UUID!, $patientId: BigInt!, $recordUuid: UUID!) {
          clinicalNote(id: $id) { id }
          clinicalNoteByNoteUuid(noteUuid: $uuid) { id }
          clinicalNoteVersion(noteId: $id, version: 1) { version }
          found: clinicalNotes(first: 5, filter: { id: { equalTo: $id } }) { totalCount }
          sensitive: clinicalNotes(first: 5, filter: { sensitivity: { notEqualTo: "normal" } }) { totalCount nodes { id } }
          searchNotes(patientId: $patientId, search: "worries -nothing", first: 50) { nodes { sensitivity } }
          visitByRecordUuid(recordUuid: $recordUuid) {
            clinicalNotes(first: 5, filter: { sensitivity: { equalTo: "mental_health" } }) { totalCount }
          }
          patient(id: $patientId) {
            clinicalNotes(first: 50, orderBy: SENSITIVITY_ASC) { nodes { sensitivity } }
            sensitivityGrants(first: 5) { totalCount }
          }
        }`,
        { id, uuid: noteUuid, patientId, recordUuid: visit.recordUuid },
        colleague,
      );
      return text;
    };
    const hidden = await ask(secret, uuid);
    assert.doesNotMatch(hidden, /mental_health|"totalCount":[1-9]/);
    assert.equal(hidden, await ask('999999999', '00000000-0000-4000-8000-000000000000'));
    for (const documentId of ['signNote', 'voidNote']) {
      const answer = async (noteId: string): Promise<string> =>
        (await send(api.url, { documentId, variables: { noteId, reason: 'x' } }, colleague)).text;
      assert.match(await answer(secret), /NOT_FOUND/);
      assert.equal(await answer(secret), await answer('999999999'), documentId);
    }
  });

  test('a grant opens it until it ends or is ended, and the patient sees who was let in', async () => {
    const secret = await write('hiv');
    const staffMemberId = await value(
      api.owner,
      'select staff_member_id from hospital.doctors where id = $1',
      [hospital.doctors[1]!.id],
    );
    const input = { patientId, staffMemberId, sensitivity: 'hiv', reason: 'Treats it', endsAt: hoursAhead(1) };
    await assert.rejects(api.call('grantSensitiveAccess', { input }, colleague), /NOT_FOUND/);
    assert.ok(!(await notesOf(colleague)).includes(secret));
    const { id: grantId } = (await api.call('grantSensitiveAccess', { input }, author)).grantSensitiveAccess
      .sensitivityGrant;
    assert.ok((await notesOf(colleague)).includes(secret));
    const { nodes } = (await api.call('sensitivityGrants', { patientId }, patient)).sensitivityGrants;
    assert.deepEqual(
      nodes.map(({ id, staffMember }: any) => [id, staffMember.fullName]),
      [[grantId, 'Doctor Number 2']],
    );
    await assert.rejects(api.call('endSensitiveAccess', { grantId }, colleague), /NOT_FOUND/);
    await api.call('endSensitiveAccess', { grantId }, author);
    assert.ok(!(await notesOf(colleague)).includes(secret));

    const administrator = await tokenFor(
      api.owner,
      await addStaff(api.owner, hospital, 'administrator', 'administrator'),
      'administrator',
    );
    await api.call('grantSensitiveAccess', { input }, administrator);
    assert.ok((await notesOf(colleague)).includes(secret));
    await assert.rejects(notesOf(administrator), /FORBIDDEN/);
  });

  test('a hostile body is refused with a code, and leaves nothing', async () => {
    const count = (): Promise<string> => value(api.owner, 'select count(*) from hospital.clinical_notes');
    const before = await count();
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    const bodies: [string, RegExp][] = [
      ['{"plan": 1}', /NOTE_MALFORMED/],
      ['{"plan": null}', /NOTE_MALFORMED/],
      ['{"plan": {"plan": "x"}}', /NOTE_MALFORMED/],
      ['{"__proto__": {"plan": "x"}}', /NOTE_MALFORMED/],
      ['{"constructor": "x"}', /NOTE_MALFORMED/],
      ['{"plan": "x", "plan": ["y"]}', /NOTE_MALFORMED/],
      [`{"plan": ${nested(8)}}`, /NOTE_MALFORMED/],
      [`{"plan": ${nested(16)}}`, /QUERY_TOO_DEEP/],
      [`{"plan": ${nested(40_000)}}`, /QUERY_TOO_DEEP/],
      ['[]', /TEXT_TOO_LONG/],
      ['"plan"', /TEXT_TOO_LONG/],
      ['7', /TEXT_TOO_LONG/],
      ['{"plan": "\\u0000"}', /BAD_VALUE/],
      ['{"plan": "\\ud800"}', /BAD_VALUE/],
      [`{"plan": "${'x'.repeat(66_000)}"}`, /TEXT_TOO_LONG/],
      [`{"plan": "${'x'.repeat(1_000_000)}"}`, /REQUEST_TOO_LARGE/],
      ['{"plan": "\'; drop table hospital.clinical_notes; --", "\' or 1 = 1 --": "x"}', /NOTE_MALFORMED/],
      ['null', /BAD_REQUEST/],
    ];
    for (const [body, expected] of bodies) {
      const variables = `{"input": {"visitId": "${visit.id}", "noteType": "progress_note", "body": ${body}}}`;
      const response = await fetch(api.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${author}` },
        body: `{"documentId": "writeNote", "variables": ${variables}}`,
      });
      const text = await response.text();
      assert.match(text, expected, `${body.slice(0, 60)} ${text.slice(0, 400)}`);
      assert.doesNotMatch(text, /INTERNAL_ERROR|drop table|DETAIL|clinical_notes/, text.slice(0, 400));
    }
    const literals: [string, RegExp][] = [
      ['{ plan: { a: [1, 2] } }', /NOTE_MALFORMED/],
      [`{ plan: ${nested(16)} }`, /at most 16 levels/],
      [`{ plan: ${nested(9_000)} }`, /QUERY_TOO_|BAD_REQUEST/],
    ];
    for (const [body, expected] of literals) {
      const mutation = `mutation { writeNote(input: { visitId: "${visit.id}", noteType: "progress_note", body: ${body} }) { clinicalNote { id } } }`;
      const { text } = await api.graphql(mutation, {}, author);
      assert.match(text, expected, `${body.slice(0, 60)} ${text.slice(0, 400)}`);
    }
    assert.equal(await count(), before);
  });
});
