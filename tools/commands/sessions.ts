import type { Command } from 'commander';
import type { Client } from 'pg';
import { acquireServer } from '../cluster/server.ts';
import { withClient } from '../database.ts';
import { Failure, UsageError } from '../failure.ts';
import { readSettings, type Settings } from '../settings.ts';
import { drawTable, print, say } from '../terminal.ts';

/** A session that lives, and what it did so far. It is named without its secret, which nobody can read. */
export interface Session {
  id: string;
  account: string;
  role: string;
  since: string;
  address: string | null;
  charts: number;
  changes: number;
}

/** Which sessions are meant. */
export interface Which {
  id?: string;
  account?: string;
  all?: boolean;
}

export function register(program: Command): void {
  const command = program.command('sessions').description('who is logged in, and ending that at once');
  command
    .command('list')
    .description('the sessions that live, with how many charts each opened and rows it changed')
    .option('--json', '[{"id", "account", "role", "since", "address", "charts", "changes"}, …]')
    .action(async ({ json }: { json?: boolean }) => {
      const sessions = await list(readSettings());
      const cells = sessions.map(({ id, account, role, since, address, charts, changes }) => [id, account, role, since, address, charts, changes]);
      print(json ? JSON.stringify(sessions) : drawTable(['session', 'account', 'role', 'since', 'address', 'charts', 'changes'], cells));
    });
  command
    .command('revoke')
    .description('end sessions: their tokens are refused from this moment on')
    .option('--id <session>', 'this one: "sid" in the token')
    .option('--account <number>', "all of an account's")
    .option('--all', "everybody's")
    .action(async (which: Which) => {
      const ended = await revoke(readSettings(), which);
      say(`${ended} ${ended === 1 ? 'session has' : 'sessions have'} ended.`);
    });
}

/** The sessions that live, oldest first. */
export async function list(settings: Settings): Promise<Session[]> {
  return asOwner(settings, async (client) => {
    const { rows } = await client.query<Session>(`
      select
        s.id,
        s.account_id::text as account,
        s.role,
        to_json(s.created_at) #>> '{}' as since,
        host(s.client_address) as address,
        (select count(*)::integer from audit.chart_accesses as c where c.session_id = s.id) as charts,
        (select count(*)::integer from audit.entries as e where e.session_id = s.id) as changes
      from hospital_private.sessions as s
      where s.revoked_at is null
        and s.expires_at > now()
      order by s.created_at, s.id`);
    return rows;
  });
}

/**
 * Ends sessions at once; returns how many.
 * @throws Failure when the one that was named is not there, or has ended
 */
export async function revoke(settings: Settings, { id, account, all }: Which): Promise<number> {
  if ([id, account, all].filter((each) => each !== undefined).length !== 1) {
    throw new UsageError('Which sessions?', 'One of --id <session>, --account <number> and --all');
  }
  if (id !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) throw new UsageError(`"${id}" is no session.`);
  if (account !== undefined && !/^\d{1,18}$/.test(account)) throw new UsageError(`"${account}" is no account.`, 'Its number: infirmary sessions list');
  const ended = await asOwner(settings, async (client) => {
    const { rowCount } = await client.query(
      `update hospital_private.sessions as s
       set revoked_at = clock_timestamp(),
         revoked_reason = 'revoked'
       where s.revoked_at is null
         and ($1::uuid is null or s.id = $1)
         and ($2::bigint is null or s.account_id = $2)`,
      [id ?? null, account ?? null],
    );
    return rowCount ?? 0;
  });
  if (ended > 0 || all) return ended;
  throw new Failure('No such session lives.', 'infirmary sessions list shows those that do.');
}

async function asOwner<Result>(settings: Settings, use: (client: Client) => Promise<Result>): Promise<Result> {
  const server = await acquireServer(settings);
  try {
    return await withClient(server.url('hospital_owner'), use);
  } finally {
    await server.release();
  }
}
