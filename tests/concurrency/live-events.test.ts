import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client, type Notification } from 'pg';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

describe('News for live subscribers', () => {
  let database: TestDatabase;
  const clients: Client[] = [];

  const connect = async (): Promise<Client> => {
    const client = new Client({ connectionString: database.url('hospital_owner') });
    await client.connect();
    clients.push(client);
    return client;
  };
  const relay = async (client: Client): Promise<number> =>
    Number((await client.query('select hospital_private.relay_live_events() as told')).rows[0].told);
  const tell = (client: Client, ...payloads: string[]): Promise<unknown> =>
    client.query(
      `insert into hospital_private.live_events (channels, payload)
       select array['first', 'second'], unnest($1::text[])`,
      [payloads],
    );
  /** What a new listener hears while `work` runs, once an own message behind it has come through. */
  const heard = async (channel: string, work: () => Promise<unknown>): Promise<string[]> => {
    const listener = await connect();
    await listener.query(`listen ${channel}; listen the_end`);
    const payloads: string[] = [];
    const ended = new Promise<void>((resolve) =>
      listener.on('notification', (message: Notification) => {
        if (message.channel === 'the_end') resolve();
        else payloads.push(message.payload!);
      }),
    );
    await work();
    await listener.query(`notify the_end`);
    await ended;
    return payloads;
  };

  before(async () => {
    database = await cloneDatabase();
  });
  after(async () => {
    await Promise.all(clients.map((client) => client.end()));
    await database.drop();
  });

  test('are told in their order, equal ones once, and then gone', async () => {
    const writer = await connect();
    const payloads = await heard('second', async () => {
      await tell(writer, 'one', 'two', 'one', 'three');
      assert.equal(await relay(writer), 4);
      assert.equal(await relay(writer), 0);
    });
    assert.deepEqual(payloads, ['one', 'two', 'three']);
  });

  test('are told when they are committed, however late, and never when they were rolled back', async () => {
    const [writer, late, regretful] = [await connect(), await connect(), await connect()];
    const payloads = await heard('first', async () => {
      for (const client of [late, regretful]) await client.query('begin');
      await tell(late, 'late');
      await tell(regretful, 'never');
      await tell(writer, 'early');
      assert.equal(await relay(writer), 1);
      await late.query('commit');
      await regretful.query('rollback');
      assert.equal(await relay(writer), 1);
    });
    assert.deepEqual(payloads, ['early', 'late']);
  });

  test('are each told once when several servers pass them on at the same time', async () => {
    const relays = await Promise.all(Array.from({ length: 4 }, connect));
    const wanted = Array.from({ length: 3_000 }, (_, n) => String(n));
    const payloads = await heard('first', async () => {
      await tell(relays[0]!, ...wanted);
      await Promise.all(
        relays.map(async (client) => {
          while ((await relay(client)) > 0);
        }),
      );
    });
    assert.deepEqual(payloads.map(Number).sort((a, b) => a - b).map(String), wanted);
  });

  test('make no booking wait for another: whoever writes an appointment notifies nobody', async () => {
    const owner = await connect();
    const { rows } = await owner.query(
      `select f.oid::regprocedure::text as name
       from pg_proc as f
       where f.prosrc ~* 'pg_notify|\\mnotify\\s'
         and f.pronamespace in ('hospital'::regnamespace, 'hospital_private'::regnamespace)`,
    );
    assert.deepEqual(rows.map(({ name }) => name), ['hospital_private.relay_live_events()']);
  });
});
