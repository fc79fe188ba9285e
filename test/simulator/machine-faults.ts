import { Aim } from './aim';
import type { SimNode } from './sim-node';
import { MILLISECOND, SECOND } from './virtual-time';

const USUAL_DISK_MICROS = 300;
const MOST_SKEW_MICROS = 4_000_000;
const MOST_ROOM_ON_FULL_DISK = 2 * 1024 * 1024;
const LONGEST_FULL = 4 * SECOND;

/** What goes wrong with a machine or its process, and what its operator may ask of it. */
export class MachineFaults extends Aim {
  private active = true;

  /** Clocks and disks are as they should be, and whoever was paused goes on. */
  heal(): void {
    this.active = false;
    for (const node of this.inService) {
      node.skewMicros = 0;
      node.diskMicros = USUAL_DISK_MICROS;
      node.failNextSync = false;
      node.disk.capacityBytes = Infinity;
      if (!node.lastWriteLost) node.disk.astray = undefined;
      node.life?.resume();
    }
  }

  /** A crash and an immediate restart: the node is back before the others have a new leader, or in the middle of it. */
  bounce(): void {
    const node = this.victim();
    if (!node) return;
    this.report(node.name, 'crash and restart');
    if (this.random.chance(0.5)) node.kill();
    else node.losePower(this.random);
    this.targets.time.after(this.random.below(150 * MILLISECOND), () => {
      if (this.active && !node.life && node.duty !== 'spare') node.boot();
    });
  }

  killProcess(): void {
    const node = this.victim();
    node?.kill();
    if (node) this.report(node.name, 'process killed');
  }

  losePower(): void {
    const node = this.victim();
    if (!node) return;
    this.report(node.name, 'power lost');
    node.losePower(this.random.chance(0.3) ? 'nothing' : this.random);
  }

  losePowerEverywhere(): void {
    this.report('world', 'power lost everywhere');
    for (const node of this.up) node.losePower(this.random.chance(0.5) ? 'nothing' : this.random);
  }

  /** @param start how a process is started */
  restart(start: (node: SimNode) => void): void {
    const node = this.any(this.inService.filter(({ life, awayUntil }) => !life && awayUntil <= this.targets.time.now));
    if (node) start(node);
  }

  pause(): void {
    const node = this.victim();
    if (!node?.life || node.life.isPaused) return;
    node.life.pause();
    this.report(node.name, 'process paused');
  }

  resume(): void {
    const node = this.any(this.up.filter(({ life }) => life?.isPaused));
    if (!node) return;
    this.targets.trace.add(node.name, 'resumes');
    node.life?.resume();
  }

  skewClock(): void {
    const node = this.any(this.inService)!;
    node.skewMicros = this.random.below(2 * MOST_SKEW_MICROS) - MOST_SKEW_MICROS;
    this.report(node.name, 'clock set');
  }

  slowDisk(): void {
    const node = this.any(this.inService)!;
    node.diskMicros = this.random.chance(0.5) ? USUAL_DISK_MICROS : 1 + this.random.below(60 * MILLISECOND);
    this.report(node.name, 'disk speed');
  }

  /** Now and then not a byte is left, mostly less than what a node holds back. */
  fillDisk(): void {
    const node = this.any(this.inService);
    if (!node) return;
    const room = this.random.chance(0.3) ? 0 : this.random.below(MOST_ROOM_ON_FULL_DISK);
    node.disk.capacityBytes = node.disk.usedBytes + room;
    this.report(node.name, 'disk full');
    this.targets.time.after(this.random.below(LONGEST_FULL), () => (node.disk.capacityBytes = Infinity));
  }

  /** Counted when it happens. */
  failSync(): void {
    const node = this.any(this.up);
    if (node) node.failNextSync = true;
  }

  handOver(): void {
    const leader = this.any(this.leaders());
    const target = this.any(this.inService);
    if (!leader?.running || !target || leader === target || leader.life?.isPaused) return;
    this.report(leader.name, 'leadership handed over');
    leader.running.replica.transferLeadership(target.id);
  }

  takeSnapshot(): void {
    const node = this.any(this.up);
    if (!node?.running || node.life?.isPaused || node.running.replica.appliedIndex === 0) return;
    this.report(node.name, 'snapshot taken');
    node.running.storage.snapshotter.take().catch(() => undefined);
  }
}
