import type { TestContext } from 'node:test';
import { Client } from 'pg';
import { readSecrets } from '../../tools/cluster/secrets.ts';
import type { Server } from '../../tools/cluster/server.ts';
import { applyRoles } from '../../tools/migrate/roles.ts';
import { copyServer } from '../../tools/standby/copy.ts';
import { acquireServer, makeSettings } from './cluster.ts';
import { ensureTemplate } from './template.ts';

/** Two servers: a hospital, and a hot standby that follows it. */
export interface Pair {
  primary: Server;
  standby: Server;
  /** The hospital, as its owner. */
  owner: Client;
  /** The standby, as its administrator. */
  onStandby: Client;
  /** Waits until the standby has all that is committed now. */
  caughtUp(): Promise<void>;
  /** Is undone before the servers stop. */
  later(undo: () => Promise<unknown>): void;
}

/** Makes both. What is copied is copied through the replication protocol, as from another machine. */
export async function openPair(t: TestContext): Promise<Pair> {
  const closing: (() => Promise<unknown>)[] = [];
  // Registered before the settings', which wait for everybody to have let go of the servers.
  t.after(async () => {
    for (const close of closing.toReversed()) await close();
  });
  const settings = { first: makeSettings(t), second: makeSettings(t) };
  const connect = async (url: string): Promise<Client> => {
    const client = new Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
    closing.push(() => client.end());
    return client;
  };

  const primary = await acquireServer(settings.first);
  closing.push(() => primary.release());
  await applyRoles(primary.url('postgres'), readSecrets(settings.first).passwords);
  const template = await ensureTemplate(primary, 'migrated');
  const admin = await connect(primary.url('postgres'));
  await admin.query(`create database hospital template ${template} owner hospital_owner`);
  await admin.query('grant connect on database hospital to hospital_authenticator, hospital_backup, hospital_monitor');

  await copyServer(settings.first, primary, { into: settings.second.home, name: 'standby', erase: false });
  const standby = await acquireServer(settings.second);
  closing.push(() => standby.release());
  const owner = await connect(primary.url('hospital_owner'));
  const onStandby = await connect(standby.url('postgres', 'hospital'));
  return {
    primary,
    standby,
    owner,
    onStandby,
    caughtUp: async () => {
      const { rows } = await owner.query('select pg_current_wal_insert_lsn()::text as lsn');
      for (;;) {
        const reached = await onStandby.query('select pg_last_wal_replay_lsn() >= $1::pg_lsn as it', [rows[0].lsn]);
        if (reached.rows[0].it) return;
      }
    },
    later: (undo) => void closing.push(undo),
  };
}
