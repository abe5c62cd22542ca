import { randomBytes } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { Settings } from '../settings.ts';
import { openHome, readIfPresent, writeWhole } from './home.ts';

/** The roles that may log in to PostgreSQL. */
export const loginRoles = [
  'postgres',
  'hospital_owner',
  'hospital_authenticator',
  'hospital_worker',
  'hospital_backup',
  'hospital_monitor',
] as const;

export type LoginRole = (typeof loginRoles)[number];

/** A key that signs access tokens; `kid` names it in a token, so that keys can be rotated. */
export interface JwtKey {
  kid: string;
  secret: string;
}

/** What only this installation knows. */
export interface Secrets {
  passwords: Record<LoginRole, string>;
  /** The first signs; all of them verify. */
  jwtKeys: JwtKey[];
}

/**
 * The secrets of this installation, made at random on first use and kept in secrets.json (mode 0600).
 * @throws Failure when the file belongs to somebody else or does not hold what it should.
 */
export function readSecrets(settings: Settings): Secrets {
  const file = openHome(settings.home).secrets;
  let content = readIfPresent(file);
  if (content === undefined) {
    // Two commands may get here at once: the first to write wins, and both use what is there then.
    writeWhole(file, `${JSON.stringify(makeSecrets(), null, 2)}\n`, true);
    content = readIfPresent(file) ?? '';
  }
  const secrets = parse(content);
  if (!secrets) {
    throw new Failure(
      `${file} is damaged: it does not hold the passwords and keys of this installation.`,
      'Put it back from a backup of that folder; without it, move the folder away to begin anew.',
    );
  }
  return secrets;
}

function makeSecrets(): Secrets {
  const random = (): string => randomBytes(32).toString('base64url');
  const passwords = Object.fromEntries(loginRoles.map((role) => [role, random()])) as Record<
    LoginRole,
    string
  >;
  return { passwords, jwtKeys: [{ kid: randomBytes(6).toString('hex'), secret: random() }] };
}

function parse(content: string): Secrets | undefined {
  try {
    const secrets = JSON.parse(content) as Partial<Secrets> | null;
    const complete =
      loginRoles.every((role) => typeof secrets?.passwords?.[role] === 'string') &&
      (secrets?.jwtKeys ?? []).length > 0 &&
      secrets?.jwtKeys?.every(({ kid, secret }) => kid && typeof secret === 'string' && secret.length >= 32);
    return complete ? (secrets as Secrets) : undefined;
  } catch {
    return undefined;
  }
}
