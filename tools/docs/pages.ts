import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { withClient } from '../database.ts';

interface Column {
  name: string;
  type: string;
  required: boolean;
  comment: string | null;
  isKey: boolean;
}

/** A table as the catalogue describes it. */
export interface Table {
  schema: string;
  name: string;
  comment: string | null;
  columns: Column[];
  rules: { name: string; rule: string }[];
  /** Qualified names of the tables its foreign keys point to. */
  refers_to: string[];
}

/** Reads every table of our schemas from the catalogue of a migrated database, as its owner. */
export async function readTables(ownerUrl: string): Promise<Table[]> {
  const query = await readFile(path.join(import.meta.dirname, 'tables.sql'), 'utf8');
  return withClient(ownerUrl, async (client) => {
    await client.query(`select set_config('search_path', '', false)`);
    return (await client.query<Table>(query)).rows;
  });
}

const generated = 'This page is generated from the catalogue by `npx infirmary docs build`; a test compares them.';

/** The data dictionary: each table with what its columns mean and which rules hold. Markdown. */
export function dictionaryPage(tables: readonly Table[]): string {
  const parts = tables.map(({ schema, name, comment, columns, rules }) =>
    [
      `## ${schema}.${name}`,
      '',
      comment ?? '',
      '',
      '| column | type | required | meaning |',
      '|---|---|---|---|',
      ...columns.map(
        (column) =>
          `| \`${column.name}\`${column.isKey ? ' (key)' : ''} | ${column.type} | ${column.required ? 'yes' : ''} | ${column.comment ?? ''} |`,
      ),
      '',
      ...rules.map(({ name: rule, rule: definition }) => `- \`${rule}\`: \`${oneLine(definition)}\``),
      ...(rules.length > 0 ? [''] : []),
    ].join('\n'),
  );
  return `# Data dictionary\n\n${generated}\n\n${parts.join('\n')}`;
}

/** The entity relationship diagrams, one a schema, in Mermaid, which code hosts draw. Markdown. */
export function diagramPage(tables: readonly Table[]): string {
  const schemas = [...new Set(tables.map(({ schema }) => schema))];
  const parts = schemas.map((schema) => {
    const own = tables.filter((table) => table.schema === schema);
    const edges = own.flatMap(({ name, refers_to }) =>
      refers_to.map((target) => `  ${bare(target)} ||--o{ ${name} : ""`),
    );
    const boxes = own.map(({ name, columns }) => {
      const keys = columns.filter((column) => column.isKey || column.name.endsWith('_id'));
      const lines = keys.map((column) => `    ${column.type.replaceAll(' ', '_')} ${column.name}${column.isKey ? ' PK' : ' FK'}`);
      return [`  ${name} {`, ...lines, '  }'].join('\n');
    });
    return [`## ${schema}`, '', '```mermaid', 'erDiagram', ...edges, ...boxes, '```', ''].join('\n');
  });
  return `# Entity relationship diagrams\n\n${generated} Keys only; the [data dictionary](data-dictionary.md) has every column.\n\n${parts.join('\n')}`;
}

function bare(qualified: string): string {
  return qualified.slice(qualified.indexOf('.') + 1);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
