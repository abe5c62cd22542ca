import {
  getNamedType,
  isCompositeType,
  isObjectType,
  Kind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'postgraphile/graphql';
import { refusal } from './errors.ts';
import { LIMITS } from './limits.ts';

/** What totalCount costs: it counts all rows, however short the page. */
const COUNT_COST = 20;

/** Fields that hold the rows a connection has paid for. */
const PARTS_OF_A_PAGE = new Set(['nodes', 'edges', 'node', 'pageInfo']);

/**
 * Refuses an operation that is too deep, too wide or asks for too many rows, before it is planned.
 * Fragments are followed and variables are read, so neither hides anything. Introspection is left to
 * checkText and to GraphQL's own rule about its depth.
 */
export function checkOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Readonly<Record<string, unknown>>,
): void {
  const operation = document.definitions.find(
    (node): node is OperationDefinitionNode =>
      node.kind === Kind.OPERATION_DEFINITION && (!operationName || node.name?.value === operationName),
  );
  const root = operation && schema.getRootType(operation.operation);
  if (!operation || !root) return;
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  }
  const defaults = new Map(
    (operation.variableDefinitions ?? []).map((node) => [node.variable.name.value, node.defaultValue]),
  );
  const numberOf = (node: ValueNode): number | undefined => {
    if (node.kind === Kind.INT) return Number(node.value);
    if (node.kind !== Kind.VARIABLE) return undefined;
    const given = variables[node.name.value];
    const fallback = defaults.get(node.name.value);
    if (given === undefined) return fallback ? numberOf(fallback) : undefined;
    return typeof given === 'number' ? given : undefined;
  };

  let cost = 0;
  let rootFields = 0;
  let aliases = 0;
  const spend = (amount: number): void => {
    cost += amount;
    if (cost > LIMITS.cost) throw refusal('QUERY_TOO_EXPENSIVE');
  };

  const walk = (set: SelectionSetNode, parent: GraphQLNamedType, depth: number, rows: number): void => {
    if (depth > LIMITS.depth) throw refusal('QUERY_TOO_DEEP');
    for (const node of set.selections) {
      spend(0.05 * rows);
      if (node.kind === Kind.FIELD) {
        visitField(node, parent, depth, rows);
      } else {
        const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
        const name = fragment?.typeCondition?.name.value;
        const type = name ? schema.getType(name) : parent;
        if (fragment && type) walk(fragment.selectionSet, type, depth, rows);
      }
    }
  };

  const visitField = (node: FieldNode, parent: GraphQLNamedType, depth: number, rows: number): void => {
    if (node.name.value.startsWith('__')) return;
    const field =
      isCompositeType(parent) && 'getFields' in parent ? parent.getFields()[node.name.value] : undefined;
    if (!field) return;
    if (node.alias && ++aliases > LIMITS.aliases) throw refusal('TOO_MANY_ALIASES');
    if (depth === 1 && ++rootFields > LIMITS.fields) throw refusal('TOO_MANY_FIELDS');
    if (depth === 1 && operation.operation === 'mutation' && rootFields > LIMITS.mutations) {
      throw refusal('TOO_MANY_MUTATIONS');
    }
    const type = getNamedType(field.type);
    const inner = isPaged(field) ? rows * pageSize(node) : rows;
    if (node.name.value === 'totalCount') spend(COUNT_COST * rows);
    else if (isObjectType(type) && !PARTS_OF_A_PAGE.has(node.name.value)) spend(inner);
    if (node.selectionSet) walk(node.selectionSet, type, depth + 1, inner);
  };

  const pageSize = (node: FieldNode): number => {
    const sizes = (node.arguments ?? [])
      .filter(({ name }) => name.value === 'first' || name.value === 'last')
      .map((argument) => numberOf(argument.value))
      .filter((number) => number !== undefined);
    const size = sizes.length > 0 ? Math.max(...sizes) : undefined;
    if (size !== undefined && size > LIMITS.page) {
      throw refusal('PAGE_TOO_LARGE', `A page of ${node.name.value} may hold ${LIMITS.page} rows at most.`);
    }
    if (size === undefined && asksForRows(node.selectionSet)) {
      throw refusal(
        'PAGE_SIZE_REQUIRED',
        `Say how many rows of ${node.name.value} you want, with first or last (${LIMITS.page} at most).`,
      );
    }
    return Math.max(size ?? 1, 1);
  };

  // Each fragment is looked into once, however often it is spread.
  const fragmentsAskingForRows = new Map<string, boolean>();
  const asksForRows = (set: SelectionSetNode | undefined): boolean =>
    (set?.selections ?? []).some((node) => {
      if (node.kind === Kind.FIELD) return node.name.value === 'nodes' || node.name.value === 'edges';
      if (node.kind === Kind.INLINE_FRAGMENT) return asksForRows(node.selectionSet);
      const name = node.name.value;
      const known = fragmentsAskingForRows.get(name);
      const asks = known ?? asksForRows(fragments.get(name)?.selectionSet);
      fragmentsAskingForRows.set(name, asks);
      return asks;
    });

  walk(operation.selectionSet, root, 1, 1);
}

function isPaged(field: GraphQLField<unknown, unknown>): boolean {
  return field.args.some((argument) => argument.name === 'first');
}
