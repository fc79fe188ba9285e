import { ClusterProcess } from './cluster-process';
import { runSuite, type SuiteStep } from './load/suite';
import { countersIn } from './metrics-text';

export interface ClusterRunOptions {
  readonly nodes: number;
  readonly seconds: number;
  readonly accounts: number;
  /** As for `ClusterOptions`: `off`, `embedded` or a URL. */
  readonly database: string;
  readonly signal: AbortSignal;
  readonly onStep: (name: string) => void;
}

export interface ClusterRun {
  readonly nodes: number;
  readonly steps: readonly SuiteStep[];
}

/** Starts a cluster of real processes, measures it, and ends it, whatever happens in between. */
export async function runCluster(options: ClusterRunOptions): Promise<ClusterRun> {
  const { nodes, seconds, accounts, database, signal } = options;
  options.onStep(`start of ${nodes === 1 ? 'one node' : `${nodes} nodes`}`);
  const cluster = await ClusterProcess.start({ nodes, database, flags: ['--log-level', 'warn'] });
  try {
    const leader = cluster.node(await cluster.leader());
    const steps = await runSuite({
      ...{ addresses: cluster.addresses, seconds, accounts, signal },
      onStep: (name) => options.onStep(`${nodes === 1 ? 'one node' : `${nodes} nodes`}, ${name}`),
      readCounters: async () => {
        const all = await Promise.all(cluster.nodes.map((node) => node.metrics()));
        return countersIn(all[cluster.nodes.indexOf(leader)]!, all);
      },
    });
    return { nodes, steps };
  } catch (error) {
    throw new Error(`The measurement of ${nodes} nodes failed.\n${cluster.logs()}`, { cause: error });
  } finally {
    await cluster.close();
  }
}
