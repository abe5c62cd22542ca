import { lookAtCatalogue } from './catalogue.ts';
import { type Check, inSql } from './check.ts';
import { lookAtClock } from './clock.ts';
import { lookAtKeys, lookAtRoom, lookAtSecrets } from './files.ts';
import { lookForOverdueJobs } from './jobs.ts';
import { lookAtMigrations } from './migrations.ts';
import { lookAtPolicies } from './policies.ts';
import { lookForSequencesBehind } from './sequences.ts';
import { lookForLeaks, lookForLoss } from './server-settings.ts';
import { lookAtVersion } from './server-version.ts';

/** Every check, by what it is about. The table of docs/checkup.md is this one. */
export const checks: Record<string, readonly Check[]> = {
  'The server': [
    {
      name: 'server-version',
      severity: 'critical',
      reads: 'monitor',
      finds: 'a release without the fixes of row security, or one we do not know',
      look: lookAtVersion,
    },
    {
      name: 'settings-that-lose-data',
      severity: 'critical',
      reads: 'monitor',
      finds: 'fsync, full_page_writes, synchronous_commit, data_checksums and others, of the server, a database or a role',
      look: lookForLoss,
    },
    {
      name: 'settings-that-leak-data',
      severity: 'warning',
      reads: 'monitor',
      finds: 'patients in the log, MD5 passwords, an open wire',
      look: lookForLeaks,
    },
    inSql('extensions-missing', 'critical', 'btree_gist, pgcrypto or pg_trgm not installed'),
    inSql('connections-near-their-limit', 'warning', 'four of five connections in use'),
    {
      name: 'clock-of-the-server',
      severity: 'warning',
      reads: 'monitor',
      finds: "two seconds between the server's clock and this machine's",
      look: lookAtClock,
    },
    inSql('clock-of-a-standby', 'warning', 'a standby whose clock is ahead'),
    inSql('transaction-age', 'critical', 'a database on its way to the end of transaction numbers'),
    inSql('transactions-left-open', 'warning', 'five minutes idle in a transaction, or two hours in one'),
    inSql('transactions-prepared', 'warning', 'prepared transactions that nobody ended'),
  ],
  'Tables and indexes': [
    inSql('statistics-stale', 'notice', 'a third of a table changed since it was analyzed'),
    inSql('rows-dead', 'warning', 'dead rows that vacuum has not cleared away'),
    inSql('tables-bloated', 'notice', 'tables twice as large as their rows, estimated', 'administrator'),
    inSql('indexes-unused', 'notice', 'large indexes that thirty days did not use'),
    inSql('foreign-keys-without-index', 'warning', 'foreign keys without an index'),
    inSql('tables-read-from-end-to-end', 'notice', 'large tables that are mostly read whole'),
    inSql('indexes-invalid', 'critical', 'indexes that failed to be built'),
    inSql('constraints-not-validated', 'warning', 'constraints that old rows need not meet'),
    inSql('sequences-near-their-end', 'warning', 'three quarters of the numbers given'),
    {
      name: 'sequences-behind',
      severity: 'critical',
      reads: 'administrator',
      finds: 'sequences whose next number is taken',
      look: lookForSequencesBehind,
    },
    {
      name: 'disk-nearly-full',
      severity: 'critical',
      reads: 'machine',
      finds: 'less than 2 GB left where the data lie; less than 20 GB and a twentieth (a warning)',
      look: lookAtRoom,
    },
  ],
  'Who may do what': [
    inSql('roles-above-the-rules', 'warning', 'superusers and others above row security who log in'),
    inSql('roles-with-too-much', 'critical', 'roles of ours with an attribute or a membership that is not theirs'),
    inSql('rights-beyond-the-policies', 'critical', 'rights of PUBLIC; of roles that are not ours (a warning)'),
    {
      name: 'policies-that-differ',
      severity: 'critical',
      reads: 'monitor',
      finds: 'row security policies missing, or in no file of policies/',
      look: lookAtPolicies,
    },
    {
      name: 'catalogue-that-differs',
      severity: 'warning',
      reads: 'administrator',
      finds: 'anything that the signed migrations do not make, or make otherwise (`--thorough`)',
      thorough: true,
      look: lookAtCatalogue,
    },
    inSql('row-security-off', 'critical', 'tables without forced row security'),
    inSql('triggers-off', 'critical', 'disabled triggers, and so the audit and the rules'),
    inSql('definer-functions', 'critical', 'functions that lend rights and have no search path'),
    inSql('passwords-as-md5', 'warning', 'verifiers that are as good as passwords', 'administrator'),
    inSql('logins-without-a-password', 'critical', 'lines of pg_hba.conf with trust, password or md5', 'administrator'),
    {
      name: 'secrets-readable',
      severity: 'critical',
      reads: 'machine',
      finds: 'files with passwords and keys that everybody may read; their group (a notice)',
      look: lookAtSecrets,
    },
    {
      name: 'keys-weak',
      severity: 'critical',
      reads: 'machine',
      finds: 'keys of tokens and of the audit that somebody thought up',
      look: lookAtKeys,
    },
  ],
  'What would be left': [
    inSql('backup-missing', 'warning', 'no backup for 26 hours'),
    inSql('backup-damaged', 'critical', 'a backup that is not as it was written'),
    inSql('drill-missing', 'warning', 'no restore that worked for 35 days'),
    inSql('log-not-kept', 'warning', 'nobody archives or receives the log'),
    inSql('archiver-failing', 'critical', 'an archive_command that fails'),
    inSql('slots-forgotten', 'warning', 'replication slots that keep the log for nobody'),
  ],
  'The hospital': [
    {
      name: 'migrations-that-differ',
      severity: 'critical',
      reads: 'monitor',
      finds: 'migrations pending, others than signed here, or never signed',
      look: lookAtMigrations,
    },
    inSql('jobs-failing', 'warning', 'jobs whose last run failed or died'),
    {
      name: 'jobs-overdue',
      severity: 'warning',
      reads: 'monitor',
      finds: 'jobs that ought to have run',
      look: lookForOverdueJobs,
    },
    inSql('audit-broken', 'critical', 'an audit that does not hold'),
    inSql('audit-not-sealed', 'critical', 'audit entries unsealed for a quarter of an hour'),
    inSql('warehouse-stale', 'warning', 'answers of analytics that are too old'),
    inSql('data-quality', 'notice', 'checks of the record itself that became worse'),
  ],
};
