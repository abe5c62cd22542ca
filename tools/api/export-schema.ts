import path from 'node:path';
import pg from 'pg';
import { makeSchema } from 'postgraphile';
import { lexicographicSortSchema, printSchema } from 'postgraphile/graphql';
import { projectFolder } from '../settings.ts';
import { makePreset } from './preset.ts';

/** Where the generated schema is committed, for reviewers and for clients that generate code from it. */
export const SCHEMA_FILE = path.join(projectFolder, 'schema.graphql');

/**
 * The schema as the API offers it, sorted, so that a difference is a difference.
 * `databaseUrl` must log in as hospital_authenticator: what no client can reach is not in the schema.
 */
export async function readSchema(databaseUrl: string): Promise<string> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  const preset = makePreset({
    pool,
    // Nothing is signed here; the shape does not depend on keys or documents.
    jwtKeys: [],
    environment: 'production',
    documents: new Map(),
    onlyDocuments: false,
    trustProxy: false,
  });
  try {
    const { schema } = await makeSchema(preset);
    return `${printSchema(lexicographicSortSchema(schema))}\n`;
  } finally {
    await pool.end();
  }
}
