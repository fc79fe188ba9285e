/**
 * Reading the applied state. Every call is synchronous and sees the state after the last applied batch; what one turn of
 * the event loop reads is one state. Nothing that comes back changes later, and changing it changes nothing.
 */
import { type Rounding } from './amounts';
import { type TransferId } from './identifiers';
import { type ResultCode } from './result-codes';

export interface LedgerView {
  /** 1, 2, 3 … in the order of creation; what outcome rows hold. */
  readonly number: number;
  readonly code: string;
  readonly scale: number;
  readonly autoOpen: boolean;
  readonly rounding: Rounding;
  /** Minor units; undefined: no limit. */
  readonly defaultMinBalance: bigint | undefined;
  readonly defaultMaxBalance: bigint | undefined;
  /** Microseconds since the Unix epoch. */
  readonly createdAt: number;
  /** The record's offset; -1 for one made by the system. */
  readonly offset: number;
}

export interface AccountView {
  readonly handle: number;
  readonly name: string;
  readonly ledger: LedgerView;
  /** Minor units; undefined: no limit. */
  readonly minBalance: bigint | undefined;
  readonly maxBalance: bigint | undefined;
  readonly closed: boolean;
  readonly userData: bigint;
  readonly metadata: Buffer;
  /** Microseconds since the Unix epoch. */
  readonly openedAt: number;
  /** Of the record that opened it: an OpenAccount or, with auto_open, a transfer. */
  readonly offset: number;
  /** When it was opened in the books that it was imported from, in microseconds since the Unix epoch. */
  readonly importedTime: number | undefined;
}

/** Minor units throughout. */
export interface BalanceView {
  readonly handle: number;
  readonly debitsPosted: bigint;
  readonly creditsPosted: bigint;
  readonly debitsPending: bigint;
  readonly creditsPending: bigint;
  /** creditsPosted - debitsPosted. */
  readonly posted: bigint;
  /** What may still be debited; undefined when the account has no lower limit. */
  readonly available: bigint | undefined;
  /** Counts the changes of this balance. */
  readonly version: number;
}

export interface TransferView {
  /** Canonical text. */
  readonly id: string;
  /** 0: there was no such account when the transfer was refused; then the name, or the handle that was asked for, follows. */
  readonly debitHandle: number;
  readonly creditHandle: number;
  /** The account's name; of an account that was not found, the name or `#handle` as the command gave it. */
  readonly debitAccount: string;
  readonly creditAccount: string;
  /** Undefined when no ledger was known when the transfer was refused. */
  readonly ledger: LedgerView | undefined;
  /** What was asked for, as decimal text at the ledger's scale; as it was given where no ledger is known. */
  readonly amount: string;
  /** What moved, in minor units: 0n when it was refused. */
  readonly moved: bigint;
  readonly code: number;
  readonly userData: bigint;
  readonly metadata: Buffer;
  readonly offset: number;
  /** Microseconds since the Unix epoch. */
  readonly timestamp: number;
  readonly result: ResultCode;
  /** An expiry is no transfer of anybody's: the ledger let go of a hold. It has no id, so only lists show it. */
  readonly kind: 'plain' | 'pending' | 'post' | 'void' | 'reversal' | 'expiry';
  readonly balancing: boolean;
  /** Canonical text of the transfer that it posts, voids or reverses. */
  readonly refersTo: string | undefined;
  /** Of a pending transfer that was done. */
  readonly hold: HoldView | undefined;
  /** Canonical texts of the transfers that reverse it, in the order of the log. */
  readonly reversedBy: readonly string[];
  /** Milliseconds; 0: none. */
  readonly timeoutMs: number;
  /** Microseconds since the Unix epoch. */
  readonly effectiveTime: number | undefined;
  readonly importedTime: number | undefined;
  /** Canonical text of the id of the linked group that it came in. */
  readonly group: string | undefined;
}

/** What a pending transfer holds, and what became of it. */
export interface HoldView {
  /** 1, 2, 3 … in the order in which holds were made; what outcome rows hold. */
  readonly number: number;
  /** Minor units. */
  readonly amount: bigint;
  readonly status: 'pending' | 'posted' | 'voided' | 'expired';
  /** Microseconds since the Unix epoch; undefined: never. Past it nothing can be posted, whatever the status says yet. */
  readonly expiresAt: number | undefined;
  /** Id of the transfer that made it, and of the one that posted or voided it, as canonical text. */
  readonly transferId: string;
  readonly resolvedBy: string | undefined;
}

export interface LedgerCounts {
  readonly ledgers: number;
  readonly accounts: number;
  /** Remembered ids: transfers that were done, and refusals that burned their id. */
  readonly transfers: number;
  /** Answers that repeated an earlier one. */
  readonly replayed: number;
  /** Transfer records by result, repeats not counted, indexed by ResultCode; for the metric ledger_transfers_total. */
  readonly transfersByResult: readonly number[];
}

export interface LedgerReader {
  /** By its code. */
  ledger(code: string): LedgerView | undefined;
  /** By its number, as outcome rows hold it. */
  ledgerByNumber(number: number): LedgerView | undefined;
  /** All, in the order of creation. */
  ledgers(): readonly LedgerView[];
  /** By its normalised name. */
  account(name: string): AccountView | undefined;
  accountByHandle(handle: number): AccountView | undefined;
  /** At most `limit` accounts with a handle of at least `handle`, in order of handles, of one ledger where it is named. */
  accountsFrom(handle: number, limit: number, ledgerCode?: string): readonly AccountView[];
  balance(handle: number): BalanceView | undefined;
  /** A transfer that was done, or whose refusal burned its id. */
  transferById(id: TransferId): TransferView | undefined;
  /** A hold by its number. */
  hold(number: number): HoldView | undefined;
  /** When the next hold expires, in microseconds since the Unix epoch; undefined: none will. */
  nextExpiry(): number | undefined;
  /** How many holds have expired at `time` (µs) and wait for the record that lets go of them, counted up to `limit`. */
  holdsDue(time: number, limit: number): number;
  /** How long ids are remembered, in milliseconds; 0: for ever. */
  dedupAgeMs(): number;
  counts(): LedgerCounts;
}
