import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { withClient } from '../../tools/database.ts';
import { cloneDatabase } from '../support/database.ts';

/*
 * The catalogue against design.txt: everything the design names exists, but for what not-built-yet.txt
 * lists; and that list holds nothing that is built by now, so it can only shrink.
 */

/** Everything that exists, in the words of design.txt. */
const catalogue = `
  select 'schema ' || nspname as name from pg_namespace
  union all
  select 'role ' || rolname from pg_roles
  union all
  select case when relkind in ('r', 'p') then 'table ' else 'view ' end || relnamespace::regnamespace || '.' || relname
  from pg_class where relkind in ('r', 'p', 'v', 'm')
  union all
  select 'column ' || relnamespace::regnamespace || '.' || relname || '.' || attname
  from pg_attribute join pg_class on pg_class.oid = attrelid where attnum > 0 and not attisdropped
  union all
  select 'constraint ' || connamespace::regnamespace || '.' || relname || '.' || conname
  from pg_constraint join pg_class on pg_class.oid = conrelid
  union all
  select 'function ' || pronamespace::regnamespace || '.' || proname from pg_proc
  union all
  select 'parameter ' || pronamespace::regnamespace || '.' || proname || '.' || parameter
  from pg_proc cross join unnest(proargnames) as parameter`;

async function linesOf(file: string): Promise<string[]> {
  const text = await readFile(path.join(import.meta.dirname, file), 'utf8');
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

/** One line of design.txt as the names it stands for. */
function expand(line: string): string[] {
  const table = /^table (\S+?)(?:: (.+))?$/.exec(line);
  if (table) {
    const [, name, columns] = table;
    return [`table ${name}`, ...(columns?.split(/\s+/) ?? []).map((column) => `column ${name}.${column}`)];
  }
  const call = /^function ([^\s(]+)\(([^)]*)\)$/.exec(line);
  if (call) {
    const parameters = call[2]!
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    return [`function ${call[1]}`, ...parameters.map((parameter) => `parameter ${call[1]}.${parameter}`)];
  }
  assert.match(line, /^(schema|role|view|constraint) \S+$/, `design.txt: cannot read "${line}"`);
  return [line];
}

/** Of a table or function that is absent as a whole, its parts are not told. */
function withoutParts(names: string[]): string[] {
  const whole = new Set(
    names.filter((name) => /^(table|function) /.test(name)).map((name) => name.split(' ')[1]),
  );
  return names.filter(
    (name) =>
      !/^(column|parameter|constraint) /.test(name) ||
      !whole.has(name.split(' ')[1]!.replace(/\.[^.]+$/, '')),
  );
}

describe('The design', () => {
  let absent: string[];
  let notBuilt: string[];
  let required: string[];

  before(async () => {
    const database = await cloneDatabase();
    const { rows } = await withClient(database.url('hospital_owner'), (client) =>
      client.query<{ name: string }>(catalogue),
    );
    const present = new Set(rows.map((row) => row.name));
    required = (await linesOf('design.txt')).flatMap(expand);
    notBuilt = await linesOf('not-built-yet.txt');
    absent = withoutParts(required.filter((name) => !present.has(name)));
  });

  test('names nothing that is absent from the catalogue, but for what is listed as not built yet.', () => {
    assert.deepEqual(
      absent.filter((name) => !notBuilt.includes(name)),
      [],
    );
  });

  test('is built where the list of what is not built yet says nothing; what is built leaves the list.', () => {
    assert.deepEqual(
      notBuilt.filter((name) => !absent.includes(name)),
      [],
    );
  });

  test('does not name anything twice.', () => {
    assert.deepEqual(
      required.filter((name, index) => required.indexOf(name) !== index),
      [],
    );
  });
});
