import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench } from '../../tools/bench/index.ts';
import { drawReport } from '../../tools/bench/report.ts';
import { seed, small } from '../../tools/seed/index.ts';
import { makeSettings } from '../support/cluster.ts';

const options = {
  names: ['pooling'],
  size: small.appointments,
  rounds: 1,
  requests: 160,
  durable: false,
  seed: (url: string) => seed(url, { ...small, logins: false }),
};

test('the API gives the same answers through the pooler, from ten server processes instead of one for each client', async (t) => {
  const report = await bench(makeSettings(t), options);
  const { results } = report.suites[0]!;
  assert.deepEqual(results.map(({ void: reason }) => reason), [undefined, undefined, undefined]);
  for (const { title, contenders } of results) {
    const clients = Number.parseInt(title, 10);
    assert.deepEqual(
      contenders.map(({ conditions }) => conditions),
      contenders.map(() => contenders[0]!.conditions),
    );
    const processes = contenders.map(({ medians }) => medians.backends!.median);
    assert.ok(processes[0]! > 0 && processes[0]! <= clients, `${title}: ${processes}`);
    for (const each of processes.slice(1)) assert.ok(each > 0 && each <= 10, `${title}: ${processes}`);
  }
  assert.ok(results.at(-1)!.contenders[0]!.medians.backends!.median > 10);
  assert.match(drawReport(report), /pooled \/ direct = .*aim 0\.8 (met|MISSED)/);
});
