import type { Command } from 'commander';
import { acquireServer, passwordsOf } from '../cluster/server.ts';
import { applyRoles, type RolesReport } from '../migrate/roles.ts';
import { readSettings, type Settings } from '../settings.ts';
import { print, say } from '../terminal.ts';

export function register(program: Command): void {
  program
    .command('roles')
    .description("the cluster's database roles")
    .command('apply')
    .description('create or correct every role, its memberships and settings; safe to repeat')
    .option('--json', '{"changed": […], "kept": […], "remaining": […]}')
    .action(async ({ json }: { json?: boolean }) => {
      const report = await work(readSettings());
      if (json) return print(JSON.stringify(report));
      for (const line of report.changed) say(line);
      for (const line of report.kept) say(`Left alone: ${line}`);
      for (const line of report.remaining) say(`Remaining: ${line}`);
      if (report.changed.length === 0) say('Every role is as it should be.');
    });
}

/** Applies the roles to the server, with the passwords that this installation uses to log in. */
export async function work(settings: Settings): Promise<RolesReport> {
  const server = await acquireServer(settings);
  try {
    return await applyRoles(server.url('postgres'), passwordsOf(server));
  } finally {
    await server.release();
  }
}
