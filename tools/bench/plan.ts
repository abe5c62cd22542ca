/** A node of a plan as `explain (format json)` gives it. */
export interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Parallel Aware'?: boolean;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  Plans?: PlanNode[];
}

/** What `explain (analyze, format json)` says about one statement. */
export interface Explained {
  Plan: PlanNode;
  /** Milliseconds in the server. */
  'Planning Time': number;
  'Execution Time': number;
}

/** The nodes that read a table, outermost first. */
export function scansOf(plan: PlanNode, table: string): PlanNode[] {
  const below = (plan.Plans ?? []).flatMap((child) => scansOf(child, table));
  return plan['Relation Name'] === table ? [plan, ...below] : below;
}

/** How a plan reads a table: only by an index, only from end to end, or otherwise. */
export function accessTo(plan: PlanNode, table: string): 'index' | 'sequential' | 'other' {
  const types = scansOf(plan, table).map((node) => node['Node Type']);
  if (types.length === 0) return 'other';
  if (types.every((type) => type === 'Seq Scan')) return 'sequential';
  return types.every((type) => /^(Index (Only )?Scan|Bitmap Heap Scan)$/.test(type)) ? 'index' : 'other';
}

/** A plan in one line: `Sort > Index Scan on appointments using appointments_pkey`; session helpers are left out. */
export function outline(plan: PlanNode): string {
  const parts: string[] = [];
  for (let node: PlanNode | undefined = plan; node; node = mainChild(node)) {
    const parallel = node['Parallel Aware'] ? 'Parallel ' : '';
    const on = node['Relation Name'] ? ` on ${node['Relation Name']}` : '';
    const using = node['Index Name'] ? ` using ${node['Index Name']}` : '';
    parts.push(`${parallel}${node['Node Type']}${on}${using}`);
  }
  return parts.join(' > ');
}

/** The child that feeds the node; InitPlans ask who is there, and are the same in every plan. */
function mainChild(node: PlanNode): PlanNode | undefined {
  return node.Plans?.find((child) => (child as { 'Parent Relationship'?: string })['Parent Relationship'] === 'Outer');
}
