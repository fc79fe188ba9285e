/** `/api/v1/ledgers`: making them. */
import { formatMinor } from '../../ledger/amounts';
import { type LedgerView } from '../../ledger/reader';
import { ResultCode, resultInfo } from '../../ledger/result-codes';
import { type LedgerSpec } from '../../proto/ledger-v1';
import { createLedgerCommand } from '../account-item';
import { faultOfResult, refusalInfo } from '../errors';
import { ItemFault } from '../item-fault';
import { type Limits } from '../limits';
import { type NodePort } from '../node-port';
import { readAt } from '../reads';
import { submitItems } from '../submit-items';
import {
  isNull,
  type JsonObject,
  optionalFlag,
  optionalInteger,
  optionalText,
  parseObject,
  refuseUnknownFields,
} from './body';
import { ok, type Reply } from './reply';
import { NO_PARAMETERS } from './query';
import { endpoint, type HttpRequest, type Methods } from './router';
import { REPLAYED } from './transfers';

/** By their number in ledger.proto. */
const ROUNDINGS = ['reject', 'half_up'] as const;
const FIELDS = [
  ...['code', 'scale', 'auto_open', 'rounding'],
  ...['default_min_balance', 'default_no_min_balance', 'default_max_balance'],
];

export function ledgerRoutes(port: NodePort, limits: Limits): Record<string, Methods> {
  return { '/api/v1/ledgers': { POST: endpoint(NO_PARAMETERS, (request) => createLedger(port, limits, request)) } };
}

/** 201 with the ledger as it is, whether it was made now or by the same request before. */
async function createLedger(port: NodePort, limits: Limits, { body, budget }: HttpRequest): Promise<Reply> {
  const command = createLedgerCommand(specIn(parseObject(body)));
  if (command instanceof ItemFault) throw faultOfResult(command.info, command.field);
  const { outcomes, position } = await submitItems(port, limits, [command], 'ledger', budget);
  const outcome = outcomes[0];
  if (outcome === undefined || outcome instanceof ItemFault)
    throw new Error('A ledger was answered without an outcome.');
  if (outcome.result !== ResultCode.OK) throw faultOfResult(resultInfo(outcome.result));
  // It was done by the leader; this node is to have it before it shows it.
  const { value, position: at } = await readAt(port, { level: 'AT_LEAST', token: position.token }, budget, (reader) =>
    reader.ledger(command.code),
  );
  if (value === undefined) throw new Error(`The ledger ${command.code} was made and is not there.`);
  return ok({ ...ledgerJson(value), ...at }, 201, outcome.replayed ? REPLAYED : {});
}

/** A ledger never changes once it is there, so how many digits it has is not something to guess: `scale` is required. */
function specIn(body: JsonObject): LedgerSpec {
  const scale = optionalInteger(body, 'scale');
  const min = optionalText(body, 'default_min_balance');
  const max = optionalText(body, 'default_max_balance');
  const rounding = optionalText(body, 'rounding') ?? 'reject';
  const spec = {
    code: optionalText(body, 'code') ?? '',
    auto_open: optionalFlag(body, 'auto_open'),
    rounding: (ROUNDINGS as readonly string[]).indexOf(rounding),
    ...(min === undefined ? {} : { default_min_balance: min }),
    default_no_min_balance: optionalFlag(body, 'default_no_min_balance') || isNull(body, 'default_min_balance'),
    ...(max === undefined ? {} : { default_max_balance: max }),
  };
  refuseUnknownFields(body, FIELDS);
  if (scale === undefined) throw faultOfResult(refusalInfo('scale_invalid'), 'scale');
  return { ...spec, scale };
}

function ledgerJson(ledger: LedgerView): object {
  const limit = (minor: bigint | undefined): string | null =>
    minor === undefined ? null : formatMinor(minor, ledger.scale);
  return {
    code: ledger.code,
    scale: ledger.scale,
    auto_open: ledger.autoOpen,
    rounding: ledger.rounding,
    default_min_balance: limit(ledger.defaultMinBalance),
    default_max_balance: limit(ledger.defaultMaxBalance),
    created_at: ledger.createdAt,
  };
}
