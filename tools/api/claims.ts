import type { SessionGrant } from './identity.ts';

/** Milliseconds; sent with the claims, so that it holds however the login role was configured. */
const STATEMENT_TIMEOUT = '10000';

/**
 * The settings that say who asks, or that nobody in particular does.
 * Every claim is present on every request, '' when absent: a pooled connection must carry nothing over.
 */
export function claimsOf(
  grant: Pick<SessionGrant, 'sessionId' | 'sessionSecret' | 'role'> | undefined,
  request: { id: string; address: string },
): Record<string, string> {
  return {
    role: grant ? `hospital_${grant.role}` : 'hospital_anonymous',
    'infirmary.session_id': grant?.sessionId ?? '',
    'infirmary.session_secret': grant?.sessionSecret ?? '',
    'infirmary.client_address': request.address,
    'infirmary.request_id': request.id,
    statement_timeout: STATEMENT_TIMEOUT,
  };
}
