import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KEY_FILE, loadNodeKey } from '../../src/node/node-key';
import { StartupError } from '../../src/node/startup-error';
import { isSignedByItsKey, signHead } from '../../src/proof/signed-head';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-key-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (): string => join(folder, KEY_FILE);

describe('the key of a node', () => {
  test('is made once, for its owner alone, and stays', async () => {
    const first = await loadNodeKey(folder);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual([KEY_FILE]);
    const again = await loadNodeKey(folder);
    expect(again.publicKey).toEqual(first.publicKey);
    expect(first.publicKey).toHaveLength(32);
    const head = {
      clusterId: 'ab'.repeat(16),
      group: 0,
      nodeId: 'cd'.repeat(8),
      size: 1,
      root: Buffer.alloc(32),
      nextOffset: 0,
      time: 0,
    };
    const signed = signHead(head, first.privateKey);
    expect(signed.publicKey).toEqual(again.publicKey);
    expect(isSignedByItsKey(signed)).toBe(true);
  });

  test('is another one in another folder', async () => {
    const other = mkdtempSync(join(tmpdir(), 'ledger-key-'));
    try {
      expect((await loadNodeKey(other)).publicKey).not.toEqual((await loadNodeKey(folder)).publicKey);
    } finally {
      rmSync(other, { recursive: true, force: true });
    }
  });

  test('that others may read is refused', async () => {
    await loadNodeKey(folder);
    chmodSync(path(), 0o640);
    await expect(loadNodeKey(folder)).rejects.toThrow('chmod 600');
    await expect(loadNodeKey(folder)).rejects.toBeInstanceOf(StartupError);
  });

  test('that is none, or one of another kind, is refused and left as it is', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'pem', type: 'pkcs8' });
    for (const text of ['', 'nothing', rsa.toString()]) {
      writeFileSync(path(), text, { mode: 0o600 });
      await expect(loadNodeKey(folder)).rejects.toThrow('holds no Ed25519 key');
      expect(readFileSync(path(), 'utf8')).toBe(text);
    }
  });

  test('with a bit that has flipped is refused with the place, or is the same key: never another one', async () => {
    const { publicKey } = await loadNodeKey(folder);
    const written = readFileSync(path());
    let refused = 0;
    for (let at = 0; at < written.length * 8; at += 5) {
      const rotten = Buffer.from(written);
      rotten[at >> 3]! ^= 1 << (at & 7);
      writeFileSync(path(), rotten, { mode: 0o600 });
      const outcome = await loadNodeKey(folder).catch((error: unknown) => error);
      if (!(outcome instanceof StartupError)) expect(outcome).toMatchObject({ publicKey });
      else expect(outcome.message).toMatch(/node\.key cannot be used: .*from byte \d+ on/);
      refused += outcome instanceof StartupError ? 1 : 0;
    }
    expect(refused).toBeGreaterThan(100);
  });

  test('that was made before the public key stood beside it is used', async () => {
    const { publicKey } = await loadNodeKey(folder);
    const [own] = readFileSync(path(), 'utf8').split('-----BEGIN PUBLIC KEY-----');
    writeFileSync(path(), own!, { mode: 0o600 });
    expect((await loadNodeKey(folder)).publicKey).toEqual(publicKey);
  });

  test('that a crash has left half made is made anew', async () => {
    writeFileSync(`${path()}.new`, 'half', { mode: 0o644 });
    await loadNodeKey(folder);
    expect(readdirSync(folder)).toEqual([KEY_FILE]);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });
});
