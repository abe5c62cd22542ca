import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import { readAuditKey } from '../cluster/audit-key.ts';
import { readSecrets } from '../cluster/secrets.ts';
import type { Settings } from '../settings.ts';
import { CannotLook } from './cannot-look.ts';
import type { Finding, Look } from './check.ts';

/** The files of this machine that hold a password or a key, as far as there are any. */
export function secretFiles({ home, auditKeyFile, backup, tlsFiles }: Settings): string[] {
  const keys = path.join(home, 'keys');
  const named = [path.join(home, 'secrets.json'), auditKeyFile, backup.keyFile, tlsFiles?.key].filter((file) => file !== undefined);
  const inHome = existsSync(keys) ? readdirSync(keys).map((name) => path.join(keys, name)) : [];
  return [...new Set([...named, ...inHome])].filter((file) => existsSync(file));
}

/** Finds secrets that others than their owner may read or write; a group may have its reason, such as PostgreSQL's own. */
export async function lookAtSecrets({ settings }: Pick<Look, 'settings'>): Promise<Finding[]> {
  if (process.platform === 'win32') throw new CannotLook('Windows keeps rights of files that Node does not show');
  return secretFiles(settings)
    .map((file) => ({ file, mode: statSync(file).mode & 0o777 }))
    .filter(({ mode }) => (mode & 0o077) !== 0)
    .map(({ file, mode }) => ({
      severity: (mode & 0o007) === 0 ? 'notice' : 'critical',
      problem: `${file} may be read by ${(mode & 0o007) === 0 ? 'its group' : 'everybody'} (mode ${mode.toString(8)}).`,
      remedy: `chmod 600 ${file}; and since it may have been read, docs/runbooks says how to change what is in it`,
    }));
}

/** Fewer different characters than chance would ever give: somebody typed it. */
function isWeak(secret: string, least: number): boolean {
  return new Set(secret).size < least;
}

/** Finds keys that somebody thought up. */
export async function lookAtKeys({ settings }: Pick<Look, 'settings'>): Promise<Finding[]> {
  const findings: Finding[] = [];
  const secrets = path.join(settings.home, 'secrets.json');
  const weakTokens = existsSync(secrets) ? readSecrets(settings).jwtKeys.filter(({ secret }) => isWeak(secret, 16)) : [];
  for (const { kid } of weakTokens) {
    findings.push({
      problem: `The key ${kid}, which signs access tokens, can be guessed.`,
      remedy: `Put a random one before it into jwtKeys of ${secrets} (openssl rand -base64 32), and take it out after an hour`,
    });
  }
  const hasAuditKey = settings.auditKeyFile !== undefined || existsSync(path.join(settings.home, 'keys', 'audit.conf'));
  if (hasAuditKey && isWeak(readAuditKey(settings), 8)) {
    findings.push({
      problem: 'The key of the audit can be guessed.',
      remedy: 'A new hospital begins with openssl rand -hex 32; of an old one, docs/runbooks says how keys are changed',
    });
  }
  return findings;
}

/** Judges the room on a disk, in bytes. A twentieth of a large disk is still plenty. */
export function judgeRoom(folder: string, free: number, total: number): Finding[] {
  if (free >= 2e9 && (free >= 20e9 || free >= 0.05 * total)) return [];
  return [
    {
      severity: free < 2e9 ? 'critical' : 'warning',
      problem: `${folder} has ${(free / 1e9).toFixed(1)} GB of ${(total / 1e9).toFixed(1)} GB left.`,
      remedy: 'Make room before PostgreSQL stops: infirmary backup prune, old logs; docs/runbooks has the rest',
    },
  ];
}

/** Finds a disk that is nearly full, where the data lie on this machine. */
export async function lookAtRoom({ monitor, server }: Look): Promise<Finding[]> {
  const { rows } = await monitor.query<{ folder: string }>(`select current_setting('data_directory') as folder`);
  const { folder } = rows[0]!;
  const { hostname } = new URL(server.url('hospital_monitor'));
  if (!['localhost', '127.0.0.1', '[::1]'].includes(hostname) || !existsSync(folder)) {
    throw new CannotLook('the data are on another machine');
  }
  const { bavail, blocks, bsize } = statfsSync(folder);
  return judgeRoom(folder, bavail * bsize, blocks * bsize);
}
