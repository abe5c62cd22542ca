/** A fault of the database, made and unmade within a transaction of the administrator. */
export interface Fault {
  /** Statements that make it. */
  breaking?: string;
  /** What must be named, and must not have been named before. */
  problem: RegExp;
  /** The remedy that must be named with it. */
  remedy: RegExp;
  /** Statements that mend it; or the remedy itself, up to its first semicolon, is run and must do so. */
  mending?: string | 'remedy';
  /** It is true of the tests' cluster anyway. */
  already?: true;
  /** Where the fault cannot be made (a month, another machine): what the query is to read or compare with instead. */
  instead?: [text: string, by: string][];
}

const asOwner = (statements: string): string => `set local role hospital_owner; ${statements}; reset role`;

const backup = (finished: string, more = ''): string => `
  insert into ops.backups (
    name, started_at, finished_at, server_version, timeline, start_lsn, end_lsn, bytes, stored_bytes, is_encrypted
    ${more && ', verified_at, problems'}
  )
  values ('probe', ${finished}, ${finished}, '18.7', 1, '0/1', '0/2', 1, 1, true ${more && `, ${more}`})`;

const drill = (passed: boolean): string => `
  insert into ops.backup_drills (backup, started_at, finished_at, restore_seconds, passed, checks)
  values ('probe', clock_timestamp(), clock_timestamp(), 1, ${passed}, '[]')`;

const run = (job: string, outcome: 'succeeded' | 'failed', code = ''): string => `
  insert into ops.job_runs (job, outcome, finished_at, affected_rows, error_code)
  values ('${job}', '${outcome}', clock_timestamp(), ${outcome === 'failed' ? `null, '${code}'` : '0, null'})`;

const tables = (columns: string): [string, string] => [
  'pg_stat_user_tables as s',
  `(select c.oid as relid, 'hospital' as schemaname, ${columns} from pg_class as c
    where c.relname = 'patients' and c.relnamespace::regnamespace::text = 'hospital') as s`,
];

const slots = (columns: string): [string, string] => ['pg_replication_slots as s', `(select ${columns}) as s`];

/** For every check that is a query, a fault that it must see. */
export const faults: Record<string, Fault> = {
  'extensions-missing': {
    breaking: 'drop extension pg_trgm cascade',
    problem: /extension pg_trgm is not installed/,
    remedy: /^create extension pg_trgm/,
    mending: 'remedy',
  },
  'connections-near-their-limit': {
    instead: [['0.8 * s.places', '0']],
    problem: /connections are in use/,
    remedy: /max_connections/,
  },
  'clock-of-a-standby': {
    instead: [
      [
        'pg_stat_replication as r',
        `(select inet '192.0.2.1' as client_addr, 'ward' as application_name,
          clock_timestamp() + interval '1 minute' as reply_time) as r`,
      ],
    ],
    problem: /clock of the standby 192\.0\.2\.1 is 00:0/,
    remedy: /timedatectl/,
  },
  'transaction-age': {
    instead: [['500000000', '1']],
    problem: /has not been frozen/,
    remedy: /vacuumdb --freeze/,
  },
  'transactions-prepared': {
    instead: [
      [
        'pg_prepared_xacts as p',
        `(select 'probe' as gid, 'joe' as owner, now() - interval '1 hour' as prepared, 'hospital' as database) as p`,
      ],
    ],
    problem: /prepared transaction 'probe' of joe/,
    remedy: /rollback prepared 'probe'/,
  },
  'statistics-stale': {
    instead: [
      tables('1000 as n_live_tup, 5000 as n_mod_since_analyze, null::timestamptz as last_analyze, null::timestamptz as last_autoanalyze'),
    ],
    problem: /hospital\.patients has 1000 rows, and 5000 changed since it was analyzed, which it never was/,
    remedy: /^analyze hospital\.patients$/,
  },
  'rows-dead': {
    instead: [tables('1000 as n_live_tup, 50000 as n_dead_tup')],
    problem: /hospital\.patients holds 50000 dead rows beside 1000/,
    remedy: /^vacuum \(analyze\) hospital\.patients$/,
  },
  'tables-bloated': {
    instead: [['2 * e.needed + 8192', '0']],
    breaking: 'analyze hospital.time_zones',
    problem: /hospital\.time_zones takes \d+ kB/,
    remedy: /vacuum \(full, analyze\) hospital\.time_zones/,
  },
  'indexes-unused': {
    instead: [
      ['10 * 1024 * 1024', '0'],
      ["interval '30 days'", "interval '-1 day'"],
    ],
    breaking: 'create index probe_idx on hospital.patients (deceased_on)',
    problem: /index hospital\.probe_idx .* has not been used since/,
    remedy: /drop index hospital\.probe_idx/,
    mending: 'drop index hospital.probe_idx',
  },
  'foreign-keys-without-index': {
    breaking: 'create table hospital.probe (id bigint primary key, patient_id bigint references hospital.patients (id))',
    problem: /foreign key probe_patient_id_fkey of hospital\.probe has no index/,
    remedy: /create index on hospital\.probe \(patient_id\)/,
    mending: 'create index on hospital.probe (patient_id)',
  },
  'tables-read-from-end-to-end': {
    instead: [tables('5000 as seq_scan, 3 as idx_scan, 100000000 as seq_tup_read')],
    problem: /hospital\.patients was read from end to end 5000 times, 20000 rows each/,
    remedy: /pg_stat_statements/,
  },
  'indexes-invalid': {
    breaking: `update pg_index set indisvalid = false where indexrelid = 'hospital.patients_mrn_key'::regclass`,
    problem: /index hospital\.patients_mrn_key is not valid/,
    remedy: /^reindex index concurrently hospital\.patients_mrn_key$/,
    mending: `update pg_index set indisvalid = true where indexrelid = 'hospital.patients_mrn_key'::regclass`,
  },
  'constraints-not-validated': {
    breaking: 'alter table hospital.patients add constraint probe check (id > 0) not valid',
    problem: /constraint probe of hospital\.patients holds for new rows only/,
    remedy: /validate constraint probe/,
    mending: 'remedy',
  },
  'sequences-near-their-end': {
    breaking: asOwner(`create sequence ops.probe as smallint; select setval('ops.probe', 32000)`),
    problem: /ops\.probe has given 32000 of 32767/,
    remedy: /alter sequence ops\.probe as bigint/,
    mending: asOwner('alter sequence ops.probe as bigint'),
  },
  'roles-above-the-rules': {
    breaking: 'create role joe_probe login superuser',
    problem: /joe_probe may log in and is a superuser/,
    remedy: /^alter role joe_probe nosuperuser$/,
    mending: 'remedy',
  },
  'roles-with-too-much': {
    breaking: 'create role joe_probe; grant hospital_doctor to joe_probe',
    problem: /joe_probe is a member of hospital_doctor/,
    remedy: /^revoke hospital_doctor from joe_probe$/,
    mending: 'remedy',
  },
  'rights-beyond-the-policies': {
    breaking: 'grant select on hospital.patients to public',
    problem: /public has rights on the table hospital\.patients: select/,
    remedy: /^revoke all on table hospital\.patients from public$/,
    mending: 'remedy',
  },
  'row-security-off': {
    breaking: 'alter table hospital.patients no force row level security',
    problem: /hospital\.patients does not force row security/,
    remedy: /^alter table hospital\.patients enable row level security/,
    mending: 'remedy',
  },
  'triggers-off': {
    breaking: 'alter table hospital.patients disable trigger _900_audit_update',
    problem: /trigger _900_audit_update of hospital\.patients is off/,
    remedy: /enable trigger _900_audit_update/,
    mending: 'remedy',
  },
  'definer-functions': {
    breaking: 'alter function ops.expire_holds() reset search_path',
    problem: /ops\.expire_holds\(\) lends its owner's rights/,
    remedy: /^alter function ops\.expire_holds\(\) set search_path/,
    mending: 'remedy',
  },
  'passwords-as-md5': {
    breaking: `create role joe_probe password 'md5${'0123456789abcdef'.repeat(2)}'`,
    problem: /password of joe_probe is stored as MD5/,
    remedy: /scram-sha-256/,
    mending: 'alter role joe_probe password null',
  },
  'logins-without-a-password': {
    instead: [
      [
        'pg_hba_file_rules as h',
        `(select 7 as line_number, 'host' as type, '{all}'::text[] as user_name, '0.0.0.0' as address,
          'trust' as auth_method, null::text as error) as h`,
      ],
    ],
    problem: /line 7: all over the network, by trust/,
    remedy: /scram-sha-256/,
  },
  'backup-missing': {
    breaking: backup("now() - interval '27 hours'"),
    problem: /newest backup is of/,
    remedy: /infirmary backup create/,
    mending: backup('clock_timestamp()').replace("'probe'", "'newer'"),
  },
  'backup-damaged': {
    breaking: backup('now()', 'now(), 3'),
    problem: /backup probe is not as it was written: 3 problems/,
    remedy: /infirmary backup create/,
    mending: `update ops.backups set removed_at = now()`,
  },
  'drill-missing': {
    breaking: drill(false),
    problem: /last drill failed/,
    remedy: /infirmary backup drill/,
    mending: drill(true),
  },
  'log-not-kept': {
    already: true,
    instead: [slots("'infirmary_backup' as slot_name, false as active")],
    problem: /Nobody keeps the log/,
    remedy: /BACKUP_WAL=on/,
  },
  'archiver-failing': {
    instead: [
      [
        'pg_stat_archiver as a',
        `(select '000000010000000000000001' as last_failed_wal, now() as last_failed_time,
          null::timestamptz as last_archived_time) as a`,
      ],
    ],
    problem: /000000010000000000000001 failed/,
    remedy: /archive_command/,
  },
  'slots-forgotten': {
    instead: [slots("'probe' as slot_name, false as active, 'lost' as wal_status, null::pg_lsn as restart_lsn")],
    problem: /Nobody reads the replication slot probe/,
    remedy: /pg_drop_replication_slot\('probe'\)/,
  },
  'jobs-failing': {
    breaking: run('expire_holds', 'failed', '57014'),
    problem: /job expire_holds failed at .* with 57014/,
    remedy: /infirmary work --once/,
    mending: run('expire_holds', 'succeeded'),
  },
  'audit-broken': {
    breaking: run('verify_audit_chain', 'failed', 'VERIF'),
    problem: /The audit does not hold/,
    remedy: /infirmary audit verify/,
    mending: run('verify_audit_chain', 'succeeded'),
  },
  'audit-not-sealed': {
    instead: [["interval '15 minutes'", "interval '-1 day'"]],
    breaking: 'update hospital.patients set time_zone = time_zone where id = (select min(id) from hospital.patients)',
    problem: /Entries of the audit wait/,
    remedy: /infirmary work --once/,
  },
  'warehouse-stale': {
    breaking: `insert into warehouse.view_states (view_name, data_as_of) values ('mv_probe', now() - interval '1 hour')`,
    problem: /answers of analytics are as of/,
    remedy: /infirmary etl run/,
    mending: 'update warehouse.view_states set data_as_of = clock_timestamp()',
  },
  'data-quality': {
    breaking: `insert into ops.alerts (kind) values ('quality_patients_too_old')`,
    problem: /older than 120 years/,
    remedy: /ops\.quality_patients_too_old/,
    mending: 'update ops.alerts set closed_at = now()',
  },
};
