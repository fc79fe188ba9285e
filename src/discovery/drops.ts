import { type Clock, type EventLog } from './environment';

/** Why a datagram, or one message in it, was dropped. Each reason is counted by itself. */
export type DropReason =
  | 'malformed'
  | 'plaintext_refused'
  | 'encrypted_refused'
  | 'undecryptable'
  | 'own_datagram'
  | 'address_conflict'
  | 'foreign_cluster'
  | 'foreign_record'
  | 'repeated'
  | 'old_session'
  | 'too_many_members'
  | 'unknown_destination'
  | 'undeliverable';

const LOG_EVERY_MS = 10_000;

/** What an operator can do something about gets a log line; the rest is everyday noise of a network and only counted. */
const ADVICE: Partial<Record<DropReason, string>> = {
  malformed: 'dropped a gossip datagram that is not of this protocol',
  plaintext_refused: 'dropped unencrypted gossip: this node has a gossip keyring, the sender has none',
  encrypted_refused: 'dropped encrypted gossip: this node has no gossip keyring; start it with --encrypt-key-file',
  undecryptable: 'dropped gossip that no key of this keyring opens: the sender has another keyring, or it is forged',
  address_conflict: 'dropped gossip of another node that advertises the address of this one; give each node its own',
  foreign_cluster:
    'dropped gossip from a node of another cluster; remove its address from this cluster, or ours from it',
  foreign_record: 'dropped news about a node of another cluster',
  too_many_members: 'dropped news about a further node: the bound on the number of members is reached',
  undeliverable: 'a gossip datagram could not be sent',
};

interface LogState {
  nextAt: number;
  suppressed: number;
}

/** Counts what is dropped, and logs each reason at most once in ten seconds: a flood of junk must not become a flood of lines. */
export class Drops {
  private readonly counts = new Map<DropReason, number>();
  private readonly logs = new Map<DropReason, LogState>();

  constructor(
    private readonly log: EventLog,
    private readonly clock: Clock,
  ) {}

  count(reason: DropReason, fields: Readonly<Record<string, unknown>>): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
    const advice = ADVICE[reason];
    if (advice === undefined) return;
    const state = this.logs.get(reason) ?? { nextAt: -Infinity, suppressed: 0 };
    this.logs.set(reason, state);
    const now = this.clock.monotonicMillis();
    if (now < state.nextAt) {
      state.suppressed += 1;
      return;
    }
    this.log.warn({ reason, ...fields, suppressed: state.suppressed }, advice);
    state.nextAt = now + LOG_EVERY_MS;
    state.suppressed = 0;
  }

  /** How many were dropped so far, by reason; a reason that never came up is absent. */
  snapshot(): ReadonlyMap<DropReason, number> {
    return new Map(this.counts);
  }
}
