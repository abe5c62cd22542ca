import assert from 'node:assert/strict';

/** All samples of one metric. */
export interface Family {
  type: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
// "Nan" is how prom-client writes it; Prometheus reads it in any case.
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (Na[nN]|[+-]Inf|[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;

/**
 * Reads Prometheus' text format 0.0.4, and refuses whatever its own parser might forgive: a metric without HELP or TYPE,
 * twice, or torn apart; a sample twice; a histogram whose buckets do not add up.
 */
export function parseExposition(text: string): Map<string, Family> {
  assert.ok(text.endsWith('\n'), 'ends with a line feed');
  const families = new Map<string, Family>();
  const helps = new Set<string>();
  const seen = new Set<string>();
  let current: [string, Family] | undefined;
  for (const line of text.split('\n').slice(0, -1)) {
    if (line === '') continue;
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      assert.match(name, NAME);
      assert.ok(!helps.has(name), `HELP of ${name} twice`);
      helps.add(name);
      current = undefined;
    } else if (keyword === 'TYPE') {
      assert.match(rest, /^(counter|gauge|histogram|summary)$/);
      assert.ok(helps.has(name) && !families.has(name), `TYPE of ${name} follows its HELP, once`);
      current = [name, { type: rest, samples: [] }];
      families.set(...current);
    } else {
      const [, sample, labels = '', value] = SAMPLE.exec(line) ?? [];
      assert.ok(sample !== undefined && current, `a sample of a metric: ${line}`);
      const suffix = current[1].type === 'histogram' ? /^(_bucket|_sum|_count)$/ : current[1].type === 'summary' ? /^(_sum|_count|)$/ : /^$/;
      assert.ok(sample.startsWith(current[0]) && suffix.test(sample.slice(current[0].length)), `${line} among ${current[0]}`);
      assert.equal(current[1].type === 'counter', current[0].endsWith('_total'), `${current[0]} is a counter`);
      const key = `${sample}{${labels}}`;
      assert.ok(!seen.has(key), `${key} twice`);
      seen.add(key);
      current[1].samples.push({ name: sample, labels: labelsOf(labels), value: Number(value!.replace('Inf', 'Infinity')) });
    }
  }
  for (const [name, family] of families) if (family.type === 'histogram') checkBuckets(name, family);
  return families;
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (LABEL.lastIndex = 0; LABEL.lastIndex < text.length; ) {
    const [, name, value] = LABEL.exec(text) ?? [];
    assert.ok(name !== undefined && !(name in labels), `labels: ${text}`);
    labels[name] = value!;
  }
  return labels;
}

function checkBuckets(name: string, { samples }: Family): void {
  const series = new Map<string, number[]>();
  for (const { name: sample, labels: { le, ...labels }, value } of samples) {
    const key = JSON.stringify(labels);
    if (sample.endsWith('_bucket')) {
      assert.ok(le !== undefined);
      series.set(key, [...(series.get(key) ?? []), value]);
    }
    if (sample.endsWith('_count')) assert.equal(series.get(key)?.at(-1), value, `${name} ${key}: +Inf is the count`);
  }
  for (const values of series.values()) assert.deepEqual(values, values.toSorted((a, b) => a - b), `${name} only grows`);
}
