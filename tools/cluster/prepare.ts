import { prepareDatabase } from '../migrate/database.ts';
import { applyRoles } from '../migrate/roles.ts';
import { migrate } from '../migrate/run.ts';
import { say } from '../terminal.ts';
import { provideAuditKey } from './audit-key.ts';
import { passwordsOf, type Server } from './server.ts';
import { provideStatementStatistics } from './statement-statistics.ts';

/**
 * Brings a server to where the hospital can open: its roles, its database, its migrations, the worker's
 * queue. What is there already stays. Without the right to manage roles, that part is taken to be the
 * DBA's, and done.
 */
export async function prepareHospital(server: Server, database: string): Promise<void> {
  if (server.managesRoles) {
    await applyRoles(server.url('postgres'), passwordsOf(server));
    await prepareDatabase(server, database);
    await provideAuditKey(server, database);
    await provideStatementStatistics(server, database);
  }
  const ownerUrl = server.url('hospital_owner', database);
  await migrate(ownerUrl, (line) => say(`Migrations: ${line}`));
  const { installWorker } = await import('../worker/install.ts');
  await installWorker(ownerUrl, server.url('hospital_worker', database));
}
