import type { Command } from 'commander';
import { acquireServer } from '../cluster/server.ts';
import { UsageError } from '../failure.ts';
import { readSettings } from '../settings.ts';
import {
  createSubscriber,
  dropSubscriber,
  refreshSubscriber,
  statusOfSubscriber,
  type Subscription,
} from '../subscriber/subscriber.ts';
import { print, say } from '../terminal.ts';

type Named = { name: string };

export function register(program: Command): void {
  const command = program
    .command('subscriber')
    .description('a second server that holds what the warehouse is made of, seconds behind');
  const subcommand = (name: string, description: string): Command =>
    command
      .command(name)
      .description(description)
      .option('--name <name>', 'what the subscription and its slot are called', 'infirmary_warehouse');
  subcommand('create', 'make the tables in SUBSCRIBER_URL, copy them, and follow').action(({ name }: Named) =>
    withBoth(name, async (subscription) => {
      await createSubscriber(subscription);
      say('All tables are copied, and followed from now on.');
    }),
  );
  subcommand('status', 'how far it is, and how far behind, as one line of JSON').action(({ name }: Named) =>
    withBoth(name, async (subscription) => print(JSON.stringify(await statusOfSubscriber(subscription)))),
  );
  subcommand('refresh', 'after a change of what is published: copy anew what differs').action(({ name }: Named) =>
    withBoth(name, async (subscription) => {
      const changed = await refreshSubscriber(subscription);
      say(changed.length > 0 ? `Made anew or removed: ${changed.join(', ')}.` : 'Nothing differed.');
    }),
  );
  subcommand('drop', 'end the subscription and remove its slot; the tables stay')
    .option('--erase', 'drop the copied tables too')
    .option('--leave-slot', 'when the publisher is gone for good')
    .action(async ({ name, ...options }: Named & { erase?: boolean; leaveSlot?: boolean }) => {
      await dropSubscriber({ subscriber: subscriberUrl(), name }, options);
      say('The subscription has ended.');
      if (options.leaveSlot) say(`At the publisher, if it lives: select pg_drop_replication_slot('${name}')`);
    });
}

async function withBoth(name: string, work: (subscription: Subscription) => Promise<void>): Promise<void> {
  const subscriber = subscriberUrl();
  const settings = readSettings();
  const server = await acquireServer(settings);
  try {
    await work({ publisher: settings.publisherUrl ?? server.url('hospital_backup'), subscriber, name });
  } finally {
    await server.release();
  }
}

function subscriberUrl(): string {
  const { subscriberUrl: url } = readSettings();
  if (url) return url;
  throw new UsageError(
    'No second server is named.',
    'Set SUBSCRIBER_URL to a database of its own there, as a superuser: postgres://postgres:…@analytics.example/warehouse',
  );
}
