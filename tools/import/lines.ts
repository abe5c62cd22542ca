import { createReadStream } from 'node:fs';

/** One line of a text file. */
export interface Line {
  /** Counted from 1. */
  number: number;
  text: string;
}

/** A longer line is no line of a table; without this a file of rubbish would be held in memory whole. */
const longestLine = 1_000_000;

/**
 * Reads a text file line by line: UTF-8, or UTF-16 when a byte order mark says so; LF or CRLF. Bytes that
 * are no text come as U+FFFD. Blank lines are counted and left out.
 * @param advance told how many bytes were read
 * @throws Error when a line is longer than a megabyte
 */
export async function* readLines(
  path: string,
  advance: (bytes: number) => void = () => {},
): AsyncGenerator<Line> {
  let decoder: TextDecoder | undefined;
  let rest = '';
  let number = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    decoder ??= new TextDecoder(encodingOf(chunk));
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > longestLine) throw new Error('a line is longer than a megabyte');
    for (const text of lines) {
      number += 1;
      if (text.trim() !== '') yield { number, text: text.replace(/\r$/, '') };
    }
    advance(chunk.length);
  }
  rest += decoder?.decode() ?? '';
  if (rest.trim() !== '') yield { number: number + 1, text: rest.replace(/\r$/, '') };
}

function encodingOf(start: Buffer): string {
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le';
  if (start[0] === 0xfe && start[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}
