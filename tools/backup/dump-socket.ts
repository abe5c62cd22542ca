import type { Socket } from 'node:net';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import pg from 'pg';

/*
 * The thread that keeps the connection of a dump (dump.ts). It logs in, passes on what the program sends, and
 * answers when the server has said that it is ready again. The program's own log-in is answered from here.
 */

const { url, flag, port } = workerData as { url: string; flag: Int32Array; port: MessagePort };
const tls = [80877103, 80877104];
const asks = 'QSF';
const ready = 0x5a;

const client = new pg.Client({ connectionString: url });
client.on('error', () => {});
const { connection } = client as unknown as { connection: NodeJS.EventEmitter & { stream: Socket } };
const parameters: Record<string, string> = {};
connection.on('parameterStatus', (message: { parameterName: string; parameterValue: string }) => {
  parameters[message.parameterName] = message.parameterValue;
});
await client.connect();
const socket = connection.stream;
socket.removeAllListeners('data');

let sent: Buffer = Buffer.alloc(0);
let received: Buffer = Buffer.alloc(0);
let answer: Buffer[] = [];
let awaited = 0;
let isIn = false;

function reply(bytes: Buffer[]): void {
  port.postMessage(Uint8Array.from(Buffer.concat(bytes)));
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** Takes whole messages off what has arrived. */
function* messages(bytes: Buffer): Generator<Buffer, Buffer> {
  let at = 0;
  while (bytes.length - at >= 5 && bytes.length - at > bytes.readInt32BE(at + 1)) {
    const end = at + bytes.readInt32BE(at + 1) + 1;
    yield bytes.subarray(at, end);
    at = end;
  }
  return bytes.subarray(at);
}

socket.on('data', (bytes: Buffer) => {
  const each = messages(Buffer.concat([received, bytes]));
  for (let next = each.next(); ; next = each.next()) {
    if (next.done) {
      received = Buffer.from(next.value);
      return;
    }
    answer.push(Buffer.from(next.value));
    if (next.value[0] === ready && --awaited === 0) {
      reply(answer);
      answer = [];
    }
  }
});
// A connection that is lost ends the program, which waits for an answer.
socket.on('error', () => {}).on('close', () => reply([]));

function logIn(): void {
  if (sent.length < 8) return reply([]);
  if (tls.includes(sent.readInt32BE(4))) {
    sent = sent.subarray(8);
    return reply([Buffer.from('N')]);
  }
  sent = sent.subarray(sent.readInt32BE(0));
  isIn = true;
  const told = Object.entries(parameters).map(([name, value]) => message('S', Buffer.from(`${name}\0${value}\0`)));
  reply([message('R', Buffer.alloc(4)), ...told, message('K', Buffer.alloc(8)), message('Z', Buffer.from('I'))]);
}

port.on('message', (bytes: Uint8Array) => {
  sent = Buffer.concat([sent, Buffer.from(bytes)]);
  if (!isIn) return logIn();
  const each = messages(sent);
  for (let next = each.next(); ; next = each.next()) {
    if (next.done) {
      sent = Buffer.from(next.value);
      break;
    }
    const type = String.fromCharCode(next.value[0]!);
    if (type === 'X') {
      socket.end();
      return reply([]);
    }
    if (asks.includes(type)) awaited += 1;
    socket.write(Buffer.from(next.value));
  }
  if (awaited === 0) reply([]);
});
parentPort!.postMessage('ready');
