import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * PostgreSQL's stored form of a password (RFC 5803): computed here, the password itself never travels
 * to the server in an `alter role` and so never into its log.
 */
export function scramVerifier(password: string, salt = randomBytes(16), iterations = 4096): string {
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, 32, 'sha256');
  const hmac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return (
    `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}` +
    `$${storedKey}:${hmac('Server Key').toString('base64')}`
  );
}

/** Whether `verifier` was made of this password: setting it again would change nothing. */
export function matchesVerifier(password: string, verifier: string | null): boolean {
  const parts = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(verifier ?? '');
  if (!parts) return false;
  const again = scramVerifier(password, Buffer.from(parts[2]!, 'base64'), Number(parts[1]));
  return again.length === verifier!.length && timingSafeEqual(Buffer.from(again), Buffer.from(verifier!));
}
