import { EventEmitter } from 'node:events';
import { Metadata, status, type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import type { ConnectionEvents } from '../../src/client/connection';
import type { BytesDuplex, ServerConnection } from '../../src/client/environment';
import { fromServiceError, LedgerError } from '../../src/client/errors';
import type { CallFailure } from '../../src/api/grpc/door';
import type { SeededRandom } from '../support/seeded-random';
import type { ProcessLife } from './process-life';
import type { Answer, SimDoor, SimServerStream } from './sim-door';
import { MILLISECOND, type VirtualTime } from './virtual-time';

/** A process that serves clients. */
export interface Served {
  readonly life: ProcessLife;
  readonly door: SimDoor;
}

export interface ConnectionWorld {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  /** Chance that a connection breaks at something that is sent. */
  readonly loss: () => number;
  readonly servedAt: (address: string) => Served | undefined;
}

const WATCH_MICROS = 50 * MILLISECOND;

/** In the place of the gRPC channel: bytes arrive in their order or not at all, and a process that ends breaks what it had. */
export class SimConnection implements ServerConnection {
  private closed = false;

  constructor(
    readonly address: string,
    private readonly events: ConnectionEvents,
    private readonly world: ConnectionWorld,
  ) {}

  async unary<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<Response> {
    const body = Buffer.from(method.requestSerialize(request));
    return new Promise((resolve, reject) => {
      const fail = (code: number, details: string): void =>
        reject(fromServiceError(errorOf({ code, details, metadata: new Metadata() }), this.address));
      this.world.time.after(timeoutMs * MILLISECOND, () => {
        wire.end();
        fail(status.DEADLINE_EXCEEDED, 'Deadline exceeded');
      });
      const wire = new Wire(this.world, this.address, {
        answered: (answer) => {
          if (answer.kind === 'leader') this.events.leaderNamed(answer.name);
          else wire.end();
          if (answer.kind === 'message') resolve(method.responseDeserialize(answer.bytes));
          else if (answer.kind === 'failed') reject(fromServiceError(errorOf(answer.failure), this.address));
        },
        broken: fail,
      });
      if (this.closed) fail(status.UNAVAILABLE, 'No connection established.');
      else wire.send((door, back) => door.unary(method.path, body, timeoutMs, back));
    });
  }

  openDuplex(path: string): BytesDuplex {
    if (this.closed) throw new LedgerError('UNAVAILABLE', 'NOT_CONNECTED', `${this.address}: left the cluster.`);
    return new SimClientStream(path, this.address, this.events, this.world);
  }

  async untilReady(): Promise<void> {
    if (this.world.servedAt(this.address)) return;
    throw new LedgerError('UNAVAILABLE', 'NOT_CONNECTED', `${this.address}: no connection.`);
  }

  openTypedDuplex(): never {
    throw new LedgerError('UNIMPLEMENTED', 'NOT_SIMULATED', 'Streams of values are not simulated.');
  }

  openServerStream(): never {
    throw new LedgerError('UNIMPLEMENTED', 'NOT_SIMULATED', 'Streams of records are not simulated.');
  }

  close(): void {
    this.closed = true;
  }
}

class SimClientStream extends EventEmitter implements BytesDuplex {
  private readonly wire: Wire;
  private server: SimServerStream | undefined;
  private over = false;

  constructor(path: string, address: string, events: ConnectionEvents, world: ConnectionWorld) {
    super();
    this.wire = new Wire(world, address, {
      answered: (answer) => this.take(answer, events),
      broken: (code, details) =>
        this.take({ kind: 'failed', failure: { code, details, metadata: new Metadata() } }, events),
    });
    this.wire.send((door, back) => (this.server = door.duplex(path, back)));
  }

  write(bytes: Buffer): void {
    const copy = Buffer.from(bytes);
    this.wire.send(() => this.server?.arrive(copy));
  }

  end(): void {
    this.wire.send(() => this.server?.emit('end'));
  }

  cancel(): void {
    this.over = true;
    this.wire.send(() => this.server?.abandon());
  }

  private take(answer: Answer, events: ConnectionEvents): void {
    if (answer.kind === 'leader') events.leaderNamed(answer.name);
    if (this.over || answer.kind === 'leader') return;
    if (answer.kind === 'message') {
      this.emit('data', answer.bytes);
      return;
    }
    this.over = true;
    this.wire.end();
    if (answer.kind === 'ended') this.emit('end');
    else this.emit('error', errorOf(answer.failure));
  }
}

interface WireEvents {
  answered(answer: Answer): void;
  /** Nothing comes any more. */
  broken(code: number, details: string): void;
}

/** One call's way to a process and back, in order. */
class Wire {
  private served: Served | undefined;
  private isOpen = true;
  private readonly arrivals = { there: 0, back: 0 };

  constructor(
    private readonly world: ConnectionWorld,
    private readonly address: string,
    private readonly events: WireEvents,
  ) {}

  send(work: (door: SimDoor, back: (answer: Answer) => void) => void): void {
    this.travel('there', () => {
      if (!this.served) {
        this.served = this.world.servedAt(this.address);
        if (!this.served) return this.break('No connection established.');
        this.watch(this.served);
      }
      const { life, door } = this.served;
      life.run(() =>
        work(door, (answer) => {
          // A process that ended itself in this very step says nothing any more.
          if (life.isAlive) this.travel('back', () => this.arrived(answer));
        }),
      );
    });
  }

  end(): void {
    this.isOpen = false;
  }

  private arrived(answer: Answer): void {
    if (answer.kind === 'failed' || answer.kind === 'ended') this.isOpen = false;
    this.events.answered(answer);
  }

  private travel(way: 'there' | 'back', arrive: () => void): void {
    const { time, random, loss } = this.world;
    if (!this.isOpen) return;
    if (random.chance(loss())) {
      this.isOpen = false;
      time.after(random.below(500 * MILLISECOND), () => this.events.broken(status.UNAVAILABLE, 'Connection dropped'));
      return;
    }
    const at = Math.max(this.arrivals[way], time.now + 100 + random.below(800));
    this.arrivals[way] = at;
    time.after(at - time.now, () => {
      if (this.isOpen) arrive();
    });
  }

  private break(details: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.events.broken(status.UNAVAILABLE, details);
  }

  /** The system closes the connections of a process that is gone. */
  private watch({ life }: Served): void {
    if (!this.isOpen) return;
    if (life.isAlive) this.world.time.after(WATCH_MICROS, () => this.watch({ life } as Served));
    else this.break('Connection dropped');
  }
}

function errorOf({ code, details, metadata }: CallFailure): ServiceError {
  return Object.assign(new Error(details), { code, details, metadata });
}
