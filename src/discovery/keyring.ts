import { createCipheriv, createDecipheriv } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { messageOf } from './error-message';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const MAX_KEYS = 16;
export const NONCE_BYTES = 12;
export const AUTH_TAG_BYTES = 16;

/** A key file that cannot be used. The message names the line and never the key. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError';
}

/**
 * The keys that gossip is encrypted with: AES-256-GCM (NIST SP 800-38D). The first key encrypts; every key decrypts, so that
 * a key is replaced without a gap: give the new one to every node as the second, then make it the first on every node, then
 * remove the old one, restarting node by node each time.
 *
 * File: one key a line, 32 bytes in base64 (`openssl rand -base64 32`); empty lines and lines that start with `#` are skipped.
 */
export class Keyring {
  private readonly keys: readonly Buffer[];

  private constructor(keys: readonly Buffer[]) {
    this.keys = keys;
  }

  /** Throws `KeyringError` when the text is not a keyring. */
  static parse(text: string): Keyring {
    const keys: Buffer[] = [];
    for (const [at, line] of text.split(/\r?\n/).entries()) {
      const written = line.trim();
      if (written === '' || written.startsWith('#')) continue;
      const key = Buffer.from(written, 'base64');
      if (key.length !== KEY_BYTES || key.toString('base64') !== written) {
        throw new KeyringError(
          `line ${at + 1} is not ${KEY_BYTES} bytes in base64; make a key with: openssl rand -base64 32`,
        );
      }
      if (keys.some((other) => other.equals(key))) throw new KeyringError(`line ${at + 1} repeats an earlier key`);
      keys.push(key);
    }
    if (keys.length === 0) throw new KeyringError('there is no key in it; make one with: openssl rand -base64 32');
    if (keys.length > MAX_KEYS)
      throw new KeyringError(`there are ${keys.length} keys in it; at most ${MAX_KEYS} are allowed`);
    return new Keyring(keys);
  }

  /** Reads the file of `--encrypt-key-file`. Rejects with `KeyringError`, the file's name in its message. */
  static async fromFile(path: string): Promise<Keyring> {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      throw new KeyringError(`the gossip key file ${path} cannot be read: ${messageOf(error)}`, { cause: error });
    }
    try {
      return Keyring.parse(text);
    } catch (error) {
      throw new KeyringError(`the gossip key file ${path} is not a keyring: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Ciphertext with its tag behind it. The caller never uses a nonce twice. */
  encrypt(nonce: Buffer, additional: Buffer, plaintext: Buffer): Buffer {
    const [first] = this.keys;
    if (first === undefined) throw new KeyringError('a keyring always holds a key');
    const cipher = createCipheriv(CIPHER, first, nonce);
    cipher.setAAD(additional);
    return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  /** The plaintext under whichever key fits; undefined when none does: forged, damaged, or a key that this node lacks. */
  decrypt(nonce: Buffer, additional: Buffer, sealed: Buffer): Buffer | undefined {
    if (sealed.length < AUTH_TAG_BYTES) return undefined;
    const ciphertext = sealed.subarray(0, sealed.length - AUTH_TAG_BYTES);
    const tag = sealed.subarray(sealed.length - AUTH_TAG_BYTES);
    for (const key of this.keys) {
      const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: AUTH_TAG_BYTES });
      decipher.setAAD(additional);
      decipher.setAuthTag(tag);
      const plaintext = decipher.update(ciphertext);
      try {
        return Buffer.concat([plaintext, decipher.final()]);
      } catch {
        // This is how Node says that the tag does not fit this key. There may be another key; where there is none, the
        // caller counts the datagram as undecryptable and logs it.
        continue;
      }
    }
    return undefined;
  }
}
