import { cpus, totalmem } from 'node:os';
import Table from 'cli-table3';
import { type DiskCeiling } from './ceilings/disk';
import { type GrpcCeiling } from './ceilings/grpc';
import { type ClusterRun } from './cluster-run';
import { type SuiteStep } from './load/suite';

const ROW_BYTES = 64;

export interface Report {
  readonly machine: {
    readonly cores: number;
    readonly model: string;
    readonly memoryGiB: number;
    readonly node: string;
  };
  readonly database: string;
  readonly secondsPerStep: number;
  readonly disk: DiskCeiling;
  readonly grpc: GrpcCeiling;
  readonly clusters: readonly ClusterRun[];
}

export function machine(): Report['machine'] {
  const [first] = cpus();
  return {
    cores: cpus().length,
    model: first?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
}

/** The report as tables, with what each figure is set against. */
export function reportText(report: Report): string {
  const { disk, grpc, machine: on, database, secondsPerStep } = report;
  const ceilings = table(['ceiling of this machine', 'measured']);
  ceilings.push(['fdatasync after 4 KiB, pre-zeroed file', `${count(disk.syncsPerSecond)}/s`]);
  ceilings.push(['fdatasync after 1 MiB, pre-zeroed file', `${count(disk.megabytesPerSecond)} MB/s`]);
  ceilings.push(['gRPC unary calls of 128 B, 256 in flight', `${count(grpc.callsPerSecond)}/s`]);
  ceilings.push(['gRPC stream of 512 KiB messages', `${count(grpc.megabytesPerSecond)} MB/s`]);
  const results = table(HEAD);
  for (const run of report.clusters) for (const step of run.steps) results.push(resultRow(report, run.nodes, step));
  const projection = database === 'off' ? 'the projection (Postgres) off' : `the projection on (${database})`;
  return [
    `${on.cores} cores (${on.model}), ${on.memoryGiB} GiB, Node ${on.node}; load, servers and client share them; ${projection}.`,
    `Every write is durable on a majority before it is answered. ${secondsPerStep} s a step.`,
    '',
    ceilings.toString(),
    '',
    results.toString(),
    '',
    'transfers-N: single transfers, N in flight; packed-N: batches of 8,190 packed transfers, N in flight; hot-N: the same, all from one account; produce-N: records of 128 B.',
    'CPU: microseconds of processor time per transfer or record, of the client and of all nodes together.',
    'fsyncs and batches: of the leader. share: of the ceiling that is nearest: fdatasync/s for one at a time, unary calls/s for many',
    'at once (what calls of their own would reach), MB/s of 1 MiB appends for packed rows.',
  ].join('\n');
}

const HEAD = [
  'nodes',
  'load',
  'per second',
  'p50 ms',
  'p99 ms',
  'fsyncs/s',
  'batches/s',
  'items a batch',
  'CPU µs: client',
  'nodes',
  'share',
];

function resultRow(report: Report, nodes: number, step: SuiteStep): string[] {
  const { result, counters, name } = step;
  const perSecond = (counted: number | undefined): string =>
    counted === undefined ? '-' : count(counted / result.seconds);
  const perItem = (seconds: number | undefined): string =>
    seconds === undefined || result.items === 0 ? '-' : ((seconds * 1e6) / result.items).toFixed(1);
  const itemsPerBatch = counters && counters.batches > 0 ? (result.items / counters.batches).toFixed(1) : '-';
  return [
    ...[String(nodes), name, count(result.perSecond), result.p50Ms.toFixed(2), result.p99Ms.toFixed(2)],
    ...[perSecond(counters?.fsyncs), perSecond(counters?.batches), itemsPerBatch],
    ...[perItem(step.clientCpuSeconds), perItem(counters?.serverCpuSeconds)],
    `${(shareOfCeiling(report, step) * 100).toFixed(0)} %`,
  ];
}

/** Of the ceiling that such a load would meet first. */
export function shareOfCeiling(report: Pick<Report, 'disk' | 'grpc'>, step: SuiteStep): number {
  const { perSecond } = step.result;
  if (/^(packed|hot)-/.test(step.name)) return (perSecond * ROW_BYTES) / 1e6 / report.disk.megabytesPerSecond;
  return perSecond / (step.inFlight === 1 ? report.disk.syncsPerSecond : report.grpc.callsPerSecond);
}

function table(head: string[]): InstanceType<typeof Table> {
  return new Table({
    head,
    style: { head: [], border: [] },
    colAligns: ['right', 'left', ...head.map(() => 'right' as const)],
  });
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
