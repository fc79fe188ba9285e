/** `GetBalance` of a point in time, and `ListTransfers`. */
import { type BalanceQuestion, type PastBalance, type TimeBasis } from '../../ledger/history';
import {
  type Balance,
  type GetBalanceRequest,
  type GetBalanceResponse,
  type ListedTransfer,
  type ListTransfersRequest,
  type ListTransfersResponse,
  type PointInTime,
  Side,
  type StatementEntry,
  TimeBasis as Basis,
} from '../../proto/ledger-v1';
import { type Int64 } from '../../proto/log-v1';
import { type Budget } from '../deadline';
import { type Fault, invalid } from '../errors';
import { notOpenThen } from '../past-balance';
import { checkTransfers, momentOf, type TransfersAsked } from '../past-questions';
import { positionAt, readPast } from '../past-reads';
import { transferViewOf } from '../past-views';
import { accountNamed, type AccountState } from '../reads';
import { type Door } from './door';
import { consistencyIn, transferOut } from './ledger-codec';

export async function getPastBalance(
  door: Door,
  request: GetBalanceRequest,
  at: PointInTime,
  budget: Budget,
): Promise<GetBalanceResponse<Int64>> {
  const { port } = door;
  const moment = momentOf(numberIn(at.offset, 'at.offset'), numberIn(at.time, 'at.time'), basisIn(at.by));
  let account: AccountState | undefined;
  const answer = await readPast(port, consistencyIn(request.consistency), budget, (reader): BalanceQuestion => {
    account = accountNamed(reader, request.account, 'account');
    return { kind: 'balance', account: account.account.handle, at: moment };
  });
  const { asOf, offset, balance } = answer;
  if (!account || !balance) throw notOpenThen(request.account, offset);
  return { balance: pastBalanceOut(account, balance), position: positionAt(port, asOf.index, offset) };
}

export async function listTransfers(
  door: Door,
  request: ListTransfersRequest,
  budget: Budget,
): Promise<ListTransfersResponse<Int64>> {
  const { port } = door;
  const checked = checkTransfers(askedIn(request), door.limits);
  const consistency = checked.isFirstPage
    ? consistencyIn(request.consistency)
    : ({ level: 'STALE', maxStalenessMs: 0 } as const);
  let account: AccountState | undefined;
  const answer = await readPast(port, consistency, budget, (reader) => {
    const made = checked.question(reader);
    account = made.account;
    return made.question;
  });
  const { asOf, transfers, next, opening, closing } = answer;
  const ends = account && opening && closing && { account, opening, closing };
  return {
    transfers: transfers.map((past): ListedTransfer<Int64> => {
      const transfer = transferOut(transferViewOf(past, port.ledger));
      return { transfer, entry: past.entry ? entryOut(past.entry) : null };
    }),
    next_page_token: checked.nextToken(asOf, next),
    position: positionAt(port, asOf.index, asOf.offset),
    opening: ends ? pastBalanceOut(ends.account, ends.opening) : null,
    closing: ends ? pastBalanceOut(ends.account, ends.closing) : null,
  };
}

function pastBalanceOut({ account }: AccountState, balance: PastBalance): Balance<Int64> {
  return {
    account: account.name,
    ledger: account.ledger.code,
    debits_posted: balance.debitsPosted,
    credits_posted: balance.creditsPosted,
    debits_pending: balance.debitsPending ?? '',
    credits_pending: balance.creditsPending ?? '',
    posted: balance.posted,
    ...(balance.available === null ? {} : { available: balance.available }),
    version: 0,
  };
}

function entryOut(entry: NonNullable<Parameters<typeof transferViewOf>[0]['entry']>): StatementEntry {
  return {
    side: entry.side === 'debit' ? Side.DEBIT : Side.CREDIT,
    change: entry.change,
    pending_change: entry.pendingChange,
    ...(entry.balance === undefined ? {} : { balance: entry.balance }),
  };
}

const SIDES = ['', 'debit', 'credit'];

function askedIn(request: ListTransfersRequest): TransfersAsked {
  const { account, ids, ledger, kinds, results, codes } = request;
  const side = SIDES[request.side];
  if (side === undefined) throw invalid('side', 'FILTER_INVALID', `There is no side ${request.side}.`);
  return {
    ...{ account, side, ids, ledger, kinds, results, codes },
    ...{ minAmount: request.min_amount, maxAmount: request.max_amount, by: basisIn(request.by) },
    fromOffset: numberIn(request.from_offset, 'from_offset'),
    toOffset: numberIn(request.to_offset, 'to_offset'),
    fromTime: numberIn(request.from_time, 'from_time'),
    toTime: numberIn(request.to_time, 'to_time'),
    pageSize: request.page_size,
    pageToken: request.page_token,
  };
}

function basisIn(by: number): TimeBasis {
  if (by === Basis.BY_POSTING) return 'posting';
  if (by === Basis.BY_EFFECT) return 'effective';
  throw invalid('by', 'FILTER_INVALID', `There is no time basis ${by}.`);
}

/** An offset or a time, which is a safe integer from 0 on. */
function numberIn(text: string | undefined, field: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw outOfBounds(field, text);
}

function outOfBounds(field: string, text: string): Fault {
  return invalid(field, 'MOMENT_INVALID', `Offsets and times are whole numbers from 0 to 2^53 - 1, not ${text}.`);
}
