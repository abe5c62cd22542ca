import { book } from './appointments.ts';
import { build } from './building.ts';
import type { Codes } from './codes.ts';
import { register } from './patients.ts';
import type { Sizes } from './sizes.ts';
import { employ } from './staff.ts';
import { Batch } from './tables.ts';
import { createWorld } from './world.ts';

/**
 * Makes the whole hospital up, batch by batch, each batch in need of nothing but those before it. Memory stays
 * the same whatever the number of appointments; of a patient some fifteen bytes are kept.
 */
export function* generate(sizes: Sizes, codes: Codes): Generator<Batch> {
  const world = createWorld(sizes, codes);
  const first = new Batch();
  const doctors = employ(world, first, build(world, first));
  yield first;
  const patients = yield* register(world);
  yield* book(world, doctors, patients);
}
