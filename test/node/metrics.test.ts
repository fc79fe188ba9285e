import { NodeMetrics, type GroupMetrics, type MetricsSource } from '../../src/node/metrics';

const GROUP: GroupMetrics = {
  group: 0,
  fsyncs: 5,
  batches: 12,
  bytes: 4096,
  segments: 2,
  term: 3,
  isLeader: true,
  commitIndex: 12,
  appliedIndex: 11,
  lastIndex: 13,
  nextOffset: 40,
  snapshotIndex: 7,
  queuedBytes: 99,
  damage: 3,
  diverged: 1,
  comparedIndex: 512,
  idsInMemory: 31,
  extrasInMemory: 1024,
};

class Source implements MetricsSource {
  now: readonly GroupMetrics[] = [GROUP];
  results = new Map([['ok', 4]]);
  groups = (): readonly GroupMetrics[] => this.now;
  transferResults = (): ReadonlyMap<string, number> => this.results;
  accounts = (): number => 6;
  projectionLagRecords = (): number => 8;
  room: { full: boolean; freeBytes: number } | undefined = { full: true, freeBytes: 77 };
  disk = (): { full: boolean; freeBytes: number } | undefined => this.room;
}

/** Prometheus text exposition format 0.0.4: the samples by name and labels. */
function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{[^}]*\})?) (\S+)$/.exec(line);
    if (!match) throw new Error(`"${line}" is no sample.`);
    samples.set(match[1] as string, Number(match[2]));
  }
  return samples;
}

describe('NodeMetrics', () => {
  const source = new Source();
  const metrics = new NodeMetrics(source);

  test('has the names of the contract, each with its value', async () => {
    const samples = samplesOf(await metrics.text());
    const expected: Record<string, number> = {
      'ledger_log_fsyncs_total{group="0"}': 5,
      'ledger_log_batches_total{group="0"}': 12,
      'ledger_log_bytes_total{group="0"}': 4096,
      'ledger_log_damage_total{group="0"}': 3,
      'ledger_log_segments{group="0"}': 2,
      'ledger_log_next_offset{group="0"}': 40,
      'ledger_raft_term{group="0"}': 3,
      'ledger_raft_is_leader{group="0"}': 1,
      'ledger_raft_commit_index{group="0"}': 12,
      'ledger_raft_applied_index{group="0"}': 11,
      'ledger_raft_last_index{group="0"}': 13,
      'ledger_raft_snapshot_index{group="0"}': 7,
      'ledger_proposals_queued_bytes{group="0"}': 99,
      'ledger_transfers_total{result="ok"}': 4,
      'ledger_ids_in_memory{group="0"}': 31,
      'ledger_id_extras_bytes{group="0"}': 1024,
      ledger_accounts: 6,
      ledger_disk_full: 1,
      ledger_disk_free_bytes: 77,
      ledger_projection_lag_records: 8,
    };
    for (const [name, value] of Object.entries(expected)) expect([name, samples.get(name)]).toEqual([name, value]);
  });

  test('says of each what it is, and of which type', async () => {
    const text = await metrics.text();
    for (const name of new Set(text.match(/^ledger_[a-z_]+/gm))) {
      expect(text).toMatch(new RegExp(`^# HELP ${name} \\S.*\\.$`, 'm'));
      expect(text).toContain(`# TYPE ${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}\n`);
    }
  });

  test('is read anew at each scrape, and never added up', async () => {
    source.now = [{ ...GROUP, fsyncs: 6, isLeader: false }];
    source.results = new Map([
      ['ok', 5],
      ['insufficient_funds', 1],
    ]);
    for (let scrape = 0; scrape < 2; scrape += 1) {
      const samples = samplesOf(await metrics.text());
      expect(samples.get('ledger_log_fsyncs_total{group="0"}')).toBe(6);
      expect(samples.get('ledger_raft_is_leader{group="0"}')).toBe(0);
      expect(samples.get('ledger_transfers_total{result="ok"}')).toBe(5);
      expect(samples.get('ledger_transfers_total{result="insufficient_funds"}')).toBe(1);
    }
  });

  test('two nodes in one process count apart, and one without a group has no figures of one', async () => {
    const empty = new Source();
    empty.now = [];
    const text = await new NodeMetrics(empty).text();
    expect(text).not.toMatch(/^ledger_raft_term\{/m);
    expect(samplesOf(text).get('ledger_transfers_total{result="ok"}')).toBe(4);
  });

  test('the process itself is measured, too', async () => {
    expect([...samplesOf(await metrics.text()).keys()]).toEqual(
      expect.arrayContaining(['process_resident_memory_bytes', 'nodejs_eventloop_lag_seconds']),
    );
  });
});
