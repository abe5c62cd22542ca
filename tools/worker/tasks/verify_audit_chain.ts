import { callJob, type Job } from '../job.ts';

const hour = 60 * 60_000;

/** Verifies the whole audit once a night. What it finds does not mend itself, so it is not tried again. */
export const verifyAuditChain: Job = {
  name: 'verify_audit_chain',
  schedule: '17 2 * * *',
  catchUp: 12 * hour,
  maxAttempts: 1,
  work: (client) => callJob(client, 'ops.verify_audit_chain'),
};
