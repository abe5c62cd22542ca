import { readHistory } from '../migrate/history.ts';
import { readSources, type Source } from '../migrate/sources.ts';
import { projectFolder } from '../settings.ts';
import type { Finding, Look } from './check.ts';

/** A row security policy: `reception_select_all on hospital.patients`. */
type Policy = string;

/** The policies that the files of policies/ create, in words or by allow_reading. */
export function statedPolicies(files: readonly Source[]): Map<Policy, string> {
  const stated = new Map<Policy, string>();
  for (const { path: file, text } of files) {
    const statements = text.replaceAll(/--.*$/gm, '');
    for (const [, name, table] of statements.matchAll(/create policy (\w+)\s+on (\w+\.\w+)/g)) {
      stated.set(`${name} on ${table}`, file);
    }
    for (const [, list] of statements.matchAll(/allow_reading\(([^)]*)\)/g)) {
      const [, role, ...tables] = [...list!.matchAll(/'([^']+)'/g)].map(([, word]) => word!);
      for (const table of tables) stated.set(`${role}_select_all on ${table}`, file);
    }
  }
  return stated;
}

/** Judges the policies of a database by those that are stated. */
export function judgePolicies(stated: ReadonlyMap<Policy, string>, there: readonly Policy[]): Finding[] {
  const missing = [...stated].filter(([policy]) => !there.includes(policy));
  const extra = there.filter((policy) => !stated.has(policy));
  return [
    ...missing.map(([policy, file]) => ({
      problem: `The policy ${policy} is missing.`,
      remedy: `As hospital_owner: psql -f ${file}`,
    })),
    ...extra.map((policy) => ({
      problem: `No file of policies/ knows the policy ${policy}.`,
      remedy: `drop policy ${policy}`,
    })),
  ];
}

/** Finds policies that are not those of policies/. */
export async function lookAtPolicies({ monitor }: Look): Promise<Finding[]> {
  const { rows } = await monitor.query<{ policy: Policy }>(`
    select format('%I on %s', p.polname, p.polrelid::regclass) as policy
    from pg_policy as p
    join pg_class as c
      on c.oid = p.polrelid
    where c.relnamespace::regnamespace::text in ('hospital', 'masked')
    order by 1`);
  return judgePolicies(statedPolicies(await readPolicies(projectFolder)), rows.map(({ policy }) => policy));
}

/** The files of policies/ as they are in a working tree, or else, in an image without one, as they were signed. */
export async function readPolicies(root: string): Promise<Source[]> {
  const isPolicies = ({ path }: Source): boolean => path.startsWith('policies/');
  const living = (await readSources(root)).filter(isPolicies);
  if (living.length > 0) return living;
  const { signed } = await readHistory(root);
  return [...signed].flatMap(([path, last]) => ('text' in last ? [{ path, text: last.text }] : [])).filter(isPolicies);
}
