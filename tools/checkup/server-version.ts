import type { Finding, Look } from './check.ts';

/** The first minor release of each major one that holds a fix which row security needs. */
interface Fix {
  what: string;
  minors: Record<number, number>;
}

/**
 * Leaks of row security that were mended, each with its source. A major release that is not named had none.
 * The last line is newer than the list of names: https://www.postgresql.org/support/security/ has it.
 */
const fixes: Fix[] = [
  // https://www.postgresql.org/docs/15/release-15-3.html
  { what: 'CVE-2023-2455: policies are those of another role after inlining', minors: { 15: 3 } },
  // https://www.postgresql.org/docs/15/release-15-4.html
  { what: 'CVE-2023-39418: merge passes over policies', minors: { 15: 4 } },
  // https://www.postgresql.org/support/security/CVE-2024-10976/
  { what: 'CVE-2024-10976: policies below subqueries are those of another role', minors: { 15: 9, 16: 5, 17: 1 } },
  // https://www.postgresql.org/support/security/CVE-2025-8713/
  { what: 'CVE-2025-8713: statistics show sampled values of hidden rows', minors: { 15: 14, 16: 10, 17: 6 } },
  { what: 'later leaks of row security', minors: { 15: 20, 16: 16, 17: 12, 18: 7 } },
];

/** Judges a server_version_num such as 180004. */
export function judgeVersion(version: number): Finding[] {
  const [major, minor] = [Math.floor(version / 10_000), version % 10_000];
  const newest = Math.max(...fixes.map(({ minors }) => minors[major] ?? 0));
  if (newest === 0) {
    return [
      {
        problem: `PostgreSQL ${major} is not a release that this version of Infirmary knows (15 to 18).`,
        remedy: 'Upgrade PostgreSQL to a supported major release, or Infirmary to one that knows it',
      },
    ];
  }
  const missing = fixes.filter(({ minors }) => minor < (minors[major] ?? 0)).map(({ what }) => what);
  if (missing.length === 0) return [];
  return [
    {
      problem: `PostgreSQL ${major}.${minor} lacks fixes of row security: ${missing.join('; ')}.`,
      remedy: `Install PostgreSQL ${major}.${newest} or later and restart; the data stay as they are`,
    },
  ];
}

/** Finds a server that is older than the fixes of row security. */
export async function lookAtVersion({ monitor }: Look): Promise<Finding[]> {
  const { rows } = await monitor.query<{ version: number }>(
    `select current_setting('server_version_num')::integer as version`,
  );
  return judgeVersion(rows[0]!.version);
}
