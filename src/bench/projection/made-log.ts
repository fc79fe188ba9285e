import { BatchKind, NO_HASH, payloadOf, readHeader, sealBatch } from '../../log/batch';
import { encodeRows, encodeValues, RecordType } from '../../log/chunk';
import { encodeCommand } from '../../ledger/command-codec';
import { type PackedTransfer, writePackedRow, PACKED_ROW_BYTES } from '../../ledger/packed-rows';
import { LedgerState } from '../../ledger/state';
import { type FetchedBatch } from '../../ledger/projection/source';

const ROWS_PER_BATCH = 8_190;
const BATCH_MICROS = 40_000;
const BEGUN = 1_700_000_000_000_000;
const LEDGER = 'BENCH';

export const accountName = (number: number): string => `account ${number}`;

/** `v7`: as this library's client makes them, in the order of time. `random`: spread over all there are. */
export type MadeIds = 'v7' | 'random';

/** A log of packed transfers between random accounts, made and decided by the real state machine, in memory. */
export class MadeLog {
  readonly batches: FetchedBatch[] = [];
  private readonly state = new LedgerState();
  private hash = NO_HASH;
  private index = 0;
  private made = 0;
  private time = BEGUN;

  /** Takes about 2 µs and 128 bytes a transfer. */
  constructor(
    transfers: number,
    private readonly accounts: number,
    private readonly ids: MadeIds,
  ) {
    this.batches.push(this.opening());
    while (this.made < transfers) this.batches.push(this.batch(Math.min(ROWS_PER_BATCH, transfers - this.made)));
  }

  get nextOffset(): number {
    return this.state.nextOffset;
  }

  /** Of the last batch, in microseconds since the Unix epoch. */
  get lastTime(): number {
    return this.time;
  }

  /** Of the batch at an index. */
  offsetBehind(index: number): number {
    const { baseOffset, count } = readHeader(this.batches[index - 1]!.batch);
    return baseOffset + count;
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

  private batch(count: number): FetchedBatch {
    const rows = Buffer.alloc(count * PACKED_ROW_BYTES);
    const id = Buffer.alloc(16);
    for (let i = 0; i < count; i++) writePackedRow(rows, i * PACKED_ROW_BYTES, this.transfer(id));
    return this.seal(encodeRows(rows), count);
  }

  private transfer(id: Buffer): PackedTransfer {
    const number = ++this.made;
    for (let word = 0; word < 4; word++) id.writeUInt32LE(scattered(number * 4 + word), word * 4);
    // RFC 9562, 5.7: milliseconds, then the version in four bits.
    if (this.ids === 'v7') {
      id.writeUIntBE(Math.floor(this.time / 1000), 0, 6);
      id[6] = 0x70 | (id[6]! & 0x0f);
    }
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
