import { HttpDoorUnderTest } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

interface Media {
  readonly schema: Schema;
  readonly example?: unknown;
}

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<string, { readonly $ref?: string; readonly content?: Readonly<Record<string, Media>> }>
  >;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses: Operation['responses'];
  };
}

let port: SingleNodePort;
let door: HttpDoorUnderTest;
let document: Document;

beforeAll(async () => {
  port = new SingleNodePort();
  port.createUsd({ autoOpen: true, noMinimum: true });
  door = await new HttpDoorUnderTest(port).listen();
  document = (await (await fetch(`${door.url}/openapi.json`)).json()) as Document;
});

afterAll(() => door.close());

/** What is wrong with a value by a schema; nothing where it fits, and no field is missing from the schema. */
function faults(value: unknown, schema: Schema, where: string): string[] {
  const name = schema.$ref?.replace('#/components/schemas/', '');
  if (name !== undefined) {
    const named = document.components.schemas[name];
    return named === undefined ? [`${where}: there is no schema ${name}`] : faults(value, named, where);
  }
  if (schema.anyOf !== undefined) {
    const tried = schema.anyOf.map((one) => faults(value, one, where));
    return tried.find((found) => found.length === 0) ?? tried.flat();
  }
  const kind =
    value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;
  if (schema.type !== undefined && ![schema.type].flat().includes(kind))
    return [`${where}: ${kind} is not ${String(schema.type)}`];
  if (kind === 'array')
    return (value as unknown[]).flatMap((item, i) => faults(item, schema.items ?? {}, `${where}[${i}]`));
  if (kind !== 'object') return [];
  const object = value as Record<string, unknown>;
  const missing = (schema.required ?? [])
    .filter((field) => !(field in object))
    .map((field) => `${where}: ${field} is missing`);
  return Object.entries(object).reduce((found, [field, part]) => {
    const known = schema.properties?.[field];
    return known === undefined
      ? [...found, `${where}: ${field} is not described`]
      : [...found, ...faults(part, known, `${where}.${field}`)];
  }, missing);
}

test('every example fits its schema', () => {
  const found: string[] = [];
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, { requestBody, responses }] of Object.entries(operations)) {
      const bodies = [requestBody, ...Object.values(responses)].flatMap((body) => Object.values(body?.content ?? {}));
      for (const { schema, example } of bodies) {
        if (example !== undefined) found.push(...faults(example, schema, `${method} ${path}`));
      }
    }
  }
  expect(found).toEqual([]);
});

test('what the server answers fits what it says it answers', async () => {
  const id = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
  const payment = JSON.stringify({ from: 'Alice', to: 'Bob', amount: '0.5', request_id: id });
  const account = JSON.stringify({ name: 'Carol' });
  const parties = { from: 'Alice', to: 'Bob', amount: '5', request_id: id.replace('a0', 'b0') };
  const hold = JSON.stringify({ ...parties, kind: 'pending', timeout_ms: 60_000 });
  const sale = { from: 'Alice', to: 'Shop', amount: '10', ledger: 'USD', request_id: 'sale-1' };
  const asked: [string, string, string, string?][] = [
    ['post', '/api/v1/transfers', '/api/v1/transfers', payment],
    ['post', '/api/v1/transfers', '/api/v1/transfers', '{}'],
    ['post', '/api/v1/transfers', '/api/v1/transfers', hold],
    ['get', '/api/v1/transfers/{request_id}', `/api/v1/transfers/${id.replace('a0', 'b0')}`],
    [
      'post',
      '/api/v1/transfers/{request_id}/post',
      `/api/v1/transfers/${id.replace('a0', 'b0')}/post`,
      '{"request_id":"p"}',
    ],
    [
      'post',
      '/api/v1/transfers/{request_id}/void',
      `/api/v1/transfers/${id.replace('a0', 'b0')}/void`,
      '{"request_id":"v"}',
    ],
    ['post', '/api/v1/transfers/{request_id}/reverse', `/api/v1/transfers/${id}/reverse`, '{"request_id":"r"}'],
    ['post', '/api/v1/transfers/{request_id}/reverse', `/api/v1/transfers/${id}/reverse`, '{}'],
    ['post', '/api/v1/transactions', '/api/v1/transactions', JSON.stringify({ id: 'sale', transfers: [sale] })],
    ['post', '/api/v1/transactions', '/api/v1/transactions', JSON.stringify({ id: 'sale', transfers: [sale, sale] })],
    [
      'post',
      '/api/v1/transactions',
      '/api/v1/transactions',
      JSON.stringify({ id: 'x', transfers: [{ ...sale, to: '' }] }),
    ],
    ['post', '/api/v1/transactions', '/api/v1/transactions', '{"id":"sale"}'],
    ['patch', '/api/v1/accounts/{name}', '/api/v1/accounts/Bob', '{"max_balance":"1000"}'],
    ['patch', '/api/v1/accounts/{name}', '/api/v1/accounts/Bob', '{"max_balance":"0.01"}'],
    ['get', '/api/v1/transfers/{request_id}', `/api/v1/transfers/${id}`],
    ['post', '/api/v1/accounts', '/api/v1/accounts', account],
    ['get', '/api/v1/accounts', '/api/v1/accounts'],
    ['get', '/api/v1/balances', '/api/v1/balances?account=Alice&account=nobody'],
    ['get', '/api/v1/balances', '/api/v1/balances'],
    ['get', '/api/v1/accounts/{name}', '/api/v1/accounts/Alice'],
    ['get', '/api/v1/accounts/{name}', '/api/v1/accounts/nobody'],
    ['get', '/api/v1/accounts/{name}/balance', '/api/v1/accounts/Alice/balance'],
    ['get', '/api/v1/accounts/{name}/statement', '/api/v1/accounts/Alice/statement'],
    ['get', '/api/v1/accounts/{name}/statement', '/api/v1/accounts/Alice/statement?from=x'],
    ['get', '/api/v1/transfers', '/api/v1/transfers'],
    ['get', '/api/v1/cluster', '/api/v1/cluster'],
    ['get', '/healthz', '/healthz'],
    ['get', '/readyz', '/readyz'],
  ];
  for (const items of [[sale], [sale, { ...sale, to: '' }], []]) {
    const dryRun = JSON.stringify({ id: 'again', transfers: items, dry_run: true });
    asked.push(['post', '/api/v1/transactions', '/api/v1/transactions', dryRun]);
  }
  for (const scale of [2, 3, 19]) {
    asked.push(['post', '/api/v1/ledgers', '/api/v1/ledgers', JSON.stringify({ code: 'EUR', scale })]);
  }
  for (const [method, path, url, body] of asked) {
    const init = body === undefined ? {} : { method: method.toUpperCase(), body };
    const answer = await fetch(door.url + url, init);
    const named = document.paths[path]?.[method]?.responses[answer.status];
    const response = named?.$ref === undefined ? named : document.components.responses[named.$ref.split('/').at(-1)!];
    const described = response?.content?.['application/json'];
    expect(described).toBeDefined();
    expect(faults(await answer.json(), described!.schema, `${method} ${path} ${answer.status}`)).toEqual([]);
  }
});
