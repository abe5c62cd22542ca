import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { messageOf } from '../failure.ts';
import { onShutdown } from '../shutdown.ts';

interface Question {
  number: number;
  method: string;
  argument: unknown;
}

interface Reply {
  number: number;
  value?: unknown;
  error?: string;
}

/** A process of its own, asked by messages: on few cores everybody's CPU time must be told apart. */
export interface Child {
  call<Value>(method: string, argument?: unknown): Promise<Value>;
  stop(): Promise<void>;
}

/** Starts a file of this folder as a child process. */
export function startChild(file: string): Child {
  const child = fork(path.join(import.meta.dirname, file), { env: { ...process.env, GRAPHILE_ENV: 'production' } });
  const waiting = new Map<number, { resolve: (value: any) => void; reject: (error: Error) => void }>();
  let count = 0;
  child.on('message', ({ number, value, error }: Reply) => {
    const asker = waiting.get(number);
    waiting.delete(number);
    if (error === undefined) asker?.resolve(value);
    else asker?.reject(new Error(`${file}: ${error}`));
  });
  const ended = once(child, 'exit').then(() => {
    for (const { reject } of waiting.values()) reject(new Error(`${file} ended while it was asked.`));
  });
  const stop = onShutdown(
    async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
    () => void child.kill('SIGKILL'),
  );
  return {
    call: (method, argument) =>
      new Promise((resolve, reject) => {
        const question: Question = { number: ++count, method, argument };
        waiting.set(question.number, { resolve, reject });
        child.send(question, (error) => error && reject(error));
      }),
    stop,
  };
}

/** In the child: answers the parent's calls, and ends with the parent. */
export function answerCalls(methods: Record<string, (argument: any) => unknown>, close: () => unknown = () => {}): void {
  // A Ctrl-C reaches the parent too, which ends us in order.
  process.on('SIGINT', () => {});
  process.on('message', async ({ number, method, argument }: Question) => {
    const reply = await Promise.resolve()
      .then(() => methods[method]!(argument))
      .then<Reply, Reply>((value) => ({ number, value }), (error: unknown) => ({ number, error: messageOf(error) }));
    if (process.connected) process.send!(reply);
  });
  process.on('disconnect', () => void Promise.resolve(close()).finally(() => process.exit()));
}
