import { Aim } from './aim';
import type { SimNode } from './sim-node';
import { MILLISECOND, SECOND } from './virtual-time';

const STALLED_MICROS = 1.5 * SECOND;
const USUAL_MICROS = 300;
const STEP_MILLIS = 900;
const LOOK_MICROS = 100;

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
export class Seesaw extends Aim {
  /** Nothing else is to happen meanwhile. */
  playing = false;

  start(): void {
    const cast = this.cast();
    if (this.playing || !cast) return;
    this.playing = true;
    this.report(cast.first.name, 'seesaw of two leaders');
    cast.torn.diskMicros = STALLED_MICROS;
    void this.play(cast).finally(() => {
      cast.torn.diskMicros = USUAL_MICROS;
      this.targets.network.mend();
      this.playing = false;
    });
  }

  private cast(): Cast | undefined {
    const [first, ...more] = this.leaders();
    if (!first || more.length > 0) return undefined;
    const { voters } = first.running!.replica.status().configuration;
    const present = this.up.filter(({ id, life, running }) => running && !life?.isPaused && voters.includes(id));
    if (voters.length < 5 || present.length < voters.length) return undefined;
    const others = present.filter((node) => node !== first);
    const torn = this.any(others)!;
    return { first, torn, others: others.filter((node) => node !== torn) };
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
    const leads = (node: SimNode): boolean => node.running?.replica.status().role === 'leader';
    if (!(await this.until(() => others.some(leads)))) return;
    const second = others.find(leads)!;
    this.targets.trace.add(second.name, 'is the second leader');
    const rest = others.filter((node) => node !== second);
    this.group([[first], [second, torn], rest]);
    if (!(await this.until(() => torn.running?.storage.log.termAt(index) !== term))) return;
    this.targets.trace.add(torn.name, 'holds what the second leader wrote');
    this.group([[first, ...rest], [second], [torn]]);
    const newer = second.running?.replica.status().term ?? Infinity;
    if (!(await this.until(() => leads(first) && first.running!.replica.status().term > newer))) return;
    this.targets.trace.add(first.name, 'leads again');
    this.group([[first, torn, ...rest], [second]]);
    await this.until(() => torn.running?.storage.log.termAt(index) === term);
    await this.targets.time.sleep(2 * STALLED_MICROS);
  }

  /** Those of one group hear each other, and nobody else does. */
  private group(groups: readonly (readonly SimNode[])[]): void {
    const { network } = this.targets;
    network.mend();
    for (const [at, group] of groups.entries()) {
      for (const one of group) {
        for (const other of groups.filter((_, there) => there !== at).flat()) network.cutLink(one.name, other.name);
      }
    }
  }

  /** @returns whether it came true in time */
  private async until(came: () => boolean): Promise<boolean> {
    const deadline = this.targets.time.now + STEP_MILLIS * MILLISECOND;
    while (!came()) {
      if (!this.playing || this.targets.time.now > deadline) return false;
      await this.targets.time.sleep(LOOK_MICROS);
    }
    return true;
  }
}
