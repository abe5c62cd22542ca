/** A cell of a published table; a total has null where it sums. */
export interface Cell {
  line: string | null;
  stack: string | null;
  persons: number;
  value: number;
  isHidden: boolean;
}

/**
 * The least and the greatest value that a hidden cell can have, for whoever knows every cell that is
 * shown, that lines and stacks add up, and that nothing hidden is below 1. This is exact: each hidden cell
 * stands in two sums, so tables that fit are circulations in the graph of lines and stacks, and how far one
 * cell can be moved is a maximum flow.
 */
export function rangeOf(cells: readonly Cell[], target: Cell): [low: number, high: number] {
  return [target.value - room(cells, target, -1), target.value + room(cells, target, 1)];
}

/** A total counts against its parts: in the equations it has the other sign. */
const isTotal = ({ line, stack }: Cell): boolean => (line === null) !== (stack === null);

/** By how much the target can be moved up (1) or down (-1). */
function room(cells: readonly Cell[], target: Cell, direction: 1 | -1): number {
  const from = `line ${target.line}`;
  const to = `stack ${target.stack}`;
  /** How much may still flow from one node to the next. */
  const capacity = new Map<string, Map<string, number>>();
  const open = (start: string, end: string, amount: number): void => {
    const ways = capacity.get(start) ?? new Map<string, number>();
    ways.set(end, (ways.get(end) ?? 0) + amount);
    capacity.set(start, ways);
  };
  // Where the target grows its line and stack must lose; seen with the signs of totals turned round.
  const turn = (isTotal(target) ? -1 : 1) * direction;
  for (const cell of cells) {
    if (!cell.isHidden || cell === target) continue;
    const sign = (isTotal(cell) ? -1 : 1) * turn;
    const [line, stack] = [`line ${cell.line}`, `stack ${cell.stack}`];
    open(line, stack, sign === 1 ? cell.value - 1 : Infinity);
    open(stack, line, sign === 1 ? Infinity : cell.value - 1);
  }
  const own = direction === 1 ? Infinity : target.value - 1;
  let flow = 0;
  while (flow < own) {
    const path = findPath(capacity, from, to);
    if (!path) break;
    const amount = Math.min(own - flow, ...path.map(([start, end]) => capacity.get(start)!.get(end)!));
    if (amount === Infinity) return Infinity;
    for (const [start, end] of path) {
      open(start, end, -amount);
      open(end, start, amount);
    }
    flow += amount;
  }
  return flow;
}

/** The shortest way on which something may flow. */
function findPath(
  capacity: Map<string, Map<string, number>>,
  from: string,
  to: string,
): [string, string][] | undefined {
  const reachedBy = new Map<string, string>();
  const queue = [from];
  for (const node of queue) {
    for (const [next, amount] of capacity.get(node) ?? []) {
      if (amount <= 0 || next === from || reachedBy.has(next)) continue;
      reachedBy.set(next, node);
      queue.push(next);
    }
  }
  if (!reachedBy.has(to)) return undefined;
  const path: [string, string][] = [];
  for (let node = to; node !== from; node = reachedBy.get(node)!) path.unshift([reachedBy.get(node)!, node]);
  return path;
}
