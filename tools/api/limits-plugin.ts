import type { GraphileConfig } from 'graphile-config';
import { GraphQLError, type ExecutionArgs, type ExecutionResult } from 'postgraphile/graphql';
import { refusal } from './errors.ts';
import { checkText, checkVariables, LIMITS } from './limits.ts';
import { checkOperation } from './operation-cost.ts';
import { noteKind, operationKind } from './request.ts';

/** The limits as a plugin; a refusal is an ordinary answer with one coded error. */
export const LimitsPlugin: GraphileConfig.Plugin = {
  name: 'InfirmaryLimitsPlugin',
  version: '1.0.0',
  grafserv: {
    middleware: {
      processGraphQLRequestBody(next, { body }) {
        if (typeof body.query === 'string') checkText(body.query);
        checkVariables(body.variableValues);
        return next();
      },
      onSubscribe(next, { ctx }) {
        const running = Object.keys(ctx.subscriptions).length;
        return running > LIMITS.operationsPerSocket ? [refusedAs(refusal('TOO_MANY_OPERATIONS'))] : next();
      },
    },
  },
  grafast: {
    middleware: {
      // Errors thrown here would lose their code on the way out, so they are returned.
      execute: (next, { args }) => refusedBy(args as ExecutionArgs) ?? next(),
      subscribe: (next, { args }) => refusedBy(args as ExecutionArgs) ?? next(),
    },
  },
};

function refusedBy(args: ExecutionArgs): ExecutionResult | undefined {
  noteKind(operationKind(args.document, args.operationName));
  try {
    checkOperation(args.schema, args.document, args.operationName, args.variableValues ?? {});
    return undefined;
  } catch (error) {
    return { errors: [refusedAs(error as Error)] };
  }
}

function refusedAs(error: Error): GraphQLError {
  return new GraphQLError('Refused', { originalError: error });
}
