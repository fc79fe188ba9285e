import { connect } from 'node:net';
import { HttpDoorUnderTest } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';
import { junkOf } from '../junk-bytes';
import { exchange, parseAnswer, rawRequest } from './raw-http';

const MIB = 1024 * 1024;
const PAYMENT = JSON.stringify({ from: 'A', to: 'B', amount: '1', request_id: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' });

let port: SingleNodePort;
let door: HttpDoorUnderTest;

async function start(options: ConstructorParameters<typeof HttpDoorUnderTest>[1] = {}): Promise<void> {
  port = new SingleNodePort();
  port.createUsd({ autoOpen: true, noMinimum: true });
  door = await new HttpDoorUnderTest(port, options).listen();
}

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

describe('who may use this server', () => {
  beforeEach(() => start({ allowedHosts: ['ledger.example'] }));

  test.each(['localhost', '127.0.0.1', '127.1.2.3', '[::1]', 'LOCALHOST', 'ledger.example'])('%s may', async (name) => {
    for (const host of [name, `${name}:${door.port}`, `${name}:9999`]) {
      expect((await rawRequest(door.port, 'GET', '/healthz', { Host: host })).status).toBe(200);
    }
  });

  test.each([
    'evil.example',
    '8.8.8.8',
    'localhost.evil.example',
    '',
    'localhost:x',
    'a@localhost',
    '[::2]',
    'localhost:80:80',
  ])('the host %j may not', async (host) => {
    const answer = await rawRequest(door.port, 'POST', '/api/v1/transfers', { Host: host }, PAYMENT);
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([403, { code: 'host_not_allowed' }]);
    expect(port.submitted).toEqual([]);
  });

  test.each(['http://evil.example', 'null', 'http://localhost:1', 'https://localhost', 'file://', ''])(
    'a page of the origin %j may not',
    async (origin) => {
      const answer = await rawRequest(door.port, 'POST', '/api/v1/transfers', { Origin: origin }, PAYMENT);
      expect([answer.status, JSON.parse(answer.body)]).toMatchObject([403, { code: 'origin_not_allowed' }]);
      expect(port.submitted).toEqual([]);
    },
  );

  test('its own page may', async () => {
    const headers = { Origin: `http://localhost:${door.port}` };
    expect((await rawRequest(door.port, 'POST', '/api/v1/transfers', headers, PAYMENT)).status).toBe(201);
  });

  test('a request without a host may not', async () => {
    const answer = parseAnswer(await exchange(door.port, 'GET /healthz HTTP/1.0\r\n\r\n'));
    expect(answer.status).toBe(403);
  });
});

test('listening on every address, it is known by any address but by no other name', async () => {
  await start({ host: '0.0.0.0' });
  expect((await rawRequest(door.port, 'GET', '/healthz', { Host: '192.0.2.7:8000' })).status).toBe(200);
  expect((await rawRequest(door.port, 'GET', '/healthz', { Host: 'evil.example' })).status).toBe(403);
});

describe('what it serves to operators', () => {
  beforeEach(() => start());

  test('/healthz', async () => {
    const answer = await fetch(`${door.url}/healthz`);
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }]);
  });

  test('/readyz', async () => {
    expect((await fetch(`${door.url}/readyz`)).status).toBe(200);
    port.ready = { ready: false, why: 'No leader is known.' };
    const answer = await fetch(`${door.url}/readyz`);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await answer.json()).toEqual({ status: 'unavailable', message: 'No leader is known.', code: 'not_ready' });
  });

  test('/metrics', async () => {
    const answer = await fetch(`${door.url}/metrics`);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await answer.text()).toContain('ledger_raft_applied_index{group="0"} 2');
  });

  test('/api/v1/cluster', async () => {
    const answer = await fetch(`${door.url}/api/v1/cluster`);
    expect(await answer.json()).toMatchObject({
      cluster_id: port.info.clusterId,
      node: { name: 'node-1', id: port.info.nodeId },
      leader: 'node-1',
      members: [{ name: 'node-1', suffrage: 'voter', is_leader: true }],
      groups: [{ group: 0, role: 'leader', applied_index: 2 }],
      projection: { state: 'off', lag_records: 0 },
    });
  });

  test('a page that may run nothing but its own script', async () => {
    const answer = await fetch(`${door.url}/`);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'; script-src 'sha256-/);
    expect(await answer.text()).toContain('fetch(path)');
  });
});

describe('paths and methods', () => {
  beforeEach(() => start());

  test.each([
    ['GET', '/nothing', 404, 'not_found', undefined],
    ['GET', '/api/v1/accounts/', 404, 'not_found', undefined],
    ['GET', '//', 404, 'not_found', undefined],
    ['GET', '*', 404, 'not_found', undefined],
    ['GET', '/api/v1/transfers/dry-run/x/y', 404, 'not_found', undefined],
    ['PUT', '/api/v1/transfers', 405, 'method_not_allowed', 'GET, HEAD, POST'],
    ['DELETE', '/api/v1/accounts', 405, 'method_not_allowed', 'GET, HEAD, POST'],
    ['OPTIONS', '/healthz', 405, 'method_not_allowed', 'GET, HEAD'],
    ['PROPFIND', '/healthz', 405, 'method_not_allowed', 'GET, HEAD'],
  ])('%s %s is %i', async (method, path, status, code, allow) => {
    const answer = await rawRequest(door.port, method, path);
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([
      status,
      { code, message: expect.any(String) as string },
    ]);
    expect(answer.headers['allow']).toBe(allow);
  });

  test('HEAD is GET without the body', async () => {
    const answer = await rawRequest(door.port, 'HEAD', '/healthz');
    expect([answer.status, answer.body, answer.headers['content-length']]).toEqual([200, '', '15']);
  });
});

describe('bodies', () => {
  beforeEach(() => start());

  const status = async (body: Buffer | string): Promise<unknown[]> => {
    const answer = await fetch(`${door.url}/api/v1/transfers`, { method: 'POST', body });
    return [answer.status, ((await answer.json()) as { code?: string }).code];
  };

  test('are taken up to 1 MiB, and answered 413 beyond', async () => {
    const padded = (length: number): string => PAYMENT + ' '.repeat(length - PAYMENT.length);
    expect(await status(padded(MIB))).toEqual([201, undefined]);
    expect(await status(padded(MIB + 1))).toEqual([413, 'body_too_large']);
    expect(await status(Buffer.alloc(10 * MIB))).toEqual([413, 'body_too_large']);
    expect(await status(PAYMENT)).toEqual([201, undefined]);
  });

  test('that are announced too large are not waited for', async () => {
    const headers = { Expect: '100-continue', 'Content-Length': String(50 * MIB) };
    const answer = await rawRequest(door.port, 'POST', '/api/v1/transfers', headers);
    expect(answer.status).toBe(413);
  });

  test('are asked for where the caller waits for that', async () => {
    const headers = { Expect: '100-continue' };
    const answer = await rawRequest(door.port, 'POST', '/api/v1/transfers', headers, PAYMENT);
    expect(answer.status).toBe(100);
    expect(answer.body).toContain('HTTP/1.1 201 Created');
  });

  test('that never end are cut', async () => {
    const head = `POST /api/v1/transfers HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = `10000\r\n${'x'.repeat(65536)}\r\n`;
    const closed = new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(door.port, '127.0.0.1', () => {
        socket.write(head);
        const send = (): void => {
          while (socket.writable && socket.write(chunk));
          if (socket.writable) socket.once('drain', send);
        };
        send();
      });
      socket.on('data', (data: Buffer) => (text += data.toString()));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
    });
    expect(await closed).toMatch(/^(HTTP\/1.1 413 |$)/);
  });
});

describe('connections', () => {
  test('that are slow to send their headers are cut', async () => {
    await start({ headersTimeoutMs: 100, requestTimeoutMs: 200 });
    const answer = parseAnswer(await exchange(door.port, 'GET /healthz HTTP/1.1\r\nHost: local'));
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([408, { code: 'http_invalid' }]);
  });

  test('that are slow to send their body are cut', async () => {
    await start({ headersTimeoutMs: 100, requestTimeoutMs: 200 });
    const head = 'POST /api/v1/transfers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{';
    expect(parseAnswer(await exchange(door.port, head)).status).toBe(408);
    expect((await fetch(`${door.url}/healthz`)).status).toBe(200);
  });

  test('that send junk are answered 400 or closed', async () => {
    await start();
    const junk = junkOf('http');
    const answers = await Promise.all(
      Array.from({ length: 100 }, () =>
        exchange(door.port, Buffer.concat([junk.bytes(1 + junk.below(100)), Buffer.from('\r\n\r\n')])),
      ),
    );
    for (const answer of answers) expect(answer).toMatch(/^(HTTP\/1.1 400 |$)/);
    expect((await fetch(`${door.url}/healthz`)).status).toBe(200);
  });

  test('that send junk as a request’s body, path or query are answered', async () => {
    await start();
    const junk = junkOf('http requests');
    for (let i = 0; i < 100; i++) {
      const body = junk.bytes(junk.below(200)).toString('latin1');
      const path = encodeURI(`/api/v1/accounts/${junk.bytes(8).toString('latin1')}`).replaceAll('%25', '%');
      const query = new URLSearchParams({ consistency: junk.bytes(4).toString('latin1'), token: body.slice(0, 50) });
      const posted = await fetch(`${door.url}/api/v1/transfers`, { method: 'POST', body });
      const got = await fetch(`${door.url}${path}?${query.toString()}`);
      for (const answer of [posted, got]) {
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
        expect(await answer.json()).toHaveProperty('code');
      }
    }
  });

  test('with headers that are too large are refused', async () => {
    await start();
    const answer = await rawRequest(door.port, 'GET', '/healthz', { 'X-Large': 'x'.repeat(20_000) });
    expect(answer.status).toBe(431);
  });
});

describe('a server that stops', () => {
  test('answers what is under way, and takes no more', async () => {
    await start();
    let release: (() => void) | undefined;
    port.beforeCommit = () => new Promise<void>((resolve) => (release = resolve));
    const pending = fetch(`${door.url}/api/v1/transfers`, { method: 'POST', body: PAYMENT });
    while (release === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    const closed = door.close(10_000);
    release();
    const answer = await pending;
    expect([answer.status, answer.headers.get('connection')]).toEqual([201, 'close']);
    await closed;
    await expect(fetch(`${door.url}/healthz`)).rejects.toThrow();
  });

  test('cuts what does not end within the grace', async () => {
    await start();
    port.beforeCommit = () => new Promise<void>(() => undefined);
    const pending = fetch(`${door.url}/api/v1/transfers`, { method: 'POST', body: PAYMENT }).catch(() => 'cut');
    while (port.submitted.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await door.close(20);
    expect(await pending).toBe('cut');
  });

  test('cannot listen where something else does, and says so', async () => {
    await start();
    const second = new HttpDoorUnderTest(port, { port: door.port });
    await expect(second.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
