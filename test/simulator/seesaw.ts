import { Scene } from './scene';
import type { SimNode } from './sim-node';
import { SECOND } from './virtual-time';

const STALLED_MICROS = 1.5 * SECOND;
const USUAL_MICROS = 300;

/** Who plays which part. */
interface Cast {
  /** Leads first and third. */
  readonly first: SimNode;
  /** Gets what the leaders write, while its own disk has not written any of it yet. */
  readonly torn: SimNode;
  readonly others: readonly SimNode[];
}

/**
 * Figure 3.7 of the dissertation, with a disk that is slow: two leaders by turns replace each other's uncommitted entries
 * in the log of one follower, so that the first entry comes back while the write of its first time is still under way.
 */
export class Seesaw extends Scene {
  private torn: SimNode | undefined;

  protected prepare(): (() => Promise<void>) | undefined {
    const cluster = this.wholeCluster();
    if (!cluster || cluster.voters.length < 5) return undefined;
    const { leader: first, voters } = cluster;
    const torn = this.any(voters.filter((node) => node !== first))!;
    const others = voters.filter((node) => node !== first && node !== torn);
    this.report(first.name, 'seesaw of two leaders');
    this.torn = torn;
    torn.diskMicros = STALLED_MICROS;
    return () => this.play({ first, torn, others });
  }

  protected override clear(): void {
    if (this.torn) this.torn.diskMicros = USUAL_MICROS;
  }

  private async play({ first, torn, others }: Cast): Promise<void> {
    const end = (): number => torn.running?.storage.log.lastIndex ?? 0;
    const before = end();
    this.group([[first, torn], others]);
    if (!(await this.until(() => end() > before))) return;
    this.targets.trace.add(torn.name, 'is torn: it holds what the first leader wrote');
    const index = before + 1;
    const term = torn.running!.storage.log.termAt(index);
    this.group([[first], [torn], others]);
    if (!(await this.until(() => others.some((node) => this.leads(node))))) return;
    const second = others.find((node) => this.leads(node))!;
    this.targets.trace.add(second.name, 'is the second leader');
    const rest = others.filter((node) => node !== second);
    this.group([[first], [second, torn], rest]);
    if (!(await this.until(() => torn.running?.storage.log.termAt(index) !== term))) return;
    this.targets.trace.add(torn.name, 'holds what the second leader wrote');
    this.group([[first, ...rest], [second], [torn]]);
    const newer = second.running?.replica.status().term ?? Infinity;
    if (!(await this.until(() => this.leads(first) && first.running!.replica.status().term > newer))) return;
    this.targets.trace.add(first.name, 'leads again');
    this.group([[first, torn, ...rest], [second]]);
    await this.until(() => torn.running?.storage.log.termAt(index) === term);
    await this.targets.time.sleep(2 * STALLED_MICROS);
  }
}
