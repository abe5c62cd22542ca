import type { IncomingMessage, ServerResponse } from 'node:http';
import { refusal } from './errors.ts';
import { isSameOrigin } from './http.ts';

/** The two tokens of a browser's session. */
export interface SessionCookies {
  access: string | undefined;
  refresh: string | undefined;
}

/** The tokens a browser sends along. */
export function readSessionCookies(req: IncomingMessage, secure: boolean): SessionCookies {
  const cookies = readCookies(req);
  const names = cookieNames(secure);
  return { access: cookies.get(names.access), refresh: cookies.get(names.refresh) };
}

/** The access token a browser sends along; refused when another site made it do so. */
export function cookieToken(req: IncomingMessage, secure: boolean): string | undefined {
  const { access } = readSessionCookies(req, secure);
  if (access !== undefined && !isSameOrigin(req)) throw refusal('ORIGIN_REFUSED');
  return access;
}

/** Gives a browser its tokens; the access token's cookie lives as long as the token, in seconds. */
export function setSessionCookies(
  res: ServerResponse,
  secure: boolean,
  tokens: { access: string; refresh: string; seconds: number },
): void {
  const names = cookieNames(secure);
  res.setHeader('Set-Cookie', [
    cookie(names.access, tokens.access, '/', secure, `; Max-Age=${tokens.seconds}`),
    cookie(names.refresh, tokens.refresh, '/session', secure),
  ]);
}

/** Takes a browser's tokens away. */
export function clearSessionCookies(res: ServerResponse, secure: boolean): void {
  const names = cookieNames(secure);
  res.setHeader('Set-Cookie', [
    cookie(names.access, '', '/', secure, '; Max-Age=0'),
    cookie(names.refresh, '', '/session', secure, '; Max-Age=0'),
  ]);
}

/** The prefixes make browsers refuse these cookies from a neighbouring host or an unencrypted page. */
function cookieNames(secure: boolean): { access: string; refresh: string } {
  return secure
    ? { access: '__Host-infirmary', refresh: '__Secure-infirmary-refresh' }
    : { access: 'infirmary', refresh: 'infirmary-refresh' };
}

function cookie(name: string, value: string, path: string, secure: boolean, rest = ''): string {
  return `${name}=${value}; Path=${path}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}${rest}`;
}

/** The first cookie of a name counts. */
function readCookies(req: IncomingMessage): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const part of (req.headers.cookie ?? '').split(';')) {
    const at = part.indexOf('=');
    const name = part.slice(0, at).trim();
    if (at > 0 && !cookies.has(name)) cookies.set(name, part.slice(at + 1).trim());
  }
  return cookies;
}
