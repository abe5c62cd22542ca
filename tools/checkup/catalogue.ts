import { withClient } from '../database.ts';
import { compareCatalogues, readCatalogue } from '../migrate/catalogue.ts';
import { prepareDatabase } from '../migrate/database.ts';
import { migrate } from '../migrate/run.ts';
import type { Finding, Look } from './check.ts';

/** Partitions come and go by the month, and a DBA may install what only watches. */
const expected = /\baudit\.entries_\d{4}|^. extension (pg_stat_statements|pgstattuple|pg_buffercache|amcheck)\b/;

/** A line of the catalogue: of what it is, and which part of its definition. */
const line = /^[-+] (?<object>.+?) (?<part>\[\d+\]|owner|rights|comment)(?= |$)/;

/** Judges what a database defines by what the signed migrations define, object by object. */
export function judgeCatalogue(wanted: readonly string[], actual: readonly string[]): Finding[] {
  const differences = compareCatalogues(wanted, actual).filter((each) => !expected.test(each));
  const objects = Map.groupBy(differences, (each) => line.exec(each)?.groups?.object ?? each.slice(2));
  return [...objects].map(([object, lines]) => {
    const parts = new Set(lines.map((each) => line.exec(each)?.groups?.part?.replace(/\[\d+\]/, 'definition')));
    const signs = new Set(lines.map((each) => each[0]));
    const what = signs.size === 2 ? 'Not as the migrations made it' : signs.has('-') ? 'Missing' : 'In no migration';
    return {
      problem: `${what}: ${object} (${[...parts].join(', ')}).`,
      remedy: 'See who did it and undo it; what is wanted belongs into a migration',
    };
  });
}

/**
 * Compares all that the database defines (functions, rights, indexes, constraints …) with what the signed migrations
 * make of an empty one, which is made for it beside the hospital and removed.
 */
export async function lookAtCatalogue({ administrator, server }: Look): Promise<Finding[]> {
  const scratch = `checkup_${process.pid}`;
  try {
    await prepareDatabase(server, scratch);
    await migrate(server.url('hospital_owner', scratch));
    const wanted = await withClient(server.url('hospital_owner', scratch), readCatalogue);
    return judgeCatalogue(wanted, await readCatalogue(administrator));
  } finally {
    await administrator.query(`drop database if exists ${scratch} with (force)`);
  }
}
