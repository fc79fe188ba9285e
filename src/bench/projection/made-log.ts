import { BatchKind, NO_HASH, payloadOf, readHeader, sealBatch } from '../../log/batch';
import { encodeRows, encodeValues, RecordType } from '../../log/chunk';
import { encodeCommand } from '../../ledger/command-codec';
import { type PackedTransfer, writePackedRow, PACKED_ROW_BYTES } from '../../ledger/packed-rows';
import { LedgerState } from '../../ledger/state';
import { type Fetched, type FetchedBatch, type ProjectionSource } from '../../ledger/projection/source';

const ROWS_PER_BATCH = 8_190;
const BATCH_MICROS = 40_000;
const BEGUN = 1_700_000_000_000_000;
const LEDGER = 'BENCH';

export const accountName = (number: number): string => `account ${number}`;

/**
 * A log of packed transfers between random accounts, made and decided by the real state machine as it is asked for. The time
 * that this takes is counted, so that it can be taken away from what is measured.
 */
export class MadeLog implements ProjectionSource {
  /** Milliseconds spent on making it. */
  madeIn = 0;
  private readonly state = new LedgerState();
  private hash = NO_HASH;
  private index = 0;
  private made = 0;
  private time = BEGUN;

  constructor(
    private readonly transfers: number,
    private readonly accounts: number,
  ) {}

  get nextOffset(): number {
    return this.state.nextOffset;
  }

  /** Of the last batch, in microseconds since the Unix epoch. */
  get lastTime(): number {
    return this.time;
  }

  async fetch(fromIndex: number, maxBytes: number): Promise<Fetched> {
    const begun = performance.now();
    if (fromIndex !== this.index + 1)
      throw new Error(`Batch ${fromIndex} was asked for; ${this.index + 1} is the next one.`);
    const batches: FetchedBatch[] = [];
    for (let bytes = 0; bytes < maxBytes && (this.index === 0 || this.made < this.transfers);) {
      const next = this.index === 0 ? this.opening() : this.batch();
      batches.push(next);
      bytes += next.batch.length;
    }
    this.madeIn += performance.now() - begun;
    return { batches, commitIndex: this.index, nextOffset: this.state.nextOffset };
  }

  private opening(): FetchedBatch {
    const ledger = { kind: 'create_ledger', code: LEDGER, scale: 2, autoOpen: false, rounding: 0 } as const;
    const limits = { defaultMinBalance: undefined, defaultMaxBalance: undefined };
    const opened = Array.from({ length: this.accounts }, (_, i) =>
      encodeCommand({
        kind: 'open_account',
        name: accountName(i + 1),
        ledger: LEDGER,
        min: { kind: 'none' },
        max: { kind: 'none' },
        userData: 0n,
        metadata: Buffer.alloc(0),
      }),
    );
    const records = [encodeCommand({ ...ledger, ...limits }), ...opened];
    return this.seal(encodeValues(RecordType.Ledger, records), records.length);
  }

  private batch(): FetchedBatch {
    const count = Math.min(ROWS_PER_BATCH, this.transfers - this.made);
    const rows = Buffer.alloc(count * PACKED_ROW_BYTES);
    const id = Buffer.alloc(16);
    for (let i = 0; i < count; i++) writePackedRow(rows, i * PACKED_ROW_BYTES, this.transfer(id));
    return this.seal(encodeRows(rows), count);
  }

  /** Ids that are spread over all there are, as those of clients that choose them at random. */
  private transfer(id: Buffer): PackedTransfer {
    const number = ++this.made;
    for (let word = 0; word < 4; word++) id.writeUInt32LE(scattered(number * 4 + word), word * 4);
    const debitHandle = 1 + Math.floor(Math.random() * this.accounts);
    const other = 1 + Math.floor(Math.random() * (this.accounts - 1));
    const creditHandle = other < debitHandle ? other : other + 1;
    return { id, debitHandle, creditHandle, amount: BigInt(1 + (number % 100_000)), userData: 0n, code: 0, flags: 0 };
  }

  private seal(payload: Buffer, count: number): FetchedBatch {
    const { state } = this;
    this.time += BATCH_MICROS;
    const place = { index: ++this.index, term: 1, baseOffset: state.nextOffset, count, time: this.time, group: 0 };
    const batch = sealBatch(
      { ...place, kind: BatchKind.Records, commitIndex: this.index - 1, previousHash: this.hash },
      [payload],
    );
    this.hash = Buffer.from(readHeader(batch).hash);
    const { baseOffset, time } = place;
    return {
      batch,
      outcomes: Buffer.from(state.apply({ kind: 'records', time, baseOffset, count }, payloadOf(batch))),
    };
  }
}

/** A bijection of 32 bits (the finalizer of MurmurHash3, by Austin Appleby). */
function scattered(number: number): number {
  let mixed = number >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
