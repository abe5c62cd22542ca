import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { list, revoke } from '../../tools/commands/sessions.ts';
import { Failure, UsageError } from '../../tools/failure.ts';
import { readSettings, type Settings } from '../../tools/settings.ts';
import { cloneDatabase } from '../support/database.ts';

describe('sessions', { concurrency: 1 }, () => {
  let settings: Settings;
  let client: Client;

  before(async () => {
    const database = await cloneDatabase();
    settings = readSettings({ DATABASE_URL: database.url('hospital_owner') });
    client = new Client({ connectionString: database.url('postgres') });
    await client.connect();
    await client.query('select tests.world()');
    await client.query('update hospital_private.sessions set revoked_at = now(), revoked_reason = $1 where revoked_at is null', ['logged_out']);
  });
  after(() => client.end());

  const logIn = async (email: string): Promise<{ id: string; secret: string }> => {
    const { rows } = await client.query<{ id: string; secret: string }>(
      'select session_id as id, session_secret as secret from tests.new_session($1)',
      [email],
    );
    return rows[0]!;
  };
  const lives = async ({ id, secret }: { id: string; secret: string }): Promise<boolean> => {
    await client.query('begin');
    await client.query(
      `select set_config('infirmary.session_id', $1, true), set_config('infirmary.session_secret', $2, true), set_config('role', 'hospital_patient', true)`,
      [id, secret],
    );
    const { rows } = await client.query<{ lives: boolean }>('select (hospital.current_account()).email is not null as lives');
    await client.query('rollback');
    return rows[0]?.lives ?? false;
  };

  test('are ended one by one, by account or all, and their tokens are refused at once', async () => {
    const [one, two, other] = [await logIn('ann@example.test'), await logIn('ann@example.test'), await logIn('bob@example.test')];
    const { account } = (await list(settings)).find(({ id }) => id === two.id)!;
    assert.deepEqual([await lives(one), await lives(two), await lives(other)], [true, true, true]);
    assert.equal(await revoke(settings, { id: one.id }), 1);
    assert.deepEqual([await lives(one), await lives(two), await lives(other)], [false, true, true]);
    assert.equal(await revoke(settings, { account }), 1);
    assert.deepEqual([await lives(two), await lives(other)], [false, true]);
    assert.equal(await revoke(settings, { all: true }), 1);
    assert.equal(await lives(other), false);
    assert.deepEqual(await list(settings), []);
    assert.equal(await revoke(settings, { all: true }), 0);
    await assert.rejects(revoke(settings, { id: one.id }), Failure);
  });

  test('are named one way, and never by accident all of them', async () => {
    const session = await logIn('ann@example.test');
    for (const which of [{}, { id: session.id, all: true }, { id: 'x' }, { account: 'ann@example.test' }]) {
      await assert.rejects(revoke(settings, which), UsageError);
    }
    assert.equal(await lives(session), true);
  });
});
