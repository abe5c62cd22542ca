import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Transform } from 'node:stream';
import { Failure } from '../failure.ts';

/*
 * How a file is encrypted: `INFSEAL1`, 16 random bytes, then chunks of length, ciphertext and tag, each AES-256-GCM
 * under a key made of the key file, those random bytes and the file's name in the repository. The nonce is the
 * chunk's number and whether it is the last. So a chunk that is changed, moved, repeated or cut off, and a file
 * that is put in another's place, do not open.
 */

const magic = Buffer.from('INFSEAL1');
const saltLength = 16;
const tagLength = 16;
const chunkLength = 64 * 1024;

/** The 32 bytes of the key file. */
export type Key = Buffer;

/** Encrypts one file, piece by piece. */
export class Sealer {
  /** What the file begins with. */
  readonly header: Buffer;
  readonly #key: Buffer;
  #count = 0;

  constructor(key: Key, name: string) {
    const salt = randomBytes(saltLength);
    this.header = Buffer.concat([magic, salt]);
    this.#key = derive(key, salt, name);
  }

  /** One chunk, which by itself survives whatever happens to those after it. */
  chunk(bytes: Buffer, isLast: boolean): Buffer {
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce(this.#count++, isLast));
    const sealed = Buffer.concat([cipher.update(bytes), cipher.final()]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(sealed.length);
    return Buffer.concat([length, sealed, cipher.getAuthTag()]);
  }
}

/** Encrypts what passes through. */
export function sealing(key: Key, name: string): Transform {
  const sealer = new Sealer(key, name);
  let waiting: Buffer[] = [];
  let length = 0;
  return new Transform({
    construct(callback) {
      this.push(sealer.header);
      callback();
    },
    transform(bytes: Buffer, _encoding, callback) {
      waiting.push(bytes);
      length += bytes.length;
      if (length >= chunkLength) {
        this.push(sealer.chunk(Buffer.concat(waiting), false));
        waiting = [];
        length = 0;
      }
      callback();
    },
    flush(callback) {
      this.push(sealer.chunk(Buffer.concat(waiting), true));
      callback();
    },
  });
}

/**
 * Decrypts what passes through, and fails at the first chunk that is not what was written.
 * @param mayBeCut for a file that was being written when its writer died: what is whole of it is given
 */
export function opening(key: Key, name: string, mayBeCut = false): Transform {
  let held: Buffer = Buffer.alloc(0);
  let fileKey: Buffer | undefined;
  let count = 0;
  let ended = false;
  const open = (length: number): Buffer => {
    const [sealed, tag] = [held.subarray(4, 4 + length), held.subarray(4 + length, 4 + length + tagLength)];
    for (const isLast of [false, true]) {
      const decipher = createDecipheriv('aes-256-gcm', fileKey!, nonce(count, isLast)).setAuthTag(tag);
      const bytes = decipher.update(sealed);
      try {
        decipher.final();
      } catch {
        continue;
      }
      ended = isLast;
      return bytes;
    }
    throw new Failure(`chunk ${count + 1} of its encryption does not open: it is damaged`);
  };
  return new Transform({
    transform(bytes: Buffer, _encoding, callback) {
      held = Buffer.concat([held, bytes]);
      try {
        if (!fileKey) {
          if (held.length < magic.length + saltLength) return callback();
          if (!held.subarray(0, magic.length).equals(magic)) throw new Failure('it is not one of our encrypted files');
          fileKey = derive(key, held.subarray(magic.length, magic.length + saltLength), name);
          held = held.subarray(magic.length + saltLength);
        }
        while (held.length >= 4) {
          const length = held.readUInt32BE();
          if (ended || length > 16 * 1024 * 1024) throw new Failure(`chunk ${count + 1} of its encryption is damaged`);
          if (held.length < 4 + length + tagLength) break;
          this.push(open(length));
          held = held.subarray(4 + length + tagLength);
          count += 1;
        }
        callback();
      } catch (error) {
        callback(error as Error);
      }
    },
    flush(callback) {
      callback(ended || mayBeCut ? null : new Failure('its end is missing'));
    },
  });
}

/** A name for a key that does not tell it. */
export function fingerprint(key: Key): string {
  return derive(key, Buffer.alloc(saltLength), 'fingerprint').toString('hex', 0, 8);
}

/** A key for another purpose than sealing. */
export function derive(key: Key, salt: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, `infirmary backup ${purpose}`, 32));
}

function nonce(count: number, isLast: boolean): Buffer {
  const bytes = Buffer.alloc(12);
  bytes[0] = Number(isLast);
  bytes.writeBigUInt64BE(BigInt(count), 4);
  return bytes;
}
