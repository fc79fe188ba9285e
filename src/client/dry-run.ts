/** What writes would come to, asked of one node and decided on its own state. */
import { clientDefinition } from '../proto/load';
import { type DryRunRequestOut, type DryRunResponse } from '../proto/ledger-v1';
import { appendTransfer } from './batch-codec';
import { type Caller } from './caller';
import { LedgerError } from './errors';
import { ProtobufWriter } from './protobuf-writer';
import { type SeenPosition } from './seen-position';
import {
  type AccountHandle,
  type AccountInput,
  type BalanceView,
  type ItemOutcome,
  type ReadOptions,
  type ReadPosition,
  type TransferInput,
  type TransferOutcome,
} from './types';
import { uuidV7 } from './uuid-v7';
import {
  accountHandle,
  accountSpecOut,
  balanceView,
  consistencyOut,
  itemOutcome,
  positionOf,
  transferOut,
} from './wire-views';

const LEDGER = clientDefinition('ledger.v1.Ledger');

/** Accounts that would be opened first, then transfers; 1 to 8,190 together. */
export interface DryRunInput {
  readonly accounts?: readonly AccountInput[];
  /** Those that follow one another with the same `transaction` are all done or none. */
  readonly transfers?: readonly (TransferInput & { readonly transaction?: string })[];
}

/** As the real calls answer; what would happen now has the offset -1 and the timestamp 0. */
export interface DryRunOutcome {
  readonly accounts: readonly ItemOutcome[];
  readonly transfers: readonly Omit<TransferOutcome, 'token'>[];
  /** Of every account that they name and that would exist, as it would be afterwards. */
  readonly balances: readonly BalanceView[];
  /** The state that it was decided on. */
  readonly position: ReadPosition;
}

/** What the calls of this file need of a client. */
export interface AskedCluster {
  readonly caller: Caller;
  readonly seen: SeenPosition;
  readonly timeoutMs: number;
}

export async function dryRun(cluster: AskedCluster, items: DryRunInput, options: ReadOptions): Promise<DryRunOutcome> {
  const { caller, seen, timeoutMs } = cluster;
  const { request: asked, ids } = dryRunRequest(items);
  const request = { ...asked, consistency: consistencyOut(options.consistency, seen.token) };
  const plan = { target: 'follower', kind: 'read', timeoutMs: options.timeoutMs ?? timeoutMs } as const;
  const response = await caller.call(plan, (server, time) => server.unary(LEDGER.DryRun, request, time));
  const position = positionOf(response.position);
  seen.see(position.token, position.offset);
  return { ...triedOutcomes(response, ids), balances: response.balances.map(balanceView), position };
}

/** Throws a LedgerError (INVALID_ARGUMENT) for what no transfer or account can be. @returns the ids of the transfers, too */
export function dryRunRequest({ accounts = [], transfers = [] }: DryRunInput): {
  readonly request: DryRunRequestOut;
  readonly ids: readonly string[];
} {
  const ids = transfers.map((transfer) => transfer.id ?? uuidV7());
  const request = {
    accounts: accounts.map(accountSpecOut),
    transfers: transfers.map((transfer, i) => transferOut(ids[i] ?? '', transfer, transfer.transaction ?? '')),
  };
  return { request, ids };
}

export function triedOutcomes(
  response: DryRunResponse,
  ids: readonly string[],
): Pick<DryRunOutcome, 'accounts' | 'transfers'> {
  return {
    accounts: response.accounts.map(({ result }) => itemOutcome(result)),
    transfers: response.transfers.map(({ result, amount_moved, amount_held }, i) => ({
      ...{ id: ids[i] ?? '', ...itemOutcome(result), amountMoved: amount_moved, amountHeld: amount_held },
    })),
  };
}

const scratch = new ProtobufWriter();

/** Why the client itself would not send this transfer; undefined: it would. For who tries what is to be sent alone later. */
export function whyUnsendable(transfer: TransferInput & { readonly id: string }): string | undefined {
  scratch.rewind();
  try {
    appendTransfer(scratch, transfer.id, transfer);
    return undefined;
  } catch (error) {
    if (error instanceof LedgerError) return error.message;
    throw error;
  }
}

/** Handles and scales, for packed rows: of those of the accounts that exist. At most 1,000 names. */
export async function accountHandles(
  cluster: AskedCluster,
  names: readonly string[],
  options: ReadOptions,
): Promise<AccountHandle[]> {
  const { caller, seen, timeoutMs } = cluster;
  const request = { accounts: [...names], consistency: consistencyOut(options.consistency, seen.token) };
  const plan = { target: 'follower', kind: 'read', timeoutMs: options.timeoutMs ?? timeoutMs } as const;
  const response = await caller.call(plan, (server, time) => server.unary(LEDGER.GetBalances, request, time));
  return response.balances.flatMap((balance, i) => accountHandle(balance, names[i] ?? ''));
}
