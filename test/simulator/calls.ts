import type { NodeId } from '../../src/raft/core';
import { CallError, type AddressAnswer, type CallHandler } from '../../src/raft/transport';
import type { Network } from './network';
import type { ProcessLife } from './process-life';
import { MILLISECOND, type VirtualTime } from './virtual-time';

/** Somebody who answers calls, while there is such a process. */
export interface Callee {
  readonly life: ProcessLife;
  readonly name: string;
  readonly id: NodeId;
  readonly handlers: ReadonlyMap<number, CallHandler>;
}

export interface Caller {
  readonly life: ProcessLife;
  readonly name: string;
  readonly id: NodeId;
}

/** Whom a call is for: whoever is there, or nobody but the node with that id. */
export interface Called {
  readonly address: string;
  readonly id: NodeId | undefined;
}

const REFUSED_MICROS = 300;

/** Calls between nodes as the peer transport makes them: each at most once, and with a deadline. */
export class Calls {
  constructor(
    private readonly time: VirtualTime,
    private readonly network: Network,
    private readonly machineAt: (address: string) => string,
    private readonly calleeAt: (address: string) => Callee | undefined,
  ) {}

  call(caller: Caller, to: Called, method: number, body: Buffer, deadlineMs: number): Promise<AddressAnswer> {
    const machine = this.machineAt(to.address);
    const { life, name } = caller;
    return new Promise((resolve, reject) => {
      const copy = Buffer.from(body);
      life.after(deadlineMs * MILLISECOND, () => reject(noAnswer()));
      if (!this.calleeFor(to) && this.network.passes(name, machine)) {
        life.after(REFUSED_MICROS, () => reject(refused()));
        return;
      }
      const arrive = (): void => {
        const callee = this.calleeFor(to);
        if (!callee) return;
        const back = (settle: () => void): void => {
          // A process that ended itself in this very step says nothing any more.
          if (callee.life.isAlive) this.network.transmit(machine, name, () => life.run(settle), true);
        };
        callee.life.run(() => {
          const peer = { clusterId: '', nodeId: callee.id, nodeName: callee.name };
          this.serve(callee, caller.id, method, copy, deadlineMs).then(
            (answer) => back(() => resolve({ peer, body: Buffer.from(answer) })),
            (error: unknown) => back(() => reject(remote(error))),
          );
        });
      };
      this.network.transmit(name, machine, arrive, true);
    });
  }

  private calleeFor({ address, id }: Called): Callee | undefined {
    const callee = this.calleeAt(address);
    return id === undefined || callee?.id === id ? callee : undefined;
  }

  private async serve(callee: Callee, from: NodeId, method: number, body: Buffer, deadlineMs: number): Promise<Buffer> {
    const handler = callee.handlers.get(method);
    if (!handler) throw new CallError('UNIMPLEMENTED', 'METHOD_UNKNOWN', `no method ${method}`, { sent: true });
    return handler({
      from,
      peer: { clusterId: '', nodeId: from, nodeName: '' },
      group: 0,
      body,
      deadline: this.time.now / MILLISECOND + deadlineMs,
    });
  }
}

function noAnswer(): CallError {
  return new CallError('DEADLINE_EXCEEDED', 'NO_ANSWER', 'no answer in time', { sent: true });
}

function refused(): CallError {
  return new CallError('UNAVAILABLE', 'PEER_UNREACHABLE', 'the connection was refused', { sent: false });
}

/** A failure of the peer's own as the caller sees it; anything but a CallError is a fault of the program. */
function remote(error: unknown): CallError {
  const { code, reason, message } =
    error instanceof CallError
      ? error
      : { code: 'INTERNAL', reason: 'HANDLER_FAILED', message: error instanceof Error ? error.message : String(error) };
  return new CallError(code, reason, message, { sent: true, remote: true });
}
