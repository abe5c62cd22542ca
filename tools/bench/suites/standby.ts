import { rmSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { stopStaying } from '../../cluster/embedded.ts';
import { ask } from '../../database.ts';
import { onShutdown } from '../../shutdown.ts';
import { dropSlot } from '../../standby/copy.ts';
import { createStandby } from '../../standby/create.ts';
import { requireStandby } from '../../standby/synchronous.ts';
import type { Contender, Sample } from '../comparison.ts';
import { type BenchDatabase, databaseName } from '../database.ts';
import { durabilitySql } from '../environment.ts';
import type { Suite } from '../suite.ts';

/** The least that is a commit: half a kilobyte of log in a transaction of its own, and no table. */
const commit = `select pg_logical_emit_message(true, 'bench', repeat('x', 500))`;

const waits = { 'own disk': 'local', 'own disk and standby': 'on' };

export const standby: Suite = {
  name: 'standby',
  about: 'Commits that wait for a synchronous standby against commits that wait for the own disk alone, both servers on one machine.',
  async run({ database, measure, rounds, requests }) {
    const end = await openStandby(database);
    try {
      for (const connections of [1, 8]) {
        const contenders = Object.entries(waits).map(([name, mode]) =>
          committing(name, database.url('hospital_owner'), mode, connections, requests),
        );
        try {
          await measure({
            title: `Commits over ${connections === 1 ? 'one connection' : `${connections} connections`}`,
            figures: [
              { key: 'latency', title: 'median commit', clock: 'client', unit: 'ms' },
              { key: 'rate', title: 'commits', clock: 'client', unit: 'per s' },
            ],
            contenders,
            differsIn: 'durability',
            ratios: ['latency', 'rate'].map((figure) => ({ figure, of: 'own disk and standby', to: 'own disk' })),
            rounds,
            warmUp: 1,
          });
        } finally {
          for (const contender of contenders) await contender.end();
        }
      }
    } finally {
      await end();
    }
  },
};

/** A synchronous standby of the bench's server. What was left by a bench that was killed is removed first. */
async function openStandby({ settings, appointments, url }: BenchDatabase): Promise<() => Promise<void>> {
  const own = { ...settings, home: path.join(settings.home, 'standby') };
  const remove = async (): Promise<void> => {
    await requireStandby(url('postgres', 'postgres'), 'bench', false);
    await stopStaying(own);
    await dropSlot(url('hospital_backup'), 'bench');
    rmSync(own.home, { recursive: true, force: true });
  };
  await remove();
  const end = onShutdown(remove);
  try {
    const measured = { ...settings, database: databaseName(appointments) };
    await createStandby(measured, { into: own.home, name: 'bench', synchronous: true, erase: false });
    return end;
  } catch (error) {
    await end();
    throw error;
  }
}

function committing(name: string, url: string, mode: string, connections: number, commits: number): Contender & { end(): Promise<void> } {
  const clients: Client[] = [];
  const open = async (): Promise<Client[]> => {
    while (clients.length < connections) {
      const client = new Client({ connectionString: url, options: `-c synchronous_commit=${mode}` });
      client.on('error', () => {});
      await client.connect();
      clients.push(client);
    }
    return clients;
  };
  return {
    name,
    conditions: async () => {
      const [client] = await open();
      const answer = await ask(client!, `select ${durabilitySql}, current_user::text`);
      const [observed, role] = answer.rows[0] as [string, string];
      return { rows: 'none', role, durability: observed };
    },
    sample: async (): Promise<Sample> => {
      const times: number[] = [];
      const began = performance.now();
      const work = async (client: Client): Promise<void> => {
        for (let n = 0; n < commits / connections; n += 1) {
          const before = performance.now();
          await client.query({ name: 'commit', text: commit });
          times.push(performance.now() - before);
        }
      };
      await Promise.all((await open()).map(work));
      const seconds = (performance.now() - began) / 1000;
      return { latency: times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!, rate: times.length / seconds };
    },
    end: async () => {
      for (const client of clients) await client.end();
    },
  };
}
