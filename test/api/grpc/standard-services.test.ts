import { join, dirname } from 'node:path';
import {
  type Client,
  credentials,
  loadPackageDefinition,
  makeGenericClientConstructor,
  Metadata,
  status,
  type MethodDefinition,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { healthDefinition } from '../../../src/api/grpc/standard-protos';
import { clientDefinition } from '../../../src/proto/load';
import { call, failureOf, GrpcDoor } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';
import { openStream, StreamUnderTest } from './streams';

interface HealthResponse {
  status: number;
}

const { Check, Watch } = healthDefinition() as Record<
  string,
  MethodDefinition<{ service: string }, HealthResponse>
> as {
  Check: MethodDefinition<{ service: string }, HealthResponse>;
  Watch: MethodDefinition<{ service: string }, HealthResponse>;
};
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

let door: GrpcDoor;
let client: Client;

beforeEach(async () => {
  door = await new GrpcDoor(new SingleNodePort()).listen();
  client = door.client('log.v1.Log');
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

function watch(service: string): StreamUnderTest<{ service: string }, HealthResponse> {
  const stream = openStream(client, Watch);
  stream.call.write({ service });
  stream.call.end();
  return stream;
}

describe('health', () => {
  test.each(['', 'log.v1.Log', 'ledger.v1.Ledger'])(
    'of %j is serving, and not serving when told so',
    async (service) => {
      expect((await call(client, Check, { service })).response).toEqual({ status: SERVING });
      door.grpc.setServing(false);
      expect((await call(client, Check, { service })).response).toEqual({ status: NOT_SERVING });
    },
  );

  test('of a service that is not here is NOT_FOUND', async () => {
    expect(await failureOf(call(client, Check, { service: 'x.y' }))).toMatchObject({ code: status.NOT_FOUND });
  });

  test('can be watched: now, each change, and the end when the server stops', async () => {
    const stream = watch('log.v1.Log');
    expect(await stream.first(1)).toEqual([{ status: SERVING }]);
    door.grpc.setServing(false);
    door.grpc.setServing(false);
    door.grpc.setServing(true);
    expect(await stream.first(3)).toEqual([{ status: SERVING }, { status: NOT_SERVING }, { status: SERVING }]);
    await door.grpc.close(5000);
    expect(await stream.ending()).toMatchObject({ code: status.UNAVAILABLE, reason: 'SHUTTING_DOWN' });
    expect(stream.received.at(-1)).toEqual({ status: NOT_SERVING });
  });

  test('of a service that is not here can be watched too', async () => {
    const stream = watch('x.y');
    expect(await stream.first(1)).toEqual([{ status: SERVICE_UNKNOWN }]);
    stream.call.cancel();
  });
});

interface ReflectionResponse {
  messageResponse: string;
  listServicesResponse?: { service: { name: string }[] };
  fileDescriptorResponse?: { fileDescriptorProto: Buffer[] };
  errorResponse?: { errorCode: number };
}

/** A client of reflection, made of the library's own copy of the protocol. */
function reflection(version: 'v1' | 'v1alpha'): StreamUnderTest<object, ReflectionResponse> {
  const folder = join(dirname(require.resolve('@grpc/reflection/package.json')), 'build', 'proto');
  const file = join(folder, 'grpc', 'reflection', version, 'reflection.proto');
  const definition = loadSync(file, { oneofs: true, longs: String });
  loadPackageDefinition(definition);
  const service = definition[`grpc.reflection.${version}.ServerReflection`] as unknown as Record<
    string,
    MethodDefinition<object, ReflectionResponse>
  >;
  const Constructor = makeGenericClientConstructor(service, 'ServerReflection');
  const tool = new Constructor(door.address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  const method = service['ServerReflectionInfo']!;
  const stream = tool.makeBidiStreamRequest(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
    new Metadata(),
  );
  stream.once('close', () => tool.close());
  return new StreamUnderTest(stream);
}

describe.each(['v1', 'v1alpha'] as const)('reflection %s', (version) => {
  test('lists the services and describes what they take and give', async () => {
    const stream = reflection(version);
    stream.call.write({ listServices: '*' });
    stream.call.write({ fileContainingSymbol: 'ledger.v1.Ledger' });
    stream.call.write({ fileContainingSymbol: 'ledger.v1.LogRecord' });
    stream.call.write({ fileContainingSymbol: 'google.rpc.ErrorInfo' });
    stream.call.write({ fileContainingSymbol: 'no.such.Thing' });
    stream.call.end();
    expect(await stream.ending()).toBe('OK');
    const [services, ledger, record, errorInfo, unknown] = stream.received;
    expect(services!.listServicesResponse!.service.map(({ name }) => name).sort()).toEqual([
      'cluster.v1.Cluster',
      'grpc.health.v1.Health',
      'ledger.v1.Ledger',
      'log.v1.Log',
    ]);
    for (const described of [ledger, record, errorInfo]) {
      expect(described!.fileDescriptorResponse!.fileDescriptorProto[0]!.length).toBeGreaterThan(0);
    }
    expect(unknown!.errorResponse!.errorCode).toBe(status.NOT_FOUND);
  });

  test('ends when the server stops', async () => {
    const stream = reflection(version);
    stream.call.write({ listServices: '*' });
    await stream.first(1);
    await door.grpc.close(5000);
    expect(await stream.ending()).toMatchObject({ code: status.UNAVAILABLE });
  });
});

describe('a server that stops', () => {
  const { Produce } = clientDefinition('log.v1.Log');

  test('cuts what does not end within the grace', async () => {
    const port = new SingleNodePort();
    port.beforeCommit = () => new Promise<void>(() => undefined);
    const stuck = await new GrpcDoor(port).listen();
    const pending = failureOf(call(stuck.client('log.v1.Log'), Produce, { record: { value: Buffer.from('x') } }));
    while (port.submitted.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await stuck.grpc.close(20);
    expect((await pending).code).not.toBe(status.OK);
    await stuck.close();
  });

  test('takes no new connection', async () => {
    await door.grpc.close(1000);
    const late = await failureOf(call(client, Produce, { record: { value: Buffer.from('x') } }, { deadlineMs: 1000 }));
    expect([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]).toContain(late.code);
  });
});
