import type { SessionGrant } from './identity.ts';

/** Milliseconds; sent with the claims, so that it holds however the login role was configured. */
const STATEMENT_TIMEOUT = '10000';

/** How the API's connections are called in pg_stat_activity, before the id of the request they work on. */
export const APPLICATION_NAME = 'infirmary-api';

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
    // Where a DBA who looks at a slow or waiting statement finds the request that sent it.
    application_name: `${APPLICATION_NAME} ${request.id}`.trim(),
    statement_timeout: STATEMENT_TIMEOUT,
  };
}
