import type { Client } from 'pg';
import { acquireServer, type Server } from '../cluster/server.ts';
import { withClient } from '../database.ts';
import { codeOf, messageOf, UsageError } from '../failure.ts';
import type { Settings } from '../settings.ts';
import { CannotLook } from './cannot-look.ts';
import type { Check, Finding, Look, Severity } from './check.ts';
import { checks } from './checks.ts';

/** A finding and the check that made it. */
export type Problem = Required<Finding> & { check: string };

/** A check that could not look, and why. */
export interface Unseen {
  check: string;
  why: string;
  /** It ought to have been able to. */
  failed: boolean;
}

/** What a check-up found. */
export interface Checkup {
  looked: number;
  problems: Problem[];
  unseen: Unseen[];
}

/** What else is looked at, and what is not. */
export interface Wishes {
  thorough?: boolean;
  except?: readonly string[];
}

const order: Severity[] = ['critical', 'warning', 'notice'];

/** Looks at the server and the hospital the settings name, and changes nothing of them. */
export async function checkUp(settings: Settings, { thorough = false, except = [] }: Wishes = {}): Promise<Checkup> {
  const all = Object.values(checks).flat();
  const unknown = except.filter((name) => !all.some((check) => check.name === name));
  if (unknown.length > 0) throw new UsageError(`There is no check ${unknown.join(', ')}.`, 'docs/checkup.md lists them');
  const wanted = all.filter((check) => (thorough || !check.thorough) && !except.includes(check.name));
  const server = await acquireServer(settings);
  try {
    return await withClient(server.url('hospital_monitor'), (monitor) =>
      asAdministrator(settings, server, async (administrator) => {
        for (const client of [monitor, administrator]) await client?.query(`select set_config('search_path', '', false)`);
        return lookAround({ monitor, settings, server, ...(administrator && { administrator }) }, wanted);
      }),
    );
  } finally {
    await server.release();
  }
}

/** The administrator is asked only where we know him anyway: on the private cluster, or by DATABASE_ADMIN_URL. */
async function asAdministrator<Result>(
  settings: Settings,
  server: Server,
  work: (client?: Client) => Promise<Result>,
): Promise<Result> {
  if (!server.managesRoles) return work();
  return withClient(server.url('postgres', settings.database), work);
}

/** Makes every check that can be made with what there is to look through. */
export async function lookAround(
  through: Omit<Look, 'administrator'> & Partial<Look>,
  wanted: readonly Check[],
): Promise<Checkup> {
  const checkup: Checkup = { looked: 0, problems: [], unseen: [] };
  for (const check of wanted) {
    try {
      if (check.reads === 'administrator' && !through.administrator) {
        throw new CannotLook('only an administrator sees it: set DATABASE_ADMIN_URL');
      }
      const found = await check.look(through as Look);
      checkup.looked += 1;
      for (const finding of found) checkup.problems.push({ check: check.name, severity: check.severity, ...finding });
    } catch (error) {
      checkup.unseen.push({ check: check.name, ...reasonOf(error) });
    }
  }
  checkup.problems.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  return checkup;
}

/** 42501: an administrator who is no superuser, as managed services have. */
function reasonOf(error: unknown): Omit<Unseen, 'check'> {
  if (error instanceof CannotLook) return { why: error.message, failed: false };
  if (codeOf(error) === '42501') return { why: messageOf(error), failed: false };
  return { why: messageOf(error), failed: true };
}

/** The table of docs/checkup.md. Markdown. */
export function checksTable(): string {
  const parts = Object.entries(checks).map(([subject, group]) =>
    [
      `### ${subject}`,
      '',
      '| check | severity | looks as | finds |',
      '|---|---|---|---|',
      ...group.map(({ name, severity, reads, finds }) => `| \`${name}\` | ${severity} | ${reads} | ${finds} |`),
    ].join('\n'),
  );
  return parts.join('\n\n');
}
