import { connect, type Socket } from 'node:net';

/** Sends bytes as they are and returns all that comes back until the server closes the connection. */
export function speak(url: string, text: string): Promise<string> {
  const socket = dial(url);
  socket.write(text);
  return untilClosed(socket);
}

/** A bare connection to a server. */
export function dial(url: string): Socket {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname);
}

/** All that comes until the other side closes, or breaks off. */
export function untilClosed(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}
