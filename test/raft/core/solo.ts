import {
  EntryKind,
  RaftCore,
  type CoreOptions,
  type Entry,
  type Message,
  type MessageType,
  type Ready,
} from '../../../src/raft/core';
import { configuration, id, MemoryLog, sealForTest } from './memory-log';

type Of<T extends MessageType> = Extract<Message, { type: T }>;
type Body<T extends MessageType> = Omit<Of<T>, 'type' | 'from' | 'to'>;

/**
 * One core under a microscope: node 1, whose peers' messages are written by the test and whose disk syncs when the test
 * says so.
 */
export class Solo {
  readonly log: MemoryLog;
  readonly core: RaftCore;
  /** Readys whose writes are not durable yet, oldest first. */
  unsynced: Ready[] = [];
  /** All Readys so far. */
  readonly readies: Ready[] = [];
  private outgoing: Message[] = [];

  constructor(voters: number[], options: Partial<CoreOptions> = {}, log = new MemoryLog({ index: 0, term: 0 })) {
    this.log = log;
    this.core = new RaftCore({
      id: id(1),
      log,
      hardState: { term: log.termAt(log.lastIndex) ?? 0, vote: '' },
      snapshotMeta: { index: 0, term: 0, configuration: configuration(voters) },
      configurations: [],
      electionTicks: [10, 20],
      heartbeatTicks: 2,
      random: { next: () => 0 },
      maxInflightMessages: 4,
      maxInflightBytes: 1 << 20,
      maxUncommittedBytes: 1 << 20,
      maxMessageBytes: 1 << 20,
      seal: sealForTest,
      ...options,
    });
  }

  /** Does what the Readys say, but for making it durable. */
  turn(): void {
    for (let ready = this.core.ready(); ready !== undefined; ready = this.core.ready()) {
      if (ready.truncateFrom !== undefined) this.log.truncateSuffix(ready.truncateFrom);
      for (const made of ready.entries) this.log.append(made);
      this.outgoing.push(...ready.messages);
      this.readies.push(ready);
      this.unsynced.push(ready);
      if (ready.committed) this.core.applied(ready.committed.to);
    }
  }

  /** Makes everything durable, in order, and what follows from it. */
  sync(): void {
    this.turn();
    for (let ready = this.unsynced.shift(); ready !== undefined; ready = this.unsynced.shift()) {
      this.outgoing.push(...ready.messagesAfterSync);
      if (ready.ack) this.core.appended(ready.ack);
      this.turn();
    }
  }

  /** A message from node `from`; nothing of what follows is durable until `sync`. */
  hear<T extends MessageType>(from: number, type: T, body: Body<T>): void {
    this.core.step({ type, from: id(from), to: id(1), ...body } as unknown as Of<T>);
    this.turn();
  }

  hearAppend(from: number, term: number, prev: [number, number], entries: Entry[], commit = 0): void {
    this.hear(from, 'append', { term, prevIndex: prev[0], prevTerm: prev[1], entries, commit });
  }

  hearAccept(from: number, index: number, term = this.core.status().term): void {
    this.hear(from, 'appendResp', { term, reject: false, index, hintIndex: 0, hintTerm: 0, lost: false });
  }

  hearReject(from: number, index: number, hintIndex: number, hintTerm: number): void {
    const { term } = this.core.status();
    this.hear(from, 'appendResp', { term, reject: true, index, hintIndex, hintTerm, lost: false });
  }

  /** What was sent since the last call, of one type. */
  sent<T extends MessageType>(type: T): Of<T>[] {
    const found = this.outgoing.filter((m): m is Of<T> => m.type === type);
    this.outgoing = this.outgoing.filter((m) => m.type !== type);
    return found;
  }

  forget(): void {
    this.outgoing = [];
  }

  tick(times = 1): void {
    for (let i = 0; i < times; i++) {
      this.core.tick();
      this.turn();
    }
  }

  propose(value: string): ReturnType<RaftCore['propose']> {
    const result = this.core.propose(EntryKind.records, [Buffer.from(value)], 1);
    this.turn();
    return result;
  }

  /** Campaigns, and all others vote for it; its no-op is on its own disk, and on theirs if `committed`. */
  lead(committed = true): void {
    const others = this.core.status().configuration.voters.filter((voter) => voter !== id(1));
    this.core.campaign();
    this.turn();
    const { term } = this.core.status();
    for (const voter of others)
      this.core.step({ type: 'preVoteResp', from: voter, to: id(1), term: term + 1, reject: false });
    this.sync();
    for (const voter of others)
      this.core.step({ type: 'voteResp', from: voter, to: id(1), term: term + 1, reject: false });
    this.sync();
    if (this.core.status().role !== 'leader') throw new Error('The election was not won.');
    if (committed) {
      for (const voter of others) this.hearAccept(Number.parseInt(voter, 16), this.log.lastIndex);
      this.sync();
    }
    this.forget();
  }
}
