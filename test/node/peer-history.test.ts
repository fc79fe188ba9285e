import type { RecordPage } from '../../src/api/node-port';
import { encodeValues } from '../../src/log/chunk';
import { PEER_CALLS, decodeJson, encodeJson, encodeRecordPage } from '../../src/node/peer-calls';
import { OutcomeDamageError } from '../../src/node/outcome-keeper';
import { PeerHistory } from '../../src/node/peer-history';
import { ProjectionFeed } from '../../src/node/projection-feed';
import { AppliedSignal } from '../../src/node/applied-signal';
import { RecordReader } from '../../src/node/record-reader';
import { CallError } from '../../src/raft/transport';
import { BatchChain } from '../support/batch-chain';
import { MemoryLog } from '../support/memory-log';
import { recordedEvents } from './recorded-events';

const ALL = 1 << 30;
const ROW = 64;

/** A node that has everything, and can be asked over calls. */
class Holder {
  readonly log = new MemoryLog();
  readonly reader: RecordReader;
  readonly feed: ProjectionFeed;
  readonly chain = new BatchChain();

  constructor(batches: number, recordsPerBatch: number) {
    for (let batch = 0; batch < batches; batch += 1) {
      const values = Array.from({ length: recordsPerBatch }, (_, at) => Buffer.from(`${batch}.${at}`));
      this.log.append(this.chain.next({ count: recordsPerBatch, payload: encodeValues(0, values) }));
    }
    const options = {
      log: this.log,
      readOutcomes: async (_offset: number, count: number) => Buffer.alloc(count * ROW, 7),
      mendOutcomes: async () => false,
      damageAt: (offset: number) => new OutcomeDamageError(offset, undefined),
      appliedIndex: () => this.log.lastIndex,
      nextOffset: () => this.log.nextOffset,
      signal: new AppliedSignal(),
      ledgerCodes: () => undefined,
      holds: () => undefined,
    };
    this.reader = new RecordReader({ ...options, fromPeers: async () => undefined });
    this.feed = new ProjectionFeed({ ...options, fromPeers: async () => [] });
  }
}

type Peer = (method: number, body: Buffer) => Promise<Buffer> | Buffer;

describe('PeerHistory', () => {
  const events = recordedEvents();
  const asked: [string, number][] = [];
  let now = 0;
  beforeEach(() => {
    asked.length = 0;
    now = 0;
  });

  const history = (peers: Readonly<Record<string, Peer>> = {}): PeerHistory =>
    new PeerHistory({
      group: 0,
      peers: () => Object.keys(peers),
      call: async (to, _group, method, body, deadlineMs) => {
        asked.push([to, deadlineMs]);
        return (peers[to] as Peer)(method, body);
      },
      events,
      now: () => now,
    });

  const holding = (holder: Holder): Peer => {
    const own = history();
    return (method, body) =>
      method === PEER_CALLS.records ? own.serveRecords(holder.reader, body) : own.serveBatches(holder.feed, body);
  };
  const unreachable: Peer = () => {
    throw new CallError('UNAVAILABLE', 'PEER_UNREACHABLE', 'nobody is there', { sent: false });
  };

  describe('records', () => {
    test('come from a peer that has them, as it has them', async () => {
      const holder = new Holder(3, 2);
      const page = await history({ a: holding(holder) }).records(1, ALL, 1_000);
      expect(page?.records.map(({ offset, value }) => [offset, value.toString()])).toEqual([
        [1, '0.1'],
        [2, '1.0'],
        [3, '1.1'],
        [4, '2.0'],
        [5, '2.1'],
      ]);
    });

    test.each<[string, Peer]>([
      ['cannot be reached', unreachable],
      ['does not have them', holding(new Holder(0, 0))],
      ['sends junk', () => Buffer.from('?')],
      ['sends others than were asked for', () => encodeRecordPage(pageFrom(7))],
    ])('where one peer %s, the next is asked', async (_what, peer) => {
      const page = await history({ a: peer, b: holding(new Holder(1, 2)) }).records(0, ALL, 1_000);
      expect(page?.records).toHaveLength(2);
      expect(asked.map(([to]) => to)).toEqual(['a', 'b']);
    });

    test('all peers together keep the deadline', async () => {
      const slow: Peer = () => {
        now += 400;
        return unreachable(0, Buffer.alloc(0));
      };
      expect(await history({ a: slow, b: slow, c: slow, d: slow }).records(0, ALL, 1_000)).toBeUndefined();
      expect(asked).toEqual([
        ['a', 1_000],
        ['b', 600],
        ['c', 200],
      ]);
    });

    test('nobody is asked for more than fits into an answer', async () => {
      const holder = new Holder(1, 1);
      let wanted: unknown;
      const peer: Peer = (method, body) => {
        wanted = decodeJson(body)['maxBytes'];
        return holding(holder)(method, body);
      };
      await history({ a: peer }).records(0, ALL, 1_000);
      expect(wanted).toBe(4 << 20);
    });

    test('an error that nobody foresaw is passed on as it is', async () => {
      const bug = new TypeError('a bug');
      const peer: Peer = () => {
        throw bug;
      };
      await expect(history({ a: peer }).records(0, ALL, 1_000)).rejects.toBe(bug);
    });
  });

  describe('batches', () => {
    test('come with what was decided about their records', async () => {
      const holder = new Holder(4, 3);
      const found = await history({ a: holding(holder) }).batches(2, ALL);
      expect(found.map(({ batch }) => batch)).toEqual(await holder.log.read(2, ALL));
      for (const { outcomes } of found) expect(outcomes).toEqual(Buffer.alloc(3 * ROW, 7));
    });

    test('an answer is bounded with the outcomes in it, and one batch at least', async () => {
      const holder = new Holder(6, 20_000);
      const found = await history({ a: holding(holder) }).batches(1, ALL);
      const bytes = found.reduce((sum, { batch, outcomes }) => sum + batch.length + outcomes.length, 0);
      expect(found.length).toBeGreaterThan(0);
      expect(found.length).toBeLessThan(6);
      expect(bytes).toBeLessThanOrEqual(4 << 20);
    });

    test.each<[string, (sound: Buffer) => Buffer]>([
      ['ends within a batch', (sound) => sound.subarray(0, -1)],
      ['begins elsewhere', (sound) => sound.subarray(new Holder(1, 3).log.cached(1, ALL)?.[0]?.length)],
      ['is no batch', () => Buffer.alloc(200, 1)],
      ['is too short for a header', () => Buffer.alloc(10)],
    ])('an answer that %s is not taken, and the next peer is asked', async (_what, change) => {
      const holder = new Holder(2, 3);
      const broken: Peer = async (method, body) => change(await holding(holder)(method, body));
      const found = await history({ a: broken, b: holding(holder) }).batches(1, ALL);
      expect(found).toHaveLength(2);
      expect(asked.map(([to]) => to)).toEqual(['a', 'b']);
    });

    test('that no peer has are gone: the projection is told', async () => {
      await expect(history({ a: unreachable }).batches(5, ALL)).rejects.toThrow('holds the log from index 5 on');
    });

    test.each([{}, { fromIndex: 1.5, maxBytes: 1 }, { fromIndex: 1, maxBytes: 'all' }])(
      'a request with %j is malformed',
      async (body) => {
        await expect(history().serveBatches(new Holder(1, 1).feed, encodeJson(body))).rejects.toThrow('whole number');
      },
    );

    test.each([-1, 0, 99])('a request from index %d on gets nothing', async (fromIndex) => {
      const body = encodeJson({ fromIndex, maxBytes: 1_000 });
      expect(await history().serveBatches(new Holder(1, 1).feed, body)).toHaveLength(0);
    });
  });
});

function pageFrom(offset: number): RecordPage {
  const record = { offset, term: 1, timestamp: 1, type: 0, value: Buffer.from('x') };
  return { records: [record], firstOffset: 0, nextOffset: 9 };
}
