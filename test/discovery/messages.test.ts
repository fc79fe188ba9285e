import { encodeRecord, parseMessages, type MemberRecord } from '../../src/discovery/messages';
import { readUserEvent, writeUserEvent, type UserEvent } from '../../src/discovery/user-event';
import { tagsOf } from './nodes';

const record: MemberRecord = {
  gossipAddr: 'node-1:8301',
  tags: tagsOf('node-1'),
  state: 'alive',
  incarnation: 1_700_000_000_000,
  goneForMs: 0,
};
const event: UserEvent = {
  origin: '[::1]:8301',
  session: { id: '0123456789abcdef', startedAt: 1_700_000_000_000 },
  number: 7,
  name: 'deploy:start',
  payload: Buffer.from([0, 255, 1]),
};

function typed(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type]), body]);
}

test.each<Partial<MemberRecord>>([
  {},
  { state: 'suspect' },
  { state: 'failed', goneForMs: 12 },
  { state: 'left', goneForMs: 86_400_000 },
  { tags: tagsOf('joiner', { clusterId: '', role: 'joining', nonVoter: true, partitions: 3 }) },
])('a record survives its way: %j', (change) => {
  const changed = { ...record, ...change };
  expect(parseMessages(typed(14, encodeRecord(changed)))).toEqual([{ type: 'update', record: changed }]);
});

test('the messages of a compound come out in order', () => {
  const parts = [
    typed(10, Buffer.from('{"seq":5}')),
    typed(14, encodeRecord(record)),
    typed(13, Buffer.from('{"seq":6}')),
    typed(11, Buffer.from('{"seq":7,"destination":"node-2:8301"}')),
    typed(12, encodeRecord(record)),
    writeUserEvent(event),
  ];
  const packed: Buffer[] = [Buffer.from([0, parts.length, 0])];
  for (const part of parts) packed.push(Buffer.from([part.length & 255, part.length >> 8]), part);
  expect(parseMessages(Buffer.concat(packed))).toEqual([
    { type: 'ping', seq: 5 },
    { type: 'update', record },
    { type: 'ack', seq: 6 },
    { type: 'pingReq', seq: 7, destination: 'node-2:8301' },
    { type: 'sync', record },
    { type: 'event', event },
  ]);
});

test('an event survives its way, and every cut of it is refused or a shorter payload', () => {
  const bytes = writeUserEvent(event);
  expect(readUserEvent(bytes)).toEqual(event);
  for (let length = 0; length < bytes.length - event.payload.length; length++) {
    expect(readUserEvent(bytes.subarray(0, length))).toBeUndefined();
  }
  expect(readUserEvent(Buffer.concat([bytes, Buffer.alloc(512)]))).toBeUndefined();
});
