/** Questions about the past, as the client takes them. Times are microseconds since the Unix epoch. */
import { type TransferView } from './transfer-types';
import { type BalanceView, type ReadOptions, type ReadPosition } from './types';

/** When the ledger recorded it, or when it counts as having happened. */
export type TimeBasis = 'posting' | 'effective';

/** After the record at an offset, or after everything whose time is at most `time`. */
export type PointInTime = { readonly offset: number } | { readonly time: number; readonly by?: TimeBasis };

export interface BalanceOptions extends ReadOptions {
  /** A balance of the past; its `version` is 0. By effective time it has neither pending amounts nor `available`. */
  readonly at?: PointInTime;
}

export interface TransferFilter {
  /** Only what this account pays or receives, with its balance after each. */
  readonly account?: string;
  readonly side?: 'debit' | 'credit';
  /** At most 1,000. */
  readonly ids?: readonly string[];
  readonly ledger?: string;
  readonly kinds?: readonly TransferView['kind'][];
  /** Names of results, or `any`. Left out: `ok`, what was done. */
  readonly results?: readonly string[];
  readonly codes?: readonly number[];
  /** Inclusive. */
  readonly minAmount?: string;
  readonly maxAmount?: string;
  /** The order, and what the times are about. Default: posting. */
  readonly by?: TimeBasis;
  /** From here on, and before there. Offsets go with the order of posting. */
  readonly fromOffset?: number;
  readonly toOffset?: number;
  readonly fromTime?: number;
  readonly toTime?: number;
}

export interface ListTransfersOptions extends TransferFilter, ReadOptions {
  /** 1 to 1,000; 100 where nothing is said. */
  readonly pageSize?: number;
  /** From the page before, with the same filter. */
  readonly pageToken?: string;
}

/** What a transfer did to the account of the list. */
export interface StatementEntry {
  readonly side: 'debit' | 'credit';
  /** Of the posted balance, with its sign. */
  readonly change: string;
  /** Of what is pending on that side. */
  readonly pendingChange: string;
  /** The posted balance after it; undefined where filters leave something out of the order. */
  readonly balance: string | undefined;
}

export interface ListedTransfer extends TransferView {
  /** With an account. */
  readonly entry: StatementEntry | undefined;
}

export interface TransferPage {
  readonly transfers: readonly ListedTransfer[];
  /** Empty on the last page. A page may be short, even empty, and have a next one. */
  readonly nextPageToken: string;
  /** The same for all pages of a list. */
  readonly position: ReadPosition;
  /** Of a statement: before the whole range and after it. */
  readonly opening: BalanceView | undefined;
  readonly closing: BalanceView | undefined;
}
