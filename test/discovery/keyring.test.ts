import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Keyring, KeyringError } from '../../src/discovery/keyring';

const K1 = randomBytes(32).toString('base64');
const K2 = randomBytes(32).toString('base64');
const nonce = Buffer.alloc(12, 7);
const additional = Buffer.from('header');

test('the first key encrypts, every key decrypts', () => {
  const sealed = Keyring.parse(K1).encrypt(nonce, additional, Buffer.from('hello'));
  expect(Keyring.parse(`${K2}\n${K1}\n`).decrypt(nonce, additional, sealed)?.toString()).toBe('hello');
  expect(Keyring.parse(K2).decrypt(nonce, additional, sealed)).toBeUndefined();
  const rotated = Keyring.parse(`${K2}\n${K1}`).encrypt(nonce, additional, Buffer.from('hello'));
  expect(Keyring.parse(K1).decrypt(nonce, additional, rotated)).toBeUndefined();
  expect(Keyring.parse(K2).decrypt(nonce, additional, rotated)?.toString()).toBe('hello');
});

test('whatever bit is changed, nothing is decrypted', () => {
  const keyring = Keyring.parse(K1);
  const sealed = keyring.encrypt(nonce, additional, Buffer.from('hello'));
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(keyring.decrypt(nonce, additional, changed)).toBeUndefined();
  }
  expect(keyring.decrypt(nonce, Buffer.from('Header'), sealed)).toBeUndefined();
  expect(keyring.decrypt(Buffer.alloc(12), additional, sealed)).toBeUndefined();
  expect(keyring.decrypt(nonce, additional, sealed.subarray(0, 15))).toBeUndefined();
});

test('comments, empty lines and the line ends of other systems are allowed', () => {
  expect(() => Keyring.parse(`# gossip\r\n\r\n  ${K1}  \r\n# the old one\n${K2}`)).not.toThrow();
});

test.each([
  ['nothing', '# only a comment\n', /no key/],
  ['a short key', randomBytes(16).toString('base64'), /line 1 is not 32 bytes/],
  ['no base64', `${K1}\n\nnot base64 at all!`, /line 3/],
  ['base64 with junk in it', `${K1.slice(0, 10)} ${K1.slice(10)}`, /line 1/],
  ['a key twice', `${K1}\n${K1}`, /line 2 repeats/],
  ['too many keys', Array.from({ length: 17 }, () => randomBytes(32).toString('base64')).join('\n'), /17 keys/],
])('%s is refused, with the line and without the key', (_title, text, expected) => {
  expect(() => Keyring.parse(text)).toThrow(KeyringError);
  expect(() => Keyring.parse(text)).toThrow(expected);
});

test('a file is read, and what is wrong with it is said with its name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'keyring-'));
  try {
    const path = join(folder, 'gossip.keys');
    await expect(Keyring.fromFile(path)).rejects.toThrow(/gossip\.keys cannot be read: ENOENT/);
    await writeFile(path, 'junk');
    await expect(Keyring.fromFile(path)).rejects.toThrow(/gossip\.keys is not a keyring: line 1/);
    await writeFile(path, `${K1}\n`);
    const sealed = Keyring.parse(K1).encrypt(nonce, additional, Buffer.from('hello'));
    expect((await Keyring.fromFile(path)).decrypt(nonce, additional, sealed)?.toString()).toBe('hello');
  } finally {
    await rm(folder, { recursive: true });
  }
});
