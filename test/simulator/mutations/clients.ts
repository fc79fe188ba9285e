import type { Mutation } from './mutation';

const WAITERS = 'src/raft/replica/proposal-waiters.ts';
const RULES = 'src/ledger/transfer-rules.ts';

/** What clients are told, and what becomes of their money. */
export const CLIENT_MUTATIONS: readonly Mutation[] = [
  {
    name: 'id-not-looked-for',
    source: '6.3',
    breaks: 'A transfer that is asked for again with the same id is done again.',
    edits: [
      {
        file: RULES,
        original: `this.first = tables.transfers.find(this.hash, fields.source, fields.id);`,
        replacement: `this.first = -1;`,
      },
    ],
  },
  {
    name: 'refused-id-not-remembered',
    source: 'docs/rules-of-money.md',
    breaks: 'A transfer that was refused is done when it is asked for again.',
    edits: [
      {
        file: RULES,
        original: `if (burnsId(result)) this.remember`,
        replacement: `if (result === ResultCode.OK) this.remember`,
      },
    ],
  },
  {
    name: 'apply-reads-the-clock',
    source: '3.2; the time of a batch is the leader’s',
    breaks: 'Each node writes its own time into what it decides.',
    edits: [
      {
        file: 'src/ledger/state.ts',
        original: `context.begin(batch.time, batch.baseOffset`,
        replacement: `context.begin(Date.now() * 1000 + Math.floor(performance.now()), batch.baseOffset`,
      },
    ],
  },
  {
    name: 'state-depends-on-the-node',
    source: '3.2',
    breaks: 'The state depends on a number that each node draws for itself.',
    edits: [
      {
        file: 'src/node/ledger-machine.ts',
        original: `rows.length !== count * OUTCOME_ROW_BYTES`,
        replacement: `rows.writeUInt32LE(this.hashSeed, 52) < 0`,
      },
    ],
  },
  {
    name: 'time-goes-back',
    source: 'this program’s contract',
    breaks: 'A batch gets the time of its leader’s clock, also where that is before the time of the batch before.',
    edits: [
      {
        file: 'src/raft/replica/sealer.ts',
        original: `Math.max(this.clock.wallMicros(), tail.time + 1)`,
        replacement: `this.clock.wallMicros()`,
      },
    ],
  },
  {
    name: 'unknown-told-as-refused',
    source: '6.3',
    breaks: 'A client whose write was proposed and not answered in time is told that nothing happened.',
    edits: [
      {
        file: WAITERS,
        original: `settle(proposal, outcomeUnknown());`,
        replacement: `settle(proposal, notCommitted());`,
      },
    ],
  },
  {
    name: 'skipped-told-as-refused',
    source: '6.3',
    breaks: 'A client whose write may be in a snapshot that was installed is told that nothing happened.',
    edits: [
      {
        file: WAITERS,
        original: `this.reject(waiting.proposals, outcomeUnknown());`,
        replacement: `this.reject(waiting.proposals, notCommitted());`,
      },
    ],
  },
  {
    name: 'deposed-leader-says-refused',
    source: 'figure 3.7',
    breaks:
      'A leader that is deposed tells its clients that what it had proposed did not happen; a later leader may commit it yet.',
    edits: [
      {
        file: 'src/raft/replica/replica.ts',
        original: `    if (leader !== this.id) {
      this.proposer`,
        replacement: `    if (leader !== this.id) {
      for (const all of Object.values(this.waiters)[0].values())
        for (const { proposals } of all)
          for (const one of proposals) {
            if (!one.settled) one.reject(new ReplicaError('NOT_LEADER', 'This node does not lead any more.', leader));
            one.settled = true;
          }
      this.proposer`,
      },
    ],
  },
  {
    name: 'answer-to-whoever-waits-there',
    source: '3.5, figure 3.7',
    breaks: 'Whoever waits at an index gets the answer to what was committed there, be it the entry of somebody else.',
    edits: [{ file: WAITERS, original: `if (waiting.term === header.term)`, replacement: `if (waiting.term > 0)` }],
  },
  {
    name: 'answer-of-a-neighbour',
    source: 'this program’s group commit',
    breaks: 'Of several writes in one batch, each gets the outcomes of the first.',
    edits: [
      {
        file: WAITERS,
        original: `outcomes.subarray(first * OUTCOME_ROW_BYTES, ordinal * OUTCOME_ROW_BYTES)`,
        replacement: `outcomes.subarray(0, proposal.count * OUTCOME_ROW_BYTES)`,
      },
    ],
  },
  {
    name: 'forwarded-again-after-it-was-sent',
    source: '6.3',
    breaks: 'A write that may have reached the leader is taken for one that has not.',
    edits: [
      {
        file: 'src/node/write-path.ts',
        original: `return !error.sent || (error.remote`,
        replacement: `return !error.remote || (error.remote`,
      },
    ],
  },
  {
    name: 'limit-not-looked-at',
    source: 'docs/rules-of-money.md',
    breaks: 'An account is debited below its minimum.',
    edits: [
      {
        file: RULES,
        original: `if (!mayDebit || isZero128(moved, 0)) return`,
        replacement: `if (mayDebit === undefined) return`,
      },
    ],
  },
  {
    name: 'one-side-of-a-transfer',
    source: 'docs/rules-of-money.md',
    breaks: 'A transfer debits one account and credits nobody.',
    edits: [
      {
        file: 'src/ledger/posting.ts',
        original: `    copy128(s, RIGHT, cp, c + Hot.CREDITS_POSTED);
    add128(s, RIGHT, amount, 0);`,
        replacement: `    copy128(s, RIGHT, cp, c + Hot.CREDITS_POSTED);`,
      },
    ],
  },
];
