import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { run } from '../../tools/commands/queries.ts';
import { withClient } from '../../tools/database.ts';
import { queriesPage } from '../../tools/docs/queries-page.ts';
import { UsageError } from '../../tools/failure.ts';
import { catalogueFolder, findQuery, parseQuery, type Query, readCatalogue } from '../../tools/queries/catalogue.ts';
import { projectFolder } from '../../tools/settings.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

const catalogue = await readCatalogue();

/** What is wrong with any of the queries, each told with its file. */
function problemsOf(look: (query: Query) => string | undefined): string[] {
  return catalogue.flatMap((query) => {
    const problem = look(query);
    return problem === undefined ? [] : [`${query.file}: ${problem}`];
  });
}

/** The statement without what is quoted or remarked. */
function bare(statement: string): string {
  return statement.replaceAll(/--.*$/gm, '').replaceAll(/'(?:[^']|'')*'/g, "''");
}

describe('the catalogue', () => {
  test('has at least thirty questions, more than a quarter of them for the warehouse, numbered without a gap', () => {
    assert.ok(catalogue.length >= 30, String(catalogue.length));
    const inWarehouse = catalogue.filter(({ source }) => source === 'warehouse').length;
    assert.ok(inWarehouse > catalogue.length / 4, String(inWarehouse));
    assert.deepEqual(
      catalogue.map(({ number }) => number),
      catalogue.map((_, place) => place + 1),
    );
  });

  test('begins each with a question, a technique of its own, and what to notice', () => {
    assert.deepEqual(
      problemsOf(({ question, technique, notice }) => {
        if (!question.endsWith('?')) return 'the question asks nothing';
        if (!technique.endsWith('.') || !notice.endsWith('.')) return 'a sentence does not end';
        return notice.length < 200 ? 'little is to be noticed' : undefined;
      }),
      [],
    );
    for (const key of ['name', 'question', 'technique'] as const) {
      assert.equal(new Set(catalogue.map((query) => query[key])).size, catalogue.length, key);
    }
  });

  test('refuses a file without them', () => {
    const heading = '-- Question: Who?\n-- Technique: A join.\n-- Notice: It.\n';
    assert.equal(parseQuery('01-who.sql', `${heading}select 1\n`).statement, 'select 1');
    assert.throws(() => parseQuery('01-who.sql', 'select 1\n'), /does not begin with its question/);
    assert.throws(() => parseQuery('01-who.sql', heading), /does not begin with its question/);
    assert.throws(() => parseQuery('who.sql', `${heading}select 1\n`), /does not begin with its question/);
    assert.throws(
      () => parseQuery('01-who.sql', '-- Technique: A join.\n-- Question: Who?\n-- Notice: It.\nselect 1\n'),
      /does not begin with its question/,
    );
  });

  test('is written as everything is: lower case, in lines of 100 columns', async () => {
    assert.deepEqual(
      problemsOf(({ statement }) => {
        const shouted = /\b[A-Z]{2,}\b/.exec(bare(statement))?.[0];
        return shouted && `${shouted} is not lower case`;
      }),
      [],
    );
    for (const { file } of catalogue) {
      const text = await readFile(path.join(catalogueFolder, file), 'utf8');
      assert.ok(text.endsWith(';\n') && !text.endsWith('\n\n'), file);
      for (const line of text.split('\n')) {
        assert.ok([...line].length <= 100, `${file} is too wide: ${line}`);
        assert.doesNotMatch(line, /\s$|\t/, `${file}: ${line}`);
      }
    }
  });

  test('asks no clock and leaves nothing to chance, so that an answer belongs to the data', () => {
    assert.deepEqual(
      problemsOf(({ statement }) =>
        /\b(now|current_\w+|localtime\w*|clock_timestamp|statement_timestamp|random|tablesample|gen_random_uuid)\b/.exec(
          bare(statement),
        )?.[0],
      ),
      [],
    );
  });

  test('selects columns by name, except from parts of its own', () => {
    assert.deepEqual(
      problemsOf(({ statement }) => /select \*/.exec(bare(statement))?.[0]),
      [],
    );
  });

  test('is found by number, by name and by file, and what is not there is named', () => {
    for (const query of catalogue) {
      for (const asked of [String(query.number), query.name, query.file, query.file.replace('.sql', '')]) {
        assert.equal(findQuery(catalogue, asked), query);
      }
    }
    assert.throws(() => findQuery(catalogue, 'nonsense'), UsageError);
    assert.throws(() => findQuery(catalogue, ''), UsageError);
  });

  test('is listed in docs/queries.md, file by file', async () => {
    const page = await readFile(path.join(projectFolder, 'docs/queries.md'), 'utf8');
    assert.ok(page === queriesPage(catalogue), 'docs/queries.md is stale. Run: npx infirmary docs build');
  });
});

describe('asked of the database', () => {
  let database: TestDatabase;
  before(async () => {
    database = await cloneDatabase();
  });

  test('each is one statement that plans, every name with its schema', async () => {
    await withClient(database.url('hospital_owner'), async (client) => {
      await client.query(`select set_config('search_path', '', false)`);
      for (const { file, statement } of catalogue) {
        // A statement that is prepared is one statement: the protocol takes no second.
        const text = `explain ${statement}`;
        await client.query({ text, queryMode: 'extended' } as { text: string }).catch((error: Error) => {
          throw new Error(`${file}: ${error.message}`);
        });
      }
      const two = { text: 'explain select 1; select 2', queryMode: 'extended' } as { text: string };
      await assert.rejects(client.query(two), /multiple commands/);
    });
  });

  test('an empty hospital is answered without an error', async () => {
    for (const query of catalogue) {
      await run(database.url('hospital_owner'), query).catch((error: Error) => {
        throw new Error(`${query.file}: ${error.message}`);
      });
    }
  });

  test('nothing that is asked can write, and what takes too long is given up', async () => {
    const ask = (statement: string, seconds = 60): Promise<unknown> =>
      run(database.url('hospital_owner'), { statement }, { seconds });
    await assert.rejects(ask('update hospital.jobs set name = name'), /read-only transaction/);
    await assert.rejects(ask('select nextval(\'hospital_private.medical_record_numbers\')'), /read-only transaction/);
    await assert.rejects(ask('select pg_sleep(30)', 1), /statement timeout/);
  });

  test('an explanation shows what was really done', async () => {
    const [query] = catalogue;
    const { rows } = await run(database.url('hospital_owner'), query!, { explain: true });
    const plan = rows.flat().join('\n');
    assert.match(plan, /actual time/);
    assert.match(plan, /Buffers/);
  });
});
