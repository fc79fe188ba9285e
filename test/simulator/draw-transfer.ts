import type { SeededRandom } from '../support/seeded-random';
import type { ClientHistory, TransferOperation } from './client-history';

/** The account that money comes from; it may go below zero. */
export const BANK = 'bank';

/** Money from one account to another, now and then from the bank. */
export function drawTransfer(
  random: SeededRandom,
  accounts: readonly string[],
  history: ClientHistory,
  id: string,
): TransferOperation {
  const debit = random.chance(0.25) ? BANK : accounts[random.below(accounts.length)]!;
  let credit = accounts[random.below(accounts.length)]!;
  if (credit === debit) credit = debit === accounts[0] ? accounts[1]! : accounts[0]!;
  return history.call(id, debit, credit, BigInt(1 + random.below(4_000)));
}
