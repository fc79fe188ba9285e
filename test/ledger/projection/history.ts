import { BatchKind, sealBatch, NO_HASH, readHeader, payloadOf } from '../../../src/log/batch';
import { encodeRows, encodeValues, recordAt, RecordType } from '../../../src/log/chunk';
import { type Command, decodeCommand, encodeCommand } from '../../../src/ledger/command-codec';
import { LedgerState } from '../../../src/ledger/state';
import { type Fetched, type FetchedBatch, type ProjectionSource } from '../../../src/ledger/projection/source';

const START = 1_700_000_000_000_000;

/** A log of sealed batches with the outcomes that the real state machine gives, and the source that a node would be. */
export class History implements ProjectionSource {
  readonly batches: FetchedBatch[] = [];
  readonly state = new LedgerState();
  /** What the source gives away; batches above it are not committed yet. */
  commitIndex = 0;
  /** Milliseconds that a fetch waits at the end. */
  patience = 50;
  private hash = NO_HASH;
  private time = START;
  private readonly waiting = new Set<() => void>();

  constructor(readonly group = 0) {}

  get lastIndex(): number {
    return this.batches.length;
  }

  /** Seals a batch, applies it, commits it. `count` is what its header promises. */
  append(kind: number, payload: Buffer[], count = 0): void {
    const baseOffset = this.state.nextOffset;
    this.time += 1_000_003;
    const index = this.lastIndex + 1;
    const batch = sealBatch(
      {
        kind,
        index,
        term: 1 + Math.floor(index / 10),
        baseOffset,
        count,
        time: this.time,
        commitIndex: index - 1,
        group: this.group,
        previousHash: this.hash,
      },
      payload,
    );
    const header = readHeader(batch);
    this.hash = Buffer.from(header.hash);
    this.batches.push({ batch, outcomes: applyTo(this.state, batch) });
    this.commit(index);
  }

  appendRows(rows: Buffer): void {
    this.append(BatchKind.Records, [encodeRows(rows)], rows.length / 64);
  }

  appendCommands(...commands: (Parameters<typeof encodeCommand>[0] | Buffer)[]): void {
    const records = commands.map((command) => (Buffer.isBuffer(command) ? command : encodeCommand(command)));
    this.append(BatchKind.Records, [encodeValues(RecordType.Ledger, records)], records.length);
  }

  commit(index: number): void {
    this.commitIndex = index;
    for (const wake of this.waiting) wake();
  }

  async fetch(fromIndex: number, maxBytes: number): Promise<Fetched> {
    if (fromIndex > this.commitIndex) await this.more();
    const batches: FetchedBatch[] = [];
    let bytes = 0;
    for (let i = fromIndex; i <= this.commitIndex && (batches.length === 0 || bytes < maxBytes); i++) {
      const next = this.batches[i - 1] as FetchedBatch;
      batches.push(next);
      bytes += next.batch.length;
    }
    return { batches, commitIndex: this.commitIndex, nextOffset: this.state.nextOffset };
  }

  /** The state after the batch at `index`, from a replay of its own. */
  stateAt(index: number): LedgerState {
    const state = new LedgerState();
    for (const { batch } of this.batches.slice(0, index)) applyTo(state, batch);
    return state;
  }

  /** What a record asks for; a packed one is a transfer, and so is one that nobody can decode. */
  static kindOf(payload: Buffer, ordinal: number): Command['kind'] {
    const record = recordAt(payload, ordinal);
    return (record?.width === 0 ? decodeCommand(record.value)?.kind : undefined) ?? 'transfer';
  }

  private more(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, this.patience);
      this.waiting.add(done);
    });
  }
}

function applyTo(state: LedgerState, batch: Buffer): Buffer {
  const { kind, time, baseOffset, count } = readHeader(batch);
  if (kind === BatchKind.Records) {
    return state.apply({ kind: 'records', time, baseOffset, count }, payloadOf(batch));
  }
  if (kind === BatchKind.System) state.apply({ kind: 'system', time, baseOffset }, payloadOf(batch));
  return Buffer.alloc(0);
}
