import path from 'node:path';
import { messageOf } from '../failure.ts';
import type { Finding, Head } from '../commands/audit.ts';
import { type Block, hashEntry, readBlock, readEntry } from './chain.ts';
import { type Archive, rowsOf } from './month.ts';

/** An archive with the blocks of the chain that were read from it, and what does not hold in it. */
export interface Verified {
  archive: Archive;
  blocks: Block[];
  findings: Finding[];
}

/** Reads an archive to its last byte and computes its part of the chain anew. No database is asked. */
export async function verifyArchive(archive: Archive): Promise<Verified> {
  const blocks: Block[] = [];
  const findings: Finding[] = [];
  const tell = (link: string, problem: string): void => void findings.push({ link, problem });
  try {
    for await (const fields of rowsOf(archive, 'seals')) blocks.push(readBlock(fields));
    verifyBlocks(archive, blocks, tell);
    await verifyEntries(archive, blocks, tell);
  } catch (error) {
    tell(path.basename(archive.folder), messageOf(error));
  }
  return { archive, blocks, findings };
}

type Tell = (link: string, problem: string) => void;

function verifyBlocks({ manifest }: Archive, blocks: Block[], tell: Tell): void {
  let [number, previous] = [manifest.firstBlock - 1, manifest.previousHash];
  for (const block of blocks) {
    const link = `block ${block.block}`;
    if (block.block !== number + 1) tell(link, 'follows upon a gap: blocks before it are missing');
    else if (block.previousHash.toString('hex') !== previous) tell(link, 'does not continue the block before it');
    if (!block.isWhole) tell(link, 'does not fit its hash: the seal was edited');
    [number, previous] = [block.block, block.hash.toString('hex')];
  }
  if (number !== manifest.lastBlock || previous !== manifest.head) {
    tell(`block ${manifest.lastBlock}`, 'is what the archive should end with, and it does not');
  }
}

async function verifyEntries(archive: Archive, blocks: Block[], tell: Tell): Promise<void> {
  const { month, entries } = archive.manifest;
  const expected = placesOf(blocks.filter((block) => block.month === month));
  let next = expected.next();
  let count = 0;
  for await (const fields of rowsOf(archive, 'content')) {
    count += 1;
    const found = readEntry(fields);
    const link = `entry ${found.sequence}`;
    // What comes before its turn says that others are gone; what comes after, or never, has no place.
    while (!next.done && next.value.sequence !== found.sequence && next.value.later.has(found.sequence)) {
      tell(`entry ${next.value.sequence}`, 'is missing');
      next = expected.next();
    }
    if (next.done || next.value.sequence !== found.sequence) {
      tell(link, 'is in no block at this place');
      continue;
    }
    if (!hashEntry(fields).equals(next.value.hash)) tell(link, 'was edited after it was sealed');
    if (found.month !== month) tell(link, `is of another month, ${found.month}`);
    next = expected.next();
  }
  for (; !next.done; next = expected.next()) tell(`entry ${next.value.sequence}`, 'is missing');
  if (count !== entries) tell(path.basename(archive.folder), `should hold ${entries} entries and holds ${count}`);
}

interface Place {
  sequence: bigint;
  hash: Buffer;
  /** All entries of the same block and of later ones, seen from here or passed already. */
  later: { has(sequence: bigint): boolean };
}

function* placesOf(blocks: Block[]): Generator<Place, undefined> {
  const left = new Set(blocks.flatMap(({ sequences }) => sequences));
  for (const { sequences, entryHashes } of blocks) {
    for (const [index, sequence] of sequences.entries()) {
      left.delete(sequence);
      yield { sequence, hash: entryHashes.subarray(32 * index, 32 * index + 32), later: left };
    }
  }
  return undefined;
}

/**
 * Compares archives with each other, where the same or following blocks are in two of them, and with heads that were
 * exported from the living chain.
 */
export function verifyTogether(verified: Verified[], heads: readonly Head[]): Finding[] {
  const known = new Map<number, string>();
  const findings: Finding[] = [];
  const compare = (block: number, hash: string, problem: string): void => {
    if ((known.get(block) ?? hash) !== hash) findings.push({ link: `block ${block}`, problem });
    known.set(block, hash);
  };
  for (const { archive, blocks } of verified) {
    const name = path.basename(archive.folder);
    for (const { block, previousHash, hash } of blocks) {
      compare(block - 1, previousHash.toString('hex'), `is another one than ${name} continues`);
      compare(block, hash.toString('hex'), `of ${name} is another one in the archive before`);
    }
  }
  for (const { block, hash } of heads) {
    if ((known.get(block) ?? hash) !== hash) {
      findings.push({ link: `block ${block}`, problem: 'is not what was exported as a head: the archive was rewritten' });
    }
  }
  return findings;
}
