/**
 * The key that a node signs heads with: Ed25519, in `node.key` of the data directory (PEM, PKCS #8), readable by its owner alone.
 * It is made at the first start and never changes; whoever has it can sign in this node's name. The public key stands behind
 * it: nearly every sequence of bits is a private key, and one that rot has changed would sign what nobody can check.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { rawPublicKey } from '../proof/signed-head';
import { StartupError } from './startup-error';

export const KEY_FILE = 'node.key';
const OWNER_ONLY = 0o600;
const PUBLIC_BLOCK = '-----BEGIN PUBLIC KEY-----';
/** What others than the owner may do with a file. */
const OTHERS = 0o077;

export interface NodeKey {
  readonly privateKey: KeyObject;
  /** Raw, 32 bytes: what is published. */
  readonly publicKey: Buffer;
}

/** The node's own key, made where there is none. Rejects with StartupError where the file is there and cannot be used. */
export async function loadNodeKey(dataDir: string): Promise<NodeKey> {
  const privateKey = await privateKeyOf(dataDir);
  return { privateKey, publicKey: rawPublicKey(createPublicKey(privateKey)) };
}

async function privateKeyOf(dataDir: string): Promise<KeyObject> {
  const path = join(dataDir, KEY_FILE);
  const pem = await contents(path);
  if (pem === undefined) return makeKey(dataDir, path);
  if (((await stat(path)).mode & OTHERS) !== 0) {
    throw new StartupError(
      `${path} can be read by others than its owner, who could sign in this node's name: chmod 600 it`,
      1,
    );
  }
  const key = keyIn(pem);
  if (key?.asymmetricKeyType !== 'ed25519') throw unusable(path, 'from byte 0 on, it holds no Ed25519 key');
  const beside = pem.indexOf(PUBLIC_BLOCK);
  if (beside < 0 || publicPem(key) === pem.slice(beside)) return key;
  throw unusable(path, `the public key from byte ${beside} on is not that of the private key before it`);
}

function unusable(path: string, what: string): StartupError {
  const advice =
    'put it back from a copy, or remove it: a new one is made, and what was signed with the old one stays valid under that';
  return new StartupError(`${path} cannot be used: ${what}. Do this: ${advice}.`, 1);
}

function publicPem(key: KeyObject): string {
  return createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString();
}

async function contents(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new StartupError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
}

function keyIn(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's words for what is wrong with a file help nobody; the caller says what to do.
    return undefined;
  }
}

/** Durable before it signs anything: a key that a crash took would leave proofs that nobody can check. */
async function makeKey(dataDir: string, path: string): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const file = await open(`${path}.new`, 'w', OWNER_ONLY);
  try {
    await file.chmod(OWNER_ONLY);
    await file.writeFile(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() + publicPem(privateKey));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const folder = await open(dataDir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
  return privateKey;
}
