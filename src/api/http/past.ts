/** Balances of the past, statements and lists of transfers (docs/history.md). */
import {
  type BalanceQuestion,
  type Moment,
  type PastBalance,
  type PastTransfer,
  type TransfersAnswer,
} from '../../ledger/history';
import { csvBalance, csvEntry, csvHead } from '../statement-csv';
import { type Limits } from '../limits';
import { type NodePort } from '../node-port';
import { invalid } from '../errors';
import { notOpenThen } from '../past-balance';
import { checkTransfers } from '../past-questions';
import { positionAt, readPast } from '../past-reads';
import { transferViewOf } from '../past-views';
import { accountNamed, type AccountState, type ReadPosition } from '../reads';
import { askedIn } from './past-query';
import { consistencyOf } from './query';
import { ok, type Reply, text } from './reply';
import { type HttpRequest } from './router';
import { viewJson } from './transfer-json';

export async function getPastBalance(port: NodePort, request: HttpRequest, at: Moment): Promise<Reply> {
  const name = request.params['name'] ?? '';
  let account: AccountState | undefined;
  const answer = await readPast(port, consistencyOf(request.query), request.budget, (reader): BalanceQuestion => {
    account = accountNamed(reader, name, 'name');
    return { kind: 'balance', account: account.account.handle, at };
  });
  const { asOf, offset, balance } = answer;
  if (!account || !balance) throw notOpenThen(name, offset);
  return ok({ ...namesOf(account), ...balanceJson(balance), ...positionAt(port, asOf.index, offset) });
}

interface Listed {
  readonly account: AccountState | undefined;
  readonly answer: TransfersAnswer;
  readonly nextPageToken: string;
  readonly position: ReadPosition;
}

async function listed(port: NodePort, limits: Limits, request: HttpRequest, name?: string): Promise<Listed> {
  const { query, budget } = request;
  const checked = checkTransfers(askedIn(query, name), limits);
  const consistency = checked.isFirstPage ? consistencyOf(query) : ({ level: 'STALE', maxStalenessMs: 0 } as const);
  let account: AccountState | undefined;
  const answer = await readPast(port, consistency, budget, (reader) => {
    const made = checked.question(reader);
    account = made.account;
    return made.question;
  });
  const { asOf, next } = answer;
  const position = positionAt(port, asOf.index, asOf.offset);
  return { account, answer, nextPageToken: checked.nextToken(asOf, next), position };
}

export async function listTransfers(port: NodePort, limits: Limits, request: HttpRequest): Promise<Reply> {
  const { answer, nextPageToken, position } = await listed(port, limits, request);
  const transfers = answer.transfers.map((past) => ({
    ...viewJson(transferViewOf(past, port.ledger)),
    ...(past.entry && { entry: entryJson(past) }),
  }));
  return ok({ transfers, ...endsJson(answer), next_page_token: nextPageToken, ...position });
}

export async function getStatement(port: NodePort, limits: Limits, request: HttpRequest): Promise<Reply> {
  const { params, query } = request;
  const format = query.get('format') ?? 'json';
  if (format !== 'json' && format !== 'csv') {
    throw invalid('format', 'QUERY_INVALID', `format is json or csv, not ${JSON.stringify(format)}.`);
  }
  const { account, answer, nextPageToken, position } = await listed(port, limits, request, params['name'] ?? '');
  if (!account) throw new Error('A statement was answered without its account.');
  if (format === 'csv') return csv(answer, !query.has('page_token'), nextPageToken, position);
  const entries = answer.transfers.map((past) => ({
    ...{ offset: past.offset, timestamp: past.timestamp, effective_time: past.effectiveTime ?? past.timestamp },
    ...{ request_id: past.id === '' ? null : past.id, kind: past.kind, ...entryJson(past) },
    ...{ code: past.code, user_data: past.userData },
  }));
  return ok({ ...namesOf(account), ...endsJson(answer), entries, next_page_token: nextPageToken, ...position });
}

/** Opening and closing balance stand on the first and the last page; headers say what JSON says beside the entries. */
function csv(answer: TransfersAnswer, isFirst: boolean, nextPageToken: string, position: ReadPosition): Reply {
  const { opening, closing, transfers } = answer;
  const lines = transfers.map((past) => {
    const { side = '', change = '', pendingChange = '', balance } = past.entry ?? {};
    const effectiveTime = past.effectiveTime ?? past.timestamp;
    return csvEntry({ ...past, side, change, pendingChange, balance, effectiveTime, otherAccount: otherOf(past) });
  });
  const body = [
    ...(isFirst ? [csvHead()] : []),
    ...(isFirst && opening ? [csvBalance('opening', opening.posted)] : []),
    ...lines,
    ...(nextPageToken === '' && closing ? [csvBalance('closing', closing.posted)] : []),
  ];
  return text(body.join(''), 'text/csv; charset=utf-8', {
    'Ledger-Offset': String(position.offset),
    'Ledger-Token': position.token,
    ...(nextPageToken !== '' && { 'Ledger-Next-Page-Token': nextPageToken }),
  });
}

function namesOf({ account }: AccountState): object {
  return { account: account.name, ledger: account.ledger.code };
}

function balanceJson(balance: PastBalance): object {
  return {
    posted: balance.posted,
    available: balance.available,
    debits_posted: balance.debitsPosted,
    credits_posted: balance.creditsPosted,
    debits_pending: balance.debitsPending,
    credits_pending: balance.creditsPending,
  };
}

function endsJson({ opening, closing }: TransfersAnswer): object {
  return opening && closing ? { opening: balanceJson(opening), closing: balanceJson(closing) } : {};
}

function entryJson(past: PastTransfer): object {
  const { side, change, pendingChange, balance = null } = past.entry ?? {};
  return { side, other_account: otherOf(past), change, pending_change: pendingChange, balance };
}

function otherOf({ creditAccount, debitAccount, entry }: PastTransfer): string {
  return entry?.side === 'debit' ? creditAccount : debitAccount;
}
