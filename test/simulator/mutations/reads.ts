import type { Mutation } from './mutation';

const READ_INDEX = 'src/raft/core/read-index.ts';
const BARRIER = 'src/node/read-barrier.ts';
const ROUNDS = 'src/raft/replica/read-rounds.ts';

/** Reads: what may be shown, and when. */
export const READ_MUTATIONS: readonly Mutation[] = [
  {
    name: 'read-before-the-first-commit-of-the-term',
    source: '6.4; etcd#7331, TiKV, RedisRaft',
    breaks: 'A new leader answers a read before it knows what its predecessor has committed.',
    edits: [
      {
        file: READ_INDEX,
        original: `if (!hasCommittedInTerm(r)) refuse(r, read, 'not_committed_in_term');
  else if`,
        replacement: `if`,
      },
    ],
  },
  {
    name: 'read-without-a-quorum',
    source: '6.4; etcd 0.4',
    breaks: 'A leader that may be deposed answers a read without asking whether it still leads.',
    edits: [
      {
        file: READ_INDEX,
        original: `const upTo = quorumIndex(r.configuration, (id) => (id === r.id ? own : (r.progress.get(id)?.readRound ?? 0)));`,
        replacement: `const upTo = own;`,
      },
    ],
  },
  {
    name: 'read-by-a-lease-in-ticks',
    source: '6.4.1; etcd#20418',
    breaks:
      'A leader answers reads while it was heard lately by its own count of ticks, which stands still in a paused process.',
    edits: [
      {
        file: READ_INDEX,
        original: `  if (r.isLeader) {
    addRead(r, { from: r.id, context });`,
        replacement: `  const heard = [...r.progress.values()].filter((peer) => peer.recentActive).length;
  if (hasCommittedInTerm(r) && 2 * (heard + 1) > r.configuration.voters.length) {
    r.outbox.readStates.push({ context, index: r.log.commit });
  } else if (r.isLeader) {
    addRead(r, { from: r.id, context });`,
      },
    ],
  },
  {
    name: 'read-joins-a-round-under-way',
    source: '6.4',
    breaks: 'A read is confirmed by a round that began before it was asked for, and misses what was committed since.',
    edits: [
      {
        file: ROUNDS,
        original: `      this.waiting.push({ deadlineAt, resolve, reject });`,
        replacement: `      (this.round?.readers ?? this.waiting).push({ deadlineAt, resolve, reject });`,
      },
    ],
  },
  {
    name: 'read-confirmed-by-a-round-given-up',
    source: '6.4',
    breaks: 'The late answer to a round that was given up is taken for that of the round under way.',
    edits: [
      {
        file: ROUNDS,
        original: `if (this.round?.context !== context) return;`,
        replacement: `if (!this.round) return;`,
      },
    ],
  },
  {
    name: 'rounds-numbered-anew-by-each-process',
    source: 'this program, seed 494',
    breaks: 'The late answer to a round of the process before is taken for that to a round of this one.',
    edits: [
      {
        file: ROUNDS,
        original: `return Math.floor(random.next() * BEGINNINGS) * ROUNDS_OF_A_PROCESS;`,
        replacement: `return random.next() * 0;`,
      },
    ],
  },
  {
    name: 'read-does-not-wait-for-apply',
    source: '6.4',
    breaks: 'A read knows how far its state has to be, and does not wait until it is.',
    edits: [
      {
        file: 'src/raft/replica/replica.ts',
        original: `    await this.applier.waitFor(index, deadlineAt);
    this.freshAt`,
        replacement: `    if (index < 0) await this.applier.waitFor(index, deadlineAt);
    this.freshAt`,
      },
    ],
  },
  {
    name: 'stale-bound-ignored',
    source: 'this program’s contract',
    breaks: 'A read that may be so many milliseconds old is answered however old the state is.',
    edits: [
      {
        file: BARRIER,
        original: `if (maxStalenessMs <= 0 || this.replica.staleness() <= maxStalenessMs) return;`,
        replacement: `if (maxStalenessMs >= 0) return;`,
      },
    ],
  },
  {
    name: 'freshness-counted-from-the-answer',
    source: 'this program’s contract',
    breaks:
      'A state is taken for as new as the moment at which the leader’s answer was used, not at which it was asked.',
    edits: [
      {
        file: 'src/raft/replica/replica.ts',
        original: `this.freshAt = Math.max(this.freshAt, startedAt);`,
        replacement: `this.freshAt = this.options.clock.monotonicMillis();`,
      },
    ],
  },
  {
    name: 'token-ignored',
    source: '6.4; read your writes',
    breaks: 'A read with the token of a write does not wait for that write.',
    edits: [
      {
        file: BARRIER,
        original: `await this.replica.waitApplied(position.index, deadlineMs);`,
        replacement: `await this.replica.waitApplied(0, deadlineMs);`,
      },
    ],
  },
];
