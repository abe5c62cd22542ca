import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Pool } from 'pg';
import { clearSessionCookies, readSessionCookies, setSessionCookies } from './cookies.ts';
import { describeError, refusal } from './errors.ts';
import { isSameOrigin, readJson, sendError, sendJson } from './http.ts';
import { identify, signToken, type JwtKey } from './identity.ts';
import { asCaller } from './transaction.ts';

/**
 * The session of a browser, kept in cookies that no script can read and no other site can use:
 *
 *   POST   /session          {"email", "password", "role"?}   logs in
 *   POST   /session/refresh                                   exchanges the refresh token
 *   DELETE /session                                           logs out, at once and everywhere
 *
 * The answers tell the role and the expiry, never a token.
 */
export interface SessionRequest {
  pool: Pool;
  jwtKeys: readonly JwtKey[];
  path: string;
  /** Whether cookies may travel over encrypted connections only. */
  secure: boolean;
  /** The request's id and the client's address, for the database. */
  id: string;
  address: string;
}

interface Grant {
  outcome: string;
  session_id: string;
  session_secret: string;
  refresh_token: string;
  role: string;
  expires_at: Date;
}

const STATUS: Readonly<Record<string, number>> = {
  LOGIN_REFUSED: 401,
  REFRESH_REFUSED: 401,
  ORIGIN_REFUSED: 403,
  METHOD_NOT_ALLOWED: 405,
  INTERNAL_ERROR: 500,
  TOO_MANY_ATTEMPTS: 429,
  UNAVAILABLE: 503,
};

/** Answers a request to /session or /session/refresh. */
export async function handleSession(
  req: IncomingMessage,
  res: ServerResponse,
  request: SessionRequest,
): Promise<void> {
  try {
    if (!isSameOrigin(req)) throw refusal('ORIGIN_REFUSED');
    switch (`${req.method} ${request.path}`) {
      case 'POST /session':
        return sendGrant(res, request, await logIn(req, request));
      case 'POST /session/refresh':
        return sendGrant(res, request, await refresh(req, request));
      case 'DELETE /session':
        await logOut(req, request);
        clearSessionCookies(res, request.secure);
        res.setHeader('Clear-Site-Data', '"cache", "storage"');
        return void res.writeHead(204).end();
      default:
        throw refusal('METHOD_NOT_ALLOWED');
    }
  } catch (error) {
    const answer = describeError(error);
    const status = STATUS[answer.code] ?? 400;
    if (status === 401) clearSessionCookies(res, request.secure);
    sendError(res, status, answer);
  }
}

async function logIn(req: IncomingMessage, request: SessionRequest): Promise<Grant> {
  const { email, password, role = null } = await readJson(req);
  if (typeof email !== 'string' || typeof password !== 'string') throw refusal('BAD_REQUEST');
  const grant = await ask(request, 'select * from hospital.log_in($1, $2, $3)', [email, password, role]);
  if (!grant) throw refusal('LOGIN_REFUSED');
  return grant;
}

async function refresh(req: IncomingMessage, request: SessionRequest): Promise<Grant> {
  const token = readSessionCookies(req, request.secure).refresh;
  const grant = token && (await ask(request, 'select * from hospital.refresh_session($1)', [token]));
  if (!grant) throw refusal('REFRESH_REFUSED');
  return grant;
}

/** Ends the session; when its access token has expired, through the refresh token, which may outlive it by hours. */
async function logOut(req: IncomingMessage, request: SessionRequest): Promise<void> {
  const { access } = readSessionCookies(req, request.secure);
  try {
    const token = access ?? signGrant(request, await refresh(req, request));
    const { claims } = identify(request.jwtKeys, token, request);
    await asCaller(request.pool, claims, (client) => client.query('select hospital.log_out()'));
  } catch (error) {
    // Cookies that open nothing have nothing to close.
    const { code } = describeError(error);
    if (code !== 'UNAUTHENTICATED' && code !== 'REFRESH_REFUSED') throw error;
  }
}

/** Calls a function that grants a session, as nobody in particular. */
async function ask(request: SessionRequest, sql: string, values: unknown[]): Promise<Grant | undefined> {
  const { claims } = identify(request.jwtKeys, undefined, request);
  const { rows } = await asCaller(request.pool, claims, (client) => client.query<Grant>(sql, values));
  if (rows[0]?.outcome === 'throttled') throw refusal('TOO_MANY_ATTEMPTS');
  return rows[0]?.outcome === 'granted' ? rows[0] : undefined;
}

function signGrant({ jwtKeys }: SessionRequest, grant: Grant): string {
  return signToken(jwtKeys, {
    sessionId: grant.session_id,
    sessionSecret: grant.session_secret,
    role: grant.role,
    expiresAt: grant.expires_at,
  });
}

function sendGrant(res: ServerResponse, request: SessionRequest, grant: Grant): void {
  const seconds = Math.max(0, Math.floor((grant.expires_at.getTime() - Date.now()) / 1000));
  const access = signGrant(request, grant);
  setSessionCookies(res, request.secure, { access, refresh: grant.refresh_token, seconds });
  sendJson(res, 200, { role: grant.role, expiresAt: grant.expires_at });
}
