import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import { watchDatabase, type Figure } from '../../tools/metrics/watch.ts';
import { FIGURES } from '../../tools/metrics/figures.ts';
import { openPair } from '../support/standby.ts';

test('a standby and a slot are told of by the primary, and the standby tells of itself', async (t) => {
  const { primary, standby, owner, onStandby, caughtUp, later } = await openPair(t);
  await owner.query('grant connect on database hospital to hospital_monitor');
  await caughtUp();
  const read = async (url: string): Promise<Figure[]> => {
    const watch = watchDatabase(url, 0);
    const figures = await watch.read();
    await watch.stop();
    return [...figures!];
  };
  const valueOf = (figures: Figure[], name: string, label: string | null = null): number | undefined =>
    figures.find((figure) => figure.name === name && figure.label === label)?.value;

  const admin = new Client({ connectionString: primary.url('postgres') });
  await admin.connect();
  later(() => admin.end());
  await admin.query(`select pg_create_physical_replication_slot('idle_slot', true)`);

  const ofPrimary = await read(primary.url('hospital_monitor', 'hospital'));
  assert.equal(valueOf(ofPrimary, 'database_in_recovery'), 0);
  assert.equal(valueOf(ofPrimary, 'replication_standbys'), 1);
  const lags = ofPrimary.filter(({ name }) => name === 'replication_lag_bytes');
  assert.equal(lags.length, 1);
  assert.equal(valueOf(ofPrimary, 'replication_synchronous', lags[0]!.label), 0);
  assert.equal(valueOf(ofPrimary, 'replication_slot_active', 'idle_slot'), 0);
  assert.ok(valueOf(ofPrimary, 'replication_slot_retained_bytes', 'idle_slot')! >= 0);

  // The standby falls behind while it may not replay, and says so nowhere but on the primary.
  await onStandby.query('select pg_wal_replay_pause()');
  await owner.query('create table ops.probe as select generate_series(1, 10000)');
  let behind: Figure[];
  do behind = await read(primary.url('hospital_monitor', 'hospital'));
  while (valueOf(behind, 'replication_lag_bytes', lags[0]!.label)! < 100_000);
  await onStandby.query('select pg_wal_replay_resume()');
  await caughtUp();

  const ofStandby = await read(standby.url('hospital_monitor', 'hospital'));
  assert.equal(valueOf(ofStandby, 'database_in_recovery'), 1);
  assert.ok(valueOf(ofStandby, 'database_last_replayed_timestamp_seconds')! > 0);
  for (const { name } of [...ofPrimary, ...ofStandby]) assert.ok(name in FIGURES, name);
});
