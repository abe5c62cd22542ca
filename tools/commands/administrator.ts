import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { acquireServer } from '../cluster/server.ts';
import { ask, withClient } from '../database.ts';
import { codeOf, Failure, UsageError } from '../failure.ts';
import { readSettings, type Settings } from '../settings.ts';
import { say } from '../terminal.ts';

export function register(program: Command): void {
  program
    .command('administrator')
    .description('the people who administer the hospital')
    .command('create')
    .description('create an administrator: the first one has nobody who could approve him')
    .requiredOption('--email <address>', 'with which to log in')
    .addHelpText(
      'after',
      '\nThe password is read from INFIRMARY_ADMIN_PASSWORD, else from standard input when that is a pipe;\n' +
        'otherwise one is made at random and shown once.',
    )
    .action(async ({ email }: { email: string }) => {
      const given = await readPassword();
      const password = given ?? randomBytes(18).toString('base64url');
      await work(readSettings(), email, password);
      say(`The administrator ${email} can log in.`);
      if (given === undefined) say(`Password (shown this once): ${password}`);
    });
}

/**
 * Creates an administrator's account, as the owner of the database.
 * @throws Failure when there is an account for that address, or it is none
 */
export async function work(settings: Settings, email: string, password: string): Promise<void> {
  const server = await acquireServer(settings);
  try {
    await withClient(server.url('hospital_owner'), (client) =>
      ask(client, 'select hospital_private.create_administrator($1, $2)', [email, password]),
    );
  } catch (error) {
    const why = { 23505: 'has an account already', 23514: 'is not an address' }[codeOf(error) ?? ''];
    throw why
      ? new Failure(`${email} ${why}.`, 'Give another one: --email <address>', { cause: error })
      : error;
  } finally {
    await server.release();
  }
}

/** The password somebody gave, or undefined. On the command line everybody could see it with `ps`. */
async function readPassword(): Promise<string | undefined> {
  const fromEnvironment = process.env.INFIRMARY_ADMIN_PASSWORD;
  if (fromEnvironment) return fromEnvironment;
  if (process.stdin.isTTY) return undefined;
  const piped = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (/[\r\n]/.test(piped)) throw new UsageError('The password on standard input must be one line.');
  return piped === '' ? undefined : piped;
}
