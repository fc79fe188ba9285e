import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import { freePorts } from '../../src/bench/free-ports';

const PROGRAM = join(__dirname, '..', '..', 'dist', 'cli', 'ledger-node.js');
const REQUEST_ID = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
/** The seed's request, byte for byte as its documentation gives it. */
const BODY = `{"from": "Alice", "to": "Bob", "amount": "0.5", "request_id": "${REQUEST_ID}"}`;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

describe('the seed’s transfer request against ledger-node --dev', () => {
  let node: ChildProcess;
  let port = 0;

  beforeAll(async () => {
    const [rpc, gossip, http] = await freePorts(3);
    port = http as number;
    const flags = [
      '--rpc-addr',
      `127.0.0.1:${rpc}`,
      '--bind-addr',
      `127.0.0.1:${gossip}`,
      '--http-addr',
      `127.0.0.1:${port}`,
    ];
    node = spawn(process.execPath, [PROGRAM, '--dev', '--database-url', 'off', ...flags], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const end = Date.now() + 20_000;
    for (;;) {
      if (node.exitCode !== null) throw new Error(`ledger-node --dev ended with status ${node.exitCode}.`);
      const ready = await send('GET', '/readyz').then(
        (answer) => answer.status === 200,
        () => false,
      );
      if (ready) return;
      if (Date.now() > end) throw new Error('ledger-node --dev was not ready within 20 s.');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  afterAll(async () => {
    if (node.exitCode === null) {
      node.kill('SIGTERM');
      await once(node, 'exit');
    }
    expect(node.exitCode).toBe(0);
  });

  function send(method: string, path: string, body?: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      // As curl -d does: a content type that is not JSON.
      const headers = body === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' };
      const outgoing = request({ host: '127.0.0.1', port, method, path, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  test('is answered 201 with the seed’s body, and moves the money once however often it is sent', async () => {
    const expected = `{"request_id":"${REQUEST_ID}","from":"Alice","amount":"0.50","to":"Bob"}`;
    const first = await send('POST', '/api/v1/transfers', BODY);
    expect(first).toMatchObject({ status: 201, body: expected });
    expect(first.headers['content-type']).toBe('application/json');
    expect(first.headers['idempotency-replayed']).toBeUndefined();

    const again = await send('POST', '/api/v1/transfers', BODY);
    expect(again).toMatchObject({ status: 201, body: expected });
    expect(again.headers['idempotency-replayed']).toBe('true');

    const alice = JSON.parse((await send('GET', '/api/v1/accounts/Alice/balance')).body) as Record<string, unknown>;
    const bob = JSON.parse((await send('GET', '/api/v1/accounts/Bob/balance')).body) as Record<string, unknown>;
    expect(alice).toMatchObject({ account: 'Alice', ledger: 'USD', posted: '-0.50' });
    expect(bob).toMatchObject({ account: 'Bob', ledger: 'USD', posted: '0.50' });
  });

  test('the same id with another payee is a conflict, and moves nothing', async () => {
    const answer = await send('POST', '/api/v1/transfers', BODY.replace('Bob', 'Carol'));
    expect(answer.status).toBe(409);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'exists_with_different_credit_account' });
    expect((await send('GET', '/api/v1/accounts/Carol')).status).toBe(404);
  });
});
