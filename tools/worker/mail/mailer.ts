import { Readable } from 'node:stream';
import MailComposer from 'nodemailer/lib/mail-composer';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { MailSettings } from '../../settings.ts';

/** What goes out: a row of the outbox with the address it goes to. */
export interface Message {
  id: string;
  message_id: string;
  address: string;
  subject: string;
  body: string;
  created_at: Date;
}

/** The message ceased to be true before the server had it. */
export class Overtaken extends Error {}

/** The server did not take a message. Neither its words nor the address are repeated: only a code. */
export class DeliveryError extends Error {
  readonly code: string;
  /** The server speaks of this letter: another may fare better. Else it is the connection, the log-in or the sender. */
  readonly isAboutTheLetter: boolean;
  /** And it has said no, not: later. */
  readonly isPermanent: boolean;

  constructor(error: unknown) {
    const { responseCode, code = 'ESMTP', command } = error as { responseCode?: number; code?: string; command?: string };
    super('The mail server did not take a message.');
    this.isAboutTheLetter =
      responseCode !== undefined &&
      responseCode !== 421 &&
      ['EENVELOPE', 'EMESSAGE'].includes(code) &&
      command !== 'MAIL FROM';
    this.isPermanent = this.isAboutTheLetter && responseCode! >= 500;
    this.code = this.isAboutTheLetter ? String(responseCode) : code;
  }
}

/** Milliseconds: to connect, to be greeted, and between two words of the server; and for a message in all. */
export const MAIL_PATIENCE = { silence: 10_000, message: 30_000 };

/** A connection to the mail server, opened when it is needed and again when it broke. */
export class Mailer {
  readonly #mail: MailSettings;
  readonly #patience: typeof MAIL_PATIENCE;
  #connection: SMTPConnection | undefined;

  constructor(mail: MailSettings, patience = MAIL_PATIENCE) {
    this.#mail = mail;
    this.#patience = patience;
  }

  /**
   * Hands one message over and resolves when the server has taken it.
   * @param isStillTrue asked when the server is ready to take the text
   * @throws DeliveryError, or Overtaken when it was not true any more and nothing was sent
   */
  async send(message: Message, isStillTrue: () => Promise<boolean>): Promise<void> {
    let refused: unknown;
    const text = await this.#compose(message);
    const whenReady = Readable.from(
      (async function* () {
        if (!(await isStillTrue().catch((error) => ((refused = error), false)))) {
          throw (refused ??= new Overtaken());
        }
        yield text;
      })(),
    );
    whenReady.on('error', () => {});
    // A server that drips its words is never silent, so there is a limit to it all besides.
    const deadline = setTimeout(() => this.close(), this.#patience.message);
    try {
      const connection = await this.#connect();
      await settled((done) =>
        connection.send({ from: this.#mail.fromAddress, to: [message.address] }, whenReady, done),
      );
    } catch (error) {
      // Whatever state the dialogue was in, the next message begins a new one; unfinished, this one is void.
      this.close();
      throw refused ?? new DeliveryError(error);
    } finally {
      clearTimeout(deadline);
      whenReady.destroy();
    }
  }

  /** Ends the connection at once. Safe to call twice. */
  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #connect(): Promise<SMTPConnection> {
    if (this.#connection) return this.#connection;
    const { host, port, isSecure, auth } = this.#mail;
    const connection = new SMTPConnection({
      host,
      port,
      secure: isSecure,
      // Only to the machine itself does anything go unencrypted.
      requireTLS: !isSecure && !isLoopback(host),
      ignoreTLS: isLoopback(host),
      connectionTimeout: this.#patience.silence,
      greetingTimeout: this.#patience.silence,
      socketTimeout: this.#patience.silence,
      dnsTimeout: this.#patience.silence,
      socketCloseTimeout: 0,
    });
    this.#connection = connection;
    connection.on('end', () => {
      if (this.#connection === connection) this.#connection = undefined;
    });
    await new Promise<void>((resolve, reject) => {
      connection.on('error', reject);
      connection.on('end', () => reject(Object.assign(new Error('The connection ended.'), { code: 'ECONNECTION' })));
      connection.connect((error) => (error ? reject(error) : resolve()));
    });
    if (auth) await settled((done) => connection.login(auth, done));
    return connection;
  }

  #compose({ message_id: id, address, subject, body, created_at: date }: Message): Promise<Buffer> {
    const composer = new MailComposer({
      from: this.#mail.from,
      // As an object: a comma in an address makes no second recipient.
      to: { name: '', address },
      subject,
      text: body,
      date,
      messageId: `<${id}@${this.#mail.fromAddress.split('@')[1]}>`,
      headers: { 'Auto-Submitted': 'auto-generated' },
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    return composer.compile().build();
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

function settled(work: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => work((error) => (error ? reject(error) : resolve())));
}
