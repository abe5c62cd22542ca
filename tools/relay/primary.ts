import pg from 'pg';
import { messageOf } from '../failure.ts';

/** Where a server listens. */
export interface Node {
  host: string;
  port: number;
}

/** Longer than a healthy server takes, shorter than anybody wants to wait for one whose machine is gone. */
const patience = 2_000;

/**
 * The node that takes writes, or undefined while none does. An old primary that came back and has not been told
 * yet takes them too: the one on the newest timeline was promoted last. One that was promoted and still waits for
 * the end of the old one lets nobody write by its default.
 * @param url how to log in at each of them, with any host
 * @param tell told what is wrong with a node that cannot be asked
 */
export async function findPrimary(nodes: Node[], url: string, tell: (node: Node, problem: string) => void): Promise<Node | undefined> {
  const found = await Promise.all(
    nodes.map(async (node) => {
      const timeline = await timelineOf(node, url).catch((error: unknown) => tell(node, messageOf(error)));
      return { node, timeline: timeline ?? 0 };
    }),
  );
  const [newest] = found.filter(({ timeline }) => timeline > 0).sort((one, other) => other.timeline - one.timeline);
  return newest?.node;
}

/** The timeline that a node writes; 0 where it follows another. */
async function timelineOf({ host, port }: Node, url: string): Promise<number> {
  const there = new URL(url);
  there.host = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const client = new pg.Client({
    connectionString: there.href,
    application_name: 'infirmary-relay',
    connectionTimeoutMillis: patience,
    query_timeout: patience,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ file: string }>(
      `select pg_walfile_name(pg_current_wal_lsn()) as file
       where not pg_is_in_recovery()
         and current_setting('default_transaction_read_only') = 'off'`,
    );
    return Number.parseInt(rows[0]?.file.slice(0, 8) ?? '0', 16);
  } finally {
    void client.end().catch(() => {});
  }
}
