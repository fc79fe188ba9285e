/** What the model remembers: plain objects that can be copied as a whole. */
import {
  type AccountRef,
  type AmountSpec,
  type ReferringCommand,
  type TransferCommand,
} from '../../../src/ledger/command-codec';
import { formatId, type TransferId } from '../../../src/ledger/identifiers';
import { TransferFlag } from '../../../src/ledger/transfer-fields';

export type Effect = 'none' | 'held' | 'posted' | 'posted_part' | 'released';

export interface ModelOutcome {
  result: string;
  replayed: boolean;
  /** What was moved, held or let go. */
  amount: bigint;
  effect: Effect;
  /** Number of the hold; 0: none. */
  hold: number;
  offset: number;
  time: number;
}

export interface ModelLedger {
  code: string;
  scale: number;
  autoOpen: boolean;
  halfUp: boolean;
  min: bigint | undefined;
  max: bigint | undefined;
  offset: number;
  time: number;
}

export interface ModelAccount {
  name: string;
  ledger: ModelLedger;
  min: bigint | undefined;
  max: bigint | undefined;
  debits: bigint;
  credits: bigint;
  debitsHeld: bigint;
  creditsHeld: bigint;
  closed: boolean;
  userData: bigint;
  metadata: string;
  imported: number;
  offset: number;
  time: number;
}

/** What a transfer says, whatever its kind, in values that can be compared and copied. */
export interface Content {
  id: string;
  kind: 'plain' | 'pending' | 'post' | 'void' | 'reverse';
  balancing: boolean;
  to: string;
  debit: AccountRef | undefined;
  credit: AccountRef | undefined;
  amount: AmountSpec | undefined;
  ledger: string;
  code: number;
  userData: bigint;
  metadata: string;
  timeoutMs: number;
  effective: number;
  imported: number;
}

export interface Remembered {
  outcome: ModelOutcome;
  content: Content;
  debit: ModelAccount | undefined;
  credit: ModelAccount | undefined;
  /** As far as it was known. */
  ledger: ModelLedger | undefined;
  /** What was asked for in minor units, unless the ledger had not been asked yet when it was refused. */
  minor: bigint | undefined;
  /** What it moved. */
  moved: bigint;
  /** What of it was reversed. */
  reversed: bigint;
}

export interface ModelHold {
  /** 1, 2, 3 … in the order of making. */
  number: number;
  transfer: string;
  amount: bigint;
  debit: ModelAccount;
  credit: ModelAccount;
  /** Infinity: never. */
  expiresAt: number;
  status: 'pending' | 'posted' | 'voided' | 'expired';
}

export interface ModelGroup {
  content: string;
  outcomes: ModelOutcome[];
}

export interface Facts {
  ledgers: Map<string, ModelLedger>;
  /** In the order of opening: the n-th has handle n + 1. */
  accounts: ModelAccount[];
  transfers: Map<string, Remembered>;
  /** In the order of making: the n-th has number n + 1. */
  holds: ModelHold[];
  /** By the id of the transfer that made it. */
  holdOf: Map<string, ModelHold>;
  groups: Map<string, ModelGroup>;
}

export const BURNS = new Set([
  'debit_account_not_found',
  'credit_account_not_found',
  'debit_account_closed',
  'credit_account_closed',
  'insufficient_funds',
  'exceeds_max_balance',
]);

export function keyOf(id: TransferId): string {
  return `${id.kind}:${formatId(id)}`;
}

export function contentOf(command: TransferCommand | ReferringCommand): Content {
  const isTransfer = command.kind === 'transfer';
  const flags = isTransfer ? command.flags : 0;
  const plain = (flags & TransferFlag.PENDING) === 0 ? 'plain' : 'pending';
  const { debit, credit, amount, ledger, code, userData } = command;
  return {
    id: keyOf(command.id),
    kind: isTransfer ? plain : command.action,
    balancing: (flags & TransferFlag.BALANCING) !== 0,
    to: isTransfer ? '' : keyOf(command.to),
    debit,
    credit,
    amount,
    ledger,
    code,
    userData,
    metadata: command.metadata.toString('hex'),
    timeoutMs: isTransfer ? (command.timeoutMs ?? 0) : 0,
    effective: command.effectiveTime ?? 0,
    imported: command.importedTime ?? 0,
  };
}
