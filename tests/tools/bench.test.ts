import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { openDatabase, type Seeding } from '../../tools/bench/database.ts';
import { bench, suites } from '../../tools/bench/index.ts';
import { type Comparison, type Conditions, type Contender, type Result, Void } from '../../tools/bench/comparison.ts';
import { measure, median } from '../../tools/bench/measure.ts';
import { findPgBouncer } from '../../tools/bench/pooler.ts';
import { accessTo, type PlanNode } from '../../tools/bench/plan.ts';
import { drawReport } from '../../tools/bench/report.ts';
import { register } from '../../tools/commands/bench.ts';
import { Failure, UsageError } from '../../tools/failure.ts';
import { seed, small } from '../../tools/seed/index.ts';
import { makeSettings } from '../support/cluster.ts';

const same: Conditions = { rows: '20 rows', role: 'hospital_doctor', durability: 'fsync=on' };

/** A contender whose samples are given, and which writes down when it is asked for one. */
function pretend(name: string, samples: number[], log: string[] = [], conditions: Partial<Conditions> = {}): Contender {
  const left = [...samples];
  return {
    name,
    conditions: async () => ({ ...same, ...conditions }),
    sample: async () => {
      log.push(name);
      return { time: left.shift() ?? 0 };
    },
  };
}

function comparisonOf(contenders: Contender[], more: Partial<Comparison> = {}): Comparison {
  return {
    title: 'A against B',
    figures: [{ key: 'time', title: 'time', clock: 'client', unit: 'ms' }],
    contenders,
    ratios: [{ figure: 'time', of: 'A', to: 'B', aim: 2 }],
    rounds: 3,
    warmUp: 1,
    ...more,
  };
}

test('contenders take turns, the warm-up is not counted, and the ratio is that of the medians', async () => {
  const log: string[] = [];
  const result = await measure(comparisonOf([pretend('A', [900, 30, 10, 20], log), pretend('B', [1, 5, 10, 4], log)]));
  assert.equal(log.join(''), 'ABABABAB');
  assert.deepEqual(result.contenders[0]?.medians, { time: { median: 20, least: 10, most: 30 } });
  const [ratio] = result.ratios;
  assert.deepEqual([ratio?.value, ratio?.least, ratio?.most, ratio?.met], [4, 1, 6, true]);
});

test('an aim that is missed is said, and explained', async () => {
  const contenders = [pretend('A', [1, 1, 1, 1]), pretend('B', [1, 1, 1, 1])];
  const result = await measure(comparisonOf(contenders, { explain: async ([missed]) => [`${missed?.of} is slow`] }));
  assert.equal(result.ratios[0]?.met, false);
  assert.deepEqual(result.evidence, ['A is slow']);
});

for (const [key, other] of Object.entries({ rows: '19 rows', role: 'hospital_owner', durability: 'fsync=off' })) {
  test(`a baseline that differs in ${key} makes the comparison void, and nothing is measured`, async () => {
    const log: string[] = [];
    const result = await measure(comparisonOf([pretend('A', [], log), pretend('B', [], log, { [key]: other })]));
    assert.match(result.void ?? '', new RegExp(`A and B differ in ${key}: .* against ${other}`));
    assert.deepEqual([log, result.ratios], [[], []]);
  });
}

test('a contender that is not what its name says makes the comparison void; an error ends the run', async () => {
  const failing = (error: Error): Contender => ({ ...pretend('B', []), conditions: () => Promise.reject(error) });
  const result = await measure(comparisonOf([pretend('A', []), failing(new Void('without index, but the plan is …'))]));
  assert.match(result.void ?? '', /the plan is/);
  await assert.rejects(measure(comparisonOf([pretend('A', []), failing(new Error('gone'))])), /gone/);
});

test('the median is the middle value, or the mean of two', () => {
  assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5]);
});

test('a plan counts as indexed only when every scan of the table is', () => {
  const scan = (type: string): PlanNode => ({ 'Node Type': type, 'Relation Name': 'visits' });
  const plan = (...types: string[]): PlanNode => ({ 'Node Type': 'Append', Plans: types.map(scan) });
  assert.equal(accessTo(plan('Index Scan', 'Bitmap Heap Scan'), 'visits'), 'index');
  assert.equal(accessTo(plan('Seq Scan'), 'visits'), 'sequential');
  assert.equal(accessTo(plan('Seq Scan', 'Index Scan'), 'visits'), 'other');
  assert.equal(accessTo(plan('Seq Scan'), 'treatments'), 'other');
});

test('data are seeded once and kept; a seeding that failed is not taken for data; no two benches measure at once', async (t) => {
  const settings = makeSettings(t);
  let seeded = 0;
  const seed: Seeding = async () => {
    seeded += 1;
    if (seeded === 1) throw new Error('no data');
  };
  const options = { durable: false, seed };
  await assert.rejects(openDatabase(settings, 3000, options), /no data/);
  const first = await openDatabase(settings, 3000, options);
  await assert.rejects(openDatabase(settings, 3000, options), Failure);
  await first.release();
  await (await openDatabase(settings, 3000, options)).release();
  assert.equal(seeded, 2);
});

test('all suites but pooling, which tests/packages measures, find like contenders in a small hospital', async (t) => {
  const fill: Seeding = (url) => seed(url, { ...small, logins: false });
  const names = ['lookup', 'api', 'scheduling', 'security', 'analytics', 'backup', 'standby'];
  const options = { names, size: small.appointments, rounds: 2, requests: 20, durable: false, seed: fill };
  const report = await bench(makeSettings(t), options);
  const [lookup, api, scheduling, security] = report.suites.map(({ results }) => results) as Result[][] as [
    Result[],
    Result[],
    Result[],
    Result[],
  ];

  await t.test('the report says with how many rows and how durable, and goes through JSON', () => {
    assert.equal(report.environment.rows.appointments, small.appointments);
    assert.match(report.environment.durability, /^fsync=off /);
    assert.deepEqual(JSON.parse(JSON.stringify(report)).suites[1].name, 'api');
    assert.match(drawReport(report), /generated API \/ written by hand = .*aim 0\.5 (met|MISSED)/);
  });
  await t.test('lookup: plans that really use and really lack the index, as the owner and under row security', () => {
    assert.equal(lookup.length, 8);
    assert.deepEqual(lookup.flatMap(({ void: reason }) => reason ?? []), []);
    const roles = new Set(lookup.map(({ contenders }) => contenders[0]?.conditions?.role));
    assert.deepEqual([...roles].sort(), ['hospital_administrator', 'hospital_doctor', 'hospital_owner', 'hospital_patient']);
    for (const { ratios } of lookup) assert.ok(ratios.every(({ value }) => value > 0));
  });
  await t.test('api: three servers give the same answer in the same role, with rates and CPU', () => {
    assert.deepEqual(api.map(({ void: reason }) => reason), [undefined, undefined, undefined]);
    for (const { contenders, ratios } of api) {
      assert.equal(contenders.length, 3);
      assert.equal(new Set(contenders.map(({ conditions }) => JSON.stringify(conditions))).size, 1);
      for (const { medians } of contenders) assert.ok(medians.rate!.median > 0 && medians.node!.median > 0);
      assert.ok(ratios.every(({ value }) => Number.isFinite(value)));
    }
  });
  await t.test('scheduling: the finder and its baselines agree, and nobody deadlocks who books through us', () => {
    assert.deepEqual(scheduling.map(({ void: reason }) => reason), Array<undefined>(8).fill(undefined));
    const [distinct, contested] = scheduling.slice(-2) as [Result, Result];
    for (const { contenders } of [distinct, contested]) {
      assert.ok(contenders.every(({ medians }) => medians.rate!.median > 0));
      assert.equal(contenders[0]!.medians.deadlocks!.most, 0);
    }
    for (const { contenders, limits } of scheduling.slice(0, 6)) {
      assert.ok(contenders.length >= 4);
      assert.ok(limits.every(({ value }) => value > 0));
      assert.notEqual(contenders[0]!.conditions!.rows.slice(0, 6), '0 rows');
    }
    assert.match(drawReport(report), /at most 50 on this machine (met|MISSED)/);
  });
  await t.test('security: the same rows by the same way, with the policies in the plan and without them', () => {
    const secured = security.filter(({ title }) => !/rows? (inserted|updated|deleted)/.test(title));
    // So few rows may be read in another way with the policies and without.
    assert.equal(secured.length, 6);
    assert.ok(secured.every(({ void: reason }) => reason === undefined || /^The plans differ/.test(reason)));
    for (const { contenders, ratios } of secured) {
      const [open, under] = contenders.map(({ conditions }) => conditions!) as [Conditions, Conditions];
      assert.equal(open.rows, under.rows);
      assert.doesNotMatch(open.rows, /^0 rows/);
      assert.deepEqual([open.role, /^hospital_(doctor|patient)$/.test(under.role)], ['hospital_owner', true]);
      assert.ok(ratios.every(({ value }) => value > 0));
    }
  });
  await t.test('security: every way of recording wrote the same rows, and recorded each of them once', () => {
    const audit = security.filter(({ title }) => /rows? (inserted|updated|deleted)/.test(title));
    assert.deepEqual(audit.map(({ void: reason }) => reason), Array<undefined>(5).fill(undefined));
    for (const { contenders, ratios } of audit) {
      assert.ok(contenders.every(({ medians }) => medians.whole!.median > 0));
      assert.ok(ratios.every(({ value }) => Number.isFinite(value)));
    }
  });
  await t.test('standby: a commit waits for another disk, or for its own alone', () => {
    const { results } = report.suites.find(({ name }) => name === 'standby')!;
    assert.deepEqual(results.map(({ void: reason }) => reason), [undefined, undefined]);
    for (const { contenders, ratios } of results) {
      assert.deepEqual(contenders.map(({ conditions }) => /synchronous_commit=(\w+)/.exec(conditions!.durability)?.[1]), ['local', 'on']);
      assert.ok(ratios.every(({ value }) => value > 0));
    }
  });
  await t.test('backup: copies, backups and what is restored from them hold the same table, in clear and encrypted', () => {
    const [made, restored] = report.suites.find(({ name }) => name === 'backup')!.results as [Result, Result];
    assert.deepEqual([made.void, restored.void], [undefined, undefined]);
    assert.deepEqual([made.contenders.length, restored.contenders.length], [3, 5]);
    for (const { medians } of [...made.contenders, ...restored.contenders]) assert.ok(medians.rate!.median > 0);
  });
});

test('a suite that does not exist is wrong usage, and the command names those that do', async (t) => {
  await assert.rejects(bench(makeSettings(t), { names: ['nonsense'], size: 3000 }), UsageError);
  const program = new Command();
  register(program);
  const help = program.commands[0]!.helpInformation();
  for (const { name } of suites) assert.ok(help.includes(name));
});

test('where PgBouncer is not installed, what to install is said', () => {
  assert.throws(() => findPgBouncer([import.meta.dirname]), (error: unknown) => error instanceof Failure && /install pgbouncer/.test(error.remedy ?? ''));
});
