import { toBigInt64 } from './words';

export const IdKind = { NONE: 0, UUID: 1, TEXT: 2 } as const;
export const AmountForm = { NONE: 0, MINOR: 1, TEXT: 2 } as const;

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

  get handle(): bigint {
    return toBigInt64(this.handleLow, this.handleHigh);
  }
}

/**
 * One transfer command, decoded in place: numbers, and ranges of the bytes it came in. There is one instance for each
 * state machine, filled anew for each record, so that nothing is allocated for a transfer.
 */
export class TransferFields {
  source: Uint8Array = new Uint8Array(0);
  idKind: number = IdKind.NONE;
  /** UUID bytes, or what stands for a text id, as four words. */
  readonly id = new Uint32Array(4);
  textIdStart = 0;
  textIdLength = 0;
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

  clear(source: Uint8Array): void {
    this.source = source;
    this.idKind = IdKind.NONE;
    this.id.fill(0);
    this.debit.clear();
    this.credit.clear();
    this.amountForm = AmountForm.NONE;
    this.amount.fill(0);
    this.textIdStart = this.textIdLength = this.amountStart = this.amountLength = 0;
    this.ledgerStart = this.ledgerLength = this.metadataStart = this.metadataLength = 0;
    this.code = this.userDataLow = this.userDataHigh = this.flags = 0;
  }

  /** Fills from a packed row, given as words. */
  readRow(words: Uint32Array, at: number): void {
    this.clear(EMPTY);
    this.idKind = IdKind.UUID;
    this.amountForm = AmountForm.MINOR;
    for (let i = 0; i < 4; i++) {
      this.id[i] = words[at + i] as number;
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

  isReservedId(): boolean {
    const first = this.id[0] as number;
    return (first === 0 || first === 0xffff_ffff) && this.id.every((part) => part === first);
  }

  text(start: number, length: number): string {
    return Buffer.from(this.source.buffer, this.source.byteOffset + start, length).toString('utf8');
  }
}

const EMPTY = new Uint8Array(0);
