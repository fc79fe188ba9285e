/** `grpc.health.v1.Health`: whether the log and the ledger are served here, asked once or watched. */
import { type sendUnaryData, type Server, type ServerUnaryCall, type ServerWritableStream } from '@grpc/grpc-js';
import { Fault, shuttingDown } from '../errors';
import { type Door, failStream } from './door';
import { healthDefinition } from './standard-protos';

const ServingStatus = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;

interface HealthRequest {
  service: string;
}

interface HealthResponse {
  status: number;
}

type Watch = ServerWritableStream<HealthRequest, HealthResponse>;

export const HEALTH_SERVICES: readonly string[] = ['', 'log.v1.Log', 'ledger.v1.Ledger'];

export class Health {
  private serving = false;
  private readonly watchers = new Set<Watch>();

  constructor(private readonly door: Door) {}

  addTo(server: Server): void {
    server.addService(healthDefinition(), {
      Check: (call: ServerUnaryCall<HealthRequest, HealthResponse>, answer: sendUnaryData<HealthResponse>) =>
        this.check(call.request.service, answer),
      Watch: (call: Watch) => this.watch(call),
    });
  }

  setServing(serving: boolean): void {
    if (serving === this.serving) return;
    this.serving = serving;
    for (const call of this.watchers) {
      if (HEALTH_SERVICES.includes(call.request.service)) call.write(this.response(call.request.service));
    }
  }

  private response(name: string): HealthResponse {
    if (!HEALTH_SERVICES.includes(name)) return { status: ServingStatus.SERVICE_UNKNOWN };
    return { status: this.serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING };
  }

  private check(name: string, answer: sendUnaryData<HealthResponse>): void {
    if (HEALTH_SERVICES.includes(name)) answer(null, this.response(name));
    else {
      const fault = new Fault('NOT_FOUND', 'SERVICE_UNKNOWN', `This server has no service ${JSON.stringify(name)}.`);
      answer(this.door.failure(fault, 'Health'));
    }
  }

  private watch(call: Watch): void {
    const { calls } = this.door;
    const leave = calls.enter();
    const stop = (): void => failStream(call, this.door.failure(shuttingDown(), 'Health'));
    const end = (): void => {
      this.watchers.delete(call);
      calls.stopSignal.removeEventListener('abort', stop);
      leave();
    };
    call.once('cancelled', end);
    call.once('close', end);
    calls.stopSignal.addEventListener('abort', stop, { once: true });
    this.watchers.add(call);
    call.write(this.response(call.request.service));
    if (calls.stopping) stop();
  }
}
