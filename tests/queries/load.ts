import { readFileSync } from 'node:fs';
import { withClient } from '../../tools/database.ts';
import type { TestDatabase } from '../support/database.ts';
export async function loadWarehouse(database: TestDatabase): Promise<void> {
  await withClient(database.url('hospital_owner'), (client) => client.query(readFileSync('/tmp/w/cat-fill.sql', 'utf8')));
}
