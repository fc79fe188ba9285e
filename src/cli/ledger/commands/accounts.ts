/** create-ledger and account open, get, list. */
import { type Command } from 'commander';
import { type AccountInput, type AccountView, type BalanceView, type LedgerInput } from '../../../client';
import { limitOrNone, timeMicros, uint64, wholeNumber } from '../arguments';
import { addConsistencyOptions, type ConsistencyOptions, consistencyOf } from '../consistency';
import { type Cell, timeText } from '../output';
import { oneOf, type Session } from '../session';
import { Refused, UsageError } from '../terminal';
import { addAccountChanges } from './account-changes';

interface LedgerOptions {
  readonly scale: number;
  readonly autoOpen: boolean;
  readonly rounding: string;
  readonly minBalance?: string;
  readonly maxBalance?: string;
}

interface OpenOptions {
  readonly ledger: string;
  readonly minBalance?: string;
  readonly maxBalance?: string;
  readonly userData?: bigint;
  readonly metadata?: string;
  readonly importedTime?: number;
}

interface ListOptions extends ConsistencyOptions {
  readonly ledger?: string;
  readonly limit: number;
  readonly pageToken?: string;
  readonly prefix?: string;
}

export function addAccountCommands(program: Command, session: () => Session): void {
  program
    .command('create-ledger')
    .description('create a ledger: an asset that accounts hold')
    .argument('<code>', 'such as EUR')
    .option('--scale <digits>', 'digits after the point, 0 to 18', wholeNumber('--scale', 0, 18), 2)
    .option('--auto-open', 'accounts appear at first use', false)
    .option('--rounding <rule>', 'reject or half_up', oneOf('--rounding', ['reject', 'half_up']), 'reject')
    .option('--min-balance <amount|none>', 'default lower limit of its accounts (default: 0)')
    .option('--max-balance <amount>', 'default upper limit of its accounts (default: none)')
    .action((code: string, options: LedgerOptions) => createLedger(session(), code, options));
  const account = program.command('account').description('open, look at, list and change accounts');
  account
    .command('open')
    .description('open accounts')
    .argument('<name...>', 'names, unique in the cluster')
    .option('--ledger <code>', 'the ledger of the accounts', 'USD')
    .option('--min-balance <amount|none>', "lower limit (default: the ledger's)")
    .option('--max-balance <amount>', "upper limit (default: the ledger's)")
    .option('--user-data <number>', '64 bits of your own', uint64('--user-data'))
    .option('--metadata <text>', 'at most 1,024 bytes of your own')
    .option('--imported-time <time>', 'when it was opened in the books it comes from', timeMicros('--imported-time'))
    .action((names: string[], options: OpenOptions) => openAccounts(session(), names, options));
  addConsistencyOptions(account.command('get').description('an account with its balance').argument('<name>')).action(
    (name: string, options: ConsistencyOptions) => getAccount(session(), name, options),
  );
  addConsistencyOptions(account.command('list').description('accounts in the order of their opening'))
    .option('--ledger <code>', "only this ledger's")
    .option('--prefix <text>', 'only names that begin with it')
    .option('--limit <count>', 'at most so many', wholeNumber('--limit', 1, 1000), 100)
    .option('--page-token <token>', 'go on where a list before ended')
    .action((options: ListOptions) => listAccounts(session(), options));
  addAccountChanges(account, session);
}

async function createLedger(session: Session, code: string, options: LedgerOptions): Promise<void> {
  const { scale, autoOpen, rounding, maxBalance } = options;
  const minBalance = limitOrNone(options.minBalance);
  const ledger: LedgerInput = {
    ...{ code, scale, autoOpen, rounding: rounding === 'half_up' ? 'half_up' : 'reject' },
    ...(minBalance === undefined ? {} : { defaultMinBalance: minBalance }),
    ...(maxBalance === undefined ? {} : { defaultMaxBalance: maxBalance }),
  };
  const outcome = await session.withClient(async (client) => (await client.createLedgers([ledger]))[0]!);
  const { result, message, replayed } = outcome;
  session.output.record({ code, ...outcome }, [
    ['ledger', code],
    ['result', replayed ? `${result} (it existed before)` : result],
  ]);
  if (result !== 'ok') throw new Refused(result, message);
}

async function openAccounts(session: Session, names: readonly string[], options: OpenOptions): Promise<void> {
  if (names.length > 8190) throw new UsageError('account open: at most 8190 accounts at once');
  const { ledger, maxBalance, userData, metadata, importedTime } = options;
  const minBalance = limitOrNone(options.minBalance);
  const accounts = names.map((name): AccountInput => ({
    ...{ name, ledger },
    ...(minBalance === undefined ? {} : { minBalance }),
    ...(maxBalance === undefined ? {} : { maxBalance }),
    ...(userData === undefined ? {} : { userData }),
    ...(metadata === undefined ? {} : { metadata: Buffer.from(metadata, 'utf8') }),
    ...(importedTime === undefined ? {} : { importedTime }),
  }));
  const outcomes = await session.withClient((client) => client.openAccounts(accounts));
  const results = outcomes.map((outcome, i) => ({ name: names[i]!, ...outcome }));
  session.output.list(
    { results },
    ['account', 'handle', 'result'],
    results.map(({ name, handle, result, replayed }) => [
      name,
      handle === 0n ? undefined : handle,
      replayed ? `${result} (it existed before)` : result,
    ]),
  );
  const refused = results.find((outcome) => outcome.result !== 'ok');
  if (refused) throw new Refused(refused.result, `${refused.name}: ${refused.message}`);
}

async function getAccount(session: Session, name: string, options: ConsistencyOptions): Promise<void> {
  const consistency = consistencyOf(options);
  const found = await session.withClient((client) => client.account(name, { consistency }));
  const { account, balance, position } = found;
  session.output.record({ account: accountJson(account), balance: balanceJson(balance), ...position }, [
    ...accountRows(account),
    ...balanceRows(balance),
    ['as of offset', position.offset],
  ]);
}

async function listAccounts(session: Session, options: ListOptions): Promise<void> {
  const { ledger, limit, pageToken, prefix } = options;
  const consistency = consistencyOf(options);
  const page = await session.withClient((client) =>
    client.listAccounts({
      ...{ consistency, pageSize: limit },
      ...(ledger === undefined ? {} : { ledger }),
      ...(pageToken === undefined ? {} : { pageToken }),
      ...(prefix === undefined ? {} : { prefix }),
    }),
  );
  const { nextPageToken, position } = page;
  const accounts = page.accounts.map(({ account, balance }) => ({
    account: accountJson(account),
    balance: balanceJson(balance),
  }));
  session.output.list(
    { accounts, nextPageToken, ...position },
    ['account', 'handle', 'ledger', 'posted', 'available'],
    page.accounts.map(({ account: { name, handle, ledger: code }, balance: { posted, available } }) => [
      ...[name, handle, code, posted],
      available ?? 'no limit',
    ]),
  );
  if (!session.output.json && nextPageToken !== '') session.output.note(`more: --page-token ${nextPageToken}`);
}

function accountJson(account: AccountView): object {
  const { minBalance = null, maxBalance = null, metadata } = account;
  return { ...account, minBalance, maxBalance, metadata: metadata.toString('base64') };
}

/** As every command prints a balance for programs: an amount that does not exist is null. */
export function balanceJson(balance: BalanceView): object {
  return { ...balance, available: balance.available ?? null };
}

function accountRows(account: AccountView): [string, Cell][] {
  return [
    ['account', account.name],
    ['handle', account.handle],
    ['ledger', account.ledger],
    ['lower limit', account.minBalance ?? 'none'],
    ['upper limit', account.maxBalance ?? 'none'],
    ['closed', account.closed ? 'yes' : 'no'],
    ['user data', account.userData],
    ['metadata', account.metadata.toString('utf8')],
    ['opened at', timeText(account.openedAt)],
    ...(account.importedTime === 0 ? [] : [['imported time', timeText(account.importedTime)] as [string, Cell]]),
  ];
}

/** @param isPast changes are not counted for balances of the past */
export function balanceRows(balance: BalanceView, isPast = false): [string, Cell][] {
  return [
    ['posted', balance.posted],
    ['available', balance.available ?? 'no limit'],
    ['debits posted', balance.debitsPosted],
    ['credits posted', balance.creditsPosted],
    ['debits pending', balance.debitsPending],
    ['credits pending', balance.creditsPending],
    ['changes', isPast ? undefined : balance.version],
  ];
}
