import type { Command } from 'commander';
import { describe, UsageError } from '../failure.ts';
import type { Node } from '../relay/primary.ts';
import { openRelay } from '../relay/relay.ts';
import { readSettings } from '../settings.ts';
import { onShutdown, requestStop, stopOnSignals, whenParentEnds } from '../shutdown.ts';
import { say } from '../terminal.ts';

export function register(program: Command): void {
  program
    .command('relay')
    .description('one address that leads to whichever of several servers takes writes (docs/failover.md)')
    .requiredOption('--nodes <host:port,…>', 'the servers')
    .option('--listen <host:port>', 'where to be reached', '127.0.0.1:6432')
    .action(async ({ nodes, listen }: { nodes: string; listen: string }) => {
      const { monitorUrl } = readSettings();
      if (!monitorUrl) throw new UsageError('Nobody may ask the servers.', 'Set MONITOR_URL to the URL of hospital_monitor.');
      const relay = await openRelay({ nodes: nodes.split(',').map(parse), url: monitorUrl, listen: parse(listen), tell: say });
      const report = (error: unknown): void => say(describe(error));
      onShutdown(relay.close);
      stopOnSignals(report, 0);
      whenParentEnds(() => requestStop(report, 0));
      say(`Listening on ${listen}.`);
      // Until a signal, or the end of the parent, closes it and exits.
      await new Promise(() => {});
    });
}

function parse(text: string): Node {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:]+)\]|([^\s:/]+)):(\d{1,5})$/i.exec(text.trim()) ?? [];
  const host = bracketed ?? plain;
  if (host && Number(port) <= 65535) return { host, port: Number(port) };
  throw new UsageError(`"${text}" is not a host and a port.`, 'Such as db-1.example:5432, or [fd00::1]:5432.');
}
