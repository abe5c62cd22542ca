import { API_ERRORS, CONDITIONS, CONSTRAINTS, FAMILIES, type ErrorEntry } from './error-register.ts';

/** The text of docs/error-codes.md: the register as tables, sorted by code. */
export function errorPage(): string {
  return `# Error codes

Every error carries a stable code in \`extensions.code\` and a sentence that is safe to show (\`BAD_REQUEST\` for a document that
GraphQL itself cannot read or validate). Match on the code; the sentence may be improved. An error never carries SQL, a value, the
client's own included, or another patient's data.
This page is generated from \`tools/api/error-register.ts\` by \`npx infirmary docs build\`; a test compares them.

\`\`\`json
{ "errors": [{ "message": "That time is already taken.", "path": ["bookAppointment"],
    "extensions": { "code": "SLOT_TAKEN", "hint": "Ask freeSlots for times that can be booked." } }] }
\`\`\`

## Raised by the hospital's functions

${table('SQLSTATE', Object.entries(CONDITIONS))}

The sentence and the hint may be more exact than the one here.

## Raised by a constraint

${table('constraint', Object.entries(CONSTRAINTS))}

## Any other error of the database

\`extensions.rule\` names the constraint where there is one.

${table(
  'family',
  FAMILIES.map(({ name, entry }) => [name, entry]),
)}

## Raised by the API itself

${table(
  '',
  Object.entries(API_ERRORS).map(([code, message]) => ['', { code, message }]),
)}
`;
}

function table(source: string, rows: [string, ErrorEntry][]): string {
  const sorted = rows.toSorted(([a, x], [b, y]) => compare(x.code, y.code) || compare(a, b));
  const cells = sorted.map(([from, { code, message }]) => [
    `\`${code}\``,
    message,
    ...(source ? [quote(from)] : []),
  ]);
  const heading = ['code', 'sentence', ...(source ? [source] : [])];
  return [heading, heading.map(() => '---'), ...cells].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function quote(name: string): string {
  return name.includes(' ') ? name : `\`${name}\``;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
