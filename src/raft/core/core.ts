import { advanceCommit, appliedTo, settleLoss } from './commit';
import { isVoter } from './configuration';
import { campaign, ownVoteDurable } from './election';
import { snapshotInstalled } from './follower';
import { peerGone } from './gone-leader';
import type { Message } from './messages';
import type { CoreOptions } from './options';
import { leaveJointIfCommitted, propose, proposeConfiguration } from './proposals';
import { RaftState } from './raft-state';
import { requestRead, startReadRound } from './read-index';
import type { Ready, StorageAck } from './ready';
import { takeReady, type Told } from './take-ready';
import { appendLoaded, flushAppends, loadingEnded, peerUnreachable, snapshotSent } from './replication';
import type { CoreStatus } from './status';
import { statusOf } from './status-of';
import { step } from './step';
import { tickElection, tickLeader } from './ticking';
import { handOverIfCaughtUp, stepDownIfRemoved, transferLeadership } from './transfer';
import type {
  Configuration,
  ConfigurationChange,
  ConfigurationRefusal,
  Entry,
  NodeId,
  Proposed,
  ProposeRefusal,
  SnapshotMeta,
  TransferRefusal,
} from './types';

/**
 * One node's consensus (Raft), free of clocks, disks, sockets and chance of its own: the replica steps messages and ticks
 * in, takes a Ready out after every call or batch of calls, does what it says and reports back. Not reentrant.
 *
 * RaftInvariantError from any method means that nothing here can be trusted any more: end the process.
 */
export class RaftCore {
  private readonly r: RaftState;
  private readonly told: Told;

  constructor(options: CoreOptions) {
    this.r = new RaftState(options);
    this.told = { hardState: options.hardState, role: this.r.role, leader: this.r.leader };
    settleLoss(this.r);
    const { voters, votersOutgoing } = this.r.configuration;
    // Nobody else could lead, so there is nothing to wait for.
    if (voters.length === 1 && votersOutgoing.length === 0 && isVoter(this.r.configuration, this.r.id))
      campaign(this.r);
  }

  /** One unit of time has passed; the options say how many make a heartbeat and an election timeout. */
  tick(): void {
    if (this.r.isLeader) tickLeader(this.r);
    else tickElection(this.r);
  }

  /** A message from a peer. Throws RaftMessageError, having changed nothing, for what no correct peer sends. */
  step(m: Message): void {
    step(this.r, m);
  }

  /**
   * Appends an entry of the given kind (not noop or configuration), sealed in this call. `count` is passed on to `seal`.
   * Committed when Ready.committed reaches the index while the entry there has the term.
   */
  propose(kind: number, payload: readonly Buffer[], count: number): Proposed | ProposeRefusal {
    return propose(this.r, kind, payload, count);
  }

  /** The new configuration is in force at once, here, and on each member when it gets the entry. */
  proposeConfiguration(change: ConfigurationChange): Proposed | ConfigurationRefusal {
    return proposeConfiguration(this.r, change);
  }

  /**
   * Asks for the index that a linearizable read has to see applied. Answered in Ready.readStates or Ready.readRefusals
   * with the caller's `context`; the answer to a follower's question may be lost on the way: ask again then.
   */
  readIndex(context: number): void {
    requestRead(this.r, context);
  }

  /** undefined: under way, until another leader is known or the least election timeout has passed. */
  transferLeadership(to: NodeId): TransferRefusal | undefined {
    return transferLeadership(this.r, to);
  }

  /** Campaigns without waiting for the election timeout, with pre-vote; nothing happens where it may not. */
  campaign(): void {
    campaign(this.r);
  }

  /** Everything to be done since the last call, handed over with this one; undefined when that is nothing. See Ready. */
  ready(): Ready | undefined {
    const { r } = this;
    if (r.installing === undefined) r.log.checkHandedOver();
    if (r.isLeader) {
      leaveJointIfCommitted(r);
      startReadRound(r);
      flushAppends(r);
      handOverIfCaughtUp(r);
      stepDownIfRemoved(r);
    }
    return takeReady(r, this.told);
  }

  /** A Ready's `ack` comes back: everything it and the Readys before it wrote is durable. */
  appended(ack: StorageAck): void {
    const { r } = this;
    // The term has changed since: what was written may have been replaced, twice even (ABA). The Ready that carries the
    // new term has an acknowledgement of its own, for the log as it was then.
    if (ack.term !== r.term) return;
    if (r.installing === undefined) r.log.durableTo(ack.index, ack.entryTerm);
    if (ack.hardState !== undefined) ownVoteDurable(r, ack.hardState.term, ack.hardState.vote);
    if (r.isLeader) advanceCommit(r);
    settleLoss(r);
  }

  /** The state machine has applied the log up to `index`. */
  applied(index: number): void {
    appliedTo(this.r, index);
  }

  /** Ready.installSnapshot is done: state and log are replaced, durably. */
  snapshotInstalled(meta: SnapshotMeta): void {
    snapshotInstalled(this.r, meta);
  }

  /** What came of Ready.snapshotsToSend. `index`: of the snapshot that was sent. Without effect where none was asked for. */
  snapshotStatus(to: NodeId, ok: boolean, index?: number): void {
    snapshotSent(this.r, to, ok, index);
  }

  /** The connection to a peer broke, or messages to it were dropped. */
  unreachable(peer: NodeId): void {
    peerUnreachable(this.r, peer);
  }

  /**
   * A peer's process has ended: no connection of it is left, and where it listened nobody does. Told again while that is
   * so. Where it led, this node does not wait out the election timeout; a report that is wrong costs an election at most.
   */
  peerGone(peer: NodeId): void {
    peerGone(this.r, peer);
  }

  /**
   * The answer to Ready.reads: entries from the index asked for on, dense, as they are in the log; at most
   * maxMessageBytes unless it is one. Goes out with the next Ready; false when they are of no use any more.
   */
  appendFor(peer: NodeId, entries: readonly Entry[]): boolean {
    return appendLoaded(this.r, peer, entries);
  }

  /** The other answer to Ready.reads: nothing was loaded; the core looks again at what it needs. */
  entriesLoaded(peer: NodeId): void {
    loadingEnded(this.r, peer);
  }

  /** In force after the entry at `index`, which is at or above the applied index: what a snapshot of it has to record. */
  configurationAt(index: number): Configuration {
    return this.r.membership.at(index);
  }

  status(): CoreStatus {
    return statusOf(this.r);
  }
}
