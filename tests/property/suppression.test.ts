import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { cloneDatabase } from '../support/database.ts';
import { randomOf, seedOf, type Random } from './random.ts';
import { rangeOf, type Cell } from './suppression.ts';

/* Whoever reads a published table and can calculate finds out nothing about what it keeps back. */

const smallest = 11;

/** A table of its own with its totals, sparse and with many small cells. */
function drawTable(random: Random): Cell[] {
  const lines = random.whole(1, 6);
  const stacks = random.whole(1, 6);
  const filled = random.pick([0.4, 0.7, 1]);
  const highest = random.pick([4, 15, 60]);
  const cells: Cell[] = [];
  const totals = new Map<string, Cell>();
  const add = (line: string | null, stack: string | null, persons: number, value: number): void => {
    const total = totals.get(`${line} ${stack}`) ?? { line, stack, persons: 0, value: 0, isHidden: false };
    // A person may be in several cells, and is counted once at most in their total.
    total.persons = Math.max(total.persons + (random.chance(0.8) ? persons : 0), persons);
    total.value += value;
    totals.set(`${line} ${stack}`, total);
  };
  for (let y = 0; y < lines; y += 1) {
    for (let x = 0; x < stacks; x += 1) {
      if (!random.chance(filled)) continue;
      const value = random.whole(1, highest);
      const cell = { line: `l${y}`, stack: `s${x}`, persons: random.whole(1, value), value, isHidden: false };
      cells.push(cell);
      add(cell.line, null, cell.persons, value);
      add(null, cell.stack, cell.persons, value);
      add(null, null, cell.persons, value);
    }
  }
  return [...cells, ...totals.values()];
}

describe('suppression', () => {
  let client: Client;
  before(async () => {
    client = new Client({ connectionString: (await cloneDatabase()).url('hospital_owner') });
    await client.connect();
  });
  after(() => client.end());

  const suppress = async (cells: Cell[]): Promise<Cell[]> => {
    const { rows } = await client.query<Cell>(
      `select line, stack, persons::integer, value::integer, is_suppressed as "isHidden"
       from hospital_private.suppress_cells(
         array(
           select (c.line, c.stack, c.persons, c.value, false)::hospital_private.table_cell
           from jsonb_to_recordset($1) as c (line text, stack text, persons bigint, value bigint)
         ),
         $2
       )`,
      [JSON.stringify(cells), smallest],
    );
    return rows;
  };

  test('leaves every hidden cell a span of values, and a small one at least half of its own', async () => {
    const seed = seedOf();
    const random = randomOf(seed);
    let hidden = 0;
    let shown = 0;
    for (let table = 0; table < 400; table += 1) {
      const cells = await suppress(drawTable(random));
      for (const cell of cells) {
        if (cell.persons < smallest) assert.ok(cell.isHidden, `INFIRMARY_SEED=${seed}: a small cell is shown`);
        if (!cell.isHidden) {
          shown += 1;
          continue;
        }
        hidden += 1;
        const [low, high] = rangeOf(cells, cell);
        const needed = cell.persons < smallest ? Math.max(Math.floor(cell.value / 2), 2) : 1;
        assert.ok(
          high - low >= needed,
          `INFIRMARY_SEED=${seed}, table ${table}: ${JSON.stringify(cell)} is from ${low} to ${high} in ${JSON.stringify(cells)}`,
        );
      }
    }
    assert.ok(hidden > 1000 && shown > 1000, `${hidden} hidden and ${shown} shown: the test proves little`);
  });

  test('is missed where only the small cells are hidden', async () => {
    const seed = seedOf();
    const random = randomOf(seed);
    let betrayed = 0;
    for (let table = 0; table < 50; table += 1) {
      const cells = drawTable(random).map((cell) => ({ ...cell, isHidden: cell.persons < smallest }));
      betrayed += cells.filter((cell) => {
        const [low, high] = cell.isHidden ? rangeOf(cells, cell) : [0, 1];
        return low === high;
      }).length;
    }
    assert.ok(betrayed > 0, `INFIRMARY_SEED=${seed}`);
  });

  test('takes more than two hidden cells in every line and stack: one that links two circles is betrayed',  () => {
    // That of l2 and s2 is on no circle of hidden cells.
    const rows = ['xx...', 'xx...', '.xx..', '...xx', '..xxx'];
    const inner: Cell[] = rows.flatMap((row, y) =>
      [...row].map((mark, x) => ({ line: `l${y}`, stack: `s${x}`, persons: 5, value: 5, isHidden: mark === 'x' })),
    );
    const sum = (part: Cell[], line: string | null, stack: string | null): Cell => ({
      line,
      stack,
      persons: 50,
      value: part.reduce((total, { value }) => total + value, 0),
      isHidden: false,
    });
    const cells = [
      ...inner,
      ...rows.map((_, y) => sum(inner.slice(5 * y, 5 * y + 5), `l${y}`, null)),
      ...rows.map((_, x) => sum(inner.filter(({ stack }) => stack === `s${x}`), null, `s${x}`)),
      sum(inner, null, null),
    ];
    const link = inner.find(({ line, stack }) => line === 'l2' && stack === 's2')!;
    assert.deepEqual(rangeOf(cells, link), [5, 5]);
  });

  test('is attacked as well as trying every table would', () => {
    const random = randomOf(seedOf());
    for (let table = 0; table < 100; table += 1) {
      const [a, b, c, d] = [1, 2, 3, 4].map(() => random.whole(1, 6)) as [number, number, number, number];
      const cell = (line: string | null, stack: string | null, value: number, isHidden = false): Cell => ({
        line,
        stack,
        persons: value,
        value,
        isHidden,
      });
      const cells = [
        cell('l0', 's0', a, true),
        cell('l0', 's1', b, true),
        cell('l1', 's0', c, true),
        cell('l1', 's1', d, random.chance(0.8)),
        cell('l0', null, a + b),
        cell('l1', null, c + d, random.chance(0.3)),
        cell(null, 's0', a + c),
        cell(null, 's1', b + d),
        cell(null, null, a + b + c + d),
      ];
      const possible: number[] = [];
      for (let first = 1; first < a + b; first += 1) {
        const [second, third] = [a + b - first, a + c - first];
        const fourth = b + d - second;
        const fits =
          third >= 1 &&
          fourth >= 1 &&
          (cells[3]!.isHidden || fourth === d) &&
          (cells[5]!.isHidden || third + fourth === c + d);
        if (fits) possible.push(first);
      }
      assert.deepEqual(rangeOf(cells, cells[0]!), [Math.min(...possible), Math.max(...possible)]);
    }
  });
});
