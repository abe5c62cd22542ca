import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Failure, messageOf } from './failure.ts';

/** The project's folder: the one that holds package.json. */
export const projectFolder = path.resolve(import.meta.dirname, '..');

/** What the environment says about this installation. */
export interface Settings {
  /** INFIRMARY_HOME, or .infirmary in the project: secrets, and the private cluster. Absolute. */
  home: string;
  /** DATABASE_URL: any PostgreSQL 15 to 18 instead of the private cluster. */
  databaseUrl?: string;
  /** DATABASE_ADMIN_URL: a superuser (or CREATEROLE) of that server, for `roles apply`. */
  adminUrl?: string;
  /** AUTHENTICATOR_URL: how the API logs in, when it may not know the owner's password. */
  authenticatorUrl?: string;
  /** SUBSCRIPTIONS_URL: how the API listens, past the pooler, where AUTHENTICATOR_URL leads through one. */
  subscriptionsUrl?: string;
  /** ANALYTICS_DATABASE_URL: a standby for analytics, as hospital_authenticator. */
  analyticsUrl?: string;
  /** WORKER_URL: how the worker logs in, likewise. */
  workerUrl?: string;
  /** BACKUP_URL: how backups log in (hospital_backup), likewise. */
  backupUrl?: string;
  /** MONITOR_URL: how `/metrics` and the check-ups log in (hospital_monitor), likewise. */
  monitorUrl?: string;
  /** METRICS_TOKEN, or what METRICS_TOKEN_FILE holds: who has it may read `/metrics`; else programs on this machine may. */
  metricsToken?: string;
  /** SUBSCRIBER_URL: a second server for `infirmary subscriber`, as its superuser. */
  subscriberUrl?: string;
  /** PUBLISHER_URL: how that server reaches ours, as a role with REPLICATION; else as hospital_backup. */
  publisherUrl?: string;
  /** AUDIT_KEY_FILE: the key of the audit for a server whose configuration does not include it. Absolute. */
  auditKeyFile?: string;
  /** AUDIT_KEY_BY_CONNECTION=on: every connection brings it, where the server lets nobody set it for all of them. */
  auditKeyByConnection: boolean;
  /** PG_BIN_DIR: the folder of system binaries (initdb, pg_ctl, postgres) for the private cluster. */
  pgBinDir?: string;
  /** TLS_CERT_FILE and TLS_KEY_FILE: PEM files with which the API speaks TLS itself. */
  tlsFiles?: { cert: string; key: string };
  /** MQTT_URL: the broker to which changes are published, with MQTT_CA_FILE for a certificate of one's own authority. */
  broker?: { url: string; caFile?: string };
  /** SMTP_URL and MAIL_FROM: how messages to patients leave the house; without them they wait. */
  mail?: MailSettings;
  /** PORT: the API's port; the next free one is taken instead unless `portIsFixed`. */
  port: number;
  portIsFixed: boolean;
  /** The hospital's database: the one DATABASE_URL names, else `hospital`. */
  database: string;
  backup: BackupSettings;
  /** GRAPHILE_ENV, else NODE_ENV. */
  environment: 'production' | 'development';
}

/** Where backups go, and which are made without being asked for. */
export interface BackupSettings {
  /** BACKUP_REPOSITORY, or backups/repository in the project. Absolute. */
  repository: string;
  /** BACKUP_KEY_FILE: 64 hexadecimal digits; what is stored is encrypted with it. Absolute. */
  keyFile?: string;
  /** BACKUP_KEEP: of how many days, weeks and months the last backup is kept, `7,4,6` unless said otherwise. */
  keep: { daily: number; weekly: number; monthly: number };
  /** BACKUP_NIGHTLY=on: the worker makes a backup every night. */
  nightly: boolean;
  /** BACKUP_WAL=on: the worker receives the log all the time, so that any moment can be restored. */
  wal: boolean;
}

/** A mail server and who writes. */
export interface MailSettings {
  host: string;
  port: number;
  /** TLS from the first byte (smtps); otherwise STARTTLS, but on the machine itself. */
  isSecure: boolean;
  auth?: { user: string; pass: string };
  /** As it stands in the letter, such as "Harbor Hospital <no-reply@harbor.example>". */
  from: string;
  fromAddress: string;
}

/** Everything that is wrong with the environment, in one message. */
export class SettingsError extends Failure {
  readonly problems: string[];

  constructor(problems: string[]) {
    const lines = problems.map((problem) => `\n  - ${problem}`).join('');
    super(`The settings in the environment cannot be used:${lines}`, 'Correct or unset these variables.');
    this.name = 'SettingsError';
    this.problems = problems;
  }
}

/** Databases that a server comes with: a URL naming one means the server, not the hospital. */
const maintenanceDatabases = ['', 'postgres', 'template1'];

/**
 * Reads the settings from the environment. An empty variable counts as unset. Beside each URL of PostgreSQL a file may hold
 * its password, as containers and systemd hand out secrets: AUTHENTICATOR_PASSWORD_FILE beside AUTHENTICATOR_URL.
 * @throws SettingsError with all the problems found, not only the first.
 */
export function readSettings(env: NodeJS.ProcessEnv = process.env): Settings {
  const problems: string[] = [];
  const read = (name: string): string | undefined => env[name]?.trim() || undefined;
  const readUrl = (name: string): string | undefined => {
    const value = read(name);
    if (value === undefined) return undefined;
    const problem = problemOfUrl(value);
    if (problem) problems.push(`${name} ${problem}`);
    const passwordSetting = name.replace(/_URL$/, '_PASSWORD_FILE');
    const passwordFile = read(passwordSetting);
    if (problem || !passwordFile) return problem ? undefined : value;
    try {
      return withPassword(value, passwordFile);
    } catch (error) {
      problems.push(`${passwordSetting} cannot be used: ${messageOf(error)}`);
      return undefined;
    }
  };

  const databaseUrl = readUrl('DATABASE_URL');
  const adminUrl = readUrl('DATABASE_ADMIN_URL');
  const authenticatorUrl = readUrl('AUTHENTICATOR_URL');
  const subscriptionsUrl = readUrl('SUBSCRIPTIONS_URL');
  const analyticsUrl = readUrl('ANALYTICS_DATABASE_URL');
  const workerUrl = readUrl('WORKER_URL');
  const backupUrl = readUrl('BACKUP_URL');
  const monitorUrl = readUrl('MONITOR_URL');
  const subscriberUrl = readUrl('SUBSCRIBER_URL');
  const publisherUrl = readUrl('PUBLISHER_URL');
  if (adminUrl && !databaseUrl) problems.push('DATABASE_ADMIN_URL needs DATABASE_URL beside it');

  const metricsToken = readMetricsToken(read('METRICS_TOKEN'), read('METRICS_TOKEN_FILE'), problems);

  const auditKeyFile = read('AUDIT_KEY_FILE');

  const readSwitch = (name: string): boolean => {
    const value = read(name) ?? 'off';
    if (!['on', 'off'].includes(value)) problems.push(`${name} must be "on" or "off", not "${value}"`);
    return value === 'on';
  };
  const auditKeyByConnection = readSwitch('AUDIT_KEY_BY_CONNECTION');
  const backupKeyFile = read('BACKUP_KEY_FILE');
  const keep = read('BACKUP_KEEP') ?? '7,4,6';
  if (!/^\d{1,3},\d{1,3},\d{1,3}$/.test(keep)) {
    problems.push(`BACKUP_KEEP must be three numbers, days, weeks and months, such as 7,4,6, not "${keep}"`);
  }
  const [daily = 0, weekly = 0, monthly = 0] = keep.split(',').map(Number);
  const backup = {
    repository: path.resolve(read('BACKUP_REPOSITORY') ?? path.join(projectFolder, 'backups', 'repository')),
    ...(backupKeyFile && { keyFile: path.resolve(backupKeyFile) }),
    keep: { daily, weekly, monthly },
    nightly: readSwitch('BACKUP_NIGHTLY'),
    wal: readSwitch('BACKUP_WAL'),
  };

  const pgBinDir = read('PG_BIN_DIR');
  if (pgBinDir) problems.push(...problemsOfBinaries(path.resolve(pgBinDir)));

  const [cert, key] = [read('TLS_CERT_FILE'), read('TLS_KEY_FILE')];
  if (!cert !== !key) problems.push('TLS_CERT_FILE and TLS_KEY_FILE come together or not at all');

  const brokerUrl = read('MQTT_URL');
  const brokerCa = read('MQTT_CA_FILE');
  if (brokerUrl) problems.push(...problemsOfBroker(brokerUrl).map((problem) => `MQTT_URL ${problem}`));
  if (brokerCa && !brokerUrl) problems.push('MQTT_CA_FILE needs MQTT_URL beside it');

  const mail = readMail(read('SMTP_URL'), read('MAIL_FROM'), problems);

  const port = read('PORT') ?? '5678';
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535) {
    problems.push(`PORT must be a number from 1 to 65535, not "${port}"`);
  }

  const graphileEnvironment = read('GRAPHILE_ENV');
  if (graphileEnvironment && !['production', 'development'].includes(graphileEnvironment)) {
    problems.push(`GRAPHILE_ENV must be "production" or "development", not "${graphileEnvironment}"`);
  }

  if (problems.length > 0) throw new SettingsError(problems);
  return {
    home: path.resolve(read('INFIRMARY_HOME') ?? path.join(projectFolder, '.infirmary')),
    ...(databaseUrl && { databaseUrl }),
    ...(adminUrl && { adminUrl }),
    ...(authenticatorUrl && { authenticatorUrl }),
    ...(subscriptionsUrl && { subscriptionsUrl }),
    ...(analyticsUrl && { analyticsUrl }),
    ...(workerUrl && { workerUrl }),
    ...(backupUrl && { backupUrl }),
    ...(monitorUrl && { monitorUrl }),
    ...(metricsToken && { metricsToken }),
    ...(subscriberUrl && { subscriberUrl }),
    ...(publisherUrl && { publisherUrl }),
    ...(auditKeyFile && { auditKeyFile: path.resolve(auditKeyFile) }),
    auditKeyByConnection,
    ...(pgBinDir && { pgBinDir: path.resolve(pgBinDir) }),
    ...(cert && key && { tlsFiles: { cert: path.resolve(cert), key: path.resolve(key) } }),
    ...(brokerUrl && { broker: { url: brokerUrl, ...(brokerCa && { caFile: path.resolve(brokerCa) }) } }),
    ...(mail && { mail }),
    port: Number(port),
    portIsFixed: read('PORT') !== undefined,
    database: databaseOf(databaseUrl ?? authenticatorUrl ?? workerUrl ?? backupUrl ?? monitorUrl),
    backup,
    environment: (graphileEnvironment ?? read('NODE_ENV')) === 'production' ? 'production' : 'development',
  };
}

function problemOfUrl(value: string): string | undefined {
  if (!URL.canParse(value)) return 'is not a URL such as postgres://user:password@host:5432/hospital';
  const url = new URL(value);
  if (!['postgres:', 'postgresql:'].includes(url.protocol)) return 'must begin with postgres://';
  if (!url.username) return 'must name a user: postgres://user:password@host:5432/hospital';
  return undefined;
}

function withPassword(value: string, file: string): string {
  const url = new URL(value);
  if (url.password) throw new Error('the URL beside it has a password already');
  const password = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  if (password === '' || /[\r\n]/.test(password)) throw new Error(`${file} does not hold one line, the password`);
  url.password = encodeURIComponent(password);
  return url.href;
}

/** Keys of patients' rows and a password travel there: in clear only within this machine. */
function problemsOfBroker(value: string): string[] {
  if (!URL.canParse(value)) return ['is not a URL such as mqtts://user:password@host:8883'];
  const { protocol, hostname } = new URL(value);
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (protocol === 'mqtts:' || (protocol === 'mqtt:' && isHere)) return [];
  return ['must begin with mqtts:// (mqtt:// only for a broker on this machine)'];
}

function readMail(url: string | undefined, from: string | undefined, problems: string[]): MailSettings | undefined {
  if (!url !== !from) problems.push('SMTP_URL and MAIL_FROM come together or not at all');
  if (!url || !from) return undefined;
  const server = URL.canParse(url) ? new URL(url) : undefined;
  const isSecure = server?.protocol === 'smtps:';
  const credentials = server && [server.username, server.password].map(decoded);
  if (!server?.hostname || credentials?.includes(undefined) || !(isSecure || server.protocol === 'smtp:')) {
    problems.push('SMTP_URL is not a URL such as smtps://user:password@host:465');
  }
  const fromAddress = /^(?:[^<>\r\n]*<)?([^\s<>@,;]+@[^\s<>@,;]+)>?$/.exec(from)?.[1];
  if (!fromAddress || from.includes('<') !== from.endsWith('>')) {
    problems.push('MAIL_FROM is not an address such as "Harbor Hospital <no-reply@harbor.example>"');
  }
  if (!server || !fromAddress) return undefined;
  const [user = '', pass = ''] = credentials!;
  return {
    host: server.hostname.replace(/^\[|\]$/g, ''),
    port: Number(server.port) || (isSecure ? 465 : 587),
    isSecure,
    ...(user && { auth: { user, pass } }),
    from,
    fromAddress,
  };
}

/** Without it one reads nothing of a patient, and how the hospital is doing all the same: so nothing that is guessed. */
function readMetricsToken(token: string | undefined, file: string | undefined, problems: string[]): string | undefined {
  if (token && file) problems.push('METRICS_TOKEN and METRICS_TOKEN_FILE name one token twice');
  let found = token;
  try {
    if (file) found = readFileSync(file, 'utf8').trim();
  } catch {
    problems.push('METRICS_TOKEN_FILE cannot be read');
    return undefined;
  }
  if (found !== undefined && !/^[\x21-\x7e]{16,}$/.test(found)) {
    problems.push(`${file ? 'METRICS_TOKEN_FILE does not hold' : 'METRICS_TOKEN is not'} a token of at least 16 characters without blanks`);
  }
  return found;
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function problemsOfBinaries(folder: string): string[] {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return ['initdb', 'pg_ctl', 'postgres']
    .filter((name) => !existsSync(path.join(folder, name + suffix)))
    .map((name) => `PG_BIN_DIR has no ${name} in ${folder} (on Debian: /usr/lib/postgresql/<version>/bin)`);
}

function databaseOf(url: string | undefined): string {
  const name = url ? decodeURIComponent(new URL(url).pathname.slice(1)) : '';
  return maintenanceDatabases.includes(name) ? 'hospital' : name;
}
