/** A place in the server's log, as a number. */
export function parseLsn(text: string): bigint {
  const [high = '', low = ''] = text.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** As PostgreSQL writes it. */
export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`.toUpperCase();
}

/** The name of the file of the log that holds a place. */
export function segmentAt(timeline: number, lsn: bigint, segmentSize: number): string {
  return segmentName(timeline, lsn / BigInt(segmentSize), segmentSize);
}

/** The name of the file of the log with a number, counted from the beginning of time. */
export function segmentName(timeline: number, number: bigint, segmentSize: number): string {
  const perName = 0x100000000n / BigInt(segmentSize);
  return [BigInt(timeline), number / perName, number % perName].map(hex).join('');
}

/** What the name of a file of the log says. */
export function parseSegment(name: string, segmentSize: number): { timeline: number; number: bigint } {
  const [timeline, high, low] = [0, 8, 16].map((at) => BigInt(`0x${name.slice(at, at + 8)}`));
  return { timeline: Number(timeline), number: high! * (0x100000000n / BigInt(segmentSize)) + low! };
}

function hex(value: bigint): string {
  return value.toString(16).padStart(8, '0').toUpperCase();
}
