import type { Pool } from 'pg';
import { logEvent } from './log.ts';
import type { EventSource } from './subscriptions.ts';
import { asCaller } from './transaction.ts';

/** Milliseconds between two looks for news: while somebody listens, and otherwise, so that none pile up. */
const PAUSE = { watched: 100, unwatched: 5_000 };
/** As many as the database passes on at a time; then there may be more. */
const BATCH = 1_000;

/** Passes news of the database on to live subscribers, in this process and in every other that listens. */
export interface Relay {
  /** Passes on what is old news to whoever comes now, and looks often until what it returns is called. */
  watch(): Promise<() => void>;
  /** Resolves when the last look is over. */
  stop(): Promise<void>;
}

/** Starts to look for news, as the caller of the claims, who is nobody. Without the database it tries again. */
export function startRelay(pool: Pool, claims: Readonly<Record<string, string>>): Relay {
  let watchers = 0;
  let stopped = false;
  let wake = (): void => {};

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, watchers > 0 ? PAUSE.watched : PAUSE.unwatched).unref();
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const look = async (): Promise<number> => {
    const { rows } = await asCaller(pool, claims, (client) =>
      client.query<{ told: string }>('select hospital_private.relay_live_events() as told'),
    );
    return Number(rows[0]!.told);
  };
  const drain = async (): Promise<void> => {
    while (!stopped && (await look()) === BATCH);
  };
  const run = async (): Promise<void> => {
    let failing = false;
    while (!stopped) {
      try {
        await drain();
        failing = false;
      } catch (error) {
        // Once, and not ten times a second.
        if (!failing && !stopped)
          logEvent('error', 'relay_failed', { sqlstate: (error as { code?: string }).code });
        failing = true;
      }
      if (!stopped) await pause();
    }
  };
  const running = run();

  return {
    async watch() {
      await drain();
      watchers += 1;
      wake();
      let watching = true;
      return () => {
        if (watching) watchers -= 1;
        watching = false;
      };
    },
    stop() {
      stopped = true;
      wake();
      return running;
    },
  };
}

/** The same source, whose subscribers keep the relay awake. */
export function relayed(source: EventSource, relay: Relay): EventSource {
  return {
    async subscribe(topic) {
      const unwatch = await relay.watch();
      const events = await source.subscribe(topic);
      const relayedEvents: AsyncIterableIterator<string> = {
        [Symbol.asyncIterator]() {
          return this;
        },
        next: () =>
          events.next().catch((error: unknown) => {
            unwatch();
            throw error;
          }),
        return: async () => {
          unwatch();
          await events.return?.();
          return { done: true, value: undefined };
        },
      };
      return relayedEvents;
    },
  };
}
