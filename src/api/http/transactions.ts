/** `/api/v1/transactions`: several transfers, all of which are done or none. */
import { type OutcomeRow } from '../../ledger/outcome-row';
import { type ResultInfo } from '../../ledger/result-codes';
import { type Transfer } from '../../proto/ledger-v1';
import { faultOfResult, refusalInfo } from '../errors';
import { ItemFault } from '../item-fault';
import { type Limits } from '../limits';
import { type NodePort } from '../node-port';
import { readAt } from '../reads';
import { checkCount } from '../submit-items';
import { decidingMember, type GroupRun, transferBatch } from '../transfer-batch';
import { type TransferItem } from '../transfer-item';
import { type TransferWrites } from '../transfer-writes';
import {
  asObject,
  type JsonObject,
  notTheJson,
  optionalFlag,
  optionalText,
  parseObject,
  refuseUnknownFields,
} from './body';
import { ok, type Reply, replyOfFault } from './reply';
import { NO_PARAMETERS } from './query';
import { endpoint, type HttpRequest, type Methods } from './router';
import { rehearseTransaction } from './transaction-dry-run';
import { doneJson, infoOf, TRANSFER_FIELDS, transferIn } from './transfer-json';
import { REPLAYED } from './transfers';

const FIELDS = ['id', 'transfers', 'dry_run'];

export function transactionRoutes(port: NodePort, limits: Limits, transfers: TransferWrites): Record<string, Methods> {
  return {
    '/api/v1/transactions': {
      POST: endpoint(NO_PARAMETERS, (request) => createTransaction(port, limits, transfers, request)),
    },
  };
}

async function createTransaction(
  port: NodePort,
  limits: Limits,
  transfers: TransferWrites,
  request: HttpRequest,
): Promise<Reply> {
  const body = parseObject(request.body);
  const isDryRun = optionalFlag(body, 'dry_run');
  const items = itemsIn(body);
  checkCount(items.length, limits, 'transfers');
  if (isDryRun) return rehearseTransaction(port, limits, items, request.budget);
  const { commands, groups } = transferBatch(items, port.ledger);
  const group = groups[0];
  if (group === undefined) throw new Error('The transfers of a transaction are no group.');
  const { outcomes, position } = await transfers.submit(commands, 'transfers', request);
  const deciding = outcomes[decidingMember(group, outcomes)];
  if (deciding === undefined) throw new Error('A transaction was answered without outcomes.');
  const info = infoOf(deciding);
  const replayed = !(deciding instanceof ItemFault) && deciding.replayed ? REPLAYED : {};
  if (info.name !== 'ok') return refusal(group, items, outcomes, info, replayed);
  // The leader did it; this node is to have it before it names the accounts.
  const at = { level: 'AT_LEAST', token: position.token } as const;
  const { value } = await readAt(port, at, request.budget, (reader) =>
    outcomes.map((outcome, i) => doneJson(commands[i] as TransferItem, outcome as OutcomeRow, reader)),
  );
  const { offset, token } = position;
  return ok({ id: group.id, result: 'ok', transfers: value, offset, token }, 201, replayed);
}

/** The transfers of the body, each a member of the group that its id names. */
function itemsIn(body: JsonObject): Transfer[] {
  const group = optionalText(body, 'id') ?? '';
  const transfers = Object.hasOwn(body, 'transfers') ? body['transfers'] : undefined;
  if (!Array.isArray(transfers)) throw notTheJson();
  refuseUnknownFields(body, FIELDS);
  if (group === '') throw faultOfResult(refusalInfo('group_invalid'), 'id');
  return transfers.map((transfer: unknown, i) => ({
    ...transferIn(asObject(transfer), TRANSFER_FIELDS, `in transfers[${i}]`),
    group,
  }));
}

/** Why nothing of it was done, and what each of its transfers has to do with that. */
function refusal(
  group: GroupRun,
  items: readonly Transfer[],
  outcomes: readonly (OutcomeRow | ItemFault)[],
  info: ResultInfo,
  replayed: Readonly<Record<string, string>>,
): Reply {
  const reply = replyOfFault(faultOfResult(info), replayed);
  const results = outcomes.map((outcome, i) => ({
    request_id: items[i]?.id ?? '',
    result: infoOf(outcome).name,
    message: infoOf(outcome).message,
  }));
  return { ...reply, body: { ...(reply.body as object), id: group.id, transfers: results } };
}
