import type { Query } from '../queries/catalogue.ts';

const introduction = `# Queries

What a hospital asks of its record, answered in one statement each: a course in PostgreSQL. This page is generated from the files in
[sql/queries](../sql/queries) by \`npx infirmary docs build\`; a test compares them.

\`\`\`
npx infirmary queries                               # all of them
npx infirmary queries organisation-chart            # ask one, by name or by number
npx infirmary queries organisation-chart --explain  # how it was answered
\`\`\`

- **Read them in their order.** 1 to 8 are about which rows and which groups, 9 to 12 about windows, 13 to 15 about recursion, 16 to 22
  about gaps, overlaps and ranges, 23 to 25 about distributions, 26 to 32 about text, documents and the audit. From 33 on they are
  asked of the warehouse, and go once more through totals, windows, cohorts and statistics.
- **Each file begins with three things**: the question, the technique, and what to notice, which is mostly what would have gone wrong.
- **No answer depends on the clock.** "The last three months" end with the last visit on record, so an answer belongs to the data
  and is the same tomorrow. What one would change stands at the top, in a part called \`asked\`, \`due\` or \`standard\`.
- **A day is a day where it happened**: on the wall clock of the facility, across the changes of summer time, whatever the
  time zone of the connection. Only spans of days or months that end with the last visit are counted in the connection's zone,
  which the command sets to UTC.
- **They are asked as the owner**, who sees everything, in a transaction that cannot write and is rolled back. None is open to
  the API: what patients and staff may ask stands in \`analytics\`, and is filtered by who asks.
- **The answers are checked.** Each is asked of a seeded hospital in \`npm test -- queries\` and compared with the same question answered in
  another way: a simpler query, a loop, an invariant.
- Those about charts opened and persons merged have little to say of a hospital that was only seeded: nobody has looked yet.
- Wards, stock, invoices and insurers have no tables yet, and so no questions; they come with their tables.
`;

/** The table of contents of the catalogue. Markdown. */
export function queriesPage(catalogue: readonly Query[]): string {
  const rows = catalogue.map(
    ({ number, name, file, question, technique }) =>
      `| ${number} | [${name}](../sql/queries/${file}) | ${cell(question)} | ${cell(technique)} |`,
  );
  return [introduction, '| | | asks | shows |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
