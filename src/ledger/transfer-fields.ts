import { joinWords, toBigInt64 } from './words';

export const IdKind = { NONE: 0, UUID: 1, TEXT: 2 } as const;
export const AmountForm = { NONE: 0, MINOR: 1, TEXT: 2 } as const;

/** `flags` of a transfer, in a packed row as in a message (docs/rules-of-money.md). None: it is done at once. */
export const TransferFlag = {
  /** It holds the amount, to be posted or voided later. */
  PENDING: 1,
  /** It posts the hold that it names. */
  POST: 2,
  /** It lets go of the hold that it names. */
  VOID: 4,
  /** It moves (or holds) what is available, up to the amount. */
  BALANCING: 8,
} as const;
/** A transfer has at most one of these. */
export const KIND_FLAGS = TransferFlag.PENDING | TransferFlag.POST | TransferFlag.VOID;
export const RESOLVING_FLAGS = TransferFlag.POST | TransferFlag.VOID;
export const KNOWN_FLAGS = KIND_FLAGS | TransferFlag.BALANCING;

/** How a command names one of its two accounts: by name (a range of `source`), or by a handle of 64 bits. */
export class AccountFields {
  nameStart = 0;
  nameLength = 0;
  handleLow = 0;
  handleHigh = 0;

  clear(): void {
    this.nameStart = this.nameLength = this.handleLow = this.handleHigh = 0;
  }

  get hasName(): boolean {
    return this.nameLength > 0;
  }

  get hasHandle(): boolean {
    return (this.handleLow | this.handleHigh) !== 0;
  }

  get isGiven(): boolean {
    return this.hasName || this.hasHandle;
  }

  get handle(): bigint {
    return toBigInt64(this.handleLow, this.handleHigh);
  }
}

/** An id in a command: its own, or that of another transfer or of a group. */
export class IdFields {
  kind: number = IdKind.NONE;
  /** UUID bytes, or what stands for a text id (see `textIdWords`), as four words. */
  readonly words = new Uint32Array(4);
  /** Range of `source`, where the kind is TEXT. */
  textStart = 0;
  textLength = 0;

  clear(): void {
    this.kind = IdKind.NONE;
    this.words[0] = this.words[1] = this.words[2] = this.words[3] = 0;
    this.textStart = this.textLength = 0;
  }

  get isGiven(): boolean {
    return this.kind !== IdKind.NONE;
  }

  /** The nil and the max UUID are no ids. */
  isReserved(): boolean {
    const first = this.words[0] as number;
    return (first === 0 || first === 0xffff_ffff) && this.words.every((part) => part === first);
  }
}

/**
 * One transfer command, decoded in place: numbers, and ranges of the bytes it came in. There is one instance for each
 * state machine, filled anew for each record, so that nothing is allocated for a transfer.
 */
export class TransferFields {
  source: Uint8Array = new Uint8Array(0);
  readonly id = new IdFields();
  readonly debit = new AccountFields();
  readonly credit = new AccountFields();
  amountForm: number = AmountForm.NONE;
  /** Minor units, where the form is MINOR. */
  readonly amount = new Uint32Array(4);
  amountStart = 0;
  amountLength = 0;
  ledgerStart = 0;
  ledgerLength = 0;
  code = 0;
  userDataLow = 0;
  userDataHigh = 0;
  metadataStart = 0;
  metadataLength = 0;
  flags = 0;
  /** The hold that is posted or voided. */
  readonly pending = new IdFields();
  /** The transfer that is reversed. */
  readonly reverses = new IdFields();
  /** The linked group it is in, its place in it and how many are in it; 0: it is in none. */
  readonly group = new IdFields();
  groupIndex = 0;
  groupSize = 0;
  /** Milliseconds; 0: none. */
  timeoutLow = 0;
  timeoutHigh = 0;
  /** Microseconds since the Unix epoch; 0: none. */
  effectiveLow = 0;
  effectiveHigh = 0;
  importedLow = 0;
  importedHigh = 0;

  clear(source: Uint8Array): void {
    this.source = source;
    this.id.clear();
    this.debit.clear();
    this.credit.clear();
    this.amountForm = AmountForm.NONE;
    this.amount.fill(0);
    this.amountStart = this.amountLength = 0;
    this.ledgerStart = this.ledgerLength = this.metadataStart = this.metadataLength = 0;
    this.code = this.userDataLow = this.userDataHigh = this.flags = 0;
    if (this.pending.isGiven) this.pending.clear();
    if (this.reverses.isGiven) this.reverses.clear();
    if (this.group.isGiven) this.group.clear();
    this.groupIndex = this.groupSize = this.timeoutLow = this.timeoutHigh = 0;
    this.effectiveLow = this.effectiveHigh = this.importedLow = this.importedHigh = 0;
  }

  /** Fills from a packed row, given as words. */
  readRow(words: Uint32Array, at: number): void {
    this.clear(EMPTY);
    this.id.kind = IdKind.UUID;
    this.amountForm = AmountForm.MINOR;
    for (let i = 0; i < 4; i++) {
      this.id.words[i] = words[at + i] as number;
      this.amount[i] = words[at + 8 + i] as number;
    }
    this.debit.handleLow = words[at + 4] as number;
    this.debit.handleHigh = words[at + 5] as number;
    this.credit.handleLow = words[at + 6] as number;
    this.credit.handleHigh = words[at + 7] as number;
    this.userDataLow = words[at + 12] as number;
    this.userDataHigh = words[at + 13] as number;
    this.code = words[at + 14] as number;
    this.flags = words[at + 15] as number;
  }

  /** Whether it posts, voids or reverses another transfer, so that accounts and amount may be left to that one. */
  get refers(): boolean {
    return (this.flags & RESOLVING_FLAGS) !== 0 || this.reverses.isGiven;
  }

  /** The id of the transfer that it posts, voids or reverses. */
  get reference(): IdFields {
    return this.reverses.isGiven ? this.reverses : this.pending;
  }

  get timeout(): number {
    return joinWords(this.timeoutLow, this.timeoutHigh);
  }

  text(start: number, length: number): string {
    return Buffer.from(this.source.buffer, this.source.byteOffset + start, length).toString('utf8');
  }
}

const EMPTY = new Uint8Array(0);
