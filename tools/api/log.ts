/**
 * One line of JSON on stderr per event. Callers pass ids, codes and durations,
 * never values out of a request or a row: logs are read by people who may not read charts.
 */
export function logEvent(level: 'info' | 'error', event: string, fields: Record<string, unknown>): void {
  const line = JSON.stringify({ time: new Date().toISOString(), level, event, ...fields });
  process.stderr.write(`${line}\n`);
}

/**
 * What libraries print for themselves is not theirs to print: an error's text, its query and its parameters, straight
 * to the log. Only that one spoke, and from where, is written down.
 */
export function muteLibraries(): void {
  for (const method of ['log', 'info', 'warn', 'error', 'debug', 'dir', 'trace'] as const) {
    console[method] = () => {
      const [, , from] = (new Error().stack ?? '').split('\n');
      logEvent('error', 'library_spoke', { method, from: from?.trim() });
    };
  }
}
