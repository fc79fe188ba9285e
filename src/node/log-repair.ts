import { readHeader } from '../log/batch';
import { endAfter } from '../log/continuity';
import type { FileSystem } from '../log/files';
import { LogDamageError, type LogDamage } from '../log/log-errors';
import { repairSegment, RepairRefusedError } from '../log/segment-repair';
import type { NodeId } from '../raft/core';
import type { EventLog } from '../raft/replica/environment';
import { CallError } from '../raft/transport';
import { decodeEntries, encodeEntriesRequest, type PeerEntries } from './log-entries';
import { PEER_CALLS, PeerBodyError } from './peer-calls';

/** Who can be asked for what this node's disk has lost. */
export interface RepairPeers {
  /** Ids of the other members as far as they are known now, those that are believed to be alive first. */
  readonly peers: () => readonly NodeId[];
  /** True where neither the disk nor gossip knows of any other member, ever: nobody will come who could help. */
  readonly alone: () => boolean;
  readonly call: (to: NodeId, group: number, method: number, body: Buffer, deadlineMs: number) => Promise<Buffer>;
  /** Rejects when the node is told to stop. */
  readonly pause: (millis: number) => Promise<void>;
}

export interface LogRepairOptions {
  readonly group: number;
  /** The log's folder. */
  readonly dir: string;
  readonly files: FileSystem;
  readonly peers: RepairPeers;
  readonly events: EventLog;
}

export type Mended =
  | 'mended'
  /** Peers have answered, more than once, and what they hold does not mend it: dropped there, or another history. */
  | 'not_to_be_had';

const CALL_MILLIS = 3_000;
const PAUSE_MILLIS = { least: 100, most: 2_000 };
/**
 * In so many rounds some peer has answered before the damage is given up: what is not known to be committed now may be so
 * when the others have elected a leader, and who did not answer may do so.
 */
const ANSWERED_ROUNDS = 8;
/** Entries that one damage may take from peers; a segment holds no more. */
const MAX_ENTRIES = 1_000_000;

/** Mends one damaged place of a log that is not open, with entries of the peers. Waits as long as no peer answers. */
export class LogRepair {
  constructor(private readonly options: LogRepairOptions) {}

  /** Rejects when the node is told to stop, and with what the file system rejects with. */
  async mend(damage: LogDamage): Promise<Mended> {
    const { peers, events } = this.options;
    let pause = PAUSE_MILLIS.least;
    for (let answered = 0; answered < ANSWERED_ROUNDS;) {
      const asked = peers.peers();
      let someone = false;
      for (const peer of asked) {
        const outcome = await this.mendFrom(peer, damage);
        if (outcome === 'mended') {
          events.warn({ ...damage, peer }, 'a damaged segment was mended with entries of a peer');
          return 'mended';
        }
        someone ||= outcome === 'answered';
      }
      if (someone) answered += 1;
      events.warn({ ...damage, asked, answered }, 'the log is damaged; waiting for a peer that can give the entries');
      await peers.pause(pause);
      pause = Math.min(2 * pause, PAUSE_MILLIS.most);
    }
    return 'not_to_be_had';
  }

  private async mendFrom(peer: NodeId, damage: LogDamage): Promise<'mended' | 'answered' | 'silent'> {
    const fetched = new FetchedEntries((from, to) => this.ask(peer, from, to));
    try {
      return (await this.repairWith(fetched, damage)) ? 'mended' : 'answered';
    } catch (error) {
      if (error instanceof RepairRefusedError) {
        this.options.events.warn({ ...damage, peer, err: error }, 'the entries of a peer do not mend the log');
        return 'answered';
      }
      if (!(error instanceof CallError) && !(error instanceof PeerBodyError)) throw error;
      this.options.events.debug({ peer, err: error }, 'a peer gave no entries');
      return 'silent';
    }
  }

  /** False where the peer does not hold what is missing. */
  private async repairWith(fetched: FetchedEntries, damage: LogDamage): Promise<boolean> {
    const { dir, files, group } = this.options;
    // One more in front: where the segment's header is damaged, it says what the segment continues.
    let [from, to] = [Math.max(1, damage.fromIndex - 1), damage.toIndex];
    for (;;) {
      if (!(await fetched.fetch(from, to, damage.fromIndex))) return false;
      try {
        const before = fetched.get(damage.fromIndex - 1);
        await repairSegment({
          dir,
          files,
          group,
          damage,
          batches: fetched.from(damage.fromIndex),
          ...(before && { before: endAfter(readHeader(before)) }),
          committed: fetched.commit,
        });
        return true;
      } catch (error) {
        // Further places of the same segment are damaged, too.
        if (!(error instanceof LogDamageError) || fetched.get(error.damage.fromIndex)) throw error;
        [from, to] = [error.damage.fromIndex, error.damage.toIndex];
      }
    }
  }

  private async ask(peer: NodeId, from: number, to: number): Promise<PeerEntries> {
    const { group, peers } = this.options;
    const answer = await peers.call(peer, group, PEER_CALLS.entries, encodeEntriesRequest(from, to), CALL_MILLIS);
    return decodeEntries(answer, from);
  }
}

/** What one peer has given. */
class FetchedEntries {
  commit = 0;
  private readonly held = new Map<number, Buffer>();

  constructor(private readonly ask: (from: number, to: number) => Promise<PeerEntries>) {}

  get(index: number): Buffer | undefined {
    return this.held.get(index);
  }

  from(index: number): Buffer[] {
    return [...this.held].filter(([at]) => at >= index).map(([, batch]) => batch);
  }

  /** @param needed from here on nothing may be missing. @returns whether the peer gave all of it */
  async fetch(from: number, to: number, needed: number): Promise<boolean> {
    let next = from;
    while (next <= to && this.held.size < MAX_ENTRIES) {
      const { batches, firstIndex, commit } = await this.ask(next, to);
      this.commit = Math.max(this.commit, commit);
      for (const batch of batches) this.held.set(readHeader(batch).index, batch);
      if (batches.length > 0) next += batches.length;
      // Its log begins behind what would only be good to have.
      else if (next < needed && firstIndex <= needed) next = needed;
      else return false;
    }
    return next > to;
  }
}
