/** Transfers as they go into the client and come out of it. Amounts are decimal strings; offsets and times are safe integers. */

/** A 64-bit integer without a sign. */
export type UInt64 = number | bigint;

export interface TransferInput {
  /** A UUID in any spelling, or another text of 1 to 64 bytes. Left out: a new UUIDv7, made before the first try. */
  readonly id?: string;
  /** The payer by name, or by handle: exactly one of the two, or none where another transfer gives it. */
  readonly debitAccount?: string;
  readonly debitHandle?: UInt64;
  /** The payee likewise. */
  readonly creditAccount?: string;
  readonly creditHandle?: UInt64;
  /** A plain decimal: `"0.50"`. Left out: all of what is posted or reversed; of a void always. */
  readonly amount?: string;
  /** Needed where the transfer is to open an account. */
  readonly ledger?: string;
  readonly code?: number;
  readonly userData?: UInt64;
  /** At most 1,024 bytes. */
  readonly metadata?: Uint8Array;
  /** `plain` where nothing is said. A `post` and a `void` name a pending transfer. */
  readonly kind?: TransferKindName;
  readonly pendingId?: string;
  /** Of a pending one: it expires so many milliseconds after its timestamp. */
  readonly timeoutMs?: number;
  /** Moves, or holds, what the payer has, up to the amount. */
  readonly balancing?: boolean;
  /** Id of the transfer that this one reverses. */
  readonly reverses?: string;
  /** When it counts as having happened, in microseconds since the Unix epoch. */
  readonly effectiveTime?: number;
  /** Import of history: when it happened in the books that it comes from, in microseconds since the Unix epoch. */
  readonly importedTime?: number;
}

export type TransferKindName = 'plain' | 'pending' | 'post' | 'void';

/** A transfer that follows on another one; accounts, ledger and amount are those of that one where nothing is said. */
export type FollowingInput = Omit<TransferInput, 'kind' | 'pendingId' | 'reverses' | 'timeoutMs' | 'balancing'>;

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
  /** What was put on hold, at the ledger's scale; empty where nothing was. */
  readonly amountHeld: string;
  /** Makes a later read at least as new as this transfer. */
  readonly token: string;
}

/** What became of several transfers that are all done or none. */
export interface TransactionOutcome extends ItemOutcome {
  readonly id: string;
  /** Index of the transfer that failed it; undefined: all of it was done. */
  readonly failed: number | undefined;
  /** In the order of the transfers. */
  readonly transfers: readonly TransferOutcome[];
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

/** What a balancing row came to. */
export interface RowAmount {
  readonly row: number;
  readonly amountMinor: bigint;
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
  /** Of balancing rows that were done, now or before: how much it was, in minor units. */
  readonly amounts: readonly RowAmount[];
  readonly token: string;
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
  /** An expiry (in lists only): the ledger let go of a hold whose time had come. It has no id. */
  readonly kind: TransferKindName | 'expiry';
  readonly balancing: boolean;
  /** The pending transfer that it posts or voids, or whose hold has expired; the transfer that it reverses; empty: none. */
  readonly pendingId: string;
  readonly reverses: string;
  /** The transfers that reverse it, in the order of the log. */
  readonly reversedBy: readonly string[];
  /** Milliseconds; 0: none. */
  readonly timeoutMs: number;
  /** Microseconds since the Unix epoch; 0: not given. */
  readonly effectiveTime: number;
  readonly importedTime: number;
  /** The transaction that it came in; empty: none. */
  readonly transaction: string;
  /** Of a pending transfer that was done. */
  readonly hold: HoldView | undefined;
}

/** What a pending transfer holds, and what became of it. */
export interface HoldView {
  readonly amount: string;
  readonly status: 'pending' | 'posted' | 'voided' | 'expired';
  /** Microseconds since the Unix epoch; 0: never. From then on it cannot be posted, whatever its status says yet. */
  readonly expiresAt: number;
  /** The transfer that posted or voided it; empty: none. */
  readonly resolvedBy: string;
}
