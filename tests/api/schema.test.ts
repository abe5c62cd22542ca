import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { buildSchema, isObjectType, parse, validate, type GraphQLSchema } from 'graphql';
import { auditServer } from 'graphql-http';
import { DOCUMENTS_FOLDER, readDocuments } from '../../tools/api/documents.ts';
import { SCHEMA_FILE } from '../../tools/api/export-schema.ts';
import { startApi } from './support/api.ts';

describe('schema.graphql', () => {
  const committed = readFileSync(SCHEMA_FILE, 'utf8');
  let schema: GraphQLSchema;

  before(() => {
    schema = buildSchema(committed);
  });

  const fieldsOf = (type: string): string[] => {
    const found = schema.getType(type);
    assert.ok(isObjectType(found), `${type} is no type of the schema`);
    return Object.keys(found.getFields());
  };

  test('has no name made of two columns', () => {
    const names = Object.values(schema.getTypeMap()).flatMap((type) =>
      isObjectType(type) ? fieldsOf(type.name) : [],
    );
    assert.deepEqual(
      names.filter((name) => /By[A-Z]\w*And[A-Z]/.test(name)),
      [],
    );
  });

  test('reads well along its relations', () => {
    const relations: Record<string, string[]> = {
      Appointment: ['patient', 'doctor', 'department', 'room', 'appointmentType', 'visit', 'statusHistories'],
      ClinicalNote: ['visit', 'patient', 'author', 'addendumTo', 'addenda', 'versions', 'isIntact'],
      Department: ['facility', 'parent', 'childDepartments', 'doctors', 'rooms', 'staffMembers'],
      Doctor: ['staffMember', 'department', 'appointments', 'schedules', 'visits', 'fullName'],
      Patient: [
        'appointments',
        'visits',
        'prescriptions',
        'treatments',
        'conditions',
        'identifiers',
        'contactPoints',
      ],
      Prescription: ['visit', 'patient', 'prescriber', 'medication'],
      Treatment: ['visit', 'patient'],
      Visit: [
        'appointment',
        'patient',
        'doctor',
        'prescriptions',
        'treatments',
        'diagnoses',
        'versions',
        'clinicalNotes',
      ],
    };
    for (const [type, fields] of Object.entries(relations)) {
      assert.deepEqual(
        fields.filter((field) => !fieldsOf(type).includes(field)),
        [],
        type,
      );
    }
  });

  test('changes nothing except through the hospital’s functions', () => {
    const generated = fieldsOf('Mutation').filter((name) => /^(create|delete)|ById$/.test(name));
    assert.deepEqual(generated, []);
  });

  test('shows nothing of accounts, sessions or secrets', () => {
    assert.doesNotMatch(committed, /passwordHash|secretHash|sessionSecret|\bsessionId|tokenHash/i);
  });

  test('documents every type and field that comes from the catalogue', () => {
    const silent = Object.values(schema.getTypeMap())
      .filter(isObjectType)
      .filter(({ name }) => !/^__|Connection$|Edge$|Payload$|Range|PageInfo/.test(name))
      .flatMap((type) => Object.values(type.getFields()).map((field) => ({ type, field })))
      .filter(
        ({ type, field }) => !field.description && !['Query', 'Mutation', 'Subscription'].includes(type.name),
      )
      .map(({ type, field }) => `${type.name}.${field.name}`);
    assert.deepEqual(silent, []);
  });

  test('every registered document is a valid operation of its own name', () => {
    for (const [id, text] of readDocuments(DOCUMENTS_FOLDER)) {
      const document = parse(text);
      assert.deepEqual(validate(schema, document).map(String), [], id);
      const [operation] = document.definitions;
      assert.ok(operation?.kind === 'OperationDefinition' && operation.name?.value === id, id);
    }
  });

  test('a key is understood as a number and as text, and leaves as text', async () => {
    const api = await startApi();
    const query = 'query ($id: BigInt!) { variable: appointmentType(id: $id) { id } literal: appointmentType(id: 1) { id } }';
    for (const id of [1, '1']) {
      const { data } = await api.graphql(query, { id });
      assert.deepEqual(data, { variable: { id: '1' }, literal: { id: '1' } });
    }
    const { errors } = await api.graphql(query, { id: 2 ** 60 });
    assert.match(errors[0]!.message, /beyond 2\^53 it is sent as text/);
  });

  test('an instant says its zone', async () => {
    const api = await startApi();
    const query = 'query ($at: Datetime!) { freeSlots(departmentId: 1, startsFrom: $at, first: 1) { nodes { startsAt } } }';
    for (const at of ['2099-03-09T14:00:00Z', '2099-03-09T14:00-04:00', '2099-03-09T14:00:00.5+0530']) {
      assert.deepEqual((await api.graphql(query, { at })).errors, [], at);
    }
    for (const at of ['2099-03-09T14:00:00', '2099-03-09', 'tomorrow', 'infinity', 7]) {
      assert.match((await api.graphql(query, { at })).errors[0]!.message, /a date, a time and an offset/, String(at));
    }
  });

  test('an empty filter filters nothing', async () => {
    const api = await startApi();
    for (const filter of ['{}', 'null', '{ name: {} }', '{ name: null }', '{ name: { equalTo: null } }']) {
      const { errors, data } = await api.graphql(`{ specialties(first: 1, filter: ${filter}) { totalCount } }`);
      assert.deepEqual(errors, [], filter);
      assert.equal(data.specialties.totalCount, 26, filter);
    }
  });

  test('the server passes the audits of GraphQL over HTTP', async () => {
    const api = await startApi();
    const failed = (await auditServer({ url: api.url })).filter((audit) => audit.status === 'error');
    assert.deepEqual(
      failed.map((audit) => audit.name),
      [],
    );
  });
});
