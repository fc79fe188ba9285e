import { PROBES_FURTHER_BACK } from './commitment';
import type { Mutation } from './mutation';

const FOLLOWER = 'src/raft/core/follower.ts';

/** Replication: how a follower's log becomes the leader's, and what the leader believes of it. */
export const REPLICATION_MUTATIONS: readonly Mutation[] = [
  {
    name: 'truncate-at-every-append',
    source: '3.5; async-raft',
    breaks: 'A late or doubled append removes entries that were acknowledged after it.',
    edits: [
      {
        file: FOLLOWER,
        original: `if (entry !== undefined && !r.log.has(entry.index, entry.term)) return at;`,
        replacement: `if (entry !== undefined && entry.index > r.log.commit) return at;`,
      },
    ],
  },
  {
    name: 'append-without-a-look-before-it',
    source: '3.5',
    breaks: 'A follower takes entries without comparing the term of the entry before them.',
    edits: [
      {
        file: FOLLOWER,
        original: `if (!log.has(m.prevIndex, m.prevTerm)) {`,
        replacement: `if (m.prevIndex > log.lastIndex) {`,
      },
    ],
  },
  {
    name: 'conflict-judged-by-index',
    source: '3.5',
    breaks: 'A follower that has entries at these indexes keeps them, whatever their terms.',
    edits: [
      {
        file: FOLLOWER,
        original: `if (entry !== undefined && !r.log.has(entry.index, entry.term)) return at;`,
        replacement: `if (entry !== undefined && entry.index > r.log.lastIndex) return at;`,
      },
    ],
  },
  {
    name: 'acknowledges-to-its-own-end',
    source: '3.5; openraft',
    breaks: 'A follower acknowledges its whole log, also what the append has not confirmed.',
    edits: [
      PROBES_FURTHER_BACK,
      { file: FOLLOWER, original: `accept(r, m.from, lastMatched);`, replacement: `accept(r, m.from, log.lastIndex);` },
    ],
  },
  {
    name: 'refusal-taken-for-a-match',
    source: '3.5; openraft',
    breaks: 'The leader takes the hint of a refusal for what the follower has.',
    edits: [
      {
        file: 'src/raft/core/peer-responses.ts',
        original: `  peer.rejected(m.index, hint);`,
        replacement: `  peer.rejected(m.index, hint);
  if (hint < m.index) peer.accepted(m.hintIndex);`,
      },
    ],
  },
  {
    name: 'answer-of-an-earlier-term-counted',
    source: '3.5',
    breaks: 'An acknowledgement of an earlier term moves what a leader believes of a follower.',
    edits: [
      {
        file: 'src/raft/core/step.ts',
        original: `    case 'vote':
    case 'preVoteResp':
    case 'voteResp':
    case 'appendResp':
    case 'heartbeatResp':
    case 'timeoutNow':
      return;
  }
}

function dispatch`,
        replacement: `    case 'appendResp':
      return handleAppendResp(r, m);
    case 'vote':
    case 'preVoteResp':
    case 'voteResp':
    case 'heartbeatResp':
    case 'timeoutNow':
      return;
  }
}

function dispatch`,
      },
    ],
  },
  {
    name: 'cache-outlives-truncation',
    source: 'CockroachDB',
    breaks: 'Entries in memory outlive their truncation on the disk.',
    edits: [
      {
        file: 'src/log/segmented-log.ts',
        original: `    this.cache.truncateSuffix(from);
    this.reads.truncatedTo(last);`,
        replacement: `    this.reads.truncatedTo(last);`,
      },
    ],
  },
  {
    name: 'lost-probe-never-repeated',
    source: 'etcd, openraft',
    breaks: 'A peer whose first append was lost is never sent another one.',
    edits: [{ file: 'src/raft/core/peer-responses.ts', original: `  peer.probeSent = false;`, replacement: `` }],
  },
  {
    name: 'window-never-opens-again',
    source: 'etcd',
    breaks: 'Appends that were answered stay in the window of those on their way, until nothing more is sent.',
    edits: [
      {
        file: 'src/raft/core/peer-responses.ts',
        original: `peer.inflights.freeUpTo(index);`,
        replacement: `if (advanced) peer.inflights.freeUpTo(index - 1);`,
      },
    ],
  },
  {
    name: 'uncommitted-tail-without-bound',
    source: 'etcd',
    breaks: 'A leader that is cut off from its majority takes writes without end.',
    edits: [
      {
        file: 'src/raft/core/uncommitted-tail.ts',
        original: `return this.total === 0 || this.total + bytes <= this.maxBytes;`,
        replacement: `return bytes >= 0;`,
      },
    ],
  },
];
