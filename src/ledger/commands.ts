/** What the ledger is asked to do, as objects: what the doors make and clients read. In the log it stands as ledger.v1.LogRecord. */
import { type TransferId } from './identifiers';

export interface CreateLedgerCommand {
  readonly kind: 'create_ledger';
  readonly code: string;
  readonly scale: number;
  readonly autoOpen: boolean;
  /** 0 reject, 1 half up; the state machine refuses any other. */
  readonly rounding: number;
  /** Minor units; undefined: no limit. The ledger's own default minimum of 0 is given, not left out. */
  readonly defaultMinBalance: bigint | undefined;
  readonly defaultMaxBalance: bigint | undefined;
}

/** `default`: the ledger's. `given`: decimal text at most at the ledger's scale. */
export type LimitSpec =
  { readonly kind: 'default' } | { readonly kind: 'none' } | { readonly kind: 'given'; readonly text: string };

export interface OpenAccountCommand {
  readonly kind: 'open_account';
  readonly name: string;
  readonly ledger: string;
  readonly min: LimitSpec;
  readonly max: LimitSpec;
  readonly userData: bigint;
  readonly metadata: Buffer;
  /** When it was opened in the books it is imported from, in microseconds since the Unix epoch. */
  readonly importedTime?: number | undefined;
}

export type AccountRef = { readonly name: string } | { readonly handle: number };

/** Changes an account: what is undefined stays as it is. All of it is done or none. */
export interface UpdateAccountCommand {
  readonly kind: 'update_account';
  readonly account: AccountRef;
  readonly min: LimitSpec | undefined;
  readonly max: LimitSpec | undefined;
  /** True closes it, false opens it again. */
  readonly closed: boolean | undefined;
}

/** Normalised decimal text, or minor units. */
export type AmountSpec = { readonly text: string } | { readonly minor: bigint };

/** The place of a transfer in a linked group: its records stand one behind the other, in this order, in one chunk. */
export interface GroupPlace {
  readonly id: TransferId;
  /** From 0 to `size` - 1. */
  readonly index: number;
  readonly size: number;
}

/** What every kind of transfer may have. */
interface TransferRest {
  readonly id: TransferId;
  /** Code; empty: the ledger of the accounts. */
  readonly ledger: string;
  readonly code: number;
  readonly userData: bigint;
  readonly metadata: Buffer;
  /** When it counts as having happened, in microseconds since the Unix epoch; undefined: when the ledger did it. */
  readonly effectiveTime?: number | undefined;
  /** When it happened in the books it is imported from, in microseconds since the Unix epoch. */
  readonly importedTime?: number | undefined;
  readonly group?: GroupPlace | undefined;
}

/** A plain transfer, or with `TransferFlag.PENDING` one that holds. */
export interface TransferCommand extends TransferRest {
  readonly kind: 'transfer';
  readonly debit: AccountRef;
  readonly credit: AccountRef;
  readonly amount: AmountSpec;
  /** Of `TransferFlag`: PENDING and BALANCING. */
  readonly flags: number;
  /** Of a pending one, in milliseconds from the ledger's timestamp on. */
  readonly timeoutMs?: number | undefined;
}

/** A transfer that posts or voids a hold, or reverses a transfer. What is undefined is as that one says. */
export interface ReferringCommand extends TransferRest {
  readonly kind: 'refer';
  readonly action: 'post' | 'void' | 'reverse';
  readonly to: TransferId;
  readonly debit: AccountRef | undefined;
  readonly credit: AccountRef | undefined;
  /** Undefined: all of it. Of a void always. */
  readonly amount: AmountSpec | undefined;
}

/** Lets go of the hold that expired first, if there is one at the time of the batch. Written by the leader. */
export interface ExpireHoldCommand {
  readonly kind: 'expire_hold';
}

/** Bounds how long ids are remembered. Written by the system, when a cluster is made. */
export interface SetDedupAgeCommand {
  readonly kind: 'set_dedup_age';
  /** 0: for ever. */
  readonly ageMs: number;
}

export type Command =
  | CreateLedgerCommand
  | OpenAccountCommand
  | UpdateAccountCommand
  | TransferCommand
  | ReferringCommand
  | ExpireHoldCommand
  | SetDedupAgeCommand;
