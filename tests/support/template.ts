import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';
import type { Server } from '../../tools/cluster/server.ts';
import { applySources } from '../../tools/migrate/apply.ts';
import { prepareDatabase } from '../../tools/migrate/database.ts';
import { migrate } from '../../tools/migrate/run.ts';
import { readChange } from '../../tools/migrate/stage.ts';
import { projectFolder } from '../../tools/settings.ts';
import { installWorker } from '../../tools/worker/install.ts';
import { pgtapScript } from './pgtap.ts';

/** What a database of the tests holds: the schema alone, or a small seeded hospital too. */
export type Content = 'migrated' | 'seeded';

/** Files that decide what is in a template. Only if one of them changes is it built again. */
const ingredients: Record<Content, string[]> = {
  migrated: [
    'migrations/*/*.sql',
    'sql/[0-9]*/**/*.sql',
    'policies/*.sql',
    'tests/support/*.sql',
    'tests/support/template.ts',
    'tools/migrate/*',
    'tools/worker/install.ts',
    'package-lock.json',
  ],
  seeded: ['tools/seed/**/*'],
};

/**
 * Makes sure that the template database exists, building it if need be, and returns its name.
 * It holds the working tree: signed migrations, then whatever is not signed yet, then pgTAP (schema tap)
 * and the tests' own helpers (tests/support/*.sql).
 */
export async function ensureTemplate(server: Server, content: Content): Promise<string> {
  const name = await templateName(content);
  const admin = new Client({ connectionString: server.url('postgres') });
  await admin.connect();
  try {
    // Two test runs, or two files of one, may want it at once.
    await admin.query('select pg_advisory_lock(hashtext($1))', [name]);
    const { rowCount } = await admin.query('select from pg_database where datname = $1', [name]);
    if (rowCount) return name;
    // A build that was killed leaves its half under this other name.
    const building = `building_${name}`;
    await admin.query(`drop database if exists ${building} with (force)`);
    if (content === 'seeded') {
      const base = await ensureTemplate(server, 'migrated');
      await admin.query(`create database ${building} owner hospital_owner template ${base}`);
      await seedInto(server, building);
    } else {
      await prepareDatabase(server, building);
      await migrateInto(server, building);
    }
    await admin.query(`alter database ${building} rename to ${name}`);
    await admin.query(`alter database ${name} with is_template true allow_connections false`);
    await admin.query(`comment on database ${name} is '${Date.now()}'`);
    await dropOld(admin);
    return name;
  } finally {
    await admin.end();
  }
}

async function migrateInto(server: Server, database: string): Promise<void> {
  const ownerUrl = server.url('hospital_owner', database);
  const { current, changed } = await readChange(projectFolder);
  await migrate(ownerUrl);
  await applySources(ownerUrl, [...current, ...changed]);
  await installWorker(ownerUrl, server.url('hospital_worker', database));

  const admin = new Client({ connectionString: server.url('postgres', database) });
  await admin.connect();
  try {
    await admin.query('create schema tap; create schema tests; grant usage on schema tap, tests to public');
    await admin.query(`set search_path = tap; ${await pgtapScript()}`);
    await admin.query('reset all');
    for (const file of listed(['tests/support/*.sql'])) {
      await admin.query(await readFile(path.join(projectFolder, file), 'utf8'));
    }
  } finally {
    await admin.end();
  }
}

async function seedInto(server: Server, database: string): Promise<void> {
  // Imported only by who needs it: the generator's word lists are large.
  const { seed, small } = await import('../../tools/seed/index.ts');
  await seed(server.url('hospital_owner', database), small);
}

/** A run keeps the template it began with (the variable), also when somebody edits meanwhile. */
async function templateName(content: Content): Promise<string> {
  const chosen = process.env[`INFIRMARY_TEMPLATE_${content.toUpperCase()}`];
  if (chosen) return chosen;
  const hash = createHash('sha256');
  if (content === 'seeded') hash.update(await templateName('migrated'));
  for (const file of listed(ingredients[content])) {
    hash.update(`${file}\0`).update(await readFile(path.join(projectFolder, file)));
  }
  return `template_${content}_${hash.digest('hex').slice(0, 12)}`;
}

function listed(patterns: string[]): string[] {
  const files = globSync(patterns, { cwd: projectFolder, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map((file) => path.relative(projectFolder, path.join(file.parentPath, file.name)))
    .sort();
}

/** Templates of earlier working trees. A day old, no run can still be using one. */
async function dropOld(admin: Client): Promise<void> {
  const { rows } = await admin.query<{ name: string }>(
    `select datname as name
     from pg_database
     where datname like 'template\_%\_%'
       and datistemplate
       and shobj_description(oid, 'pg_database')::bigint < $1`,
    [Date.now() - 24 * 60 * 60 * 1000],
  );
  for (const { name } of rows) {
    await admin.query(`alter database ${name} with is_template false`);
    await admin.query(`drop database if exists ${name} with (force)`);
  }
}
