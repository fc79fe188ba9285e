/** A client's side of a stream, as a test reads it. */
import {
  type Client,
  type ClientDuplexStream,
  type MethodDefinition,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { describeFailure } from '../../support/doors';

export type Ending = ReturnType<typeof describeFailure> | 'OK';

export class StreamUnderTest<Request, Response> {
  readonly received: Response[] = [];
  private ended: Ending | undefined;
  private readonly watchers = new Set<() => void>();

  constructor(readonly call: ClientDuplexStream<Request, Response>) {
    call.on('data', (response: Response) => {
      this.received.push(response);
      this.notify();
    });
    call.on('error', (error: ServiceError) => {
      this.ended = describeFailure(error);
      this.notify();
    });
    call.on('end', () => {
      // A failed call ends too, and says so after.
      setImmediate(() => {
        this.ended ??= 'OK';
        this.notify();
      });
    });
  }

  private notify(): void {
    for (const watcher of [...this.watchers]) watcher();
  }

  /** Resolves once `condition` holds of what has come; the test's own time limit is the deadline. */
  private when(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.watchers.delete(check);
        resolve();
      };
      this.watchers.add(check);
      check();
    });
  }

  async first(count: number): Promise<Response[]> {
    await this.when(() => this.received.length >= count || this.ended !== undefined);
    return this.received.slice(0, count);
  }

  async ending(): Promise<Ending> {
    await this.when(() => this.ended !== undefined);
    return this.ended!;
  }
}

export function openStream<Request, Response>(
  client: Client,
  method: MethodDefinition<Request, Response>,
): StreamUnderTest<Request, Response> {
  const call = client.makeBidiStreamRequest(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
    new Metadata(),
    { deadline: Date.now() + 20_000 },
  );
  return new StreamUnderTest(call);
}

/** A stream of answers to one request. */
export function follow<Request, Response>(
  client: Client,
  method: MethodDefinition<Request, Response>,
  request: Request,
): StreamUnderTest<Request, Response> {
  const stream = openStream(client, method);
  stream.call.write(request);
  stream.call.end();
  return stream;
}

/** Resolves once `condition` holds; rejects, naming `what`, when it does not within ten seconds. */
export async function eventually(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`Waited ten seconds in vain for: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
