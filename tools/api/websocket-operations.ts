import type { IncomingMessage } from 'node:http';
import type { makeGraphQLWSConfig } from 'postgraphile/grafserv';
import { operationKind, requestIdOf, withRequest, type RequestState } from './request.ts';

/** Is told of each operation when it has been answered; of a subscription when it has been set up. */
export type Answered = (operation: RequestState, milliseconds: number) => void;

type Given = ReturnType<typeof makeGraphQLWSConfig>;
type Hooks = Required<Given>;
type Context = Parameters<Hooks['onSubscribe']>[0];

/**
 * The library's own hooks, and around them what is known of each operation: all on one websocket carry the id of
 * the request that opened it.
 */
export function measureOperations(given: Given, answered: Answered): { hooks: object; operations: () => number } {
  const hooks = given as Hooks;
  const contexts = new Set<Context>();
  // By the message that asked: the library hands the same object to every hook.
  const running = new WeakMap<object, RequestState & { began: number }>();
  const finish = (payload: object): void => {
    const operation = running.get(payload);
    if (!operation) return;
    running.delete(payload);
    answered(operation, performance.now() - operation.began);
  };
  const within = <T>(payload: object, work: () => T): T => {
    const operation = running.get(payload);
    return operation ? withRequest(operation, work) : work();
  };
  const own = {
    onConnect: (context: Context) => void contexts.add(context),
    onClose: (context: Context) => void contexts.delete(context),
    onSubscribe: async (context: Context, id: string, payload: Parameters<Hooks['onSubscribe']>[2]) => {
      const { request } = context.extra as { request: IncomingMessage };
      running.set(payload, { id: requestIdOf(request), kind: 'unreadable', began: performance.now() });
      const args = await within(payload, () => hooks.onSubscribe(context, id, payload));
      if (args && 'document' in args) running.get(payload)!.kind = operationKind(args.document, args.operationName);
      return args;
    },
    onOperation: (_context: Context, _id: string, payload: object, _args: object, result: object) => {
      if (Symbol.asyncIterator in result) finish(payload);
    },
    onNext: (...parameters: Parameters<Hooks['onNext']>) => within(parameters[2], () => hooks.onNext(...parameters)),
    onError: (...parameters: Parameters<Hooks['onError']>) => {
      const errors = within(parameters[2], () => hooks.onError(...parameters));
      finish(parameters[2]);
      return errors;
    },
    onComplete: (_context: Context, _id: string, payload: object) => finish(payload),
  };
  return {
    hooks: { ...hooks, ...own },
    operations: () => [...contexts].reduce((sum, { subscriptions }) => sum + Object.keys(subscriptions).length, 0),
  };
}
