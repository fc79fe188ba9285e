import { get, type IncomingMessage } from 'node:http';
import { encodeValues, RecordType } from '../../../src/log/chunk';
import { HttpDoorUnderTest } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';
import { eventually } from '../grpc/streams';
import { rawRequest } from './raw-http';

let port: SingleNodePort;
let door: HttpDoorUnderTest;
const readers: EventReader[] = [];

beforeEach(async () => {
  port = new SingleNodePort();
  port.createUsd({ autoOpen: true, noMinimum: true });
  door = await new HttpDoorUnderTest(port, { limits: { followers: 2 }, events: { heartbeatMs: 20 } }).listen();
});

afterEach(async () => {
  for (const reader of readers.splice(0)) reader.leave();
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

interface ServerSentEvent {
  readonly id?: string;
  readonly event?: string;
  readonly data?: Record<string, unknown>;
}

/** A reader of events as the standard has it: comments are for nobody, an empty line ends an event. */
class EventReader {
  readonly events: ServerSentEvent[] = [];
  comments = 0;
  ended = false;
  private text = '';

  private constructor(readonly answer: IncomingMessage) {
    answer.setEncoding('utf8');
    answer.on('data', (part: string) => this.take(part));
    answer.on('end', () => (this.ended = true));
    answer.on('error', () => (this.ended = true));
    answer.on('close', () => (this.ended = true));
  }

  static open(path: string, headers: Record<string, string> = {}): Promise<EventReader> {
    return new Promise((resolve, reject) => {
      get(door.url + path, { headers, agent: false }, (answer) => {
        const reader = new EventReader(answer);
        readers.push(reader);
        resolve(reader);
      }).on('error', reject);
    });
  }

  leave(): void {
    this.answer.destroy();
  }

  async first(count: number): Promise<ServerSentEvent[]> {
    await eventually(`${count} events`, () => this.events.length >= count);
    return this.events.slice(0, count);
  }

  private take(part: string): void {
    const blocks = (this.text + part).split('\n\n');
    this.text = blocks.pop()!;
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => line.split(/: ?(.*)/s).slice(0, 2) as [string, string]));
      if (fields.has('')) this.comments++;
      if (!fields.has('id') && !fields.has('data')) continue;
      const data = fields.get('data');
      this.events.push({
        ...(fields.has('id') && { id: fields.get('id')! }),
        ...(fields.has('event') && { event: fields.get('event')! }),
        ...(data !== undefined && { data: JSON.parse(data) as Record<string, unknown> }),
      });
    }
  }
}

async function pay(from: string, to: string, amount: string, request_id: string): Promise<void> {
  const body = JSON.stringify({
    id: request_id,
    transfers: [{ from, to, amount, ledger: 'USD', request_id: `t-${request_id}` }],
  });
  const answer = await fetch(`${door.url}/api/v1/transactions`, { method: 'POST', body });
  expect(answer.status).toBe(201);
}

async function produce(...values: Buffer[]): Promise<void> {
  const chunk = encodeValues(RecordType.Value, values);
  await port.submit({ type: 0, kind: 'records', chunk, count: values.length, subject: '' }, 1000);
}

describe('GET /api/v1/accounts/{name}/events', () => {
  test('gives the balance now, and again when it has changed', async () => {
    await pay('Alice', 'Bob', '1', 'a');
    const reader = await EventReader.open('/api/v1/accounts/Bob/events');
    expect(reader.answer.statusCode).toBe(200);
    expect(reader.answer.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    await reader.first(1);
    await pay('Alice', 'Carol', '1', 'b');
    await pay('Alice', 'Bob', '0.5', 'c');
    const [first, second] = await reader.first(2);
    expect(first).toMatchObject({
      event: 'balance',
      data: { account: 'Bob', ledger: 'USD', posted: '1.00', offset: 0 },
    });
    expect(second).toMatchObject({ event: 'balance', data: { posted: '1.50', version: 2, offset: 2 } });
    expect(second!.id).toBe(second!.data!['token']);
  });

  test('goes on from the last event that was seen, at a state that is no older', async () => {
    await pay('Alice', 'Bob', '1', 'a');
    const [{ id } = {}] = await (await EventReader.open('/api/v1/accounts/Bob/events')).first(1);
    const asked: unknown[] = [];
    port.beforeRead = (consistency) => void asked.push(consistency);
    const again = await EventReader.open('/api/v1/accounts/Bob/events', { 'Last-Event-ID': id! });
    await again.first(1);
    expect(asked[0]).toEqual({ level: 'AT_LEAST', token: id });
  });

  test('is alive when nothing happens, lets go when its reader leaves, and says why it ends', async () => {
    await pay('Alice', 'Bob', '1', 'a');
    const reader = await EventReader.open('/api/v1/accounts/Bob/events');
    await eventually('signs of life', () => reader.comments >= 3);
    expect(port.waiters).toBe(1);
    reader.leave();
    await eventually('nobody to wait', () => port.waiters === 0);
    const other = await EventReader.open('/api/v1/accounts/Bob/events');
    await other.first(1);
    await door.close();
    await eventually('the end', () => other.ended);
    expect(other.events.at(-1)).toMatchObject({ event: 'fault', data: { code: 'shutting_down' } });
  });

  test('refuses before it begins: no such account, a bad token, another page', async () => {
    const status = async (path: string, headers = {}) => (await fetch(door.url + path, { headers })).status;
    expect(await status('/api/v1/accounts/nobody/events')).toBe(404);
    expect(await status('/api/v1/accounts/%20/events')).toBe(400);
    await pay('Alice', 'Bob', '1', 'a');
    expect(await status('/api/v1/accounts/Bob/events', { 'Last-Event-ID': 'x'.repeat(300) })).toBe(400);
    expect((await rawRequest(door.port, 'GET', '/api/v1/accounts/Bob/events', { Origin: 'http://evil' })).status).toBe(
      403,
    );
  });

  test('HEAD answers without a stream', async () => {
    await pay('Alice', 'Bob', '1', 'a');
    for (let i = 0; i < 5; i++) {
      const answer = await fetch(`${door.url}/api/v1/accounts/Bob/events`, { method: 'HEAD' });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    }
  });

  test('no more streams than there may be', async () => {
    await pay('Alice', 'Bob', '1', 'a');
    const first = await EventReader.open('/api/v1/accounts/Bob/events');
    await EventReader.open('/api/v1/records/events');
    const refused = await fetch(`${door.url}/api/v1/accounts/Bob/events`);
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([429, 'too_many_streams']);
    first.leave();
    await eventually('one to wait no more', () => port.waiters === 1);
    expect((await EventReader.open('/api/v1/accounts/Bob/events')).answer.statusCode).toBe(200);
  });

  test('a reader that takes nothing for too long is cut', async () => {
    await door.close();
    door = await new HttpDoorUnderTest(port, { limits: { followers: 1 }, events: { stallMs: 50 } }).listen();
    for (let i = 0; i < 64; i++) await produce(Buffer.alloc(512 * 1024, 'a'));
    const reader = await EventReader.open('/api/v1/records/events?from=0');
    reader.answer.pause();
    const free = async () => (await fetch(`${door.url}/api/v1/records/events`, { method: 'HEAD' })).status === 200;
    const deadline = Date.now() + 10_000;
    while (!(await free())) if (Date.now() > deadline) throw new Error('The reader is still served.');
    reader.answer.resume();
    await eventually('the end', () => reader.ended);
    expect(reader.events.length).toBeLessThan(64);
  });
});

describe('GET /api/v1/records/events', () => {
  test('gives records of an account from an offset on, each with command and outcome', async () => {
    await pay('Alice', 'Bob', '1', 'a');
    await produce(Buffer.from('hello'), Buffer.from([0xff]));
    await pay('Bob', 'Carol', '0.25', 'b');
    const reader = await EventReader.open('/api/v1/records/events?from=0&account=Carol');
    const [first] = await reader.first(1);
    expect(first).toMatchObject({
      ...{ id: '3', event: 'record' },
      data: {
        ...{ offset: 3, type: 1, command: 'transfer' },
        fields: { text_id: 't-b', debit_account: 'Bob', credit_account: 'Carol', amount: '0.25', group_text_id: 'b' },
        outcome: { result: 'ok', amount_moved: '0.25', ledger: 'USD', opened_credit: true },
      },
    });
    const values = await EventReader.open('/api/v1/records/events?from=0&type=0');
    expect((await values.first(2)).map(({ data }) => data)).toMatchObject([
      { offset: 1, value: 'hello' },
      { offset: 2, value_base64: '/w==' },
    ]);
  });

  test('gives what comes from now on where no offset is named', async () => {
    await produce(Buffer.from('old'));
    const reader = await EventReader.open('/api/v1/records/events');
    await eventually('it to wait', () => port.waiters === 1);
    await produce(Buffer.from('new'));
    expect(await reader.first(1)).toMatchObject([{ id: '1', data: { value: 'new' } }]);
  });

  test('goes on behind the last event, also where only its id was sent', async () => {
    await produce(Buffer.from('a'), Buffer.from('b'));
    const nothing = await EventReader.open('/api/v1/records/events?from=0&account=Bob');
    expect(await nothing.first(1)).toEqual([{ id: '1' }]);
    await produce(Buffer.from('c'));
    const reader = await EventReader.open('/api/v1/records/events?from=0', { 'Last-Event-ID': '1' });
    expect(await reader.first(1)).toMatchObject([{ id: '2', data: { value: 'c' } }]);
  });

  test.each([
    ['?from=x', {}, 400, 'query_invalid'],
    ['?type=7', {}, 400, 'filter_invalid'],
    ['?type=x', {}, 400, 'filter_invalid'],
    ['?result=fine', {}, 400, 'filter_invalid'],
    ['?account=', {}, 400, 'account_name_invalid'],
    ['', { 'Last-Event-ID': 'x' }, 400, 'event_id_invalid'],
    ['?from=0', {}, 400, 'offset_not_retained'],
  ])('refuses before it begins: %s %j', async (query, headers, status, code) => {
    await produce(Buffer.from('a'), Buffer.from('b'));
    port.firstOffset = 1;
    const answer = await fetch(`${door.url}/api/v1/records/events${query}`, {
      headers: headers as Record<string, string>,
    });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
  });
});
