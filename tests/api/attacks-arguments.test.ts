import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { buildClientSchema, getIntrospectionQuery, type GraphQLSchema } from 'graphql';
import { LIMITS } from '../../tools/api/limits.ts';
import { codes, send, startApi, type TestApi } from './support/api.ts';
import { textArguments, type TextArgument } from './support/arguments.ts';
import { addStaff, furnish, hoursAhead, tokenFor, value, type Hospital } from './support/hospital.ts';
import { fillRecord } from './support/record.ts';

/** What somebody may type, or send who means harm. */
const HOSTILE: Record<string, string> = {
  'a quote': "' or '1'='1'; drop table hospital.patients; --",
  'other quotes': '"\\\'$$\\u0027`); select pg_sleep(9); --',
  'a null byte': 'a\0b',
  'a very long text': 'x'.repeat(60_000),
  'format specifiers': '%s%n%1$I%L{0}{{7*7}}${7*7}',
  wildcards: '%_\\%',
  'unicode that turns the direction': '\u202egnp\u2066\u200f\ufeff',
  'half a character': '\ud800 and \udfff',
  nothing: '',
  'a number that is none': '-0x1e400NaN',
  'an array and a row': '{"a","b"}(,,)[1,2)',
};

describe('injection through every text argument of the schema', () => {
  let api: TestApi;
  let hospital: Hospital;
  let schema: GraphQLSchema;
  let places: TextArgument[];

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 1, patients: 2 });
    await fillRecord(api, hospital, 0, 'Alpha', 40);
    await fillRecord(api, hospital, 1, 'Beta', 60);
    // What Alpha gives back is offered to nobody, and what is hashed is hashed at once.
    await api.owner.query(`update hospital.waitlist_entries set status = 'withdrawn' where patient_id = $1`, [hospital.patients[1]!.id]);
    await api.owner.query(`
      create or replace function hospital_private.hash_password(password text) returns text
      language sql volatile set search_path = pg_catalog, pg_temp
      as $$ select '$2a$10$yqGmPCDhuBXoQd4OMfTOAuXqTwSYbmWRrTCQG8OVqRp3zMqQBVF3q' $$`);
    schema = buildClientSchema((await api.graphql(getIntrospectionQuery())).data);
    places = textArguments(schema, { keys: await keysOfAlpha(), scalars: { BigInt: '1', BigFloat: '1.00', Datetime: hoursAhead(200), Date: '1990-01-01', Time: '08:00', UUID: '00000000-0000-0000-0000-000000000000', String: 'plausible', Int: 1, Boolean: true } });
  });

  /** So that a call gets past the keys, to where the text is used. */
  const keysOfAlpha = async (): Promise<Record<string, string>> => {
    const patientId = hospital.patients[0]!.id;
    const of = (sql: string): Promise<string> => value(api.owner, sql, [patientId]);
    return {
      patientId,
      doctorId: hospital.doctors[0]!.id,
      departmentId: hospital.departmentId,
      appointmentTypeId: hospital.typeId,
      appointmentId: await of(`select id from hospital.appointments where patient_id = $1 and status = 'scheduled' limit 1`),
      visitId: await of('select id from hospital.visits where patient_id = $1'),
      prescriptionId: await of('select id from hospital.prescriptions where patient_id = $1'),
      treatmentId: await of('select id from hospital.treatments where patient_id = $1'),
      medicationId: await of('select medication_id from hospital.prescriptions where patient_id = $1'),
      email: 'alpha@mail.example',
      password: 'plausible enough',
    };
  };
  /** A digest of everything that is Beta's, or nobody's to change from outside. */
  const untouched = async (): Promise<string> => {
    const { rows } = await api.owner.query<{ sql: string }>(
      `select format('select %L as relation, md5(coalesce(string_agg(t::text, chr(10) order by t::text), '''')) as digest from %s as t where t.patient_id = %s', c.oid::regclass, c.oid::regclass, $1::bigint) as sql
       from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attname = 'patient_id' and not a.attisdropped
       where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'hospital'::regnamespace
       union all
       select format('select %L, md5(coalesce(string_agg(t::text, chr(10) order by t::text), '''')) from %s as t', c.oid::regclass, c.oid::regclass)
       from pg_class as c
       where c.oid in ('hospital.jobs'::regclass, 'hospital.facilities'::regclass, 'hospital.departments'::regclass, 'hospital.medications'::regclass, 'hospital.sexes'::regclass)
       union all
       select 'select ''passwords'', md5(string_agg(a.email || a.password_hash, chr(10) order by a.email)) from hospital_private.accounts as a where a.email like ''%@test.example'''
       union all
       select 'select ''roles'', md5(string_agg(r::text, chr(10) order by r::text)) from hospital_private.account_roles as r join hospital_private.accounts as a on a.id = r.account_id where a.email like ''%@test.example'''
       union all
       select 'select ''tables'', count(*)::text from pg_class where relnamespace = ''hospital''::regnamespace'`,
      [hospital.patients[1]!.id],
    );
    const { rows: digests } = await api.owner.query(rows.map(({ sql }) => sql).join(' union all ') + ' order by 1');
    return JSON.stringify(digests, undefined, 1);
  };

  const personas: [string, () => Promise<string | undefined>][] = [
    ['a visitor', async () => undefined],
    ['a patient', () => tokenFor(api.owner, hospital.patients[0]!, 'patient')],
    ['a doctor', async () => {
      const token = await tokenFor(api.owner, hospital.doctors[0]!, 'doctor');
      await api.call('openChart', { patientId: hospital.patients[0]!.id, purpose: 'treatment' }, token);
      return token;
    }],
    ['reception', async () => tokenFor(api.owner, await addStaff(api.owner, hospital, 'reception', 'receptionist'), 'reception')],
    ['an administrator', async () => tokenFor(api.owner, await addStaff(api.owner, hospital, 'administrator', 'administrator'), 'administrator')],
  ];
  for (const [name, logIn] of personas) {
    test(`as ${name}: a clean answer or a coded refusal, and nobody else is touched`, async () => {
      const token = await logIn();
      const before = await untouched();
      let calls = 0;
      for (const kind of ['Query', 'Mutation'] as const) {
        // Hashing takes its time and is the same for everybody; filters are tried by whoever sees the most tables.
        const tried = places.filter(
          ({ kind: its, field, place }) =>
            its === kind &&
            (name === 'a visitor' || field !== 'logIn') &&
            (name === 'an administrator' || !place.startsWith('filter.')),
        );
        for (const [form, text] of Object.entries(HOSTILE)) {
          const perRequest = text.length > 1000 ? 1 : kind === 'Query' ? 25 : LIMITS.mutations;
          // A long text is not tried in each operator of each filter: they are all one parameter to the server.
          const some = text.length > 1000 ? tried.filter(({ place }) => !place.startsWith('filter.')) : tried;
          for (let n = 0; n < some.length; n += perRequest) {
            const batch = some.slice(n, n + perRequest);
            calls += batch.length;
            const parts = batch.map((place, m) => place.call(`a${m}`));
            const query = `${kind.toLowerCase()} (${parts.map(({ declared }) => declared).join(', ')}) { ${parts.map(({ asked }) => asked).join(' ')} }`;
            const variables = Object.assign({}, ...batch.map((place, m) => place.variables(`a${m}`, text)));
            const answer = await send(api.url, { query, variables }, token);
            const where = `${form} in ${batch.map(({ field, place }) => `${field}(${place})`).join(', ')}: ${answer.text.slice(0, 500)}`;
            assert.ok(answer.status < 500, where);
            for (const code of codes(answer)) assert.match(code ?? 'none', /^(?!INTERNAL_ERROR|UNAVAILABLE|TIMEOUT|QUERY_TOO_LONG)[A-Z_]+$/, where);
            assert.doesNotMatch(answer.text, /syntax error|pg_|relation "|drop table|Failing row|xxxxxxxx/i, where);
          }
        }
      }
      assert.ok(calls > 1000, `${calls} calls`);
      assert.equal(await untouched(), before);
    });
  }

  test('a megabyte is refused before it is read', async () => {
    const answer = await send(api.url, { query: '{ __typename }', variables: { text: 'x'.repeat(1_000_000) } });
    assert.equal(answer.status, 413);
    assert.deepEqual(codes(answer), ['REQUEST_TOO_LARGE']);
  });
});
