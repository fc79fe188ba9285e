/** The counters that a measurement is set beside, read from Prometheus' text format. */
export interface Counters {
  readonly fsyncs: number;
  readonly batches: number;
}

export function countersIn(metrics: string): Counters {
  return {
    fsyncs: sumOf(metrics, 'ledger_log_fsyncs_total'),
    batches: sumOf(metrics, 'ledger_log_batches_total'),
  };
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
