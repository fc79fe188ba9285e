/** What goes into the client and comes out of it. Amounts are decimal strings; offsets and times are safe integers. */

/** A 64-bit integer without a sign. */
export type UInt64 = number | bigint;

export interface TransferInput {
  /** A UUID in any spelling, or another text of 1 to 64 bytes. Left out: a new UUIDv7, made before the first try. */
  readonly id?: string;
  /** The payer by name, or by handle: exactly one of the two. */
  readonly debitAccount?: string;
  readonly debitHandle?: UInt64;
  /** The payee by name, or by handle: exactly one of the two. */
  readonly creditAccount?: string;
  readonly creditHandle?: UInt64;
  /** A plain decimal: `"0.50"`. */
  readonly amount: string;
  /** Needed where the transfer is to open an account. */
  readonly ledger?: string;
  readonly code?: number;
  readonly userData?: UInt64;
  /** At most 1,024 bytes. */
  readonly metadata?: Uint8Array;
}

/** What became of one item of a write. */
export interface ItemOutcome {
  /** `ok`, or the name of the refusal in lower snake case: `insufficient_funds`, … */
  readonly result: string;
  /** One sentence for people; empty when the result is `ok`. */
  readonly message: string;
  /** Offset of the record in the log, of a repeat the first one's; -1 where it took none (refused for its shape). */
  readonly offset: number;
  /** Microseconds since the Unix epoch, given by the leader; of a repeat the first one's. */
  readonly timestamp: number;
  /** It had been done or refused before: this is that answer again. */
  readonly replayed: boolean;
}

export interface TransferOutcome extends ItemOutcome {
  readonly id: string;
  /** What moved, at the ledger's scale; empty where the ledger is not known. */
  readonly amountMoved: string;
  /** Makes a later read at least as new as this transfer. */
  readonly token: string;
}

/** A row whose answer is not simply that it was done just now. */
export interface RowNote {
  /** Row in the batch, from 0. */
  readonly row: number;
  /** Number of the result, see `ResultCode`. */
  readonly result: number;
  /** The first answer again. */
  readonly replayed: boolean;
  /** Of a repeat: the first one's. */
  readonly offset: number;
}

export interface RowsOutcome {
  readonly count: number;
  /** Row n has the offset `baseOffset + n`. */
  readonly baseOffset: number;
  /** Microseconds since the Unix epoch. */
  readonly timestamp: number;
  /** Rows that were refused, now or before. */
  readonly refused: readonly RowNote[];
  /** Rows that had been done before: `ok` again. */
  readonly repeats: readonly RowNote[];
  readonly token: string;
}

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

export interface TransferView {
  readonly id: string;
  readonly debitAccount: string;
  readonly creditAccount: string;
  readonly ledger: string;
  readonly amount: string;
  readonly amountMoved: string;
  readonly code: number;
  readonly userData: bigint;
  readonly metadata: Buffer;
  readonly offset: number;
  readonly timestamp: number;
  readonly result: string;
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
