import type { Message } from '../../src/raft/core';
import { FrameType } from '../../src/raft/transport/frame';
import type { CallHandler } from '../../src/raft/transport';
import { decodeMessage } from '../../src/raft/transport/message-decoder';
import { encodeMessage } from '../../src/raft/transport/message-encoder';
import { nodeId } from '../raft/transport/peer-kit';
import { describeTransport, type TransportEnd } from '../raft/transport/transport-contract';
import { SeededRandom } from '../support/seeded-random';
import { Calls } from './calls';
import { FaultCounts } from './fault-counts';
import { Network } from './network';
import { ProcessLife } from './process-life';
import { Trace } from './trace';
import { VirtualTime } from './virtual-time';

const PATIENCE_STEPS = 100_000;

/** One process on the simulated network. */
class SimulatedEnd implements TransportEnd {
  readonly received: Message[] = [];
  readonly handlers = new Map<number, CallHandler>();
  readonly life: ProcessLife;
  readonly name: string;

  constructor(
    readonly id: string,
    private readonly network: Network,
    time: VirtualTime,
    private readonly calls: Calls,
    private readonly others: ReadonlyMap<string, SimulatedEnd>,
  ) {
    this.name = id;
    this.life = new ProcessLife(id, time, new Trace(() => time.now), {
      skewMicros: () => 0,
      logged: () => undefined,
      ran: () => undefined,
    });
  }

  send(message: Message): void {
    const body = Buffer.concat(encodeMessage(message).parts);
    this.network.transmit(message.from, message.to, () => {
      const end = this.others.get(message.to);
      const frame = { type: FrameType.message, group: 0, body: Buffer.from(body) };
      end?.life.run(() => end.received.push(decodeMessage(frame, message.from, message.to)));
    });
  }

  async call(to: string, method: number, body: Buffer, deadlineMs: number): Promise<Buffer> {
    const caller = { life: this.life, name: this.id, id: this.id };
    return (await this.calls.call(caller, { address: to, id: to }, method, body, deadlineMs)).body;
  }

  handle(method: number, handler: CallHandler): void {
    this.handlers.set(method, handler);
  }

  async kill(): Promise<void> {
    this.life.kill();
  }
}

describeTransport('The simulated network, in fair weather,', async () => {
  const time = new VirtualTime();
  const network = new Network(time, new SeededRandom(1), new FaultCounts());
  const ends = new Map<string, SimulatedEnd>();
  const calls = new Calls(
    time,
    network,
    (address) => address,
    (address) => (ends.get(address)?.life.isAlive === true ? ends.get(address) : undefined),
  );
  const [a, b] = [1, 2].map((n) => new SimulatedEnd(nodeId(n), network, time, calls, ends)) as [
    SimulatedEnd,
    SimulatedEnd,
  ];
  for (const end of [a, b]) ends.set(end.id, end);
  const until = async (what: string, condition: () => boolean): Promise<void> => {
    for (let steps = 0; !condition(); steps += 1) {
      if (steps > PATIENCE_STEPS || !(await time.step())) throw new Error(`Still not so: ${what}.`);
    }
  };
  return {
    a,
    b,
    until,
    settled: async (promise) => {
      let done = false;
      const mark = (): void => {
        done = true;
      };
      promise.then(mark, mark);
      await until('the call is over', () => done);
      return promise;
    },
    close: async () => undefined,
  };
});
