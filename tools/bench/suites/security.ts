import { compareAudit } from '../security/audit.ts';
import { compareRowSecurity } from '../security/row-security.ts';
import type { Suite } from '../suite.ts';

export const security: Suite = {
  name: 'security',
  about:
    "A doctor's and a patient's questions under row security, against the same rows asked for by the owner without it; " +
    'what the record of changes adds to writing, against no record and against a trigger for each row.',
  async run(bench) {
    await compareRowSecurity(bench);
    await compareAudit(bench);
  },
};
