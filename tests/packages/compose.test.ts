import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectFolder } from '../../tools/settings.ts';
import { type Ended, Machine, readCompose } from '../support/containers.ts';

const compose = readCompose();
const services = Object.entries(compose.services);
const profiles = [...new Set(services.flatMap(([, service]) => service.profiles ?? []))];

test('Compose takes the file, with each profile and with all of them', () => {
  const all = profiles.flatMap((profile) => ['--profile', profile]);
  for (const chosen of [[], ...profiles.map((profile) => ['--profile', profile]), all]) {
    execFileSync('docker-compose', ['-f', 'docker-compose.yml', ...chosen, 'config', '--quiet'], { cwd: projectFolder });
  }
  assert.deepEqual(profiles.toSorted(), ['admin', 'backup', 'pooler', 'recovery', 'replica']);
});

test('every service is confined, and every one that stays says whether it is well', () => {
  for (const [name, service] of services) {
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ['ALL'], name);
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
    assert.match(service.image, /^[a-z-]+:\d+\.\d+/, name);
    assert.ok(!['root', '0', '0:0', undefined].includes(service.user), name);
    const stays = service.restart !== 'no';
    assert.equal(service.healthcheck !== undefined, stays, name);
    for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/, name);
  }
  assert.equal(compose.networks.database?.internal, true);
  const reachesOut = services.filter(([, { networks }]) => networks.includes('outside')).map(([name]) => name);
  assert.deepEqual(reachesOut, ['api', 'worker', 'admin']);
});

test('no service has the password of a role that it does not act as', () => {
  const has = Object.fromEntries(services.map(([name, { secrets }]) => [name, secrets ?? []]));
  assert.deepEqual(has, {
    postgres: ['postgres', 'audit'],
    migrate: ['postgres', 'owner', 'authenticator', 'worker', 'backup', 'monitor'],
    api: ['authenticator', 'monitor'],
    worker: ['worker'],
    backup: ['backup', 'archive'],
    replica: ['backup', 'audit'],
    pooler: ['authenticator'],
    admin: [],
    recovery: ['postgres', 'owner', 'authenticator', 'backup', 'archive'],
  });
});

const initdbArguments = compose.services.postgres!.environment!.POSTGRES_INITDB_ARGS!;

async function ask(machine: Machine, name: string, sql: string): Promise<string> {
  const psql = ['psql', '--no-psqlrc', '-At', '--host=/var/run/postgresql', '--username=postgres', '--command', sql, 'hospital'];
  return (await machine.exec(name, psql)).printed.trim();
}

/** As docker-entrypoint.sh of the image does at the first start. */
async function createCluster(machine: Machine, initdbArguments: string): Promise<void> {
  const script = `umask 077 && mkdir -p "$PGDATA" && initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" ${initdbArguments} -D "$PGDATA"`;
  const made = await machine.run('postgres', { command: ['bash', '-euc', script] });
  assert.equal(made.code, 0, made.printed);
}

test('every command of docker-compose.yml does its work, with nothing that the file does not give it', async (t) => {
  const machine = new Machine(t, compose);
  const infirmary = (name: string, ...args: string[]): Promise<Ended> =>
    machine.run(name, { command: ['node', 'tools/cli.ts', ...args] });

  machine.build('dependencies', 'infirmary', 'recovery');
  await createCluster(machine, initdbArguments);
  await machine.up('postgres');

  for (const _ of ['the first time', 'again']) {
    const { code, printed } = await machine.run('migrate');
    assert.equal(code, 0, printed);
    assert.doesNotMatch(printed, /key of the audit|Remaining/);
  }

  // The first administrator, as docs/containers.md makes him.
  const made = await machine.run('migrate', {
    command: ['node', 'tools/cli.ts', 'administrator', 'create', '--email', 'ada@hospital.example'],
    input: 'correct horse battery',
  });
  assert.equal(made.code, 0, made.printed);

  await machine.up('api');
  const logIn = JSON.stringify({ documentId: 'logIn', variables: { email: 'ada@hospital.example', password: 'correct horse battery' } });
  const program = `fetch('http://127.0.0.1:5678/graphql', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(logIn)},
  }).then((answer) => answer.text()).then(console.log)`;
  assert.match((await machine.exec('api', ['node', '-e', program])).printed, /"role":"administrator"/);
  const wrong = program.replaceAll('battery', 'staple');
  assert.match((await machine.exec('api', ['node', '-e', wrong])).printed, /LOGIN_REFUSED/);
  assert.notEqual((await machine.exec('api', ['touch', '/infirmary/written'])).code, 0);
  assert.notEqual((await machine.exec('api', ['cat', '/run/secrets/owner'])).code, 0);

  await machine.up('worker');
  const worked = `select count(*) > 0 from ops.job_runs where job = 'load_warehouse' and outcome = 'succeeded'`;
  for (let state = ''; state !== 't'; await sleep(200)) state = await ask(machine, 'postgres', worked);

  await machine.up('backup');
  for (let list = '[]'; !list.includes('"name"'); await sleep(200)) list = (await infirmary('backup', 'backup', 'list', '--json')).printed;
  const verified = await infirmary('recovery', 'backup', 'verify');
  assert.equal(verified.code, 0, verified.printed);
  const before = readdirSync(path.join(machine.volume('archive', ''), 'wal'), { recursive: true });
  await ask(machine, 'postgres', 'select pg_switch_wal()');
  const archived = (): string[] => readdirSync(path.join(machine.volume('archive', ''), 'wal'), { recursive: true }) as string[];
  while (archived().length <= before.length) await sleep(100);
  const drilled = await infirmary('recovery', 'backup', 'drill', '--scratch', '/scratch');
  assert.equal(drilled.code, 0, drilled.printed);

  await machine.up('pooler');
  const pooled = await machine.exec('api', [
    'node', '-e',
    `import('pg').then(async ({ default: pg }) => {
      const password = require('node:fs').readFileSync('/run/secrets/authenticator', 'utf8').trim();
      const client = new pg.Client({ host: 'pooler', port: 6432, user: 'hospital_authenticator', database: 'hospital', password });
      await client.connect();
      console.log((await client.query('select current_user as it')).rows[0].it);
      await client.end();
    })`,
  ]);
  assert.equal(pooled.printed, 'hospital_authenticator\n');

  await machine.up('admin');

  for (const name of ['pooler', 'backup', 'worker', 'api', 'postgres']) {
    assert.equal(await machine.stop(name), 0, `${name}:\n${machine.logs(name)}`);
  }

  // The replica, on Debian's PostgreSQL, since npm's has no pg_basebackup; 15 knows no builtin locale.
  const pair = new Machine(t, compose, { binDir: '/usr/lib/postgresql/15/bin', images: machine.images });
  await createCluster(pair, initdbArguments.replace(/--locale-provider.*$/, ''));
  await pair.up('postgres');
  const migrated = await pair.run('migrate');
  assert.equal(migrated.code, 0, migrated.printed);
  // At its first start it copies, at the second it only follows. Both share the loopback interface here.
  for (const table of ['first', 'second']) {
    await pair.up('replica', { PGPORT: '5433' });
    await ask(pair, 'postgres', `create table public.${table} ()`);
    while ((await ask(pair, 'replica', `select to_regclass('public.${table}')`)) !== table) await sleep(200);
    assert.equal(await ask(pair, 'replica', 'select pg_is_in_recovery()'), 't');
    assert.equal(await pair.stop('replica'), 0, pair.logs('replica'));
  }
  assert.equal(await ask(pair, 'postgres', 'select slot_name from pg_replication_slots'), 'replica');
});
