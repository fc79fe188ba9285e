/** Balances now and whenever they have changed: ledger.v1.Ledger.WatchBalances. */
import { clientDefinition } from '../proto/load';
import { followed, type FollowOptions } from './followed-stream';
import { type SeenPosition } from './seen-position';
import { type BalanceView, type ReadOptions, type ReadPosition } from './types';
import { balanceView, consistencyOut, positionOf } from './wire-views';

const LEDGER = clientDefinition('ledger.v1.Ledger');

export interface WatchOptions extends ReadOptions {
  /** Ends the stream. */
  readonly signal?: AbortSignal;
}

/** Balances that are different from what came before; at first all of them. */
export interface BalanceChanges {
  /** An account that does not exist has an empty ledger. */
  readonly balances: readonly BalanceView[];
  readonly position: ReadPosition;
}

/** Goes on elsewhere where a server is lost, from a state that is at least as new, and gives only what is different then. */
export function balanceStream(
  names: readonly string[],
  follow: FollowOptions,
  seen: SeenPosition,
  options: Pick<WatchOptions, 'consistency'>,
): AsyncGenerator<BalanceChanges, void, undefined> {
  const shown = new Map<string, string>();
  let newest: string | undefined;
  return followed(follow, async function* (open) {
    const consistency = consistencyOut(newest === undefined ? options.consistency : { atLeast: newest }, seen.token);
    for await (const answer of open(LEDGER.WatchBalances, { accounts: [...names], consistency })) {
      const position = positionOf(answer.position);
      newest = position.token;
      seen.see(position.token, position.offset);
      const balances = answer.balances.map(balanceView).filter((balance) => isNews(shown, balance));
      if (balances.length > 0) yield { balances, position };
    }
  });
}

function isNews(shown: Map<string, string>, balance: BalanceView): boolean {
  const print = `${balance.ledger} ${balance.version} ${balance.available}`;
  if (shown.get(balance.account) === print) return false;
  shown.set(balance.account, print);
  return true;
}
