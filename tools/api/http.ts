import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { API_ERRORS, type ApiErrorCode, type ErrorEntry } from './error-register.ts';
import { refusal } from './errors.ts';
import { noteCode } from './request.ts';

const MAX_BODY = 10_000;

/** Headers of every answer. Ruru, in development, is the only page with scripts of its own. */
export function securityHeaders(options: { secure: boolean; isPage?: boolean }): Record<string, string> {
  return {
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    ...(options.secure && { 'Strict-Transport-Security': 'max-age=63072000; includeSubDomains' }),
    ...(!options.isPage && {
      'Content-Security-Policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'Cache-Control': 'no-store',
    }),
  };
}

/** Answers on a connection that never became a request, or that wants to be more than one, and closes it. */
export function refuseConnection(socket: Duplex, status: number, code: ApiErrorCode, secure: boolean): void {
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify({ errors: [{ message: API_ERRORS[code], extensions: { code } }] });
  const headers = {
    ...securityHeaders({ secure }),
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'));
}

/** Answers with JSON. */
export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  res.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  });
  res.end(text);
}

/** Answers with an error in the shape GraphQL errors have, so that clients read one kind only. */
export function sendError(res: ServerResponse, status: number, error: ApiErrorCode | ErrorEntry): void {
  const { code, message } = typeof error === 'string' ? { code: error, message: API_ERRORS[error] } : error;
  noteCode(code);
  const requestId = res.getHeader('X-Request-Id');
  sendJson(res, status, { errors: [{ message, extensions: { code, requestId } }] });
}

/** JSON in UTF-8, the only encoding it has, and not compressed: nothing small unfolds into something large. */
export function isPlainJson({ headers }: IncomingMessage): boolean {
  const isJson = /^application\/json\s*(;\s*charset="?utf-?8"?\s*)?$/i.test(headers['content-type'] ?? '');
  return isJson && (headers['content-encoding'] ?? 'identity') === 'identity';
}

/** Reads a small JSON object. Throws BAD_REQUEST for another content type, too much of it, or anything else. */
export async function readJson(req: IncomingMessage): Promise<Record<string, unknown>> {
  if (!isPlainJson(req)) throw refusal('BAD_REQUEST');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY) throw refusal('BAD_REQUEST');
    chunks.push(chunk);
  }
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (typeof body === 'object' && body !== null && !Array.isArray(body))
      return body as Record<string, unknown>;
  } catch {
    // Falls through to the one refusal for everything unreadable.
  }
  throw refusal('BAD_REQUEST');
}

/**
 * Whether a request comes from our own pages, or from no page at all. Browsers state the origin of whatever another
 * site makes them send; compared by host, because TLS may end in front of us.
 */
export function isSameOrigin(req: IncomingMessage): boolean {
  const site = req.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  const origin = req.headers.origin;
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === req.headers.host;
}

/** Whether the client's own connection is encrypted: ours, or the trusted proxy's. */
export function isEncrypted(req: IncomingMessage, trustProxy: boolean): boolean {
  if ('encrypted' in req.socket && req.socket.encrypted) return true;
  return trustProxy && req.headers['x-forwarded-proto'] === 'https';
}
