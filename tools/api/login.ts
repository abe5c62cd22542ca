import { lambda, sideEffect } from 'postgraphile/grafast';
import { extendSchema, wrapPlans } from 'postgraphile/utils';
import type { GraphileConfig } from 'graphile-config';
import type { ApiErrorCode } from './error-register.ts';
import { refusal } from './errors.ts';
import { signToken, type JwtKey } from './identity.ts';

const GRANTED = 'granted';
const THROTTLED = 'throttled';

/**
 * Logging in through GraphQL: the session's id and secret stay here, the client gets one signed token.
 * A refusal is an error only after the transaction has committed: the count of failed attempts must survive it.
 */
export function loginPlugins(keys: readonly JwtKey[]): GraphileConfig.Plugin[] {
  const accessToken = extendSchema({
    typeDefs: /* GraphQL */ `
      extend type LoginResult {
        """
        The token to send as "Authorization: Bearer …" until expiresAt.
        """
        accessToken: String
      }
    `,
    objects: {
      LoginResult: {
        plans: {
          accessToken($result: any) {
            return lambda(
              [
                $result.get('session_id'),
                $result.get('session_secret'),
                $result.get('role'),
                $result.get('expires_at'),
              ],
              ([sessionId, sessionSecret, role, expiresAt]: readonly any[]) =>
                sessionId === null
                  ? null
                  : signToken(keys, { sessionId, sessionSecret, role, expiresAt: new Date(expiresAt) }),
            );
          },
        },
      },
    },
  });
  const refusals = wrapPlans({
    Mutation: {
      logIn: (plan) => refuseUnlessGranted(plan(), 'LOGIN_REFUSED'),
      refreshSession: (plan) => refuseUnlessGranted(plan(), 'REFRESH_REFUSED'),
    },
  });
  return [accessToken, refusals];
}

function refuseUnlessGranted($payload: any, code: ApiErrorCode): unknown {
  const $outcome = $payload.get('result').get('outcome');
  sideEffect($outcome, (outcome) => {
    if (outcome !== GRANTED) throw refusal(outcome === THROTTLED ? 'TOO_MANY_ATTEMPTS' : code);
  });
  return $payload;
}
