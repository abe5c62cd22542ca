import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { getNamedType, isEnumType, isObjectType } from 'graphql';
import { cellOf, MATRIX_FILE, parseMatrix } from '../../tools/docs/access-matrix.ts';
import { camel, openWorld, type World } from './support/world.ts';

/*
 * What is hidden cannot be counted, found, sorted by or paged to. That errors tell nothing is tried with every key
 * and argument in tests/policies/side-channels.sql.
 */

const matrix = parseMatrix(readFileSync(MATRIX_FILE, 'utf8'));

describe('Through the API', () => {
  let world: World;
  let reception: string | undefined;
  before(async () => {
    world = await openWorld();
    reception = await world.tokenOf('reception');
  });

  for (const role of ['anonymous', 'patient', 'doctor', 'nurse', 'billing']) {
    test(`${role} does not learn of a row that is hidden by counting, looking it up, filtering, sorting or paging`, async () => {
      const token = await world.tokenOf(role);
      const rows = await world.rowsFor(role);
      let hiddenRows = 0;
      for (const [table, lines] of matrix.tables) {
        if (!table.startsWith('hospital.') || !cellOf(lines, role, 'select')) continue;
        const shown = (await world.shown(table, token))!;
        const hidden = rows.filter(({ relation, key }) => relation === table && !shown.has(key));
        if (hidden.length === 0) continue;
        hiddenRows += hidden.length;
        const key = world.keys.get(table)!;
        if (key.length === 1 && /^\d+$/.test(hidden[0]!.key)) {
          const absent = '900000000000';
          const filter = (id: string): string => `, filter: { ${camel(key[0]!)}: { equalTo: "${id}" } }`;
          const { text: nothing } = await world.read(table, '__typename', token, filter(absent));
          assert.match(nothing, /"totalCount":"?0/);
          for (const row of hidden.slice(0, 9)) {
            const { text } = await world.read(table, '__typename', token, filter(row.key));
            assert.equal(text, nothing, `${table} ${row.key}`);
          }
        }
        for (const order of ordersOf(table)) {
          const sorted = await world.shown(table, token, `, orderBy: [${order}]`);
          // Not by a column that the role does not read.
          if (sorted) assert.deepEqual([...sorted].sort(), [...shown].sort(), `${table} by ${order}`);
        }
        for (const cursor of await cursorsOf(table)) {
          const after = await world.shown(table, token, `, after: "${cursor}"`);
          assert.ok([...after!].every((one) => shown.has(one)), `${table} after ${cursor}`);
        }
      }
      assert.ok(hiddenRows > 0, 'There is something to hide.');
    });
  }

  test('who only listens hears keys, and nothing of what was written', async () => {
    const { rows } = await world.admin.query<{ id: string; patient_id: string }>(
      `select a.id, a.patient_id from hospital.appointments as a
       where a.patient_id = tests.id_of('ann') and a.status = 'scheduled'`,
    );
    const { id, patient_id } = rows[0]!;
    const heard: { channel: string; payload?: string }[] = [];
    world.admin.on('notification', (message) => heard.push(message));
    await world.admin.query(`listen "appointments:patient:${patient_id}"`);
    const change = 'mutation ($id: BigInt!) { updateAppointment(input: { appointmentId: $id, reason: "Zanzibar" }) { appointment { id } } }';
    assert.deepEqual((await world.api.graphql(change, { id }, await world.tokenOf('patient'))).errors, []);
    while (heard.length === 0) await world.admin.query('select 1');
    assert.deepEqual(heard.map(({ payload }) => JSON.parse(payload!)), [{ event: 'update', id: Number(id) }]);
  });

  test('nothing is offered that adds up what cannot be read', () => {
    const sums = Object.values(world.schema.getTypeMap())
      .filter(isObjectType)
      .flatMap((type) => Object.keys(type.getFields()).map((field) => `${type.name}.${field}`))
      .filter((name) => /aggregate|distinctCount|groupBy/i.test(name));
    assert.deepEqual(sums, []);
  });

  /** Every order the API offers for a table. */
  const ordersOf = (table: string): string[] => {
    const order = world.schema.getQueryType()!.getFields()[world.listOf(table)]!.args.find(({ name }) => name === 'orderBy');
    const type = order && getNamedType(order.type);
    return isEnumType(type) ? type.getValues().map(({ name }) => name).filter((name) => name !== 'NATURAL') : [];
  };

  /** Cursors to rows that reception is shown. */
  const cursorsOf = async (table: string): Promise<string[]> => {
    const list = world.listOf(table);
    const answer = await world.api.graphql(`{ ${list}(first: 9) { edges { cursor } } }`, {}, reception);
    return (answer.data[list]?.edges ?? []).map(({ cursor }: { cursor: string }) => cursor);
  };
});
