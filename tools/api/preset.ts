import type { GraphileConfig } from 'graphile-config';
import type { IncomingMessage } from 'node:http';
import type { Pool } from 'pg';
import type {} from 'postgraphile';
import type {} from 'postgraphile/grafserv/node';
import { makePgService } from 'postgraphile/adaptors/pg';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { PgSimplifyInflectionPreset } from '@graphile/simplify-inflection';
import { PostGraphileConnectionFilterPreset } from 'postgraphile-plugin-connection-filter';
import { analyticsReplicaPlugin } from './analytics-replica.ts';
import { documentsPlugin } from './documents.ts';
import { maskError } from './errors.ts';
import { bearerToken, clientAddress, identify, type Identity, type JwtKey } from './identity.ts';
import { LimitsPlugin } from './limits-plugin.ts';
import { loginPlugins } from './login.ts';
import { NamingPlugin } from './naming.ts';
import { plainErrorsPlugin } from './plain-errors.ts';
import { identityOf, requestIdOf } from './request.ts';
import { ScalarsPlugin } from './scalars.ts';
import { TagsPlugin } from './tags.ts';
import { freeTimeEvents, ownEvents, SubscriptionPlugin, type EventSource } from './subscriptions.ts';

/** Bytes of a request's body, or of a message on a websocket. */
export const MAX_REQUEST_LENGTH = 100_000;

export interface PresetOptions {
  /** Connections as hospital_authenticator. */
  pool: Pool;
  /** Connections to a standby for analytics, likewise; without them the same as all else. */
  analyticsPool?: Pool;
  jwtKeys: readonly JwtKey[];
  environment: 'production' | 'development';
  /** The documents answered by id; the only ones answered when `onlyDocuments`. */
  documents: ReadonlyMap<string, string>;
  onlyDocuments: boolean;
  trustProxy: boolean;
  /** The news for subscribers, who hear nothing without it. */
  events?: EventSource;
}

const FILTERS = [
  'isNull',
  'equalTo',
  'notEqualTo',
  'in',
  'lessThan',
  'lessThanOrEqualTo',
  'greaterThan',
  'greaterThanOrEqualTo',
  'startsWithInsensitive',
  'includesInsensitive',
];

/** Everything PostGraphile is told: which schemas, which shapes, who is asking, and how errors leave. */
export function makePreset(options: PresetOptions): GraphileConfig.Preset {
  const { pool, analyticsPool, jwtKeys, environment, events } = options;

  /** Over HTTP the server has verified the token already; a websocket brings its own when it subscribes. */
  const whoAsks = (
    req: IncomingMessage | undefined,
    connectionParams?: Record<string, unknown>,
  ): Identity => {
    const authorization = connectionParams?.['authorization'] ?? connectionParams?.['Authorization'];
    const token = bearerToken(authorization);
    const known = req && token === undefined ? identityOf(req) : undefined;
    if (known) return known;
    const address = req ? clientAddress(req, options.trustProxy) : '';
    return identify(jwtKeys, token, { id: req ? requestIdOf(req) : '', address });
  };

  return {
    extends: [PostGraphileAmberPreset, PgSimplifyInflectionPreset, PostGraphileConnectionFilterPreset],
    plugins: [
      NamingPlugin,
      TagsPlugin,
      ScalarsPlugin,
      ...loginPlugins(jwtKeys),
      SubscriptionPlugin,
      documentsPlugin(options.documents, { only: options.onlyDocuments }),
      LimitsPlugin,
      ...(analyticsPool ? [analyticsReplicaPlugin(pool, analyticsPool)] : []),
      plainErrorsPlugin({ introspection: environment === 'development' }),
    ],
    disablePlugins: [
      // Filters through relations would let a client probe rows by what hangs off them, at any cost.
      'PgConnectionArgFilterForwardRelationsPlugin',
      'PgConnectionArgFilterBackwardRelationsPlugin',
      // `filter` says everything `condition` says.
      'PgConditionArgumentPlugin',
      // One identifier per row, its key as `id`: no second, opaque one, and no way back to Query from a payload.
      'NodePlugin',
      'AddNodeInterfaceToSuitableTypesPlugin',
      'RegisterQueryNodePlugin',
      'PgTableNodePlugin',
      'PgNodeIdAttributesPlugin',
      'PgMutationPayloadEdgePlugin',
      'MutationPayloadQueryPlugin',
      'QueryQueryPlugin',
    ],
    // What is listened to is not PostGraphile's: see `events`.
    pgServices: [makePgService({ pool, schemas: ['hospital', 'analytics'], pubsub: false })],
    gather: { pgStrictFunctions: true },
    schema: {
      defaultBehavior: '-resource:insert -resource:update -resource:delete',
      dontSwallowErrors: true,
      sortExport: true,
      pgForbidSetofFunctionsToReturnNull: true,
      connectionFilterComputedColumns: false,
      connectionFilterSetofFunctions: false,
      connectionFilterArrays: false,
      // An empty filter filters nothing: every interface with a search box sends one.
      connectionFilterAllowNullInput: true,
      connectionFilterAllowEmptyObjectInput: true,
      connectionFilterAllowedOperators: FILTERS,
    },
    grafast: {
      timeouts: { planning: 1000, execution: 10_000 },
      maxPlanningDepth: 60,
      context(ctx) {
        const identity = ctx.ws
          ? whoAsks(ctx.ws.request, ctx.ws.connectionParams as Record<string, unknown> | undefined)
          : whoAsks(ctx.node?.req);
        return {
          pgSettings: identity.claims,
          ownEvents: events && ownEvents(events, pool, identity),
          freeTimeEvents: events && freeTimeEvents(events, pool, identity),
        };
      },
    },
    grafserv: {
      graphqlPath: '/graphql',
      graphqlOverGET: false,
      graphiql: environment === 'development',
      graphiqlPath: '/ruru',
      graphiqlOnGraphQLGET: false,
      // server.ts makes the websockets.
      websockets: false,
      maxRequestLength: MAX_REQUEST_LENGTH,
      maskError,
    },
  };
}
