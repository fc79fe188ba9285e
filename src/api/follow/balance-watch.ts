/**
 * The balances of some accounts, now and whenever they have changed. Nothing is queued: each look is at the newest state, so a
 * reader that is slow skips what it was too slow for, and never what is true now.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { normaliseName } from '../../ledger/identifiers';
import { type LedgerReader } from '../../ledger/reader';
import { type Budget } from '../deadline';
import { faultOfResult, invalid, refusalInfo } from '../errors';
import { type Limits } from '../limits';
import { type Consistency, type NodePort } from '../node-port';
import { type AccountState, readAt, type ReadPosition, stateOf } from '../reads';
import { arrivalWithin } from './arrival';

/** Looks of one watch are so far apart at least, in milliseconds: each change of a busy ledger would be one otherwise. */
const LOOK_EVERY_MS = 10;
/** And so much further for each account, so that a watch of many costs no more than one of few. */
const LOOK_MS_PER_ACCOUNT = 0.1;
/** A reader that hears of no change hears so often that there is none, in milliseconds. */
const QUIET_MS = 10_000;

export interface WatchedBalance {
  /** As it was asked for. */
  readonly name: string;
  /** Undefined: there is no such account. */
  readonly state: AccountState | undefined;
}

/** What is different from what was given before; all of them the first time, none to say that nothing has changed. */
export interface BalanceChanges {
  readonly balances: readonly WatchedBalance[];
  readonly position: ReadPosition;
}

export interface WatchOptions {
  readonly port: NodePort;
  /** Of the first answer. */
  readonly consistency: Consistency;
  readonly budget: Budget;
  /** Aborted when the reader leaves or the door closes; then the watch throws. */
  readonly signal: AbortSignal;
}

/** The names to watch, normalised. Throws INVALID_ARGUMENT for too many, for none, and for what is no name. */
export function watchedNames(names: readonly string[], limits: Limits): readonly string[] {
  if (names.length === 0) throw invalid('accounts', 'ACCOUNTS_REQUIRED', 'Name at least one account to watch.');
  if (names.length > limits.pageItems) {
    const message = `At most ${limits.pageItems} accounts can be watched by one stream, not ${names.length}.`;
    throw invalid('accounts', 'PAGE_TOO_LARGE', message);
  }
  return names.map((name) => {
    const normal = normaliseName(name);
    if (normal === undefined) throw faultOfResult(refusalInfo('account_name_invalid'), 'accounts');
    return normal;
  });
}

/** Never ends but by what it throws. */
export async function* watchBalances(
  names: readonly string[],
  { port, consistency, budget, signal }: WatchOptions,
): AsyncGenerator<BalanceChanges, never, undefined> {
  const seen = new Map<string, string>();
  let look = await readAt(port, consistency, budget, (reader) => changesSince(seen, names, reader));
  yield { balances: look.value, position: look.position };
  let told = performance.now();
  for (;;) {
    const patience = Math.max(1, told + QUIET_MS - performance.now());
    const moved = await arrivalWithin(port, look.position.offset + 1, patience, signal);
    const { token, offset } = port.position();
    look = { value: changesSince(seen, names, port.ledger), position: { token, offset } };
    if (look.value.length > 0 || !moved) {
      yield { balances: look.value, position: look.position };
      told = performance.now();
    }
    await pause(Math.ceil(LOOK_EVERY_MS + names.length * LOOK_MS_PER_ACCOUNT), undefined, { signal, ref: false });
  }
}

function changesSince(seen: Map<string, string>, names: readonly string[], reader: LedgerReader): WatchedBalance[] {
  const changed: WatchedBalance[] = [];
  for (const name of names) {
    const account = reader.account(name);
    const state = account && stateOf(reader, account);
    // What is available depends on the limits too, which are no change of the balance itself.
    const print = state ? `${state.balance.version} ${state.balance.available}` : '';
    if (seen.get(name) === print) continue;
    seen.set(name, print);
    changed.push({ name, state });
  }
  return changed;
}
