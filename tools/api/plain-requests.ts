import type { IncomingMessage, ServerResponse } from 'node:http';
import { isPlainJson, sendError } from './http.ts';

/**
 * Whether a request to /graphql may be read at all; where not, it has been answered. JSON by POST is the one form: a
 * page of another site can send forms and plain text without being asked, but JSON only after a preflight that is
 * never granted.
 */
export function isPlainRequest(req: IncomingMessage, res: ServerResponse, maxLength: number): boolean {
  if (req.method !== 'POST') {
    res.setHeader('Allow', 'POST');
    sendError(res, 405, 'METHOD_NOT_ALLOWED');
  } else if (!isPlainJson(req)) {
    sendError(res, 415, 'MEDIA_TYPE_REFUSED');
  } else if (Number(req.headers['content-length'] ?? 0) > maxLength) {
    sendError(res, 413, 'REQUEST_TOO_LARGE');
  } else {
    return true;
  }
  return false;
}
