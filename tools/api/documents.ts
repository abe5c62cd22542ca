import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { GraphileConfig } from 'graphile-config';
import { refusal } from './errors.ts';

/** The folder of the documents that come with Infirmary; a client's build may point to its own instead. */
export const DOCUMENTS_FOLDER = path.join(import.meta.dirname, 'documents');

/** Reads every `<id>.graphql` of a folder: the id is what a client sends as `documentId`. */
export function readDocuments(folder: string): Map<string, string> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.graphql'));
  return new Map(
    files.sort().map((name) => [path.parse(name).name, readFileSync(path.join(folder, name), 'utf8')]),
  );
}

/**
 * Answers `{"documentId": "bookAppointment", "variables": {…}}`. With `only`, as in production, nothing else is
 * answered, so nobody can write queries of his own against the hospital. (`@grafserv/persisted` does this too, but
 * prints a refused request with all its variables, passwords among them, to the log.)
 */
export function documentsPlugin(
  documents: ReadonlyMap<string, string>,
  options: { only: boolean },
): GraphileConfig.Plugin {
  return {
    name: 'InfirmaryDocumentsPlugin',
    version: '1.0.0',
    before: ['InfirmaryLimitsPlugin'],
    grafserv: {
      middleware: {
        processGraphQLRequestBody(next, { body }) {
          const id = body.documentId ?? body.id;
          const text = typeof id === 'string' ? documents.get(id) : undefined;
          if (text !== undefined) body.query = text;
          else if (options.only || id !== undefined) throw refusal('DOCUMENT_NOT_ALLOWED');
          return next();
        },
      },
    },
  };
}
