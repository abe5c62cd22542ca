import { Failure, messageOf } from '../failure.ts';
import { type Part, splitBody } from './history.ts';

interface DatabaseErrorFields {
  code?: string;
  position?: string;
  detail?: string;
  hint?: string;
  where?: string;
}

/**
 * An error of the database in a file of ours, said once: where, the line with a caret, and the hint.
 * @param file the name to print
 * @param text the content of the file
 * @param position the error's position in `text`, in characters from 1: the error's own, unless the
 *   file was sent as a part of something longer
 */
export function failureInFile(error: unknown, file: string, text: string, position?: number): Failure {
  const { code, detail, hint, where, ...fields } = error as DatabaseErrorFields;
  const at = position ?? Number(fields.position);
  const place = at ? placeOf(text, at) : undefined;
  const lines = [
    `${file}${place ? `:${place.line}:${place.column}` : ''} ${messageOf(error)} (${code ?? 'no code'})`,
  ];
  if (place) {
    const label = `${place.line} | `;
    lines.push(`${label}${place.text}`, `${' '.repeat(label.length + place.column - 1)}^`);
  }
  if (where) lines.push(where);
  if (detail) lines.push(`Detail: ${detail}`);
  return new Failure(lines.join('\n  '), hint, { cause: error });
}

/**
 * The same for an error in a whole migration: it is found in the file of migrations/current that it
 * came from. An error without a position is returned as it is.
 * @param body the migration that was sent as one text
 * @param nameOf what to call a part of it
 */
export function failureInBody(error: unknown, body: string, nameOf: (part: Part) => string): unknown {
  const position = Number((error as DatabaseErrorFields).position);
  if (!position) return error;
  const line = placeOf(body, position).line;
  const part = splitBody(body).findLast((one) => one.line <= line)!;
  const before = [
    ...body
      .split('\n')
      .slice(0, part.line - 1)
      .join('\n'),
  ].length;
  return failureInFile(error, nameOf(part), part.text, position - before - 1);
}

/** PostgreSQL counts characters (code points) from 1; JavaScript counts UTF-16 units. */
function placeOf(text: string, position: number): { line: number; column: number; text: string } {
  const before = [...text].slice(0, position - 1).join('');
  const line = before.split('\n').length;
  const column = [...before.slice(before.lastIndexOf('\n') + 1)].length + 1;
  return { line, column, text: text.split('\n')[line - 1] ?? '' };
}
