/** account close, reopen, limits. */
import { type Command } from 'commander';
import { type AccountChange } from '../../../client';
import { type Session } from '../session';
import { Refused, UsageError } from '../terminal';

interface LimitOptions {
  readonly minBalance?: string;
  readonly maxBalance?: string;
}

/** @param account the command `account` */
export function addAccountChanges(account: Command, session: () => Session): void {
  account
    .command('close')
    .description('no new debits or credits; holds may still be posted and voided')
    .argument('<name...>')
    .action((names: string[]) => change(session(), names, { closed: true }));
  account
    .command('reopen')
    .description('open closed accounts again')
    .argument('<name...>')
    .action((names: string[]) => change(session(), names, { closed: false }));
  account
    .command('limits')
    .description('give accounts other limits; what is not named stays')
    .argument('<name...>')
    .option('--min-balance <amount|none|default>', "lower limit; default: the ledger's")
    .option('--max-balance <amount|none|default>', "upper limit; default: the ledger's")
    .action((names: string[], options: LimitOptions) => {
      const { minBalance, maxBalance } = options;
      if (minBalance === undefined && maxBalance === undefined) {
        throw new UsageError('account limits: name --min-balance, --max-balance or both');
      }
      return change(session(), names, {
        ...(minBalance === undefined ? {} : { minBalance: minBalance === 'none' ? null : minBalance }),
        ...(maxBalance === undefined ? {} : { maxBalance: maxBalance === 'none' ? null : maxBalance }),
      });
    });
}

async function change(session: Session, names: readonly string[], what: AccountChange): Promise<void> {
  if (names.length > 8190) throw new UsageError('account: at most 8190 accounts at once');
  const changes = names.map((account) => ({ account, ...what }));
  const outcomes = await session.withClient((client) => client.updateAccounts(changes));
  const results = outcomes.map((outcome, i) => ({ name: names[i]!, ...outcome }));
  session.output.list(
    { results },
    ['account', 'result'],
    results.map(({ name, result }) => [name, result]),
  );
  const refused = results.find((outcome) => outcome.result !== 'ok');
  if (refused) throw new Refused(refused.result, `${refused.name}: ${refused.message}`);
}
