import type { ClientBase } from 'pg';
import type { Finding, Look } from './check.ts';

/** A setting of the server, or what a role or a database was given instead. */
export interface Setting {
  name: string;
  value: string;
  /** `alter system`, or `alter role joe in database hospital`. */
  given: string;
}

interface Rule {
  name: string;
  isRight: (value: string) => boolean;
  /** What to set it to. */
  wanted: string;
  why: string;
  /** It takes more than a reload. */
  restart?: true;
}

const is = (name: string, wanted: string, why: string): Rule => ({ name, isRight: (value) => value === wanted, wanted, why });
const isNot = (name: string, wrong: string, wanted: string, why: string): Rule => ({
  name,
  isRight: (value) => value !== wrong,
  wanted,
  why,
});

/** Settings without which what was committed can be lost or spoilt. */
export const losing: Rule[] = [
  is('fsync', 'on', 'a power cut can destroy the cluster'),
  is('full_page_writes', 'on', 'a power cut can leave pages that are half written'),
  isNot('synchronous_commit', 'off', 'on', 'a crash loses commits that were acknowledged'),
  { ...isNot('wal_level', 'minimal', 'replica', 'no backup and no standby can follow the log'), restart: true },
  is('zero_damaged_pages', 'off', 'a damaged page is emptied instead of reported'),
  is('ignore_checksum_failure', 'off', 'a damaged page is believed'),
  is('autovacuum', 'on', 'the server will stop to take writes one day'),
  is('session_replication_role', 'origin', 'neither triggers nor foreign keys hold'),
];

const error = ['log', 'fatal', 'panic'];

/** Settings by which a patient's data or a password get where they do not belong. */
export const leaking: Rule[] = [
  is('log_statement', 'none', 'statements name patients, and go to the log'),
  is('log_min_duration_statement', '-1', 'slow statements name patients, and go to the log'),
  is('log_min_duration_sample', '-1', 'slow statements name patients, and go to the log'),
  is('log_transaction_sample_rate', '0', 'statements name patients, and go to the log'),
  is('auto_explain.log_min_duration', '-1', 'plans name patients, and go to the log'),
  is('log_parameter_max_length', '0', 'parameters name patients, and go to the log with their statement'),
  is('log_parameter_max_length_on_error', '0', 'parameters name patients, and go to the log with an error'),
  is('log_error_verbosity', 'terse', 'the detail of an error quotes the row'),
  {
    name: 'log_min_error_statement',
    isRight: (value) => error.includes(value),
    wanted: 'panic',
    why: 'the statement that failed goes to the log',
  },
  {
    name: 'log_min_messages',
    isRight: (value) => error.includes(value),
    wanted: 'log',
    why: 'the message of an error may quote what was given',
  },
  is('password_encryption', 'scram-sha-256', 'a stolen verifier is as good as the password'),
];

/** Reads what the server uses, and what it was told to use for roles and databases instead. */
export async function readServerSettings(client: ClientBase): Promise<Setting[]> {
  const { rows } = await client.query<Setting>(`
    select s.name, s.setting as value, 'alter system' as given
    from pg_settings as s
    where s.source not in ('client', 'user', 'database', 'database user', 'session')
    union all
    select
      split_part(c.entry, '=', 1),
      substr(c.entry, strpos(c.entry, '=') + 1),
      case
        when d.setrole = 0 then format('alter database %I', b.datname)
        when d.setdatabase = 0 then format('alter role %I', r.rolname)
        else format('alter role %I in database %I', r.rolname, b.datname)
      end
    from pg_db_role_setting as d
    cross join unnest(d.setconfig) as c (entry)
    left join pg_roles as r
      on r.oid = d.setrole
    left join pg_database as b
      on b.oid = d.setdatabase
    where d.setdatabase = 0
      or b.datname = current_database()`);
  return rows;
}

/** What breaks one of the rules. */
export function judgeSettings(settings: readonly Setting[], rules: readonly Rule[]): Finding[] {
  return settings.flatMap(({ name, value, given }) =>
    rules
      .filter((rule) => rule.name === name && !rule.isRight(value))
      .map(({ wanted, why, restart }) => ({
        problem: `${name} is ${value}${given === 'alter system' ? '' : ` (${given})`}: ${why}.`,
        remedy:
          given === 'alter system'
            ? `alter system set ${name} = '${wanted}'; ${restart ? 'then restart the server' : 'select pg_reload_conf()'}`
            : `${given} reset ${name}`,
      })),
  );
}

const isHere = ['', 'localhost', '127.0.0.1', '::1'];

/** Whether the wire is open: the server answers other machines and speaks no TLS. */
export function judgeWire(settings: readonly Setting[]): Finding[] {
  const valueOf = (wanted: string): string => settings.find(({ name }) => name === wanted)?.value ?? '';
  const addresses = valueOf('listen_addresses').split(',').map((each) => each.trim());
  if (valueOf('ssl') !== 'off' || addresses.every((each) => isHere.includes(each))) return [];
  return [
    {
      problem: `ssl is off, and the server answers other machines (listen_addresses is ${addresses.join(', ')}).`,
      remedy: `Put server.crt and server.key into the data directory; then: alter system set ssl = 'on'; select pg_reload_conf()`,
    },
  ];
}

/** Whether damaged pages are noticed. */
export function judgeChecksums(settings: readonly Setting[]): Finding[] {
  if (!settings.some(({ name, value }) => name === 'data_checksums' && value === 'off')) return [];
  return [
    {
      problem: 'data_checksums is off: a disk that spoils a page is not found out.',
      remedy: 'Stop the server; then: pg_checksums --enable --pgdata <data directory>',
    },
  ];
}

/** Finds settings that lose data. */
export async function lookForLoss({ monitor }: Look): Promise<Finding[]> {
  const settings = await readServerSettings(monitor);
  return [...judgeSettings(settings, losing), ...judgeChecksums(settings)];
}

/** Finds settings that leak data. */
export async function lookForLeaks({ monitor }: Look): Promise<Finding[]> {
  const settings = await readServerSettings(monitor);
  return [...judgeSettings(settings, leaking), ...judgeWire(settings)];
}
