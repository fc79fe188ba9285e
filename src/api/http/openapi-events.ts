/** The streams of events as the description of the API has them. */
import { consistency, error, json, noAccount, path, query, unavailable } from './openapi-parts';

const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  description: 'The id of the last event that was seen: the stream goes on behind it.',
  schema: { type: 'string' },
};

const NO_BEGINNING = 'The request has a fault, or the log does not begin that early any more.';

export function eventPaths(): Record<string, object> {
  return {
    '/api/v1/accounts/{name}/events': { get: balanceEvents() },
    '/api/v1/records/events': { get: recordEvents() },
  };
}

function stream(description: string, example: string): object {
  return { description, content: { 'text/event-stream': { schema: { type: 'string' }, example } } };
}

function balanceEvents(): object {
  const example = 'id: opaque-token\nevent: balance\ndata: {"account":"Alice","ledger":"USD","posted":"9.50"}\n\n';
  return {
    operationId: 'watchBalance',
    summary: 'The balance of an account now, and again whenever it has changed, as server-sent events',
    parameters: [path('name', 'The name, percent-encoded.', 'Alice'), ...consistency(), LAST_EVENT_ID],
    responses: {
      200: stream('Events `balance`: the balance, its offset and token.', example),
      404: noAccount(),
      ...unavailable(),
    },
  };
}

function recordEvents(): object {
  const example = 'id: 41\nevent: record\ndata: {"offset":41,"type":1,"command":"transfer"}\n\n';
  const many = (name: string, description: string, value: string): object => ({
    ...query(name, `${description} May be given several times.`, { type: 'array', items: { type: 'string' } }, [value]),
    explode: true,
  });
  return {
    operationId: 'followRecords',
    summary: 'The records of the log from an offset on, without end, as server-sent events',
    parameters: [
      query('from', 'The first offset; what comes from now on if left out.', { type: 'integer' }, 0),
      many('account', 'Only records that concern this account.', 'Alice'),
      many('handle', 'The same by its handle.', '1'),
      many('ledger', 'Only records of this ledger.', 'USD'),
      many('command', 'Only this command.', 'transfer'),
      many('result', 'Only records with this result.', 'ok'),
      many('type', 'Only this type of record: 0 values, 1 of the ledger.', '1'),
      LAST_EVENT_ID,
    ],
    responses: {
      200: stream('Events `record`: the record with command and outcome.', example),
      400: json('Error', NO_BEGINNING, error('filter_invalid', 'There is no result "fine" in the log.')),
      ...unavailable(),
    },
  };
}
