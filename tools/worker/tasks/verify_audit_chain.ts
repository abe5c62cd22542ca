import { callJob, type Job } from '../job.ts';

const hour = 60 * 60_000;

/** Verifies the whole audit once a night. What it finds does not mend itself; a worker may die at it, though. */
export const verifyAuditChain: Job = {
  name: 'verify_audit_chain',
  schedule: '17 2 * * *',
  catchUp: 12 * hour,
  maxAttempts: 3,
  work: (client) => callJob(client, 'ops.verify_audit_chain'),
};
