/** The counters that a measurement is set beside, read from Prometheus' text format. */
export interface Counters {
  /** Of the leader. */
  readonly fsyncs: number;
  readonly batches: number;
  /** Seconds of processor time that all nodes together have used. */
  readonly serverCpuSeconds: number;
}

/** @param leader the text of the leader's /metrics @param all those of all nodes, the leader's included */
export function countersIn(leader: string, all: readonly string[]): Counters {
  return {
    fsyncs: sumOf(leader, 'ledger_log_fsyncs_total'),
    batches: sumOf(leader, 'ledger_log_batches_total'),
    serverCpuSeconds: all.reduce((sum, metrics) => sum + sumOf(metrics, 'process_cpu_seconds_total'), 0),
  };
}

/** The sum of a metric over all its labels; NaN where the text does not hold it. */
export function valueOf(metrics: string, name: string): number {
  return metrics.includes(`\n${name}`) ? sumOf(metrics, name) : Number.NaN;
}

/** Over all label values: every group counts. */
function sumOf(metrics: string, name: string): number {
  let sum = 0;
  for (const line of metrics.split('\n')) {
    if (!line.startsWith(name)) continue;
    const rest = line.slice(name.length);
    if (rest.startsWith('{') || rest.startsWith(' ')) sum += Number(rest.slice(rest.lastIndexOf(' ')));
  }
  return sum;
}
