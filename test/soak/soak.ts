import { LedgerClient, type ServerStatus } from '../../src/client';
import type { FaultCounts } from '../simulator/fault-counts';
import { SeededRandom } from '../support/seeded-random';
import { Acknowledged } from './acknowledged';
import { Filler } from './filler';
import { Findings, type Finding } from './findings';
import { LogFollower } from './log-follower';
import { SoakCallers } from './soak-callers';
import { SoakCluster } from './soak-cluster';
import { SoakFaults } from './soak-faults';

const CALLERS = 12;
const LOOK_MILLIS = 250;
const CALM_MILLIS = 60_000;
/** A node that needs more for so small a ledger has a leak. */
const MOST_MEBIBYTES = 1_024;

export interface SoakOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** Told of each fault. */
  readonly onFault: (text: string) => void;
}

export interface SoakReport {
  readonly findings: readonly Finding[];
  readonly faults: FaultCounts;
  readonly transfers: number;
  readonly reads: number;
  readonly records: number;
  readonly checkedOperations: number;
  readonly undecidedAccounts: number;
  readonly unanswered: number;
  /** Of each node, the most that any of its processes held, in MiB. */
  readonly memory: readonly number[];
}

/**
 * Real processes, real clients and real faults between them for a while; then everything heals, and the cluster has to agree.
 * Faults are drawn from the seed. What comes of them is not: processes and disks take the time they take.
 */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const findings = new Findings();
  const cluster = await SoakCluster.start(options.nodes, new SeededRandom(options.seed), findings);
  try {
    return await run(cluster, findings, options);
  } finally {
    await cluster.close();
  }
}

async function run(cluster: SoakCluster, findings: Findings, options: SoakOptions): Promise<SoakReport> {
  const { seed, seconds, signal, onFault } = options;
  const acknowledged = new Acknowledged(findings);
  const { addresses } = cluster;
  const random = new SeededRandom(seed + 1);
  const callers = await SoakCallers.start(addresses, { callers: CALLERS, acknowledged, findings, random });
  const follower = await LogFollower.start(addresses, acknowledged, findings);
  const filler = await Filler.start(addresses, findings);
  const operator = await LedgerClient.connect({ addresses, refreshIntervalMs: 500 });
  const faults = new SoakFaults(cluster, operator, new SeededRandom(seed + 2), onFault);
  const until = performance.now() + seconds * 1_000;
  while (performance.now() < until && !signal.aborted) {
    for (const node of cluster.nodes) node.look();
    await pause(LOOK_MILLIS);
  }
  onFault('everything heals');
  await faults.heal();
  await Promise.all([callers.stop(), filler.stop()]);
  await follower.untilEnd(CALM_MILLIS);
  await follower.stop();
  acknowledged.compare();
  await expectAgreement(operator, cluster.nodes.length, findings);
  await operator.close();
  for (const node of cluster.nodes) {
    node.look();
    if (node.mostMemory > MOST_MEBIBYTES) findings.add('memory', `${node.name} held ${node.mostMemory} MiB`);
  }
  return {
    findings: findings.all,
    faults: faults.counts,
    transfers: acknowledged.transfers,
    records: follower.records,
    memory: cluster.nodes.map(({ mostMemory }) => mostMemory),
    ...{ reads: callers.reads, checkedOperations: callers.checkedOperations },
    ...{ undecidedAccounts: callers.undecidedAccounts, unanswered: callers.unanswered },
  };
}

/** Nobody writes any more: all nodes have to come to one state. */
async function expectAgreement(client: LedgerClient, nodes: number, findings: Findings): Promise<void> {
  const deadline = performance.now() + CALM_MILLIS;
  let seen: string[] = [];
  while (performance.now() < deadline) {
    const answers = await client.status({ stateHash: true }).catch((): ServerStatus[] => []);
    const groups = answers.flatMap(({ status }) => status?.groups ?? []);
    seen = groups.map(({ appliedIndex, stateHash }) => `${appliedIndex} ${stateHash}`);
    if (groups.length === nodes && new Set(groups.map(({ appliedIndex }) => appliedIndex)).size === 1) {
      if (new Set(seen).size > 1) break;
      return;
    }
    await pause(LOOK_MILLIS);
  }
  findings.add('agreement', `the nodes do not come to one state: ${seen.join(', ')}`);
}

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
