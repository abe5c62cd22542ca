import { instantText, minutesPerDay } from './calendar.ts';
import type { Random } from './random.ts';
import type { Batch } from './tables.ts';
import type { World } from './world.ts';

/** What patients deny on the form of admission, and how many do. */
const denied = [
  ['no_research', 0.3],
  ['no_quality_review', 0.12],
] as const;
/** The share of those who think better of it within the first year. */
const withdrawnShare = 0.15;

/** Writes what a patient denied when registered; nothing that would close a chart to those who treat him. */
export function deny(world: World, batch: Batch, random: Random, patientId: number, registeredAt: number): void {
  for (const [scope, share] of denied) {
    if (!random.chance(share)) continue;
    const withdrawnAt = registeredAt + random.between(1, 365) * minutesPerDay;
    const isWithdrawn = random.chance(withdrawnShare) && withdrawnAt < world.now;
    batch.add('consents', [
      world.keys.next('consents'),
      random.uuid(),
      patientId,
      scope,
      `["${instantText(registeredAt)}",)`,
      isWithdrawn ? instantText(withdrawnAt) : null,
      'Form of admission',
      instantText(registeredAt),
    ]);
  }
}
