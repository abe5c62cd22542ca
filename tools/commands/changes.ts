import type { Command } from 'commander';
import { type LoginRole } from '../cluster/secrets.ts';
import { acquireServer } from '../cluster/server.ts';
import { type Answer, ask, withClient } from '../database.ts';
import { describe, Failure, UsageError } from '../failure.ts';
import { readSettings, type Settings } from '../settings.ts';
import { onShutdown, requestStop, stopOnSignals, whenParentEnds } from '../shutdown.ts';
import { drawTable, print, say } from '../terminal.ts';

export function register(program: Command): void {
  const command = program.command('changes').description('tell other services which rows have changed');
  command
    .command('register <name>')
    .description('a new consumer, which is told of changes from now on')
    .requiredOption('--tables <names>', 'the tables it hears of, with commas between: appointments,visits')
    .option('--reader <role>', 'the database role that reads for it', 'hospital_worker')
    .action(async (name: string, { tables, reader }: { tables: string; reader: string }) => {
      const listed = tables.split(',').map((table) => `hospital.${table.trim().replace(/^hospital\./, '')}`);
      await asked('hospital_owner', 'select ops.register_consumer($1, $2, $3)', [name, listed, reader]);
      say(`"${name}" is told of changes from now on. Let it copy what it needs; what changes meanwhile it will hear.`);
    });
  command
    .command('list')
    .description('every consumer, and how far it is behind')
    .option('--json', 'one line of JSON: [{"consumer", "reader", "waiting", …}]')
    .action(async ({ json }: { json?: boolean }) => {
      const { columns, rows } = await asked('hospital_worker', 'select * from ops.consumer_lags()');
      if (!json) return print(drawTable(columns, rows));
      print(JSON.stringify(rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])))));
    });
  command
    .command('reset <name>')
    .description('let a consumer begin anew from now: it then has to copy everything again')
    .action(async (name: string) => {
      await asked('hospital_owner', 'select ops.reset_consumer($1)', [name]);
      say(`"${name}" begins anew, under a new stream. Let it copy what it needs again.`);
    });
  command
    .command('forget <name>')
    .description('remove a consumer')
    .action(async (name: string) => {
      const sql = 'delete from ops.change_consumers where name = $1';
      if ((await asked('hospital_owner', sql, [name])).count === 0) {
        throw new Failure(`There is no consumer "${name}".`, 'infirmary changes list shows all.');
      }
    });
  command
    .command('publish <name>')
    .description('publish the changes of a consumer to the message broker in MQTT_URL, until stopped')
    .option('--once', 'publish what waits, then end')
    .action(async (name: string, { once }: { once?: boolean }) => {
      if (once) return say(`${await publishOnce(readSettings(), name)} changes were published.`);
      const report = (error: unknown): void => say(describe(error));
      stopOnSignals(report, 0);
      whenParentEnds(() => requestStop(report, 0));
      await publish(readSettings(), name);
    });
}

async function asked(role: LoginRole, sql: string, values?: unknown[]): Promise<Answer> {
  const server = await acquireServer(readSettings());
  try {
    return await withClient(server.url(role), (client) => ask(client, sql, values));
  } finally {
    await server.release();
  }
}

/** Publishes what waits for a consumer, and returns how many messages that were. */
export async function publishOnce(settings: Settings, consumer: string): Promise<number> {
  const broker = brokerOf(settings);
  const { publishOnce: work } = await import('../changes/publish.ts');
  const server = await acquireServer(settings);
  try {
    return await work({ url: server.url('hospital_worker'), consumer, broker });
  } finally {
    await server.release();
  }
}

/** Publishes until a signal comes; what is being sent then is acknowledged first. */
async function publish(settings: Settings, consumer: string): Promise<void> {
  const broker = brokerOf(settings);
  const { publishOn } = await import('../changes/publish.ts');
  const server = await acquireServer(settings);
  onShutdown(() => server.release());
  const stopping = new AbortController();
  const ended = publishOn({ url: server.url('hospital_worker'), consumer, broker }, stopping.signal);
  onShutdown(async () => {
    stopping.abort();
    await ended.catch(() => {});
  });
  say(`The changes of "${consumer}" are published.`);
  await ended;
}

function brokerOf({ broker }: Settings): NonNullable<Settings['broker']> {
  if (broker) return broker;
  throw new UsageError(
    'No message broker is named.',
    'Set MQTT_URL, such as mqtts://user:password@broker.example:8883, and MQTT_CA_FILE for its own authority.',
  );
}
