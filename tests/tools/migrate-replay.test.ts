import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withClient } from '../../tools/database.ts';
import { applySources } from '../../tools/migrate/apply.ts';
import { compareCatalogues, readCatalogue } from '../../tools/migrate/catalogue.ts';
import { migrate } from '../../tools/migrate/run.ts';
import { readSources } from '../../tools/migrate/sources.ts';
import { readChange } from '../../tools/migrate/stage.ts';
import { projectFolder } from '../../tools/settings.ts';
import { cloneDatabase, emptyDatabase, type TestDatabase } from '../support/database.ts';

const catalogueOf = (database: TestDatabase): Promise<string[]> =>
  withClient(database.url('hospital_owner'), readCatalogue);

describe('Replay', () => {
  test('All migrations into an empty database, then all living files again, change nothing in the catalogue.', async () => {
    const database = await emptyDatabase();
    const { current, changed } = await readChange(projectFolder);
    await migrate(database.url('hospital_owner'));
    await applySources(database.url('hospital_owner'), [...current, ...changed]);
    const before = await catalogueOf(database);
    assert.ok(before.length > 1000, 'the catalogue has been read');

    await applySources(database.url('hospital_owner'), await readSources(projectFolder));
    const differences = compareCatalogues(before, await catalogueOf(database));
    assert.equal(differences.join('\n'), '');
  });

  test('The comparison sees a changed function, right, comment, policy, constraint and default.', async () => {
    const database = await cloneDatabase();
    const before = await catalogueOf(database);
    const changes: Record<string, RegExp> = {
      'alter function hospital_private.current_patient_id() volatile': /function .*current_patient_id/,
      'grant select on hospital.patients to hospital_monitor':
        /table hospital\.patients rights .*hospital_monitor: SELECT/,
      "comment on column hospital.patients.id is 'Changed.'":
        /column hospital\.patients\.id comment Changed\./,
      'alter table hospital.patients no force row level security':
        /table hospital\.patients \[0\] row security$/m,
      'alter table hospital.patients add constraint new_rule check (id > 0)':
        /constraint hospital\.patients\.new_rule/,
      'alter table hospital.patients alter column family_name set default $$x$$':
        /column hospital\.patients\.family_name .*default 'x'/,
    };
    for (const [statement, expected] of Object.entries(changes)) {
      await withClient(database.url('hospital_owner'), async (client) => {
        await client.query(`begin; ${statement}`);
        const differences = compareCatalogues(before, await readCatalogue(client));
        assert.match(differences.join('\n'), expected, statement);
        await client.query('rollback');
      });
    }
  });
});
