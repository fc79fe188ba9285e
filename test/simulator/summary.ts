import { FaultCounts } from './fault-counts';
import type { SeedReport } from './seed-run';

/** Totals over all seeds that were clean. */
export class Summary {
  private readonly faults = new FaultCounts();
  private readonly totals = new FaultCounts();
  private seconds = 0;
  private failed = 0;

  add({ faults, seconds, events, elections, membershipChanges, committed, history }: SeedReport): void {
    for (const [kind, times] of faults) this.faults.add(kind, times);
    this.seconds += seconds;
    this.totals.add('seeds');
    this.totals.add('events', events);
    this.totals.add('elections', elections);
    this.totals.add('configurations', membershipChanges);
    this.totals.add('committed batches', committed);
    this.totals.add('transfers', history.transfers);
    this.totals.add('acknowledged transfers', history.acknowledged);
    this.totals.add('transfers in doubt at some time', history.doubtful);
    this.totals.add('transfers done by the client of all kinds', history.kinds);
    this.totals.add('linearizable reads', history.reads);
    this.totals.add('accounts whose history was too long to decide', history.undecidedAccounts);
  }

  addFailure(): void {
    this.failed += 1;
  }

  text(): string {
    const verdict = this.failed === 0 ? 'clean' : `${this.failed} seeds found something; of the others`;
    const lines = [`${verdict}; ${(this.seconds / 3600).toFixed(2)} simulated hours`];
    for (const [what, times] of this.totals.entries()) lines.push(`  ${times} ${what}`);
    lines.push('faults:');
    for (const [kind, times] of this.faults.entries()) lines.push(`  ${times} ${kind}`);
    return `${lines.join('\n')}\n`;
  }
}
