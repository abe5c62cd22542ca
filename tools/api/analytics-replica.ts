import type { GraphileConfig } from 'graphile-config';
import type { Pool } from 'pg';
import { createWithPgClient } from 'postgraphile/adaptors/pg';
import {
  GraphQLError,
  Kind,
  type ExecutionArgs,
  type FragmentDefinitionNode,
  type SelectionSetNode,
} from 'postgraphile/graphql';
import { refusal } from './errors.ts';
import { asCaller } from './transaction.ts';

type Claims = Readonly<Record<string, string>>;

/**
 * Answers operations that ask for nothing but analytics from a standby. Everything else, and every mutation,
 * goes to the primary.
 *
 * A standby is a moment behind, with sessions too. So the primary is asked whether the session lives: who has
 * logged out is out at once, there as here. A session so new that the standby has not heard of it is answered
 * by the primary. When the standby cannot be reached the answer is an error: analytics were sent away from the
 * primary to keep them off it, and would come back all at once.
 */
export function analyticsReplicaPlugin(primary: Pool, replica: Pool): GraphileConfig.Plugin {
  const withPgClient = createWithPgClient({ pool: replica });
  return {
    name: 'InfirmaryAnalyticsReplicaPlugin',
    version: '1.0.0',
    schema: {
      hooks: {
        GraphQLObjectType_fields_field(field, _build, { scope: { isRootQuery, pgFieldResource } }) {
          if (!isRootQuery || pgFieldResource?.extensions?.pg?.schemaName !== 'analytics') return field;
          return { ...field, extensions: { ...field.extensions, isAnalytics: true } };
        },
      },
    },
    grafast: {
      middleware: {
        async execute(next, event) {
          const args = event.args as ExecutionArgs;
          if (!asksForAnalyticsOnly(args)) return next();
          const context = args.contextValue as { pgSettings: Claims; withPgClient: unknown };
          // Whoever is nobody, or of a role that analytics are not for, is told so by the primary.
          if (!(await isAlive(primary, context.pgSettings).catch(() => false))) return next();
          try {
            if (await isAlive(replica, context.pgSettings)) context.withPgClient = await withPgClient;
          } catch {
            const originalError = refusal('ANALYTICS_UNAVAILABLE');
            return { errors: [new GraphQLError('Refused', { originalError })] };
          }
          return next();
        },
      },
    },
  };
}

/** Whether a server knows the session behind the claims as a live one, in its role. */
async function isAlive(pool: Pool, claims: Claims): Promise<boolean> {
  if (!claims['infirmary.session_id']) return false;
  const role = claims.role!.replace(/^hospital_/, '');
  return asCaller(pool, claims, async (client) => {
    const question = 'select hospital_private.session_has_role($1) as alive';
    return (await client.query<{ alive: boolean }>(question, [role])).rows[0]!.alive;
  });
}

function asksForAnalyticsOnly({ schema, document, operationName }: ExecutionArgs): boolean {
  const operation = document.definitions.find(
    (node) => node.kind === Kind.OPERATION_DEFINITION && (!operationName || node.name?.value === operationName),
  );
  if (operation?.kind !== Kind.OPERATION_DEFINITION || operation.operation !== 'query') return false;
  const fields = schema.getQueryType()!.getFields();
  const fragments = new Map(
    document.definitions
      .filter((node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION)
      .map((node) => [node.name.value, node]),
  );
  const isAnalytics = ({ selections }: SelectionSetNode): boolean =>
    selections.every((node) => {
      if (node.kind === Kind.FIELD) {
        return node.name.value === '__typename' || fields[node.name.value]?.extensions['isAnalytics'] === true;
      }
      const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
      return fragment !== undefined && isAnalytics(fragment.selectionSet);
    });
  return isAnalytics(operation.selectionSet);
}
