import { randomBytes } from 'node:crypto';
import { loadavg, setPriority } from 'node:os';
import { LedgerClient } from '../../client';
import { ClusterProcess } from '../cluster-process';
import { SteadyWriter } from '../load/steady-writer';
import { Workload } from '../load/workload';
import { valueOf } from '../metrics-text';
import { memoryOf, type ProcessMemory } from '../process-memory';

const NODES = 3;
const VALUE_BYTES = 900 * 1024;
const VALUES_IN_FLIGHT = 8;
const ROWS_PER_BATCH = 8_190;
const CALLERS = 16;
const PATIENCE = 60_000;
const SAMPLE_MILLIS = 1_000;
/** Entries behind the leader's log that count as caught up, under writes that never pause. */
const CAUGHT_UP = 64;
/** The log behind is dropped, so that nothing but a snapshot brings the node back. */
const FLAGS = ['--log-level', 'info', '--snapshot-bytes', '256MiB', '--retention-bytes', '256MiB'];

export interface CatchUpOptions {
  readonly gigabytes: number;
  /** Transfers in the state before the node goes away: they make the snapshot large. */
  readonly transfers: number;
  /** Priority of the process that comes back: on a machine of its own it would not compete with those that serve. */
  readonly nice: number;
  /** Seconds over which the rate of writes is taken before and after. */
  readonly seconds: number;
  /** Seconds that catching up may take. */
  readonly patienceSeconds: number;
  readonly signal: AbortSignal;
  readonly onStep: (name: string) => void;
}

export interface CatchUpRun {
  /** Acknowledged transfers a second: one node away, while it catches up, all three up to date. */
  readonly rates: { readonly before: number; readonly during: number; readonly after: number };
  /** From the start of the process until it is up to date. */
  readonly seconds: number;
  readonly snapshotMegabytes: number;
  readonly bySnapshot: boolean;
  readonly memory: readonly (ProcessMemory & { readonly name: string })[];
  readonly load: number;
}

/** One of three nodes is away while the log grows, and comes back while writes go on. */
export async function measureCatchUp(options: CatchUpOptions): Promise<CatchUpRun> {
  options.onStep(`start of ${NODES} nodes`);
  const cluster = await ClusterProcess.start({ nodes: NODES, flags: FLAGS });
  try {
    return await run(cluster, options);
  } catch (error) {
    throw new Error(`The measurement failed.\n${cluster.logs()}`, { cause: error });
  } finally {
    await cluster.close();
  }
}

async function run(cluster: ClusterProcess, options: CatchUpOptions): Promise<CatchUpRun> {
  const { onStep, seconds } = options;
  await fillState(cluster, options);
  const leader = await cluster.leader();
  const away = cluster.node((leader + 1) % NODES);
  await away.stop();
  await growLog(cluster, options);
  const writer = await SteadyWriter.start(cluster.addresses, CALLERS, PATIENCE);
  onStep('writes while it is away');
  const before = await rateOver(writer, seconds);
  onStep('writes while it catches up');
  const started = performance.now();
  const done = writer.acknowledged;
  let seen = { at: started, acknowledged: done };
  away.start();
  setPriority(away.pid!, options.nice);
  await away.until('it to have caught up', options.patienceSeconds * 1_000, async () => {
    const [own, first] = await Promise.all(
      [away.metrics(), cluster.node(leader).metrics()].map((one) => one.catch(() => '')),
    );
    const behind = valueOf(first!, 'ledger_raft_last_index') - valueOf(own!, 'ledger_raft_applied_index');
    const { at, acknowledged } = seen;
    if (performance.now() - at >= SAMPLE_MILLIS) {
      seen = { at: performance.now(), acknowledged: writer.acknowledged };
      const rate = ((seen.acknowledged - acknowledged) * 1_000) / (seen.at - at);
      onStep(
        `${Number.isNaN(behind) ? 'not there yet' : `${behind} entries behind`}, ${Math.round(rate)} transfers a second`,
      );
    }
    return behind <= CAUGHT_UP || options.signal.aborted;
  });
  const took = (performance.now() - started) / 1_000;
  const during = (writer.acknowledged - done) / took;
  onStep('writes after that');
  const after = await rateOver(writer, seconds);
  await writer.stop();
  const installed = /"bytes":(\d+)[^\n]*a snapshot of the leader was installed/.exec(away.log(1 << 20));
  return {
    rates: { before, during, after },
    seconds: took,
    bySnapshot: installed !== null,
    snapshotMegabytes: Number(installed?.[1] ?? 0) / 1e6,
    memory: cluster.nodes.map((node) => ({
      name: `${node.name}${node === away ? ', away' : ''}`,
      ...memoryOf(node.pid),
    })),
    load: loadavg()[0]!,
  };
}

async function fillState(cluster: ClusterProcess, { transfers, signal, onStep }: CatchUpOptions): Promise<void> {
  onStep(`${transfers} transfers`);
  const workload = await Workload.prepare({
    addresses: cluster.addresses,
    accounts: 1_000,
    signal,
    timeoutMs: PATIENCE,
  });
  try {
    for (let done = 0; done < transfers && !signal.aborted;) {
      done += (await workload.packedRows({ rowsPerBatch: ROWS_PER_BATCH, streams: 1, inFlight: 4, seconds: 1 })).items;
    }
  } finally {
    await workload.close();
  }
}

async function growLog(cluster: ClusterProcess, { gigabytes, signal, onStep }: CatchUpOptions): Promise<void> {
  const values = Math.ceil((gigabytes * 1e9) / VALUE_BYTES);
  const client = await LedgerClient.connect({ addresses: cluster.addresses, timeoutMs: PATIENCE });
  const value = randomBytes(VALUE_BYTES);
  const tenth = Math.ceil(values / 10);
  let next = 0;
  const produce = async (): Promise<void> => {
    while (next < values && !signal.aborted) {
      const n = next++;
      if (n % tenth === 0) onStep(`the log grows: ${((n * VALUE_BYTES) / 1e9).toFixed(1)} of ${gigabytes} GB`);
      await client.produce(value);
    }
  };
  try {
    await Promise.all(Array.from({ length: VALUES_IN_FLIGHT }, produce));
  } finally {
    await client.close();
  }
}

async function rateOver(writer: SteadyWriter, seconds: number): Promise<number> {
  const from = performance.now();
  const done = writer.acknowledged;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  return (writer.acknowledged - done) / ((performance.now() - from) / 1_000);
}

export function catchUpText(run: CatchUpRun, gigabytes: number): string {
  const { before, during, after } = run.rates;
  const how = run.bySnapshot ? `by a snapshot of ${run.snapshotMegabytes.toFixed(0)} MB` : 'without a snapshot';
  const memory = run.memory.map(({ name, now, most }) => `  ${name}: ${now} MiB now, ${most} MiB at most`);
  return [
    `${gigabytes} GB behind: caught up after ${run.seconds.toFixed(1)} s, ${how}.`,
    `Transfers a second: ${Math.round(before)} while it was away, ${Math.round(during)} while it caught up, ${Math.round(after)} after that.`,
    'Resident memory:',
    ...memory,
    `Load average ${run.load.toFixed(1)}.`,
  ].join('\n');
}
