import { BatchKind, readHeader } from '../../src/log/batch';
import { encodeValues } from '../../src/log/chunk';
import type { StateMachine } from '../../src/raft/replica/state-machine';
import { BatchChain, boundaryAfter, type NextBatch } from './batch-chain';
import { SeededRandom } from './seeded-random';

const ROW_BYTES = 64;

/** A state machine whose states can be told apart. */
export interface HashedMachine extends StateMachine {
  hash(): string;
}

export interface MachineUnderTest {
  /** A new one that has applied nothing. `number` is the node's: machines of different nodes must agree. */
  readonly make: (number: number) => HashedMachine;
  /** Batches that mean something to this machine; the suite mixes them with what means nothing. */
  readonly meaningful: readonly NextBatch[];
}

/** What any node may find in its log, meant or not. */
const MEANINGLESS: readonly NextBatch[] = [
  { count: 3, payload: Buffer.alloc(0) },
  { count: 3, payload: Buffer.from('this is no chunk at all') },
  { count: 3, payload: encodeValues(0, [Buffer.from('fewer than it says')]) },
  { count: 1, payload: encodeValues(0, [Buffer.from('more'), Buffer.from('than'), Buffer.from('it says')]) },
  { count: 2, payload: encodeValues(1, [Buffer.alloc(0), Buffer.alloc(300, 0xff)]) },
  { kind: BatchKind.NoOp, payload: Buffer.alloc(0) },
  { kind: BatchKind.Configuration, payload: Buffer.from('{}') },
  { kind: BatchKind.System, payload: Buffer.from('nor is this') },
  { kind: BatchKind.Version, payload: Buffer.alloc(0) },
];

/** Everything that a `StateMachine` has to do, whatever it decides. Call it from a test file with each implementation. */
export function describeStateMachine(name: string, { make, meaningful }: MachineUnderTest): void {
  describe(`${name} keeps the contract of a state machine`, () => {
    const log = logOf(name, meaningful);

    test('two of them, and a replay, give the same outcomes and the same state, to the byte (pitfall 28)', () => {
      const [one, other] = [make(1), make(2)];
      for (const batch of log) {
        expect(other.apply(batch, readHeader(batch))).toEqual(one.apply(batch, readHeader(batch)));
        expect(other.hash()).toBe(one.hash());
      }
    });

    test('whatever a batch holds, each record that takes an offset has an outcome, and what follows goes on (pitfall 32)', () => {
      const machine = make(1);
      for (const batch of log) {
        const { kind, count } = readHeader(batch);
        const outcomes = machine.apply(batch, readHeader(batch));
        if (kind === BatchKind.Records) expect(outcomes).toHaveLength(count * ROW_BYTES);
      }
    });

    test('random bytes are a batch, too', () => {
      const random = new SeededRandom(7);
      const chain = new BatchChain();
      const [one, other] = [make(1), make(2)];
      for (let round = 0; round < 200; round += 1) {
        const count = 1 + random.below(4);
        const batch = chain.next({ count, payload: random.bytes(random.below(200)) });
        expect(one.apply(batch, readHeader(batch))).toHaveLength(count * ROW_BYTES);
        other.apply(batch, readHeader(batch));
      }
      expect(other.hash()).toBe(one.hash());
    });

    test('what is Raft’s own changes nothing', () => {
      const machine = make(1);
      const before = machine.hash();
      const chain = new BatchChain();
      for (const kind of [BatchKind.NoOp, BatchKind.Configuration]) {
        const batch = chain.next({ kind, payload: Buffer.alloc(0) });
        expect(machine.apply(batch, readHeader(batch))).toHaveLength(0);
      }
      expect(machine.hash()).toBe(before);
    });

    describe('snapshots', () => describeSnapshots(make, log));

    test('a flush resolves, with nothing applied and with much', async () => {
      const machine = make(1);
      await machine.flush();
      applyAll(machine, log);
      await machine.flush();
    });
  });
}

function applyAll(machine: StateMachine, batches: readonly Buffer[]): Buffer[] {
  return batches.map((batch) => Buffer.from(machine.apply(batch, readHeader(batch))));
}

function describeSnapshots(make: MachineUnderTest['make'], log: readonly Buffer[]): void {
  test('a snapshot at any index restores that state; what follows is decided as if there had been none', async () => {
    const outcomes = applyAll(make(1), log);
    const source = make(1);
    for (const [at, batch] of log.entries()) {
      source.apply(batch, readHeader(batch));
      const restored = make(2);
      await restored.restore(streamed(source.snapshot()), boundaryAfter(batch));
      expect(restored.hash()).toBe(source.hash());
      expect(applyAll(restored, log.slice(at + 1))).toEqual(outcomes.slice(at + 1));
    }
  });

  test('a restore replaces whatever was there', async () => {
    const early = make(1);
    applyAll(early, log.slice(0, 2));
    const chunks = [...early.snapshot()].map((chunk) => Buffer.from(chunk));
    const late = make(2);
    applyAll(late, log);
    await late.restore(streamed(chunks), boundaryAfter(log[1] as Buffer));
    expect(late.hash()).toBe(early.hash());
    const rest = log.slice(2);
    expect(applyAll(late, rest)).toEqual(applyAll(early, rest));
    expect(late.hash()).toBe(early.hash());
  });

  test('a snapshot is the state at the call, however much is applied while it is read', async () => {
    const half = Math.floor(log.length / 2);
    const machine = make(1);
    applyAll(machine, log.slice(0, half));
    const before = machine.hash();
    const snapshot = machine.snapshot();
    const chunks: Buffer[] = [];
    let next = half;
    for (const chunk of snapshot) {
      chunks.push(Buffer.from(chunk));
      applyAll(machine, log.slice(next, next + 1));
      next += 1;
    }
    applyAll(machine, log.slice(next));
    const restored = make(2);
    await restored.restore(streamed(chunks), boundaryAfter(log[half - 1] as Buffer));
    expect(restored.hash()).toBe(before);
  });

  test('a snapshot that stands elsewhere than it is said to is refused, and nothing has changed', async () => {
    const machine = make(1);
    applyAll(machine, log);
    const before = machine.hash();
    const at = boundaryAfter(log.at(-1) as Buffer);
    const moved = { ...at, nextOffset: at.nextOffset + 1 };
    await expect(machine.restore(streamed([...machine.snapshot()]), moved)).rejects.toThrow();
    expect(machine.hash()).toBe(before);
  });
}

/** The meaningful batches in their order, the others strewn among them; the same for the same name. */
function logOf(name: string, meaningful: readonly NextBatch[]): Buffer[] {
  const random = new SeededRandom(name.length);
  const chain = new BatchChain();
  return meaningful
    .flatMap((next) => {
      const other = MEANINGLESS[random.below(MEANINGLESS.length)] as NextBatch;
      return [chain.next(next), chain.next(other)];
    })
    .concat(MEANINGLESS.map((next) => chain.next(next)));
}

async function* streamed(chunks: Iterable<Buffer>): AsyncIterable<Buffer> {
  yield* chunks;
}
