import { Failure } from '../failure.ts';

/** A row as COPY writes it in binary: each field as its type's send function gives it, or null. */
export type Fields = (Buffer | null)[];

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const headerLength = signature.length + 8;

/**
 * Reads what `copy … to stdout (format binary)` wrote.
 * @throws Failure when it is not that, or its end is missing
 */
export async function* readRows(content: AsyncIterable<Buffer>): AsyncGenerator<Fields> {
  let held: Buffer = Buffer.alloc(0);
  let isBegun = false;
  let isEnded = false;
  for await (const bytes of content) {
    held = Buffer.concat([held, bytes]);
    if (!isBegun) {
      if (held.length < headerLength) continue;
      if (!held.subarray(0, signature.length).equals(signature) || held.readInt32BE(headerLength - 4) !== 0) {
        throw new Failure('it is no copy of rows');
      }
      held = held.subarray(headerLength);
      isBegun = true;
    }
    for (let row = takeRow(held); row; row = takeRow(held)) {
      if (isEnded) throw new Failure('something follows its end');
      held = held.subarray(row.length);
      if (row.fields) yield row.fields;
      else isEnded = true;
    }
  }
  if (!isEnded || held.length > 0) throw new Failure('its end is missing, or something follows it');
}

/** The first row and its length; without fields, the end of the copy; undefined while it is not all there. */
function takeRow(bytes: Buffer): { fields?: Fields; length: number } | undefined {
  if (bytes.length < 2) return undefined;
  const count = bytes.readInt16BE(0);
  if (count === -1) return { length: 2 };
  const fields: Fields = [];
  let position = 2;
  for (let index = 0; index < count; index++) {
    if (bytes.length < position + 4) return undefined;
    const length = bytes.readInt32BE(position);
    position += 4;
    if (length === -1) {
      fields.push(null);
      continue;
    }
    if (length < 0) throw new Failure('it is damaged');
    if (bytes.length < position + length) return undefined;
    fields.push(bytes.subarray(position, position + length));
    position += length;
  }
  return { fields, length: position };
}
