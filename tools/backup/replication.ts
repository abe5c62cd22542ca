import pg from 'pg';
import { codeOf, Failure, messageOf } from '../failure.ts';

/**
 * Connects for the replication protocol, in a database: such a connection may ask SQL too, and is let in by an
 * ordinary line of pg_hba.conf.
 * @param url a role with REPLICATION, in a database it may connect to
 * @throws Failure when the server allows none, with what to change there
 */
export async function connectReplication(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, replication: 'database' } as pg.ClientConfig);
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ slots: string }>(`select current_setting('max_replication_slots') as slots`);
    if (rows[0]?.slots !== '0') return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw explained(error, new URL(url).username);
  }
  await client.end().catch(() => {});
  throw new Failure(
    'The server has no replication slot with which to keep its log meanwhile: max_replication_slots is 0.',
    'As a superuser: alter system set max_replication_slots = 10; then restart it.',
  );
}

/** What a server answers whom it does not let in, and what its administrator, or whoever wrote the URL, does about it. */
function explained(error: unknown, role: string): unknown {
  const text = messageOf(error);
  const because = (message: string, remedy: string): Failure => new Failure(`${message}: ${text}.`, remedy, { cause: error });
  switch (codeOf(error)) {
    case '53300':
      return because(
        'The server allows no further connection for replication',
        'As a superuser: alter system set max_wal_senders = 10; alter system set wal_level = replica; then restart it.\n' +
          'Or end one of those there are: select * from pg_stat_replication',
      );
    case '42501':
      return because(`"${role}" may not replicate`, `As a superuser: alter role ${role} replication`);
    case '28000':
      return because(
        `The server does not let "${role}" in`,
        `A line for its pg_hba.conf: hostssl all ${role} <address of this machine>/32 scram-sha-256; then: select pg_reload_conf()\n` +
          'If it says "no encryption": sslmode=verify-full in BACKUP_URL.',
      );
    case '28P01':
      return because(`The server does not know "${role}" by that password`, 'Check BACKUP_URL, or: infirmary roles apply');
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return because(
        "The server's certificate is of nobody we trust",
        'Name the certificate of its authority in BACKUP_URL: sslmode=verify-full&sslrootcert=<file>',
      );
    default:
      return error;
  }
}
