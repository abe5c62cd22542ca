import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Command } from 'commander';
import { muteLibraries } from '../api/log.ts';
import type { RunningApi } from '../api/server.ts';
import { acquireServer } from '../cluster/server.ts';
import { readSecrets } from '../cluster/secrets.ts';
import { describe, Failure } from '../failure.ts';
import { readSettings, type Settings } from '../settings.ts';
import { onShutdown, requestStop, stopOnSignals, whenParentEnds } from '../shutdown.ts';
import { say } from '../terminal.ts';

export function register(program: Command): void {
  program
    .command('serve')
    .description('serve the GraphQL API until stopped')
    .action(async () => {
      const report = (error: unknown): void => say(describe(error));
      stopOnSignals(report, 0);
      whenParentEnds(() => requestStop(report, 0));
      const { url } = await work(readSettings());
      say(`The API listens on ${url}`);
      // Until a signal, or the end of the parent, stops it.
      await new Promise(() => {});
    });
}

/** Starts the API on the server the settings name; `onShutdown` stops it again, and only then lets the server go. */
export async function work(settings: Settings, env: NodeJS.ProcessEnv = process.env): Promise<RunningApi> {
  const { serve } = await loadApi(settings);
  muteLibraries();
  const server = await acquireServer(settings);
  onShutdown(() => server.release());
  const api = await serve({
    databaseUrl: server.url('hospital_authenticator'),
    ...(settings.subscriptionsUrl && { subscriptionsUrl: settings.subscriptionsUrl }),
    ...(settings.analyticsUrl && { analyticsDatabaseUrl: settings.analyticsUrl }),
    ...(isWatched(settings) && { monitorUrl: server.url('hospital_monitor') }),
    metricsToken: settings.metricsToken,
    jwtKeys: readSecrets(settings).jwtKeys,
    environment: settings.environment,
    port: settings.port,
    nextPortIfTaken: !settings.portIsFixed,
    host: env.INFIRMARY_HOST || undefined,
    tls: settings.tlsFiles && readTls(settings.tlsFiles),
    trustProxy: env.INFIRMARY_TRUST_PROXY === '1',
    allowAnyDocument: env.INFIRMARY_ALLOW_ANY_DOCUMENT === '1' || undefined,
    documentsFolder: env.INFIRMARY_DOCUMENTS || undefined,
    accessLog: env.INFIRMARY_ACCESS_LOG === '1' || settings.environment === 'production',
  });
  onShutdown(() => api.stop());
  return api;
}

/** Whether hospital_monitor's password is known: of a server of which we were only told how the API logs in it is not. */
function isWatched({ databaseUrl, authenticatorUrl, monitorUrl }: Settings): boolean {
  return monitorUrl !== undefined || databaseUrl !== undefined || authenticatorUrl === undefined;
}

/** @throws Failure when a file cannot be read, or the two do not belong together */
function readTls({ cert, key }: { cert: string; key: string }): { cert: string; key: string } {
  try {
    const pair = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
    createSecureContext(pair);
    return pair;
  } catch {
    throw new Failure(
      `The API cannot speak TLS with ${cert} and ${key}.`,
      'TLS_CERT_FILE names the certificate with its chain and TLS_KEY_FILE its key, both in PEM.',
    );
  }
}

/** PostGraphile asks once, when it is loaded, whether this is production; so it is told first. */
async function loadApi({ environment }: Settings): Promise<typeof import('../api/server.ts')> {
  process.env.GRAPHILE_ENV ??= environment;
  return import('../api/server.ts');
}
