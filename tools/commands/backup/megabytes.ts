import type { Manifest } from '../../backup/repository.ts';

/** How large a backup is, or how large in the repository. */
export function megabytes({ archives }: Manifest, which: 'bytes' | 'storedBytes'): string {
  return (archives.reduce((sum, archive) => sum + archive[which], 0) / 1e6).toFixed(1);
}
