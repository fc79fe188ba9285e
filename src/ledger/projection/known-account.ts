import { formatMinor } from '../amounts';
import { minus, plus, type Quantity } from './exact-sum';
import { type KnownLedger } from './known-ledgers';

/** What may change of an account besides its balance. */
export interface AccountTerms {
  /** Minor units; undefined: no limit. */
  readonly min: bigint | undefined;
  readonly max: bigint | undefined;
  readonly closed: boolean;
}

/** What one record moves, puts on hold and lets go of, in minor units. */
export interface Effect {
  readonly moved: Quantity;
  readonly held: Quantity;
  readonly released: Quantity;
}

/** An account as the rows so far have it: what the next row of it adds to. */
export class KnownAccount {
  debits: Quantity = 0;
  credits: Quantity = 0;
  debitsPending: Quantity = 0;
  creditsPending: Quantity = 0;
  version = 0;
  lastOffset = -1;
  /** What the database has, while a transaction changes it. */
  versionBefore = 0;
  /** The transaction that changed it last. */
  changedIn: object | undefined;
  /** The transaction that opened it: until then the database has no row of it. */
  openedIn: object | undefined;
  termsChangedIn: object | undefined;

  constructor(
    readonly handle: number,
    readonly ledger: KnownLedger,
    public terms: AccountTerms,
  ) {}

  /** The usual case: nothing on hold is touched. */
  pay(amount: Quantity, offset: number): void {
    this.debits = plus(this.debits, amount);
    this.count(offset);
  }

  receive(amount: Quantity, offset: number): void {
    this.credits = plus(this.credits, amount);
    this.count(offset);
  }

  payAs({ moved, held, released }: Effect, offset: number): void {
    this.pay(moved, offset);
    this.debitsPending = minus(plus(this.debitsPending, held), released);
  }

  receiveAs({ moved, held, released }: Effect, offset: number): void {
    this.receive(moved, offset);
    this.creditsPending = minus(plus(this.creditsPending, held), released);
  }

  /** As Postgres prints it, at the ledger's scale. */
  text(quantity: Quantity): string {
    return formatMinor(BigInt(quantity), this.ledger.scale);
  }

  private count(offset: number): void {
    this.version++;
    this.lastOffset = offset;
  }
}
