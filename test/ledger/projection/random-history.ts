import { createHash } from 'node:crypto';
import { BatchKind } from '../../../src/log/batch';
import { encodeRows, encodeValues, RecordType } from '../../../src/log/chunk';
import { type Command, encodeCommand, type TransferCommand } from '../../../src/ledger/command-codec';
import { encodePackedRows, type PackedTransfer } from '../../../src/ledger/packed-rows';
import { Operations } from '../long-history/operations';
import { History } from './history';

const NO_METADATA = Buffer.alloc(0);
const NAMES = ['alice', 'bob', 'Zoë "the {quick}"', 'users:carol:wallet', "o'brien", 'back\\slash', '日本', 'a,b'];

/** In a batch. Few, since most checks replay all. */
const MOST_OPERATIONS = 25;

/** A small generator of numbers (mulberry32), so that a seed repeats a run. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The n-th UUID of a seed: the same n again is the same id again. */
export function uuid(n: number): Buffer {
  return createHash('sha256').update(`id ${n}`).digest().subarray(0, 16);
}

/** Everything that a log can hold, in proportions in which each of it happens. */
export class RandomHistory extends History {
  private readonly random: () => number;
  private readonly operations: Operations | undefined;
  private nextId = 1;

  /** @param kinds of transfers: those of this file, or of the long history as well, which has all */
  constructor(seed: number, kinds: 'every' | 'plain' = 'every') {
    super();
    this.random = randomFrom(seed);
    this.operations = kinds === 'every' ? new Operations(seed) : undefined;
    this.bootstrap();
  }

  grow(batches: number): void {
    for (let i = 0; i < batches; i++) this.oneBatch();
  }

  private bootstrap(): void {
    this.append(BatchKind.NoOp, []);
    this.append(BatchKind.Configuration, [Buffer.from('{"voters":[]}')]);
    const system = [
      ledger('USD', 2, { min: 0n }),
      ledger('USD', 3, {}),
      ledger('bad code', 2, {}),
      ledger('EUR', 4, {}),
    ];
    this.append(BatchKind.System, [encodeValues(RecordType.Ledger, system.map(encodeCommand))]);
    this.appendCommands(
      ledger('POINTS', 0, { autoOpen: true, rounding: 1 }),
      ledger('DEEP', 18, { autoOpen: true, min: -(10n ** 37n), max: 10n ** 38n - 1n }),
      ledger('POINTS', 1, {}),
      ledger('EUR', 4, {}),
      account('bank', 'USD', 'none'),
      account('central', 'EUR', 'none'),
      account('bank', 'USD', 'none'),
      account('bank', 'EUR', 'none'),
      account('lost', 'NONE', 'none'),
    );
    if (this.operations) this.appendCommands(...this.operations.start());
    for (const name of NAMES)
      this.appendCommands(account(name, 'USD', 'default'), account(`eur ${name}`, 'EUR', 'given'));
  }

  private oneBatch(): void {
    const kind = this.random();
    if (kind < 0.05) this.append(BatchKind.NoOp, []);
    else if (kind < 0.3 && this.operations) this.appendCommands(...this.operations.batch(MOST_OPERATIONS));
    else if (kind < 0.6) this.appendRows(this.packed(1 + this.below(40)));
    else if (kind < 0.8) this.appendCommands(...this.times(1 + this.below(10), () => this.message()));
    else this.mixed();
  }

  /** Several producers' chunks in one batch; now and then one that nobody can read to its end. */
  private mixed(): void {
    const rows = this.packed(3);
    const chunks = [
      encodeValues(RecordType.Value, [Buffer.from('a value'), NO_METADATA]),
      encodeRows(rows),
      encodeValues(RecordType.Ledger, [encodeCommand(this.message()), Buffer.from([0xff, 0x01, 0x02])]),
      encodeValues(7, [Buffer.from('from the future')]),
    ];
    const torn = this.random() < 0.2;
    this.append(BatchKind.Records, torn ? [...chunks, Buffer.from([1, 2, 3])] : chunks, torn ? 10 : 8);
  }

  private packed(count: number): Buffer {
    const transfers = this.times(count, (): PackedTransfer => {
      const handles = this.state.reader.counts().accounts;
      const debit = this.random() < 0.4 ? this.state.reader.account('bank')?.handle : undefined;
      const credit = 1 + this.below(handles);
      const stray = this.random() < 0.03 ? 1_000_000 : 0;
      return {
        id: uuid(this.idNumber()),
        debitHandle: debit ?? 1 + this.below(handles),
        creditHandle: credit + stray,
        amount: this.random() < 0.02 ? 10n ** 36n : BigInt(1 + this.below(5_000)),
        userData: this.random() < 0.2 ? 2n ** 64n - 1n : 0n,
        code: this.random() < 0.1 ? 2 ** 32 - 1 : 0,
        flags: this.random() < 0.02 ? 16 : 0,
      };
    });
    return encodePackedRows(transfers);
  }

  private message(): TransferCommand {
    const named = this.random() < 0.5;
    const n = this.idNumber();
    const amounts = ['0.5', '12.345', '1000', '0.0001', '3.7', '99999999999999999999', '0.000000000000000001'];
    const points = named && this.random() < 0.6;
    const newcomer = `player ${this.below(30)}`;
    return {
      kind: 'transfer',
      id: n % 3 === 0 ? { kind: 'text', text: `order "${n}", Zoë` } : { kind: 'uuid', bytes: uuid(n) },
      debit: points ? { name: newcomer } : this.reference('bank'),
      credit: this.reference(points ? `player ${this.below(30)}` : this.pick(NAMES)),
      amount: this.random() < 0.3 ? { minor: BigInt(1 + this.below(100)) } : { text: this.pick(amounts) },
      ledger: points ? this.pick(['POINTS', 'DEEP']) : '',
      code: this.below(3),
      userData: BigInt(this.below(2)),
      metadata: this.random() < 0.3 ? Buffer.from([0, 1, 255]) : NO_METADATA,
      flags: 0,
    };
  }

  private reference(name: string): TransferCommand['debit'] {
    const handle = this.random() < 0.2 ? this.state.reader.account(name)?.handle : undefined;
    if (this.random() < 0.05) return { handle: 4_242_424 };
    return handle === undefined ? { name } : { handle };
  }

  /** Mostly a new one, sometimes one that was there before. */
  private idNumber(): number {
    return this.random() < 0.1 ? 1 + this.below(this.nextId) : this.nextId++;
  }

  private below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  private pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  private times<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make);
  }
}

export function ledger(
  code: string,
  scale: number,
  options: { autoOpen?: boolean; rounding?: number; min?: bigint; max?: bigint },
): Command {
  const { autoOpen = false, rounding = 0, min, max } = options;
  return {
    kind: 'create_ledger',
    code,
    scale,
    autoOpen,
    rounding,
    defaultMinBalance: min,
    defaultMaxBalance: max,
  };
}

export function account(name: string, code: string, limits: 'none' | 'default' | 'given'): Command {
  return {
    kind: 'open_account',
    name,
    ledger: code,
    min: limits === 'given' ? { kind: 'given', text: '-100.5' } : { kind: limits },
    max: limits === 'given' ? { kind: 'given', text: '1000000' } : { kind: limits },
    userData: limits === 'given' ? 2n ** 64n - 1n : 0n,
    metadata: limits === 'given' ? Buffer.from([0, 200]) : NO_METADATA,
  };
}
