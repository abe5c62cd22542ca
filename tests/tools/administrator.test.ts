import assert from 'node:assert/strict';
import { test } from 'node:test';
import { work } from '../../tools/commands/administrator.ts';
import { ask, withClient } from '../../tools/database.ts';
import { cloneDatabase } from '../support/database.ts';
import { testSettings } from '../support/server.ts';

test('the first administrator is created by the command line, and can log in with that password', async () => {
  const database = await cloneDatabase();
  try {
    const settings = { ...testSettings(), database: database.name };
    await work(settings, 'Grace@hospital.example', 'a long enough password');
    await withClient(database.url('hospital_owner'), async (client) => {
      const { rows } = await ask(
        client,
        `select email, password_hash = extensions.crypt($1, password_hash) from hospital_private.accounts`,
        ['a long enough password'],
      );
      assert.deepEqual(rows, [['grace@hospital.example', true]]);
    });
    await assert.rejects(
      work(settings, 'grace@hospital.example', 'another long password'),
      /has an account already/,
    );
    await assert.rejects(work(settings, 'grace', 'another long password'), /is not an address/);
  } finally {
    await database.drop();
  }
});

test('a password that is too short is refused', async () => {
  const database = await cloneDatabase();
  try {
    await assert.rejects(
      work({ ...testSettings(), database: database.name }, 'grace@hospital.example', 'short'),
    );
  } finally {
    await database.drop();
  }
});
