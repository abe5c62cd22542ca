import { createHash } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { Fields } from './copy-binary.ts';

/*
 * The chain of sql/12-audit/chain_hashes.sql, computed without a database. PostgreSQL hashes record_send(row(…)): the
 * number of columns and, of each, its type, its length and its bytes, which are those that COPY writes in binary.
 */

/** The columns of an entry and their types, in the order in which they are hashed. */
const entry = {
  sequence: 20,
  transaction_id: 5069,
  recorded_at: 1184,
  era: 23,
  table_name: 25,
  operation: 25,
  row_key: 25,
  patient_id: 20,
  old_image: 3802,
  sealed_identity: 17,
  new_row_digest: 17,
  account_id: 20,
  session_id: 2950,
  role: 25,
  database_user: 25,
  client_address: 869,
  request_id: 25,
  purpose: 25,
};

/** Of a block, those that are hashed between the hash before it and the hashes of its entries. */
const block = { block: 20, era: 23, month: 1082, sequences: 1016, last_transaction_id: 5069, last_sequence: 20 };

export const entryColumns = Object.keys(entry);
export const blockColumns = [...Object.keys(block), 'previous_hash', 'hash', 'entry_hashes'];

/** One link of the chain. */
export interface Block {
  block: number;
  /** YYYY-MM. */
  month: string;
  sequences: bigint[];
  entryHashes: Buffer;
  previousHash: Buffer;
  hash: Buffer;
  /** Whether it is what its hash says. */
  isWhole: boolean;
}

/** The SHA-256 of all that an entry says. */
export function hashEntry(fields: Fields): Buffer {
  return createHash('sha256').update(sendRecord(Object.values(entry), fields)).digest();
}

/** The number of an entry and the month in which it was recorded. */
export function readEntry(fields: Fields): { sequence: bigint; month: string } {
  const [sequence, , recordedAt] = fields;
  if (!sequence || !recordedAt) throw new Failure('it is damaged');
  return {
    sequence: sequence.readBigInt64BE(0),
    month: monthOf(epoch + Number(recordedAt.readBigInt64BE(0) / 1000n)),
  };
}

export function readBlock(fields: Fields): Block {
  const count = Object.keys(block).length;
  const [number, , month, sequences] = fields;
  const [previousHash, hash, entryHashes] = fields.slice(count);
  if (!number || !month || !sequences || !previousHash || !hash || !entryHashes) throw new Failure('it is damaged');
  const sent = sendRecord(Object.values(block), fields.slice(0, count));
  return {
    block: Number(number.readBigInt64BE(0)),
    month: monthOf(epoch + month.readInt32BE(0) * 86_400_000),
    sequences: readArray(sequences),
    entryHashes,
    previousHash,
    hash,
    isWhole: createHash('sha256').update(previousHash).update(sent).update(entryHashes).digest().equals(hash),
  };
}

/** Where PostgreSQL's time begins. */
const epoch = Date.UTC(2000, 0, 1);

function monthOf(time: number): string {
  return new Date(time).toISOString().slice(0, 7);
}

function sendRecord(types: readonly number[], fields: Fields): Buffer {
  if (fields.length !== types.length) throw new Failure('it has other columns than we know');
  const parts = fields.flatMap((field, index) => {
    const head = Buffer.alloc(8);
    head.writeInt32BE(types[index]!, 0);
    head.writeInt32BE(field?.length ?? -1, 4);
    return field ? [head, field] : [head];
  });
  const count = Buffer.alloc(4);
  count.writeInt32BE(types.length);
  return Buffer.concat([count, ...parts]);
}

/** An array of bigint without nulls: 20 bytes of dimensions, then length and value of each. */
function readArray(bytes: Buffer): bigint[] {
  const values: bigint[] = [];
  for (let position = 24; position + 8 <= bytes.length; position += 12) values.push(bytes.readBigInt64BE(position));
  return values;
}
