import { LedgerClient } from '../../src/client';
import { ClusterProcess } from '../support/cluster-process';

const PRODUCERS = 16;
/** Values that show that producing goes on. */
const GOES_ON = 300;
const STOPS = 3;

/**
 * A value has no id, so the client sends it once only and says so where it does not know what became of it. A clean stop
 * must never bring it there: the node hands over, answers what has come in, and only then takes its part of the cluster down.
 */
describe('values are produced while leaders are stopped by SIGTERM', () => {
  let cluster: ClusterProcess;
  let client: LedgerClient;

  beforeAll(async () => {
    cluster = await ClusterProcess.start({ nodes: 3 });
    client = await LedgerClient.connect({ addresses: cluster.addresses, timeoutMs: 60_000 });
  }, 120_000);

  afterAll(async () => {
    await client?.close();
    await cluster?.close();
  });

  test('none is left in doubt, none is lost, none is doubled, and the processes end well', async () => {
    const offsets = new Map<number, string>();
    let stopped = false;
    let failure: unknown;
    let next = 0;
    const produce = async (): Promise<void> => {
      while (!stopped) {
        const value = `value ${next++}`;
        offsets.set(await client.produce(value), value);
      }
    };
    const producers = Promise.all(Array.from({ length: PRODUCERS }, produce)).catch((error: unknown) => {
      stopped = true;
      failure = error;
    });
    for (let stop = 0; stop < STOPS && !stopped; stop += 1) {
      const leader = await cluster.leader();
      const enough = offsets.size + GOES_ON;
      await cluster.node(leader).until('more values', 60_000, async () => stopped || offsets.size >= enough);
      expect(await cluster.stop(leader)).toEqual({ code: 0, signal: null });
      await cluster.restart(leader);
    }
    stopped = true;
    await producers;
    expect(failure).toBeUndefined();
    const { nextOffset } = await client.logRange();
    const read: [number, string][] = [];
    for await (const { offset, type, value } of client.consumeStream(0)) {
      if (type === 0) read.push([offset, value.toString()]);
      if (offset === nextOffset - 1) break;
    }
    expect(read).toHaveLength(next);
    expect(new Map(read)).toEqual(offsets);
  }, 240_000);
});
