import type { FileOperation } from '../support/faulty-files';
import { Aim } from './aim';
import type { SimNode } from './sim-node';
import { MILLISECOND } from './virtual-time';

/** Whether a machine is to fail right before this operation on its disk. */
type Moment = (operation: FileOperation, path: string, node: SimNode) => boolean;

const SEGMENT = /\.log$/;
const PATIENCE_MILLIS = 3_000;

/**
 * Failures at the moments at which they hurt, which chance alone seldom hits: between a write and its sync, between two
 * changes of names, in the middle of an installation. The program is back at once, before the others have noticed.
 */
export class Ambushes extends Aim {
  private active = true;

  heal(): void {
    this.active = false;
    for (const node of this.targets.nodes) node.ambush = undefined;
  }

  lay(): void {
    const node = this.victim();
    if (node) this.layAt(node, this.drawMoment());
  }

  /** While it puts a snapshot of the leader in the place of its state and its log. */
  layAtInstallation(node: SimNode): void {
    let countdown = 1 + this.random.below(16);
    this.layAt(node, (operation, _path, { running }) => {
      if (operation === 'read' || !running?.replica.status().installingSnapshot) return false;
      countdown -= 1;
      return countdown <= 0;
    });
  }

  /** Between the removals of two segments of its log. */
  layAtRemoval(node: SimNode): void {
    this.layAt(node, (operation, path) => operation === 'unlink' && SEGMENT.test(path) && this.random.chance(0.4));
  }

  private layAt(node: SimNode, moment: Moment): void {
    if (!node.ambush) this.arm(node, moment, () => this.strike(node, moment));
  }

  private arm(node: SimNode, moment: Moment, strike: () => void): void {
    const ambush = (operation: FileOperation, path: string): boolean => {
      if (!moment(operation, path, node)) return false;
      this.report(node.name, 'struck at a bad moment');
      this.targets.trace.add(node.name, `is struck before the ${operation} of ${path}`);
      strike();
      return true;
    };
    node.ambush = ambush;
    this.targets.time.after(PATIENCE_MILLIS * MILLISECOND, () => {
      if (node.ambush === ambush) node.ambush = undefined;
    });
  }

  /** A machine that stays away so long that the others go on without it, and it needs a snapshot when it is back. */
  stayAway(): void {
    const { nodes, time } = this.targets;
    if (nodes.some(({ awayUntil }) => awayUntil > time.now)) return;
    const node = this.any(this.up);
    if (!node) return;
    this.report(node.name, 'away for long');
    node.losePower('nothing');
    node.awayUntil = time.now + (1_500 + this.random.below(4_000)) * MILLISECOND;
  }

  private drawMoment(): Moment {
    let countdown = 1 + this.random.below(200);
    const unsynced: Moment = (operation, path) => operation === 'datasync' && SEGMENT.test(path);
    // The log is written all the time, so most of what hurts happens there.
    const moments: readonly Moment[] = [
      unsynced,
      unsynced,
      unsynced,
      (operation, path) => operation === 'datasync' && path.endsWith('/vote'),
      (operation, path) => operation === 'unlink' && SEGMENT.test(path) && this.random.chance(0.5),
      (operation, path) => operation !== 'read' && path.includes('/snapshots') && this.random.chance(0.2),
      (_operation, _path, { running }) =>
        running?.replica.status().installingSnapshot === true && this.random.chance(0.1),
      () => (countdown -= 1) <= 0,
    ];
    return this.any(moments)!;
  }

  private strike(node: SimNode, moment: Moment): void {
    if (this.random.chance(0.5)) {
      node.losePower(this.random);
      this.bootSoon(node);
      return;
    }
    // What the killed process has written is there for the next one to see, and then it is gone.
    node.kill();
    const again = (): void => {
      node.losePower('nothing');
      this.bootSoon(node);
    };
    const sameMoment = this.random.chance(0.6);
    this.bootSoon(node, () => {
      if (sameMoment) this.arm(node, moment, again);
    });
    if (sameMoment) return;
    this.targets.time.after(this.random.below(200 * MILLISECOND), () => {
      if (this.active && node.life) again();
    });
  }

  private bootSoon(node: SimNode, booted: () => void = () => undefined): void {
    this.targets.time.after(this.random.below(10 * MILLISECOND), () => {
      if (!this.active || node.life || node.duty === 'spare') return;
      node.boot();
      booted();
    });
  }
}
