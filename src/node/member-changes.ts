import { NodeError } from '../api/node-port';
import type { Configuration, ConfigurationChange, ConfigurationRefusal, CoreStatus, NodeId } from '../raft/core';
import type { Replica } from '../raft/replica/replica';
import { CallError } from '../raft/transport';
import { decodeJson, encodeJson, PEER_CALLS, textField } from './peer-calls';

export type MemberChange = 'add' | 'remove';

export interface MemberChangesOptions {
  readonly group: number;
  readonly replica: Pick<Replica, 'isLeader' | 'status' | 'changeConfiguration'>;
  readonly call: (to: NodeId, group: number, method: number, body: Buffer, deadlineMs: number) => Promise<Buffer>;
  /** Gives leadership to the voter that is furthest along; on the leader. */
  readonly handOver: (deadlineMs: number) => Promise<void>;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  readonly pause: (millis: number) => Promise<void>;
}

const POLL_MILLIS = 20;
/** Who has not answered by then is not counted on. */
const ANSWER_MILLIS = 2_000;
/** Refusals of the moment: a little later the same change may be possible. */
const PASSING: readonly ConfigurationRefusal[] = [
  'not_leader',
  'transferring',
  'leaving',
  'not_committed_in_term',
  'change_pending',
  'learner_not_caught_up',
];

interface Request {
  readonly change: MemberChange;
  readonly name: string;
  /** A leader may have begun with it already. */
  readonly began: boolean;
}

/** Why it is not done yet. */
interface Outcome {
  readonly why: string;
  readonly began: boolean;
}

const COMMITTING: Outcome = { why: 'the change is being committed', began: true };

/** What the leader does next, or that it is done, or why it cannot be done now. */
type Step = { readonly change: ConfigurationChange } | 'done' | 'hand_over';

/**
 * An operator's changes of the membership. Asked for on any node and carried out by the leader; what is there already is
 * done, so that a change whose answer was lost can be asked for again.
 */
export class MemberChanges {
  constructor(private readonly options: MemberChangesOptions) {}

  /** Resolves when the change is committed. Rejects with NodeError. */
  async make(change: MemberChange, name: string, deadlineMs: number): Promise<void> {
    const { now, pause } = this.options;
    const until = now() + deadlineMs;
    let last: Outcome = { why: 'no leader is known', began: false };
    while (now() < until) {
      const outcome = await this.try({ change, name, began: last.began }, until - now());
      if (outcome === 'done') return;
      last = { why: outcome.why, began: last.began || outcome.began };
      await pause(POLL_MILLIS);
    }
    const message = `The membership was not changed in time: ${last.why}. Look at "ledger members", and ask again.`;
    throw new NodeError('UNAVAILABLE', 'MEMBERSHIP_BUSY', message, { retryAfterMs: 500 });
  }

  /** Serves another node's request, where this node leads. */
  async serve(body: Buffer): Promise<Buffer> {
    const { replica } = this.options;
    if (!replica.isLeader) throw new CallError('UNAVAILABLE', 'NOT_LEADER', 'this node does not lead', { sent: true });
    const request = decodeJson(body);
    const change = textField(request, 'change') === 'add' ? 'add' : 'remove';
    const name = textField(request, 'name');
    try {
      const outcome = await this.lead({ change, name, began: request['began'] === true });
      return encodeJson(outcome === 'done' ? {} : outcome);
    } catch (error) {
      if (error instanceof NodeError) throw new CallError(error.code, error.reason, error.message, { sent: true });
      throw error;
    }
  }

  private async try(request: Request, deadlineMs: number): Promise<Outcome | 'done'> {
    const { replica, call, group } = this.options;
    if (replica.isLeader) return this.lead(request);
    const { leader } = replica.status();
    if (leader === '') return notYet('no leader is known');
    try {
      const body = encodeJson(request);
      const answer = decodeJson(await call(leader, group, PEER_CALLS.changeMember, body, Math.ceil(deadlineMs)));
      return 'why' in answer ? { why: textField(answer, 'why'), began: answer['began'] === true } : 'done';
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (error.remote && (error.code === 'FAILED_PRECONDITION' || error.code === 'NOT_FOUND')) {
        throw new NodeError(error.code, error.reason, error.message);
      }
      // Its answer may be lost while it did what was asked.
      return { why: `the leader could not be asked (${error.message})`, began: error.sent };
    }
  }

  /**
   * The voters beside the named one that answer now. What was heard of them is up to two election timeouts old: a voter that died
   * since then would be counted, and the change that needs its vote would never be committed.
   */
  private async answering(name: string): Promise<NodeId[]> {
    const { replica, call, group } = this.options;
    const { id: self, configuration } = replica.status();
    const named = serverNamed(configuration, name)?.id;
    if (named === undefined) return [];
    const asked = configuration.voters.filter((id) => id !== named);
    const answers = await Promise.all(
      asked.map(async (id) => {
        if (id === self) return true;
        try {
          await call(id, group, PEER_CALLS.identify, encodeJson({}), ANSWER_MILLIS);
          return true;
        } catch (error) {
          if (error instanceof CallError) return false;
          throw error;
        }
      }),
    );
    return asked.filter((_, i) => answers[i]);
  }

  /** One step of the leader. */
  private async lead({ change, name, began }: Request): Promise<Outcome | 'done'> {
    const { replica, handOver } = this.options;
    const alive = change === 'remove' ? await this.answering(name) : [];
    const status = replica.status();
    const step = change === 'add' ? addition(status, name, began) : removal(status, name, alive);
    // What is in force but not committed may yet come to nothing.
    if (step === 'done') return status.commit >= status.configurationIndex ? 'done' : COMMITTING;
    if (step === 'hand_over') {
      await handOver(0);
      return notYet('leadership is being handed over first');
    }
    const refusal = replica.changeConfiguration(step.change);
    if (refusal === undefined) return COMMITTING;
    if (PASSING.includes(refusal)) return notYet(refusal.replaceAll('_', ' '));
    throw new NodeError('FAILED_PRECONDITION', refusal.toUpperCase(), `"${name}": ${refusal.replaceAll('_', ' ')}.`);
  }
}

function notYet(why: string): Outcome {
  return { why, began: false };
}

/** @param began it was asked for before: who is nobody any more then is free to join */
function addition({ configuration }: CoreStatus, name: string, began: boolean): Step {
  const server = serverNamed(configuration, name);
  if (server && configuration.learners.includes(server.id)) return { change: { type: 'promote', id: server.id } };
  if (server) return 'done';
  if (configuration.removed?.some((removed) => removed.name === name)) return { change: { type: 'readmit', name } };
  if (began) return 'done';
  throw unknownMember(name, 'Nodes join by themselves: start it with --start-join-addrs.');
}

function removal(status: CoreStatus, name: string, alive: readonly NodeId[]): Step {
  const { configuration } = status;
  const server = serverNamed(configuration, name);
  if (!server) {
    if (configuration.removed?.some((removed) => removed.name === name)) return 'done';
    throw unknownMember(name, 'See the members with "ledger members".');
  }
  const change = { change: { type: 'remove', id: server.id, forGood: true } } as const;
  if (!configuration.voters.includes(server.id)) return change;
  const left = configuration.voters.filter((id) => id !== server.id);
  if (left.length === 0) {
    const message = `"${name}" is the only voter: without it nothing could ever be committed.`;
    throw new NodeError('FAILED_PRECONDITION', 'LAST_VOTER', message);
  }
  assertQuorumLeft(name, left, alive);
  return server.id === status.id ? 'hand_over' : change;
}

/** As etcd's strict reconfiguration check: those that are left and alive must be a majority of those that are left. */
function assertQuorumLeft(name: string, left: readonly NodeId[], answering: readonly NodeId[]): void {
  const alive = left.filter((id) => answering.includes(id));
  const needed = Math.floor(left.length / 2) + 1;
  if (alive.length >= needed) return;
  const message =
    `Without "${name}" there are ${left.length} voters, of which ${alive.length} answer, and ${needed} are needed: ` +
    'writes would stop. Bring the others back, or remove those that are gone, first.';
  throw new NodeError('FAILED_PRECONDITION', 'QUORUM_AT_RISK', message);
}

function serverNamed(configuration: Configuration, name: string): Configuration['servers'][number] | undefined {
  return configuration.servers.find((server) => server.name === name || server.id === name);
}

function unknownMember(name: string, advice: string): NodeError {
  return new NodeError('NOT_FOUND', 'MEMBER_NOT_FOUND', `No member is named "${name}". ${advice}`);
}
