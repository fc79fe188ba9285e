/**
 * Questions about the past and their answers: balances at a point in time, statements, filtered lists. Whoever keeps the
 * history answers them; the types are plain values, so that they can cross a border between processes as JSON.
 *
 * Offsets and times (microseconds since the Unix epoch) are safe integers, amounts decimal text at the ledger's scale.
 */
import { type TransferView } from './reader';

/** When the ledger recorded it, or when it counts as having happened (the posting time where nothing else was said). */
export type TimeBasis = 'posting' | 'effective';

/** After the record at an offset, or after all records whose time is at most `time`. */
export type Moment = { readonly offset: number } | { readonly time: number; readonly by: TimeBasis };

export interface BalanceQuestion {
  readonly kind: 'balance';
  /** Handle. */
  readonly account: number;
  readonly at: Moment;
}

/** What the rows so far reflect, and so what an answer reflects. */
export interface AsOf {
  /** Raft index. */
  readonly index: number;
  /** Of the last record; -1 before the first. */
  readonly offset: number;
}

/** A place in the order of a list: everything up to it was given. `time` is 0 in the order of posting. */
export interface ListPlace {
  readonly time: number;
  readonly offset: number;
}

export interface TransfersQuestion {
  readonly kind: 'transfers';
  /** Handle: only what this account pays or receives, with its balance after each. */
  readonly account?: number;
  readonly side?: 'debit' | 'credit';
  /** Canonical texts. */
  readonly ids?: readonly string[];
  readonly ledger?: string;
  readonly kinds?: readonly string[];
  /** Names of results; undefined: all. */
  readonly results?: readonly string[];
  readonly codes?: readonly number[];
  /** Decimal text, inclusive. Of what was asked for; of a balancing transfer, of what it came to. */
  readonly minAmount?: string;
  readonly maxAmount?: string;
  /** The order, and what `fromTime` and `toTime` are about. */
  readonly by: TimeBasis;
  /** From here on, and before there. Offsets in the order of posting only. */
  readonly fromOffset?: number;
  readonly toOffset?: number;
  readonly fromTime?: number;
  readonly toTime?: number;
  readonly limit: number;
  /** Of a further page: what the first one reflected, and where the last one ended. */
  readonly after?: { readonly asOf: AsOf; readonly place: ListPlace };
}

export type HistoryQuestion = BalanceQuestion | TransfersQuestion;

export interface PastBalance {
  readonly debitsPosted: string;
  readonly creditsPosted: string;
  /** Null by effective time: what is held is a matter of the ledger's own time. */
  readonly debitsPending: string | null;
  readonly creditsPending: string | null;
  readonly posted: string;
  /** What could still be debited; null where there was no lower limit, and by effective time. */
  readonly available: string | null;
}

export interface BalanceAnswer {
  readonly asOf: AsOf;
  /** What `at` came to: the last record that the balance reflects. */
  readonly offset: number;
  /** Undefined: the account was not open yet. */
  readonly balance?: PastBalance;
}

/** What a transfer did to the account that a list is about. */
export interface StatementEntry {
  readonly side: 'debit' | 'credit';
  /** Of the posted balance. */
  readonly change: string;
  /** Of what is pending on that side. */
  readonly pendingChange: string;
  /** The posted balance after it, in the order of the list. Undefined where that order leaves entries out. */
  readonly balance?: string;
}

export interface PastHold {
  readonly number: number;
  readonly amount: string;
  readonly status: 'pending' | 'posted' | 'voided' | 'expired';
  readonly expiresAt?: number;
  readonly resolvedBy?: string;
}

export interface PastTransfer {
  readonly offset: number;
  readonly timestamp: number;
  /** Empty: an expiry. */
  readonly id: string;
  readonly kind: TransferView['kind'];
  readonly debitHandle: number;
  readonly creditHandle: number;
  readonly debitAccount: string;
  readonly creditAccount: string;
  /** Empty where none is known. */
  readonly ledger: string;
  readonly amount: string;
  readonly moved: string;
  readonly result: string;
  readonly code: number;
  readonly userData: string;
  /** Hexadecimal. */
  readonly metadata: string;
  readonly balancing: boolean;
  readonly timeoutMs: number;
  readonly refersTo?: string;
  readonly effectiveTime?: number;
  readonly importedTime?: number;
  readonly group?: string;
  readonly hold?: PastHold;
  readonly reversedBy: readonly string[];
  readonly entry?: StatementEntry;
}

export interface TransfersAnswer {
  readonly asOf: AsOf;
  readonly transfers: readonly PastTransfer[];
  /** Where the next page goes on; undefined: this is the last one. A page may be short, even empty, and not the last. */
  readonly next?: ListPlace;
  /** Before and after the whole range, where it is a statement: of one account, and nothing of the range left out. */
  readonly opening?: PastBalance;
  readonly closing?: PastBalance;
}

export interface HistoryAnswers {
  readonly balance: BalanceAnswer;
  readonly transfers: TransfersAnswer;
}

export type AnswerTo<Q extends HistoryQuestion> = HistoryAnswers[Q['kind']];
