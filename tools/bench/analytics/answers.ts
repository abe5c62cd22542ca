import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import { readSecrets } from '../../cluster/secrets.ts';
import { ask, withClient } from '../../database.ts';
import type { Contender } from '../comparison.ts';
import { durabilitySql } from '../environment.ts';
import { anAdministrator, startSession } from '../people.ts';
import type { Bench } from '../suite.ts';
import { chooseQuestions, type Question } from './questions.ts';

/** What the seeds claim; it is hoped for where they would need it, at a million appointments. */
const AIM = { times: 1000, from: 1_000_000 };

/**
 * Each answer against the same question asked of the operational tables: the rows must be the same. The question is
 * the owner's, so that row security costs it nothing; the answer is an administrator's, and looks his session up.
 */
export async function compareAnswers(bench: Bench, name: string, appointments: number): Promise<void> {
  const { database } = bench;
  const { jwtKeys } = readSecrets(database.settings);
  await withClient(database.url('hospital_owner', name), async (owner) => {
    const { claims } = await startSession(owner, await anAdministrator(owner), jwtKeys);
    const questions = await chooseQuestions(owner);
    await withClient(database.url('postgres', name), async (client) => {
      for (const question of questions) {
        const answer = contender(client, question, 'answer', { ...claims, role: 'hospital_administrator' });
        const operational = contender(client, question, 'operational', { role: 'hospital_owner' });
        await bench.measure({
          title: `${question.title}: ${appointments.toLocaleString('en')} appointments`,
          figures: [{ key: 'client', title: 'asked and received', clock: 'client', unit: 'ms' }],
          contenders: [answer, operational],
          differsIn: 'role',
          ratios: [
            {
              figure: 'client',
              of: operational.name,
              to: answer.name,
              ...(appointments >= AIM.from && { aim: AIM.times }),
            },
          ],
          rounds: bench.rounds,
          warmUp: 2,
          explain: async () => [...(await answer.plan()), ...(await operational.plan())],
        });
      }
    });
  });
}

interface Explained extends Contender {
  plan(): Promise<string[]>;
}

function contender(client: Client, question: Question, side: 'answer' | 'operational', claims: Record<string, string>): Explained {
  const text = question[side];
  const name = side === 'answer' ? 'the answer' : 'operational tables';
  const statement = { name: createHash('sha256').update(text).digest('hex').slice(0, 16), text, values: question.values, rowMode: 'array' as const };
  const inside = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    await client.query('begin');
    try {
      await client.query('select set_config(key, value, true) from json_each_text($1)', [JSON.stringify(claims)]);
      return await work();
    } finally {
      await client.query('rollback');
    }
  };
  return {
    name,
    conditions: () =>
      inside(async () => {
        const { rows } = await client.query(statement);
        const digest = createHash('sha256').update(JSON.stringify(rows)).digest('hex').slice(0, 12);
        const [role, durability] = (await ask(client, `select current_user::text, ${durabilitySql}`)).rows[0] as string[];
        return { rows: `${rows.length} rows ${digest}`, role: role!, durability: durability! };
      }),
    sample: () =>
      inside(async () => {
        const began = performance.now();
        await client.query(statement);
        return { client: performance.now() - began };
      }),
    plan: () =>
      inside(async () => {
        const { rows } = await ask(client, `explain (analyze, buffers) ${text}`, question.values);
        return [`${name}:`, ...rows.map(([line]) => `| ${line}`)];
      }),
  };
}
