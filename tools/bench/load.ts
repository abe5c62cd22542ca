import { connect, type Socket } from 'node:net';
import { answerCalls } from './child.ts';

/** A closed loop: each connection sends its next request when the last has been answered. */
export interface Load {
  url: string;
  token: string;
  /** Bodies sent in turn, and the exact body of each answer; any other answer fails the measurement. */
  bodies: string[];
  answers: string[];
  connections: number;
  requests: number;
}

export interface LoadResult {
  seconds: number;
  /** Milliseconds until the answer had come. */
  p50: number;
  p99: number;
}

/** HTTP by hand on plain sockets: node's own client would take more CPU than some of the servers. */
class Connection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #done: ((body: Buffer) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  constructor(url: URL) {
    this.#socket = connect(Number(url.port), url.hostname);
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#receive(chunk));
    this.#socket.on('error', (error) => this.#failed?.(error));
    this.#socket.on('close', () => this.#failed?.(new Error('The server closed the connection.')));
  }

  ask(request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#done = resolve;
      this.#failed = reject;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#received.toString('latin1', 0, end);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? NaN);
    if (Number.isNaN(length)) return this.#failed?.(new Error(`No content-length: ${head}`));
    if (this.#received.length < end + 4 + length) return;
    const body = this.#received.subarray(end + 4, end + 4 + length);
    this.#received = Buffer.alloc(0);
    this.#done?.(body);
  }
}

async function run(load: Load): Promise<LoadResult> {
  const url = new URL(load.url);
  const requests = load.bodies.map((body) => frame(url, load.token, body));
  const answers = load.answers.map((answer) => Buffer.from(answer));
  const connections = Array.from({ length: load.connections }, () => new Connection(url));
  const times: number[] = [];
  let sent = 0;
  const loop = async (connection: Connection): Promise<void> => {
    while (sent < load.requests) {
      const turn = sent++ % requests.length;
      const began = performance.now();
      const answer = await connection.ask(requests[turn]!);
      times.push(performance.now() - began);
      if (!answer.equals(answers[turn]!)) throw new Error(`Another answer than before: ${answer.toString().slice(0, 200)}`);
    }
  };
  try {
    const began = performance.now();
    await Promise.all(connections.map(loop));
    const seconds = (performance.now() - began) / 1000;
    times.sort((a, b) => a - b);
    return { seconds, p50: times[Math.floor(times.length * 0.5)]!, p99: times[Math.floor(times.length * 0.99)]! };
  } finally {
    for (const connection of connections) connection.close();
  }
}

function frame(url: URL, token: string, body: string): Buffer {
  return Buffer.from(
    `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization: Bearer ${token}\r\n` +
      `Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

answerCalls({ run });
