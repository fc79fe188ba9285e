/** `ledger.v1.Ledger.WatchBalances`: the balances of some accounts, now and whenever they have changed. */
import { type WatchBalancesRequest, type WatchBalancesResponse } from '../../proto/ledger-v1';
import { type Int64 } from '../../proto/log-v1';
import { type BalanceChanges, watchBalances, watchedNames } from '../follow/balance-watch';
import { type Door } from './door';
import { type FollowerCall, followerStream, writeTo } from './follower-stream';
import { balanceOut, consistencyIn, noBalance } from './ledger-codec';

type Answer = WatchBalancesResponse<Int64>;

export function watchBalancesStream(door: Door): (call: FollowerCall<WatchBalancesRequest, Answer>) => void {
  return followerStream(door, 'WatchBalances', async (request, call, signal) => {
    const names = watchedNames(request.accounts, door.limits);
    const consistency = consistencyIn(request.consistency);
    call.sendMetadata(door.leaderMetadata());
    const options = { port: door.port, consistency, budget: door.stepBudget(call), signal };
    for await (const changes of watchBalances(names, options)) await writeTo(call, answerOf(changes), signal);
  });
}

function answerOf({ balances, position }: BalanceChanges): Answer {
  return {
    balances: balances.map(({ name, state }) => (state ? balanceOut(state) : noBalance(name))),
    position,
  };
}
