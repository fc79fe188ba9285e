/** Following the money over HTTP: balances and records as server-sent events, which a browser's EventSource resumes by itself. */
import { invalid } from '../errors';
import { watchBalances, watchedNames, type BalanceChanges } from '../follow/balance-watch';
import { type FollowerSlots } from '../follow/follower-slots';
import { recordFeed } from '../follow/record-feed';
import { RecordFilter } from '../follow/record-filter';
import { outsideLog } from '../log-range';
import { type Limits } from '../limits';
import { type Consistency, type NodePort } from '../node-port';
import { accountNamed, atLeast, readAt } from '../reads';
import { balanceJson } from './account-json';
import { type EventReply, type EventStream } from './event-stream';
import { CONSISTENCY_ONLY, consistencyOf, type QueryNames, wholeNumber } from './query';
import { recordJson } from './record-json';
import { endpoint, type HttpRequest, type Methods } from './router';

const RECORD_PARAMETERS: QueryNames = {
  once: ['from'],
  lists: ['type', 'command', 'ledger', 'account', 'handle', 'result'],
};

export function eventRoutes(port: NodePort, limits: Limits, slots: FollowerSlots): Record<string, Methods> {
  const held = (parameters: QueryNames, handler: (request: HttpRequest) => Promise<EventReply>): Methods => ({
    GET: endpoint(parameters, (request) => inSlot(slots, () => handler(request))),
  });
  return {
    '/api/v1/accounts/{name}/events': held(CONSISTENCY_ONLY, (request) => balanceEvents(port, limits, request)),
    '/api/v1/records/events': held(RECORD_PARAMETERS, (request) => recordEvents(port, limits, request)),
  };
}

/** Holds a slot from before the first look at the node until the stream is over. */
async function inSlot(slots: FollowerSlots, open: () => Promise<EventReply>): Promise<EventReply> {
  const release = slots.take();
  try {
    const { follow } = await open();
    return { follow: (stream) => follow(stream).finally(release), abandon: release };
  } catch (error) {
    release();
    throw error;
  }
}

async function balanceEvents(port: NodePort, limits: Limits, request: HttpRequest): Promise<EventReply> {
  const { query, params, lastEventId, budget } = request;
  const consistency: Consistency = lastEventId === undefined ? consistencyOf(query) : atLeast(lastEventId);
  const names = watchedNames([params['name'] ?? ''], limits);
  // Refusals are answers of their own, before the stream begins.
  const { position } = await readAt(port, consistency, budget, (reader) => accountNamed(reader, names[0]!, 'name'));
  const follow = async (stream: EventStream): Promise<void> => {
    const options = { port, consistency: atLeast(position.token), budget, signal: stream.signal };
    for await (const changes of watchBalances(names, options)) await stream.send(balanceEvent(changes));
  };
  return { follow };
}

/** Of one account; without data where nothing has changed, so that only the place to go on from is new. */
function balanceEvent({ balances, position }: BalanceChanges): Parameters<EventStream['send']>[0] {
  const { token: id, offset } = position;
  const state = balances[0]?.state;
  if (state === undefined) return { id };
  const { name, ledger } = state.account;
  return {
    id,
    event: 'balance',
    data: { account: name, ledger: ledger.code, ...balanceJson(state), offset, token: id },
  };
}

async function recordEvents(port: NodePort, limits: Limits, request: HttpRequest): Promise<EventReply> {
  const { query, lastEventId, budget } = request;
  const filter = new RecordFilter(
    {
      types: query.getAll('type').map(typeNumber),
      commands: query.getAll('command'),
      ledgers: query.getAll('ledger'),
      accounts: query.getAll('account'),
      handles: query.getAll('handle'),
      results: query.getAll('result'),
    },
    limits,
  );
  const from = lastEventId === undefined ? await start(port, request) : afterEvent(lastEventId);
  const page = await port.readRecords(from, 1, budget.workMs);
  if (from < page.firstOffset) throw outsideLog(from, page);
  const follow = async (stream: EventStream): Promise<void> => {
    const options = { port, filter, budget: () => budget, signal: stream.signal };
    for await (const { record, nextOffset } of recordFeed(from, options)) {
      // The id is the last offset that was looked at; where it matched nothing, the id alone goes out.
      const id = String(nextOffset - 1);
      await stream.send(record ? { id, event: 'record', data: recordJson(record) } : { id });
    }
  };
  return { follow };
}

/** `from`, or what comes from now on. */
async function start(port: NodePort, { query, budget }: HttpRequest): Promise<number> {
  return query.has('from') ? wholeNumber(query, 'from') : port.leaderOffset(budget.workMs);
}

function afterEvent(lastEventId: string): number {
  if (/^\d{1,15}$/.test(lastEventId)) return Number(lastEventId) + 1;
  const message = 'Last-Event-ID is the id of an event of this stream: the offset of a record.';
  throw invalid('Last-Event-ID', 'EVENT_ID_INVALID', message);
}

function typeNumber(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : -1;
}
