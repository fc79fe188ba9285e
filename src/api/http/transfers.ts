/** `/api/v1/transfers`: one payment a request, in the words of the service this one replaces. */
import { formatMinor, MAX_SCALE, minorFromRest, normaliseAmount } from '../../ledger/amounts';
import { type TransferCommand } from '../../ledger/command-codec';
import { formatId, isLedgerCode, normaliseId, normaliseName } from '../../ledger/identifiers';
import { type LedgerView } from '../../ledger/reader';
import { ResultCode, resultInfo, resultName } from '../../ledger/result-codes';
import { type Budget, within } from '../deadline';
import { type Fault, faultOfResult, notFound, refusalInfo } from '../errors';
import { ItemFault } from '../item-fault';
import { type Limits } from '../limits';
import { type NodePort } from '../node-port';
import { readAt } from '../reads';
import { submitItems } from '../submit-items';
import { optionalText, parseObject } from './body';
import { consistencyOf } from './query';
import { ok, type Reply, replyOfFault } from './reply';
import { type HttpRequest, type Methods } from './router';

/** Where a request names no ledger. */
export const DEFAULT_LEDGER = 'USD';
/** Present on the answer to a request that was answered before. */
const REPLAYED = { 'Idempotency-Replayed': 'true' };

export function transferRoutes(port: NodePort, limits: Limits): Record<string, Methods> {
  return {
    '/api/v1/transfers': { POST: (request) => createTransfer(port, limits, request) },
    '/api/v1/transfers/{request_id}': { GET: (request) => getTransfer(port, request) },
  };
}

async function createTransfer(port: NodePort, limits: Limits, request: HttpRequest): Promise<Reply> {
  const command = await readTransfer(port, request.body, request.budget);
  const { outcomes } = await submitItems(port, limits, [command], 'transfer', request.budget);
  const outcome = outcomes[0];
  if (outcome === undefined || outcome instanceof ItemFault)
    throw new Error('A transfer was answered without an outcome.');
  const replayed = outcome.replayed ? REPLAYED : {};
  if (outcome.result !== ResultCode.OK) return replyOfFault(faultOfResult(resultInfo(outcome.result)), replayed);
  const { id, debit, credit } = command;
  const body = {
    request_id: formatId(id),
    from: debit.name,
    amount: formatMinor(outcome.amountMoved, outcome.scale),
    to: credit.name,
  };
  return ok(body, 201, replayed);
}

interface NamedTransfer extends TransferCommand {
  readonly debit: { readonly name: string };
  readonly credit: { readonly name: string };
}

/** The request, or its first fault: the order of these lines is the contract. */
async function readTransfer(port: NodePort, bytes: Buffer, budget: Budget): Promise<NamedTransfer> {
  const body = parseObject(bytes);
  const idText = optionalText(body, 'request_id') ?? '';
  const from = (optionalText(body, 'from') ?? '').trim();
  const to = (optionalText(body, 'to') ?? '').trim();
  const amountText = optionalText(body, 'amount') ?? '';
  const code = optionalText(body, 'ledger') ?? DEFAULT_LEDGER;
  const id = normaliseId(idText);
  if (id?.kind !== 'uuid') throw faultOfResult(refusalInfo('request_id_invalid'), 'request_id');
  if (from === '') throw faultOfResult(refusalInfo('from_required'), 'from');
  const ledger = isLedgerCode(code) ? await findLedger(port, code, budget) : undefined;
  const amount = minorFromRest(amountText, ledger?.scale ?? MAX_SCALE, ledger?.rounding ?? 'half_up');
  if ('error' in amount) throw amountFault(amount.error, ledger);
  if (to === '') throw faultOfResult(refusalInfo('to_required'), 'to');
  const debit = normaliseName(from);
  if (debit === undefined) throw faultOfResult(refusalInfo('debit_account_invalid'), 'from');
  const credit = normaliseName(to);
  if (credit === undefined) throw faultOfResult(refusalInfo('credit_account_invalid'), 'to');
  if (debit === credit) throw faultOfResult(refusalInfo('accounts_must_be_different'), 'to');
  if (!isLedgerCode(code)) throw faultOfResult(refusalInfo('ledger_code_invalid'), 'ledger');
  if (ledger === undefined) throw faultOfResult(resultInfo(ResultCode.LEDGER_NOT_FOUND), 'ledger');
  const normal = normaliseAmount(amount.text);
  if ('error' in normal) throw amountFault(normal.error, ledger);
  return {
    kind: 'transfer',
    id,
    debit: { name: debit },
    credit: { name: credit },
    amount: normal,
    ledger: code,
    code: 0,
    userData: 0n,
    metadata: Buffer.alloc(0),
    flags: 0,
  };
}

/** A ledger never changes once it is there, so only one that is not known here is worth asking the leader for. */
async function findLedger(port: NodePort, code: string, budget: Budget): Promise<LedgerView | undefined> {
  const known = port.ledger.ledger(code);
  if (known !== undefined) return known;
  await within(port.barrier({ level: 'LINEARIZABLE' }, budget.workMs), budget.patienceMs, 'read');
  return port.ledger.ledger(code);
}

function amountFault(error: Parameters<typeof refusalInfo>[0], ledger: LedgerView | undefined): Fault {
  const info = refusalInfo(error);
  if (error !== 'amount_lt_min') return faultOfResult(info, 'amount');
  const unit = formatMinor(1n, ledger?.scale ?? MAX_SCALE);
  return faultOfResult(info, 'amount', `ensure this value is greater than ${unit}`);
}

async function getTransfer(port: NodePort, request: HttpRequest): Promise<Reply> {
  const id = normaliseId(request.params['request_id'] ?? '');
  if (id === undefined) throw faultOfResult(refusalInfo('id_invalid'), 'request_id');
  const { value, position } = await readAt(port, consistencyOf(request.query), request.budget, (reader) =>
    reader.transferById(id),
  );
  if (value === undefined)
    throw notFound('TRANSFER_NOT_FOUND', 'No transfer with this id was done or refused for good.');
  return ok({
    request_id: value.id,
    from: value.debitAccount,
    amount: value.amount,
    to: value.creditAccount,
    ledger: value.ledger?.code ?? null,
    result: resultName(value.result),
    amount_moved: value.ledger === undefined ? null : formatMinor(value.moved, value.ledger.scale),
    code: value.code,
    user_data: value.userData.toString(),
    metadata: value.metadata.toString('base64'),
    offset: value.offset,
    timestamp: value.timestamp,
    as_of: position,
  });
}
