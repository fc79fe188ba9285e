/** What transfers would come to, as `--dry-run` prints it. */
import { type DryRunInput, type DryRunOutcome } from '../../client';
import { balanceJson } from './commands/accounts';
import { type Cell, type Output } from './output';
import { type Session } from './session';
import { Refused } from './terminal';

/** Asks, prints, and ends as the command would without `--dry-run`: refused where something would be. */
export async function tryOut(session: Session, items: DryRunInput): Promise<void> {
  const outcome = await session.withClient((client) => client.dryRun(items));
  const { transfers, balances, position } = outcome;
  if (session.output.json) {
    session.output.document({ dryRun: true, transfers, balances: balances.map(balanceJson), ...position });
  } else {
    session.output.list(
      {},
      ['id', 'would be', 'moved', 'held'],
      transfers.map(({ id, result, amountMoved, amountHeld }) => [id, result, cell(amountMoved), cell(amountHeld)]),
    );
    printBalances(session.output, outcome);
  }
  const refused = transfers.find(({ result }) => result !== 'ok' && result !== 'linked_transfer_failed');
  if (refused) throw new Refused(refused.result, refused.message);
}

/** The balances that would be, for people. @param more accounts that are left out */
export function printBalances(
  output: Output,
  { balances, position }: Pick<DryRunOutcome, 'balances' | 'position'>,
  more = 0,
): void {
  output.line('');
  output.list(
    {},
    ['account', 'ledger', 'posted', 'available', 'held'],
    balances.map(({ account, ledger, posted, available, debitsPending }) => [
      ...[account, ledger, posted],
      available ?? 'no limit',
      debitsPending,
    ]),
  );
  if (more > 0) output.line(`and ${more} more accounts; --output json has all of them`);
  output.note(`a dry run on the state at offset ${position.offset}: nothing was done`);
}

function cell(amount: string): Cell {
  return amount === '' ? undefined : amount;
}
