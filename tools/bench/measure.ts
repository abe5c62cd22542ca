import { type Comparison, type Ratio, type RatioResult, type Result, type Sample, type Summary, Void } from './comparison.ts';

/**
 * Compares in interleaved rounds, A B A B …, so that whatever else the machine does meanwhile meets both.
 * A comparison whose contenders differ in rows, role or durability is refused as void.
 */
export async function measure(comparison: Comparison, tell: (line: string) => void = () => {}): Promise<Result> {
  const { title, rounds, warmUp, figures, contenders } = comparison;
  const result: Result = {
    title, rounds, warmUp, figures,
    contenders: contenders.map(({ name }) => ({ name, medians: {} })),
    ratios: [], limits: [], notes: [], evidence: [],
  };
  tell(title);
  try {
    for (const [index, contender] of contenders.entries()) {
      result.contenders[index]!.conditions = await contender.conditions();
    }
    refuseUnlike(result, comparison.differsIn);
    result.notes = (await comparison.notes?.()) ?? [];
  } catch (error) {
    if (!(error instanceof Void)) throw error;
    return { ...result, void: error.message };
  }
  const samples: Sample[][] = contenders.map(() => []);
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      const sample = await contender.sample();
      if (round >= 0) samples[index]!.push(sample);
    }
  }
  result.contenders.forEach((contender, index) => {
    for (const { key } of figures) {
      const values = samples[index]!.map((sample) => sample[key] ?? NaN);
      if (values.some(Number.isFinite)) contender.medians[key] = summarize(values);
    }
  });
  result.ratios = comparison.ratios.map((ratio) => {
    const valuesOf = (name: string): number[] =>
      samples[contenders.findIndex((contender) => contender.name === name)]!.map((sample) => sample[ratio.figure]!);
    return compare(ratio, valuesOf(ratio.of), valuesOf(ratio.to));
  });
  result.limits = (comparison.limits ?? []).map((limit) => {
    const value = result.contenders.find(({ name }) => name === limit.of)!.medians[limit.figure]!.median;
    return { ...limit, value, met: value <= limit.most };
  });
  const missed = result.ratios.filter(({ met }) => met === false);
  if (missed.length > 0) result.evidence = (await comparison.explain?.(missed)) ?? [];
  return result;
}

function refuseUnlike({ contenders }: Result, differsIn?: string): void {
  const [baseline, ...others] = contenders;
  for (const other of others) {
    for (const key of ['rows', 'role', 'durability'] as const) {
      const [ours, theirs] = [baseline!.conditions![key], other.conditions![key]];
      if (ours !== theirs && key !== differsIn) {
        throw new Void(`${baseline!.name} and ${other.name} differ in ${key}: ${ours} against ${theirs}`);
      }
    }
  }
}

function compare(ratio: Ratio, ours: number[], theirs: number[]): RatioResult {
  const value = median(ours) / median(theirs);
  const { least, most } = summarize(ours.map((our, round) => our / theirs[round]!));
  return { ...ratio, value, least, most, ...(ratio.aim !== undefined && { met: value >= ratio.aim }) };
}

function summarize(values: number[]): Summary {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/** The middle value; of an even number of them, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}
