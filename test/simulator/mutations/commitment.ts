import type { Edit, Mutation } from './mutation';

/** The plain rule of the paper: after a refusal, probe further back than need be. Without it some bugs cannot be reached. */
export const PROBES_FURTHER_BACK: Edit = {
  file: 'src/raft/core/peer-responses.ts',
  original: `peer.rejected(m.index, hint);`,
  replacement: `peer.rejected(m.index, Math.max(0, hint - 4));`,
};

/** A refusal says nothing of what is durable, so another program need not wait for its disk with it, as this one does. */
const REFUSES_AT_ONCE: Edit = {
  file: 'src/raft/core/follower.ts',
  original: `  r.outbox.sendAfterSync({
    type: 'appendResp',
    from: r.id,
    to,
    term: r.term,
    reject: true,`,
  replacement: `  r.outbox.messages.push({
    type: 'appendResp',
    from: r.id,
    to,
    term: r.term,
    reject: true,`,
};

/** Commitment: when an entry is safe, and who may say so. */
export const COMMIT_MUTATIONS: readonly Mutation[] = [
  {
    name: 'earlier-term-committed-by-counting',
    source: '3.6.2, figure 3.7; LogCabin, canonical/raft, NATS until 2026',
    breaks: 'A leader takes an entry of an earlier term for committed because a majority holds it.',
    edits: [
      {
        file: 'src/raft/core/commit.ts',
        original: `if (index <= r.log.commit || !r.log.has(index, r.term)) return;`,
        replacement: `if (index <= r.log.commit) return;`,
      },
    ],
  },
  {
    name: 'follower-commits-what-was-not-matched',
    source: '3.5; Copycat',
    breaks: 'A follower commits up to its own last entry rather than up to the last one that the leader has confirmed.',
    edits: [
      PROBES_FURTHER_BACK,
      {
        file: 'src/raft/core/follower.ts',
        original: `log.commitTo(Math.min(m.commit, lastMatched));`,
        replacement: `log.commitTo(Math.min(m.commit, log.lastIndex));`,
      },
    ],
  },
  {
    name: 'heartbeat-commits-what-was-not-matched',
    source: '3.5; etcd says why not',
    breaks: 'A heartbeat tells a follower to commit what it holds, whether or not it is what the leader holds there.',
    edits: [
      {
        file: 'src/raft/core/heartbeat.ts',
        original: `commit: Math.min(peer.match, r.log.commit),`,
        replacement: `commit: r.log.commit,`,
      },
      {
        file: 'src/raft/core/follower.ts',
        original: `r.log.commitTo(m.commit);`,
        replacement: `r.log.commitTo(Math.min(m.commit, r.log.lastIndex));`,
      },
    ],
  },
  {
    name: 'leader-counts-its-unwritten-log',
    source: '10.2.1; etcd#14370, NATS 2.12',
    breaks: 'A leader counts itself for entries that are not on its disk yet.',
    edits: [
      {
        file: 'src/raft/core/raft-state.ts',
        original: `(id === this.id ? this.log.durable :`,
        replacement: `(id === this.id ? this.log.lastIndex :`,
      },
    ],
  },
  {
    name: 'follower-acknowledges-before-the-sync',
    source: '3.8',
    breaks: 'A follower says that it has entries which a loss of power still takes.',
    edits: [
      {
        file: 'src/raft/replica/ready-loop.ts',
        original: `if (truncation || ready.entries.length > 0) work.push(this.options.log.sync());`,
        replacement: ``,
      },
    ],
  },
  {
    name: 'acknowledgement-of-what-was-replaced',
    source: 'a script of etcd’s',
    breaks: 'The disk’s answer to a write is believed although the written entry was replaced meanwhile.',
    edits: [
      {
        file: 'src/raft/core/raft-log.ts',
        original: `if (index > this.durable && this.has(index, term)) this.durable = index;`,
        replacement: `if (index > this.durable) this.durable = Math.min(index, this.lastIndex);`,
      },
      {
        file: 'src/raft/core/core.ts',
        original: `if (ack.term !== r.term) return;`,
        replacement: ``,
      },
    ],
  },
  {
    name: 'acknowledgement-of-an-earlier-term',
    source: 'ABA: a script of etcd’s',
    breaks:
      'A write is acknowledged in a later term, after its entry was replaced and came back (and is not written again).',
    edits: [
      REFUSES_AT_ONCE,
      {
        file: 'src/raft/core/core.ts',
        original: `if (ack.term !== r.term) return;`,
        replacement: ``,
      },
    ],
  },
  {
    name: 'apply-ahead-of-the-own-disk',
    source: 'this program’s own rule',
    breaks:
      'A node applies entries that are committed but not on its own disk: a snapshot of them is ahead of its log.',
    edits: [
      {
        file: 'src/raft/core/take-ready.ts',
        original: `const to = Math.min(r.log.commit, r.log.durable);`,
        replacement: `const to = r.log.commit;`,
      },
    ],
  },
];
