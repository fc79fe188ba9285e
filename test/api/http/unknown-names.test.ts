import { HttpDoorUnderTest } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';

const UUID = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
const PAYMENT = { from: 'Alice', to: 'Bob', amount: '5', request_id: UUID };

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: boolean;
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: { type: string } }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

let port: SingleNodePort;
let door: HttpDoorUnderTest;

beforeEach(async () => {
  port = new SingleNodePort();
  port.createUsd({ autoOpen: true, noMinimum: true });
  door = await new HttpDoorUnderTest(port).listen();
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

async function ask(method: string, path: string, body?: object): Promise<Refusal> {
  // A stream of events that is not refused would go on for ever.
  const signal = AbortSignal.timeout(5_000);
  const init = body === undefined ? { method, signal } : { method, signal, body: JSON.stringify(body) };
  const answer = await fetch(door.url + path, init);
  const { code = '', message = '' } = (await answer.json()) as Partial<Refusal>;
  return { status: answer.status, code, message };
}

const description = async (): Promise<Document> => (await (await fetch(`${door.url}/openapi.json`)).json()) as Document;

/** The path with something in the place of each of its parameters. */
const concrete = (pattern: string): string => pattern.replaceAll(/\{[a-z_]+\}/g, UUID);

const sorted = (names: readonly string[]): string[] => [...new Set(names)].sort();

/** The names that a refusal says there are. */
const named = (message: string): string[] => sorted(/, only (.*)\.$/.exec(message)?.[1]?.split(', ') ?? []);

test('no call takes a parameter that its description does not name, and the refusal names those', async () => {
  for (const [pattern, operationsOfPath] of Object.entries((await description()).paths)) {
    for (const [method, { parameters = [], requestBody }] of Object.entries(operationsOfPath)) {
      const body = requestBody === undefined ? undefined : {};
      const refusal = await ask(method.toUpperCase(), `${concrete(pattern)}?acount=Nobody`, body);
      const where = `${method} ${pattern}`;
      expect([where, refusal]).toMatchObject([where, { status: 400, code: 'query_invalid' }]);
      expect(refusal.message).toContain('"acount"');
      const known = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
      expect([where, ...named(refusal.message)]).toEqual([where, ...sorted(known)]);
    }
  }
});

test('a parameter is given once, unless its description says that there may be several', async () => {
  let lists = 0;
  for (const [pattern, operationsOfPath] of Object.entries((await description()).paths)) {
    for (const [method, { parameters = [] }] of Object.entries(operationsOfPath)) {
      for (const { name, schema } of parameters.filter((parameter) => parameter.in === 'query')) {
        // The second name is not known: what it answers says whether the first fault was the repetition.
        const { status, message } = await ask(
          method.toUpperCase(),
          `${concrete(pattern)}?${name}=1&${name}=2&acount=3`,
        );
        const isList = schema.type === 'array';
        const where = `${method} ${pattern} ${name}`;
        expect([where, status, / more than once/.test(message)]).toEqual([where, 400, !isList]);
        if (isList) lists++;
      }
    }
  }
  expect(lists).toBe(11);
});

test('no call takes a field that its description does not name, and the refusal names those', async () => {
  const { paths, components } = await description();
  let bodies = 0;
  for (const [pattern, operationsOfPath] of Object.entries(paths)) {
    for (const [method, { requestBody }] of Object.entries(operationsOfPath)) {
      const name = requestBody?.content['application/json']?.schema.$ref?.split('/').at(-1);
      if (name === undefined) continue;
      const schema = components.schemas[name];
      const where = `${method} ${pattern}`;
      expect([where, schema?.additionalProperties]).toEqual([where, false]);
      const list = name === 'TransactionRequest' ? { transfers: [] } : {};
      const refusal = await ask(method.toUpperCase(), concrete(pattern), { ...list, max_balanc: '5' });
      expect([where, refusal]).toMatchObject([where, { status: 400, code: 'field_unknown' }]);
      expect(refusal.message).toContain('"max_balanc"');
      expect([where, ...named(refusal.message)]).toEqual([where, ...sorted(Object.keys(schema?.properties ?? {}))]);
      bodies++;
    }
  }
  expect(bodies).toBeGreaterThanOrEqual(8);
});

test('a member of a transaction takes the fields of its description, and the refusal says which member it is', async () => {
  const { components } = await description();
  const member = components.schemas['TransactionMember'];
  const { status, code, message } = await ask('POST', '/api/v1/transactions', {
    id: 'sale-1',
    transfers: [PAYMENT, { ...PAYMENT, request_id: 'other', kind: 'pending', timeout: 1000 }],
  });
  expect([status, code]).toEqual([400, 'field_unknown']);
  expect(message).toMatch(/^There is no field "timeout" in transfers\[1\], only /);
  expect(named(message)).toEqual(sorted(Object.keys(member?.properties ?? {})));
  expect(member?.additionalProperties).toBe(false);
  expect(port.submitted).toEqual([]);
});

test.each<[string, string, string, object | undefined]>([
  ['query_invalid', 'POST', '/api/v1/transactions?dry_run=true', { id: 'g', transfers: [PAYMENT] }],
  ['field_unknown', 'POST', '/api/v1/transactions', { id: 'g', transfers: [PAYMENT], dryRun: true }],
  ['field_unknown', 'POST', '/api/v1/transfers', { ...PAYMENT, kind: 'pending', timeout: 1000 }],
  ['field_unknown', 'POST', '/api/v1/transfers', { ...PAYMENT, ['__proto__x']: 1 }],
  ['field_unknown', 'POST', '/api/v1/accounts', { name: 'Carol', max_balanc: '5' }],
  ['field_unknown', 'PATCH', '/api/v1/accounts/Alice', { close: true }],
  ['field_unknown', 'POST', `/api/v1/transfers/${UUID}/post`, { request_id: 'p', amout: '1' }],
  ['query_invalid', 'GET', '/api/v1/records/events?acount=Nobody', undefined],
  ['query_invalid', 'GET', '/api/v1/accounts/Alice/events?at=3', undefined],
  ['query_invalid', 'GET', '/api/v1/accounts/Alice?at=3', undefined],
  ['query_invalid', 'GET', '/api/v1/cluster?node=1', undefined],
  ['query_invalid', 'GET', '/api/v1/transfers?account=Alice&account=Bob', undefined],
])('%s: %s %s %j', async (code, method, path, body) => {
  expect(await ask(method, path, body)).toMatchObject({ status: 400, code });
  expect(port.submitted).toEqual([]);
});

test('a name that is not known comes after what is no JSON, and before all else that is wrong with a payment', async () => {
  const faults = { ...PAYMENT, request_id: 'x', note: 1 };
  expect(await ask('POST', '/api/v1/transfers', { ...faults, amount: 5 })).toMatchObject({ code: 'json_invalid' });
  expect(await ask('POST', '/api/v1/transfers', faults)).toMatchObject({ code: 'field_unknown' });
});

test('a name of any length and any characters is answered', async () => {
  const names = ['x'.repeat(10_000), '\ud800', '\0', '__proto__'];
  for (const name of names) {
    const body = `{"name":"Carol",${JSON.stringify(name)}:1}`;
    const answer = await fetch(`${door.url}/api/v1/accounts`, { method: 'POST', body });
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: 'field_unknown' }]);
  }
});
