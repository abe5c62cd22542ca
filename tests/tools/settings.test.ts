import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { projectFolder, readSettings, SettingsError } from '../../tools/settings.ts';

test('without any variable, the private cluster in the project is used, in development', () => {
  assert.deepEqual(readSettings({}), {
    home: path.join(projectFolder, '.infirmary'),
    port: 5678,
    portIsFixed: false,
    database: 'hospital',
    auditKeyByConnection: false,
    backup: {
      repository: path.join(projectFolder, 'backups', 'repository'),
      keep: { daily: 7, weekly: 4, monthly: 6 },
      nightly: false,
      wal: false,
    },
    environment: 'development',
  });
});

test('an empty variable counts as unset', () => {
  assert.deepEqual(readSettings({ DATABASE_URL: '', PORT: ' ', INFIRMARY_HOME: '' }), readSettings({}));
});

test('every problem is reported at once, each by the name of its variable', () => {
  const wrong = {
    DATABASE_URL: 'mysql://user@host/db',
    AUTHENTICATOR_URL: 'nonsense',
    WORKER_URL: 'postgres://host/hospital',
    PORT: '99999',
    PG_BIN_DIR: import.meta.dirname,
    GRAPHILE_ENV: 'test',
  };
  assert.throws(
    () => readSettings(wrong),
    (error: unknown) =>
      error instanceof SettingsError &&
      Object.keys(wrong).every((name) => error.problems.some((problem) => problem.startsWith(name))),
  );
});

test('a password in a wrong URL is not repeated', () => {
  assert.throws(
    () => readSettings({ DATABASE_URL: 'mysql://user:secret@host/db' }),
    (error: unknown) => error instanceof SettingsError && !error.message.includes('secret'),
  );
});

test('the hospital is the database that DATABASE_URL names, unless that is one every server has', () => {
  assert.equal(readSettings({ DATABASE_URL: 'postgres://u@h/clinic%20two' }).database, 'clinic two');
  assert.equal(readSettings({ DATABASE_URL: 'postgres://u@h/postgres' }).database, 'hospital');
  assert.equal(readSettings({ DATABASE_URL: 'postgres://u@h' }).database, 'hospital');
});

test('the administrator’s URL makes no sense without the database’s', () => {
  assert.throws(
    () => readSettings({ DATABASE_ADMIN_URL: 'postgres://u@h' }),
    /DATABASE_ADMIN_URL needs DATABASE_URL/,
  );
});

test('a certificate makes no sense without its key, nor the key without it', () => {
  for (const alone of [{ TLS_CERT_FILE: 'cert.pem' }, { TLS_KEY_FILE: 'key.pem' }]) {
    assert.throws(() => readSettings(alone), /TLS_CERT_FILE and TLS_KEY_FILE come together/);
  }
  assert.deepEqual(readSettings({ TLS_CERT_FILE: '/tls/cert.pem', TLS_KEY_FILE: '/tls/key.pem' }).tlsFiles, {
    cert: '/tls/cert.pem',
    key: '/tls/key.pem',
  });
});

test('GRAPHILE_ENV decides over NODE_ENV', () => {
  assert.equal(readSettings({ NODE_ENV: 'production' }).environment, 'production');
  assert.equal(readSettings({ NODE_ENV: 'test' }).environment, 'development');
  assert.equal(
    readSettings({ NODE_ENV: 'production', GRAPHILE_ENV: 'development' }).environment,
    'development',
  );
});

test('a port that was asked for is not exchanged for another', () => {
  const { port, portIsFixed } = readSettings({ PORT: '8080' });
  assert.deepEqual({ port, portIsFixed }, { port: 8080, portIsFixed: true });
});

test('a message broker is spoken to in clear on this machine only', () => {
  for (const url of ['mqtt://broker.example', 'http://localhost', 'nonsense']) {
    assert.throws(() => readSettings({ MQTT_URL: url }), /MQTT_URL (must begin with mqtts|is not a URL)/);
  }
  assert.deepEqual(readSettings({ MQTT_URL: 'mqtts://broker.example' }).broker, { url: 'mqtts://broker.example' });
  assert.deepEqual(readSettings({ MQTT_URL: 'mqtt://127.0.0.1:1883' }).broker, { url: 'mqtt://127.0.0.1:1883' });
  assert.throws(() => readSettings({ MQTT_CA_FILE: 'ca.pem' }), /MQTT_CA_FILE needs MQTT_URL/);
});

test('a mail server makes no sense without a sender, nor a sender without a server', () => {
  for (const alone of [{ SMTP_URL: 'smtp://mail.example' }, { MAIL_FROM: 'a@b.example' }]) {
    assert.throws(() => readSettings(alone), /SMTP_URL and MAIL_FROM come together/);
  }
  const { mail } = readSettings({ SMTP_URL: 'smtps://me:p%40ss@mail.example', MAIL_FROM: 'Harbor <a@b.example>' });
  assert.deepEqual(mail, {
    host: 'mail.example',
    port: 465,
    isSecure: true,
    auth: { user: 'me', pass: 'p@ss' },
    from: 'Harbor <a@b.example>',
    fromAddress: 'a@b.example',
  });
});

test('a mail server or a sender that is none is refused, without repeating a password', () => {
  const wrong = { SMTP_URL: 'http://me:secret@mail.example', MAIL_FROM: 'Harbor <a@b.example>, c@d.example' };
  assert.throws(
    () => readSettings(wrong),
    (error: unknown) =>
      error instanceof SettingsError &&
      Object.keys(wrong).every((name) => error.problems.some((problem) => problem.startsWith(name))) &&
      !error.message.includes('secret'),
  );
  assert.throws(() => readSettings({ SMTP_URL: 'smtp://a%ZZ@mail.example', MAIL_FROM: 'a@b.example' }), SettingsError);
});

test('the token for /metrics is given once, in the environment or in a file, and is none that is guessed', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'token');
  writeFileSync(file, 'a-token-of-the-tests\n');
  assert.equal(readSettings({ METRICS_TOKEN_FILE: file }).metricsToken, 'a-token-of-the-tests');
  assert.equal(readSettings({ METRICS_TOKEN: 'a-token-of-the-tests' }).metricsToken, 'a-token-of-the-tests');
  for (const [wrong, says] of [
    [{ METRICS_TOKEN: 'a-token-of-the-tests', METRICS_TOKEN_FILE: file }, /name one token twice/],
    [{ METRICS_TOKEN: 'secret' }, /METRICS_TOKEN is not a token/],
    [{ METRICS_TOKEN: 'a phrase of the tests' }, /METRICS_TOKEN is not a token/],
    [{ METRICS_TOKEN_FILE: path.join(folder, 'absent') }, /METRICS_TOKEN_FILE cannot be read/],
  ] as const) {
    assert.throws(() => readSettings(wrong), (error: Error) => says.test(error.message) && !/secret|a-token|phrase/.test(error.message));
  }
});

test('a password may stand in a file beside each URL, whatever is in it', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-settings-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'password');
  writeFileSync(file, 'p@ss /:%?\n');
  const { workerUrl, backupUrl, authenticatorUrl } = readSettings({
    WORKER_URL: 'postgres://hospital_worker@db/hospital?sslmode=verify-full',
    WORKER_PASSWORD_FILE: file,
    BACKUP_URL: 'postgres://hospital_backup:own@db/hospital',
    AUTHENTICATOR_PASSWORD_FILE: file,
  });
  const worker = new URL(workerUrl!);
  assert.equal(decodeURIComponent(worker.password), 'p@ss /:%?');
  assert.equal(worker.href.replace(worker.password, ''), 'postgres://hospital_worker:@db/hospital?sslmode=verify-full');
  assert.equal(backupUrl, 'postgres://hospital_backup:own@db/hospital');
  assert.equal(authenticatorUrl, undefined);
});

test('a file of a password that holds none, is not there, or has a rival in the URL is refused, and nothing of it told', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-settings-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  const wrong = {
    WORKER_PASSWORD_FILE: file('empty', '\n'),
    BACKUP_PASSWORD_FILE: file('two', 'secret\nsecret\n'),
    AUTHENTICATOR_PASSWORD_FILE: path.join(folder, 'absent'),
    DATABASE_PASSWORD_FILE: file('one', 'secret'),
  };
  const urls = {
    WORKER_URL: 'postgres://u@h/d',
    BACKUP_URL: 'postgres://u@h/d',
    AUTHENTICATOR_URL: 'postgres://u@h/d',
    DATABASE_URL: 'postgres://u:other@h/d',
  };
  assert.throws(
    () => readSettings({ ...urls, ...wrong }),
    (error: unknown) =>
      error instanceof SettingsError &&
      error.problems.length === 4 &&
      Object.keys(wrong).every((name) => error.problems.some((problem) => problem.startsWith(name))) &&
      !/secret|other/.test(error.message),
  );
});
