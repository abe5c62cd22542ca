import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, mock, test } from 'node:test';
import { CONDITIONS, CONSTRAINTS, FAMILIES, lookUp } from '../../tools/api/error-register.ts';
import { projectFolder } from '../../tools/settings.ts';
import { codes, startApi, type TestApi } from './support/api.ts';
import { addStaff, furnish, hoursAhead, PASSWORD, tokenFor, type Hospital } from './support/hospital.ts';

describe('the register of errors', () => {
  const sources = globSync('{sql,migrations}/**/*.sql', { cwd: projectFolder }).map(
    (file) => [file, readFileSync(path.join(projectFolder, file), 'utf8')] as const,
  );

  test('every condition that a function raises is registered, and every registered one is raised', () => {
    const raised = new Set<string>();
    for (const [, text] of sources) {
      for (const [statement] of text.matchAll(/errcode\s*=[^;]*?(?=,\s*(message|hint|detail)\s*=|;)/g)) {
        for (const [, state] of statement.matchAll(/'([0-9A-Z]{5})'/g)) raised.add(state!);
      }
    }
    assert.deepEqual([...raised].sort(), Object.keys(CONDITIONS).sort());
  });

  test('a raised message is a constant, for it reaches the client', () => {
    for (const [file, text] of sources) {
      for (const [statement] of text.matchAll(/raise exception[^;]*;/g)) {
        assert.match(
          statement,
          /^raise exception using/,
          `${file}: use "raise exception using": ${statement}`,
        );
        assert.doesNotMatch(statement, /\|\||format\s*\(|concat|detail\s*=/, `${file}: ${statement}`);
      }
    }
  });

  test('SQLSTATEs of our own never belong to a standard class', () => {
    for (const state of Object.keys(CONDITIONS)) assert.match(state, /^[I-Z][0-9A-Z]{4}$/);
  });

  test('an error of every class a client can cause has an entry', () => {
    for (const state of [
      '23502',
      '23503',
      '23505',
      '23514',
      '23P01',
      '22P02',
      '22003',
      '42501',
      '57014',
      '40P01',
    ]) {
      assert.ok(lookUp(state), state);
    }
    assert.equal(lookUp('XX000'), undefined);
    assert.ok(FAMILIES.every(({ matches }) => !matches.test('42703')));
  });
});

describe('errors of the API', () => {
  let api: TestApi;
  let hospital: Hospital;
  let token: string;

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 1, patients: 2 });
    token = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
  });

  const book = `mutation ($input: BookAppointmentInput!) { bookAppointment(input: $input) { appointment { id } } }`;

  test('every registered constraint exists', async () => {
    const { rows } = await api.owner.query<{ name: string }>(
      `select conname as name from pg_constraint union select relname from pg_class where relkind = 'i'`,
    );
    const names = new Set(rows.map(({ name }) => name));
    assert.deepEqual(
      Object.keys(CONSTRAINTS).filter((name) => !names.has(name)),
      [],
    );
  });

  test('a condition raised in SQL arrives with its code, its sentence and its hint', async () => {
    const input = {
      patientId: hospital.patients[0]!.id,
      doctorId: hospital.doctors[0]!.id,
      appointmentTypeId: hospital.typeId,
    };
    const startsAt = hoursAhead(48);
    assert.deepEqual(codes(await api.graphql(book, { input: { ...input, startsAt } }, token)), []);
    const other = await tokenFor(api.owner, hospital.patients[1]!, 'patient');
    const second = await api.graphql(
      book,
      { input: { ...input, patientId: hospital.patients[1]!.id, startsAt } },
      other,
    );
    assert.deepEqual(second.data, { bookAppointment: null });
    assert.deepEqual(second.errors[0]!.path, ['bookAppointment']);
    assert.equal(second.errors[0]!.message, 'That time is already taken.');
    assert.deepEqual(second.errors[0]!.extensions, {
      code: 'SLOT_TAKEN',
      hint: 'Ask freeSlots for times that can be booked.',
    });
  });

  test('a violated constraint arrives as its own code, without the row', async () => {
    const reception = await tokenFor(
      api.owner,
      await addStaff(api.owner, hospital, 'reception', 'receptionist'),
      'reception',
    );
    const register = `mutation ($input: RegisterPatientInput!) { registerPatient(input: $input) { patient { id } } }`;
    const person = { givenName: 'Zanzibar', familyName: 'Quux', dateOfBirth: '1999-09-09', sex: 'female' };
    const refusals: [object, string][] = [
      [{ ...person, dateOfBirth: '1700-01-01' }, 'DATE_REFUSED'],
      [{ ...person, sex: 'Zanzibar' }, 'CODE_UNKNOWN'],
      [{ ...person, givenName: '  ' }, 'NAME_REFUSED'],
      [{ ...person, phone: 'Zanzibar' }, 'PHONE_REFUSED'],
    ];
    for (const [input, code] of refusals) {
      const answer = await api.graphql(register, { input }, reception);
      assert.deepEqual(codes(answer), [code]);
      assert.doesNotMatch(answer.text, /Zanzibar|Quux|Failing row|detail|violates/i);
    }
    const taken = { ...person, email: hospital.patients[0]!.email, password: PASSWORD };
    assert.deepEqual(codes(await api.graphql(register, { input: taken })), ['EMAIL_TAKEN']);
  });

  test('a malformed value is told apart from a fault of ours', async () => {
    const input = {
      patientId: '9'.repeat(19),
      doctorId: hospital.doctors[0]!.id,
      appointmentTypeId: hospital.typeId,
      startsAt: hoursAhead(50),
    };
    assert.deepEqual(codes(await api.graphql(book, { input }, token)), ['BAD_VALUE']);
    const when = { ...input, patientId: hospital.patients[0]!.id, startsAt: 'next Tuesday' };
    assert.deepEqual(codes(await api.graphql(book, { input: when }, token)), ['BAD_REQUEST']);
  });

  test('a fault nobody foresaw shows only the request’s id, and the log holds it without values', async () => {
    await api.owner.query(`
      create or replace function hospital.patients_age(patient hospital.patients) returns integer
      language plpgsql stable set search_path = '' as $$
      begin
        raise exception using errcode = 'XX000', message = 'Secretly named ' || patient.family_name, detail = patient.mrn;
      end $$`);
    const written: string[] = [];
    const stderr = mock.method(process.stderr, 'write', (line: string) => written.push(line) > 0);
    const console_ = mock.method(
      console,
      'error',
      (...parts: unknown[]) => void written.push(parts.join(' ')),
    );
    const answer = await api.graphql('{ patients(first: 1) { nodes { age } } }', {}, token).finally(() => {
      stderr.mock.restore();
      console_.mock.restore();
    });
    const requestId = answer.headers.get('x-request-id');
    assert.deepEqual(answer.errors[0]!.extensions, { code: 'INTERNAL_ERROR', requestId });
    assert.doesNotMatch(answer.text + written.join('\n'), /Secretly|Number 1|MR0|select /);
    const entry = JSON.parse(written.find((line) => line.includes('unexpected_error'))!);
    assert.equal(entry.requestId, requestId);
    assert.equal(entry.sqlstate, 'XX000');
  });

  test('every statement has ten seconds, and running out of them is told as such', async () => {
    const define = (body: string): Promise<unknown> =>
      api.owner.query(`
        create or replace function hospital.patients_full_name(patient hospital.patients) returns text
        language plpgsql stable set search_path = '' as $$ begin ${body} end $$`);
    const ask = () => api.graphql('{ patients(first: 1) { nodes { fullName } } }', {}, token);
    await define(`return current_setting('statement_timeout');`);
    assert.equal((await ask()).data.patients.nodes[0].fullName, '10s');
    await define(`raise exception using errcode = 'query_canceled', message = 'canceling statement';`);
    assert.deepEqual(codes(await ask()), ['TIMEOUT']);
  });
});
