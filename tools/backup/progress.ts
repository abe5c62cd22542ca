import { showProgress, type Progress } from '../terminal.ts';

const megabyte = 1_000_000;

/** Shows how far a task of so many bytes has come, in whole megabytes. */
export function showBytes(label: string, total: number): Progress {
  const progress = showProgress(`${label}, in MB`, Math.ceil(total / megabyte));
  let bytes = 0;
  return {
    advance: (amount = 0) => {
      const before = Math.round(bytes / megabyte);
      bytes += amount;
      const more = Math.round(bytes / megabyte) - before;
      if (more > 0) progress.advance(more);
    },
    end: () => progress.end(),
  };
}
