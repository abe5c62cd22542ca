import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { MailSettings } from '../../tools/settings.ts';

/** A real mail server in this process, and every letter it has taken. */
export interface MailServer {
  settings: MailSettings;
  url: string;
  letters: Letter[];
  close(): Promise<void>;
}

export interface Letter {
  to: string[];
  messageId: string;
  raw: string;
}

/** Starts a server; `onData` may refuse, hang or hang up after a letter has come: it gets what would end the dialogue. */
export async function startMailServer({
  onLetter,
  ...options
}: SMTPServerOptions & {
  onLetter?: (letter: Letter, accept: (error?: Error) => void, cut: () => void) => void;
} = {}): Promise<MailServer> {
  const letters: Letter[] = [];
  const server: SMTPServer = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: true,
    logger: false,
    closeTimeout: 100,
    onData: (stream, session, done) => {
      void text(stream).then((raw) => {
        const letter = {
          to: session.envelope.rcptTo.map(({ address }) => address),
          messageId: /^Message-ID: (.*)$/im.exec(raw)?.[1]?.trim() ?? '',
          raw,
        };
        const cut = (): void => {
          for (const connection of server.connections) (connection as any)._socket.destroy();
        };
        if (onLetter) return onLetter(letter, (error) => (error || letters.push(letter), done(error)), cut);
        letters.push(letter);
        done();
      }, () => {});
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  const fromAddress = 'no-reply@harbor.example';
  return {
    settings: { host: '127.0.0.1', port, isSecure: false, from: `Harbor Hospital <${fromAddress}>`, fromAddress },
    url: `smtp://127.0.0.1:${port}`,
    letters,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
