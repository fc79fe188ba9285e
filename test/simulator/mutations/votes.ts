import type { Mutation } from './mutation';

const ELECTION = 'src/raft/core/election.ts';

/** Elections: what a vote, a term and the log of a candidate are worth. */
export const VOTE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'vote-not-saved',
    source: '3.8',
    breaks: 'Term and vote are never written: after a restart the node votes in a term again.',
    edits: [
      {
        file: 'src/raft/replica/ready-loop.ts',
        original: `if (ready.hardState) work.push(this.options.saveHardState(ready.hardState));`,
        replacement: ``,
      },
    ],
  },
  {
    name: 'vote-told-before-saved',
    source: '3.8; any store that is asked to write and not to sync',
    breaks: 'A vote leaves the node before it is durable: after a loss of power it is given a second time.',
    edits: [
      {
        file: ELECTION,
        original: `r.outbox.sendAfterSync({ type: 'voteResp'`,
        replacement: `r.outbox.messages.push({ type: 'voteResp'`,
      },
    ],
  },
  {
    name: 'second-vote-in-a-term',
    source: '3.4',
    breaks: 'A node votes for every candidate of a term whose log is good.',
    edits: [
      {
        file: ELECTION,
        original: `(r.vote === NOBODY && r.leader === NOBODY)`,
        replacement: `r.leader === NOBODY`,
      },
    ],
  },
  {
    name: 'vote-without-a-look-at-the-log',
    source: '3.6.1',
    breaks: 'A candidate is elected whose log lacks what is committed.',
    edits: [
      {
        file: ELECTION,
        original: `const granted = free && r.log.isUpToDate(candidate) &&`,
        replacement: `const granted = free &&`,
      },
    ],
  },
  {
    name: 'longer-log-wins',
    source: '3.6.1',
    breaks: 'Logs are compared by their length alone, not by the term of their last entry first.',
    edits: [
      {
        file: 'src/raft/core/raft-log.ts',
        original: `return a.term > b.term || (a.term === b.term && a.index >= b.index);`,
        replacement: `return a.index >= b.index;`,
      },
    ],
  },
  {
    name: 'vote-forgotten-when-stepping-down',
    source: '3.4; NATS',
    breaks: 'A candidate that gives up within its term forgets that it has voted for itself.',
    edits: [
      {
        file: 'src/raft/core/roles.ts',
        original: `  if (term > r.term) {
    r.term = term;
    r.vote = NOBODY;
  }`,
        replacement: `  if (term > r.term || r.role !== 'follower') r.vote = NOBODY;
  r.term = term;`,
      },
    ],
  },
  {
    name: 'term-of-a-late-vote-counted',
    source: '3.4',
    breaks: 'Votes that were given to a candidate in an earlier term count in this one.',
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
        replacement: `    case 'voteResp':
      return handleVoteResp(r, m);
    case 'vote':
    case 'preVoteResp':
    case 'appendResp':
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
    name: 'leader-that-hears-nobody-leads-on',
    source: '6.2; Cloudflare 2020',
    breaks: 'A leader that can send and not receive keeps its place, and nothing is ever committed.',
    edits: [
      {
        file: 'src/raft/core/ticking.ts',
        original: `if (!quorumIsActive(r)) {`,
        replacement: `if (!quorumIsActive(r) && r.options === undefined) {`,
      },
    ],
  },
  {
    name: 'half-connected-node-deposes-its-leader',
    source: '4.2.3, 9.6',
    breaks: 'Whoever hears a leader helps to depose it: a node that hears nothing wins the leadership again and again.',
    edits: [
      { file: 'src/raft/core/step.ts', original: `return !r.hearsLeader;`, replacement: `return true;` },
      {
        file: 'src/raft/core/step.ts',
        original: `if (r.hearsLeader && !m.transfer) return false;`,
        replacement: ``,
      },
      {
        file: ELECTION,
        original: `const free = r.vote`,
        replacement: `const free = preVote || r.vote`,
      },
    ],
  },
];
