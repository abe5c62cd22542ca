import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { buildSchema } from 'graphql';
import { SCHEMA_FILE } from '../../tools/api/export-schema.ts';
import { codes, startApi, type TestApi } from './support/api.ts';
import { explore, hear } from './support/explorer.ts';
import { addStaff, furnish, tokenFor, value, type Hospital, type Person } from './support/hospital.ts';
import { fillRecord } from './support/record.ts';

/** The word that marks everything of a patient's which is behind the chart. */
const MARKS = ['Albatross', 'Zanzibar'] as const;

/** What the roster shows without an opening: names, and the calendar. */
const ON_THE_ROSTER = /^(patients|appointment.*)$/;
/** A doctor's or nurse's own words, not the patient's record: why he asked, and why he let a colleague in. */
const OWN_REQUESTS = ['breakGlassGrants', 'sensitivityGrants'];

describe('the chart', () => {
  const schema = buildSchema(readFileSync(SCHEMA_FILE, 'utf8'));
  let api: TestApi;
  let hospital: Hospital;
  let nurse: Person;
  let stranger: Person;
  const handles = new Set<string>();
  /** The marks of each patient in the rows behind the chart. */
  const marks: [string[], string[]] = [[], []];

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 2, patients: 2 });
    nurse = await addStaff(api.owner, hospital, 'nurse', 'nurse');
    stranger = hospital.doctors[1]!;
    await api.owner.query('delete from hospital.doctor_schedules where doctor_id = $1', [stranger.id]);
    for (const [n, mark] of MARKS.entries()) {
      await fillRecord(api, hospital, n, mark, 24 * (n + 1));
      const { id } = hospital.patients[n]!;
      await api.owner.query(`update hospital.patients set given_name = 'Known', family_name = 'Name' where id = $1`, [id]);
      await api.owner.query(`update hospital.appointments set reason = 'Known' where patient_id = $1`, [id]);
      await api.owner.query('update hospital.visit_diagnoses set rank = $2 where patient_id = $1', [id, 31_001 + n]);
      await api.owner.query('update hospital.patient_conditions set onset_on = $2 where patient_id = $1', [
        id,
        `1931-01-0${n + 1}`,
      ]);
      // Codes and dates carry no words, and are known by a number.
      marks[n]!.push(mark, `"rank":${31_001 + n}`, `1931-01-0${n + 1}`);
      await readRows(id, marks[n]!);
    }
  });

  /** Collects what points at a patient's rows, and makes sure that all of them would be recognised. */
  async function readRows(id: string, known: string[]): Promise<void> {
    const { rows: tables } = await api.owner.query<{ name: string; key: string }>(
      `select c.table_name as name, case c.table_name when 'patients' then 'id' else 'patient_id' end as key
       from information_schema.columns as c
       where c.table_schema = 'hospital'
         and (c.column_name = 'patient_id' or (c.table_name = 'patients' and c.column_name = 'id'))
         and exists (select from pg_class where oid = ('hospital.' || c.table_name)::regclass and relkind in ('r', 'p'))`,
    );
    for (const { name, key } of tables) {
      const { rows } = await api.owner.query(
        `select to_jsonb(t) as row from hospital.${name} as t where ${key} = $1`,
        [id],
      );
      for (const { row } of rows) {
        for (const [column, content] of Object.entries(row)) {
          if (/uuid$|^mrn$|^message_id$|^id$|_id$/.test(column) && content !== null) handles.add(String(content));
        }
      }
      if (ON_THE_ROSTER.test(name) || name === 'waitlist_entries') continue;
      const isMarked = rows.some(({ row }) => known.some((mark) => JSON.stringify(row).includes(mark)));
      assert.ok(isMarked, `nothing in ${name} would be recognised: the test would prove nothing`);
    }
  }

  /** Asks every field of the schema and returns all that is heard, but for one's own requests. */
  async function hearAll(token: string, explorations = explore(schema, 1)): Promise<string> {
    let heard = '';
    for (const exploration of explorations) {
      const queries = exploration.queries.filter((query) => !/breakGlassGrant|sensitivityGrant/.test(query));
      heard += await hear(api, { ...exploration, queries }, handles, token);
    }
    return heard;
  }
  /** As hearAll, but asks the lists alone: all that is there is in one of them. */
  const hearLists = (token: string): Promise<string> =>
    hearAll(token, explore(schema, 1).filter(({ required }) => required.length === 0));
  const found = (heard: string, n: 0 | 1): string[] => marks[n].filter((mark) => heard.includes(mark));

  test(`the only lists that show a doctor words without an opening hold his own: ${OWN_REQUESTS.join(', ')}`, async () => {
    const token = await tokenFor(api.owner, hospital.doctors[0]!, 'doctor');
    const other = await tokenFor(api.owner, stranger, 'doctor');
    for (const list of OWN_REQUESTS) {
      const query = `{ ${list}(first: 10) { nodes { reason } } }`;
      assert.deepEqual(found((await api.graphql(query, {}, token)).text, 0), ['Albatross'], list);
      assert.deepEqual(found((await api.graphql(query, {}, other)).text, 0), [], list);
    }
  });

  for (const role of ['doctor', 'nurse'] as const) {
    test(`no field of the schema shows a ${role} a word of a chart that is not open`, async () => {
      const who = role === 'doctor' ? hospital.doctors[0]! : nurse;
      const heard = await hearAll(await tokenFor(api.owner, who, role));
      assert.ok(heard.includes('Known'), 'the names of the roster are there');
      assert.deepEqual([found(heard, 0), found(heard, 1)], [[], []]);
    });

    test(`with one chart open every word a ${role} reads is of that patient`, async () => {
      const who = role === 'doctor' ? hospital.doctors[0]! : nurse;
      const token = await tokenFor(api.owner, who, role);
      await api.call('openChart', { patientId: hospital.patients[0]!.id }, token);
      const heard = await hearAll(token);
      assert.deepEqual([found(heard, 0), found(heard, 1)], [marks[0], []]);
    });
  }

  test('an emergency opens one chart, shows in the patient’s list, is reviewed, and closes when it is ended', async () => {
    const token = await tokenFor(api.owner, stranger, 'doctor');
    assert.ok(!(await hearLists(token)).includes('Known'), 'a stranger sees not even names');
    const patient = hospital.patients[1]!;
    const mrn = await value(api.owner, 'select mrn from hospital.patients where id = $1', [patient.id]);
    const input = { reason: 'Collapsed in the lobby', mrn, dateOfBirth: '1980-01-01' };
    for (const guess of [{ ...input, dateOfBirth: '1980-01-02' }, { reason: 'x', patientId: patient.id }]) {
      assert.equal((await api.call('breakGlass', { input: guess }, token)).breakGlass.breakGlassGrant, null);
    }
    const { breakGlassGrant } = (await api.call('breakGlass', { input }, token)).breakGlass;
    assert.equal(breakGlassGrant.patient.id, patient.id);
    const heard = await hearLists(token);
    assert.deepEqual([found(heard, 0), found(heard, 1)], [[], marks[1]]);

    const own = await tokenFor(api.owner, patient, 'patient');
    const views = (await api.call('whoViewedMyChart', {}, own)).whoViewedMyChart.nodes;
    const { viewedAt, openUntil, ...view } = views[0];
    assert.ok(Date.parse(viewedAt) <= Date.parse(openUntil));
    assert.deepEqual(view, {
      sessions: 1,
      viewerName: 'Doctor Number 2',
      viewerRole: 'doctor',
      staffMemberId: view.staffMemberId,
      departmentName: 'Cardiology',
      purpose: 'emergency',
      tag: 'break_glass',
      tagName: 'Emergency access',
      breakGlassCategory: 'emergency',
    });

    await api.call('endBreakGlass', { grantId: breakGlassGrant.id }, token);
    assert.deepEqual(found(await hearLists(token), 1), []);
    const administrator = await addStaff(api.owner, hospital, 'administrator', 'administrator');
    const reviewer = await tokenFor(api.owner, administrator, 'administrator');
    const due = (await api.call('breakGlassReviewsDue', {}, reviewer)).breakGlassReviewsDue.nodes;
    assert.ok(due.some(({ id }: { id: string }) => id === breakGlassGrant.id));
    const review = { grantId: breakGlassGrant.id, outcome: 'justified' };
    await api.call('reviewBreakGlass', { input: review }, reviewer);
    await assert.rejects(api.call('reviewBreakGlass', { input: review }, reviewer), /NOT_FOUND/);
  });

  test('guesses are counted, also when they come at once', async () => {
    const input = { reason: 'Curious', mrn: 'MR00000001', dateOfBirth: '1900-01-01' };
    const token = await tokenFor(api.owner, nurse, 'nurse');
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        api.graphql('mutation ($input: BreakGlassInput!) { breakGlass(input: $input) { breakGlassGrant { id } } }', { input }, token),
      ),
    );
    assert.equal(answers.filter((answer) => codes(answer)[0] === 'TOO_MANY_GUESSES').length, 15);
    assert.equal(answers.filter(({ data }) => data.breakGlass?.breakGlassGrant === null).length, 5);
  });

  test('what a patient denies closes the chart, and permits again when it is withdrawn', async () => {
    const [patient, doctor] = [hospital.patients[0]!, hospital.doctors[0]!];
    const token = await tokenFor(api.owner, doctor, 'doctor');
    const own = await tokenFor(api.owner, patient, 'patient');
    await api.call('openChart', { patientId: patient.id }, token);
    const staffMemberId = await value(api.owner, 'select staff_member_id from hospital.doctors where id = $1', [
      doctor.id,
    ]);
    const input = { patientId: patient.id, scope: 'not_this_person', staffMemberId };
    const { consent } = (await api.call('recordConsent', { input }, own)).recordConsent;
    assert.deepEqual(found(await hearLists(token), 0), []);
    await assert.rejects(api.call('openChart', { patientId: patient.id }, token), /CHART_RESTRICTED/);
    await assert.rejects(api.call('recordConsent', { input }, own), /ALREADY_EXISTS/);
    const stands = (await api.call('consents', { patientId: patient.id }, own)).consents.nodes;
    assert.ok(stands.some(({ id }: { id: string }) => id === consent.id));
    await api.call('withdrawConsent', { consentId: consent.id }, own);
    assert.deepEqual(found(await hearLists(token), 0), marks[0]);
  });

  test('a request that opens a chart, reads it and then fails leaves the look on record', async () => {
    const token = await tokenFor(api.owner, hospital.doctors[0]!, 'doctor');
    const patientId = hospital.patients[0]!.id;
    const count = (): Promise<string> =>
      value(api.owner, 'select count(*) from audit.chart_openings where patient_id = $1', [patientId]);
    const before = Number(await count());
    const answer = await api.graphql(
      `mutation ($patientId: BigInt!) {
        one: openChart(input: { patientId: $patientId }) { patient { visits(first: 1) { nodes { diagnosis } } } }
        two: openChart(input: { patientId: -1 }) { patient { id } }
      }`,
      { patientId },
      token,
    );
    assert.deepEqual(codes(answer), ['NOT_FOUND']);
    assert.match(answer.text, /Albatross/);
    assert.equal(Number(await count()), before + 1);
  });
});
