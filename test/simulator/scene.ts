import { Aim } from './aim';
import type { SimNode } from './sim-node';
import { MILLISECOND } from './virtual-time';

const STEP_MILLIS = 900;
const LOOK_MICROS = 100;

/**
 * A special situation that chance alone hardly ever brings about, so it is played step by step: each step waits until the
 * program has come so far, and the play ends where it does not.
 */
export abstract class Scene extends Aim {
  /** Nothing else is to happen meanwhile. */
  playing = false;

  /** @returns whether there is what it takes */
  start(): boolean {
    if (this.playing) return false;
    const play = this.prepare();
    if (!play) return false;
    this.playing = true;
    void play().finally(() => {
      this.clear();
      // Whoever has ended the play has mended the links, and may have cut others since.
      if (this.playing) this.targets.network.mend();
      this.playing = false;
    });
    return true;
  }

  /** Chooses who plays which part. @returns the play; undefined where somebody is missing */
  protected abstract prepare(): (() => Promise<void>) | undefined;

  /** Puts back what a play has changed beside the links. */
  protected clear(): void {
    // Most plays change nothing else.
  }

  /** The only leader, with all who vote by its configuration, where each of them is up. */
  protected wholeCluster(): { readonly leader: SimNode; readonly voters: readonly SimNode[] } | undefined {
    const [leader, ...more] = this.leaders();
    if (!leader || more.length > 0) return undefined;
    const { voters: ids, votersOutgoing } = leader.running!.replica.status().configuration;
    const voters = this.up.filter(({ id, life, running }) => running && !life?.isPaused && ids.includes(id));
    if (!voters.includes(leader) || voters.length < ids.length || votersOutgoing.length > 0) return undefined;
    return { leader, voters };
  }

  protected leads({ running }: SimNode): boolean {
    return running?.replica.status().role === 'leader';
  }

  /** Those of one group hear each other, and nobody else does. */
  protected group(groups: readonly (readonly SimNode[])[]): void {
    const { network } = this.targets;
    network.mend();
    for (const [at, group] of groups.entries()) {
      for (const one of group) {
        for (const other of groups.filter((_, there) => there !== at).flat()) network.cutLink(one.name, other.name);
      }
    }
  }

  /** @returns whether it came true in time */
  protected async until(came: () => boolean): Promise<boolean> {
    const deadline = this.targets.time.now + STEP_MILLIS * MILLISECOND;
    while (!came()) {
      if (!this.playing || this.targets.time.now > deadline) return false;
      await this.targets.time.sleep(LOOK_MICROS);
    }
    return true;
  }
}
