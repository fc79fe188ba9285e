import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';

/** What the metrics are read from; every figure is asked for when it is scraped, the hot path counts plain numbers. */
export interface MetricsSource {
  groups(): readonly GroupMetrics[];
  transferResults(): ReadonlyMap<string, number>;
  accounts(): number;
  projectionLagRecords(): number;
  /** Undefined before the node has opened its storage. */
  disk(): { readonly full: boolean; readonly freeBytes: number } | undefined;
}

export interface GroupMetrics {
  readonly group: number;
  readonly fsyncs: number;
  readonly batches: number;
  readonly bytes: number;
  readonly segments: number;
  readonly term: number;
  readonly isLeader: boolean;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly lastIndex: number;
  readonly nextOffset: number;
  readonly snapshotIndex: number;
  readonly queuedBytes: number;
  readonly damage: number;
  readonly diverged: number;
  readonly comparedIndex: number;
  readonly idsInMemory: number;
  readonly extrasInMemory: number;
}

type Figure = Exclude<keyof GroupMetrics, 'group'>;

const COUNTERS: readonly [Figure, string, string][] = [
  ['fsyncs', 'ledger_log_fsyncs_total', 'Times the log made appended batches durable (fdatasync).'],
  ['batches', 'ledger_log_batches_total', 'Batches appended to the log.'],
  ['bytes', 'ledger_log_bytes_total', 'Bytes of batches appended to the log.'],
  ['damage', 'ledger_log_damage_total', 'Damaged places found in the log since the node started.'],
];

const GAUGES: readonly [Figure, string, string][] = [
  ['segments', 'ledger_log_segments', 'Segment files of the log.'],
  ['term', 'ledger_raft_term', 'Current Raft term.'],
  ['isLeader', 'ledger_raft_is_leader', '1 on the leader.'],
  ['commitIndex', 'ledger_raft_commit_index', 'Highest Raft index known to be committed.'],
  ['appliedIndex', 'ledger_raft_applied_index', 'Highest Raft index applied to the ledger.'],
  ['lastIndex', 'ledger_raft_last_index', 'Last Raft index in the log.'],
  ['nextOffset', 'ledger_log_next_offset', 'Offset that the next record will take.'],
  ['snapshotIndex', 'ledger_raft_snapshot_index', 'Raft index of the newest snapshot.'],
  ['diverged', 'ledger_state_diverged', '1 once the state was not that of the majority: this node serves nothing.'],
  [
    'comparedIndex',
    'ledger_state_compared_index',
    'Highest Raft index at which the state was compared with the peers.',
  ],
  ['idsInMemory', 'ledger_ids_in_memory', 'Ids whose rows are in memory; the others are in runs on the disk.'],
  ['extrasInMemory', 'ledger_id_extras_bytes', 'Bytes of text ids, metadata and references in memory.'],
  ['queuedBytes', 'ledger_proposals_queued_bytes', 'Bytes of writes that wait to be proposed.'],
];

/** Prometheus text of one node. */
export class NodeMetrics {
  private readonly registry = new Registry();

  constructor(source: MetricsSource) {
    collectDefaultMetrics({ register: this.registry });
    this.addDisk(source);
    for (const [figure, name, help] of COUNTERS) this.addCounter(source, figure, name, help);
    for (const [figure, name, help] of GAUGES) this.addGauge(source, figure, name, help);
    this.registry.registerMetric(
      new Counter({
        name: 'ledger_transfers_total',
        help: 'Transfers applied by this node since it started, by result.',
        labelNames: ['result'],
        registers: [],
        collect() {
          this.reset();
          for (const [result, count] of source.transferResults()) this.inc({ result }, count);
        },
      }),
    );
    this.registry.registerMetric(
      new Gauge({
        name: 'ledger_accounts',
        help: 'Accounts in the ledger.',
        registers: [],
        collect() {
          this.set(source.accounts());
        },
      }),
    );
    this.registry.registerMetric(
      new Gauge({
        name: 'ledger_projection_lag_records',
        help: 'Records applied by this node and not yet in its database.',
        registers: [],
        collect() {
          this.set(source.projectionLagRecords());
        },
      }),
    );
  }

  private addDisk(source: MetricsSource): void {
    const figures: readonly [string, string, (disk: { full: boolean; freeBytes: number }) => number][] = [
      ['ledger_disk_full', '1 while the disk has no room: no writes are taken.', ({ full }) => Number(full)],
      ['ledger_disk_free_bytes', 'Bytes that are free on the disk of the data directory.', (disk) => disk.freeBytes],
    ];
    for (const [name, help, figure] of figures) {
      const gauge = new Gauge({
        name,
        help,
        registers: [],
        collect() {
          const disk = source.disk();
          // Nothing is known before storage is open, and a zero would be an alarm.
          this.remove();
          if (disk) this.set(figure(disk));
        },
      });
      this.registry.registerMetric(gauge);
    }
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  private addCounter(source: MetricsSource, figure: Figure, name: string, help: string): void {
    const counter = new Counter({
      name,
      help,
      labelNames: ['group'],
      registers: [],
      collect() {
        this.reset();
        for (const group of source.groups()) this.inc({ group: String(group.group) }, Number(group[figure]));
      },
    });
    this.registry.registerMetric(counter);
  }

  private addGauge(source: MetricsSource, figure: Figure, name: string, help: string): void {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['group'],
      registers: [],
      collect() {
        for (const group of source.groups()) this.set({ group: String(group.group) }, Number(group[figure]));
      },
    });
    this.registry.registerMetric(gauge);
  }
}
