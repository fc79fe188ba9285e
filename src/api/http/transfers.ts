/** `/api/v1/transfers`: one payment a request, in the words of the service this one replaces, and what follows on one. */
import { formatMinor, MAX_SCALE, minorFromRest, normaliseAmount } from '../../ledger/amounts';
import { type TransferCommand } from '../../ledger/command-codec';
import { formatId, isLedgerCode, normaliseId, normaliseName } from '../../ledger/identifiers';
import { type OutcomeRow } from '../../ledger/outcome-row';
import { type LedgerView } from '../../ledger/reader';
import { ResultCode, resultInfo } from '../../ledger/result-codes';
import { headJson, proofJson } from '../../proof/transfer-proof';
import { type Transfer, TransferKind } from '../../proto/ledger-v1';
import { type Budget, within } from '../deadline';
import { type Fault, faultOfResult, notFound, refusalInfo } from '../errors';
import { ItemFault } from '../item-fault';
import { type Limits } from '../limits';
import { type NodePort } from '../node-port';
import { readAt } from '../reads';
import { transferCommand, type TransferItem } from '../transfer-item';
import { headOf, proofOf } from '../transfer-proof';
import { type Caller, type TransferWrites } from '../transfer-writes';
import { optionalText, parseObject } from './body';
import { listTransfers } from './past';
import { LIST_PARAMETERS } from './past-query';
import { CONSISTENCY_ONLY, consistencyOf, NO_PARAMETERS } from './query';
import { ok, type Reply, replyOfFault } from './reply';
import { endpoint, type HttpRequest, type Methods } from './router';
import { doneJson, FOLLOWING_FIELDS, refersToAnother, saysMore, transferIn, viewJson } from './transfer-json';

/** Where a request names no ledger. */
export const DEFAULT_LEDGER = 'USD';
/** Present on the answer to a request that was answered before. */
export const REPLAYED = { 'Idempotency-Replayed': 'true' };

export function transferRoutes(port: NodePort, limits: Limits, transfers: TransferWrites): Record<string, Methods> {
  const following = (action: Following): Methods => ({
    POST: endpoint(NO_PARAMETERS, (request) => follow(port, transfers, request, action)),
  });
  return {
    '/api/v1/transfers': {
      GET: endpoint(LIST_PARAMETERS, (request) => listTransfers(port, limits, request)),
      POST: endpoint(NO_PARAMETERS, (request) => createTransfer(port, transfers, request)),
    },
    '/api/v1/transfers/{request_id}': { GET: endpoint(CONSISTENCY_ONLY, (request) => getTransfer(port, request)) },
    '/api/v1/transfers/{request_id}/proof': { GET: endpoint(CONSISTENCY_ONLY, (request) => getProof(port, request)) },
    '/api/v1/head': { GET: endpoint(NO_PARAMETERS, () => ok(headJson(headOf(port)))) },
    '/api/v1/transfers/{request_id}/post': following('post'),
    '/api/v1/transfers/{request_id}/void': following('void'),
    '/api/v1/transfers/{request_id}/reverse': following('reverse'),
  };
}

async function getProof(port: NodePort, { params, query, budget }: HttpRequest): Promise<Reply> {
  return ok(proofJson(await proofOf(port, params['request_id'] ?? '', consistencyOf(query), budget)));
}

async function createTransfer(port: NodePort, transfers: TransferWrites, request: HttpRequest): Promise<Reply> {
  const body = parseObject(request.body);
  // A field of another type than it should have is a fault of the JSON, which comes first.
  const item = transferIn(body);
  // The contract begins with the id, whatever else the transfer is.
  if (normaliseId(item.id)?.kind !== 'uuid') throw faultOfResult(refusalInfo('request_id_invalid'), 'request_id');
  if (refersToAnother(item)) return submitOne(port, transfers, request, commandOf(port, item));
  const ledger = optionalText(body, 'ledger') ?? DEFAULT_LEDGER;
  const command = await readPayment(port, { ...item, ledger }, request.budget);
  if (saysMore(body)) return submitOne(port, transfers, request, command);
  const { outcomes } = await transfers.submit([command], 'transfer', request);
  const outcome = theOne(outcomes);
  const replayed = outcome.replayed ? REPLAYED : {};
  if (outcome.result !== ResultCode.OK) return replyOfFault(faultOfResult(resultInfo(outcome.result)), replayed);
  const { id, debit, credit } = command;
  const answer = {
    request_id: formatId(id),
    from: debit.name,
    amount: formatMinor(outcome.amountMoved, outcome.scale),
    to: credit.name,
  };
  return ok(answer, 201, replayed);
}

type Following = 'post' | 'void' | 'reverse';

/** Posts, voids or reverses the transfer that the path names. */
async function follow(
  port: NodePort,
  transfers: TransferWrites,
  request: HttpRequest,
  action: Following,
): Promise<Reply> {
  const body = parseObject(request.body);
  const to = request.params['request_id'] ?? '';
  const reverses = action === 'reverse' ? to : '';
  const pending = action === 'reverse' ? '' : to;
  const kind = { post: TransferKind.POST, void: TransferKind.VOID, reverse: TransferKind.PLAIN }[action];
  const item = { ...transferIn(body, FOLLOWING_FIELDS), kind, pending_id: pending, reverses };
  return submitOne(port, transfers, request, commandOf(port, item));
}

function commandOf(port: NodePort, item: Transfer): TransferItem {
  const command = transferCommand(item, port.ledger);
  if (command instanceof ItemFault) throw faultOfResult(command.info, command.field);
  return command;
}

async function submitOne(
  port: NodePort,
  transfers: TransferWrites,
  caller: Caller,
  command: TransferItem,
): Promise<Reply> {
  const { outcomes, position } = await transfers.submit([command], 'transfer', caller);
  const outcome = theOne(outcomes);
  const replayed = outcome.replayed ? REPLAYED : {};
  if (outcome.result !== ResultCode.OK) return replyOfFault(faultOfResult(resultInfo(outcome.result)), replayed);
  // The leader did it; this node is to have it before it names the accounts.
  const { value } = await readAt(port, { level: 'AT_LEAST', token: position.token }, caller.budget, (reader) =>
    doneJson(command, outcome, reader),
  );
  return ok({ ...value, token: position.token }, 201, replayed);
}

function theOne(outcomes: readonly (OutcomeRow | ItemFault)[]): OutcomeRow {
  const outcome = outcomes[0];
  if (outcome === undefined || outcome instanceof ItemFault)
    throw new Error('A transfer was answered without an outcome.');
  return outcome;
}

interface NamedTransfer extends TransferCommand {
  readonly debit: { readonly name: string };
  readonly credit: { readonly name: string };
}

/** A payment whose id is a UUID, or its first fault: the order of these lines is the contract. */
async function readPayment(port: NodePort, item: Transfer, budget: Budget): Promise<NamedTransfer> {
  const from = item.debit_account.trim();
  const to = item.credit_account.trim();
  const { ledger: code } = item;
  if (from === '') throw faultOfResult(refusalInfo('from_required'), 'from');
  const ledger = isLedgerCode(code) ? await findLedger(port, code, budget) : undefined;
  const amount = minorFromRest(item.amount, ledger?.scale ?? MAX_SCALE, ledger?.rounding ?? 'half_up');
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
  const command = commandOf(port, { ...item, amount: normal.text });
  if (command.kind !== 'transfer') throw faultOfResult(refusalInfo('flags_invalid'), 'kind');
  return { ...command, debit: { name: debit }, credit: { name: credit } };
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
  return ok({ ...viewJson(value), as_of: position });
}
