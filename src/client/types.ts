/** What goes into the client and comes out of it. Amounts are decimal strings; offsets and times are safe integers. */

import { type ItemOutcome, type UInt64 } from './transfer-types';

export type * from './transfer-types';

export interface LedgerInput {
  readonly code: string;
  /** Digits after the point, 0 to 18. */
  readonly scale: number;
  readonly autoOpen?: boolean;
  readonly rounding?: 'reject' | 'half_up';
  /** Default limits of its accounts. Left out: a minimum of 0, no maximum. `null` as a minimum: none. */
  readonly defaultMinBalance?: string | null;
  readonly defaultMaxBalance?: string;
}

export interface AccountInput {
  readonly name: string;
  readonly ledger: string;
  /** Left out: the ledger's default. `null`: no lower limit. */
  readonly minBalance?: string | null;
  readonly maxBalance?: string;
  readonly userData?: UInt64;
  readonly metadata?: Uint8Array;
  /** Import of history: when it was opened in the books that it comes from, in microseconds since the Unix epoch. */
  readonly importedTime?: number;
}

/** What is to be different about an account; the rest stays. */
export interface AccountChange {
  /** By name, or by handle: exactly one of the two. */
  readonly account?: string;
  readonly handle?: UInt64;
  /** `null`: no limit. `'default'`: the ledger's. */
  readonly minBalance?: string | null;
  readonly maxBalance?: string | null;
  /** True closes it, false opens it again. */
  readonly closed?: boolean;
}

export interface OpenAccountOutcome extends ItemOutcome {
  /** For packed rows; 0n where the account was not opened. */
  readonly handle: bigint;
}

/** How new the answer of a read must be. */
export type ReadConsistency =
  /** Everything that was acknowledged before the read began. The default. */
  | 'linearizable'
  /** At least the newest state that this client has seen. */
  | 'at-least'
  /** What the asked server has. */
  | 'stale'
  | { readonly atLeast: string }
  | { readonly maxStalenessMs: number };

export interface CallOptions {
  /** Milliseconds until the call gives up; the client's own default where nothing is said. */
  readonly timeoutMs?: number;
}

export interface ReadOptions extends CallOptions {
  readonly consistency?: ReadConsistency;
}

/** The place in the log that an answer reflects. */
export interface ReadPosition {
  readonly token: string;
  /** Offset of the last record that is reflected; -1 before the first. */
  readonly offset: number;
}

export interface AccountView {
  readonly name: string;
  readonly handle: bigint;
  readonly ledger: string;
  /** Undefined: no limit. */
  readonly minBalance: string | undefined;
  readonly maxBalance: string | undefined;
  readonly closed: boolean;
  readonly userData: bigint;
  readonly metadata: Buffer;
  /** Microseconds since the Unix epoch. */
  readonly openedAt: number;
  /** When it was opened in the books that it was imported from; 0: it was not. */
  readonly importedTime: number;
}

export interface BalanceView {
  readonly account: string;
  /** Empty: the account does not exist (in the answer to several). */
  readonly ledger: string;
  readonly debitsPosted: string;
  readonly creditsPosted: string;
  readonly debitsPending: string;
  readonly creditsPending: string;
  readonly posted: string;
  /** Undefined where the account has no lower limit. */
  readonly available: string | undefined;
  /** Counts the changes of this balance. */
  readonly version: number;
}

/** What packed rows need to know of an account. */
export interface AccountHandle {
  /** As it was asked for. */
  readonly name: string;
  readonly handle: bigint;
  readonly ledger: string;
  /** Digits after the point of the ledger's amounts. */
  readonly scale: number;
}

export interface RecordView {
  readonly offset: number;
  readonly term: number;
  /** Microseconds since the Unix epoch. */
  readonly timestamp: number;
  /** 0: a producer's value. 1: `value` is a ledger.v1.LogRecord; see `decodeLedgerRecord`. */
  readonly type: number;
  readonly value: Buffer;
}

export interface ServerView {
  /** The node's name. */
  readonly id: string;
  readonly address: string;
  readonly isLeader: boolean;
}
