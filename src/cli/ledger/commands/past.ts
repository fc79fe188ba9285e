/** statement and transfers: what has moved, from the history that nodes keep. */
import { type Command } from 'commander';
import { type LedgerClient, type ListedTransfer, type ListTransfersOptions, type TransferPage } from '../../../client';
import { csvBalance, csvEntry, csvHead } from '../../../api/statement-csv';
import { type Point, point, wholeNumber } from '../arguments';
import { addConsistencyOptions, type ConsistencyOptions, consistencyOf } from '../consistency';
import { timeText } from '../output';
import { oneOf, type Session } from '../session';
import { BASES, basisOf } from './transfers';

const PAGE = 1_000;
const SIDES = ['debit', 'credit'] as const;

interface RangeOptions extends ConsistencyOptions {
  readonly from?: Point;
  readonly to?: Point;
  readonly by: string;
}

interface ListOptions extends RangeOptions {
  readonly account?: string;
  readonly side?: (typeof SIDES)[number];
  readonly ledger?: string;
  readonly id?: string[];
  readonly kind?: string[];
  readonly result?: string[];
  readonly code?: string[];
  readonly minAmount?: string;
  readonly maxAmount?: string;
  readonly limit: number;
  readonly pageToken?: string;
}

export function addPastCommands(program: Command, session: () => Session): void {
  addRangeOptions(
    program
      .command('statement')
      .description('what moved on an account, with its balance before, after each and at the end')
      .argument('<name>'),
  ).action((name: string, options: RangeOptions) => statement(session(), name, options));
  addRangeOptions(program.command('transfers').description('transfers that pass some filters, a page at a time'))
    .option('--account <name>', 'only what this account pays or receives')
    .option('--side <debit|credit>', 'with an account: only what it pays, or receives', oneOf('--side', SIDES))
    .option('--ledger <code>', 'only of this ledger')
    .option('--id <id...>', 'only with one of these ids')
    .option('--kind <kind...>', 'plain, pending, post, void, reversal, expiry')
    .option('--result <name...>', 'names of results, or any (default: ok)')
    .option('--code <number...>', 'only with one of these codes')
    .option('--min-amount <decimal>', 'of at least so much')
    .option('--max-amount <decimal>', 'of at most so much')
    .option('--limit <n>', 'in a page', wholeNumber('--limit', 1, PAGE), 100)
    .option('--page-token <token>', 'from the page before')
    .action((options: ListOptions) => transfers(session(), options));
}

function addRangeOptions(command: Command): Command {
  return addConsistencyOptions(command)
    .option('--from <time|offset>', 'from here on', point('--from'))
    .option('--to <time|offset>', 'before there', point('--to'))
    .option(
      '--by <basis>',
      `the order, and what times are about: ${BASES.join(', ')}`,
      oneOf('--by', BASES),
      'posting',
    );
}

function rangeOf({ from, to, by }: RangeOptions): ListTransfersOptions {
  return {
    by: basisOf(by),
    ...(from && ('offset' in from ? { fromOffset: from.offset } : { fromTime: from.time })),
    ...(to && ('offset' in to ? { toOffset: to.offset } : { toTime: to.time })),
  };
}

/** All pages in turn; each shows what the first one reflected. */
async function* pagesOf(client: LedgerClient, options: ListTransfersOptions): AsyncGenerator<TransferPage> {
  let pageToken = '';
  do {
    const page = await client.listTransfers({ ...options, pageSize: PAGE, pageToken });
    yield page;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
}

async function statement(session: Session, name: string, options: RangeOptions): Promise<void> {
  const question = { account: name, consistency: consistencyOf(options), ...rangeOf(options) };
  await session.withClient(async (client) => {
    if (session.csv) return printCsv(session, pagesOf(client, question));
    const pages: TransferPage[] = [];
    for await (const page of pagesOf(client, question)) pages.push(page);
    printStatement(session, name, pages);
  }, 'csv');
}

async function printCsv(session: Session, pages: AsyncIterable<TransferPage>): Promise<void> {
  const { stdout } = session.terminal;
  let last: TransferPage | undefined;
  for await (const page of pages) {
    if (!last) stdout.write(csvHead() + (page.opening ? csvBalance('opening', page.opening.posted) : ''));
    for (const transfer of page.transfers) stdout.write(csvLineOf(transfer));
    last = page;
  }
  if (last?.closing) stdout.write(csvBalance('closing', last.closing.posted));
}

function csvLineOf(transfer: ListedTransfer): string {
  const { code, entry, id, offset, timestamp, userData } = transfer;
  const { side = '', change = '', pendingChange = '', balance } = entry ?? {};
  return csvEntry({
    ...{ offset, timestamp, effectiveTime: transfer.effectiveTime || timestamp, id, kind: kindOf(transfer), side },
    ...{ otherAccount: otherOf(transfer), change, pendingChange, balance, code, userData: String(userData) },
  });
}

function printStatement(session: Session, name: string, pages: readonly TransferPage[]): void {
  const [first] = pages;
  if (!first) throw new Error('A statement has at least one page.');
  const { opening, closing, position } = first;
  const entries = pages.flatMap(({ transfers: found }) => found);
  const balanceRow = (what: string, posted: string | undefined): (string | undefined)[] => [
    ...['', '', '', what, '', '', posted],
  ];
  session.output.list(
    {
      ...{ account: name, ledger: opening?.ledger, opening: opening?.posted, closing: closing?.posted },
      ...{ entries: entries.map(entryJson), ...position },
    },
    ['offset', 'time', 'id', 'kind', 'other account', 'change', 'balance'],
    [
      balanceRow('opening', opening?.posted),
      ...entries.map((each) => [
        ...[each.offset, timeText(each.effectiveTime || each.timestamp), each.id, kindOf(each), otherOf(each)],
        ...[each.entry?.change, each.entry?.balance],
      ]),
      balanceRow('closing', closing?.posted),
    ],
  );
  if (!session.output.json) session.output.note(`as of offset ${position.offset}`);
}

async function transfers(session: Session, options: ListOptions): Promise<void> {
  const { account, side, ledger, id, kind, result, code, minAmount, maxAmount, limit, pageToken } = options;
  const codes = code?.map(wholeNumber('--code', 0, 2 ** 32 - 1));
  const kinds = kind?.map(oneOf('--kind', KINDS)) as ListTransfersOptions['kinds'];
  const page = await session.withClient((client) =>
    client.listTransfers({
      ...rangeOf(options),
      ...{ consistency: consistencyOf(options), pageSize: limit },
      ...(account !== undefined && { account }),
      ...(side !== undefined && { side }),
      ...(ledger !== undefined && { ledger }),
      ...(id !== undefined && { ids: id }),
      ...(kinds !== undefined && { kinds }),
      ...(result !== undefined && { results: result }),
      ...(codes !== undefined && { codes }),
      ...(minAmount !== undefined && { minAmount }),
      ...(maxAmount !== undefined && { maxAmount }),
      ...(pageToken !== undefined && { pageToken }),
    }),
  );
  const { nextPageToken, position } = page;
  session.output.list(
    { transfers: page.transfers.map(entryJson), nextPageToken, ...position },
    ['offset', 'time', 'id', 'kind', 'from', 'to', 'amount', 'ledger', 'result'],
    page.transfers.map((each) => [
      ...[each.offset, timeText(each.timestamp), each.id, kindOf(each), each.debitAccount, each.creditAccount],
      ...[each.amount, each.ledger, each.result],
    ]),
  );
  if (session.output.json) return;
  session.output.note(`as of offset ${position.offset}`);
  if (nextPageToken !== '') session.output.note(`more: --page-token ${nextPageToken}`);
}

const KINDS = ['plain', 'pending', 'post', 'void', 'reversal', 'expiry'];

function kindOf({ kind, reverses }: ListedTransfer): string {
  return reverses === '' ? kind : 'reversal';
}

function entryJson(transfer: ListedTransfer): object {
  const { entry, metadata, hold = null } = transfer;
  return {
    ...{ ...transfer, hold, metadata: metadata.toString('base64') },
    entry: entry ? { ...entry, balance: entry.balance ?? null } : null,
  };
}

function otherOf({ creditAccount, debitAccount, entry }: ListedTransfer): string {
  return entry?.side === 'debit' ? creditAccount : debitAccount;
}
