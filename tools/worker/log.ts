import { Logger } from 'graphile-worker';
import { logEvent } from '../api/log.ts';

/** Speaks only of what went wrong; what went well is in ops.job_runs. The first line, without a stack. */
export function quietLogger(): Logger {
  return new Logger(() => (level, message) => {
    if (!['error', 'warning'].includes(String(level))) return;
    logEvent('error', 'worker', { message: message.split(/:?\n/, 1)[0] });
  });
}
