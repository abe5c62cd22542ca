import { readChange } from './stage.ts';

/** What `verify` counted and what it found wrong, each with its remedy. */
export interface Verification {
  migrations: number;
  sources: number;
  problems: string[];
}

/** Names the files with their remedy: one by one when they are few, together when they are many. */
function unsigned(files: readonly string[], what: string): string[] {
  const remedy = 'sign it with `infirmary migrate sign <name>`';
  if (files.length <= 5) return files.map((file) => `${file} ${what}: ${remedy}`);
  return [`${files.slice(0, 3).join(', ')} and ${files.length - 3} more files: each ${what}: ${remedy}`];
}

/**
 * Checks, without a database, that the signed history is whole and that it says the same as the living
 * files: what a reviewer reads in sql/ and policies/ is what production runs.
 * @param root the project's folder
 */
export async function verify(root: string): Promise<Verification> {
  const { history, changed, current, problems } = await readChange(root);
  const [differing, fresh] = [true, false].map((known) =>
    changed.map((source) => source.path).filter((file) => history.signed.has(file) === known),
  ) as [string[], string[]];
  const undropped = [...history.signed].flatMap(([file, last]) =>
    'removed' in last && !last.drops && !changed.some((source) => source.path === file)
      ? [`${last.file} says that ${file} was removed but drops nothing: drop it in a new migration`]
      : [],
  );
  return {
    migrations: history.migrations.length,
    sources: history.signed.size,
    problems: [
      ...new Set(problems),
      ...unsigned(differing, 'differs from its newest signed copy'),
      ...unsigned(fresh, 'was never signed'),
      ...unsigned(
        current.map((file) => file.path),
        'is not signed',
      ),
      ...undropped,
    ],
  };
}
