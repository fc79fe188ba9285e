import { EventEmitter } from 'node:events';
import type { Metadata, MethodDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { budgetOf, type Budget } from '../../src/api/deadline';
import { Door, LEADER_KEY, type CallFailure } from '../../src/api/grpc/door';
import { ledgerService } from '../../src/api/grpc/ledger-service';
import { logService } from '../../src/api/grpc/log-service';
import { DEFAULT_LIMITS } from '../../src/api/limits';
import type { NodePort } from '../../src/api/node-port';
import { serverDefinition } from '../../src/proto/load';

/** What a node answers, as bytes: a message, or how a call ended. */
export type Answer =
  | { readonly kind: 'leader'; readonly name: string }
  | { readonly kind: 'message'; readonly bytes: Buffer }
  | { readonly kind: 'failed'; readonly failure: CallFailure }
  | { readonly kind: 'ended' };

type Method = MethodDefinition<object, object>;

/** All clients of a simulation are one caller. */
const CALLER = 'simulated';

/** The real services, reached without a socket: bytes in, bytes out, through the codecs of both sides. */
export class SimDoor {
  private readonly methods = new Map<string, { readonly definition: Method; readonly handler: unknown }>();

  constructor(port: NodePort, fail: (error: unknown) => void) {
    const door = new VirtualDoor(port, DEFAULT_LIMITS, fail);
    this.add('log.v1.Log', logService(door));
    this.add('ledger.v1.Ledger', ledgerService(door));
  }

  unary(path: string, request: Buffer, timeoutMs: number, back: (answer: Answer) => void): void {
    const { definition, handler } = this.methods.get(path)!;
    const call = {
      request: definition.requestDeserialize(request),
      timeoutMs,
      getPeer: () => CALLER,
      sendMetadata: (metadata: Metadata) => tellLeader(metadata, back),
    };
    const answered = (failure: CallFailure | null, response?: object): void => {
      if (failure) back({ kind: 'failed', failure });
      else back({ kind: 'message', bytes: definition.responseSerialize(response!) });
    };
    (handler as (call: object, callback: typeof answered) => void)(call, answered);
  }

  /** @returns the server's side of a stream in both directions */
  duplex(path: string, back: (answer: Answer) => void): SimServerStream {
    const { definition, handler } = this.methods.get(path)!;
    const stream = new SimServerStream(definition, back);
    (handler as (call: SimServerStream) => void)(stream);
    return stream;
  }

  private add(name: 'log.v1.Log' | 'ledger.v1.Ledger', service: UntypedServiceImplementation): void {
    const definitions = serverDefinition(name) as Readonly<Record<string, Method>>;
    for (const [method, definition] of Object.entries(definitions)) {
      this.methods.set(definition.path, { definition, handler: service[method] });
    }
  }
}

/** As much of a ServerDuplexStream as the services use. */
export class SimServerStream extends EventEmitter {
  readonly timeoutMs = Infinity;
  cancelled = false;
  destroyed = false;
  private held: Buffer[] | undefined;

  constructor(
    private readonly definition: Method,
    private readonly back: (answer: Answer) => void,
  ) {
    super();
    this.on('error', (failure: CallFailure) => back({ kind: 'failed', failure }));
  }

  getPeer(): string {
    return CALLER;
  }

  /** Bytes of the client have arrived. */
  arrive(bytes: Buffer): void {
    if (this.held) this.held.push(bytes);
    else this.emit('data', this.definition.requestDeserialize(bytes));
  }

  /** The client has gone. */
  abandon(): void {
    this.cancelled = true;
    this.emit('cancelled');
  }

  sendMetadata(metadata: Metadata): void {
    tellLeader(metadata, this.back);
  }

  write(message: object): boolean {
    this.back({ kind: 'message', bytes: this.definition.responseSerialize(message) });
    return true;
  }

  end(): void {
    this.destroyed = true;
    this.back({ kind: 'ended' });
  }

  pause(): void {
    this.held ??= [];
  }

  resume(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const bytes of held) this.arrive(bytes);
  }
}

/** Deadlines count in virtual time: a timer of the door's own would be a real one, and keep a whole cluster in memory. */
class VirtualDoor extends Door {
  override budget(call: object): Budget {
    const { timeoutMs } = call as { readonly timeoutMs: number };
    return { ...budgetOf(timeoutMs, this.limits.deadlineMs), patienceMs: Infinity };
  }

  override stepBudget(call: object): Budget {
    return this.budget(call);
  }
}

function tellLeader(metadata: Metadata, back: (answer: Answer) => void): void {
  const [name] = metadata.get(LEADER_KEY);
  if (typeof name === 'string') back({ kind: 'leader', name });
}
