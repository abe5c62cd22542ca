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
    const { rows } = await client.query<Circumstances>(circumstances);
    refuse(rows[0]!);
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw explained(error, new URL(url).username);
  }
}

interface Circumstances {
  wal_level: string;
  slots: string;
}

const circumstances = `select current_setting('wal_level') as wal_level, current_setting('max_replication_slots') as slots`;

function refuse({ wal_level: level, slots }: Circumstances): void {
  if (level === 'minimal') {
    throw new Failure(
      'The server writes too little into its log to be copied while it works: wal_level is minimal.',
      `As a superuser: alter system set wal_level = 'replica', and restart it.`,
    );
  }
  if (slots === '0') {
    throw new Failure(
      'The server has no replication slot with which to keep its log meanwhile: max_replication_slots is 0.',
      'As a superuser: alter system set max_replication_slots = 10, and restart it.',
    );
  }
}

/** What a server says when it lets nobody in for replication, and what its administrator does about it. */
function explained(error: unknown, role: string): unknown {
  const [code, text] = [codeOf(error), messageOf(error)];
  if (code === '53300') {
    return new Failure(
      `The server allows no further connection for replication: ${text}.`,
      'As a superuser: alter system set max_wal_senders = 10, and restart it; or end one: select * from pg_stat_replication.',
      { cause: error },
    );
  }
  if (code === '42501') {
    return new Failure(`"${role}" may not replicate: ${text}.`, `As a superuser: alter role ${role} replication`, { cause: error });
  }
  if (code === '28000' && text.includes('pg_hba.conf')) {
    return new Failure(
      `The server lets "${role}" not in: ${text}.`,
      `A line for pg_hba.conf: hostssl all ${role} <address of this machine>/32 scram-sha-256; then: select pg_reload_conf()`,
      { cause: error },
    );
  }
  return error;
}
