import { compareAnswers } from '../analytics/answers.ts';
import { compareLoading } from '../analytics/loading.ts';
import { compareRefreshing } from '../analytics/refreshing.ts';
import { fillWarehouse } from '../analytics/warehouse.ts';
import { databaseName } from '../database.ts';
import type { Suite } from '../suite.ts';

/** Beside a larger database, to tell how each grows with the data. */
const small = 50_000;

export const analytics: Suite = {
  name: 'analytics',
  about:
    `Each answer against the same question asked of the operational tables, loading what changed against loading everything, ` +
    `and refreshing the views; the same at ${small.toLocaleString('en')} appointments first, to tell how each grows.`,
  async run(bench) {
    const { database } = bench;
    const sizes = database.appointments > small ? [small, database.appointments] : [database.appointments];
    for (const size of sizes) {
      const name = size === database.appointments ? databaseName(size) : await database.build(size);
      await fillWarehouse(database, name);
      await compareAnswers(bench, name, size);
      await compareLoading(bench, name, size);
      await compareRefreshing(bench, name, size);
    }
  },
};
