import { createSecretKey, type KeyObject } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import jwt from 'jsonwebtoken';
import type { JwtKey } from '../cluster/secrets.ts';
import { claimsOf } from './claims.ts';
import { refusal } from './errors.ts';

export type { JwtKey } from '../cluster/secrets.ts';

/** The account roles a token may name; the database role is the same word behind `hospital_`. */
export const ACCOUNT_ROLES = [
  'patient',
  'doctor',
  'nurse',
  'reception',
  'pharmacist',
  'laboratory',
  'billing',
  'administrator',
  'analyst',
  'auditor',
] as const;
export type AccountRole = (typeof ACCOUNT_ROLES)[number];

/** What the database hands out at a login: the session's id, its secret and when it ends. */
export interface SessionGrant {
  sessionId: string;
  sessionSecret: string;
  role: string;
  expiresAt: Date;
}

/** Who is asking, as settings for the request's transaction, and until when that may be believed. */
export interface Identity {
  claims: Record<string, string>;
  expiresAt?: Date;
}

const ALGORITHM = 'HS256';
const AUDIENCE = 'infirmary';
/** Characters; ours have some 350, and nothing longer is worth reading. */
const MAX_TOKEN_LENGTH = 2048;

/** Signs an access token that carries a session; it expires in the same second as the session. */
export function signToken(keys: readonly JwtKey[], grant: SessionGrant): string {
  const key = keys[0];
  if (!key) throw new Error('No signing key is configured.');
  const body = {
    sid: grant.sessionId,
    sec: grant.sessionSecret,
    role: grant.role,
    exp: Math.floor(grant.expiresAt.getTime() / 1000),
  };
  return jwt.sign(body, keyObject(key), { algorithm: ALGORITHM, audience: AUDIENCE, keyid: key.kid });
}

/**
 * Verifies an access token.
 * Throws UNAUTHENTICATED for anything that is not exactly a token this server signed and that has not expired.
 */
export function verifyToken(keys: readonly JwtKey[], token: string): SessionGrant {
  const kid = token.length > MAX_TOKEN_LENGTH ? undefined : readKeyId(token);
  const key = keys.find((candidate) => candidate.kid === kid);
  if (!key) throw refusal('UNAUTHENTICATED');
  let body: unknown;
  try {
    body = jwt.verify(token, keyObject(key), { algorithms: [ALGORITHM], audience: AUDIENCE });
  } catch {
    throw refusal('UNAUTHENTICATED');
  }
  const { sid, sec, role, exp } = body as Record<string, unknown>;
  const complete = typeof sid === 'string' && typeof sec === 'string' && typeof exp === 'number';
  if (!complete || !ACCOUNT_ROLES.includes(role as AccountRole)) throw refusal('UNAUTHENTICATED');
  return { sessionId: sid, sessionSecret: sec, role: role as AccountRole, expiresAt: new Date(exp * 1000) };
}

/** The identity behind a token, or the anonymous one without a token. */
export function identify(
  keys: readonly JwtKey[],
  token: string | undefined,
  request: { id: string; address: string },
): Identity {
  const grant = token === undefined ? undefined : verifyToken(keys, token);
  return { claims: claimsOf(grant, request), expiresAt: grant?.expiresAt };
}

/** The token of an `Authorization: Bearer` header; undefined without a header, refused when it is another kind. */
export function bearerToken(header: unknown): string | undefined {
  if (header === undefined || header === null || header === '') return undefined;
  const match = typeof header === 'string' ? /^Bearer +(\S+)$/i.exec(header) : null;
  if (!match) throw refusal('UNAUTHENTICATED');
  return match[1];
}

/** The address of the client; behind a trusted proxy the last hop that proxy added. */
export function clientAddress(req: IncomingMessage, trustProxy: boolean): string {
  const hops = trustProxy ? String(req.headers['x-forwarded-for'] ?? '').split(',') : [];
  const address = hops.at(-1)?.trim() || (req.socket.remoteAddress ?? '');
  return isIP(address) ? address.replace(/^::ffff:(?=\d+\.)/i, '') : '';
}

const keyObjects = new WeakMap<JwtKey, KeyObject>();

/** Handed a text, jsonwebtoken tries each time to read a public key from it first: three times the cost of verifying. */
function keyObject(key: JwtKey): KeyObject {
  const known = keyObjects.get(key);
  if (known) return known;
  const made = createSecretKey(Buffer.from(key.secret));
  keyObjects.set(key, made);
  return made;
}

function readKeyId(token: string): string | undefined {
  try {
    return jwt.decode(token, { complete: true })?.header.kid;
  } catch {
    return undefined;
  }
}
