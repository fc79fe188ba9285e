import { randomBytes } from 'node:crypto';
import { MAX_ADDRESS_BYTES } from '../../src/discovery/address';
import { MAX_DATAGRAM_BYTES, openEnvelope, Sealer } from '../../src/discovery/envelope';
import { Keyring } from '../../src/discovery/keyring';
import { encodeRecord } from '../../src/discovery/messages';
import { writeUserEvent } from '../../src/discovery/user-event';
import { clock, CLUSTER, tagsOf } from './nodes';

const keyring = Keyring.parse(randomBytes(32).toString('base64'));
const SENDER = 'node-1.example:8301';
const LONGEST = `${'x'.repeat(MAX_ADDRESS_BYTES - 6)}:65535`;

test.each([
  ['plain', undefined],
  ['sealed', keyring],
])('a %s datagram opens to what was put in, and each has its own number', (_title, ring) => {
  const sealer = new Sealer(SENDER, ring, clock);
  for (const counter of [0, 1, 2]) {
    const datagram = sealer.seal(CLUSTER, Buffer.from('message'));
    expect(openEnvelope(datagram, ring)).toMatchObject({
      sender: SENDER,
      clusterId: CLUSTER,
      session: sealer.session,
      counter,
      authentic: ring !== undefined,
      message: Buffer.from('message'),
    });
  }
  expect(openEnvelope(sealer.seal('', Buffer.alloc(0)), ring)).toMatchObject({
    clusterId: '',
    message: Buffer.alloc(0),
  });
});

test('no two datagrams share a nonce, within a node and between two runs', () => {
  const sealers = [new Sealer(SENDER, keyring, clock), new Sealer(SENDER, keyring, clock)];
  const nonces = sealers.flatMap((sealer) =>
    Array.from({ length: 100 }, () => sealer.seal(CLUSTER, Buffer.alloc(0)).toString('hex', 2, 14)),
  );
  expect(new Set(nonces).size).toBe(200);
});

test('every cut and every changed bit of a sealed datagram is refused', () => {
  const datagram = new Sealer(SENDER, keyring, clock).seal(CLUSTER, Buffer.from('message'));
  for (let length = 0; length < datagram.length; length++) {
    expect(typeof openEnvelope(datagram.subarray(0, length), keyring)).toBe('string');
  }
  for (let bit = 0; bit < datagram.length * 8; bit++) {
    const changed = Buffer.from(datagram);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(typeof openEnvelope(changed, keyring)).toBe('string');
  }
});

test('says why a datagram is not opened', () => {
  const plain = new Sealer(SENDER, undefined, clock).seal(CLUSTER, Buffer.from('message'));
  const sealed = new Sealer(SENDER, keyring, clock).seal(CLUSTER, Buffer.from('message'));
  const other = Keyring.parse(randomBytes(32).toString('base64'));
  expect(openEnvelope(plain, keyring)).toBe('plaintext_refused');
  expect(openEnvelope(sealed, undefined)).toBe('encrypted_refused');
  expect(openEnvelope(sealed, other)).toBe('undecryptable');
  expect(openEnvelope(Buffer.alloc(0), undefined)).toBe('malformed');
  expect(openEnvelope(Buffer.concat([plain, Buffer.alloc(MAX_DATAGRAM_BYTES)]), undefined)).toBe('malformed');
  expect(openEnvelope(new Sealer('no address', undefined, clock).seal(CLUSTER, Buffer.alloc(0)), undefined)).toBe(
    'malformed',
  );
});

test('the longest record and the longest event fit one datagram, from the longest address', () => {
  const sealer = new Sealer(LONGEST, keyring, clock);
  const tags = tagsOf('n'.repeat(63), { rpcAddr: LONGEST, formatVersion: 65_535, partitions: 65_536, nonVoter: true });
  const record = encodeRecord({ gossipAddr: LONGEST, tags, state: 'left', incarnation: 2 ** 50, goneForMs: 2 ** 50 });
  const event = writeUserEvent({
    origin: LONGEST,
    session: sealer.session,
    number: 0xffff_ffff,
    name: 'n'.repeat(64),
    payload: Buffer.alloc(512),
  });
  // swim puts a type before a record, and packs it with a count and a length.
  expect(record.length + 1 + 5).toBeLessThan(sealer.maxMessageBytes);
  expect(event.length).toBeLessThan(sealer.maxMessageBytes);
  expect(sealer.seal(CLUSTER, Buffer.alloc(sealer.maxMessageBytes)).length).toBe(MAX_DATAGRAM_BYTES);
});
