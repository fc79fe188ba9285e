/** What a transaction would come to now, decided on the state of the node that is asked; nothing of it is done. */
import { formatMinor } from '../../ledger/amounts';
import { type OutcomeRow } from '../../ledger/outcome-row';
import { type Transfer } from '../../proto/ledger-v1';
import { type Budget } from '../deadline';
import { dryRun } from '../dry-run';
import { ItemFault } from '../item-fault';
import { type Limits } from '../limits';
import { type NodePort } from '../node-port';
import { decidingMember } from '../transfer-batch';
import { namedBalanceJson } from './account-json';
import { ok, type Reply } from './reply';
import { infoOf } from './transfer-json';

/**
 * 200 whatever it would come to: the question is answered, and `result` says what the transaction would have said.
 *
 * @param items all of one group
 */
export async function rehearseTransaction(
  port: NodePort,
  limits: Limits,
  items: readonly Transfer[],
  budget: Budget,
): Promise<Reply> {
  const asked = { accounts: [], transfers: items };
  const answer = await dryRun(port, limits, asked, { level: 'LINEARIZABLE' }, budget);
  const [group] = answer.groups;
  const deciding = group && answer.transfers[decidingMember(group, answer.transfers)];
  if (group === undefined || deciding === undefined) throw new Error('The transfers of a transaction are no group.');
  const { name: result, message } = infoOf(deciding);
  const replayed = !(deciding instanceof ItemFault) && deciding.replayed;
  return ok({
    ...{ id: group.id, dry_run: true, result, message, replayed },
    transfers: answer.transfers.map((outcome, i) => wouldBeJson(items[i]?.id ?? '', outcome)),
    balances: answer.balances.map(namedBalanceJson),
    ...answer.position,
  });
}

/** Amounts are null where it was not looked at as far as its ledger. */
function wouldBeJson(id: string, outcome: OutcomeRow | ItemFault): object {
  const { name: result, message } = infoOf(outcome);
  const known = outcome instanceof ItemFault || outcome.ledgerNumber === 0 ? undefined : outcome;
  return {
    ...{ request_id: id, result, message },
    amount_moved: known === undefined ? null : formatMinor(known.amountMoved, known.scale),
    amount_held: known === undefined ? null : formatMinor(known.effect === 'held' ? known.amount : 0n, known.scale),
  };
}
