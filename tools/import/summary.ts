import type { Client } from 'pg';
import { drawTable } from '../terminal.ts';
import { syntheaFiles } from './files.ts';

/** Lines of one file that were refused, or remarked upon, for one reason. */
export interface Reason {
  file: string;
  reason: string;
  description: string;
  count: number;
  /** The first ten of them. */
  lines: number[];
}

/** What became of one file: read = loaded + alreadyThere + rejected. */
export interface FileSummary {
  file: string;
  isPresent: boolean;
  read: number;
  loaded: number;
  alreadyThere: number;
  rejected: number;
}

/** What an import did, or would have done. */
export interface Summary {
  directory: string;
  isRehearsal: boolean;
  seconds: number;
  files: FileSummary[];
  rejects: Reason[];
  remarks: Reason[];
}

/**
 * Writes what became of every line into the staging schema, within the import's transaction. The counts of
 * lines come from what landed, so a line without an outcome breaks a constraint and with it the import.
 */
export async function recordRun(
  client: Client,
  directory: string,
  present: readonly string[],
): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `insert into staging.import_runs (source, directory) values ('synthea', $1) returning id`,
    [directory],
  );
  const run = rows[0]!.id;
  const landed = syntheaFiles.map(({ name }) => `select '${name}' from staging.synthea_${name}`);
  await client.query(
    `insert into staging.import_files (run_id, file, is_present, read, loaded, already_there, rejected)
     select $1, f.file, f.file = any ($3), coalesce(l.read, 0),
       coalesce(o.loaded, 0), coalesce(o.already_there, 0), coalesce(o.rejected, 0)
     from unnest($2::text[]) as f (file)
     left join (
       select file, count(*) as read
       from (${landed.join(' union all ')}) as landed (file)
       group by file
     ) as l on l.file = f.file
     left join (
       select file,
         count(*) filter (where outcome = 'loaded') as loaded,
         count(*) filter (where outcome = 'already_there') as already_there,
         count(*) filter (where outcome = 'rejected') as rejected
       from pg_temp.outcomes
       group by file
     ) as o on o.file = f.file`,
    [run, syntheaFiles.map(({ name }) => name), present],
  );
  for (const { name } of syntheaFiles) {
    await client.query(
      `insert into staging.import_rejects (run_id, file, line, reason, field, record)
       select $1, o.file, o.line, o.reason, o.field, jsonb_strip_nulls(to_jsonb(l) - 'line')
       from pg_temp.outcomes as o
       join staging.synthea_${name} as l on l.line = o.line
       where o.file = $2 and o.outcome = 'rejected'`,
      [run, name],
    );
  }
  await client.query(
    `insert into staging.import_remarks (run_id, file, line, reason)
     select $1, file, line, reason from pg_temp.remarks`,
    [run],
  );
  return run;
}

/** Reads back what `recordRun` wrote. */
export async function readRun(
  client: Client,
  run: string,
): Promise<Pick<Summary, 'files' | 'rejects' | 'remarks'>> {
  const { rows } = await client.query<FileSummary>(
    `select file, is_present as "isPresent", read::int, loaded::int,
       already_there::int as "alreadyThere", rejected::int
     from staging.import_files where run_id = $1
     order by array_position($2::text[], file)`,
    [run, syntheaFiles.map(({ name }) => name)],
  );
  return {
    files: rows,
    rejects: await readReasons(client, run, 'rejects'),
    remarks: await readReasons(client, run, 'remarks'),
  };
}

async function readReasons(client: Client, run: string, kind: 'rejects' | 'remarks'): Promise<Reason[]> {
  const { rows } = await client.query<Reason>(
    `select f.file, f.reason, r.description, count(*)::int as count,
       to_json((array_agg(f.line order by f.line))[1:10]) as lines
     from staging.import_${kind} as f
     join staging.import_reasons as r on r.code = f.reason
     where f.run_id = $1
     group by f.file, f.reason, r.description
     order by array_position($2::text[], f.file), count(*) desc, f.reason`,
    [run, syntheaFiles.map(({ name }) => name)],
  );
  return rows;
}

/** The summary for people. */
export function drawSummary(summary: Summary): string {
  const parts = [
    drawTable(
      ['file', 'read', 'loaded', 'already there', 'rejected'],
      summary.files.map((file) =>
        file.isPresent
          ? [file.file, file.read, file.loaded, file.alreadyThere, file.rejected]
          : [`${file.file} (no file)`, null, null, null, null],
      ),
    ),
  ];
  if (summary.rejects.length > 0) parts.push(`Rejected:\n${drawReasons(summary.rejects)}`);
  if (summary.remarks.length > 0) parts.push(`Accepted, but odd:\n${drawReasons(summary.remarks)}`);
  return parts.join('\n\n');
}

function drawReasons(reasons: Reason[]): string {
  return reasons
    .map(({ file, reason, description, count, lines }) => {
      const more = count > lines.length ? ', …' : '';
      return `  ${count} × ${file}, ${reason}: ${description} (line ${lines.join(', ')}${more})`;
    })
    .join('\n');
}
