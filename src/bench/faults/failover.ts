import { loadavg } from 'node:os';
import { ClusterProcess } from '../cluster-process';
import { SteadyWriter } from '../load/steady-writer';

const NODES = 3;
const CALLERS = 16;
/** Milliseconds after which a write that nobody answers ends the measurement. */
const PATIENCE = 30_000;
/** Transfers that show that writing goes on. */
const GOES_ON = 200;

/** How a leader is taken away. */
export type Loss = 'killed' | 'stopped';

export interface FailoverOptions {
  readonly kills: number;
  readonly stops: number;
  /** Flags for every node. */
  readonly flags?: readonly string[];
  readonly signal: AbortSignal;
  readonly onStep: (name: string) => void;
}

export interface FailoverRun {
  readonly loss: Loss;
  /** Milliseconds without an acknowledged write, in the order of the losses. */
  readonly silences: readonly number[];
  /** Load average of one minute of the machine, at the end. */
  readonly load: number;
}

/**
 * Takes the leader away again and again, under writes that never pause, and says how long nobody's write was acknowledged:
 * `kill -9` for the one figure, SIGTERM for the other. After each the node is started again and has to be ready.
 */
export async function measureFailover(options: FailoverOptions): Promise<FailoverRun[]> {
  options.onStep(`start of ${NODES} nodes`);
  const cluster = await ClusterProcess.start({
    nodes: NODES,
    flags: ['--log-level', 'info', ...(options.flags ?? [])],
  });
  try {
    const writer = await SteadyWriter.start(cluster.addresses, CALLERS, PATIENCE);
    const runs = [
      await takeAway('killed', options.kills, cluster, writer, options),
      await takeAway('stopped', options.stops, cluster, writer, options),
    ];
    await writer.stop();
    return runs.filter((run) => run.silences.length > 0);
  } catch (error) {
    throw new Error(`The measurement failed.\n${cluster.logs()}`, { cause: error });
  } finally {
    await cluster.close();
  }
}

async function takeAway(
  loss: Loss,
  times: number,
  cluster: ClusterProcess,
  writer: SteadyWriter,
  { signal, onStep }: FailoverOptions,
): Promise<FailoverRun> {
  const silences: number[] = [];
  for (let n = 1; n <= times && !signal.aborted; n++) {
    await writer.untilAcknowledged(GOES_ON, PATIENCE);
    const leader = await cluster.leader();
    writer.beginWatch();
    await (loss === 'killed' ? cluster.kill9(leader) : cluster.stop(leader));
    await writer.untilAcknowledged(GOES_ON, PATIENCE);
    const { from, to } = writer.endWatch();
    silences.push(to - from);
    onStep(`leader ${loss}, ${n} of ${times}: ${Math.round(to - from)} ms`);
    await cluster.restart(leader);
    await cluster.untilVoters(NODES);
  }
  return { loss, silences, load: loadavg()[0]! };
}

/** @returns one line a loss: median, 90th percentile and worst, in milliseconds */
export function failoverText(runs: readonly FailoverRun[]): string {
  return runs
    .map(({ loss, silences, load }) => {
      const sorted = [...silences].sort((a, b) => a - b);
      const at = (share: number): number => Math.round(sorted[Math.ceil(share * sorted.length) - 1]!);
      const how = loss === 'killed' ? 'kill -9' : 'SIGTERM';
      return (
        `${sorted.length} leaders, ${how}: without an acknowledged write for ${at(0.5)} ms (median), ` +
        `${at(0.9)} ms (90th percentile), ${at(1)} ms (worst); load average ${load.toFixed(1)}`
      );
    })
    .join('\n');
}
