import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { migrate } from '../../tools/migrate/run.ts';
import { sign } from '../../tools/migrate/sign.ts';
import { emptyDatabase, testServer } from '../support/database.ts';
import { makeProject, type TestProject } from '../support/project.ts';

describe('Migrating', () => {
  let project: TestProject;

  before(async () => {
    project = await makeProject({
      'migrations/current/010-slow.sql': 'create schema vault;\nselect pg_sleep(0.4);\n',
    });
    const server = await testServer();
    await sign(project.root, server, 'slow');
    await project.write('migrations/current/010-table.sql', 'create table vault.things (id bigint);\n');
    await sign(project.root, server, 'table');
  });
  after(() => project.dispose());

  test('Of two deployers at once, one works and the other says that it waits.', async () => {
    const database = await emptyDatabase();
    const said: string[][] = [[], []];
    const results = await Promise.all(
      said.map((lines) =>
        migrate(database.url('hospital_owner'), (line) => lines.push(line), project.root),
      ),
    );
    const files = ['000001-slow.sql', '000002-table.sql'];
    assert.deepEqual(results.map((result) => result.applied.length).sort(), [0, 2]);
    assert.deepEqual(
      results.flatMap((result) => result.applied),
      files,
    );
    assert.match(said.flat().join('\n'), /Another deployer is migrating this database: waiting/);
  });

  test('A server that stops right after the migration does not end the process.', async () => {
    const database = await emptyDatabase();
    await migrate(database.url('hospital_owner'), undefined, project.root);
    // graphile-migrate would call process.exit when a connection that it keeps is cut.
    await database.drop();
    await new Promise((resolve) => setTimeout(resolve, 300));
  });

  test('A migration that fails is rolled back as a whole.', async () => {
    const database = await emptyDatabase();
    const client = await connect(database.url('hospital_owner'));
    await client.query('create schema vault');
    await assert.rejects(
      migrate(database.url('hospital_owner'), undefined, project.root),
      /schema "vault" already exists/,
    );
    const { rows } = await client.query(
      'select count(*)::integer as count from graphile_migrate.migrations',
    );
    assert.equal(rows[0].count, 0);
    await client.end();
  });

  test('A database with another history is refused, not called up to date.', async () => {
    const database = await emptyDatabase();
    await migrate(database.url('hospital_owner'), undefined, project.root);
    const other = await makeProject({ 'migrations/current/010-other.sql': 'create schema other;\n' });
    await sign(other.root, await testServer(), 'other');
    await assert.rejects(
      migrate(database.url('hospital_owner'), undefined, other.root),
      /was migrated with another 000001\.sql than the signed 000001-other\.sql/,
    );
    await other.dispose();
  });

  test('Only hospital_owner may migrate: a superuser is refused.', async () => {
    const database = await emptyDatabase();
    await assert.rejects(migrate(database.url('postgres'), undefined, project.root), /not as "postgres"/);
  });

  test('A damaged history is not deployed.', async () => {
    const database = await emptyDatabase();
    const damaged = await makeProject({});
    await damaged.write(
      'migrations/committed/000001-x.sql',
      '--! Previous: -\n--! Hash: sha1:0\n\nselect 1;\n',
    );
    await assert.rejects(migrate(database.url('hospital_owner'), undefined, damaged.root), /are not whole/);
    await damaged.dispose();
  });
});

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}
