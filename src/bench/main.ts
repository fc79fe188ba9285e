/**
 * `./scripts/bench`: ceilings of this machine, then one node and three nodes of real processes, in one run. With a word
 * behind it, one of the measurements under faults instead.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { measureDisk } from './ceilings/disk';
import { measureGrpc } from './ceilings/grpc';
import { type ClusterRun, runCluster } from './cluster-run';
import { catchUpText, measureCatchUp } from './faults/catch-up';
import { failoverText, measureFailover } from './faults/failover';
import { measureRestart, restartText } from './faults/restart';
import { measureProjection, type ProjectionFigures, projectionText } from './projection/measure';
import { machine, type Report, reportText } from './report';

const DEFAULT_SECONDS = 6;
const QUICK_SECONDS = 1;
const CATCH_UP_SECONDS = 15;
const CATCH_UP_PATIENCE = 1_800;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

interface Options {
  readonly quick: boolean;
  readonly seconds?: string;
  readonly json: boolean;
  readonly nodes: string;
  readonly accounts: string;
  readonly database: string;
}

/** What the command line asks for, as a text to be printed. */
function parse(): (signal: AbortSignal) => Promise<string> {
  let chosen: ((signal: AbortSignal) => Promise<string>) | undefined;
  const does =
    <T>(run: (options: T, signal: AbortSignal) => Promise<string>) =>
    (options: T): void => {
      chosen = (signal) => run(options, signal);
    };
  const program = new Command('scripts/bench')
    .description('Measures this machine, then a cluster of one node and one of three nodes on it.')
    .option('--quick', `${QUICK_SECONDS} s a step: does it work, not how fast`, false)
    .option('--seconds <n>', `seconds a step (default: ${DEFAULT_SECONDS})`)
    .option('--json', 'the report as one JSON document', false)
    .option('--nodes <n,...>', 'sizes of the clusters to measure', '1,3')
    .option('--accounts <n>', 'accounts that money moves between', '1000')
    .option('--database <off|embedded|url>', 'the projection of every node', 'off')
    .allowExcessArguments(false)
    .exitOverride()
    .action(does(suite));
  program
    .command('failover')
    .description('how long no write is acknowledged when the leader of three nodes is taken away')
    .option('--kills <n>', 'leaders ended by SIGKILL', '50')
    .option('--stops <n>', 'leaders ended by SIGTERM', '50')
    .action(does(failover));
  program
    .command('catch-up')
    .description('how a node comes back that was away while the log grew, and what the others notice')
    .option('--gigabytes <n>', 'GB by which the log grows meanwhile', '10')
    .option('--nice <n>', 'priority of the node that comes back, 0 to 19: 19 is as if it had a machine of its own', '0')
    .option('--transfers <n>', 'transfers in the state, which make the snapshot large', '2000000')
    .action(does(catchUp));
  program
    .command('restart')
    .description('how long a node needs to start again')
    .option('--transfers <n>', 'transfers in its log', '10000000')
    .option('--starts <n>', 'starts of each kind', '3')
    .action(does(restart));
  program
    .command('projection')
    .description('how fast rows are written, made anew and read, in the embedded Postgres and in a server')
    .option('--transfers <n>', 'rows', '1000000')
    .option('--wallets <n>', 'accounts that they are between', '10000')
    .option('--reads <n>', 'balances of the past that are asked for, of each kind', '2000')
    .option('--ids <v7|random>', 'ids in the order of time, as clients make them, or spread over all there are', 'v7')
    .option('--postgres <url>', 'a database whose schema "ledger" is of no use to anybody')
    .option('--embedded-transfers <n>', 'rows of the embedded Postgres, where that is to have fewer')
    .option('--no-embedded', 'the server alone')
    .option('--replay', 'after it, how fast a node applies its log anew, as of `restart`', false)
    .action(does(projection));
  program.parse(process.argv);
  if (!chosen) throw new CommanderError(EXIT_USAGE, 'bench', 'nothing was asked for; see --help');
  return chosen;
}

function whole(name: string, value: string, low: number, high: number): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= low && number <= high) return number;
  throw usage(name, value, `a whole number from ${low} to ${high}`);
}

function usage(name: string, value: string, expected: string): CommanderError {
  return new CommanderError(EXIT_USAGE, 'bench', `${name}: "${value}" is not ${expected}`);
}

async function measure(options: Options, signal: AbortSignal): Promise<Report> {
  const secondsPerStep = options.quick
    ? QUICK_SECONDS
    : whole('--seconds', options.seconds ?? String(DEFAULT_SECONDS), 1, 3600);
  const accounts = whole('--accounts', options.accounts, 2, 1_000_000);
  const sizes = options.nodes.split(',').map((size) => whole('--nodes', size.trim(), 1, 9));
  const { database } = options;
  onStep('disk');
  const ceilingSeconds = Math.min(secondsPerStep, 3);
  const folder = mkdtempSync(join(tmpdir(), 'ledger-bench-'));
  const disk = await measureDisk(folder, ceilingSeconds, signal).finally(() => rmSync(folder, { recursive: true }));
  onStep('gRPC');
  const grpc = await measureGrpc(ceilingSeconds, signal);
  const clusters: ClusterRun[] = [];
  for (const nodes of sizes) {
    if (signal.aborted) break;
    clusters.push(await runCluster({ nodes, seconds: secondsPerStep, accounts, database, signal, onStep }));
  }
  return { machine: machine(), database, secondsPerStep, disk, grpc, clusters };
}

async function suite(options: Options, signal: AbortSignal): Promise<string> {
  const report = await measure(options, signal);
  return options.json ? JSON.stringify(report) : reportText(report);
}

async function failover(options: { kills: string; stops: string }, signal: AbortSignal): Promise<string> {
  const kills = whole('--kills', options.kills, 0, 1_000);
  const stops = whole('--stops', options.stops, 0, 1_000);
  return failoverText(await measureFailover({ kills, stops, signal, onStep }));
}

async function catchUp(
  options: { gigabytes: string; transfers: string; nice: string },
  signal: AbortSignal,
): Promise<string> {
  const gigabytes = whole('--gigabytes', options.gigabytes, 1, 1_000);
  const transfers = whole('--transfers', options.transfers, 1, 100_000_000);
  const limits = { seconds: CATCH_UP_SECONDS, patienceSeconds: CATCH_UP_PATIENCE };
  const nice = whole('--nice', options.nice, 0, 19);
  return catchUpText(await measureCatchUp({ gigabytes, transfers, nice, ...limits, signal, onStep }), gigabytes);
}

async function restart(options: { transfers: string; starts: string }, signal: AbortSignal): Promise<string> {
  const transfers = whole('--transfers', options.transfers, 1, 100_000_000);
  const starts = whole('--starts', options.starts, 1, 20);
  return restartText(await measureRestart({ transfers, starts, signal, onStep }), transfers);
}

interface ProjectionOptions {
  readonly transfers: string;
  readonly wallets: string;
  readonly reads: string;
  readonly ids: string;
  readonly postgres?: string;
  readonly embeddedTransfers?: string;
  readonly embedded: boolean;
  readonly replay: boolean;
}

async function projection(options: ProjectionOptions, signal: AbortSignal): Promise<string> {
  const transfers = whole('--transfers', options.transfers, 1_000, 100_000_000);
  const embeddedTransfers = whole(
    '--embedded-transfers',
    options.embeddedTransfers ?? options.transfers,
    1_000,
    transfers,
  );
  const accounts = whole('--wallets', options.wallets, 2, 1_000_000);
  const reads = whole('--reads', options.reads, 1, 1_000_000);
  const { ids, postgres: url } = options;
  if (ids !== 'v7' && ids !== 'random') throw usage('--ids', ids, 'v7 or random');
  const common = { accounts, ids, reads, signal, onStep } as const;
  const figures: ProjectionFigures[] = [];
  if (options.embedded)
    figures.push(await measureProjection({ ...common, transfers: embeddedTransfers, url: undefined }));
  if (url) figures.push(await measureProjection({ ...common, transfers, url }));
  const text = projectionText(figures, { accounts, ids });
  if (!options.replay) return text;
  return `${text}\n${restartText(await measureRestart({ transfers, starts: 1, signal, onStep }), transfers)}`;
}

function onStep(name: string): void {
  process.stderr.write(`${name} …\n`);
}

async function main(): Promise<number> {
  const interrupted = new AbortController();
  // Ends the step under way, then the processes; the nodes get the signal of the terminal, too.
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  try {
    const text = await parse()(interrupted.signal);
    if (interrupted.signal.aborted) return EXIT_INTERRUPTED;
    process.stdout.write(`${text}\n`);
    return 0;
  } catch (error) {
    if (interrupted.signal.aborted) return EXIT_INTERRUPTED;
    if (error instanceof CommanderError) {
      if (error.code === 'bench') process.stderr.write(`scripts/bench: ${error.message}\n`);
      return error.exitCode === 0 ? 0 : EXIT_USAGE;
    }
    throw error;
  }
}

void main().then((status) => (process.exitCode = status));
