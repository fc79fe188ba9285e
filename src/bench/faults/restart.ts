import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../free-ports';
import { Workload } from '../load/workload';
import { valueOf } from '../metrics-text';
import { NodeProcess } from '../node-process';
import { memoryOf } from '../process-memory';

const ROWS_PER_BATCH = 8_190;
const PATIENCE = 600_000;
const LOG_BYTES = 1 << 18;
const NO_SNAPSHOTS = '1000GiB';
const ROW_BYTES = 64;

export interface RestartOptions {
  readonly transfers: number;
  /** Starts of each kind. */
  readonly starts: number;
  readonly signal: AbortSignal;
  readonly onStep: (name: string) => void;
}

export interface RestartRun {
  readonly snapshot: boolean;
  /** Milliseconds from the start of the process until /readyz answers 200. */
  readonly millis: readonly number[];
  /** Seconds of processor time until then, of each start: what a busy machine does not change. */
  readonly cpuSeconds: readonly number[];
  /** Of the last start: what the node's log says, and milliseconds after the start when it said so. */
  readonly steps: readonly (readonly [what: string, millis: number])[];
  readonly memoryMebibytes: number;
  readonly load: number;
}

/** One node with so many transfers in its log is stopped and started: first without a snapshot, then with one. */
export async function measureRestart(options: RestartOptions): Promise<RestartRun[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-restart-'));
  const nodes: NodeProcess[] = [];
  try {
    const [rpc, gossip, http] = (await freePorts(3)).map((port) => `127.0.0.1:${port}`);
    const addresses = { rpc: rpc!, gossip: gossip!, http: http! };
    const withSnapshots = (bytes: string, first: readonly string[]): NodeProcess => {
      const flags = ['--database-url', 'off', '--log-level', 'debug', '--snapshot-bytes', bytes];
      const node = new NodeProcess('node-1', addresses, folder, flags, { first, again: [] });
      nodes.push(node);
      return node;
    };
    const plain = withSnapshots(NO_SNAPSHOTS, ['--bootstrap']);
    await fill(plain, options);
    const without = await startAgain(plain, false, options);
    // As with the default of 256 MiB some of the log is above the newest snapshot: a quarter of it at most.
    const quarter = Math.max(1 << 20, (options.transfers * ROW_BYTES) / 4);
    const snapshotting = withSnapshots(String(Math.round(quarter)), []);
    options.onStep('a snapshot is taken');
    snapshotting.start();
    await snapshotting.untilReady(PATIENCE);
    await snapshotting.until('a snapshot', PATIENCE, async () => snapshotting.log().includes('a snapshot was taken'));
    await snapshotting.stop();
    return [without, await startAgain(snapshotting, true, options)];
  } finally {
    for (const node of nodes) await node.kill9();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function fill(node: NodeProcess, { transfers, signal, onStep }: RestartOptions): Promise<void> {
  node.start();
  await node.untilReady(PATIENCE);
  const addresses = [node.addresses.rpc];
  const workload = await Workload.prepare({ addresses, accounts: 10_000, signal, timeoutMs: PATIENCE });
  try {
    for (let done = 0; done < transfers && !signal.aborted;) {
      onStep(`${done} of ${transfers} transfers`);
      done += (await workload.packedRows({ rowsPerBatch: ROWS_PER_BATCH, streams: 1, inFlight: 4, seconds: 5 })).items;
    }
  } finally {
    await workload.close();
  }
  await node.stop();
}

async function startAgain(node: NodeProcess, snapshot: boolean, options: RestartOptions): Promise<RestartRun> {
  const millis: number[] = [];
  const cpuSeconds: number[] = [];
  let memoryMebibytes = 0;
  let steps: RestartRun['steps'] = [];
  for (let start = 1; start <= options.starts && !options.signal.aborted; start++) {
    options.onStep(`start ${start} ${snapshot ? 'with' : 'without'} a snapshot`);
    const from = performance.now();
    const started = Date.now();
    node.start();
    await node.untilReady(PATIENCE);
    millis.push(performance.now() - from);
    cpuSeconds.push(valueOf(await node.metrics(), 'process_cpu_seconds_total'));
    steps = stepsSince(node, started);
    memoryMebibytes = memoryOf(node.pid).most;
    await node.stop();
  }
  return { snapshot, millis, cpuSeconds, steps, memoryMebibytes, load: loadavg()[0]! };
}

const STEPS: ReadonlySet<unknown> = new Set([
  ...['starting', 'the log is open', 'the state is restored', 'the log above the snapshot is looked through'],
  ...['leader', 'serving'],
]);

/** Lines of the node's log that say how far it is. */
function stepsSince(node: NodeProcess, started: number): RestartRun['steps'] {
  const lines = node
    .log(LOG_BYTES)
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'));
  const parsed = lines.map((line) => JSON.parse(line) as { readonly time: string | number; readonly msg: string });
  return parsed
    .map(({ time, msg }) => [msg, new Date(time).getTime() - started] as const)
    .filter(([msg, millis]) => millis >= 0 && STEPS.has(msg));
}

export function restartText(runs: readonly RestartRun[], transfers: number): string {
  return runs
    .map(({ snapshot, millis, cpuSeconds, steps, memoryMebibytes, load }) => {
      const all = millis.map((one) => (one / 1_000).toFixed(1)).join(', ');
      const cpu = cpuSeconds.map((one) => one.toFixed(1)).join(', ');
      return (
        `${transfers} transfers, ${snapshot ? 'with' : 'without'} a snapshot: ready after ${all} s (${cpu} s of processor time); ` +
        `${memoryMebibytes} MiB at most; load average ${load.toFixed(1)}.\n` +
        steps.map(([what, at]) => `  ${(at / 1_000).toFixed(2).padStart(7)} s  ${what}`).join('\n')
      );
    })
    .join('\n');
}
